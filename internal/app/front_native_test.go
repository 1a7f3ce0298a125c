package app

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"gatehouse/internal/fault"
	"gatehouse/internal/odoorpc"
)

// TestNativeThroughTheGate: Odoo's own protocols pass through to the Odoo, under
// the gate's limits and log, for a key of a user and for a password.
func TestNativeThroughTheGate(t *testing.T) {
	o := standIn(t)
	o.login("demo-manager", "demo-manager")
	key := o.userKey()
	gate := inFrontOf(t, o)
	server := httptest.NewServer(gate.nodes[0])
	t.Cleanup(server.Close)
	for _, protocol := range []string{"json2", "jsonrpc", "xmlrpc", "web"} {
		t.Run(protocol, func(t *testing.T) {
			client, err := odoorpc.New(odoorpc.Options{URL: server.URL, Database: "whatever", Protocol: protocol})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(client.Close)
			account := &odoorpc.Account{Login: "demo-manager", Secret: key}
			if protocol == "web" {
				account.Secret, account.Password = "demo-manager", true
			} else if account.UID, err = client.Whoami(t.Context(), account, netip.Addr{}); err != nil {
				t.Fatal(err)
			}
			call := func(r *odoorpc.Request) (string, error) {
				raw, err := client.Call(t.Context(), account, r)
				return string(raw), err
			}
			made, err := call(&odoorpc.Request{Model: "res.partner", Method: "create", Kwargs: map[string]any{"vals_list": []any{map[string]any{"name": "Through " + protocol}}}})
			if err != nil {
				t.Fatal(err)
			}
			found, err := call(&odoorpc.Request{Model: "res.partner", Method: "search_read", Reads: true, Kwargs: map[string]any{
				"domain": []any{[]any{"name", "=", "Through " + protocol}}, "fields": []any{"name", "country_id", "create_uid"},
			}})
			if id := strings.Trim(made, "[]"); err != nil || !strings.Contains(strings.ReplaceAll(found, " ", ""), `"id":`+id) {
				t.Errorf("%s %v, made %s", found, err, made)
			}
			for what, c := range map[string]struct {
				request odoorpc.Request
				kind    fault.Kind
			}{
				"a record that is not there": {odoorpc.Request{Model: "res.partner", Method: "write", IDs: []int64{999999}, Kwargs: map[string]any{"vals": map[string]any{"name": "x"}}}, fault.NotFound},
				"no right":                   {odoorpc.Request{Model: "ir.config_parameter", Method: "search_read", Kwargs: map[string]any{"domain": []any{}}}, fault.Forbidden},
				"a model that is not there":  {odoorpc.Request{Model: "no.such", Method: "search_read", Kwargs: map[string]any{"domain": []any{}}}, fault.NotFound},
			} {
				if _, err := call(&c.request); !fault.Is(err, c.kind) {
					t.Errorf("%s: %v", what, err)
				}
			}
			wrong := &odoorpc.Account{UID: account.UID, Login: "demo-manager", Secret: strings.Repeat("0", 40), Password: protocol == "web"}
			if _, err := client.Call(t.Context(), wrong, &odoorpc.Request{Model: "res.partner", Method: "search_count", Kwargs: map[string]any{"domain": []any{}}}); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("a wrong secret: %v", err)
			}
		})
	}
	// A gateway key with a scope of its own, in a header.
	gate.login("admin", "secret")
	gate.send("POST", "/api/v1/gateway.key", `{"name":"n","user_id":2,"scopes":"res.partner:read","odoo_login":"admin","odoo_key":"`+o.key+`"}`).want(201)
	limited := gate.send("POST", "/api/v1/gateway.key", `{"name":"l","user_id":2,"scopes":"res.partner:read","limit_minute":1,"odoo_login":"admin","odoo_key":"`+o.key+`"}`).want(201).data()["key"].(string)
	gate.send("POST", "/json/2/res.partner/search_count", `{"domain":[]}`, "X-API-Key", limited, "Content-Type", "application/json").want(200)
	gate.send("POST", "/json/2/res.partner/search_count", `{"domain":[]}`, "X-API-Key", limited, "Content-Type", "application/json").want(429)
	other := gate.send("POST", "/api/v1/gateway.key", `{"name":"o","user_id":2,"scopes":"res.partner:read","odoo_login":"admin","odoo_key":"`+o.key+`"}`).want(201).data()["key"].(string)
	gate.send("POST", "/json/2/res.partner/create", `{"vals_list":[{"name":"x"}]}`, "X-API-Key", other, "Content-Type", "application/json").want(403)
	gate.send("POST", "/json/2/sale.order/search_count", `{"domain":[]}`, "X-API-Key", other, "Content-Type", "application/json").want(403)
}

// TestFrontModels: who administers Gatehouse sees which models the Odoo has, to
// choose from for webhooks, without a user there.
func TestFrontModels(t *testing.T) {
	gate := inFrontOf(t, standIn(t))
	gate.login("admin", "secret")
	listed := gate.send("GET", "/api/v1/models", "").want(200).text
	for _, want := range []string{`"name":"gateway.key"`, `{"name":"sale.order","label":"Sales Order","access":{"read":false,"create":false,"write":false,"delete":false}}`, `"name":"res.users","label":"User","access":{"read":true`} {
		if !strings.Contains(listed, want) {
			t.Errorf("%s is not in %s", want, listed)
		}
	}
	if n := strings.Count(listed, `"name":"res.users"`); n != 1 {
		t.Errorf("res.users is there %d times", n)
	}
	gate.send("GET", "/api/v1/sale.order", "").want(403)
	text, _ := gate.app.Traffic.Metrics(t.Context())
	for _, want := range []string{"gatehouse_odoo_calls_total ", "gatehouse_odoo_waiting 0", "gatehouse_odoo_poll_models "} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not among the metrics", want)
		}
	}
}
