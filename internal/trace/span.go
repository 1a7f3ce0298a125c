package trace

import (
	"strings"
	"time"

	"gatehouse/internal/redact"
)

// Kind is what a span is of, in OTLP's numbers.
type Kind int

// The kinds.
const (
	Server Kind = 2 // a request that was answered here
	Client Kind = 3 // a request that was made
)

// Attr is a fact about a span. Texts are masked (package redact) before they
// leave the process.
type Attr struct {
	Key   string
	text  string
	num   int64
	float float64
	kind  attrKind
}

type attrKind uint8

const (
	isText attrKind = iota
	isID
	isInt
	isFloat
)

// Text is a fact in words; an empty one is left out. Of one that is very long,
// which callers can bring about, the beginning is kept, so that the queue stays
// small. It is masked before it is cut: half a secret cannot be told for one.
func Text(key, value string) Attr {
	if len(value) > 2*maxValue {
		value = strings.Clone(cut(redact.Text(value)))
	}
	return Attr{Key: key, text: value}
}

// Ident is an identifier, which is masked only where it can be nothing but a
// credential; an empty one is left out.
func Ident(key, value string) Attr { return Attr{Key: key, text: value, kind: isID} }

// Int is a whole number.
func Int(key string, value int64) Attr { return Attr{Key: key, num: value, kind: isInt} }

// Float is a number.
func Float(key string, value float64) Attr { return Attr{Key: key, float: value, kind: isFloat} }

// Event is something that happened at a moment of a span.
type Event struct {
	Name  string
	At    time.Time
	Attrs []Attr
}

// Span is a piece of work that has ended. Who has recorded it leaves it alone.
type Span struct {
	Place
	Name       string
	Kind       Kind
	Start, End time.Time
	Attrs      []Attr
	Events     []Event
	Failed     bool
	Why        string // it failed; may be empty
}
