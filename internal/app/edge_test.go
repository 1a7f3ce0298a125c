package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

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

// newEdge serves an app that does not limit callers; change may alter its
// configuration.
func newEdge(t *testing.T, change func(*config.Config)) *edge {
	t.Helper()
	a, addr := serve(t, func(cfg *config.Config) {
		cfg.Server.MaxBody = 4096
		if change != nil {
			change(cfg)
		}
	})
	if err := a.Settings.Set(t.Context(), map[string]any{"global_rate_limit": 0}); err != nil {
		t.Fatal(err)
	}
	e := &edge{t: t, app: a, addr: addr}
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
func (e *edge) raw(request string) *reply {
	e.t.Helper()
	r, err := exchange(e.t, e.addr, request)
	if err != nil && r.status == 0 {
		return nil
	}
	return &r
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
	r := e.raw(written(method+" "+path+" HTTP/1.1", body, headers...))
	if r == nil {
		e.t.Fatalf("%s %s: no answer", method, path)
	}
	var decoded map[string]any
	if err := json.Unmarshal([]byte(r.body), &decoded); err != nil {
		e.t.Fatalf("%s %s: %d %q", method, path, r.status, r.body)
	}
	return r.status, decoded
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
		r := e.raw(test.request)
		if r == nil {
			e.t.Errorf("%s: no answer", test.name)
			continue
		}
		if !slices.Contains(test.statuses, r.status) || !strings.Contains(r.body, test.part) {
			e.t.Errorf("%s: %d %.300q, want %v with %q", test.name, r.status, r.body, test.statuses, test.part)
		}
		if (r.status == http.StatusUnauthorized) != (r.header.Get("WWW-Authenticate") != "") {
			e.t.Errorf("%s: %d with WWW-Authenticate %q", test.name, r.status, r.header.Get("WWW-Authenticate"))
		}
		if leak := leakage.FindString(r.body + fmt.Sprint(r.header)); leak != "" {
			e.t.Errorf("%s: the answer tells of %q: %.300q", test.name, leak, r.body)
		}
		for name := range r.header {
			if strings.HasPrefix(strings.ToLower(name), "x-evil") {
				e.t.Errorf("%s: the caller wrote a header of the answer: %v", test.name, r.header)
			}
		}
	}
	if status, _ := e.ask("GET", "/api/v1/ping", "", "X-API-Key: "+e.key); status != 200 {
		e.t.Errorf("afterwards a good request is answered %d", status)
	}
}
