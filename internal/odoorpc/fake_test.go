package odoorpc

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"gatehouse/internal/odoowire"
)

// Nothing that a client or a test started may be left behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeOdoo is the far side: as much of an Odoo as a client can tell apart.
type fakeOdoo struct {
	*httptest.Server
	t       testing.TB
	version string
	listed  []string // databases; nil: the list is denied
	// do runs a method for a user; nil answers with what it was asked.
	do func(uid int64, model, method string, args []any, kwargs map[string]any) (any, *odoowire.Error)
	// first sees each request, and may answer it.
	first func(w http.ResponseWriter, r *http.Request, body []byte) bool

	mu       sync.Mutex
	users    map[string]fakeUser // by login
	sessions map[string]int64
	logins   int
	serial   int
	paths    []string
	requests []*http.Request
}

type fakeUser struct {
	uid           int64
	password, key string
	factor        bool
}

// odoo starts one.
func odoo(t testing.TB, version string) *fakeOdoo {
	t.Helper()
	f := &fakeOdoo{
		t: t, version: version, sessions: map[string]int64{},
		users: map[string]fakeUser{
			"ann": {uid: 7, password: "pw-ann", key: "key-ann"}, "bob": {uid: 8, password: "pw-bob", key: "key-bob"},
			"two": {uid: 9, password: "pw-two", key: "key-two", factor: true},
		},
	}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

// client makes one for it.
func (f *fakeOdoo) client(change func(o *Options)) *Client {
	f.t.Helper()
	o := Options{URL: f.URL, Database: "corpus", Version: "1.2.3"}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(c.Close)
	return c
}

func (f *fakeOdoo) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.paths = append(f.paths, r.URL.Path)
	f.requests = append(f.requests, r)
	f.mu.Unlock()
	if f.first != nil && f.first(w, r, body) {
		return
	}
	switch path := r.URL.Path; {
	case path == "/web/version" && f.modern():
		writeJSON(w, 200, map[string]any{"version": f.version, "version_info": []any{19, 0, 0, "final", 0, ""}})
	case strings.HasPrefix(path, "/json/2/") && f.modern():
		f.json2(w, r, body)
	case path == "/jsonrpc" || strings.HasPrefix(path, "/web/") && path != "/web/version":
		f.rpc(w, r, body)
	case strings.HasPrefix(path, "/xmlrpc/2/"):
		f.xml(w, r, body)
	default:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "<!doctype html><title>404 Not Found</title>")
	}
}

func (f *fakeOdoo) modern() bool { return f.version >= "19" }

func writeJSON(w http.ResponseWriter, status int, v any) {
	text, err := odoowire.AppendJSON2(nil, v)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

func (f *fakeOdoo) json2(w http.ResponseWriter, r *http.Request, body []byte) {
	var kwargs map[string]any
	if err := json.Unmarshal(body, &kwargs); err != nil {
		writeJSON(w, 400, odoowire.BadRequest("could not parse the body as json"))
		return
	}
	key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "bearer ")
	uid := f.who("", key)
	if uid == 0 {
		writeJSON(w, 401, odoowire.Unauthorized("Invalid apikey"))
		return
	}
	parts := strings.Split(r.URL.Path, "/")
	result, told := f.call(uid, parts[3], parts[4], nil, kwargs)
	if told != nil {
		writeJSON(w, told.Status, told)
		return
	}
	writeJSON(w, 200, result)
}

// who finds a user by what he sends; login "" is any.
func (f *fakeOdoo) who(login, secret string) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, u := range f.users {
		if (login == "" || login == name) && secret != "" && (secret == u.key || login != "" && secret == u.password) {
			return u.uid
		}
	}
	return 0
}

func (f *fakeOdoo) call(uid int64, model, method string, args []any, kwargs map[string]any) (any, *odoowire.Error) {
	if model == "res.users" && method == "context_get" {
		if f.version < "16" {
			return map[string]any{"lang": "en_US", "tz": false}, nil
		}
		return map[string]any{"uid": uid, "lang": "en_US"}, nil
	}
	if f.do != nil {
		return f.do(uid, model, method, args, kwargs)
	}
	return map[string]any{"uid": uid, "model": model, "method": method, "args": args, "kwargs": kwargs}, nil
}

