package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/identity"
)

// TestGuessersAreShutOut: an address that collects 401s is refused before any
// credential is looked at, until the block is ended.
func TestGuessersAreShutOut(t *testing.T) {
	a, handler := start(t)
	ctx := t.Context()
	err := a.Settings.Set(ctx, map[string]any{"autoblock_violations": 3, "autoblock_window_minutes": 1, "autoblock_minutes": 5, "global_rate_limit": 0})
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := a.CreateKey(ctx, identity.KeySpec{UserID: 2, Name: "ci", Scopes: "read"})
	if err != nil {
		t.Fatal(err)
	}
	ping := func(addr, key string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/api/v1/ping", nil)
		r.RemoteAddr = addr
		r.Header.Set("X-API-Key", key)
		r.Header.Set("X-Forwarded-For", "198.51.100.9") // nobody vouches for it
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	guess := strings.Repeat("x", 64)
	for range 3 {
		if r := ping("192.0.2.7:1000", guess); r.Code != http.StatusUnauthorized {
			t.Fatalf("a guess: %d", r.Code)
		}
	}
	r := ping("192.0.2.7:1000", key)
	if r.Code != http.StatusForbidden || r.Header().Get("Retry-After") == "" {
		t.Fatalf("a blocked address with a good key: %d, %v", r.Code, r.Header())
	}
	if r := ping("192.0.2.8:1000", key); r.Code != http.StatusOK {
		t.Errorf("another address: %d", r.Code)
	}
	if r := ping("198.51.100.9:1000", key); r.Code != http.StatusOK {
		t.Errorf("an address that a blocked one claimed to be: %d", r.Code)
	}
	probe := httptest.NewRequest(http.MethodGet, "/healthz", nil)
	probe.RemoteAddr = "192.0.2.7:1000"
	w := httptest.NewRecorder()
	if handler.ServeHTTP(w, probe); w.Code != http.StatusOK {
		t.Errorf("a probe of a blocked address: %d", w.Code)
	}
	var ids []int64
	eventually(t, "the block is listed", func() bool {
		page := &backend.Page{}
		_, err := a.Engine.Search(ctx, a.Superuser(), &backend.Query{
			Model: "gateway.block", Fields: []string{"address", "by"}, DomainText: `[('address','=','192.0.2.7'),('by','=','automatic')]`,
		}, page)
		if err != nil {
			t.Fatal(err)
		}
		ids = page.IDs()
		return len(ids) == 1
	})
	if _, err := a.Engine.Call(ctx, a.Superuser(), "gateway.block", "unblock", ids, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the address is let in", func() bool { return ping("192.0.2.7:1000", key).Code == http.StatusOK })
	page := &backend.Page{}
	_, err = a.Engine.Search(ctx, a.Superuser(), &backend.Query{
		Model: "gateway.audit", Fields: []string{"action", "origin"}, DomainText: `[('model','=','gateway.block')]`, Order: "id",
	}, page)
	if err != nil || len(page.Rows) != 2 || page.Get(0, "origin").Text != "system" || page.Get(1, "action").Text != "unblock" {
		t.Errorf("the trail: %v, %v", page.Rows, err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not in time: " + what)
		}
	}
}
