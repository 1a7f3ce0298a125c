package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

func TestUserKey(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		key, id := h.userKey(marc)
		if len(key) != userKeyLength {
			t.Errorf("%q", key)
		}
		for _, token := range []string{key, "3$" + key} {
			p := h.accepts(h.bearer(token))
			if p.UserID != marc || p.Kind != UserKey || p.CredentialID != id || p.Subject != "user:3" || p.TokenID != "" ||
				p.Administrator || !p.Scopes.Allows(Need{Action: Admin}) {
				t.Errorf("%+v", p)
			}
			if again := h.accepts(h.bearer(token)); again != p {
				t.Error("not from memory")
			}
		}
		if n := h.number(`select count(*) from res_users_apikeys where "key" like $1`, "%"+key[8:]+"%"); n != 0 {
			t.Error("the key itself is stored")
		}
		admin, _ := h.userKey(mitchell)
		if p := h.accepts(h.bearer("2$" + admin)); !p.Administrator {
			t.Error("not an administrator")
		}
	})
}

// The digits after the first eight decide, and the user who is named.
func TestUserKeysOfOneIndex(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		users := []int64{mitchell, marc, odette}
		var keys []string
		for i, user := range users {
			key := "0badc0de" + strings.Repeat(fmt.Sprintf("%x", i), 32)
			hash, err := hashUserKey(key)
			if err != nil {
				t.Fatal(err)
			}
			h.change([]string{KeysChanged}, `insert into res_users_apikeys (name, user_id, "index", "key") values ('x', $1, $2, $3)`,
				user, key[:8], hash)
			keys = append(keys, key)
		}
		for i, key := range keys {
			if p := h.accepts(h.bearer(key)); p.UserID != users[i] {
				t.Errorf("key %d is of user %d", i, p.UserID)
			}
			for j, user := range users {
				_, err := h.bearer(fmt.Sprintf("%d$%s", user, key))
				if i != j {
					h.refuses("Invalid API key", err)
				} else if err != nil {
					t.Error(err)
				}
			}
		}
		_, err := h.bearer("0badc0de" + strings.Repeat("f", 32))
		h.refuses("Invalid API key", err)
	})
}

func TestUserKeyIsRefused(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		key, id := h.userKey(marc)
		now := h.clock.Now()
		set := func(column string, value any) {
			h.change([]string{KeysChanged}, `update res_users_apikeys set `+column+` = $1 where id = $2`, value, id)
		}
		for range 2 { // the second time from memory
			h.accepts(h.bearer(key))
			set("scope", "otherscope")
			for range 2 {
				_, err := h.bearer(key)
				h.refuses("This API key is for another purpose: its scope is not rpc", err)
			}
			set("scope", "rpc")
			h.accepts(h.bearer(key))
			set("expiration_date", now)
			for range 2 {
				_, err := h.bearer(key)
				h.refuses("API key has expired", err)
			}
			set("expiration_date", now.Add(time.Hour))
			h.accepts(h.bearer(key))
			_, err := h.identifyUserKey(t.Context(), key, userKey{key: key}, here.IP, now.Add(time.Hour))
			h.refuses("API key has expired", err)
			h.change([]string{UsersChanged}, `update res_users set active = false where id = $1`, marc)
			for range 2 {
				_, err := h.bearer(key)
				h.refuses("The user of this credential is not active", err)
			}
			h.change([]string{UsersChanged}, `update res_users set active = true where id = $1`, marc)
		}
		set(`"key"`, odooHash) // another key in the same row
		_, err := h.bearer(key)
		h.refuses("Invalid API key", err)
		set(`"key"`, nil)
		_, err = h.bearer(key)
		h.refuses("Invalid API key", err)
		h.change([]string{KeysChanged}, `delete from res_users_apikeys`)
		_, err = h.bearer(key)
		h.refuses("Invalid API key", err)
	})
}

