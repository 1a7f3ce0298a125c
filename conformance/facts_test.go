package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/domain"
	"gatehouse/internal/facts"
	"gatehouse/internal/sqldb"
)

// codeModel is what models.json says of a model's code.
type codeModel struct {
	Table      string   `json:"table"`
	RecName    *string  `json:"rec_name"`
	RecNames   []string `json:"rec_names_search"`
	ParentName string   `json:"parent_name"`
	NoTable    bool     `json:"no_table"`

	OwnName    bool     `json:"own_display_name"`
	OwnNames   bool     `json:"own_display_name_search"`
	OwnSearch  bool     `json:"own_search"`
	OwnAccess  bool     `json:"own_access_check"`
	OwnMethods []string `json:"own_methods"`

	Fields map[string]codeField `json:"fields"`
}

type codeField struct {
	Groups     string         `json:"groups"`
	Domain     any            `json:"domain"`
	Context    map[string]any `json:"context"`
	Bypass     bool           `json:"bypass_search_access"`
	Search     bool           `json:"search"`
	Digits     any            `json:"digits"`
	Aggregator any            `json:"aggregator"`
	Depends    []string       `json:"depends_context"`
	Inherited  string         `json:"inherited"` // the link and field it is had through
	has        map[string]bool
}

// UnmarshalJSON remembers which attributes there are: null is one of them.
func (f *codeField) UnmarshalJSON(data []byte) error {
	type plain codeField
	all := map[string]any{}
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	f.has = map[string]bool{}
	for name := range all {
		f.has[name] = true
	}
	return json.Unmarshal(data, (*plain)(f))
}

// registered is a field as the database describes it.
type registered struct{ model, field, kind, relation, column string }

// code is what the code of the recorded Odoo is known to be.
type code struct {
	models    map[string]*codeModel
	fields    map[string]map[string]registered // by model and name
	ancestors map[string][]string              // abstract models, the farthest first
	table     *facts.Table
}

func readCode(t *testing.T, c *corpus) *code {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(c.dir, "models.json"))
	if err != nil {
		t.Fatal(err)
	}
	k := &code{fields: map[string]map[string]registered{}, ancestors: map[string][]string{}}
	if err := json.Unmarshal(data, &k.models); err != nil {
		t.Fatal(err)
	}
	if k.table, err = facts.Odoo19(); err != nil {
		t.Fatal(err)
	}
	c.rows(t, `select f.model, f.name, f.ttype, coalesce(f.relation, ''), coalesce(c.data_type, '') from ir_model_fields f
		left join information_schema.columns c on c.table_schema = 'public' and c.column_name = f.name and f.store
		and c.table_name = replace(f.model, '.', '_') where f.state <> 'manual'`, func(r sqldb.Row) {
		f := registered{r.Text(0), r.Text(1), r.Text(2), r.Text(3), r.Text(4)}
		if k.fields[f.model] == nil {
			k.fields[f.model] = map[string]registered{}
		}
		k.fields[f.model][f.field] = f
	})
	parents := map[string][]string{}
	c.rows(t, `select m.model, p.model from ir_model_inherit i join ir_model m on m.id = i.model_id
		join ir_model p on p.id = i.parent_id where i.parent_field_id is null order by i.id`, func(r sqldb.Row) {
		parents[r.Text(0)] = append(parents[r.Text(0)], r.Text(1))
	})
	var climb func(name string) []string
	climb = func(name string) (all []string) {
		for _, p := range parents[name] {
			if p != name {
				all = append(append(all, climb(p)...), p)
			}
		}
		return all
	}
	for name := range k.fields {
		k.ancestors[name] = climb(name)
	}
	return k
}

