package domain

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Error says where a domain is wrong, what was expected there and, where there
// is one, the remedy. Nothing in it is private: it may go to the caller.
type Error struct {
	Pos  int    // byte offset in the text, -1 if the domain was not a text
	Near string // the text from Pos on, shortened; with Pos -1 the path, "domain[2][0]"
	Msg  string // what is wrong, without the place
}

// Error gives place and message in one line.
func (e *Error) Error() string {
	switch {
	case e.Pos >= 0:
		return "domain: position " + strconv.Itoa(e.Pos) + ": " + e.Msg
	case e.Near != "":
		return e.Near + ": " + e.Msg
	}
	return "domain: " + e.Msg
}

// Unsupported says that a record rule is Python, but outside the part that is
// understood here. What such a rule allows is not known, so whoever meets one
// must refuse or ask Odoo, never ignore it.
type Unsupported struct { //nolint:errname // reads as what it is: errors.As(err, &unsupported)
	Pos  int    // byte offset in the text of the rule
	What string // the construct, e.g. "a comprehension"
}

// Error gives place and construct in one line.
func (e *Unsupported) Error() string {
	return "record rule: position " + strconv.Itoa(e.Pos) + ": " + e.What + " is not supported"
}

// errorAt makes an Error for a place in a text.
func errorAt(text string, pos int, format string, args ...any) *Error {
	pos = min(max(pos, 0), len(text))
	near := strings.ToValidUTF8(clip(text[pos:]), "\uFFFD")
	return &Error{Pos: pos, Near: near, Msg: fmt.Sprintf(format, args...)}
}

// clip shortens a text to what fits in a message.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	end := most
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// quote writes a text for a message, shortened and on one line.
func quote(s string) string {
	short := clip(s)
	if len(short) < len(s) {
		short += "…"
	}
	return strconv.Quote(short)
}

// near points to a second place in a message.
func near(pos int) string { return " (position " + strconv.Itoa(pos) + ")" }
