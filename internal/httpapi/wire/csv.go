package wire

import (
	"strconv"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/schema"
)

// AppendCSV writes one cell of a table as RFC 4180 has it: of a many2one the
// id, of lists and JSON their JSON text, nothing for what is not set. quote
// takes the meaning off texts that a spreadsheet would calculate.
func AppendCSV(dst []byte, shape Shape, f *schema.Field, v *backend.Value, quote bool) []byte {
	switch v.Kind {
	case backend.Text:
		return AppendCSVText(dst, v.Text, quote)
	case backend.Ref:
		if v.Int == 0 {
			return dst
		}
		return strconv.AppendInt(dst, v.Int, 10)
	case backend.IDs, backend.Raw:
		return AppendCSVText(dst, string(AppendValue(nil, Plain, f, v)), false)
	case backend.Date, backend.Datetime:
		start := len(dst) // the quotes of JSON go
		dst = AppendValue(dst, shape, f, v)
		return append(dst[:start], dst[start+1:len(dst)-1]...)
	case backend.Null:
		start := len(dst)
		if dst = AppendValue(dst, Plain, f, v); string(dst[start:]) == "null" {
			return dst[:start]
		}
		return dst
	default:
		return AppendValue(dst, Plain, f, v)
	}
}

// AppendCSVText writes a text, in quotes where it needs them.
func AppendCSVText(dst []byte, text string, quote bool) []byte {
	formula := quote && looksCalculated(text)
	if !formula && !strings.ContainsAny(text, "\",\r\n") && text == strings.TrimSpace(text) {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	if formula {
		dst = append(dst, '\'')
	}
	for i := range len(text) {
		if text[i] == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, text[i])
	}
	return append(dst, '"')
}

// looksCalculated says whether a spreadsheet takes a text for a formula. What
// has a sign and digits only (numbers, telephone numbers) can do no harm.
func looksCalculated(text string) bool {
	if text == "" {
		return false
	}
	switch text[0] {
	case '=', '@', '\t', '\r', '\n':
		return true
	case '+', '-':
		return strings.Trim(text, "0123456789 .,+-/()") != ""
	}
	return false
}
