package sqltest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"gatehouse/internal/sqldb"
)

// Server is a PostgreSQL server of the test's own, which it may crash.
type Server struct {
	// URL leads to the database postgres of an empty cluster.
	URL  string
	bin  string
	data string
	port string
}

// StartServer starts a server in a temporary folder and stops it when the test
// ends. Without PostgreSQL's binaries the test is skipped; where they cannot be
// used, too, unless GATEHOUSE_TEST_POSTGRES is "required".
func StartServer(t testing.TB) *Server {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_ctl")
	if err != nil || len(found) == 0 {
		t.Skip("PostgreSQL's binaries are not in /usr/lib/postgresql: no server can be started to be crashed")
	}
	dir, err := os.MkdirTemp("", "gatehouse-postgres") //nolint:usetesting // the server is another user, to whom t.TempDir is closed
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &Server{bin: filepath.Dir(slices.Max(found)), data: filepath.Join(dir, "data")}
	if err := s.prepare(dir); err != nil {
		const line = "PostgreSQL cannot be started: %v"
		if os.Getenv("GATEHOUSE_TEST_POSTGRES") == "required" && os.Getuid() == 0 {
			t.Fatalf(line, err)
		}
		t.Skipf(line, err)
	}
	t.Cleanup(func() { _ = s.ctl("stop", "-m", "immediate") })
	return s
}

// prepare makes the cluster and starts it. The server does not run as root.
func (s *Server) prepare(dir string) error {
	if os.Getuid() == 0 {
		owner, err := user.Lookup("postgres")
		if err != nil {
			return err
		}
		uid, err := strconv.Atoi(owner.Uid)
		if err != nil {
			return err
		}
		gid, err := strconv.Atoi(owner.Gid)
		if err != nil {
			return err
		}
		if err := os.Chown(dir, uid, gid); err != nil {
			return err
		}
	}
	if err := s.run("initdb", "-D", s.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync"); err != nil {
		return err
	}
	free, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, s.port, err = net.SplitHostPort(free.Addr().String())
	if err = errors.Join(err, free.Close()); err != nil {
		return err
	}
	s.URL = "postgres://postgres@127.0.0.1:" + s.port + "/postgres"
	return s.start()
}

// start starts the server and waits until it is there. The machine goes on when
// the server crashes: nothing has to be written to the disk itself.
func (s *Server) start() error {
	return s.ctl("start", "-w", "-l", filepath.Join(filepath.Dir(s.data), "log"), "-o",
		"-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c shared_buffers=32MB -p "+s.port)
}

func (s *Server) ctl(args ...string) error {
	return s.run("pg_ctl", append([]string{"-D", s.data}, args...)...)
}

func (s *Server) run(tool string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	args = append([]string{filepath.Join(s.bin, tool)}, args...)
	if os.Getuid() == 0 {
		args = append([]string{"runuser", "-u", "postgres", "--"}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = filepath.Dir(s.data)
	out, err := os.CreateTemp("", "gatehouse-postgres") // a pipe would stay open as long as the server
	if err != nil {
		return err
	}
	defer func() { _ = out.Close(); _ = os.Remove(out.Name()) }()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s: %w: %.2000s", tool, err, text)
	}
	return nil
}

// Open opens the server's database.
func (s *Server) Open(t testing.TB) sqldb.DB {
	t.Helper()
	return keep(t, sqldb.OpenPostgres, s.URL)
}

// Crash ends the server as a crash does, and starts it again. What it has not
// written to its log is lost.
func (s *Server) Crash(t testing.TB) {
	t.Helper()
	if err := errors.Join(s.ctl("stop", "-w", "-m", "immediate"), s.start()); err != nil {
		t.Fatal(err)
	}
}
