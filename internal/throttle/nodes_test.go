package throttle

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// However many goroutines and Limiters push, exactly the limit gets through.
func TestExactlyTheLimit(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, db, second sqldb.DB) {
		nodes := []*Limiter{start(t, db), start(t, second)}
		run := 0
		rapid.Check(t, func(r *rapid.T) {
			run++
			subject := fmt.Sprintf("run:%d", run)
			small := rapid.Int64Range(1, 60).Draw(r, "small")
			large := rapid.Int64Range(1, 60).Draw(r, "large")
			clients := rapid.IntRange(1, 16).Draw(r, "clients")
			each := rapid.IntRange(1, 10).Draw(r, "requests each")
			limits := []Window{{"year", 365 * 86400, small}, long(large)}
			var admitted, wrong atomic.Int64
			var all sync.WaitGroup
			for c := range clients {
				all.Go(func() {
					for range each {
						d, err := nodes[c%2].Take(context.Background(), subject, limits)
						if err != nil || !d.Allowed && d.Remaining != 0 || d.Remaining < 0 {
							wrong.Add(1)
						} else if d.Allowed {
							admitted.Add(1)
						}
					}
				})
			}
			all.Wait()
			if want := min(int64(clients*each), small, large); admitted.Load() != want || wrong.Load() != 0 {
				r.Fatalf("%d admitted, want %d; %d wrong answers", admitted.Load(), want, wrong.Load())
			}
			for _, name := range []string{"year", "decade"} {
				if count, _ := stored(t, db, subject, name); count != admitted.Load() {
					r.Fatalf("%d counted in %s, %d admitted", count, name, admitted.Load())
				}
			}
		})
	})
}

// Windows that end and begin all the time, for few subjects on many nodes: the
// nodes must neither deadlock nor miscount.
func TestManyNodesManyWindows(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, db, second sqldb.DB) {
		start(t, db)
		limits := []Window{{"second", 1, 60}, {"two", 2, 90}, {"four", 4, 150}}
		handles := []*counting{{DB: db}, {DB: second}, {DB: db}, {DB: second}}
		var admitted [2]atomic.Int64
		var all sync.WaitGroup
		end := time.Now().Add(3 * time.Second)
		for i, c := range handles {
			l := New(c, Options{})
			defer l.Close()
			all.Go(func() {
				for n := i; time.Now().Before(end); n++ {
					d, err := l.Take(context.Background(), fmt.Sprint("key:", n%2), limits)
					if err != nil {
						t.Error(err)
					} else if d.Allowed {
						admitted[n%2].Add(1)
					} else if _, known := l.Refused(fmt.Sprint("key:", n%2), limits); known {
						time.Sleep(time.Millisecond)
					}
				}
			})
		}
		all.Wait()
		for i, c := range handles {
			if again := c.again.Load(); again != 0 {
				t.Errorf("node %d: %d of %d transactions had to be repeated", i, again, c.writes.Load())
			}
		}
		for _, w := range limits {
			var sum [2]int64
			err := db.Read(t.Context(), func(q sqldb.Querier) error {
				return q.Query(t.Context(), `select count, subject from gateway_throttle where window_name = $1`, []any{w.Name}, func(r sqldb.Row) error {
					if r.Int(0) > w.Limit {
						t.Errorf("%d in a window of %d", r.Int(0), w.Limit)
					}
					if r.Text(1) == "key:1" {
						sum[1] += r.Int(0)
					} else {
						sum[0] += r.Int(0)
					}
					return nil
				})
			})
			if err != nil || sum[0] != admitted[0].Load() || sum[1] != admitted[1].Load() || sum[0] < w.Limit {
				t.Errorf("%s: counted %v, admitted %d and %d (%v)", w.Name, sum, admitted[0].Load(), admitted[1].Load(), err)
			}
		}
	})
}

// Requests that come while one is being counted share the next statement, and
// get through in their order.
func TestGroupCommit(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		start(t, db)
		c := &counting{DB: db, hold: make(chan struct{})}
		l := New(c, Options{})
		defer l.Close()
		const n = 20
		decisions := make([]Decision, n)
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				d, err := l.Take(context.Background(), "key:1", []Window{long(12)})
				if err != nil {
					t.Error(err)
				}
				decisions[i] = d
			})
			waitFor(t, func() bool { // the first is under way, the others queue up in order
				return c.writes.Load() == 1 && queued(l, "key:1") == i
			})
		}
		close(c.hold)
		all.Wait()
		if got := c.writes.Load(); got != 3 { // two for the first: it found no window and made one
			t.Errorf("%d transactions for %d requests, want 3", got, n)
		}
		for i, d := range decisions {
			if d.Allowed != (i < 12) || d.Remaining != max(0, 11-int64(i)) {
				t.Errorf("request %d: %+v", i, d)
			}
		}
	})
}

// queued is how many requests of a subject wait to be counted.
func queued(l *Limiter, subject string) int {
	n := l.lane(subject)
	n.mu.Lock()
	defer n.mu.Unlock()
	if g := n.latest[subject]; g != nil {
		return len(g.waiters)
	}
	return 0
}

// A caller who goes away neither waits nor is counted while he is still queued.
func TestCallerLeaves(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		start(t, db)
		c := &counting{DB: db, hold: make(chan struct{})}
		l := New(c, Options{})
		first := make(chan Decision)
		go func() {
			d, _ := l.Take(context.Background(), "key:1", []Window{long(5)})
			first <- d
		}()
		waitFor(t, func() bool { return c.writes.Load() == 1 })
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if d, err := l.Take(ctx, "key:1", []Window{long(5)}); d.Allowed || !fault.Is(err, fault.Unavailable) {
			t.Errorf("%+v, %v", d, err)
		}
		close(c.hold)
		if d := <-first; !d.Allowed {
			t.Errorf("%+v", d)
		}
		if count, _ := stored(t, db, "key:1", "decade"); count != 1 {
			t.Errorf("%d counted", count)
		}
		l.Close()
	})
}