func (f *fakeOdoo) rpc(w http.ResponseWriter, r *http.Request, body []byte) {
	call, err := odoowire.DecodeRPCCall(body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var result any
	var told *odoowire.Error
	switch path := r.URL.Path; {
	case path == "/jsonrpc":
		service, _ := call.Params["service"].(string)
		method, _ := call.Params["method"].(string)
		args, _ := call.Params["args"].([]any)
		result, told = f.service(service, method, args)
	case path == "/web/webclient/version_info":
		result = map[string]any{"server_version": f.version}
	case path == "/web/database/list":
		if result, told = f.listed, nil; f.listed == nil {
			told = odoowire.AccessDenied()
		}
	case path == "/web/session/authenticate":
		result, told = f.authenticate(w, call.Params)
	case path == "/web/session/destroy":
		f.end(r)
	case strings.HasPrefix(path, "/web/dataset/call_kw/"):
		result, told = f.callKW(r, call.Params)
	default:
		told = odoowire.NoPage()
	}
	var text []byte
	if told != nil {
		text, err = odoowire.AppendRPCError(nil, call.ID, told)
	} else {
		text, err = odoowire.AppendRPCResult(nil, call.ID, result)
	}
	if err != nil {
		f.t.Error(err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(text)
}

func (f *fakeOdoo) service(service, method string, args []any) (any, *odoowire.Error) {
	text := func(i int) string { s, _ := args[i].(string); return s }
	switch service + "." + method {
	case "common.version":
		return map[string]any{"server_version": f.version}, nil
	case "common.authenticate":
		if uid := f.who(text(1), text(2)); uid != 0 {
			return uid, nil
		}
		return false, nil
	case "object.execute_kw":
		number, _ := args[1].(json.Number)
		uid, _ := number.Int64()
		for login, u := range f.users {
			if u.uid == uid && f.who(login, text(2)) == uid {
				list, _ := args[5].([]any)
				kwargs, _ := args[6].(map[string]any)
				return f.call(uid, text(3), text(4), list, kwargs)
			}
		}
		return nil, odoowire.AccessDenied()
	}
	return nil, odoowire.PythonError("KeyError", service)
}

func (f *fakeOdoo) xml(w http.ResponseWriter, r *http.Request, body []byte) {
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	call, err := odoowire.DecodeXMLCall(body)
	if err != nil {
		f.t.Errorf("%v in %s", err, body)
		return
	}
	result, told := f.service(strings.TrimPrefix(r.URL.Path, "/xmlrpc/2/"), call.Method, call.Params)
	if told == nil {
		text, err := odoowire.AppendXMLResponse(nil, result)
		if err == nil {
			_, _ = w.Write(text)
			return
		}
		told = odoowire.PythonError("TypeError", err.Error())
	}
	code, text := told.XMLFault(false)
	_, _ = w.Write(odoowire.AppendXMLFault(nil, code, text))
}

func (f *fakeOdoo) authenticate(w http.ResponseWriter, params map[string]any) (any, *odoowire.Error) {
	login, _ := params["login"].(string)
	password, _ := params["password"].(string)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.logins++
	u, ok := f.users[login]
	if !ok || u.password != password || params["db"] != "corpus" {
		return nil, odoowire.AccessDenied()
	}
	if u.factor {
		return map[string]any{"uid": nil}, nil
	}
	f.cookie(w, u.uid)
	return map[string]any{"uid": u.uid, "username": login, "name": strings.ToUpper(login)}, nil
}

// cookie begins a session. The caller holds the lock.
func (f *fakeOdoo) cookie(w http.ResponseWriter, uid int64) {
	f.serial++
	id := fmt.Sprintf("session-%d-of-%d", f.serial, uid)
	f.sessions[id] = uid
	http.SetCookie(w, &http.Cookie{Name: "session_id", Value: id, Path: "/", HttpOnly: true, MaxAge: 604800})
}

func (f *fakeOdoo) session(r *http.Request) (string, int64) {
	cookie, err := r.Cookie("session_id")
	if err != nil {
		return "", 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return cookie.Value, f.sessions[cookie.Value]
}

func (f *fakeOdoo) end(r *http.Request) {
	id, _ := f.session(r)
	f.mu.Lock()
	delete(f.sessions, id)
	f.mu.Unlock()
}

// endAll forgets all sessions.
func (f *fakeOdoo) endAll() {
	f.mu.Lock()
	clear(f.sessions)
	f.mu.Unlock()
}

func (f *fakeOdoo) callKW(r *http.Request, params map[string]any) (any, *odoowire.Error) {
	_, uid := f.session(r)
	if uid == 0 {
		return nil, odoowire.SessionExpired()
	}
	model, _ := params["model"].(string)
	method, _ := params["method"].(string)
	args, _ := params["args"].([]any)
	kwargs, _ := params["kwargs"].(map[string]any)
	if r.URL.Path != "/web/dataset/call_kw/"+model+"/"+method {
		f.t.Errorf("%s: %s of %s", r.URL.Path, method, model)
	}
	return f.call(uid, model, method, args, kwargs)
}

// counted tells how often paths were asked for.
func (f *fakeOdoo) counted() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := map[string]int{}
	for _, path := range f.paths {
		n[path]++
	}
	return n
}

// forget starts counting anew.
func (f *fakeOdoo) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.paths, f.requests = nil, nil
}

// Accounts of the fake.
func keyOf(login string) *Account { return &Account{Login: login, Secret: "key-" + login} }

func passwordOf(login string) *Account {
	return &Account{Login: login, Secret: "pw-" + login, Password: true}
}

var nobody netip.Addr
