package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"gatehouse/internal/identity"
)

// odooSite is an app that is spoken to as to an Odoo.
type odooSite struct {
	*testing.T
	app *App
	h   http.Handler
}

func startOdoo(t *testing.T) *odooSite {
	a, _ := start(t)
	if err := a.Settings.Set(t.Context(), map[string]any{"global_rate_limit": 0}); err != nil {
		t.Fatal(err)
	}
	h, err := a.Handler() // the document of the REST API does not know these routes
	if err != nil {
		t.Fatal(err)
	}
	return &odooSite{t, a, h}
}

// post sends a body and gives the answer.
func (o *odooSite) post(path, contentType, body string, header ...string) *httptest.ResponseRecorder {
	o.Helper()
	r := httptest.NewRequestWithContext(o.Context(), http.MethodPost, path, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	o.h.ServeHTTP(w, r)
	return w
}

// json2 calls a method and compares status and a part of the answer.
func (o *odooSite) json2(path, body string, status int, part string, header ...string) {
	o.Helper()
	w := o.post("/json/2/"+path, "application/json", body, header...)
	if w.Code != status || !strings.Contains(w.Body.String(), part) {
		o.Errorf("%s %s: %d %s, want %d …%s…", path, body, w.Code, w.Body.String(), status, part)
	}
}

// rpcAnswer is what came over JSON-RPC.
type rpcAnswer struct {
	status int
	cookie string
	header http.Header
	Result any
	Error  *struct {
		Code int
		Data struct{ Name, Message string }
	}
}

func (o *odooSite) rpc(path, params string, header ...string) (a rpcAnswer) {
	o.Helper()
	w := o.post(path, "application/json", `{"jsonrpc":"2.0","method":"call","id":1,"params":`+params+`}`, header...)
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		o.Fatalf("%s %s: %s", path, params, w.Body.String())
	}
	a.status, a.header = w.Code, w.Header()
	a.cookie, _, _ = strings.Cut(w.Header().Get("Set-Cookie"), ";")
	return a
}

// execute is execute_kw of a user and password over JSON-RPC.
func (o *odooSite) execute(uid int64, password, model, method, args string, header ...string) rpcAnswer {
	o.Helper()
	return o.rpc("/jsonrpc", fmt.Sprintf(`{"service":"object","method":"execute_kw","args":["any",%d,%q,%q,%q,%s]}`,
		uid, password, model, method, args), header...)
}

func (a rpcAnswer) name() string {
	if a.Error == nil {
		return ""
	}
	return a.Error.Data.Name
}

const (
	accessError  = "odoo.exceptions.AccessError"
	accessDenied = "odoo.exceptions.AccessDenied"
)

// xml calls execute_kw over XML-RPC with a domain of everything.
func (o *odooSite) xml(password, model, method, args string) string {
	o.Helper()
	text := func(s string) string { return "<param><value><string>" + s + "</string></value></param>" }
	return o.post("/xmlrpc/2/object", "text/xml", "<?xml version='1.0'?><methodCall><methodName>execute_kw</methodName><params>"+
		text("any")+"<param><value><int>2</int></value></param>"+text(password)+text(model)+text(method)+
		"<param><value><array><data>"+args+"</data></array></value></param></params></methodCall>").Body.String()
}

func (o *odooSite) key(scopes string, change func(*identity.KeySpec)) string {
	o.Helper()
	spec := identity.KeySpec{UserID: 2, Name: "odoo client", Scopes: scopes}
	if change != nil {
		change(&spec)
	}
	key, _, err := o.app.CreateKey(o.Context(), spec)
	if err != nil {
		o.Fatal(err)
	}
	return key
}

