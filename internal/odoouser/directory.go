package odoouser

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/netip"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
	"gatehouse/internal/odoorpc"
)

var _ identity.Directory = (*Accounts)(nil)

// Login implements identity.Directory.
func (a *Accounts) Login(ctx context.Context, login, password string, from netip.Addr) (int64, error) {
	if err := a.failures.check(from, a.o.Clock.Now()); err != nil {
		return 0, err
	}
	l, err := a.o.Client.Authenticate(ctx, login, password, from)
	if errors.Is(err, odoorpc.ErrSecondFactor) { // no failure: the password is his
		return 0, fault.New(fault.Forbidden, "This user has a second factor in the Odoo: use an API key that he makes there in place of the password").Because(err)
	}
	if err != nil {
		a.settle(from, err)
		return 0, err
	}
	a.failures.succeeded(from)
	id, err := a.know(ctx, known{uid: l.UID, login: l.Login, name: l.Name})
	if err != nil {
		return 0, err
	}
	return id, a.adopt(ctx, id, l)
}

// settle counts what the Odoo counts.
func (a *Accounts) settle(from netip.Addr, err error) {
	if fault.Is(err, fault.Unauthenticated) {
		a.failures.failed(from, a.o.Clock.Now())
	}
}

// Key implements identity.Directory. A key that was right before is asked about
// again whatever others have tried.
func (a *Accounts) Key(ctx context.Context, uid int64, login, key string, from netip.Addr) (int64, error) {
	was, right := a.wasRight("", key)
	counted := !a.o.KeysUncounted(ctx)
	if counted && !right {
		if err := a.failures.check(from, a.o.Clock.Now()); err != nil {
			return 0, err
		}
	}
	account := &odoorpc.Account{UID: uid, Login: login, Secret: key}
	if right && uid == 0 {
		account.UID = was.uid
	}
	found, err := a.o.Client.Whoami(ctx, account, from)
	if errors.Is(err, odoorpc.ErrWhose) {
		return 0, fault.New(fault.Unauthenticated, "This Odoo does not tell whose an API key is: send <user id>$<key>").Because(identity.ErrWhose)
	}
	if err != nil {
		if counted {
			a.settle(from, err)
		}
		return 0, err
	}
	a.right("", key, found)
	k, err := a.nameOf(ctx, &odoorpc.Account{UID: found, Secret: key}, found, login, from)
	if err != nil {
		return 0, err
	}
	return a.know(ctx, k)
}

// known is a user of the Odoo as he was last told of.
type known struct {
	uid         int64
	login, name string
	at          time.Time
}

// nameLife is how long a login and name are taken as they were.
const nameLife = time.Hour

// nameOf asks for the login and name of a user, unless that was done lately.
func (a *Accounts) nameOf(ctx context.Context, account *odoorpc.Account, uid int64, login string, from netip.Addr) (known, error) {
	a.mu.Lock()
	k, ok := a.known[uid]
	a.mu.Unlock()
	if ok && a.o.Clock.Now().Before(k.at.Add(nameLife)) {
		return k, nil
	}
	text, err := a.o.Client.Call(ctx, account, &odoorpc.Request{
		Model: "res.users", Method: "read", IDs: []int64{uid}, Reads: true, From: from, For: "login " + login,
		Kwargs: map[string]any{"fields": []string{"login", "name"}},
	})
	if err != nil {
		return known{}, err
	}
	var rows []struct{ Login, Name string }
	if err := json.Unmarshal(text, &rows); err != nil || len(rows) != 1 || rows[0].Login == "" {
		return known{}, fault.New(fault.BadGateway, "Odoo did not tell the login of a user").Because(err)
	}
	return known{uid: uid, login: rows[0].Login, name: rows[0].Name}, nil
}

// proof is a digest of a login and a key, or of a key alone.
type proof [sha256.Size]byte

// proved is when a key was right, and whose it is.
type proved struct {
	uid int64
	at  time.Time
}

func proofOf(login, key string) proof { return sha256.Sum256([]byte(login + "\x00" + key)) }

func (a *Accounts) wasRight(login, key string) (proved, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p, ok := a.proofs[proofOf(login, key)]
	return p, ok
}

func (a *Accounts) right(login, key string, uid int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	keep(a.proofs, proofOf(login, key), proved{uid, a.o.Clock.Now()})
}
