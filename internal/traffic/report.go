package traffic

import (
	"cmp"
	"context"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// Report is every figure and chart of the dashboard.
type Report struct {
	Range       string    `json:"range"`
	From        time.Time `json:"from"`
	To          time.Time `json:"to"`
	Bucket      string    `json:"bucket"`
	GeneratedAt time.Time `json:"generated_at"`
	Filters     Filters   `json:"filters"`
	KPIs        KPIs      `json:"kpis"`

	Traffic          []Point          `json:"traffic"`
	TopEndpoints     []EndpointCount  `json:"top_endpoints"`
	Health           Health           `json:"health"`
	SlowestEndpoints []SlowEndpoint   `json:"slowest_endpoints"`
	TopIPs           []IPCount        `json:"top_ips"`
	Latency          []LabelCount     `json:"latency"`
	Methods          []MethodCount    `json:"methods"`
	WebhookQueue     WebhookQueue     `json:"webhook_queue"`
	StatusClasses    map[string]int64 `json:"status_classes"`
	Callers          []Caller         `json:"callers"`
}

// Filters is what a report is confined to.
type Filters struct {
	Caller string `json:"caller"`
	Status string `json:"status"`
}

// KPIs are the single figures. Rates are percent; null is "no traffic".
type KPIs struct {
	TotalRequests     int64    `json:"total_requests"`
	SuccessRate       *float64 `json:"success_rate"`
	ErrorRate         *float64 `json:"error_rate"`
	ClientErrors      int64    `json:"client_errors"`
	ServerErrors      int64    `json:"server_errors"`
	RateLimited       int64    `json:"rate_limited"`
	MeanMS            *float64 `json:"mean_ms"`
	P50MS             *float64 `json:"p50_ms"`
	P95MS             *float64 `json:"p95_ms"`
	P99MS             *float64 `json:"p99_ms"`
	RequestsPerSecond float64  `json:"requests_per_second"`
	ActiveCallers     int64    `json:"active_callers"`
	DistinctIPs       int64    `json:"distinct_ips"`
	BytesOut          int64    `json:"bytes_out"`
	WebhooksPending   int64    `json:"webhooks_pending"`
	WebhooksDelivered int64    `json:"webhooks_delivered"`
	WebhooksFailed    int64    `json:"webhooks_failed"`
	TokensActive      int64    `json:"tokens_active"`
	ThrottlesActive   int64    `json:"throttles_active"`
	BlockedIPs        int64    `json:"blocked_ips"`
	Health            int      `json:"health"`
}

// The elements of the charts.
type (
	// Point is a bucket of the time series.
	Point struct {
		At          time.Time `json:"at"`
		Total       int64     `json:"total"`
		Errors      int64     `json:"errors"`
		RateLimited int64     `json:"rate_limited"`
	}
	// EndpointCount is how often an endpoint was called.
	EndpointCount struct {
		Endpoint string `json:"endpoint"`
		Count    int64  `json:"count"`
	}
	// SlowEndpoint is how long an endpoint took on average.
	SlowEndpoint struct {
		Endpoint string  `json:"endpoint"`
		MeanMS   float64 `json:"mean_ms"`
		Count    int64   `json:"count"`
	}
	// IPCount is how often an address called.
	IPCount struct {
		IP    string `json:"ip"`
		Count int64  `json:"count"`
	}
	// LabelCount is a bar of the latency histogram.
	LabelCount struct {
		Label string `json:"label"`
		Count int64  `json:"count"`
	}
	// MethodCount is how often a method was used.
	MethodCount struct {
		Method string `json:"method"`
		Count  int64  `json:"count"`
	}
	// WebhookQueue is how many webhook jobs are in which state.
	WebhookQueue struct {
		Pending    int64 `json:"pending"`
		Processing int64 `json:"processing"`
		Failed     int64 `json:"failed"`
		Dead       int64 `json:"dead"`
		Delivered  int64 `json:"delivered"`
	}
	// Caller is somebody who had traffic.
	Caller struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
)

// Counts are figures that other packages know.
type Counts struct {
	Webhooks                                 WebhookQueue
	TokensActive, ThrottlesActive, BlockedIP int64
}

// House is what a report needs of the rest of Gatehouse.
type House interface {
	// Counts reads what is not traffic.
	Counts(ctx context.Context, q sqldb.Querier) (Counts, error)
	// Names gives callers (key:3) their names; those that are gone have none.
	Names(ctx context.Context, q sqldb.Querier, callers []string) (map[string]string, error)
}

// Question is what a report is asked for; empty texts are no filters.
type Question struct{ Range, Caller, Status string }

// span is the time that a report is about: [from, to) in buckets of a level.
type span struct {
	level    level
	from, to int64
	bucket   string
}

var callerShape = regexp.MustCompile(`^(?:anonymous|(?:user|key|client):[1-9][0-9]{0,9})$`)

// parse checks a question. The last bucket is the one that runs.
func (q *Question) parse(now time.Time) (s span, only []class, err error) {
	q.Range = cmp.Or(q.Range, "24h")
	at := now.Unix()
	switch q.Range {
	case "24h":
		s = span{hours, 0, hours.start(at) + 3600, "hour"}
		s.from = s.to - 24*3600
	case "30d":
		s = span{days, 0, days.start(at) + 86400, "day"}
		s.from = s.to - 30*86400
	case "1y":
		s = span{days, 0, days.start(at) + 86400, "day"}
		s.from = moment(s.to).AddDate(-1, 0, 0).Unix()
	default:
		return s, nil, fault.New(fault.BadRequest, "Parameter range must be one of 24h, 30d, 1y")
	}
	if q.Caller != "" && !callerShape.MatchString(q.Caller) {
		return s, nil, fault.New(fault.BadRequest, "Parameter caller must be anonymous, or user, key or client with an id, such as key:3")
	}
	for i, name := range classNames {
		if q.Status == "" || q.Status == name {
			only = append(only, classOfIndex(i))
		}
	}
	if len(only) == 0 {
		return s, nil, fault.New(fault.BadRequest, "Parameter status must be one of "+strings.Join(classNames[:], ", "))
	}
	return s, only, nil
}

// Report answers a question from the rollups, on one snapshot.
func (r *Recorder) Report(ctx context.Context, q Question) (*Report, error) {
	now := r.clock.Now().UTC()
	span, only, err := q.parse(now)
	if err != nil {
		return nil, err
	}
	r.freshen(ctx)
	found := findings{span: span, only: only, caller: cmp.Or(q.Caller, everybody)}
	var counts Counts
	names := map[string]string{}
	err = r.db.Snapshot(ctx, func(s sqldb.Querier) (err error) {
		if err := found.read(ctx, s); err != nil {
			return err
		}
		if counts, err = r.house.Counts(ctx, s); err != nil {
			return err
		}
		names, err = r.house.Names(ctx, s, found.callerIDs())
		return err
	})
	if err != nil {
		return nil, fault.Wrap(err, "read the telemetry")
	}
	out := found.report(names)
	out.Range, out.GeneratedAt, out.Filters = q.Range, now.Truncate(time.Second), Filters{q.Caller, q.Status}
	out.KPIs.RequestsPerSecond = round(r.live.perSecond(), 2)
	out.WebhookQueue = counts.Webhooks
	out.KPIs.WebhooksPending = counts.Webhooks.Pending + counts.Webhooks.Processing
	out.KPIs.WebhooksDelivered = counts.Webhooks.Delivered
	out.KPIs.WebhooksFailed = counts.Webhooks.Failed + counts.Webhooks.Dead
	out.KPIs.TokensActive, out.KPIs.ThrottlesActive, out.KPIs.BlockedIPs = counts.TokensActive, counts.ThrottlesActive, counts.BlockedIP
	return out, nil
}

// report makes charts of what was read.
func (f *findings) report(names map[string]string) *Report {
	out := &Report{
		From: moment(f.span.from), To: moment(f.span.to), Bucket: f.span.bucket,
		Traffic: f.points(), StatusClasses: map[string]int64{}, Callers: []Caller{}, TopIPs: f.ips, Latency: []LabelCount{},
	}
	total := &out.KPIs
	var micros, successes int64
	for _, name := range classNames {
		out.StatusClasses[name] = 0
	}
	for _, class := range f.only {
		n := f.total[class]
		out.StatusClasses[classNames[class]] = n.n
		total.TotalRequests += n.n
		total.BytesOut += n.out
		micros += n.micros
		if class == success || class == redirect {
			successes += n.n
		}
	}
	total.ClientErrors, total.ServerErrors, total.RateLimited = out.StatusClasses["4xx"], out.StatusClasses["5xx"], out.StatusClasses["429"]
	if total.TotalRequests > 0 {
		total.SuccessRate = percent(successes, total.TotalRequests)
		total.ErrorRate = percent(total.ClientErrors+total.ServerErrors, total.TotalRequests)
		total.MeanMS = number(float64(micros) / 1000 / float64(total.TotalRequests))
	}
	total.P50MS, total.P95MS, total.P99MS = f.percentile(50), f.percentile(95), f.percentile(99)
	total.ActiveCallers, total.DistinctIPs = f.activeCallers(), f.sketch.ips.count()
	out.Health = HealthOf(total.TotalRequests, total.ClientErrors, total.ServerErrors, total.P95MS)
	total.Health = out.Health.Score
	for i, label := range [ranges]string{"<10", "10–50", "50–100", "100–500", ">500"} {
		out.Latency = append(out.Latency, LabelCount{label, f.sketch.latency.ranges[i]})
	}
	f.endpointCharts(out)
	for _, c := range f.callers {
		if c.id != Anonymous {
			out.Callers = append(out.Callers, Caller{c.id, cmp.Or(names[c.id], c.id)})
		} else {
			out.Callers = append(out.Callers, Caller{Anonymous, "Anonymous"})
		}
	}
	return out
}

const (
	topEndpoints     = 5
	slowestEndpoints = 10
	topAddresses     = 10
	maxCallers       = 100
)

// endpointCharts are those that the endpoints give.
func (f *findings) endpointCharts(out *Report) {
	out.TopEndpoints, out.SlowestEndpoints, out.Methods = []EndpointCount{}, []SlowEndpoint{}, []MethodCount{}
	methods := map[string]int64{}
	for _, e := range f.endpoints {
		method, _, _ := strings.Cut(e.name, " ")
		methods[method] += e.n
		out.TopEndpoints = append(out.TopEndpoints, EndpointCount{e.name, e.n})
		out.SlowestEndpoints = append(out.SlowestEndpoints, SlowEndpoint{e.name, round(float64(e.micros)/1000/float64(e.n), 3), e.n})
	}
	slices.SortStableFunc(out.TopEndpoints, func(a, b EndpointCount) int { return cmp.Compare(b.Count, a.Count) })
	slices.SortStableFunc(out.SlowestEndpoints, func(a, b SlowEndpoint) int { return cmp.Compare(b.MeanMS, a.MeanMS) })
	out.TopEndpoints = out.TopEndpoints[:min(len(out.TopEndpoints), topEndpoints)]
	out.SlowestEndpoints = out.SlowestEndpoints[:min(len(out.SlowestEndpoints), slowestEndpoints)]
	for method, n := range methods {
		out.Methods = append(out.Methods, MethodCount{method, n})
	}
	slices.SortFunc(out.Methods, func(a, b MethodCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Method, b.Method))
	})
}

