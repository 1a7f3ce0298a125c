package throttle

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"slices"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

const (
	defaultTimeout = 5 * time.Second
	maxRefused     = 100_000     // subjects that are refused from memory
	retryAfter     = time.Second // when the store cannot be asked
)

// Options tune a Limiter. The zero value is a good choice.
type Options struct {
	// Timeout is how long the store may take to count; 0 means 5 seconds.
	Timeout time.Duration
	// Clock only measures how long windows still last; nil is the system's.
	Clock clock.Clock
	// Log learns when the store stops and begins again to count.
	Log *slog.Logger
}

// Limiter admits requests. Any number of Limiters, in any number of processes,
// may share a database; together they admit exactly the limit. Safe for
// concurrent use.
type Limiter struct {
	db      sqldb.DB
	clock   clock.Clock
	timeout time.Duration
	stop    func()
	store   availability
	seed    maphash.Seed
	lanes   []*lane
}

// New makes a Limiter on a database that has the tables of Models.
func New(db sqldb.DB, opts Options) *Limiter {
	if opts.Clock == nil {
		opts.Clock = clock.System
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Timeout <= 0 {
		opts.Timeout = defaultTimeout
	}
	l := &Limiter{
		db: db, clock: opts.Clock, timeout: opts.Timeout, seed: maphash.MakeSeed(),
		store: availability{clock: opts.Clock, log: opts.Log},
	}
	sql := newStatements(db.Dialect())
	for range lanesOf(db.Dialect()) {
		l.lanes = append(l.lanes, newLane(l, sql))
	}
	l.stop = db.Watch(func(channel string) {
		if channel == Channel || channel == "" {
			for _, n := range l.lanes {
				n.forget()
			}
		}
	})
	return l
}

// lanesOf is how many batches may be counted at one time. SQLite has one
// writer; PostgreSQL has processors to use and round trips to hide.
func lanesOf(d sqldb.Dialect) int {
	if d.Name() == "sqlite" {
		return 1
	}
	return 2
}

// Close ends what New began. Requests that are being counted still get their answer.
func (l *Limiter) Close() { l.stop() }

// Take counts one request of a subject against its limits. It allows without
// asking the database when there are none, and refuses without asking it when
// a window of the subject is known to be full. The windows must have different
// lengths and stay as they are until Take returns. The only errors are
// Unavailable: the store cannot be asked, and nothing says whether the request
// is within its limits. It takes no longer than Options.Timeout.
func (l *Limiter) Take(ctx context.Context, subject string, limits []Window) (Decision, error) {
	windows := effective(limits)
	if len(windows) == 0 {
		return Decision{Allowed: true}, nil
	}
	return l.lane(subject).take(ctx, subject, windows)
}

// Refused says from memory alone whether a subject is over these limits. A
// false answer promises nothing.
func (l *Limiter) Refused(subject string, limits []Window) (Decision, bool) {
	windows := effective(limits)
	n := l.lane(subject)
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.refused.find(subject, windows, l.clock)
}

// lane is where a subject is counted: always the same one, so that its
// requests never wait for each other's locks.
func (l *Limiter) lane(subject string) *lane {
	if len(l.lanes) == 1 {
		return l.lanes[0]
	}
	return l.lanes[maphash.String(l.seed, subject)%uint64(len(l.lanes))]
}

// decide is the decision for the i-th request of a subject in a batch.
func (t *tally) decide(i int64) Decision {
	if i >= t.room {
		no, _ := t.refuse()
		return no
	}
	tightest := 0
	for j, w := range t.windows {
		if w.Limit-t.found[j].count < t.windows[tightest].Limit-t.found[tightest].count {
			tightest = j
		}
	}
	w, f := t.windows[tightest], t.found[tightest]
	after := t.room - 1 - i // those of the batch that come later
	return Decision{
		Allowed: true, Limit: w.Limit, Window: w.Name,
		Remaining: max(0, w.Limit-f.count+after), Reset: f.reset, Start: f.start,
	}
}

// refuse finds, of the windows that are full, the one that ends last.
func (t *tally) refuse() (Decision, bool) {
	var d Decision
	full := false
	for i, w := range t.windows {
		if f := t.found[i]; f.count >= w.Limit && (!full || f.reset > d.Reset) {
			d, full = Decision{Limit: w.Limit, Window: w.Name, Reset: f.reset, Start: f.start}, true
		}
	}
	return d, full
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

// isAway says whether the store did not answer, and not merely refused.
func isAway(err error) bool {
	return errors.Is(err, sqldb.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded)
}
