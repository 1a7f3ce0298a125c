package traffic

import (
	"cmp"
	"context"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MetricsContentType is that of Prometheus' text format.
const MetricsContentType = "text/plain; version=0.0.4; charset=utf-8"

// metricBounds are the upper bounds of the buckets that Prometheus sees.
var metricBounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// metrics are sums since this process started. Labels are the route and not
// the path: nobody can make more of them by asking for what is not there.
type metrics struct {
	requests map[metricKey]int64
	micros   int64
	latency  histogram
	bytesOut int64
}

type metricKey struct {
	method, route string
	class         class
}

func (m *metrics) add(all map[callerKey]*callerTally) {
	if m.requests == nil {
		m.requests = map[metricKey]int64{}
	}
	for _, c := range all {
		for k, n := range c.endpoints {
			for i := range n {
				if n[i].n > 0 {
					m.requests[metricKey{k.method, k.route, classOfIndex(i)}] += n[i].n
				}
				m.micros += n[i].micros
				m.bytesOut += n[i].out
			}
		}
		for _, h := range c.histograms {
			if h != nil {
				m.latency.merge(h)
			}
		}
	}
}

// Metrics are those of this process, in Prometheus' text format.
func (r *Recorder) Metrics(context.Context) (text []byte, contentType string) {
	r.collect()
	var b metricText
	r.mu.Lock()
	m := r.metrics
	m.requests = maps.Clone(m.requests)
	lost := r.lost
	r.mu.Unlock()
	b.head("gatehouse_requests_total", "counter", "Requests by method, route and class of status; 429 is a class of its own.")
	for _, k := range slices.SortedFunc(maps.Keys(m.requests), func(a, b metricKey) int {
		return cmp.Or(strings.Compare(a.route, b.route), strings.Compare(a.method, b.method), cmp.Compare(a.class, b.class))
	}) {
		labels := `{method=` + strconv.Quote(k.method) + `,route=` + strconv.Quote(k.route) + `,status=` + strconv.Quote(classNames[k.class]) + `}`
		b.value("gatehouse_requests_total"+labels, float64(m.requests[k]))
	}
	b.head("gatehouse_request_duration_seconds", "histogram", "Time from the arrival of a request to its answer.")
	total, at := int64(0), 0
	for _, bound := range metricBounds {
		for ; at < buckets && middle(at) <= bound; at++ {
			total += m.latency.counts[at]
		}
		b.value(`gatehouse_request_duration_seconds_bucket{le="`+strconv.FormatFloat(bound.Seconds(), 'g', -1, 64)+`"}`, float64(total))
	}
	b.value(`gatehouse_request_duration_seconds_bucket{le="+Inf"}`, float64(m.latency.total()))
	b.value("gatehouse_request_duration_seconds_sum", float64(m.micros)/1e6)
	b.value("gatehouse_request_duration_seconds_count", float64(m.latency.total()))
	b.one("gatehouse_response_bytes_total", "counter", "Bytes of the answers' bodies.", float64(m.bytesOut))
	b.one("gatehouse_log_written_total", "counter", "Entries of the traffic log that were written.", float64(r.queue.written.Load()))
	b.one("gatehouse_log_dropped_total", "counter", "Entries of the traffic log that found no room or were refused by the store.", float64(r.queue.dropped.Load()))
	b.one("gatehouse_log_queued", "gauge", "Entries of the traffic log that wait to be written.", float64(len(r.queue.entries)))
	b.one("gatehouse_rollup_lost_total", "counter", "Requests that no rollup has because the store was away for too long.", float64(lost))
	b.one("gatehouse_live_watchers", "gauge", "Open live connections.", float64(r.live.watching.Load()))
	if r.more != nil {
		for _, m := range r.more() {
			b.one(m.Name, m.Kind, m.Help, m.Value)
		}
	}
	b.one("go_goroutines", "gauge", "Goroutines.", float64(runtime.NumGoroutine()))
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	b.one("go_memstats_heap_alloc_bytes", "gauge", "Bytes of the heap in use.", float64(mem.HeapAlloc))
	b.one("go_memstats_sys_bytes", "gauge", "Bytes obtained from the system.", float64(mem.Sys))
	b.one("process_start_time_seconds", "gauge", "When the process started, in seconds since 1970.", float64(r.started.Unix()))
	return b.text, MetricsContentType
}

// Metric is a figure of another part of Gatehouse, told to Prometheus: Kind is
// counter or gauge.
type Metric struct {
	Name, Kind, Help string
	Value            float64
}

// metricText is the format being written.
type metricText struct{ text []byte }

func (b *metricText) head(name, kind, help string) {
	b.text = append(b.text, "# HELP "+name+" "+help+"\n# TYPE "+name+" "+kind+"\n"...)
}

func (b *metricText) value(name string, v float64) {
	b.text = append(append(b.text, name...), ' ')
	b.text = append(strconv.AppendFloat(b.text, v, 'g', -1, 64), '\n')
}

func (b *metricText) one(name, kind, help string, v float64) {
	b.head(name, kind, help)
	b.value(name, v)
}