// TestOdooScopes: what a credential may do over REST is what it may do here.
func TestOdooScopes(t *testing.T) {
	o := startOdoo(t)
	reader := o.key("res.partner:read", nil)
	o.json2("res.partner/search_count", `{"domain":[]}`, 200, "", "X-API-Key", reader)
	o.json2("res.partner/check_access_rights", `{"operation":"unlink"}`, 200, "true", "X-API-Key", reader)
	for _, test := range [][2]string{
		{"res.partner/create", `{"vals_list":{"name":"x"}}`},
		{"res.partner/write", `{"ids":[1],"vals":{"name":"x"}}`},
		{"res.partner/action_archive", `{"ids":[1]}`},
		{"res.partner/name_create", `{"name":"x"}`},
	} {
		o.json2(test[0], test[1], 403, "Missing scope: write", "X-API-Key", reader)
	}
	o.json2("res.partner/unlink", `{"ids":[1]}`, 403, "Missing scope: delete", "X-API-Key", reader)
	o.json2("res.country/search_count", `{"domain":[]}`, 403, "Missing scope: read", "X-API-Key", reader)
	// A gateway key in place of the password has its scopes there too.
	if a := o.execute(2, reader, "res.partner", "search_count", "[[]]"); a.name() != "" {
		t.Errorf("%+v", a.Error)
	}
	if a := o.execute(2, reader, "res.partner", "write", `[[1],{"name":"x"}]`); a.name() != accessError || a.Error.Data.Message != "Missing scope: write" {
		t.Errorf("%+v", a)
	}
	if got := o.xml(reader, "res.partner", "unlink", "<value><array><data/></array></value>"); !strings.Contains(got, "<int>4</int>") {
		t.Error(got)
	}
	if a := o.execute(1, reader, "res.partner", "search_count", "[[]]"); a.name() != accessDenied {
		t.Errorf("the key of another user: %+v", a)
	}
	all := o.key("read,write,delete", nil)
	for _, model := range []string{"gateway.key", "gateway.profile", "gateway.nothing"} {
		o.json2(model+"/search_count", `{"domain":[]}`, 403, "Missing scope: admin", "X-API-Key", all)
		if a := o.execute(2, all, model, "search_count", "[[]]"); a.name() != accessError {
			t.Errorf("%s: %+v", model, a)
		}
	}
	o.json2("res.users.apikeys/create", `{"vals_list":{"name":"more"}}`, 403, "Missing scope: admin", "X-API-Key", all)
	o.json2("res.users/write", `{"ids":[2],"vals":{"password":"taken"}}`, 403, "Missing scope: admin", "X-API-Key", all)
	if a := o.execute(2, "secret", "gateway.key", "search_count", "[[]]"); a.Result != 2.0 {
		t.Errorf("the administrator himself: %+v", a)
	}
}

// TestOdooCredentials: JSON-2 takes all that REST takes.
func TestOdooCredentials(t *testing.T) {
	o := startOdoo(t)
	_, login := send(t, o.h, "POST", "/api/v1/auth/login", `{"login":"admin","password":"secret"}`)
	bearer := "Bearer " + login["data"].(map[string]any)["access_token"].(string)
	_, made := send(t, o.h, "POST", "/api/v1/res.users.apikeys", `{"name":"script"}`, "Authorization", bearer)
	own, _ := made["data"].(map[string]any)["key"].(string)
	for _, header := range [][2]string{
		{"Authorization", bearer}, {"Authorization", "bearer " + own}, {"Authorization", "Bearer 2$" + own}, {"X-API-Key", o.key("read", nil)},
	} {
		o.json2("res.users/context_get", ``, 200, `"uid":2`, header[0], header[1])
		if a := o.rpc("/web/dataset/call_kw", `{"model":"res.partner","method":"search_count","args":[[]],"kwargs":{}}`, header[0], header[1]); a.name() != "" {
			t.Errorf("call_kw with %s: %+v", header[0], a)
		}
	}
	o.json2("res.users/context_get", ``, 401, "Invalid apikey", "Authorization", "Bearer "+strings.Repeat("0", 40))
	o.json2("res.users/context_get", ``, 401, "User not authenticated")
	for login, want := range map[string]any{`"admin","secret"`: 2.0, `"admin","` + own + `"`: 2.0, `"admin","no"`: false, `"nobody","secret"`: false, `"",""`: false} {
		a := o.rpc("/jsonrpc", `{"service":"common","method":"authenticate","args":["any",`+login+`,{}]}`)
		if a.Result != want || a.Error != nil || a.status != 200 {
			t.Errorf("authenticate %s: %+v", login, a)
		}
	}
	if a := o.execute(2, own, "res.partner", "create", `[{"name":"made by RPC"}]`); a.Result == nil {
		t.Errorf("%+v", a)
	}
	// The password ends at once, also where it was remembered.
	if a := o.execute(2, "secret", "res.partner", "search_count", "[[]]"); a.name() != "" {
		t.Fatalf("%+v", a.Error)
	}
	if a := o.execute(2, "secret", "res.users", "write", `[[2],{"password":"another"}]`); a.Result != true {
		t.Fatalf("%+v", a.Error)
	}
	for password, want := range map[string]string{"secret": accessDenied, "another": ""} {
		if a := o.execute(2, password, "res.partner", "search_count", "[[]]"); a.name() != want {
			t.Errorf("%s after the change: %+v", password, a)
		}
	}
}

