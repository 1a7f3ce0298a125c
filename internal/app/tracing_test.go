package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/config"
	"gatehouse/internal/httpapi"
	"gatehouse/internal/trace"
)

// collectorKey is the credential for collectors.
const collectorKey = "Collector-Key-0815"

// collector is an OpenTelemetry collector that keeps what it gets.
type collector struct {
	*httptest.Server
	mu      sync.Mutex
	bodies  strings.Builder
	spans   []span
	headers http.Header // of the last request
}

// span is one as OTLP has it, its attributes as a map.
type span struct {
	TraceID, SpanID, ParentSpanID, Name, TraceState string
	Kind, Flags                                     int
	StartTimeUnixNano, EndTimeUnixNano              int64 `json:",string"`
	Attributes                                      attrs
	Events                                          []struct {
		Name       string
		Attributes attrs
	}
	Status struct{ Code int }
}

type attrs map[string]any

func (a *attrs) UnmarshalJSON(text []byte) error {
	var list []struct {
		Key   string
		Value map[string]any
	}
	err := json.Unmarshal(text, &list)
	*a = attrs{}
	for _, pair := range list {
		for _, v := range pair.Value {
			(*a)[pair.Key] = v
		}
	}
	return err
}

func collect(t *testing.T) *collector {
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var got struct {
			ResourceSpans []struct{ ScopeSpans []struct{ Spans []span } }
		}
		if err = errors.Join(err, json.Unmarshal(body, &got)); err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s got %s: %v", r.URL.Path, body, err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.headers = r.Header
		c.bodies.Write(body)
		for _, resource := range got.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				c.spans = append(c.spans, scope.Spans...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) all() []span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spans
}

func (c *collector) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bodies.String()
}

// of are the spans of a trace; the tracer is closed for it.
func (c *collector) of(a *App, id string) (found []span) {
	a.tracer.Close(context.Background())
	for _, s := range c.all() {
		if s.TraceID == id {
			found = append(found, s)
		}
	}
	return found
}

const (
	traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	another = "5bf92f3577b34da6a3ce929d0e0e4736"
	parent  = "00f067aa0ba902b7"
)

func openTraced(t *testing.T, change func(*config.Config)) (*gate, *collector) {
	t.Helper()
	c := collect(t)
	return openGate(t, "sqlite", func(cfg *config.Config) {
		cfg.Trace = config.Trace{Endpoint: config.PublicURL(c.URL), Service: "gate", Headers: "X-Collector-Key=" + collectorKey}
		if change != nil {
			change(cfg)
		}
	}), c
}

