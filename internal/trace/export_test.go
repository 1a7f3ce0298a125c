package trace

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// collector is the far side: it keeps what arrives, in OTLP's own words.
type collector struct {
	*httptest.Server
	mu      sync.Mutex
	headers []http.Header
	bodies  []string
	spans   []map[string]any
	arrived chan struct{} // after each request
}

// collect starts a collector. answer is asked with the number of each request,
// from 1; nil takes all.
func collect(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) *collector {
	t.Helper()
	c := &collector{arrived: make(chan struct{}, 100)}
	n := 0
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(bytes.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			if body, err = io.ReadAll(z); err != nil {
				t.Error(err)
			}
		}
		c.mu.Lock()
		n++
		at := n
		c.headers, c.bodies = append(c.headers, r.Header), append(c.bodies, string(body))
		c.spans = append(c.spans, decode(t, body)...)
		c.mu.Unlock()
		if answer != nil {
			answer(at, w, r)
		}
		c.arrived <- struct{}{}
	}))
	t.Cleanup(c.Close)
	return c
}

// decode finds the spans of a request.
func decode(t *testing.T, body []byte) (spans []map[string]any) {
	var request struct {
		ResourceSpans []struct {
			Resource   map[string]any `json:"resource"`
			ScopeSpans []struct {
				Scope map[string]any   `json:"scope"`
				Spans []map[string]any `json:"spans"`
			} `json:"scopeSpans"`
		} `json:"resourceSpans"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&request); err != nil {
		t.Errorf("%s: %v", body, err)
	}
	for _, r := range request.ResourceSpans {
		for _, s := range r.ScopeSpans {
			spans = append(spans, s.Spans...)
		}
	}
	return spans
}

func open(t *testing.T, o Options) *Tracer {
	t.Helper()
	o.Sampler = Sampler{Ratio: 1}
	if o.Pause == 0 {
		o.Pause = time.Millisecond
	}
	tracer, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tracer.Close(context.Background()) })
	return tracer
}

func (t *Tracer) record(name string, attrs ...Attr) *Span {
	at := time.Unix(1_700_000_000, 5).UTC()
	s := &Span{Place: t.root(), Name: name, Kind: Server, Start: at, End: at.Add(time.Millisecond), Attrs: attrs}
	t.Record(s)
	return s
}

func TestEncoding(t *testing.T) {
	for _, zip := range []bool{false, true} {
		c := collect(t, nil)
		tracer := open(t, Options{
			URL: TracesURL(c.URL), Gzip: zip, Headers: map[string]string{"X-Tenant": "7"}, Version: "1.2",
			Resource: map[string]string{"service.name": "gate"},
		})
		s := tracer.record("GET /api/v1/{model}", Text("a", "x"), Text("empty", ""), Int("n", 1<<60), Float("f", 0.5))
		s.Events = []Event{{"handle", s.Start, []Attr{Float("ms", 2)}}}
		s.Parent, s.Remote, s.Failed, s.State = SpanID{7: 9}, true, true, "k=v"
		tracer.Close(t.Context())
		want := `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"gate"}}]},` +
			`"scopeSpans":[{"scope":{"name":"gatehouse","version":"1.2"},"spans":[{"traceId":"` + s.Trace.String() + `","spanId":"` + s.Span.String() +
			`","parentSpanId":"0000000000000009","traceState":"k=v","flags":769,"name":"GET /api/v1/{model}","kind":2,` +
			`"startTimeUnixNano":"1700000000000000005","endTimeUnixNano":"1700000000001000005","attributes":[{"key":"a","value":{"stringValue":"x"}},` +
			`{"key":"n","value":{"intValue":"1152921504606846976"}},{"key":"f","value":{"doubleValue":0.5}}],` +
			`"events":[{"timeUnixNano":"1700000000000000005","name":"handle","attributes":[{"key":"ms","value":{"doubleValue":2}}]}],"status":{"code":2}}]}]}]}`
		if len(c.bodies) != 1 || c.bodies[0] != want {
			t.Errorf("gzip %v: sent\n%v\nwant\n%s", zip, c.bodies, want)
		}
		if h := c.headers[0]; h.Get("Content-Type") != "application/json" || h.Get("X-Tenant") != "7" || h.Get("Traceparent") != "" {
			t.Errorf("headers %v", h)
		}
		if s := tracer.Stats(); s != (Stats{Sent: 1}) {
			t.Errorf("%+v", s)
		}
	}
}

// No text leaves the process unmasked, whoever put it in.
func TestSecretsStay(t *testing.T) {
	const token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
	c := collect(t, nil)
	tracer := open(t, Options{URL: c.URL})
	long := strings.Repeat("z ", maxValue) + token
	s := tracer.record("GET /"+token, Text("path", "/x/"+token), Ident("id", token), Text("long", long),
		Text("edge", strings.Repeat("y ", maxValue/2-10)+token), Text("not UTF-8", "\xff\xfe"))
	s.Failed, s.Why = true, "no "+token
	tracer.Close(t.Context())
	if len(c.spans) != 1 || len(c.bodies[0]) > 6*maxValue {
		t.Fatalf("%d spans, %d bytes", len(c.spans), len(c.bodies[0]))
	}
	for _, piece := range []string{token, token[:20], token[50:]} {
		if strings.Contains(c.bodies[0], piece) {
			t.Errorf("%s is in %s", piece, c.bodies[0])
		}
	}
}

func TestBatches(t *testing.T) {
	c := collect(t, nil)
	tracer := open(t, Options{URL: c.URL, Batch: 10, Every: time.Hour})
	for range 10 {
		tracer.record("x")
	}
	<-c.arrived // a full batch goes at once
	for range 5 {
		tracer.record("x")
	}
	tracer.Close(t.Context()) // the rest at the end
	if len(c.spans) != 15 || len(c.bodies) < 2 || tracer.Stats() != (Stats{Sent: 15}) {
		t.Errorf("%d spans in %d requests, %+v", len(c.spans), len(c.bodies), tracer.Stats())
	}
	tracer.record("late")
	if s := tracer.Stats(); s.Dropped != 1 {
		t.Errorf("after the end: %+v", s)
	}
	tracer.Close(t.Context()) // once more does no harm
}

func TestEvery(t *testing.T) {
	c := collect(t, nil)
	tracer := open(t, Options{URL: c.URL, Every: time.Millisecond})
	tracer.record("x")
	<-c.arrived
}

func TestRetry(t *testing.T) {
	for _, status := range []int{429, 502, 503, 504} {
		c := collect(t, func(n int, w http.ResponseWriter, _ *http.Request) {
			if n < 3 {
				w.WriteHeader(status)
			}
		})
		tracer := open(t, Options{URL: c.URL, Every: time.Millisecond})
		tracer.record("x")
		for range 3 {
			<-c.arrived
		}
		tracer.Close(t.Context())
		if s := tracer.Stats(); s != (Stats{Sent: 1}) || len(c.bodies) != 3 || c.bodies[0] != c.bodies[2] {
			t.Errorf("%d: %+v after %d requests", status, s, len(c.bodies))
		}
	}
	for _, status := range []int{301, 400, 401, 404, 413, 500} {
		c := collect(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
		tracer := open(t, Options{URL: c.URL, Every: time.Millisecond})
		tracer.record("x")
		<-c.arrived
		tracer.Close(t.Context())
		if s := tracer.Stats(); s != (Stats{Dropped: 1}) || len(c.bodies) != 1 {
			t.Errorf("%d: %+v after %d requests", status, s, len(c.bodies))
		}
	}
}

// A collector that never takes anything gets five attempts, and then the next batch.
func TestRetryEnds(t *testing.T) {
	c := collect(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n <= maxAttempts {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	tracer := open(t, Options{URL: c.URL, Every: time.Millisecond, Batch: 1})
	tracer.record("lost")
	tracer.record("kept")
	for range maxAttempts + 1 {
		<-c.arrived
	}
	tracer.Close(t.Context())
	if s := tracer.Stats(); s != (Stats{Sent: 1, Dropped: 1}) {
		t.Errorf("%+v", s)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-3": 0, "999999": maxPause, "x": 0,
		now.Add(9 * time.Second).Format(http.TimeFormat): 9 * time.Second, now.Add(-time.Hour).Format(http.TimeFormat): 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	asked := collect(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	tracer := open(t, Options{URL: asked.URL, Every: time.Millisecond})
	began := time.Now()
	tracer.record("x")
	<-asked.arrived
	<-asked.arrived
	if took := time.Since(began); took < time.Second {
		t.Errorf("it came again after %v", took)
	}
}

func TestPartialSuccess(t *testing.T) {
	for _, rejected := range []string{`"2"`, `2`} {
		c := collect(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"partialSuccess":{"rejectedSpans":`+rejected+`,"errorMessage":"too old"}}`)
		})
		tracer := open(t, Options{URL: c.URL})
		for range 3 {
			tracer.record("x")
		}
		tracer.Close(t.Context())
		if s := tracer.Stats(); s != (Stats{Sent: 1, Dropped: 2}) {
			t.Errorf("%s: %+v", rejected, s)
		}
	}
}

// A collector that hangs holds nobody up: what finds no room is dropped and
// counted, and the end waits no longer than it is told to.
func TestSlowCollector(t *testing.T) {
	release := make(chan struct{})
	inside := make(chan struct{}, 10)
	c := collect(t, func(_ int, _ http.ResponseWriter, r *http.Request) {
		inside <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	tracer := open(t, Options{URL: c.URL, Queue: 4, Batch: 1})
	tracer.record("in hand")
	<-inside
	began := time.Now()
	for range 1000 {
		tracer.record("x")
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("1000 spans took %v", took)
	}
	if s := tracer.Stats(); s != (Stats{Dropped: 996, Queued: 4}) {
		t.Errorf("%+v", s)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began = time.Now()
	tracer.Close(ctx)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the end took %v", took)
	}
	if s := tracer.Stats(); s != (Stats{Dropped: 1001}) {
		t.Errorf("at the end %+v", s)
	}
}

// A collector that is down is told of, without the address or a credential.
func TestDeadCollector(t *testing.T) {
	c := collect(t, nil)
	address := c.URL
	c.Close()
	var log bytes.Buffer
	tracer := open(t, Options{
		URL: address + "/hunter2", Headers: map[string]string{"Authorization": "hunter3"}, Every: time.Millisecond,
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	tracer.record("x")
	tracer.Close(t.Context())
	if s := tracer.Stats(); s != (Stats{Dropped: 1}) {
		t.Errorf("%+v", s)
	}
	if text := log.String(); !strings.Contains(text, "could not be sent") || !strings.Contains(text, "refused") || strings.Contains(text, "hunter") {
		t.Errorf("logged: %s", text)
	}
}

func TestCall(t *testing.T) {
	c := collect(t, nil)
	tracer := open(t, Options{URL: c.URL})
	parent := tracer.root()
	call := func(ctx context.Context, address string, status int, failure string) http.Header {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		tracer.Call(r, "odoo", Text("gatehouse.model", "res.partner"))(status, failure)
		return r.Header
	}
	sent := call(With(t.Context(), parent), "https://erp.example.com/json/2?key=hunter2", 503, "")
	call(t.Context(), "http://h:81/", 0, "timeout")
	call(t.Context(), "http://h:81/", 200, "")
	parent.Sampled = false
	if h := call(With(t.Context(), parent), "http://h/", 200, ""); !strings.HasSuffix(h.Get("Traceparent"), "-00") || !strings.Contains(h.Get("Traceparent"), parent.Trace.String()) {
		t.Errorf("not sampled: %v", h)
	}
	tracer.Close(t.Context())
	if len(c.spans) != 3 || strings.Contains(c.bodies[0], "hunter2") {
		t.Fatalf("%v", c.bodies)
	}
	first := c.spans[0]
	if first["traceId"] != parent.Trace.String() || first["parentSpanId"] != parent.Span.String() || first["kind"] != 3.0 ||
		sent.Get("Traceparent") != "00-"+parent.Trace.String()+"-"+first["spanId"].(string)+"-01" {
		t.Errorf("%v, sent %v", first, sent)
	}
	for i, want := range []string{
		`map[error.type:503 gatehouse.model:res.partner http.request.method:POST http.response.status_code:503 server.address:erp.example.com server.port:443 url.scheme:https] map[code:2]`,
		`map[error.type:timeout gatehouse.model:res.partner http.request.method:POST server.address:h server.port:81 url.scheme:http] map[code:2]`,
		`map[gatehouse.model:res.partner http.request.method:POST http.response.status_code:200 server.address:h server.port:81 url.scheme:http] map[]`,
	} {
		if got := facts(c.spans[i]); got != want {
			t.Errorf("span %d: %s, want %s", i, got, want)
		}
	}
	if _, has := c.spans[1]["parentSpanId"]; has {
		t.Error("a call outside of any trace has a parent")
	}
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []Options{
		{URL: ""},
		{URL: "ftp://c"},
		{URL: "http://u:hunter2@c"},
		{URL: "http://hunter2:4317"},
		{URL: "http://c", Headers: map[string]string{"a b": "hunter2"}},
		{URL: "http://c", Headers: map[string]string{"a": "hunter2\n"}},
	} {
		if _, err := New(o); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	e, err := newExporter(Options{URL: "http://127.0.0.1:1"}) // nobody sends: the queue fills, the rest is dropped
	if err != nil {
		b.Fatal(err)
	}
	s := &Span{}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			e.Record(s)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	batch := make([]*Span, 512)
	for i := range batch {
		batch[i] = &Span{Place: Place{Trace: newID(), Span: newSpanID(), Sampled: true}, Name: "GET /api/v1/{model}/{id}", Kind: Server}
		for range 16 {
			batch[i].Attrs = append(batch[i].Attrs, Text("http.request.method", "GET"))
		}
		for range 8 {
			batch[i].Events = append(batch[i].Events, Event{Name: "handle", Attrs: []Attr{Float("gatehouse.duration_ms", 0.25)}})
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := encode(nil, "1", batch); err != nil {
			b.Fatal(err)
		}
	}
}

// facts are attributes and status of a span, to be compared.
func facts(span map[string]any) string {
	attrs := map[string]string{}
	list, _ := span["attributes"].([]any)
	for _, a := range list {
		pair, _ := a.(map[string]any)
		value, _ := pair["value"].(map[string]any)
		for _, v := range value {
			attrs[fmt.Sprint(pair["key"])] = fmt.Sprint(v)
		}
	}
	return fmt.Sprintf("%v %v", attrs, span["status"])
}
