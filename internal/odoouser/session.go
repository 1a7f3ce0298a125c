package odoouser

import (
	"context"
	"strconv"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
	"gatehouse/internal/odoorpc"
	"gatehouse/internal/sqldb"
)

// userAccount is what calls of a user are made with, as this process has it:
// there is one session of a user, which all his calls share.
type userAccount struct {
	a       *Accounts
	userID  int64
	gen     uint64           // for which it was read
	account *odoorpc.Account // nil: he has none
	person  *identity.Person // nil too
	version int64            // of the row; guarded by Accounts.mu, as are these:
	pending *string          // an id of the session that is not stored yet
	storing bool
}

// userPlace binds what is sealed to its row.
func userPlace(userID int64) string { return "gateway_odoo_account " + strconv.FormatInt(userID, 10) }

// ofUser gives the account of a user; nil: he has none.
func (a *Accounts) ofUser(ctx context.Context, userID int64) (*odoorpc.Account, error) {
	u, err := a.user(ctx, userID)
	if err != nil {
		return nil, err
	}
	return u.account, nil
}

// Attached implements identity.Directory.
func (a *Accounts) Attached(ctx context.Context, userID int64) (*identity.Person, error) {
	u, err := a.user(ctx, userID)
	if err != nil {
		return nil, err
	}
	return u.person, nil
}

// userRow is a row of gateway_odoo_account.
type userRow struct {
	uid         int64
	login, name string
	session     bool
	sealed      string
	version     int64
}

// user gives what is known of a user, from memory while nothing has changed.
func (a *Accounts) user(ctx context.Context, userID int64) (*userAccount, error) {
	gen := a.usersGen.Load()
	a.mu.Lock()
	u := a.users[userID]
	fresh := u != nil && u.gen == gen
	a.mu.Unlock()
	if fresh {
		return u, nil
	}
	var row *userRow
	err := a.o.DB.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, `select uid, login, name, session, sealed, version from gateway_odoo_account where user_id = $1`,
			[]any{userID}, func(r sqldb.Row) error {
				row = &userRow{r.Int(0), r.Text(1), r.Text(2), r.Bool(3), r.Text(4), r.Int(5)}
				return nil
			})
	})
	if err != nil {
		return nil, storeFault(err, "load an account of the Odoo")
	}
	return a.take(userID, row, gen)
}

// take makes memory agree with a row that was read.
func (a *Accounts) take(userID int64, row *userRow, gen uint64) (*userAccount, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.users[userID]
	switch {
	case u != nil && u.account != nil && (u.storing || row != nil && u.version >= row.version):
		if row != nil && u.version == row.version {
			u.gen = max(u.gen, gen)
		}
		return u, nil // the session that calls share already, or a newer one
	case row == nil:
		u = &userAccount{a: a, userID: userID, gen: gen}
		keep(a.users, userID, u)
		return u, nil
	}
	secret, err := a.o.Vault.Open(row.sealed, userPlace(userID))
	if err != nil {
		return nil, unsealed("gateway_odoo_account of user " + strconv.FormatInt(userID, 10))
	}
	u = &userAccount{
		a: a, userID: userID, gen: gen, version: row.version,
		account: &odoorpc.Account{UID: row.uid, Login: row.login},
		person:  &identity.Person{ID: row.uid, Login: row.login, Name: row.name},
	}
	if row.session {
		u.account.Session = odoorpc.NewSession(string(secret), u.changed)
	} else {
		u.account.Secret = string(secret)
	}
	keep(a.users, userID, u)
	return u, nil
}

