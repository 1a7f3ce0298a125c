package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/config"
	"gatehouse/internal/sqldb/sqltest"
)

// TestEndFlushes: what the log and the rollups had in memory is in the store
// when the server has ended, and who watches does not hold the end up.
func TestEndFlushes(t *testing.T) {
	for _, store := range sqltest.Dialects() {
		t.Run(store, func(t *testing.T) {
			cfg := config.Default()
			cfg.Server.Listen, cfg.Server.MetricsListen = "127.0.0.1:0", "127.0.0.1:0"
			useStore(t, cfg, store)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			a, err := Open(ctx, cfg, slog.New(slog.DiscardHandler), "test")
			if err != nil {
				t.Fatal(err)
			}
			if err := a.Settings.Set(ctx, map[string]any{"global_rate_limit": 0, "log_level": "metadata"}); err != nil {
				t.Fatal(err)
			}
			ready, served := make(chan net.Addr, 1), make(chan error, 1)
			go func() { served <- a.Serve(ctx, func(addr net.Addr) { ready <- addr }) }()
			g := &gate{t: t, app: a, url: "http://" + (<-ready).String()}
			g.admin, _ = g.send("POST", "/api/v1/auth/login", `{"login":"admin","password":"secret"}`).want(200).at("data", "access_token").(string)
			conn, _ := g.watch("Authorization", "Bearer "+g.admin)
			if conn == nil {
				t.Fatal("no live stream")
			}
			const requests = 200
			for range requests {
				g.asAdmin("GET", "/api/v1/ping", "").want(200)
			}
			began := time.Now()
			cancel()
			if err := errors.Join(<-served, a.Close(context.Background())); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("the end took %s", took)
			}
			http.DefaultClient.CloseIdleConnections()

			again, err := Open(context.Background(), cfg, slog.New(slog.DiscardHandler), "test")
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := again.Close(context.Background()); err != nil {
					t.Error(err)
				}
			}()
			for sql, want := range map[string]string{
				`select count(*) from gateway_log where path = '/api/v1/ping' and status = 200`:                             "200",
				`select sum(n2xx) from gateway_traffic_endpoint where level = 2 and caller = '*' and endpoint like '%ping'`: "200",
				`select count(*) from gateway_log where status = 101`:                                                       "1",
			} {
				got, err := stored(again, sql)
				if err != nil || len(got) != 1 || !strings.HasPrefix(got[0], want) {
					t.Errorf("%s: %v %v", sql, got, err)
				}
			}
		})
	}
}

// TestLogIsForAdministrators: it is read through the routes for any model, and
// changed by nobody.
func TestLogIsForAdministrators(t *testing.T) {
	onStores(t, func(t *testing.T, g *gate) {
		key := g.asAdmin("POST", "/api/v1/gateway.key", `{"name":"k","user_id":2,"scopes":"read,write,delete"}`).want(201).at("data", "key").(string)
		g.asAdmin("GET", "/api/v1/res.partner/4711", "").want(404)
		if err := g.app.Traffic.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		list := g.asAdmin("GET", `/api/v1/gateway.log?domain=[["status",">=",400]]&order=id+desc&limit=5`, "").want(200)
		first, _ := list.at("data").([]any)
		if len(first) != 1 {
			t.Fatalf("%s", list.raw)
		}
		row, _ := first[0].(map[string]any)
		if row["path"] != "/api/v1/res.partner/4711" || row["status"] != 404.0 || row["caller"] != "user:2" || row["login"] != "admin" ||
			row["error_type"] != "not_found" || row["credential"] != "jwt" || row["level"] != "errors" || row["model"] != "res.partner" ||
			row["user_id"].(map[string]any)["id"] != 2.0 || !strings.Contains(row["steps"].(string), `"handle"`) {
			t.Errorf("%s", list.raw)
		}
		one := "/api/v1/gateway.log/" + jsonNumber(row["id"].(float64))
		g.asAdmin("GET", one, "").want(200)
		g.asAdmin("PATCH", one, `{"path":"x"}`).want(403)
		g.asAdmin("DELETE", one, "").want(403)
		if status := g.asAdmin("POST", "/api/v1/gateway.log", `{"path":"x"}`).status; status != 403 && status != 405 {
			t.Errorf("created: %d", status)
		}
		g.send("GET", "/api/v1/gateway.log", "", "X-API-Key", key).want(403)
		g.send("GET", one, "", "X-API-Key", key).want(403)

		// The level of a profile wins over the global one.
		g.asAdmin("POST", "/api/v1/gateway.profile", `{"name":"p","user_id":2,"log_level":"full"}`).want(201)
		g.asAdmin("POST", "/api/v1/res.partner?fields=name", `{"name":"Logged"}`).want(201)
		if err := g.app.Traffic.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		full := g.asAdmin("GET", `/api/v1/gateway.log?domain=[["level","=","full"],["status","=",201]]&fields=request_body,response_body`, "").want(200)
		if !strings.Contains(full.raw, `{\"name\":\"Logged\"}`) || !strings.Contains(full.raw, `\"success\":true`) {
			t.Errorf("%s", full.raw)
		}
	})
}
