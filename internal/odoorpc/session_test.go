package odoorpc

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoowire"
)

// TestManyUsersAtOnce: forty users call at the same time, while the server
// changes their session ids and forgets some of them. Each call must carry a
// session of its own user.
func TestManyUsersAtOnce(t *testing.T) {
	const users, calls = 40, 15
	f := odoo(t, "17.0")
	for i := range int64(users) {
		name := strconv.FormatInt(100+i, 10)
		f.users[name] = fakeUser{uid: 100 + i, password: "pw-" + name}
	}
	var foreign, served atomic.Int64
	f.do = func(uid int64, _, _ string, _ []any, kwargs map[string]any) (any, *odoowire.Error) {
		if want, _ := kwargs["as"].(json.Number); want.String() != strconv.FormatInt(uid, 10) {
			foreign.Add(1)
		}
		served.Add(1)
		return uid, nil
	}
	// Now and then a session gets another id, and the old one ends; others end
	// without warning.
	f.first = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		id, uid := f.session(r)
		if uid == 0 {
			return false
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		switch f.serial++; f.serial % 7 {
		case 0:
			f.cookie(w, uid)
		case 3:
			delete(f.sessions, id)
		}
		return false
	}
	c := f.client(func(o *Options) { o.Queue = users * calls * 2 })
	var wg sync.WaitGroup
	for i := range users {
		uid := strconv.Itoa(100 + i)
		for n := range calls {
			wg.Go(func() {
				r := &Request{Model: "m", Method: "x", Kwargs: map[string]any{"as": json.Number(uid), "n": n % 5}, For: uid, Reads: n%2 == 0}
				for {
					text, err := c.Call(context.Background(), passwordOf(uid), r)
					if fault.Is(err, fault.Unauthenticated) {
						continue // ended twice in a row, as the server above may do
					}
					if err != nil || string(text) != uid {
						t.Errorf("%s: %s %v", uid, text, err)
					}
					return
				}
			})
		}
	}
	wg.Wait()
	if foreign.Load() > 0 || served.Load() == 0 {
		t.Errorf("%d of %d calls came in the session of another user", foreign.Load(), served.Load())
	}
}

// TestOneLogin: calls of the same user wait for the same login.
func TestOneLogin(t *testing.T) {
	f := odoo(t, "17.0")
	c := f.client(nil)
	all := func() {
		var wg sync.WaitGroup
		for n := range 30 {
			wg.Go(func() {
				if got := mustCall(t, c, passwordOf("ann"), &Request{Model: "m", Method: "x", Kwargs: map[string]any{"n": n}}); got.UID != 7 {
					t.Errorf("%+v", got)
				}
			})
		}
		wg.Wait()
	}
	if all(); f.logins != 1 {
		t.Errorf("%d logins", f.logins)
	}
	f.endAll()
	if all(); f.logins != 2 {
		t.Errorf("%d logins after all sessions had ended", f.logins)
	}
	if n := c.Stats().Logins; n != 2 {
		t.Errorf("%d are counted", n)
	}
}

// TestUnsendableCredentials: what cannot stand in a header is wrong, and not
// the Odoo's fault.
func TestUnsendableCredentials(t *testing.T) {
	f := odoo(t, "19.0")
	c := f.client(nil)
	for _, a := range []*Account{
		{Secret: "key\r\nX-Odoo-Database: other"},
		{Secret: "key\x00"},
		{UID: 7, Secret: "key\x7f"},
		{Login: "ann", Secret: "pw\n", Password: true},
		{Session: NewSession("a; b=c", nil)},
		{Session: NewSession("a\r\nX: y", nil)},
		{Session: NewSession(strings.Repeat("a", 600), nil)},
	} {
		if _, err := c.Call(t.Context(), a, &Request{Model: "m", Method: "x", Reads: true}); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%+v: %v", a, err)
		}
		if a.Session != nil && c.Logout(t.Context(), a.Session) != nil {
			t.Errorf("%+v: logout", a)
		}
	}
	if n := f.counted(); len(n) > 0 {
		t.Errorf("asked %v", n)
	}
	renewed := passwordOf("ann")
	renewed.Session = NewSession("not\na session", nil)
	if got := mustCall(t, c, renewed, &Request{Model: "m", Method: "x"}); got.UID != 7 {
		t.Errorf("%+v", got)
	}
}

