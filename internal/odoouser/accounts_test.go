package odoouser

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
	"gatehouse/internal/odoorpc"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
	"gatehouse/internal/vault"
)

// counting is a database that counts what is asked of it.
type counting struct {
	sqldb.DB
	calls atomic.Int64
}

func (c *counting) Read(ctx context.Context, fn func(sqldb.Querier) error) error {
	c.calls.Add(1)
	return c.DB.Read(ctx, fn)
}

func (c *counting) Write(ctx context.Context, fn func(sqldb.Tx) error) error {
	c.calls.Add(1)
	return c.DB.Write(ctx, fn)
}

// desk is the Accounts of two nodes on one store.
type desk struct {
	*testing.T
	db     *counting
	a, b   *Accounts
	denied atomic.Int64
}

// The users of every desk: two of the Odoo, and a local one.
const (
	ben  = 1_000_000_005
	ann  = 1_000_000_006
	john = 3
)

func onBoth(t *testing.T, fn func(d *desk)) {
	t.Helper()
	sqltest.EachPair(t, func(t *testing.T, db, second sqldb.DB) {
		models := append(identity.Models(), &schema.Model{
			Name: "res.users", Fields: []*schema.Field{schema.NewChar("login", "Login").Req()},
		})
		if err := schema.Sync(t.Context(), db, models); err != nil {
			t.Fatal(err)
		}
		d := &desk{T: t, db: &counting{DB: db}}
		for id, login := range map[int64]string{ben: "ben", ann: "ann", john: "john"} {
			d.exec(`insert into res_users (id, login) values ($1, $2)`, id, login)
		}
		key := bytes.Repeat([]byte{7}, vault.KeySize)
		d.a, d.b = d.open(d.db, key), d.open(second, key)
		fn(d)
	})
}

func (d *desk) open(db sqldb.DB, key []byte) *Accounts {
	d.Helper()
	v, err := vault.New(key)
	if err != nil {
		d.Fatal(err)
	}
	a, err := Open(d.Context(), Options{DB: db, Vault: v, Denied: func(int64, string) { d.denied.Add(1) }})
	if err != nil {
		d.Fatal(err)
	}
	d.Cleanup(a.Close)
	return a
}

func (d *desk) exec(sql string, args ...any) {
	d.Helper()
	err := d.db.DB.Write(d.Context(), func(tx sqldb.Tx) error {
		_, err := tx.Exec(d.Context(), sql, args...)
		for _, channel := range []string{accountsChanged, identity.KeysChanged, identity.ClientsChanged} {
			if err == nil {
				err = tx.Signal(d.Context(), channel)
			}
		}
		return err
	})
	if err != nil {
		d.Fatal(err)
	}
}

// login is what a password has opened.
func (d *desk) login(a *Accounts, user int64, session string) {
	d.Helper()
	uid, _ := identity.OdooUID(user)
	l := &odoorpc.Login{UID: uid, Login: "u", Name: "U", Session: odoorpc.NewSession(session, nil)}
	if err := a.adopt(d.Context(), user, l); err != nil {
		d.Fatal(err)
	}
}

func token(user int64) *backend.Caller {
	return &backend.Caller{UserID: user, Account: backend.Account{Kind: string(identity.UserToken)}}
}

func (d *desk) session(a *Accounts, user int64) *odoorpc.Session {
	d.Helper()
	account, err := a.For(d.Context(), token(user))
	if err != nil {
		d.Fatal(err)
	}
	if uid, _ := identity.OdooUID(user); account.UID != uid || account.Secret != "" {
		d.Errorf("%+v", account)
	}
	return account.Session
}

// eventually waits for what another node hears of.
func (d *desk) eventually(what string, ok func() bool) {
	d.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			d.Fatalf("not within ten seconds: %s", what)
		}
	}
}