func TestTraces(t *testing.T) {
	g, c := openTraced(t, func(cfg *config.Config) { cfg.Server.PublicURL = "https://api.example.com" })
	if err := g.app.Settings.Set(t.Context(), map[string]any{"log_level": "metadata"}); err != nil {
		t.Fatal(err)
	}
	g.send("GET", "/api/v1/res.partner/1?fields=name", "", "Authorization", "Bearer "+g.admin, "Traceparent", "00-"+traceID+"-"+parent+"-01", "Tracestate", "a=1").want(200)
	g.send("GET", "/api/v1/res.partner/2", "", "Authorization", "Bearer "+g.admin, "Traceparent", "00-"+another+"-"+parent+"-00")
	g.send("GET", "/api/v1/res.partner/987654", "", "Authorization", "Bearer "+g.admin, "Traceparent", "00-"+another+"-"+parent+"-01-and-more").want(404)
	g.send("GET", "/healthz", "").want(200)
	if err := g.app.Traffic.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	logged := g.asAdmin("GET", "/api/v1/gateway.log?fields=path,trace_id&domain="+`[["trace_id","=","`+traceID+`"]]`, "").want(200)
	if rows := fmt.Sprint(logged.at("data")); !strings.Contains(rows, "path:/api/v1/res.partner/1 ") {
		t.Errorf("the log has %s", rows)
	}
	metrics, _ := g.app.Traffic.Metrics(t.Context())
	for _, want := range []string{"gatehouse_trace_spans_dropped_total 0\n", "\ngatehouse_trace_spans_sent_total ", "\ngatehouse_trace_spans_queued "} {
		if !strings.Contains(string(metrics), want) {
			t.Errorf("no %q in the metrics", want)
		}
	}

	found := c.of(g.app, traceID)
	if len(found) != 1 {
		t.Fatalf("%d spans: %v", len(found), c.all())
	}
	s := found[0]
	if s.ParentSpanID != parent || s.SpanID == "" || s.Kind != 2 || s.Name != "GET /api/v1/{model}/{id}" || s.TraceState != "a=1" || s.Flags != 0x301 || s.Status.Code != 0 {
		t.Errorf("%+v", s)
	}
	if took := time.Duration(s.EndTimeUnixNano - s.StartTimeUnixNano); took <= 0 || took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	for name, want := range map[string]any{
		"http.request.method": "GET", "http.route": "/api/v1/{model}/{id}", "http.response.status_code": "200", "url.path": "/api/v1/res.partner/1",
		"url.scheme": "https", "client.address": "127.0.0.1", "user_agent.original": "Go-http-client/1.1", "network.protocol.version": "1.1",
		"server.address": "api.example.com", "server.port": "443", "gatehouse.model": "res.partner", "gatehouse.credential": "jwt",
		"gatehouse.user.id": "2", "error.type": nil, "url.query": nil,
	} {
		if got := s.Attributes[name]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	var steps []string
	for _, e := range s.Events {
		if took, _ := e.Attributes["gatehouse.duration_ms"].(float64); took > 0 {
			steps = append(steps, e.Name)
		}
	}
	if got := strings.Join(steps, " "); !strings.HasPrefix(got, "receive identify ") || !strings.Contains(got, "handle format") {
		t.Errorf("steps: %s", got)
	}
	if hidden := c.of(g.app, another); len(hidden) > 0 {
		t.Errorf("not sampled, or a bad parent, and here is %v", hidden)
	}
	refused := false
	for _, s := range c.all() {
		if s.Name == "GET /healthz" {
			t.Error("a probe has a span")
		}
		if s.Attributes["url.path"] == "/api/v1/res.partner/987654" {
			refused = s.ParentSpanID == "" && s.Status.Code == 0 && s.Attributes["gatehouse.refusal"] == "not_found" && s.Attributes["error.type"] == nil
		}
	}
	if !refused {
		t.Errorf("the 404 is not right: %v", c.all())
	}
	if c.headers.Get("X-Collector-Key") != collectorKey || !strings.Contains(c.text(), `{"key":"service.name","value":{"stringValue":"gate"}}`) {
		t.Errorf("headers %v", c.headers)
	}
}

// TestTraceObserver shows it what requests rarely are.
func TestTraceObserver(t *testing.T) {
	c := collect(t)
	tracer, err := trace.New(trace.Options{URL: trace.TracesURL(c.URL)})
	if err != nil {
		t.Fatal(err)
	}
	o := newTraceObserver(tracer, "", []string{"receive"})
	for _, e := range []httpapi.Event{
		{Method: "GET", Route: "/api/v1/{model}", Status: 502, ErrorType: "bad_gateway"},
		{Method: "X-ODD", Path: "/nowhere", Status: 404, IP: netip.MustParseAddr("2001:db8::1"), Proto: "HTTP/2.0"},
		{Method: "GET", Route: "/readyz", Status: 503},
		{Method: "GET", Route: "/readyz", Status: 200},
	} {
		e.Trace = httpapi.Trace{ID: [16]byte{1}, Span: [8]byte{2}, Sampled: true}
		o.Observe(&e)
	}
	tracer.Close(t.Context())
	got := c.all()
	if len(got) != 3 {
		t.Fatalf("%v", got)
	}
	if s := got[0]; s.Status.Code != 2 || s.Attributes["error.type"] != "bad_gateway" || s.Name != "GET /api/v1/{model}" {
		t.Errorf("%+v", s)
	}
	if s := got[1]; s.Name != "HTTP" || s.Attributes["http.request.method"] != "_OTHER" || s.Attributes["http.request.method_original"] != "X-ODD" ||
		s.Attributes["client.address"] != "2001:db8::1" || s.Attributes["network.protocol.version"] != "2" || s.Status.Code != 0 {
		t.Errorf("%+v", s)
	}
	if s := got[2]; s.Attributes["error.type"] != "503" {
		t.Errorf("%+v", s)
	}
}

// TestTraceGoesThroughToTheOdoo: calls to a real Odoo hang below the request
// that they are made for, and tell the Odoo so.
func TestTraceGoesThroughToTheOdoo(t *testing.T) {
	o := openGate(t, "sqlite", nil)
	bare, err := o.app.Handler()
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	told := map[string]bool{} // spans that the Odoo heard of in the trace
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, ok := strings.CutPrefix(r.Header.Get("Traceparent"), "00-"+traceID+"-"); ok {
			mu.Lock()
			told[strings.TrimSuffix(rest, "-01")] = true
			mu.Unlock()
		}
		bare.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	key := o.ownKey(o.admin)
	g, c := openTraced(t, func(cfg *config.Config) {
		cfg.Odoo.URL, cfg.Odoo.Login, cfg.Odoo.Key = config.PublicURL(server.URL), "admin", config.Secret(key)
	})
	if err := g.app.AttachOdoo(t.Context(), "admin", OdooKey{"admin", key}); err != nil {
		t.Fatal(err)
	}
	g.send("GET", "/api/v1/res.partner/1", "", "Authorization", "Bearer "+g.admin, "Traceparent", "00-"+traceID+"-"+parent+"-01").want(200)
	var request span
	calls := map[string]span{}
	for _, s := range c.of(g.app, traceID) {
		if s.Kind == 2 {
			request = s
		} else {
			calls[s.SpanID] = s
		}
	}
	if request.ParentSpanID != parent || len(calls) == 0 {
		t.Fatalf("request %+v, calls %v", request, calls)
	}
	for id, s := range calls {
		if s.ParentSpanID != request.SpanID || s.Kind != 3 || !strings.HasPrefix(s.Name, "odoo ") || !told[id] ||
			s.Attributes["gatehouse.method"] == "" || s.Attributes["http.response.status_code"] != "200" {
			t.Errorf("%+v, told %v", s, told)
		}
	}
	if strings.Contains(c.text(), key) {
		t.Error("the key is in the spans")
	}
}

// TestTraceWebhooks: a delivery is a trace of its own.
func TestTraceWebhooks(t *testing.T) {
	c := collect(t)
	tracer, err := trace.New(trace.Options{URL: trace.TracesURL(c.URL), Sampler: trace.Sampler{Ratio: 1}})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "https://hooks.example.com/secret-path", nil)
	traceWebhooks(tracer)(r, "evt_1")(500, "")
	tracer.Close(t.Context())
	got := c.all()
	if len(got) != 1 || got[0].Name != "webhook" || got[0].Attributes["gatehouse.webhook.event"] != "evt_1" || got[0].ParentSpanID != "" ||
		r.Header.Get("Traceparent") != "00-"+got[0].TraceID+"-"+got[0].SpanID+"-01" || strings.Contains(c.text(), "secret-path") {
		t.Errorf("%+v, sent %v", got, r.Header)
	}
}

