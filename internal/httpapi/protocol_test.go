package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
)

// telegraph is a protocol that answers everything with 200. A body is
// "who need model deed".
type telegraph struct{ people people }

func (p telegraph) Paths() []ProtocolPath {
	return []ProtocolPath{
		{Method: "POST", Pattern: "/telegraph", Open: p.open},
		{Pattern: "/telegraph/", Open: p.open},
	}
}

type telegram struct {
	people
	words    []string
	unsaying bool // answers cannot be written
	broken   bool
}

func (p telegraph) open(_ *http.Request, body []byte) (Exchange, error) {
	x := &telegram{people: p.people, words: append(strings.Fields(string(body)), "", "", "", "")}
	if x.words[0] == "garbled" {
		return x, fault.New(fault.BadRequest, "garbled")
	}
	return x, nil
}

func (x *telegram) Needs() Needs {
	switch x.words[1] {
	case "public":
		return Needs{Public: true}
	case "anybody":
		return Needs{}
	}
	return Needs{Action: identity.Action(x.words[1]), Model: x.words[2], SecretBody: x.words[0] == "all"}
}

func (x *telegram) Identify(ctx context.Context, from identity.Meta) (*identity.Principal, error) {
	return x.people.Identify(ctx, http.Header{"X-Api-Key": {x.words[0]}}, from.IP)
}

func (x *telegram) Run(_ context.Context, caller *backend.Caller, _ identity.Meta) error {
	switch x.words[3] {
	case "missing":
		return fault.New(fault.NotFound, "missing")
	case "deny":
		return fault.New(fault.Unauthenticated, "denied")
	case "panic":
		panic("at the office")
	case "mute":
		x.unsaying = true
	case "dumb":
		x.broken = true
	case "scope":
		if caller.InScope == nil || caller.InScope("res.country", 0) {
			return errors.New("not held to the scopes")
		}
	}
	return nil
}

func (x *telegram) Answer(dst []byte, f *fault.Error, status int) (Answer, error) {
	if x.broken || x.unsaying && f == nil {
		return Answer{}, errors.New("no such letter")
	}
	text := "ok"
	if f != nil {
		text = f.Kind.String()
	}
	a := Answer{Body: append(dst, text+" "+strconv.Itoa(status)...), Status: 200, ContentType: "text/telegram", Cookie: &http.Cookie{Name: "a", Value: "b"}}
	if f == nil {
		a.UserID, a.Login = 9, "operator"
	}
	return a, nil
}

// TestProtocol: another protocol is read, guarded, counted and logged like the
// rest, and worded as it likes.
func TestProtocol(t *testing.T) {
	h := newHouse(t, func(h *house) {
		h.deps.Protocols = []Protocol{telegraph{testPeople(t)}}
	})
	h.handler = h.server // the document of the REST API does not know telegrams
	h.settings.GlobalRateLimit = 1000
	for _, test := range []struct {
		body   string
		status int // of the log
		answer string
		model  string
	}{
		{"all read res.partner", 200, "ok 200", "res.partner"},
		{"- public", 200, "ok 200", ""},
		{"read anybody", 200, "ok 200", ""},
		{"- anybody", 401, "unauthorized 401", ""},
		{"- read res.partner", 401, "unauthorized 401", "res.partner"},
		{"partners read res.partner", 200, "ok 200", "res.partner"},
		{"partners read res.country", 403, "forbidden 403", "res.country"},
		{"partners write res.partner", 403, "forbidden 403", "res.partner"},
		{"read read gateway.key", 403, "forbidden 403", "gateway.key"},
		{"all read gateway.key", 200, "ok 200", "gateway.key"},
		{"far read res.partner", 403, "forbidden 403", "res.partner"},
		{"all read res.partner missing", 404, "not_found 404", "res.partner"},
		{"- public - deny", 401, "unauthorized 401", ""},
		{"all read res.partner panic", 500, "internal_error 500", "res.partner"},
		{"all read res.partner mute", 500, "internal_error 500", "res.partner"},
		{"garbled", 400, "bad_request 400", ""},
	} {
		a := h.send("", "POST", "/telegraph?what=ever", test.body, "Content-Type", "text/plain").want(200, test.answer)
		e := h.events.last()
		if a.header("Content-Type") != "text/telegram" || a.header("Set-Cookie") != "a=b" || a.header("X-Request-Id") == "" || a.header("WWW-Authenticate") != "" {
			t.Errorf("%s: headers %v", test.body, a.Result().Header)
		}
		if test.status != 401 && test.status != 400 && a.header("RateLimit-Limit") == "" {
			t.Errorf("%s is not counted", test.body)
		}
		if e.Status != test.status || e.Model != test.model || e.Route != "/telegraph" || e.BytesIn != int64(len(test.body)) ||
			(e.ErrorType == "") != (test.status == 200) || (test.status == 500) != (e.Stack != "" || e.Cause != nil) {
			t.Errorf("%s: logged as %+v", test.body, e)
		}
		kept := test.body
		if strings.HasPrefix(test.body, "all") || test.body == "garbled" {
			kept = "" // it holds a secret, or is not understood
		}
		if string(e.RequestBody) != kept {
			t.Errorf("%s: the log has the body %q", test.body, e.RequestBody)
		}
		if test.body == "- public" && (e.Login != "operator" || e.UserID != 9) {
			t.Errorf("who signed in is not logged: %+v", e)
		}
	}
	h.send("", "POST", "/telegraph", "all read res.partner dumb").want(500, "") // in the words of REST
	h.send("read", "POST", "/telegraph", "- read res.partner").want(200, "ok 200")
	h.send("wrong", "POST", "/telegraph", "all read res.partner").want(200, "unauthorized 401")
	h.send("", "DELETE", "/telegraph/nowhere", "- public").want(200, "ok 200")
	h.send("", "GET", "/telegraph", "").want(404, "") // in the words of REST
	h.send("", "POST", "/telegraph", strings.Repeat(" ", 2<<20)).wantError(413, fault.TooLarge, "The body is larger than 1048576 bytes")
	h.limiter.err = errors.New("no counting")
	h.send("", "POST", "/telegraph", "all read res.partner").want(200, "internal_error 500")
}

// TestProtocolScopes: what comes along in lists is held to the scopes too.
func TestProtocolScopes(t *testing.T) {
	h := newHouse(t, func(h *house) {
		who := testPeople(t)
		who["writer"].Scopes = scopes(t, "res.partner:write")
		h.deps.Protocols = []Protocol{telegraph{who}}
	})
	h.handler = h.server
	h.send("", "POST", "/telegraph", "writer write res.partner scope").want(200, "ok 200")
}

func TestProtocolIsChecked(t *testing.T) {
	h := newHouse(t)
	h.deps.Protocols = []Protocol{telegraph{}, telegraph{}}
	if _, err := New(h.deps); err == nil {
		t.Error("two protocols share a path")
	}
}
