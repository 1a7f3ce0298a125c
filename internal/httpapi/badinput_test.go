package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// badRequest is a request that must be refused, and a word that the refusal
// must hold: the field, the parameter or what is wrong.
type badRequest struct {
	method, path, body string
	names              string
}

// TestBadInputIsNeverOurFault sends every kind of nonsense to every kind of
// route. Each answer must be a 4xx in the envelope that names the place.
func TestBadInputIsNeverOurFault(t *testing.T) {
	h := newHouse(t)
	id := h.backend.put("sale.order", map[string]any{"partner_id": int64(1), "state": "draft"})
	h.backend.put("sale.order.line", map[string]any{"order_id": id, "product_id": int64(1)})
	var all []badRequest
	all = append(all, badBodies()...)
	all = append(all, badValues()...)
	all = append(all, badParams()...)
	all = append(all, badPaths()...)
	if len(all) < 400 {
		t.Errorf("only %d requests", len(all))
	}
	for _, bad := range all {
		a := h.raw("all", bad)
		if a == nil {
			continue
		}
		e := a.error()
		if a.Code < 400 || a.Code > 499 || e.Code != a.Code || e.Message == "" || e.RequestID == "" {
			t.Errorf("%s %.80q %.80q: %d %s", bad.method, bad.path, bad.body, a.Code, a.Body)
			continue
		}
		if told := e.Message + string(e.Details); !strings.Contains(told, bad.names) {
			t.Errorf("%s %.80q %.80q: %.200q does not name %q", bad.method, bad.path, bad.body, told, bad.names)
		}
		if !utf8.Valid(a.Body.Bytes()) || a.Body.Len() > 5000 {
			t.Errorf("%s %.80q: an error of %d bytes", bad.method, bad.path, a.Body.Len())
		}
	}
	t.Logf("%d malformed requests", len(all))
}

