package app

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse/internal/config"
)

// TestFrontProtocols goes through the life of a record in front of an Odoo, over
// each of its protocols: with a key of a user, and signed in with a password.
func TestFrontProtocols(t *testing.T) {
	o := standIn(t)
	o.login("demo-manager", "demo-manager")
	key := o.userKey()
	for _, protocol := range []string{"auto", "json2", "jsonrpc", "xmlrpc", "web"} {
		t.Run(protocol, func(t *testing.T) {
			cfg := config.Default()
			cfg.Store.DataDir, cfg.Store.AdminPassword = t.TempDir(), "secret"
			cfg.Odoo.URL, cfg.Odoo.DB, cfg.Odoo.Protocol = config.PublicURL(o.url), "gatehouse", protocol
			cfg.Odoo.Login, cfg.Odoo.Key = "admin", config.Secret(o.key)
			h := openHouse(t, cfg)
			uid := fmt.Sprint(int64(o.send("GET", "/api/v1/ping", "").want(200).data()["user"].(map[string]any)["id"].(float64)))
			for _, way := range []string{"key", "password"} {
				if way == "key" {
					h.bearer = "Bearer " + uid + "$" + key
				} else {
					h.login("demo-manager", "demo-manager")
				}
				path := h.send("POST", "/api/v1/res.partner?fields=name,country_id", `{"name":"Ünïcode & <b>","comment":"<p>two\nlines</p>"}`).want(201).header.Get("Location")
				h.send("PUT", path, `{"city":"Ghent","country_id":{"id":20}}`).want(200)
				if data := h.send("GET", path, "").want(200).data(); data["name"] != "Ünïcode & <b>" || data["city"] != "Ghent" || data["email"] != nil {
					t.Errorf("%s: %v", way, data)
				}
				list := h.send("GET", "/api/v1/res.partner?limit=2&order=id&fields=name,category_id&domain=[('name','ilike','a'),('active','in',[True,False])]", "").want(200)
				if len(list.list()) != 2 {
					t.Errorf("%s: %s", way, list.text)
				}
				h.send("POST", path+"/action_archive", "").want(200)
				if data := h.send("GET", path+"?fields=active", "").want(200).data(); data["active"] != false {
					t.Errorf("%s: %v", way, data)
				}
				for request, status := range map[string]int{
					"GET /api/v1/res.partner/999999": 404, "GET /api/v1/no.such": 404, "GET /api/v1/res.partner?fields=nme": 400,
					"GET /api/v1/ir.config_parameter": 404, "POST " + path + "/no_such_method": 404, "GET /api/v1/orders?limit=1": 200,
					"GET /api/v1/sale.order/aggregate?groupby=state&aggregates=amount_total:sum": 200, "GET /api/v1/res.partner?company_ids=99": 403,
				} {
					method, path, _ := strings.Cut(request, " ")
					if got := h.send(method, path, ""); got.status != status {
						t.Errorf("%s, %s: %d %s, want %d", way, request, got.status, got.text, status)
					}
				}
				if bad := h.send("PUT", path, `{"parent_id":`+path[strings.LastIndex(path, "/")+1:]+`}`); bad.status != 422 || !strings.Contains(bad.text, "Recursion") {
					t.Errorf("%s, own parent: %d %s", way, bad.status, bad.text)
				}
			}
			h.bearer = "Bearer " + uid + "$" + strings.Repeat("0", 40)
			h.send("GET", "/api/v1/res.partner", "").want(401)
		})
	}
}

// TestFrontAway: an Odoo that is away is told as such, and what is Gatehouse's
// own goes on.
func TestFrontAway(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	cfg := config.Default()
	cfg.Store.DataDir, cfg.Store.AdminPassword = t.TempDir(), "secret"
	cfg.Odoo.URL, cfg.Odoo.DB = config.PublicURL(server.URL), "none"
	h := openHouse(t, cfg)
	h.send("GET", "/api/v1/res.partner", "", "Authorization", "Bearer 7$"+strings.Repeat("a", 40)).want(502)
	h.send("POST", "/api/v1/auth/login", `{"login":"somebody","password":"x"}`).want(502)
	h.send("GET", "/readyz", "").want(503)
	h.send("GET", "/healthz", "").want(200)
	h.login("admin", "secret")
	h.send("GET", "/api/v1/gateway.key", "").want(200)
	if denied := h.send("GET", "/api/v1/res.partner", "").want(403); !strings.Contains(denied.text, "odoo") {
		t.Error(denied.text)
	}
	for _, request := range []string{
		"POST /api/v1/batch", "POST /api/v1/res.partner?dry_run=true", "PUT /api/v1/res.partner?key=ref",
	} {
		method, path, _ := strings.Cut(request, " ")
		if got := h.send(method, path, `{}`); got.status != 400 && got.status != 403 {
			t.Errorf("%s: %d %s", request, got.status, got.text)
		}
	}
}

// TestFrontIdempotency: over an Odoo too a request is done once.
func TestFrontIdempotency(t *testing.T) {
	o := standIn(t)
	h := inFrontOf(t, o)
	first := h.send("POST", "/api/v1/res.partner?fields=name", `{"name":"Once"}`, "Idempotency-Key", "k-1").want(201)
	again := h.send("POST", "/api/v1/res.partner?fields=name", `{"name":"Once"}`, "Idempotency-Key", "k-1").want(201)
	if again.text != first.text || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("%s %v", again.text, again.header)
	}
	h.send("POST", "/api/v1/res.partner?fields=name", `{"name":"Other"}`, "Idempotency-Key", "k-1").want(422)
	all := together(8, func(i int) said {
		return h.send("POST", "/api/v1/res.partner", `{"name":"Together"}`, "Idempotency-Key", "together")
	})
	if got := statuses(all); got[201] < 1 || got[201]+got[409] != 8 {
		t.Errorf("statuses %v", got)
	}
	if n := h.number("res.partner", "[['name','=','Together']]"); n != 1 {
		t.Errorf("%d records", n)
	}
	refused := h.send("POST", "/api/v1/customers", `{"name":"X","email":"nonsense"}`, "Idempotency-Key", "k-2").want(422)
	if again := h.send("POST", "/api/v1/customers", `{"name":"X","email":"nonsense"}`, "Idempotency-Key", "k-2").want(422); again.text != refused.text {
		t.Errorf("replayed %s, want %s", again.text, refused.text)
	}
	// What was certainly not done may be tried again; what nobody knows may not.
	h.send("POST", "/api/v1/no.such", `{"name":"X"}`, "Idempotency-Key", "k-3").want(404)
	h.send("POST", "/api/v1/no.such", `{"name":"X"}`, "Idempotency-Key", "k-3").want(404)
	if err := h.app.DB.Write(t.Context(), claimOf(t, h, "k-1")); err != nil {
		t.Fatal(err)
	}
	if unknown := h.send("POST", "/api/v1/res.partner?fields=name", `{"name":"Once"}`, "Idempotency-Key", "k-1").want(409); !strings.Contains(unknown.text, "not known") {
		t.Error(unknown.text)
	}
}