func TestSessionsOfUsers(t *testing.T) {
	onBoth(t, func(d *desk) {
		d.login(d.a, ben, "s1")
		d.login(d.a, ann, "t1")
		own := d.session(d.a, ben)
		if own != d.session(d.a, ben) || own.ID() != "s1" || d.session(d.a, ann).ID() != "t1" {
			d.Error("the session is another one")
		}
		before := d.db.calls.Load()
		for range 100 {
			d.session(d.a, ben)
		}
		if n := d.db.calls.Load() - before; n != 0 {
			d.Errorf("%d queries for what is known", n)
		}
		d.eventually("the other node has the session", func() bool { return d.session(d.b, ben).ID() == "s1" })

		// The Odoo gives it another id: stored, and read by the other node.
		own.Changed("s2")
		d.eventually("the new id", func() bool { return d.session(d.b, ben).ID() == "s2" })
		if d.session(d.a, ben) != own {
			d.Error("a change of the id has made another session of it")
		}
		if d.session(d.b, ann).ID() != "t1" {
			d.Error("sessions are mixed")
		}

		// The other node has a newer one: it wins over an older one's news.
		d.login(d.b, ben, "s3")
		own.Changed("s2b")
		d.a.work.Wait()
		d.eventually("the newer login", func() bool { return d.session(d.a, ben).ID() == "s3" })
		if d.session(d.b, ben).ID() != "s3" {
			d.Error("an older session was stored over a newer one")
		}

		// The end.
		last := d.session(d.a, ben)
		denied := d.denied.Load()
		last.Changed("")
		d.a.work.Wait()
		for _, a := range []*Accounts{d.a, d.b} {
			d.eventually("the end of the session", func() bool {
				_, err := a.For(d.Context(), token(ben))
				return fault.Is(err, fault.Unauthenticated) && strings.Contains(err.Error(), "log in again")
			})
		}
		if d.denied.Load() == denied {
			d.Error("nobody was told that the session has ended")
		}
		d.login(d.a, ben, "s4")
		if d.session(d.a, ben).ID() != "s4" {
			d.Error("no session after a new login")
		}
	})
}

// What the Odoo changes while nobody can store it is not lost on the calls.
func TestManyChangesAtOnce(t *testing.T) {
	onBoth(t, func(d *desk) {
		d.login(d.a, ben, "s0")
		s := d.session(d.a, ben)
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() {
				for range 20 {
					d.session(d.a, ben)
				}
				if i == 0 {
					for n := range 20 {
						s.Changed(fmt.Sprint("s", n))
					}
				}
			})
		}
		wait.Wait()
		d.a.work.Wait()
		d.eventually("the last id", func() bool { return d.session(d.b, ben).ID() == "s19" })
	})
}

// A row says nothing in the place of another one.
func TestSwappedRows(t *testing.T) {
	onBoth(t, func(d *desk) {
		d.login(d.a, ben, "s1")
		d.login(d.a, ann, "t1")
		d.exec(`update gateway_odoo_account set sealed = (select sealed from gateway_odoo_account where user_id = $1), version = version + 1
			where user_id = $2`, ann, ben)
		d.eventually("the swap", func() bool {
			_, err := d.b.For(d.Context(), token(ben))
			return fault.Is(err, fault.Internal)
		})
		for _, id := range []int64{1, 2} {
			d.exec(`insert into gateway_key (id, name, user_id, key_hash, scopes, odoo_uid, odoo_login, odoo_key)
				values ($1, 'k', $2, $3, 'read', $1, 'u', $4)`, id, john, fmt.Sprint(id), d.a.Seal("gateway.key", id, fmt.Sprint("secret", id)))
		}
		key := func(kind identity.CredentialKind, id int64) (*odoorpc.Account, error) {
			return d.a.For(d.Context(), &backend.Caller{UserID: john, Account: backend.Account{Kind: string(kind), ID: id}})
		}
		if a, err := key(identity.APIKey, 1); err != nil || a.Secret != "secret1" || a.UID != 1 {
			d.Errorf("%+v %v", a, err)
		}
		if _, err := key(identity.ClientToken, 1); !fault.Is(err, fault.Forbidden) {
			d.Errorf("a client of the same id: %v", err)
		}
		d.exec(`update gateway_key set odoo_key = (select odoo_key from gateway_key where id = 1) where id = 2`)
		if a, err := key(identity.APIKey, 2); !fault.Is(err, fault.Internal) || strings.Contains(fault.From(err).Message, "secret") {
			d.Errorf("%+v %v", a, err)
		}
		settled, err := d.a.Settle("gateway.key", 2, d.a.Seal("gateway.key", 0, "secret2"))
		if err != nil {
			d.Fatal(err)
		}
		d.exec(`update gateway_key set odoo_key = $1 where id = 2`, settled)
		if a, err := key(identity.APIKey, 2); err != nil || a.Secret != "secret2" {
			d.Errorf("%+v %v", a, err)
		}
		d.exec(`delete from res_users where id in ($1, $2, $3)`, john, ben, ann)
		left := 0
		err = d.db.DB.Read(d.Context(), func(q sqldb.Querier) error {
			return q.Query(d.Context(), `select 1 from gateway_odoo_account union all select 1 from gateway_key`, nil,
				func(sqldb.Row) error { left++; return nil })
		})
		if left != 0 || err != nil {
			d.Errorf("%d credentials outlive their users: %v", left, err)
		}
	})
}