// adopt keeps the session that a password has opened for a user.
func (a *Accounts) adopt(ctx context.Context, userID int64, l *odoorpc.Login) error {
	u := &userAccount{
		a: a, userID: userID, account: &odoorpc.Account{UID: l.UID, Login: l.Login, Session: l.Session},
		person: &identity.Person{ID: l.UID, Login: l.Login, Name: l.Name},
	}
	l.Session.Changed = u.changed // nobody else has it yet
	gen := a.usersGen.Load()      // before the signal of the write, which others may follow
	row := &userRow{l.UID, l.Login, l.Name, true, a.o.Vault.Seal([]byte(l.Session.ID()), userPlace(userID)), 0}
	err := a.o.DB.Write(ctx, func(tx sqldb.Tx) error { return a.store(ctx, tx, userID, row) })
	if err != nil {
		return storeFault(err, "keep a session with the Odoo")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := a.users[userID]; now != nil && now.version > row.version {
		return nil // somebody has logged in as him since
	}
	u.version, u.gen = row.version, gen
	keep(a.users, userID, u)
	return nil
}

// store writes a row over what there is, under a version that is higher.
func (a *Accounts) store(ctx context.Context, tx sqldb.Tx, userID int64, row *userRow) error {
	now := a.o.Clock.Now().UTC()
	row.version = 0
	err := tx.Query(ctx, `insert into gateway_odoo_account (user_id, uid, login, name, session, sealed, version, changed_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8)
			on conflict (user_id) do update set uid = excluded.uid, login = excluded.login, name = excluded.name,
				session = excluded.session, sealed = excluded.sealed, changed_at = excluded.changed_at,
				version = case when gateway_odoo_account.version >= excluded.version
					then gateway_odoo_account.version + 1 else excluded.version end
			returning version`,
		[]any{userID, row.uid, row.login, row.name, row.session, row.sealed, now.UnixMicro(), now},
		func(r sqldb.Row) error { row.version = r.Int(0); return nil })
	if err != nil {
		return err
	}
	return tx.Signal(ctx, accountsChanged)
}

// changed is told of another id of the session, "" when it has ended. It is
// stored in the background: the call that saw it shall not wait.
func (u *userAccount) changed(id string) {
	a := u.a
	if id == "" {
		a.o.Denied(u.userID, "")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	u.pending = &id
	if !u.storing && !a.closed {
		u.storing = true
		a.work.Go(u.storeChanges)
	}
}

// storeTimeout bounds the write of a session's id.
const storeTimeout = 10 * time.Second

// storeChanges writes the newest id until there is none left to write.
func (u *userAccount) storeChanges() {
	a := u.a
	for {
		a.mu.Lock()
		id := u.pending
		u.pending = nil
		if id == nil {
			u.storing = false
			a.mu.Unlock()
			return
		}
		version := u.version
		a.mu.Unlock()
		stored, err := a.replace(u.userID, *id, version)
		if err != nil {
			a.o.Log.Warn("a session with the Odoo could not be stored", "user", u.userID, "error", err)
		}
		a.mu.Lock()
		switch {
		case err != nil:
		case stored == 0: // it has ended, or another node has a newer one: read it
			if a.users[u.userID] == u {
				delete(a.users, u.userID)
			}
		default:
			u.version = stored
		}
		a.mu.Unlock()
	}
}

// replace stores the id of a session in place of that of a version; "" deletes
// it. 0: there is nothing of the version, or no more.
func (a *Accounts) replace(userID int64, id string, version int64) (stored int64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	err = a.o.DB.Write(ctx, func(tx sqldb.Tx) error {
		stored = 0
		if id == "" {
			_, err := tx.Exec(ctx, `delete from gateway_odoo_account where user_id = $1 and version = $2`, userID, version)
			if err != nil {
				return err
			}
			return tx.Signal(ctx, accountsChanged)
		}
		now := a.o.Clock.Now().UTC()
		next := max(version+1, now.UnixMicro())
		n, err := tx.Exec(ctx, `update gateway_odoo_account set sealed = $1, version = $2, changed_at = $3 where user_id = $4 and version = $5`,
			a.o.Vault.Seal([]byte(id), userPlace(userID)), next, now, userID, version)
		if err != nil || n == 0 {
			return err
		}
		stored = next
		return tx.Signal(ctx, accountsChanged)
	})
	return stored, err
}

// Ended implements identity.Directory: the session that a password has opened
// is ended, here and in the Odoo.
func (a *Accounts) Ended(ctx context.Context, userID int64) error {
	u, err := a.user(ctx, userID)
	if err != nil || u.account == nil || u.account.Session == nil {
		return err
	}
	if err := a.o.Client.Logout(ctx, u.account.Session); err != nil { // it ends by itself, in time
		a.o.Log.Info("the Odoo was not told of the end of a session", "user", userID, "error", err)
	}
	return a.forget(ctx, userID)
}

// forget deletes what a user's calls are made with.
func (a *Accounts) forget(ctx context.Context, userID int64) error {
	err := a.o.DB.Write(ctx, func(tx sqldb.Tx) error {
		if _, err := tx.Exec(ctx, `delete from gateway_odoo_account where user_id = $1`, userID); err != nil {
			return err
		}
		return tx.Signal(ctx, accountsChanged)
	})
	if err != nil {
		return storeFault(err, "forget an account of the Odoo")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.users, userID)
	return nil
}

// Attach has the calls of a local user made as one of the Odoo's, whose key it
// is; "" for both lets go of him.
func (a *Accounts) Attach(ctx context.Context, userID int64, login, key string) error {
	if _, ok := identity.OdooUID(userID); ok {
		return fault.New(fault.BadRequest, "This user is one of the Odoo already")
	}
	if login == "" && key == "" {
		if err := a.forget(ctx, userID); err != nil {
			return err
		}
		return a.tellUsers(ctx, nil)
	}
	p, err := a.prove(ctx, login, key)
	if err != nil {
		return err
	}
	row := &userRow{p.ID, p.Login, p.Name, false, a.o.Vault.Seal([]byte(key), userPlace(userID)), 0}
	return a.tellUsers(ctx, func(tx sqldb.Tx) error { return a.store(ctx, tx, userID, row) })
}

// tellUsers changes something that is known of users elsewhere too.
func (a *Accounts) tellUsers(ctx context.Context, change func(sqldb.Tx) error) error {
	err := a.o.DB.Write(ctx, func(tx sqldb.Tx) error {
		if change != nil {
			if err := change(tx); err != nil {
				return err
			}
		}
		return tx.Signal(ctx, identity.UsersChanged)
	})
	return storeFault(err, "attach a user of the Odoo")
}
