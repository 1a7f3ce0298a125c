package sqldb_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

func TestPlaceholders(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		write(t, db, "create table t (a varchar, b integer)", "insert into t values ('x', 1), ('y', 2), ('z', 12)")
		for _, c := range []struct {
			where string
			args  []any
			want  string
		}{
			{"b = $2 and a = $1", []any{"y", 2}, "y"},
			{"a = $1 or b > $2 or a = $1", []any{"x", 10}, "x,z"},
			{"b in ($3, $1, $2)", []any{1, 2, 3}, "x,y"},
			{"b in ($10, $9, $8, $7, $6, $5, $4, $3, $2, $1)", []any{0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, "x"},
			{"$1 = a", []any{"z"}, "z"},
			{"a = $1;\n", []any{"z"}, "z"},
			{"b = $1", []any{int64(12)}, "z"},
			{"b = $1", []any{12.0}, "z"},
			{"a = $1", []any{nil}, ""},
		} {
			got := strings.Join(texts(t, db, "select a from t where "+c.where, c.args...), ",")
			if got != c.want {
				t.Errorf("%s %v: %s", c.where, c.args, got)
			}
		}
		for _, args := range [][]any{{}, {1, 2}} {
			if err := failure(db, "update t set b = $1", args...); err == nil {
				t.Errorf("%d arguments for one placeholder", len(args))
			}
		}
		if err := failure(db, "update t set b = $1", struct{}{}); err == nil {
			t.Error("a struct as argument")
		}
	})
}

// The compiler can't always know a column's type; a number may meet text.
func TestLenientArguments(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		everyKind(t, db)
		for set, arg := range map[string]any{
			"v": 5, "t": int64(5), "n": 5, "f8": 5, "i4": 5.0, "i8": 5, "by": "5", "j": "5",
		} {
			if err := failure(db, "update kinds set "+set+" = $1 where id = 1", arg); err != nil {
				t.Errorf("%s = %v: %v", set, arg, err)
			}
			if got := text(t, db, "select "+set+" from kinds where id = 1"); got != "5" {
				t.Errorf("%s = %v: %s", set, arg, got)
			}
		}
		for set, want := range map[string]string{"b": "true", "i4": "1", "n": "1"} {
			if err := failure(db, "update kinds set "+set+" = $1 where id = 1", true); err != nil {
				t.Errorf("%s: %v", set, err)
			}
			got := text(t, db, "select "+set+" from kinds where id = 1")
			if got != want && !(got == "1" && !isPostgres(db)) {
				t.Errorf("%s = true: %s", set, got)
			}
		}
		for column, arg := range map[string]any{"d": "2024-05-06", "ts": "2024-05-06 07:08:09", "b": 0} {
			if err := failure(db, "update kinds set "+column+" = $1 where id = 1", arg); err != nil {
				t.Errorf("%s: %v", column, err)
			}
		}
		if isPostgres(db) { // parameters of types that nothing here has
			for sql, arg := range map[string]any{
				"$1::smallint = 5": 5, "$1::real = 1.5": 1.5, "$1::numeric = 5": 5.0, "$1::date = '2024-05-06'": time.Date(2024, 5, 6, 7, 0, 0, 0, time.UTC),
				"$1::int[] = array[1,2]": []int64{1, 2}, "$1::text[] = array['1','2']": []int64{1, 2},
				"$1::varchar[] = array['a\"b']::varchar[]": []string{`a"b`}, "$1::name[] = array['a\"b']::name[]": []string{`a"b`},
				"$1::text = '1.5'": 1.5, "$1::text = 'true'": true, "$1::text = '2024-05-06 07:00:00'": time.Date(2024, 5, 6, 7, 0, 0, 0, time.UTC),
				"$1::uuid = '11111111-2222-3333-4444-555555555555'": "11111111-2222-3333-4444-555555555555", "$1::int8[] = array[]::int8[]": []int64{},
			} {
				if got := text(t, db, "select "+sql, arg); got != "true" {
					t.Errorf("%s, %v: %s", sql, arg, got)
				}
			}
		}
		at := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
		got := texts(t, db, "select v from kinds where ts = $1 and ts = $2 and not b", at, "2024-05-06 07:08:09")
		if len(got) != 1 {
			t.Error("a timestamp is not found by its time and its text")
		}
	})
}