// TestOdooWebSessions: a cookie is its user's alone, cannot be read by scripts,
// and says nothing after its end.
func TestOdooWebSessions(t *testing.T) {
	o := startOdoo(t)
	if a := o.execute(2, "secret", "res.users", "create", `[{"name":"Bea","login":"bea","password":"bea-bea"}]`); a.name() != "" {
		t.Fatalf("%+v", a.Error)
	}
	begin := func(login, password string) rpcAnswer {
		return o.rpc("/web/session/authenticate", fmt.Sprintf(`{"db":"x","login":%q,"password":%q}`, login, password))
	}
	admin, bea := begin("admin", "secret"), begin("bea", "bea-bea")
	set := bea.header.Get("Set-Cookie")
	if !strings.HasPrefix(set, "session_id=") || !strings.Contains(set, "HttpOnly") || !strings.Contains(set, "SameSite=Lax") || !strings.Contains(set, "Path=/") {
		t.Errorf("the cookie: %s", set)
	}
	if info, _ := bea.Result.(map[string]any); info["username"] != "bea" || info["is_system"] != false || info["is_internal_user"] != true || info["user_context"] == nil {
		t.Errorf("%v", info)
	}
	uid := func(cookie string) any {
		info, _ := o.rpc("/web/session/get_session_info", `{}`, "Cookie", cookie).Result.(map[string]any)
		return info["uid"]
	}
	mine := uid(bea.cookie)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if got := uid(admin.cookie); got != 2.0 {
				t.Errorf("the administrator's cookie is of %v", got)
			}
		})
		all.Go(func() {
			if got := uid(bea.cookie); got != mine || got == 2.0 {
				t.Errorf("Bea's cookie is of %v", got)
			}
		})
	}
	all.Wait()
	const count = `{"model":"res.partner","method":"search_count","args":[[]],"kwargs":{}}`
	if a := o.rpc("/web/dataset/call_kw/ir.config_parameter/search", `{"model":"ir.config_parameter","method":"search","args":[[]],"kwargs":{}}`, "Cookie", bea.cookie); a.name() != accessError {
		t.Errorf("Bea reads parameters: %+v", a)
	}
	// The cookie is good for the web client's routes alone, and not for forms of other sites.
	for path, contentType := range map[string]string{"/web/dataset/call_kw": "text/plain", "/web/session/get_session_info": ""} {
		if w := o.post(path, contentType, `{"params":`+count+`}`, "Cookie", admin.cookie); w.Code != http.StatusUnsupportedMediaType {
			t.Errorf("%s as %q: %d %s", path, contentType, w.Code, w.Body.String())
		}
	}
	o.json2("res.users/context_get", ``, 401, "", "Cookie", admin.cookie)
	if status, _ := send(t, o.h, "GET", "/api/v1/ping", "", "Cookie", admin.cookie); status != http.StatusUnauthorized {
		t.Errorf("REST with a cookie: %d", status)
	}
	if status, _ := send(t, o.h, "GET", "/api/v1/ping", "", "Authorization", "Bearer "+strings.TrimPrefix(admin.cookie, "session_id=")); status != http.StatusUnauthorized {
		t.Errorf("a session as a bearer: %d", status)
	}
	if a := o.rpc("/web/session/destroy", `{}`, "Cookie", bea.cookie); a.Error != nil || a.Result != nil || !strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("destroy: %+v", a)
	}
	for _, cookie := range []string{bea.cookie, "session_id=", "session_id=x", ""} {
		if a := o.rpc("/web/session/get_session_info", `{}`, "Cookie", cookie); a.Error == nil || a.Error.Code != 100 || a.status != 200 {
			t.Errorf("%q: %+v", cookie, a)
		}
	}
	if uid(admin.cookie) != 2.0 {
		t.Error("the administrator's session ended with Bea's")
	}
	if a := begin("admin", "wrong"); a.name() != accessDenied || a.cookie != "" {
		t.Errorf("%+v", a)
	}
	if a := begin("admin", o.key("read", nil)); a.name() != accessError || a.cookie != "" {
		t.Errorf("a session of a gateway key: %+v", a)
	}
}

