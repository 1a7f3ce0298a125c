package odoorpc

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoowire"
)

// asked is what the fake answers with.
type asked struct {
	UID    int64
	Model  string
	Method string
	Args   json.RawMessage
	Kwargs json.RawMessage
}

func mustCall(t *testing.T, c *Client, a *Account, r *Request) asked {
	t.Helper()
	text, err := c.Call(t.Context(), a, r)
	if err != nil {
		t.Fatal(err)
	}
	var got asked
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return got
}

// TestWays: which account goes which way to which Odoo.
func TestWays(t *testing.T) {
	const json2Path, webPath = "/json/2/res.partner/read", "/web/dataset/call_kw/res.partner/read"
	withUID := func(a *Account, uid int64) *Account { a.UID = uid; return a }
	for _, test := range []struct {
		name, version, protocol string
		account                 *Account
		args                    []any
		want                    string
		others                  int // further requests
	}{
		{"key, 19", "19.0", "", keyOf("ann"), nil, json2Path, 1},
		{"key, 19 of the cloud", "saas~19.1", "", keyOf("ann"), nil, json2Path, 1},
		{"key without a login, 19", "19.0", "", &Account{Secret: "key-ann"}, nil, json2Path, 1},
		{"key, 19, by position", "19.0", "", keyOf("ann"), []any{[]any{"name"}}, "/jsonrpc", 2},
		{"key with a uid, 19, by position", "19.0", "", withUID(keyOf("ann"), 7), []any{[]any{"name"}}, "/jsonrpc", 0},
		{"key, 17", "17.0", "", keyOf("ann"), nil, "/jsonrpc", 3},
		{"key with a uid, 17", "17.0", "auto", withUID(keyOf("ann"), 7), nil, "/jsonrpc", 2},
		{"key, JSON-2 by option", "19.0", "json2", keyOf("ann"), nil, json2Path, 0},
		{"key, JSON-RPC by option", "19.0", "jsonrpc", keyOf("ann"), nil, "/jsonrpc", 1},
		{"key, XML-RPC by option", "19.0", "xmlrpc", keyOf("ann"), nil, "/xmlrpc/2/object", 1},
		{"key, web by option", "19.0", "web", keyOf("ann"), nil, json2Path, 1},
		{"password", "19.0", "", passwordOf("ann"), nil, webPath, 1},
		{"password, 17", "17.0", "", passwordOf("ann"), nil, webPath, 1},
		{"password, JSON-2 by option", "19.0", "json2", passwordOf("ann"), nil, webPath, 1},
		{"password, JSON-RPC by option", "17.0", "jsonrpc", passwordOf("ann"), nil, "/jsonrpc", 1},
		{"password, XML-RPC by option", "17.0", "xmlrpc", passwordOf("ann"), nil, "/xmlrpc/2/object", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := odoo(t, test.version)
			if strings.HasPrefix(test.version, "saas") {
				f.version = "19.1"
				f.first = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
					if r.URL.Path != "/web/version" {
						return false
					}
					writeJSON(w, 200, map[string]any{"version": test.version})
					return true
				}
			}
			c := f.client(func(o *Options) { o.Protocol = test.protocol })
			got := mustCall(t, c, test.account, &Request{
				Model: "res.partner", Method: "read", IDs: []int64{1, 2}, Args: test.args, Kwargs: map[string]any{"load": false}, Reads: true,
			})
			if got.UID != 7 || got.Model != "res.partner" || got.Method != "read" {
				t.Errorf("asked %+v", got)
			}
			wantArgs, wantKwargs := "null", `{"ids":[1,2],"load":false}`
			if test.want != json2Path {
				if wantArgs, wantKwargs = `[[1,2]]`, `{"load":false}`; test.args != nil {
					wantArgs = `[[1,2],["name"]]`
				}
			}
			if string(got.Args) != wantArgs || string(got.Kwargs) != wantKwargs {
				t.Errorf("args %s, kwargs %s; want %s, %s", got.Args, got.Kwargs, wantArgs, wantKwargs)
			}
			n := f.counted()
			sum := 0
			for _, count := range n {
				sum += count
			}
			if n[test.want] == 0 || sum != test.others+1 {
				t.Errorf("went %v; want %s and %d others", n, test.want, test.others)
			}
			f.forget() // what was found out is kept
			mustCall(t, c, test.account, &Request{Model: "res.partner", Method: "read", IDs: []int64{}, Args: test.args, Reads: true})
			if n := f.counted(); len(n) != 1 || n[test.want] != 1 {
				t.Errorf("the second time: %v", n)
			}
		})
	}
}