// TestSamePassword: that two users have the same does not make them one.
func TestSamePassword(t *testing.T) {
	f := odoo(t, "17.0")
	c := f.client(func(o *Options) { o.Queue = 1000 })
	for i := range int64(20) {
		f.users[fmt.Sprint("u", i)] = fakeUser{uid: 100 + i, password: "secret", key: "key"}
	}
	var wg sync.WaitGroup
	for i := range int64(20) {
		for range 3 {
			wg.Go(func() {
				a := &Account{Login: fmt.Sprint("u", i), Secret: "secret", Password: true}
				if got := mustCall(t, c, a, &Request{Model: "m", Method: "x"}); got.UID != 100+i {
					t.Errorf("%s is %d", a.Login, got.UID)
				}
				key := &Account{Login: a.Login, Secret: "key"}
				if uid, err := c.uid(t.Context(), key, nobody); err != nil || uid != 100+i {
					t.Errorf("the key of %s is that of %d, %v", a.Login, uid, err)
				}
			})
		}
	}
	wg.Wait()
}

// TestIDsOfSessions: an answer changes the id that it was asked with, and no
// later one; that of an expired session is nobody's.
func TestIDsOfSessions(t *testing.T) {
	var told changes
	s := NewSession("a", told.add)
	for _, change := range [][2]string{{"a", "a"}, {"x", "y"}, {"a", "b"}, {"a", "c"}, {"b", ""}, {"b", "d"}} {
		s.replace(change[0], change[1])
	}
	if s.ID() != "" || told.String() != "b " {
		t.Errorf("%q, told %q", s.ID(), told.String())
	}
	f := odoo(t, "17.0")
	c := f.client(nil)
	s = NewSession("b", nil)
	id, err := s.renew(t.Context(), c, "a", func(context.Context) (string, error) {
		t.Error("a login, although there is another id")
		return "", nil
	})
	if id != "b" || err != nil {
		t.Errorf("%q %v", id, err)
	}
	f.first = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		http.SetCookie(w, &http.Cookie{Name: "session_id", Value: "anonymous"})
		return false
	}
	told = changes{}
	s = NewSession("gone", told.add)
	if _, err := c.Call(t.Context(), &Account{Session: s}, &Request{Model: "m", Method: "x"}); !fault.Is(err, fault.Unauthenticated) || told.String() != "" || len(told.ids) != 1 {
		t.Errorf("%v, told %q", err, told.ids)
	}
}

// TestPanicsAreCaught: what listens to a session may break a call, not the server.
func TestPanicsAreCaught(t *testing.T) {
	f := odoo(t, "17.0")
	c := f.client(nil)
	for range 2 {
		a := passwordOf("ann")
		a.Session = NewSession("gone", func(string) { panic("broken listener") })
		for _, reads := range []bool{true, false} {
			_, err := c.Call(t.Context(), a, &Request{Model: "m", Method: "x", Reads: reads})
			if err != nil && (!fault.Is(err, fault.Internal) || !strings.Contains(err.Error(), "broken listener")) {
				t.Error(err)
			}
		}
		if got := mustCall(t, c, a, &Request{Model: "m", Method: "x", Reads: true}); got.UID != 7 {
			t.Errorf("%+v", got)
		}
	}
	_, _, err := c.flights.do(t.Context(), c, digest{9}, func(context.Context) (json.RawMessage, error) { panic("broken") })
	if !fault.Is(err, fault.Internal) || len(c.flights.all) != 0 {
		t.Errorf("%v, %d left", err, len(c.flights.all))
	}
}

// TestLoginOutlivesItsCaller: who began a login and left does not take it from
// those who wait for it.
func TestLoginOutlivesItsCaller(t *testing.T) {
	f := odoo(t, "17.0")
	arrived, goOn := make(chan struct{}), make(chan struct{})
	f.first = func(_ http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.URL.Path == "/web/session/authenticate" {
			close(arrived)
			<-goOn
		}
		return false
	}
	c := f.client(nil)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := c.Call(ctx, passwordOf("ann"), &Request{Model: "m", Method: "x"})
		left <- err
	}()
	<-arrived
	stays := make(chan error)
	go func() {
		_, err := c.Call(t.Context(), passwordOf("ann"), &Request{Model: "m", Method: "y"})
		stays <- err
	}()
	cancel()
	if err := <-left; err == nil {
		t.Error("the one who left has an answer")
	}
	close(goOn)
	if err := <-stays; err != nil {
		t.Error(err)
	}
}

// changes collects what a session tells of itself.
type changes struct {
	mu  sync.Mutex
	ids []string
}

func (c *changes) add(id string) {
	c.mu.Lock()
	c.ids = append(c.ids, id)
	c.mu.Unlock()
}

func (c *changes) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.ids, " ")
}

