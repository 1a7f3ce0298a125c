package app

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// watch connects to the live stream, or gives the status that refused it.
func (g *gate) watch(headers ...string) (conn *websocket.Conn, status int) {
	g.t.Helper()
	h := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, res, err := websocket.Dial(ctx, strings.Replace(g.url, "http", "ws", 1)+"/api/v1/telemetry/live", &websocket.DialOptions{HTTPHeader: h})
	if err != nil {
		if res == nil {
			g.t.Fatal(err)
		}
		status = res.StatusCode
		_ = res.Body.Close()
		return nil, status
	}
	return conn, http.StatusSwitchingProtocols
}

// frame reads frames until one of a type comes.
func (g *gate) frame(conn *websocket.Conn, kind string, ok func(map[string]any) bool) map[string]any {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			g.t.Fatalf("waiting for %s: %v", kind, err)
		}
		var frame map[string]any
		if err := json.Unmarshal(data, &frame); err != nil {
			g.t.Fatalf("%s: %v", data, err)
		}
		if frame["type"] == kind && (ok == nil || ok(frame)) {
			return frame
		}
	}
}

func TestLive(t *testing.T) {
	onStores(t, func(t *testing.T, g *gate) {
		g.app.Traffic.Start(context.Background())
		bearer := "Bearer " + g.admin
		key := g.asAdmin("POST", "/api/v1/gateway.key", `{"name":"k","user_id":2,"scopes":"read"}`).want(201).at("data", "key").(string)
		for what, test := range map[string]struct {
			headers []string
			want    int
		}{
			"nobody": {nil, 401}, "no administrator": {[]string{"X-API-Key", key}, 403},
			"another origin": {[]string{"Authorization", bearer, "Origin", "https://evil.example.com"}, 403},
			"no origin":      {[]string{"Authorization", bearer, "Origin", "null"}, 403},
		} {
			if conn, status := g.watch(test.headers...); conn != nil || status != test.want {
				t.Errorf("%s: %d", what, status)
			}
		}
		g.asAdmin("GET", "/api/v1/telemetry/live", "").want(400)
		g.send("GET", "/api/v1/telemetry/live?access_token="+g.admin, "").want(401)

		conn, status := g.watch("Authorization", bearer, "Origin", g.url)
		if conn == nil {
			t.Fatalf("refused: %d", status)
		}
		g.frame(conn, "hello", nil)
		g.asAdmin("GET", "/api/v1/res.partner/4711?domain=x", "").want(400)
		fault := g.frame(conn, "fault", nil)["fault"].(map[string]any)
		if fault["status"] != 400.0 || fault["path"] != "/api/v1/res.partner/4711" || fault["caller"] != "user:2" || fault["login"] != "admin" || fault["error_message"] == "" {
			t.Errorf("fault: %v", fault)
		}
		tick := g.frame(conn, "tick", func(f map[string]any) bool { return f["errors"] != 0.0 })
		if tick["errors"].(float64) < 1 || tick["mean_ms"] == nil || tick["error_rate"] == nil || tick["rps"] == 0.0 {
			t.Errorf("tick: %v", tick)
		}
		if log := g.asAdmin("GET", "/api/v1/telemetry", "").want(200); log.at("data", "kpis", "total_requests").(float64) < 5 {
			t.Errorf("%s", log.raw)
		}

		// Whoever is no longer allowed is cut off.
		g.asAdmin("POST", "/api/v1/auth/logout", "{}").want(200)
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		for {
			if _, _, err := conn.Read(ctx); err != nil {
				if websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
					t.Errorf("ended with %v", err)
				}
				break
			}
		}

		// The end of the server is the end of the stream.
		login := g.send("POST", "/api/v1/auth/login", `{"login":"admin","password":"secret"}`).want(200)
		bearer = "Bearer " + login.at("data", "access_token").(string)
		if conn, _ = g.watch("Authorization", bearer); conn == nil {
			t.Fatal("refused without an origin")
		}
		g.frame(conn, "hello", nil)
		g.app.Traffic.Drain()
		for {
			if _, _, err := conn.Read(ctx); err != nil {
				if websocket.CloseStatus(err) != websocket.StatusGoingAway {
					t.Errorf("ended with %v", err)
				}
				break
			}
		}
		if conn, status := g.watch("Authorization", bearer); conn != nil || status != http.StatusServiceUnavailable {
			t.Error("a server that stops admits watchers")
		}
	})
}

func TestMetrics(t *testing.T) {
	g := openGate(t, "sqlite", nil)
	g.asAdmin("GET", "/api/v1/res.partner/4711", "").want(404)
	g.send("GET", "/metrics", "").want(401)
	r, _ := http.NewRequest(http.MethodGet, g.url+"/metrics", nil)
	r.Header.Set("Authorization", "Bearer "+g.admin)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var text strings.Builder
	if _, err := copyTo(&text, res); err != nil || res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Fatalf("%d %v %v", res.StatusCode, res.Header, err)
	}
	for _, line := range []string{
		`gatehouse_requests_total{method="GET",route="/api/v1/{model}/{id}",status="4xx"} 1`,
		`gatehouse_requests_total{method="GET",route="/metrics",status="4xx"} 1`, "gatehouse_log_dropped_total 0",
	} {
		if !strings.Contains(text.String(), line+"\n") {
			t.Errorf("no %s in\n%s", line, text.String())
		}
	}
}

func copyTo(into *strings.Builder, res *http.Response) (int64, error) { return io.Copy(into, res.Body) }
