// Package traffic watches what the server does: it keeps the traffic log, adds
// requests up for the dashboard and for Prometheus, and tells who watches live.
//
// A request costs its caller a few counters in memory (tally.go). Every second
// these are collected; what they say of the second goes to the live stream, and
// every few seconds what has gathered is added to the rollups in the store
// (rollup.go, store.go). Of requests that the log level asks for, a copy goes
// to the log's queue, whose writer masks secrets and stores them (log*.go).
// Nothing here makes a request wait for the store.
package traffic

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/setting"
	"gatehouse/internal/sqldb"
)

const (
	collectEvery = time.Second
	storeEvery   = 2 // collections between two writes of the rollups
	storeTimeout = 20 * time.Second
	// maxPending bounds the rows that wait for a store that is away; then
	// traffic is no longer added up, and counted as lost.
	maxPending = 200_000
)

// Options tune a Recorder. Settings and House must be there.
type Options struct {
	Settings func() *setting.Settings
	House    House
	Log      *slog.Logger
	Clock    clock.Clock
	// More are figures of other parts for Metrics; nil: none.
	More func() []Metric
}

// Recorder observes requests. Safe for concurrent use.
type Recorder struct {
	db       sqldb.DB
	settings func() *setting.Settings
	house    House
	more     func() []Metric
	log      *slog.Logger
	clock    clock.Clock
	node     string // this process, for the store
	started  time.Time
	tally    *tally
	live     *live
	queue    *logQueue
	nodes    sharing // used by tick alone

	mu      sync.Mutex // guards what follows
	pending *delta     // collected, not yet stored
	lost    int64      // requests that no rollup has
	since   second     // collected since the last tick
	metrics metrics

	storing sync.Mutex // held while a batch is written
	batch   int64      // its number
	inHand  *delta     // the batch, until it is known to be stored

	stop    context.CancelFunc
	running sync.WaitGroup
}

// New makes a Recorder on a store that Prepare has been run on. It counts at
// once, and stores what it counts between Start and Close.
func New(db sqldb.DB, opts Options) *Recorder {
	if opts.Clock == nil {
		opts.Clock = clock.System
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return &Recorder{
		db: db, settings: opts.Settings, house: opts.House, more: opts.More, log: opts.Log, clock: opts.Clock,
		node: clock.RandomHex(8), started: opts.Clock.Now(), tally: newTally(), live: newLive(), queue: newLogQueue(), pending: newDelta(),
	}
}

// Prepare makes the tables of this package, those of Models apart.
func Prepare(ctx context.Context, db sqldb.DB) error {
	return sqldb.Migrate(ctx, db, "traffic", steps())
}

// Observe notes a finished request. It does not block, and keeps nothing of
// the event.
func (r *Recorder) Observe(e *Event) {
	r.tally.count(e)
	if e.Status >= http.StatusBadRequest {
		r.live.fault(e)
	}
	if level, kept := levelOf(e, r.settings().LogLevel); kept {
		r.queue.add(e, level)
	}
}

// Start begins to collect and to store.
func (r *Recorder) Start(ctx context.Context) {
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	r.running.Go(func() { r.run(ctx) })
	r.running.Go(func() { r.runLog(ctx) })
}

func (r *Recorder) run(ctx context.Context) {
	ticker := time.NewTicker(collectEvery)
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		r.collect()
		r.tick(ctx)
		if n%storeEvery == 0 {
			if err := r.store(ctx); err != nil && ctx.Err() == nil {
				r.log.Warn("traffic cannot be added up in the store; it is kept in memory", "error", err)
			}
		}
	}
}

// Close stops, and stores what was counted and what the log has waiting.
func (r *Recorder) Close(ctx context.Context) error {
	r.Drain()
	if r.stop != nil {
		r.stop()
		r.running.Wait()
	}
	return r.Flush(ctx)
}

// Flush stores all that was counted, and writes the log.
func (r *Recorder) Flush(ctx context.Context) error {
	r.collect()
	return errors.Join(r.store(ctx), r.writeLog(ctx))
}

// collect takes what the tally has, for the next batch.
func (r *Recorder) collect() {
	all := r.tally.collect()
	if len(all) == 0 {
		return
	}
	s := sum(all)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.since.add(s)
	r.metrics.add(all)
	if r.pending.rows() > maxPending {
		r.lost += s.requests
		return
	}
	r.pending.add(all)
}

// tick tells what was collected in the last second.
func (r *Recorder) tick(ctx context.Context) {
	r.mu.Lock()
	s := r.since
	r.since = second{}
	r.mu.Unlock()
	s.add(r.share(ctx, s))
	r.live.tick(r.clock.Now(), s)
}

// freshen stores what this node has counted, so that a report has it. A store
// that is slow or away does not keep a report from being made.
func (r *Recorder) freshen(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, collectEvery)
	defer cancel()
	r.live.asked.Store(r.clock.Now().Unix())
	r.collect()
	if err := r.store(ctx); err != nil {
		r.log.Debug("the latest traffic is not in the report", "error", err)
	}
}

// store writes what is pending, in one transaction. A batch that may have
// been stored although its commit failed is tried again under its number.
func (r *Recorder) store(ctx context.Context) error {
	r.storing.Lock()
	defer r.storing.Unlock()
	for {
		if r.inHand == nil {
			r.mu.Lock()
			if !r.pending.empty() {
				r.inHand, r.pending = r.pending, newDelta()
				r.batch++
			}
			r.mu.Unlock()
			if r.inHand == nil {
				return nil
			}
		}
		again := r.inHand
		ctx, cancel := context.WithTimeout(ctx, storeTimeout)
		err := r.db.Write(ctx, func(tx sqldb.Tx) error {
			tx.Relaxed()
			written, err := once(ctx, tx, r.node, r.batch, r.clock.Now().Unix())
			if err != nil || written {
				return err
			}
			return again.store(ctx, tx)
		})
		cancel()
		if err != nil {
			return fault.Wrap(err, "add up traffic")
		}
		r.inHand = nil
	}
}
