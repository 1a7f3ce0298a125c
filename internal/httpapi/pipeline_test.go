package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/fault"
)

// The order of the contract, with nothing in between.
var writtenOrder = []string{"receive", "identify", "authorize", "limit", "address", "route", "handle", "format", "log", "respond"}

// TestWrittenOrderIsExecuted watches every step run.
func TestWrittenOrderIsExecuted(t *testing.T) {
	h := newHouse(t)
	var ran []string
	for i := range h.server.steps {
		st := &h.server.steps[i]
		original := st.run
		st.run = func(s *Server, c *call) error {
			ran = append(ran, st.name)
			return original(s, c)
		}
	}
	h.send("all", "GET", "/api/v1/res.partner/1", "").want(200, "")
	if !slices.Equal(ran, writtenOrder) {
		t.Errorf("executed %v, want %v", ran, writtenOrder)
	}
	names := StepNames()
	if !slices.Equal(names[:], writtenOrder) {
		t.Errorf("named %v, want %v", names, writtenOrder)
	}

	ran = nil
	h.send("", "GET", "/api/v1/res.partner/1", "").want(401, "")
	if want := []string{"receive", "identify", "limit", "format", "log", "respond"}; !slices.Equal(ran, want) {
		t.Errorf("a refused request went through %v, want %v", ran, want)
	}
}

// TestStepsDecideInOrder sends requests that several steps would refuse: the
// earlier one must answer, but for the limit, which everybody counts against.
func TestStepsDecideInOrder(t *testing.T) {
	h := newHouse(t)
	h.settings.GlobalRateLimit = 1000
	h.send("", "GET", "/api/v1/no.such.model", "").wantError(401, fault.Unauthenticated, "Authentication required")
	h.send("wrong", "GET", "/api/v1/no/such/path/at/all", "").wantError(401, fault.Unauthenticated, "Invalid API key")
	h.send("", "BREW", "/api/v1/res.partner", "").wantError(401, fault.Unauthenticated, "Authentication required")
	h.send("read", "DELETE", "/api/v1/res.partner/abc", "").wantError(403, fault.Forbidden, "Missing scope: delete")
	h.send("far", "POST", "/api/v1/res.partner", "{").wantError(403, fault.Forbidden, "Missing scope: write")
	h.send("far", "GET", "/api/v1/res.partner/abc", "").wantError(403, fault.Forbidden, "This credential may not be used from 192.0.2.1")
	h.send("read", "GET", "/api/v1/no.such.model/abc", "").want(400, "")
	h.send("read", "GET", "/api/v1/no.such.model", "").want(404, "")

	h.settings.GlobalRateLimit = 1
	h.limiter.used = nil
	h.send("", "GET", "/api/v1/res.partner", "").want(401, "")
	h.send("", "GET", "/api/v1/res.partner", "").wantError(429, fault.RateLimited, "Rate limit exceeded. Max 1 requests per minute")
	h.send("far", "GET", "/api/v1/res.partner", "").want(403, "")
	h.send("far", "GET", "/api/v1/res.partner", "").want(429, "")
	if len(h.backend.log) != 1 {
		t.Errorf("refused requests reached the backend: %v", h.backend.log)
	}
}

func TestEventOfARequest(t *testing.T) {
	h := newHouse(t)
	h.send("read", "GET", "/api/v1/res.partner/1?fields=name", "", "X-Request-Id", "abc-1", "User-Agent", "test/1").want(200, "")
	e := h.events.last()
	if e.RequestID != "abc-1" || e.Method != http.MethodGet || e.Path != "/api/v1/res.partner/1" || e.Query != "fields=name" ||
		e.Route != "/api/v1/{model}/{id}" || e.Model != "res.partner" || e.Status != 200 || e.UserAgent != "test/1" ||
		e.UserID != 2 || e.Login != "ann" || e.Credential != "api_key" || e.CredentialID != 9 ||
		e.IP.String() != "192.0.2.1" || e.BytesOut == 0 || e.ErrorType != "" || e.Time.Format(time.RFC3339) != testMoment {
		t.Errorf("%+v", e)
	}
	var sum time.Duration
	for i, d := range e.Steps {
		sum += d
		if (d > 0) != (i < StepLog) {
			t.Errorf("step %s took %v", StepNames()[i], d)
		}
	}
	if sum > e.Latency {
		t.Errorf("steps took %v of %v", sum, e.Latency)
	}

	h.send("all", "POST", "/api/v1/res.partner", `{"name":`).want(400, "")
	e = h.events.last()
	if e.BytesIn != 8 || e.ErrorType != "bad_request" || e.ErrorMessage != "Invalid JSON body" || e.Status != 400 || e.Steps[StepHandle] != 0 {
		t.Errorf("%+v", e)
	}
	if n := len(h.events.all); n != 2 {
		t.Errorf("%d events for two requests", n)
	}
	h.send("all", "GET", "/nowhere", "").want(404, "")
	if e = h.events.last(); e.Route != "" || e.Status != 404 {
		t.Errorf("%+v", e)
	}
	h.send("", "GET", "/api/v1/res.partner", "", "X-API-Key", "").want(401, "")
	if e = h.events.last(); e.UserID != 0 || e.Login != "" {
		t.Errorf("%+v: what another request left", e)
	}
}

