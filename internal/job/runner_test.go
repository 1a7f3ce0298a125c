package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// watch is a clock that a test moves.
type watch struct{ now atomic.Int64 }

func (w *watch) Now() time.Time { return time.Unix(0, w.now.Load()).UTC() }

// node is a Runner under test. Its timers never fire by themselves: it looks
// when it is told to, and renews leases when the test sends a beat.
type node struct {
	*Runner
	t     *testing.T
	db    sqldb.DB
	clock *watch
	beats chan time.Time
}

func newNode(t *testing.T, db sqldb.DB, jobs ...Job) *node {
	t.Helper()
	if err := schema.Sync(t.Context(), db, Models()); err != nil {
		t.Fatal(err)
	}
	n := &node{t: t, db: db, clock: &watch{}, beats: make(chan time.Time)}
	r, err := New(db, jobs, Options{Clock: n.clock})
	if err != nil {
		t.Fatal(err)
	}
	n.Runner = r
	r.wake = func(time.Duration) <-chan time.Time { return nil }
	r.beat = func(time.Duration) <-chan time.Time { return n.beats }
	if err := r.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *node) start() {
	n.t.Helper()
	if err := n.Start(n.t.Context()); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		if err := n.Stop(context.Background()); err != nil {
			n.t.Error(err)
		}
	})
}

// pass looks once for due jobs and waits for their end.
func (n *node) pass() {
	n.t.Helper()
	if _, err := n.runOnce(n.t.Context()); err != nil {
		n.t.Fatal(err)
	}
	n.runs.Wait()
}

// exec changes rows; with later, time passes: all moments of the table are
// moved into the past, because the database's clock cannot be moved.
func (n *node) exec(sql string, args ...any) {
	n.t.Helper()
	err := n.db.Write(n.t.Context(), func(tx sqldb.Tx) error {
		if _, err := tx.Exec(n.t.Context(), sql, args...); err != nil {
			return err
		}
		return tx.Signal(n.t.Context(), Channel)
	})
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) later(d time.Duration) {
	n.t.Helper()
	after := func(column string) string {
		return column + " = " + n.db.Dialect().After(column, fmt.Sprint(-int(d.Seconds())))
	}
	n.exec("update gateway_job set " + after("next_run") + ", " + after("last_run") + ", " + after("lease_until"))
}

// row reads columns of a job as text, joined by |.
func (n *node) row(name, columns string) (text string) {
	n.t.Helper()
	err := n.db.Read(n.t.Context(), func(q sqldb.Querier) error {
		return q.Query(n.t.Context(), "select "+columns+" from gateway_job where name = $1", []any{name}, func(r sqldb.Row) error {
			parts := make([]string, strings.Count(columns, ",")+1)
			for i := range parts {
				parts[i] = r.Text(i)
			}
			text = strings.Join(parts, "|")
			return nil
		})
	})
	if err != nil {
		n.t.Fatal(err)
	}
	return text
}

func (n *node) wantRow(name, columns, want string) {
	n.t.Helper()
	if got := n.row(name, columns); got != want {
		n.t.Errorf("%s of %s: %q, want %q", columns, name, got, want)
	}
}

// due is how many seconds from now the job runs next.
func (n *node) due(name string) (seconds float64) {
	n.t.Helper()
	err := n.db.Read(n.t.Context(), func(q sqldb.Querier) error {
		all, err := states(n.t.Context(), q)
		seconds = all[name].dueIn().Seconds()
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	return seconds
}

func (n *node) wantDue(name string, want float64) {
	n.t.Helper()
	if got := n.due(name); got > want+1 || got < want-10 {
		n.t.Errorf("%s is due in %.1f s, want %.0f", name, got, want)
	}
}

func hourly(name string, run func(context.Context) (string, error)) Job {
	return Job{Name: name, Description: "For tests", Schedule: Every(time.Hour), Run: run}
}

// blocking is a job that says when it begins and ends when told to, or when its
// context ends.
type blocking struct {
	began chan struct{}
	end   chan error
	runs  atomic.Int64
}

func newBlocking() *blocking {
	return &blocking{began: make(chan struct{}, 10), end: make(chan error)}
}

func (b *blocking) run(ctx context.Context) (string, error) {
	b.runs.Add(1)
	b.began <- struct{}{}
	select {
	case err := <-b.end:
		return "done", err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// Two nodes look at the same time, again and again: each due job runs once.
func TestEachRunsOnce(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, a, b sqldb.DB) {
		const rounds = 5
		var runs [3]atomic.Int64
		var jobs []Job
		for i := range runs {
			jobs = append(jobs, hourly(fmt.Sprint("job", i), func(context.Context) (string, error) {
				return fmt.Sprint("run ", runs[i].Add(1)), nil
			}))
		}
		nodes := []*node{newNode(t, a, jobs...), newNode(t, b, jobs...)}
		for range rounds {
			nodes[0].later(time.Hour + time.Minute)
			var group sync.WaitGroup
			for _, n := range nodes {
				group.Go(n.pass)
			}
			group.Wait()
			nodes[1].pass() // nothing is due
		}
		for i := range runs {
			if got := runs[i].Load(); got != rounds {
				t.Errorf("job %d ran %d times in %d rounds", i, got, rounds)
			}
			nodes[0].wantRow(jobs[i].Name, "last_result, failures, lease_until", fmt.Sprintf("run %d|0|", rounds))
			nodes[0].wantDue(jobs[i].Name, 3600)
		}
	})
}

// A node that dies stops renewing: its job is taken over when the lease ends,
// not before, and what comes late of the dead one is not written.
func TestDeadNodeIsReplaced(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, a, b sqldb.DB) {
		work := newBlocking()
		dead, other := newNode(t, a, hourly("work", work.run)), newNode(t, b, hourly("work", func(context.Context) (string, error) { return "by the other", nil }))
		dead.later(time.Hour)
		if _, err := dead.runOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-work.began
		dead.wantRow("work", "node", dead.node)
		other.pass()
		if wait, err := other.runOnce(t.Context()); err != nil || wait <= 0 || wait > leaseTime {
			t.Errorf("the next look is in %v (%v)", wait, err)
		}
		other.later(leaseTime - 10*time.Second)
		other.pass()
		other.wantRow("work", "node, last_result", dead.node+"|")
		other.later(11 * time.Second)
		other.pass()
		other.wantRow("work", "node, last_result, failures, last_error, lease_until", other.node+"|by the other|0||")
		dead.beats <- time.Time{} // it lives after all, and learns that it is late
		dead.runs.Wait()
		other.wantRow("work", "node, last_result, failures, last_error, lease_until", other.node+"|by the other|0||")
	})
}

