package throttle

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// Batches of many subjects from many nodes lock the same rows: in one order,
// so that nobody has to begin anew, and every window is exact.
func TestManySubjects(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, db, second sqldb.DB) {
		start(t, db)
		const keys = 40
		limits := []Window{{"second", 1, 7}, {"two", 2, 11}}
		handles := []*counting{{DB: db}, {DB: second}, {DB: db}, {DB: second}}
		var admitted [keys]atomic.Int64
		var all sync.WaitGroup
		end := time.Now().Add(1200 * time.Millisecond)
		for i, c := range handles {
			l := New(c, Options{})
			defer l.Close()
			for caller := range 16 {
				all.Go(func() {
					for n := i + 5*caller; time.Now().Before(end); n += 7 {
						d, err := l.Take(context.Background(), fmt.Sprint("key:", n%keys), limits)
						if err != nil {
							t.Error(err)
						} else if d.Allowed {
							admitted[n%keys].Add(1)
						}
					}
				})
			}
		}
		all.Wait()
		for i, c := range handles {
			if again := c.again.Load(); again != 0 {
				t.Errorf("node %d: %d of %d transactions had to be repeated", i, again, c.writes.Load())
			}
		}
		for _, w := range limits {
			var sums [keys]int64
			err := db.Read(t.Context(), func(q sqldb.Querier) error {
				return q.Query(t.Context(), `select count, subject from gateway_throttle where window_name = $1`, []any{w.Name}, func(r sqldb.Row) error {
					var key int
					_, err := fmt.Sscanf(r.Text(1), "key:%d", &key)
					if sums[key] += r.Int(0); r.Int(0) > w.Limit {
						t.Errorf("%d in a window of %d", r.Int(0), w.Limit)
					}
					return err
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			for key, sum := range sums {
				if sum != admitted[key].Load() || sum < 7 {
					t.Errorf("%s of key %d: %d counted, %d admitted", w.Name, key, sum, admitted[key].Load())
				}
			}
		}
	})
}

// held gives a limiter whose store is held up by a first request, until the
// function it also gives is called.
func held(t *testing.T, db sqldb.DB) (l *Limiter, c *counting, release func()) {
	t.Helper()
	start(t, db)
	c = &counting{DB: db, hold: make(chan struct{})}
	l = New(c, Options{})
	t.Cleanup(l.Close)
	l.lanes = l.lanes[:1] // so that all share one
	done := make(chan bool)
	go func() {
		defer close(done)
		_, _ = l.Take(context.Background(), "first", []Window{long(1)})
	}()
	waitFor(t, func() bool { return c.writes.Load() == 1 })
	return l, c, func() {
		close(c.hold)
		<-done
	}
}

// Requests of one subject that wait together and go by different limits are
// each decided by their own, the first ones first.
func TestLimitsChangeInTheQueue(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		l, _, release := held(t, db)
		limits := []int64{2, 2, 2, 4, 4, 4, 2}
		decisions := make([]Decision, len(limits))
		var all sync.WaitGroup
		for i, limit := range limits {
			all.Go(func() {
				var err error
				if decisions[i], err = l.Take(context.Background(), "key:1", []Window{long(limit)}); err != nil {
					t.Error(err)
				}
			})
			waitFor(t, func() bool { return waiting(l.lanes[0]) == i+1 })
		}
		release()
		all.Wait()
		for i, d := range decisions {
			allowed := []bool{true, true, false, true, true, false, false}[i]
			if d.Allowed != allowed || d.Limit != limits[i] {
				t.Errorf("request %d: %+v", i, d)
			}
		}
	})
}

func waiting(n *lane) (sum int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, g := range n.waiting {
		sum += len(g.waiters)
	}
	return sum
}

// More subjects than a batch holds wait their turn.
func TestBatchesAreBounded(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		l, c, release := held(t, db)
		var all sync.WaitGroup
		for i := range 2*maxBatch + 1 {
			all.Go(func() {
				if d, err := l.Take(context.Background(), fmt.Sprint("key:", i), []Window{long(1)}); err != nil || !d.Allowed {
					t.Errorf("%+v, %v", d, err)
				}
			})
		}
		waitFor(t, func() bool { return waiting(l.lanes[0]) == 2*maxBatch+1 })
		release()
		all.Wait()
		if got := c.writes.Load(); got != 8 { // three batches after the first, each makes its windows
			t.Errorf("%d transactions, want 8", got)
		}
	})
}

// Whoever was told to lead and goes away hands the lead on.
func TestLeaderLeaves(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		n := start(t, db).lanes[0]
		n.mu.Lock()
		n.led = true
		first, second := n.join("key:1", []Window{long(5)}), n.join("key:2", []Window{long(5)})
		n.pass()
		n.mu.Unlock()
		n.leave(first)
		if a := <-second.answer; !a.lead || waiting(n) != 1 {
			t.Errorf("%+v, %d wait", a, waiting(n))
		}
		n.leave(second)
		if n.led || len(n.latest) != 0 {
			t.Error("the lane is led by nobody and is not free")
		}
	})
}

// A panic of the store does not leave the others waiting.
func TestStorePanics(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		start(t, db)
		c := &counting{DB: db, broken: true}
		l := New(c, Options{})
		defer l.Close()
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			_, _ = l.Take(t.Context(), "key:1", []Window{long(5)})
		}()
		c.broken = false
		if d, err := l.Take(t.Context(), "key:1", []Window{long(5)}); err != nil || !d.Allowed {
			t.Errorf("after it: %+v, %v", d, err)
		}
	})
}

// A caller who gives up while his request waits is told that it is not counted.
func TestGivesUp(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		l, _, release := held(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error)
		go func() {
			_, err := l.Take(ctx, "key:1", []Window{long(5)})
			gone <- err
		}()
		waitFor(t, func() bool { return waiting(l.lanes[0]) == 1 })
		cancel()
		if err := <-gone; !fault.Is(err, fault.Unavailable) {
			t.Error(err)
		}
		release()
		if count, _ := stored(t, db, "key:1", "decade"); count != 0 {
			t.Errorf("%d counted", count)
		}
	})
}

// What was counted before somebody deleted windows is not remembered after it.
func TestClearedMeanwhile(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		start(t, db)
		c := &counting{DB: db, hold: make(chan struct{})}
		l := New(c, Options{})
		defer l.Close()
		done := make(chan Decision)
		go func() {
			d, _ := l.Take(context.Background(), "key:1", []Window{long(1)})
			done <- d
		}()
		waitFor(t, func() bool { return c.writes.Load() > 0 })
		l.lane("key:1").forget()
		close(c.hold)
		if d := <-done; !d.Allowed {
			t.Errorf("%+v", d)
		}
		if _, known := l.Refused("key:1", []Window{long(1)}); known {
			t.Error("remembered what was cleared meanwhile")
		}
	})
}
