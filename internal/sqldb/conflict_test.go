package sqldb_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// Transactions that change the same rows in opposite order.
func TestConflictsAreRetried(t *testing.T) {
	_, where := sqltest.Postgres(t)
	db, err := sqldb.OpenPostgres(ctx, where+"&deadlock_timeout=10ms", sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	write(t, db, "create table t (id integer primary key, n integer)", "insert into t values (1, 0), (2, 0)")
	var group sync.WaitGroup
	var tries, done atomic.Int64
	for worker := range 4 {
		first := worker%2 + 1
		group.Go(func() {
			for range 10 {
				err := db.Write(ctx, func(tx sqldb.Tx) error {
					tries.Add(1)
					for _, id := range []int{first, 3 - first} {
						if _, err := tx.Exec(ctx, "update t set n = n + 1 where id = $1", id); err != nil {
							if tries.Load()%2 == 0 {
								return fmt.Errorf("hidden conflict: %s", err.Error()) // is found nevertheless
							}
							return err
						}
						time.Sleep(time.Millisecond)
					}
					return nil
				})
				if err == nil {
					done.Add(1)
				} else if !strings.Contains(err.Error(), "conflict") {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	want := fmt.Sprint(done.Load())
	if got := texts(t, db, "select n from t"); !slices.Equal(got, []string{want, want}) {
		t.Errorf("%s, want %s twice", got, want)
	}
	if tries.Load() == done.Load() {
		t.Error("no conflict happened")
	}
	t.Logf("%d tries for %d transactions", tries.Load(), done.Load())
}

// An error that asks for repetition, at the commit.
func TestSerializationFailure(t *testing.T) {
	db := sqltest.Open(t, "postgres")
	write(t, db, "create table t (id integer primary key, n integer)", "insert into t values (1, 0)")
	tries := 0
	err := db.Write(ctx, func(tx sqldb.Tx) error {
		tries++
		if _, err := tx.Exec(ctx, "set transaction isolation level repeatable read"); err != nil {
			return err
		}
		n := int64(0)
		err := tx.Query(ctx, "select n from t", nil, func(r sqldb.Row) error {
			n = r.Int(0)
			return nil
		})
		if err != nil {
			return err
		}
		if tries == 1 {
			write(t, db, "update t set n = 10")
		}
		tx.Last(sqldb.Stmt{SQL: "update t set n = $1", Args: []any{n + 1}})
		return nil
	})
	if got := text(t, db, "select n from t"); err != nil || got != "11" || tries != 2 {
		t.Error(err, got, tries)
	}
	tries = 0
	err = db.Write(ctx, func(tx sqldb.Tx) error {
		tries++
		_, err := tx.Exec(ctx, "do $do$ begin raise exception using errcode = '40001'; end $do$")
		return err
	})
	if !errors.Is(err, sqldb.ErrConflict) || tries != 5 {
		t.Error(err, tries)
	}
}

// A connection that breaks before the commit costs nothing but another try.
func TestLostConnection(t *testing.T) {
	db := sqltest.Open(t, "postgres")
	write(t, db, "create table t (n integer)")
	tries := 0
	err := db.Write(ctx, func(tx sqldb.Tx) error {
		tries++
		pid := int64(0)
		err := tx.Query(ctx, "select pg_backend_pid()", nil, func(r sqldb.Row) error {
			pid = r.Int(0)
			return nil
		})
		if err != nil {
			return err
		}
		if tries == 1 {
			row(t, db, "select pg_terminate_backend($1)", []any{pid}, func(sqldb.Row) {})
			time.Sleep(10 * time.Millisecond)
		}
		_, err = tx.Exec(ctx, "insert into t values (1)")
		return err
	})
	if got := text(t, db, "select count(*) from t"); err != nil || got != "1" || tries != 2 {
		t.Error(err, got, tries)
	}
}
