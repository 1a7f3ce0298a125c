package sqldb_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// ear keeps what a watcher hears.
type ear struct {
	mu    sync.Mutex
	heard []string
}

func (e *ear) listen(channel string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, channel)
}

func (e *ear) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.heard)
}

// wait waits until the watcher heard the channel: a second on a machine that
// does nothing else, which a test can't count on.
func (e *ear) wait(t *testing.T, channel string) {
	t.Helper()
	const limit = 20 * time.Second
	for start := time.Now(); !slices.Contains(e.all(), channel); time.Sleep(2 * time.Millisecond) {
		if time.Since(start) > limit {
			t.Fatalf("%q not heard within %v: %v", channel, limit, e.all())
		}
	}
}

func signal(t *testing.T, db sqldb.DB, channels ...string) {
	t.Helper()
	err := db.Write(ctx, func(tx sqldb.Tx) error {
		for _, c := range channels {
			if err := tx.Signal(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSignals(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, a, b sqldb.DB) {
		other := sqltest.Open(t, a.Dialect().Name()) // another schema hears nothing
		var own, far, stranger ear
		stopOwn := a.Watch(own.listen)
		stopFar := b.Watch(far.listen)
		defer stopFar()
		defer other.Watch(stranger.listen)()

		signal(t, a, "orders", "partners", "orders")
		if got := own.all(); !slices.Equal(got, []string{"orders", "partners"}) {
			t.Error("at once:", got) // sorted, each once
		}
		far.wait(t, "orders")
		far.wait(t, "partners")
		signal(t, b, "from b")
		own.wait(t, "from b")

		signal(t, a, "orders")
		time.Sleep(600 * time.Millisecond)
		count := map[string]int{}
		for _, c := range own.all() {
			count[c]++
		}
		if want := map[string]int{"orders": 2, "partners": 1, "from b": 1}; !maps.Equal(count, want) {
			t.Error("own signals came back:", count)
		}
		if got := far.all(); len(got) != 4 {
			t.Error("far:", got)
		}
		if got := stranger.all(); len(got) != 0 {
			t.Error("stranger:", got)
		}
		stopOwn()
		signal(t, a, "unheard")
		far.wait(t, "unheard")
		if slices.Contains(own.all(), "unheard") {
			t.Error("heard after stop")
		}
		for _, bad := range []string{"", strings.Repeat("x", 201), "a\x00"} {
			err := a.Write(ctx, func(tx sqldb.Tx) error { return tx.Signal(ctx, bad) })
			if err == nil {
				t.Errorf("channel %q", bad)
			}
		}
	})
}

// A signal that comes between open and Watch's first connection is not lost.
func TestSignalRightAfterWatch(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, a, b sqldb.DB) {
		var far ear
		defer b.Watch(far.listen)()
		signal(t, a, "early")
		far.wait(t, "early")
	})
}

func TestSignalsFromMany(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, a, b sqldb.DB) {
		var ears [2]ear
		for i, db := range []sqldb.DB{a, b} {
			defer db.Watch(ears[i].listen)()
		}
		var group sync.WaitGroup
		for worker := range 4 {
			group.Go(func() {
				for i := range 10 {
					signal(t, []sqldb.DB{a, b}[worker%2], "shared", fmt.Sprintf("%d/%d", worker, i))
				}
			})
		}
		group.Wait()
		for i := range ears {
			for worker := range 4 {
				for n := range 10 {
					ears[i].wait(t, fmt.Sprintf("%d/%d", worker, n))
				}
			}
		}
	})
}

