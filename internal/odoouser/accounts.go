// Package odoouser knows as which of the Odoo's users calls are made: it asks
// the Odoo who somebody is, keeps what proves it sealed, and gives it to the
// calls that need it. Who calls Gatehouse, package identity decides.
package odoouser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"

	"gatehouse/internal/access"
	"gatehouse/internal/backend"
	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
	"gatehouse/internal/odoorpc"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/vault"
)

// Client is what this package needs of an odoorpc.Client.
type Client interface {
	Authenticate(ctx context.Context, login, password string, from netip.Addr) (*odoorpc.Login, error)
	Whoami(ctx context.Context, a *odoorpc.Account, from netip.Addr) (uid int64, err error)
	Call(ctx context.Context, a *odoorpc.Account, r *odoorpc.Request) (json.RawMessage, error)
	Logout(ctx context.Context, s *odoorpc.Session) error
}

// Options are what Accounts are made of.
type Options struct {
	DB     sqldb.DB
	Engine *record.Engine // makes the users
	Vault  *vault.Vault
	Client Client
	// Login and Key are of the technical user; "" where there is none.
	Login, Key string
	// Forwarded says that the Odoo counts failures by the address of who calls,
	// and not by that of this server.
	Forwarded bool
	// KeysUncounted says that the Odoo counts no failures of keys, as those that
	// come by JSON-2; nil: it counts them.
	KeysUncounted func(ctx context.Context) bool
	// Denied is told when the Odoo does not take the key or, where key is "",
	// the session of a user any more.
	Denied func(userID int64, key string)
	Clock  clock.Clock // nil: the machine's
	Log    *slog.Logger
}

// Accounts are the users of the Odoo as whom calls are made. Safe for
// concurrent use.
type Accounts struct {
	o         Options
	technical *odoorpc.Account
	failures  *failures
	stopWatch func()

	// Generations count the changes of which memory may hold old copies.
	usersGen, keysGen, clientsGen atomic.Uint64

	mu     sync.Mutex
	users  map[int64]*userAccount
	stored map[owner]*storedKey
	proofs map[proof]proved
	known  map[int64]known // users of the Odoo, by uid
	closed bool
	work   sync.WaitGroup
}

// maxKept bounds what is remembered of users and credentials. Beyond, any is
// forgotten: it can be read again.
const maxKept = 20_000

// accountsChanged is the signal that a row of gateway_odoo_account is another.
const accountsChanged = "odoo_accounts"

