package sqldb

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// likeMatcher is a LIKE pattern compiled for SQLite, to match as PostgreSQL
// does. A pattern is a row of segments between the % signs. It keeps scratch
// memory and is for one goroutine.
type likeMatcher struct {
	pattern  []byte // the source, to recognise it
	fold     bool
	segments []likeSegment
	openLeft bool // the pattern starts with %
	openEnd  bool // the pattern ends with %
	shortcut bool // %literal%, ASCII: the usual search box
	risky    bool // the literal has letters that characters beyond ASCII fold to
	scratch  []byte
}

// likeSegment is text without %. When it has no _ either, literal is its
// bytes; otherwise runes are its characters with anyRune for _.
type likeSegment struct {
	literal []byte
	runes   []rune
}

const anyRune = -1

// compileLike takes a copy of pattern. With fold the pattern ignores case.
func compileLike(pattern []byte, fold bool) (*likeMatcher, error) {
	m := &likeMatcher{pattern: bytes.Clone(pattern), fold: fold}
	var runes []rune
	wild := false // runes contains an _
	flush := func() {
		if len(runes) == 0 {
			return
		}
		if wild {
			m.segments = append(m.segments, likeSegment{runes: runes})
		} else {
			m.segments = append(m.segments, likeSegment{literal: []byte(string(runes))})
		}
		runes, wild = nil, false
	}
	for rest := m.pattern; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		first := len(rest) == len(m.pattern)
		rest = rest[size:]
		switch r {
		case '%':
			flush()
			m.openLeft = m.openLeft || first
			m.openEnd = len(rest) == 0
			continue
		case '_':
			runes, wild = append(runes, anyRune), true
			continue
		case '\\':
			if len(rest) == 0 {
				return nil, ErrBadPattern
			}
			r, size = utf8.DecodeRune(rest)
			rest = rest[size:]
		}
		if fold {
			r = unicode.ToLower(r)
		}
		runes = append(runes, r)
	}
	flush()
	m.chooseShortcut()
	return m, nil
}

func (m *likeMatcher) chooseShortcut() {
	if !m.openLeft || !m.openEnd || len(m.segments) != 1 || m.segments[0].literal == nil {
		return
	}
	literal := m.segments[0].literal
	if m.fold {
		if !isASCII(literal) {
			return
		}
		// the Kelvin sign and the dotted capital I are lowered to k and i
		m.risky = bytes.ContainsAny(literal, "ki")
	}
	m.shortcut = true
}

// match says whether text is like the pattern.
func (m *likeMatcher) match(text []byte) bool {
	if m.shortcut {
		literal := m.segments[0].literal
		if !m.fold {
			return bytes.Contains(text, literal)
		}
		if !m.risky || isASCII(text) {
			return containsFold(text, literal)
		}
	}
	if m.fold {
		m.scratch = appendLower(m.scratch[:0], text)
		text = m.scratch
	}
	return m.matchSegments(text)
}

func (m *likeMatcher) matchSegments(text []byte) bool {
	segments := m.segments
	if len(segments) == 0 {
		return m.openLeft || len(text) == 0 // only % signs, or nothing at all
	}
	if !m.openLeft {
		end := segments[0].prefix(text)
		if end < 0 {
			return false
		}
		if len(segments) == 1 && !m.openEnd {
			return end == len(text)
		}
		text, segments = text[end:], segments[1:]
	}
	if !m.openEnd && len(segments) > 0 {
		last := segments[len(segments)-1]
		start := last.startOfSuffix(text)
		if start < 0 || last.prefix(text[start:]) != len(text)-start {
			return false
		}
		text, segments = text[:start], segments[:len(segments)-1]
	}
	for _, s := range segments {
		// the leftmost place is always good enough: it leaves most for the rest
		end := s.search(text)
		if end < 0 {
			return false
		}
		text = text[end:]
	}
	return true
}

// prefix gives the length of the segment at the start of text, or -1.
func (s likeSegment) prefix(text []byte) int {
	if s.literal != nil {
		if bytes.HasPrefix(text, s.literal) {
			return len(s.literal)
		}
		return -1
	}
	end := 0
	for _, want := range s.runes {
		if end == len(text) {
			return -1
		}
		r, size := utf8.DecodeRune(text[end:])
		if want != anyRune && r != want {
			return -1
		}
		end += size
	}
	return end
}

// search gives the end of the first place where the segment is in text, or -1.
func (s likeSegment) search(text []byte) int {
	if s.literal != nil {
		if i := bytes.Index(text, s.literal); i >= 0 {
			return i + len(s.literal)
		}
		return -1
	}
	for start := 0; start < len(text); {
		if n := s.prefix(text[start:]); n >= 0 {
			return start + n
		}
		_, size := utf8.DecodeRune(text[start:])
		start += size
	}
	return -1
}

// startOfSuffix gives where the segment starts if text ends with it, or -1.
func (s likeSegment) startOfSuffix(text []byte) int {
	if s.literal != nil {
		return max(len(text)-len(s.literal), -1)
	}
	start := len(text)
	for range s.runes {
		if start == 0 {
			return -1
		}
		_, size := utf8.DecodeLastRune(text[:start])
		start -= size
	}
	return start
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// containsFold looks for a literal in lower case, which is ASCII.
func containsFold(text, literal []byte) bool {
	first, rest := literal[0], literal[1:]
search:
	for i := 0; i+len(literal) <= len(text); i++ {
		if lowerASCII(text[i]) != first {
			continue
		}
		for j, c := range rest {
			if lowerASCII(text[i+1+j]) != c {
				continue search
			}
		}
		return true
	}
	return false
}

// appendLower lowers character by character, as PostgreSQL's lower does.
func appendLower(dst, text []byte) []byte {
	for len(text) > 0 {
		if c := text[0]; c < utf8.RuneSelf {
			dst = append(dst, lowerASCII(c))
			text = text[1:]
			continue
		}
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, text[0])
		} else {
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
		text = text[size:]
	}
	return dst
}
