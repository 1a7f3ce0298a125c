package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/identity"
)

// wire is the app behind a real socket, with the limits that it is served with.
type wire struct {
	*testing.T
	app  *App
	addr string
	key  string
}

func openWire(t *testing.T) *wire {
	t.Helper()
	a, addr := serve(t, nil)
	key, _, err := a.CreateKey(t.Context(), identity.KeySpec{UserID: 2, Name: "wire", Scopes: "read,write,delete"})
	if err != nil {
		t.Fatal(err)
	}
	return &wire{T: t, app: a, addr: addr, key: key}
}

// raw sends bytes as they are and reads one answer. {key} stands for a good key.
func (e *wire) raw(request string) reply {
	e.Helper()
	r, err := exchange(e.T, e.addr, strings.ReplaceAll(request, "{key}", e.key))
	if err != nil {
		e.Fatalf("%.80q: %v", request, err)
	}
	return r
}

// wellFormed holds an answer of the handler to what all have in common.
func (e *wire) wellFormed(what string, r reply) {
	e.Helper()
	h := r.header
	if h.Get("X-Request-Id") == "" || h.Get("X-Content-Type-Options") != "nosniff" {
		e.Errorf("%.80q: headers %v", what, h)
	}
	if r.status != http.StatusNoContent && h.Get("Content-Type") != "application/json; charset=utf-8" {
		e.Errorf("%.80q: Content-Type %q", what, h.Get("Content-Type"))
	}
	if r.body != "" && !json.Valid([]byte(r.body)) || leakage.MatchString(r.body) {
		e.Errorf("%.80q: answers %s", what, r.body)
	}
	if challenged := h.Get("WWW-Authenticate") != ""; challenged != (r.status == http.StatusUnauthorized) {
		e.Errorf("%.80q: %d with WWW-Authenticate %q", what, r.status, h.Get("WWW-Authenticate"))
	}
}

const auth = "Host: x\r\nX-API-Key: {key}\r\n"

