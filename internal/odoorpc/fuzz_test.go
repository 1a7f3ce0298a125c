package odoorpc

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"gatehouse/internal/fault"
	"gatehouse/internal/odoowire"
)

// FuzzAnswer: whatever comes back is a result that is JSON, or a failure whose
// message says nothing of a traceback; never both, and never a panic.
func FuzzAnswer(f *testing.F) {
	c, err := New(Options{URL: "http://127.0.0.1:1"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(c.Close)
	const trace = `Traceback (most recent call last):\n  File \"x.py\"\n`
	f.Add(byte(json2), 200, "application/json", `[{"id": 1}]`)
	f.Add(byte(json2), 500, "application/json", `{"name": "builtins.ValueError", "message": "`+trace+`", "debug": "`+trace+`"}`)
	f.Add(byte(json2), 404, "text/html", `<html>`)
	f.Add(byte(jsonrpc), 200, "application/json", `{"jsonrpc": "2.0", "id": 1, "result": {"uid": null}}`)
	f.Add(byte(web), 200, "application/json", `{"jsonrpc": "2.0", "error": {"code": 100, "data": {"name": "odoo.exceptions.UserError", "message": "m", "arguments": [{}]}}}`)
	f.Add(byte(xmlrpc), 200, "text/xml", string(odoowire.AppendXMLFault(nil, 1, "Traceback (most recent call last):\nKeyError: 'm'\n")))
	f.Add(byte(auto), 503, "", "")
	f.Fuzz(func(t *testing.T, p byte, status int, kind, body string) {
		m := &message{about: about{model: "m", method: "x", reads: p&8 > 0}, protocol: protocol(p % 5)}
		a := &answer{status: status, kind: kind, html: strings.Contains(kind, "html"), body: []byte(body)}
		result, told, err := m.read(a)
		var failed *failure
		switch {
		case err != nil && (told != nil || result != nil):
			t.Fatalf("%s %v %v", result, told, err)
		case err != nil:
			failed = c.noAnswer(m, a, err)
		case told != nil:
			failed = c.failureOf(m, told, a)
		case !json.Valid(result):
			t.Fatalf("the result is %q", result)
		default:
			_, _ = parseVersion(result)
			_, _ = contextUID(result)
			return
		}
		if failed.fault.Message == "" || strings.Contains(failed.fault.Message, "Traceback (most recent") || failed.fault.Cause == nil {
			t.Fatalf("%+v", failed.fault)
		}
		if status == http.StatusServiceUnavailable && told == nil && failed.fault.Kind != fault.Unavailable {
			t.Fatalf("%+v", failed.fault)
		}
	})
}

// FuzzHeaders: no header of an answer makes the next request another one.
func FuzzHeaders(f *testing.F) {
	f.Add("session_id=abc; Path=/; HttpOnly", "5", "https://elsewhere.example/x?token=1")
	f.Add("session_id=\"a\r\nX: y\"", "Fri, 01 May 2026 12:00:00 GMT", "//\x00")
	f.Fuzz(func(t *testing.T, cookie, wait, location string) {
		a := &answer{}
		a.headers(http.Header{"Set-Cookie": {cookie}, "Retry-After": {wait}, "Location": {location}})
		if a.session != "" && (strings.ContainsAny(a.session, "\r\n;, \x00\"") || len(a.session) > 512) {
			t.Errorf("the session is %q", a.session)
		}
		if a.retryAfter < 0 || a.retryAfter.Hours() > 1 {
			t.Errorf("wait %v", a.retryAfter)
		}
		if strings.Contains(a.redirect, "?") {
			t.Errorf("redirects to %q", a.redirect)
		}
	})
}
