package app

import (
	"bytes"
	"context"
	"encoding/base64"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gatehouse/internal/config"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// lockedBuffer is written by many.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// openTalkative is openGate with all that the process logs, and the traffic
// log at its fullest.
func openTalkative(t *testing.T, store string) (*gate, *lockedBuffer, *collector) {
	t.Helper()
	log, spans := &lockedBuffer{}, collect(t)
	cfg := config.Default()
	cfg.Store.DataDir, cfg.Store.AdminPassword = filepath.Join(t.TempDir(), "data"), "first-Admin-Pass"
	cfg.Trace.Endpoint, cfg.Trace.Headers = config.PublicURL(spans.URL), "X-Collector-Key="+collectorKey
	if store == "postgres" {
		_, where := sqltest.Postgres(t)
		cfg.Store.DatabaseURL = config.DatabaseURL(where)
	}
	a, err := Open(context.Background(), cfg, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := a.Settings.Set(context.Background(), map[string]any{"global_rate_limit": 0, "log_level": "full"}); err != nil {
		t.Fatal(err)
	}
	handler, err := a.Handler()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &gate{t: t, app: a, url: server.URL}, log, spans
}

// TestNoSecretIsKept uses every kind of credential in every way that people do,
// right and wrong, and then looks for each of them in all that is kept.
func TestNoSecretIsKept(t *testing.T) {
	for _, store := range sqltest.Dialects() {
		t.Run(store, func(t *testing.T) { noSecretIsKept(t, store) })
	}
}

func noSecretIsKept(t *testing.T, store string) {
	g, log, spans := openTalkative(t, store)
	secrets := map[string]string{"password": "first-Admin-Pass", "wrong password": "Wrong-Pass-4711", "new password": "new-Pass-word-1"}
	login := g.send("POST", "/api/v1/auth/login", `{"login":"admin","password":"first-Admin-Pass"}`).want(200)
	secrets["access token"], _ = login.at("data", "access_token").(string)
	secrets["refresh token"], _ = login.at("data", "refresh_token").(string)
	g.admin = secrets["access token"]
	again := g.send("POST", "/api/v1/auth/refresh", `{"refresh_token":"`+secrets["refresh token"]+`"}`).want(200)
	secrets["second access token"], _ = again.at("data", "access_token").(string)
	secrets["second refresh token"], _ = again.at("data", "refresh_token").(string)
	session := g.send("POST", "/api/v1/auth/session", `{"login":"admin","password":"first-Admin-Pass"}`, "Origin", g.url).want(200)
	secrets["session"], _, _ = strings.Cut(strings.SplitN(session.header.Get("Set-Cookie"), "=", 2)[1], ";")
	secrets["key"], _ = g.asAdmin("POST", "/api/v1/gateway.key", `{"name":"k","user_id":2,"scopes":"admin"}`).want(201).at("data", "key").(string)
	client := g.asAdmin("POST", "/api/v1/gateway.client", `{"name":"c","user_id":2,"scopes":"read"}`).want(201)
	id, _ := client.at("data", "client_id").(string)
	secrets["client secret"], _ = client.at("data", "secret").(string)
	secrets["webhook secret"], _ = g.asAdmin("POST", "/api/v1/gateway.webhook",
		`{"name":"w","model":"res.partner","url":"https://hooks.example.com/x"}`).want(201).at("data", "secret").(string)
	secrets["user key"], _ = g.asAdmin("POST", "/api/v1/res.users.apikeys", `{"name":"script","duration":"30"}`).want(201).at("data", "key").(string)
	secrets["client token"], _ = g.send("POST", "/api/oauth/token", grant+"&client_id="+id+"&client_secret="+secrets["client secret"]).want(200).body["access_token"].(string)
	g.send("POST", "/api/oauth/token", grant, "Authorization", basic(id, secrets["client secret"])).want(200)
	secrets["basic"] = base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + url.QueryEscape(secrets["client secret"])))

	g.send("GET", "/api/v1/ping", "", "Cookie", "gatehouse_session="+secrets["session"])
	g.send("POST", "/api/oauth/introspect", "token="+secrets["client token"], "Authorization", basic(id, secrets["client secret"]))
	g.send("POST", "/api/oauth/revoke", "token="+secrets["client token"]+"&client_id="+id+"&client_secret="+secrets["client secret"])
	g.send("POST", "/api/oauth/token", grant+"&client_assertion_type=x&client_assertion="+secrets["access token"])
	g.send("POST", "/api/v1/auth/login", `{"login":"admin","password":"Wrong-Pass-4711"}`).want(401)
	g.send("POST", "/api/v1/auth/login", `{"login":"admin","password":"Wrong-Pass-4711"`)
	g.send("POST", "/api/v1/auth/login", `{"login":"x","password":["Wrong-Pass-4711"]}`)
	g.asAdmin("PATCH", "/api/v1/res.users/2", `{"password":"new-Pass-word-1"}`)
	for name, secret := range secrets {
		if len(secret) < 12 {
			t.Fatalf("there is no %s: %q", name, secret)
		}
		if strings.Contains(name, "password") || name == "basic" || name == "session" {
			continue
		}
		g.send("GET", "/api/v1/ping", "", "X-API-Key", secret)
		g.send("GET", "/api/v1/ping", "", "Authorization", "Bearer "+secret)
		g.send("GET", "/api/v1/ping", "", "Authorization", "Bearer 2$"+secret)
		g.send("GET", "/api/v1/ping", "", "Authorization", secret)
		g.send("GET", "/api/v1/ping?access_token="+url.QueryEscape(secret), "", "X-API-Key", secrets["key"])
		g.send("GET", "/api/v1/ping?x="+url.QueryEscape(secret), "", "X-API-Key", secrets["key"])
		g.send("GET", "/api/v1/"+url.PathEscape(secret)+"/1", "", "X-API-Key", secrets["key"])
		g.send("GET", "/api/v1/res.partner", "", "X-API-Key", secrets["key"], "User-Agent", "curl/8 "+secret, "X-Anything", secret, "Referer", "https://x/?token="+secret)
		g.send("GET", "/api/v1/res.partner?domain="+url.QueryEscape(`[["name","=","`+secret+`"]]`), "", "X-API-Key", secrets["key"])
		g.send("GET", "/api/v1/res.partner?order="+url.QueryEscape(secret), "", "X-API-Key", secrets["key"])
		g.send("POST", "/api/v1/res.partner", `{"name":"x","comment":"`+secret+`","`+secret+`":1}`, "X-API-Key", secrets["key"])
		g.send("POST", "/api/v1/res.partner", `{"name":"x","token":"`+secret, "X-API-Key", secrets["key"])
		g.send("POST", "/api/v1/res.partner", `{"name":"`+strings.Repeat("x ", 8190)+secret+`"}`, "X-API-Key", secrets["key"])
	}
	useOdooSecrets(t, g.url, secrets)
	if err := g.app.Traffic.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	g.app.tracer.Close(context.Background())
	kept := map[string]string{"process log": log.String(), "spans": spans.text()}
	if n := len(spans.all()); n < 50 {
		t.Errorf("only %d spans were sent", n)
	}
	metrics, _ := g.app.Traffic.Metrics(context.Background())
	kept["metrics"] = string(metrics)
	for _, table := range []string{"gateway_log", "gateway_traffic_endpoint", "gateway_traffic"} {
		columns, n := []string{}, 0
		err := g.app.DB.Read(context.Background(), func(q sqldb.Querier) (err error) {
			if columns, err = sqldb.TableColumns(context.Background(), q, table); err != nil {
				return err
			}
			return q.Query(context.Background(), "select "+strings.Join(columns, ", ")+" from "+table, nil, func(r sqldb.Row) error {
				n++
				for i, column := range columns {
					kept[table+"."+column] += r.Text(i) + "\n"
				}
				return nil
			})
		})
		if err != nil || n < 5 {
			t.Fatalf("%s: %d rows, %v", table, n, err)
		}
	}
	secrets["key for the collector"] = collectorKey // nobody sent that one
	for where, text := range kept {
		for name, secret := range secrets {
			if at := strings.Index(text, secret[:min(len(secret), 20)]); at >= 0 {
				t.Errorf("%s holds the %s: %q", where, name, text[max(at-60, 0):min(at+60, len(text))])
			}
		}
	}
	for _, want := range []string{"**********", `"password":"**********"`} {
		if !strings.Contains(kept["gateway_log.request_body"], want) {
			t.Errorf("no body with %s was kept", want)
		}
	}
}