// points are all buckets of the span, those without traffic too.
func (f *findings) points() []Point {
	length := lengths[f.span.level]
	all := make([]Point, 0, (f.span.to-f.span.from)/length)
	for at := f.span.from; at < f.span.to; at += length {
		p := Point{At: moment(at)}
		if c := f.series[at]; c != nil {
			for _, class := range f.only {
				n := c[class].n
				p.Total += n
				switch class {
				case clientError, serverError:
					p.Errors += n
				case limited:
					p.RateLimited += n
				default:
				}
			}
		}
		all = append(all, p)
	}
	return all
}

func (f *findings) percentile(p float64) *float64 {
	d, ok := f.sketch.latency.percentile(p)
	if !ok {
		return nil
	}
	return number(float64(d) / float64(time.Millisecond))
}

// activeCallers counts those who are known by a credential.
func (f *findings) activeCallers() (n int64) {
	for _, c := range f.callers {
		if c.id != Anonymous && c.matching > 0 && (f.caller == everybody || f.caller == c.id) {
			n++
		}
	}
	return n + f.moreCallers
}

func percent(part, whole int64) *float64 {
	rounded := round(100*float64(part)/float64(whole), 2)
	return &rounded
}

func number(ms float64) *float64 {
	rounded := round(ms, 3)
	return &rounded
}

func round(x float64, digits int) float64 {
	scale := math.Pow10(digits)
	return math.Round(x*scale) / scale
}
