package oauth

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode/utf8"

	"gatehouse/internal/fault"
)

const formType = "application/x-www-form-urlencoded"

func wantCode(t *testing.T, what string, err error, code Code, part string) {
	t.Helper()
	if err == nil || CodeOf(fault.From(err)) != code || !strings.Contains(fault.From(err).Message, part) {
		t.Errorf("%s: %v, want %s with %q", what, err, code, part)
	}
}

func TestParseForm(t *testing.T) {
	form, err := parseForm(formType+"; charset=UTF-8", []byte("&grant_type=client_credentials&scope=read+res.partner%3Aread&empty=&flag&&x=a=b"))
	if err != nil || form["grant_type"] != "client_credentials" || form["scope"] != "read res.partner:read" || form["x"] != "a=b" || len(form) != 3 {
		t.Errorf("%v %v", form, err)
	}
	if form, err := parseForm(formType, nil); err != nil || len(form) != 0 {
		t.Errorf("empty: %v %v", form, err)
	}
	for _, test := range []struct{ kind, body, want string }{
		{"application/json", `{"grant_type": "client_credentials"}`, "JSON is not taken"},
		{"", "grant_type=x", "Content-Type must be"},
		{"multipart/form-data; boundary=x", "", "Content-Type must be"},
		{";;", "", "Content-Type must be"},
		{formType, "scope=a&scope=b", "scope is given twice"},
		{formType, "scope=&scope=b", "scope is given twice"},
		{formType, "sc%6fpe=a&scope=a", "scope is given twice"},
		{formType, "scope=%zz", "scope is not form-encoded"},
		{formType, "%zz=1", "name of a parameter"},
		{formType, "scope=a%0d%0aSet-Cookie:x", "control characters"},
		{formType, "sco%00pe=a", "name of a parameter"},
		{formType, "scope=%ff", "control characters"},
		{formType, "scope=a;grant_type=b", "scope is not form-encoded"},
		{formType, strings.Repeat("a", maxForm+1), "too long"},
	} {
		form, err := parseForm(test.kind, []byte(test.body))
		wantCode(t, test.body, err, InvalidRequest, test.want)
		if form != nil {
			t.Errorf("%s: %v", test.body, form)
		}
	}
	var many strings.Builder
	for i := range maxParams + 1 {
		many.WriteString("&p" + string(rune('A'+i/26)) + string(rune('a'+i%26)) + "=1")
	}
	_, err = parseForm(formType, []byte(many.String()))
	wantCode(t, "many", err, InvalidRequest, "Too many")
}

func basicOf(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }

func TestReadCredentials(t *testing.T) {
	type form = map[string]string
	for _, test := range []struct {
		header []string
		form   form
		want   credentials
	}{
		{[]string{basicOf("gw_1:se%3Acret+%2b")}, nil, credentials{"gw_1", "se:cret +", ""}},
		{[]string{"bAsIc  " + basicOf("a:b")[6:] + " "}, form{"client_id": "a"}, credentials{"a", "b", ""}},
		{[]string{basicOf("a:b:c")}, nil, credentials{"a", "b:c", ""}},
		{[]string{basicOf("a:")}, nil, credentials{"a", "", ""}},
		{nil, form{"client_id": "a", "client_secret": "b"}, credentials{"a", "b", ""}},
		{nil, form{"client_assertion": "x.y.z", "client_assertion_type": assertionType}, credentials{"", "", "x.y.z"}},
	} {
		got, err := readCredentials(test.header, test.form)
		if err != nil || got != test.want {
			t.Errorf("%v %v: %+v %v", test.header, test.form, got, err)
		}
	}
	for _, test := range []struct {
		header []string
		form   form
		code   Code
		want   string
	}{
		{nil, nil, InvalidClient, "missing"},
		{nil, form{"client_id": "a"}, InvalidClient, "missing"},
		{nil, form{"client_secret": "b"}, InvalidRequest, "client_id"},
		{[]string{basicOf("a:b")}, form{"client_id": "a", "client_secret": "b"}, InvalidRequest, "more than one way"},
		{[]string{basicOf("a:b")}, form{"client_assertion": "x", "client_assertion_type": assertionType}, InvalidRequest, "more than one way"},
		{nil, form{"client_id": "a", "client_secret": "b", "client_assertion": "x"}, InvalidRequest, "more than one way"},
		{[]string{basicOf("a:b")}, form{"client_id": "c"}, InvalidRequest, "client_id is not"},
		{[]string{basicOf("a:b"), basicOf("a:b")}, nil, InvalidRequest, "More than one Authorization"},
		{[]string{basicOf("a:b"), "Bearer x"}, nil, InvalidRequest, "More than one Authorization"},
		{[]string{"Bearer x"}, nil, InvalidClient, "another scheme"},
		{[]string{""}, nil, InvalidClient, "another scheme"},
		{[]string{"Basic"}, nil, InvalidClient, "no valid"},
		{[]string{"Basic ???"}, nil, InvalidClient, "no valid"},
		{[]string{basicOf("ab")}, nil, InvalidClient, "no valid"},
		{[]string{basicOf("a:%zz")}, nil, InvalidClient, "form-encoded"},
		{[]string{basicOf("a:b\r\n")}, nil, InvalidClient, "form-encoded"},
		{[]string{basicOf("a\xff:b")}, nil, InvalidClient, "form-encoded"},
		{nil, form{"client_assertion": "x"}, InvalidRequest, "client_assertion_type"},
		{nil, form{"client_assertion": "x", "client_assertion_type": "saml"}, InvalidRequest, "client_assertion_type"},
		{nil, form{"client_id": "a", "client_secret": "b", "client_assertion_type": assertionType}, InvalidRequest, "client_assertion"},
	} {
		_, err := readCredentials(test.header, test.form)
		wantCode(t, strings.Join(test.header, "|"), err, test.code, test.want)
	}
}

