package facts

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	table, err := Parse(`
# a remark
modules base mail
modules account

[res.partner]
.title complete_name
.names complete_name email   # also by address
.display {complete_name}
.contexts show_address
.python access
child_ids active all
child_ids domain [('active', '=', True)]
signup_type groups base.group_user,base.group_system
amount digits 16 2
qty digits Product Unit
tmpl_id search product_id.product_tmpl_id
has_message search
properties definition base_id.definition
display_name depends complete_name name
tz default context tz
.defaults {"active": true, "color": 0}
.code_defaults category_id lang
.recast company_id
`)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(table.Modules, []string{"account", "base", "mail"}) {
		t.Errorf("modules %v", table.Modules)
	}
	got := *table.Model("res.partner")
	want := Model{
		Title: "complete_name", Names: []string{"complete_name", "email"}, Display: "{complete_name}",
		Contexts: []string{"show_address"}, Python: Python{Access: true},
		Starting: Starting{
			Constants: map[string]any{"active": true, "color": json.Number("0")},
			Code:      []string{"category_id", "lang"}, Recast: []string{"company_id"},
		},
		Fields: map[string]*Field{
			"child_ids":   {Domain: "[('active', '=', True)]", Active: AllRecords},
			"signup_type": {Groups: []string{"base.group_user", "base.group_system"}},
			"amount":      {HasDigits: true, Digits: 2},
			"qty":         {HasDigits: true, Precision: "Product Unit"},
			"tmpl_id":     {Search: true, SearchPath: "product_id.product_tmpl_id"},
			"has_message": {Search: true},
			"properties":  {Definition: "base_id.definition"},

			"display_name": {Depends: []string{"complete_name", "name"}},
			"tz":           {Default: "context tz"},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if table.Model("res.users") != nil || (*Table)(nil).Model("res.users") != nil {
		t.Error("facts from nowhere")
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"names a":                    "line 1",
		"[a]\n[a]":                   "line 2",
		"[a":                         "[its.name]",
		"[a]\n.nosuch x":             "unknown fact about a model",
		"[a]\n.title":                "no value",
		"[a]\n.python everything":    "python is one of",
		"[a]\nf":                     "unknown fact about a field",
		"[a]\nf nosuch":              "unknown fact about a field",
		"[a]\nf active perhaps":      "active is all or only",
		"[a]\nf digits":              "digits are",
		"[a]\nf default 5":           "default is company",
		"[a]\n.defaults active":      "object of JSON",
		"\n\n[a]\n# ok\nf active no": "line 5",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestOdoo19(t *testing.T) {
	table, err := Odoo19()
	if err != nil {
		t.Fatal(err)
	}
	if len(table.Modules) < 50 || len(table.Names()) < 100 {
		t.Errorf("%d modules, %d models", len(table.Modules), len(table.Names()))
	}
}

func FuzzParse(f *testing.F) {
	f.Add("modules base\n[a.b]\n.names x y\nf groups a,b\n")
	f.Fuzz(func(t *testing.T, text string) {
		table, err := Parse(text)
		if err == nil && table == nil {
			t.Fatal("no table and no error")
		}
	})
}
