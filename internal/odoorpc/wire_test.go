package odoorpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoowire"
)

// corpus is a folder of answers recorded from a genuine Odoo 19.
const corpus = "../../../shared/odoo19"

// exchange is a recorded one.
type exchange struct {
	ID, About string
	Request   struct {
		Method, Path, Body string
		Headers            map[string]string
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    string
	}
}

func recorded(t *testing.T, protocol string) []exchange {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(corpus, "wire", protocol+".jsonl"))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the recordings are not at hand: ../shared/odoo19")
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []exchange
	for line := range bytes.Lines(text) {
		var x exchange
		if err := json.Unmarshal(line, &x); err != nil {
			t.Fatal(err)
		}
		all = append(all, x)
	}
	return all
}

// notOurs are exchanges that no client of ours begins: what is malformed on
// purpose, or asked in a way that it has another for.
var notOurs = map[string]string{
	"json2-006": "Accept-Language", "json2-013": "no body", "json2-015": "Bearer with a capital", "json2-018": "no credential", "json2-022": "Basic",
	"json2-041": "no JSON", "json2-042": "no object", "json2-043": "no object", "json2-045": "text/plain", "json2-046": "form",
	"json2-047": "charset", "json2-048": "GET", "json2-049": "PUT", "json2-050": "path", "json2-051": "path", "json2-055": "/web/version is asked",
	"json2-016": "see TestSeveralDatabases", "json2-017": "see TestSeveralDatabases",
	"jsonrpc-002": "login", "jsonrpc-003": "login", "jsonrpc-004": "login", "jsonrpc-012": "execute", "jsonrpc-013": "an id without a list",
	"jsonrpc-023": "no credential", "jsonrpc-024": "uid as text", "jsonrpc-034": "service", "jsonrpc-035": "service", "jsonrpc-036": "service",
	"jsonrpc-037": "too few", "jsonrpc-038": "databases are asked for elsewhere", "jsonrpc-039": "service", "jsonrpc-040": "no JSON",
	"jsonrpc-041": "batch", "jsonrpc-042": "no params", "jsonrpc-043": "id", "jsonrpc-044": "id", "jsonrpc-045": "GET",
	"xmlrpc-004": "login", "xmlrpc-006": "execute", "xmlrpc-010": "dates are text", "xmlrpc-026": "service", "xmlrpc-027": "service",
	"xmlrpc-028": "databases are asked for elsewhere", "xmlrpc-029": "no XML", "xmlrpc-030": "oldest path", "xmlrpc-031": "oldest path",
	"xmlrpc-032": "oldest path", "xmlrpc-033": "oldest path", "xmlrpc-034": "GET",
	"web-003": "session info", "web-005": "path", "web-013": "no session",
}

// wantKinds is what the errors that were recorded are to our callers.
var wantKinds = map[string]fault.Kind{
	"json2-019": fault.Unauthenticated, "json2-020": fault.Unauthenticated, "json2-021": fault.Unauthenticated,
	"json2-023": fault.Unauthenticated, "json2-024": fault.Unauthenticated, "json2-025": fault.Unauthenticated,
	"json2-026": fault.Forbidden, "json2-028": fault.Forbidden, "json2-029": fault.Forbidden, "json2-053": fault.Forbidden,
	"json2-030": fault.NotFound, "json2-031": fault.NotFound, "json2-032": fault.NotFound,
	"json2-033": fault.BadRequest, "json2-034": fault.BadRequest, "json2-035": fault.BadRequest, "json2-039": fault.BadRequest,
	"json2-040": fault.BadRequest, "json2-044": fault.BadRequest, "json2-052": fault.BadRequest,
	"json2-036": fault.Unprocessable, "json2-037": fault.Unprocessable, "json2-038": fault.Unprocessable,
	"jsonrpc-006": fault.Unauthenticated, "jsonrpc-008": fault.Unauthenticated, "jsonrpc-022": fault.Unauthenticated,
	"jsonrpc-025": fault.NotFound, "jsonrpc-026": fault.NotFound, "jsonrpc-031": fault.NotFound,
	"jsonrpc-027": fault.Forbidden, "jsonrpc-028": fault.Forbidden,
	"jsonrpc-029": fault.Unprocessable, "jsonrpc-030": fault.Unprocessable, "jsonrpc-032": fault.BadRequest, "jsonrpc-033": fault.BadGateway,
	"xmlrpc-003": fault.Unauthenticated, "xmlrpc-016": fault.Unauthenticated,
	"xmlrpc-017": fault.Forbidden, "xmlrpc-018": fault.Forbidden, "xmlrpc-019": fault.Unprocessable, "xmlrpc-020": fault.Unprocessable,
	"xmlrpc-021": fault.NotFound, "xmlrpc-022": fault.BadRequest, "xmlrpc-023": fault.NotFound, "xmlrpc-024": fault.NotFound,
	"xmlrpc-025": fault.BadGateway,
	"web-001":    fault.Unauthenticated, "web-009": fault.Forbidden, "web-010": fault.Forbidden, "web-011": fault.NotFound,
	"web-012": fault.BadRequest, "web-014": fault.BadGateway, "web-017": fault.Unauthenticated,
}

