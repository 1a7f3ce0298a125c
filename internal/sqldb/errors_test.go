package sqldb_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

func TestViolations(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		write(t, db, "create table parent (id integer primary key)",
			`create table child (id integer primary key, a integer, b integer, code varchar not null,
				parent_id integer constraint child_parent references parent (id) on delete restrict,
				constraint positive check (a > 0))`,
			"create unique index child_ab on child (a, b)",
			"create unique index child_lower on child (lower(code))",
			"insert into parent values (1), (2)", "insert into child values (1, 1, 1, 'x', 1)")
		for _, c := range []struct {
			sql  string
			want sqldb.Violation
		}{
			{
				"insert into child values (2, 1, 1, 'y', null)",
				sqldb.Violation{Kind: sqldb.Unique, Table: "child", Columns: []string{"a", "b"}, Constraint: "child_ab"},
			},
			{
				"insert into child values (1, 2, 2, 'y', null)",
				sqldb.Violation{Kind: sqldb.Unique, Table: "child", Columns: []string{"id"}},
			},
			{
				"insert into child values (2, 2, 2, 'X', null)",
				sqldb.Violation{Kind: sqldb.Unique, Constraint: "child_lower"},
			},
			{
				"insert into child values (2, 2, 2, null, null)",
				sqldb.Violation{Kind: sqldb.NotNull, Table: "child", Columns: []string{"code"}},
			},
			{"update child set a = 0", sqldb.Violation{Kind: sqldb.Check, Constraint: "positive"}},
			{"insert into child values (2, 2, 2, 'y', 99)", sqldb.Violation{Kind: sqldb.ForeignKey}},
			{"delete from parent where id = 1", sqldb.Violation{Kind: sqldb.ForeignKey}},
		} {
			err := failure(db, c.sql)
			v, ok := errors.AsType[*sqldb.Violation](err)
			if !ok {
				t.Errorf("%s: %v", c.sql, err)
				continue
			}
			if v.Kind != c.want.Kind || c.want.Table != "" && v.Table != c.want.Table ||
				c.want.Columns != nil && !slices.Equal(v.Columns, c.want.Columns) ||
				c.want.Constraint != "" && v.Constraint != c.want.Constraint {
				t.Errorf("%s: %+v", c.sql, v)
			}
			if !strings.Contains(v.Error(), c.want.Kind.String()) || v.Unwrap() == nil {
				t.Error(v)
			}
		}
		if got := text(t, db, "select count(*) from child"); got != "1" {
			t.Error(got)
		}
	})
}

func TestDeferredViolation(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		write(t, db, "create table t (id integer primary key, up integer references t (id) deferrable initially deferred)")
		write(t, db, "insert into t values (2, 1)", "insert into t values (1, null)")
		err := failure(db, "insert into t values (3, 4)")
		if v, ok := errors.AsType[*sqldb.Violation](err); !ok || v.Kind != sqldb.ForeignKey {
			t.Error(err)
		}
		if got := text(t, db, "select count(*) from t"); got != "2" {
			t.Error(got)
		}
	})
}

func TestBadValues(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		everyKind(t, db)
		for column, args := range map[string][]any{
			"v":  {"a\x00b", "\xff", []string{"a\x00"}},
			"t":  {"\x00"},
			"f8": {math.NaN(), math.Inf(1)},
			"ts": {time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		} {
			for _, arg := range args {
				if err := failure(db, "update kinds set "+column+" = $1", arg); !errors.Is(err, sqldb.ErrBadValue) {
					t.Errorf("%s = %q: %v", column, arg, err)
				}
			}
		}
		if !isPostgres(db) {
			return // SQLite's types are not strict
		}
		for column, arg := range map[string]any{
			"i4": "x", "i8": "1.5", "d": "2024-02-30", "ts": "yesterday-ish", "n": "1,5", "j": "{", "b": "maybe", "f8": "",
		} {
			if err := failure(db, "update kinds set "+column+" = $1", arg); !errors.Is(err, sqldb.ErrBadValue) {
				t.Errorf("%s = %q: %v", column, arg, err)
			}
		}
		for _, arg := range []any{1 << 31, -1<<31 - 1, "2147483648", 1e10} {
			if err := failure(db, "update kinds set i4 = $1", arg); !errors.Is(err, sqldb.ErrBadValue) {
				t.Errorf("i4 = %v: %v", arg, err)
			}
		}
	})
}

func TestMistakes(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		for _, sql := range []string{"selekt 1", "select * from nowhere", "insert into", ""} {
			err := failure(db, sql)
			for _, kind := range []error{
				sqldb.ErrUnavailable, sqldb.ErrBadValue, sqldb.ErrBadPattern, sqldb.ErrReadOnly, sqldb.ErrConflict,
			} {
				if errors.Is(err, kind) {
					t.Errorf("%q: %v", sql, err)
				}
			}
			if err == nil && sql != "" {
				t.Errorf("%q worked", sql)
			}
		}
		if got := text(t, db, "select 1"); got != "1" {
			t.Error(got)
		}
	})
}

