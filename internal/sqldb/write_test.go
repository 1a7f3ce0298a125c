package sqldb_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

func TestRollback(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		write(t, db, "create table t (a integer primary key)")
		stop := errors.New("stop")
		hook := func() { t.Error("OnCommit ran without a commit") }
		stopWatch := db.Watch(func(string) { t.Error("a signal without a commit") })
		defer stopWatch()
		insert := func(tx sqldb.Tx) {
			tx.OnCommit(hook)
			if err := tx.Signal(ctx, "x"); err != nil {
				t.Error(err)
			}
			if _, err := tx.Exec(ctx, "insert into t values (1)"); err != nil {
				t.Error(err)
			}
		}
		err := db.Write(ctx, func(tx sqldb.Tx) error {
			insert(tx)
			return stop
		})
		if err != stop { //nolint:errorlint // returned as it is
			t.Error(err)
		}
		func() {
			defer func() {
				if recover() != "panic" {
					t.Error("the panic did not come through")
				}
			}()
			_ = db.Write(ctx, func(tx sqldb.Tx) error {
				insert(tx)
				return tx.Query(ctx, "select 1 union all select 2", nil, func(sqldb.Row) error { panic("panic") })
			})
		}()
		func() {
			defer func() { _ = recover() }()
			_ = db.Read(ctx, func(q sqldb.Querier) error {
				return q.Query(ctx, "select 1 union all select 2", nil, func(sqldb.Row) error { panic("panic") })
			})
		}()
		// a swallowed error can't be committed
		err = db.Write(ctx, func(tx sqldb.Tx) error {
			insert(tx)
			_, first := tx.Exec(ctx, "insert into t values (1)")
			_, second := tx.Exec(ctx, "insert into t values (2)")
			if v, ok := errors.AsType[*sqldb.Violation](second); !ok || first == nil {
				t.Error(v, first, second)
			}
			return nil
		})
		if _, ok := errors.AsType[*sqldb.Violation](err); !ok {
			t.Error(err)
		}
		for range 20 { // on every connection
			if got := text(t, db, "select count(*) from t"); got != "0" {
				t.Error(got)
			}
		}
		write(t, db, "insert into t values (1)")
	})
}

func TestOnCommit(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		write(t, db, "create table t (a integer primary key)")
		var order []string
		err := db.Write(ctx, func(tx sqldb.Tx) error {
			order = nil
			tx.OnCommit(func() {
				order = append(order, "first "+text(t, db, "select count(*) from t"))
				write(t, db, "insert into t values (2)") // the writer is free
			})
			tx.OnCommit(func() { order = append(order, "second "+text(t, db, "select count(*) from t")) })
			_, err := tx.Exec(ctx, "insert into t values (1)")
			return err
		})
		if want := []string{"first 1", "second 2"}; err != nil || !slices.Equal(order, want) {
			t.Error(err, order)
		}
		ran := false
		err = db.Write(ctx, func(tx sqldb.Tx) error { // an empty transaction
			tx.OnCommit(func() { ran = true })
			return nil
		})
		if err != nil || !ran {
			t.Error(err, ran)
		}
	})
}

func TestLast(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		write(t, db, "create table t (a integer primary key, b varchar)")
		var n int64
		insert := func(a int) sqldb.Stmt {
			return sqldb.Stmt{SQL: "insert into t values ($1, $2)", Args: []any{a, "x"}, Affected: &n}
		}
		err := db.Write(ctx, func(tx sqldb.Tx) error {
			tx.Last(insert(1))
			return nil
		})
		if err != nil || n != 1 {
			t.Error(err, n)
		}
		err = db.Write(ctx, func(tx sqldb.Tx) error {
			tx.Last(insert(2))
			tx.Last(insert(1))
			return nil
		})
		if _, ok := errors.AsType[*sqldb.Violation](err); !ok {
			t.Error(err)
		}
		stop := errors.New("stop")
		err = db.Write(ctx, func(tx sqldb.Tx) error {
			tx.Last(insert(3), sqldb.Stmt{SQL: "select 1", Each: func(sqldb.Row) error { return stop }})
			return nil
		})
		if err != stop { //nolint:errorlint // returned as it is
			t.Error(err)
		}
		err = db.Write(ctx, func(tx sqldb.Tx) error {
			tx.Last(insert(4))
			_ = tx.Savepoint(ctx, func() error {
				tx.Last(insert(5))
				return stop
			})
			return nil
		})
		if got := strings.Join(texts(t, db, "select a from t order by a"), ","); got != "1,4" || err != nil {
			t.Error(got, err)
		}
	})
}

