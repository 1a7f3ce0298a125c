package app

import (
	"fmt"
	"net/http"
	"testing"
)

// TestUserKeyFromTheAPI: a user's key is made over the API, shown once, does
// what its user may do, and ends when it is deleted.
func TestUserKeyFromTheAPI(t *testing.T) {
	_, h := start(t)
	_, login := send(t, h, "POST", "/api/v1/auth/login", `{"login":"admin","password":"secret"}`)
	bearer := "Bearer " + login["data"].(map[string]any)["access_token"].(string)
	status, made := send(t, h, "POST", "/api/v1/res.users.apikeys?fields=name,expiration_date", `{"name":"script","duration":"30"}`, "Authorization", bearer)
	if status != http.StatusCreated {
		t.Fatalf("create: %d %v", status, made)
	}
	data := made["data"].(map[string]any)
	key, _ := data["key"].(string)
	if len(key) != 40 || data["expiration_date"] == nil || data["index"] != nil {
		t.Fatalf("%v", data)
	}
	path := fmt.Sprintf("/api/v1/res.users.apikeys/%v", data["id"])
	for _, token := range []string{key, "2$" + key} {
		status, pong := send(t, h, "GET", "/api/v1/ping", "", "Authorization", "Bearer "+token)
		if status != http.StatusOK || pong["data"].(map[string]any)["user"].(map[string]any)["login"] != "admin" {
			t.Errorf("ping: %d %v", status, pong)
		}
	}
	_, me := send(t, h, "GET", "/api/v1/auth/me", "", "Authorization", "Bearer "+key)
	if who := me["data"].(map[string]any); who["credential"] != "user_key" || fmt.Sprint(who["scopes"]) != "[all]" {
		t.Errorf("me: %v", who)
	}
	if status, answer := send(t, h, "GET", "/api/v1/gateway.key", "", "Authorization", "Bearer "+key); status != http.StatusOK {
		t.Errorf("an administrator's key: %d %v", status, answer)
	}
	_, read := send(t, h, "GET", path, "", "Authorization", "Bearer "+key)
	for _, name := range []string{"key", "index"} {
		if _, shown := read["data"].(map[string]any)[name]; shown {
			t.Errorf("%s is shown: %v", name, read)
		}
	}
	if status, _ := send(t, h, "GET", "/api/v1/ping", "", "Authorization", "Bearer 1$"+key); status != http.StatusUnauthorized {
		t.Errorf("another user's id: %d", status)
	}

	// Whoever has only some scopes does not make a key that has all.
	_, limited := send(t, h, "POST", "/api/v1/gateway.key", `{"name":"shop","user_id":2,"scopes":"read,write,delete,res.users.apikeys:write"}`, "Authorization", bearer)
	gateway, _ := limited["data"].(map[string]any)["key"].(string)
	for _, call := range [][2]string{{"POST", "/api/v1/res.users.apikeys"}, {"PATCH", path}} {
		status, answer := send(t, h, call[0], call[1], `{"name":"more"}`, "X-API-Key", gateway)
		if status != http.StatusForbidden || answer["error"].(map[string]any)["message"] != "Missing scope: admin" {
			t.Errorf("%s with few scopes: %d %v", call[0], status, answer)
		}
	}
	if status, _ := send(t, h, "GET", path, "", "X-API-Key", gateway); status != http.StatusOK {
		t.Errorf("read with few scopes: %d", status)
	}
	if status, answer := send(t, h, "PATCH", path, `{"name":"renamed"}`, "Authorization", "Bearer "+key); status != http.StatusOK {
		t.Errorf("rename: %d %v", status, answer)
	}
	if status, answer := send(t, h, "DELETE", path, "", "Authorization", "Bearer "+key); status != http.StatusOK {
		t.Errorf("delete: %d %v", status, answer)
	}
	if status, _ := send(t, h, "GET", "/api/v1/ping", "", "Authorization", "Bearer "+key); status != http.StatusUnauthorized {
		t.Errorf("after its end: %d", status)
	}
}
