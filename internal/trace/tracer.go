package trace

import (
	"context"
	"encoding/binary"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Sampler says which traces are kept.
type Sampler struct {
	// Ratio of the traces that begin here: 0 none, 1 all.
	Ratio float64
	// Alone ignores what a parent has decided.
	Alone bool
}

// sample decides about a trace. By its id, so that all programs that sample by
// the same ratio keep the same traces.
func (s Sampler) sample(id ID, parent *Place) bool {
	if parent != nil && !s.Alone {
		return parent.Sampled
	}
	switch {
	case s.Ratio >= 1:
		return true
	case s.Ratio <= 0:
		return false
	}
	const digits = 1 << 63
	return float64(binary.BigEndian.Uint64(id[8:])>>1) < s.Ratio*digits
}

// Tracer makes spans and sends them. A nil Tracer is not usable: whoever has
// none asks for none. Safe for concurrent use.
type Tracer struct {
	sampler Sampler
	*exporter
}

// New makes a Tracer that sends until Close. Errors name the option.
func New(o Options) (*Tracer, error) {
	e, err := newExporter(o)
	if err != nil {
		return nil, err
	}
	t := &Tracer{sampler: o.Sampler, exporter: e}
	go e.run()
	return t, nil
}

// Begin gives a request its place: in the trace that its headers name, or in
// a new one.
func (t *Tracer) Begin(h http.Header) Place {
	parent, ok := extract(h)
	if !ok {
		return t.root()
	}
	p := parent.child()
	p.Remote, p.Sampled = true, t.sampler.sample(p.Trace, &parent)
	return p
}

func (t *Tracer) root() Place {
	id := newID()
	return Place{Trace: id, Span: newSpanID(), Sampled: t.sampler.sample(id, nil)}
}

// Call begins the span of a call that is about to be made: a child of the
// place in the request's context, or a trace of its own. The request's headers
// tell of it. What is returned ends it, with the status of the answer (0:
// none) and, where it failed, a short word for why. attrs are added to those
// that every call has. Neither the path nor the query is told: there may be
// secrets in the addresses of webhooks.
func (t *Tracer) Call(r *http.Request, name string, attrs ...Attr) (end func(status int, failure string)) {
	place := t.under(r.Context())
	place.Inject(r.Header)
	if !place.Sampled {
		return func(int, string) {}
	}
	s := &Span{Place: place, Name: name, Kind: Client, Start: time.Now()}
	s.Attrs = append(append(make([]Attr, 0, len(attrs)+6), attrs...),
		Text("http.request.method", r.Method), Text("url.scheme", r.URL.Scheme),
		Text("server.address", r.URL.Hostname()), Int("server.port", port(r.URL)))
	return func(status int, failure string) {
		if status != 0 {
			s.Attrs = append(s.Attrs, Int("http.response.status_code", int64(status)))
		}
		if failure == "" && status >= http.StatusBadRequest {
			failure = strconv.Itoa(status)
		}
		if failure != "" {
			s.Failed = true
			s.Attrs = append(s.Attrs, Text("error.type", failure))
		}
		s.End = time.Now()
		t.Record(s)
	}
}

// under is a new span below that of a context.
func (t *Tracer) under(ctx context.Context) Place {
	if parent, ok := From(ctx); ok {
		return parent.child()
	}
	return t.root()
}

func port(u *url.URL) int64 {
	if n, err := strconv.ParseInt(u.Port(), 10, 32); err == nil {
		return n
	}
	if u.Scheme == "https" {
		return 443
	}
	return 80
}