// A taken-over run counts as a failed one until one succeeds.
func TestCutOffRunIsSeen(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		work := newBlocking()
		n := newNode(t, db, hourly("work", work.run))
		n.exec(`update gateway_job set node = 'gone', lease_until = next_run`)
		n.later(time.Hour)
		if _, err := n.runOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-work.began
		n.wantRow("work", "failures, last_error", "1|The run on gone was cut off")
		work.end <- errors.New("again")
		n.runs.Wait()
		n.wantRow("work", "failures, last_error", "2|again")
	})
}

// While a run lasts, its lease does.
func TestLeaseIsRenewed(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, a, b sqldb.DB) {
		work := newBlocking()
		n, other := newNode(t, a, hourly("work", work.run)), newNode(t, b, hourly("work", work.run))
		n.later(time.Hour)
		if _, err := n.runOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-work.began
		for range 3 {
			n.later(leaseTime - 10*time.Second)
			n.beats <- time.Time{}
			n.beats <- time.Time{} // the first one is through
			other.pass()
		}
		work.end <- nil
		n.runs.Wait()
		if work.runs.Load() != 1 {
			t.Errorf("%d runs", work.runs.Load())
		}
		n.wantRow("work", "node, last_result", n.node+"|done")
	})
}

// When the store is away for as long as a lease, the run is cancelled: others
// may have begun.
func TestLeaseIsLost(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		work := newBlocking()
		n := newNode(t, db, hourly("work", work.run))
		n.later(time.Hour)
		if _, err := n.runOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-work.began
		n.exec(`alter table gateway_job rename to away`)
		n.clock.now.Add(int64(30 * time.Second))
		n.beats <- time.Time{}
		n.beats <- time.Time{} // the first failure did not end it
		n.clock.now.Add(int64(30 * time.Second))
		ended := make(chan struct{})
		go func() { n.runs.Wait(); close(ended) }()
		select {
		case n.beats <- time.Time{}:
		case <-ended: // the second one has seen the later time
		}
		<-ended // it is cancelled
		n.exec(`alter table away rename to gateway_job`)
		n.wantRow("work", "failures, last_result", "0|") // its end could not be written
		if left := n.row("work", "lease_until"); left == "" {
			t.Error("the lease of a run that was lost is gone")
		}
	})
}

// Failures are seen, retried ever later, and forgotten with a success; a panic
// is one.
func TestFailures(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		var what func() error
		n := newNode(t, db, hourly("work", func(context.Context) (string, error) { return "done", what() }))
		for _, step := range []struct {
			do   func() error
			row  string
			next float64
		}{
			{func() error { return nil }, "done|0|", 3600},
			{func() error { return errors.New("no\x00 luck") }, "done|1|no luck", 60},
			{func() error { panic("lost my head") }, "done|2|panic: lost my head", 120},
			{func() error { panic(errors.New("an error")) }, "done|3|panic: an error", 240},
			{func() error { return nil }, "done|0|", 3600},
		} {
			n.later(time.Hour)
			what = step.do
			n.pass()
			n.wantRow("work", "last_result, failures, last_error", step.row)
			n.wantDue("work", step.next)
			n.wantRow("work", "lease_until", "")
		}
	})
}

// A job that fails every few seconds does not fill the log.
func TestFailuresInTheLog(t *testing.T) {
	for schedule, want := range map[Schedule]int{Every(20 * time.Second): 2, Every(time.Minute): 6, Daily(1, 0): 6} {
		store, _ := sqltest.Fresh(t, "sqlite")
		n := newNode(t, store, Job{Name: "work", Schedule: schedule, Run: func(context.Context) (string, error) { return "", errors.New("no luck") }})
		var text strings.Builder
		n.log = slog.New(slog.NewTextHandler(&text, nil))
		for range 6 {
			n.later(48 * time.Hour)
			n.pass()
		}
		if got := strings.Count(text.String(), "job failed"); got != want {
			t.Errorf("%v: six failures were logged %d times, want %d", schedule, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		var n *node
		n = newNode(t, db, hourly("work", func(context.Context) (string, error) {
			n.clock.now.Add(int64(2500 * time.Millisecond))
			return "", nil
		}))
		n.later(time.Hour)
		n.pass()
		n.wantRow("work", "last_duration", "2.5")
	})
}
