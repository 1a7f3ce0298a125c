package identity

import (
	"context"
	"errors"
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

func TestKey(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		key, id := h.key(func(k *KeySpec) {
			k.Scopes, k.Limits, k.AllowedIPs = "read, orders_write", Limits{Minute: 5}, "10.0.0.0/8\n::1"
			k.By = mitchell
		})
		if !isKey(key) {
			t.Errorf("%q", key)
		}
		p := h.accepts(h.who("X-Api-Key", key))
		if p.UserID != marc || p.Name != "Marc Demo" || p.Kind != APIKey || p.CredentialID != id || p.TokenID != "" || p.Administrator ||
			p.Scopes.String() != "orders_write read" || p.Limits != (Limits{Minute: 5}) || len(p.AllowedIPs) != 2 {
			t.Errorf("%+v", p)
		}
		if again := h.accepts(h.who("X-Api-Key", key)); again != p {
			t.Error("not from memory")
		}
		if n := h.number(`select count(*) from gateway_key where prefix = $1 and key_hash = $2 and create_uid = 2 and write_date is not null`,
			key[:8], KeyHash(key)); n != 1 {
			t.Error("the row is not what it should be")
		}
		if n := h.number(`select count(*) from gateway_key where name = $1 or key_hash = $1`, key); n != 0 {
			t.Error("the key itself is stored")
		}
	})
}

func TestKeySpecRefuses(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		for field, change := range map[string]func(*KeySpec){
			"name":         func(k *KeySpec) { k.Name = "" },
			"user_id":      func(k *KeySpec) { k.UserID = 0 },
			"user_id ":     func(k *KeySpec) { k.UserID = 99 },
			"user_id  ":    func(k *KeySpec) { k.UserID = olga },
			"scopes":       func(k *KeySpec) { k.Scopes = "reed" },
			"scopes ":      func(k *KeySpec) { k.Scopes = "" },
			"scopes  ":     func(k *KeySpec) { k.Scopes = "ordres_read" },
			"limit_minute": func(k *KeySpec) { k.Limits.Minute = -1 },
			"limit_day":    func(k *KeySpec) { k.Limits.Day = 1 << 40 },
			"allowed_ips":  func(k *KeySpec) { k.AllowedIPs = "10.0.0.1\nexample.com" },
			"expires_at":   func(k *KeySpec) { k.ExpiresAt = h.clock.Now() },
		} {
			spec := KeySpec{UserID: marc, Name: "ci", Scopes: "read"}
			change(&spec)
			_, _, err := h.CreateKey(t.Context(), spec)
			details, _ := fault.From(err).Details.(fault.FieldErrors)
			if !fault.Is(err, fault.BadRequest) || details[strings.TrimSpace(field)] == "" {
				t.Errorf("%s: %v %v", field, err, details)
			}
		}
		if n := h.number(`select count(*) from gateway_key`); n != 0 {
			t.Errorf("%d keys", n)
		}
	})
}

func TestKeyEnds(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, db, second sqldb.DB) {
		h := buildPair(t, db, second)
		other := h.node()
		key, id := h.key(func(k *KeySpec) { k.ExpiresAt = h.clock.Now().Add(time.Hour) })
		h.accepts(h.who("X-Api-Key", key))
		h.accepts(other.identifyKey(t.Context(), key, h.clock.Now()))
		_, err := h.identifyKey(t.Context(), key, h.clock.Now().Add(time.Hour))
		h.refuses("API key has expired", err)

		if err := h.RevokeKey(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		_, err = h.who("X-Api-Key", key)
		h.refuses("API key has been revoked", err)
		eventually(t, "the other node refuses", func() bool {
			_, err := other.identifyKey(t.Context(), key, h.clock.Now())
			return fault.Is(err, fault.Unauthenticated)
		})
		first := h.number(`select count(*) from gateway_key where revoked_at is not null and not active`)
		if err := h.RevokeKey(t.Context(), id); err != nil || first != 1 {
			t.Errorf("again: %v", err)
		}
		if err := h.RevokeKey(t.Context(), 4711); !fault.Is(err, fault.NotFound) {
			t.Errorf("%v", err)
		}

		key, id = h.key(nil)
		h.accepts(h.who("X-Api-Key", key))
		h.change([]string{KeysChanged}, `update gateway_key set active = false where id = $1`, id)
		_, err = h.who("X-Api-Key", key)
		h.refuses("API key has been revoked", err)
		h.change([]string{KeysChanged}, `delete from gateway_key where id = $1`, id)
		_, err = h.who("X-Api-Key", key)
		h.refuses("Invalid API key", err)
	})
}

