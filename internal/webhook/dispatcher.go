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
	batch      = 50               // jobs that a worker claims at a time
	timeout    = 10 * time.Second // of one call
	lease      = 30 * time.Second // after which the jobs of a dead node come back
	grace      = 3 * time.Second  // for calls under way at the end
	sweepEvery = time.Minute
	scanBreak  = 20 * time.Millisecond // the least time between two looks at the jobs
	awayBreak  = 500 * time.Millisecond
)

// Options tune a Dispatcher. The zero value is that of a server.
type Options struct {
	Guard Guard
	// Version is told to endpoints in the User-Agent.
	Version string
	Log     *slog.Logger
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

// worker says whether more may have come while a worker was at its end.
type worker struct{ again bool }

// NewDispatcher makes a dispatcher that does nothing until Start.
func NewDispatcher(db sqldb.DB, o Options) *Dispatcher {
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
		next, err := d.scan(d.work)
		pause := scanBreak
		if err != nil && d.work.Err() == nil {
			d.log.WarnContext(d.work, "webhooks: the store cannot be asked", "error", err)
			next, pause = time.Time{}, awayBreak
			d.poke()
		}
		wait := sweepEvery
		if !next.IsZero() {
			wait = min(max(time.Until(next), 0), sweepEvery)
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
	now := time.Now().UTC()
	err = d.db.Read(ctx, func(q sqldb.Querier) error {
		due = due[:0]
		err := q.Query(ctx, `select w.id from gateway_webhook w where (w.active and (w.circuit_until is null or w.circuit_until <= $1)
			and exists (select 1 from gateway_webhook_job j where j.webhook_id = w.id and j.state in ('pending', 'failed')
				and (j.next_at is null or j.next_at <= $1)))
			or exists (select 1 from gateway_webhook_job j where j.webhook_id = w.id and j.state = 'pending' and j.action = 'test')`,
			[]any{now}, func(r sqldb.Row) error {
				due = append(due, r.Int(0))
				return nil
			})
		if err != nil {
			return err
		}
		return q.Query(ctx, `select min(j.next_at) from gateway_webhook_job j join gateway_webhook w on w.id = j.webhook_id
			where w.active and j.state in ('pending', 'failed') and j.next_at > $1
			union all select min(circuit_until) from gateway_webhook where active and circuit_until > $1`, []any{now},
			func(r sqldb.Row) error {
				if at := r.Time(0); !r.Null(0) && (next.IsZero() || at.Before(next)) {
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

func (d *Dispatcher) startWorker(id int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if w := d.workers[id]; w != nil {
		w.again = true
		return
	}
	w := &worker{}
	d.workers[id] = w
	d.done.Go(func() { d.serve(id, w) })
}

// serve sends what is due for one endpoint until nothing is left.
func (d *Dispatcher) serve(id int64, w *worker) {
	sent := false
	for d.work.Err() == nil {
		ep, jobs, err := d.claim(d.work, id)
		if err != nil {
			if d.work.Err() == nil {
				d.log.WarnContext(d.work, "webhooks: jobs cannot be claimed", "webhook", id, "error", err)
			}
			break
		}
		if len(jobs) > 0 {
			sent = true
			d.deliver(ep, jobs)
			continue
		}
		d.mu.Lock()
		if w.again {
			w.again = false
			d.mu.Unlock()
			continue
		}
		delete(d.workers, id)
		d.mu.Unlock()
		if sent {
			d.poke() // the next attempt of what failed has a time now
		}
		return
	}
	d.mu.Lock()
	delete(d.workers, id)
	d.mu.Unlock()
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
		if err := d.RunOnce(d.work); err != nil && d.work.Err() == nil {
			d.log.WarnContext(d.work, "webhooks: leases cannot be kept", "error", err)
		}
	}
}

// RunOnce is the sweep: it extends the leases of this node, takes back the jobs
// of nodes that are gone, and looks for whatever is due.
func (d *Dispatcher) RunOnce(ctx context.Context) error {
	d.mu.Lock()
	mine := slices.Collect(maps.Keys(d.inFlight))
	d.mu.Unlock()
	until := d.db.Dialect().After(d.db.Dialect().Now(), "$1")
	lost := false
	if len(mine) > 0 {
		err := d.db.Write(ctx, func(tx sqldb.Tx) error {
			_, err := tx.Exec(ctx, `update gateway_webhook_job set lease_until = `+until+` where lease_by = $2 and state = 'processing'
				and `+tx.Dialect().In("id", "$3", true), int64(d.o.Lease/time.Second), d.node, mine)
			return err
		})
		if err != nil {
			return fault.Wrap(err, "extend the leases of webhook jobs")
		}
	}
	expired := `state = 'processing' and lease_until < ` + d.db.Dialect().Now()
	err := d.db.Read(ctx, func(q sqldb.Querier) error { // an idle node writes nothing
		return q.Query(ctx, `select 1 from gateway_webhook_job where `+expired+` limit 1`, nil, func(sqldb.Row) error {
			lost = true
			return nil
		})
	})
	if err == nil && lost {
		err = d.db.Write(ctx, func(tx sqldb.Tx) error {
			_, err := tx.Exec(ctx, `update gateway_webhook_job set state = 'pending', lease_by = null, lease_until = null where `+expired)
			return err
		})
	}
	if err == nil && d.running.Load() {
		d.poke()
	}
	return fault.Wrap(err, "take back webhook jobs")
}
