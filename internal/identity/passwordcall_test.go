package identity

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// asks identifies by a password from the usual address.
func (h *house) asks(c Secret) (*Principal, error) {
	h.t.Helper()
	return h.IdentifyPassword(h.t.Context(), c, here.IP)
}

func (h *house) knows(c Secret, user int64) *Principal {
	h.t.Helper()
	p, err := h.asks(c)
	if err != nil || p.UserID != user {
		h.t.Fatalf("%+v: %+v %v, want user %d", c, p, err, user)
	}
	return p
}

func (h *house) knowsNot(c Secret, kind fault.Kind) {
	h.t.Helper()
	if p, err := h.asks(c); !fault.Is(err, kind) {
		h.t.Errorf("%+v: %+v %v, want %s", c, p, err, kind)
	}
}

func TestIdentifyPassword(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		p := h.knows(Secret{UserID: mitchell, Password: "mitchell"}, mitchell)
		if p.Kind != Password || !p.Administrator || p.Subject != "user:2" || !p.Scopes.Allows(Need{Action: Admin}) || p.Family != "" {
			t.Errorf("%+v", p)
		}
		if again := h.knows(Secret{UserID: mitchell, Password: "mitchell"}, mitchell); again != p {
			t.Error("not from memory")
		}
		h.knows(Secret{Login: "marc", Password: "marc"}, marc)
		key, _ := h.userKey(marc)
		if p := h.knows(Secret{UserID: marc, Password: key}, marc); p.Kind != UserKey {
			t.Errorf("%+v", p)
		}
		h.knows(Secret{Login: "marc", Password: "3$" + key}, marc)
		gateway, _ := h.key(nil)
		if p := h.knows(Secret{UserID: marc, Password: gateway}, marc); p.Kind != APIKey || p.Scopes.Allows(Need{Action: Write}) {
			t.Errorf("%+v", p)
		}
		for _, c := range []Secret{
			{UserID: mitchell, Password: "marc"},
			{UserID: mitchell, Password: ""},
			{UserID: 99, Password: "mitchell"},
			{UserID: -1, Password: "mitchell"},
			{Login: "olga", Password: "olga"}, // archived
			{UserID: olga, Password: "olga"},
			{UserID: nobody, Password: ""},
			{Login: "", Password: ""},
			{Login: "#2", Password: "mitchell"},
			{UserID: mitchell, Password: key}, // another user's
			{Login: "mitchell", Password: key},
			{UserID: mitchell, Password: gateway},
			{UserID: mitchell, Password: strings.Repeat("x", MaxPassword+1)},
		} {
			h.knowsNot(c, fault.Unauthenticated)
		}
	})
}

// TestPasswordInMemory: a known password costs nothing, and a change of it, or
// of its user, is noticed on every node.
func TestPasswordInMemory(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		node := h.node()
		c := Secret{UserID: marc, Password: "marc"}
		for _, s := range []*Service{h.Service, node} {
			if _, err := s.IdentifyPassword(t.Context(), c, here.IP); err != nil {
				t.Fatal(err)
			}
		}
		full, release := fullSlots(t, h.Service)
		defer release()
		if p, err := h.IdentifyPassword(full, c, here.IP); err != nil || p.UserID != marc {
			t.Errorf("a known password wants a hash: %v", err)
		}
		h.change([]string{UsersChanged}, `update res_partner set name = 'Marc Two' where id = 13`)
		if p, err := h.IdentifyPassword(full, c, here.IP); err != nil || p.Name != "Marc Two" {
			t.Errorf("after a change of the name: %+v %v", p, err)
		}
		release()
		h.change([]string{UsersChanged}, `update res_users set password = $1 where id = 3`, sampleHashes()["olga"])
		h.knowsNot(c, fault.Unauthenticated)
		h.knows(Secret{UserID: marc, Password: "olga"}, marc)
		eventually(t, "the other node refuses the old password", func() bool {
			_, err := node.IdentifyPassword(t.Context(), c, here.IP)
			return fault.Is(err, fault.Unauthenticated)
		})
		h.change([]string{UsersChanged}, `update res_users set active = false where id = 3`)
		h.knowsNot(Secret{UserID: marc, Password: "olga"}, fault.Unauthenticated)
	})
}

// TestPasswordGuessing: what is remembered is no way around the lock.
func TestPasswordGuessing(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		right := Secret{UserID: marc, Password: "marc"}
		h.knows(right, marc)
		far := netip.MustParseAddr("198.51.100.1")
		for range accountAttempts {
			if _, err := h.IdentifyPassword(t.Context(), Secret{UserID: marc, Password: "guess"}, far); !fault.Is(err, fault.Unauthenticated) {
				t.Fatal(err)
			}
		}
		for i := range addressAttempts {
			if _, err := h.IdentifyPassword(t.Context(), Secret{UserID: marc, Password: "guess"}, far); !fault.Is(err, fault.RateLimited) {
				t.Fatalf("guess %d: %v", i, err)
			}
		}
		if _, err := h.IdentifyPassword(t.Context(), right, far); !fault.Is(err, fault.RateLimited) {
			t.Errorf("the right password is answered where others were guessed: %v", err)
		}
		h.knows(right, marc) // who has signed in from elsewhere goes on working
		h.knowsNot(Secret{UserID: marc, Password: "guess"}, fault.RateLimited)
		if _, _, err := h.Login(t.Context(), "marc", "marc", here); !fault.Is(err, fault.RateLimited) {
			t.Errorf("a login is counted apart: %v", err)
		}
		h.clock.Pass(attemptWindow)
		if _, err := h.IdentifyPassword(t.Context(), right, far); err != nil {
			t.Error(err)
		}
	})
}

