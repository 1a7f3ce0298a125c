package identity

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// fakeOdoo is a directory of one user: uid 7, login seven, password sesame.
type fakeOdoo struct {
	mu       sync.Mutex
	key      string // his
	lax      bool   // it does not look at the user that is named
	err      error  // instead of any answer
	logins   int
	keys     int
	asking   int
	most     int // asked at once
	attached *Person
	ended    []int64
}

func (o *fakeOdoo) ask(count *int) (done func()) {
	o.mu.Lock()
	*count++
	o.asking++
	o.most = max(o.most, o.asking)
	o.mu.Unlock()
	return func() {
		o.mu.Lock()
		o.asking--
		o.mu.Unlock()
	}
}

func (o *fakeOdoo) Login(_ context.Context, login, password string, _ netip.Addr) (int64, error) {
	defer o.ask(&o.logins)()
	if o.err != nil {
		return 0, o.err
	}
	if login != "seven" || password != "sesame" {
		return 0, fault.New(fault.Unauthenticated, "no")
	}
	return OdooUser(7), nil
}

func (o *fakeOdoo) Key(_ context.Context, uid int64, _, key string, _ netip.Addr) (int64, error) {
	defer o.ask(&o.keys)()
	if o.err != nil {
		return 0, o.err
	}
	if key != o.key || uid != 0 && uid != 7 && !o.lax {
		return 0, fault.New(fault.Unauthenticated, "no")
	}
	return OdooUser(7), nil
}

func (o *fakeOdoo) Attached(context.Context, int64) (*Person, error) { return o.attached, nil }

func (o *fakeOdoo) Ended(_ context.Context, userID int64) error {
	o.ended = append(o.ended, userID)
	return nil
}

// inFrontOf builds a house whose Service asks a directory.
func inFrontOf(t *testing.T, db sqldb.DB) (*house, *fakeOdoo) {
	t.Helper()
	h, o := build(t, db), &fakeOdoo{key: strings.Repeat("ab", 20)}
	h.exec(`insert into res_users (id, login, active) values ($1, 'seven', true)`, OdooUser(7))
	s, err := New(t.Context(), db, NewUsers(db), Options{Clock: h.clock, Directory: o})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	h.Service = s
	return h, o
}

func TestOdooUID(t *testing.T) {
	for uid, id := range map[int64]int64{1: 1_000_000_001, maxOdooUID: 2147483647} {
		if got, ok := OdooUID(OdooUser(uid)); OdooUser(uid) != id || got != uid || !ok {
			t.Errorf("%d is %d, and back %d %v", uid, OdooUser(uid), got, ok)
		}
	}
	for _, id := range []int64{0, 1, 2, 999_999_999, 1_000_000_000} {
		if _, ok := OdooUID(id); ok {
			t.Errorf("user %d is one of the Odoo", id)
		}
	}
	u := User{ID: OdooUser(7), Login: OdooLogin(7, "admin"), Name: "Seven"}
	if p := u.person(); *p != (Person{7, "admin", "Seven"}) {
		t.Errorf("%+v", p)
	}
	u.Login = OdooLogin(8, "admin") // of his own choice
	if p := u.person(); p.Login != "admin (Odoo 8)" {
		t.Errorf("%+v", p)
	}
}

func TestOdooKeyLife(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h, o := inFrontOf(t, db)
		asked := func(want int, what string) {
			t.Helper()
			if o.keys != want {
				t.Errorf("%s: the Odoo was asked %d times, want %d", what, o.keys, want)
			}
		}
		for range 3 {
			p := h.accepts(h.bearer(o.key))
			if p.UserID != OdooUser(7) || p.Key != o.key || p.Kind != UserKey || p.Subject != "user:1000000007" || p.Person().ID != 7 {
				t.Errorf("%+v", p)
			}
			h.accepts(h.bearer("7$" + o.key))
		}
		asked(1, "two spellings of a key")
		h.change([]string{UsersChanged, KeysChanged}, `update res_users set active = true where id = $1`, OdooUser(7))
		h.accepts(h.bearer(o.key))
		asked(1, "after a change here")
		h.clock.Pass(odooKeyLife)
		h.accepts(h.bearer(o.key))
		asked(2, "after a while")

		// Refused by the Odoo: asked again at once.
		old := o.key
		o.key = strings.Repeat("cd", 20)
		h.accepts(h.bearer(old))
		h.Denied(OdooUser(7), old)
		_, err := h.bearer(old)
		h.refuses("Invalid API key", err)
		asked(3, "after a refusal")
		_, err = h.bearer(old)
		h.refuses("Invalid API key", err)
		asked(3, "a wrong key again")
		o.key = old
		h.clock.Pass(odooKeyLife)
		h.accepts(h.bearer(old)) // made anew
		asked(4, "a wrong key after a while")

		o.lax = true
		_, err = h.bearer("8$" + old)
		h.refuses("Invalid API key", err)
		h.change([]string{UsersChanged}, `update res_users set active = false where id = $1`, OdooUser(7))
		_, err = h.bearer(old)
		h.refuses("The user of this credential is not active", err)

		// One that wants to know the user says so.
		o.err = fault.New(fault.Unauthenticated, "say whose").Because(ErrWhose)
		for range 2 * freeGuesses {
			_, err = h.bearer(strings.Repeat("1", 40))
			h.refuses("say whose", err)
			h.clock.Pass(odooKeyLife)
		}

		// An Odoo that is away is no wrong key, and is asked again.
		o.err = &fault.Error{Kind: fault.BadGateway, Message: "away"}
		for range 2 {
			if _, err := h.bearer(strings.Repeat("0", 40)); !fault.Is(err, fault.BadGateway) {
				t.Errorf("%v", err)
			}
		}
	})
}