func TestSessionOfALogin(t *testing.T) {
	f := odoo(t, "17.0")
	c := f.client(nil)
	login, err := c.Authenticate(t.Context(), "ann", "pw-ann", nobody)
	if err != nil {
		t.Fatal(err)
	}
	if login.UID != 7 || login.Login != "ann" || login.Name != "ANN" || login.Session.ID() != "session-1-of-7" {
		t.Fatalf("%+v %s", login, login.Session.ID())
	}
	var told changes
	s := NewSession(login.Session.ID(), told.add)
	a := &Account{Session: s}
	if got := mustCall(t, c, a, &Request{Model: "m", Method: "x"}); got.UID != 7 {
		t.Errorf("%+v", got)
	}
	if uid, err := c.Whoami(t.Context(), a, nobody); err != nil || uid != 7 {
		t.Errorf("whoami: %d %v", uid, err)
	}
	// Another id is followed.
	f.first = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if id, uid := f.session(r); id == "session-1-of-7" {
			f.mu.Lock()
			f.cookie(w, uid)
			delete(f.sessions, "session-1-of-7")
			f.mu.Unlock()
			writeJSON(w, 200, map[string]any{"jsonrpc": "2.0", "id": 1, "result": true})
			return true
		}
		return false
	}
	if _, err := c.Call(t.Context(), a, &Request{Model: "m", Method: "x"}); err != nil {
		t.Error(err)
	}
	if got := mustCall(t, c, a, &Request{Model: "m", Method: "x"}); got.UID != 7 || s.ID() != "session-2-of-7" || told.String() != "session-2-of-7" {
		t.Errorf("%+v; %s; told %q", got, s.ID(), told.String())
	}
	// It ends, and nobody has a password.
	f.endAll()
	_, err = c.Call(t.Context(), a, &Request{Model: "m", Method: "x"})
	if !fault.Is(err, fault.Unauthenticated) || !strings.Contains(err.Error(), "log in again") || told.String() != "session-2-of-7 " {
		t.Errorf("%v; told %q", err, told.String())
	}
	f.forget()
	if _, err = c.Call(t.Context(), a, &Request{Model: "m", Method: "x"}); !fault.Is(err, fault.Unauthenticated) || len(f.counted()) > 0 {
		t.Errorf("%v after %v", err, f.counted())
	}
	// With one it goes on.
	both := passwordOf("ann")
	both.Session = NewSession("long-gone", told.add)
	if got := mustCall(t, c, both, &Request{Model: "m", Method: "x"}); got.UID != 7 || told.String() != "session-2-of-7  session-3-of-7" {
		t.Errorf("%+v; told %q", got, told.String())
	}
	if err := c.Logout(t.Context(), both.Session); err != nil || both.Session.ID() != "" || len(f.sessions) != 0 {
		t.Errorf("logout: %v, %q, %v", err, both.Session.ID(), f.sessions)
	}
}

func TestRefusedLogins(t *testing.T) {
	f := odoo(t, "17.0")
	at := clock.NewMoving(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	c := f.client(func(o *Options) { o.Clock = at })
	for _, test := range []struct{ login, password, says string }{
		{"ann", "wrong", "login or the password"},
		{"nobody", "pw-ann", "login or the password"},
		{"two", "pw-two", "API key"},
		{"", "x", "login or the password"},
		{"ann", "", "login or the password"},
	} {
		_, err := c.Authenticate(t.Context(), test.login, test.password, nobody)
		if !fault.Is(err, fault.Unauthenticated) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%+v: %v", test, err)
		}
	}
	f.first = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		text, err := odoowire.AppendRPCError(nil, json.RawMessage("1"), odoowire.AccessError("Database not found."))
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(text)
		return true
	}
	if _, err := c.Authenticate(t.Context(), "ann", "pw-ann", nobody); !fault.Is(err, fault.BadGateway) {
		t.Errorf("an unknown database: %v", err)
	}
	f.first = nil
	// A password that is stored and has become wrong is not tried with each call:
	// Odoo would shut the address of all out.
	f.logins = 0
	stale := &Account{Login: "ann", Secret: "old", Password: true}
	call := func() error {
		_, err := c.Call(t.Context(), stale, &Request{Model: "m", Method: "x"})
		return err
	}
	for range 20 {
		if err := call(); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%v", err)
		}
	}
	if f.logins != 1 {
		t.Errorf("%d logins", f.logins)
	}
	at.Pass(refusalLasts + time.Second)
	f.users["ann"] = fakeUser{uid: 7, password: "old"}
	if err := call(); err != nil || f.logins != 2 {
		t.Errorf("after a while: %v, %d logins", err, f.logins)
	}
}

