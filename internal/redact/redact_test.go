package redact

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

// The credentials of all kinds; none may be seen afterwards.
const (
	gatewayKey   = "aB3_xYz-0123456789abcdefghijKLMNOPqrstuvWXYZ0123456789abcdefGHIJ"
	clientSecret = "Q7d-2kLmN_p0RsTuVwXyZ1a2B3c4D5e6"
	userKey      = "0123456789abcdef0123456789abcdef01234567"
	jwt          = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
	whsec        = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw+/=="
	hash         = "$pbkdf2-sha512$600000$c2FsdHNhbHQ$aGFzaGhhc2g.hash/hash"
	password     = "hunter2-secret!"
)

var credentials = []string{gatewayKey, clientSecret, userKey, jwt, whsec, hash}

func clean(t *testing.T, where, got string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		if strings.Contains(got, secret) || len(secret) > 16 && strings.Contains(got, secret[:16]) {
			t.Errorf("%s: %q shows %q", where, got, secret)
		}
	}
}

func TestCredentialsAnywhere(t *testing.T) {
	for _, secret := range credentials {
		for _, frame := range []string{"%", "x %", "/api/v1/res.partner/%/x", `"%"`, "key=%", "(%)", "curl/8 %", "a:%:b", "2$%", "Bearer %", "\n%\t"} {
			in := strings.ReplaceAll(frame, "%", secret)
			clean(t, "text "+frame, Text(in), secret)
			clean(t, "body "+frame, Body("text/plain", in, false), secret)
			clean(t, "cut "+frame, Body("", in, true), secret)
			clean(t, "query "+frame, Query("x="+in), secret)
		}
	}
	for _, harmless := range []string{
		"/api/v1/sale.order/42/action_confirm", "550e8400-e29b-41d4-a716-446655440000", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
		"action_view_the_invoices_of_this_order", "The token has expired", "Missing scope: res.partner:read", "gw_0123456789ab", "password: null",
		"gatehouse/internal/httpapi.(*Server).attempt.func1()", "/srv/x/pipeline.go:87 +0x1a5", "d41d8cd98f00b204e9800998", "token_type=bearer",
	} {
		if got := Text(harmless); got != harmless {
			t.Errorf("%q became %q", harmless, got)
		}
	}
	if Strict("0123456789abcdef0123456789abcdef") != "0123456789abcdef0123456789abcdef" || Strict(gatewayKey) != Mask || Strict(jwt) != Mask {
		t.Error("identifiers")
	}
}

func TestNamedSecrets(t *testing.T) {
	for _, name := range []string{
		"password", "new_password", "PASSWORD", "client_secret", "clientSecret", "refresh_token", "access_token", "token", "api_key", "apiKey",
		"X-API-Key", "key", "client_assertion", "private_key", "Authorization", "cookie", "pass", "jwt",
	} {
		for _, body := range []string{
			`{"%":"` + password + `"}`, `{"a":{"b":[{"%" : "` + password + `"}]}}`, `[{"%":"` + password + `","z":1}]`,
			`{"%":["` + password + `"]}`, `{"%":{"x":"` + password + `"},"y":2}`, `{"%":"` + password, `{"%":["a","` + password,
			`{"x":"{\"%\":\"` + password + `\"}"}`, `{"x": 1,, "%":"` + password + `"}`, `{'%':'` + password + `'}`,
			`[["%","=","` + password + `"]]`, `[('%','=','` + password + `')]`, `%=` + password + `&a=b`, `a=b&%=` + password, `% = "` + password + `"`,
			`don't {"%":"` + password + `"}`, `{"%":` + "\n\t" + `"` + password + `"`,
		} {
			in := strings.ReplaceAll(body, "%", name)
			for _, kind := range []string{"application/json", "application/x-www-form-urlencoded", "", "text/plain"} {
				clean(t, kind+" "+in, Body(kind, in, false), password)
				clean(t, kind+" cut "+in, Body(kind, in, true), password)
			}
		}
		clean(t, "query "+name, Query(name+"="+password+"&x=1"), password)
		clean(t, "header "+name, Header(name, []string{password}), password)
	}
	clean(t, "escaped name", Body("application/json", `{"pass\u0077ord":"`+password+`"}`, false), password)
	clean(t, "escaped query", Query("pass%77ord="+password), password)
	clean(t, "domain in a query", Query(`domain=%5B%5B%22password%22%2C%22%3D%22%2C%22`+password+`%22%5D%5D`), password)
	clean(t, "code", Query("code="+password), password)
	clean(t, "number", Body("application/json", `{"pin":123456,"a":1}`, false), "123456")
}

