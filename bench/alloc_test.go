package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse/internal/app"
	"gatehouse/internal/config"
)

// handler opens a Gatehouse with base data on SQLite and logs its
// administrator in.
func handler(b *testing.B) (http.Handler, string) {
	b.Helper()
	b.Setenv("GATEHOUSE_ADMIN_PASSWORD", adminPassword)
	cfg := config.Default()
	cfg.Store.DataDir = b.TempDir()
	cfg.Store.AdminPassword = config.Secret(adminPassword)
	ctx := context.Background()
	a, err := app.Open(ctx, cfg, slog.New(slog.DiscardHandler), "bench")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = a.Close(ctx) })
	if err := a.Settings.Set(ctx, map[string]any{"global_rate_limit": "0"}); err != nil {
		b.Fatal(err)
	}
	h, err := a.Handler()
	if err != nil {
		b.Fatal(err)
	}
	var login struct {
		Data struct {
			AccessToken string `json:"access_token"`
		}
	}
	body := serve(b, h, "POST", "/api/v1/auth/login", "", `{"login":"admin","password":"`+adminPassword+`"}`)
	if err := json.Unmarshal(body, &login); err != nil {
		b.Fatal(err)
	}
	return h, login.Data.AccessToken
}

func serve(b *testing.B, h http.Handler, method, path, token, body string) []byte {
	b.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, path, reader)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := &recorder{header: http.Header{}}
	h.ServeHTTP(w, r)
	if w.status >= 300 {
		b.Fatalf("%s %s: %d %s", method, path, w.status, w.body.String())
	}
	return w.body.Bytes()
}

// recorder is a response writer that allocates little.
type recorder struct {
	header http.Header
	body   bytes.Buffer
	status int
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(p []byte) (int, error) { return w.body.Write(p) }

// BenchmarkRequest measures whole requests in the process: pipeline, engine,
// SQLite, encoding. The test's own request and recorder are in the figures.
func BenchmarkRequest(b *testing.B) {
	h, token := handler(b)
	const fields = "?fields=name,code,phone_code,currency_id,create_date,write_date,create_uid,write_uid,id,display_name"
	for _, bench := range []struct{ name, method, path, body string }{
		{"ping", "GET", "/api/v1/ping", ""},
		{"by id", "GET", "/api/v1/res.partner/3", ""},
		{"list of 80x10", "GET", "/api/v1/res.country" + fields + "&limit=80", ""},
		{"create", "POST", "/api/v1/res.partner", `{"name":"Bench","email":"b@example.com","city":"Ghent","is_company":true}`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				serve(b, h, bench.method, bench.path, token, bench.body)
			}
		})
	}
}
