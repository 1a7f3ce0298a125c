package domain

import (
	"math"
	"strconv"
	"strings"
)

// number reads an integer or a float as Python writes them; JSON's numbers are
// a part of those. The sign is a mark of its own.
func (l *lexer) number() error {
	start, text := l.off, l.text
	float := false
	if text[start] == '0' && start+1 < len(text) && strings.IndexByte("xXoObB", text[start+1]) >= 0 {
		for l.off < len(text) && isNameByte(text[l.off]) {
			l.off++
		}
		return l.integer(start, 0)
	}
	l.off = digits(text, l.off)
	if l.off < len(text) && text[l.off] == '.' {
		float = true
		l.off = digits(text, l.off+1)
	}
	if exp := exponent(text, l.off); exp > l.off {
		float = true
		l.off = exp
	}
	if l.off < len(text) && isNameByte(text[l.off]) {
		if c := text[l.off]; c == 'j' || c == 'J' {
			return l.refuse(start, "a complex number", "write an integer or a decimal number")
		}
		return errorAt(text, start, "expected the end of the number %s, found %q", clip(text[start:l.off]), text[l.off:l.off+1])
	}
	if !float {
		return l.integer(start, 10)
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(text[start:l.off], "_", ""), 64)
	if err != nil {
		return l.refuse(start, "an infinite number", "the largest is about 1.8e308")
	}
	l.tok.kind, l.tok.num = tFloat, math.Float64bits(f)
	return nil
}

// integer makes the token of text[start:l.off]. Base 0 takes 0x, 0o and 0b.
func (l *lexer) integer(start, base int) error {
	digits := l.text[start:l.off]
	if base == 10 {
		digits = strings.ReplaceAll(digits, "_", "")
		if digits[0] == '0' && strings.Trim(digits, "0") != "" {
			return errorAt(l.text, start, "a number cannot begin with 0; write %s", strings.TrimLeft(digits, "0"))
		}
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil && strings.HasSuffix(err.Error(), strconv.ErrSyntax.Error()) {
		return errorAt(l.text, start, "%s is not a number", quote(digits))
	}
	if err != nil || n > 1<<63 {
		return l.tooLarge(start)
	}
	l.tok.kind, l.tok.num = tInt, n
	return nil
}

// signed applies the sign to the tInt or tFloat token that is current.
func (l *lexer) signed(negative bool, pos int) (item, error) {
	num := l.tok.num
	if l.tok.kind == tFloat {
		f := math.Float64frombits(num)
		if negative {
			f = -f
		}
		return floatItem(f, pos), nil
	}
	if negative {
		return intItem(-int64(num), pos), nil // 1<<63 becomes the smallest integer
	}
	if num > math.MaxInt64 {
		return item{}, l.tooLarge(pos)
	}
	return intItem(int64(num), pos), nil
}

func (l *lexer) tooLarge(pos int) error {
	return l.refuse(pos, "a number beyond 64 bits", "the largest is 9223372036854775807")
}

// digits skips digits, with single underscores between them.
func digits(s string, i int) int {
	for i < len(s) {
		between := s[i] == '_' && i > 0 && isDigit(s[i-1]) && i+1 < len(s) && isDigit(s[i+1])
		if !isDigit(s[i]) && !between {
			break
		}
		i++
	}
	return i
}

// exponent skips an exponent at i, and returns i if there is none.
func exponent(s string, i int) int {
	if i >= len(s) || s[i] != 'e' && s[i] != 'E' {
		return i
	}
	at := i + 1
	if at < len(s) && (s[at] == '+' || s[at] == '-') {
		at++
	}
	if at >= len(s) || !isDigit(s[at]) {
		return i
	}
	return digits(s, at)
}
