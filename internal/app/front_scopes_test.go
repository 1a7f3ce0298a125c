package app

import (
	"fmt"
	"strings"
	"testing"
)

// TestFewScopesInFront: the Odoo knows nothing of scopes, so what a credential
// is not for is refused before: changes of other models in lists, deletions by
// a method, and rights, by the API and by Odoo's own protocols.
func TestFewScopesInFront(t *testing.T) {
	o := standIn(t)
	user := fmt.Sprint(o.send("POST", "/api/v1/res.users", `{"name":"Ann","login":"ann"}`).want(201).data()["id"])
	partner := fmt.Sprint(o.send("POST", "/api/v1/res.partner", `{"name":"P","child_ids":[[0,0,{"name":"C"}]]}`).want(201).data()["id"])
	child := strings.Trim(fmt.Sprint(o.send("GET", "/api/v1/res.partner/"+partner+"?fields=child_ids", "").want(200).data()["child_ids"]), "[]")
	product := fmt.Sprint(o.send("POST", "/api/v1/product.product", `{"name":"X"}`).want(201).data()["id"])
	gate := inFrontOf(t, o)
	gate.login("admin", "secret")
	key := func(scopes string) func(path, body string, status int) string {
		made := gate.send("POST", "/api/v1/gateway.key", fmt.Sprintf(`{"name":"k","user_id":2,"scopes":%q,"odoo_login":"admin","odoo_key":%q}`, scopes, o.key)).want(201)
		return func(path, body string, status int) string {
			t.Helper()
			method := "POST"
			if id := path[strings.LastIndex(path, "/")+1:]; strings.Trim(id, "0123456789") == "" {
				method = "PUT"
			}
			return gate.send(method, path, body, "X-API-Key", made.data()["key"].(string), "Content-Type", "application/json").want(status).text
		}
	}
	const newUser = `[[0,0,{"name":"Eve","login":"eve"}]]`
	const rest, native = "/api/v1/", "/json/2/"
	few := key("res.partner:write")
	for _, try := range [][2]string{
		{rest + "res.partner/" + partner, `{"user_ids":` + newUser + `}`},
		{rest + "res.partner/" + partner, `{"user_ids":[{"name":"Eve","login":"eve"}]}`},
		{rest + "res.partner/" + partner, `{"child_ids":[[2,` + child + `,0]]}`},
		{rest + "res.partner", `{"name":"Q","child_ids":[[0,0,{"name":"R","user_ids":` + newUser + `}]]}`},
		{rest + "res.partner/" + partner + "/unlink", `{}`},
		{rest + "res.partner/unlink", `{"ids":[` + partner + `]}`},
		{rest + "res.partner/write", `{"ids":[` + partner + `],"vals":{"user_ids":` + newUser + `}}`},
		{rest + "res.partner/" + partner + "/copy", `{"default":{"user_ids":` + newUser + `}}`},
		{native + "res.partner/unlink", `{"ids":[` + partner + `]}`},
		{native + "res.partner/write", `{"ids":[` + partner + `],"vals":{"user_ids":` + newUser + `}}`},
		{native + "res.partner/write", `{"ids":[` + partner + `],"vals":{"child_ids":[[2,` + child + `,0]]}}`},
		{native + "res.partner/create", `{"vals_list":[{"name":"Q","child_ids":[[0,0,{"name":"R","user_ids":` + newUser + `}]]}]}`},
		{native + "res.partner/web_save", `{"ids":[` + partner + `],"vals":{"user_ids":` + newUser + `},"specification":{}}`},
		{native + "res.partner/load", `{"fields":["name","user_ids/login"],"data":[["x","eve"]]}`},
	} {
		if text := few(try[0], try[1], 403); !strings.Contains(text, "cope") {
			t.Errorf("%s %s: %s", try[0], try[1], text)
		}
	}
	few(rest+"res.partner/"+partner, `{"child_ids":[[0,0,{"name":"D"}],[1,`+child+`,{"name":"E"}]]}`, 200)
	few(native+"res.partner/write", `{"ids":[`+partner+`],"vals":{"name":"P2"}}`, 200)

	all := key("read,write,delete")
	for _, try := range [][2]string{
		{rest + "res.partner/" + partner, `{"user_ids":` + newUser + `}`},
		{rest + "res.partner/" + partner, `{"user_ids":[[1,` + user + `,{"group_ids":[[4,1]]}]]}`},
		{native + "res.users/create", `{"vals_list":[{"name":"Eve","login":"eve"}]}`},
		{native + "res.users/write", `{"ids":[` + user + `],"vals":{"group_ids":[[4,1]]}}`},
		{native + "res.users/write", `{"ids":[` + user + `],"vals":{"groups_id":[[4,1]]}}`},
		{native + "res.users/action_archive", `{"ids":[` + user + `]}`},
		{native + "res.users/copy", `{"ids":[` + user + `]}`},
		{native + "res.groups/write", `{"ids":[1],"vals":{"name":"x"}}`},
		{native + "ir.rule/unlink", `{"ids":[1]}`},
		{native + "res.company/write", `{"ids":[1],"vals":{"user_ids":[[4,` + user + `]]}}`},
		{rest + "res.company/1", `{"user_ids":[[4,` + user + `]]}`},
	} {
		if text := all(try[0], try[1], 403); !strings.Contains(text, "Missing scope: admin") {
			t.Errorf("%s %s: %s", try[0], try[1], text)
		}
	}
	all(native+"res.users/write", `{"ids":[`+user+`],"vals":{"email":"ann@example.com"}}`, 200)
	all(rest+"res.partner/"+partner, `{"child_ids":[[2,`+child+`,0]]}`, 200)
	key("orders_write")(rest+"orders", `{"partner_id":`+partner+`,"order_lines":[{"product_id":`+product+`}]}`, 201) // lines are part of it
	key("admin")(native+"res.users/write", `{"ids":[`+user+`],"vals":{"active":false}}`, 200)
}

