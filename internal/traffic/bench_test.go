package traffic

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/setting"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// BenchmarkObserve is what a request pays: at level errors, and where the log
// keeps a copy. 20,000 requests a second pay 20,000 times this.
func BenchmarkObserve(b *testing.B) {
	for _, level := range []setting.LogLevel{setting.LogErrors, setting.LogMetadata, setting.LogFull} {
		b.Run(string(level), func(b *testing.B) {
			db := sqltest.Open(b, "sqlite")
			r := node(b, db, level)
			r.Start(context.Background())
			random := rand.New(rand.NewPCG(1, 2))
			events := make([]*Event, 1024)
			for i := range events {
				events[i] = invented(random)
				events[i].Status, events[i].Time = 200, testNow
				events[i].ResponseBody = make([]byte, 2000)
			}
			b.ReportAllocs()
			b.RunParallel(func(p *testing.PB) {
				for i := 0; p.Next(); i++ {
					r.Observe(events[i%len(events)])
				}
			})
			b.StopTimer()
			if err := r.Close(context.Background()); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkLog writes entries: what they cost the process behind the requests.
func BenchmarkLog(b *testing.B) {
	for _, dialect := range sqltest.Dialects() {
		b.Run(dialect, func(b *testing.B) {
			r := node(b, sqltest.Open(b, dialect), setting.LogMetadata)
			e := invented(rand.New(rand.NewPCG(1, 2)))
			e.Time, e.Path, e.UserAgent = testNow, "/api/v1/res.partner/42", "Mozilla/5.0 (X11; Linux x86_64)"
			e.Header = http.Header{
				"User-Agent": {e.UserAgent}, "Accept": {"application/json"}, "Authorization": {"Bearer x"}, "Content-Type": {"application/json"},
			}
			e.StepNames = []string{"receive", "identify", "authorize", "limit", "address", "route", "handle", "format"}
			e.Steps = []time.Duration{1e4, 1e4, 1e4, 1e4, 1e4, 1e4, 1e6, 1e4}
			before := cpuTime()
			for i := 0; b.Loop(); i++ {
				e.RequestID = clock.RandomHex(12)
				r.queue.add(e, setting.LogMetadata)
				if i%logBatch == logBatch-1 {
					if err := r.writeLog(context.Background()); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64((cpuTime()-before).Nanoseconds())/1000/float64(b.N), "cpu-us/entry")
		})
	}
}

// BenchmarkReport asks for a year in which 30 callers made 100 million requests
// to 50 endpoints, with answers of every class.
func BenchmarkReport(b *testing.B) {
	for _, dialect := range sqltest.Dialects() {
		db := sqltest.Open(b, dialect)
		r := node(b, db, setting.LogErrors)
		fillYear(b, db)
		for _, q := range []Question{{Range: "1y"}, {Range: "1y", Caller: "key:7"}, {Range: "1y", Status: "5xx"}, {Range: "30d"}, {Range: "24h"}} {
			b.Run(fmt.Sprintf("%s/%s,%s,%s", dialect, q.Range, q.Caller, q.Status), func(b *testing.B) {
				before := cpuTime()
				for b.Loop() {
					if got := ask(b, r, q); q == (Question{Range: "1y"}) && got.KPIs.TotalRequests < 99_000_000 {
						b.Fatal(got.KPIs.TotalRequests)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/report")
				b.ReportMetric(float64((cpuTime()-before).Milliseconds())/float64(b.N), "cpu-ms/report")
			})
		}
	}
}

// cpuTime is what this process has used: on a busy machine it says more than
// the clock. SQLite runs inside the process, PostgreSQL does not.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// fillYear writes the days of a year, and the hours of two days.
func fillYear(b *testing.B, db sqldb.DB) {
	const callers, endpoints = 30, 50
	random := rand.New(rand.NewPCG(3, 4))
	d := &demo{Rand: random}
	flush := func() {
		err := db.Write(context.Background(), func(tx sqldb.Tx) error {
			totals, ends, addresses := tables()
			for i, t := range []table{totals, ends, addresses} {
				if _, err := tx.Copy(context.Background(), t.name, append(append([]string{}, t.keys...), t.sums...), d.rows[i]); err != nil {
					return err
				}
			}
			_, err := tx.Copy(context.Background(), "gateway_traffic_sketch", []string{"level", "caller", "at", "class", "latency", "ips"}, d.rows[3])
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		d.rows = [4][][]any{}
	}
	put := func(l level, at time.Time, requests int64) {
		into := newDelta()
		for c := range callers {
			t := &callerTally{endpoints: map[endpointKey]*counts{}, ips: map[netip.Addr]*[classes]int64{}}
			for e := range endpoints {
				sum := &counts{}
				for i := range sum {
					sum[i].n = requests/(callers*endpoints*int64(classes)) + 1
					sum[i].micros = sum[i].n * 20_000
				}
				t.endpoints[endpointKey{"GET", fmt.Sprintf("/api/v1/{model}/%d", e), "res.partner"}] = sum
			}
			for i := range classes {
				t.histograms[i] = &histogram{}
				for range 100 {
					t.histograms[i].add(time.Duration(random.ExpFloat64() * float64(20*time.Millisecond)))
				}
			}
			for range 40 {
				at0(t.ips, netip.AddrFrom4([4]byte{10, 0, byte(random.IntN(20)), byte(random.IntN(256))}))[0] += 100
			}
			into.addLevels(at.Unix(), callerName(byKey, int64(c+1)), t, l)
			into.addLevels(at.Unix(), everybody, t, l)
		}
		kept := 0 // as the job rollup leaves them
		for k := range into.addresses {
			if k.caller == everybody {
				if kept++; kept > addressesClosed {
					delete(into.addresses, k)
				}
			}
		}
		d.encode(into)
	}
	for back := range demoDays {
		put(days, testNow.AddDate(0, 0, -back), 100_000_000/demoDays)
		if back%30 == 29 {
			flush()
		}
	}
	for back := range 48 {
		put(hours, testNow.Add(-time.Duration(back)*time.Hour), 100_000_000/demoDays/24)
	}
	flush()
}
