package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/audit"
	"gatehouse/internal/business"
	"gatehouse/internal/identity"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/webhook"
)

// hookOptions are the flags of `bench webhooks`.
type hookOptions struct {
	stores      string
	modes       string
	jobs        int
	records     int
	endpoints   int
	concurrency int
	rate        int
	seconds     int
	profile     string
}

// hookWorld is a store with endpoints that all lead to one receiver.
type hookWorld struct {
	hookOptions

	db       sqldb.DB
	outbox   *webhook.Outbox
	url      string
	received atomic.Int64
	arrived  sync.Map // event ids → when they came, where latencies are measured
	timing   atomic.Bool
}

// webhooks measures the queue of webhooks, with the dispatcher and the receiver
// in this process.
func webhooks(args []string) error {
	var o hookOptions
	flags := flag.NewFlagSet("webhooks", flag.ContinueOnError)
	flags.StringVar(&o.stores, "stores", "sqlite,postgres", "stores to measure")
	flags.StringVar(&o.modes, "modes", "throughput,hot,latency,memory", "what to measure")
	flags.IntVar(&o.jobs, "jobs", 30000, "jobs of a throughput run; the hot run has a tenth")
	flags.IntVar(&o.records, "records", 10000, "records that the jobs are of")
	flags.IntVar(&o.endpoints, "endpoints", 4, "webhooks that the jobs go to")
	flags.IntVar(&o.concurrency, "concurrency", webhook.DefaultConcurrency, "calls at a time to each")
	flags.IntVar(&o.rate, "rate", 200, "events a second of a latency run")
	flags.IntVar(&o.seconds, "seconds", 15, "length of latency and memory runs")
	flags.StringVar(&o.profile, "profile", "", "file for a CPU profile of all runs")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.profile != "" {
		f, err := os.Create(o.profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Println("| store | run | result | load average |")
	fmt.Println("|---|---|---|---|")
	for store := range strings.SplitSeq(o.stores, ",") {
		for mode := range strings.SplitSeq(o.modes, ",") {
			result, err := measureHooks(context.Background(), o, store, mode)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", store, mode, err)
			}
			load, _ := os.ReadFile("/proc/loadavg")
			fmt.Printf("| %s | %s | %s | %.4s |\n", store, mode, result, load)
		}
	}
	return nil
}

// measureHooks makes one run on a store of its own.
func measureHooks(ctx context.Context, o hookOptions, store, mode string) (string, error) {
	dir, err := os.MkdirTemp("", "gatehouse-bench")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	w := &hookWorld{hookOptions: o}
	if store == "postgres" {
		env, _, cleanup, err := prepareStore(ctx, dir, store)
		if err != nil {
			return "", err
		}
		defer cleanup()
		_, url, _ := strings.Cut(env[len(env)-1], "=")
		w.db, err = sqldb.OpenPostgres(ctx, url, sqldb.Options{})
		if err != nil {
			return "", err
		}
	} else if w.db, err = sqldb.OpenSQLite(ctx, filepath.Join(dir, "bench.db"), sqldb.Options{}); err != nil {
		return "", err
	}
	defer w.db.Close()
	if err := schema.Sync(ctx, w.db, slices.Concat(business.Models(), identity.Models(), audit.Models(), webhook.Models())); err != nil {
		return "", err
	}
	stop, err := w.listen(ctx)
	if err != nil {
		return "", err
	}
	defer stop()
	w.outbox = webhook.NewOutbox(w.db, nil, nil)
	defer w.outbox.Close()
	if err := w.hooks(ctx); err != nil {
		return "", err
	}
	switch mode {
	case "throughput":
		return w.throughput(ctx, o.jobs, o.records)
	case "hot":
		return w.throughput(ctx, o.jobs/10, o.endpoints)
	case "latency":
		return w.latency(ctx)
	case "memory":
		return w.memory(ctx)
	}
	return "", errors.New("there is no such run")
}

// listen starts the receiver, which takes everything at once.
func (w *hookWorld) listen(ctx context.Context) (stop func(), err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w.url = "http://" + l.Addr().String() + "/"
	s := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		w.received.Add(1)
		if w.timing.Load() {
			w.arrived.Store(r.Header.Get("Webhook-Id"), time.Now())
		}
	})}
	go func() { _ = s.Serve(l) }()
	return func() { _ = s.Close() }, nil
}

func (w *hookWorld) hooks(ctx context.Context) error {
	return w.db.Write(ctx, func(tx sqldb.Tx) error {
		for i := range w.endpoints {
			_, err := tx.Exec(ctx, `insert into gateway_webhook (name, model, on_create, on_write, on_unlink, url, concurrency, active,
				failure_count, circuit, circuit_seconds, secret) values ('bench', 'res.partner', $4, $4, $4, $1, $2, $4, 0, 'closed', 0, $3)`,
				w.url+strconv.Itoa(i), w.concurrency, webhook.NewSecret(), true)
			if err != nil {
				return err
			}
		}
		return tx.Signal(ctx, webhook.Channel)
	})
}

// fill puts jobs into the queue, of as many records, evenly over the endpoints.
func (w *hookWorld) fill(ctx context.Context, jobs, records int) error {
	const payload = `{"action":"write","model":"res.partner","record":{"id":147,"name":"Acme Ltd","email":"info@acme.example",` +
		`"phone":"+32 2 123 45 67","country_id":{"id":21,"name":"Belgium"},"write_date":"2026-03-14T10:30:00"},` +
		`"event_id":"evt_6f1c0f5b7d0f4a1e9c55b8a2b4a1d3c7","timestamp":"2026-03-14T10:30:00Z"}`
	err := w.db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.Exec(ctx, `with recursive n(i) as (select 1 union all select i + 1 from n where i < cast($1 as bigint))
			insert into gateway_webhook_job (webhook_id, event_id, model, res_id, action, payload, state, attempts, created_at)
			select 1 + i % cast($2 as bigint), 'evt_' || i, 'res.partner', 1 + i % cast($3 as bigint), 'write', $4, 'pending', 0, $5 from n`,
			jobs, w.endpoints, records, payload, time.Now().UTC())
		return err
	})
	if err != nil || w.db.Dialect().Name() != "postgres" {
		return err
	}
	return w.db.Write(ctx, func(tx sqldb.Tx) error { _, err := tx.Exec(ctx, `analyze`); return err })
}

