package traffic

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/setting"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// TestTotalsAreExact lets two nodes observe at the same time what a few
// goroutines do, with one of them started again in between, and compares every
// figure with what a plain count over the same requests gives.
func TestTotalsAreExact(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, a, b sqldb.DB) {
		nodes := []*Recorder{node(t, a, setting.LogErrors), node(t, b, setting.LogErrors)}
		var mu sync.Mutex
		var all []*Event
		observe := func() {
			var wg sync.WaitGroup
			seed := uint64(len(all))
			for i := range 4 {
				wg.Go(func() {
					r := rand.New(rand.NewPCG(uint64(i), seed))
					for n := range 500 {
						e := invented(r)
						nodes[i%2].Observe(e)
						mu.Lock()
						all = append(all, e)
						mu.Unlock()
						if n%250 == 0 {
							flush(t, nodes[i%2])
						}
					}
				})
			}
			wg.Wait()
		}
		observe()
		if err := nodes[1].Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		nodes[1] = node(t, b, setting.LogErrors)
		observe()
		flush(t, nodes[0])
		flush(t, nodes[1])
		for _, caller := range []string{"", "user:2", "key:3", "client:1", "anonymous", "key:99"} {
			for _, status := range append([]string{""}, classNames[:]...) {
				for _, span := range []string{"24h", "30d", "1y"} {
					got := ask(t, nodes[0], Question{span, caller, status})
					compare(t, got, matching(all, caller, status))
				}
			}
		}
		if got := ask(t, nodes[0], Question{}).Callers; len(got) != 8 || got[0].Name == "" {
			t.Errorf("callers: %+v", got)
		}
	})
}

func matching(all []*Event, caller, status string) (found []*Event) {
	for _, e := range all {
		name := callerName(e.caller())
		if (caller == "" || caller == name) && (status == "" || classNames[classOf(e.Status)] == status) {
			found = append(found, e)
		}
	}
	return found
}

// compare holds a report to the requests that it is about.
func compare(t *testing.T, got *Report, want []*Event) {
	t.Helper()
	var micros, out int64
	classCount, endpoints, methods, ips := map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]int64{}
	ranges, callers := map[int]int64{}, map[string]bool{}
	latencies := []float64{}
	for _, e := range want {
		micros += e.Latency.Microseconds()
		out += e.BytesOut
		classCount[classNames[classOf(e.Status)]]++
		methods[e.Method]++
		ips[e.IP.String()]++
		ranges[rangeOf(e.Latency)]++
		if name := callerName(e.caller()); name != Anonymous {
			callers[name] = true
		}
		latencies = append(latencies, float64(e.Latency)/float64(time.Millisecond))
	}
	k := got.KPIs
	for name, pair := range map[string][2]int64{
		"total": {k.TotalRequests, int64(len(want))}, "4xx": {k.ClientErrors, classCount["4xx"]}, "5xx": {k.ServerErrors, classCount["5xx"]},
		"429": {k.RateLimited, classCount["429"]}, "bytes": {k.BytesOut, out}, "ips": {k.DistinctIPs, int64(len(ips))},
		"callers": {k.ActiveCallers, int64(len(callers))},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%+v %s: %s is %d, want %d", got.Filters, got.Range, name, pair[0], pair[1])
		}
	}
	for name, n := range got.StatusClasses {
		if n != classCount[name] {
			t.Errorf("%+v: %s %d, want %d", got.Filters, name, n, classCount[name])
		}
	}
	for _, m := range got.Methods {
		if m.Count != methods[m.Method] {
			t.Errorf("%+v: %+v, want %d", got.Filters, m, methods[m.Method])
		}
	}
	for i, bar := range got.Latency {
		if bar.Count != ranges[i] {
			t.Errorf("%+v: %+v, want %d", got.Filters, bar, ranges[i])
		}
	}
	for _, ip := range got.TopIPs {
		if ip.Count != ips[ip.IP] {
			t.Errorf("%+v: %+v, want %d", got.Filters, ip, ips[ip.IP])
		}
	}
	if len(got.TopIPs) != min(len(ips), topAddresses) {
		t.Errorf("%+v: %d addresses", got.Filters, len(got.TopIPs))
	}
	for _, e := range got.TopEndpoints {
		endpoints[e.Endpoint] = e.Count
	}
	var points, errs int64
	for _, p := range got.Traffic {
		points += p.Total
		errs += p.Errors
	}
	if points != int64(len(want)) || errs != classCount["4xx"]+classCount["5xx"] {
		t.Errorf("%+v: the series has %d requests and %d errors", got.Filters, points, errs)
	}
	if len(got.Traffic) != map[string]int{"24h": 24, "30d": 30, "1y": 365}[got.Range] {
		t.Errorf("%s has %d points", got.Range, len(got.Traffic))
	}
	if len(want) == 0 {
		if k.MeanMS != nil || k.P50MS != nil || k.ErrorRate != nil {
			t.Errorf("figures of nothing: %+v", k)
		}
		return
	}
	if mean := round(float64(micros)/1000/float64(len(want)), 3); *k.MeanMS != mean {
		t.Errorf("mean %v, want %v", *k.MeanMS, mean)
	}
	sort.Float64s(latencies)
	for p, got := range map[float64]*float64{50: k.P50MS, 95: k.P95MS, 99: k.P99MS} {
		exact := latencies[max(int(math.Ceil(p/100*float64(len(latencies))))-1, 0)]
		if off := math.Abs(*got-exact) / exact; off > 0.02 && math.Abs(*got-exact) > 0.001 {
			t.Errorf("p%v is %v, want %v", p, *got, exact)
		}
	}
}

