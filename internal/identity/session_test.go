package identity

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"gatehouse/internal/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

func TestLogin(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		pair, user, err := h.Login(t.Context(), "mitchell", "mitchell", here)
		if err != nil {
			t.Fatal(err)
		}
		if user.UserID != mitchell || user.Name != "Mitchell Admin" || !user.Administrator || pair.TokenType != "Bearer" || pair.ExpiresIn != 3600 {
			t.Errorf("%+v %+v", user, pair)
		}
		p := h.accepts(h.bearer(pair.AccessToken))
		if p.UserID != mitchell || p.Login != "mitchell" || p.Kind != UserToken || p.Subject != "user:2" || !p.Administrator ||
			p.CredentialID != 0 || len(p.TokenID) != 32 || !p.Scopes.Allows(Need{Action: Admin}) {
			t.Errorf("%+v", p)
		}
		p = h.accepts(h.bearer(h.login("marc").AccessToken))
		if p.UserID != marc || p.Administrator {
			t.Errorf("%+v", p)
		}
		if p = h.accepts(h.bearer(h.login("odette").AccessToken)); p.UserID != odette || p.Name != "odette" {
			t.Errorf("%+v", p)
		}
		if n := h.number(`select count(*) from gateway_token where ip = '192.0.2.7' and user_agent = 'curl/8'`); n != 6 {
			t.Errorf("%d tokens recorded", n)
		}
	})
}

func TestTokenClaims(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		pair := h.login("marc")
		for token, want := range map[string]struct {
			kind string
			life int64
		}{pair.AccessToken: {"access", 3600}, pair.RefreshToken: {"refresh", 604800}} {
			c := jwt.MapClaims{}
			parsed, _, err := jwt.NewParser(jwt.WithJSONNumber()).ParseUnverified(token, c)
			if err != nil {
				t.Fatal(err)
			}
			now := h.clock.Now().Unix()
			if parsed.Method.Alg() != "HS256" || parsed.Header["kid"] == "" || c["sub"] != "3" || c["type"] != want.kind || c["iss"] != "gatehouse" ||
				c["jti"] == "" || fmt.Sprint(c["iat"]) != fmt.Sprint(now) || fmt.Sprint(c["exp"]) != fmt.Sprint(now+want.life) {
				t.Errorf("%v %v", parsed.Header, c)
			}
		}
	})
}

func TestLoginRefuses(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		for i, test := range [][2]string{
			{"marc", "Marc"},
			{"marc", ""},
			{"Marc ", "marc"},
			{"stranger", "stranger"},
			{"olga", "olga"},
			{"nobody", ""},
			{"nobody", "nobody"},
			{"", ""},
			{"marc\x00", "marc"},
			{"marc\xff", "marc"},
			{strings.Repeat("x", 10_000), "x"},
			{"marc", strings.Repeat("x", MaxPassword+1)},
			{"' or 1=1 --", "x"},
		} {
			from := Meta{IP: netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}), UserAgent: "\x00\xff" + strings.Repeat("ü", 500)}
			pair, _, err := h.Login(t.Context(), test[0], test[1], from)
			if pair != nil {
				t.Errorf("%.20q got in", test[0])
			}
			h.refuses("Invalid login or password", err)
		}
		if n := h.number(`select count(*) from gateway_token`); n != 0 {
			t.Errorf("%d tokens", n)
		}
		odd := Meta{UserAgent: "\x00\xff" + strings.Repeat("ü", 500)}
		if _, _, err := h.Login(t.Context(), "marc", "marc", odd); err != nil {
			t.Errorf("an odd user agent: %v", err)
		}
	})
}

