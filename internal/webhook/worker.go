package webhook

import (
	"context"
	"sync"
	"time"

	"gatehouse/internal/sqldb"
)

const (
	batch     = 50 // jobs that a worker claims at a time
	batchText = "50"
	// flushAfter is how long an outcome waits for others to be kept with it, while
	// more calls are under way.
	flushAfter = 5 * time.Millisecond
	lookAgain  = 50 * time.Millisecond // at jobs that somebody else had locked
)

// worker sends what is due for one endpoint. Its loop alone talks to the store:
// in one transaction it keeps what came of calls and claims what is next, while
// senders work off what was claimed before.
type worker struct {
	d    *Dispatcher
	id   int64
	news chan struct{} // capacity 1: something has changed for the loop

	mu      sync.Mutex
	ep      *endpoint
	more    bool // there may be something due
	halted  bool // nothing is to be sent any more, until all calls have ended
	busy    int  // senders
	unsent  int  // claimed jobs that have not been called for
	failing int  // failures in a row
	waiting []*chain
	tails   map[recordKey]*chain
	done    []result
	back    []job     // claimed and not sent
	since   time.Time // the oldest of done
}

// chain is the claimed jobs of one record, which are sent one after the other.
type chain struct {
	key  recordKey
	jobs []job // not sent yet
	tail int64 // the last of all that were claimed
	live bool  // it waits, or a sender has it
}

// result is a call that was made.
type result struct {
	job     job
	outcome outcome
	verdict verdict
}

func (w *worker) poke() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// serve runs until nothing is left to do for the endpoint.
func (d *Dispatcher) serve(w *worker) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	sent := false
	for {
		t := w.plan()
		switch {
		case t.end:
			if sent {
				d.poke() // the next attempt of what failed has a time now
			}
			return
		case t.keep || t.room > 0:
			sent = sent || t.keep
			if !d.turn(w, &t) {
				w.pause(awayBreak)
			}
			continue
		}
		timer.Reset(t.wait)
		select {
		case <-w.news:
		case <-timer.C:
		case <-d.work.Done():
			if t.stopped { // calls under way get their grace
				select {
				case <-w.news:
				case <-timer.C:
				}
			}
		}
	}
}

// pause waits, unless the process ends.
func (w *worker) pause(long time.Duration) {
	select {
	case <-time.After(long):
	case <-w.d.work.Done():
	}
}

// turn is what the loop of a worker does next.
type turn struct {
	keep    bool // there are outcomes to keep, or jobs to hand back
	done    []result
	back    []job
	room    int            // for so many jobs that are claimed
	idle    bool           // no call is under way
	tails   map[int64]bool // the last jobs of what is under way
	end     bool           // nothing is left
	stopped bool           // the process ends
	wait    time.Duration  // until there may be something to do
}

// plan decides what is next.
func (w *worker) plan() turn {
	w.d.mu.Lock() // before w.mu: whoever wants a worker finds this one, or none
	defer w.d.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	t := turn{wait: time.Hour, stopped: w.d.work.Err() != nil}
	if t.stopped {
		w.halt()
	}
	t.idle = w.busy == 0 && len(w.waiting) == 0
	n := len(w.done) + len(w.back)
	due := flushAfter - time.Since(w.since)
	t.keep = n > 0 && (t.idle || n >= batch/2 || due <= 0)
	if n > 0 && !t.keep {
		t.wait = due
	}
	if w.more && !w.halted && w.unsent < batch/2 {
		t.room, t.keep, w.more = batch, n > 0, false
	}
	if t.keep {
		w.collect(&t)
	}
	if t.room > 0 {
		t.tails = make(map[int64]bool, len(w.tails))
		for _, c := range w.tails {
			t.tails[c.tail] = true
		}
	}
	if t.idle && n == 0 && t.room == 0 {
		if w.halted = w.halted && t.stopped; w.more && !t.stopped {
			t.wait = 0
			return t
		}
		t.end = true
		delete(w.d.workers, w.id)
	}
	return t
}

// collect takes what is to be kept. The caller holds mu.
func (w *worker) collect(t *turn) {
	t.done, t.back = w.done, w.back
	w.done, w.back = nil, nil
	for _, r := range t.done {
		if c := w.tails[r.job.record]; c != nil && c.tail == r.job.id {
			delete(w.tails, r.job.record)
		}
	}
}