func TestBooleans(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		write(t, db, "create table t (id integer, b "+db.Dialect().ColumnType(sqldb.Bool)+" default false)",
			"insert into t values (1, true), (2, false), (3, null)", "insert into t (id) values (4)")
		for where, want := range map[string]string{
			"b": "1", "not b": "2,4", "b is true": "1", "b is not true": "2,3,4", "b = true": "1",
			"b is false": "2,4", "coalesce(b, false) = false": "2,3,4", "b is null": "3",
		} {
			if got := strings.Join(texts(t, db, "select id from t where "+where+" order by id"), ","); got != want {
				t.Errorf("%s: %s", where, got)
			}
		}
	})
}

func TestExecCounts(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		err := db.Write(ctx, func(tx sqldb.Tx) error {
			for _, c := range []struct {
				sql  string
				want int64
			}{
				{"create table t (a integer primary key, b integer)", 0},
				{"insert into t values (1, 1), (2, 2)", 2},
				{"insert into t values (1, 1) on conflict (a) do nothing", 0},
				{"update t set b = 3", 2},
				{"create index on_b on t (b)", 0},
				{"select * from t", 0},
				{"with x as (select 1 as a) update t set b = 4 where a in (select a from x)", 1},
				{"insert into t values (3, 3) returning a", 1},
				{"delete from t", 3},
				{"delete from t", 0},
			} {
				if n, err := tx.Exec(ctx, c.sql); n != c.want || err != nil {
					t.Errorf("%s: %d %v", c.sql, n, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestEachError(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		stop := errors.New("stop")
		n := 0
		each := func(sqldb.Row) error {
			n++
			return stop
		}
		const rows = "select 1 union all select 2"
		use := func(q sqldb.Querier) error {
			n = 0
			if err := q.Query(ctx, rows, nil, each); err != stop || n != 1 { //nolint:errorlint // returned as it is
				t.Errorf("%v after %d rows", err, n)
			}
			return q.Query(ctx, rows, nil, func(sqldb.Row) error { n++; return nil })
		}
		if err := db.Read(ctx, use); err != nil || n != 3 {
			t.Errorf("Read: %v after %d rows", err, n)
		}
		if err := db.Write(ctx, func(tx sqldb.Tx) error { return use(tx) }); err != nil || n != 3 {
			t.Errorf("Write: %v after %d rows", err, n)
		}
	})
}

func TestNestedQuery(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		var kept sqldb.Querier
		err := db.Read(ctx, func(q sqldb.Querier) error {
			kept = q
			return q.Query(ctx, "select 1", nil, func(sqldb.Row) error {
				if err := q.Query(ctx, "select 1", nil, nil); err == nil {
					t.Error("a query inside a query's callback")
				}
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := kept.Query(ctx, "select 1", nil, nil); err == nil {
			t.Error("a querier outlived its callback")
		}
	})
}

func TestBatch(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		write(t, db, "create table t (a integer primary key)")
		var n, m int64
		var seen []int64
		keep := func(r sqldb.Row) error {
			seen = append(seen, r.Int(0))
			return nil
		}
		err := db.Write(ctx, func(tx sqldb.Tx) error {
			return tx.Batch(ctx, []sqldb.Stmt{
				{SQL: "insert into t values ($1), ($2)", Args: []any{1, 2}, Affected: &n},
				{SQL: "select a from t order by a", Each: keep},
				{SQL: "select a from t where a > $1", Args: []any{5}, Each: keep},
				{SQL: "delete from t where a = $1 returning a", Args: []any{2}, Each: keep, Affected: &m},
			})
		})
		if err != nil || n != 2 || m != 1 || !slices.Equal(seen, []int64{1, 2, 2}) {
			t.Fatal(err, n, m, seen)
		}
		seen = nil
		again := sqldb.Stmt{SQL: "select a from t", Each: keep}
		err = db.Read(ctx, func(q sqldb.Querier) error { return q.Batch(ctx, []sqldb.Stmt{again, again, again}) })
		if err != nil || !slices.Equal(seen, []int64{1, 1, 1}) {
			t.Error(err, seen)
		}
		v := &sqldb.Violation{}
		err = db.Write(ctx, func(tx sqldb.Tx) error {
			return tx.Batch(ctx, []sqldb.Stmt{
				{SQL: "insert into t values ($1)", Args: []any{3}},
				{SQL: "insert into t values ($1)", Args: []any{3}},
				{SQL: "insert into t values ($1)", Args: []any{4}},
			})
		})
		if !errors.As(err, &v) || text(t, db, "select count(*) from t") != "1" {
			t.Error(err)
		}
		stop := errors.New("stop")
		err = db.Read(ctx, func(q sqldb.Querier) error {
			return q.Batch(ctx, []sqldb.Stmt{{SQL: "select 1", Each: func(sqldb.Row) error { return stop }}, again})
		})
		if err != stop { //nolint:errorlint // returned as it is
			t.Error(err)
		}
		if err := db.Read(ctx, func(q sqldb.Querier) error { return q.Batch(ctx, nil) }); err != nil {
			t.Error(err)
		}
	})
}

// More statements than a connection keeps prepared.
func TestManyStatements(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		for round := range 3 {
			err := db.Read(ctx, func(q sqldb.Querier) error {
				for i := range 300 {
					want := int64(i + round)
					sql := "select " + strings.Repeat(" ", i) + "$1 + 0"
					err := q.Query(ctx, sql, []any{want}, func(r sqldb.Row) error {
						if r.Int(0) != want {
							t.Errorf("%d: %d", want, r.Int(0))
						}
						return nil
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestReadRefusesWrites(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		write(t, db, "create table t (a integer)")
		for name, lend := range map[string]func(func(sqldb.Querier) error) error{
			"Read":     func(fn func(sqldb.Querier) error) error { return db.Read(ctx, fn) },
			"Snapshot": func(fn func(sqldb.Querier) error) error { return db.Snapshot(ctx, fn) },
		} {
			err := lend(func(q sqldb.Querier) error {
				_, err := q.Exec(ctx, "insert into t values (1)")
				return err
			})
			if !errors.Is(err, sqldb.ErrReadOnly) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := text(t, db, "select count(*) from t"); n != "0" {
			t.Error(n)
		}
	})
}

// Columns that change under prepared statements, while the pool keeps them.
func TestChangedTable(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		write(t, db, "create table t (a integer)", "insert into t values (1)")
		use := func() (n int) {
			for _, lend := range []func(func(sqldb.Querier) error) error{
				func(fn func(sqldb.Querier) error) error { return db.Read(ctx, fn) },
				func(fn func(sqldb.Querier) error) error { return db.Snapshot(ctx, fn) },
				func(fn func(sqldb.Querier) error) error {
					return db.Write(ctx, func(tx sqldb.Tx) error { return fn(tx) })
				},
			} {
				err := lend(func(q sqldb.Querier) error {
					return q.Query(ctx, "select * from t", nil, func(r sqldb.Row) error {
						n += len(r.Text(0))
						return nil
					})
				})
				if err != nil {
					t.Error(err)
				}
			}
			return n
		}
		if n := use(); n != 3 {
			t.Error(n)
		}
		write(t, db, "alter table t add column b varchar")
		if n := use(); n != 3 {
			t.Error(n)
		}
		write(t, db, "drop table t", "create table t (a varchar)", "insert into t values ('xyz')")
		if n := use(); n != 9 {
			t.Error(n)
		}
	})
}