// TestAttacksOnTheWire: requests that net/http's own client would not send.
// Where the server itself refuses, the handler never sees the request, and its
// plain answer says nothing.
func TestAttacksOnTheWire(t *testing.T) {
	e := openWire(t)
	if err := e.app.Settings.Set(t.Context(), map[string]any{"global_rate_limit": 100000}); err != nil {
		t.Fatal(err)
	}
	const ours, servers = true, false
	for _, test := range []struct {
		name, request string
		want          int
		ours          bool
	}{
		{"good", "GET /api/v1/ping HTTP/1.1\r\n" + auth + "\r\n", 200, ours},
		{"HTTP/1.0", "GET /api/v1/ping HTTP/1.0\r\nX-API-Key: {key}\r\n\r\n", 200, ours},
		{"absolute form", "GET http://elsewhere/api/v1/ping HTTP/1.1\r\n" + auth + "\r\n", 200, ours},
		{"key and token", "GET /api/v1/ping HTTP/1.1\r\n" + auth + "Authorization: Bearer x\r\n\r\n", 400, ours},
		{"key and empty token", "GET /api/v1/ping HTTP/1.1\r\n" + auth + "Authorization:\r\n\r\n", 400, ours},
		{"two keys", "GET /api/v1/ping HTTP/1.1\r\n" + auth + "x-api-key: {key}\r\n\r\n", 401, ours},
		{"joined keys", "GET /api/v1/ping HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}, {key}\r\n\r\n", 401, ours},
		{"two tokens", "GET /api/v1/ping HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 401, ours},
		{"joined tokens", "GET /api/v1/ping HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a, Bearer b\r\n\r\n", 401, ours},
		{"folded token", "GET /api/v1/ping HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer\r\n a\r\n\r\n", 401, ours},
		{"folded key", "GET /api/v1/ping HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n {key}\r\n\r\n", 401, ours},
		{"underscores", "GET /api/v1/ping HTTP/1.1\r\nHost: x\r\nX_API_Key: {key}\r\n\r\n", 401, ours},
		{"space before colon", "GET /api/v1/ping HTTP/1.1\r\nHost: x\r\nX-API-Key : {key}\r\n\r\n", 400, servers},
		{"NUL in a header", "GET /api/v1/ping HTTP/1.1\r\n" + auth + "X-Request-Id: a\x00b\r\n\r\n", 400, servers},
		{"two hosts", "GET /api/v1/ping HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, servers},
		{"no host", "GET /api/v1/ping HTTP/1.1\r\n\r\n", 400, servers},
		{"junk host", "GET /api/v1/ping HTTP/1.1\r\nHost: a b<script>\r\n\r\n", 400, servers},
		{"two lengths", "POST /api/v1/res.partner HTTP/1.1\r\n" + auth + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", 400, servers},
		{"negative length", "POST /api/v1/res.partner HTTP/1.1\r\n" + auth + "Content-Length: -1\r\n\r\n", 400, servers},
		{"unknown encoding", "POST /api/v1/res.partner HTTP/1.1\r\n" + auth + "Transfer-Encoding: xchunked\r\n\r\n", 501, servers},
		{"two encodings", "POST /api/v1/res.partner HTTP/1.1\r\n" + auth + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 501, servers},
		{"bad chunk", "POST /api/v1/res.partner HTTP/1.1\r\n" + auth + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, ours},
		{"huge header", "GET /api/v1/ping HTTP/1.1\r\n" + auth + "X-Big: " + strings.Repeat("a", 100<<10) + "\r\n\r\n", 431, servers},
		{"many headers", "GET /api/v1/ping HTTP/1.1\r\n" + auth + strings.Repeat("X-A: b\r\n", 20000) + "\r\n", 431, servers},
		{"lower-case method", "get /api/v1/ping HTTP/1.1\r\n" + auth + "\r\n", 405, ours},
		{"TRACE", "TRACE /api/v1/ping HTTP/1.1\r\n" + auth + "\r\n", 405, ours},
		{"CONNECT", "CONNECT elsewhere:443 HTTP/1.1\r\n" + auth + "\r\n", 405, ours},
		{"override", "GET /api/v1/res.partner/1 HTTP/1.1\r\n" + auth + "X-HTTP-Method-Override: DELETE\r\nX-HTTP-Method: DELETE\r\n\r\n", 200, ours},
		{"override by parameter", "POST /api/v1/res.partner/1?_method=DELETE HTTP/1.1\r\n" + auth + "Content-Length: 0\r\n\r\n", 405, ours},
		{"dots", "GET /api/v1/../v1/ping HTTP/1.1\r\n" + auth + "\r\n", 404, ours},
		{"encoded dots", "GET /api/v1/%2e%2e/v1/ping HTTP/1.1\r\n" + auth + "\r\n", 400, ours}, // a file "ping" of the record "v1" of a model ".."
		{"encoded slash", "GET /api/v1/res.partner%2f1 HTTP/1.1\r\n" + auth + "\r\n", 404, ours},
		{"NUL in the path", "GET /api/v1/res.partner%00 HTTP/1.1\r\n" + auth + "\r\n", 404, ours},
		{"CRLF in the path", "GET /api/v1/x%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\n" + auth + "\r\n", 404, ours},
		{"no UTF-8 in the path", "GET /nothing/%ff%fe HTTP/1.1\r\n" + auth + "\r\n", 404, ours},
		{"double slash", "GET //api/v1/ping HTTP/1.1\r\n" + auth + "\r\n", 404, ours},
		{"double slash inside", "GET /api/v1//res.partner HTTP/1.1\r\n" + auth + "\r\n", 404, ours},
		{"own model, encoded", "GET /api/v1/gateway%2ekey HTTP/1.1\r\n" + auth + "\r\n", 403, ours},
		{"own model, other case", "GET /api/v1/Gateway.key HTTP/1.1\r\n" + auth + "\r\n", 404, ours},
		{"bad escape", "GET /%zz HTTP/1.1\r\n" + auth + "\r\n", 400, servers},
		{"star", "OPTIONS * HTTP/1.1\r\n" + auth + "\r\n", 404, ours},
		{"bad body", "POST /api/v1/res.partner HTTP/1.1\r\n" + auth + "Content-Type: application/json\r\nContent-Length: 1\r\n\r\n{", 400, ours},
		{"wrong type", "POST /api/v1/res.partner HTTP/1.1\r\n" + auth + "Content-Type: text/xml\r\nContent-Length: 2\r\n\r\n{}", 415, ours},
		{"unprocessable", "POST /api/v1/res.partner HTTP/1.1\r\n" + auth + "Content-Type: application/json\r\nContent-Length: 30\r\n\r\n{\"name\":\"x\",\"parent_id\":98765}", 422, ours},
		{"declared too large", "POST /api/v1/res.partner HTTP/1.1\r\n" + auth + "Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{", 413, ours},
		{"expected too large", "POST /api/v1/res.partner HTTP/1.1\r\n" + auth + "Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n", 413, ours},
		{"other expectation", "POST /api/v1/res.partner HTTP/1.1\r\n" + auth + "Expect: nonsense\r\nContent-Length: 0\r\n\r\n", 417, servers},
		{"hostile id", "GET /api/v1/ping HTTP/1.1\r\n" + auth + "X-Request-Id: <a>\r\n\r\n", 200, ours},
		{"strange version", "GET /api/v1/ping HTTP/3.7\r\n" + auth + "\r\n", 505, servers},
	} {
		r := e.raw(test.request)
		if r.status != test.want {
			t.Errorf("%s: %d, want %d: %s", test.name, r.status, test.want, r.body)
		}
		if !test.ours {
			if leakage.MatchString(r.body) || r.header.Get("X-Request-Id") != "" {
				t.Errorf("%s: answers %v %s", test.name, r.header, r.body)
			}
			continue
		}
		e.wellFormed(test.name, r)
		if len(r.header["Ratelimit-Limit"]) != 1 || r.header.Get("Set-Cookie") != "" || r.header.Get("X-Request-Id") == "<a>" {
			t.Errorf("%s: headers %v", test.name, r.header)
		}
	}
}

// TestSmuggledRequest: a body that two servers would delimit differently is no
// second request. Of two statements of the length the chunks hold, and the
// connection ends there.
func TestSmuggledRequest(t *testing.T) {
	e := openWire(t)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", e.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, strings.ReplaceAll("POST /api/v1/nothing HTTP/1.1\r\n"+auth+
		"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "{key}", e.key))
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	all, _ := io.ReadAll(conn) // a reset is an end too
	if n := strings.Count(string(all), "HTTP/1.1 "); n != 1 {
		t.Errorf("%d answers: %s", n, all)
	}
}

// TestBodiesOverTheLimit: without a length the chunks are counted.
func TestBodiesOverTheLimit(t *testing.T) {
	e := openWire(t)
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 64<<10, strings.Repeat(" ", 64<<10))
	for _, line := range []string{"", "Expect: 100-continue\r\n"} {
		most := int(e.app.Config.Server.MaxBody)/(64<<10) + 2
		r := e.raw("POST /api/v1/res.partner HTTP/1.1\r\n" + auth + line + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" +
			strings.Repeat(chunk, most) + "0\r\n\r\n")
		if r.status != 413 || !r.closes {
			t.Errorf("%q: %d %v %s", line, r.status, r.header, r.body)
		}
		e.wellFormed("chunks", r)
	}
}

// TestHostileHost: what the metadata say of this server comes from a harmless
// Host header, or from none.
func TestHostileHost(t *testing.T) {
	e := openWire(t)
	for host, want := range map[string]int{
		"api.example.com": 200, "api.example.com:8443": 200, "[::1]:80": 200,
		"": 400, "a@evil.example": 400, "evil.example%2f": 400, "a,b": 400, "evil'": 400, "a;b": 400, "x:y:z": 400, "a:99999999": 400,
	} {
		r := e.raw("GET /.well-known/oauth-authorization-server HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
		if r.status != want || want != 200 && strings.Contains(r.body, "token_endpoint") {
			t.Errorf("Host %q: %d, want %d: %s", host, r.status, want, r.body)
		}
	}
}

// TestEveryMethodEverywhere: whatever the method, the answer is one of ours.
func TestEveryMethodEverywhere(t *testing.T) {
	e := openWire(t)
	if err := e.app.Settings.Set(t.Context(), map[string]any{"global_rate_limit": 0}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"/", "/healthz", "/readyz", "/nothing", "/api", "/api/v1", "/api/v1/", "/api/v1/ping", "/api/v1/auth/login",
		"/api/v1/auth/me", "/api/v1/settings", "/api/v1/products", "/api/v1/res.partner", "/api/v1/res.partner/1",
		"/api/v1/res.partner/1/copy", "/api/v1/nothing", "/api/oauth/token", "/.well-known/oauth-authorization-server",
	} {
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "PUT", "POST", "DELETE"} {
			for _, with := range []string{"Host: x\r\n", auth} {
				r := e.raw(method + " " + path + " HTTP/1.1\r\n" + with + "Content-Length: 0\r\n\r\n")
				if r.status >= 500 || method == "HEAD" && r.body != "" {
					t.Errorf("%s %s: %d %s", method, path, r.status, r.body)
				}
				if path == "/api/oauth/token" {
					continue // has challenges of its own
				}
				e.wellFormed(method+" "+path, r)
			}
		}
	}
}
