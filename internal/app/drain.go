package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// net/http closes connections unanswered whose request it reads after Shutdown
// began: new ones, and kept ones whose next request is under way. So before
// that, connections get a moment to bring the request that they were opened
// for, and every answer tells the caller to use its connection no more.
const (
	// settleTime is the longest wait for connections without a request.
	settleTime = 250 * time.Millisecond
	// acceptTime is how long connections are taken that the system accepted
	// before the listener closes; it would reset them.
	acceptTime = 20 * time.Millisecond
)

// drainer ends a server without cutting off requests.
type drainer struct {
	server *http.Server
	next   http.Handler
	begun  atomic.Bool

	mu    sync.Mutex
	open  map[net.Conn]struct{}
	empty chan struct{} // closed when the last connection ends after begun
}

// drainable puts a drainer in front of the server's handler.
func drainable(server *http.Server) *drainer {
	d := &drainer{server: server, next: server.Handler, open: map[net.Conn]struct{}{}, empty: make(chan struct{})}
	server.Handler, server.ConnState = d, d.connState
	return d
}

func (d *drainer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if d.begun.Load() {
		w.Header().Set("Connection", "close")
	}
	d.next.ServeHTTP(w, r)
}

func (d *drainer) connState(conn net.Conn, state http.ConnState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch state {
	case http.StateNew:
		d.open[conn] = struct{}{}
	case http.StateClosed, http.StateHijacked:
		delete(d.open, conn)
		if d.begun.Load() {
			d.signalEmpty()
		}
	case http.StateActive, http.StateIdle:
	}
}

// signalEmpty is called under the lock, and more than once.
func (d *drainer) signalEmpty() {
	if len(d.open) > 0 {
		return
	}
	select {
	case <-d.empty:
	default:
		close(d.empty)
	}
}

// drain ends the server, whose Serve tells served how it ended: no new
// connections, then settle for those that have no request yet, then what is
// running until ctx ends.
func (d *drainer) drain(ctx context.Context, listener *drainListener, served <-chan error, settle time.Duration) error {
	d.begun.Store(true)
	if err := listener.stop(); err != nil {
		return err
	}
	if err := <-served; !errors.Is(err, net.ErrClosed) {
		return err
	}
	d.mu.Lock()
	d.signalEmpty()
	d.mu.Unlock()
	timer := time.NewTimer(settle)
	defer timer.Stop()
	select {
	case <-d.empty:
	case <-timer.C:
	case <-ctx.Done():
	}
	if err := d.server.Shutdown(ctx); err != nil {
		return fmt.Errorf("requests were still running: %w", errors.Join(err, d.server.Close()))
	}
	return nil
}

// listenTCP opens address, which may be a name.
func listenTCP(ctx context.Context, address string) (*drainListener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	if tcp, ok := l.(*net.TCPListener); ok {
		return &drainListener{TCPListener: tcp}, nil
	}
	return nil, errors.Join(fmt.Errorf("listen on %s: %T is no TCP listener", address, l), l.Close())
}

// drainListener can be stopped so that nobody is lost who is already connected.
type drainListener struct {
	*net.TCPListener
	stopped atomic.Bool
}

// Accept implements net.Listener. After stop it takes who waits, and then
// closes.
func (l *drainListener) Accept() (net.Conn, error) {
	conn, err := l.TCPListener.Accept()
	if err == nil || !l.stopped.Load() {
		return conn, err
	}
	// The deadline passes also where a busy process has accepted nobody yet.
	_ = l.SetDeadline(time.Now().Add(time.Millisecond))
	if conn, err = l.TCPListener.Accept(); err == nil {
		return conn, nil
	}
	return nil, errors.Join(net.ErrClosed, l.Close())
}

func (l *drainListener) stop() error {
	l.stopped.Store(true)
	return l.SetDeadline(time.Now().Add(acceptTime))
}
