package sqldb_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// in the order of jsonb, each value as jsonb prints it
var orderedJSON = []string{
	`[]`, `null`, `""`, `"B"`, `"a"`, `"ab"`, `"é"`, `-7`, `-0.5`, `0`, `0.1`, `3`, `25`, `1000000`, `false`, `true`,
	`["b"]`, `[1]`, `[[]]`, `["a", 2]`, `[1, 2]`, `[1, 3]`, `[1, 2, 0]`, `{}`, `{"a": 2}`, `{"b": 1}`, `{"bb": 1}`, `{"b": 1, "aa": null}`,
}

func TestJSONOrder(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		d := db.Dialect()
		write(t, db, "create table t (j "+d.ColumnType(sqldb.JSON)+")")
		shuffled := slices.Clone(orderedJSON)
		slices.Sort(shuffled)
		for _, j := range shuffled {
			if err := failure(db, "insert into t values ("+d.JSONValue("$1")+")", j); err != nil {
				t.Fatal(err)
			}
		}
		if got := texts(t, db, "select j from t order by "+d.JSONOrder("j")); !slices.Equal(got, orderedJSON) {
			t.Errorf("got  %s\nwant %s", strings.Join(got, " "), strings.Join(orderedJSON, " "))
		}
		for _, c := range []struct{ where, arg, want string }{
			{"=", `3.0`, "3"},
			{"=", `{"aa": null, "b": 1}`, `{"b": 1, "aa": null}`},
			{"<", `""`, "[],null"},
			{">", `{"b": 1}`, `{"bb": 1},{"b": 1, "aa": null}`},
			{"=", `1e6`, "1000000"},
		} {
			sql := "select j from t where " + d.JSONOrder("j") + " " + c.where + " " + d.JSONOrder(d.JSONValue("$1")) + " order by " + d.JSONOrder("j")
			if got := strings.Join(texts(t, db, sql, c.arg), ","); got != c.want {
				t.Errorf("%s %s: %s, want %s", c.where, c.arg, got, c.want)
			}
		}
	})
}

func TestJSONPlain(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		d := db.Dialect()
		for json, want := range map[string]string{
			`"Größe \"x\" \u0001"`: "Größe \"x\" \x01", `false`: "false", `null`: "NULL", `1.50`: "1.50", `1.5e2`: "150",
			`["hot","new"]`: `["hot", "new"]`, `{"bb":[1,{}],"a":"q\"\\\n\u0001é"}`: `{"a": "q\"\\\n\u0001é", "bb": [1, {}]}`,
		} {
			if got := text(t, db, "select "+d.JSONPlain(d.JSONValue("$1")), json); got != want {
				t.Errorf("%s: %s, want %s", json, got, want)
			}
		}
		if got := text(t, db, "select "+d.JSONPlain(d.JSONValue("$1")), nil); got != "NULL" {
			t.Error(got)
		}
	})
}

func TestJSONContains(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		d := db.Dialect()
		for _, c := range []struct{ whole, part, want string }{
			{`["hot", "new"]`, `["new"]`, "yes"},
			{`["hot", "new"]`, `"new"`, "yes"},
			{`["hot", "new"]`, `["new", "hot", "hot"]`, "yes"},
			{`["hot", "new"]`, `["old"]`, "no"},
			{`["hot"]`, `[]`, "yes"},
			{`"hot"`, `["hot"]`, "no"},
			{`"hot"`, `"hot"`, "yes"},
			{`[3, 4.0]`, `[4]`, "yes"},
			{`[["a"]]`, `["a"]`, "no"},
			{`[["a"]]`, `"a"`, "no"},
			{`[["a", "b"]]`, `[["b"]]`, "yes"},
			{`{"k": {"l": [1]}, "m": 2}`, `{"k": {"l": [1]}}`, "yes"},
			{`{"k": [1, 2]}`, `{"k": [2]}`, "yes"},
			{`{"k": [1, 2]}`, `{"k": 2}`, "no"},
			{`{"k": 1}`, `{"j": 1}`, "no"},
			{`[]`, `{}`, "no"},
			{`{}`, `[]`, "no"},
			{`1`, `{}`, "no"},
			{`false`, `0`, "no"},
		} {
			contains := d.JSONContains(d.JSONValue("$1"), d.JSONValue("$2"))
			got := text(t, db, "select case when "+contains+" then 'yes' else 'no' end", c.whole, c.part)
			if got != c.want {
				t.Errorf("%s @> %s: %s", c.whole, c.part, got)
			}
		}
		if got := text(t, db, "select "+d.JSONContains(d.JSONValue("$1"), d.JSONValue("$2")), nil, "1"); got != "NULL" {
			t.Error(got)
		}
	})
}

func TestJSONElements(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		d := db.Dialect()
		write(t, db, "create table t (id integer, j "+d.ColumnType(sqldb.JSON)+")",
			`insert into t values (1, '["hot", 7]'), (2, '"hot"'), (3, '[]'), (4, null), (5, '{"a": 1}')`)
		sql := "select t.id || coalesce(' ' || e.value, '') from t left join " + d.JSONElements("t.j") + " e on e.value <> 'x' order by 1"
		if got := texts(t, db, sql); !slices.Equal(got, []string{"1 7", "1 hot", "2", "3", "4", "5"}) {
			t.Error(got)
		}
	})
}

func TestJSONRows(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		rows := db.Dialect().JSONRows("$1", sqldb.Int8, sqldb.Text)
		list := `[[1, "a\"b"], [9007199254740993, "é"], [-3, "7"]]`
		got := texts(t, db, "select (c1 + 1) || ' ' || c2 from "+rows+" as x order by c1", list)
		if !slices.Equal(got, []string{"-2 7", `2 a"b`, "9007199254740994 é"}) {
			t.Errorf("%q", got)
		}
		if got := texts(t, db, "select c1 from "+rows+" as x", "[]"); len(got) != 0 {
			t.Error(got)
		}
		moments := db.Dialect().JSONRows("$1", sqldb.Int8, sqldb.Timestamp)
		at := time.Date(2026, 3, 14, 10, 30, 0, 120_000_000, time.UTC)
		list = `[[1, "` + at.Format(sqldb.MomentLayout) + `"], [2, null]]`
		if got := texts(t, db, "select c1 from "+moments+" as x where c2 = $2", list, at); !slices.Equal(got, []string{"1"}) {
			t.Error(got)
		}
	})
}
