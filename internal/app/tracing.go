package app

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/config"
	"gatehouse/internal/httpapi"
	"gatehouse/internal/trace"
	"gatehouse/internal/traffic"
)

// openTracer makes what sends spans, where settings or OpenTelemetry's own
// variables name a collector; nil: none do.
func openTracer(cfg *config.Config, version string, log *slog.Logger) (*trace.Tracer, error) {
	o, off, warnings := trace.FromEnv(os.Getenv)
	set := &cfg.Trace
	if set.Endpoint != "" {
		o.URL = trace.TracesURL(string(set.Endpoint))
	}
	for _, warning := range warnings {
		log.Warn("traces: " + warning + "; it counts as not set")
	}
	if off || o.URL == "" {
		return nil, nil
	}
	if set.Headers != "" {
		var err error
		if o.Headers, err = trace.ParsePairs(set.Headers.Reveal()); err != nil {
			return nil, fmt.Errorf("%s: trace-headers %w", cfg.Source("trace-headers"), err)
		}
	}
	if ratio, ok := set.Sample.Value(); ok {
		o.Sampler = trace.Sampler{Ratio: ratio}
	}
	resource := map[string]string{
		"service.name": "gatehouse", "service.version": version, "service.instance.id": clock.RandomHex(8),
		"telemetry.sdk.name": "gatehouse", "telemetry.sdk.language": "go", "telemetry.sdk.version": version,
	}
	maps.Copy(resource, o.Resource)
	if set.Service != "" {
		resource["service.name"] = set.Service
	}
	o.Resource, o.Version, o.Log = resource, version, log
	return trace.New(o)
}

// traceRequests gives requests their place in a trace.
func traceRequests(t *trace.Tracer) func(context.Context, http.Header) (context.Context, httpapi.Trace) {
	if t == nil {
		return nil
	}
	return func(ctx context.Context, h http.Header) (context.Context, httpapi.Trace) {
		p := t.Begin(h)
		return trace.With(ctx, p), httpapi.Trace{ID: p.Trace, Span: p.Span, Parent: p.Parent, Sampled: p.Sampled, State: p.State}
	}
}

// traceWebhooks makes a trace of each attempt to deliver an event.
func traceWebhooks(t *trace.Tracer) func(*http.Request, string) func(int, string) {
	if t == nil {
		return nil
	}
	return func(r *http.Request, event string) func(int, string) {
		return t.Call(r, "webhook", trace.Ident("gatehouse.webhook.event", event))
	}
}

// traceOdoo makes spans of the requests to a real Odoo.
func traceOdoo(t *trace.Tracer) func(r *http.Request, model, method string) func(int, string) {
	if t == nil {
		return nil
	}
	return func(r *http.Request, model, method string) func(int, string) {
		name := "odoo"
		if method != "" {
			name += " " + strings.TrimPrefix(model+"."+method, ".")
		}
		return t.Call(r, name, trace.Text("gatehouse.model", model), trace.Text("gatehouse.method", method))
	}
}

// moreMetrics are the figures of other parts than package traffic.
func (a *App) moreMetrics() []traffic.Metric { return append(a.odooMetrics(), a.traceMetrics()...) }

// traceMetrics are what Prometheus hears of the sending of spans.
func (a *App) traceMetrics() []traffic.Metric {
	if a.tracer == nil {
		return nil
	}
	s := a.tracer.Stats()
	return []traffic.Metric{
		{Name: "gatehouse_trace_spans_sent_total", Kind: "counter", Help: "Spans that the collector took.", Value: float64(s.Sent)},
		{Name: "gatehouse_trace_spans_dropped_total", Kind: "counter", Help: "Spans that found no room or that the collector did not take.", Value: float64(s.Dropped)},
		{Name: "gatehouse_trace_spans_queued", Kind: "gauge", Help: "Spans that wait to be sent.", Value: float64(s.Queued)},
	}
}

// traceObserver makes a span of each request that is to be told of.
type traceObserver struct {
	tracer *trace.Tracer
	steps  []string
	scheme string // as callers reach the server
	host   string
	port   int64
}

