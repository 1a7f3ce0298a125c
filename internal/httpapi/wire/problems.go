package wire

import (
	"strconv"
	"unicode/utf8"

	"gatehouse/internal/fault"
)

// maxProblems is how many problems of a body are listed.
const maxProblems = 20

// Problems collects what is wrong with the values of a body, so that a caller
// learns it all at once. The first one gives the error its kind and message.
type Problems struct {
	kind    fault.Kind
	message string
	fields  fault.FieldErrors
}

// Add notes a problem with the value at a place, such as "name" or
// "[2].order_lines[0].qty"; what goes on the sentence: "must be a text".
func (p *Problems) Add(kind fault.Kind, place, what string) {
	p.note(kind, place, place+" "+what, what)
}

// Missing notes that a required field is not there.
func (p *Problems) Missing(place string) {
	p.note(fault.BadRequest, place, "Missing required field: "+place, "missing required field")
}

// Unknown notes a field that the model does not have; nearest may be "".
func (p *Problems) Unknown(place, nearest string) {
	message, what := "Unknown field: "+place, "unknown field"
	if nearest != "" {
		message += ". Did you mean " + nearest + "?"
		what += "; did you mean " + nearest + "?"
	}
	p.note(fault.BadRequest, place, message, what)
}

func (p *Problems) note(kind fault.Kind, place, message, what string) {
	if p.fields == nil {
		p.kind, p.message, p.fields = kind, message, fault.FieldErrors{}
	}
	if _, known := p.fields[place]; !known && len(p.fields) < maxProblems {
		p.fields[place] = what
	}
}

// Any says whether anything is wrong.
func (p *Problems) Any() bool { return p.fields != nil }

// Err is the error for what was found, nil for nothing.
func (p *Problems) Err() error {
	if p.fields == nil {
		return nil
	}
	return fault.New(p.kind, p.message).With(p.fields)
}

// Element is the place of an element of a list.
func Element(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// Quote shows a caller his own text: shortened, on one line, in quotes.
func Quote(s string) string {
	const most = 60
	if len(s) > most {
		end := most
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end] + "…"
	}
	return strconv.Quote(s)
}

// Name shows a name that came from a caller in a message: as it is when it
// looks like a name, else quoted and shortened.
func Name(s string) string {
	if s == "" || len(s) > 64 {
		return Quote(s)
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '.' && c != '-' {
			return Quote(s)
		}
	}
	return s
}