func TestLoginIsThrottled(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		var refused atomic.Int64
		var all sync.WaitGroup
		for range 3 * accountAttempts { // at once: none may slip through between check and count
			all.Go(func() {
				_, _, err := h.Login(context.Background(), "odette", "guess", here)
				if fault.Is(err, fault.Unauthenticated) {
					refused.Add(1)
				} else if !fault.Is(err, fault.RateLimited) || fault.From(err).RetryAfter <= 0 {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n, workers := refused.Load(), int64(cap(h.passwords.slots)); n < accountAttempts || n >= accountAttempts+workers {
			t.Errorf("%d guesses were looked at", n)
		}
		if _, _, err := h.Login(t.Context(), "odette", "odette", Meta{}); !fault.Is(err, fault.RateLimited) {
			t.Errorf("the right password: %v", err)
		}
		h.clock.Pass(attemptWindow)
		h.login("odette")
	})
}

func TestRefresh(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		first := h.login("marc")
		h.clock.Pass(time.Minute)
		second, err := h.Refresh(t.Context(), first.RefreshToken, here)
		if err != nil {
			t.Fatal(err)
		}
		h.accepts(h.bearer(first.AccessToken))
		h.accepts(h.bearer(second.AccessToken))
		if n := h.number(`select count(distinct family) from gateway_token`); n != 1 {
			t.Errorf("%d families", n)
		}

		_, err = h.Refresh(t.Context(), first.RefreshToken, here) // somebody stole it
		h.refuses("Token has been revoked", err)
		for _, token := range []string{first.AccessToken, second.AccessToken} {
			_, err = h.bearer(token)
			h.refuses("Token has been revoked", err)
		}
		_, err = h.Refresh(t.Context(), second.RefreshToken, here)
		h.refuses("Token has been revoked", err)
		if n := h.number(`select count(*) from gateway_token where revoked_at is null`); n != 0 {
			t.Errorf("%d tokens are not marked", n)
		}
		h.login("marc") // a new session is not concerned
	})
}

func TestRefreshRefuses(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		pair := h.login("marc")
		_, err := h.Refresh(t.Context(), pair.AccessToken, here)
		h.refuses("Invalid token: a refresh token is needed", err)
		_, err = h.Refresh(t.Context(), "nonsense", here)
		h.refuses("Invalid token", err)
		h.change([]string{UsersChanged}, `update res_users set active = false where id = $1`, marc)
		_, err = h.Refresh(t.Context(), pair.RefreshToken, here)
		h.refuses("The user of this credential is not active", err)
		h.change([]string{UsersChanged}, `update res_users set active = true where id = $1`, marc)
		h.exec(`delete from gateway_token where kind = 'refresh'`)
		_, err = h.Refresh(t.Context(), pair.RefreshToken, here)
		h.refuses("Invalid token", err)
		pair = h.login("marc")
		h.clock.Pass(refreshLife)
		_, err = h.Refresh(t.Context(), pair.RefreshToken, here)
		h.refuses("Token has expired", err)
	})
}

// Of many that use one refresh token at once, one gets a pair at most; and
// because the others are replays, nothing of the family is left after them.
func TestRefreshRace(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, db, second sqldb.DB) {
		h := buildPair(t, db, second)
		nodes := []*Service{h.Service, h.node()}
		for range 5 {
			pair := h.login("marc")
			var mu sync.Mutex
			var got []*TokenPair
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() {
					next, err := nodes[i%2].Refresh(context.Background(), pair.RefreshToken, here)
					if err == nil {
						mu.Lock()
						got = append(got, next)
						mu.Unlock()
					} else if !fault.Is(err, fault.Unauthenticated) {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if len(got) != 1 {
				t.Fatalf("%d pairs for one token", len(got))
			}
			_, err := h.Refresh(t.Context(), got[0].RefreshToken, here)
			h.refuses("Token has been revoked", err)
		}
		if n := h.number(`select count(*) from gateway_token where revoked_at is null`); n != 0 {
			t.Errorf("%d tokens survived", n)
		}
	})
}

func TestLogout(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, db, second sqldb.DB) {
		h := buildPair(t, db, second)
		other := h.node()
		pair, another, stays := h.login("marc"), h.login("marc"), h.login("marc")
		alien := h.login("odette")
		p := h.accepts(h.bearer(pair.AccessToken))
		h.accepts(other.identifyToken(t.Context(), pair.AccessToken, h.clock.Now()))
		if err := h.Logout(t.Context(), p, another.RefreshToken); err != nil {
			t.Fatal(err)
		}
		for _, token := range []string{pair.AccessToken, another.AccessToken} {
			_, err := h.bearer(token)
			h.refuses("Token has been revoked", err)
		}
		_, err := h.Refresh(t.Context(), pair.RefreshToken, here)
		h.refuses("Token has been revoked", err)
		eventually(t, "the other node refuses", func() bool {
			_, err := other.identifyToken(t.Context(), pair.AccessToken, h.clock.Now())
			return fault.Is(err, fault.Unauthenticated)
		})
		_, err = h.node().identifyToken(t.Context(), pair.AccessToken, h.clock.Now())
		h.refuses("Token has been revoked", err) // a node that starts later knows too

		p = h.accepts(h.bearer(stays.AccessToken))
		if err := h.Logout(t.Context(), p, alien.RefreshToken); err != nil {
			t.Fatal(err)
		}
		h.accepts(h.bearer(alien.AccessToken)) // a token of another user is left alone

		key, _ := h.key(nil)
		p = h.accepts(h.who("X-Api-Key", key))
		if err := h.Logout(t.Context(), p, ""); !fault.Is(err, fault.BadRequest) {
			t.Errorf("a key logged out: %v", err)
		}
	})
}

