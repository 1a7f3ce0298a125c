package sqldb_test

import (
	"context"
	"testing"

	"gatehouse/internal/sqldb"
)

var ctx = context.Background()

// write runs statements in one transaction.
func write(t testing.TB, db sqldb.DB, statements ...string) {
	t.Helper()
	err := db.Write(ctx, func(tx sqldb.Tx) error {
		for _, sql := range statements {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// row runs a query outside a transaction and calls fn with its rows.
func row(t testing.TB, db sqldb.DB, sql string, args []any, fn func(sqldb.Row)) {
	t.Helper()
	err := db.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, sql, args, func(r sqldb.Row) error {
			fn(r)
			return nil
		})
	})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// texts gives the first column of all rows; NULL is "NULL".
func texts(t testing.TB, db sqldb.DB, sql string, args ...any) []string {
	t.Helper()
	all := []string{}
	row(t, db, sql, args, func(r sqldb.Row) {
		if r.Null(0) {
			all = append(all, "NULL")
			return
		}
		all = append(all, r.Text(0))
	})
	return all
}

// text gives the only value of a query.
func text(t testing.TB, db sqldb.DB, sql string, args ...any) string {
	t.Helper()
	all := texts(t, db, sql, args...)
	if len(all) != 1 {
		t.Fatalf("%s: %d rows", sql, len(all))
	}
	return all[0]
}

// failure runs one statement in a transaction of its own and gives its error.
func failure(db sqldb.DB, sql string, args ...any) error {
	return db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.Exec(ctx, sql, args...)
		return err
	})
}

func isPostgres(db sqldb.DB) bool { return db.Dialect().Name() == "postgres" }