func TestUnavailable(t *testing.T) {
	short, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := sqldb.OpenPostgres(short, "postgres://nobody@127.0.0.1:1/none", sqldb.Options{})
	if !errors.Is(err, sqldb.ErrUnavailable) {
		t.Error(err)
	}
	if _, err = sqldb.OpenPostgres(ctx, "postgres://nobody@127.0.0.1:x/none", sqldb.Options{}); err == nil {
		t.Error("a bad URL")
	}
	_, err = sqldb.OpenSQLite(ctx, filepath.Join(t.TempDir(), "no", "such", "folder.db"), sqldb.Options{})
	if !errors.Is(err, sqldb.ErrUnavailable) {
		t.Error(err)
	}
	_, err = sqldb.OpenSQLite(ctx, filepath.Join(t.TempDir(), "absent.db"), sqldb.Options{ReadOnly: true})
	if !errors.Is(err, sqldb.ErrUnavailable) {
		t.Error(err)
	}
	for _, path := range []string{"", ":memory:", "file:x.db"} {
		if _, err := sqldb.OpenSQLite(ctx, path, sqldb.Options{}); err == nil {
			t.Errorf("opened %q", path)
		}
	}
}

func TestPoolExhausted(t *testing.T) {
	for _, dialect := range sqltest.Dialects() {
		t.Run(dialect, func(t *testing.T) {
			db := small(t, dialect, sqldb.Options{MaxConns: 1})
			err := db.Read(ctx, func(sqldb.Querier) error {
				short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
				defer cancel()
				return db.Read(short, func(sqldb.Querier) error { return nil })
			})
			if !errors.Is(err, sqldb.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			err = db.Read(ctx, func(sqldb.Querier) error {
				gone, cancel := context.WithCancel(ctx)
				time.AfterFunc(10*time.Millisecond, cancel)
				return db.Read(gone, func(sqldb.Querier) error { return nil })
			})
			if !errors.Is(err, context.Canceled) || errors.Is(err, sqldb.ErrUnavailable) {
				t.Error(err)
			}
			if err := db.Ping(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// small opens a fresh database with options.
func small(t *testing.T, dialect string, opts sqldb.Options) sqldb.DB {
	t.Helper()
	var db sqldb.DB
	var err error
	if dialect == "sqlite" {
		_, where := sqltest.SQLite(t)
		db, err = sqldb.OpenSQLite(ctx, where, opts)
	} else {
		_, where := sqltest.Postgres(t)
		db, err = sqldb.OpenPostgres(ctx, where, opts)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestReadOnly(t *testing.T) {
	for _, dialect := range sqltest.Dialects() {
		t.Run(dialect, func(t *testing.T) {
			db := small(t, dialect, sqldb.Options{ReadOnly: true})
			if err := db.Write(ctx, func(sqldb.Tx) error { return nil }); !errors.Is(err, sqldb.ErrReadOnly) {
				t.Error(err)
			}
			if got := text(t, db, "select count(*) from gateway_signal"); got != "0" {
				t.Error(got)
			}
		})
	}
}

func TestClosed(t *testing.T) {
	for _, dialect := range sqltest.Dialects() {
		t.Run(dialect, func(t *testing.T) {
			db := small(t, dialect, sqldb.Options{})
			db.Watch(func(string) {})
			for range 2 {
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			}
			for name, err := range map[string]error{
				"Read":     db.Read(ctx, func(sqldb.Querier) error { return nil }),
				"Snapshot": db.Snapshot(ctx, func(sqldb.Querier) error { return nil }),
				"Write":    db.Write(ctx, func(sqldb.Tx) error { return nil }),
				"Ping":     db.Ping(ctx),
			} {
				if !errors.Is(err, sqldb.ErrUnavailable) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// Nobody else on the machine may read the database, whatever the umask.
func TestFileMode(t *testing.T) {
	db, path := sqltest.SQLite(t)
	write(t, db, "create table t (a integer)")
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s: %o", name, mode)
		}
	}
}

// What is more than a database takes is the caller's doing, and no failure.
func TestTooLarge(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		read := func(sql string) error {
			return db.Read(t.Context(), func(q sqldb.Querier) error {
				return q.Query(t.Context(), sql, nil, func(sqldb.Row) error { return nil })
			})
		}
		if err := read("select " + strings.Repeat("1, ", 3000) + "1"); !errors.Is(err, sqldb.ErrTooLarge) {
			t.Errorf("columns: %v", err)
		}
		if db.Dialect().Name() == "postgres" {
			if got := text(t, db, "show jit"); got != "off" {
				t.Errorf("jit is %s", got)
			}
			return
		}
		for what, sql := range map[string]string{
			"terms":  "select 1 as a order by " + strings.Repeat("a, ", 3000) + "a",
			"depth":  "select 1 where 1" + strings.Repeat(" or 1", 2000),
			"nested": "select " + strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000),
			"tables": "with t as (select 1) select 1 from t" + strings.Repeat(" join t", 100),
		} {
			if err := read(sql); !errors.Is(err, sqldb.ErrTooLarge) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}