// TestNothingLeaks makes the inside fail in all ways it can.
func TestNothingLeaks(t *testing.T) {
	var logged strings.Builder
	h := newHouse(t, func(h *house) { h.deps.Log = textLog(&logged) })
	for _, method := range []string{"boom", "panics", "unencodable"} {
		a := h.send("all", "POST", "/api/v1/res.partner/1/"+method, "", "X-Request-Id", "find-me")
		a.wantError(500, fault.Internal, "Internal server error")
		if got := a.error(); got.RequestID != "find-me" || got.Details != nil {
			t.Errorf("%s: %s", method, a.Body)
		}
		for _, secret := range []string{"secret", "engine.go", "goroutine", "json", "func()"} {
			if strings.Contains(a.Body.String(), secret) {
				t.Errorf("%s tells the caller of %q: %s", method, secret, a.Body)
			}
		}
		if e := h.events.last(); e.Cause == nil || (e.Stack != "") != (method == "panics") {
			t.Errorf("%s: cause %v, stack %q", method, e.Cause, e.Stack)
		}
	}
	for _, want := range []string{"find-me", "secret_table", "secret panic text"} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	h.send("all", "GET", "/api/v1/res.partner/1", "").want(200, "") // and life goes on
}

func TestTooSlow(t *testing.T) {
	h := newHouse(t, func(h *house) { h.deps.RequestTimeout = time.Millisecond })
	h.settings.GlobalRateLimit = 100
	h.backend.wait = time.Minute
	h.send("all", "GET", "/api/v1/res.partner", "").wantError(504, fault.GatewayTimeout, "The request took too long")
}

func TestCallerHangsUp(t *testing.T) {
	h := newHouse(t)
	h.backend.wait = time.Minute
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := httptest.NewRequestWithContext(ctx, "GET", "/api/v1/res.partner", nil)
	r.Header.Set("X-API-Key", "all")
	h.server.ServeHTTP(httptest.NewRecorder(), r)
	if e := h.events.last(); e.Status != statusClientGone {
		t.Errorf("status %d", e.Status)
	}
}

// TestBrokenSteps breaks the steps after the handler: there must be an answer.
func TestBrokenSteps(t *testing.T) {
	for _, broken := range []int{StepReceive, StepFormat, StepLog} {
		h := newHouse(t)
		h.server.steps[broken].run = func(*Server, *call) error { panic("broken") }
		a := h.send("all", "GET", "/api/v1/res.partner/1", "")
		if broken == StepLog {
			a.want(200, "")
		} else {
			a.wantError(500, fault.Internal, "Internal server error")
		}
	}
}

// brokenWriter is a connection that is gone when the answer is written.
type brokenWriter struct{ header http.Header }

func (w *brokenWriter) Header() http.Header       { return w.header }
func (w *brokenWriter) WriteHeader(int)           {}
func (w *brokenWriter) Write([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestWriteFails(t *testing.T) {
	h := newHouse(t)
	r := httptest.NewRequest(http.MethodGet, "/healthz", nil)
	h.server.ServeHTTP(&brokenWriter{http.Header{}}, r)
	if e := h.events.last(); e.Status != 200 {
		t.Errorf("%+v", e)
	}
}

func TestRequestID(t *testing.T) {
	h := newHouse(t)
	for id, taken := range map[string]bool{
		"abc": true, "A-Z.0_9:x": true, strings.Repeat("x", 128): true,
		"": false, strings.Repeat("x", 129): false, "a b": false, "a\tb": false, "é": false, "a\"b": false, "<script>": false, "a\r\nX: y": false,
	} {
		a := h.send("", "GET", "/healthz", "", "X-Request-Id", id)
		got := a.Header().Get("X-Request-Id")
		if (got == id) != taken || got == "" {
			t.Errorf("%q was answered as %q", id, got)
		}
	}
	first, second := h.send("", "GET", "/healthz", ""), h.send("", "GET", "/healthz", "")
	if first.Header().Get("X-Request-Id") == second.Header().Get("X-Request-Id") {
		t.Error("two requests have the same id")
	}
}

// TestKindsHaveAStatus holds the table complete.
func TestKindsHaveAStatus(t *testing.T) {
	seen := map[int]fault.Kind{}
	for _, kind := range fault.Kinds() {
		status := StatusOf(kind)
		if other, twice := seen[status]; twice && kind != fault.Blocked { // which is a case of forbidden
			t.Errorf("%s and %s are both %d", kind, other, status)
		}
		if status < 400 || http.StatusText(status) == "" || (status == 500) != (kind == fault.Internal) {
			t.Errorf("%s is %d", kind, status)
		}
		seen[status] = kind
	}
}
