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
.named note loosely
.named mail rather
.below yes
.apart yes
.odd \[.*\]
.step alone code =
.step then code =ilike
.step then
.step alone code = \[(.*?)\]
.step always login =
.step then code * ^(..)$
.step caller
.searching contexts move_type partner_id
.searching orders full_name
.searching patterns name
.searching fields lot_properties
.searching sorting mode
.searching beside id
.access document
.own name email
code search company_id.code archived
code chain a.name name
code value {name}
code value || {code}
code contexts uom
code pathless yes
root column {root code_store}
rate digits exact
[account.move]
.access read
`)
	if err != nil {
		t.Fatal(err)
	}
	m := table.Model("account.account")
	s := m.Searching
	if m.Display != "case when {english} then {name} end" || !m.ByDocument || m.PostByRead || !reflect.DeepEqual(m.Own, []string{"name", "email"}) {
		t.Errorf("%+v", m)
	}
	named := []Named{{"code", ByWord}, {"name", ""}, {"login", Exact}, {"note", Loosely}, {"mail", Rather}}
	if !reflect.DeepEqual(s.Named, named) || !s.Below || !s.Apart || !s.CallerFirst {
		t.Errorf("%+v", s)
	}
	if len(s.Odd) != 1 || !s.Odd[0].MatchString("[A] b") || s.Odd[0].MatchString("A b") {
		t.Error(s.Odd)
	}
	if len(s.Steps) != 6 || !s.Steps[0].Alone || s.Steps[0].Always || s.Steps[1] != (Step{Field: "code", Op: "=ilike"}) || s.Steps[2] != (Step{}) {
		t.Errorf("%+v", s.Steps)
	}
	if part := s.Steps[3].Part.FindStringSubmatch("[A] b"); part[1] != "A" {
		t.Error(part)
	}
	if s.Steps[4] != (Step{Alone: true, Always: true, Field: "login", Op: "="}) {
		t.Errorf("%+v", s.Steps[4])
	}
	if own := s.Steps[5]; own.Alone || own.Field != "code" || own.Op != "" || !own.Part.MatchString("FR") || own.Part.MatchString("FRA") {
		t.Errorf("%+v", own)
	}
	limits := [][]string{s.Contexts, s.Orders, s.Patterns, s.Fields, s.Sorting, s.Beside}
	if !reflect.DeepEqual(limits, [][]string{{"move_type", "partner_id"}, {"full_name"}, {"name"}, {"lot_properties"}, {"mode"}, {"id"}}) {
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
	if m := table.Model("account.move"); !m.PostByRead || m.ByDocument {
		t.Errorf("%+v", m)
	}
}

func TestParseSearchingErrors(t *testing.T) {
	for fact, want := range map[string]string{
		".display {name":             "brace",
		"f value name}":              "brace",
		".named name slowly":         "word, exact",
		".named name word x":         "word, exact",
		".below no":                  "below is yes",
		".apart no":                  "apart is yes",
		".odd (":                     "missing closing",
		".step perhaps name":         "alone, always or then",
		".step alone name":           "a step is",
		".step then name = (x) y":    "a step is",
		".step then name = x":        "no group",
		".step always name":          "a step is",
		".step alone name = x":       "no group",
		".step alone name = (":       "missing closing",
		".searching contexts":        "no value",
		".searching everywhere x":    "searching is one of",
		".access everybody":          "access is document or read",
		".python negative":           "display_name, name_search",
		"f chain name":               "two paths",
		"f digits":                   "exact",
		".named":                     "no value",
		".searching patterns":        "no value",
		"f digits 16":                "invalid syntax",
		".step caller first, always": "alone, always or then",
	} {
		if _, err := Parse("[a]\n" + fact); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", fact, err, want)
		}
	}
}
