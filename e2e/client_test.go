//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// obj and list are JSON in a test.
type (
	obj  = map[string]any
	list = []any
)

// client calls a server with one credential.
type client struct {
	t      testing.TB
	url    string
	header http.Header
}

// anonymous calls without a credential.
func (v *server) anonymous(t testing.TB) *client {
	return &client{t: t, url: v.url, header: http.Header{}}
}

// withKey calls with an API key.
func (v *server) withKey(t testing.TB, key string) *client {
	return v.anonymous(t).with("X-API-Key", key)
}

// withToken calls with an access token.
func (v *server) withToken(t testing.TB, token string) *client {
	return v.anonymous(t).with("Authorization", "Bearer "+token)
}

// as calls as a user whose password is the login.
func (v *server) as(t testing.TB, login string) *client {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tokens[login] == "" {
		v.tokens[login] = v.anonymous(t).login(login, login).text("data.access_token")
	}
	return v.withToken(t, v.tokens[login])
}

func (c *client) login(login, password string) *answer {
	c.t.Helper()
	return c.post("auth/login", obj{"login": login, "password": password}).ok(200)
}

// with adds a header.
func (c *client) with(name, value string) *client {
	added := &client{t: c.t, url: c.url, header: c.header.Clone()}
	added.header.Set(name, value)
	return added
}

// get reads a path under /api/v1, or from the root with a slash before it;
// query is names and values in turn.
func (c *client) get(path string, query ...string) *answer {
	c.t.Helper()
	return c.do("GET", withQuery(path, query), nil)
}

func (c *client) post(path string, body any) *answer { c.t.Helper(); return c.do("POST", path, body) }

func (c *client) put(path string, body any) *answer { c.t.Helper(); return c.do("PUT", path, body) }

func (c *client) patch(path string, body any) *answer { c.t.Helper(); return c.do("PATCH", path, body) }

func (c *client) delete(path string) *answer { c.t.Helper(); return c.do("DELETE", path, nil) }

func withQuery(path string, query []string) string {
	values := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		values.Set(query[i], query[i+1])
	}
	if len(values) > 0 {
		path += "?" + values.Encode()
	}
	return path
}

// do sends a request. A body is sent as JSON, a string as it is.
func (c *client) do(method, path string, body any) *answer {
	c.t.Helper()
	if !strings.HasPrefix(path, "/") {
		path = "/api/v1/" + path
	}
	var reader io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(body)
	default:
		text, err := json.Marshal(body)
		if err != nil {
			c.t.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, c.url+path, reader)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header = c.header.Clone()
	if reader != nil && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	return read(c.t, method+" "+path, resp)
}

// answer is a response that kept the promises that hold for all of them.
type answer struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	raw    string
	body   any
}

// read takes a response and checks its envelope.
func read(t testing.TB, what string, resp *http.Response) *answer {
	t.Helper()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	a := &answer{t: t, what: what, status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&a.body); err != nil {
		t.Fatalf("%s: %d is not JSON (%v): %s", what, a.status, err, raw)
	}
	if got := a.header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("%s: Content-Type %q", what, got)
	}
	id := a.header.Get("X-Request-Id")
	if id == "" {
		t.Errorf("%s: no X-Request-Id", what)
	}
	good := a.status < 400
	if strings.Contains(what, " /api/") && a.at("success") != good {
		t.Errorf("%s: %d without success: %t: %s", what, a.status, good, raw)
	}
	if !good {
		a.is("error.code", a.status).is("error.request_id", id)
		if a.text("error.type") == "" || a.text("error.message") == "" {
			t.Errorf("%s: the error lacks type or message: %s", what, raw)
		}
	}
	if a.status >= 500 {
		t.Errorf("%s: %d %s", what, a.status, raw)
	}
	return a
}

// ok wants a success with that status.
func (a *answer) ok(status int) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: %d, want %d: %s", a.what, a.status, status, a.raw)
	}
	return a
}

// fails wants an error whose message contains says.
func (a *answer) fails(status int, kind, says string) *answer {
	a.t.Helper()
	if a.status != status || a.at("error.type") != kind || !strings.Contains(a.text("error.message"), says) {
		a.t.Fatalf("%s: %d %s, want %d %s %q", a.what, a.status, a.raw, status, kind, says)
	}
	return a
}

// at is the value at a path such as data.0.partner_id.name; nil where there
// is none.
func (a *answer) at(path string) any {
	value := a.body
	for step := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case obj:
			value = v[step]
		case list:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// text is the value at a path as text, "" for none.
func (a *answer) text(path string) string {
	if v := a.at(path); v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

// number is the value at a path as a number.
func (a *answer) number(path string) float64 {
	a.t.Helper()
	n, err := strconv.ParseFloat(a.text(path), 64)
	if err != nil {
		a.t.Fatalf("%s: %s is %v, not a number: %s", a.what, path, a.at(path), a.raw)
	}
	return n
}

// id is data.id, which must be there.
func (a *answer) id() int {
	a.t.Helper()
	n := int(a.number("data.id"))
	if n <= 0 {
		a.t.Fatalf("%s: no id: %s", a.what, a.raw)
	}
	return n
}

// is compares the value at a path; nil is null or nothing.
func (a *answer) is(path string, want any) *answer {
	a.t.Helper()
	if got := a.at(path); fmt.Sprint(got) != fmt.Sprint(want) {
		a.t.Errorf("%s: %s is %v, want %v: %s", a.what, path, got, want, a.raw)
	}
	return a
}

// seconds is the number in a header; -1 for none.
func (a *answer) seconds(header string) int {
	n, err := strconv.Atoi(a.header.Get(header))
	if err != nil {
		return -1
	}
	return n
}

// len wants a list of n at a path.
func (a *answer) len(path string, n int) *answer {
	a.t.Helper()
	if got, isList := a.at(path).(list); !isList || len(got) != n {
		a.t.Errorf("%s: %s has %d, want %d: %s", a.what, path, len(got), n, a.raw)
	}
	return a
}

// has compares a header.
func (a *answer) has(header, want string) *answer {
	a.t.Helper()
	if got := a.header.Get(header); got != want {
		a.t.Errorf("%s: %s is %q, want %q", a.what, header, got, want)
	}
	return a
}
