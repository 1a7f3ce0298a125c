package record_test

import (
	"context"
	"encoding/json"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
)

// starts is what fields start with, as JSON.
func (w *world) starts(c *backend.Caller, model string, fields ...string) string {
	w.Helper()
	values, err := w.eng.Defaults(context.Background(), c, model, fields)
	if err != nil {
		w.Fatalf("defaults of %s %v: %v", model, fields, err)
	}
	text, err := json.Marshal(values)
	if err != nil {
		w.Fatal(err)
	}
	return string(text)
}

func TestDefaults(t *testing.T) {
	onBoth(t, func(w *world) {
		if got := w.starts(as(0), "res.partner", "is_company", "nosuch", "email"); got != `{"is_company":false}` {
			w.Errorf("got %s", got)
		}
	})
}

func TestDefaultsOdoo(t *testing.T) {
	w := open(t, seededPostgres(t))
	w.manualModel()
	w.likeOdoo()
	plain := w.create(as(0), "res.users", backend.Values{"login": "plain", "name": "Plain", "group_ids": []any{[]any{int64(5)}}})[0]
	elsewhere := w.create(as(0), "res.company", backend.Values{"name": "Elsewhere"})[0]
	row := func(field, value string, user, company any) {
		w.run(`insert into ir_default (field_id, json_value, user_id, company_id) select id, $2, $3, $4
			from ir_model_fields where model = 'x_thing' and name = $1`, field, value, user, company)
	}
	row("x_int", "1", nil, nil)
	row("x_int", "4", nil, elsewhere)
	row("x_int", "2", nil, int64(1))
	row("x_int", "3", plain, nil)
	row("x_bool", "true", int64(1), nil)
	row("x_kind", `"b"`, nil, nil)
	row("x_partner_id", "7", nil, nil)
	row("x_tag_ids", "[1]", nil, nil)
	w = w.odoo(`
[res.partner]
.defaults {"color": 0, "ref": "new", "type": "contact"}
.code_defaults country_id
.recast company_id
user_id default user
tz default context tz
[res.users]
.recast *
[res.company]
parent_id default company
`)
	in := func(uid int64, defaults map[string]any) *backend.Caller {
		return &backend.Caller{UserID: uid, Context: backend.Context{Defaults: defaults}}
	}
	given := map[string]any{"x_char": "ctx", "x_int": json.Number("9"), "nosuch": "kept", "x_partner_id": "text", "x_date": "2024-05-06"}
	for _, tt := range []struct {
		c      *backend.Caller
		model  string
		fields []string
		want   string
	}{
		{as(plain), "x_thing", []string{"x_int", "x_bool", "x_kind", "x_partner_id", "x_char", "nosuch"}, `{"x_int":3,"x_kind":"b","x_partner_id":7}`},
		{as(2), "x_thing", []string{"x_int"}, `{"x_int":2}`},
		{
			in(plain, given), "x_thing",
			[]string{"x_int", "x_char", "nosuch", "x_partner_id", "x_date"},
			`{"nosuch":"kept","x_char":"ctx","x_date":"2024-05-06","x_int":9,"x_partner_id":false}`,
		},
		{
			as(plain), "res.partner",
			[]string{"color", "ref", "type", "user_id", "tz", "name"},
			`{"color":0,"ref":"new","type":"contact","tz":false,"user_id":` + itoa(plain) + `}`,
		},
		{as(plain), "res.company", []string{"parent_id"}, `{"parent_id":1}`},
	} {
		if got := w.starts(tt.c, tt.model, tt.fields...); got != tt.want {
			w.Errorf("%s %v: got %s, want %s", tt.model, tt.fields, got, tt.want)
		}
	}
	for _, tt := range []struct {
		model, field string
		reason       backend.Reason
	}{
		{"res.partner", "country_id", backend.CodeDefault},
		{"res.partner", "company_id", backend.CodeDefault},
		{"res.users", "login", backend.CodeDefault},
		{"x_thing", "x_tag_ids", backend.ValueShape},
	} {
		_, err := w.eng.Defaults(context.Background(), as(plain), tt.model, []string{tt.field})
		w.unprovable(tt.field, err, tt.reason)
	}
	_, err := w.eng.Defaults(context.Background(), in(plain, map[string]any{"type": "lead"}), "res.partner", []string{"type"})
	w.unprovable("an unknown choice", err, backend.ValueShape)
}

func TestOdooIsOnlyRead(t *testing.T) {
	w := open(t, seededPostgres(t))
	w.likeOdoo()
	w = w.odoo("")
	ctx := context.Background()
	_, err := w.eng.Create(ctx, as(2), "res.partner", []backend.Values{{"name": "Acme"}})
	w.unprovable("create", err, backend.Changes)
	w.unprovable("write", w.eng.Write(ctx, as(2), "res.partner", []int64{1}, backend.Values{"name": "Acme"}), backend.Changes)
	w.unprovable("unlink", w.eng.Unlink(ctx, as(2), "res.partner", []int64{1}), backend.Changes)
	_, err = w.eng.Call(ctx, as(2), "res.partner", "action_archive", []int64{1}, nil)
	w.unprovable("a method", err, backend.UnknownMethod)
	for _, name := range []string{"env", "ids", "email"} {
		_, err = w.eng.Call(ctx, as(2), "res.partner", name, nil, nil)
		w.want(err, fault.NotFound, "does not exist")
	}
}