// Open prepares the table. Close what it gives.
func Open(ctx context.Context, o Options) (*Accounts, error) {
	if o.Clock == nil {
		o.Clock = clock.System
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Denied == nil {
		o.Denied = func(int64, string) {}
	}
	if o.KeysUncounted == nil {
		o.KeysUncounted = func(context.Context) bool { return false }
	}
	a := &Accounts{
		o: o, failures: newFailures(o.Forwarded), users: map[int64]*userAccount{}, stored: map[owner]*storedKey{},
		proofs: map[proof]proved{}, known: map[int64]known{},
	}
	if o.Login != "" && o.Key != "" {
		a.technical = &odoorpc.Account{Login: o.Login, Secret: o.Key}
	}
	if err := createTable(ctx, o.DB); err != nil {
		return nil, err
	}
	a.stopWatch = o.DB.Watch(a.changed)
	return a, nil
}

// Close waits until what changed is stored.
func (a *Accounts) Close() {
	a.stopWatch()
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.work.Wait()
}

func (a *Accounts) changed(channel string) {
	switch channel {
	case accountsChanged:
		a.usersGen.Add(1)
	case identity.KeysChanged:
		a.keysGen.Add(1)
	case identity.ClientsChanged:
		a.clientsGen.Add(1)
	case "": // the connection was lost
		a.usersGen.Add(1)
		a.keysGen.Add(1)
		a.clientsGen.Add(1)
	}
}

// Technical is the user who reads what all callers share; nil: there is none.
func (a *Accounts) Technical() *odoorpc.Account { return a.technical }

// For gives the user of the Odoo as whom a call is made: of the caller's own
// key, of the gateway key or client that the call comes with, or of the
// caller. Forbidden says what to do where there is none, Unauthenticated that
// the caller is to log in again. What was asked before costs no query.
func (a *Accounts) For(ctx context.Context, c *backend.Caller) (*odoorpc.Account, error) {
	uid, _ := identity.OdooUID(c.UserID)
	if c.Account.Key != "" {
		return &odoorpc.Account{UID: max(0, uid), Secret: c.Account.Key}, nil
	}
	if c.UserID == access.SuperuserID {
		if a.technical == nil {
			return nil, fault.New(fault.Forbidden, "No technical user of the Odoo is configured: set odoo-login and odoo-key")
		}
		return a.technical, nil
	}
	if c.Account.ID != 0 {
		found, err := a.ofCredential(ctx, owner{c.Account.Kind, c.Account.ID})
		if found != nil || err != nil {
			return found, err
		}
	}
	found, err := a.ofUser(ctx, c.UserID)
	if found != nil || err != nil {
		return found, err
	}
	if uid > 0 && c.Account.ID == 0 {
		a.o.Denied(c.UserID, "")
		return nil, fault.New(fault.Unauthenticated, "The session with the Odoo has ended: log in again")
	}
	return nil, noAccount(c)
}

func noAccount(c *backend.Caller) error {
	switch identity.CredentialKind(c.Account.Kind) {
	case identity.APIKey:
		return fault.New(fault.Forbidden, "This key has no Odoo user: set odoo_login and odoo_key of the key to the login and an API key of one")
	case identity.ClientToken:
		return fault.New(fault.Forbidden, "This client has no Odoo user: set odoo_login and odoo_key of the client to the login and an API key of one")
	default:
		return fault.New(fault.Forbidden, "This user is none of the Odoo: attach one with `gatehouse user odoo`, or sign in with the password of one")
	}
}

// Refused is told that the Odoo did not take the account of a caller any more.
func (a *Accounts) Refused(c *backend.Caller) {
	if c.Account.Key != "" || c.Account.ID == 0 {
		a.o.Denied(c.UserID, c.Account.Key)
	}
}

// keep remembers something, and forgets something else where there is too much.
func keep[K comparable, V any](all map[K]V, key K, value V) {
	if _, known := all[key]; !known && len(all) >= maxKept {
		for other := range all {
			delete(all, other)
			break
		}
	}
	all[key] = value
}

// createTable makes the table of what users' calls are made with. Its rows go
// with their users.
func createTable(ctx context.Context, db sqldb.DB) error {
	return sqldb.Migrate(ctx, db, "odoouser", []sqldb.Step{{ID: "1 accounts", Go: func(ctx context.Context, tx sqldb.Tx) error {
		d := tx.Dialect()
		number, text := d.ColumnType(sqldb.Int4), d.ColumnType(sqldb.Text)
		_, err := tx.Exec(ctx, fmt.Sprintf(`create table gateway_odoo_account (
			user_id %[1]s primary key references res_users (id) on delete cascade,
			uid %[1]s not null, login %[2]s not null, name %[2]s not null, session %[3]s not null, sealed %[2]s not null,
			version %[4]s not null, changed_at %[5]s not null)`,
			number, text, d.ColumnType(sqldb.Bool), d.ColumnType(sqldb.Int8), d.ColumnType(sqldb.Timestamp)))
		return err
	}}})
}

// storeFault is an error of the store as callers see it.
func storeFault(err error, what string) error {
	if errors.Is(err, sqldb.ErrUnavailable) {
		return fault.New(fault.Unavailable, "The store cannot be reached right now").Because(err)
	}
	return fault.Wrap(err, what)
}

// unsealed is the fault for what the key does not open, which Check at the
// start rules out for all but changed rows.
func unsealed(what string) error {
	return fault.New(fault.Internal, "A stored credential cannot be opened").
		Because(fmt.Errorf("%s: %w: store it anew", what, vault.ErrSealed))
}