// What an attacker may send instead of a key of Marc's.
func TestForgedUserKeys(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		key := strings.Repeat("0123abcd", 5)
		hash, err := hashUserKey(key)
		if err != nil {
			t.Fatal(err)
		}
		h.change([]string{KeysChanged}, `insert into res_users_apikeys (name, user_id, "index", "key") values ('x', 3, $1, $2)`, key[:8], hash)
		for range 2 { // also while the real one is known
			for name, token := range map[string]string{
				"another user": "2$" + key, "nobody": "99$" + key, "the greatest user": "2147483647$" + key,
				"user 0": "0$" + key, "negative": "-3$" + key, "plus": "+3$" + key, "leading zero": "03$" + key,
				"2^32+3": "4294967299$" + key, "overflow": "18446744073709551619$" + key, "hexadecimal": "0x3$" + key, "exponent": "3e0$" + key,
				"blank before": "\t3$" + key, "blank inside": "3 $" + key, "blank after": "3$\t" + key, "unicode digit": "३$" + key,
				"fullwidth digit": "３$" + key, "unicode in the key": "3$" + key[:37] + "३", "name": "marc$" + key,
				"empty user": "$" + key, "two dollars": "3$$" + key, "two users": "3$3$" + key, "dollar after": "3$" + key + "$",
				"dollar": "$", "dollars": "$$$", "user alone": "3$", "dollar in the key": "3$" + key[:20] + "$" + key[21:],
				"upper case": "3$" + strings.ToUpper(key), "short": "3$" + key[:39], "long": "3$" + key + "0", "index alone": key[:8],
				"another tail": key[:39] + "0", "another index": "1" + key[1:],
				"NUL": "3$" + key + "\x00", "NUL inside": "3$" + key[:20] + "\x00" + key[21:], "CRLF": "3$" + key + "\r\n",
				"CRLF inside": "3$" + key[:20] + "\r\n" + key[22:], "wildcard": "3$" + key[:8] + strings.Repeat("%", 32),
				"quote": "3$' or 1=1 --" + key[:28], "like a token": "3$" + key[:10] + "." + key[11:20] + "." + key[21:],
				"token of keys": key + "." + key + "." + key, "huge": "3$" + strings.Repeat(key, 10000), "the hash": "3$" + hash, "invalid UTF-8": "3$" + key[:38] + "\xff\xfe",
			} {
				_, err := h.bearer(token)
				if !fault.Is(err, fault.Unauthenticated) {
					t.Errorf("%s: %v", name, err)
				} else if m := fault.From(err).Message; strings.Contains(m, key) || strings.Contains(m, hash) {
					t.Errorf("%s: the error shows the key: %s", name, m)
				}
				h.guesses = newGuesses() // how many is another test
			}
			if p := h.accepts(h.bearer("3$" + key)); p.UserID != marc {
				t.Errorf("%+v", p)
			}
		}
	})
}

func FuzzParseUserKey(f *testing.F) {
	key := strings.Repeat("0123abcd", 5)
	for _, seed := range []string{"", "$", key, "2$" + key, "02$" + key, "-2$" + key, "2147483648$" + key, "$" + key, "9999999999$" + key, "a.b.c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		k, ok := parseUserKey(text)
		if !ok {
			if k.uid != 0 && k.uid <= 1<<31-1 {
				t.Errorf("%q is refused, but has a user", text)
			}
			return
		}
		back := k.key
		if k.uid != 0 {
			back = fmt.Sprintf("%d$%s", k.uid, k.key)
		}
		if back != text || k.uid < 0 || k.uid > 1<<31-1 || len(k.key) != 40 || strings.Trim(k.key, "0123456789abcdef") != "" {
			t.Errorf("%q reads as %+v", text, k)
		}
	})
}

// FuzzBearer: whatever is sent, what comes out of a header is one word.
func FuzzBearer(f *testing.F) {
	for _, seed := range []string{"", "Bearer", "Bearer x", "bearer  x ", "Bearer a, b", "Basic x", "Bearer \x00", "Bearer a\r\nb"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, ok := bearerToken([]string{text})
		if ok && (token == "" || strings.ContainsAny(token, " \t,") || !strings.HasSuffix(strings.TrimRight(text, " "), token)) {
			t.Errorf("%q gives %q", text, token)
		}
	})
}

// counting counts the statements' transactions that reach the database.
type counting struct {
	sqldb.DB
	calls atomic.Int64
}

func (c *counting) Read(ctx context.Context, fn func(sqldb.Querier) error) error {
	c.calls.Add(1)
	return c.DB.Read(ctx, fn)
}

func (c *counting) Snapshot(ctx context.Context, fn func(sqldb.Querier) error) error {
	c.calls.Add(1)
	return c.DB.Snapshot(ctx, fn)
}

func (c *counting) Write(ctx context.Context, fn func(sqldb.Tx) error) error {
	c.calls.Add(1)
	return c.DB.Write(ctx, fn)
}