// turn makes one transaction: it keeps what came of calls and claims more.
func (d *Dispatcher) turn(w *worker, t *turn) (ok bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.send), d.o.Timeout)
	defer cancel()
	var ep *endpoint
	var jobs []job
	var full, left bool
	err := d.db.Write(ctx, func(tx sqldb.Tx) error {
		ep, jobs, full, left = nil, nil, false, false
		// What a crash of the database forgets is sent again, as after one of this process.
		tx.Relaxed()
		if t.keep {
			if err := d.settle(ctx, tx, w.id, t.done); err != nil {
				return err
			}
			if err := d.handBack(ctx, tx, t.back); err != nil {
				return err
			}
			if t.stopped && len(t.back) > 0 {
				if err := tx.Signal(ctx, JobsChannel); err != nil {
					return err
				}
			}
		}
		if t.room == 0 {
			return nil
		}
		var due []candidate
		var err error
		ep, due, full, err = d.look(ctx, tx, w.id, t.room, d.o.Clock.Now())
		if err != nil || len(due) == 0 {
			return err
		}
		if ep.trial && !t.idle { // one is under way
			full = false
			return nil
		}
		free, waiting := split(due, t.tails)
		if left, err = park(ctx, tx, waiting); err != nil || len(free) == 0 {
			return err
		}
		jobs, err = d.take(ctx, tx, free)
		return err
	})
	if err != nil {
		d.log.WarnContext(ctx, "webhooks: the queue cannot be worked off", "webhook", w.id, "calls", len(t.done), "error", err)
		w.restore(t)
		return false
	}
	d.forget(t)
	if left {
		full = false
		time.AfterFunc(lookAgain, d.poke)
	}
	w.begin(ep, jobs, full)
	return true
}

// restore takes back what a turn could not keep. It is tried again while the
// process lives; what is lost then is sent again when the lease has run out.
func (w *worker) restore(t *turn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.more = w.more || t.room > 0
	if t.stopped {
		return
	}
	w.done, w.back = append(t.done, w.done...), append(t.back, w.back...)
}

// begin gives claimed jobs to senders.
func (w *worker) begin(ep *endpoint, jobs []job, full bool) {
	w.d.hold(jobs)
	w.mu.Lock()
	defer w.mu.Unlock()
	if full {
		w.more = true
	}
	if ep == nil {
		return
	}
	if w.busy == 0 && len(w.done) == 0 { // the store has counted all calls
		w.failing = ep.failures
	}
	w.ep = ep
	if w.tails == nil {
		w.tails = map[recordKey]*chain{}
	}
	for _, j := range jobs {
		if j.action == testAction {
			j.record.id = -j.id // they wait for nothing
		}
		c := w.tails[j.record]
		switch {
		case j.after != 0 && (c == nil || c.tail != j.after): // the one before it has failed meanwhile
			w.back = append(w.back, j)
			continue
		case c == nil:
			c = &chain{key: j.record}
			w.tails[j.record] = c
		}
		c.jobs, c.tail = append(c.jobs, j), j.id
		w.unsent++
		if !c.live {
			c.live = true
			w.waiting = append(w.waiting, c)
		}
	}
	if w.halted {
		w.halt()
	}
	for w.busy < min(ep.concurrency, w.busy+len(w.waiting)) {
		c := w.waiting[0]
		w.waiting = w.waiting[1:]
		w.busy++
		w.d.done.Go(func() { w.sender(c) })
	}
}

// halt hands everything back that has not been sent. The caller holds mu.
func (w *worker) halt() {
	w.halted = true
	for _, c := range w.waiting {
		w.abandon(c)
	}
	w.waiting = nil
}

// abandon hands the rest of a chain back. The caller holds mu.
func (w *worker) abandon(c *chain) {
	if len(c.jobs) > 0 {
		w.unsent -= len(c.jobs)
		w.back = append(w.back, c.jobs...)
	}
	c.jobs, c.live = nil, false
	delete(w.tails, c.key)
}

// sender sends chains until none is left or there are too many senders.
func (w *worker) sender(c *chain) {
	for c != nil {
		ep, j := w.next(c)
		if j == nil {
			c = w.another()
			continue
		}
		o := w.d.call(ep, j)
		w.keep(c, j, o)
	}
}

// next is the next job of a chain; nil: it is at its end, for now.
func (w *worker) next(c *chain) (*endpoint, *job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.halted && len(c.jobs) > 0 {
		w.abandon(c)
	}
	if len(c.jobs) == 0 {
		c.live = false
		return nil, nil
	}
	j := c.jobs[0]
	c.jobs = c.jobs[1:]
	if w.unsent--; w.unsent == batch/2-1 && w.more {
		w.poke()
	}
	return w.ep, &j
}

// another is a chain that waits; nil: the sender is not needed any more.
func (w *worker) another() *chain {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 || w.busy > w.ep.concurrency {
		if w.busy--; w.busy == 0 {
			w.poke()
		}
		return nil
	}
	c := w.waiting[0]
	w.waiting = w.waiting[1:]
	return c
}

// keep notes what came of a call, and decides whether the others go on.
func (w *worker) keep(c *chain, j *job, o outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.done)+len(w.back) == 0 {
		w.since = time.Now()
		w.poke()
	}
	if o.aborted { // the process ends
		w.back = append(w.back, *j)
		w.abandon(c)
		return
	}
	v := judge(j.action, j.attempts+1, &o, w.d.o.Backoff)
	w.done = append(w.done, result{*j, o, v})
	if len(w.done) == batch/2 {
		w.poke()
	}
	switch {
	case j.action == testAction:
	case o.err == "":
		w.failing = 0
	default:
		w.failing++
		if v.state == Failed {
			w.abandon(c)
		}
		if v.gone || o.asked > 0 || w.failing >= failuresToOpen {
			w.halt()
		}
	}
}
