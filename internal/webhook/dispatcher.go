package webhook

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

const (
	timeout    = 10 * time.Second // of one call
	lease      = 30 * time.Second // after which the jobs of a dead node come back
	grace      = 3 * time.Second  // for calls under way at the end
	sweepEvery = time.Minute
	awayBreak  = 500 * time.Millisecond

	// Between two looks at the jobs there are four times as long as one takes, at
	// least and at most these: so looking never costs more than a fifth of a core.
	minScanBreak = time.Millisecond
	maxScanBreak = 50 * time.Millisecond
)

// Options tune a Dispatcher. The zero value is that of a server.
type Options struct {
	Guard Guard
	// Version is told to endpoints in the User-Agent.
	Version string
	// Trace hears of a call that is about to be made for an event, and of how it
	// ended (status 0: no answer; failure "": it was taken). It may add headers.
	// nil: nobody does.
	Trace func(r *http.Request, event string) (end func(status int, failure string))
	Log   *slog.Logger
	Clock clock.Clock // nil: the system's; leases go by the database's
	// Backoff is the function of that name unless a test brings its own.
	Backoff func(attempts int) time.Duration
	// Lease is how long a claim holds without a heartbeat, in whole seconds.
	Lease time.Duration
	// Timeout is that of one call, and Grace what calls under way get at the end.
	Timeout, Grace time.Duration
}

// Dispatcher sends the jobs of the outbox. Any number of them, on any number of
// nodes, share the work. Each endpoint has a worker of its own, so that none
// waits for another.
type Dispatcher struct {
	db      sqldb.DB
	o       Options
	log     *slog.Logger
	node    string // the lease's owner
	client  *http.Client
	running atomic.Bool

	wake chan struct{} // capacity 1
	work context.Context
	send context.Context // ends after work, by the grace
	stop func()
	halt func()
	done sync.WaitGroup

	mu       sync.Mutex
	workers  map[int64]*worker  // by webhook
	inFlight map[int64]struct{} // claimed jobs
}

// NewDispatcher makes a dispatcher that does nothing until Start.
func NewDispatcher(db sqldb.DB, o Options) *Dispatcher {
	if o.Clock == nil {
		o.Clock = clock.System
	}
	if o.Backoff == nil {
		o.Backoff = Backoff
	}
	if o.Lease == 0 {
		o.Lease = lease
	}
	if o.Timeout == 0 {
		o.Timeout = timeout
	}
	if o.Grace == 0 {
		o.Grace = grace
	}
	return &Dispatcher{
		db: db, o: o, log: orDiscard(o.Log), node: clock.RandomHex(8), client: newClient(o.Guard),
		wake: make(chan struct{}, 1), workers: map[int64]*worker{}, inFlight: map[int64]struct{}{},
	}
}

// Start begins to send, in the background until Stop.
func (d *Dispatcher) Start(ctx context.Context) {
	base := context.WithoutCancel(ctx)
	d.send, d.halt = context.WithCancel(base)
	work, cancel := context.WithCancel(base)
	d.work = work
	stopWatch := d.db.Watch(func(channel string) {
		if channel == JobsChannel || channel == Channel || channel == "" {
			d.poke()
		}
	})
	d.stop = func() { stopWatch(); cancel() }
	d.running.Store(true)
	d.poke()
	d.done.Go(d.loop)
	d.done.Go(d.tend)
}

// Stop claims nothing any more, lets calls under way end for a moment, and
// hands what was not sent back to the other nodes or the next start.
func (d *Dispatcher) Stop(ctx context.Context) error {
	if !d.running.CompareAndSwap(true, false) {
		return nil
	}
	d.stop()
	ended := make(chan struct{})
	go func() { d.done.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
	case <-time.After(d.o.Grace):
	}
	d.halt()
	<-ended
	d.client.CloseIdleConnections()
	return nil
}

func (d *Dispatcher) poke() {
	select {
	case d.wake <- struct{}{}:
	default: // one is due already
	}
}

// loop starts workers whenever there is something to send.
func (d *Dispatcher) loop() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-d.work.Done():
			return
		case <-d.wake:
		case <-timer.C:
		}
		began := time.Now()
		next, err := d.scan(d.work)
		pause := min(max(4*time.Since(began), minScanBreak), maxScanBreak)
		if err != nil && d.work.Err() == nil {
			d.log.WarnContext(d.work, "webhooks: the store cannot be asked", "error", err)
			next, pause = time.Time{}, awayBreak
			d.poke()
		}
		wait := sweepEvery
		if !next.IsZero() {
			wait = min(max(next.Sub(d.o.Clock.Now()), 0), sweepEvery)
		}
		timer.Reset(max(wait, pause))
		select {
		case <-d.work.Done():
			return
		case <-time.After(pause):
		}
	}
}