// A statement that travels with the commit still answers.
func TestLastSure(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		write(t, db, "create table t (a integer primary key, b integer)", "insert into t values (1, 5)")
		got := int64(0)
		add := sqldb.Stmt{
			SQL: "update t set b = b + $1 where a = 1 returning b", Args: []any{2}, Sure: true,
			Each: func(r sqldb.Row) error { got = r.Int(0); return nil },
		}
		err := db.Write(ctx, func(tx sqldb.Tx) error {
			tx.Relaxed()
			tx.Last(add)
			return nil
		})
		if stored := text(t, db, "select b from t"); err != nil || got != 7 || stored != "7" {
			t.Error(err, got, stored)
		}
		err = db.Write(ctx, func(tx sqldb.Tx) error {
			tx.Last(add, sqldb.Stmt{SQL: "insert into t values (1, 1)"})
			return nil
		})
		if _, ok := errors.AsType[*sqldb.Violation](err); !ok || text(t, db, "select b from t") != "7" {
			t.Error(err)
		}
	})
}

// Relaxed is in force when the transaction commits.
func TestRelaxed(t *testing.T) {
	db := sqltest.Open(t, "postgres")
	const show = "select current_setting('synchronous_commit')"
	err := db.Write(ctx, func(tx sqldb.Tx) error {
		if _, err := tx.Exec(ctx, "set local synchronous_commit = on"); err != nil {
			return err
		}
		tx.Relaxed()
		during := ""
		tx.Last(sqldb.Stmt{SQL: show, Sure: true, Each: func(r sqldb.Row) error { during = r.Text(0); return nil }})
		tx.OnCommit(func() {
			if during != "off" {
				t.Errorf("synchronous_commit is %s", during)
			}
		})
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestSavepoints(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		write(t, db, "create table t (a integer primary key)")
		var signals []string
		defer db.Watch(func(channel string) { signals = append(signals, channel) })()
		stop := errors.New("stop")
		err := db.Write(ctx, func(tx sqldb.Tx) error {
			signals = nil
			insert := func(a int) error {
				_, err := tx.Exec(ctx, "insert into t values ($1)", a)
				return err
			}
			savepoint := func(want error, fn func() error) {
				t.Helper()
				if err := tx.Savepoint(ctx, fn); !errors.Is(err, want) {
					t.Errorf("%v, want %v", err, want)
				}
			}
			savepoint(nil, func() error { return nil }) // before the first statement
			savepoint(stop, func() error { return stop })
			savepoint(nil, func() error { return insert(1) })
			savepoint(stop, func() error {
				_ = tx.Signal(ctx, "lost")
				tx.OnCommit(func() { t.Error("a hook of a lost savepoint") })
				savepoint(nil, func() error { return insert(2) })
				return stop
			})
			savepoint(nil, func() error {
				_ = tx.Signal(ctx, "kept")
				savepoint(stop, func() error {
					_ = insert(3)
					return stop
				})
				return insert(4)
			})
			var v *sqldb.Violation
			if err := tx.Savepoint(ctx, func() error { return insert(1) }); !errors.As(err, &v) {
				t.Error(err)
			}
			if err := tx.Savepoint(ctx, func() error {
				_ = insert(1) // swallowed
				return nil
			}); !errors.As(err, &v) {
				t.Error(err)
			}
			if err := tx.Savepoint(ctx, func() error {
				_, err := tx.Exec(ctx, "insert into nowhere values (1)")
				return err
			}); err == nil {
				t.Error("no error")
			}
			savepoint(sqldb.ErrBadValue, func() error {
				_, err := tx.Exec(ctx, "insert into t values ($1)", "\x00")
				return err
			})
			return insert(5)
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(texts(t, db, "select a from t order by a"), ","); got != "1,4,5" {
			t.Error(got)
		}
		if !slices.Equal(signals, []string{"kept"}) {
			t.Error(signals)
		}
	})
}

func TestSnapshot(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		write(t, db, "create table t (a integer)")
		count := func(q sqldb.Querier) (n int64) {
			err := q.Query(ctx, "select count(*) from t", nil, func(r sqldb.Row) error {
				n = r.Int(0)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			return n
		}
		var inside, reading []int64
		err := db.Snapshot(ctx, func(q sqldb.Querier) error {
			inside = append(inside, count(q))
			write(t, db, "insert into t values (1)")
			inside = append(inside, count(q))
			return nil
		})
		if err != nil || !slices.Equal(inside, []int64{0, 0}) {
			t.Error(err, inside)
		}
		err = db.Read(ctx, func(q sqldb.Querier) error {
			reading = append(reading, count(q))
			write(t, db, "insert into t values (2)")
			reading = append(reading, count(q))
			return nil
		})
		if err != nil || !slices.Equal(reading, []int64{1, 2}) {
			t.Error(err, reading)
		}
		if err := db.Snapshot(ctx, func(sqldb.Querier) error { return nil }); err != nil {
			t.Error(err)
		}
	})
}
