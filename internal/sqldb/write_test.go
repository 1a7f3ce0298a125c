package sqldb_test

import (
	"context"
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
		start := time.Now()
		if err := b.Write(gone, func(sqldb.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if waited := time.Since(start); waited > 40*time.Millisecond {
			t.Error("cancelled late:", waited)
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
		go func() { waits <- failure(b, "insert into t values (2)") }()
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
			if !errors.Is(err, context.Canceled) || time.Since(start) > time.Second {
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

func TestCopy(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		everyKind(t, db)
		columns := []string{"i4", "i8", "b", "f8", "n", "v", "t", "d", "ts", "j", "by"}
		odd := []any{
			-7, int64(1) << 60, true, 0.1, 12.5, "tab\tline\ncr\r\\N \\ \"é", "", "2024-02-29",
			time.Date(2024, 2, 29, 1, 2, 3, 4000, time.UTC), `{"a":"\n"}`, []byte{0, '\\', '\t', 255},
		}
		empty := make([]any, len(columns))
		rows := [][]any{odd, empty}
		for i := range 5000 {
			rows = append(rows, []any{i, i, i%2 == 0, i, i, fmt.Sprint("row ", i), nil, nil, nil, nil, []byte("x")})
		}
		copyRows := func(rows [][]any) (n int64, err error) {
			err = db.Write(ctx, func(tx sqldb.Tx) (err error) {
				n, err = tx.Copy(ctx, "kinds", columns, rows)
				return err
			})
			return n, err
		}
		for range 2 {
			if n, err := copyRows(rows); err != nil || n != 5002 {
				t.Fatal(n, err)
			}
		}
		row(t, db, "select i4, i8, b, f8, n, v, t, d, ts, j, by from kinds where id = 3", nil, func(r sqldb.Row) {
			want := "-7 1152921504606846976 0.1 12.5 tab\tline\ncr\r\\N \\ \"é  2024-02-29 2024-02-29 01:02:03.000004"
			got := strings.Join([]string{r.Text(0), r.Text(1), r.Text(3), r.Text(4), r.Text(5), r.Text(6), r.Text(7), r.Text(8)}, " ")
			if got != want || !r.Bool(2) || r.Text(10) != "\x00\\\t\xff" {
				t.Errorf("%q", got)
			}
		})
		if got := text(t, db, "select count(*) from kinds where v is null and by is null and b is null"); got != "3" {
			t.Error(got)
		}
		if got := text(t, db, "select count(*) from kinds"); got != "10006" {
			t.Error(got)
		}
		if _, err := copyRows([][]any{append([]any{"\x00"}, odd[1:]...)}); !errors.Is(err, sqldb.ErrBadValue) {
			t.Error(err)
		}
		if _, err := copyRows([][]any{{1}}); err == nil {
			t.Error("a row too short")
		}
		if n, err := copyRows(nil); n != 0 || err != nil {
			t.Error(n, err)
		}
		err := db.Write(ctx, func(tx sqldb.Tx) error {
			err := tx.Savepoint(ctx, func() error {
				_, err := tx.Copy(ctx, "kinds", []string{"id"}, [][]any{{20000}, {1}})
				return err
			})
			if v, ok := errors.AsType[*sqldb.Violation](err); !ok || v.Kind != sqldb.Unique {
				t.Error(err)
			}
			_, err = tx.Copy(ctx, "kinds", []string{"id"}, [][]any{{20001}})
			return err
		})
		if got := text(t, db, "select count(*) from kinds where id > 20000"); got != "1" || err != nil {
			t.Error(got, err)
		}
	})
}
