package app

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// ping asks with a key over the wire.
func (e *wire) ping(key string) reply {
	e.Helper()
	return e.raw("GET /api/v1/ping HTTP/1.1\r\nHost: x\r\nX-API-Key: " + key + "\r\n\r\n")
}

// wantLimit holds an answer to a limit, "" for none.
func (e *wire) wantLimit(what string, r reply, status int, limit string) {
	e.Helper()
	if got := r.header.Get("RateLimit-Limit"); r.status != status || got != limit {
		e.Errorf("%s: %d of limit %q, want %d of %q", what, r.status, got, status, limit)
	}
}

// TestExactlyTheLimitPasses: of many requests at once as many as the limit
// says, whichever comes first, and the refused ones are told all of it.
func TestExactlyTheLimitPasses(t *testing.T) {
	e := openWire(t)
	admin := e.admin()
	for _, window := range []string{"minute", "hour", "day"} {
		key := admin.do("POST", "gateway.key", fmt.Sprintf(`{"name":"k","user_id":2,"scopes":"read","limit_%s":7}`, window), 201)["data"].(map[string]any)["key"].(string)
		var passed atomic.Int64
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				r := e.ping(key)
				e.wantLimit(window, r, r.status, "7")
				if r.status == http.StatusOK {
					passed.Add(1)
					return
				}
				wait, err := strconv.Atoi(r.header.Get("Retry-After"))
				reset, _ := strconv.Atoi(r.header.Get("RateLimit-Reset"))
				if err != nil || wait < 1 || reset < 1 || r.header.Get("RateLimit-Remaining") != "0" || r.status != 429 ||
					!strings.Contains(r.body, `"Rate limit exceeded. Max 7 requests per `+window+`"`) {
					t.Errorf("%s: %d %v %s", window, r.status, r.header, r.body)
				}
				e.wellFormed("429", r)
			})
		}
		if all.Wait(); passed.Load() != 7 {
			t.Errorf("%s: %d of 30 passed, want 7", window, passed.Load())
		}
	}
}

func (e *wire) admin() person {
	e.Helper()
	handler, err := e.app.Handler()
	if err != nil {
		e.Fatal(err)
	}
	unlimited(e.T, e.app)
	return login(e.T, handler, "admin", "secret")
}

// TestWhoseLimitHolds: the key's own before the profile's before the global
// one, each from the next request on; with none there are no headers.
func TestWhoseLimitHolds(t *testing.T) {
	e := openWire(t)
	admin := e.admin()
	made := admin.do("POST", "gateway.key", `{"name":"k","user_id":2,"scopes":"read"}`, 201)["data"].(map[string]any)
	key, row := made["key"].(string), fmt.Sprintf("gateway.key/%v", made["id"])
	e.wantLimit("nothing", e.ping(key), 200, "")
	e.wantLimit("nothing, nobody", e.raw("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 200, "")
	admin.do("PATCH", "settings", `{"global_rate_limit":1000}`, 200)
	e.wantLimit("global", e.ping(key), 200, "1000")
	admin.do("POST", "gateway.profile", `{"name":"p","user_id":2,"limit_minute":500}`, 201)
	e.wantLimit("the profile's", e.ping(key), 200, "500")
	admin.do("PATCH", row, `{"limit_minute":300}`, 200)
	e.wantLimit("its own", e.ping(key), 200, "300")
	admin.do("PATCH", row, `{"limit_minute":1}`, 200)
	e.wantLimit("lowered below what was used", e.ping(key), 429, "1")
	admin.do("PATCH", row, `{"limit_minute":0}`, 200)
	e.wantLimit("none of its own", e.ping(key), 200, "500")
	admin.do("PATCH", "settings", `{"global_rate_limit":2}`, 200)
	e.raw("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	e.raw("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
	e.wantLimit("an address without a caller", e.raw("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\nX-Real-IP: 192.0.2.2\r\nForwarded: for=192.0.2.3\r\n\r\n"), 429, "2")
	for _, probe := range []string{"GET /healthz", "HEAD /readyz", "OPTIONS /api/v1/ping"} {
		if r := e.raw(probe + " HTTP/1.1\r\nHost: x\r\n\r\n"); r.status >= 300 || r.header.Get("RateLimit-Limit") != "" {
			t.Errorf("%s is limited: %d", probe, r.status)
		}
	}
}

// TestNoWayAroundABlock: a blocked address gets nowhere by another method,
// route, protocol or header, also on a connection that was open before, and a
// claimed address is not blocked in its place.
func TestNoWayAroundABlock(t *testing.T) {
	e := openWire(t)
	err := e.app.Settings.Set(t.Context(), map[string]any{"autoblock_violations": 3, "autoblock_window_minutes": 1, "autoblock_minutes": 5, "global_rate_limit": 0})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		e.raw("GET /api/v1/ping HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.7\r\nForwarded: for=192.0.2.7\r\nX-API-Key: " + strings.Repeat("x", 64) + "\r\n\r\n")
	}
	for _, line := range []string{
		"GET /api/v1/ping HTTP/1.1", "HEAD /api/v1/ping HTTP/1.1", "GET /api/v1/ping HTTP/1.0", "get /api/v1/ping HTTP/1.1", "OPTIONS /nothing HTTP/1.1",
		"OPTIONS * HTTP/1.1", "TRACE / HTTP/1.1", "GET / HTTP/1.1", "GET /nothing HTTP/1.1", "POST /api/v1/auth/login HTTP/1.1",
		"POST /api/oauth/token HTTP/1.1", "GET http://elsewhere/api/v1/ping HTTP/1.1", "GET //healthz HTTP/1.1",
		"GET /api/v1/ping HTTP/1.1\r\nX-Forwarded-For: 192.0.2.7", "GET /api/v1/ping HTTP/1.1\r\nX-Real-IP: 192.0.2.7\r\nForwarded: for=192.0.2.7",
	} {
		if r := e.raw(line + "\r\n" + auth + "Content-Length: 0\r\n\r\n"); r.status != 403 || r.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", line, r.status, r.body)
		}
	}
	if r := e.raw("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); r.status != 200 {
		t.Errorf("a probe: %d", r.status)
	}
}