// TestByPosition: execute_kw looks for the values of a create nowhere else, and
// other arguments have other names in some versions and modules.
func TestByPosition(t *testing.T) {
	f := odoo(t, "15.0")
	for _, test := range []struct {
		method             string
		ids                []int64
		args               []any
		kwargs             map[string]any
		wantArgs, wantKeys string
	}{
		{
			"create", nil, nil,
			map[string]any{"vals_list": []any{map[string]any{"name": "a < b"}}, "context": map[string]any{"lang": "fr_FR"}},
			`[[{"name":"a < b"}]]`, `{"context":{"lang":"fr_FR"}}`,
		},
		{"write", []int64{7}, nil, map[string]any{"vals": map[string]any{"name": "b"}}, `[[7],{"name":"b"}]`, `{}`},
		{"write", nil, nil, map[string]any{"vals": map[string]any{}}, `[]`, `{"vals":{}}`}, // not in place of the ids
		{"write", nil, []any{[]any{7}}, map[string]any{"vals": map[string]any{}}, `[[7]]`, `{"vals":{}}`},
		{"search_count", nil, nil, map[string]any{"domain": []any{}}, `[[]]`, `{}`},
		{"search", nil, nil, map[string]any{"domain": []any{}, "limit": 3}, `[[]]`, `{"limit":3}`},
		{"search", nil, nil, map[string]any{"limit": 3}, `[]`, `{"limit":3}`},
		{"default_get", nil, nil, map[string]any{"fields": []any{"name"}}, `[["name"]]`, `{}`},
		{"name_search", nil, nil, map[string]any{"name": "x", "domain": []any{}, "limit": 3}, `["x",[]]`, `{"limit":3}`},
		{"read_group", nil, nil, map[string]any{"domain": []any{}, "groupby": []any{}}, `[[]]`, `{"groupby":[]}`},
		{"read_group", nil, nil, map[string]any{"domain": []any{}, "fields": []any{"x"}, "groupby": []any{}}, `[[],["x"],[]]`, `{}`},
		{"action_x", []int64{7}, nil, map[string]any{"vals": 1}, `[[7]]`, `{"vals":1}`},
	} {
		for _, account := range []*Account{keyOf("ann"), passwordOf("ann")} {
			got := mustCall(t, f.client(nil), account, &Request{Model: "res.partner", Method: test.method, IDs: test.ids, Args: test.args, Kwargs: test.kwargs})
			if string(got.Args) != test.wantArgs || string(got.Kwargs) != test.wantKeys {
				t.Errorf("%s: %s %s", test.method, got.Args, got.Kwargs)
			}
		}
	}
}

func TestExactNumbersAndNothing(t *testing.T) {
	f := odoo(t, "19.0")
	f.do = func(_ int64, _, method string, _ []any, kwargs map[string]any) (any, *odoowire.Error) {
		if method == "nothing" {
			return nil, nil
		}
		return json.RawMessage(`[9007199254740993, 1.10, 1e2, "é\u0000<", false]`), nil
	}
	for _, protocol := range []string{"json2", "jsonrpc", "web"} {
		c := f.client(func(o *Options) { o.Protocol = protocol })
		a := keyOf("ann")
		if protocol == "web" {
			a = passwordOf("ann")
		}
		for method, want := range map[string]string{"nothing": "null", "some": `[9007199254740993, 1.10, 1e2, "é\u0000<", false]`} {
			text, err := c.Call(t.Context(), a, &Request{Model: "m", Method: method})
			if err != nil || strings.ReplaceAll(string(text), " ", "") != strings.ReplaceAll(want, " ", "") {
				t.Errorf("%s: %s is %s, %v", protocol, method, text, err)
			}
		}
	}
	// XML-RPC carries no nothing: the work is done, and only the answer is lost.
	c := f.client(func(o *Options) { o.Protocol = "xmlrpc" })
	if text, err := c.Call(t.Context(), keyOf("ann"), &Request{Model: "m", Method: "nothing"}); err != nil || string(text) != "null" {
		t.Errorf("XML-RPC: %s, %v", text, err)
	}
	if text, err := c.Call(t.Context(), keyOf("ann"), &Request{Model: "m", Method: "nothing", Reads: true}); err == nil {
		t.Errorf("XML-RPC, a read whose answer was lost: %s", text)
	}
}

