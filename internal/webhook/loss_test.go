package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse/internal/backend"
	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
	"gatehouse/internal/webhook"
)

// The proof that nothing is lost: this test binary runs itself as separate
// nodes, which change records and send webhooks, and are killed at random.

const (
	nodeWriters  = 3
	usualChanges = 500
)

// Nothing may be left running when all is closed.
func TestMain(m *testing.M) {
	sqltest.RunNode(8, runNode)
	goleak.VerifyTestMain(m)
}

// runNode changes records until its input ends, and sends webhooks for as long
// as it lives. It writes "+ name" when a change is committed, "- name" for one
// that is about to be undone, and "? name" when the database was lost at the
// commit.
func runNode(db sqldb.DB, in io.Reader, out io.Writer) error {
	ctx := context.Background()
	eng, _, err := newEngine(ctx, db)
	if err != nil {
		return err
	}
	d := webhook.NewDispatcher(db, webhook.Options{
		Guard: guard(), Lease: 2 * time.Second, Timeout: time.Second,
		Backoff: func(int) time.Duration { return 20 * time.Millisecond },
	})
	d.Start(ctx)
	work, stop := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, in) // the test has seen enough changes
		stop()
	}()
	var group sync.WaitGroup
	errs := make(chan error, nodeWriters)
	for i := range nodeWriters {
		group.Go(func() { errs <- produce(work, eng, clock.RandomHex(4)+strconv.Itoa(i), out) })
	}
	group.Wait()
	for range nodeWriters {
		if err := <-errs; err != nil {
			return err
		}
	}
	select {} // until it is killed
}

var errUndone = errors.New("undone")

// produce makes a record and changes it over and over; its name counts.
func produce(ctx context.Context, eng *record.Engine, run string, out io.Writer) error {
	su := &backend.Caller{UserID: 1, Superuser: true, Admin: true}
	id := int64(0)
	for n := 0; ctx.Err() == nil; n++ {
		name := run + ":" + strconv.Itoa(n)
		undo := n%10 == 7
		if undo {
			name = run + ":undone" + strconv.Itoa(n)
			fmt.Fprintf(out, "- %s\n", name)
		}
		var made int64
		err := eng.Transact(context.WithoutCancel(ctx), su, func(e *record.Env) error {
			if id == 0 {
				recs, err := e.Create("res.partner", record.Values{"name": name})
				if err == nil {
					made = recs[0].ID()
				}
				return err
			}
			if err := e.Write(e.Many("res.partner", []int64{id}), record.Values{"name": name}); err != nil || !undo {
				return err
			}
			return errUndone
		})
		switch {
		case err == nil:
			id = max(id, made)
			fmt.Fprintf(out, "+ %s\n", name)
		case fault.Is(err, fault.Unavailable):
			fmt.Fprintf(out, "? %s\n", name)
			if id == 0 { // it may be there: the next one is another record
				run += "x"
			}
			time.Sleep(50 * time.Millisecond)
		case !errors.Is(err, errUndone):
			return err
		}
		time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond) // so that changes, calls and kills mix
	}
	return nil
}

// ledger is what nodes say that they did, and what has arrived.
type ledger struct {
	mu        sync.Mutex
	committed map[string]bool
	undone    map[string]bool
	unsure    map[string]bool
	arrived   map[string]string // event ids by name, of calls that were accepted
	last      map[string]int    // the newest count accepted, by record
	faults    []string
	calls     int
	changed   chan struct{}
}

