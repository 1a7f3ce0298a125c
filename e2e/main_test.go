//go:build e2e

package e2e

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// binary is the product under test, and workDir the folder of everything that
// lives longer than a test.
var binary, workDir string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "gatehouse-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	workDir, binary = dir, filepath.Join(dir, "gatehouse")
	defer func() {
		if err := errors.Join(stopShared(), dropDatabases(), os.RemoveAll(dir)); err != nil {
			fmt.Fprintln(os.Stderr, "clean up:", err)
			code = max(code, 1)
		}
	}()
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-X main.version="+builtVersion, "-o", binary, "gatehouse/cmd/gatehouse")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	// Demo data on PostgreSQL takes a while. Meanwhile the tests run that need
	// none: their files come first in the alphabet.
	flag.Parse()
	if flag.Lookup("test.run").Value.String() == "" {
		started.Go(func() { _, _ = demo["postgres"]() })
	}
	return m.Run()
}

const builtVersion = "v0.0.0-e2e"

// stores are what every test of the API runs on.
var stores = []string{"sqlite", "postgres"}

// demo gives the server per store that most tests share: with demo data and
// without rate limits. It is started when the first test asks.
var demo = map[string]func() (*server, error){
	"sqlite":   sync.OnceValues(func() (*server, error) { return startDemo("sqlite") }),
	"postgres": sync.OnceValues(func() (*server, error) { return startDemo("postgres") }),
}

// started are the shared servers that have to be stopped.
var started struct {
	sync.WaitGroup
	sync.Mutex
	servers []*server
}

func startDemo(store string) (*server, error) {
	s, err := newSite(filepath.Join(workDir, "demo-"+store), store)
	if err != nil {
		return nil, err
	}
	s.env = append(s.env, "GATEHOUSE_ADMIN_PASSWORD=admin", "GATEHOUSE_DEMO=true")
	if got := s.run("", "setting", "set", "global_rate_limit", "0"); got.code != 0 {
		return nil, fmt.Errorf("setting set: exit code %d: %s", got.code, got.stderr)
	}
	v, err := s.start()
	if err == nil {
		started.Lock()
		defer started.Unlock()
		started.servers = append(started.servers, v)
	}
	return v, err
}

// shared is the server of a store that tests share. They must not change its
// settings or users, and look for what they made themselves.
func shared(t testing.TB, store string) *server {
	t.Helper()
	s, err := demo[store]()
	skipWithout(t, err)
	return s
}

// each runs a test on the shared server of every store.
func each(t *testing.T, fn func(t *testing.T, s *server)) {
	t.Helper()
	for _, store := range stores {
		t.Run(store, func(t *testing.T) { fn(t, shared(t, store)) })
	}
}

func stopShared() error {
	started.Wait()
	started.Lock()
	defer started.Unlock()
	var errs []error
	for _, v := range started.servers {
		if code, err := v.stop(); code != 0 || err != nil {
			errs = append(errs, fmt.Errorf("the shared server in %s ended with %d (%w): %s", v.dir, code, err, v.stderr))
		}
	}
	return errors.Join(errs...)
}