// lostAnswer is a store whose first commit succeeds without its answer getting
// through.
type lostAnswer struct {
	sqldb.DB
	left int
}

func (l *lostAnswer) Write(ctx context.Context, fn func(sqldb.Tx) error) error {
	err := l.DB.Write(ctx, fn)
	if err == nil && l.left > 0 {
		l.left--
		return errors.Join(sqldb.ErrUnavailable, errors.New("connection lost during commit"))
	}
	return err
}

func TestNothingIsAddedTwice(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		r := node(t, db, setting.LogErrors)
		r.db = &lostAnswer{db, 2}
		r.Observe(&Event{Time: testNow, Status: 200, Method: "GET", Route: "/x"})
		for range 2 {
			if err := r.Flush(context.Background()); err == nil {
				t.Fatal("the commit's answer was not lost")
			}
		}
		r.Observe(&Event{Time: testNow, Status: 200, Method: "GET", Route: "/x"})
		flush(t, r)
		if got := ask(t, r, Question{}).KPIs.TotalRequests; got != 2 {
			t.Errorf("%d requests, want 2", got)
		}
	})
}

// TestEndpointsAreFew: made-up models and methods do not make endpoints.
func TestEndpointsAreFew(t *testing.T) {
	db := sqltest.Open(t, "sqlite")
	r := node(t, db, setting.LogErrors)
	send := func(status int, method, route, model string) {
		r.Observe(&Event{Time: testNow, Status: status, Method: method, Route: route, Model: model})
	}
	send(404, "GET", "/api/v1/{model}", "zzz.1")
	send(404, "GET", "/api/v1/{model}", "zzz.2")
	send(200, "GET", "/api/v1/{model}", "res.partner")
	flush(t, r)
	send(404, "GET", "/api/v1/{model}/{id}", "res.partner")
	send(405, "BREW", "", "")
	send(405, "BREW2", "", "")
	send(200, "GET", "/api/v1/products", "product.template")
	got := map[string]int64{}
	for _, e := range ask(t, r, Question{}).SlowestEndpoints {
		got[e.Endpoint] = e.Count
	}
	for name, n := range map[string]int64{
		"GET /api/v1/{model}": 2, "GET /api/v1/{model} res.partner": 1, "GET /api/v1/{model}/{id} res.partner": 1,
		"OTHER (no route)": 2, "GET /api/v1/products": 1,
	} {
		if got[name] != n {
			t.Errorf("%s: %d, want %d", name, got[name], n)
		}
	}
	if len(got) != 5 {
		t.Errorf("endpoints: %v", got)
	}
}