func TestRevokeToken(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		pair := h.login("marc")
		h.accepts(h.bearer(pair.AccessToken))
		row := h.number(`select id from gateway_token where kind = 'refresh'`)
		failed := errors.New("something after it failed")
		err := db.Write(t.Context(), func(tx sqldb.Tx) error {
			if err := h.RevokeTokenTx(t.Context(), tx, row); err != nil {
				return err
			}
			return failed
		})
		if !errors.Is(err, failed) {
			t.Fatal(err)
		}
		h.accepts(h.bearer(pair.AccessToken)) // rolled back: nothing is revoked
		if err := h.RevokeToken(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		_, err = h.bearer(pair.AccessToken)
		h.refuses("Token has been revoked", err)
		if err := h.RevokeToken(t.Context(), 4711); !fault.Is(err, fault.NotFound) {
			t.Errorf("%v", err)
		}
	})
}

func TestRevocationsAreForgotten(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		for range 3 {
			if err := h.Logout(t.Context(), h.accepts(h.bearer(h.login("odette").AccessToken)), ""); err != nil {
				t.Fatal(err)
			}
		}
		h.clock.Pass(accessLife + recheck + time.Second)
		if err := h.load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(h.revoked.until); n != 0 {
			t.Errorf("%d families are remembered", n)
		}
		h.clock.Pass(refreshLife)
		if n, err := h.VacuumTokens(t.Context()); n != 3 || err != nil { // access tokens expired over a week ago
			t.Errorf("deleted %d, %v", n, err)
		}
		h.clock.Pass(refreshLife)
		if n, err := h.VacuumTokens(t.Context()); n != 3 || err != nil {
			t.Errorf("deleted %d, %v", n, err)
		}
	})
}

func TestRotateSigningKey(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, db, second sqldb.DB) {
		h := buildPair(t, db, second)
		other := h.node()
		if len(h.signing.ring.Load().current.secret) != 64 || h.number(`select count(*) from gateway_signing_key`) != 1 {
			t.Fatal("no signing key of 64 bytes")
		}
		old := h.login("marc")
		oldKID := h.signing.ring.Load().current.kid
		if err := h.RotateSigningKey(t.Context(), audit.Origin{}); err != nil {
			t.Fatal(err)
		}
		if h.signing.ring.Load().current.kid == oldKID {
			t.Error("still the old key")
		}
		fresh := h.login("marc")
		h.accepts(h.bearer(old.AccessToken))
		h.accepts(h.bearer(fresh.AccessToken))
		h.tokens = newLRU[digest, *tokenEntry](10)
		h.accepts(h.bearer(old.AccessToken)) // verified again
		eventually(t, "the other node knows the new key", func() bool {
			_, err := other.identifyToken(t.Context(), fresh.AccessToken, h.clock.Now())
			return err == nil
		})

		h.clock.Pass(refreshLife - time.Minute)
		if _, err := h.Refresh(t.Context(), old.RefreshToken, here); err != nil {
			t.Errorf("the last minute of the overlap: %v", err)
		}
		h.clock.Pass(2 * time.Minute)
		if err := h.RotateSigningKey(t.Context(), audit.Origin{}); err != nil {
			t.Fatal(err)
		}
		if ring := h.signing.ring.Load(); ring.byKID[oldKID] != nil || len(ring.byKID) != 2 {
			t.Errorf("%d keys", len(ring.byKID))
		}
	})
}

// Without a signal, an unknown kid makes the keys be read again.
func TestUnknownKIDReloads(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, db, second sqldb.DB) {
		h := buildPair(t, db, second)
		late := h.node()
		late.stop() // hears nothing any more
		if err := h.RotateSigningKey(t.Context(), audit.Origin{}); err != nil {
			t.Fatal(err)
		}
		token := h.login("marc").AccessToken
		late.signing.loaded = time.Now().Add(-2 * time.Second)
		h.accepts(late.identifyToken(t.Context(), token, h.clock.Now()))
	})
}
