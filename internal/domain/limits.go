package domain

import (
	"math"
	"strings"
	"unicode/utf8"
)

// Limits bounds what a domain may cost. A field that is not positive stands
// for the one of DefaultLimits.
type Limits struct {
	// Bytes is the length of the text; for FromValue, and for what a rule looks
	// up, of all texts in it.
	Bytes int
	// Depth is how deep operators, "any" domains and the steps of a path may
	// nest. Chains of one operator count once: "|", "|", a, b, c is one level.
	Depth int
	// Leaves is the number of conditions on fields, those in "any" domains too.
	Leaves int
	// List is the number of elements of all lists of values together.
	List int
	// Objects lets FromValue take objects as values of conditions, as Odoo does.
	Objects bool
}

// DefaultLimits is what a domain may cost unless somebody says otherwise.
var DefaultLimits = Limits{Bytes: 64 << 10, Depth: 32, Leaves: 500, List: 10_000}

func (l Limits) filled() Limits {
	pick := func(v, standard int) int {
		if v <= 0 {
			return standard
		}
		return min(v, math.MaxInt32/16) // positions and counts are kept in 32 bits
	}
	return Limits{
		Bytes:  pick(l.Bytes, DefaultLimits.Bytes),
		Depth:  pick(l.Depth, DefaultLimits.Depth),
		Leaves: pick(l.Leaves, DefaultLimits.Leaves),
		List:   pick(l.List, DefaultLimits.List),

		Objects: l.Objects,
	}
}

// brackets is how deep brackets may nest: two for each level ("any" costs the
// list and the condition in it), and some for parentheses and nested values.
func (l Limits) brackets() int { return 2*l.Depth + 4 }

// items is how many values a domain may consist of: a condition has four (the
// list and its parts), and may come with operators and a list of its own.
func (l Limits) items() int { return l.List + 8*l.Leaves + 64 }

// checkText refuses what no reader should see: texts that are too long, are
// not UTF-8, or hold a NUL, which no database takes.
func checkText(text string, lim Limits) error {
	if len(text) > lim.Bytes {
		return errorAt(text, lim.Bytes, "the text has %d bytes, more than the %d allowed", len(text), lim.Bytes)
	}
	if bad := badByte(text); bad >= 0 {
		if text[bad] == 0 {
			return errorAt(text, bad, "a NUL character is not allowed")
		}
		return errorAt(text, bad, "the text is not valid UTF-8: byte 0x%02x", text[bad])
	}
	return nil
}

// badByte finds the first NUL or byte that is not UTF-8, -1 if there is none.
func badByte(s string) int {
	nul := strings.IndexByte(s, 0)
	if utf8.ValidString(s) {
		return nul
	}
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == 0 || r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return nul
}
