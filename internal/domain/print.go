package domain

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// String prints a tree as a Python literal, one line, the way Odoo writes
// domains: [('name', 'ilike', 'x'), '|', ('a', '=', 1), ('b', '=', False)]. The
// outermost AND is left unwritten. What it gives can be parsed again.
func String(n Node) string { return string(python.domain(nil, n)) }

// JSON prints a tree as JSON text; FromValue and Parse read it back.
func JSON(n Node) []byte { return jsonText.domain(nil, n) }

// style is what differs between the two syntaxes.
type style struct {
	open, close   string // around a condition
	yes, no, none string
	quote         byte
	and, or, not  string
	always, never string // conditions without a field
	escape        func([]byte, rune) []byte
}

var python = style{
	open: "(", close: ")", yes: "True", no: "False", none: "None", quote: '\'',
	and: "'&'", or: "'|'", not: "'!'", always: "(1, '=', 1)", never: "(0, '=', 1)",
	escape: func(b []byte, r rune) []byte { return fmt.Appendf(b, `\x%02x`, r) },
}

var jsonText = style{
	open: "[", close: "]", yes: "true", no: "false", none: "null", quote: '"',
	and: `"&"`, or: `"|"`, not: `"!"`, always: `[1, "=", 1]`, never: `[0, "=", 1]`,
	escape: func(b []byte, r rune) []byte { return fmt.Appendf(b, `\u%04x`, r) },
}

// domain prints n as a list.
func (s *style) domain(b []byte, n Node) []byte {
	b = append(b, '[')
	switch n := n.(type) {
	case Const:
		if !n {
			b = append(b, s.never...)
		}
	case And:
		for i, c := range n {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = s.term(b, c)
		}
	default:
		b = s.term(b, n)
	}
	return append(b, ']')
}

// term prints n in prefix notation.
func (s *style) term(b []byte, n Node) []byte {
	switch n := n.(type) {
	case And:
		return s.chain(b, n, s.and, s.always)
	case Or:
		return s.chain(b, n, s.or, s.never)
	case Not:
		if n.Child != nil {
			b = append(append(b, s.not...), ", "...)
			return s.term(b, n.Child)
		}
	case *Leaf:
		b = append(b, s.open...)
		b = append(s.str(b, n.Path), ", "...)
		b = append(s.str(b, string(n.Op)), ", "...)
		b = s.value(b, n.Value)
		return append(b, s.close...)
	case Const:
		if n {
			return append(b, s.always...)
		}
	}
	return append(b, s.never...)
}

// chain prints n operands after n-1 operators.
func (s *style) chain(b []byte, nodes []Node, op, empty string) []byte {
	if len(nodes) == 0 {
		return append(b, empty...)
	}
	for range len(nodes) - 1 {
		b = append(append(b, op...), ", "...)
	}
	for i, c := range nodes {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = s.term(b, c)
	}
	return b
}

func (s *style) value(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, s.none...)
	case bool:
		if v {
			return append(b, s.yes...)
		}
		return append(b, s.no...)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		return append(b, formatFloat(v)...)
	case string:
		return s.str(b, v)
	case Node:
		return s.domain(b, v)
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = s.value(b, e)
		}
		return append(b, ']')
	}
	return s.str(b, fmt.Sprint(v)) // a tree built by hand with a type it must not have
}

func (s *style) str(b []byte, text string) []byte {
	b = append(b, s.quote)
	for _, r := range text {
		switch {
		case r == rune(s.quote) || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r < ' ' || r == 0x7f:
			b = s.escape(b, r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, s.quote)
}

// formatFloat writes the shortest number that reads back as the same float,
// never one that reads back as an integer.
func formatFloat(f float64) string {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return "None" // only in a tree built by hand
	}
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}
