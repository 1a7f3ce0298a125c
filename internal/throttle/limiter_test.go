package throttle

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// counting is a database that counts its write transactions and how often they
// had to be run again, and can be held up or made to fail.
type counting struct {
	sqldb.DB
	writes, again atomic.Int64
	hold          chan struct{} // nil: do not wait
	fail          error
	broken        bool // panics
}

func (c *counting) Write(ctx context.Context, fn func(sqldb.Tx) error) error {
	c.writes.Add(1)
	if c.hold != nil {
		<-c.hold
	}
	if c.broken {
		panic("broken")
	}
	if c.fail != nil {
		return c.fail
	}
	runs := int64(0)
	err := c.DB.Write(ctx, func(tx sqldb.Tx) error {
		runs++
		return fn(tx)
	})
	c.again.Add(max(0, runs-1))
	return err
}

func start(t *testing.T, db sqldb.DB) *Limiter {
	t.Helper()
	if err := schema.Sync(t.Context(), db, Models()); err != nil {
		t.Fatal(err)
	}
	l := New(db, Options{})
	t.Cleanup(l.Close)
	return l
}

func take(t *testing.T, l *Limiter, subject string, limits ...Window) Decision {
	t.Helper()
	d, err := l.Take(t.Context(), subject, limits)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// long is a window that does not end during a test, except in one of some
// hundred thousand runs.
func long(limit int64) Window { return Window{"decade", 10 * 365 * 86400, limit} }

func TestTake(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		l := start(t, db)
		for i := int64(1); i <= 3; i++ {
			d := take(t, l, "key:1", long(3))
			if !d.Allowed || d.Limit != 3 || d.Remaining != 3-i || d.Window != "decade" || d.Reset <= 0 {
				t.Errorf("request %d: %+v", i, d)
			}
		}
		for range 2 {
			d := take(t, l, "key:1", long(3))
			if d.Allowed || d.Limit != 3 || d.Remaining != 0 || d.Reset <= 0 {
				t.Errorf("over the limit: %+v", d)
			}
		}
		if d := take(t, l, "key:2", long(3)); !d.Allowed {
			t.Errorf("another subject: %+v", d)
		}
		// A raised limit holds at once, a lowered one too.
		if d := take(t, l, "key:1", long(5)); !d.Allowed || d.Remaining != 1 {
			t.Errorf("raised: %+v", d)
		}
		if d := take(t, l, "key:1", long(2)); d.Allowed || d.Limit != 2 {
			t.Errorf("lowered: %+v", d)
		}
		if count, most := stored(t, db, "key:1", "decade"); count != 4 || most != 2 {
			t.Errorf("stored %d of %d, want 4 of 2", count, most)
		}
	})
}

func TestTakeWithoutLimits(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		start(t, db)
		c := &counting{DB: db}
		l := New(c, Options{})
		defer l.Close()
		for _, limits := range [][]Window{nil, {}, {long(0)}, {long(-1)}} {
			if d := take(t, l, "key:1", limits...); !d.Allowed || d.Limit != 0 {
				t.Errorf("%v: %+v", limits, d)
			}
		}
		if c.writes.Load() != 0 {
			t.Error("asked the database for nothing")
		}
		if d := take(t, l, "key:1", long(1<<40)); !d.Allowed || d.Limit != MaxLimit {
			t.Errorf("huge: %+v", d)
		}
	})
}

// Each window counts what it let through: what one refuses costs the others
// nothing.
func TestWindowsCountOnTheirOwn(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, db, second sqldb.DB) {
		a, b := start(t, db), start(t, second)
		year := Window{"year", 365 * 86400, 3}
		limits := []Window{year, long(8)}
		for i := range 12 { // in turn, so that neither knows all from memory
			l := a
			if i%2 == 1 {
				l = b
			}
			d := take(t, l, "key:1", limits...)
			if d.Allowed != (i < 3) || d.Window != "year" || d.Limit != 3 {
				t.Errorf("request %d: %+v", i, d)
			}
		}
		if count, _ := stored(t, db, "key:1", "year"); count != 3 {
			t.Errorf("%d counted in the small window", count)
		}
		if count, _ := stored(t, db, "key:1", "decade"); count != 3 {
			t.Errorf("%d counted in the large window", count)
		}
		year.Limit = 100
		for i := range 7 {
			d := take(t, a, "key:1", year, long(8))
			if d.Allowed != (i < 5) || d.Window != "decade" {
				t.Errorf("request %d of the large window: %+v", i, d)
			}
		}
	})
}

