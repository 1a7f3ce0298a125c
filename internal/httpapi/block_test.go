package httpapi

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
	"gatehouse/internal/throttle"
)

// gate shuts out the addresses it is told to, and notes violations.
type gate struct {
	until      map[string]time.Time
	violations []string
}

func (g *gate) Blocked(ip netip.Addr, _ time.Time) (throttle.Block, bool) {
	until, ok := g.until[ip.String()]
	return throttle.Block{ID: 1, Until: until}, ok
}

func (g *gate) Violation(ip netip.Addr, _ time.Time) {
	g.violations = append(g.violations, ip.String())
}

func withGate(h *house) *gate {
	g := &gate{until: map[string]time.Time{}}
	h.deps.Blocks = g
	return g
}

// Blocked is refused at once: no credential is looked at, no limit is asked,
// nothing is counted as another violation, and it is logged all the same.
func TestBlockedAddress(t *testing.T) {
	var g *gate
	var looked watcher
	h := newHouse(t, func(h *house) {
		g = withGate(h)
		looked = watcher{people: testPeople(t)}
		h.deps.Identity = &looked
	})
	h.settings.GlobalRateLimit = 1
	now, _ := time.Parse(time.RFC3339, testMoment)
	g.until["192.0.2.1"] = now.Add(90 * time.Second)
	const message = "The address 192.0.2.1 is blocked until 2026-01-31T10:31:30Z"
	for _, request := range [][3]string{
		{"all", "GET", "/api/v1/res.partner/1"},
		{"wrong", "GET", "/api/v1/ping"},
		{"", "GET", "/api/v1/ping"},
		{"", "GET", "/"},
		{"", "GET", "/nowhere"},
		{"", "GET", "/api/v1/no.such/thing"},
		{"", "BREW", "/api/v1/ping"},
		{"", "POST", "/api/v1/auth/login"},
		{"all", "PATCH", "/api/v1/settings"},
	} {
		a := h.send(request[0], request[1], request[2], "")
		a.wantError(403, fault.Blocked, message)
		if got := a.error(); got.Details != nil || got.RequestID == "" {
			t.Errorf("%v: %s", request, a.Body)
		}
		for name, want := range map[string]string{"Retry-After": "90", "WWW-Authenticate": "", "RateLimit-Limit": ""} {
			if got := a.header(name); got != want {
				t.Errorf("%v: %s is %q, want %q", request, name, got, want)
			}
		}
		if e := h.events.last(); e.Status != 403 || e.ErrorType != "address_blocked" || e.Path != request[2] || e.IP.String() != "192.0.2.1" || e.UserID != 0 {
			t.Errorf("%v is logged as %+v", request, e)
		}
	}
	if looked.times != 0 || len(h.limiter.asked) != 0 || len(h.backend.log) != 0 || len(g.violations) != 0 {
		t.Errorf("%d credentials looked at, %v counted, %v done, %v violations", looked.times, h.limiter.asked, h.backend.log, g.violations)
	}
	h.send("", "GET", "/healthz", "").want(200, "")
	h.send("", "OPTIONS", "/api/v1/ping", "").want(204, "")

	g.until["192.0.2.1"] = time.Time{}
	a := h.send("all", "GET", "/api/v1/ping", "")
	a.wantError(403, fault.Blocked, "The address 192.0.2.1 is blocked")
	if got := a.header("Retry-After"); got != "" {
		t.Errorf("Retry-After %q of a block without an end", got)
	}
	delete(g.until, "192.0.2.1")
	h.send("all", "GET", "/api/v1/ping", "").want(200, "")
}

// watcher counts how often a credential is looked at.
type watcher struct {
	people
	times int
}

func (w *watcher) Identify(ctx context.Context, h http.Header, ip netip.Addr) (*identity.Principal, error) {
	w.times++
	return w.people.Identify(ctx, h, ip)
}

// TestViolations: answers 401 and 429 are, others not.
func TestViolations(t *testing.T) {
	var g *gate
	h := newHouse(t, func(h *house) { g = withGate(h) })
	count := func(want int, what string) {
		t.Helper()
		if len(g.violations) != want {
			t.Errorf("after %s: %v", what, g.violations)
		}
	}
	h.send("all", "GET", "/api/v1/res.partner/1", "").want(200, "")
	h.send("all", "GET", "/api/v1/res.partner/99", "").want(404, "")
	h.send("read", "DELETE", "/api/v1/res.partner/1", "").want(403, "")
	h.send("all", "POST", "/api/v1/res.partner", "{").want(400, "")
	h.send("broken", "GET", "/api/v1/ping", "").want(503, "")
	count(0, "other answers")
	h.send("wrong", "GET", "/api/v1/ping", "").want(401, "")
	count(1, "a wrong key")
	h.send("", "POST", "/api/v1/auth/login", `{"login":"x","password":"y"}`).want(401, "")
	count(2, "a wrong password")
	h.send("limited", "GET", "/api/v1/ping", "").want(200, "")
	h.send("limited", "GET", "/api/v1/ping", "").want(200, "")
	count(2, "requests within the limit")
	h.send("limited", "GET", "/api/v1/ping", "").want(429, "")
	count(3, "one over the limit")
}

// A block is of the client, wherever he comes through; the proxy serves others.
func TestBlockBehindProxy(t *testing.T) {
	var g *gate
	h := newHouse(t, func(h *house) {
		g = withGate(h)
		h.deps.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	})
	g.until["198.51.100.1"] = time.Time{}
	h.send("all", "GET", "/api/v1/ping", "", "X-Forwarded-For", "198.51.100.1").want(403, "")
	h.send("all", "GET", "/api/v1/ping", "", "X-Forwarded-For", "203.0.113.9, 198.51.100.1").want(403, "")
	h.send("all", "GET", "/api/v1/ping", "", "X-Forwarded-For", "198.51.100.2").want(200, "")
	h.send("all", "GET", "/api/v1/ping", "").want(200, "")
	h.send("wrong", "GET", "/api/v1/ping", "", "X-Forwarded-For", "198.51.100.2").want(401, "")
	if !slices.Equal(g.violations, []string{"198.51.100.2"}) {
		t.Errorf("violations of %v", g.violations)
	}
}

// A blocked request goes through the steps of a refused one, in their order.
func TestStepsOfABlockedRequest(t *testing.T) {
	h := newHouse(t, func(h *house) { withGate(h).until["192.0.2.1"] = time.Time{} })
	var ran []string
	for i := range h.server.steps {
		st := &h.server.steps[i]
		original := st.run
		st.run = func(s *Server, c *call) error {
			ran = append(ran, st.name)
			return original(s, c)
		}
	}
	h.send("all", "GET", "/api/v1/res.partner/1", "").want(403, "")
	if got := strings.Join(ran, " "); got != "receive identify limit format log respond" {
		t.Errorf("went through %s", got)
	}
	if e := h.events.last(); e.Route != "/api/v1/{model}/{id}" || e.Model != "res.partner" || e.Method != http.MethodGet {
		t.Errorf("logged as %+v", e)
	}
}
