package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gatehouse/internal/fault"
	"gatehouse/internal/vault"
)

// Keys and clients call as the user whose key is stored with them.
func TestRunAsOdooUser(t *testing.T) {
	t.Parallel()
	inFront(t, func(f *front) {
		admin := bearerOf(f.login("admin", "gate-secret"))
		create := func(model, values string) (int, map[string]any) {
			return f.call("POST", "/api/v1/"+model, values, "Authorization", admin)
		}
		status, answer := create("gateway.key", `{"name":"none","user_id":2,"scopes":"read"}`)
		bare := f.want(http.StatusCreated, status, answer)
		status, answer = create("gateway.key", fmt.Sprintf(`{"name":"k","user_id":2,"scopes":"read","odoo_login":"ben","odoo_key":%q}`, f.keys["ben"]))
		key := f.want(http.StatusCreated, status, answer)
		status, answer = create("gateway.client", fmt.Sprintf(`{"name":"c","user_id":2,"scopes":"read","odoo_login":"admin","odoo_key":%q}`, f.keys["admin"]))
		client := f.want(http.StatusCreated, status, answer)
		for name, values := range map[string]string{
			"a wrong key":    `"odoo_login":"ben","odoo_key":"x"`,
			"another's key":  `"odoo_login":"admin","odoo_key":"` + f.keys["ben"] + `"`,
			"no key":         `"odoo_login":"ben"`,
			"no login":       `"odoo_key":"` + f.keys["ben"] + `"`,
			"an id":          `"odoo_uid":7`,
			"an empty login": `"odoo_login":"","odoo_key":"x"`,
		} {
			status, answer := create("gateway.key", `{"name":"k","user_id":2,"scopes":"read",`+values+`}`)
			if status != http.StatusBadRequest || !strings.Contains(fmt.Sprint(answer), "odoo_") || strings.Contains(fmt.Sprint(answer), f.keys["ben"]) {
				f.Errorf("%s: %d %v", name, status, answer)
			}
		}
		header := []string{"X-Api-Key", key["key"].(string)}
		f.callsAs("ben", f.identified(header...))
		status, answer = f.call("GET", "/api/v1/auth/me", "", header...)
		if me := f.want(http.StatusOK, status, answer); me["id"] != float64(f.uids["ben"]) || me["login"] != "ben" {
			f.Errorf("me: %v", me)
		}
		if _, err := f.asked(f.identified("X-Api-Key", bare["key"].(string))); !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), "odoo_login and odoo_key") {
			f.Errorf("a key without a user: %v", err)
		}
		f.callsAs("admin", f.identified("Authorization", "Bearer "+f.token(client)))

		// Another user takes effect at once; nothing shows the key.
		path := fmt.Sprintf("/api/v1/gateway.key/%v", key["id"])
		status, answer = f.call("PATCH", path, fmt.Sprintf(`{"odoo_login":"admin","odoo_key":%q}`, f.keys["admin"]), "Authorization", admin)
		f.want(http.StatusOK, status, answer)
		f.callsAs("admin", f.identified(header...))
		status, answer = f.call("PATCH", path, fmt.Sprintf(`{"odoo_key":%q}`, f.keys["admin"]), "Authorization", admin)
		f.want(http.StatusOK, status, answer)
		status, answer = f.call("PATCH", path, fmt.Sprintf(`{"odoo_key":%q}`, f.keys["ben"]), "Authorization", admin)
		f.want(http.StatusBadRequest, status, answer)
		status, answer = f.call("PATCH", path, `{"name":"renamed","odoo_login":"admin","odoo_key":""}`, "Authorization", admin)
		f.want(http.StatusOK, status, answer)
		f.callsAs("admin", f.identified(header...))
		status, answer = f.call("GET", path, "", "Authorization", admin)
		if data := f.want(http.StatusOK, status, answer); data["odoo_login"] != "admin" || data["odoo_key"] != nil {
			f.Errorf("%v", data)
		}
		status, answer = f.call("PATCH", path, `{"odoo_login":""}`, "Authorization", admin)
		f.want(http.StatusOK, status, answer)
		if _, err := f.asked(f.identified(header...)); !fault.Is(err, fault.Forbidden) {
			f.Errorf("without its user: %v", err)
		}

		// By default as the user who is attached to the key's own.
		if err := f.gate.AttachOdoo(f.Context(), "admin", OdooKey{"ben", f.keys["ben"]}); err != nil {
			f.Fatal(err)
		}
		f.callsAs("ben", f.identified(header...))
		f.callsAs("ben", f.identified("Authorization", admin))
		if err := f.gate.AttachOdoo(f.Context(), "admin", OdooKey{}); err != nil {
			f.Fatal(err)
		}
		if _, err := f.asked(f.identified(header...)); !fault.Is(err, fault.Forbidden) {
			f.Errorf("detached: %v", err)
		}
		f.leaksNothing(f.keys["ben"], f.keys["admin"])
	})
}

