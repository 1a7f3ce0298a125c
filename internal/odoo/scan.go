package odoo

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"gatehouse/internal/fault"
)

// scanner reads JSON from its beginning to its end without making values of it:
// an answer of a search has thousands of them. Errors are kept; after the first
// everything reads as nothing.
type scanner struct {
	text []byte
	at   int
	err  error
}

func (s *scanner) fail() {
	if s.err == nil {
		s.err = fault.New(fault.BadGateway, "The Odoo answered in a way that was not expected").
			Because(&json.SyntaxError{Offset: int64(s.at)})
	}
	s.at = len(s.text)
}

// peek gives the first byte of the next token, 0 at the end.
func (s *scanner) peek() byte {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// take takes a byte that must come next.
func (s *scanner) take(c byte) {
	if s.peek() != c {
		s.fail()
		return
	}
	s.at++
}

// more steps to the next element of a list or an object; false at its end.
func (s *scanner) more(first bool, end byte) bool {
	switch c := s.peek(); {
	case c == end:
		s.at++
		return false
	case first && c != 0:
		return true
	case c == ',':
		s.at++
		return true
	}
	s.fail()
	return false
}

// quoted takes a text with its quotes, as it is written.
func (s *scanner) quoted() []byte {
	if s.peek() != '"' {
		s.fail()
		return nil
	}
	for i := s.at + 1; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			i++
		case '"':
			raw := s.text[s.at : i+1]
			s.at = i + 1
			return raw
		}
	}
	s.fail()
	return nil
}

// str takes a text.
func (s *scanner) str() string {
	raw := s.quoted()
	if s.err != nil {
		return ""
	}
	plain := raw[1 : len(raw)-1]
	for _, c := range plain {
		if c == '\\' || c < ' ' || c >= utf8.RuneSelf {
			var text string
			if err := json.Unmarshal(raw, &text); err != nil {
				s.fail()
			}
			return text
		}
	}
	return string(plain)
}

// word takes a number, true, false or null.
func (s *scanner) word() []byte {
	s.peek()
	begin := s.at
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ',', ']', '}', ' ', '\t', '\n', '\r', '"', '[', '{', ':':
			goto end
		}
		s.at++
	}
end:
	if s.at == begin {
		s.fail()
	}
	return s.text[begin:s.at]
}

// whole takes a whole number.
func (s *scanner) whole() int64 {
	n, err := strconv.ParseInt(string(s.word()), 10, 64)
	if err != nil {
		s.fail()
	}
	return n
}

// raw takes any value, as it is written.
func (s *scanner) raw() []byte {
	first := s.peek()
	begin := s.at
	switch first {
	case '"':
		s.quoted()
	case '[', '{':
		s.nested()
	default:
		s.word()
	}
	if s.err != nil {
		return nil
	}
	return s.text[begin:s.at]
}

// nested passes over a list or an object.
func (s *scanner) nested() {
	depth := 0
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case '"':
			s.quoted()
			continue
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		s.at++
		if depth == 0 {
			return
		}
	}
	s.fail()
}

// end says that nothing may follow.
func (s *scanner) end() error {
	if s.err == nil && s.peek() != 0 {
		s.fail()
	}
	return s.err
}