func (l *ledger) poke() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// receive takes a call, and fails a third of them.
func (l *ledger) receive(w http.ResponseWriter, r *http.Request) {
	var b body
	if json.NewDecoder(r.Body).Decode(&b) != nil {
		return // the caller was killed in the middle of it
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.poke()
	l.calls++
	if rand.IntN(3) == 0 {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	name, _ := b.Record["name"].(string)
	run, count, _ := strings.Cut(name, ":")
	n, err := strconv.Atoi(count)
	switch before, again := l.arrived[name]; {
	case err != nil || l.undone[name]:
		l.faults = append(l.faults, "an undone change arrived: "+name)
	case again && before != r.Header.Get("Webhook-Id"):
		l.faults = append(l.faults, name+" arrived with two ids")
	case n < l.last[run] && !again: // what comes again may be older: its outcome was lost with its node
		l.faults = append(l.faults, fmt.Sprintf("%s arrived after :%d", name, l.last[run]))
	}
	l.arrived[name], l.last[run] = r.Header.Get("Webhook-Id"), max(n, l.last[run])
}

// missing is the number of committed changes, and of those that have not arrived.
func (l *ledger) missing() (committed, missing int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name := range l.committed {
		if l.arrived[name] == "" {
			missing++
		}
	}
	return len(l.committed), missing
}

// wait waits until something holds.
func (l *ledger) wait(t *testing.T, what string, ok func(committed, missing int) bool) {
	t.Helper()
	limit := time.After(time.Minute + time.Duration(size(t, "GATEHOUSE_TEST_WEBHOOK_CHANGES", usualChanges))*100*time.Millisecond)
	for {
		c, m := l.missing()
		if ok(c, m) {
			return
		}
		select {
		case <-l.changed:
		case <-limit:
			t.Fatalf("waited in vain for %s: %d committed, %d missing", what, c, m)
		}
	}
}

func (l *ledger) start(t *testing.T, dialect, where string) *sqltest.Process {
	t.Helper()
	p := sqltest.StartProcess(t, dialect, where)
	go func() {
		for line := range p.Lines {
			kind, name, _ := strings.Cut(line, " ")
			l.mu.Lock()
			map[string]map[string]bool{"+": l.committed, "-": l.undone, "?": l.unsure}[kind][name] = true
			l.mu.Unlock()
			l.poke()
		}
	}()
	return p
}

// size is a number that the long run of this test raises.
func size(t *testing.T, variable string, usual int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestNothingIsLost: nodes are killed at random while they change records and
// send webhooks, and the far side fails a third of the calls. Every committed
// change arrives, none that was undone does, the order of each record holds, and
// what arrives twice has the same id.
func TestNothingIsLost(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	changes := size(t, "GATEHOUSE_TEST_WEBHOOK_CHANGES", usualChanges)
	kills := size(t, "GATEHOUSE_TEST_WEBHOOK_KILLS", 4)
	for dialect, nodes := range map[string]int{"sqlite": 1, "postgres": 3} {
		t.Run(dialect, func(t *testing.T) {
			db, where := sqltest.Fresh(t, dialect)
			newLedger().run(newWorld(t, db), trial{dialect: dialect, where: where, nodes: nodes, changes: changes, kills: kills})
		})
	}
}

// TestNothingIsLostWithTheDatabase: the same, on a PostgreSQL that crashes in
// the middle, twice.
func TestNothingIsLostWithTheDatabase(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	server := sqltest.StartServer(t)
	l := newLedger()
	l.run(newWorld(t, server.Open(t)), trial{
		dialect: "postgres", where: server.URL, nodes: 2, kills: 2, changes: size(t, "GATEHOUSE_TEST_WEBHOOK_CHANGES", usualChanges) / 2,
		disaster: func() { server.Crash(t) },
	})
	t.Logf("%d commits whose answer was lost", len(l.unsure))
}

// trial is how long nodes work, and what happens to them.
type trial struct {
	dialect, where        string
	nodes, changes, kills int
	disaster              func() // in place of killing a node; nil: one is killed
}

func newLedger() *ledger {
	return &ledger{
		committed: map[string]bool{}, undone: map[string]bool{}, unsure: map[string]bool{}, arrived: map[string]string{},
		last: map[string]int{}, changed: make(chan struct{}, 1),
	}
}

// run has nodes work, and looks at what has arrived.
func (l *ledger) run(w *world, tr trial) {
	w.Helper()
	t := w.T
	w.far.Config.Handler = http.HandlerFunc(l.receive)
	w.hook(backend.Values{"fields": []any{"name"}, "concurrency": int64(20)})
	running := make([]*sqltest.Process, tr.nodes)
	for i := range running {
		running[i] = l.start(t, tr.dialect, tr.where)
	}
	for i := range tr.kills {
		at := (i*tr.changes + rand.IntN(tr.changes)) / (tr.kills + 1)
		l.wait(t, "changes before a kill", func(committed, _ int) bool { return committed > at })
		if tr.disaster != nil {
			tr.disaster()
			w.until("the database", func() bool { return w.db.Ping(t.Context()) == nil })
			continue
		}
		one := rand.IntN(tr.nodes)
		running[one].Kill(t)
		running[one] = l.start(t, tr.dialect, tr.where)
	}
	l.wait(t, "all changes", func(committed, _ int) bool { return committed >= tr.changes })
	for _, p := range running {
		_ = p.Stdin.Close()
	}
	l.wait(t, "what was committed", func(_, missing int) bool { return missing == 0 })
	w.until("the end of all jobs", func() bool { return w.number(`gateway_webhook_job where state <> 'done'`) == 0 })
	for _, p := range running {
		p.Kill(t)
	}
	committed, missing := l.missing()
	jobs, lost := w.number(`gateway_webhook_job`), (tr.kills+tr.nodes)*nodeWriters+len(l.unsure)
	if missing != 0 || len(l.faults) > 0 || jobs < int64(committed) || jobs > int64(committed+lost) {
		t.Errorf("%d committed, %d missing, %d jobs; %s", committed, missing, jobs, strings.Join(l.faults, "; "))
	}
	t.Logf("%d committed, %d jobs, %d calls", committed, jobs, l.calls)
}
