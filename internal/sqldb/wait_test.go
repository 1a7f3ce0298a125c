package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

func TestWriterIsFair(t *testing.T) {
	db := sqltest.Open(t, "sqlite")
	var order []int
	var group sync.WaitGroup
	err := db.Write(ctx, func(sqldb.Tx) error {
		for i := range 20 {
			group.Go(func() {
				_ = db.Write(ctx, func(sqldb.Tx) error {
					order = append(order, i)
					return nil
				})
			})
			time.Sleep(2 * time.Millisecond)
		}
		return nil
	})
	group.Wait()
	if err != nil || !slices.IsSorted(order) || len(order) != 20 {
		t.Error(err, order)
	}
}

func TestWaitForWriterHonoursContext(t *testing.T) {
	db := sqltest.Open(t, "sqlite")
	err := db.Write(ctx, func(sqldb.Tx) error {
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		err := db.Write(short, func(sqldb.Tx) error { return nil })
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, sqldb.ErrUnavailable) {
			t.Error(err)
		}
		gone, cancel := context.WithCancel(ctx)
		time.AfterFunc(10*time.Millisecond, cancel)
		if err := db.Write(gone, func(sqldb.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	write(t, db, "create table t (a integer)")
}

// Two handles of one file stand for two processes: SQLite's locks between them
// are those of the file.
func TestBusy(t *testing.T) {
	a, path := sqltest.SQLite(t)
	b, err := sqldb.OpenSQLite(ctx, path, sqldb.Options{BusyTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	patient, err := sqldb.OpenSQLite(ctx, path, sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = patient.Close() }()
	write(t, a, "create table t (a integer)")
	err = a.Write(ctx, func(tx sqldb.Tx) error {
		if _, err := tx.Exec(ctx, "insert into t values (1)"); err != nil {
			return err
		}
		if err := failure(b, "insert into t values (2)"); !errors.Is(err, sqldb.ErrUnavailable) {
			t.Error(err)
		}
		gone, cancel := context.WithCancel(ctx)
		time.AfterFunc(10*time.Millisecond, cancel)
		if err := patient.Write(gone, func(sqldb.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if got := text(t, b, "select count(*) from t"); got != "0" { // readers are never held up
			t.Error(got)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	waits := make(chan error)
	err = a.Write(ctx, func(sqldb.Tx) error {
		go func() { waits <- failure(patient, "insert into t values (2)") }()
		time.Sleep(20 * time.Millisecond)
		return nil
	})
	if later := <-waits; err != nil || later != nil {
		t.Error(err, later)
	}
}

const endless = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000000000) select count(*) from n"

func TestCancelQuery(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		write(t, db, "create table t (a integer)")
		for name, use := range map[string]func(context.Context, func(sqldb.Querier) error) error{
			"Read":     db.Read,
			"Snapshot": db.Snapshot,
			"Write": func(ctx context.Context, fn func(sqldb.Querier) error) error {
				return db.Write(ctx, func(tx sqldb.Tx) error {
					if _, err := tx.Exec(ctx, "insert into t values (1)"); err != nil {
						return err
					}
					return fn(tx)
				})
			},
		} {
			gone, cancel := context.WithCancel(ctx)
			time.AfterFunc(30*time.Millisecond, cancel)
			start := time.Now()
			err := use(gone, func(q sqldb.Querier) error { return q.Query(gone, endless, nil, nil) })
			if !errors.Is(err, context.Canceled) || time.Since(start) > 20*time.Second {
				t.Errorf("%s: %v after %v", name, err, time.Since(start))
			}
			// a deadline of the statement alone
			err = use(ctx, func(q sqldb.Querier) error {
				short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
				defer cancel()
				err := q.Query(short, endless, nil, nil)
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: %v", name, err)
				}
				return err
			})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", name, err)
			}
			over, cancel := context.WithCancel(ctx)
			cancel()
			if err := use(over, func(sqldb.Querier) error { return nil }); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for range 10 {
			if got := text(t, db, "select count(*) from t"); got != "0" {
				t.Error(got)
			}
		}
		write(t, db, "insert into t values (2)")
	})
}

// Contexts that end at any moment must leave the connections in order.
func TestCancelStorm(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		write(t, db, "create table t (a integer)")
		var group sync.WaitGroup
		var commits atomic.Int64
		for worker := range 4 {
			group.Go(func() {
				for i := range 60 {
					short, cancel := context.WithTimeout(ctx, time.Duration(i*37+worker*11)*time.Microsecond)
					err := db.Write(short, func(tx sqldb.Tx) error {
						_, err := tx.Exec(short, "insert into t values ($1)", i)
						return err
					})
					if err == nil {
						commits.Add(1)
					}
					_ = db.Snapshot(short, func(q sqldb.Querier) error {
						return q.Query(short, "select count(*) from t", nil, nil)
					})
					cancel()
				}
			})
		}
		group.Wait()
		got := text(t, db, "select count(*) from t")
		if want := fmt.Sprint(commits.Load()); got != want && !isPostgres(db) {
			t.Errorf("%s rows after %s commits", got, want) // PostgreSQL may commit while we give up
		}
		for range 20 {
			if again := text(t, db, "select count(*) from t"); again != got {
				t.Error("an old snapshot is left over:", again, got)
			}
		}
	})
}
