package app

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/config"
)

// serve opens an app on a fresh SQLite file and serves it on a real socket,
// with all the limits of a server; change may alter its configuration.
func serve(t *testing.T, change func(*config.Config)) (a *App, addr string) {
	t.Helper()
	cfg := config.Default()
	useStore(t, cfg, "sqlite")
	cfg.Server.Listen = "127.0.0.1:0"
	if change != nil {
		change(cfg)
	}
	ctx, cancel := context.WithCancel(context.Background())
	a, err := Open(ctx, cfg, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ready, served := make(chan net.Addr, 1), make(chan error, 1)
	go func() { served <- a.Serve(ctx, func(addr net.Addr) { ready <- addr }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	select {
	case at := <-ready:
		return a, at.String()
	case err := <-served:
		served <- err // for the clean-up, which reports it
		t.FailNow()
		return nil, ""
	}
}

// reply is what came over the wire.
type reply struct {
	status int
	header http.Header
	body   string
	closes bool // the connection
}

// exchange sends bytes as they are and reads one answer, the last one after
// those of 100. The error says that the server gave none.
func exchange(t *testing.T, addr, request string) (reply, error) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(conn, request) }() // the server may answer before it has read all
	method, _, _ := strings.Cut(request, " ")
	in, of := bufio.NewReader(conn), &http.Request{Method: method}
	res, err := http.ReadResponse(in, of)
	if err == nil && res.StatusCode == http.StatusContinue {
		_ = res.Body.Close()
		res, err = http.ReadResponse(in, of)
	}
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, string(body), res.Close}, err
}

// leakage is what no answer may say: where code lies, what it runs on, statements.
var leakage = regexp.MustCompile(`goroutine \d|\.go:\d|/home/|/tmp/|/internal/|runtime\.|panic|(?i:select .* from )|(?i:sqlite)|pgx|SQLSTATE|gatehouse_key|gatehouse\.db`)