func TestForWithoutAccount(t *testing.T) {
	onBoth(t, func(d *desk) {
		caller := func(user int64, kind identity.CredentialKind, id int64) *backend.Caller {
			return &backend.Caller{UserID: user, Account: backend.Account{Kind: string(kind), ID: id}}
		}
		for _, test := range []struct {
			caller *backend.Caller
			kind   fault.Kind
			part   string
		}{
			{caller(john, identity.APIKey, 9), fault.Forbidden, "set odoo_login and odoo_key of the key"},
			{caller(john, identity.ClientToken, 9), fault.Forbidden, "set odoo_login and odoo_key of the client"},
			{caller(john, identity.UserToken, 0), fault.Forbidden, "gatehouse user odoo"},
			{caller(ben, identity.UserToken, 0), fault.Unauthenticated, "log in again"},
			{caller(ben, identity.APIKey, 9), fault.Forbidden, "odoo_key"},
			{caller(1, "", 0), fault.Forbidden, "odoo-login"},
		} {
			_, err := d.a.For(d.Context(), test.caller)
			if !fault.Is(err, test.kind) || !strings.Contains(err.Error(), test.part) {
				d.Errorf("%+v: %v", test.caller, err)
			}
		}
		through := caller(ben, identity.UserKey, 0)
		through.Account.Key = "k"
		if a, err := d.a.For(d.Context(), through); err != nil || a.Secret != "k" || a.UID != 5 || a.Session != nil {
			d.Errorf("%+v %v", a, err)
		}
	})
}

// secondFactor is an Odoo that wants more than a password.
type secondFactor struct{ Client }

func (secondFactor) Authenticate(context.Context, string, string, netip.Addr) (*odoorpc.Login, error) {
	return nil, fault.New(fault.Unauthenticated, "second factor").Because(odoorpc.ErrSecondFactor)
}

// Who has a second factor is told so, and is no guesser.
func TestSecondFactor(t *testing.T) {
	onBoth(t, func(d *desk) {
		d.a.o.Client = secondFactor{}
		for range 2 * allFailures {
			_, err := d.a.Login(d.Context(), "ben", "right", netip.MustParseAddr("192.0.2.1"))
			if !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), "API key") {
				d.Errorf("%v", err)
			}
		}
	})
}

func TestFailures(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	ip := func(n int) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}) }
	f := newFailures(false)
	refused := func(n int, at time.Duration, want bool) {
		t.Helper()
		err := f.check(ip(n), now.Add(at))
		if (err != nil) != want || want && !fault.Is(err, fault.RateLimited) {
			t.Errorf("address %d at %s: %v", n, at, err)
		}
		if want && (fault.From(err).RetryAfter <= 0 || fault.From(err).RetryAfter > failureWindow) {
			t.Errorf("wait %s", fault.From(err).RetryAfter)
		}
	}
	for i := range addressFailures {
		refused(1, 0, false)
		f.failed(ip(1), now.Add(time.Duration(i)*time.Second))
	}
	refused(1, 5*time.Second, true)
	refused(2, 5*time.Second, false)
	f.failed(ip(2), now.Add(5*time.Second))
	f.failed(ip(2), now.Add(6*time.Second))
	refused(3, 10*time.Second, true) // all together
	refused(3, 60*time.Second, false)
	f.failed(ip(3), now.Add(60*time.Second))
	refused(4, 60*time.Second, true)
	f.succeeded(ip(9))
	refused(4, 60*time.Second, false)
	refused(1, 59*time.Second, true) // an own account is no way to go on guessing
	f = newFailures(true)
	for i := range 2 * allFailures {
		f.failed(ip(i), now)
	}
	refused(99, 0, false)
}
