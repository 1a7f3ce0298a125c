package config

import (
	"strings"
	"testing"
)

// The example of resources in the document is read as it stands.
func TestResources(t *testing.T) {
	_, rest, _ := strings.Cut(apiHelp, "```yaml\n")
	example, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("no example")
	}
	cfg, err := start(t, example, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.API.Resources.String() + " " + cfg.API.Methods.String(); got != "leads res.partner,sale.order" {
		t.Errorf("read %s", got)
	}
	leads := cfg.API.Resources[0]
	if len(leads.Fields) != 5 || leads.Fields[2].Name != "phone" || leads.Fields[1].Check != "email" || leads.Fields[4].Default != "lead" {
		t.Errorf("fields %+v", leads.Fields)
	}
	cfg, err = start(t, "", map[string]string{"GATEHOUSE_RESOURCES": `[{"name":"tags","model":"crm.tag","fields":["name"]}]`})
	if err != nil || len(cfg.API.Resources) != 1 || cfg.API.Resources[0].Label != "Tag" {
		t.Errorf("from a variable: %v, %v", cfg, err)
	}
}

func TestBadResources(t *testing.T) {
	for text, want := range map[string]string{
		"resources: 7": "unmarshal",
		"resources: [{name: Leads, model: crm.lead, fields: [x]}]":             "small letters",
		"resources: [{name: leads, fields: [x]}]":                              "has no model",
		"resources: [{name: leads, model: crm.lead}]":                          "has no fields",
		"resources: [{name: leads, model: crm.lead, feilds: [x]}]":             "feilds",
		"resources: [{name: l, model: m, fields: [{name: x, onli: in}]}]":      "did you mean",
		"resources: [{name: l, model: m, fields: [{name: x, only: both}]}]":    "in or out",
		"resources: [{name: l, model: m, fields: [{field: x}]}]":               "has no name",
		"resources: [{name: l, model: m, label: a b, fields: [x]}]":            "is not a word",
		"resources: [{name: l, model: m, fields: [x], actions: [{name: go}]}]": "needs a name",
		"methods: [x]":            "unmarshal",
		`methods: {a: [x, "!y"]}`: "not both",
		`methods: {a: ["!"]}`:     "empty",
	} {
		if _, err := start(t, text, nil); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "gatehouse.yaml:1") {
			t.Errorf("%s: %v, want %s and the line", text, err, want)
		}
	}
}

func FuzzResources(f *testing.F) {
	f.Add("[{name: leads, model: crm.lead, fields: [x, {name: y, lines: [z]}]}]")
	f.Fuzz(func(_ *testing.T, text string) {
		var r Resources
		var m MethodLists
		_, _ = r.UnmarshalText([]byte(text)), m.UnmarshalText([]byte(text))
	})
}
