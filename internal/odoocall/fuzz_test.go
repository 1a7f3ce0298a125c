package odoocall_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/business"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoocall"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// usualCalls are calls that succeed, one for each way to ask.
var usualCalls = []struct{ model, method, kwargs string }{
	{"res.partner", "search", `{"domain": [["name", "ilike", "a"]], "offset": 1, "limit": 2, "order": "name desc nulls last, id"}`},
	{"res.partner", "search_count", `{"domain": ["|", ["id", "any", [["active", "=", true]]], ["parent_id", "child_of", [1, "a"]]], "limit": 3}`},
	{"res.partner", "search_read", `{"domain": [["create_date", ">", "-1d"], ["create_date.month_number", "in", [1, 2]]], "fields": ["name", "user_ids"], "load": "", "limit": 3}`},
	{"res.users", "read", `{"ids": [2, 1, 2], "fields": ["name", "group_ids"], "load": null}`},
	{"res.partner", "name_search", `{"name": "a", "domain": [], "operator": "=ilike", "limit": 3}`},
	{"res.partner", "has_access", `{"ids": [1], "operation": "write"}`},
	{"res.partner", "create", `{"vals_list": [{"name": "A", "child_ids": [[0, 0, {"name": "B"}]], "category_id": [[6, 0, []]], "tz": "Europe/Rome"}]}`},
	{"res.partner", "write", `{"ids": [1], "vals": {"comment": "<p>x</p>", "color": 3, "parent_id": false, "child_ids": [[5]]}}`},
	{"res.partner.category", "unlink", `{"ids": []}`},
	{"res.partner", "fields_get", `{"allfields": ["name"], "attributes": ["string", "type"]}`},
	{"res.partner", "default_get", `{"fields": ["name", "lang", "company_id"]}`},
	{"res.partner", "get_metadata", `{"ids": [1, 2]}`},
	{"res.partner", "web_read", `{"ids": [1], "specification": {"name": {}, "company_id": {"fields": {"display_name": {}, "name": {}}, "context": {"lang": "en_US"}}, "child_ids": {"fields": {"name": {}}, "limit": 2, "order": "name"}}}`},
	{"res.partner", "web_search_read", `{"domain": [], "specification": {"name": {}}, "offset": 0, "limit": 3, "order": "id", "count_limit": 10}`},
	{"res.partner", "formatted_read_group", `{"domain": [], "groupby": ["country_id", "create_date:month", "category_id"], "aggregates": ["__count", "color:sum", "name:array_agg", "create_date:max"], "having": ["!", ["__count", ">", 100]], "order": "color:sum desc, country_id", "limit": 3, "offset": 1}`},
	{"res.partner", "formatted_read_grouping_sets", `{"domain": [], "grouping_sets": [["country_id"], []], "aggregates": ["__count"], "order": "country_id"}`},
	{"res.partner", "web_read_group", `{"domain": [], "groupby": ["country_id"], "aggregates": ["__count"], "limit": 2, "offset": 0, "order": "country_id", "auto_unfold": true, "opening_info": null, "unfold_read_specification": {"name": {}}, "unfold_read_default_limit": 3, "groupby_read_specification": {"country_id": {"name": {}}}}`},
	{"res.partner", "read_group", `{"domain": [["color", ">", -1]], "fields": ["color:sum", "n:count(id)"], "groupby": ["create_date:week"], "offset": 0, "limit": 2, "orderby": "create_date", "lazy": false}`},
	{"res.partner", "copy", `{"ids": [1], "default": {"name": "C"}}`},
	{"res.partner", "copy_data", `{"ids": [1], "default": {"name": "C"}}`},
	{"res.partner", "name_create", `{"name": "Ann <ann@example.com>"}`},
	{"res.country", "get_field_translations", `{"ids": [1], "field_name": "name", "langs": ["en_US"]}`},
	{"res.country", "update_field_translations", `{"ids": [1], "field_name": "name", "translations": {"en_US": "X"}}`},
	{"res.partner", "action_archive", `{"ids": []}`},
	{"ir.config_parameter", "get_param", `{"key": "a", "default": "b"}`},
	{"ir.config_parameter", "set_param", `{"key": "a", "value": "b"}`},
	{"ir.default", "set", `{"model_name": "res.partner", "field_name": "city", "value": "b", "user_id": false, "company_id": true, "condition": false}`},
}

