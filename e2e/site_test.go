//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gatehouse/internal/clock"
	"gatehouse/internal/sqldb/sqltest"
)

// errNoPostgres says that there is no PostgreSQL to test on.
var errNoPostgres = errors.New("PostgreSQL does not answer (see GATEHOUSE_TEST_DATABASE_URL)")

// skipWithout skips a test where there is no PostgreSQL, unless
// GATEHOUSE_TEST_POSTGRES is "required"; other errors end the test.
func skipWithout(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, errNoPostgres) && os.Getenv("GATEHOUSE_TEST_POSTGRES") != "required" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// databases are those that have to be dropped.
var databases struct {
	sync.Mutex
	names []string
}

// psql runs a statement on the PostgreSQL server that tests may use, as its
// client does: only internal/sqldb names a driver.
func psql(sql string) error {
	cmd := exec.Command("psql", "-wAtqX", "-v", "ON_ERROR_STOP=1", "-d", databaseURL("postgres"), "-c", sql)
	cmd.Env = append(os.Environ(), "PGCONNECT_TIMEOUT=10")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %w: %s", errNoPostgres, err, bytes.TrimSpace(out))
	}
	return nil
}

func databaseURL(name string) string {
	base, query, _ := strings.Cut(sqltest.DatabaseURL(), "?")
	url := base[:strings.LastIndex(base, "/")+1] + name
	if query != "" {
		url += "?" + query
	}
	return url
}

func withParameter(url, parameter string) string {
	if strings.Contains(url, "?") {
		return url + "&" + parameter
	}
	return url + "?" + parameter
}

func createDatabase() (url string, err error) {
	databases.Lock()
	defer databases.Unlock()
	name := "gatehouse_e2e_" + clock.RandomHex(6)
	if err := psql("create database " + name + " template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C.UTF-8'"); err != nil {
		return "", err
	}
	databases.names = append(databases.names, name)
	return databaseURL(name), nil
}

func dropDatabases() error {
	databases.Lock()
	defer databases.Unlock()
	var errs []error
	for _, name := range databases.names {
		errs = append(errs, psql("drop database "+name+" with (force)"))
	}
	return errors.Join(errs...)
}

// site is one installation: a folder, a store and an environment. Commands
// run in the folder, so that relative paths of the product end there.
type site struct {
	dir string
	env []string
}

func newSite(dir, store string) (*site, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &site{dir: dir, env: []string{"GATEHOUSE_LISTEN=127.0.0.1:0"}}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "GATEHOUSE_") {
			s.env = append(s.env, variable)
		}
	}
	if store == "postgres" {
		url, err := createDatabase()
		if err != nil {
			return nil, err
		}
		// PostgreSQL itself never crashes here, so don't wait for its disk
		s.env = append(s.env, "GATEHOUSE_DATABASE_URL="+withParameter(url, "synchronous_commit=off"))
	}
	return s, nil
}

// newSiteFor is an empty site for one test.
func newSiteFor(t testing.TB, store string, env ...string) *site {
	t.Helper()
	s, err := newSite(filepath.Join(t.TempDir(), "site"), store)
	skipWithout(t, err)
	s.env = append(s.env, env...)
	return s
}

// result is how a command ended.
type result struct {
	stdout, stderr string
	code           int
}

// run runs a command of the binary to its end.
func (s *site) run(stdin string, args ...string) result {
	cmd := exec.Command(binary, args...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = s.dir, s.env, strings.NewReader(stdin), &stdout, &stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		return result{stderr: err.Error(), code: -1}
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// cli runs a command that must succeed and gives what it printed.
func (s *site) cli(t testing.TB, args ...string) string {
	t.Helper()
	return s.cliIn(t, "", args...)
}

// cliIn is cli with standard input.
func (s *site) cliIn(t testing.TB, stdin string, args ...string) string {
	t.Helper()
	got := s.run(stdin, args...)
	if got.code != 0 {
		t.Fatalf("gatehouse %s: exit code %d: %s%s", strings.Join(args, " "), got.code, got.stdout, got.stderr)
	}
	return strings.TrimSuffix(got.stdout, "\n")
}

// cliJSON runs a command with --json and reads what it printed.
func (s *site) cliJSON(t testing.TB, into any, args ...string) {
	t.Helper()
	text := s.cli(t, append(args, "--json")...)
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("gatehouse %s --json: %v in %s", strings.Join(args, " "), err, text)
	}
}

// refuses runs a command that must fail.
func (s *site) refuses(t testing.TB, code int, says string, args ...string) {
	t.Helper()
	got := s.run("", args...)
	if got.code != code || !strings.Contains(got.stderr, says) {
		t.Errorf("gatehouse %s: exit code %d, %q; want %d and %q", strings.Join(args, " "), got.code, got.stderr, code, says)
	}
	if got.code == 2 && got.stdout != "" {
		t.Errorf("gatehouse %s: wrong usage belongs on standard error, not %q", strings.Join(args, " "), got.stdout)
	}
}
