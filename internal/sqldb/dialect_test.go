package sqldb_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

func TestIn(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		d := db.Dialect()
		write(t, db, "create table t (id integer, name varchar)",
			"insert into t values (1, 'a'), (2, 'b''\"\\{,}'), (3, null), (null, 'é')")
		many := make([]int64, 50_000)
		for i := range many {
			many[i] = int64(i) - 40_000
		}
		for _, c := range []struct {
			where string
			arg   any
			want  string
		}{
			{d.In("id", "$1", true), []int64{1, 3, 99}, "1,3"},
			{d.In("id", "$1", true), []int64{}, ""},
			{d.In("id", "$1", true), []int64(nil), ""},
			{d.In("id", "$1", true), []int64{1 << 40, 2}, "2"},
			{d.In("id", "$1", true), many, "1,2,3"},
			{d.NotIn("id", "$1", true), []int64{1}, "2,3"},
			{d.NotIn("id", "$1", true), []int64{}, "1,2,3,NULL"},
			{d.In("name", "$1", false), []string{`b'"\{,}`, "é", "zz"}, "2,NULL"},
			{d.In("name", "$1", false), []string{}, ""},
			{d.NotIn("name", "$1", false), []string{"a"}, "2,NULL"},
			{d.NotIn("name", "$1", false), []string(nil), "1,2,3,NULL"},
			{"not (" + d.In("id", "$1", true) + ")", []int64{2}, "1,3"},
		} {
			got := strings.Join(texts(t, db, "select id from t where "+c.where+" order by id is null, id", c.arg), ",")
			if got != c.want {
				t.Errorf("%s: %s, want %s", c.where, got, c.want)
			}
		}
	})
}