// odd is what arguments and parts of them are replaced by.
var odd = []string{
	`null`, `true`, `false`, `0`, `-1`, `1.5`, `1e400`, `99999999999999999999`, `""`, `"\u0000"`, `"\u0001$1\u0002'\""`, `"name"`, `"x.y.z"`, `"id:sum"`,
	`"__count"`, `"nan"`, `"="`, `"any"`, `"child_of"`, `"'; drop table res_users; --"`, `"-5d"`, `"2024-13-01"`, `"0000-00-00"`, `[]`, `[[]]`, `[null]`,
	`[1, "a", null, true]`, `{}`, `{"a": 1}`, `{"id": {}}`, `{"name": {"fields": null}}`, `[["id", "=", 1]]`, `["&"]`, `["!"]`, `[["id"]]`, `[0, 0, 0]`,
	`[["name", "in", [[1]]]]`, `[["name", "in", {"a": 1}]]`, `[["parent_id", "any", 5]]`, `"password"`, `"display_name"`, `"all_group_ids"`, `"group_ids.id"`,
}

// ordinary is the first user that is made: nobody's administrator.
const ordinary = 5

// sorts are the administrator, he as one of Odoo's own callers, and somebody.
func sorts() []backend.Caller {
	return []backend.Caller{{UserID: 2}, {UserID: 2, LooseLinks: true}, {UserID: ordinary}}
}

// attempt makes a call as each of the callers and complains about whatever is
// no answer and no refusal.
func attempt(t *testing.T, eng *record.Engine, model, method string, kwargs []byte, callers ...backend.Caller) {
	t.Helper()
	for _, c := range callers {
		d := json.NewDecoder(bytes.NewReader(kwargs))
		d.UseNumber()
		args := map[string]any{}
		if d.Decode(&args) != nil {
			return
		}
		result, err := odoocall.Call(context.Background(), eng, &c, model, method, args)
		if err == nil {
			_, err = json.Marshal(result)
		}
		var f *fault.Error
		if err != nil && (!errors.As(err, &f) || f.Kind == fault.Internal || f.Kind == fault.Unavailable) {
			t.Errorf("%s.%s %.300s: %v, because of %v", model, method, kwargs, err, fault.From(err).Cause)
		}
	}
}

// oddly gives the texts of a JSON value in which one part is replaced.
func oddly(v any) []any {
	var out []any
	for _, text := range odd {
		out = append(out, json.RawMessage(text))
	}
	switch v := v.(type) {
	case []any:
		for i := range v {
			for _, part := range oddly(v[i]) {
				list := append([]any{}, v...)
				list[i] = part
				out = append(out, list)
			}
		}
	case map[string]any:
		for key := range v {
			for _, part := range oddly(v[key]) {
				object := map[string]any{}
				for k := range v {
					object[k] = v[k]
				}
				object[key] = part
				out = append(out, object)
			}
		}
	}
	return out
}

func fuzzed(tb testing.TB, db sqldb.DB) *record.Engine {
	tb.Helper()
	eng, err := record.Open(context.Background(), db, record.Options{
		Models: business.Models(), Logics: business.Logics(business.Options{HashPassword: func(s string) (string, error) { return "test$" + s, nil }}),
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(eng.Close)
	if err := eng.Sudo(context.Background(), business.Seed); err != nil {
		tb.Fatal(err)
	}
	made, err := eng.Create(context.Background(), &backend.Caller{UserID: 2}, "res.users", []backend.Values{{"name": "U", "login": "u"}})
	if err != nil || made.IDs[0] != ordinary {
		tb.Fatal(made, err)
	}
	return eng
}

// TestOddArguments: every argument of every method, and every part of it, once
// as something else.
func TestOddArguments(t *testing.T) {
	seeded.Each(t, func(t *testing.T, db sqldb.DB) {
		eng, callers := fuzzed(t, db), sorts()
		if db.Dialect().Name() != "sqlite" { // one is enough for the statements
			callers = callers[:1]
		}
		for _, c := range usualCalls {
			var args map[string]any
			if err := json.Unmarshal([]byte(c.kwargs), &args); err != nil {
				t.Fatalf("%s: %v", c.kwargs, err)
			}
			attempt(t, eng, c.model, c.method, []byte(c.kwargs), callers...)
			for _, v := range oddly(args) {
				kwargs, err := json.Marshal(v)
				if err != nil {
					t.Fatal(err)
				}
				attempt(t, eng, c.model, c.method, kwargs, callers...)
			}
		}
	})
}

func FuzzCall(f *testing.F) {
	for _, c := range usualCalls {
		f.Add(c.model, c.method, c.kwargs)
	}
	f.Add("res.partner", "search", `{"domain": [], "context": {"lang": "x'y", "tz": "Local", "allowed_company_ids": [1, "a"], "bin_size_a,b": 1}}`)
	eng := fuzzed(f, sqltest.Open(f, "sqlite"))
	f.Fuzz(func(t *testing.T, model, method, kwargs string) {
		if strings.Contains(method, "unlink") {
			return
		}
		attempt(t, eng, model, method, []byte(kwargs), sorts()...)
	})
}
