package odoocall_test

import (
	"encoding/json"
	"strings"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoocall"
)

func TestFieldsGet(t *testing.T) {
	inOffices(t, func(o *office) {
		for _, tt := range []struct{ args, want string }{
			{`{"allfields": ["name", "nosuch", 5], "attributes": ["type", "store"]}`, `{"name":{"store":true,"type":"char"}}`},
			{`{"allfields": {"name": 1}, "attributes": {"type": 1}}`, `{"name":{"type":"char"}}`},
			{`{"allfields": ["name"], "attributes": []}`, `{"name":{}}`},
			{`{"allfields": ["name"], "attributes": ""}`, `{"name":{}}`},
			{`{"allfields": ["name"], "attributes": "store, typewriter"}`, `{"name":{"store":true,"type":"char"}}`},
			{`{"allfields": ["nosuch"]}`, `{}`},
		} {
			o.same("res.partner", "fields_get", tt.args, tt.want)
		}
		for _, args := range []string{`{"attributes": ["type"]}`, `{"allfields": [], "attributes": ["type"]}`, `{"allfields": false, "attributes": ["type"]}`} {
			all, err := o.call(2, "res.partner", "fields_get", args)
			if err != nil || !strings.Contains(all, `"child_ids":{"type":"one2many"}`) {
				o.Errorf("%s: %s %v", args, all, err)
			}
		}
		o.refused("res.partner", "fields_get", `{"ids": [1]}`, fault.Unprocessable)
		o.refused("res.partner", "fields_get", `{"attributes": true}`, fault.BadRequest)
		o.refused("x_nosuch", "fields_get", `{}`, fault.NotFound)
	})
}

func TestDefaultGet(t *testing.T) {
	inOffices(t, func(o *office) {
		o.same("res.partner", "default_get", `{"fields": ["is_company", "nosuch"]}`, `{"is_company":false}`)
		o.same("res.partner", "default_get", `{"fields": []}`, `{}`)
		o.refused("res.partner", "default_get", `{}`, fault.Unprocessable)
		o.refused("res.partner", "default_get", `{"fields": false}`, fault.BadRequest)
		o.refused("res.partner", "default_get", `{"fields": [5]}`, fault.BadRequest)
	})
}

func TestGetMetadata(t *testing.T) {
	inOffices(t, func(o *office) {
		o.sql(o.ids(`insert into ir_model_data (module, name, model, res_id, noupdate) values ('shop', 'ann', 'res.partner', $ann, true)`))
		o.sql(o.ids(`insert into ir_model_data (module, name, model, res_id, noupdate) values ('shop', 'again', 'res.partner', $ann, false)`))
		got, err := o.call(2, "res.partner", "get_metadata", `{"ids": [$bob, 987654, $ann]}`)
		if err != nil {
			o.Fatal(err)
		}
		var rows []map[string]any
		if err := json.Unmarshal([]byte(got), &rows); err != nil {
			o.Fatal(err)
		}
		for _, r := range rows {
			if who, ok := r["create_uid"].([]any); !ok || len(who) != 2 || r["create_date"] == false {
				o.Errorf("who made it: %v", r)
			}
			for _, key := range []string{"create_uid", "create_date", "write_uid", "write_date"} {
				delete(r, key)
			}
		}
		rest, err := json.Marshal(rows)
		if err != nil {
			o.Fatal(err)
		}
		want := o.ids(`[{"id":$bob,"noupdate":false,"xmlid":false,"xmlids":[]},{"id":$ann,"noupdate":true,"xmlid":"shop.ann",` +
			`"xmlids":[{"noupdate":true,"xmlid":"shop.ann"},{"noupdate":false,"xmlid":"shop.again"}]}]`)
		if string(rest) != want {
			o.Errorf("got %s\nwant %s", rest, want)
		}
		o.same("res.partner", "get_metadata", `{"ids": []}`, `[]`)
		o.same("res.partner", "get_metadata", `{"ids": [987654]}`, `[]`)
	})
}

// TestFieldsOfAllModels: of its own models the embedded database knows all.
func TestFieldsOfAllModels(t *testing.T) {
	onBoth(t, func(h *house) {
		models, err := h.eng.Models(t.Context(), &backend.Caller{UserID: 2, Admin: true})
		if err != nil || len(models) < 40 {
			t.Fatalf("%d models: %v", len(models), err)
		}
		for _, m := range models {
			model := m.Name
			got, err := odoocall.Call(t.Context(), h.eng, &backend.Caller{UserID: 2, Admin: true}, model, "fields_get", nil)
			if fields, _ := got.(map[string]backend.Description); err != nil || fields["id"] == nil {
				t.Errorf("%s: %v", model, err)
			}
		}
		h.want("res.users", "fields_get", `{"allfields":["child_ids"],"attributes":["domain"]}`, `{"child_ids":{"domain":"[('active', '=', True)]"}}`)
	})
}