// The causes of a NotFound that is not about a record.
var wantCauses = map[string]error{
	"json2-030": ErrNoModel, "jsonrpc-025": ErrNoModel, "xmlrpc-023": ErrNoModel, "web-011": ErrNoModel,
	"json2-031": backend.ErrNoMethod, "jsonrpc-026": backend.ErrNoMethod, "xmlrpc-024": backend.ErrNoMethod,
}

// TestRecorded makes the calls that were recorded from an Odoo 19, each against
// a server that answers what it did: the request must mean the same, and the
// answer be understood.
func TestRecorded(t *testing.T) {
	for _, protocol := range []string{"json2", "jsonrpc", "xmlrpc", "web"} {
		t.Run(protocol, func(t *testing.T) {
			made := 0
			for _, x := range recorded(t, protocol) {
				if notOurs[x.ID] != "" {
					continue
				}
				made++
				t.Run(x.ID, func(t *testing.T) { replay(t, protocol, &x) })
			}
			t.Logf("%d exchanges", made)
		})
	}
}

// sent is the request of a client.
type sent struct {
	method, path string
	header       http.Header
	body         []byte
}

func replay(t *testing.T, protocol string, x *exchange) {
	var mu sync.Mutex
	var got []sent
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		got = append(got, sent{r.Method, r.URL.Path, r.Header, body})
		mu.Unlock()
		for name, value := range x.Response.Headers {
			w.Header().Set(name, strings.Replace(value, "Expires=…; ", "", 1))
		}
		w.WriteHeader(x.Response.Status)
		_, _ = io.WriteString(w, x.Response.Body)
	}))
	defer server.Close()
	c, err := New(Options{URL: server.URL, Database: "corpus", Protocol: protocol})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	result, err := redo(t, c, protocol, x)
	if len(got) == 0 {
		t.Fatalf("no request was made: %v", err)
	}
	sameRequest(t, protocol, x, &got[0])
	if kind, fails := wantKinds[x.ID]; fails {
		wantFault(t, x, err, kind)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if want := recordedResult(t, protocol, x); !reflect.DeepEqual(plain(t, result), want) {
		t.Errorf("result %s\nwant %v", result, want)
	}
}

func wantFault(t *testing.T, x *exchange, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("%v, want %v", err, kind)
	}
	f := fault.From(err)
	if cause := wantCauses[x.ID]; cause != nil && !errors.Is(err, cause) {
		t.Errorf("%v is not %v", err, cause)
	} else if cause == nil && (errors.Is(err, ErrNoModel) || errors.Is(err, backend.ErrNoMethod)) {
		t.Errorf("%v is about a model or method", err)
	}
	if strings.Contains(f.Message, "…") || strings.Contains(f.Message, "127.0.0.1") || strings.Contains(f.Message, "Traceback") {
		t.Errorf("the message has what is private: %q", f.Message)
	}
	if (kind == fault.Unprocessable || kind == fault.Forbidden) && !strings.Contains(strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace(x.Response.Body), f.Message) {
		t.Errorf("%q are not Odoo's words", f.Message)
	}
	var told *odoowire.Error
	falsely := strings.HasSuffix(x.ID, "-006") || strings.HasSuffix(x.ID, "-008") || x.ID == "xmlrpc-003" // login: false
	if !errors.As(err, &told) && !falsely {
		t.Errorf("%v has no error of Odoo as its cause", err)
	}
}

