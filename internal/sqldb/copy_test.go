package sqldb_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

func TestCopy(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		everyKind(t, db)
		columns := []string{"i4", "i8", "b", "f8", "n", "v", "t", "d", "ts", "j", "by"}
		odd := []any{
			-7, int64(1) << 60, true, 0.1, 12.5, "tab\tline\ncr\r\\N \\ \"é", "", "2024-02-29",
			time.Date(2024, 2, 29, 1, 2, 3, 4000, time.UTC), `{"a":"\n"}`,
			[]byte{0, '\\', '\t', 255},
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
