// Command bench starts the built binary on each store with 10,000 partners,
// drives it with wrk from the same machine, and prints a table: requests per
// second, latencies, memory. Run it from the repository's root:
//
//	go run ./bench [-stores sqlite,postgres] [-seconds 10] [-connections 16]
//	go run ./bench webhooks [-stores sqlite,postgres] [-modes throughput,hot,latency,memory]
//	go run ./bench odoo [-rate 1000] [-seconds 10]
//
// It needs wrk, and for PostgreSQL a server that lets it make a database
// (GATEHOUSE_BENCH_DATABASE_URL, by default postgres on 127.0.0.1).
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	work := run
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "webhooks":
			work = func() error { return webhooks(os.Args[2:]) }
		case "odoo":
			work = func() error { return odoo(os.Args[2:]) }
		}
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	stores      string
	seconds     int
	connections int
	partners    int
	binary      string
}

func run() error {
	var o options
	flag.StringVar(&o.stores, "stores", "sqlite,postgres", "stores to measure")
	flag.IntVar(&o.seconds, "seconds", 10, "length of each run")
	flag.IntVar(&o.connections, "connections", 16, "connections of wrk")
	flag.IntVar(&o.partners, "partners", 10000, "partners in the database")
	flag.StringVar(&o.binary, "binary", "", "binary to measure; empty: build this tree")
	flag.Parse()
	if _, err := exec.LookPath("wrk"); err != nil {
		return fmt.Errorf("wrk is not installed (apt-get install wrk): %w", err)
	}
	dir, err := os.MkdirTemp("", "gatehouse-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := o.build(dir); err != nil {
		return err
	}
	fmt.Println("| store | scenario | requests/s | p50 | p99 | errors | resident |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for _, store := range strings.Split(o.stores, ",") {
		if err := measure(context.Background(), o, filepath.Join(dir, store), store); err != nil {
			return fmt.Errorf("%s: %w", store, err)
		}
	}
	return nil
}

// build makes the binary, where none is given.
func (o *options) build(dir string) error {
	if o.binary != "" {
		return nil
	}
	o.binary = filepath.Join(dir, "gatehouse")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", o.binary, "./cmd/gatehouse")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	return nil
}

// measure runs all scenarios on one store.
func measure(ctx context.Context, o options, dir, store string) error {
	env, settle, cleanup, err := prepareStore(ctx, dir, store)
	if err != nil {
		return err
	}
	defer cleanup()
	if err := cli(o, env, "setting", "set", "global_rate_limit", "0"); err != nil {
		return err
	}
	s, err := start(o, env)
	if err != nil {
		return err
	}
	if err := s.fill(o.partners); err != nil {
		s.stop()
		return err
	}
	s.stop()
	if err := settle(ctx); err != nil {
		return err
	}
	// A restart shows how long an existing database takes to be ready, and what
	// the server holds at rest.
	if s, err = start(o, env); err != nil {
		return err
	}
	defer s.stop()
	time.Sleep(500 * time.Millisecond)
	fmt.Printf("| %s | start on the filled database | ready in %s | | | | %s |\n", store, s.readyIn.Round(time.Millisecond), s.resident())
	for _, sc := range scenarios(s) {
		result, err := sc.run(o, s)
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %s | %s | %s | %s | %d | %s |\n", store, sc.name, result.rate, result.p50, result.p99, result.errors, s.resident())
	}
	return nil
}
