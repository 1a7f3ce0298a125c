package odoouser

import (
	"context"

	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
)

// know makes or refreshes the user who stands for one of the Odoo here, and
// gives his id. He has no password and no groups, so he is no administrator
// unless somebody makes him one.
func (a *Accounts) know(ctx context.Context, k known) (int64, error) {
	id := identity.OdooUser(k.uid)
	if k.name == "" {
		k.name = k.login
	}
	if k.at.IsZero() {
		k.at = a.o.Clock.Now()
	}
	same, err := a.isKnown(ctx, id, k)
	if err == nil && !same {
		err = a.o.Engine.Sudo(ctx, func(e *record.Env) error { return save(e, id, k) })
		if fault.Is(err, fault.Unprocessable) || fault.Is(err, fault.Conflict) { // another node was faster
			if same, again := a.isKnown(ctx, id, k); again == nil && same {
				err = nil
			}
		}
	}
	if err != nil {
		return 0, storeFault(err, "keep a user of the Odoo")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	keep(a.known, k.uid, k)
	return id, nil
}

// isKnown says whether the store has the user as he is.
func (a *Accounts) isKnown(ctx context.Context, id int64, k known) (same bool, err error) {
	err = a.o.DB.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, `select u.login, p.name from res_users u join res_partner p on p.id = u.partner_id where u.id = $1`,
			[]any{id}, func(r sqldb.Row) error {
				login := r.Text(0)
				same = r.Text(1) == k.name && (login == k.login || login == identity.OdooLogin(k.uid, k.login))
				return nil
			})
	})
	return same, err
}

func save(e *record.Env, id int64, k known) error {
	values := record.Values{"login": k.login, "name": k.name}
	other, err := e.SearchNode("res.users", &domain.Leaf{Path: "login", Op: domain.OpEq, Value: k.login, Pos: -1}, record.WithArchived())
	if err != nil {
		return err
	}
	if len(other) > 0 && other[0].ID() != id { // a local user has the login
		values["login"] = identity.OdooLogin(k.uid, k.login)
	}
	own, err := e.SearchNode("res.users", &domain.Leaf{Path: "id", Op: domain.OpEq, Value: id, Pos: -1}, record.WithArchived())
	if err != nil {
		return err
	}
	if len(own) > 0 {
		return e.Write(own, values)
	}
	values["group_ids"] = []int64{}
	return e.CreateAt("res.users", id, values)
}

// Forget deletes all that is sealed in the store. The logins stay with the
// gateway keys and clients, so that one sees which need a key anew.
func Forget(ctx context.Context, tx sqldb.Tx) error {
	found, err := sqldb.TableExists(ctx, tx, "gateway_odoo_account")
	if err != nil || !found {
		return err
	}
	for _, sql := range []string{
		`delete from gateway_odoo_account`,
		`update gateway_key set odoo_key = null, odoo_uid = null where odoo_key is not null`,
		`update gateway_client set odoo_key = null, odoo_uid = null where odoo_key is not null`,
	} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
	}
	for _, channel := range []string{accountsChanged, identity.UsersChanged, identity.KeysChanged, identity.ClientsChanged} {
		if err := tx.Signal(ctx, channel); err != nil {
			return err
		}
	}
	return nil
}