func TestWhatStays(t *testing.T) {
	for in, want := range map[string]string{
		`{"name":"Acme","code":"BE","token_type":"Bearer","expires_in":3600}`: `{"name":"Acme","code":"BE","token_type":"Bearer","expires_in":3600}`,
		`{"login":"admin","password":"x","n":[1,2]}`:                          `{"login":"admin","password":"**********","n":[1,2]}`,
		`{"data":{"id":7,"key":"abc"},"message":"Key created"}`:               `{"data":{"id":7,"key":"**********"},"message":"Key created"}`,
		`{"password":null,"secret":false}`:                                    `{"password":null,"secret":false}`,
		`{"name":"it's \"quoted\"","note":"[draft] text"}`:                    `{"name":"it's \"quoted\"","note":"[draft] text"}`,
		`{"payload":"{\"password\":\"x\",\"n\":1}"}`:                          `{"payload":"{\"password\":\"**********\",\"n\":1}"}`,
	} {
		got := Body("application/json", in, false)
		if got != want {
			t.Errorf("%s\n became %s\n want   %s", in, got, want)
		}
		if json.Valid([]byte(in)) && !json.Valid([]byte(got)) {
			t.Errorf("%s became what is no JSON: %s", in, got)
		}
	}
	if got := Query("limit=5&domain=%5B%5B%22name%22%2C%22%3D%22%2C%22x%22%5D%5D"); got != "limit=5&domain=%5B%5B%22name%22%2C%22%3D%22%2C%22x%22%5D%5D" {
		t.Error(got)
	}
	h := Headers(http.Header{"Authorization": {"Bearer x"}, "Accept": {"a", "b"}, "Cookie": {"s=1"}, "X-Api-Key": {"k"}, "Referer": {"/x?token=abc"}})
	want := map[string]string{"Authorization": "Bearer **********", "Accept": "a, b", "Cookie": Mask, "X-Api-Key": Mask, "Referer": "/x?token=" + Mask}
	for name, value := range want {
		if h[name] != value {
			t.Errorf("%s: %s", name, h[name])
		}
	}
	if got := Header("Authorization", []string{"bearer abc"}); got != "Bearer **********" {
		t.Error(got)
	}
	if got := Header("Authorization", []string{gatewayKey}); got != Mask {
		t.Error(got)
	}
}

func TestHandler(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(NewHandler(slog.NewTextHandler(&out, nil))).With("key", gatewayKey)
	log.Info("asked with "+jwt, "path", "/x/"+clientSecret, "error", errors.New("password="+password), slog.Group("g", "t", whsec),
		"request_id", "fedcba9876543210fedcba9876543210")
	clean(t, "log", out.String(), append([]string{password}, credentials...)...)
	if !strings.Contains(out.String(), "fedcba9876543210fedcba9876543210") {
		t.Error(out.String())
	}
}

// FuzzBody: whatever stands around it, and wherever the end is missing, no
// secret is seen.
func FuzzBody(f *testing.F) {
	f.Add(`{"a":"b",`, `}`, uint(0))
	f.Add(`\"`, `'`, uint(9))
	f.Add(`{"a":'`, `"`, uint(40))
	f.Add(`%`, `&x`, uint(40))
	f.Fuzz(func(t *testing.T, before, after string, cut uint) {
		for _, secret := range []string{gatewayKey, jwt, clientSecret} {
			// It must stand by itself: no letters right beside it.
			in := before + " " + secret + " " + after
			for _, got := range []string{Text(in), Body("application/json", in, false), Body("application/x-www-form-urlencoded", in, true), Query(in)} {
				if strings.Contains(got, secret) {
					t.Fatalf("%q shows the secret: %q", in, got)
				}
				if utf8.ValidString(in) && !utf8.ValidString(got) {
					t.Fatalf("%q became %q, which is no UTF-8", in, got)
				}
			}
		}
		named := `{"password":"` + password + `"}`
		if end := int(cut % uint(len(named))); strings.Contains(Body("application/json", named[:len(named)-end], true), password[:8]) {
			t.Fatal("a cut body shows the secret")
		}
		_ = Body("", before+after, false)
	})
}
