package job

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// nodeVariable makes this test binary a node of its own: dialect and place of
// the store.
const nodeVariable = "GATEHOUSE_TEST_JOB_NODE"

// Nothing may be left running when all is closed.
func TestMain(m *testing.M) {
	if store := os.Getenv(nodeVariable); store != "" {
		if err := runNode(store); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// runNode serves the job "work", which says that it began and goes on until
// its node stops, and "count", which only says that it ran. It stops when its
// input ends.
func runNode(store string) error {
	dialect, where, _ := strings.Cut(store, " ")
	open := sqldb.OpenPostgres
	if dialect == "sqlite" {
		open = sqldb.OpenSQLite
	}
	ctx := context.Background()
	db, err := open(ctx, where, sqldb.Options{MaxConns: 4})
	if err != nil {
		return err
	}
	r, err := New(db, []Job{
		hourly("work", func(ctx context.Context) (string, error) {
			fmt.Println("work")
			<-ctx.Done()
			return "", ctx.Err()
		}),
		hourly("count", func(context.Context) (string, error) { fmt.Println("count"); return "counted", nil }),
	}, Options{})
	if err != nil {
		return err
	}
	if err := r.Start(ctx); err != nil {
		return err
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := r.Stop(ctx); err != nil {
		return err
	}
	return db.Close()
}

// process is a node in a process of its own.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	lines chan string
}

func startProcess(t *testing.T, store string) *process {
	t.Helper()
	p := &process{cmd: exec.CommandContext(t.Context(), os.Args[0]), lines: make(chan string, 100)}
	p.cmd.Env = append(os.Environ(), nodeVariable+"="+store)
	p.cmd.Stderr = os.Stderr
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.stdin = stdin
	go func() {
		defer close(p.lines)
		for scan := bufio.NewScanner(stdout); scan.Scan(); {
			p.lines <- scan.Text()
		}
	}()
	if line := <-p.lines; line != "ready" {
		t.Fatalf("a node says %q", line)
	}
	return p
}

// end ends a node by its input, and gives what it still says.
func (p *process) end(t *testing.T) (rest []string) {
	t.Helper()
	_ = p.stdin.Close()
	for line := range p.lines {
		rest = append(rest, line)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("a node: %v", err)
	}
	return rest
}

// Three processes share the jobs: each runs on one of them. One that is killed
// is replaced when its lease ends, one that is stopped at once.
func TestProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	for _, dialect := range sqltest.Dialects() {
		t.Run(dialect, func(t *testing.T) {
			fresh := sqltest.Postgres
			if dialect == "sqlite" {
				fresh = sqltest.SQLite
			}
			db, where := fresh(t)
			if err := schema.Sync(t.Context(), db, Models()); err != nil {
				t.Fatal(err)
			}
			run := func(context.Context) (string, error) { return "", nil }
			n := newNode(t, db, hourly("work", run), hourly("count", run)) // only to look at the rows
			n.exec(`update gateway_job set next_run = $1`, time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC))
			nodes := map[*process]bool{}
			for range 3 {
				nodes[startProcess(t, dialect+" "+where)] = true
			}
			n.exec(`update gateway_job set next_run = ` + db.Dialect().Now())
			holder, counts := heard(t, nodes, "work")
			for n.row("count", "last_result") != "counted" { // so that the kill does not hit it, too
				time.Sleep(time.Millisecond)
			}
			if err := holder.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = holder.cmd.Wait()
			delete(nodes, holder)
			n.exec(`update gateway_job set lease_until = ` + db.Dialect().Now() + ` where lease_until is not null`)
			holder, more := heard(t, nodes, "work")
			counts += more
			delete(nodes, holder)
			rest := holder.end(t)
			last, more := heard(t, nodes, "work")
			counts += more
			delete(nodes, last)
			rest = append(rest, last.end(t)...)
			for p := range nodes {
				rest = append(rest, p.end(t)...)
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
func heard(t *testing.T, nodes map[*process]bool, word string) (who *process, counts int) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		for p := range nodes {
			select {
			case line := <-p.lines:
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
