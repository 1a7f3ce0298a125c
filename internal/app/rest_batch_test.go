package app

import (
	"fmt"
	"strings"
	"testing"

	"gatehouse/internal/identity"
)

func TestUpsert(t *testing.T) {
	onBothStores(t, func(h *house) {
		path := "/api/v1/product.template?key=default_code"
		did := func(s said) string {
			h.Helper()
			var actions []string
			for _, one := range s.want(200).list() {
				actions = append(actions, one.(map[string]any)["action"].(string))
			}
			return strings.Join(actions, ",")
		}
		if got := did(h.send("PUT", path, `{"default_code":"U-1","name":"One"}`)); got != "created" {
			h.Error(got)
		}
		if got := did(h.send("PUT", path, `[{"default_code":"U-1","name":"Uno"},{"default_code":"U-2","name":"Two"},{"default_code":"U-2","list_price":5}]`)); got != "updated,created,updated" {
			h.Error(got)
		}
		if n := h.number("product.template", "[['default_code','like','U-%25']]"); n != 2 {
			h.Errorf("%d products", n)
		}
		h.send("PUT", path, `[{"default_code":"U-3","name":"Three"},{"name":"No key"}]`).want(400)
		h.send("PUT", path, `{"default_code":"U-4"}`).want(400) // no name to create one with
		h.send("PUT", "/api/v1/product.template", `{"name":"X"}`).want(400)
		h.send("PUT", "/api/v1/product.template?key=nonsense", `{"nonsense":"X"}`).want(400)
		h.send("PUT", "/api/v1/product.template?key=qty_available", `{"qty_available":1}`).want(400)
		for range 2 {
			h.send("POST", "/api/v1/product.template", `{"name":"Twin","default_code":"U-T"}`).want(201)
		}
		h.send("PUT", path, `{"default_code":"U-T","name":"Which"}`).want(409)
		// Archived ones are found too.
		h.send("PUT", path, `{"default_code":"U-2","active":false}`).want(200)
		if got := did(h.send("PUT", path, `{"default_code":"U-2","name":"Back","active":true}`)); got != "updated" {
			h.Error(got)
		}
		if n := h.number("product.template", "[['default_code','in',['U-3','U-4']]]"); n != 0 {
			h.Errorf("%d products of failed requests", n)
		}
		if got := did(h.send("PUT", path+"&dry_run=true", `{"default_code":"U-9","name":"Dry"}`)); got != "created" {
			h.Error(got)
		}
		if n := h.number("product.template", "[['default_code','=','U-9']]"); n != 0 {
			h.Errorf("%d products of a dry run", n)
		}
	})
}

func TestUpsertByExternalID(t *testing.T) {
	onBothStores(t, func(h *house) {
		for i, key := range []string{"external_id", "id", "id"} {
			made := h.send("PUT", "/api/v1/res.partner?key="+key, `{"`+key+`":"shop.c7","name":"Seven"}`).want(200).list()[0].(map[string]any)
			if want := []string{"created", "updated", "updated"}[i]; made["action"] != want {
				h.Errorf("%s: %v", key, made)
			}
		}
		h.send("PUT", "/api/v1/res.country?key=id", `{"id":"shop.c7","name":"Land"}`).want(409)
		for _, bad := range []string{`"a b"`, `"a.b.c"`, `7`, `""`, `null`} {
			h.send("PUT", "/api/v1/res.partner?key=id", `{"id":`+bad+`,"name":"Bad"}`).want(400)
		}
		if n := h.number("ir.model.data", "[['module','=','shop']]"); n != 1 {
			h.Errorf("%d external ids", n)
		}
		// A credential that gives no rights names records, but not where rights have their names.
		key, _, err := h.app.CreateKey(h.Context(), identity.KeySpec{UserID: 2, Name: "shop", Scopes: "res.partner:write"})
		if err != nil {
			h.Fatal(err)
		}
		h.send("PUT", "/api/v1/res.partner?key=id", `{"id":"shop.c8","name":"Eight"}`, "X-API-Key", key).want(200)
		h.send("PUT", "/api/v1/res.partner?key=id", `{"id":"base.c8","name":"Eight"}`, "X-API-Key", key).want(403)
		all := together(6, func(i int) said {
			return h.sendTo(i, "PUT", "/api/v1/res.partner?key=ref", fmt.Sprintf(`{"ref":"R-1","name":"Racer %d"}`, i))
		})
		if got := statuses(all); got[200] != 6 {
			h.Errorf("statuses %v: %s", got, all[0].text)
		}
		if n := h.number("res.partner", "[['ref','=','R-1']]"); n != 1 {
			h.Errorf("%d partners of concurrent upserts", n)
		}
	})
}

