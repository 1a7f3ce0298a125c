//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what should take a moment, and
// notice how long a node may take to hear of a change made elsewhere.
const (
	patience = 30 * time.Second
	notice   = time.Second
)

// server is a running gatehouse serve.
type server struct {
	*site
	url string

	cmd            *exec.Cmd
	stdout, stderr *output
	ended          chan struct{}

	mu     sync.Mutex
	tokens map[string]string // access tokens by login
}

// output collects what a process prints and tells when it grew.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	grew chan struct{}
}

func newOutput() *output { return &output{grew: make(chan struct{}, 1)} }

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.grew <- struct{}{}:
	default:
	}
	return o.text.Write(p)
}

// String is everything printed so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

var (
	listens      = regexp.MustCompile(`listens on (http://\S+)`)
	printedAdmin = regexp.MustCompile(`login admin, password (\S+) \(shown this once\)`)
)

// start runs serve and waits until it is ready.
func (s *site) start(args ...string) (*server, error) {
	return s.startWith(exec.Command(binary, append([]string{"serve"}, args...)...))
}

func (s *site) startWith(cmd *exec.Cmd) (*server, error) {
	v := &server{site: s, cmd: cmd, stdout: newOutput(), stderr: newOutput(), ended: make(chan struct{}), tokens: map[string]string{}}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.dir, s.env, v.stdout, v.stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait() // the exit code is read from its state
		close(v.ended)
	}()
	late := time.After(patience)
	for v.url == "" {
		select {
		case <-v.stdout.grew:
			if found := listens.FindStringSubmatch(v.stdout.String()); found != nil {
				v.url = found[1]
			}
		case <-v.ended:
			return nil, fmt.Errorf("serve ended at once: %s", v.stderr)
		case <-late:
			_ = cmd.Process.Kill()
			return nil, fmt.Errorf("serve does not listen: %s", v.stderr)
		}
	}
	resp, err := http.Get(v.url + "/readyz")
	if err == nil {
		err = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("readyz: %s", resp.Status)
		}
	}
	if err != nil {
		_ = cmd.Process.Kill()
		return nil, err
	}
	return v, nil
}

// serve runs a server for one test.
func (s *site) serve(t testing.TB, args ...string) *server {
	t.Helper()
	v, err := s.start(args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := v.stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the server said: %s%s", v.stdout, v.stderr)
		}
	})
	return v
}

// stop asks the server to end and gives its exit code.
func (v *server) stop() (int, error) {
	_ = v.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	return v.wait()
}

// kill ends the server as a power failure would.
func (v *server) kill(t testing.TB) {
	t.Helper()
	if err := v.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := v.wait(); err != nil {
		t.Fatal(err)
	}
}

func (v *server) wait() (int, error) {
	select {
	case <-v.ended:
		return v.cmd.ProcessState.ExitCode(), nil
	case <-time.After(patience):
		_ = v.cmd.Process.Kill()
		return -1, errors.New("the server does not end")
	}
}

// within tries until ok holds; limit is how long that may take.
func within(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(10 * time.Millisecond) {
		late := time.Now().After(deadline)
		if ok() {
			return
		}
		if late {
			t.Fatalf("%s: not within %s", what, limit)
		}
	}
}