// Over the limit, the database is left in peace.
func TestRefusedFromMemory(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		start(t, db)
		c := &counting{DB: db}
		l := New(c, Options{})
		defer l.Close()
		if _, no := l.Refused("key:1", []Window{long(1)}); no {
			t.Error("refused before anything was counted")
		}
		take(t, l, "key:1", long(1))
		before := c.writes.Load()
		for range 100 {
			if d := take(t, l, "key:1", long(1)); d.Allowed || d.Limit != 1 || d.Window != "decade" || d.Reset <= 0 {
				t.Fatalf("%+v", d)
			}
		}
		if d, no := l.Refused("key:1", []Window{long(1)}); !no || d.Allowed {
			t.Error("not known to be refused")
		}
		if got := c.writes.Load(); got != before {
			t.Errorf("%d transactions to refuse", got-before)
		}
		// Somebody deletes the window: with the signal the caller is free again.
		err := db.Write(t.Context(), func(tx sqldb.Tx) error {
			if _, err := tx.Exec(t.Context(), `delete from gateway_throttle`); err != nil {
				return err
			}
			return tx.Signal(t.Context(), Channel)
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := take(t, l, "key:1", long(1)); !d.Allowed {
			t.Errorf("still refused: %+v", d)
		}
	})
}

func TestWindowEnds(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		l := start(t, db)
		second := Window{"second", 1, 2}
		admitted := map[int64]int{}
		for end := time.Now().Add(2500 * time.Millisecond); time.Now().Before(end); {
			d := take(t, l, "key:1", second)
			if d.Reset > time.Second {
				t.Fatalf("resets in %v", d.Reset)
			}
			if d.Allowed {
				admitted[time.Now().Unix()]++
			}
			time.Sleep(time.Millisecond)
		}
		total := 0
		for _, n := range admitted {
			total += n
		}
		windows := 0
		err := db.Read(t.Context(), func(q sqldb.Querier) error {
			return q.Query(t.Context(), `select count, window_start from gateway_throttle order by window_start`, nil, func(r sqldb.Row) error {
				windows++
				if r.Int(0) != 2 {
					t.Errorf("%d in the window of %v", r.Int(0), r.Time(1))
				}
				return nil
			})
		})
		if err != nil || windows < 3 || total != 2*windows {
			t.Errorf("%d admitted in %d windows, want 2 each (%v)", total, windows, err)
		}
	})
}

