package httpapi

import (
	"context"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"gatehouse/internal/identity"
)

// Event is what there is to know about a finished request. Path, Query and
// UserAgent are as they were sent: of any length, and perhaps not UTF-8.
type Event struct {
	Time      time.Time // when it came in
	RequestID string
	Trace     Trace  // zero where there are no traces
	Proto     string // HTTP/1.1
	Method    string
	Path      string
	Route     string // the pattern that took it, e.g. /api/v1/{model}/{id}; "" for none
	Model     string // "" when it was not about records
	Query     string // as sent; may hold what should not be kept
	// Status is that of the answer. Of other protocols than REST, some of which
	// answer every error with 200, it is the one that REST has for the same.
	Status  int
	Latency time.Duration // until the answer was ready to be sent
	// Steps is how long each step took, by its number. Those of the log and
	// respond steps come after the event and are not in it.
	Steps     [StepCount]time.Duration
	BytesIn   int64
	BytesOut  int64
	IP        netip.Addr
	UserAgent string
	Header    http.Header // of the request
	// The bodies, as they were sent and will be. They are memory that is used
	// again: they hold only until the observer returns.
	RequestBody, ResponseBody []byte

	UserID       int64 // 0: not identified
	Login        string
	Credential   identity.CredentialKind
	CredentialID int64
	LogLevel     string // of the user's profile; "" is the global one

	ErrorType    string // "" for an answer without error
	ErrorMessage string
	Cause        error  // the private cause of the error
	Stack        string // of a panic
}

// Trace is the place of a request in a distributed trace, in the words of W3C
// Trace Context.
type Trace struct {
	ID           [16]byte
	Span, Parent [8]byte // Parent is that of the caller; zero: the trace begins here
	Sampled      bool    // the request is to be told of
	State        string  // tracestate, as it came
}

// String is the trace's id in hexadecimal digits; "" for none.
func (t *Trace) String() string {
	if t.ID == [16]byte{} {
		return ""
	}
	return hex.EncodeToString(t.ID[:])
}

// Observer learns of every request, once, just before its answer is sent, or
// when a stream has ended: then Latency goes to there, and a stream that broke
// off has the status of what broke it, though the caller saw 200. It
// must not block. The event is reused: an observer that keeps it keeps a copy.
type Observer interface{ Observe(*Event) }

// StepNames names the steps of a request, in their order.
func StepNames() [StepCount]string {
	var names [StepCount]string
	for i, st := range pipeline() {
		names[i] = st.name
	}
	return names
}

// log completes the event and shows it to the observer. Streams are logged when
// they have ended.
func (s *Server) log(c *call) error {
	if c.streaming() {
		return nil
	}
	c.event.BytesOut, c.event.ResponseBody = int64(len(c.out)), c.out
	if c.r.Method == http.MethodHead {
		c.event.BytesOut = 0
	}
	s.observe(c)
	return nil
}

// observe shows the event to the observer.
func (s *Server) observe(c *call) {
	e := &c.event
	e.Header = c.r.Header
	if c.exchange == nil || e.Status == 0 {
		e.Status = c.status
	}
	if !c.secretBody {
		e.RequestBody = c.body
	}
	if f := c.fault; f != nil {
		e.ErrorType, e.ErrorMessage, e.Cause = f.Kind.String(), f.Message, f.Cause
		if e.Status >= 500 {
			ctx := c.ctx
			if ctx == nil { // it failed before it had one
				ctx = c.r.Context()
			}
			s.deps.Log.LogAttrs(ctx, slog.LevelError, "request failed",
				slog.String("request_id", e.RequestID), slog.String("method", e.Method),
				slog.String("path", e.Path), slog.Int("status", e.Status),
				slog.String("error", f.Error()), slog.String("stack", e.Stack))
		}
	}
	if (e.Status == http.StatusUnauthorized || e.Status == http.StatusTooManyRequests) && c.route.Limiting == Counted {
		s.deps.Blocks.Violation(c.ip, e.Time)
	}
	e.Latency = time.Since(c.began)
	s.deps.Observer.Observe(e)
}

// LogObserver writes a line for every request to a structured log.
type LogObserver struct{ Log *slog.Logger }

// Observe writes the line.
func (o LogObserver) Observe(e *Event) {
	ctx := context.Background()
	if !o.Log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	attrs := make([]slog.Attr, 0, 12)
	attrs = append(attrs,
		slog.String("request_id", e.RequestID), slog.String("method", e.Method),
		slog.String("path", e.Path), slog.Int("status", e.Status),
		slog.Duration("latency", e.Latency), slog.String("ip", e.IP.String()))
	if e.Login != "" {
		attrs = append(attrs, slog.String("user", e.Login), slog.String("credential", string(e.Credential)))
	}
	if e.ErrorType != "" {
		attrs = append(attrs, slog.String("error", e.ErrorMessage))
	}
	o.Log.LogAttrs(ctx, slog.LevelInfo, "request", attrs...)
}

// noObserver is for whoever wants none.
type noObserver struct{}

func (noObserver) Observe(*Event) {}