// TestOdooLimits: limits, addresses and blocks are those of REST.
func TestOdooLimits(t *testing.T) {
	o := startOdoo(t)
	slow := o.key("read", func(s *identity.KeySpec) { s.Limits.Minute = 2 })
	for i := range 3 {
		a := o.execute(2, slow, "res.partner", "search_count", "[[]]")
		if i < 2 && (a.status != 200 || a.name() != "" || a.header.Get("X-Request-Id") == "") {
			t.Errorf("call %d: %+v", i, a)
		}
		if i == 2 && (a.status != 429 || a.name() != "werkzeug.exceptions.TooManyRequests" || a.header.Get("Retry-After") == "") {
			t.Errorf("call %d: %+v", i, a)
		}
	}
	o.json2("res.partner/search_count", `{"domain":[]}`, 429, "Rate limit exceeded", "X-API-Key", slow)
	far := o.key("read", func(s *identity.KeySpec) { s.AllowedIPs = "198.51.100.0/24" })
	if a := o.execute(2, far, "res.partner", "search_count", "[[]]"); a.name() != accessError {
		t.Errorf("from elsewhere: %+v", a)
	}
	o.json2("res.partner/search_count", `{"domain":[]}`, 403, "may not be used from", "X-API-Key", far)
	err := o.app.Settings.Set(t.Context(), map[string]any{"autoblock_violations": 5})
	if err != nil {
		t.Fatal(err)
	}
	for range 6 { // answered 200, and noted as what they are
		o.rpc("/jsonrpc", `{"service":"common","method":"login","args":["any","admin","guess"]}`)
	}
	if w := o.post("/jsonrpc", "application/json", `{"params":{"service":"common","method":"version","args":[]}}`); w.Code != http.StatusForbidden {
		t.Errorf("after guesses the address goes on: %d %s", w.Code, w.Body.String())
	}
}

// odooLeaks is what no answer may hold.
var odooLeaks = regexp.MustCompile(`Traceback|goroutine|\.go:\d|(?i:select .* from )|sqlite`)

// TestOdooBadInput: whatever comes in is answered in the protocol's own way.
func TestOdooBadInput(t *testing.T) {
	o := startOdoo(t)
	key := o.key("read,write,delete", nil)
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	for _, body := range []string{
		``, `{`, `null`, `[]`, `"x"`, `7`, `{"domain":` + deep + `}`, `{"domain":"[('a"}`, `{"domain":[["name","=","\u0000"]]}`,
		`{"domain":[],"limit":-1}`, `{"domain":[],"limit":1e99}`, `{"domain":[],"order":"; drop table res_partner"}`, `{"domain":[],"context":[]}`,
		`{"ids":[1]}`, `{"domain":{"a":1}}`, "\xff", `{"domain":[],"fields":[["x"]]}`, `{"domain":[["name","nosuch",1]]}`,
	} {
		w := o.post("/json/2/res.partner/search_read", "application/json", body, "X-API-Key", key)
		var e struct{ Name, Message, Debug string }
		failed := w.Code != 200
		if err := json.Unmarshal(w.Body.Bytes(), &e); failed && (err != nil || e.Name == "" || e.Message == "") || odooLeaks.MatchString(w.Body.String()) ||
			e.Message == "Internal server error" {
			t.Errorf("%.80s: %d %s", body, w.Code, w.Body.String())
		}
	}
	for _, params := range []string{
		`{"service":"object","method":"execute_kw","args":[]}`, `{"service":"object","method":"execute_kw","args":[1,2,3,4,5,6,7]}`,
		`{"service":"object","method":"execute_kw","args":["x",2,"secret","res.partner","search",{}]}`,
		`{"service":"object","method":"execute_kw","args":["x",2,"secret","res.partner","search",[[]],[]]}`,
		`{"service":"object","method":"execute_kw","args":["x",2,"secret","res.partner","search",[[]],{},1]}`,
		`{"service":"object","method":"execute_kw","args":["x",2,"secret","` + strings.Repeat("m", 5000) + `","search",[[]]]}`,
		`{"service":"object","method":"execute_kw","args":["x",2,"secret","res.partner\u0000","search",[[]]]}`,
		`{"service":"object","method":"execute_kw","args":["x",2,"secret","res.partner","search\u0000",[[]]]}`,
		`{"service":"object","method":"execute_kw","args":["x",{"a":1},["b"],{},7,[[]]]}`,
		`{"service":"object","method":"execute_kw","args":["x",2,null,"res.partner","search",[[]]]}`,
		`{"service":"object","method":"execute_kw","args":["x",99999999999999999999,"secret","res.partner","search",[[]]]}`,
		`{"service":"object","method":"execute","args":["x",2,"secret","res.partner","write",[1],{"name":"x"},3,4,5]}`,
		`{"service":"common","method":"login","args":[]}`, `{"service":"common","method":"login","args":[1,2,3]}`,
		`{"service":"common","method":"authenticate","args":["x","admin","` + strings.Repeat("p", 100_000) + `",{}]}`,
		`{"service":5,"method":null,"args":{}}`, `{}`, `{"service":"report","method":"x","args":[]}`,
	} {
		a := o.rpc("/jsonrpc", params)
		if a.status != 200 || a.Error == nil && a.Result != false || a.Error != nil && (a.Error.Data.Name == "" || strings.Contains(a.Error.Data.Message, "Internal")) {
			t.Errorf("%.150s: %d %+v %+v", params, a.status, a.Result, a.Error)
		}
	}
	for _, body := range []string{
		"", "<", "<methodCall/>", "<methodCall><methodName>version</methodName></methodCall><x/>",
		`<!DOCTYPE a [<!ENTITY b "c">]><methodCall><methodName>&b;</methodName></methodCall>`, strings.Repeat("<value>", 10_000),
	} {
		for _, path := range []string{"/xmlrpc/2/common", "/xmlrpc/2/object", "/xmlrpc/common", "/xmlrpc/2/nosuch"} {
			w := o.post(path, "", body)
			if w.Code != 200 || !bytes.Contains(w.Body.Bytes(), []byte("<methodResponse>")) || odooLeaks.MatchString(w.Body.String()) {
				t.Errorf("%s %.60q: %d %s", path, body, w.Code, w.Body.String())
			}
		}
	}
	if w := o.post("/jsonrpc", "application/json", strings.Repeat(" ", 9<<20)); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d", w.Code)
	}
}