// Whoever was identified before costs no query and no hash, whatever the
// credential; a wrong key that comes again neither.
func TestKnownCredentialsCostNoQuery(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		token := h.login("marc").AccessToken
		key, _ := h.key(nil)
		own, _ := h.userKey(marc)
		count := &counting{DB: db}
		h.Service.db, h.Service.users = count, NewUsers(count)
		defer func() { h.Service.db, h.Service.users = db, NewUsers(db) }()
		for name, header := range map[string]http.Header{
			"jwt": {"Authorization": {"Bearer " + token}}, "api_key": {"X-Api-Key": {key}},
			"user_key": {"Authorization": {"Bearer " + own}}, "user_key with user": {"Authorization": {"Bearer 3$" + own}},
			"wrong user_key": {"Authorization": {"Bearer 2$" + own}},
		} {
			_, first := h.Identify(t.Context(), header, here.IP)
			before := count.calls.Load()
			if before == 0 {
				t.Fatal("the first time cost no query: nothing is counted")
			}
			h.keyHashes.slots <- struct{}{} // nobody gets to hash now
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			for range 100 {
				if _, err := h.Identify(ctx, header, here.IP); (err == nil) != (first == nil) {
					t.Fatalf("%s: %v", name, err)
				}
			}
			cancel()
			<-h.keyHashes.slots
			if n := count.calls.Load() - before; n != 0 {
				t.Errorf("%s: %d queries for 100 requests", name, n)
			}
		}
	})
}

// After a change of something else a known key is read again, but not hashed.
func TestChangesDoNotCostHashes(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		key, _ := h.userKey(marc)
		p := h.accepts(h.bearer(key))
		for range cap(h.keyHashes.slots) {
			h.keyHashes.slots <- struct{}{}
		}
		defer func() {
			for range cap(h.keyHashes.slots) {
				<-h.keyHashes.slots
			}
		}()
		h.change([]string{UsersChanged, KeysChanged}, `update res_partner set name = 'Marc M. Demo' where id = 13`)
		if again := h.accepts(h.bearer(key)); again == p || again.Name != "Marc M. Demo" {
			t.Errorf("%+v", again)
		}
	})
}

// A key does not wait for logins, and many at once are bounded.
func TestUserKeysHaveWorkersOfTheirOwn(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		key, _ := h.userKey(marc)
		for range cap(h.passwords.slots) {
			h.passwords.slots <- struct{}{}
		}
		h.accepts(h.bearer(key))
		for range cap(h.passwords.slots) {
			<-h.passwords.slots
		}
		h.keyHashes.waiting.Add(maxWaiting)
		_, err := h.bearer("2$" + key)
		h.keyHashes.waiting.Add(-maxWaiting)
		if f := fault.From(err); f.Kind != fault.Unavailable || f.RetryAfter == 0 {
			t.Errorf("%v", err)
		}
		_, err = h.bearer("2$" + key)
		h.refuses("Invalid API key", err)
	})
}

// An address that tries many wrong keys is slowed down; known keys, and those
// who only repeat an old one, are not.
func TestGuessingIsSlow(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		known, _ := h.userKey(marc)
		fresh, _ := h.userKey(odette)
		h.accepts(h.bearer(known))
		wrong := func(i int) string { return fmt.Sprintf("%040x", i) }
		for range 100 { // a script with an old key
			_, err := h.bearer(wrong(0))
			h.refuses("Invalid API key", err)
		}
		var group sync.WaitGroup // many at once do not get past
		var refused, slowed atomic.Int64
		for i := 1; i <= 60; i++ {
			group.Go(func() {
				switch _, err := h.bearer(wrong(i)); {
				case fault.Is(err, fault.Unauthenticated):
					refused.Add(1)
				case fault.Is(err, fault.RateLimited):
					slowed.Add(1)
				default:
					t.Errorf("%v", err)
				}
			})
		}
		group.Wait()
		if n := refused.Load(); n < freeGuesses-1 || n > freeGuesses-1+int64(cap(h.keyHashes.slots)) || n+slowed.Load() != 60 {
			t.Errorf("%d guesses were checked and %d slowed", n, slowed.Load())
		}
		h.accepts(h.bearer(known))
		h.change([]string{UsersChanged}, `update res_users set active = true where id = $1`, marc)
		h.accepts(h.bearer(known)) // read again, still no guess
		_, err := h.bearer(fresh)
		if f := fault.From(err); f.Kind != fault.RateLimited || f.RetryAfter <= 0 || f.RetryAfter > guessPace {
			t.Errorf("%v", err)
		}
		other := netip.MustParseAddr("198.51.100.1")
		if _, err := h.Identify(t.Context(), http.Header{"Authorization": {"Bearer " + wrong(100)}}, other); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("another address: %v", err)
		}
		h.clock.Pass(guessPace)
		h.accepts(h.bearer(fresh)) // slowed, not shut out
		h.clock.Pass(guessPace)
		_, err = h.bearer(wrong(101))
		h.refuses("Invalid API key", err)
		if _, err = h.bearer(wrong(102)); !fault.Is(err, fault.RateLimited) {
			t.Errorf("%v", err)
		}
		h.clock.Pass(attemptWindow)
		for i := range 3 {
			_, err = h.bearer(wrong(200 + i))
			h.refuses("Invalid API key", err)
		}
		h.login("marc") // wrong keys do not lock logins
	})
}