func TestListenerReconnects(t *testing.T) {
	a, where := sqltest.Postgres(t)
	name := fmt.Sprintf("test%d", os.Getpid())
	b, err := sqldb.OpenPostgres(ctx, where+"&application_name="+name, sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	var far ear
	defer b.Watch(far.listen)()
	signal(t, a, "first")
	far.wait(t, "first")
	ended := texts(t, a, "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1", name+" listener")
	if len(ended) != 1 {
		t.Fatalf("%d listeners", len(ended))
	}
	signal(t, a, "meanwhile")
	far.wait(t, "meanwhile")
	far.wait(t, "")
	signal(t, a, "after")
	far.wait(t, "after")
}

func TestVisible(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, a, b sqldb.DB) {
		write(t, a, "create table t (a integer)")
		token := func(db sqldb.DB) (token string) {
			t.Helper()
			err := db.Read(ctx, func(q sqldb.Querier) (err error) {
				token, err = q.Visible(ctx)
				return err
			})
			if err != nil || token == "" {
				t.Fatal(token, err)
			}
			return token
		}
		snapshot := func(first bool) (token string) {
			t.Helper()
			err := a.Snapshot(ctx, func(q sqldb.Querier) (err error) {
				if !first {
					if err := q.Query(ctx, "select count(*) from t", nil, nil); err != nil {
						return err
					}
				}
				token, err = q.Visible(ctx)
				again, _ := q.Visible(ctx)
				if again != token {
					t.Error("a snapshot with two names:", token, again)
				}
				return err
			})
			if err != nil || token == "" {
				t.Fatal(token, err)
			}
			return token
		}
		// other databases of the server change PostgreSQL's names as well
		same := func(what string, name func() string) {
			t.Helper()
			for range 100 {
				if token(a) == name() {
					return
				}
			}
			t.Error("the same data with two names:", what)
		}
		same("read again", func() string { return token(a) })
		same("named first", func() string { return snapshot(true) })
		same("named later", func() string { return snapshot(false) })
		seen := map[string]bool{token(a): true}
		for i := range 20 {
			write(t, []sqldb.DB{a, b}[i%2], "insert into t values (1)")
			next := []string{token(a), snapshot(true), snapshot(false)}[i%3]
			if seen[next] {
				t.Error("an old name for new data:", next)
			}
			seen[next] = true
		}
		err := a.Snapshot(ctx, func(q sqldb.Querier) error {
			if err := q.Query(ctx, "select count(*) from t", nil, nil); err != nil {
				return err
			}
			write(t, b, "insert into t values (1)")
			late, err := q.Visible(ctx)
			if late == token(a) {
				t.Error("a name from after the snapshot:", late)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		err = a.Write(ctx, func(tx sqldb.Tx) error {
			one, _ := tx.Visible(ctx)
			two, err := tx.Visible(ctx)
			if one == two || seen[one] {
				t.Error(one, two)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// Readers name what they see while others commit: one name, one sight.
func TestVisibleIsExact(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, a, b sqldb.DB) {
		write(t, a, "create table t (id integer primary key, n integer)", "insert into t values (1, 0)")
		stop := make(chan struct{})
		var writers, readers sync.WaitGroup
		for _, db := range []sqldb.DB{a, b} {
			writers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						write(t, db, "update t set n = n + 1")
						time.Sleep(200 * time.Microsecond)
					}
				}
			})
		}
		startProcess(t, a, stop, &writers)
		var mu sync.Mutex
		sights := map[string]int64{}
		hits := 0
		for worker := range 4 {
			readers.Go(func() {
				for i := range 400 {
					err := a.Snapshot(ctx, func(q sqldb.Querier) (err error) {
						var n int64
						read := func() error {
							return q.Query(ctx, "select n from t", nil, func(r sqldb.Row) error {
								n = r.Int(0)
								return nil
							})
						}
						if i%2 == worker%2 {
							err = read()
						}
						token, problem := q.Visible(ctx)
						if err == nil && problem == nil {
							err = read()
						}
						mu.Lock()
						defer mu.Unlock()
						if before, ok := sights[token]; ok {
							hits++
							if before != n {
								t.Errorf("%s names %d and %d", token, before, n)
							}
						}
						sights[token] = n
						return err
					})
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		readers.Wait()
		close(stop)
		writers.Wait()
		t.Logf("%d names, %d seen again", len(sights), hits)
	})
}

// startProcess lets another process write to the same SQLite file until stop.
func startProcess(t *testing.T, db sqldb.DB, stop <-chan struct{}, group *sync.WaitGroup) {
	t.Helper()
	if isPostgres(db) {
		return // every connection is another process there
	}
	path := text(t, db, "select file from pragma_database_list")
	cmd := exec.Command(os.Args[0], "-test.run=^TestOtherProcess$")
	cmd.Env = append(os.Environ(), "SQLDB_TEST_FILE="+path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	group.Go(func() {
		<-stop
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// TestOtherProcess is the other process.
func TestOtherProcess(t *testing.T) {
	path := os.Getenv("SQLDB_TEST_FILE")
	if path == "" {
		t.Skip("runs as a child of other tests")
	}
	db, err := sqldb.OpenSQLite(ctx, path, sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		err := db.Write(ctx, func(tx sqldb.Tx) error {
			if err := tx.Signal(ctx, "other process"); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "update t set n = n + 1")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestSignalFromOtherProcess(t *testing.T) {
	db := sqltest.Open(t, "sqlite")
	write(t, db, "create table t (id integer primary key, n integer)", "insert into t values (1, 0)")
	var e ear
	defer db.Watch(e.listen)()
	stop := make(chan struct{})
	var group sync.WaitGroup
	startProcess(t, db, stop, &group)
	e.wait(t, "other process")
	close(stop)
	group.Wait()
}