// token gets one for a client.
func (f *front) token(client map[string]any) string {
	f.Helper()
	r := httptest.NewRequestWithContext(f.Context(), "POST", "/api/oauth/token", strings.NewReader("grant_type=client_credentials"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(client["client_id"].(string), client["secret"].(string))
	w := httptest.NewRecorder()
	f.h.ServeHTTP(w, r)
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Token == "" {
		f.Fatalf("%d %s", w.Code, w.Body)
	}
	return answer.Token
}

// An Odoo that is away is no wrong password.
func TestOdooAway(t *testing.T) {
	t.Parallel()
	inFront(t, func(f *front) {
		pair := f.login("ben", "ben-secret")
		f.server.Close()
		for _, call := range []struct{ body, header string }{
			{`{"login":"ben","password":"ben-secret"}`, ""}, {"", "Bearer " + f.keys["ben"]},
		} {
			method, path, header := "POST", "/api/v1/auth/login", []string(nil)
			if call.header != "" {
				method, path, header = "GET", "/api/v1/ping", []string{"Authorization", call.header}
			}
			for range 30 { // and counts as no failure
				status, answer := f.call(method, path, call.body, header...)
				if status != http.StatusBadGateway && status != http.StatusGatewayTimeout {
					f.Fatalf("%s: %d %v", path, status, answer)
				}
			}
		}
		// Who is known stays so, and local users are.
		f.identified("Authorization", bearerOf(pair))
		f.login("admin", "gate-secret")
	})
}

// Fewer wrong passwords are passed on than shut the whole of Gatehouse out.
func TestOdooIsNotAskedForever(t *testing.T) {
	t.Parallel()
	inFront(t, func(f *front) {
		asked := f.gate.Odoo.Stats().Logins
		for i := range 12 {
			status, answer := f.call("POST", "/api/v1/auth/login", fmt.Sprintf(`{"login":"user%d","password":"guess"}`, i))
			if want := map[bool]int{true: 401, false: 429}[i < 4]; status != want {
				f.Errorf("%d: %d %v", i, status, answer)
			}
		}
		if n := f.gate.Odoo.Stats().Logins - asked; n != 4 {
			f.Errorf("the Odoo was asked %d times", n)
		}
		f.login("admin", "gate-secret") // local users are no business of the Odoo
	})
}

// Two users at once are never mixed, and one session of a user serves all.
func TestOdooUsersAtOnce(t *testing.T) {
	t.Parallel()
	inFront(t, func(f *front) {
		var wait sync.WaitGroup
		for _, login := range []string{"ben", "admin"} {
			password := map[string]string{"ben": "ben-secret", "admin": "secret"}[login]
			for range 4 {
				wait.Go(func() {
					status, answer := f.call("POST", "/api/v1/auth/login", fmt.Sprintf(`{"login":%q,"password":%q}`, login, password))
					if status != http.StatusOK {
						f.Errorf("%d %v", status, answer)
						return
					}
					token := bearerOf(answer["data"].(map[string]any))
					for range 10 {
						f.callsAs(login, f.identified("Authorization", token))
					}
				})
			}
		}
		wait.Wait()
		if n := f.rows(`select count(*) from gateway_odoo_account`); n != 2 {
			f.Errorf("%d rows for two users", n)
		}
		// Another node goes on with what this one has stored.
		if f.cfg.Store.DatabaseURL == "" {
			return
		}
		who := f.identified("Authorization", bearerOf(f.login("ben", "ben-secret")))
		first := f.gate
		f.gate = f.node(f.cfg)
		f.callsAs("ben", who)
		f.gate = first
		f.callsAs("ben", who)
	})
}

// Who has lost the key is told what to do, and can begin anew.
func TestEncryptionKeyLost(t *testing.T) {
	t.Parallel()
	inFront(t, func(f *front) {
		if err := f.gate.AttachOdoo(f.Context(), "admin", OdooKey{"ben", f.keys["ben"]}); err != nil {
			f.Fatal(err)
		}
		path := filepath.Join(f.cfg.Store.DataDir, vault.KeyFile)
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			f.Fatalf("%v %v", info, err)
		}
		if err := os.Remove(path); err != nil {
			f.Fatal(err)
		}
		second := *f.cfg
		_, err := Open(f.Context(), &second, slog.New(slog.DiscardHandler), "test")
		if !errors.Is(err, vault.ErrOtherKey) || !strings.Contains(err.Error(), "GATEHOUSE_ENCRYPTION_KEY") || !strings.Contains(err.Error(), "gatehouse odoo forget") {
			f.Errorf("%v", err)
		}
		second.Odoo.EncryptionKey = "hunter2"
		if _, err := Open(f.Context(), &second, slog.New(slog.DiscardHandler), "test"); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "GATEHOUSE_ENCRYPTION_KEY") {
			f.Errorf("a broken key: %v", err)
		}
		if err := ForgetOdoo(f.Context(), f.cfg); err != nil {
			f.Fatal(err)
		}
		f.gate = f.node(f.cfg)
		if n := f.rows(`select count(*) from gateway_odoo_account`); n != 0 {
			f.Errorf("%d accounts are left", n)
		}
	})
}
