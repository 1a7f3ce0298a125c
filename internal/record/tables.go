package record

import (
	"context"
	"encoding/hex"
	"fmt"

	"gatehouse/internal/backend"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/vault"
)

// openCursors reads the key that cursors are sealed with: one for all nodes,
// kept in the database, so that a cursor is good wherever the next page is
// asked for. A genuine Odoo's database is not written: there it is good on
// this node until it ends.
func (e *Engine) openCursors(ctx context.Context) (err error) {
	var key []byte
	if e.facts == nil {
		if key, err = e.cursorKey(ctx); err != nil {
			return err
		}
	}
	e.cursors, err = backend.NewCursors(key)
	return err
}

// Cursors are what the engine hides places in lists with, for whoever has lists beside it.
func (e *Engine) Cursors() *backend.Cursors { return e.cursors }

func (e *Engine) cursorKey(ctx context.Context) (key []byte, err error) {
	err = sqldb.Migrate(ctx, e.db, "record", []sqldb.Step{{ID: "1 cursor key", Go: func(ctx context.Context, tx sqldb.Tx) error {
		text := tx.Dialect().ColumnType(sqldb.Text)
		if _, err := tx.Exec(ctx, fmt.Sprintf(`create table gateway_cursor_key (secret %s not null)`, text)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `insert into gateway_cursor_key (secret) values ($1)`, hex.EncodeToString(vault.NewKey()))
		return err
	}}, {ID: "2 change log", Go: createChangeLog}})
	if err != nil {
		return nil, err
	}
	err = e.db.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, `select secret from gateway_cursor_key`, nil, func(r sqldb.Row) (err error) {
			key, err = hex.DecodeString(r.Text(0))
			return err
		})
	})
	return key, err
}
