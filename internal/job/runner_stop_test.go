package job

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// Stop ends a run and hands the job back: it is due for whoever comes first,
// and has not failed.
func TestStopHandsBack(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, a, b sqldb.DB) {
		work, next := newBlocking(), newBlocking()
		n, other := newNode(t, a, hourly("work", work.run)), newNode(t, b, hourly("work", next.run))
		n.start()
		n.later(time.Hour)
		<-work.began
		other.start()
		if err := n.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-next.began // by the signal alone
		other.wantRow("work", "node, failures, last_error", other.node+"|0|")
		next.end <- nil
		if err := other.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		other.wantRow("work", "last_result", "done")
	})
}

// A job that does not listen is not waited for longer than the drain lasts.
func TestStopGivesUp(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		began, end := make(chan struct{}), make(chan struct{})
		n := newNode(t, db, hourly("deaf", func(context.Context) (string, error) {
			close(began)
			<-end
			return "heard nothing", nil
		}))
		n.start()
		n.later(time.Hour)
		<-began
		drain, cancel := context.WithCancel(t.Context())
		cancel()
		if err := n.Stop(drain); err == nil || !strings.Contains(err.Error(), "deaf") {
			t.Errorf("stop says %v", err)
		}
		close(end)
		n.runs.Wait()
		n.wantRow("deaf", "last_result, lease_until", "heard nothing|")
	})
}

// Due makes a started node run the job at once, also one of another node.
func TestRunNow(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, a, b sqldb.DB) {
		work := newBlocking()
		n := newNode(t, a, hourly("work", work.run))
		n.start()
		due := func() error {
			return b.Write(t.Context(), func(tx sqldb.Tx) error { return Due(t.Context(), tx, 1) })
		}
		n.exec(`update gateway_job set next_run = $1`, time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC))
		if err := due(); err != nil {
			t.Fatal(err)
		}
		<-work.began
		if err := due(); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), n.node) {
			t.Errorf("of a job that runs: %v", err)
		}
		work.end <- nil
		if err := n.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		n.wantRow("work", "last_result", "done")
		n.exec(`update gateway_job set paused = true`)
		if err := due(); !fault.Is(err, fault.Unprocessable) || !strings.Contains(err.Error(), "paused") {
			t.Errorf("of a paused job: %v", err)
		}
		n.exec(`update gateway_job set paused = false, active = false`)
		if err := due(); !fault.Is(err, fault.Unprocessable) {
			t.Errorf("of a job that is gone: %v", err)
		}
	})
}

// Run runs a job here, due or not, but not beside another run of it.
func TestRunHere(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, a, b sqldb.DB) {
		work := newBlocking()
		n := newNode(t, a, hourly("work", work.run))
		other := newNode(t, b, hourly("work", func(context.Context) (string, error) { return "", errors.New("no luck") }))
		n.exec(`update gateway_job set paused = true`)
		var o Outcome
		var err error
		done := make(chan struct{})
		go func() { o, err = n.Run(t.Context(), "work"); close(done) }()
		<-work.began
		for _, r := range []*node{n, other} {
			if _, err := r.Run(t.Context(), "work"); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), n.node) {
				t.Errorf("beside another run: %v", err)
			}
		}
		work.end <- nil
		if <-done; err != nil || o.Err != nil || o.Result != "done" {
			t.Errorf("run: %+v, %v", o, err)
		}
		if o, err := other.Run(t.Context(), "work"); err != nil || o.Err == nil || o.Err.Error() != "no luck" {
			t.Errorf("a run that fails: %+v, %v", o, err)
		}
		if _, err := n.Run(t.Context(), "other"); !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "there are: work") {
			t.Errorf("of no job: %v", err)
		}
	})
}

// A paused job does not run by itself.
func TestPaused(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		var runs atomic.Int64
		n := newNode(t, db, hourly("work", func(context.Context) (string, error) { runs.Add(1); return "", nil }))
		n.later(2 * time.Hour)
		n.exec(`update gateway_job set paused = true`)
		n.pass()
		if runs.Load() != 0 {
			t.Error("a paused job has run")
		}
		n.exec(`update gateway_job set paused = false`)
		if n.pass(); runs.Load() != 1 {
			t.Error("a job that goes on has not run")
		}
	})
}

// Rows follow the jobs there are; what was seen of them stays.
func TestRegister(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		run := func(context.Context) (string, error) { return "done", nil }
		n := newNode(t, db, hourly("old", run), hourly("same", run))
		if n.due("same") > 60 {
			t.Errorf("a new job is due in %.0f s", n.due("same"))
		}
		n.later(time.Hour)
		n.pass()
		n.exec(`update gateway_job set paused = true where name = 'same'`)
		before := n.row("same", "next_run")
		newNode(t, db, hourly("same", run)).wantRow("same", "next_run, last_result, paused, active", before+"|done|"+n.row("same", "paused, active"))
		n.wantRow("old", "case when active then 1 else 0 end, last_result", "0|done")
		daily := Job{Name: "same", Description: "Now daily", Schedule: Daily(3, 0), Run: run}
		n = newNode(t, db, daily, hourly("old", run))
		n.wantRow("old", "case when active then 1 else 0 end", "1")
		n.wantRow("same", `description, schedule, "interval"`, "Now daily|daily at 03:00 UTC|86400")
		if at := n.row("same", "next_run"); !strings.HasSuffix(at, " 03:00:00") {
			t.Errorf("the next run is at %s", at)
		}
	})
}
