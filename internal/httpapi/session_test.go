package httpapi

import (
	"context"
	"errors"
	"strings"
	"testing"

	"gatehouse/internal/fault"
)

func TestLogin(t *testing.T) {
	h := newHouse(t)
	want := `{"success":true,"data":{"access_token":"a","refresh_token":"r","token_type":"Bearer","expires_in":3600,"user":{"id":2,"name":"Ann","login":"ann@example.com"}}}`
	h.send("", "POST", "/api/v1/auth/login", `{"login": "ann@example.com", "password": "secret"}`).want(200, want)
	h.send("", "POST", "/api/v1/auth/login", `{"email": "ann@example.com", "password": "secret"}`).want(200, want)
	if e := h.events.last(); e.UserID != 2 || e.Login != "ann@example.com" {
		t.Errorf("%+v", e)
	}
	a := h.send("", "POST", "/api/v1/auth/login", `{"login": "ann@example.com", "password": "wrong"}`)
	a.wantError(401, fault.Unauthenticated, "Invalid login or password")
	if a.header("WWW-Authenticate") == "" {
		t.Error("a 401 without WWW-Authenticate")
	}
	for body, message := range map[string]string{
		`{"password": "x"}`:                     "Missing required field: login",
		`{"login": "", "password": "x"}`:        "Missing required field: login",
		`{"login": "x"}`:                        "Missing required field: password",
		`{"login": null, "password": ""}`:       "Missing required field: login",
		`{"login": 5, "password": "x"}`:         "login must be a text",
		`{"login": "x", "password": ["x"]}`:     "password must be a text",
		`{"login": "x\u0000", "password": "x"}`: "login must not contain NUL characters",
		`[]`:                                    "Invalid JSON body",
		`login=x&password=y`:                    "Invalid JSON body",
		"":                                      "Invalid JSON body",
	} {
		h.send("", "POST", "/api/v1/auth/login", body).wantError(400, fault.BadRequest, message)
	}
}

func TestRefreshAndLogout(t *testing.T) {
	h := newHouse(t)
	h.send("", "POST", "/api/v1/auth/refresh", `{"refresh_token": "r"}`).want(200,
		`{"success":true,"data":{"access_token":"a2","refresh_token":"r2","token_type":"Bearer","expires_in":3600}}`)
	h.send("", "POST", "/api/v1/auth/refresh", `{"refresh_token": "used"}`).wantError(401, fault.Unauthenticated, "Token has been revoked")
	h.send("", "POST", "/api/v1/auth/refresh", `{}`).wantError(400, fault.BadRequest, "Missing required field: refresh_token")
	h.send("all", "POST", "/api/v1/auth/logout", "").want(200, `{"success":true,"data":{"logged_out":true},"message":"Logged out successfully"}`)
	h.send("all", "POST", "/api/v1/auth/logout", `{"refresh_token": "r"}`).want(200, "")
	h.send("all", "POST", "/api/v1/auth/logout", `{"refresh_token": 5}`).want(400, "")
	h.send("read", "POST", "/api/v1/auth/logout", "").wantError(400, fault.BadRequest, "Only the access token of a user can be logged out")
	h.send("", "POST", "/api/v1/auth/logout", "").want(401, "")
}

func TestWhoAmI(t *testing.T) {
	h := newHouse(t)
	h.send("read", "GET", "/api/v1/auth/me", "").want(200,
		`{"success":true,"data":{"id":2,"name":"Ann","login":"ann","administrator":true,"credential":"api_key","scopes":["read"]}}`)
	h.send("read", "GET", "/api/v1/ping", "").want(200,
		`{"success":true,"data":{"pong":true,"user":{"id":2,"name":"Ann","login":"ann"},"timestamp":"`+testMoment+`"}}`)
	h.send("read", "GET", "/api/v1/ping?x=1", "").wantError(400, fault.BadRequest, "Unknown parameter: x")
}

func TestSystem(t *testing.T) {
	h := newHouse(t)
	h.send("", "GET", "/healthz", "").want(200, `{"success":true,"data":{"status":"ok"}}`)
	h.send("", "GET", "/healthz?probe=1", "").want(200, "")
	h.send("", "GET", "/readyz", "").want(200, `{"success":true,"data":{"status":"ready"}}`)
	if a := h.send("", "GET", "/", "").want(200, ""); !strings.Contains(a.Body.String(), `"name":"Gatehouse","odoo":false,"version":"1.2.3"`) {
		t.Errorf("%s", a.Body)
	}
	h.backend.fail = func(string, string) error { return errors.New("disk full at /var/lib") }
	a := h.send("", "GET", "/readyz", "").wantError(503, fault.Unavailable, "Not ready")
	if a.header("Retry-After") != "1" {
		t.Errorf("Retry-After %q", a.header("Retry-After"))
	}
	if e := h.events.last(); e.Cause == nil || e.Cause.Error() != "disk full at /var/lib" {
		t.Errorf("cause %v", e.Cause)
	}
	h.send("", "GET", "/healthz", "").want(200, "") // alive all the same

	h = newHouse(t, func(h *house) { h.deps.Ready = func(context.Context) error { return errors.New("store away") } })
	h.send("", "GET", "/readyz", "").want(503, "")
}

func TestSettings(t *testing.T) {
	h := newHouse(t)
	h.settings.GlobalRateLimit = 100
	h.send("all", "GET", "/api/v1/settings", "").want(200,
		`{"success":true,"data":{"global_rate_limit":100},"meta":{"settings":[{"name":"global_rate_limit","label":"Global Rate Limit","doc":"","type":"integer","default":60,"value":100}]}}`)
	h.send("all", "PATCH", "/api/v1/settings", `{"global_rate_limit": 0}`).want(200,
		`{"success":true,"data":{"global_rate_limit":100},"message":"Settings updated successfully"}`)
	if len(h.settings.set) != 1 {
		t.Errorf("set %v", h.settings.set)
	}
	h.send("all", "PATCH", "/api/v1/settings", `{"x": 0}`).wantError(400, fault.BadRequest, "Unknown setting: x")
	h.send("all", "PATCH", "/api/v1/settings", `[]`).wantError(400, fault.BadRequest, "Invalid JSON body")
}

func TestLogObserver(t *testing.T) {
	var out strings.Builder
	h := newHouse(t, func(h *house) { h.deps.Observer = LogObserver{textLog(&out)} })
	h.send("read", "GET", "/api/v1/res.partner/99", "", "X-Request-Id", "abc")
	for _, want := range []string{"request_id=abc", "method=GET", "path=/api/v1/res.partner/99", "status=404", "user=ann", "credential=api_key", "does not exist"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not in %s", want, out.String())
		}
	}
}