// TestRefusedKeys is the same for keys of whose users Odoo must be asked.
func TestRefusedKeys(t *testing.T) {
	f := odoo(t, "17.0")
	at := clock.NewMoving(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	c := f.client(func(o *Options) { o.Clock = at })
	bad := &Account{Login: "ann", Secret: "bad"}
	f.forget()
	for range 10 {
		if _, err := c.Call(t.Context(), bad, &Request{Model: "m", Method: "x"}); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%v", err)
		}
	}
	if n := f.counted()["/jsonrpc"]; n != 1 {
		t.Errorf("%d logins", n)
	}
	at.Pass(refusalLasts + time.Second)
	f.users["ann"] = fakeUser{uid: 7, key: "bad"}
	if _, err := c.Call(t.Context(), bad, &Request{Model: "m", Method: "x"}); err != nil {
		t.Error(err)
	}
}

// TestWrongKeysAreNotRepeated: with JSON-RPC each call with one counts as a
// failed login of our address.
func TestWrongKeysAreNotRepeated(t *testing.T) {
	for _, version := range []string{"17.0", "19.0"} {
		f := odoo(t, version)
		at := clock.NewMoving(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
		c := f.client(func(o *Options) { o.Clock = at })
		if _, err := c.Version(t.Context()); err != nil {
			t.Fatal(err)
		}
		call := func(uid int64, key string) error {
			_, err := c.Call(t.Context(), &Account{UID: uid, Secret: key}, &Request{Model: "m", Method: "x"})
			return err
		}
		f.forget()
		for range 10 {
			if err := call(7, "bad"); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("%v", err)
			}
		}
		if len(f.requests) != 1 {
			t.Errorf("%s: %d requests", version, len(f.requests))
		}
		if err := call(8, "key-bob"); err != nil {
			t.Errorf("another user: %v", err)
		}
		if version < "19" {
			if err := call(7, "key-bob"); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("another's key: %v", err)
			}
			if err := call(8, "key-bob"); err != nil {
				t.Errorf("whose key it is: %v", err)
			}
		}
		at.Pass(refusalLasts + time.Second)
		f.users["ann"] = fakeUser{uid: 7, key: "bad"}
		if err := call(7, "bad"); err != nil {
			t.Errorf("after a while: %v", err)
		}
	}
}

func TestWhoami(t *testing.T) {
	for _, test := range []struct {
		version, protocol string
		account           Account
		uid               int64 // 0: Unauthenticated
		says              string
	}{
		{"19.0", "", Account{Secret: "key-bob"}, 8, ""},
		{"19.0", "", Account{Secret: "key-bob", UID: 8}, 8, ""},
		{"19.0", "", Account{Secret: "key-bob", UID: 7}, 0, "not that of this user"},
		{"19.0", "", Account{Secret: "pw-bob"}, 0, ""},
		{"19.0", "", *passwordOf("bob"), 8, ""},
		{"19.0", "jsonrpc", Account{Secret: "key-bob", UID: 8}, 8, ""},
		{"17.0", "", Account{Secret: "key-bob", UID: 8}, 8, ""},
		{"17.0", "", Account{Secret: "key-bob", UID: 7}, 0, ""},
		{"14.0", "", Account{Secret: "key-bob", UID: 8}, 8, ""},
		{"14.0", "xmlrpc", Account{Secret: "key-bob", UID: 8}, 8, ""},
		{"14.0", "", Account{Secret: "key-bob", UID: 7}, 0, ""},
		{"17.0", "", Account{Secret: "key-bob", Login: "bob"}, 8, ""},
		{"17.0", "", Account{Secret: "key-bob", Login: "ann"}, 0, ""},
		{"17.0", "", Account{Secret: "key-bob"}, 0, "<user id>$<key>"},
		{"17.0", "xmlrpc", Account{Secret: "key-bob", Login: "bob"}, 8, ""},
		{"17.0", "", *passwordOf("bob"), 8, ""},
		{"17.0", "", Account{}, 0, "no credential"},
	} {
		c := odoo(t, test.version).client(func(o *Options) { o.Protocol = test.protocol })
		uid, err := c.Whoami(t.Context(), &test.account, nobody)
		switch name := fmt.Sprintf("%s %s %+v", test.version, test.protocol, test.account); {
		case uid != test.uid || err == nil && test.uid == 0:
			t.Errorf("%s: %d, %v", name, uid, err)
		case err != nil && (test.uid != 0 || !fault.Is(err, fault.Unauthenticated) || !strings.Contains(err.Error(), test.says)):
			t.Errorf("%s: %v", name, err)
		}
	}
}
