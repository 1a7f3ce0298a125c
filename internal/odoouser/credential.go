package odoouser

import (
	"context"
	"net/netip"
	"strconv"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
	"gatehouse/internal/odoorpc"
	"gatehouse/internal/sqldb"
)

// owner is a gateway key or a client, by the kind of its credential.
type owner struct {
	kind string
	id   int64
}

// storedKey is what a row of gateway_key or gateway_client has for the Odoo.
type storedKey struct {
	gen     uint64
	account *odoorpc.Account // nil: none
}

// ofCredential gives the account that is stored with a key or client; nil:
// none is, or it is of a kind that has none.
func (a *Accounts) ofCredential(ctx context.Context, o owner) (*odoorpc.Account, error) {
	var table, model string
	var gen uint64
	switch identity.CredentialKind(o.kind) {
	case identity.APIKey:
		table, model, gen = "gateway_key", "gateway.key", a.keysGen.Load()
	case identity.ClientToken:
		table, model, gen = "gateway_client", "gateway.client", a.clientsGen.Load()
	default:
		return nil, nil //nolint:nilnil // none is an answer
	}
	a.mu.Lock()
	s := a.stored[o]
	a.mu.Unlock()
	if s != nil && s.gen == gen {
		return s.account, nil
	}
	s = &storedKey{gen: gen}
	sealed := ""
	err := a.o.DB.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, `select odoo_uid, odoo_login, odoo_key from `+table+` where id = $1`, []any{o.id}, func(r sqldb.Row) error {
			if sealed = r.Text(2); sealed != "" {
				s.account = &odoorpc.Account{UID: r.Int(0), Login: r.Text(1)}
			}
			return nil
		})
	})
	if err != nil {
		return nil, storeFault(err, "load a key of the Odoo")
	}
	if s.account != nil {
		secret, err := a.o.Vault.Open(sealed, keyPlace(model, o.id))
		if err != nil {
			return nil, unsealed("odoo_key of " + model + " " + strconv.FormatInt(o.id, 10))
		}
		s.account.Secret = string(secret)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	keep(a.stored, o, s)
	return s.account, nil
}

// keyPlace binds a sealed key to the record that has it.
func keyPlace(model string, id int64) string {
	return model + " " + strconv.FormatInt(id, 10) + " odoo_key"
}

// Seal hides a key for the record that is to have it; id 0 is for one that
// does not exist yet.
func (a *Accounts) Seal(model string, id int64, key string) string {
	return a.o.Vault.Seal([]byte(key), keyPlace(model, id))
}

// Settle seals a key anew that was sealed for a record without an id.
func (a *Accounts) Settle(model string, id int64, sealed string) (string, error) {
	key, err := a.o.Vault.Open(sealed, keyPlace(model, 0))
	if err != nil {
		return "", unsealed("odoo_key of a new " + model)
	}
	return a.Seal(model, id, string(key)), nil
}

// proofLife is how long a login and key that were right are not asked about
// again: as long as it takes from the first look to the end of a transaction.
const proofLife = time.Minute

// Prove asks the Odoo whether a login and an API key are of one user, and gives
// his id. BadRequest says what is wrong. Right after, it answers from memory.
func (a *Accounts) Prove(ctx context.Context, login, key string) (uid int64, err error) {
	if p, ok := a.wasRight(login, key); ok && a.o.Clock.Now().Before(p.at.Add(proofLife)) {
		return p.uid, nil
	}
	p, err := a.prove(ctx, login, key)
	if err != nil {
		return 0, err
	}
	a.right(login, key, p.ID)
	return p.ID, nil
}

func (a *Accounts) prove(ctx context.Context, login, key string) (*identity.Person, error) {
	from := netip.Addr{}
	if login == "" || key == "" {
		return nil, wrongKey("odoo_login and odoo_key go together: the login of a user of the Odoo and an API key of his")
	}
	if err := a.failures.check(from, a.o.Clock.Now()); err != nil {
		return nil, err
	}
	account := &odoorpc.Account{Login: login, Secret: key}
	uid, err := a.o.Client.Whoami(ctx, account, from)
	if fault.Is(err, fault.Unauthenticated) {
		a.settle(from, err)
		return nil, wrongKey("The Odoo does not accept the key for " + login + ": make one in the preferences of that user").Because(err)
	}
	if err != nil {
		return nil, err
	}
	account.UID = uid
	a.mu.Lock()
	delete(a.known, uid) // asked now, as nothing else ties the login to the key
	a.mu.Unlock()
	k, err := a.nameOf(ctx, account, uid, login, from)
	if err != nil {
		return nil, err
	}
	if k.login != login {
		return nil, wrongKey("The key is not of " + login + " but of another user of the Odoo")
	}
	return &identity.Person{ID: uid, Login: k.login, Name: k.name}, nil
}

func wrongKey(why string) *fault.Error {
	return fault.New(fault.BadRequest, why).With(fault.FieldErrors{"odoo_key": why})
}
