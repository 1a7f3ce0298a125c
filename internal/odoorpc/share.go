package odoorpc

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"sync"

	"gatehouse/internal/fault"
)

// flights let callers who ask the same at the same time share an answer.
type flights struct {
	mu  sync.Mutex
	all map[digest]*flight
}

type flight struct {
	done    chan struct{}
	result  json.RawMessage
	err     error
	callers int
	cancel  context.CancelFunc
}

// do runs something, or waits for who runs the same. It is given up when
// nobody waits any more, not when the first one leaves.
func (fs *flights) do(
	ctx context.Context, c *Client, key digest, run func(context.Context) (json.RawMessage, error),
) (result json.RawMessage, shared bool, err error) {
	fs.mu.Lock()
	f, shared := fs.all[key]
	if shared {
		f.callers++
	} else {
		f = &flight{done: make(chan struct{}), callers: 1}
		var flying context.Context
		flying, f.cancel = c.apart(ctx)
		if !c.background(func(context.Context) { fs.fly(flying, key, f, run) }) {
			fs.mu.Unlock()
			f.cancel()
			return nil, false, errClosed()
		}
		if fs.all == nil {
			fs.all = map[digest]*flight{}
		}
		fs.all[key] = f
	}
	fs.mu.Unlock()
	select {
	case <-f.done:
		return f.result, shared, f.err
	case <-ctx.Done():
		fs.leave(key, f)
		return nil, shared, givenUp(ctx)
	}
}

// apart is a context that ends with the client, not with the caller. Where
// calls are traced it knows whose they are: the first caller's.
func (c *Client) apart(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.o.Trace == nil {
		return context.WithCancel(c.ctx)
	}
	flying, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(c.ctx, cancel)
	return flying, func() { stop(); cancel() }
}

func (fs *flights) fly(ctx context.Context, key digest, f *flight, run func(context.Context) (json.RawMessage, error)) {
	defer close(f.done)
	defer f.cancel()
	defer func() {
		fs.mu.Lock()
		defer fs.mu.Unlock()
		fs.forget(key, f)
	}()
	defer caught(&f.err)
	f.result, f.err = run(ctx)
}

// caught makes an error of a panic. What runs in the background has no server
// around it that would: a panic would end the process.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = fault.Wrap(fmt.Errorf("panic: %v\n%s", p, debug.Stack()), "call the Odoo")
	}
}

func (fs *flights) leave(key digest, f *flight) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f.callers--; f.callers == 0 {
		fs.forget(key, f) // who comes now does not share its end
		f.cancel()
	}
}

func (fs *flights) forget(key digest, f *flight) {
	if fs.all[key] == f {
		delete(fs.all, key)
	}
}
