package sqltest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"gatehouse/internal/clock"
	"gatehouse/internal/sqldb"
)

// Filled is a database that many tests start from: it is filled when the first
// test of a process asks, and each test gets a copy of its own. A copy takes a
// tenth of what filling does. Name it to With.
type Filled struct {
	// Fill fills an empty database, named as StartProcess wants it too, and
	// closes what it opened on it.
	Fill func(ctx context.Context, db sqldb.DB, where string) error

	mu       sync.Mutex
	folder   string // of the SQLite file, when there is one
	postgres string // name of the database, when there is one
	anew     bool   // the server is slow to copy
}

// Each runs fn as a subtest per dialect, each with a copy.
func (f *Filled) Each(t *testing.T, fn func(t *testing.T, db sqldb.DB)) {
	t.Helper()
	for _, dialect := range Dialects() {
		t.Run(dialect, func(t *testing.T) {
			db, _ := f.Open(t, dialect)
			fn(t, db)
		})
	}
}

// Open gives a copy, and the path of its file or the URL that leads to it.
func (f *Filled) Open(t testing.TB, dialect string) (db sqldb.DB, where string) {
	t.Helper()
	if dialect == "sqlite" {
		where = filepath.Join(t.TempDir(), "test.db")
		f.CopySQLite(t, where)
		return keep(t, sqldb.OpenSQLite, where), where
	}
	where = f.Postgres(t)
	return keep(t, sqldb.OpenPostgres, where), where
}

// CopySQLite makes a copy at a path.
func (f *Filled) CopySQLite(t testing.TB, path string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.folder == "" {
		folder, err := os.MkdirTemp("", "gatehouse-filled") //nolint:usetesting // other tests need it too
		if err != nil {
			t.Fatal(err)
		}
		if err := f.fill(sqldb.OpenSQLite, filepath.Join(folder, "gatehouse.db")); err != nil {
			t.Fatal(errors.Join(err, os.RemoveAll(folder)))
		}
		f.folder = folder
	}
	if err := copyFile(filepath.Join(f.folder, "gatehouse.db"), path); err != nil {
		t.Fatal(err)
	}
}

// Postgres makes a copy in the server of DatabaseURL, dropped when the test
// ends, and gives its URL. It skips the test as the function Postgres does.
//
// A server that waits for the disk does so for every database that is made or
// dropped, longer than filling takes: there the copy is a schema, filled anew.
func (f *Filled) Postgres(t testing.TB) (where string) {
	t.Helper()
	base := DatabaseURL()
	master, err := f.master(base)
	if err != nil {
		missing(t, err)
	}
	if master == "" {
		db, where := Postgres(t)
		if err := f.Fill(context.Background(), db, where); err != nil {
			t.Fatal(err)
		}
		return where
	}
	name := master + "_" + clock.RandomHex(6)
	if err := run(base, "create database "+name+" template "+master); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := run(base, "drop database "+name+" with (force)"); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	if where, err = inDatabase(base, name); err != nil {
		t.Fatal(err)
	}
	return where
}

// master names the database that is copied; "" if none is to be.
func (f *Filled) master(base string) (name string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.anew || f.postgres != "" {
		return f.postgres, nil
	}
	waits, err := rows(base, "show fsync")
	if err != nil {
		return "", err
	}
	if f.anew = waits[0] == "on"; !f.anew {
		f.postgres, err = f.fillPostgres(base)
	}
	return f.postgres, err
}

func (f *Filled) fillPostgres(base string) (name string, err error) {
	if err := dropForgotten(base); err != nil {
		return "", err
	}
	name = fmt.Sprintf("%s%d_%s", filledPrefix, time.Now().Unix(), clock.RandomHex(6))
	if err := run(base, "create database "+name+likeOdoo); err != nil {
		return "", err
	}
	where, err := inDatabase(base, name)
	if err == nil {
		err = f.fill(sqldb.OpenPostgres, where)
	}
	if err != nil {
		return "", errors.Join(err, run(base, "drop database "+name+" with (force)"))
	}
	return name, nil
}

func (f *Filled) fill(open func(context.Context, string, sqldb.Options) (sqldb.DB, error), where string) error {
	ctx := context.Background()
	db, err := open(ctx, where, sqldb.Options{})
	if err != nil {
		return err
	}
	return errors.Join(f.Fill(ctx, db, where), db.Close())
}

// remove removes what copies are made of.
func (f *Filled) remove() (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.folder != "" {
		err = os.RemoveAll(f.folder)
	}
	if f.postgres != "" {
		err = errors.Join(err, run(DatabaseURL(), "drop database "+f.postgres+" with (force)"))
	}
	f.folder, f.postgres = "", ""
	return err
}

// filledPrefix begins the names of filled databases and of their copies; the
// time in seconds since 1970 follows.
const filledPrefix = "gatehouse_filled_"

// dropForgotten drops the databases of processes that were killed.
func dropForgotten(base string) error {
	names, err := rows(base, `select datname from pg_database where datname ~ '^`+filledPrefix+`[0-9]+_'
		and split_part(datname, '_', 3)::bigint < extract(epoch from now()) - 6 * 3600`)
	for _, name := range names {
		err = errors.Join(err, run(base, "drop database if exists "+sqldb.Quote(name)+" with (force)"))
	}
	return err
}

// inDatabase is base with another database, which has nothing to keep.
func inDatabase(base, name string) (string, error) {
	if !strings.Contains(base, "://") {
		return withParameters(base, "dbname", name, "synchronous_commit", "off")
	}
	u, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return withParameters(u.String(), "synchronous_commit", "off")
}

// rows gives the first column of a query.
func rows(base, sql string) (first []string, err error) {
	err = on(base, func(ctx context.Context, conn *pgconn.PgConn) error {
		results, err := conn.Exec(ctx, sql).ReadAll()
		for _, result := range results {
			for _, row := range result.Rows {
				first = append(first, string(row[0]))
			}
		}
		return err
	})
	return first, err
}

// copyFile copies a database that nobody has open.
func copyFile(from, to string) error {
	if _, err := os.Stat(from + "-wal"); err == nil {
		return fmt.Errorf("%s is still open: Fill is to close it", from)
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // only read
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// Tests are the tests of a package, as testing.M is.
type Tests struct {
	m      *testing.M
	filled []*Filled
}

// With is for TestMain: tests after which the filled databases are removed.
func With(m *testing.M, filled ...*Filled) *Tests { return &Tests{m, filled} }

// Run runs the tests and gives the exit code of the process.
func (t *Tests) Run() (code int) {
	code = t.m.Run()
	for _, f := range t.filled {
		if err := f.remove(); err != nil {
			fmt.Fprintln(os.Stderr, "remove a filled database:", err)
			code = max(code, 1)
		}
	}
	return code
}