// scan starts a worker for each endpoint that has something due, and says when
// the next is due; zero: nothing is known of.
func (d *Dispatcher) scan(ctx context.Context) (next time.Time, err error) {
	var due []int64
	now := d.o.Clock.Now()
	err = d.db.Read(ctx, func(q sqldb.Querier) error {
		due, next = due[:0], time.Time{}
		return q.Query(ctx, `select w.id, w.active, w.circuit_until,
				(select min(j.next_at) from gateway_webhook_job j where j.webhook_id = w.id and j.state = 'failed' and j.waits is not true),
				(select true from gateway_webhook_job j where j.webhook_id = w.id and j.state = 'pending' and j.waits is not true
					order by `+inOrder+` limit 1),
				(select true from gateway_webhook_job j where j.webhook_id = w.id and j.state = 'pending' and j.action = 'test'
					order by `+inOrder+` limit 1)
			from gateway_webhook w`, nil, func(r sqldb.Row) error {
			at := now // of the next call
			switch failed, pending := r.Time(3), r.Bool(4); {
			case r.Bool(5):
				due = append(due, r.Int(0))
				return nil
			case !r.Bool(1) || !pending && failed.IsZero():
				return nil
			case !pending && failed.After(now):
				at = failed
			}
			if until := r.Time(2); until.After(at) {
				at = until
			}
			if !at.After(now) {
				due = append(due, r.Int(0))
			} else if next.IsZero() || at.Before(next) {
				next = at
			}
			return nil
		})
	})
	if err != nil {
		return time.Time{}, fault.Wrap(err, "look for webhook jobs")
	}
	for _, id := range due {
		d.startWorker(id)
	}
	return next, nil
}

// startWorker has somebody look at what is due for an endpoint.
func (d *Dispatcher) startWorker(id int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if w := d.workers[id]; w != nil {
		w.mu.Lock()
		w.more = true
		w.mu.Unlock()
		w.poke()
		return
	}
	w := &worker{d: d, id: id, news: make(chan struct{}, 1), more: true}
	d.workers[id] = w
	d.done.Go(func() { d.serve(w) })
}

// hold and forget note which jobs this node has claimed, so that it keeps
// their leases.
func (d *Dispatcher) hold(jobs []job) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, j := range jobs {
		d.inFlight[j.id] = struct{}{}
	}
}

func (d *Dispatcher) forget(t *turn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range t.done {
		delete(d.inFlight, r.job.id)
	}
	for _, j := range t.back {
		delete(d.inFlight, j.id)
	}
}

// tend keeps the leases of this node and takes over those that ran out.
func (d *Dispatcher) tend() {
	beat := time.NewTicker(d.o.Lease / 3)
	defer beat.Stop()
	for {
		select {
		case <-d.send.Done():
			return
		case <-d.work.Done():
			return
		case <-beat.C:
		}
		if err := d.heartbeat(d.work); err != nil && d.work.Err() == nil {
			d.log.WarnContext(d.work, "webhooks: leases cannot be kept", "error", err)
		}
	}
}

// RunOnce is the sweep: it takes back the jobs of nodes that are gone, lets go
// what waits for nothing any more, and looks for whatever is due.
func (d *Dispatcher) RunOnce(ctx context.Context) error {
	if err := d.takeBack(ctx); err != nil {
		return err
	}
	// Whoever ends a job lets go what waits for it; one that was deleted by hand
	// ended nothing.
	const stuck = `select j.id from gateway_webhook_job j where j.waits and j.state in ('pending', 'failed') and not exists (
		select 1 from gateway_webhook_job e where e.webhook_id = j.webhook_id and e.res_id = j.res_id and e.model = j.model
		and e.id < j.id and e.state in ('pending', 'processing', 'failed'))`
	return d.where(ctx, stuck, `update gateway_webhook_job set waits = null where id in (`+stuck+`)`, "let webhook jobs go")
}

// where runs an update if there is anything to change: an idle node writes nothing.
func (d *Dispatcher) where(ctx context.Context, which, update, what string) error {
	found := false
	err := d.db.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, which+` limit 1`, nil, func(sqldb.Row) error { found = true; return nil })
	})
	if err == nil && found {
		err = d.db.Write(ctx, func(tx sqldb.Tx) error {
			_, err := tx.Exec(ctx, update)
			return err
		})
	}
	if err == nil && d.running.Load() {
		d.poke()
	}
	return fault.Wrap(err, what)
}

// heartbeat extends the leases of this node and takes back those that ran out.
func (d *Dispatcher) heartbeat(ctx context.Context) error {
	d.mu.Lock()
	mine := slices.Collect(maps.Keys(d.inFlight))
	d.mu.Unlock()
	if len(mine) > 0 {
		err := d.db.Write(ctx, func(tx sqldb.Tx) error {
			_, err := tx.Exec(ctx, `update gateway_webhook_job set lease_until = `+tx.Dialect().After(tx.Dialect().Now(), "$1")+`
				where lease_by = $2 and state = 'processing' and `+tx.Dialect().In("id", "$3", true), int64(d.o.Lease/time.Second), d.node, mine)
			return err
		})
		if err != nil {
			return fault.Wrap(err, "extend the leases of webhook jobs")
		}
	}
	return d.takeBack(ctx)
}

// takeBack makes the jobs pending whose lease has run out.
func (d *Dispatcher) takeBack(ctx context.Context) error {
	expired := `state = 'processing' and lease_until < ` + d.db.Dialect().Now()
	return d.where(ctx, `select 1 from gateway_webhook_job where `+expired+` order by webhook_id, lease_by`,
		`update gateway_webhook_job set state = 'pending', lease_by = null, lease_until = null where `+expired, "take back webhook jobs")
}