// What is revoked on this node is refused from that moment, however many
// requests with the key are under way.
func TestRevokedAtOnce(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		for range 10 {
			key, id := h.key(nil)
			stop := make(chan struct{})
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
							_, _ = h.identifyKey(context.Background(), key, h.clock.Now())
						}
					}
				})
			}
			if err := h.RevokeKey(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			_, err := h.who("X-Api-Key", key)
			h.refuses("API key has been revoked", err)
			close(stop)
			all.Wait()
		}
	})
}

// slow is a database whose first Read ends only when it is let go.
type slow struct {
	sqldb.DB
	held      atomic.Bool
	read, let chan struct{}
}

func (s *slow) Read(ctx context.Context, fn func(sqldb.Querier) error) error {
	err := s.DB.Read(ctx, fn)
	if !s.held.Swap(true) {
		close(s.read)
		<-s.let
	}
	return err
}

// Who asks after a change does not share what somebody asked before it.
func TestLoadsAreNotSharedAcrossChanges(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		key, id := h.key(nil)
		token := h.login("marc").AccessToken
		for name, test := range map[string]struct {
			ask    func() error
			change func()
		}{
			"user": {
				func() error { _, err := h.bearer(token); return err },
				func() {
					h.change([]string{UsersChanged}, `update res_users set active = false where id = $1`, marc)
				},
			},
			"key": {
				func() error { _, err := h.who("X-Api-Key", key); return err },
				func() {
					if err := h.RevokeKey(t.Context(), id); err != nil {
						t.Fatal(err)
					}
				},
			},
		} {
			t.Run(name, func(t *testing.T) {
				h.change([]string{UsersChanged}, `update res_users set active = true where id = $1`, marc)
				s := &slow{DB: db, read: make(chan struct{}), let: make(chan struct{})}
				h.Service.db, h.Service.users = s, NewUsers(s)
				defer func() { h.Service.db, h.Service.users = db, NewUsers(db) }()
				early, late := make(chan error, 1), make(chan error, 1)
				go func() { early <- test.ask() }()
				<-s.read
				test.change()
				go func() { late <- test.ask() }()
				select {
				case err := <-late:
					if !fault.Is(err, fault.Unauthenticated) {
						t.Errorf("let in: %v", err)
					}
				case <-time.After(2 * time.Second):
					t.Error("waits for what was asked before the change")
				}
				close(s.let)
				<-early
				if err := test.ask(); !fault.Is(err, fault.Unauthenticated) {
					t.Errorf("let in later: %v", err)
				}
			})
		}
	})
}

func TestCreateKeyInATransaction(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		var key string
		err := db.Write(t.Context(), func(tx sqldb.Tx) (err error) {
			if _, err = tx.Exec(t.Context(), `insert into res_users (id, login, active) values (70, 'new', true)`); err != nil {
				return err
			}
			key, _, err = h.CreateKeyTx(t.Context(), tx, KeySpec{UserID: 70, Name: "first", Scopes: "read"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if p := h.accepts(h.who("X-Api-Key", key)); p.Login != "new" {
			t.Errorf("%+v", p)
		}
		undone := errors.New("undone")
		err = db.Write(t.Context(), func(tx sqldb.Tx) (err error) {
			if key, _, err = h.CreateKeyTx(t.Context(), tx, KeySpec{UserID: marc, Name: "second", Scopes: "read"}); err != nil {
				return err
			}
			return undone
		})
		if !errors.Is(err, undone) {
			t.Fatal(err)
		}
		_, err = h.who("X-Api-Key", key)
		h.refuses("Invalid API key", err)
	})
}

// Changes of a user and of his profile reach all his credentials.
func TestUserChanges(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		token := h.login("marc").AccessToken
		key, _ := h.key(func(k *KeySpec) { k.Limits.Hour = 7 })
		both := func() (*Principal, *Principal) {
			t.Helper()
			return h.accepts(h.bearer(token)), h.accepts(h.who("X-Api-Key", key))
		}
		if a, b := both(); !a.Limits.IsZero() || b.Limits != (Limits{Hour: 7}) || a.AllowedIPs != nil || b.LogLevel != "" {
			t.Errorf("%+v %+v", a, b)
		}
		h.change([]string{UsersChanged}, `insert into gateway_profile (name, user_id, limit_minute, limit_hour, allowed_ips, log_level, active)
			values ('slow', $1, 3, 4, '10.0.0.1', 'full', true)`, marc)
		if a, b := both(); a.Limits != (Limits{Minute: 3, Hour: 4}) || b.Limits != (Limits{Minute: 3, Hour: 7}) ||
			len(a.AllowedIPs) != 1 || len(b.AllowedIPs) != 1 || a.LogLevel != "full" || b.LogLevel != "full" {
			t.Errorf("%+v %+v", a, b)
		}
		h.change([]string{UsersChanged}, `update gateway_profile set allowed_ips = 'nonsense'`)
		if _, err := h.bearer(token); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a list that nobody understands: %v", err)
		}
		h.change([]string{UsersChanged}, `update gateway_profile set active = false`)
		if a, _ := both(); !a.Limits.IsZero() {
			t.Errorf("%+v", a)
		}
		h.change([]string{UsersChanged}, `insert into res_groups_users_rel (gid, uid) values (2, $1)`, marc)
		if a, b := both(); !a.Administrator || !b.Administrator {
			t.Error("not an administrator")
		}
		h.change([]string{UsersChanged}, `update res_users set active = false where id = $1`, marc)
		_, err := h.bearer(token)
		h.refuses("The user of this credential is not active", err)
		_, err = h.who("X-Api-Key", key)
		h.refuses("The user of this credential is not active", err)
		h.change([]string{UsersChanged}, `update res_users set active = true, password = $2 where id = $1`, marc, odooHash)
		_, err = h.bearer(token)
		h.refuses("Token has been revoked", err)
		h.accepts(h.who("X-Api-Key", key)) // a key does not depend on the password
	})
}

