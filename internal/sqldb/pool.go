package sqldb

import (
	"context"
	"errors"
	"sync"
	"time"
)

// pool lends connections of either database. They are opened when needed, and
// the one used last is lent first: its caches are warm.
type pool[C any] struct {
	open func(context.Context) (C, error)
	// usable looks at a connection before it is lent again; nil: all are.
	usable func(ctx context.Context, c C, idle time.Duration) bool
	close  func(C) error

	tokens  chan struct{} // one per connection that may be lent; waiters are served in order
	closing chan struct{}

	mu   sync.Mutex
	idle []idleConn[C] // the one used last is last
}

type idleConn[C any] struct {
	conn  C
	since time.Time
}

// maxIdle is how long a connection that nobody needs stays open.
const maxIdle = 5 * time.Minute

func newPool[C any](size int, open func(context.Context) (C, error), closeConn func(C) error) *pool[C] {
	p := &pool[C]{
		open: open, close: closeConn,
		tokens: make(chan struct{}, size), closing: make(chan struct{}),
	}
	for range size {
		p.tokens <- struct{}{}
	}
	return p
}

// acquire waits in line for a connection until ctx ends.
func (p *pool[C]) acquire(ctx context.Context) (c C, err error) {
	if err := ctx.Err(); err != nil {
		return c, err
	}
	select {
	case <-p.closing:
		return c, errClosed
	default:
	}
	select {
	case <-p.tokens:
	case <-ctx.Done():
		return c, waitError(ctx, "a connection")
	case <-p.closing:
		return c, errClosed
	}
	for {
		last, ok := p.pop()
		if !ok {
			break
		}
		if p.usable == nil || p.usable(ctx, last.conn, time.Since(last.since)) {
			return last.conn, nil
		}
		_ = p.close(last.conn)
	}
	if c, err = p.open(ctx); err != nil {
		p.tokens <- struct{}{}
	}
	return c, err
}

// pop takes the idle connection that was used last.
func (p *pool[C]) pop() (c idleConn[C], ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return c, false
	}
	c = p.idle[n-1]
	p.idle = p.idle[:n-1]
	return c, true
}

// push adds an idle connection and takes one that nobody needs for long.
func (p *pool[C]) push(c C) (surplus C, found bool) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, idleConn[C]{c, now})
	if first := p.idle[0]; now.Sub(first.since) > maxIdle {
		p.idle = append(p.idle[:0], p.idle[1:]...)
		return first.conn, true
	}
	return surplus, false
}

// release takes a connection back; one that is not to be kept is closed.
func (p *pool[C]) release(c C, keep bool) {
	found := true
	if keep {
		c, found = p.push(c)
	}
	if found {
		_ = p.close(c)
	}
	p.tokens <- struct{}{}
}

// end waits until every connection is back, and closes them.
func (p *pool[C]) end() error {
	close(p.closing)
	for range cap(p.tokens) {
		<-p.tokens
	}
	var errs []error
	for c, ok := p.pop(); ok; c, ok = p.pop() {
		errs = append(errs, p.close(c.conn))
	}
	return errors.Join(errs...)
}

// turns bounds how many readers are at work at once. A read keeps a processor
// busy, so more of them than there are processors only get into each other's
// way; a write mostly waits for the disk, and many that wait together share
// one flush. Waiters are served in order.
type turns struct{ free chan struct{} }

func newTurns(n int) turns {
	t := turns{make(chan struct{}, n)}
	for range n {
		t.free <- struct{}{}
	}
	return t
}

func (t turns) take(ctx context.Context) error {
	select {
	case <-t.free:
		return nil
	case <-ctx.Done():
		return waitError(ctx, "a turn to read")
	}
}

func (t turns) done() { t.free <- struct{}{} }
