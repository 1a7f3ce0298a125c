package odoorpc

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/internal/fault"
)

// queue lets calls of callers wait one after the other, and notes the order in
// which they are let in.
type queue struct {
	t     *testing.T
	g     *gate
	mu    sync.Mutex
	order []string
	lines chan *line
}

func (q *queue) wait(who string) {
	go func() {
		l, err := q.g.enter(q.t.Context(), who)
		if err != nil {
			q.t.Error(err)
			return
		}
		q.mu.Lock()
		q.order = append(q.order, who)
		q.mu.Unlock()
		q.lines <- l
	}()
	synctest.Wait() // in line, or in
}

func TestGateIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(2, 300, time.Minute)
		q := &queue{t: t, g: g, lines: make(chan *line, 300)}
		q.wait("many")
		q.wait("other")
		for range 200 {
			q.wait("many")
		}
		for _, who := range []string{"a", "b", "a", "c"} {
			q.wait(who)
		}
		if inside, waiting := g.counts(); inside != 2 || waiting != 204 {
			t.Errorf("%d inside, %d waiting", inside, waiting)
		}
		for range 206 {
			g.leave(<-q.lines)
			synctest.Wait()
		}
		if got := strings.Join(q.order[:10], " "); got != "many other many a b c many a many many" {
			t.Errorf("let in: %s", got)
		}
		if inside, waiting := g.counts(); inside != 0 || waiting != 0 || len(g.lines) != 0 || len(g.turns) != 0 {
			t.Errorf("%d inside, %d waiting, %d lines, %d turns are left", inside, waiting, len(g.lines), len(g.turns))
		}
	})
}

// TestGateLastPlace: the slow calls of one caller leave a place to the others.
func TestGateLastPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(3, 10, time.Minute)
		q := &queue{t: t, g: g, lines: make(chan *line, 10)}
		for range 4 {
			q.wait("slow")
		}
		if inside, waiting := g.counts(); inside != 2 || waiting != 2 {
			t.Errorf("%d inside, %d waiting", inside, waiting)
		}
		q.wait("other")
		if got := strings.Join(q.order, " "); got != "slow slow other" {
			t.Errorf("let in: %s", got)
		}
		slow, again := <-q.lines, <-q.lines
		g.leave(<-q.lines) // the place of the other one stays free
		synctest.Wait()
		if inside, waiting := g.counts(); inside != 2 || waiting != 2 {
			t.Errorf("%d inside, %d waiting", inside, waiting)
		}
		q.wait("third")
		q.lines <- slow
		q.lines <- again
		for range 5 {
			g.leave(<-q.lines)
			synctest.Wait()
		}
	})
}

func TestGateBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(2, 8, time.Minute)
		q := &queue{t: t, g: g, lines: make(chan *line, 20)}
		q.wait("a")
		q.wait("b")
		for range 6 {
			q.wait("a")
		}
		refused := func(who string) {
			t.Helper()
			_, err := g.enter(t.Context(), who)
			if f := fault.From(err); f.Kind != fault.Unavailable || f.RetryAfter <= 0 {
				t.Errorf("%s: %v", who, err)
			}
		}
		refused("a") // three quarters are his
		q.wait("b")
		q.wait("c")
		refused("d") // full
		if len(g.lines) != 3 {
			t.Errorf("%d lines", len(g.lines))
		}
		for range 10 {
			g.leave(<-q.lines)
			synctest.Wait()
		}
	})
}

// TestNoQueue: who wants none gets an answer at once.
func TestNoQueue(t *testing.T) {
	f := odoo(t, "19.0")
	arrived, goOn := held(t, f)
	c := f.client(func(o *Options) { o.Queue, o.MaxConns, o.Protocol = -1, 1, "json2" })
	done := make(chan error)
	go func() {
		_, err := c.Call(context.Background(), keyOf("ann"), &Request{Model: "m", Method: "x"})
		done <- err
	}()
	<-arrived
	_, err := c.Call(t.Context(), keyOf("bob"), &Request{Model: "m", Method: "x"})
	if f := fault.From(err); f.Kind != fault.Unavailable || f.RetryAfter <= 0 {
		t.Errorf("%v", err)
	}
	if s := c.Stats(); s.Refused != 1 || s.Running != 1 || s.Queue != 0 {
		t.Errorf("%+v", s)
	}
	close(goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestGatePatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 8, 10*time.Second)
		inside, err := g.enter(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = g.enter(t.Context(), "b")
		if f := fault.From(err); f.Kind != fault.Unavailable || f.RetryAfter <= 0 || time.Since(began) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := g.enter(ctx, "b"); !fault.Is(err, fault.GatewayTimeout) {
			t.Errorf("%v", err)
		}
		if _, waiting := g.counts(); waiting != 0 || len(g.turns) != 0 || len(g.lines) != 1 {
			t.Errorf("%d waiting, %d turns, %d lines", waiting, len(g.turns), len(g.lines))
		}
		g.leave(inside)
	})
}

// TestGateLetsInAndIsLeft at the same time: the place is not lost.
func TestGateLetsInAndIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 8, time.Minute)
		for range 50 {
			inside, err := g.enter(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				if l, err := g.enter(ctx, "b"); err == nil {
					g.leave(l)
				}
			}()
			synctest.Wait()
			g.mu.Lock() // so that he who leaves finds out later that he was let in
			cancel()
			g.out(inside)
			g.mu.Unlock()
			synctest.Wait()
			if n, waiting := g.counts(); n != 0 || waiting != 0 || len(g.lines) != 0 {
				t.Fatalf("%d inside, %d waiting", n, waiting)
			}
		}
	})
}

// TestGateUnderStorm: whatever comes and goes, no place is lost, none is given
// twice, and nobody is forgotten.
func TestGateUnderStorm(t *testing.T) {
	const places = 4
	g := newGate(places, 1000, time.Minute)
	var inside, most, done atomic.Int64
	var wg sync.WaitGroup
	for i := range 500 {
		wg.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if i%3 == 0 {
				time.AfterFunc(time.Duration(i)*10*time.Microsecond, cancel)
			}
			l, err := g.enter(ctx, fmt.Sprint("caller ", i%9))
			if err != nil {
				return
			}
			n := inside.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			timer := time.NewTimer(50 * time.Microsecond)
			<-timer.C
			inside.Add(-1)
			done.Add(1)
			g.leave(l)
		})
	}
	wg.Wait()
	if in, waiting := g.counts(); in != 0 || waiting != 0 || len(g.lines) != 0 || len(g.turns) != 0 {
		t.Errorf("%d inside, %d waiting, %d lines, %d turns are left", in, waiting, len(g.lines), len(g.turns))
	}
	if most.Load() > places || done.Load() < 300 {
		t.Errorf("%d at once, %d done", most.Load(), done.Load())
	}
}