// TestReadsInScope: what names within names bring from other models needs the
// scope for these, in Odoo's protocols as in the API.
func TestReadsInScope(t *testing.T) {
	o := standIn(t)
	front := inFrontOf(t, o)
	front.login("admin", "secret")
	for where, h := range map[string]*house{"embedded": o.house, "in front": front} {
		body := `{"name":"k","user_id":2,"scopes":%q`
		if where == "in front" {
			body += `,"odoo_login":"admin","odoo_key":"` + o.key + `"`
		}
		for scopes, status := range map[string]int{"res.partner:read": 403, "res.partner:read,res.users:read": 200, "read": 200} {
			key := h.send("POST", "/api/v1/gateway.key", fmt.Sprintf(body+"}", scopes)).want(201).data()["key"].(string)
			ask := func(method, arguments string, status int) {
				a := h.send("POST", "/json/2/res.partner/"+method, arguments, "X-API-Key", key, "Content-Type", "application/json")
				if a.status != status || status == 403 && !strings.Contains(a.text, "Missing scope: res.users:read") {
					t.Errorf("%s, %s, %s %s: %d %s", where, scopes, method, arguments, a.status, a.text)
				}
			}
			const deep = `{"child_ids":{"fields":{"user_id":{"fields":{"login":{}}}}}}`
			ask("web_search_read", `{"domain":[],"limit":1,"specification":{"user_id":{"fields":{"login":{}}}}}`, status)
			ask("web_search_read", `{"domain":[],"limit":1,"specification":`+deep+`}`, status)
			ask("web_read", `{"ids":[1],"specification":`+deep+`}`, status)
			ask("formatted_read_group", `{"domain":[],"groupby":["user_id.login"]}`, status)
			ask("formatted_read_grouping_sets", `{"domain":[],"grouping_sets":[["user_id.login"],[]]}`, status)
			if status == 403 { // the engine does not answer it
				ask("web_read_group", `{"domain":[],"groupby":["user_id"],"groupby_read_specification":{"user_id":{"login":{}}}}`, status)
			}
			ask("web_read_group", `{"domain":[],"groupby":["user_id"],"unfold_read_specification":{"user_id":{"fields":{"login":{}}}}}`, status)
			ask("web_read", `{"ids":[1],"specification":{"name":{},"user_id":{"fields":{"display_name":{}}},"child_ids":{"fields":{"name":{}}}}}`, 200)
			if scopes == "res.partner:read" {
				key = h.send("POST", "/api/v1/gateway.key", fmt.Sprintf(body+"}", scopes+",res.partner:write")).want(201).data()["key"].(string)
				ask("web_save", `{"ids":[1],"vals":{},"specification":`+deep+`}`, status)
			}
			ask("formatted_read_group", `{"domain":[["user_id.login","=","admin"]],"groupby":["user_id","create_date:month"]}`, 200)
			ask("search_read", `{"domain":[],"limit":1,"fields":["name","user_id"]}`, 200)
		}
	}
}

// TestAnswersOfOthers: two keys of one user here call as two of the Odoo's, and
// neither is answered with what the other one was.
func TestAnswersOfOthers(t *testing.T) {
	o := standIn(t)
	admin := o.key
	o.login("demo-manager", "demo-manager")
	manager := o.userKey()
	gate := inFrontOf(t, o)
	gate.login("admin", "secret")
	made := map[any]bool{}
	for login, key := range map[string]string{"admin": admin, "demo-manager": manager} {
		own := gate.send("POST", "/api/v1/gateway.key", fmt.Sprintf(`{"name":"k","user_id":2,"scopes":"read,write","odoo_login":%q,"odoo_key":%q}`, login, key)).
			want(201).data()["key"].(string)
		for range 2 {
			a := gate.send("POST", "/api/v1/res.partner?fields=create_uid", `{"name":"once"}`, "X-API-Key", own, "Idempotency-Key", "same").want(201)
			made[a.data()["id"]] = true
		}
	}
	if len(made) != 2 {
		t.Errorf("%v were made, want one by each", made)
	}
}