// TestOdooPreflight: pages of allowed origins may call JSON-2.
func TestOdooPreflight(t *testing.T) {
	o := startOdoo(t)
	if err := o.app.Settings.Set(t.Context(), map[string]any{"cors_origins": []any{"https://shop.example"}}); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, "/json/2/res.partner/search", nil)
	r.Header.Set("Origin", "https://shop.example")
	r.Header.Set("Access-Control-Request-Method", "POST")
	w := httptest.NewRecorder()
	o.h.ServeHTTP(w, r)
	if w.Code != http.StatusNoContent || !strings.Contains(w.Header().Get("Access-Control-Allow-Methods"), "POST") || w.Header().Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// useOdooSecrets sends secrets in all ways that Odoo's protocols have, and adds
// the id of a web session to them.
func useOdooSecrets(t *testing.T, url string, secrets map[string]string) {
	t.Helper()
	post := func(path, contentType, body string, header ...string) http.Header {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", contentType)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.Header
	}
	begun := post("/web/session/authenticate", "application/json", `{"params":{"db":"x","login":"admin","password":"`+secrets["new password"]+`"}}`)
	cookie, _, _ := strings.Cut(begun.Get("Set-Cookie"), ";")
	if secrets["web session"] = strings.TrimPrefix(cookie, "session_id="); len(secrets["web session"]) < 100 {
		t.Fatalf("no session: %v", begun)
	}
	post("/web/session/get_session_info", "application/json", `{}`, "Cookie", cookie)
	for _, secret := range secrets {
		post("/jsonrpc", "application/json", `{"params":{"service":"common","method":"authenticate","args":["x","admin","`+secret+`",{}]}}`)
		post("/jsonrpc", "application/json", `{"params":{"service":"object","method":"execute_kw","args":["x",2,"`+secret+`","res.partner","search_count",[[]]]}}`)
		post("/jsonrpc", "application/json", `{"params":{"service":"object","method":"execute","args":["`+secret+`"`)
		post("/jsonrpc", "application/json", `{"params":{"service":"nosuch","method":"execute","args":["`+secret+`"]}}`)
		for _, path := range []string{"/xmlrpc/2/common", "/xmlrpc/2/object", "/xmlrpc/object"} {
			for _, end := range []string{"", "</param></params></methodCall>"} {
				post(path, "text/xml", "<methodCall><methodName>login</methodName><params><param><value>x</value></param>"+
					"<param><value>admin</value></param><param><value>"+secret+"</value>"+end)
			}
		}
		post("/web/session/authenticate", "application/json", `{"params":{"db":"x","login":"admin","password":"`+secret+`"}}`)
		post("/json/2/res.partner/search_count", "application/json", `{"domain":[]}`, "Authorization", "Bearer "+secret)
	}
}