func TestOpenTracer(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	cfg := config.Default()
	if tracer, err := openTracer(cfg, "1", log); tracer != nil || err != nil {
		t.Errorf("nobody asked for it: %v %v", tracer, err)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	tracer, err := openTracer(cfg, "1", log)
	if tracer == nil || err != nil {
		t.Fatalf("the standard variable is set: %v %v", tracer, err)
	}
	tracer.Close(t.Context())
	cfg.Trace.Headers = "hunter2"
	if _, err := openTracer(cfg, "1", log); err == nil || !strings.Contains(err.Error(), "trace-headers") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("headers that are none: %v", err)
	}
	cfg.Trace.Headers = ""
	cfg.Trace.Endpoint = "http://127.0.0.1:4317"
	if _, err := openTracer(cfg, "1", log); err == nil || !strings.Contains(err.Error(), "4318") {
		t.Errorf("gRPC's port: %v", err)
	}
	t.Setenv("OTEL_SDK_DISABLED", "true")
	if tracer, err := openTracer(cfg, "1", log); tracer != nil || err != nil {
		t.Errorf("turned off: %v %v", tracer, err)
	}
}

// BenchmarkTraced is what a request costs more where traces are on.
func BenchmarkTraced(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	b.Cleanup(server.Close)
	tracer, err := trace.New(trace.Options{URL: server.URL})
	if err != nil {
		b.Fatal(err)
	}
	names := httpapi.StepNames()
	begin, o := traceRequests(tracer), newTraceObserver(tracer, "", names[:])
	for _, parent := range []string{"00-" + traceID + "-" + parent + "-00", "00-" + traceID + "-" + parent + "-01"} {
		h := http.Header{"Traceparent": {parent}}
		b.Run(parent[len(parent)-2:], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e := httpapi.Event{Method: "GET", Route: "/api/v1/{model}/{id}", Path: "/api/v1/res.partner/1", Status: 200, RequestID: "abc", UserAgent: "curl/8", UserID: 2}
				for i := range e.Steps {
					e.Steps[i] = time.Microsecond
				}
				_, e.Trace = begin(b.Context(), h)
				o.Observe(&e)
			}
		})
	}
	tracer.Close(b.Context())
	b.Logf("%+v", tracer.Stats())
}
