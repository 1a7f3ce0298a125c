package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

func decoded(t *testing.T, text string) any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// The answers of one scenario, in order: what a symbol was bound to stays.
func TestSymbols(t *testing.T) {
	b := newBindings()
	b.saved["a"] = decoded(t, `[41, 42]`)
	for _, test := range []struct{ want, got, diff string }{
		{`["$a[0]", "$a[1]"]`, `[41, 42]`, ""},
		{`[{"id": "$a[0]", "x": [["$x_line:1", "name"]]}]`, `[{"x": [[7, "name"]], "id": 41}]`, ""},
		{`"$x_line:1"`, `7`, ""},
		{`"$x_line:1"`, `8`, "got 8"},
		{`"res.partner,$a[1]"`, `"res.partner,42"`, ""},
		{`"res.partner,$a[1]"`, `"res.partner,41"`, "got"},
		{`"8/$b[0]/"`, `"8/15/"`, ""},
		{`"$b[0]"`, `15`, ""},
		{`"costs $5"`, `"costs $5"`, ""},
		{`1`, `1.0`, ""},
		{`1`, `true`, "got true"},
		{`true`, `1`, "got 1"},
		{`false`, `0`, "got 0"},
		{`null`, `false`, "got false"},
		{`{"a": 1}`, `{"a": 1, "b": 2}`, "key b is not wanted"},
		{`{"a": 1, "b": 2}`, `{"a": 1}`, "key b is missing"},
		{`[1, 2]`, `[2, 1]`, "[0]"},
	} {
		diff := b.compare("", decoded(t, test.want), decoded(t, test.got))
		if (diff == "") != (test.diff == "") || !strings.Contains(diff, test.diff) {
			t.Errorf("%s against %s: %q, want %q", test.got, test.want, diff, test.diff)
		}
	}
	filled, err := b.fill(decoded(t, `{"ids": "$a", "vals": {"x": ["$a[1]", "ref,$a[0]"]}}`))
	if got := short(filled); err != nil || got != `{"ids":[41,42],"vals":{"x":[42,"ref,41"]}}` {
		t.Errorf("filled: %s %v", got, err)
	}
	if _, err := b.fill("$nothing"); err == nil {
		t.Error("an unknown symbol goes unnoticed")
	}
}

func TestErrorsAreComparedByKind(t *testing.T) {
	hidden := fault.New(fault.NotFound, "Unknown model").Because(backend.ErrHidden)
	for _, test := range []struct {
		status int
		err    error
		want   Verdict
	}{
		{403, fault.New(fault.Forbidden, "no"), Same},
		{403, hidden, Same},
		{403, fault.New(fault.NotFound, "gone"), Wrong},
		{404, fault.New(fault.NotFound, "gone"), Same},
		{422, fault.New(fault.Unprocessable, "no"), Same},
		{500, fault.New(fault.BadRequest, "no"), Same},
		{500, errors.New("a mistake of ours"), Wrong},
		{422, fault.New(fault.Forbidden, "no"), Wrong},
		{200, fault.New(fault.Unprocessable, "no"), Wrong},
		{200, fault.New(fault.NotFound, "The model m has no public method f"), NotHere},
	} {
		st := &step{Status: test.status}
		st.Error = &answer{}
		if got := compareError(st, test.err); got.Verdict != test.want {
			t.Errorf("%d and %v: %s, want %s", test.status, test.err, got.Verdict, test.want)
		}
	}
}

// Only what Odoo has and the embedded database lacks counts as not here.
func TestLacking(t *testing.T) {
	reg := &schema.Registry{Models: map[string]*schema.Model{}}
	for _, m := range schema.Prepare([]*schema.Model{
		{Name: "order", Fields: []*schema.Field{schema.NewChar("name", "N"), schema.NewOne2many("lines", "L", "line", "order_id")}},
		{Name: "line", Fields: []*schema.Field{schema.NewMany2one("order_id", "O", "order")}},
	}) {
		reg.Models[m.Name] = m
	}
	theirs := &names{fields: map[string]map[string]string{
		"order": {"name": "", "terms": "", "lines": "line"}, "line": {"order_id": "order", "tax": ""}, "move": {"name": ""},
	}}
	for _, test := range []struct{ model, method, kwargs, want string }{
		{"order", "create", `{"vals_list": {"name": "a"}}`, ""},
		{"order", "create", `{"vals_list": [{"terms": 1}]}`, "no field order.terms"},
		{"order", "create", `{"vals_list": {"nosuch": 1}}`, ""},
		{"order", "write", `{"vals": {"lines": [[0, 0, {"tax": 1}]]}}`, "no field line.tax"},
		{"order", "read", `{"fields": ["terms"]}`, "no field order.terms"},
		{"order", "read", `{}`, "all fields of order are read"},
		{"line", "search", `{"domain": [["order_id.terms", "=", 1]]}`, "no field order.terms"},
		{"order", "search", `{"domain": [], "order": "name, terms desc"}`, "no field order.terms"},
		{"move", "read", `{"fields": ["name"]}`, "no model move"},
		{"nosuch", "read", `{"fields": ["name"]}`, ""},
	} {
		kwargs, _ := decoded(t, test.kwargs).(map[string]any)
		if got := theirs.lacking(reg, &step{Model: test.model, Method: test.method, Kwargs: kwargs}); got != test.want {
			t.Errorf("%s.%s %s: %q, want %q", test.model, test.method, test.kwargs, got, test.want)
		}
	}
}
