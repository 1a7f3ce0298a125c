package trace

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/redact"
)

// The shapes of OTLP's JSON encoding (opentelemetry.io/docs/specs/otlp): names
// in lowerCamelCase, ids in hexadecimal digits, 64-bit integers as strings,
// enumerations as numbers.
type (
	otlpRequest struct {
		ResourceSpans []otlpResourceSpans `json:"resourceSpans"`
	}
	otlpResourceSpans struct {
		Resource   otlpResource     `json:"resource"`
		ScopeSpans []otlpScopeSpans `json:"scopeSpans"`
	}
	otlpResource struct {
		Attributes []otlpAttr `json:"attributes"`
	}
	otlpScopeSpans struct {
		Scope otlpScope  `json:"scope"`
		Spans []otlpSpan `json:"spans"`
	}
	otlpScope struct {
		Name    string `json:"name"`
		Version string `json:"version,omitempty"`
	}
	otlpSpan struct {
		TraceID    string      `json:"traceId"`
		SpanID     string      `json:"spanId"`
		ParentID   string      `json:"parentSpanId,omitempty"`
		TraceState string      `json:"traceState,omitempty"`
		Flags      uint32      `json:"flags"`
		Name       string      `json:"name"`
		Kind       Kind        `json:"kind"`
		Start      string      `json:"startTimeUnixNano"`
		End        string      `json:"endTimeUnixNano"`
		Attributes []otlpAttr  `json:"attributes,omitempty"`
		Events     []otlpEvent `json:"events,omitempty"`
		Status     otlpStatus  `json:"status"`
	}
	otlpEvent struct {
		Time       string     `json:"timeUnixNano"`
		Name       string     `json:"name"`
		Attributes []otlpAttr `json:"attributes,omitempty"`
	}
	otlpStatus struct {
		Code    int    `json:"code,omitempty"`
		Message string `json:"message,omitempty"`
	}
	otlpAttr struct {
		Key   string    `json:"key"`
		Value otlpValue `json:"value"`
	}
	otlpValue struct {
		Text  *string  `json:"stringValue,omitempty"`
		Int   *string  `json:"intValue,omitempty"`
		Float *float64 `json:"doubleValue,omitempty"`
	}
	otlpAnswer struct {
		PartialSuccess struct {
			Rejected json.RawMessage `json:"rejectedSpans"` // a string or a number
			Message  string          `json:"errorMessage"`
		} `json:"partialSuccess"`
	}
)

const (
	statusError = 2
	// flagSampled is that of traceparent; of the two others the first says that
	// the second, whether the parent is another program's, is known.
	flagSampled, flagKnown, flagRemote = 1, 0x100, 0x200

	maxValue = 2000 // bytes of a text
)

// encode writes a batch.
func encode(resource []otlpAttr, version string, spans []*Span) ([]byte, error) {
	all := make([]otlpSpan, len(spans))
	for i, s := range spans {
		all[i] = encodeSpan(s)
	}
	return json.Marshal(otlpRequest{[]otlpResourceSpans{{
		Resource:   otlpResource{resource},
		ScopeSpans: []otlpScopeSpans{{Scope: otlpScope{"gatehouse", version}, Spans: all}},
	}}})
}

func encodeSpan(s *Span) otlpSpan {
	o := otlpSpan{
		TraceID: s.Trace.String(), SpanID: s.Span.String(), ParentID: s.Parent.String(), TraceState: redact.Text(s.State),
		Flags: flagKnown, Name: redact.Text(s.Name), Kind: s.Kind, Start: nanos(s.Start), End: nanos(s.End),
		Attributes: encodeAttrs(s.Attrs),
	}
	if s.Sampled {
		o.Flags |= flagSampled
	}
	if s.Remote {
		o.Flags |= flagRemote
	}
	for _, e := range s.Events {
		o.Events = append(o.Events, otlpEvent{nanos(e.At), e.Name, encodeAttrs(e.Attrs)})
	}
	if s.Failed {
		o.Status = otlpStatus{statusError, cut(redact.Text(s.Why))}
	}
	return o
}

func encodeAttrs(attrs []Attr) []otlpAttr {
	out := make([]otlpAttr, 0, len(attrs))
	for _, a := range attrs {
		v := otlpValue{}
		switch a.kind {
		case isText, isID:
			if a.text == "" {
				continue
			}
			text := redact.Strict(a.text)
			if a.kind == isText {
				text = redact.Text(a.text)
			}
			text = cut(text)
			v.Text = &text
		case isInt:
			text := strconv.FormatInt(a.num, 10)
			v.Int = &text
		case isFloat:
			v.Float = &a.float
		}
		out = append(out, otlpAttr{a.Key, v})
	}
	return out
}

// cut shortens a text that was masked before: half a secret is one, too.
func cut(s string) string {
	if len(s) <= maxValue {
		return s
	}
	return strings.ToValidUTF8(s[:maxValue], "") + "…"
}

func nanos(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

// encodeResource writes what is told of this process, in the order of the names.
func encodeResource(attrs map[string]string) []otlpAttr {
	out := make([]otlpAttr, 0, len(attrs))
	for key, value := range attrs {
		out = append(out, otlpAttr{key, otlpValue{Text: &value}})
	}
	slices.SortFunc(out, func(a, b otlpAttr) int { return strings.Compare(a.Key, b.Key) })
	return out
}