func (w *hookWorld) dispatcher(ctx context.Context) *webhook.Dispatcher {
	d := webhook.NewDispatcher(w.db, webhook.Options{Guard: webhook.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}})
	d.Start(ctx)
	return d
}

func (w *hookWorld) open(ctx context.Context) (n int64, err error) {
	err = w.db.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, `select count(*) from gateway_webhook_job where state in ('pending', 'processing', 'failed')`, nil,
			func(r sqldb.Row) error { n = r.Int(0); return nil })
	})
	return n, err
}

// throughput is the time from the start of a dispatcher to the end of the last job.
func (w *hookWorld) throughput(ctx context.Context, jobs, records int) (string, error) {
	if err := w.fill(ctx, jobs, records); err != nil {
		return "", err
	}
	var before, after syscallTimes
	before.read()
	began := time.Now()
	d := w.dispatcher(ctx)
	for w.received.Load() < int64(jobs) {
		time.Sleep(2 * time.Millisecond)
	}
	for left := int64(1); left > 0; time.Sleep(2 * time.Millisecond) {
		var err error
		if left, err = w.open(ctx); err != nil {
			return "", err
		}
	}
	took := time.Since(began)
	after.read()
	if err := d.Stop(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("%.0f deliveries/s (%d jobs of %d records, %d endpoints, %d calls at a time; %d calls; %.0f µs of this process's CPU each)",
		float64(jobs)/took.Seconds(), jobs, records, w.endpoints, w.concurrency, w.received.Load(),
		float64((after.cpu-before.cpu).Microseconds())/float64(jobs)), nil
}

// latency is the time from the commit of a change to its call, at a steady rate.
func (w *hookWorld) latency(ctx context.Context) (string, error) {
	w.timing.Store(true)
	d := w.dispatcher(ctx)
	time.Sleep(200 * time.Millisecond)
	var mu sync.Mutex
	committed := map[string]time.Time{} // by record
	var group sync.WaitGroup
	var failed atomic.Value
	total := w.rate * w.seconds
	ticks := time.NewTicker(time.Second / time.Duration(w.rate))
	defer ticks.Stop()
	for i := range total {
		<-ticks.C
		group.Go(func() {
			id := int64(i + 1)
			ev := record.Event{
				Subscription: 1 + id%int64(w.endpoints), Model: "res.partner", ID: id, Action: "write",
				Record: []byte(`{"id":` + strconv.FormatInt(id, 10) + `,"name":"Acme Ltd","email":"info@acme.example"}`),
			}
			err := w.db.Write(ctx, func(tx sqldb.Tx) error { return w.outbox.Put(ctx, tx, time.Now(), []record.Event{ev}) })
			if err != nil {
				failed.Store(err)
			}
			now := time.Now()
			mu.Lock()
			committed[strconv.FormatInt(id, 10)] = now
			mu.Unlock()
		})
	}
	group.Wait()
	for limit := time.Now().Add(20 * time.Second); w.received.Load() < int64(total) && time.Now().Before(limit); {
		time.Sleep(5 * time.Millisecond)
	}
	if err, ok := failed.Load().(error); ok {
		return "", err
	}
	if err := d.Stop(ctx); err != nil {
		return "", err
	}
	var all []time.Duration
	err := w.db.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, `select event_id, cast(res_id as text) from gateway_webhook_job`, nil, func(r sqldb.Row) error {
			if at, ok := w.arrived.Load(r.Text(0)); ok {
				all = append(all, max(at.(time.Time).Sub(committed[r.Text(1)]), 0))
			}
			return nil
		})
	})
	if err != nil || len(all) == 0 {
		return "", errors.Join(err, errors.New("nothing has arrived"))
	}
	slices.Sort(all)
	part := func(p float64) time.Duration { return all[int(p*float64(len(all)-1))].Round(10 * time.Microsecond) }
	return fmt.Sprintf("commit to call: p50 %s, p90 %s, p99 %s, most %s (%d of %d events, %d/s)",
		part(0.5), part(0.9), part(0.99), part(1), len(all), total, w.rate), nil
}

// memory is what this process holds while it works off a million jobs.
func (w *hookWorld) memory(ctx context.Context) (string, error) {
	const jobs = 1_000_000
	if err := w.fill(ctx, jobs, jobs/2); err != nil {
		return "", err
	}
	runtime.GC()
	rest := residentNow()
	d := w.dispatcher(ctx)
	var seen []string
	for range w.seconds {
		time.Sleep(time.Second)
		if len(seen) < 4 || len(seen)*4 < w.seconds {
			seen = append(seen, residentNow())
		}
	}
	sent, last := w.received.Load(), residentNow()
	if err := d.Stop(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("resident %s at rest, %s each second, %s after %d s; %.0f deliveries/s with a million queued",
		rest, strings.Join(seen, " "), last, w.seconds, float64(sent)/float64(w.seconds)), nil
}

// residentNow is the resident memory of this process.
func residentNow() string {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "?"
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return fmt.Sprintf("%.0f MB", float64(kb)/1024)
		}
	}
	return "?"
}