func newTraceObserver(t *trace.Tracer, publicURL string, steps []string) *traceObserver {
	o := &traceObserver{tracer: t, steps: steps, scheme: "http"}
	if u, err := url.Parse(publicURL); err == nil && u.Host != "" {
		o.scheme, o.host = u.Scheme, u.Hostname()
		if o.port, err = strconv.ParseInt(u.Port(), 10, 32); err != nil {
			o.port = map[string]int64{"http": 80, "https": 443}[u.Scheme]
		}
	}
	return o
}

// Observe implements httpapi.Observer. Probes that are answered well are not
// told of: they come every few seconds and say nothing.
func (o *traceObserver) Observe(e *httpapi.Event) {
	probe := e.Route == "/healthz" || e.Route == "/readyz"
	if !e.Trace.Sampled || probe && e.Status < http.StatusBadRequest {
		return
	}
	t := &e.Trace
	method, name := methodOf(e.Method), methodOf(e.Method)
	if method == "_OTHER" {
		name = "HTTP" // as the convention wants it
	}
	if e.Route != "" {
		name += " " + e.Route
	}
	s := &trace.Span{
		Place: trace.Place{
			Trace: t.ID, Span: t.Span, Parent: t.Parent, Remote: t.Parent != [8]byte{}, Sampled: true, State: t.State,
		},
		Name: name, Kind: trace.Server, Start: e.Time, End: e.Time.Add(e.Latency), Failed: e.Status >= http.StatusInternalServerError,
	}
	s.Attrs = append(make([]trace.Attr, 0, 20),
		trace.Text("http.request.method", method), trace.Text("http.route", e.Route),
		trace.Int("http.response.status_code", int64(e.Status)), trace.Text("url.path", e.Path), trace.Text("url.scheme", o.scheme),
		trace.Text("client.address", e.IP.String()), trace.Text("user_agent.original", e.UserAgent),
		trace.Text("network.protocol.version", protocolVersion(e.Proto)),
		trace.Int("http.request.body.size", e.BytesIn), trace.Int("http.response.body.size", e.BytesOut),
		trace.Ident("gatehouse.request_id", e.RequestID), trace.Text("gatehouse.model", e.Model))
	if method == "_OTHER" {
		s.Attrs = append(s.Attrs, trace.Text("http.request.method_original", e.Method))
	}
	if o.host != "" {
		s.Attrs = append(s.Attrs, trace.Text("server.address", o.host), trace.Int("server.port", o.port))
	}
	if e.UserID != 0 {
		s.Attrs = append(s.Attrs, trace.Text("gatehouse.credential", string(e.Credential)), trace.Int("gatehouse.user.id", e.UserID))
		if e.CredentialID != 0 {
			s.Attrs = append(s.Attrs, trace.Int("gatehouse.credential.id", e.CredentialID))
		}
	}
	switch {
	case s.Failed && e.ErrorType != "":
		s.Attrs = append(s.Attrs, trace.Text("error.type", e.ErrorType))
	case s.Failed:
		s.Attrs = append(s.Attrs, trace.Text("error.type", strconv.Itoa(e.Status)))
	case e.ErrorType != "": // the caller's mistake, not ours: no error of a server's span
		s.Attrs = append(s.Attrs, trace.Text("gatehouse.refusal", e.ErrorType))
	}
	s.Events = o.events(e)
	o.tracer.Record(s)
}

// events are the steps, at the moment when each began. One span with events
// costs a collector a tenth of ten spans.
func (o *traceObserver) events(e *httpapi.Event) []trace.Event {
	events := make([]trace.Event, 0, len(o.steps))
	attrs := make([]trace.Attr, 0, len(o.steps))
	at := e.Time
	for i, took := range e.Steps {
		if took <= 0 {
			continue
		}
		attrs = append(attrs, trace.Float("gatehouse.duration_ms", float64(took)/float64(time.Millisecond)))
		events = append(events, trace.Event{Name: o.steps[i], At: at, Attrs: attrs[len(attrs)-1:]})
		at = at.Add(took)
	}
	return events
}

// methodOf is the method as the convention knows it: callers may send any word.
func methodOf(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodTrace, http.MethodConnect:
		return method
	}
	return "_OTHER"
}

// protocolVersion is that of HTTP: 1.0, 1.1, 2.
func protocolVersion(proto string) string {
	version := strings.TrimPrefix(proto, "HTTP/")
	if version != "1.0" {
		version = strings.TrimSuffix(version, ".0")
	}
	return version
}
