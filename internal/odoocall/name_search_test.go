package odoocall_test

import (
	"context"
	"errors"
	"regexp"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/business"
	"gatehouse/internal/facts"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// searched are models that name_search goes about in its own way.
func searched() []*schema.Model {
	fields := func() []*schema.Field {
		return []*schema.Field{schema.NewChar("name", "Name"), schema.NewChar("code", "Code"), schema.NewInteger("rank", "Rank")}
	}
	bracket := regexp.MustCompile(`\[(.*?)\]`)
	model := func(name string, s facts.Searching) *schema.Model {
		return &schema.Model{Name: name, Label: name, Order: "rank, id", Searching: s, Fields: fields()}
	}
	noted := model("t.noted", facts.Searching{})
	noted.ByDocument = true
	noted.Fields = append(noted.Fields, schema.NewMany2one("user_id", "For", "res.users"),
		schema.NewChar("res_model", "Model"), schema.NewInteger("res_id", "Document"))
	owned := model("t.owned", facts.Searching{})
	owned.Own = []string{"name", "key_ids"}
	owned.Fields = append(owned.Fields, schema.NewMany2many("key_ids", "Keys", "t.key", "t_owned_key_rel", "owned_id", "key_id"))
	return []*schema.Model{
		owned,
		{Name: "t.key", Label: "Key", Fields: []*schema.Field{schema.NewChar("name", "Name")}},
		model("t.code", facts.Searching{Steps: []facts.Step{{Field: "code", Op: "=ilike"}, {}}}),
		model("t.only", facts.Searching{Steps: []facts.Step{
			{Alone: true, Field: "code", Op: "="}, {Field: "code"}, {Field: "name"}, {Alone: true, Field: "code", Op: "=", Part: bracket},
		}}),
		model("t.always", facts.Searching{Steps: []facts.Step{{Alone: true, Always: true, Field: "code", Op: "="}, {}}}),
		model("t.short", facts.Searching{Steps: []facts.Step{{Field: "code", Part: regexp.MustCompile(`^(..)$`)}, {}}}),
		model("t.beside", facts.Searching{Beside: []string{"id"}}),
		noted,
		model("t.caller", facts.Searching{CallerFirst: true}),
	}
}

func onSearched(t *testing.T, fn func(h *house)) {
	t.Helper()
	seeded.Each(t, func(t *testing.T, db sqldb.DB) {
		plainHash := func(s string) (string, error) { return "test$" + s, nil }
		eng, err := record.Open(context.Background(), db, record.Options{
			Models: append(business.Models(), searched()...), Logics: business.Logics(business.Options{HashPassword: plainHash}),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(eng.Close)
		if err := eng.Sudo(context.Background(), business.Seed); err != nil {
			t.Fatal(err)
		}
		h := &house{t, eng}
		for _, model := range []string{"t.code", "t.only", "t.always", "t.short", "t.beside", "t.noted", "t.owned", "t.caller"} {
			h.fill(model)
		}
		fn(h)
	})
}

// fill lets everybody use a model, and makes its records.
func (h *house) fill(model string) {
	h.Helper()
	su := &backend.Caller{UserID: 1, Superuser: true}
	m, err := h.eng.Model(context.Background(), su, model)
	if err != nil {
		h.Fatal(err)
	}
	for of, values := range map[string][]backend.Values{
		"ir.model.access": {{"name": model, "model_id": m.ID, "perm_read": true}},
		model: {
			{"name": "Africa", "code": "AF", "rank": 1},
			{"name": "France", "code": "FR", "rank": 9},
			{"name": "South Africa", "code": "ZA", "rank": 2},
			{"name": "Frisia", "code": "XFR", "rank": 3},
			{"name": "Zone [ZA]", "rank": 10},
		},
	} {
		if _, err := h.eng.Create(context.Background(), su, of, values); err != nil {
			h.Fatal(err)
		}
	}
}

func TestNameSearchSteps(t *testing.T) {
	onSearched(t, func(h *house) {
		const africa, france, south, frisia, zone = `[1,"Africa"]`, `[2,"France"]`, `[3,"South Africa"]`, `[4,"Frisia"]`, `[5,"Zone [ZA]"]`
		list := func(pairs ...string) string {
			out := "["
			for i, p := range pairs {
				if i > 0 {
					out += ","
				}
				out += p
			}
			return out + "]"
		}
		for _, try := range []struct{ model, kwargs, want string }{
			{"t.code", `{"name": "fr"}`, list(france, africa, south, frisia)},
			{"t.code", `{"name": "fr", "limit": 2}`, list(france, africa)},
			{"t.code", `{"name": "fr", "limit": 1}`, list(france)},
			{"t.code", `{"name": "fr", "domain": [["rank", "<", 9]]}`, list(africa, south, frisia)},
			{"t.code", `{"name": "fr", "operator": "not ilike"}`, list(zone)},
			{"t.code", `{"name": ""}`, list(africa, south, frisia, france, zone)},
			{"t.only", `{"name": "FR"}`, list(france)},
			{"t.only", `{"name": "fr"}`, list(frisia, france, africa, south)}, // those by code first
			{"t.only", `{"name": "[ZA] whatever"}`, list(south)},
			{"t.only", `{"name": "[ZA]"}`, list(zone)}, // found by name: codes in brackets are the last resort
			{"t.only", `{"name": "[ZZ] whatever"}`, list()},
			{"t.only", `{"name": ["FR"], "operator": "in"}`, list(france)},
			// Without a limit the first search that runs is the last one.
			{"t.code", `{"name": "fr", "limit": 0}`, list(france)},
			{"t.code", `{"name": "fr", "limit": false}`, list(france)},
			{"t.code", `{"name": "fr", "limit": null}`, list(france, africa, south, frisia)},
			{"t.only", `{"name": "fr", "limit": 0}`, list(frisia, france)},
			{"t.only", `{"name": "[ZA] x", "limit": 0}`, list(south)},
			{"t.only", `{"name": "FR", "operator": "<"}`, list(africa, zone)}, // an exact code is for equality and patterns
			{"t.always", `{"name": "FR", "operator": "<"}`, list(france)},
			{"t.always", `{"name": "fr"}`, list(africa, south, frisia, france)},
			{"t.short", `{"name": "fr"}`, list(frisia, france, africa, south)}, // the caller's operator
			{"t.short", `{"name": "fr", "limit": 0}`, list(frisia, france)},
			{"t.short", `{"name": "fra", "limit": 0}`, list(france)},
			{"t.beside", `{"name": "fra", "domain": [["rank", "=", 9]]}`, list(france)},
		} {
			h.want(try.model, "name_search", try.kwargs, try.want)
		}
		for model, kwargs := range map[string]string{
			"t.code":   `{"name": ["FR"], "operator": "in"}`,
			"t.always": `{"name": ["FR"], "operator": "in"}`,
			"t.short":  `{"name": ["FR", "ZA"], "operator": "in"}`,
			"t.beside": `{"name": "fra", "domain": [["rank", "=", 9], ["id", ">", 0]]}`,
		} {
			_, err := h.call(model, "name_search", kwargs)
			if u, ok := errors.AsType[*backend.UnprovableError](err); !ok || u.Reason != backend.PythonNames {
				h.Errorf("%s %s: %v", model, kwargs, err)
			}
		}
	})
}

// TestCountsByDocument: Odoo counts up to a limit before it looks who may see
// what it counted.
func TestCountsByDocument(t *testing.T) {
	onSearched(t, func(h *house) {
		h.want("t.noted", "search_count", `{"domain": []}`, `0`)
		_, err := h.call("t.noted", "search_count", `{"domain": [], "limit": 3}`)
		if u, ok := errors.AsType[*backend.UnprovableError](err); !ok || u.Reason != backend.PythonAccess {
			h.Error(err)
		}
	})
}

// TestCallerFirst: whoever asks for users finds himself first, be it beyond
// the limit. Here the caller's id is France's.
func TestCallerFirst(t *testing.T) {
	onSearched(t, func(h *house) {
		for kwargs, want := range map[string]string{
			`{}`:                             `[[2,"France"],[1,"Africa"],[3,"South Africa"],[4,"Frisia"],[5,"Zone [ZA]"]]`,
			`{"limit": 2}`:                   `[[2,"France"],[1,"Africa"]]`,
			`{"limit": 1, "name": "fr"}`:     `[[2,"France"]]`,
			`{"name": "africa"}`:             `[[1,"Africa"],[3,"South Africa"]]`,
			`{"limit": 1, "name": "africa"}`: `[[1,"Africa"]]`,
			`{"limit": 1, "domain": [["rank","<",9]]}`: `[[1,"Africa"]]`,
		} {
			h.want("t.caller", "name_search", kwargs, want)
		}
	})
}

// TestOwnRecord: of his own record a user reads some fields whatever his
// rights, if he asks for no others. Here the caller's id is France's.
func TestOwnRecord(t *testing.T) {
	onSearched(t, func(h *house) {
		h.want("t.owned", "read", `{"ids": [2], "fields": ["name", "key_ids"]}`, `[{"id":2,"name":"France","key_ids":[]}]`)
		h.want("t.owned", "web_read", `{"ids": [2], "specification": {"name": {}}}`, `[{"id":2,"name":"France"}]`)
		h.refused("t.owned", "read", `{"ids": [2], "fields": ["code", "key_ids"]}`, fault.Forbidden)
		h.refused("t.owned", "read", `{"ids": [1], "fields": ["key_ids"]}`, fault.Forbidden)
		h.refused("t.owned", "read", `{"ids": [2, 1], "fields": ["key_ids"]}`, fault.Forbidden)
		_, err := h.call("t.owned", "web_read", `{"ids": [2], "specification": {"key_ids": {}}}`)
		if u, ok := errors.AsType[*backend.UnprovableError](err); !ok || u.Reason != backend.PythonAccess {
			h.Error(err)
		}
	})
}
