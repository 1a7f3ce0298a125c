package throttle

import (
	"context"
	"slices"
	"sync"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

const (
	countTimeout = 5 * time.Second // for one statement; after that the store counts as down
	maxRefused   = 100_000         // subjects that are refused from memory
	retryAfter   = time.Second     // when the store cannot be asked
)

// Limiter admits requests. Any number of Limiters, in any number of processes,
// may share a database; together they admit exactly the limit. Safe for
// concurrent use.
type Limiter struct {
	db    sqldb.DB
	clock clock.Clock
	stop  func()

	mu      sync.Mutex
	queues  map[string]*queue  // subjects for which a statement is under way
	refused map[string]refusal // subjects that are known to be over a limit
	sweepAt int                // size of refused at which ended ones are removed
	cleared int                // how often refused was emptied
}

// queue holds the requests of a subject that came while its last ones were
// being counted. They are counted together next.
type queue struct{ waiting []*waiter }

// waiter is one request and the limits it goes by.
type waiter struct {
	windows []Window
	answer  chan answer // capacity 1: whoever answers never waits
}

type answer struct {
	decision Decision
	err      error
}

// refusal is why a subject gets nothing until a moment. It holds as long as
// the limits are the same.
type refusal struct {
	windows  []Window
	decision Decision
	until    time.Time
}

// New makes a Limiter on a database that has the tables of Models. The clock
// only measures how long windows still last; nil is the system's.
func New(db sqldb.DB, c clock.Clock) *Limiter {
	if c == nil {
		c = clock.System
	}
	l := &Limiter{db: db, clock: c, queues: map[string]*queue{}, refused: map[string]refusal{}, sweepAt: 1000}
	l.stop = db.Watch(func(channel string) {
		if channel == Channel || channel == "" {
			l.mu.Lock()
			clear(l.refused)
			l.cleared++
			l.mu.Unlock()
		}
	})
	return l
}

// Close ends what New began. Requests that are being counted still get their answer.
func (l *Limiter) Close() { l.stop() }

// Take counts one request of a subject against its limits. It allows without
// asking the database when there are none, and refuses without asking it when
// a window of the subject is known to be full. The windows must have different
// lengths and stay as they are until Take returns. The only errors are Unavailable: the store cannot be asked, and
// then nothing is let through.
func (l *Limiter) Take(ctx context.Context, subject string, limits []Window) (Decision, error) {
	windows := effective(limits)
	if len(windows) == 0 {
		return Decision{Allowed: true}, nil
	}
	l.mu.Lock()
	if d, ok := l.refusal(subject, windows); ok {
		l.mu.Unlock()
		return d, nil
	}
	w := &waiter{windows: windows, answer: make(chan answer, 1)}
	q, busy := l.queues[subject]
	if !busy {
		q = &queue{}
		l.queues[subject] = q
	}
	q.waiting = append(q.waiting, w)
	l.mu.Unlock()
	if !busy {
		go l.drain(context.WithoutCancel(ctx), subject, q)
	}
	select {
	case a := <-w.answer:
		return a.decision, a.err
	case <-ctx.Done():
		l.leave(q, w)
		return Decision{}, unavailable(ctx.Err())
	}
}

// Refused says from memory alone whether a subject is over these limits. A
// false answer promises nothing.
func (l *Limiter) Refused(subject string, limits []Window) (Decision, bool) {
	windows := effective(limits)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refusal(subject, windows)
}

// refusal looks up whether a subject is refused; l.mu is held.
func (l *Limiter) refusal(subject string, windows []Window) (Decision, bool) {
	r, ok := l.refused[subject]
	if !ok {
		return Decision{}, false
	}
	left := r.until.Sub(l.clock.Now())
	if left <= 0 || !slices.Equal(r.windows, windows) {
		delete(l.refused, subject)
		return Decision{}, false
	}
	d := r.decision
	d.Reset = left
	return d, true
}

// leave takes a request that its caller gave up out of the queue, if it is not
// being counted yet.
func (l *Limiter) leave(q *queue, w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(q.waiting, w); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
}

// drain counts the requests of a subject until none wait: all that came
// during one statement go with the next.
func (l *Limiter) drain(ctx context.Context, subject string, q *queue) {
	for {
		l.mu.Lock()
		if len(q.waiting) == 0 {
			delete(l.queues, subject)
			l.mu.Unlock()
			return
		}
		batch := q.waiting
		for i, w := range batch { // limits may be changed at any time
			if !slices.Equal(w.windows, batch[0].windows) {
				batch = batch[:i]
				break
			}
		}
		q.waiting = slices.Clone(q.waiting[len(batch):])
		cleared := l.cleared
		l.mu.Unlock()
		l.count(ctx, subject, batch, cleared)
	}
}

// count asks the database for a batch and answers each of it, the first ones
// first. What it learns is remembered unless memory was cleared since.
func (l *Limiter) count(ctx context.Context, subject string, batch []*waiter, cleared int) {
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	windows := batch[0].windows
	var admitted int64
	var found []counted
	var asked time.Time
	err := l.db.Write(ctx, func(tx sqldb.Tx) (err error) {
		asked = l.clock.Now() // before the database looks at its clock: never refuse past the end of a window
		admitted, found, err = add(ctx, tx, subject, windows, int64(len(batch)))
		return err
	})
	if err != nil {
		for _, w := range batch {
			w.answer <- answer{err: unavailable(err)}
		}
		return
	}
	if no, full := refuse(windows, found); full {
		l.remember(subject, refusal{windows: slices.Clone(windows), decision: no, until: asked.Add(no.Reset)}, cleared)
	}
	for i, w := range batch {
		w.answer <- answer{decision: decide(windows, found, admitted, int64(i))}
	}
}

// decide is the decision for the i-th of a batch of which so many are admitted.
func decide(windows []Window, found []counted, admitted, i int64) Decision {
	if i >= admitted {
		no, _ := refuse(windows, found)
		return no
	}
	tightest := 0
	for j, w := range windows {
		if w.Limit-found[j].count < windows[tightest].Limit-found[tightest].count {
			tightest = j
		}
	}
	after := admitted - 1 - i // those of the batch that come later
	return Decision{
		Allowed: true, Limit: windows[tightest].Limit, Window: windows[tightest].Name,
		Remaining: max(0, windows[tightest].Limit-found[tightest].count+after), Reset: found[tightest].reset,
	}
}

// refuse finds, of the windows that are full, the one that ends last.
func refuse(windows []Window, found []counted) (Decision, bool) {
	var d Decision
	full := false
	for i, w := range windows {
		if found[i].count >= w.Limit && (!full || found[i].reset > d.Reset) {
			d, full = Decision{Limit: w.Limit, Window: w.Name, Reset: found[i].reset}, true
		}
	}
	return d, full
}

// remember keeps a refusal. Ended ones are removed whenever their number has
// doubled; beyond maxRefused the database is asked each time.
func (l *Limiter) remember(subject string, r refusal, cleared int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cleared != cleared {
		return
	}
	if len(l.refused) >= l.sweepAt {
		now := l.clock.Now()
		for s, old := range l.refused {
			if !old.until.After(now) {
				delete(l.refused, s)
			}
		}
		l.sweepAt = max(1000, 2*len(l.refused))
	}
	if len(l.refused) < maxRefused {
		l.refused[subject] = r
	}
}

// Vacuum deletes windows that began more than two days ago, in batches, and
// gives their number.
func (l *Limiter) Vacuum(ctx context.Context) (int64, error) {
	const batch = 1000
	var total int64
	for {
		var n int64
		err := l.db.Write(ctx, func(tx sqldb.Tx) (err error) {
			n, err = tx.Exec(ctx, `delete from gateway_throttle where id in (
				select id from gateway_throttle where window_start < $1 order by window_start limit $2)`,
				l.clock.Now().Add(-48*time.Hour), batch)
			return err
		})
		total += n
		if err != nil || n < batch {
			return total, fault.Wrap(err, "delete old throttle windows")
		}
	}
}

// effective leaves out the windows without a limit, and caps the others at
// MaxLimit. It copies only if it must.
func effective(limits []Window) []Window {
	changed := func(w Window) bool { return w.Limit <= 0 || w.Seconds <= 0 || w.Limit > MaxLimit }
	if !slices.ContainsFunc(limits, changed) {
		return limits
	}
	var windows []Window
	for _, w := range limits {
		if w.Limit > 0 && w.Seconds > 0 {
			w.Limit = min(w.Limit, MaxLimit)
			windows = append(windows, w)
		}
	}
	return windows
}

func unavailable(err error) error {
	return &fault.Error{
		Kind: fault.Unavailable, Message: "The rate limit cannot be checked right now",
		RetryAfter: retryAfter, Cause: err,
	}
}