// TestOldKeysLockNobodyOut: a client that goes on sending a deleted key.
func TestOldKeysLockNobodyOut(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		for range accountAttempts + 2 {
			h.knowsNot(Secret{UserID: marc, Password: strings.Repeat("ab", userKeyLength/2)}, fault.Unauthenticated)
		}
		h.knows(Secret{UserID: marc, Password: "marc"}, marc)
	})
}

func TestWebSession(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		node := h.node()
		begin := func(login string) (string, *Principal) {
			t.Helper()
			id, p, err := h.StartWebSession(t.Context(), login, login, here)
			if err != nil {
				t.Fatal(err)
			}
			return id, p
		}
		mine, p := begin("marc")
		hers, _ := begin("mitchell")
		if p.UserID != marc {
			t.Errorf("%+v", p)
		}
		is := func(s *Service, id string, user int64) *Principal {
			t.Helper()
			p, err := s.IdentifyWebSession(t.Context(), id)
			if err != nil || p.UserID != user || p.Kind != WebSession || p.Family == "" {
				t.Fatalf("%+v %v", p, err)
			}
			return p
		}
		refused := func(s *Service, id string) {
			t.Helper()
			if p, err := s.IdentifyWebSession(t.Context(), id); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("%+v %v", p, err)
			}
		}
		var all sync.WaitGroup
		for range 20 { // sessions are never mixed up
			all.Go(func() { is(h.Service, mine, marc) })
			all.Go(func() { is(node, hers, mitchell) })
		}
		all.Wait()
		if h.number(`select count(*) from gateway_token where kind = 'web' and revoked_at is null`) != 2 {
			t.Error("the sessions are not recorded")
		}
		// A session is no bearer token, and no other token is a session.
		_, err := h.bearer(mine)
		h.refuses("Invalid token: an access token is needed", err)
		pair := h.login("marc")
		for _, id := range []string{pair.AccessToken, pair.RefreshToken, "", "x", mine + "x", strings.Repeat("a", maxToken+1)} {
			refused(h.Service, id)
		}
		if _, err := h.Refresh(t.Context(), mine, here); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("a session is exchanged for tokens: %v", err)
		}
		if err := h.Logout(t.Context(), is(h.Service, mine, marc), ""); err != nil {
			t.Fatal(err)
		}
		refused(h.Service, mine)
		eventually(t, "the other node refuses the ended session", func() bool {
			_, err := node.IdentifyWebSession(t.Context(), mine)
			return err != nil
		})
		is(node, hers, mitchell)
		// A node that starts later knows too, for as long as the session would hold.
		h.clock.Pass(6 * 24 * time.Hour)
		refused(h.node(), mine)
		is(h.Service, hers, mitchell)
		h.change([]string{UsersChanged}, `update res_users set password = $1 where id = 2`, sampleHashes()["olga"])
		refused(h.Service, hers)
		last, _, err := h.StartWebSession(t.Context(), "mitchell", "olga", here)
		if err != nil {
			t.Fatal(err)
		}
		h.clock.Pass(WebSessionLife)
		refused(h.Service, last)
	})
}

func TestWebSessionRefuses(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		key, _ := h.key(nil)
		for _, test := range []struct {
			login, password string
			kind            fault.Kind
		}{{"marc", "wrong", fault.Unauthenticated}, {"olga", "olga", fault.Unauthenticated}, {"marc", key, fault.Forbidden}} {
			if id, p, err := h.StartWebSession(t.Context(), test.login, test.password, here); !fault.Is(err, test.kind) || id != "" {
				t.Errorf("%s: %+v %v", test.login, p, err)
			}
		}
		own, _ := h.userKey(marc)
		if _, p, err := h.StartWebSession(t.Context(), "marc", own, here); err != nil || p.UserID != marc {
			t.Errorf("with a user's key: %+v %v", p, err)
		}
	})
}

// fullSlots takes all workers of the hashes. The context ends soon, for what waits.
func fullSlots(t *testing.T, s *Service) (ctx context.Context, release func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	for range cap(s.passwords.slots) {
		s.passwords.slots <- struct{}{}
	}
	return ctx, sync.OnceFunc(func() {
		cancel()
		for range cap(s.passwords.slots) {
			<-s.passwords.slots
		}
	})
}