// Windows begin at multiples of their length since 1970.
func TestWindowsAreAligned(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		l := start(t, db)
		limits := Windows(5, 6, 7)
		take(t, l, "key:1", limits...)
		err := db.Read(t.Context(), func(q sqldb.Querier) error {
			return q.Query(t.Context(), `select window_name, window_seconds, window_start from gateway_throttle`, nil, func(r sqldb.Row) error {
				begin := r.Time(2)
				if age := time.Since(begin); begin.Unix()%r.Int(1) != 0 || age < 0 || age > time.Duration(r.Int(1)+5)*time.Second {
					t.Errorf("%s began at %v", r.Text(0), begin)
				}
				return nil
			})
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestStoreFails(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		start(t, db)
		c := &counting{DB: db, fail: errors.New("disk on fire")}
		l := New(c, Options{})
		defer l.Close()
		d, err := l.Take(t.Context(), "key:1", []Window{long(5)})
		if d.Allowed || !fault.Is(err, fault.Unavailable) || strings.Contains(fault.From(err).Message, "fire") {
			t.Errorf("%+v, %v", d, err)
		}
		c.fail = nil
		if d := take(t, l, "key:1", long(5)); !d.Allowed || d.Remaining != 4 {
			t.Errorf("after it: %+v", d)
		}
	})
}

// Of several windows, the tightest is told: the fewest requests left or, when
// refused, the longest wait.
func TestDecide(t *testing.T) {
	windows := Windows(10, 20, 30)
	minute := counted{count: 4, reset: 30 * time.Second}
	hour := counted{count: 17, reset: 30 * time.Minute}
	day := counted{count: 17, reset: 10 * time.Hour}
	tally := func(admitted int64, found ...counted) *tally {
		return &tally{windows: windows, room: admitted, found: found}
	}
	for i, want := range []string{
		"{true 20 4 30m0s hour}", "{true 20 3 30m0s hour}", "{false 0 0 0s }", // nothing is full, so nothing refuses
	} {
		if got := shown(tally(2, minute, hour, day).decide(int64(i))); got != want {
			t.Errorf("the %d-th of two admitted: %s, want %s", i, got, want)
		}
	}
	minute.count, hour.count = 10, 20
	for _, found := range [][]counted{{minute, hour, day}, {minute, hour, {count: 30, reset: time.Second}}} {
		if got := shown(tally(0, found...).decide(0)); got != "{false 20 0 30m0s hour}" {
			t.Errorf("full for the minute and the hour: %s", got)
		}
	}
}

func shown(d Decision) string {
	return fmt.Sprintf("{%v %d %d %v %s}", d.Allowed, d.Limit, d.Remaining, d.Reset, d.Window)
}

func TestVacuum(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		l := start(t, db)
		now := time.Now().UTC()
		err := db.Write(t.Context(), func(tx sqldb.Tx) error {
			var rows [][]any
			for i := range 2500 {
				rows = append(rows, []any{fmt.Sprintf("key:%d", i), "minute", 60, now.Add(-49 * time.Hour), 1})
			}
			rows = append(rows, []any{"key:1", "day", 86400, now.Add(-47 * time.Hour), 1})
			_, err := tx.Copy(t.Context(), "gateway_throttle", []string{"subject", "window_name", "window_seconds", "window_start", "count"}, rows)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := l.Vacuum(t.Context()); n != 2500 || err != nil {
			t.Errorf("deleted %d, %v", n, err)
		}
		if count, _ := stored(t, db, "key:1", "day"); count != 1 {
			t.Error("deleted one that is not old")
		}
	})
}

func TestRefusalsAreBounded(t *testing.T) {
	rs := newRefusals(3000)
	now := fixed{}.Now()
	for i := range 5000 {
		rs.remember(fmt.Sprint(i), refusal{until: now.Add(-time.Second)}, now)
	}
	if len(rs.known) > 1001 {
		t.Errorf("%d ended refusals are kept", len(rs.known))
	}
	for i := range 5000 {
		rs.remember(fmt.Sprint("late", i), refusal{until: now.Add(time.Hour)}, now)
	}
	if len(rs.known) != 3000 {
		t.Errorf("%d refusals are kept, want 3000", len(rs.known))
	}
}

type fixed struct{}

func (fixed) Now() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

func TestWindows(t *testing.T) {
	if got := fmt.Sprint(Windows(1, 0, 3)); got != "[{minute 60 1} {day 86400 3}]" {
		t.Error(got)
	}
}

func TestDecisionFault(t *testing.T) {
	f := Decision{Limit: 60, Window: "minute", Reset: 3 * time.Second}.Fault()
	if f.Kind != fault.RateLimited || f.Message != "Rate limit exceeded. Max 60 requests per minute" || f.RetryAfter != 3*time.Second {
		t.Errorf("%+v", f)
	}
}

// stored gives what a window has counted, and of how many.
func stored(t *testing.T, db sqldb.DB, subject, name string) (count, most int64) {
	t.Helper()
	err := db.Read(context.Background(), func(q sqldb.Querier) error {
		return q.Query(context.Background(), `select count, max_count from gateway_throttle where subject = $1 and window_name = $2`,
			[]any{subject, name}, func(r sqldb.Row) error { count, most = r.Int(0), r.Int(1); return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return count, most
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal("waited in vain")
}
