package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

const (
	leaseTime  = time.Minute      // after which the job of a dead node is free
	beatEvery  = leaseTime / 4    // how often a lease is renewed
	lookEvery  = time.Minute      // the longest time between two looks at the store
	retryBreak = 5 * time.Second  // while the store is away
	giveUp     = 10 * time.Second // for writing what became of a run
	loudEvery  = time.Minute      // how often the log is told that a job fails again
	maxJitter  = 5 * time.Second
)

var (
	errStopped = errors.New("the node stops")
	errLost    = errors.New("the lease was lost: the store could not be reached, or another node has taken over")
)

// Options tune a Runner. The zero value is a good choice.
type Options struct {
	// Clock only measures how long runs take; nil is the system's. What is due
	// says the database's.
	Clock clock.Clock
	// Log hears of runs.
	Log *slog.Logger
}

// Outcome is what became of a run.
type Outcome struct {
	Result   string
	Err      error
	Duration time.Duration
	Stopped  bool // by the end of the node; the job stays due
}

// Runner runs jobs. Any number of Runners, in any number of processes, may
// share a database; each job then runs on one of them at a time. Safe for
// concurrent use.
type Runner struct {
	db     sqldb.DB
	jobs   []Job
	byName map[string]Job
	node   string
	clock  clock.Clock
	log    *slog.Logger

	// Timers; a test brings its own.
	wake, beat func(time.Duration) <-chan time.Time

	changed chan struct{} // capacity 1
	stop    func()
	runs    sync.WaitGroup // of the loop and of runs

	mu   sync.Mutex
	busy map[string]bool // jobs that run here
}

// New makes a Runner on a database that has the tables of Models. It runs
// nothing until Start or Run.
func New(db sqldb.DB, jobs []Job, o Options) (*Runner, error) {
	if err := checkJobs(jobs); err != nil {
		return nil, err
	}
	r := &Runner{
		db: db, jobs: slices.Clone(jobs), byName: map[string]Job{}, node: nodeName(), clock: o.Clock, log: o.Log,
		wake: time.After, beat: time.After, changed: make(chan struct{}, 1), busy: map[string]bool{},
	}
	for _, j := range jobs {
		r.byName[j.Name] = j
	}
	if r.clock == nil {
		r.clock = clock.System
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	return r, nil
}

// nodeName tells this Runner from all others, those of an earlier start too.
func nodeName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "node"
	}
	return fmt.Sprintf("%.64s/%d-%s", storable(host), os.Getpid(), clock.RandomHex(3))
}

// Start runs the jobs when they are due, until Stop. It is called once.
func (r *Runner) Start(ctx context.Context) error {
	stopWatch := r.db.Watch(func(channel string) {
		if channel == Channel || channel == "" {
			r.poke()
		}
	})
	if err := r.Register(ctx); err != nil {
		stopWatch()
		return err
	}
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	r.stop = func() { stopWatch(); cancel(errStopped) }
	r.runs.Go(func() { r.work(ctx) })
	return nil
}

// Stop ends the runs under way and gives their leases back, so that other
// nodes go on at once. The error names the jobs that did not end before ctx;
// their leases run out. Without a Start it does nothing.
func (r *Runner) Stop(ctx context.Context) error {
	if r.stop == nil {
		return nil
	}
	r.stop()
	ended := make(chan struct{})
	go func() { r.runs.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("jobs were still running: %s", strings.Join(r.running(), ", "))
	}
}

func (r *Runner) running() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for name := range r.busy {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (r *Runner) poke() {
	select {
	case r.changed <- struct{}{}:
	default: // one is due already
	}
}

// work looks for due jobs until ctx ends.
func (r *Runner) work(ctx context.Context) {
	for {
		wait, err := r.runOnce(ctx)
		if err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "jobs: the store cannot be asked", "error", err)
			wait = retryBreak
		}
		select {
		case <-ctx.Done():
			return
		case <-r.changed:
		case <-r.wake(wait + jitter(min(wait/10, maxJitter))):
		}
	}
}

// jitter is a random part of a time, so that nodes do not all wake at once.
func jitter(most time.Duration) time.Duration {
	return time.Duration(rand.Float64() * float64(most)) //nolint:gosec // G404: spreading needs no secrecy
}

// runOnce starts the jobs that are due and that no other node takes first. It
// gives the time until the next look.
func (r *Runner) runOnce(ctx context.Context) (wait time.Duration, err error) {
	wait = lookEvery
	var rows map[string]state
	err = r.db.Read(ctx, func(q sqldb.Querier) (err error) {
		rows, err = states(ctx, q)
		return err
	})
	if err != nil {
		return wait, fault.Wrap(err, "read the jobs")
	}
	for _, j := range r.jobs {
		s, registered := rows[j.Name]
		if !registered || s.paused {
			continue
		}
		if in := s.dueIn(); in > 0 {
			wait = min(wait, in)
			continue
		}
		if _, err := r.take(ctx, j, false, func(c claim) {
			r.runs.Go(func() {
				r.execute(ctx, c)
				r.poke() // its next run may be soon
			})
		}); err != nil {
			return wait, err
		}
	}
	return wait, nil
}

