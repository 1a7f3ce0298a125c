package sqltest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"gatehouse/internal/sqldb"
)

// nodeVariable makes a test binary a node of its own: dialect and place of the store.
const nodeVariable = "GATEHOUSE_TEST_NODE"

// RunNode is for TestMain, before anything else: in a process that
// StartProcess has made it runs fn on the store and ends the process. In the
// test itself it does nothing. conns bounds the connections to the store; in
// ends when the test wants the node to stop.
func RunNode(conns int, fn func(db sqldb.DB, in io.Reader, out io.Writer) error) {
	store := os.Getenv(nodeVariable)
	if store == "" {
		return
	}
	dialect, where, _ := strings.Cut(store, " ")
	open := sqldb.OpenPostgres
	if dialect == "sqlite" {
		open = sqldb.OpenSQLite
	}
	db, err := open(context.Background(), where, sqldb.Options{MaxConns: conns})
	if err == nil {
		if err = fn(db, os.Stdin, os.Stdout); err == nil {
			err = db.Close()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:forbidigo // it stands for the main function of a node
	}
	os.Exit(0) //nolint:forbidigo // as above
}

// Fresh gives a fresh empty database of a dialect, and where it is, for
// StartProcess.
func Fresh(t testing.TB, dialect string) (db sqldb.DB, where string) {
	t.Helper()
	return open(t, dialect)
}

// Process is the test's binary, run once more as a node of its own.
type Process struct {
	Stdin io.WriteCloser
	// Lines are what the node writes. It is closed when the process ends. Read
	// it, unless the node writes little.
	Lines  <-chan string
	cmd    *exec.Cmd
	stderr bytes.Buffer
	ended  chan struct{}
}

// StartProcess starts a node on a store; see RunNode. It is killed when the
// test ends, at the latest.
func StartProcess(t *testing.T, dialect, where string) *Process {
	t.Helper()
	lines := make(chan string, 1000)
	p := &Process{Lines: lines, cmd: exec.CommandContext(t.Context(), os.Args[0]), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), nodeVariable+"="+dialect+" "+where)
	p.cmd.Stderr = &p.stderr
	var err error
	if p.Stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		defer close(lines)
		for scan := bufio.NewScanner(stdout); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	return p
}

// Stop ends the node's input, and gives what it still writes unless somebody
// else reads that.
func (p *Process) Stop(t *testing.T) (rest []string) {
	t.Helper()
	_ = p.Stdin.Close()
	for line := range p.Lines {
		rest = append(rest, line)
	}
	p.Wait(t)
	return rest
}

// Wait waits for the end of a node, which must be a good one.
func (p *Process) Wait(t *testing.T) {
	t.Helper()
	<-p.ended
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("a node: %v: %s", err, p.stderr.String())
	}
}

// Kill ends a running node with SIGKILL.
func (p *Process) Kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Errorf("a node: %v: %s", err, p.stderr.String())
	}
	<-p.ended
	if err := p.cmd.Wait(); err == nil || p.stderr.Len() > 0 {
		t.Errorf("a node ended by itself: %v: %s", err, p.stderr.String())
	}
}
