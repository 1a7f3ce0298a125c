package facts

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseSearching(t *testing.T) {
	table, err := Parse(`
[account.account]
.display case when {english}
.display then {name} end
.named code word
.named name
.named login exact
.below yes
.odd \[.*\]
.step alone code =
.step then code =ilike
.step then
.step alone code = \[(.*?)\]
.step caller
.searching contexts move_type partner_id
.searching orders full_name
.searching patterns name
.searching fields lot_properties
.access document
.python negative_name_search
code search company_id.code archived
code chain a.name name
code value {name}
code value || {code}
code contexts uom
code pathless yes
root column {root code_store}
rate digits exact
[sale.order]
.access read
`)
	if err != nil {
		t.Fatal(err)
	}
	m := table.Model("account.account")
	s := m.Searching
	if m.Display != "case when {english} then {name} end" || !m.ByDocument || m.PostByRead || !m.Python.NegativeNames {
		t.Errorf("%+v", m)
	}
	if !reflect.DeepEqual(s.Named, []Named{{"code", ByWord}, {"name", ""}, {"login", Exact}}) || !s.Below || !s.CallerFirst {
		t.Errorf("%+v", s)
	}
	if len(s.Odd) != 1 || !s.Odd[0].MatchString("[A] b") || s.Odd[0].MatchString("A b") {
		t.Error(s.Odd)
	}
	if len(s.Steps) != 4 || !s.Steps[0].Alone || s.Steps[1] != (Step{Field: "code", Op: "=ilike"}) || s.Steps[2] != (Step{}) {
		t.Errorf("%+v", s.Steps)
	}
	if part := s.Steps[3].Part.FindStringSubmatch("[A] b"); part[1] != "A" {
		t.Error(part)
	}
	limits := [][]string{s.Contexts, s.Orders, s.Patterns, s.Fields}
	if !reflect.DeepEqual(limits, [][]string{{"move_type", "partner_id"}, {"full_name"}, {"name"}, {"lot_properties"}}) {
		t.Error(limits)
	}
	want := map[string]*Field{
		"code": {
			Search: true, SearchPath: "company_id.code", SearchArchived: true, SearchChain: []string{"a.name", "name"},
			SearchPathless: true, Value: "{name} || {code}", Contexts: []string{"uom"},
		},
		"root": {Value: "{root code_store}", Column: true},
		"rate": {HasDigits: true, Digits: -1},
	}
	if !reflect.DeepEqual(m.Fields, want) {
		t.Errorf("%+v", m.Fields["code"])
	}
	if m := table.Model("sale.order"); !m.PostByRead || m.ByDocument {
		t.Errorf("%+v", m)
	}
}

func TestParseSearchingErrors(t *testing.T) {
	for fact, want := range map[string]string{
		".display {name":             "brace",
		"f value name}":              "brace",
		".named name loosely":        "word or exact",
		".named name word x":         "word or exact",
		".below no":                  "below is yes",
		".odd (":                     "missing closing",
		".step perhaps name":         "alone or then",
		".step alone name":           "a step is",
		".step then name = x":        "a step is",
		".step alone name = x":       "no group",
		".step alone name = (":       "missing closing",
		".searching contexts":        "no value",
		".searching everywhere x":    "searching is one of",
		".access everybody":          "access is document or read",
		".python negative":           "negative_name_search",
		"f chain name":               "two paths",
		"f digits":                   "exact",
		".named":                     "no value",
		".searching patterns":        "no value",
		"f digits 16":                "invalid syntax",
		".step caller first, always": "alone or then",
	} {
		if _, err := Parse("[a]\n" + fact); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", fact, err, want)
		}
	}
}
