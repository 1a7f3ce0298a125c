package app

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/config"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// filled is a store after its first start; the administrator's password is
// "secret".
var filled = &sqltest.Filled{Fill: func(ctx context.Context, _ sqldb.DB, where string) error {
	cfg := config.Default()
	cfg.Store.DataDir, cfg.Store.AdminPassword = filepath.Dir(where), "secret"
	if strings.Contains(where, "://") {
		cfg.Store.DatabaseURL = config.DatabaseURL(where)
	}
	a, err := Open(ctx, cfg, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		return err
	}
	return a.Close(ctx)
}}

func TestMain(m *testing.M) { os.Exit(sqltest.With(m, filled).Run()) }

// useStore configures a copy of the filled store.
func useStore(t *testing.T, cfg *config.Config, store string) {
	t.Helper()
	cfg.Store.DataDir, cfg.Store.AdminPassword = t.TempDir(), "secret"
	if store == "postgres" {
		cfg.Store.DatabaseURL = config.DatabaseURL(filled.Postgres(t))
		return
	}
	filled.CopySQLite(t, filepath.Join(cfg.Store.DataDir, "gatehouse.db"))
}

// start opens an app on a fresh SQLite file, with its HTTP face.
func start(t *testing.T) (*App, http.Handler) {
	t.Helper()
	cfg := config.Default()
	useStore(t, cfg, "sqlite")
	a, err := Open(context.Background(), cfg, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	h, err := a.Handler()
	if err != nil {
		t.Fatal(err)
	}
	return a, contract(t, h)
}

// send makes a request and gives status and decoded answer.
func send(t *testing.T, h http.Handler, method, path, body string, header ...string) (int, map[string]any) {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, path, reader)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var answer map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%s %s: %d %q: %v", method, path, w.Code, w.Body, err)
	}
	return w.Code, answer
}

func TestKeyFromTheAPI(t *testing.T) {
	a, h := start(t)
	_, login := send(t, h, "POST", "/api/v1/auth/login", `{"login":"admin","password":"secret"}`)
	bearer := "Bearer " + login["data"].(map[string]any)["access_token"].(string)
	status, made := send(t, h, "POST", "/api/v1/gateway.key", `{"name":"shop","user_id":2,"scopes":"products_read"}`, "Authorization", bearer)
	if status != http.StatusCreated {
		t.Fatalf("create a key: %d %v", status, made)
	}
	data := made["data"].(map[string]any)
	key, _ := data["key"].(string)
	if len(key) != 64 {
		t.Fatalf("the key is %q", key)
	}
	for path, want := range map[string]int{"/api/v1/products": 200, "/api/v1/orders": 403, "/api/v1/res.partner": 403, "/api/v1/gateway.key": 403} {
		if status, answer := send(t, h, "GET", path, "", "X-API-Key", key); status != want {
			t.Errorf("%s with the key: %d, want %d (%v)", path, status, want, answer["error"])
		}
	}
	if status, _ := send(t, h, "POST", "/api/v1/gateway.key/1/revoke", `{}`, "Authorization", bearer); status != 200 {
		t.Fatalf("revoke: %d", status)
	}
	if status, _ := send(t, h, "GET", "/api/v1/products", "", "X-API-Key", key); status != http.StatusUnauthorized {
		t.Errorf("a revoked key is answered %d", status)
	}
	if err := a.Identity.Close(context.Background()); err != nil { // writes what was counted
		t.Fatal(err)
	}
	page := &backend.Page{}
	_, err := a.Engine.Search(context.Background(), a.Superuser(), &backend.Query{Model: "gateway.key", Fields: []string{"use_count", "last_used_ip"}}, page)
	if err != nil || page.Get(0, "use_count").Float() < 1 || page.Get(0, "last_used_ip").Text == "" {
		t.Errorf("use of the key was not counted: %+v %v", page.Rows, err)
	}
}

func TestDoctor(t *testing.T) {
	a, _ := start(t)
	for _, check := range Doctor(context.Background(), a.Config, a.Log, "test") {
		if check.State != Fine {
			t.Errorf("%s: %s %s", check.Name, check.State, check.Detail)
		}
	}
}

// TestSecondStart: another start on the same store changes no password and
// makes no second administrator.
func TestSecondStart(t *testing.T) {
	a, _ := start(t)
	again := *a.Config
	again.Store.AdminPassword = "other"
	b, err := Open(context.Background(), &again, a.Log, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	h, err := b.Handler()
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := send(t, h, "POST", "/api/v1/auth/login", `{"login":"admin","password":"secret"}`); status != 200 {
		t.Errorf("the first password is answered %d", status)
	}
	if status, _ := send(t, h, "POST", "/api/v1/auth/login", `{"login":"admin","password":"other"}`); status != 401 {
		t.Errorf("the second start's password is answered %d", status)
	}
}