// recordedResult reads the result out of a recorded answer.
func recordedResult(t *testing.T, protocol string, x *exchange) any {
	t.Helper()
	switch protocol {
	case "json2":
		return plain(t, []byte(x.Response.Body))
	case "xmlrpc":
		v, told, err := odoowire.DecodeXMLResponse([]byte(x.Response.Body))
		if err != nil {
			t.Fatal(err)
		}
		if told != nil { // of nothing
			return nil
		}
		return v
	}
	var body struct{ Result json.RawMessage }
	if err := json.Unmarshal([]byte(x.Response.Body), &body); err != nil {
		t.Fatal(err)
	}
	if body.Result == nil {
		return nil
	}
	return plain(t, body.Result)
}

func plain(t *testing.T, text []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// sameRequest compares what was sent with what was recorded.
func sameRequest(t *testing.T, protocol string, x *exchange, got *sent) {
	t.Helper()
	if got.method != x.Request.Method || got.path != x.Request.Path {
		t.Errorf("%s %s, want %s %s", got.method, got.path, x.Request.Method, x.Request.Path)
	}
	for name, want := range x.Request.Headers {
		is, _, _ := strings.Cut(got.header.Get(name), ";")
		if want, _, _ = strings.Cut(want, ";"); is != want {
			t.Errorf("%s: %q, want %q", name, is, want)
		}
	}
	for _, name := range []string{"Authorization", "Cookie", "X-Odoo-Database"} {
		if got.header.Get(name) != "" && x.Request.Headers[name] == "" {
			t.Errorf("%s is sent, which was not recorded", name)
		}
	}
	if x.Request.Body == "" {
		if len(got.body) > 0 {
			t.Errorf("a body: %s", got.body)
		}
		return
	}
	if is, want := meaning(t, protocol, got.body), meaning(t, protocol, []byte(x.Request.Body)); !reflect.DeepEqual(is, want) {
		t.Errorf("sent %v\nwant %v", is, want)
	}
}

// meaning is a body without what makes no difference: arguments by name that
// are none may be left out or null.
func meaning(t *testing.T, protocol string, body []byte) any {
	t.Helper()
	if protocol == "xmlrpc" {
		call, err := odoowire.DecodeXMLCall(body)
		if err != nil {
			t.Fatal(err)
		}
		if call.Method == "execute_kw" && len(call.Params) < 7 {
			call.Params = append(call.Params, map[string]any{})
		}
		return call
	}
	v := plain(t, body)
	object, _ := v.(map[string]any)
	params, _ := object["params"].(map[string]any)
	if args, ok := params["args"].([]any); ok && params["method"] == "execute_kw" {
		for len(args) < 7 {
			args = append(args, map[string]any{})
		}
		if args[6] == nil {
			args[6] = map[string]any{}
		}
		params["args"] = args
	}
	return v
}

// redo makes the call of a recorded request.
func redo(t *testing.T, c *Client, protocol string, x *exchange) (json.RawMessage, error) {
	t.Helper()
	ctx := t.Context()
	if x.Request.Method == http.MethodGet || strings.HasPrefix(x.About, "version") {
		return redoVersion(ctx, t, c, x)
	}
	switch protocol {
	case "json2":
		parts := strings.Split(x.Request.Path, "/")
		kwargs, _ := plain(t, []byte(x.Request.Body)).(map[string]any)
		r := &Request{Model: parts[3], Method: parts[4], Kwargs: kwargs}
		if ids, ok := kwargs["ids"].([]any); ok {
			delete(kwargs, "ids")
			r.IDs = idsOf(ids)
		}
		return c.Call(ctx, &Account{Secret: strings.TrimPrefix(x.Request.Headers["Authorization"], "bearer ")}, r)
	case "web":
		return redoWeb(ctx, t, c, x)
	}
	args, method := redoArgs(t, protocol, x)
	text := func(i int) string { s, _ := args[i].(string); return s }
	c.o.Database = text(0)
	if method == "authenticate" {
		uid, err := c.askUID(ctx, &Account{Login: text(1), Secret: text(2)}, nobody)
		out, _ := json.Marshal(uid)
		return out, err
	}
	number, _ := args[1].(json.Number)
	uid, _ := number.Int64()
	positional, _ := args[5].([]any)
	r := &Request{Model: text(3), Method: text(4), Args: positional}
	if len(args) > 6 {
		r.Kwargs, _ = args[6].(map[string]any)
	}
	return c.Call(ctx, &Account{UID: uid, Secret: text(2)}, r)
}

func idsOf(list []any) []int64 {
	ids := make([]int64, 0, len(list))
	for _, id := range list {
		number, _ := id.(json.Number)
		n, _ := number.Int64()
		ids = append(ids, n)
	}
	return ids
}

func redoArgs(t *testing.T, protocol string, x *exchange) (args []any, method string) {
	t.Helper()
	if protocol == "xmlrpc" {
		call, err := odoowire.DecodeXMLCall([]byte(x.Request.Body))
		if err != nil {
			t.Fatal(err)
		}
		return call.Params, call.Method
	}
	body, _ := plain(t, []byte(x.Request.Body)).(map[string]any)
	params, _ := body["params"].(map[string]any)
	args, _ = params["args"].([]any)
	method, _ = params["method"].(string)
	return args, method
}

// redoVersion asks in the way that was recorded.
func redoVersion(ctx context.Context, t *testing.T, c *Client, x *exchange) (json.RawMessage, error) {
	t.Helper()
	for i, asker := range versionAskers {
		m := &message{}
		if err := asker(m); err != nil {
			t.Fatal(err)
		}
		if m.path == x.Request.Path {
			c.version.asker = i
		}
	}
	if v, err := c.Version(ctx); err != nil || v.Major != 19 || v.Text != "19.0" {
		t.Errorf("version %+v, %v", v, err)
	}
	m := &message{}
	if err := versionAskers[c.version.asker](m); err != nil {
		t.Fatal(err)
	}
	text, failed := c.exchange(ctx, m)
	if failed != nil {
		return nil, failed.fault
	}
	return text, nil
}

func redoWeb(ctx context.Context, t *testing.T, c *Client, x *exchange) (json.RawMessage, error) {
	t.Helper()
	_, id, _ := strings.Cut(x.Request.Headers["Cookie"], "session_id=")
	body, _ := plain(t, []byte(x.Request.Body)).(map[string]any)
	params, _ := body["params"].(map[string]any)
	text := func(name string) string { s, _ := params[name].(string); return s }
	switch x.Request.Path {
	case "/web/session/authenticate":
		login, err := c.Authenticate(ctx, text("login"), text("password"), nobody)
		if err != nil {
			return nil, err
		}
		if login.UID != 7 || login.Login != "c_own" || login.Name != "Olivia Own" || login.Session.ID() != "SESSION" {
			t.Errorf("%+v", login)
		}
		all, _ := json.Marshal(recordedResult(t, "web", x))
		return all, nil
	case "/web/session/destroy":
		return json.RawMessage("null"), c.Logout(ctx, NewSession(id, nil))
	case "/web/database/list":
		c.o.Database = ""
		_, err := c.databaseName(ctx)
		return nil, err
	}
	args, _ := params["args"].([]any)
	kwargs, _ := params["kwargs"].(map[string]any)
	s := NewSession(id, nil)
	result, err := c.Call(ctx, &Account{Session: s}, &Request{Model: text("model"), Method: text("method"), Args: args, Kwargs: kwargs})
	if x.ID == "web-017" && s.ID() != "" {
		t.Errorf("the session goes on as %q", s.ID())
	}
	return result, err
}
