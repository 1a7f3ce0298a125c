package app

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoorpc"
)

// TestOdooClient calls our own Odoo with our own client of Odoos, in all
// protocols: what the one says, the other must understand.
func TestOdooClient(t *testing.T) {
	o := startOdoo(t)
	server := httptest.NewServer(o.h)
	defer server.Close()
	_, login := send(t, o.h, "POST", "/api/v1/auth/login", `{"login":"admin","password":"secret"}`)
	bearer := "Bearer " + login["data"].(map[string]any)["access_token"].(string)
	_, made := send(t, o.h, "POST", "/api/v1/res.users.apikeys", `{"name":"script"}`, "Authorization", bearer)
	key, _ := made["data"].(map[string]any)["key"].(string)
	if _, err := o.app.CreateUser(t.Context(), "bea", "Bea", "bea-bea", nil); err != nil {
		t.Fatal(err)
	}
	for name, account := range map[string]*odoorpc.Account{
		"auto": {Secret: key}, "json2": {Secret: key}, "jsonrpc": {Login: "admin", Secret: key}, "xmlrpc": {UID: 2, Secret: "secret", Password: true},
		"web": {Login: "admin", Secret: "secret", Password: true},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := odoorpc.New(odoorpc.Options{URL: server.URL, Database: "any", Protocol: name})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			useOdooClient(t, c, account)
		})
	}
}

func useOdooClient(t *testing.T, c *odoorpc.Client, a *odoorpc.Account) {
	t.Helper()
	call := func(model, method string, ids []int64, kwargs map[string]any) (string, error) {
		text, err := c.Call(t.Context(), a, &odoorpc.Request{Model: model, Method: method, IDs: ids, Kwargs: kwargs})
		return strings.ReplaceAll(string(text), " ", ""), err
	}
	works := func(want, model, method string, ids []int64, kwargs map[string]any) {
		t.Helper()
		if got, err := call(model, method, ids, kwargs); err != nil || got != want {
			t.Errorf("%s.%s: %s %v, want %s", model, method, got, err, want)
		}
	}
	if v, err := c.Version(t.Context()); err != nil || v.Major != 19 {
		t.Errorf("version %+v, %v", v, err)
	}
	if err := c.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if uid, err := c.Whoami(t.Context(), a, netip.Addr{}); err != nil || uid != 2 {
		t.Errorf("whoami: %d, %v", uid, err)
	}
	text, err := call("res.partner", "create", nil, map[string]any{"vals_list": []any{map[string]any{"name": "By Ü <&> wire"}}})
	var ids []int64
	if err != nil || json.Unmarshal([]byte(text), &ids) != nil || len(ids) != 1 {
		t.Fatalf("create: %s %v", text, err)
	}
	works("true", "res.partner", "write", ids, map[string]any{"vals": map[string]any{"ref": "W1"}})
	works(`1`, "res.partner", "search_count", nil, map[string]any{"domain": []any{[]any{"id", "=", ids[0]}, []any{"ref", "=", "W1"}}})
	text, err = call("res.partner", "read", ids, map[string]any{"fields": []string{"name"}})
	if err != nil || !strings.Contains(text, `"name":"ByÜ<&>wire"`) {
		t.Errorf("read: %s %v", text, err)
	}
	works("true", "res.partner", "unlink", ids, nil)
	for _, test := range []struct {
		model, method string
		ids           []int64
		kwargs        map[string]any
		kind          fault.Kind
		cause         error
	}{
		{"res.partner", "write", ids, map[string]any{"vals": map[string]any{"ref": "W2"}}, fault.NotFound, nil},
		{"res.partner", "nosuch", ids, nil, fault.NotFound, backend.ErrNoMethod},
		{"no.such.model", "search", nil, map[string]any{"domain": []any{}}, fault.NotFound, odoorpc.ErrNoModel},
		{"res.partner", "search", nil, map[string]any{"domain": []any{[]any{"nosuch", "=", 1}}}, fault.BadRequest, nil},
		{"res.partner", "_search", nil, map[string]any{"domain": []any{}}, fault.Forbidden, nil},
		{"res.country", "create", nil, map[string]any{"vals_list": map[string]any{"name": "Twice", "code": "BE"}}, fault.Unprocessable, nil},
	} {
		text, err := call(test.model, test.method, test.ids, test.kwargs)
		if !fault.Is(err, test.kind) || test.cause != nil && !errors.Is(err, test.cause) {
			t.Errorf("%s.%s: %s %v, want %v", test.model, test.method, text, err, test.kind)
		}
	}
	if _, err := c.Authenticate(t.Context(), "bea", "wrong", netip.Addr{}); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("a wrong password: %v", err)
	}
	bea, err := c.Authenticate(t.Context(), "bea", "bea-bea", netip.Addr{})
	if err != nil || bea.UID <= 2 || bea.Login != "bea" || bea.Name != "Bea" {
		t.Fatalf("%+v %v", bea, err)
	}
	hers := &odoorpc.Account{Session: bea.Session}
	if uid, err := c.Whoami(t.Context(), hers, netip.Addr{}); err != nil || uid != bea.UID {
		t.Errorf("Bea is %d, %v", uid, err)
	}
	if err := c.Logout(t.Context(), bea.Session); err != nil {
		t.Error(err)
	}
	if _, err := c.Whoami(t.Context(), hers, netip.Addr{}); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("after the end: %v", err)
	}
	if s := c.Stats(); s.Calls < 10 || s.Running+s.Waiting > 0 || s.Failed > 0 || s.Refused > 0 {
		t.Errorf("%+v", s)
	}
}