func TestQuestionsAreChecked(t *testing.T) {
	r := node(t, sqltest.Open(t, "sqlite"), setting.LogErrors)
	for q, want := range map[Question]string{
		{Range: "2h"}: "range", {Caller: "key:x"}: "caller", {Caller: "*"}: "caller", {Caller: "user:0"}: "caller",
		{Status: "499"}: "status", {Status: "1xx"}: "status",
	} {
		_, err := r.Report(context.Background(), q)
		if !fault.Is(err, fault.BadRequest) || !strings.Contains(err.Error(), "Parameter "+want) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

func TestHistogram(t *testing.T) {
	for d := time.Duration(4000); d < 2*time.Hour; d += d/97 + 1 {
		if off := math.Abs(float64(middle(bucketOf(d))-d)) / float64(d); off > 0.016 {
			t.Fatalf("%s is kept as %s", d, middle(bucketOf(d)))
		}
	}
	last := -1
	for i := range buckets {
		if got := bucketOf(middle(i)); got != i || got <= last {
			t.Fatalf("bucket %d has its middle in %d", i, got)
		}
		last = i
	}
	a, b, c := &histogram{}, &histogram{}, &histogram{}
	for i := range 1000 {
		a.add(time.Duration(i) * time.Millisecond)
		b.add(time.Duration(i) * time.Microsecond)
	}
	a.add(-time.Second)
	a.add(1 << 62)
	c.addEncoded(a.encode())
	c.addEncoded(b.encode())
	a.merge(b)
	if *a != *c || c.total() != 2002 {
		t.Error("a histogram is not what it was encoded from")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 200, 1, 1})
	f.Fuzz(func(_ *testing.T, in []byte) {
		(&histogram{}).addEncoded(in)
		(&distinct{}).addEncoded(in)
	})
}

func TestDistinct(t *testing.T) {
	sets := []*distinct{{}, {}, {}}
	address := func(i int) netip.Addr {
		return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
	}
	for _, n := range []int{1, 512, 5000, 200_000} {
		for i := range n {
			sets[i%3].add(hashAddress(address(i)))
			sets[(i+1)%3].add(hashAddress(address(i)))
		}
		joined := &distinct{}
		for _, s := range sets {
			joined.addEncoded(s.encode())
		}
		allowed := 0.0
		if n > exactDistinct {
			allowed = 0.05
		}
		if off := math.Abs(float64(joined.count())-float64(n)) / float64(n); off > allowed {
			t.Errorf("%d addresses count as %d", n, joined.count())
		}
	}
}

func TestHealth(t *testing.T) {
	ms := func(x float64) *float64 { return &x }
	for _, test := range []struct {
		total, client, server int64
		p95                   *float64
		want                  Health
	}{
		{0, 0, 0, nil, Health{100, "good"}},
		{100, 0, 0, ms(20), Health{100, "good"}},
		{100, 40, 0, ms(20), Health{90, "good"}},
		{100, 0, 5, ms(20), Health{75, "fair"}},
		{100, 0, 0, ms(1000), Health{80, "good"}},
		{100, 0, 12, ms(20), Health{40, "poor"}},
		{100, 50, 50, ms(1e9), Health{0, "poor"}},
	} {
		if got := HealthOf(test.total, test.client, test.server, test.p95); got != test.want {
			t.Errorf("%+v: %+v", test, got)
		}
	}
}

func TestClasses(t *testing.T) {
	for status, want := range map[int]string{101: "2xx", 200: "2xx", 304: "3xx", 404: "4xx", 429: "429", 499: "4xx", 500: "5xx", 599: "5xx"} {
		if got := classNames[classOf(status)]; got != want {
			t.Errorf("%d is %s", status, got)
		}
	}
	if !slices.Contains(classNames[:], "429") {
		t.Error("no 429")
	}
}
