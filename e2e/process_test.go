//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// slowRequest has begun on a server, which waits for the rest of its body.
type slowRequest struct {
	conn   net.Conn
	reader *bufio.Reader
	body   string
}

// beginSlow sends all of a bulk create but its body and waits until the
// server asks for it: then the request is running.
func beginSlow(t *testing.T, v *server, token string) *slowRequest {
	t.Helper()
	rows := make([]string, 2000)
	for i := range rows {
		rows[i] = fmt.Sprintf(`{"name": "Drained %04d"}`, i)
	}
	r := &slowRequest{body: "[" + strings.Join(rows, ",") + "]"}
	address := strings.TrimPrefix(v.url, "http://")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	r.conn, r.reader = conn, bufio.NewReader(conn)
	fmt.Fprintf(conn, "POST /api/v1/res.partner HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", address, token, len(r.body))
	if line, err := r.reader.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("%q %v", line, err)
	}
	if _, err := r.reader.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return r
}

// refused says whether the server takes no connections any more.
func (v *server) refused() bool {
	conn, err := net.Dial("tcp", strings.TrimPrefix(v.url, "http://"))
	if err == nil {
		conn.Close()
	}
	return err != nil
}

// SIGTERM cuts off no request, takes no new ones, and ends with 0.
func TestDrain(t *testing.T) {
	for _, store := range stores {
		t.Run(store, func(t *testing.T) {
			s := newSiteFor(t, store, "GATEHOUSE_ADMIN_PASSWORD=admin")
			v := s.serve(t)
			slow := beginSlow(t, v, v.anonymous(t).login("admin", "admin").text("data.access_token"))
			if err := v.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			within(t, patience, "connections are refused", v.refused)
			fmt.Fprint(slow.conn, slow.body)
			resp, err := http.ReadResponse(slow.reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			read(t, "POST /api/v1/res.partner", resp).ok(201).len("data", 2000)
			if code, err := v.wait(); code != 0 || err != nil {
				t.Errorf("exit code %d %v: %s", code, err, v.stderr)
			}
			v = s.serve(t)
			if n := v.as(t, "admin").count("res.partner", "[('name', '=like', 'Drained %')]"); n != 2000 {
				t.Errorf("%d records were kept", n)
			}
		})
	}
}

// A drain that takes too long is cut off with 1, and a second signal ends it.
func TestDrainEnds(t *testing.T) {
	s := newSiteFor(t, "sqlite", "GATEHOUSE_ADMIN_PASSWORD=admin")
	v := s.serve(t, "--shutdown-timeout", "100ms")
	beginSlow(t, v, v.anonymous(t).login("admin", "admin").text("data.access_token"))
	if code, err := v.stop(); code != 1 || err != nil || !strings.Contains(v.stderr.String(), "still running") {
		t.Errorf("exit code %d %v: %s", code, err, v.stderr)
	}
	v = s.serve(t)
	beginSlow(t, v, v.anonymous(t).login("admin", "admin").text("data.access_token"))
	if err := v.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	within(t, patience, "connections are refused", v.refused)
	began := time.Now()
	if _, err := v.stop(); err != nil || time.Since(began) > 5*time.Second {
		t.Errorf("a second signal took %s %v", time.Since(began), err)
	}
}

// What was answered is kept, however the process ends.
func TestKill(t *testing.T) {
	for _, store := range stores {
		t.Run(store, func(t *testing.T) {
			s := newSiteFor(t, store, "GATEHOUSE_ADMIN_PASSWORD=admin")
			s.cli(t, "setting", "set", "global_rate_limit", "0")
			v := s.serve(t)
			token := v.anonymous(t).login("admin", "admin").text("data.access_token")
			var answered atomic.Int64
			var mu sync.Mutex
			var kept []string
			var writers sync.WaitGroup
			for range 3 {
				writers.Go(func() {
					for {
						location := create(v.url, token)
						if location == "" {
							return // the server is dead
						}
						mu.Lock()
						kept = append(kept, location)
						mu.Unlock()
						answered.Add(1)
					}
				})
			}
			within(t, patience, "records are made", func() bool { return answered.Load() >= 60 })
			v.kill(t)
			writers.Wait()
			v = s.serve(t)
			admin := v.withToken(t, token) // tokens outlive the process too
			for _, location := range kept {
				admin.get(location, "fields", "name").ok(200).is("data.name", "Killed")
			}
			if n := admin.count("res.partner", "[('name', '=', 'Killed')]"); n < len(kept) || n > len(kept)+3 {
				t.Errorf("%d records for %d answers", n, len(kept))
			}
		})
	}
}

// create makes a record and gives its path, "" when there is no answer.
func create(url, token string) string {
	req, err := http.NewRequest(http.MethodPost, url+"/api/v1/res.partner", strings.NewReader(`{"name": "Killed"}`))
	if err != nil {
		return ""
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	return resp.Header.Get("Location")
}

// The password of the first start is printed once, whichever command it was.
func TestFirstPassword(t *testing.T) {
	find := func(text string) string {
		if found := printedAdmin.FindStringSubmatch(text); found != nil {
			return found[1]
		}
		return ""
	}
	for _, first := range [][]string{{"serve"}, {"doctor"}, {"setting", "list"}} {
		t.Run(first[0], func(t *testing.T) {
			s := newSiteFor(t, "sqlite")
			var said string
			if first[0] != "serve" {
				got := s.run("", first...)
				said = got.stdout + got.stderr
			}
			v := s.serve(t)
			if said == "" {
				within(t, patience, "a password is printed", func() bool { return find(v.stdout.String()) != "" })
				said = v.stdout.String()
			} else if text := v.stdout.String(); strings.Contains(text, "password") {
				t.Errorf("printed again: %s", text)
			}
			v.anonymous(t).login("admin", find(said))
		})
	}
	s := newSiteFor(t, "sqlite", "GATEHOUSE_ADMIN_PASSWORD=chosen by me")
	v := s.serve(t)
	v.anonymous(t).login("admin", "chosen by me")
	if text := v.stdout.String() + v.stderr.String(); strings.Contains(text, "chosen") {
		t.Errorf("the password is told: %s", text)
	}
}

// Exit codes are 0 fine, 1 failure, 2 wrong usage.
func TestCommandLine(t *testing.T) {
	for _, store := range stores {
		t.Run(store, func(t *testing.T) {
			s := newSiteFor(t, store)
			if got := s.cli(t, "version"); got != "gatehouse "+builtVersion {
				t.Errorf("version says %q", got)
			}
			var version obj
			s.cliJSON(t, &version, "version")
			if version["version"] != builtVersion {
				t.Errorf("version says %v", version)
			}
			var checks []obj
			s.cliJSON(t, &checks, "doctor")
			for _, check := range checks {
				if check["state"] != "ok" {
					t.Errorf("doctor: %v", check)
				}
			}
			if text := fmt.Sprint(checks); !strings.Contains(text, store) {
				t.Errorf("doctor does not name the store: %s", text)
			}
			for _, args := range [][]string{
				{"setting", "list"},
				{"setting", "get", "cors_origins"},
				{"setting", "set", "log_level", "errors"},
				{"user", "list"},
				{"key", "create", "--user", "admin", "--name", "x", "--scopes", "read", "--expires", "30d"},
				{"key", "list"},
				{"key", "revoke", "1"},
			} {
				var printed any
				s.cliJSON(t, &printed, args...)
			}
			s.refuses(t, 1, "no user with the login nobody", "key", "create", "--user", "nobody", "--name", "x", "--scopes", "read")
			s.refuses(t, 1, "Unknown scope: everything", "key", "create", "--user", "admin", "--name", "x", "--scopes", "everything")
			s.refuses(t, 1, "does not exist", "key", "revoke", "99")
			s.refuses(t, 1, "global_rate_limit must be", "setting", "set", "global_rate_limit", "many")
			s.refuses(t, 1, "Unknown setting", "setting", "set", "bogus", "1")
			s.refuses(t, 2, "--expires", "key", "create", "--user", "admin", "--name", "x", "--scopes", "read", "--expires", "soon")
			s.refuses(t, 2, "missing flags", "key", "create")
			s.refuses(t, 2, "no password", "user", "create", "--login", "x")
			if got := s.run("\n", "user", "create", "--login", "x"); got.code != 2 || strings.Contains(got.stderr, "nil") {
				t.Errorf("an empty password: exit code %d, %q", got.code, got.stderr)
			}
			s.refuses(t, 2, "unexpected argument", "bogus")
			s.refuses(t, 2, "", "serve", "--listen", "nonsense")
			s.refuses(t, 2, "")

			v := s.serve(t)
			s.refuses(t, 1, "listen on", "serve", "--listen", strings.TrimPrefix(v.url, "http://"))
		})
	}
	s := newSiteFor(t, "sqlite", "GATEHOUSE_DATABASE_URL=postgres://nobody:secret@127.0.0.1:1/x")
	got := s.run("", "doctor")
	if got.code != 1 || !strings.Contains(got.stdout, "broken") || strings.Contains(got.stdout+got.stderr, "secret") {
		t.Errorf("doctor without a store: %d %s%s", got.code, got.stdout, got.stderr)
	}
}