// take claims a job, if it does not run here or elsewhere, and has it run; run
// must call execute.
func (r *Runner) take(ctx context.Context, j Job, forced bool, run func(claim)) (taken bool, err error) {
	if !r.occupy(j.Name) {
		return false, nil
	}
	c, ok, err := r.claim(ctx, j, forced)
	if !ok || err != nil {
		r.free(j.Name)
		return false, err
	}
	run(c)
	return true, nil
}

func (r *Runner) occupy(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy[name] {
		return false
	}
	r.busy[name] = true
	return true
}

func (r *Runner) free(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.busy, name)
}

// Run runs a job here and now, due or not, also a paused one, and waits for
// its end. A job that runs already is a Conflict. The error of the job itself
// is in the outcome.
func (r *Runner) Run(ctx context.Context, name string) (o Outcome, err error) {
	j, known := r.byName[name]
	if !known {
		return o, unknown(name, r.jobs)
	}
	if err := r.Register(ctx); err != nil {
		return o, err
	}
	taken, err := r.take(ctx, j, true, func(c claim) { o = r.execute(ctx, c) })
	if err != nil || taken {
		return o, err
	}
	node := "this node"
	err = r.db.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, `select node from gateway_job where name = $1`, []any{name}, func(row sqldb.Row) error {
			node = row.Text(0)
			return nil
		})
	})
	if err != nil {
		return o, fault.Wrap(err, "read the job")
	}
	return o, running(name, node)
}

// execute does a run that was claimed, renews its lease meanwhile and writes
// what became of it.
func (r *Runner) execute(ctx context.Context, c claim) (o Outcome) {
	defer r.free(c.Name)
	begin := r.clock.Now()
	running, cancel := context.WithCancelCause(ctx)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		r.hold(running, c, begin, cancel)
	}()
	o.Result, o.Err = safely(running, c.Job)
	lost := errors.Is(context.Cause(running), errLost)
	cancel(nil)
	<-beating
	o.Result, o.Duration = storable(o.Result), max(r.clock.Now().Sub(begin), 0).Round(time.Millisecond)
	o.Stopped = o.Err != nil && ctx.Err() != nil
	if lost && o.Err != nil {
		o.Err = errLost
	}
	r.tell(ctx, c, o)
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), giveUp)
	defer done()
	if err := r.finish(ctx, c, o); err != nil {
		r.log.WarnContext(ctx, "jobs: what became of a run cannot be written; it will be run again", "job", c.Name, "error", err)
	}
	return o
}

// hold renews the lease of a run, held since a moment, until ctx ends. When it
// is lost, the run is cancelled: another node may have begun.
func (r *Runner) hold(ctx context.Context, c claim, held time.Time, cancel context.CancelCauseFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.beat(beatEvery):
		}
		now := r.clock.Now()
		asking, done := context.WithTimeout(ctx, beatEvery)
		ok, err := r.renew(asking, c.Name)
		done()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && ok:
			held = now
		case err == nil, r.clock.Now().Sub(held) >= leaseTime-beatEvery:
			cancel(errLost)
			return
		default:
			r.log.WarnContext(ctx, "jobs: a lease cannot be renewed", "job", c.Name, "error", err)
		}
	}
}

// panicked is the error of a job that panics.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// safely runs a job and makes an error of a panic.
func safely(ctx context.Context, j Job) (result string, err error) {
	defer func() {
		if v := recover(); v != nil {
			result, err = "", &panicked{v, debug.Stack()}
		}
	}()
	return j.Run(ctx)
}

// tell logs a run.
func (r *Runner) tell(ctx context.Context, c claim, o Outcome) {
	attrs := []any{"job", c.Name, "seconds", o.Duration.Seconds()}
	switch {
	case o.Stopped:
		r.log.InfoContext(ctx, "job stopped, handed back", attrs...)
	case o.Err != nil:
		attrs = append(attrs, "error", o.Err, "failures", c.failures+1)
		if p, ok := errors.AsType[*panicked](o.Err); ok {
			attrs = append(attrs, "stack", string(p.stack))
		}
		level := slog.LevelError
		if n := int64(loudEvery / c.Schedule.every); n > 1 && c.failures%n != 0 {
			level = slog.LevelDebug // of one that fails every few seconds, some are enough
		}
		r.log.Log(ctx, level, "job failed", attrs...)
	default:
		r.log.DebugContext(ctx, "job done", append(attrs, "result", o.Result)...)
	}
}