// What is deleted on this node is refused from that moment, however many
// requests with the key are under way.
func TestUserKeyDeletedAtOnce(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		for range 5 {
			key, id := h.userKey(marc)
			stop := make(chan struct{})
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
							_, _ = h.bearer(key)
						}
					}
				})
			}
			h.accepts(h.bearer(key))
			h.change([]string{KeysChanged}, `delete from res_users_apikeys where id = $1`, id)
			for range 20 {
				_, err := h.bearer(key)
				h.refuses("Invalid API key", err)
			}
			close(stop)
			all.Wait()
		}
	})
}

func TestUserKeyWhileTheStoreIsAway(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		known, _ := h.userKey(marc)
		fresh, _ := h.userKey(marc)
		h.accepts(h.bearer(known))
		h.Service.db, h.Service.users = away{db}, NewUsers(away{db})
		defer func() { h.Service.db, h.Service.users = db, NewUsers(db) }()
		h.accepts(h.bearer(known))
		for range 2 {
			if _, err := h.bearer(fresh); !fault.Is(err, fault.Unavailable) || !errors.Is(err, sqldb.ErrUnavailable) {
				t.Errorf("%v", err)
			}
		}
		h.Service.db, h.Service.users = db, NewUsers(db)
		h.accepts(h.bearer(fresh)) // that it could not be looked up is not remembered
	})
}

// least is the shortest time that either takes, in n turns: what a busy machine
// adds is not the code's.
func least(n int, pair [2]func(i int)) (times [2]time.Duration) {
	for i := range n {
		for which, fn := range pair {
			began := time.Now()
			fn(i)
			if took := time.Since(began); i == 0 || took < times[which] {
				times[which] = took
			}
		}
	}
	return times
}

// Neither the time of a login nor that of a key tells what exists. The bounds
// are wide: a missing hash makes it ten times as fast.
func TestTimeTellsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("measures times")
	}
	h := build(t, sqltest.Open(t, "sqlite"))
	key, _ := h.userKey(marc)
	attempt := func(int) { h.attempts, h.guesses = newAttempts(), newGuesses() }
	for name, pair := range map[string][2]func(i int){
		"login": {
			func(i int) { attempt(i); _, _, _ = h.Login(t.Context(), "mitchell", fmt.Sprint(i), here) },
			func(i int) { attempt(i); _, _, _ = h.Login(t.Context(), "somebody", fmt.Sprint(i), here) },
		},
		"login of an archived user": {
			func(i int) { attempt(i); _, _, _ = h.Login(t.Context(), "mitchell", fmt.Sprint(i), here) },
			func(i int) { attempt(i); _, _, _ = h.Login(t.Context(), "olga", "olga", here) },
		},
		"user key": {
			func(i int) { attempt(i); _, _ = h.bearer(fmt.Sprintf("%s%032x", key[:8], i)) },
			func(i int) { attempt(i); _, _ = h.bearer(fmt.Sprintf("%040x", i)) },
		},
		"user key of a named user": {
			func(i int) { attempt(i); _, _ = h.bearer(fmt.Sprintf("3$%s%032x", key[:8], 1000+i)) },
			func(i int) { attempt(i); _, _ = h.bearer(fmt.Sprintf("4711$%s%032x", key[:8], i)) },
		},
	} {
		times := least(15, pair)
		known, unknown := times[0], times[1]
		t.Logf("%s: %v known, %v unknown", name, known, unknown)
		if known > 3*unknown || unknown > 3*known {
			t.Errorf("%s: %v for what exists, %v for what does not", name, known, unknown)
		}
	}
}