// raw sends a request whose path may be something that no client library sends.
func (h *house) raw(key string, bad badRequest) *answer {
	u, err := url.ParseRequestURI(bad.path)
	if err != nil {
		return nil // the server of net/http refuses it before us
	}
	r := &http.Request{
		Method: bad.method, URL: u, RequestURI: bad.path, Header: http.Header{"X-Api-Key": {key}}, Host: "x",
		RemoteAddr: "192.0.2.1:1234", Body: http.NoBody, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if bad.body != "" {
		with := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(bad.body))
		r.Body, r.ContentLength = with.Body, with.ContentLength
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return &answer{w, h.t}
}

// badBodies are no JSON, or not the JSON that is expected.
func badBodies() []badRequest {
	bodies := []string{
		" ", "\x00", "{", "}", "[", "]", "{]", "[}", `{"name"`, `{"name":`, `{"name":"x"`, `{"name":"x",}`, `{"name" "x"}`, `{name:"x"}`,
		`{'name':'x'}`, `{"name":'x'}`, `{"name":x}`, `{"name":01}`, `{"name":+1}`, `{"name":.5}`, `{"name":1.}`, `{"name":0x1}`, `{"name":1e}`,
		`{"name":NaN}`, `{"name":Infinity}`, `{"name":-Infinity}`, `{"name":undefined}`, `{"name":True}`, `{"name":None}`, `{"name":"x"}}`,
		`{"name":"x"} trailing`, `{"name":"x"}{"name":"y"}`, "{\"name\":\"a\nb\"}", `{"name":"\x"}`, `{"name":"\u12"}`, `{"name":"\ud8`, "\xef\xbb\xbf{}",
		"{\"name\":\"\xff\xfe\"}", "{\"\xc3\x28\":1}", `"text"`, `5`, `true`, `null`, `name=x&email=y`, `<xml/>`, "\x1f\x8b\x08\x00",
		strings.Repeat("[", 100), strings.Repeat("[", 100_000), strings.Repeat(`{"a":`, 100_000), strings.Repeat(`[{"name":`, 50_000),
		`{"name":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, `/* c */ {"name":"x"}`, `{"name":"x" /* c */}`, `{,"name":"x"}`, `[{"name":"x"},]`, `[1,2]`, `[{"name":"x"}, null]`, `[[{"name":"x"}]]`,
	}
	var all []badRequest
	for _, route := range []string{"POST /api/v1/res.partner", "POST /api/v1/customers", "POST /api/v1/orders"} {
		for _, body := range bodies {
			all = append(all, at(route, body, "Invalid JSON body"))
		}
		all = append(all, at(route, "", "Invalid JSON body"), at(route, "[]", "empty"))
	}
	for _, route := range []string{
		"PUT /api/v1/res.partner/1", "PATCH /api/v1/customers/1", "POST /api/v1/res.partner/1/echo", "POST /api/v1/res.partner/echo",
		"POST /api/v1/orders/1/confirm", "POST /api/v1/auth/login", "POST /api/v1/auth/refresh", "PATCH /api/v1/settings",
	} {
		for _, body := range append(bodies[1:], "[]", `[{"name":"x"}]`) {
			all = append(all, at(route, body, "Invalid JSON body"))
		}
	}
	return all
}

func at(route, body, names string) badRequest {
	method, path, _ := strings.Cut(route, " ")
	return badRequest{method, path, body, names}
}

// badValues are JSON that does not fit the fields.
func badValues() []badRequest {
	wrong := map[string][]string{
		"name":        {`true`, `[]`, `{}`, `["x"]`, `"a\u0000b"`},
		"is_company":  {`"true"`, `2`, `-1`, `0.5`, `[]`, `{}`, `""`},
		"color":       {`"1"`, `1.5`, `true`, `false`, `[]`, `{}`, `2147483648`, `-2147483649`, `1e10`, `1e400`, `99999999999999999999999999`, `""`},
		"credit":      {`"1.5"`, `true`, `[]`, `{}`, `1e999`, `-1e999`},
		"country_id":  {`"1"`, `0`, `-1`, `1.5`, `true`, `[]`, `[1]`, `["1","x"]`, `{}`, `{"id":"1"}`, `{"id":null}`, `{"name":"x"}`, `99999999999`, `""`},
		"child_ids":   {`1`, `"1"`, `true`, `{}`, `[null]`, `[true]`, `["1"]`, `[0]`, `[-1]`, `[1.5]`, `[[]]`, `[[9]]`, `[[4]]`, `[[6,0,1]]`, `[[0,0,1]]`, `[[1,"x",{}]]`, `[{"id":"x"}]`, `[{"name":[]}]`, `[{"nothing":1}]`, `[1,[4,1]]`, `[[4,1],1]`, `[[4,1,0,0]]`},
		"category_id": {`1`, `[{"code":true}]`, `[[0,0,{"code":[]}]]`, `[[6,0,[0]]]`, `[99999999999]`},
		"type":        {`"nothing"`, `5`, `true`, `[]`, `{}`},
		"date":        {`"yesterday"`, `"2026-13-01"`, `"2026-02-30"`, `"2026-01-31T00:00:00Z"`, `"1-1-1"`, `20260131`, `true`, `[]`, `{}`, `"+2026-01-31"`},
		"moment":      {`"now"`, `"2026-01-31"`, `"2026-01-31T10:30"`, `"2026-01-31 24:00:01"`, `"2026-01-31 10:30:00 "`, `1769855400`, `true`, `[]`, `{}`, `"2026-01-31T10:30:00+99:00"`},
		"image":       {`"###"`, `"abc"`, `5`, `true`, `[]`, `{}`},
		"extra":       {`"\u0000"`, `{"a\u0000":1}`, `[["\u0000"]]`},
		"unknown":     {`1`, `null`, `{}`},
	}
	var all []badRequest
	for field, values := range wrong {
		for _, value := range values {
			body := fmt.Sprintf(`{"name":"x",%q:%s}`, field, value)
			if field == "name" {
				body = fmt.Sprintf(`{"name":%s}`, value)
			}
			all = append(all,
				at("POST /api/v1/res.partner", body, field), at("PUT /api/v1/res.partner/1", body, field),
				at("POST /api/v1/res.partner", "["+`{"name":"ok"},`+body+"]", "[1]."+field),
				at("POST /api/v1/res.partner", `{"name":"x","child_ids":[{"name":"y"},`+body+`]}`, "child_ids[1]."+field))
		}
	}
	return all
}

// badParams are query parameters that are wrong.
func badParams() []badRequest {
	wrong := map[string][]string{
		"limit":                     {"", "-1", "x", "1.5", "1e3", "0x1", "99999999999999999999", "%00", "1%202", "%FF", "١", "1&limit=2", "true", "None", "%zz"},
		"offset":                    {"", "-1", "x", "1.5", "99999999999999999999", "1000000000001", "9223372036854775807", "%00"},
		"fields":                    {",", "a,,b", "a b", "na%00me", "%FF", "(a)", "name&fields=email", "name;x", "a'b", "'; drop table res_partner; --"},
		"count":                     {"", "maybe", "EXACT", "1"},
		"values":                    {"", "xml", "ODOO"},
		"active_test":               {"", "maybe", "2", "TRUE"},
		"lang":                      {"fr-FR", "%00", "../../x", strings.Repeat("x", 100), "'", "fr_FR&lang=en_US"},
		"tz":                        {"Nowhere/Land", "Local", "../../etc/passwd", "%00", "Europe/Brussels%0d%0aX:1", strings.Repeat("x", 100)},
		"company_ids":               {"x", "0", "-1", "1,x", "1.5", "99999999999", ",", strings.Repeat("1,", 1001) + "1"},
		"domain":                    {"[", "[(", "('a','=',1)x", "[('nothing','=',1)]", "[('name','===',1)]", "['&']", "__import__('os')", "%00", "%FF", "lambda: 1", strings.Repeat("[", 10_000), strings.Repeat("'!',", 10_000)},
		"order":                     {"bad", "bad desc; drop table x"},
		"limt":                      {"1"},
		"DOMAIN":                    {"[]"},
		"x%00y":                     {"1"},
		"x%0d%0ay":                  {"1"},
		"%F0%9F%8E%89":              {"1"},
		strings.Repeat("long", 200): {"1"},
	}
	var all []badRequest
	for name, values := range wrong {
		for _, value := range values {
			names := name
			if decoded, err := url.QueryUnescape(name); err != nil || decoded != name || len(name) > 100 {
				names = "Unknown parameter"
			}
			query := "?" + name + "=" + strings.ReplaceAll(value, " ", "+")
			all = append(all, at("GET /api/v1/res.partner"+query, "", names), at("GET /api/v1/res.partner?count=none&"+query[1:], "", names))
			if name != "domain" && name != "order" && name != "fields" && name != "values" {
				all = append(all, at("GET /api/v1/orders"+query, "", names))
			}
		}
	}
	for _, query := range []string{"%zz=1", "%=1", "%ff=1", "a%c3%28=1"} {
		all = append(all, at("GET /api/v1/res.partner?"+query, "", "percent-encoded"), at("DELETE /api/v1/res.partner/1?"+query, "", "percent-encoded"))
	}
	for _, route := range []string{
		"GET /api/v1/res.partner/1", "DELETE /api/v1/res.partner/1", "POST /api/v1/res.partner", "PUT /api/v1/res.partner/1", "GET /api/v1/ping",
		"GET /api/v1/auth/me", "POST /api/v1/auth/login", "GET /api/v1/settings", "GET /api/v1/products/1", "POST /api/v1/orders/1/confirm", "POST /api/v1/res.partner/1/echo", "GET /",
	} {
		for _, query := range []string{"?limit=5", "?nothing=1", "?domain=[]", "?=", "?limit"} {
			all = append(all, at(route+query, `{}`, "Unknown parameter"))
		}
	}
	return all
}

// badPaths name records, models and methods that cannot be.
func badPaths() []badRequest {
	var all []badRequest
	ids := []string{
		"abc", "0", "-1", "1.5", "1e3", "0x1", "+1", "%201", "1%20", "00", "2147483648", "99999999999999999999999", "1,2", "%00", "1%00", "%0d%0aX-Evil:1",
		"%F0%9F%8E%89", "١", "null", "NaN", "'", "1'%20or%201=1", "%2e%2e", "%ff", strings.Repeat("9", 5000), "[1]", "(1)", "1;2",
	}
	for _, id := range ids {
		for _, route := range []string{
			"GET /api/v1/res.partner/%s", "PUT /api/v1/res.partner/%s", "DELETE /api/v1/res.partner/%s", "GET /api/v1/products/%s",
			"PATCH /api/v1/customers/%s", "DELETE /api/v1/orders/%s", "POST /api/v1/orders/%s/confirm", "POST /api/v1/res.partner/%s/echo",
		} {
			all = append(all, at(fmt.Sprintf(strings.ReplaceAll(route, "%s", "%[1]s"), id), `{}`, "id"))
		}
	}
	for _, model := range []string{
		"nothing", "res", "res.partner%00", "res.partner%0d%0a", "RES.PARTNER", "res_partner", "%ff", "..", "%2e%2e", "'", "res.partner;x", "%F0%9F%8E%89", strings.Repeat("x", 10_000), "null", "-1",
	} {
		for _, route := range []string{"GET /api/v1/%s", "GET /api/v1/%s/1", "POST /api/v1/%s", "PUT /api/v1/%s/1", "DELETE /api/v1/%s/1", "POST /api/v1/%s/1/echo"} {
			all = append(all, at(fmt.Sprintf(strings.ReplaceAll(route, "%s", "%[1]s"), model), `{}`, ""))
		}
	}
	for _, method := range []string{"__class__", "_write", "a%00b", "a%0d%0ab", "1a", "é", "a.b", "a-b", strings.Repeat("x", 200), "%ff", "a%20b"} {
		all = append(all, at("POST /api/v1/res.partner/1/"+method, "", "method"), at("POST /api/v1/res.partner/"+method, "", "ethod"))
	}
	for _, path := range []string{"//", "/api/v1/../../etc/passwd", "/api/v1/%2e%2e/%2e%2e/etc/passwd", "/" + strings.Repeat("a/", 5000), "/api/v1/" + strings.Repeat("a/", 2000), "/%00", "/%ff", "/api/v1/a/b/c/d/e"} {
		all = append(all, at("GET "+path, "", ""), at("POST "+path, "{}", ""))
	}
	return all
}

// TestStrangeHeaders puts nonsense into headers that are read.
func TestStrangeHeaders(t *testing.T) {
	h := newHouse(t)
	for _, value := range []string{"", "\x00", "\r\nX: y", "é", strings.Repeat("x", 100_000), "%ff", "\xff\xfe"} {
		for _, name := range []string{"X-Request-Id", "User-Agent", "Origin", "X-Forwarded-For", "Authorization", "Content-Type", "Content-Encoding", "Accept", "Cookie"} {
			h.settings.CORSOrigins = []string{"https://a.example"}
			r := httptest.NewRequest(http.MethodPost, "/api/v1/res.partner", strings.NewReader(`{"name":"x"}`))
			r.Header["X-Api-Key"] = []string{"all"}
			r.Header[http.CanonicalHeaderKey(name)] = []string{value}
			w := httptest.NewRecorder()
			h.handler.ServeHTTP(w, r)
			if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s %.20q: %d %s", name, value, w.Code, w.Body)
			}
			for key, values := range w.Header() {
				if strings.ContainsAny(strings.Join(values, ""), "\r\n\x00") {
					t.Errorf("%s %.20q: header %s is %q", name, value, key, values)
				}
			}
		}
	}
}

func FuzzRequest(f *testing.F) {
	f.Add("POST", "/api/v1/orders", `{"partner_id":1,"order_lines":[{"product_id":1,"product_qty":2}]}`)
	f.Add("PUT", "/api/v1/res.partner/1?fields=name", `{"child_ids":[[0,0,{"name":"x"}],[4,1]],"color":5}`)
	f.Add("GET", "/api/v1/res.partner?domain=[('name','ilike','a')]&limit=5", "")
	f.Add("POST", "/api/v1/res.partner/echo", `{"ids":[1]}`)
	h := newHouse(f, func(h *house) { h.deps.Observer = nil })
	f.Fuzz(func(t *testing.T, method, path, body string) {
		h.t = t
		if !strings.HasPrefix(path, "/") || strings.Contains(path, "boom") || strings.Contains(path, "panics") || strings.Contains(path, "unencodable") {
			return
		}
		a := h.raw("all", badRequest{method: method, path: path, body: body})
		if a != nil && (a.Code >= 500 || a.Code < 200 || a.Code != 204 && !json.Valid(a.Body.Bytes())) {
			t.Fatalf("%q %q %q: %d %s", method, path, body, a.Code, a.Body)
		}
	})
}
