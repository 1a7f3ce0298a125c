package sqldb_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // zones where the system has none

	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

func TestDates(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		d := db.Dialect()
		write(t, db, fmt.Sprintf("create table t (id integer, ts %s, d %s)",
			d.ColumnType(sqldb.Timestamp), d.ColumnType(sqldb.Date)))
		moments := []string{
			"2024-12-31 23:30:15.9", "2024-02-29 00:00:00", "2023-01-01 12:00:00", "2021-01-03 22:59:59",
			"2024-03-31 00:59:59", "2024-03-31 01:00:00", "2024-10-27 00:30:00", "1999-07-01 05:06:07",
		}
		for i, m := range moments {
			if err := failure(db, "insert into t values ($1, $2, $3)", i, m, m[:10]); err != nil {
				t.Fatal(err)
			}
		}
		if err := failure(db, "insert into t values ($1, $2, $3)", 99, nil, nil); err != nil {
			t.Fatal(err)
		}
		for _, tz := range []string{"", "UTC", "Europe/Brussels", "America/New_York", "Asia/Kathmandu"} {
			location, err := time.LoadLocation(tz)
			if err != nil {
				t.Fatal(err)
			}
			for i, m := range moments {
				at, _ := time.Parse("2006-01-02 15:04:05", m)
				at = at.In(location)
				checkDateParts(t, db, d, i, tz, at)
				checkDateTrunc(t, db, d, i, tz, at)
			}
		}
		if got := text(t, db, "select "+d.DateTrunc("month", "d", "", 0)+" from t where id = 0"); got != "2024-12-01 00:00:00" {
			t.Error(got)
		}
		if got := text(t, db, "select "+d.DatePart("day_of_year", "d", "")+" from t where id = 1"); got != "60" {
			t.Error(got)
		}
		for _, expr := range []string{
			d.DatePart("year_number", "ts", "UTC"), d.DateTrunc("week", "ts", "UTC", 6),
			d.DatePart("nonsense", "ts", ""), d.DateTrunc("century", "ts", "", 0),
		} {
			if got := text(t, db, "select "+expr+" from t where id = 99"); got != "NULL" {
				t.Errorf("%s: %s", expr, got)
			}
		}
		for _, zone := range []string{"Mars/Olympus", "Local", "it's"} {
			err := db.Read(ctx, func(q sqldb.Querier) error {
				return q.Query(ctx, "select "+d.DatePart("hour_number", "ts", zone)+" from t", nil, nil)
			})
			if !errors.Is(err, sqldb.ErrBadValue) {
				t.Errorf("%s: %v", zone, err)
			}
		}
	})
}

func checkDateParts(t *testing.T, db sqldb.DB, d sqldb.Dialect, id int, tz string, at time.Time) {
	t.Helper()
	_, week := at.ISOWeek()
	want := []int{
		at.Year(), (int(at.Month()) + 2) / 3, int(at.Month()), week, at.YearDay(),
		at.Day(), int(at.Weekday()), at.Hour(), at.Minute(), at.Second(),
	}
	var exprs []string
	for _, part := range sqldb.DateParts() {
		exprs = append(exprs, d.DatePart(part, "ts", tz))
	}
	row(t, db, "select "+strings.Join(exprs, ", ")+" from t where id = $1", []any{id}, func(r sqldb.Row) {
		for i, part := range sqldb.DateParts() {
			if r.Int(i) != int64(want[i]) {
				t.Errorf("%s of %v: %d, want %d", part, at, r.Int(i), want[i])
			}
		}
	})
}

func checkDateTrunc(t *testing.T, db sqldb.DB, d sqldb.Dialect, id int, tz string, at time.Time) {
	t.Helper()
	year, month, day := at.Date()
	week := func(first time.Weekday) time.Time {
		back := (int(at.Weekday()) - int(first) + 7) % 7
		return time.Date(year, month, day-back, 0, 0, 0, 0, time.UTC)
	}
	want := map[string]time.Time{
		d.DateTrunc("hour", "ts", tz, 0):    time.Date(year, month, day, at.Hour(), 0, 0, 0, time.UTC),
		d.DateTrunc("day", "ts", tz, 0):     time.Date(year, month, day, 0, 0, 0, 0, time.UTC),
		d.DateTrunc("month", "ts", tz, 0):   time.Date(year, month, 1, 0, 0, 0, 0, time.UTC),
		d.DateTrunc("quarter", "ts", tz, 0): time.Date(year, (month-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC),
		d.DateTrunc("year", "ts", tz, 0):    time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC),
		d.DateTrunc("week", "ts", tz, 0):    week(time.Monday),
		d.DateTrunc("week", "ts", tz, 5):    week(time.Saturday),
		d.DateTrunc("week", "ts", tz, 6):    week(time.Sunday),
	}
	for expr, w := range want {
		row(t, db, "select "+expr+" from t where id = $1", []any{id}, func(r sqldb.Row) {
			if got := r.Text(0); got != w.Format(time.DateTime) || !r.Time(0).Equal(w) {
				t.Errorf("%s of %v: %s, want %v", expr, at, got, w)
			}
		})
	}
}

func TestNow(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		d := db.Dialect()
		row(t, db, "select "+d.Now()+", count(distinct "+d.Now()+") from (select 1 union all select 2) as x", nil,
			func(r sqldb.Row) {
				if age := time.Since(r.Time(0)); age < -time.Second || age > time.Minute {
					t.Error(r.Text(0))
				}
				if r.Int(1) != 1 {
					t.Error("now changes within a statement")
				}
			})
		write(t, db, "create table t (at "+d.ColumnType(sqldb.Timestamp)+")", "insert into t values ("+d.Now()+")")
		time.Sleep(2 * time.Millisecond)
		if got := texts(t, db, "select 1 from t where at < "+d.Now()); len(got) != 1 {
			t.Error("time stands still")
		}
	})
}

func TestWindowStart(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		d := db.Dialect()
		write(t, db, "create table w (s integer, began "+d.ColumnType(sqldb.Timestamp)+")",
			"insert into w (s) values (1), (7), (60), (3600), (86400), (315360000)")
		// stored and found again: the texts that SQLite keeps must be equal
		write(t, db, "update w set began = "+d.WindowStart("s")+" where s > 7")
		if got := texts(t, db, "select s from w where began = "+d.WindowStart("w.s")+" order by s"); len(got) < 3 {
			t.Errorf("found again: %v", got)
		}
		err := db.Read(ctx, func(q sqldb.Querier) error {
			sql := "select s, " + d.WindowStart("s") + ", " + d.After(d.WindowStart("s"), "s") + ", " + d.Now() + " from w"
			return q.Query(ctx, sql, nil, func(r sqldb.Row) error {
				length, start, end, now := r.Int(0), r.Time(1), r.Time(2), r.Time(3)
				if start.Unix()%length != 0 || start.Nanosecond() != 0 || start.After(now) || !now.Before(end) ||
					end.Sub(start) != time.Duration(length)*time.Second {
					t.Errorf("a window of %d s at %v: from %v to %v", length, now, start, end)
				}
				return nil
			})
		})
		if err != nil {
			t.Error(err)
		}
	})
}