func TestNamesAreNotPaths(t *testing.T) {
	f := odoo(t, "19.0")
	c := f.client(nil)
	for _, r := range []*Request{
		{Model: "..", Method: "x"},
		{Model: "../../web", Method: "session"},
		{Model: "a/b", Method: "x"},
		{Model: "", Method: "x"},
		{Model: "a..b", Method: "x"},
		{Model: "a?b", Method: "x"},
		{Model: strings.Repeat("a", 200), Method: "x"},
	} {
		if _, err := c.Call(t.Context(), keyOf("ann"), r); !fault.Is(err, fault.NotFound) || !errors.Is(err, ErrNoModel) {
			t.Errorf("%q: %v", r.Model, err)
		}
	}
	for _, method := range []string{"", "..", "a/b", "a.b", "a%2e", "é"} {
		_, err := c.Call(t.Context(), keyOf("ann"), &Request{Model: "m", Method: method})
		if !fault.Is(err, fault.NotFound) || !errors.Is(err, backend.ErrNoMethod) {
			t.Errorf("%q: %v", method, err)
		}
	}
	if n := f.counted(); len(n) > 0 {
		t.Errorf("asked for %v", slices.Collect(maps.Keys(n)))
	}
}

func TestHeaders(t *testing.T) {
	f := odoo(t, "19.0")
	c := f.client(func(o *Options) { o.ForwardAddress, o.Protocol = true, "json2" })
	from := netip.MustParseAddr("::ffff:192.0.2.7")
	mustCall(t, c, keyOf("ann"), &Request{Model: "m", Method: "x", From: from})
	h := f.requests[0].Header
	for name, want := range map[string]string{
		"Authorization": "bearer key-ann", "Content-Type": "application/json", "User-Agent": "Gatehouse/1.2.3", "Cookie": "",
		"X-Odoo-Database": "", "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Host": strings.TrimPrefix(f.URL, "http://"), "X-Forwarded-Proto": "http",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	f.forget()
	mustCall(t, f.client(nil), passwordOf("ann"), &Request{Model: "m", Method: "x", From: from})
	for _, r := range f.requests {
		for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Authorization", "X-Odoo-Database"} {
			if r.Header.Get(name) != "" {
				t.Errorf("%s: %s is sent unasked", r.URL.Path, name)
			}
		}
	}
}

// TestSeveralDatabases: an Odoo with several says 404 until it is told which.
func TestSeveralDatabases(t *testing.T) {
	f := odoo(t, "19.0")
	named := 0
	f.first = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		switch {
		case !strings.HasPrefix(r.URL.Path, "/json/2/"):
			return false
		case r.Header.Get("X-Odoo-Database") == "corpus":
			named++
			return false
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte("<!DOCTYPE html><title>404 Not Found</title><p>No database is selected</p>"))
		return true
	}
	c := f.client(nil)
	for range 3 {
		mustCall(t, c, keyOf("ann"), &Request{Model: "m", Method: "x"})
	}
	if n := f.counted()["/json/2/m/x"]; n != 4 || named != 3 {
		t.Errorf("%d requests, %d with the database", n, named)
	}
	wrong := f.client(func(o *Options) { o.Database = "nosuch" })
	_, err := wrong.Call(t.Context(), keyOf("ann"), &Request{Model: "m", Method: "x"})
	if !fault.Is(err, fault.BadGateway) || !strings.Contains(err.Error(), "database") {
		t.Errorf("unknown database: %v", err)
	}
}

// TestTheOnlyDatabase: who does not say its name can be told it.
func TestTheOnlyDatabase(t *testing.T) {
	f := odoo(t, "17.0")
	f.listed = []string{"corpus"}
	c := f.client(func(o *Options) { o.Database = "" })
	for range 2 {
		if got := mustCall(t, c, passwordOf("ann"), &Request{Model: "m", Method: "x"}); got.UID != 7 {
			t.Errorf("%+v", got)
		}
	}
	if n := f.counted()["/web/database/list"]; n != 1 {
		t.Errorf("asked %d times", n)
	}
	for _, listed := range [][]string{nil, {}, {"a", "b"}} {
		f.listed = listed
		c := f.client(func(o *Options) { o.Database = "" })
		if _, err := c.Call(t.Context(), passwordOf("ann"), &Request{Model: "m", Method: "x"}); !fault.Is(err, fault.BadGateway) {
			t.Errorf("%v: %v", listed, err)
		}
	}
}