func TestDescription(t *testing.T) {
	if got := Description("a \"b\"\\c\r\nd é"); got != "a 'b'?c  d ?" {
		t.Errorf("%q", got)
	}
}

func TestCodeOf(t *testing.T) {
	for _, kind := range fault.Kinds() {
		if code := CodeOf(fault.New(kind, "x")); code == "" {
			t.Errorf("%s has no code", kind)
		}
	}
	if CodeOf(fault.New(fault.Forbidden, "x").With(map[string]string{"scope": "admin"})) != UnauthorizedClient ||
		CodeOf(fault.New(fault.RateLimited, "x")) != TemporarilyUnavailable || CodeOf(fault.New(fault.Internal, "x")) != ServerError {
		t.Error("not the nearest code")
	}
}

func TestIssuerAt(t *testing.T) {
	for host, want := range map[string]string{"api.example.com": "https://api.example.com", "[::1]:8069": "https://[::1]:8069"} {
		if got, err := IssuerAt(true, host); err != nil || got != want {
			t.Errorf("%s: %s %v", host, got, err)
		}
	}
	if got, err := IssuerAt(false, "127.0.0.1:8069"); err != nil || got != "http://127.0.0.1:8069" {
		t.Errorf("%s %v", got, err)
	}
	for _, host := range []string{"", "a/b", "a b", "a\r\nb", "user@a", "a?b", "a#b", `a"b`, "é", strings.Repeat("a", 256)} {
		if got, err := IssuerAt(false, host); err == nil {
			t.Errorf("%q: %s", host, got)
		}
	}
}

func TestDescribe(t *testing.T) {
	m := Describe("https://x", []string{"orders"})
	if m.TokenEndpoint != "https://x/api/oauth/token" || m.ResponseTypes == nil || m.Scopes[len(m.Scopes)-1] != "orders_write" {
		t.Errorf("%+v", m)
	}
	for _, alg := range m.TokenAlgorithms {
		if strings.HasPrefix(alg, "HS") || alg == "none" {
			t.Errorf("%s is no algorithm of a private key", alg)
		}
	}
}

func FuzzParseForm(f *testing.F) {
	f.Add("grant_type=client_credentials&scope=read+write")
	f.Add("a=%41&a=%zz&;=%00")
	f.Fuzz(func(t *testing.T, body string) {
		form, err := parseForm(formType, []byte(body))
		if (form == nil) != (err != nil) {
			t.Fatalf("%v %v", form, err)
		}
		for name, value := range form {
			if value == "" || !utf8.ValidString(name+value) || strings.ContainsAny(name+value, "\x00\r\n") {
				t.Fatalf("%q: %q", name, value)
			}
		}
		if err != nil && strings.ContainsAny(Description(fault.From(err).Message), "\"\\\r\n\x00") {
			t.Fatalf("%v", err)
		}
	})
}

func FuzzReadCredentials(f *testing.F) {
	f.Add(basicOf("gw_1:secret"), "", "", "")
	f.Add("Basic Og==", "a", "", "")
	f.Add("", "a", "b", "")
	f.Fuzz(func(t *testing.T, header, id, secret, assertion string) {
		var headers []string
		if header != "" {
			headers = []string{header}
		}
		form := map[string]string{"client_id": id, "client_secret": secret, "client_assertion": assertion, "client_assertion_type": assertionType}
		c, err := readCredentials(headers, form)
		if err != nil {
			return
		}
		if c.secret != "" && c.assertion != "" || len(headers) > 0 && (secret != "" || assertion != "" || !utf8.ValidString(c.id+c.secret)) {
			t.Fatalf("%+v of %q", c, header)
		}
	})
}