func (c *corpus) rows(t *testing.T, sql string, fn func(sqldb.Row)) {
	t.Helper()
	err := c.db.Read(t.Context(), func(q sqldb.Querier) error {
		return q.Query(t.Context(), sql, nil, func(r sqldb.Row) error { fn(r); return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
}

// field gathers the facts about a field, those of abstract models and of
// models that it is had from included.
func (k *code) field(model, name string) facts.Field {
	var f facts.Field
	if m := k.models[model]; m != nil && m.Fields[name].Inherited != "" {
		link, there, _ := strings.Cut(m.Fields[name].Inherited, ".")
		f = k.field(k.fields[model][link].relation, there)
		f.Bypass, f.Search, f.Value = false, false, "" // their own, or had along the link
		if f.Digits < 0 {
			f.HasDigits, f.Digits = false, 0 // of a column
		}
	}
	for _, from := range append(slices.Clone(k.ancestors[model]), model) {
		m := k.table.Model(from)
		if m == nil || m.Fields[name] == nil {
			continue
		}
		one := reflect.ValueOf(m.Fields[name]).Elem()
		for i := range one.NumField() {
			if !one.Field(i).IsZero() {
				reflect.ValueOf(&f).Elem().Field(i).Set(one.Field(i))
			}
		}
	}
	return f
}

// TestFactsAreTheCode compares the table with what the recorded Odoo's code
// says of itself, both ways: nothing is missing, nothing invented.
func TestFactsAreTheCode(t *testing.T) {
	c := loadedCorpus(t)
	k := readCode(t, c)
	engine, err := openGenuine(t.Context(), c.db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Close)
	reg, err := engine.Registry(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range k.models {
		if _, manual := strings.CutPrefix(name, "x_"); manual {
			continue
		}
		known := k.table.Model(name)
		if known == nil {
			known = &facts.Model{}
		}
		for _, wrong := range k.compareModel(name, m, known) {
			t.Errorf("%s: %s", name, wrong)
		}
		for field := range k.fields[name] {
			for _, wrong := range k.compareField(name, k.fields[name][field], m.Fields[field]) {
				t.Errorf("%s.%s: %s", name, field, wrong)
			}
			if f := reg.Model(name).Field(field); m.Fields[field].Groups != "" && strings.Join(f.Groups, ",") != m.Fields[field].Groups {
				t.Errorf("%s.%s is for %v, not for %s", name, field, f.Groups, m.Fields[field].Groups)
			}
		}
	}
	for _, name := range k.table.Names() {
		if k.fields[name] == nil {
			t.Errorf("%s: the recorded Odoo has no such model", name)
		}
		for field := range k.table.Model(name).Fields {
			if _, exists := k.fields[name][field]; !exists {
				t.Errorf("%s.%s: the recorded Odoo has no such field", name, field)
			}
		}
	}
}

// compareModel says what the facts about a model have wrong.
func (k *code) compareModel(name string, m *codeModel, known *facts.Model) (wrong []string) {
	check := func(what string, got, want any) {
		if !reflect.DeepEqual(got, want) {
			wrong = append(wrong, fmt.Sprintf("%s %v, the code says %v", what, got, want))
		}
	}
	table, title := cmp.Or(known.Table, strings.ReplaceAll(name, ".", "_")), known.Title
	if !m.NoTable {
		check("table", table, m.Table)
	}
	if _, named := k.fields[name]["name"]; title == "" && named {
		title = "name"
	}
	want := ""
	if m.RecName != nil {
		want = *m.RecName
	}
	check("title", strings.TrimPrefix(title, "-"), want)
	check("names", append([]string{}, known.Names...), append([]string{}, m.RecNames...))
	if m.ParentName != "" || known.Parent != "" {
		check("parent", cmp.Or(known.Parent, "parent_id"), cmp.Or(m.ParentName, "parent_id"))
	}
	s := known.Searching
	rules := reflect.DeepEqual(s, facts.Searching{})
	for _, is := range []struct {
		what        string
		code, facts bool
	}{
		{"own names", m.OwnName, known.Display != "" || known.Python.Name || len(known.Contexts) > 0},
		{"own searches by name", m.OwnNames, m.OwnNames && !rules || len(s.Named) > 0 || known.Python.Names},
		{"own rights", m.OwnAccess, known.Python.Access || known.ByDocument},
	} {
		check(is.what, is.facts, is.code)
	}
	if m.OwnSearch && rules && !known.Python.Search && !known.ByDocument {
		check("own searches", false, true)
	}
	if slices.Contains(m.OwnMethods, "name_search") && rules && !known.Python.Names {
		check("own name_search", false, true)
	}
	if m.OwnName && !known.Python.Name {
		wrong = append(wrong, missingContexts(known.Contexts, m.Fields["display_name"].Depends)...)
	}
	return wrong
}

// missingContexts are keys that change a value and that the facts don't name;
// language, user and companies are the engine's own business.
func missingContexts(known, code []string) (wrong []string) {
	for _, key := range code {
		if !slices.Contains([]string{"lang", "company", "uid", "allowed_company_ids"}, key) && !slices.Contains(known, key) {
			wrong = append(wrong, "the context key "+key+" is missing")
		}
	}
	return wrong
}

// compareField says what the facts about a field have wrong.
func (k *code) compareField(model string, r registered, f codeField) (wrong []string) {
	known := k.field(model, r.field)
	check := func(what string, got, want any) {
		if !reflect.DeepEqual(got, want) {
			wrong = append(wrong, fmt.Sprintf("%s %v, the code says %v", what, got, want))
		}
	}
	groups := []string(nil)
	if f.Groups != "" {
		groups = strings.Split(f.Groups, ",")
	}
	check("groups", known.Groups, groups)
	check("bypass", known.Bypass, f.Bypass)
	if r.column == "" { // only a search of what is not stored is on record
		check("search", known.Search, f.Search)
	}
	aggregate, _ := f.Aggregator.(string)
	if f.has["aggregator"] && f.Aggregator == nil && r.field != "sequence" { // no number called so is put together
		aggregate = "none"
	}
	check("aggregate", known.Aggregate, aggregate)
	x2many := r.kind == "one2many" || r.kind == "many2many"
	if x2many {
		active := facts.ByContext
		if shown, says := f.Context["active_test"].(bool); says {
			active = map[bool]facts.Active{false: facts.AllRecords, true: facts.OnlyActive}[shown]
		}
		check("active", known.Active, active)
		k.compareDomain(model, known, f, check)
	}
	wrong = append(wrong, compareDigits(known, r, f)...)
	if known.Value != "" {
		wrong = append(wrong, missingContexts(known.Contexts, f.Depends)...)
	}
	return wrong
}

func compareDigits(known facts.Field, r registered, f codeField) (wrong []string) {
	want := facts.Field{}
	switch digits := f.Digits.(type) {
	case string:
		want.HasDigits, want.Precision = true, digits
	case []any:
		places, _ := digits[1].(float64)
		want.HasDigits, want.Digits = true, int(places)
	case nil:
		if r.kind == "float" && r.column == "numeric" {
			want.HasDigits, want.Digits = true, -1
		}
	}
	if known.HasDigits != want.HasDigits || known.Digits != want.Digits || known.Precision != want.Precision {
		wrong = append(wrong, fmt.Sprintf("digits %d %q, the code says %v", known.Digits, known.Precision, f.Digits))
	}
	return wrong
}

// compareDomain compares the domain of a list. A text is for forms only; what
// code computes may be known from the answer to fields_get.
func (k *code) compareDomain(model string, known facts.Field, f codeField, check func(string, any, any)) {
	if computed, is := f.Domain.(map[string]any); is {
		if computed["computed"] == true {
			check("domain by code", known.PythonDomain || known.Domain != "", true)
		}
		return
	}
	got, want := "", ""
	if known.Domain != "" {
		node, err := domain.Parse(known.Domain, domain.Limits{})
		check("error of the domain", err, nil)
		got = domain.String(node)
	}
	if list, is := f.Domain.([]any); is {
		node, err := domain.FromValue(list, domain.Limits{})
		check("error of the code's domain", err, nil)
		want = domain.String(node)
	}
	check("domain of "+model, got, want)
}
