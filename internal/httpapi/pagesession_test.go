package httpapi

import (
	"net/netip"
	"strings"
	"testing"

	"gatehouse/internal/fault"
)

const sessionPath = "/api/v1/auth/session"

// httptest's requests are for the host example.com, from 192.0.2.1.
func TestBeginSession(t *testing.T) {
	h := newHouse(t, func(h *house) { h.deps.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")} })
	const body = `{"login": "ann@example.com", "password": "secret"}`
	a := h.send("", "POST", sessionPath, body).want(200,
		`{"success":true,"data":{"user":{"id":2,"name":"Ann","login":"ann@example.com","administrator":true},"expires_in":43200}}`)
	const cookie = "gatehouse_session=s; Path=/; Max-Age=43200; HttpOnly; "
	if got := a.header("Set-Cookie"); got != cookie+"SameSite=Strict" {
		t.Error(got)
	}
	a = h.send("", "POST", sessionPath, body, "X-Forwarded-Proto", "https").want(200, "")
	if got := a.header("Set-Cookie"); got != cookie+"Secure; SameSite=Strict" {
		t.Error(got)
	}
	a = h.send("", "POST", sessionPath, `{"login": "ann@example.com", "password": "wrong"}`).
		wantError(401, fault.Unauthenticated, "Invalid login or password")
	if got := a.header("Set-Cookie"); got != "" {
		t.Error(got)
	}
	h.send("", "POST", sessionPath, `{"login": "x"}`).wantError(400, fault.BadRequest, "Missing required field: password")
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}} {
		if a := h.send("", "POST", sessionPath, body, header...).want(403, ""); a.header("Set-Cookie") != "" {
			t.Errorf("%v signs in", header)
		}
	}

	h = newHouse(t)
	a = h.send("", "POST", sessionPath, body, "X-Forwarded-Proto", "https").want(200, "")
	if got := a.header("Set-Cookie"); strings.Contains(got, "Secure") {
		t.Errorf("nobody vouches for X-Forwarded-Proto: %s", got)
	}
}

func TestEndSession(t *testing.T) {
	h := newHouse(t)
	a := h.send("", "DELETE", sessionPath, "", "Cookie", "gatehouse_session=s", "Sec-Fetch-Site", "same-origin").
		want(200, `{"success":true,"data":{"logged_out":true},"message":"Logged out successfully"}`)
	if got := a.header("Set-Cookie"); got != "gatehouse_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict" {
		t.Error(got)
	}
	h.send("all", "DELETE", sessionPath, "").want(400, "")
	h.send("", "DELETE", sessionPath, "").want(401, "")
	h.send("", "GET", "/api/v1/auth/me", "", "Cookie", "gatehouse_session=s").want(200,
		`{"success":true,"data":{"id":2,"name":"Ann","login":"ann","administrator":true,"credential":"session","scopes":["all"]}}`)
}

// A browser sends the cookie by itself, whoever's page asks.
func TestSessionIsForOwnPages(t *testing.T) {
	h := newHouse(t, func(h *house) { h.deps.PublicURL = "https://gate.example" })
	for _, test := range []struct {
		headers       string // name and value, separated by spaces
		reads, writes bool
	}{
		{"", true, false},
		{"Sec-Fetch-Site same-origin", true, true},
		{"Sec-Fetch-Site same-origin Origin http://example.com", true, true},
		{"Sec-Fetch-Site none", true, false},
		{"Sec-Fetch-Site same-site", false, false},
		{"Sec-Fetch-Site cross-site", false, false},
		{"Sec-Fetch-Site cross-site Origin http://example.com", false, false},
		{"Sec-Fetch-Site Same-Origin", false, false},
		{"Origin http://example.com", true, true},
		{"Origin https://EXAMPLE.com", true, true},
		{"Origin https://gate.example", true, true},
		{"Origin http://example.com:8080", false, false},
		{"Origin https://example.com.evil.example", false, false},
		{"Origin https://evil.example", false, false},
		{"Origin null", false, false},
		{"Origin %", false, false},
	} {
		headers := append(strings.Fields(test.headers), "Cookie", "gatehouse_session=s")
		status := func(allowed bool, good int) int {
			if allowed {
				return good
			}
			return 403
		}
		t.Run(test.headers, func(t *testing.T) {
			h.t = t
			h.send("", "GET", "/api/v1/ping", "", headers...).want(status(test.reads, 200), "")
			h.send("", "HEAD", "/api/v1/ping", "", headers...).want(status(test.reads, 200), "")
			h.send("", "PATCH", "/api/v1/settings", `{"global_rate_limit": 0}`, headers...).want(status(test.writes, 200), "")
			h.send("", "POST", "/api/v1/res.partner", `{"name": "x"}`, headers...).want(status(test.writes, 201), "")
			h.send("", "DELETE", "/api/v1/res.partner/99", "", headers...).want(status(test.writes, 404), "")
			upgrade := append(headers, "Connection", "Upgrade", "Upgrade", "websocket")
			h.send("", "GET", "/api/v1/ping", "", upgrade...).want(status(test.writes, 200), "")
			// Other credentials come from whoever has them.
			h.send("all", "PATCH", "/api/v1/settings", `{"global_rate_limit": 0}`, headers...).want(200, "")
		})
	}
}
