package vault

import (
	"context"
	"errors"
	"fmt"

	"gatehouse/internal/sqldb"
)

// ErrOtherKey says that what the store has was sealed with another key.
var ErrOtherKey = errors.New("the encryption key is not the one that credentials in this store were sealed with")

// checked is what the store keeps sealed, to know the key by, and its place.
const checked, checkedPlace = "gatehouse", "gateway_vault"

// Check makes sure that the key is that of the store: the first one that comes
// is; any other gives ErrOtherKey.
func (v *Vault) Check(ctx context.Context, db sqldb.DB) error {
	err := sqldb.Migrate(ctx, db, "vault", []sqldb.Step{{ID: "1 check", Go: func(ctx context.Context, tx sqldb.Tx) error {
		_, err := tx.Exec(ctx, fmt.Sprintf(`create table gateway_vault (sealed %s not null)`, tx.Dialect().ColumnType(sqldb.Text)))
		return err
	}}})
	if err != nil {
		return err
	}
	known, err := v.known(ctx, db)
	if known || err != nil {
		return err
	}
	return db.Write(ctx, func(tx sqldb.Tx) error {
		// Of two nodes that begin at once the second must see the first one's.
		if _, err := tx.Exec(ctx, `update gateway_migration set id = id where component = 'vault'`); err != nil {
			return err
		}
		known, err := v.recognise(ctx, tx)
		if known || err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `insert into gateway_vault (sealed) values ($1)`, v.Seal([]byte(checked), checkedPlace))
		return err
	})
}

func (v *Vault) known(ctx context.Context, db sqldb.DB) (known bool, err error) {
	err = db.Read(ctx, func(q sqldb.Querier) (err error) {
		known, err = v.recognise(ctx, q)
		return err
	})
	return known, err
}

func (v *Vault) recognise(ctx context.Context, q sqldb.Querier) (known bool, err error) {
	err = q.Query(ctx, `select sealed from gateway_vault`, nil, func(r sqldb.Row) error {
		known = true
		if _, err := v.Open(r.Text(0), checkedPlace); err != nil {
			return ErrOtherKey
		}
		return nil
	})
	return known, err
}

// Forget removes what the store knows its key by, so that another one can be
// the first again. What was sealed stays sealed.
func Forget(ctx context.Context, tx sqldb.Tx) error {
	found, err := sqldb.TableExists(ctx, tx, "gateway_vault")
	if err != nil || !found {
		return err
	}
	_, err = tx.Exec(ctx, `delete from gateway_vault`)
	return err
}
