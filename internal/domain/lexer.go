package domain

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tEnd tokenKind = iota
	tText
	tInt
	tFloat
	tName
	tMark // brackets, operators and every other character
)

// token is the smallest piece of a text that means something.
type token struct {
	s    string // a text without quotes and escapes, a name, a mark
	num  uint64 // tInt: the number without sign, at most 1<<63; tFloat: its bits
	pos  int
	kind tokenKind
}

// lexer cuts a text into tokens. It reads both syntaxes, JSON and Python
// literals: they agree on all but one escape (see slash).
type lexer struct {
	text string
	off  int // where to look for the next token
	tok  token
	rule bool // the text is a Python expression, what is refused is Unsupported
	json int8 // whether the text is JSON: 0 not yet asked, 1 yes, -1 no
}

// advance puts the next token in l.tok.
func (l *lexer) advance() error {
	l.skipBlank()
	l.tok = token{pos: l.off}
	if l.off >= len(l.text) {
		return nil
	}
	switch c := l.text[l.off]; {
	case c == '\'' || c == '"':
		return l.quoted(l.off, false)
	case isDigit(c), c == '.' && l.off+1 < len(l.text) && isDigit(l.text[l.off+1]):
		return l.number()
	case isNameByte(c):
		return l.name()
	}
	l.mark()
	return nil
}

// is says whether the token is that mark.
func (l *lexer) is(mark string) bool { return l.tok.kind == tMark && l.tok.s == mark }

// word says whether the token is that name.
func (l *lexer) word(name string) bool { return l.tok.kind == tName && l.tok.s == name }

func (l *lexer) skipBlank() {
	for l.off < len(l.text) {
		switch c := l.text[l.off]; {
		case c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f':
			l.off++
		case c == '#':
			for l.off < len(l.text) && l.text[l.off] != '\n' {
				l.off++
			}
		case c == '\\' && l.off+1 < len(l.text) && l.text[l.off+1] == '\n':
			l.off += 2 // Python's continued line
		default:
			return
		}
	}
}

// marks of two characters; all others are single.
func (l *lexer) mark() {
	size := 1
	if l.off+1 < len(l.text) {
		switch l.text[l.off : l.off+2] {
		case "==", "!=", "<=", ">=", "<>", "**", "//", "<<", ">>", ":=":
			size = 2
		}
	}
	if size == 1 {
		_, size = utf8.DecodeRuneInString(l.text[l.off:])
	}
	l.tok.kind, l.tok.s = tMark, l.text[l.off:l.off+size]
	l.off += size
}

// name reads an identifier, or the text that it is a prefix of, as in u'x'.
func (l *lexer) name() error {
	start := l.off
	for l.off < len(l.text) && isNameByte(l.text[l.off]) {
		l.off++
	}
	name := l.text[start:l.off]
	if len(name) <= 2 && l.off < len(l.text) && (l.text[l.off] == '\'' || l.text[l.off] == '"') {
		switch name {
		case "u", "U":
			return l.quoted(start, false)
		case "r", "R":
			return l.quoted(start, true)
		case "b", "B", "br", "bR", "Br", "BR", "rb", "rB", "Rb", "RB":
			return l.refuse(start, "a bytes literal", "write the text without the prefix "+quote(name))
		case "f", "F", "fr", "fR", "Fr", "FR", "rf", "rF", "Rf", "RF", "t", "T":
			return l.refuse(start, "a text that is put together (prefix "+quote(name)+")", "write the finished text")
		}
	}
	l.tok.kind, l.tok.s = tName, name
	return nil
}

// refuse answers to what Python has and this language has not.
func (l *lexer) refuse(pos int, what, remedy string) error {
	if l.rule {
		return &Unsupported{Pos: pos, What: what}
	}
	return errorAt(l.text, pos, "%s is not allowed; %s", what, remedy)
}

// found names the token for a message.
func (l *lexer) found() string {
	switch l.tok.kind {
	case tEnd:
		return "the end of the text"
	case tText:
		return "the text " + quote(l.tok.s)
	case tInt, tFloat:
		return quote(l.text[l.tok.pos:l.off])
	default:
		switch l.tok.s {
		case "“", "”", "„", "‘", "’", "«", "»", "`", "´":
			return strconv.Quote(l.tok.s) + " (write plain quotes, ' or \")"
		}
		return quote(l.tok.s)
	}
}

func (l *lexer) fail(format string, args ...any) error {
	return errorAt(l.text, l.tok.pos, format, args...)
}

// isJSON says whether the text as a whole is JSON.
func (l *lexer) isJSON() bool {
	if l.json == 0 {
		l.json = -1
		if json.Valid([]byte(l.text)) {
			l.json = 1
		}
	}
	return l.json > 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || isDigit(c)
}
