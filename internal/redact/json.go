package redact

import (
	"encoding/json"
	"strings"
)

// maxNesting is how deep texts are looked into that hold JSON themselves.
const maxNesting = 4

// JSON masks a body of JSON, or of what was meant to be: cut off, with errors,
// or with Python's quotes. It reads no further than from one string to the
// next, so that there is nothing about a document that it can fail at.
func JSON(s string) string { return Text(scan(s, 0)) }

// scan copies a text and masks what stands under secret names.
func scan(s string, depth int) string {
	if !strings.ContainsAny(s, "\"'") {
		return s
	}
	var out strings.Builder
	out.Grow(len(s))
	for i := 0; i < len(s); {
		quote := s[i]
		if quote != '"' && quote != '\'' {
			out.WriteByte(quote)
			i++
			continue
		}
		end, closed := stringEnd(s, i)
		if !closed && quote == '\'' || quote == '\'' && !isSecretName(s[i+1:end]) { // an apostrophe, or nothing to do
			out.WriteByte(quote)
			i++
			continue
		}
		content := unquoted(s[i+1:end], quote)
		next := end
		if closed {
			next++
		}
		if !isSecretName(content) {
			out.WriteString(inside(s[i:next], content, closed, depth))
			i = next
			continue
		}
		out.WriteString(s[i:next])
		i = hide(&out, s, next)
	}
	return out.String()
}

// isSecretName says whether a string is a name, and one that secrets have.
func isSecretName(s string) bool {
	for i := range len(s) {
		if !isWord(s[i]) && s[i] != '.' && s[i] != ' ' {
			return false
		}
	}
	return len(s) <= 100 && Name(s)
}

// stringEnd finds the closing quote of the string that begins at i, or the end.
func stringEnd(s string, i int) (end int, closed bool) {
	for end = i + 1; end < len(s); end++ {
		switch s[end] {
		case s[i]:
			return end, true
		case '\\':
			end++
		}
	}
	return len(s), false
}

// unquoted is what a string says.
func unquoted(raw string, quote byte) string {
	if quote == '"' && strings.IndexByte(raw, '\\') >= 0 {
		var text string
		if json.Unmarshal([]byte(`"`+raw+`"`), &text) == nil {
			return text
		}
	}
	return raw
}

// inside looks into a string, which may hold JSON again.
func inside(raw, content string, closed bool, depth int) string {
	trimmed := strings.TrimLeft(content, " \t\r\n")
	if trimmed == "" || trimmed[0] != '{' && trimmed[0] != '[' && trimmed[0] != '"' {
		return raw
	}
	if depth >= maxNesting || !closed {
		return `"` + Mask + `"`
	}
	safe := scan(content, depth+1)
	if safe == content {
		return raw
	}
	encoded, err := json.Marshal(safe)
	if err != nil {
		return `"` + Mask + `"`
	}
	return string(encoded)
}

// hide masks what follows a secret name at i: its value after a colon, or the
// elements after it in a list, as in ["password", "=", "x"]. It gives the place
// from which to read on.
func hide(out *strings.Builder, s string, i int) int {
	at := skipSpace(s, i)
	if at >= len(s) || s[at] != ':' && s[at] != ',' {
		return i
	}
	list := s[at] == ','
	start := skipSpace(s, at+1)
	end := valueEnd(s, start, list)
	out.WriteString(s[i:start])
	switch plain := strings.TrimSpace(s[start:end]); plain {
	case "", "null", "true", "false", "None", "True", "False":
		out.WriteString(s[start:end])
	default:
		out.WriteString(`"` + Mask + `"`)
	}
	return end
}

func skipSpace(s string, i int) int {
	for i < len(s) && strings.IndexByte(" \t\r\n", s[i]) >= 0 {
		i++
	}
	return i
}

// valueEnd is where the value ends that begins at i: before the comma or the
// bracket that is not its own, in a list only before the bracket.
func valueEnd(s string, i int, list bool) int {
	depth := 0
	for i < len(s) {
		switch c := s[i]; c {
		case '"', '\'':
			end, closed := stringEnd(s, i)
			if !closed {
				return len(s)
			}
			i = end
		case '{', '[', '(':
			depth++
		case '}', ']', ')':
			if depth == 0 {
				return i
			}
			depth--
		case ',':
			if depth == 0 && !list {
				return i
			}
		}
		i++
	}
	return len(s)
}