// Guesses are slowed down before the Odoo hears of them.
func TestOdooGuesses(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h, o := inFrontOf(t, db)
		h.accepts(h.bearer(o.key))
		for i := range 2 * freeGuesses {
			_, _ = h.bearer(fmt.Sprintf("%040x", i))
		}
		if o.keys > freeGuesses+2 {
			t.Errorf("asked about %d wrong keys", o.keys)
		}
		h.clock.Pass(odooKeyLife)
		for range 2 { // a key that was right does not wait, as guesses do
			h.accepts(h.bearer(o.key))
			h.clock.Pass(odooKeyLife)
			_, _ = h.bearer(strings.Repeat("1", 40))
			h.accepts(h.bearer(o.key))
		}
		h.clock.Pass(attemptWindow)
		for range 2 * accountAttempts {
			_, _, _ = h.Login(t.Context(), "seven", "guess", here)
		}
		if o.logins != accountAttempts {
			t.Errorf("asked about %d wrong passwords", o.logins)
		}
		if _, _, err := h.Login(t.Context(), "seven", "sesame", here); !fault.Is(err, fault.RateLimited) {
			t.Errorf("%v", err)
		}
		h.clock.Pass(attemptWindow)
		if _, who, err := h.Login(t.Context(), "seven", "sesame", here); err != nil || who.Person().ID != 7 || who.UserID != OdooUser(7) {
			t.Errorf("%+v %v", who, err)
		}
		var wait sync.WaitGroup
		for i := range 50 {
			wait.Go(func() { _, _, _ = h.Login(context.Background(), "seven", fmt.Sprint(i), Meta{}) })
		}
		wait.Wait()
		if o.most > maxAsks {
			t.Errorf("asked %d times at once", o.most)
		}
		asked := o.logins
		for _, password := range []string{"", strings.Repeat("x", MaxPassword+1), o.key} {
			_, _, err := h.Login(t.Context(), "marc", password, Meta{})
			if !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("%v", err)
			}
		}
		if o.logins != asked {
			t.Error("asked about what is no password")
		}
	})
}

func TestOdooPasswordLife(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h, o := inFrontOf(t, db)
		identify := func(c Secret) (*Principal, error) { return h.IdentifyPassword(t.Context(), c, here.IP) }
		byID, byLogin := Secret{UserID: 7, Password: "sesame"}, Secret{Login: "seven", Password: "sesame"}
		for range 3 {
			for _, c := range []Secret{byID, byLogin} {
				if p, err := identify(c); err != nil || p.UserID != OdooUser(7) || p.Calling() != 7 {
					t.Errorf("%+v %v", p, err)
				}
			}
		}
		if o.logins != 2 {
			t.Errorf("asked %d times", o.logins)
		}
		h.clock.Pass(odooPasswordLife)
		_, _ = identify(byID)
		h.clock.Pass(time.Second)
		h.Denied(OdooUser(7), "")
		h.clock.Pass(time.Second)
		_, _ = identify(byID)
		if o.logins != 4 {
			t.Errorf("asked %d times, want 4", o.logins)
		}
		// Local users come first, whatever the Odoo says.
		if p, err := identify(Secret{UserID: marc, Password: "marc"}); err != nil || p.UserID != marc || o.logins != 4 {
			t.Errorf("%+v %v", p, err)
		}
		// A key of the Odoo, for whom it is not.
		for _, c := range []Secret{{UserID: 8, Password: o.key}, {Login: "marc", Password: o.key}} {
			if _, err := identify(c); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("%v: %v", c.UserID, err)
			}
		}
		if p, err := identify(Secret{UserID: 7, Password: o.key}); err != nil || p.Key != o.key {
			t.Errorf("%+v %v", p, err)
		}
	})
}

// Logging out ends what the password opened when nobody else needs it.
func TestOdooLogout(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h, o := inFrontOf(t, db)
		var who [2]*Principal
		for i := range who {
			pair, _, err := h.Login(t.Context(), "seven", "sesame", here)
			if err != nil {
				t.Fatal(err)
			}
			who[i] = h.accepts(h.bearer(pair.AccessToken))
		}
		for i, p := range who {
			if err := h.Logout(t.Context(), p, ""); err != nil || len(o.ended) != i {
				t.Errorf("%v: ended %v", err, o.ended)
			}
		}
		pair := h.login("marc")
		if err := h.Logout(t.Context(), h.accepts(h.bearer(pair.AccessToken)), ""); err != nil || len(o.ended) != 1 {
			t.Errorf("%v: ended %v", err, o.ended)
		}
	})
}

// Callers are told whom they call the Odoo as.
func TestOdooPerson(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h, o := inFrontOf(t, db)
		key, id := h.key(nil)
		o.attached = &Person{9, "nine", "Nine"}
		if p := h.accepts(h.who("X-Api-Key", key)); p.Person() != *o.attached || p.UserID == 9 {
			t.Errorf("%+v", p)
		}
		h.change([]string{KeysChanged}, `update gateway_key set odoo_uid = 7, odoo_login = 'seven' where id = $1`, id)
		if p := h.accepts(h.who("X-Api-Key", key)); p.Person() != (Person{7, "seven", "seven"}) {
			t.Errorf("%+v", p)
		}
		if p, err := h.IdentifyPassword(t.Context(), Secret{UserID: 7, Password: key}, here.IP); err != nil || p.CredentialID != id {
			t.Errorf("%+v %v", p, err)
		}
		if _, err := h.Identify(t.Context(), http.Header{"X-Api-Key": {key}}, here.IP); err != nil {
			t.Error(err)
		}
	})
}
