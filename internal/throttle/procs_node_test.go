package throttle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// The proof that limits are exact across processes: this test binary runs
// itself as separate nodes on one store. What a node answers, it writes at
// once, so that it is known also when the node is killed.

const (
	nodeCount   = 4
	nodeCallers = 16 // so 64 in all
)

// Nothing may be left running when all is closed.
func TestMain(m *testing.M) {
	sqltest.RunNode(nodeCallers, runNode)
	goleak.VerifyTestMain(m)
}

// order is what a node is told to do: send requests for these targets in turn,
// so many, or for so long.
type order struct {
	Targets  []target
	Requests int64
	For      time.Duration
}

type target struct {
	Subject string
	Windows []Window
}

// window is a target's window by the database's clock.
type window struct {
	Target int
	Start  int64
}

func runNode(db sqldb.DB, orders io.Reader, answers io.Writer) error {
	l := New(db, Options{})
	read := json.NewDecoder(orders)
	for {
		var o order
		if err := read.Decode(&o); errors.Is(err, io.EOF) { // the test has ended
			l.Close()
			return nil
		} else if err != nil {
			return err
		}
		if err := obey(l, o, answers); err != nil {
			return err
		}
	}
}

// obey carries an order out: a line "+ target start" for each admitted
// request, "- target start number" for refused ones, "." at the end.
func obey(l *Limiter, o order, answers io.Writer) error {
	var group sync.WaitGroup
	var mu sync.Mutex
	var failed error
	var sent atomic.Int64
	refused := map[window]int64{}
	end := time.Now().Add(o.For)
	caller := func(i int) error {
		for ; ; i++ {
			if o.For > 0 && time.Now().After(end) || o.For == 0 && sent.Add(1) > o.Requests {
				return nil
			}
			n := i % len(o.Targets)
			d, err := l.Take(context.Background(), o.Targets[n].Subject, o.Targets[n].Windows)
			switch {
			case err != nil:
				return err
			case d.Allowed:
				if _, err := fmt.Fprintf(answers, "+ %d %d\n", n, d.Start.Unix()); err != nil {
					return err
				}
			default:
				mu.Lock()
				refused[window{n, d.Start.Unix()}]++
				mu.Unlock()
				if o.For > 0 {
					time.Sleep(time.Millisecond) // callers are further away than memory
				}
			}
		}
	}
	for i := range nodeCallers {
		group.Go(func() {
			if err := caller(i); err != nil {
				mu.Lock()
				failed = err
				mu.Unlock()
			}
		})
	}
	group.Wait()
	for w, n := range refused {
		_, _ = fmt.Fprintf(answers, "- %d %d %d\n", w.Target, w.Start, n)
	}
	_, err := fmt.Fprintln(answers, ".")
	return errors.Join(failed, err)
}

// node is a running process, and what it has answered.
type node struct {
	*sqltest.Process
	orders *json.Encoder
	done   chan bool // an order was carried out; closed when the process ends

	admitted, refused map[window]int64 // to be read after done
	answers           atomic.Int64     // admitted so far
	some              chan struct{}    // closed when answers reaches 100
}

func startNode(t *testing.T, dialect, where string) *node {
	t.Helper()
	n := &node{
		Process: sqltest.StartProcess(t, dialect, where), done: make(chan bool), some: make(chan struct{}),
		admitted: map[window]int64{}, refused: map[window]int64{},
	}
	n.orders = json.NewEncoder(n.Stdin)
	go n.listen()
	return n
}

func (n *node) listen() {
	defer close(n.done)
	for line := range n.Lines {
		var w window
		var count int64
		switch {
		case line == ".":
			n.done <- true
		case strings.HasPrefix(line, "+"):
			_, _ = fmt.Sscanf(line, "+ %d %d", &w.Target, &w.Start)
			n.admitted[w]++
			if n.answers.Add(1) == 100 {
				close(n.some)
			}
		default:
			_, _ = fmt.Sscanf(line, "- %d %d %d", &w.Target, &w.Start, &count)
			n.refused[w] += count
		}
	}
}

// end ends a node that was not killed.
func (n *node) end(t *testing.T) {
	t.Helper()
	_ = n.Stdin.Close()
	for range n.done { // until it is closed
	}
	n.Wait(t)
}
