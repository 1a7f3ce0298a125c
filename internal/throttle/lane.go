package throttle

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
)

// maxBatch is how many subjects are counted in one transaction.
const maxBatch = 128

// lane counts requests, those that come together in one transaction. There is
// no goroutine behind it: whoever comes while nobody counts leads, counts
// himself and whoever waits, and then hands the lead to one of those who came
// meanwhile.
type lane struct {
	l       *Limiter
	counter counter // the leader's

	mu      sync.Mutex
	led     bool              // somebody counts, or has been asked to
	waiting []*group          // in the order of their first requests; none is empty
	latest  map[string]*group // of waiting, the last one of each subject
	refused refusals
	cleared int // how often refused was emptied

	batch   []*group // the leader's
	tallies []tally  // the leader's, beside batch
	free    []*group
	pool    sync.Pool // of *waiter
}

// group is the requests of a subject with the same limits.
type group struct {
	subject  string
	windows  []Window
	waiters  []*waiter
	counting bool // it is in a batch: nobody joins or leaves
}

// waiter is one request. It is used again unless its caller left while it was
// being counted.
type waiter struct {
	group  *group
	leads  bool        // it was told to lead
	answer chan answer // capacity 1: whoever answers never waits
}

// answer is what a waiter is told: to lead, or what became of it.
type answer struct {
	lead     bool
	decision Decision
	err      error
}

func newLane(l *Limiter, sql *statements) *lane {
	n := &lane{
		l: l, counter: counter{sql: sql, clock: l.clock}, latest: map[string]*group{},
		refused: newRefusals(maxRefused),
	}
	n.pool.New = func() any { return &waiter{answer: make(chan answer, 1)} }
	return n
}

// take counts one request.
func (n *lane) take(ctx context.Context, subject string, windows []Window) (Decision, error) {
	n.mu.Lock()
	if d, ok := n.refused.find(subject, windows, n.l.clock); ok {
		n.mu.Unlock()
		return d, nil
	}
	if !n.l.store.ask() {
		n.mu.Unlock()
		return Decision{}, unavailable(errAway)
	}
	w := n.join(subject, windows)
	lead := !n.led
	n.led = true
	n.mu.Unlock()
	if lead {
		n.lead(ctx)
		return n.receive(<-w.answer, w)
	}
	select {
	case a := <-w.answer:
		if a.lead {
			n.lead(ctx)
			a = <-w.answer
		}
		return n.receive(a, w)
	case <-ctx.Done():
		n.leave(w)
		return Decision{}, unavailable(ctx.Err())
	}
}

// receive gives an answer to the caller, and keeps the waiter for another.
func (n *lane) receive(a answer, w *waiter) (Decision, error) {
	n.pool.Put(w)
	return a.decision, a.err
}

// join queues a request; n.mu is held.
func (n *lane) join(subject string, windows []Window) *waiter {
	g := n.latest[subject]
	if g == nil || !slices.Equal(g.windows, windows) { // limits may be changed at any time
		g = n.newGroup()
		g.subject, g.windows = subject, append(g.windows[:0], windows...)
		n.latest[subject] = g
		n.waiting = append(n.waiting, g)
	}
	w, _ := n.pool.Get().(*waiter)
	w.group, w.leads = g, false
	g.waiters = append(g.waiters, w)
	return w
}

func (n *lane) newGroup() *group {
	if last := len(n.free) - 1; last >= 0 {
		g := n.free[last]
		n.free = n.free[:last]
		return g
	}
	return &group{}
}

// leave takes a request that its caller gave up out of the queue, if it is not
// being counted yet. Was it told to lead, the next one is.
func (n *lane) leave(w *waiter) {
	n.mu.Lock()
	defer n.mu.Unlock()
	g := w.group
	i := slices.Index(g.waiters, w)
	if i < 0 || g.counting {
		return // its answer comes or is there, and nobody reads it
	}
	if g.waiters = slices.Delete(g.waiters, i, i+1); len(g.waiters) == 0 {
		i = slices.Index(n.waiting, g)
		n.waiting = slices.Delete(n.waiting, i, i+1)
		if n.latest[g.subject] == g {
			delete(n.latest, g.subject)
		}
	}
	if w.leads {
		n.pass()
	}
}

// pass hands the lead to the first who waits; n.mu is held.
func (n *lane) pass() {
	if len(n.waiting) == 0 {
		n.led = false
		return
	}
	w := n.waiting[0].waiters[0]
	w.leads = true
	w.answer <- answer{lead: true}
}

var errUnfinished = errors.New("counting was broken off")

// lead counts a batch and hands the lead on.
func (n *lane) lead(ctx context.Context) {
	n.mu.Lock()
	n.form()
	cleared := n.cleared
	n.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), n.l.timeout)
	defer cancel()
	err := errUnfinished // a panic must not leave the others waiting
	defer func() { n.finish(err, cleared) }()
	err = n.counter.count(ctx, n.l.db, n.tallies)
}

// form makes a batch of those who wait, and the tallies beside it; n.mu is held.
func (n *lane) form() {
	n.batch = n.batch[:0]
	rest := n.waiting[:0]
	var held []string // subjects whose limits were changed: the later requests wait
	for _, g := range n.waiting {
		if len(n.batch) == maxBatch || slices.Contains(held, g.subject) {
			rest = append(rest, g)
			continue
		}
		g.counting = true
		n.batch = append(n.batch, g)
		if n.latest[g.subject] == g {
			delete(n.latest, g.subject)
		} else {
			held = append(held, g.subject)
		}
	}
	clear(n.waiting[len(rest):])
	n.waiting = rest
	slices.SortFunc(n.batch, func(a, b *group) int { return strings.Compare(a.subject, b.subject) })
	n.tallies = slices.Grow(n.tallies[:0], len(n.batch))[:len(n.batch)]
	for i, g := range n.batch {
		n.tallies[i].reset(g.subject, g.windows, int64(len(g.waiters)))
	}
}

// finish answers a batch, the first requests of a subject first, and hands the
// lead on. What was learnt is remembered unless memory was cleared since. When
// the store is away, those who wait are told as well.
func (n *lane) finish(err error, cleared int) {
	n.l.store.note(err)
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, g := range n.batch {
		t := &n.tallies[i]
		if err == nil && n.cleared == cleared {
			n.remember(t)
		}
		n.answer(g, func(i int) (Decision, error) {
			if err != nil {
				return Decision{}, unavailable(err)
			}
			return t.decide(int64(i)), nil
		})
	}
	if isAway(err) {
		for _, g := range n.waiting {
			n.answer(g, func(int) (Decision, error) { return Decision{}, unavailable(err) })
		}
		clear(n.waiting)
		clear(n.latest)
		n.waiting = n.waiting[:0]
	}
	n.pass()
}

// remember keeps that a subject is over a limit, if it is; n.mu is held.
func (n *lane) remember(t *tally) {
	if no, full := t.refuse(); full {
		r := refusal{windows: slices.Clone(t.windows), decision: no, until: t.asked.Add(no.Reset)}
		n.refused.remember(t.subject, r, t.asked)
	}
}

// answer answers a group and keeps it for another.
func (n *lane) answer(g *group, of func(i int) (Decision, error)) {
	for i, w := range g.waiters {
		d, err := of(i)
		w.answer <- answer{decision: d, err: err}
	}
	clear(g.waiters)
	g.waiters, g.counting = g.waiters[:0], false
	if len(n.free) < maxBatch {
		n.free = append(n.free, g)
	}
}

// forget forgets who is refused.
func (n *lane) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.refused.known)
	n.cleared++
}
