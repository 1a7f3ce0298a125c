package traffic

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/setting"
	"gatehouse/internal/sqldb"
)

// ErrHasTraffic is why no invented traffic was written.
var ErrHasTraffic = errors.New("there is traffic already")

const (
	demoDays     = 365
	demoHourDays = 3    // the last days have hours too
	demoLog      = 4000 // entries of the log, in those days
	demoToday    = 24_000
)

// demoEndpoint is an endpoint that invented callers use: how often, and how
// long it usually takes.
type demoEndpoint struct {
	method, route, model string
	weight               float64
	median               time.Duration
}

var demoEndpoints = []demoEndpoint{
	{"GET", "/api/v1/{model}", "res.partner", 14, 9 * time.Millisecond},
	{"GET", "/api/v1/{model}/{id}", "res.partner", 11, 3 * time.Millisecond},
	{"GET", "/api/v1/{model}", "product.template", 9, 12 * time.Millisecond},
	{"GET", "/api/v1/{model}/{id}", "sale.order", 8, 5 * time.Millisecond},
	{"GET", "/api/v1/{model}", "sale.order", 8, 24 * time.Millisecond},
	{"GET", "/api/v1/products", "", 7, 15 * time.Millisecond},
	{"GET", "/api/v1/orders", "", 5, 31 * time.Millisecond},
	{"GET", "/api/v1/customers", "", 5, 11 * time.Millisecond},
	{"GET", "/api/v1/customers/{id}", "", 4, 4 * time.Millisecond},
	{"POST", "/api/v1/orders", "", 4, 68 * time.Millisecond},
	{"POST", "/api/v1/{model}", "res.partner", 3, 27 * time.Millisecond},
	{"PATCH", "/api/v1/{model}/{id}", "res.partner", 3, 21 * time.Millisecond},
	{"PUT", "/api/v1/products/{id}", "", 2, 33 * time.Millisecond},
	{"GET", "/api/v1/{model}", "stock.quant", 3, 41 * time.Millisecond},
	{"GET", "/api/v1/{model}", "stock.picking", 2, 37 * time.Millisecond},
	{"POST", "/api/v1/{model}/{id}/{method}", "sale.order", 1.5, 142 * time.Millisecond},
	{"POST", "/api/v1/{model}/{id}/{method}", "stock.picking", 0.8, 230 * time.Millisecond},
	{"DELETE", "/api/v1/{model}/{id}", "res.partner", 0.5, 19 * time.Millisecond},
	{"DELETE", "/api/v1/products/{id}", "", 0.2, 24 * time.Millisecond},
	{"GET", "/api/v1/ping", "", 6, 400 * time.Microsecond},
	{"POST", "/api/v1/auth/login", "", 1, 96 * time.Millisecond},
	{"POST", "/api/oauth/token", "", 1.2, 88 * time.Millisecond},
}

// demoFault is what an invented request may fail with.
type demoFault struct {
	status        int
	kind, message string
}

var demoFaults = map[class][]demoFault{
	clientError: {
		{400, "bad_request", "Missing required field: name"},
		{400, "bad_request", "Invalid JSON body"},
		{401, "unauthorized", "The token has expired"},
		{403, "forbidden", "Missing scope: write"},
		{404, "not_found", "The record does not exist"},
		{422, "validation_error", "The order has no lines"},
	},
	limited:     {{429, "rate_limit_exceeded", "Rate limit exceeded. Max 60 requests per minute"}},
	serverError: {{500, "internal_error", "Internal server error"}, {503, "service_unavailable", "The store is away"}, {504, "gateway_timeout", "The request took too long"}},
}

// demo invents traffic.
type demo struct {
	*rand.Rand

	now     time.Time
	callers []demoCaller
	rows    [4][][]any // of the rollups' tables
}

type demoCaller struct {
	event  Event // who it is
	weight float64
	ips    []netip.Addr
}

