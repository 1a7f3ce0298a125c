package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const adminPassword = "bench-password"

// prepareStore gives the environment of a server on an empty store. settle
// gathers the statistics of a filled PostgreSQL, as its own housekeeping does
// within a minute.
func prepareStore(ctx context.Context, dir, store string) (env []string, settle func(context.Context) error, cleanup func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, nil, err
	}
	env = append(os.Environ(), "GATEHOUSE_ADMIN_PASSWORD="+adminPassword, "GATEHOUSE_DATA_DIR="+dir, "GATEHOUSE_LOG_LEVEL=error")
	if store != "postgres" {
		return env, func(context.Context) error { return nil }, func() {}, nil
	}
	admin := os.Getenv("GATEHOUSE_BENCH_DATABASE_URL")
	if admin == "" {
		admin = "postgres://postgres@127.0.0.1/postgres"
	}
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return nil, nil, nil, err
	}
	name := "gatehouse_bench_" + strconv.Itoa(os.Getpid())
	for _, sql := range []string{
		"drop database if exists " + name + " with (force)",
		"create database " + name + " template template0 encoding UTF8 lc_collate 'C' lc_ctype 'C.UTF-8'",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return nil, nil, nil, err
		}
	}
	url := admin[:strings.LastIndex(admin, "/")+1] + name
	settle = func(ctx context.Context) error {
		filled, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		_, err = filled.Exec(ctx, "vacuum analyze")
		return errors.Join(err, filled.Close(ctx))
	}
	return append(env, "GATEHOUSE_DATABASE_URL="+url), settle, func() {
		_, _ = conn.Exec(ctx, "drop database if exists "+name+" with (force)")
		_ = conn.Close(ctx)
	}, nil
}

// cli runs a command of the binary.
func cli(o options, env []string, args ...string) error {
	cmd := exec.Command(o.binary, args...)
	cmd.Env = env
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// server is a running gatehouse.
type server struct {
	cmd     *exec.Cmd
	url     string
	token   string
	readyIn time.Duration
}

func start(o options, env []string) (*server, error) {
	s := &server{url: "http://127.0.0.1:18069"}
	s.cmd = exec.Command(o.binary, "serve", "--listen", "127.0.0.1:18069")
	s.cmd.Env, s.cmd.Stderr = env, os.Stderr
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for deadline := began.Add(30 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		resp, err := http.Get(s.url + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Now().After(deadline) {
			s.stop()
			return nil, errors.New("the server does not get ready")
		}
	}
	s.readyIn = time.Since(began)
	var answer struct {
		Data struct {
			AccessToken string `json:"access_token"`
		} `json:"data"`
	}
	err := s.post("/api/v1/auth/login", map[string]string{"login": "admin", "password": adminPassword}, &answer)
	s.token = answer.Data.AccessToken
	if err != nil {
		s.stop()
	}
	return s, err
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
}

func (s *server) post(path string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, s.url+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		return fmt.Errorf("POST %s: %s %s %w", path, resp.Status, all, err)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(all, answer)
}

// fill makes partners in bulk: half of them companies, as the list asks for.
func (s *server) fill(n int) error {
	cities := []string{"Ghent", "Lyon", "Porto", "Graz", "Turin", "Leiden", "Bergen", "Cork"}
	for done := 0; done < n; done += 500 {
		var batch []map[string]any
		for i := done; i < min(done+500, n); i++ {
			batch = append(batch, map[string]any{
				"name": fmt.Sprintf("Partner %05d", i), "email": fmt.Sprintf("p%05d@example.com", i),
				"phone": fmt.Sprintf("+32 470 %06d", i), "street": fmt.Sprintf("%d Station Road", i%300+1),
				"city": cities[i%len(cities)], "zip": fmt.Sprintf("%04d", i%9000+1000),
				"is_company": i%2 == 0, "country_id": i%200 + 1, "ref": fmt.Sprintf("R%05d", i),
			})
		}
		if err := s.post("/api/v1/res.partner", batch, nil); err != nil {
			return err
		}
	}
	return nil
}

// resident is the server's resident memory.
func (s *server) resident() string {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return "?"
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			var kb int
			if _, err := fmt.Sscan(rest, &kb); err == nil {
				return fmt.Sprintf("%d MB", kb/1024)
			}
		}
	}
	return "?"
}
