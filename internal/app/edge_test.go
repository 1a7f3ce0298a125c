package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/config"
)

// edge is a server on a real socket, for what only shows on the wire.
type edge struct {
	t     *testing.T
	app   *App
	addr  string
	key   string // of an administrator, with all scopes
	token string
}

// newEdge serves an app; change may alter its configuration.
func newEdge(t *testing.T, change func(*config.Config)) *edge {
	t.Helper()
	cfg := config.Default()
	cfg.Store.DataDir, cfg.Store.AdminPassword, cfg.Server.Listen = t.TempDir(), "secret", "127.0.0.1:0"
	cfg.Server.MaxBody = 4096
	if change != nil {
		change(cfg)
	}
	ctx, cancel := context.WithCancel(context.Background())
	a, err := Open(ctx, cfg, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Settings.Set(ctx, map[string]any{"global_rate_limit": 0}); err != nil {
		t.Fatal(err)
	}
	ready, served := make(chan net.Addr, 1), make(chan error, 1)
	go func() { served <- a.Serve(ctx, func(addr net.Addr) { ready <- addr }) }()
	e := &edge{t: t, app: a}
	select {
	case addr := <-ready:
		e.addr = addr.String()
	case err := <-served:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	_, body := e.ask("POST", "/api/v1/auth/login", `{"login":"admin","password":"secret"}`)
	e.token, _ = body["data"].(map[string]any)["access_token"].(string)
	_, body = e.ask("POST", "/api/v1/gateway.key", `{"name":"edge","user_id":2,"scopes":"admin"}`, "Authorization: Bearer "+e.token)
	e.key, _ = body["data"].(map[string]any)["key"].(string)
	if len(e.key) != 64 {
		t.Fatalf("no key: %v", body)
	}
	return e
}

// raw sends bytes as they are and gives the first answer; nil if the server
// closes the connection without one.
func (e *edge) raw(request string) (answer *onTheWire, body string) {
	e.t.Helper()
	conn, err := net.DialTimeout("tcp", e.addr, 5*time.Second)
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	go func() { _, _ = io.WriteString(conn, request) }() // the server may answer before it has read all
	got, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil, err.Error()
	}
	text, _ := io.ReadAll(got.Body)
	_ = got.Body.Close()
	return &onTheWire{got.StatusCode, got.Header}, string(text)
}

// onTheWire is an answer without its body.
type onTheWire struct {
	StatusCode int
	Header     http.Header
}

// written is a request with these header lines.
func written(first, body string, headers ...string) string {
	lines := append([]string{first, "Host: gatehouse.test", "Connection: close"}, headers...)
	if body != "" {
		lines = append(lines, fmt.Sprintf("Content-Length: %d", len(body)), "Content-Type: application/json")
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

// ask sends a well-formed request and decodes the envelope.
func (e *edge) ask(method, path, body string, headers ...string) (int, map[string]any) {
	e.t.Helper()
	answer, text := e.raw(written(method+" "+path+" HTTP/1.1", body, headers...))
	if answer == nil {
		e.t.Fatalf("%s %s: %s", method, path, text)
	}
	var decoded map[string]any
	if err := json.Unmarshal([]byte(text), &decoded); err != nil {
		e.t.Fatalf("%s %s: %d %q", method, path, answer.StatusCode, text)
	}
	return answer.StatusCode, decoded
}

// leaks are parts of what a caller must never see.
func leaks() []string {
	return []string{"goroutine", ".go:", "runtime.", "SELECT", "select ", "sqlite", "SQLSTATE", "/internal/", "panic", "gatehouse_key", "gatehouse.db"}
}

// expect is a request as bytes and the statuses it may get.
type expect struct {
	name, request string
	statuses      []int
	part          string // of the body
}

// run sends each and holds what is true of every answer.
func (e *edge) run(tests []expect) {
	e.t.Helper()
	for _, test := range tests {
		answer, body := e.raw(test.request)
		if answer == nil {
			e.t.Errorf("%s: no answer: %s", test.name, body)
			continue
		}
		fits := false
		for _, status := range test.statuses {
			fits = fits || status == answer.StatusCode
		}
		if !fits || !strings.Contains(body, test.part) {
			e.t.Errorf("%s: %d %.300q, want %v with %q", test.name, answer.StatusCode, body, test.statuses, test.part)
		}
		if (answer.StatusCode == http.StatusUnauthorized) != (answer.Header.Get("WWW-Authenticate") != "") {
			e.t.Errorf("%s: %d with WWW-Authenticate %q", test.name, answer.StatusCode, answer.Header.Get("WWW-Authenticate"))
		}
		for _, leak := range leaks() {
			if strings.Contains(body, leak) || strings.Contains(fmt.Sprint(answer.Header), leak) {
				e.t.Errorf("%s: the answer tells of %q: %.300q", test.name, leak, body)
			}
		}
		for name := range answer.Header {
			if strings.HasPrefix(strings.ToLower(name), "x-evil") {
				e.t.Errorf("%s: the caller wrote a header of the answer: %v", test.name, answer.Header)
			}
		}
	}
	if status, _ := e.ask("GET", "/api/v1/ping", "", "X-API-Key: "+e.key); status != 200 {
		e.t.Errorf("afterwards a good request is answered %d", status)
	}
}
