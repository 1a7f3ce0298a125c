package odoorpc

import (
	"context"
	"sync"
	"time"

	"gatehouse/internal/fault"
)

// gate lets a number of calls in at once and makes the others wait, in a line
// for each caller. Of the lines one after the other sends its first, so that
// who has many calls does not keep others waiting. It is bounded in all, and a
// single caller may fill no more than three quarters of the waiting room, nor
// have the last place inside (calls may be slow).
type gate struct {
	max, room, each int // calls inside, calls that wait, of which of one caller
	patience        time.Duration

	mu      sync.Mutex
	inside  int
	waiting int
	lines   map[string]*line
	turns   []*line // with somebody waiting, in the order of their turns
}

// line is a caller with calls inside or waiting.
type line struct {
	who    string
	inside int
	queue  []*waiter
}

type waiter struct {
	in chan struct{} // closed when it is let in
}

func newGate(calls, room int, patience time.Duration) *gate {
	return &gate{max: calls, room: room, each: max(room-room/4, 1), patience: patience, lines: map[string]*line{}}
}

// perCaller is how many calls of one caller may be inside.
func (g *gate) perCaller() int { return max(g.max-1, 1) }

// enter waits to be let in. Who is in calls leave.
func (g *gate) enter(ctx context.Context, who string) (*line, error) {
	g.mu.Lock()
	l := g.lines[who]
	if l == nil {
		l = &line{who: who}
		g.lines[who] = l
	}
	if g.inside < g.max && l.inside < g.perCaller() { // then nobody in his line waits
		g.inside++
		l.inside++
		g.mu.Unlock()
		return l, nil
	}
	if g.waiting >= g.room || len(l.queue) >= g.each {
		g.forget(l)
		g.mu.Unlock()
		return nil, overloaded("too many calls wait for it")
	}
	w := &waiter{in: make(chan struct{})}
	l.queue = append(l.queue, w)
	if len(l.queue) == 1 {
		g.turns = append(g.turns, l)
	}
	g.waiting++
	g.mu.Unlock()
	return l, g.wait(ctx, l, w)
}

func (g *gate) wait(ctx context.Context, l *line, w *waiter) error {
	timer := time.NewTimer(g.patience)
	defer timer.Stop()
	var err error
	select {
	case <-w.in:
		return nil
	case <-timer.C:
		err = overloaded("the call waited too long")
	case <-ctx.Done():
		err = givenUp(ctx)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-w.in: // at the same time; the place is for the next one
		g.out(l)
	default:
		g.remove(l, w)
	}
	return err
}

// remove takes a call out of its line.
func (g *gate) remove(l *line, w *waiter) {
	kept := l.queue[:0]
	for _, other := range l.queue {
		if other != w {
			kept = append(kept, other)
		}
	}
	clear(l.queue[len(kept):])
	l.queue = kept
	g.waiting--
	if len(l.queue) > 0 {
		return
	}
	for i, other := range g.turns {
		if other == l {
			g.turns = append(g.turns[:i], g.turns[i+1:]...)
			break
		}
	}
	g.forget(l)
}

// leave makes room for the next one.
func (g *gate) leave(l *line) {
	g.mu.Lock()
	g.out(l)
	g.mu.Unlock()
}

func (g *gate) out(l *line) {
	g.inside--
	l.inside--
	for g.inside < g.max && g.admit() {
		g.inside++
	}
	g.forget(l)
}

// admit lets the first of the next line in, if one may.
func (g *gate) admit() bool {
	for i, l := range g.turns {
		if l.inside >= g.perCaller() {
			continue
		}
		w := l.queue[0]
		l.queue[0] = nil
		l.queue = l.queue[1:]
		l.inside++
		g.waiting--
		g.turns = append(g.turns[:i], g.turns[i+1:]...)
		if len(l.queue) > 0 {
			g.turns = append(g.turns, l) // to the end: the others first
		}
		close(w.in)
		return true
	}
	return false
}

func (g *gate) forget(l *line) {
	if l.inside == 0 && len(l.queue) == 0 {
		delete(g.lines, l.who)
	}
}

// counts tells how many calls are inside, and how many wait.
func (g *gate) counts() (inside, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inside, g.waiting
}

func overloaded(why string) error {
	f := fault.New(fault.Unavailable, "Odoo is overloaded: "+why+". Try again in a moment.")
	f.RetryAfter = time.Second
	return f
}
