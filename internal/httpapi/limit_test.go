package httpapi

import (
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/setting"
)

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func TestRateLimitHeaders(t *testing.T) {
	h := newHouse(t)
	a := h.send("limited", "GET", "/api/v1/res.partner/1", "").want(200, "")
	for name, want := range map[string]string{"RateLimit-Limit": "2", "RateLimit-Remaining": "1", "RateLimit-Reset": "42", "Retry-After": ""} {
		if got := a.header(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	h.send("limited", "GET", "/api/v1/res.partner/99", "").want(404, "")
	a = h.send("limited", "GET", "/api/v1/res.partner/1", "")
	a.wantError(429, fault.RateLimited, "Rate limit exceeded. Max 2 requests per minute")
	for name, want := range map[string]string{"RateLimit-Limit": "2", "RateLimit-Remaining": "0", "RateLimit-Reset": "42", "Retry-After": "42"} {
		if got := a.header(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestWhoIsCounted(t *testing.T) {
	h := newHouse(t)
	h.send("all", "GET", "/api/v1/ping", "").want(200, "")
	h.send("", "GET", "/api/v1/ping", "").want(401, "")
	if len(h.limiter.asked) != 0 {
		t.Errorf("without any limit the limiter was asked for %v", h.limiter.asked)
	}
	h.settings.GlobalRateLimit, h.settings.RateWindow = 60, setting.Hour
	a := h.send("all", "GET", "/api/v1/ping", "")
	if got := a.header("RateLimit-Limit"); got != "60" {
		t.Errorf("limit %q", got)
	}
	h.send("", "GET", "/api/v1/ping", "")
	h.send("", "POST", "/api/v1/auth/login", `{"login":"x","password":"y"}`)
	h.send("limited", "GET", "/api/v1/ping", "")
	h.send("", "GET", "/healthz", "")
	h.send("", "OPTIONS", "/api/v1/ping", "")
	h.send("", "GET", "/", "")
	if want := []string{"user:2", "ip:192.0.2.1", "ip:192.0.2.1", "key:12", "ip:192.0.2.1"}; !slices.Equal(h.limiter.asked, want) {
		t.Errorf("counted %v, want %v", h.limiter.asked, want)
	}
	h.limiter.used["user:2"] = 60
	h.send("all", "GET", "/api/v1/ping", "").wantError(429, fault.RateLimited, "Rate limit exceeded. Max 60 requests per hour")
}

func TestAddressSubject(t *testing.T) {
	for ip, want := range map[string]string{
		"192.0.2.7": "ip:192.0.2.7", "2001:db8:1:2:3:4:5:6": "ip:2001:db8:1:2::/64", "::1": "ip:::/64",
	} {
		if got := addressSubject(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s: %s, want %s", ip, got, want)
		}
	}
}

func TestLimiterFails(t *testing.T) {
	h := newHouse(t)
	h.settings.GlobalRateLimit = 60
	h.limiter.err = errors.New("no table")
	h.send("all", "GET", "/api/v1/ping", "").wantError(500, fault.Internal, "Internal server error")
	a := h.send("broken", "GET", "/api/v1/ping", "")
	a.want(500, "")
	h.limiter.err = nil
	a = h.send("broken", "GET", "/api/v1/ping", "")
	a.wantError(503, fault.Unavailable, "The store cannot be reached right now")
	if got := a.header("Retry-After"); got != "3" {
		t.Errorf("Retry-After %q", got)
	}
}

// A store that cannot count refuses requests, or lets them through where that
// was chosen; any other failure of the limiter refuses them.
func TestStoreAway(t *testing.T) {
	h := newHouse(t)
	h.settings.GlobalRateLimit = 60
	h.limiter.err = &fault.Error{Kind: fault.Unavailable, Message: "The rate limit cannot be checked right now", RetryAfter: 2 * time.Second}
	a := h.send("all", "GET", "/api/v1/ping", "")
	a.wantError(503, fault.Unavailable, "The rate limit cannot be checked right now")
	if got := a.header("Retry-After"); got != "2" {
		t.Errorf("Retry-After %q", got)
	}
	h.server.deps.AdmitUncounted = true
	a = h.send("all", "GET", "/api/v1/ping", "").want(200, "")
	if got := a.header("RateLimit-Limit"); got != "" {
		t.Errorf("a limit of %s for a request that was not counted", got)
	}
	h.send("", "GET", "/api/v1/ping", "").want(401, "")
	h.limiter.err = errors.New("no table")
	h.send("all", "GET", "/api/v1/ping", "").wantError(500, fault.Internal, "Internal server error")
}

func TestScopes(t *testing.T) {
	h := newHouse(t)
	for _, test := range []struct {
		key, method, path, missing string
	}{
		{"read", "GET", "/api/v1/res.partner", ""},
		{"read", "GET", "/api/v1/orders", ""},
		{"read", "POST", "/api/v1/orders", "orders_write"},
		{"read", "POST", "/api/v1/res.partner", "write"},
		{"read", "PUT", "/api/v1/res.partner/1", "write"},
		{"read", "PATCH", "/api/v1/customers/1", "customers_write"},
		{"read", "DELETE", "/api/v1/products/1", "products_write"},
		{"read", "POST", "/api/v1/sale.order/1/action_confirm", "write"},
		{"read", "POST", "/api/v1/sale.order/echo", "write"},
		{"orders", "GET", "/api/v1/orders", ""},
		{"orders", "GET", "/api/v1/sale.order", "read"},
		{"orders", "GET", "/api/v1/products", "products_read"},
		{"partners", "GET", "/api/v1/res.partner/1", ""},
		{"partners", "GET", "/api/v1/customers/1", ""},
		{"partners", "GET", "/api/v1/sale.order", "read"},
		{"read", "GET", "/api/v1/ping", ""},
		{"partners", "GET", "/api/v1/ping", ""},
		{"read", "GET", "/api/v1/settings", "admin"},
		{"read", "GET", "/api/v1/gateway.key", "admin"},
		{"read", "GET", "/api/v1/gateway.nothing", "admin"},
		{"all", "GET", "/api/v1/gateway.key", ""},
		{"all", "GET", "/api/v1/settings", ""},
	} {
		a := h.send(test.key, test.method, test.path, "")
		if test.missing == "" {
			a.want(200, "")
			continue
		}
		a.wantError(403, fault.Forbidden, "Missing scope: "+test.missing)
	}
	// The scope is there, the right is not.
	h.send("user", "GET", "/api/v1/gateway.key", "").wantError(403, fault.Forbidden, "Only administrators may do this")
	h.send("user", "GET", "/api/v1/settings", "").wantError(403, fault.Forbidden, "Only administrators may do this")
	h.send("read", "GET", "/api/v1/res.partner", "")
	if h.backend.caller.Admin {
		t.Error("an administrator's key without the scope admin acts as one")
	}
	h.send("all", "GET", "/api/v1/res.partner", "")
	if c := h.backend.caller; !c.Admin || c.UserID != 2 || c.Superuser {
		t.Errorf("caller %+v", c)
	}
}

func TestChallenge(t *testing.T) {
	h := newHouse(t)
	if got := h.send("", "GET", "/api/v1/ping", "").header("WWW-Authenticate"); got != `Bearer realm="gatehouse"` {
		t.Errorf("%q", got)
	}
	if got := h.send("nope", "GET", "/api/v1/ping", "").header("WWW-Authenticate"); got != `Bearer realm="gatehouse", error="invalid_token"` {
		t.Errorf("%q", got)
	}
}
