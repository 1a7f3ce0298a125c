// Package trace takes part in distributed traces: it continues the trace that
// a request names, or begins one (W3C Trace Context), and sends spans to an
// OpenTelemetry collector (OTLP over HTTP, in its JSON encoding).
//
// Whoever ends a span never waits: it goes into a bounded queue, from which one
// goroutine sends batches (export.go). What finds no room, or what no collector
// takes, is dropped and counted.
package trace

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strings"
)

// ID is that of a trace. The zero value is none.
type ID [16]byte

// SpanID is that of a span. The zero value is none.
type SpanID [8]byte

// String is the id in hexadecimal digits; "" for none.
func (id ID) String() string {
	if id == (ID{}) {
		return ""
	}
	return hex.EncodeToString(id[:])
}

// String is the id in hexadecimal digits; "" for none.
func (id SpanID) String() string {
	if id == (SpanID{}) {
		return ""
	}
	return hex.EncodeToString(id[:])
}

// Place is where in a trace something happens: the span that it belongs to.
type Place struct {
	Trace   ID
	Span    SpanID
	Parent  SpanID // that the span hangs on; none: it is the first of its trace
	Remote  bool   // the parent is another program's
	Sampled bool   // the span is to be kept
	State   string // tracestate, as it came
}

// child is a new span below this one.
func (p Place) child() Place {
	return Place{Trace: p.Trace, Span: newSpanID(), Parent: p.Span, Sampled: p.Sampled, State: p.State}
}

// Inject writes the headers that tell another program of the place.
func (p Place) Inject(h http.Header) {
	flags := "-00"
	if p.Sampled {
		flags = "-01"
	}
	h["Traceparent"] = []string{"00-" + p.Trace.String() + "-" + p.Span.String() + flags}
	if p.State != "" {
		h["Tracestate"] = []string{p.State}
	}
}

// extract reads the place of whoever sent a request. It is strict, as the
// recommendation asks: what is wrong in any way counts as absent, and a bad
// tracestate is left out alone.
func extract(h http.Header) (Place, bool) {
	lines := h["Traceparent"]
	if len(lines) != 1 {
		return Place{}, false
	}
	p, ok := parseParent(lines[0])
	if ok {
		p.State = parseState(h["Tracestate"])
	}
	return p, ok
}

// parseParent reads a traceparent: version-trace-span-flags. Later versions
// than ours may have more behind another dash.
func parseParent(s string) (p Place, ok bool) {
	const length = 55
	if len(s) < length || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return Place{}, false
	}
	var version, flags [1]byte
	if !lowerHex(version[:], s[:2]) || !lowerHex(p.Trace[:], s[3:35]) || !lowerHex(p.Span[:], s[36:52]) || !lowerHex(flags[:], s[53:55]) {
		return Place{}, false
	}
	switch {
	case version[0] == 0xff || p.Trace == (ID{}) || p.Span == (SpanID{}):
		return Place{}, false
	case len(s) > length && (version[0] == 0 || s[length] != '-'):
		return Place{}, false
	}
	p.Sampled = flags[0]&1 != 0
	return p, true
}

// lowerHex decodes digits; capitals are not allowed.
func lowerHex(into []byte, s string) bool {
	if strings.ContainsAny(s, "ABCDEF") {
		return false
	}
	_, err := hex.Decode(into, []byte(s))
	return err == nil
}

// Bounds of a tracestate.
const (
	maxState   = 512
	maxMembers = 32
)

// parseState checks a tracestate, which is passed on as it is; "": there is
// none, or it is not right.
func parseState(lines []string) string {
	s := strings.Join(lines, ",")
	if len(s) > maxState {
		return ""
	}
	n := 0
	seen := make(map[string]bool, 4)
	for member := range strings.SplitSeq(s, ",") {
		member = strings.Trim(member, " \t")
		if member == "" {
			continue
		}
		key, value, found := strings.Cut(member, "=")
		if n++; n > maxMembers || !found || !stateKey(key) || !stateValue(value) || seen[key] {
			return ""
		}
		seen[key] = true
	}
	if n == 0 {
		return ""
	}
	return s
}

// stateKey says whether a name is one: key, or tenant@system.
func stateKey(key string) bool {
	if key == "" || len(key) > 256 || strings.Count(key, "@") > 1 {
		return false
	}
	if first := key[0]; (first < 'a' || first > 'z') && (first < '0' || first > '9') {
		return false
	}
	return strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789_-*/@") == ""
}

func stateValue(value string) bool {
	if value == "" || len(value) > 256 || strings.HasSuffix(value, " ") {
		return false
	}
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' || r == '=' })
}

// newID is random, so that its digits decide about sampling. It is no secret.
func newID() (id ID) {
	for id == (ID{}) {
		binary.BigEndian.PutUint64(id[:8], rand.Uint64()) //nolint:gosec // not for anything secret
		binary.BigEndian.PutUint64(id[8:], rand.Uint64()) //nolint:gosec // not for anything secret
	}
	return id
}

func newSpanID() (id SpanID) {
	for id == (SpanID{}) {
		binary.BigEndian.PutUint64(id[:], rand.Uint64()) //nolint:gosec // not for anything secret
	}
	return id
}

type contextKey struct{}

// With puts a place into a context.
func With(ctx context.Context, p Place) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From is the place of a context; ok is false where there is none.
func From(ctx context.Context) (p Place, ok bool) {
	p, ok = ctx.Value(contextKey{}).(Place)
	return p, ok
}
