package sqldb_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// everyKind is a table with a column of each kind, and one full and one empty row.
func everyKind(t *testing.T, db sqldb.DB) {
	d := db.Dialect()
	columns := []string{"id " + d.ColumnType(sqldb.SerialPK)}
	for name, kind := range map[string]sqldb.ColumnKind{
		"i4": sqldb.Int4, "i8": sqldb.Int8, "b": sqldb.Bool, "f8": sqldb.Float8, "n": sqldb.Numeric,
		"v": sqldb.Varchar, "t": sqldb.Text, "d": sqldb.Date, "ts": sqldb.Timestamp, "j": sqldb.JSON, "by": sqldb.Bytes,
	} {
		columns = append(columns, name+" "+d.ColumnType(kind))
	}
	write(t, db, "create table kinds ("+strings.Join(columns, ", ")+")")
	err := db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.Exec(ctx, `insert into kinds (i4, i8, b, f8, n, v, t, d, ts, j, by)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			-7, int64(1)<<60, true, 0.1, 12.5, "Größe", "", "2024-02-29",
			time.Date(2024, 2, 29, 23, 59, 58, 120_000_999, time.FixedZone("", 3600)), `{"a":"b"}`, []byte{0, 255, 'x'})
		if err == nil {
			_, err = tx.Exec(ctx, "insert into kinds (v) values ($1)", nil)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRowGetters(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		everyKind(t, db)
		moment := time.Date(2024, 2, 29, 22, 59, 58, 120_000_000, time.UTC)
		row(t, db, "select id, i4, i8, b, f8, n, v, t, d, ts, j, by from kinds where id = 1", nil, func(r sqldb.Row) {
			for i := range 12 {
				if r.Null(i) {
					t.Errorf("column %d is null", i)
				}
			}
			check := func(what string, got, want any) {
				t.Helper()
				if got != want {
					t.Errorf("%s: %v, want %v", what, got, want)
				}
			}
			check("id", r.Int(0), int64(1))
			check("i4", r.Int(1), int64(-7))
			check("i4 float", r.Float(1), -7.0)
			check("i4 text", r.Text(1), "-7")
			check("i4 bool", r.Bool(1), true)
			check("i8", r.Int(2), int64(1)<<60)
			check("i8 text", r.Text(2), "1152921504606846976")
			check("b", r.Bool(3), true)
			check("b int", r.Int(3), int64(1))
			check("f8", r.Float(4), 0.1)
			check("f8 text", r.Text(4), "0.1")
			check("f8 int", r.Int(4), int64(0))
			check("n", r.Float(5), 12.5)
			check("n int", r.Int(5), int64(12))
			check("n text", r.Text(5), "12.5")
			check("v", r.Text(6), "Größe")
			check("v bytes", string(r.Bytes(6)), "Größe")
			check("t", r.Text(7), "")
			check("d", r.Text(8), "2024-02-29")
			check("d time", r.Time(8), time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC))
			check("ts", r.Text(9), "2024-02-29 22:59:58.12")
			check("ts time", r.Time(9).Equal(moment), true)
			check("ts zone", r.Time(9).Location(), time.UTC)
			check("j", strings.ReplaceAll(r.Text(10), " ", ""), `{"a":"b"}`)
			check("by", string(r.Bytes(11)), "\x00\xffx")
			check("by text", r.Text(11), "\x00\xffx")
			// all bytes of a row hold until its end
			a, b, c := r.Bytes(1), r.Bytes(4), r.Bytes(6)
			check("together", string(a)+string(b)+string(c), "-70.1Größe")
		})
	})
}

func TestRowNull(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		everyKind(t, db)
		row(t, db, "select i4, i8, b, f8, n, v, t, d, ts, j, by from kinds where id = 2", nil, func(r sqldb.Row) {
			for i := range 11 {
				if !r.Null(i) || r.Int(i) != 0 || r.Float(i) != 0 || r.Bool(i) || r.Text(i) != "" ||
					r.Bytes(i) != nil || !r.Time(i).IsZero() || r.IDs(i) != nil {
					t.Errorf("column %d is not null", i)
				}
			}
		})
	})
}

// Types that only PostgreSQL has, as a genuine Odoo or a computed column may.
func TestRowPostgresTypes(t *testing.T) {
	db := sqltest.Open(t, "postgres")
	for expr, want := range map[string]string{
		"1::smallint":                     "1",
		"true":                            "true",
		"1.5::real":                       "1.5",
		"1e6::real":                       "1e+06",
		"'x'::name":                       "x",
		"'x'::char(3)":                    "x  ",
		"123.4500::numeric":               "123.4500",
		"-0.001::numeric":                 "-0.001",
		"'NaN'::numeric":                  "NaN",
		"1e20::numeric":                   "100000000000000000000",
		"'2024-01-01 10:00'::timestamptz": "2024-01-01 10:00:00",
		"'2024-01-01 10:00:00.10+02'::timestamptz":     "2024-01-01 08:00:00.1",
		"'infinity'::timestamp":                        "infinity",
		"'-infinity'::date":                            "-infinity",
		"'0044-03-15 BC'::date":                        "0044-03-15 BC",
		"'0001-01-01'::date":                           "0001-01-01",
		"'1970-01-01 00:00:00.000001'::timestamp":      "1970-01-01 00:00:00.000001",
		"'1969-12-31 23:59:59.5'::timestamp":           "1969-12-31 23:59:59.5",
		"array[1,2,3]":                                 "{1,2,3}",
		"'{\"a\": 1}'::json":                           `{"a": 1}`,
		"'{\"a\":1}'::jsonb":                           `{"a": 1}`,
		"'11111111-2222-3333-4444-555555555555'::uuid": "11111111-2222-3333-4444-555555555555",
		"'1 day'::interval":                            "1 day",
		"'\\x6869'::bytea":                             "hi",
		"null::int":                                    "NULL",
		"'127.0.0.1'::inet":                            "127.0.0.1",
	} {
		if got := text(t, db, "select "+expr); got != want {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
	row(t, db, "select 12345678901234567890::numeric, sum(x), avg(x), 1::smallint, -2::smallint from generate_series(1, 4) x", nil,
		func(r sqldb.Row) {
			if r.Float(0) != 12345678901234567890 || r.Int(1) != 10 || r.Float(2) != 2.5 || r.Int(4) != -2 || !r.Bool(3) {
				t.Error(r.Float(0), r.Int(1), r.Float(2), r.Int(4))
			}
		})
}

func TestIDs(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		d := db.Dialect()
		write(t, db, "create table t (g integer, x integer)",
			"insert into t values (1, 3), (1, 1), (1, 2), (2, null), (2, 7)")
		var got [][]int64
		row(t, db, "select g, "+d.AggIDs("x", "x desc")+" from t where g = 1 group by g union all select 2, "+
			d.AggIDs("x", "")+" from t where g = 2 union all select 3, "+d.AggIDs("x", "")+" from t where g = 9", nil,
			func(r sqldb.Row) { got = append(got, r.IDs(1)) })
		want := [][]int64{{3, 2, 1}, {7}, nil}
		if !slices.EqualFunc(got, want, slices.Equal) {
			t.Error(got)
		}
	})
}