func TestBatch(t *testing.T) {
	onBothStores(t, func(h *house) {
		done := h.send("POST", "/api/v1/batch", `{"operations":[
			{"method":"POST","path":"/api/v1/res.partner?fields=name","body":{"name":"Parent"},"as":"p"},
			{"method":"POST","path":"/api/v1/res.partner","body":[{"name":"Child A","parent_id":{"$ref":"p.id"}},{"name":"Child B"}],"as":"c"},
			{"method":"PUT","path":"/api/v1/res.partner/{c.1.id}","body":{"parent_id":{"id":{"$ref":"p.id"}},"comment":{"$ref":"p.name"}}},
			{"method":"GET","path":"/api/v1/res.partner?fields=name&domain=[['parent_id','=',{p.id}]]"},
			{"method":"POST","path":"/api/v1/res.partner/{p.id}/action_archive"},
			{"method":"POST","path":"/api/v1/customers","body":{"name":"Curated"}},
			{"method":"DELETE","path":"/api/v1/res.partner/{c.0.id}"}]}`).want(200).list()
		var codes []string
		for _, one := range done {
			codes = append(codes, fmt.Sprint(one.(map[string]any)["status"]))
		}
		if got := strings.Join(codes, " "); got != "201 201 200 200 200 201 200" {
			h.Error(got)
		}
		read := done[3].(map[string]any)["body"].(map[string]any)["data"].([]any)
		if len(read) != 2 {
			h.Errorf("the batch reads %v of its own records", read)
		}
		parents := h.number("res.partner", "[['name','=','Parent']]")
		for body, status := range map[string]int{
			`{"operations":[{"method":"POST","path":"/api/v1/res.partner","body":{"name":"Parent"}},
				{"method":"POST","path":"/api/v1/customers","body":{"name":"B","email":"nonsense"}}]}`: 422,
			`{"operations":[{"method":"POST","path":"/api/v1/res.partner","body":{"name":"Parent"}},
				{"method":"GET","path":"/api/v1/res.partner/999999"}]}`: 404,
			`{"operations":[{"method":"POST","path":"/api/v1/res.partner","body":{"name":"Parent"}},
				{"method":"GET","path":"/api/v1/res.partner/{p.id}"}]}`: 400,
			`{"operations":[{"method":"POST","path":"/api/v1/batch","body":{"operations":[]}}]}`: 400,
			`{"operations":[{"method":"POST","path":"/api/v1/auth/login","body":{}}]}`:           400,
			`{"operations":[{"method":"POST","path":"/api/v1/nonsense.model","body":{}}]}`:       404,
			`{"operations":[{"method":"GET","path":"https://example.com/api/v1/res.partner"}]}`:  400,
			`{"operations":[{"method":"GET","path":"/api/v1/res.partner?nonsense=1"}]}`:          400,
			`{"operations":[{"method":"LOCK","path":"/api/v1/res.partner"}]}`:                    400,
			`{"operations":[]}`: 400, `{}`: 400, `[]`: 400, `{"operations":[7]}`: 400, `{"operations":[{}],"x":1}`: 400,
			`{"operations":[` + strings.Repeat(`{"method":"GET","path":"/api/v1/res.partner"},`, 100) + `{"method":"GET","path":"/api/v1/res.partner"}]}`: 400,
		} {
			refused := h.send("POST", "/api/v1/batch", body).want(status)
			if status == 422 && !strings.Contains(refused.text, `"operation":1`) {
				h.Errorf("the operation is not named: %s", refused.text)
			}
		}
		if now := h.number("res.partner", "[['name','=','Parent']]"); now != parents {
			h.Errorf("failed batches left %d records", now-parents)
		}
		// Conditions, dry runs and keys hold for batches too.
		path := h.partner("Stale")
		tag := h.send("GET", path, "").header.Get("ETag")
		one := fmt.Sprintf(`{"operations":[{"method":"PUT","path":%q,"if_match":%q,"body":{"phone":"1"}}]}`, path, tag)
		h.send("POST", "/api/v1/batch?dry_run=true", one).want(200)
		h.send("POST", "/api/v1/batch", one, "Idempotency-Key", "b-1").want(200)
		h.send("POST", "/api/v1/batch", one, "Idempotency-Key", "b-1").want(200)
		h.send("POST", "/api/v1/batch", one).want(412)
	})
}

// A batch sees the models that it made itself.
func TestBatchMakesAModel(t *testing.T) {
	onBothStores(t, func(h *house) {
		body := `{"operations":[
			{"method":"POST","path":"/api/v1/ir.model","body":{"name":"Thing","model":"x_thing"},"as":"m"},
			{"method":"POST","path":"/api/v1/ir.model.fields","body":{"name":"x_size","field_description":"Size","ttype":"integer","model_id":{"$ref":"m.id"}}},
			{"method":"POST","path":"/api/v1/ir.model.access","body":{"name":"x_thing","model_id":{"$ref":"m.id"},"perm_read":true,"perm_write":true,"perm_create":true}},
			{"method":"POST","path":"/api/v1/x_thing","body":{"x_name":"First","x_size":3}}]}`
		h.send("POST", "/api/v1/batch?dry_run=true", body).want(200)
		h.send("GET", "/api/v1/x_thing", "").want(404)
		h.send("POST", "/api/v1/batch", body).want(200)
		for node := range 2 {
			if node < len(h.nodes) {
				h.send("GET", "/api/v1/x_thing", "").want(200)
			}
		}
	})
}

// Every operation needs what it would need alone, and counts.
func TestBatchScopesAndLimits(t *testing.T) {
	onBothStores(t, func(h *house) {
		key, _, err := h.app.CreateKey(h.Context(), identity.KeySpec{
			UserID: 2, Name: "partners", Scopes: "res.partner:read,res.partner:write", Limits: identity.Limits{Minute: 10},
		})
		if err != nil {
			h.Fatal(err)
		}
		h.bearer = ""
		batch := func(operations ...string) said {
			return h.send("POST", "/api/v1/batch", `{"operations":[`+strings.Join(operations, ",")+`]}`, "X-API-Key", key)
		}
		create := `{"method":"POST","path":"/api/v1/res.partner","body":{"name":"Scoped"}}`
		got := batch(create, create, create).want(200)
		if n := strings.Join(got.header["RateLimit-Remaining"], " "); n != "7" { //nolint:staticcheck // it is spelt so on the wire
			h.Errorf("%s requests left", n)
		}
		batch(create, `{"method":"GET","path":"/api/v1/sale.order"}`).want(403)
		batch(`{"method":"DELETE","path":"/api/v1/res.partner/1"}`).want(403)
		batch(create, create, create, create, create).want(429)
		h.send("POST", "/api/v1/batch", `{"operations":[]}`).want(401)
	})
}
