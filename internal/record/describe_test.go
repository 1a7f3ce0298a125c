package record_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/facts"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
)

// described is the description of one field, as JSON.
func (w *world) described(c *backend.Caller, model, field string, attributes ...string) string {
	w.Helper()
	all, err := w.eng.Describe(context.Background(), c, model, []string{field}, attributes)
	if err != nil {
		w.Fatalf("describe %s.%s: %v", model, field, err)
	}
	one, shown := all[field]
	if !shown {
		return "hidden"
	}
	text, err := json.Marshal(one)
	if err != nil {
		w.Fatal(err)
	}
	return string(text)
}

func TestDescribe(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		w.run("update res_lang set active = true where code = 'fr_FR'")
		french := &backend.Caller{UserID: 1, Superuser: true, Context: backend.Context{Lang: "fr_FR"}}
		w.write(french, "ir.model.fields", w.idOf("ir.model.fields", `[('model','=','x_thing'),('name','=','x_kind')]`),
			backend.Values{"field_description": "Genre"})
		w.write(french, "ir.model.fields.selection", w.idOf("ir.model.fields.selection", `[('field_id.name','=','x_kind'),('value','=','a')]`),
			backend.Values{"name": "Alpha (fr)"})
		w.create(as(0), "ir.model.fields", backend.Values{
			"model_id": w.idOf("ir.model", `[('model','=','x_thing')]`), "name": "x_mail", "ttype": "char",
			"field_description": "Mail", "related": "x_partner_id.email", "store": false, "readonly": true,
		})
		nobody := as(w.create(as(0), "res.users", backend.Values{"login": "nobody", "name": "Nobody", "group_ids": []any{[]any{int64(5)}}})[0])
		for _, tt := range []struct {
			field      string
			c          *backend.Caller
			attributes []string
			want       string
		}{
			{
				"x_kind", as(0),
				[]string{"type", "string", "selection", "relation", "nosuch"},
				`{"selection":[["a","Alpha"],["b","Beta"]],"string":"x_kind","type":"selection"}`,
			},
			{"x_kind", french, []string{"string", "selection"}, `{"selection":[["a","Alpha (fr)"],["b","Beta"]],"string":"Genre"}`},
			{"x_kind", as(0), []string{}, `{}`},
			{
				"x_child_ids", as(0),
				[]string{"relation", "relation_field", "domain", "context", "sortable", "groupable", "searchable"},
				`{"context":{},"domain":[],"groupable":false,"relation":"x_thing","relation_field":"x_parent_id","searchable":true,"sortable":false}`,
			},
			{"x_tag_ids", as(0), []string{"groupable", "sortable"}, `{"groupable":true,"sortable":false}`},
			{"x_tag_ids", nobody, []string{"groupable"}, `{"groupable":false}`},
			{
				"x_mail", as(0),
				[]string{"related", "depends", "store", "sortable", "searchable", "readonly", "translate"},
				`{"depends":["x_partner_id.email"],"readonly":true,"related":"x_partner_id.email","searchable":true,"sortable":true,"store":false,"translate":false}`,
			},
			{"x_int", as(0), []string{"aggregator", "manual", "help", "size"}, `{"aggregator":"sum","manual":true}`},
			{"id", as(0), []string{"aggregator", "depends", "store"}, `{"depends":[],"store":true}`},
			{"display_name", as(0), []string{"depends", "searchable", "sortable"}, `{"depends":["x_name"],"searchable":true,"sortable":false}`},
			{"x_parent_id", as(0), []string{"allow_hierachy_operators"}, `{"allow_hierachy_operators":false}`}, //nolint:misspell // as Odoo spells it
			{"x_partner_id", as(0), []string{"allow_hierachy_operators"}, `{"allow_hierachy_operators":true}`}, //nolint:misspell // as Odoo spells it
		} {
			if got := w.described(tt.c, "x_thing", tt.field, tt.attributes...); got != tt.want {
				w.Errorf("%s %v: got %s, want %s", tt.field, tt.attributes, got, tt.want)
			}
		}
		if got := w.described(as(0), "res.users", "password", "type"); got != "hidden" {
			w.Errorf("the password: %s", got)
		}
		_, err := w.eng.Describe(context.Background(), as(0), "x_nosuch", nil, nil)
		w.want(err, fault.NotFound, "Unknown model")
	})
}

