package job

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// Nothing may be left running when all is closed.
func TestMain(m *testing.M) {
	sqltest.RunNode(4, runNode)
	goleak.VerifyTestMain(m)
}

// runNode serves the job "work", which says that it began and goes on until
// its node stops, and "count", which only says that it ran. It stops when its
// input ends.
func runNode(db sqldb.DB, in io.Reader, out io.Writer) error {
	ctx := context.Background()
	r, err := New(db, []Job{
		hourly("work", func(ctx context.Context) (string, error) {
			fmt.Fprintln(out, "work")
			<-ctx.Done()
			return "", ctx.Err()
		}),
		hourly("count", func(context.Context) (string, error) { fmt.Fprintln(out, "count"); return "counted", nil }),
	}, Options{})
	if err != nil {
		return err
	}
	if err := r.Start(ctx); err != nil {
		return err
	}
	fmt.Fprintln(out, "ready")
	_, _ = io.Copy(io.Discard, in)
	return r.Stop(ctx)
}

// startNode starts a node and waits until it serves.
func startNode(t *testing.T, dialect, where string) *sqltest.Process {
	t.Helper()
	p := sqltest.StartProcess(t, dialect, where)
	if line := <-p.Lines; line != "ready" {
		t.Fatalf("a node says %q", line)
	}
	return p
}

// Three processes share the jobs: each runs on one of them. One that is killed
// is replaced when its lease ends, one that is stopped at once.
func TestProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	for _, dialect := range sqltest.Dialects() {
		t.Run(dialect, func(t *testing.T) {
			db, where := sqltest.Fresh(t, dialect)
			if err := schema.Sync(t.Context(), db, Models()); err != nil {
				t.Fatal(err)
			}
			run := func(context.Context) (string, error) { return "", nil }
			n := newNode(t, db, hourly("work", run), hourly("count", run)) // only to look at the rows
			n.exec(`update gateway_job set next_run = $1`, time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC))
			nodes := map[*sqltest.Process]bool{}
			for range 3 {
				nodes[startNode(t, dialect, where)] = true
			}
			n.exec(`update gateway_job set next_run = ` + db.Dialect().Now())
			holder, counts := heard(t, nodes, "work")
			for n.row("count", "last_result") != "counted" { // so that the kill does not hit it, too
				time.Sleep(time.Millisecond)
			}
			holder.Kill(t)
			delete(nodes, holder)
			n.exec(`update gateway_job set lease_until = ` + db.Dialect().Now() + ` where lease_until is not null`)
			holder, more := heard(t, nodes, "work")
			counts += more
			delete(nodes, holder)
			rest := holder.Stop(t)
			last, more := heard(t, nodes, "work")
			counts += more
			delete(nodes, last)
			rest = append(rest, last.Stop(t)...)
			for p := range nodes {
				rest = append(rest, p.Stop(t)...)
			}
			for _, line := range rest {
				if line != "count" {
					t.Errorf("a second %q", line)
				}
				counts++
			}
			if counts > 1 { // the killed node's word may not have been read
				t.Errorf("count ran %d times", counts)
			}
			n.wantRow("count", "last_result, failures", "counted|0")
			n.wantRow("work", "lease_until", "")
		})
	}
}

// heard waits until one of the nodes says a word; it gives it, and how often
// "count" was said meanwhile.
func heard(t *testing.T, nodes map[*sqltest.Process]bool, word string) (who *sqltest.Process, counts int) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		for p := range nodes {
			select {
			case line := <-p.Lines:
				if line == word {
					return p, counts
				}
				counts++
			default:
			}
		}
	}
	t.Fatalf("no node says %q", word)
	return nil, 0
}