// Demo writes a year of invented traffic, and a log of its last days: once, and
// never over what is there. Callers are those that get it, such as user:2; some
// are made up beside them.
func Demo(ctx context.Context, db sqldb.DB, now time.Time, users, keys, clients []int64) error {
	d := newDemo(now.UTC(), users, keys, clients)
	d.year()
	log := d.log()
	err := db.Write(ctx, func(tx sqldb.Tx) error {
		for _, table := range []string{"gateway_traffic", "gateway_log"} {
			err := tx.Query(ctx, "select 1 from "+table+" limit 1", nil, func(sqldb.Row) error { return ErrHasTraffic })
			if err != nil {
				return err
			}
		}
		totals, endpoints, addresses := tables()
		for i, t := range []table{totals, endpoints, addresses} {
			if _, err := tx.Copy(ctx, t.name, append(slices.Clone(t.keys), t.sums...), d.rows[i]); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
		}
		if _, err := tx.Copy(ctx, "gateway_traffic_sketch", []string{"level", "caller", "at", "class", "latency", "ips"}, d.rows[3]); err != nil {
			return err
		}
		for back := range demoHourDays + 1 {
			if err := makePartition(ctx, tx, now.AddDate(0, 0, -back)); err != nil {
				return err
			}
		}
		_, err := tx.Copy(ctx, "gateway_log", logColumns(), log)
		return err
	})
	if errors.Is(err, ErrHasTraffic) {
		return ErrHasTraffic
	}
	return fault.Wrap(err, "write invented traffic")
}

func newDemo(now time.Time, users, keys, clients []int64) *demo {
	d := &demo{Rand: rand.New(rand.NewPCG(7, 2026)), now: now} //nolint:gosec // invented
	fill := func(ids []int64, n int) []int64 {
		for next := int64(1); len(ids) < n; next++ {
			if !slices.Contains(ids, next) {
				ids = append(ids, next)
			}
		}
		return ids[:min(len(ids), n)]
	}
	add := func(kind string, user, id int64, weight float64, addresses int) {
		c := demoCaller{event: Event{UserID: user, Credential: kind, CredentialID: id}, weight: weight}
		for range addresses {
			c.ips = append(c.ips, netip.AddrFrom4([4]byte{203, 0, 113, byte(1 + d.IntN(250))}))
		}
		d.callers = append(d.callers, c)
	}
	add("", 0, 0, 6, 60)
	for i, id := range fill(keys, 5) {
		add(keyCredential, 2, id, []float64{30, 18, 11, 6, 2}[i], 1+d.IntN(4))
	}
	for i, id := range fill(clients, 3) {
		add(clientCredential, 2, id, []float64{14, 7, 3}[i], 1+d.IntN(3))
	}
	for i, id := range fill(users, 4) {
		add("jwt", id, 0, []float64{4, 3, 2, 1}[i], 2+d.IntN(6))
	}
	return d
}

// year fills the rows: each day by itself, the last ones hour by hour.
func (d *demo) year() {
	today := d.now.Truncate(24 * time.Hour)
	for back := demoDays; back >= 0; back-- {
		day := today.AddDate(0, 0, -back)
		volume := d.volume(day, back)
		into := newDelta()
		if back > demoHourDays {
			d.invent(into, day, volume, d.shares(back), days)
		} else {
			for hour := range 24 {
				at := day.Add(time.Duration(hour) * time.Hour)
				part := min(max(d.now.Sub(at).Hours(), 0), 1)
				d.invent(into, at, volume*profile(hour)*part, d.shares(back), hours, days)
			}
		}
		d.encode(into)
	}
}

// volume is how many requests a day has: more with time, fewer at weekends.
func (d *demo) volume(day time.Time, back int) float64 {
	growth := 0.35 + 0.65*float64(demoDays-back)/demoDays
	if wd := day.Weekday(); wd == time.Saturday || wd == time.Sunday {
		growth *= 0.45
	}
	return demoToday * growth * (0.85 + 0.3*d.Float64())
}

// profile is the part of a day's requests that an hour has.
func profile(hour int) float64 {
	return (0.35 + 0.65*math.Pow(math.Sin(math.Pi*(float64(hour)+1)/25), 2)) / 16.5
}

// shares are the parts of the classes. Some days were bad.
func (d *demo) shares(back int) (s [classes]float64) {
	s = [classes]float64{success: 0.935, redirect: 0.018, clientError: 0.034, serverError: 0.003, limited: 0.010}
	switch {
	case back%61 == 17: // something was broken
		s[serverError] = 0.06
	case back%37 == 11: // somebody ran a loop
		s[limited] = 0.12
	case back%29 == 5:
		s[clientError] = 0.11
	}
	return s
}

