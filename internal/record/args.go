package record

import (
	"strconv"
	"strings"
)

// statement is a text with the arguments that it names.
type statement struct {
	sql  string
	args []any
}

// laterFirst stands in a compiled text for an argument that is known only when
// the statement is run; it follows the compiled ones.
const laterFirst = "$0"

// laterMark holds the place of the later argument until its number is known.
const laterMark = "\x01"

// limited is the text with its limit written in; 0 is none.
func (s *statement) limited(limit int) string {
	text := " limit 9223372036854775807"
	if limit > 0 {
		text = " limit " + strconv.Itoa(limit)
	}
	return strings.Replace(s.sql, "\x00", text, 1)
}

// statement keeps only the arguments that the text names, in the order in
// which it does: parts of a compilation may have been dropped again, and
// PostgreSQL refuses arguments that nothing uses.
func (c *compiler) statement(sql string) statement {
	var b strings.Builder
	b.Grow(len(sql))
	out := statement{args: make([]any, 0, len(c.args))}
	numbers := map[int]int{}
	for i := 0; i < len(sql); {
		switch ch := sql[i]; ch {
		case '\'', '"': // quoted text is copied whole; a doubled quote ends and begins again
			end := strings.IndexByte(sql[i+1:], ch) + i + 2
			b.WriteString(sql[i:end])
			i = end
		case '$':
			end := i + 1
			for end < len(sql) && sql[end] >= '0' && sql[end] <= '9' {
				end++
			}
			out.rename(&b, c.args, numbers, sql[i+1:end])
			i = end
		default:
			b.WriteByte(ch)
			i++
		}
	}
	out.sql = b.String()
	out.sql = strings.ReplaceAll(out.sql, laterMark, placeholder(len(out.args)+1))
	return out
}

func (s *statement) rename(b *strings.Builder, args []any, numbers map[int]int, digits string) {
	n, _ := strconv.Atoi(digits) // only digits come here
	if n == 0 {
		b.WriteString(laterMark)
		return
	}
	if numbers[n] == 0 {
		s.args = append(s.args, args[n-1])
		numbers[n] = len(s.args)
	}
	b.WriteString(placeholder(numbers[n]))
}

// with gives the arguments with later ones appended.
func (s *statement) with(later ...any) []any {
	return append(append(make([]any, 0, len(s.args)+len(later)), s.args...), later...)
}
