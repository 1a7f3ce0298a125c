package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

// options say what to run and what to print.
type options struct {
	corpus, server string
	only, parts    string
	report         string
	show           int
	unproven       bool
}

func main() {
	var o options
	flag.StringVar(&o.corpus, "corpus", "../shared/odoo19", "folder of the recordings")
	flag.StringVar(&o.server, "postgres", "postgres://postgres@127.0.0.1/postgres", "PostgreSQL server that the dump is loaded into, by default on the port PGPORT")
	flag.StringVar(&o.only, "only", "", "cases whose id begins so")
	flag.StringVar(&o.parts, "parts", "reads,embedded,writes", "what to run")
	flag.StringVar(&o.report, "report", "", "file to write the report to")
	flag.IntVar(&o.show, "show", 20, "how many differences to print")
	flag.BoolVar(&o.unproven, "unproven", false, "print the cases that are not provable too")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	c, err := openCorpus(ctx, o.corpus, o.server)
	if err != nil {
		return err
	}
	defer c.db.Close() //nolint:errcheck // only read
	r := &results{writes: map[string][]Outcome{}, embedded: map[string][]Outcome{}}
	if strings.Contains(o.parts, "reads") {
		if r.reads, r.stored, err = runReads(ctx, c, o.only); err != nil {
			return err
		}
	}
	if err := runStores(ctx, c, o, r); err != nil {
		return err
	}
	var text strings.Builder
	printAll(&text, r, o.show)
	if o.unproven {
		printUnproven(&text, r)
	}
	if _, err := os.Stdout.WriteString(text.String()); err != nil {
		return err
	}
	if o.report == "" {
		return nil
	}
	return os.WriteFile(o.report, []byte(document(r)), 0o644)
}