// cases of like_test.go that both databases must agree on
func TestLike(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		for _, c := range sqldb.LikeCases() {
			like := db.Dialect().Like("cast($1 as text)", "$2", c.Fold)
			got := text(t, db, "select case when "+like+" then 'yes' else 'no' end", c.Text, c.Pattern)
			if (got == "yes") != c.Want {
				t.Errorf("%q like %q (fold %v): %s", c.Text, c.Pattern, c.Fold, got)
			}
		}
		for _, fold := range []bool{false, true} {
			like := db.Dialect().Like("cast($1 as text)", "$2", fold)
			if got := text(t, db, "select "+like, nil, "%"); got != "NULL" {
				t.Error(got)
			}
			if got := text(t, db, "select "+like, "x", nil); got != "NULL" {
				t.Error(got)
			}
			for _, pattern := range []string{`\`, `%\`} {
				err := db.Read(ctx, func(q sqldb.Querier) error {
					return q.Query(ctx, "select "+like, []any{"a", pattern}, nil)
				})
				if !errors.Is(err, sqldb.ErrBadPattern) {
					t.Errorf("%s: %v", pattern, err)
				}
			}
		}
	})
}

func TestJSON(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		d := db.Dialect()
		write(t, db, "create table t (id integer, j "+d.ColumnType(sqldb.JSON)+")",
			`insert into t values (1, '{"en_US": "Chair", "a.b": "dot", "$x": "dollar", "n": null, "o": {"k": "v"}}'), (2, null)`)
		for expr, want := range map[string]string{
			d.JSONText("j", "en_US"):             "Chair",
			d.JSONText("j", "a.b"):               "dot",
			d.JSONText("j", "$x"):                "dollar",
			d.JSONText("j", "n"):                 "NULL",
			d.JSONText("j", "fr_FR"):             "NULL",
			d.JSONText("j", "it's"):              "NULL",
			d.JSONText(d.JSONGet("j", "o"), "k"): "v",
			"coalesce(" + d.JSONText("j", "fr_FR") + ", " + d.JSONText("j", "en_US") + ")": "Chair",
			d.JSONText(d.JSONRemove("j", "en_US"), "en_US"):                                "NULL",
			d.JSONText(d.JSONRemove("j", "en_US"), "a.b"):                                  "dot",
		} {
			if got := text(t, db, "select "+expr+" from t where id = 1"); got != want {
				t.Errorf("%s: %s", expr, got)
			}
		}
		for id, want := range map[int]string{1: "Stuhl,Chair", 2: "Stuhl,NULL"} {
			set := "update t set j = " + d.JSONSetText("j", "de_DE", "$1") + " where id = $2"
			if err := failure(db, set, "Stuhl", id); err != nil {
				t.Fatal(err)
			}
			got := text(t, db, "select "+d.JSONText("j", "de_DE")+" from t where id = $1", id) + "," +
				text(t, db, "select "+d.JSONText("j", "en_US")+" from t where id = $1", id)
			if got != want {
				t.Error(got)
			}
			if err := failure(db, set, nil, id); err != nil {
				t.Fatal(err)
			}
			value := "update t set j = " + d.JSONSet("j", "o", "$1") + " where id = $2"
			if err := failure(db, value, `{"k": ["x", 1]}`, id); err != nil {
				t.Fatal(err)
			}
			list := "select " + d.JSONText(d.JSONGet("j", "o"), "k") + " from t where id = $1"
			if got := strings.ReplaceAll(text(t, db, list, id), " ", ""); got != `["x",1]` {
				t.Error(got)
			}
			if err := failure(db, value, `{"k"`, id); !errors.Is(err, sqldb.ErrBadValue) {
				t.Error(err)
			}
			if got := text(t, db, "select "+d.JSONText("j", "de_DE")+" from t where id = $1", id); got != "NULL" {
				t.Error(got)
			}
		}
	})
}

func TestTextOrder(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		write(t, db, "create table t (v varchar)",
			"insert into t values ('b'), ('B'), ('a'), ('é'), ('z'), ('_'), ('A b'), ('Ab'), ('😀'), ('\uffee')")
		got := texts(t, db, "select v from t order by "+db.Dialect().TextOrder("v"))
		if !slices.IsSorted(got) {
			t.Error(got)
		}
	})
	if got := sqldb.PostgresDialect(false).TextOrder("v"); got != `v collate "C"` {
		t.Error(got)
	}
}

func TestCastText(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		everyKind(t, db)
		d := db.Dialect()
		for column, c := range map[string]struct {
			kind sqldb.ColumnKind
			want string
		}{
			"i4": {sqldb.Int4, "-7"}, "i8": {sqldb.Int8, "1152921504606846976"}, "b": {sqldb.Bool, "true"},
			"f8": {sqldb.Float8, "0.1"}, "n": {sqldb.Numeric, "12.5"}, "v": {sqldb.Varchar, "Größe"},
			"d": {sqldb.Date, "2024-02-29"}, "ts": {sqldb.Timestamp, "2024-02-29 22:59:58.12"},
		} {
			for id, want := range map[int]string{1: c.want, 2: "NULL"} {
				sql := "select " + d.CastText(column, c.kind) + " from kinds where id = $1"
				if got := text(t, db, sql, id); got != want {
					t.Errorf("%s: %s, want %s", column, got, want)
				}
			}
		}
		if got := text(t, db, "select "+d.CastText("not b", sqldb.Bool)+" from kinds where id = 1"); got != "false" {
			t.Error(got)
		}
		if got := text(t, db, "select "+d.CastText("f8 * 10", sqldb.Float8)+" from kinds where id = 1"); got != "1" {
			t.Error(got)
		}
	})
}

func TestFirstLine(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		d := db.Dialect()
		for in, want := range map[string]string{"one": "one", "one\ntwo\nthree": "one", "\ntwo": "", "": ""} {
			if got := text(t, db, "select "+d.FirstLine("cast($1 as text)"), in); got != want {
				t.Errorf("%q: %q, want %q", in, got, want)
			}
		}
		if got := text(t, db, "select "+d.FirstLine("cast(null as text)")); got != "NULL" {
			t.Error(got)
		}
	})
}

func TestAggregatesAndExtremes(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		d := db.Dialect()
		write(t, db, "create table t (b "+d.ColumnType(sqldb.Bool)+", x integer, y integer, z integer)",
			"insert into t values (true, 1, null, 3), (false, null, 5, 4)")
		for expr, want := range map[string]string{
			"(select case when " + d.BoolAnd("b") + " then 1 else 0 end from t)": "0,0",
			"(select case when " + d.BoolOr("b") + " then 1 else 0 end from t)":  "1,1",
			d.Greatest("x", "y", "z"):       "3,5",
			d.Least("x", "y", "z"):          "1,4",
			d.Greatest("x"):                 "1,NULL",
			d.Least("x", "y"):               "1,5",
			d.Greatest("nullif(z, z)", "x"): "1,NULL",
		} {
			if got := strings.Join(texts(t, db, "select "+expr+" from t order by z"), ","); got != want {
				t.Errorf("%s: %s, want %s", expr, got, want)
			}
		}
	})
}

func TestJSONLists(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		d := db.Dialect()
		write(t, db, fmt.Sprintf("create table t (id integer, i integer, f %s, b %s, v varchar, d %s, ts %s)", d.ColumnType(sqldb.Float8),
			d.ColumnType(sqldb.Bool), d.ColumnType(sqldb.Date), d.ColumnType(sqldb.Timestamp)),
			"insert into t values (2, 7, 0.1, true, 'B', '2024-02-29', '2024-02-29 10:30:00.75'), (1, null, null, null, null, null, null),"+
				" (3, -7, 2.5, false, 'a\"', '2023-01-01', '2023-01-01 00:00:00'), (4, 7, 0.1, true, 'B', '2024-02-29', '2024-02-29 10:30:00.75')")
		for _, c := range []struct {
			column     string
			kind       sqldb.ColumnKind
			want, once string
		}{
			{"i", sqldb.Int4, "[null,7,-7,7]", "[-7,7,null]"},
			{"f", sqldb.Float8, "[null,0.1,2.5,0.1]", "[0.1,2.5,null]"},
			{"b", sqldb.Bool, "[null,true,false,true]", "[false,true,null]"},
			{"v", sqldb.Varchar, `[null,"B","a\"","B"]`, `["B","a\"",null]`},
			{"d", sqldb.Date, `[null,"2024-02-29","2023-01-01","2024-02-29"]`, `["2023-01-01","2024-02-29",null]`},
			{
				"ts", sqldb.Timestamp, `[null,"2024-02-29 10:30:00","2023-01-01 00:00:00","2024-02-29 10:30:00"]`,
				`["2023-01-01 00:00:00","2024-02-29 10:30:00",null]`,
			},
		} {
			got := text(t, db, "select "+d.AggJSON(c.column, c.kind, "id")+" from t")
			if got = strings.ReplaceAll(got, ", ", ","); got != c.want {
				t.Errorf("%s: %s, want %s", c.column, got, c.want)
			}
			once := text(t, db, "select "+d.AggJSONDistinct(c.column, c.kind)+" from t")
			if once = strings.ReplaceAll(once, ", ", ","); once != c.once {
				t.Errorf("%s, each once: %s, want %s", c.column, once, c.once)
			}
		}
		if got := text(t, db, "select "+d.Decimals("sum(x)")+" from (select 0.1 as x union all select 0.2) s"); got != "0.3" {
			t.Errorf("0.1 + 0.2 = %s", got)
		}
		for id, want := range map[int]string{1: "NULL", 2: "0.75", 3: "0"} {
			if got := text(t, db, "select "+d.Seconds("ts", "Asia/Kolkata")+" from t where id = $1", id); got != want {
				t.Errorf("seconds of %d: %s, want %s", id, got, want)
			}
		}
	})
}

func TestSerial(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		d := db.Dialect()
		insert := func() string {
			id := ""
			err := db.Write(ctx, func(tx sqldb.Tx) error {
				return tx.Query(ctx, `insert into "My Table" (v) values ('x') returning id`, nil, func(r sqldb.Row) error {
					id = r.Text(0)
					return nil
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		sync := func() {
			err := db.Write(ctx, func(tx sqldb.Tx) error { return tx.Query(ctx, d.SyncSequence("My Table"), nil, nil) })
			if err != nil {
				t.Fatal(err)
			}
		}
		write(t, db, `create table "My Table" (id `+d.ColumnType(sqldb.SerialPK)+", v varchar)")
		sync()
		got := []string{insert()}
		write(t, db, `insert into "My Table" (id, v) values (41, 'explicit')`)
		sync()
		got = append(got, insert())
		write(t, db, `delete from "My Table" where id > 1`)
		sync() // must not give 42 again
		got = append(got, insert())
		if want := []string{"1", "42", "43"}; !slices.Equal(got, want) {
			t.Error(got)
		}
		self := `insert into "My Table" (v) values ('self ' || ` + d.SelfID("My Table") + ")"
		write(t, db, self, self)
		if got := texts(t, db, `select v from "My Table" where id > 43 order by id`); !slices.Equal(got, []string{"self 44", "self 45"}) {
			t.Error(got)
		}
	})
}

// Ids over a bound that are given leave those below it where they are.
func TestNextBelow(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		d := db.Dialect()
		write(t, db, `create table "My Table" (id `+d.ColumnType(sqldb.SerialPK)+", v varchar)")
		insert := `insert into "My Table" (v) values ('x')`
		if next := d.NextBelow("My Table", 1000); next != "" {
			insert = `insert into "My Table" (id, v) values (` + next + `, 'x')`
		}
		given := `insert into "My Table" (id, v) values (1000, 'given')`
		write(t, db, insert, insert, `delete from "My Table" where id = 2`, insert, given, insert,
			`insert into "My Table" (id, v) values (1700, 'given')`, insert)
		got := texts(t, db, `select cast(id as text) from "My Table" where v = 'x' order by id`)
		if want := []string{"1", "3", "4", "5"}; !slices.Equal(got, want) {
			t.Error(got)
		}
	})
}

func TestColumns(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		d := db.Dialect()
		write(t, db, "create table other (id integer primary key)",
			`create table t (id integer primary key, "A b" varchar, u varchar unique, f integer,
				foreign key (f) references other (id))`,
			d.AddColumn("t", "o", "integer references other (id)"),
			d.AddColumn("t", "n", "integer not null default 5"),
			"create index t_n on t (n)", "create index t_on on t (o, n)",
			"insert into other values (1)", "insert into t values (1, 'x', 'y', 1, 1, 1)")
		err := db.Write(ctx, func(tx sqldb.Tx) error {
			names, err := sqldb.TableColumns(ctx, tx, "t")
			if want := []string{"id", "A b", "u", "f", "o", "n"}; !slices.Equal(names, want) || err != nil {
				t.Error(names, err)
			}
			for _, column := range []string{"A b", "u", "f", "o", "n"} {
				if err := sqldb.DropColumn(ctx, tx, "t", column); err != nil {
					t.Errorf("drop %s: %v", column, err)
				}
				if found, err := sqldb.ColumnExists(ctx, tx, "t", column); found || err != nil {
					t.Errorf("%s is still there, %v", column, err)
				}
			}
			names, err = sqldb.TableColumns(ctx, tx, "t")
			want := []string{"id"}
			if !isPostgres(db) {
				want = []string{"id", "u__dropped_1", "f__dropped_1"}
			}
			if !slices.Equal(names, want) {
				t.Error(names)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		write(t, db, d.AddColumn("t", "u", "varchar"), "insert into t (id, u) values (2, 'z')", "delete from other")
		for table, want := range map[string]bool{"t": true, "none": false, "T": false} {
			err := db.Read(ctx, func(q sqldb.Querier) error {
				found, err := sqldb.TableExists(ctx, q, table)
				if found != want {
					t.Errorf("%s exists: %v", table, found)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
		if err := db.Write(ctx, func(tx sqldb.Tx) error { return sqldb.DropColumn(ctx, tx, "t", "nope") }); err == nil {
			t.Error("dropped a column that is not there")
		}
	})
}