// invent adds the requests of a time to a delta.
func (d *demo) invent(into *delta, at time.Time, volume float64, shares [classes]float64, levels ...level) {
	callers, endpoints := 0.0, 0.0
	for i := range d.callers {
		callers += d.callers[i].weight
	}
	for _, e := range demoEndpoints {
		endpoints += e.weight
	}
	for i := range d.callers {
		c := &d.callers[i]
		tally := &callerTally{endpoints: map[endpointKey]*counts{}, ips: map[netip.Addr]*[classes]int64{}}
		for _, e := range demoEndpoints {
			expected := volume * c.weight / callers * e.weight / endpoints
			key := endpointKey{e.method, e.route, e.model}
			for class, share := range shares {
				d.requests(tally, key, e.median, c, classOfIndex(class), d.around(expected*share))
			}
		}
		kind, id := c.event.caller()
		for _, caller := range []string{callerName(kind, id), everybody} {
			into.addLevels(at.Unix(), caller, tally, levels...)
		}
	}
}

// around is a whole number near to an expected one.
func (d *demo) around(expected float64) int64 {
	n := expected * (0.8 + 0.4*d.Float64())
	whole := math.Floor(n)
	if d.Float64() < n-whole {
		whole++
	}
	return int64(whole)
}

// requests adds n requests, of which some stand for all.
func (d *demo) requests(t *callerTally, key endpointKey, median time.Duration, c *demoCaller, class class, n int64) {
	for at := max(n/12, 1); n > 0; n -= at {
		times := min(at, n)
		latency := d.latency(median, class)
		sum := at0(t.endpoints, key)
		sum[class].n += times
		sum[class].micros += times * latency.Microseconds()
		sum[class].out += times * (200 + d.Int64N(6000))
		if t.histograms[class] == nil {
			t.histograms[class] = &histogram{}
		}
		t.histograms[class].counts[bucketOf(latency)] += times
		t.histograms[class].ranges[rangeOf(latency)] += times
		at0(t.ips, c.ips[d.IntN(len(c.ips))])[class] += times
	}
}

// latency is spread as latencies are: many near the median, a few far above.
func (d *demo) latency(median time.Duration, class class) time.Duration {
	if class == limited || class == clientError {
		median = 600 * time.Microsecond
	}
	return time.Duration(float64(median) * math.Exp(d.NormFloat64()*0.7))
}

// encode makes rows of a delta.
func (d *demo) encode(from *delta) {
	for i, rows := range from.rowsOf() {
		d.rows[i] = append(d.rows[i], rows...)
	}
	for _, k := range ordered(from.sketches, sketchBucket.compare) {
		s := from.sketches[k]
		d.rows[3] = append(d.rows[3], append(k.row(), int64(k.class), s.latency.encode(), s.ips.encode()))
	}
}

// log invents entries of the last days, more faults among them than there were.
func (d *demo) log() [][]any {
	times := make([]time.Time, demoLog)
	for i := range times {
		times[i] = d.now.Add(-time.Duration(d.Int64N(int64(demoHourDays * 24 * time.Hour))))
	}
	slices.SortFunc(times, time.Time.Compare)
	rows := make([][]any, demoLog)
	for i, at := range times {
		c, e := &d.callers[d.IntN(len(d.callers))], demoEndpoints[d.IntN(len(demoEndpoints))]
		n := entry{Event: c.event, level: setting.LogMetadata}
		class := [...]class{success, success, success, success, success, redirect, clientError, clientError, limited, serverError}[d.IntN(10)]
		n.Time, n.RequestID, n.Method, n.Route, n.Model = at, clock.RandomHex(12), e.method, e.route, e.model
		n.Path, n.Status, n.IP, n.Latency = d.path(e), http.StatusOK, c.ips[d.IntN(len(c.ips))], d.latency(e.median, class)
		n.BytesOut, n.UserAgent = 200+d.Int64N(6000), []string{"curl/8.14.1", "python-requests/2.32", "Mozilla/5.0", "node"}[d.IntN(4)]
		n.Header = http.Header{"User-Agent": {n.UserAgent}, "Accept": {"application/json"}, "Authorization": {"Bearer x"}}
		if class == redirect {
			n.Status = http.StatusNotModified
		}
		if faults := demoFaults[class]; faults != nil {
			f := faults[d.IntN(len(faults))]
			n.Status, n.ErrorType, n.ErrorMessage = f.status, f.kind, f.message
		}
		n.StepNames = []string{"identify", "limit", "handle", "format"}
		n.Steps = []time.Duration{n.Latency / 20, n.Latency / 10, n.Latency * 8 / 10, n.Latency / 20}
		rows[i] = n.row()
	}
	return rows
}

// path is a path of an endpoint.
func (d *demo) path(e demoEndpoint) string {
	path := e.route
	for from, to := range map[string]string{"{model}": e.model, "{id}": fmt.Sprint(1 + d.IntN(200)), "{method}": "action_confirm"} {
		path = strings.Replace(path, from, to, 1)
	}
	return path
}
