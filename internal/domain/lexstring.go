package domain

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// quoted reads a text literal. start is where it begins for messages (at its
// prefix if it has one), l.off stands on the first quote.
func (l *lexer) quoted(start int, raw bool) error {
	quote := l.text[l.off : l.off+1]
	if rest := l.text[l.off:]; len(rest) >= 3 && rest[1] == quote[0] && rest[2] == quote[0] {
		quote = rest[:3]
	}
	body := l.off + len(quote)
	l.tok.kind, l.tok.pos = tText, start
	if len(quote) == 1 { // nearly always: no escapes, the text is a part of the input
		for i := body; i < len(l.text) && l.text[i] != '\\' && l.text[i] != '\n' && l.text[i] != '\r'; i++ {
			if l.text[i] == quote[0] {
				l.tok.s, l.off = l.text[body:i], i+1
				return nil
			}
		}
	}
	return l.escaped(start, body, quote, raw)
}

// escaped reads the rest of a literal from body on, the long way.
func (l *lexer) escaped(start, body int, quote string, raw bool) error {
	var b strings.Builder
	for i := body; i < len(l.text); {
		switch c := l.text[i]; {
		case c == quote[0] && strings.HasPrefix(l.text[i:], quote):
			l.tok.s, l.off = b.String(), i+len(quote)
			return nil
		case c == '\n' || c == '\r':
			if len(quote) == 1 {
				return errorAt(l.text, start, "this text is not closed: expected %s before the end of the line; write a line break as \\n", quote)
			}
			b.WriteByte('\n')
			i = lineBreak(l.text, i)
		case c == '\\' && raw:
			i = l.rawPair(&b, i)
		case c == '\\':
			next, err := l.escape(&b, i)
			if err != nil {
				return err
			}
			i = next
		default:
			b.WriteByte(c)
			i++
		}
	}
	return errorAt(l.text, start, "this text is not closed: expected %s before the end", quote)
}

// rawPair copies a backslash and what follows: in a raw literal both stay, yet
// a quote after a backslash does not end it.
func (l *lexer) rawPair(b *strings.Builder, i int) int {
	b.WriteByte('\\')
	if i+1 >= len(l.text) {
		return i + 1
	}
	if c := l.text[i+1]; c == '\n' || c == '\r' {
		b.WriteByte('\n')
		return lineBreak(l.text, i+1)
	}
	b.WriteByte(l.text[i+1]) // the first byte of a longer character: the rest follows
	return i + 2
}

// escape reads the escape at i and returns the place after it. Those that
// neither language knows keep their backslash, as in Python: '50\%'.
func (l *lexer) escape(b *strings.Builder, i int) (int, error) {
	if i+1 >= len(l.text) {
		return i + 1, nil // the caller reports the missing quote
	}
	const plain, meaning = `\'"abfnrtv`, "\\'\"\a\b\f\n\r\t\v"
	c := l.text[i+1]
	if at := strings.IndexByte(plain, c); at >= 0 {
		b.WriteByte(meaning[at])
		return i + 2, nil
	}
	switch c {
	case '\n', '\r':
		return lineBreak(l.text, i+1), nil
	case '/':
		if !l.isJSON() {
			b.WriteByte('\\')
		}
		b.WriteByte('/')
		return i + 2, nil
	case 'x':
		return l.coded(b, i, 2)
	case 'u':
		return l.coded(b, i, 4)
	case 'U':
		return l.coded(b, i, 8)
	case 'N':
		return 0, l.refuse(i, `the escape \N{...}`, "write the character itself")
	case '0', '1', '2', '3', '4', '5', '6', '7':
		return l.octal(b, i)
	}
	b.WriteByte('\\')
	return i + 1, nil
}

// coded reads \x, \u or \U with its number of hexadecimal digits. JSON writes a
// character beyond 16 bits as two \u, which are taken together.
func (l *lexer) coded(b *strings.Builder, i, size int) (int, error) {
	r, ok := hex(l.text, i+2, size)
	if !ok {
		return 0, errorAt(l.text, i, `expected %d hexadecimal digits after \%c`, size, l.text[i+1])
	}
	end := i + 2 + size
	if utf16.IsSurrogate(r) {
		low, ok := hex(l.text, end+2, 4)
		if pair := utf16.DecodeRune(r, low); ok && strings.HasPrefix(l.text[end:], `\u`) && pair != utf8.RuneError {
			b.WriteRune(pair)
			return end + 6, nil
		}
		return 0, errorAt(l.text, i, "half of a surrogate pair is no character")
	}
	return end, l.writeRune(b, r, i)
}

func (l *lexer) octal(b *strings.Builder, i int) (int, error) {
	end := i + 1
	for end < len(l.text) && end < i+4 && '0' <= l.text[end] && l.text[end] <= '7' {
		end++
	}
	n, _ := strconv.ParseInt(l.text[i+1:end], 8, 32) // at most three octal digits
	return end, l.writeRune(b, rune(n), i)
}

func (l *lexer) writeRune(b *strings.Builder, r rune, pos int) error {
	if r == 0 {
		return errorAt(l.text, pos, "a NUL character is not allowed")
	}
	if !utf8.ValidRune(r) {
		return errorAt(l.text, pos, "there is no character of this number")
	}
	b.WriteRune(r)
	return nil
}

// hex reads size hexadecimal digits at i.
func hex(s string, i, size int) (rune, bool) {
	if i+size > len(s) {
		return 0, false
	}
	n, err := strconv.ParseUint(s[i:i+size], 16, 32) // takes no sign and, in base 16, no underscore
	if err != nil || n > utf8.MaxRune {
		return utf8.MaxRune + 1, err == nil
	}
	return rune(n), true
}

// lineBreak gives the place after the line break at i; "\r\n" is one.
func lineBreak(s string, i int) int {
	if strings.HasPrefix(s[i:], "\r\n") {
		return i + 2
	}
	return i + 1
}