func TestDamagedKeyOpensNothing(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		key, id := h.key(nil)
		h.change([]string{KeysChanged}, `update gateway_key set scopes = 'nonsense' where id = $1`, id)
		if p := h.accepts(h.who("X-Api-Key", key)); p.Scopes.Allows(Need{Action: Read, Model: "res.partner"}) {
			t.Error("scopes that do not read allow something")
		}
		h.change([]string{KeysChanged}, `update gateway_key set allowed_ips = 'nonsense' where id = $1`, id)
		if _, err := h.who("X-Api-Key", key); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%v", err)
		}
	})
}

func TestUsage(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, db, second sqldb.DB) {
		h := buildPair(t, db, second)
		key, id := h.key(nil)
		p := h.accepts(h.who("X-Api-Key", key))
		now := h.clock.Now()
		h.UsedFrom(p, netip.MustParseAddr("10.0.0.1"), now)
		h.UsedFrom(p, netip.MustParseAddr("10.0.0.2"), now.Add(2*time.Second))
		h.UsedFrom(p, netip.MustParseAddr("10.0.0.3"), now.Add(time.Second))
		h.UsedFrom(h.accepts(h.bearer(h.login("marc").AccessToken)), netip.Addr{}, now)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := h.flushUsage(ctx); err == nil {
			t.Error("written with a context that is over")
		}
		if err := h.flushUsage(t.Context()); err != nil {
			t.Fatal(err)
		}
		used := func() (count int64, ip string, at time.Time) {
			err := db.Read(t.Context(), func(q sqldb.Querier) error {
				return q.Query(t.Context(), `select use_count, last_used_ip, last_used_at from gateway_key where id = $1`, []any{id},
					func(r sqldb.Row) error { count, ip, at = int64(r.Float(0)), r.Text(1), r.Time(2); return nil })
			})
			if err != nil {
				t.Fatal(err)
			}
			return count, ip, at
		}
		if count, ip, at := used(); count != 3 || ip != "10.0.0.2" || !at.Equal(now.Add(2*time.Second)) {
			t.Errorf("%d %s %v", count, ip, at)
		}
		h.UsedFrom(p, netip.Addr{}, now) // a node that was slower to write
		if err := h.flushUsage(t.Context()); err != nil {
			t.Fatal(err)
		}
		if count, ip, _ := used(); count != 4 || ip != "10.0.0.2" {
			t.Errorf("%d %s", count, ip)
		}
		late := h.node()
		late.UsedFrom(p, netip.MustParseAddr("10.0.0.9"), now.Add(time.Hour))
		if err := late.flushUsage(t.Context()); err != nil {
			t.Fatal(err)
		}
		if h.accepts(h.who("X-Api-Key", key)) != p {
			t.Error("noting the use made the key be read again")
		}
	})
}

func TestNewKeyNeverLooksLikeAnOption(t *testing.T) {
	for range 1000 {
		if key, _ := NewKey(); !isKey(key) || key[0] == '-' {
			t.Fatal(key)
		}
	}
}