// likeOdoo gives the database what the engine reads in a genuine Odoo's.
func (w *world) likeOdoo() {
	w.Helper()
	w.run("create table decimal_precision (name varchar, digits integer)")
	for _, column := range []string{"compute", "depends", "domain"} {
		w.run("alter table ir_model_fields add column if not exists " + column + " varchar")
	}
	for _, column := range []string{"sanitize", "sanitize_tags", "sanitize_attributes", "sanitize_style", "strip_style", "strip_classes"} {
		w.run("alter table ir_model_fields add column if not exists " + column + " boolean")
	}
	w.run(`insert into ir_model_data (module, name, model, res_id)
		select 'base', 'field_' || id, 'ir.model.fields', id from ir_model_fields where state <> 'manual'`)
}

// odoo opens the database of w as a genuine Odoo's, with these facts. Models
// that are declared are then Odoo's own, known by their facts.
func (w *world) odoo(text string) *world {
	w.Helper()
	known, err := facts.Parse("modules base\n" + text)
	if err != nil {
		w.Fatal(err)
	}
	eng, err := record.Open(context.Background(), w.db, record.Options{Odoo: known})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(eng.Close)
	return &world{w.T, eng, w.db}
}

func (w *world) unprovable(what string, err error, reason backend.Reason) {
	w.Helper()
	if u, ok := errors.AsType[*backend.UnprovableError](err); !ok || u.Reason != reason {
		w.Errorf("%s: %v, want not provable because of %s", what, err, reason)
	}
}

func TestDescribeOdoo(t *testing.T) {
	w := open(t, seededPostgres(t))
	w.manualModel()
	w.create(as(0), "ir.model.fields", backend.Values{
		"model_id": w.idOf("ir.model", `[('model','=','x_thing')]`), "name": "x_country", "ttype": "char",
		"field_description": "Country", "related": "x_partner_id.country_code", "store": false, "readonly": true,
	})
	w.likeOdoo()
	plain := as(w.create(as(0), "res.users", backend.Values{"login": "plain", "name": "Plain", "group_ids": []any{[]any{int64(5)}}})[0])
	w.run(`update ir_model_fields set sanitize = true, sanitize_style = true where model = 'res.partner' and name = 'comment'`)
	w.run(`update ir_model_fields set compute = 'code', depends = 'x_name, x_char' where model = 'x_thing' and name = 'x_int'`)
	known := `
[res.partner]
display_name depends complete_name name
lang languages
email groups base.group_system
phone groups base.group_system
phone shown
country_code groups base.group_system
`
	w = w.odoo(known)
	for _, tt := range []struct{ model, field, attribute, want string }{
		{"res.partner", "display_name", "depends", `{"depends":["complete_name","name"]}`},
		{"res.partner", "lang", "selection", `{"selection":[["en_US","English (US)"]]}`},
		{"res.partner", "email", "type", "hidden"},
		{"x_thing", "x_country", "type", "hidden"}, // as the related field is that it shows
		{"res.partner", "phone", "groups", `{"groups":"base.group_system"}`},
		{"res.partner", "comment", "sanitize_style", `{"sanitize_style":true}`},
		{"res.partner", "comment", "strip_style", `{"strip_style":false}`},
		{"x_thing", "x_int", "depends", `{"depends":["x_name","x_char"]}`},
		{"x_thing", "x_char", "trim", `{"trim":true}`},
	} {
		if got := w.described(plain, tt.model, tt.field, tt.attribute); got != tt.want {
			w.Errorf("%s.%s: got %s, want %s", tt.model, tt.field, got, tt.want)
		}
	}
	for field, attribute := range map[string]string{"name": "trim", "parent_id": "domain", "ref": "exportable", "color": "aggregator", "city": "depends", "tz": "selection"} {
		_, err := w.eng.Describe(context.Background(), plain, "res.partner", []string{field}, []string{"type", attribute})
		w.unprovable(field+" "+attribute, err, backend.PythonAttribute)
	}
	w.run(`delete from ir_model_data where model = 'ir.model.fields' and res_id = (select id from ir_model_fields where model = 'res.partner' and name = 'city')`)
	w = w.odoo(known)
	_, err := w.eng.Describe(context.Background(), plain, "res.partner", nil, []string{"type"})
	w.unprovable("a field of nobody", err, backend.UnknownField)
}
