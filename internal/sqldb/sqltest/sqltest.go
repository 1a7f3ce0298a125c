// Package sqltest gives tests empty databases of both dialects.
package sqltest

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"gatehouse/internal/clock"
	"gatehouse/internal/sqldb"
)

// Dialects are the names that Open and Pair know.
func Dialects() []string { return []string{"sqlite", "postgres"} }

// Each runs fn as a subtest per dialect, each with a fresh empty database.
func Each(t *testing.T, fn func(t *testing.T, db sqldb.DB)) {
	t.Helper()
	for _, dialect := range Dialects() {
		t.Run(dialect, func(t *testing.T) { fn(t, Open(t, dialect)) })
	}
}

// EachPair is Each with two handles of the same database, like two nodes.
func EachPair(t *testing.T, fn func(t *testing.T, a, b sqldb.DB)) {
	t.Helper()
	for _, dialect := range Dialects() {
		t.Run(dialect, func(t *testing.T) {
			a, b := Pair(t, dialect)
			fn(t, a, b)
		})
	}
}

// Open gives a fresh empty database, closed and removed when the test ends.
func Open(t testing.TB, dialect string) sqldb.DB {
	t.Helper()
	db, _ := open(t, dialect)
	return db
}

// Pair gives two handles of one fresh empty database.
func Pair(t testing.TB, dialect string) (a, b sqldb.DB) {
	t.Helper()
	a, where := open(t, dialect)
	if dialect == "sqlite" {
		return a, keep(t, sqldb.OpenSQLite, where)
	}
	return a, keep(t, sqldb.OpenPostgres, where)
}

func open(t testing.TB, dialect string) (db sqldb.DB, where string) {
	t.Helper()
	switch dialect {
	case "sqlite":
		return SQLite(t)
	case "postgres":
		return Postgres(t)
	}
	t.Fatalf("no dialect %q", dialect)
	return nil, ""
}

// SQLite gives a fresh database and the path of its file.
func SQLite(t testing.TB) (db sqldb.DB, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "test.db")
	return keep(t, sqldb.OpenSQLite, path), path
}

// DatabaseURL leads to the PostgreSQL database that tests may use, which need not be
// there yet: that of GATEHOUSE_TEST_DATABASE_URL, or one of the local server,
// on the port PGPORT, 5432 by default.
func DatabaseURL() string {
	return cmp.Or(os.Getenv("GATEHOUSE_TEST_DATABASE_URL"),
		"postgres://postgres@127.0.0.1:"+cmp.Or(os.Getenv("PGPORT"), "5432")+"/gatehouse_test")
}

// Postgres gives a fresh schema in the database of DatabaseURL, and the URL that
// leads to it. Without a server the test is skipped, unless
// GATEHOUSE_TEST_POSTGRES is "required".
func Postgres(t testing.TB) (db sqldb.DB, where string) {
	t.Helper()
	base := DatabaseURL()
	schema := "t_" + clock.RandomHex(8)
	if err := run(base, "create schema "+schema); err != nil {
		missing(t, err)
	}
	t.Cleanup(func() {
		if err := run(base, "drop schema "+schema+" cascade"); err != nil {
			t.Errorf("drop schema: %v", err)
		}
	})
	where, err := withParameters(base, "search_path", schema, "synchronous_commit", "off")
	if err != nil {
		t.Fatal(err)
	}
	return keep(t, sqldb.OpenPostgres, where), where
}

// missing skips a test without a server, or fails it.
func missing(t testing.TB, err error) {
	t.Helper()
	const line = "PostgreSQL does not answer (see GATEHOUSE_TEST_DATABASE_URL): %v"
	if os.Getenv("GATEHOUSE_TEST_POSTGRES") == "required" {
		t.Fatalf(line, err)
	}
	t.Skipf(line, err)
}

func keep(t testing.TB,
	open func(context.Context, string, sqldb.Options) (sqldb.DB, error), where string,
) sqldb.DB {
	t.Helper()
	db, err := open(context.Background(), where, sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

// run runs one statement on a connection of its own.
func run(base, sql string) error {
	return on(base, func(ctx context.Context, conn *pgconn.PgConn) error { return conn.Exec(ctx, sql).Close() })
}

// on connects, and makes the database that base names if it is absent.
func on(base string, fn func(ctx context.Context, conn *pgconn.PgConn) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	// nothing here has to survive a crash, so don't wait for the disk
	quick, err := withParameters(base, "synchronous_commit", "off", "client_min_messages", "warning")
	if err != nil {
		return err
	}
	conn, err := pgconn.Connect(ctx, quick)
	if isCode(err, "3D000") {
		if err := createDatabase(ctx, quick); err != nil {
			return err
		}
		conn, err = pgconn.Connect(ctx, quick)
	}
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	return fn(ctx, conn)
}

// likeOdoo makes a database as Odoo's are: text is in the order of its code points.
const likeOdoo = " template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C.UTF-8'"

// createDatabase makes the database that base names; another package's tests
// may do so at the same time.
func createDatabase(ctx context.Context, base string) error {
	config, err := pgconn.ParseConfig(base)
	if err != nil {
		return err
	}
	name := config.Database
	config.Database = "postgres"
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	err = conn.Exec(ctx, "create database "+sqldb.Quote(name)+likeOdoo).Close()
	if isCode(err, "42P04") || isCode(err, "23505") {
		return nil
	}
	return err
}

func isCode(err error, code string) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == code
}

// withParameters adds names and values to a URL or a key=value string.
func withParameters(base string, pairs ...string) (string, error) {
	if !strings.Contains(base, "://") {
		for i := 0; i < len(pairs); i += 2 {
			base += " " + pairs[i] + "=" + pairs[i+1]
		}
		return base, nil
	}
	u, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	q := u.Query()
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}
