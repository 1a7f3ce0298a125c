package sqldb

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Arguments are checked here, before any database sees them, where the two
// would differ: SQLite takes NUL and broken UTF-8 in text, and makes NULL of
// NaN.

func checkText(s string) error {
	if strings.IndexByte(s, 0) >= 0 {
		return of(ErrBadValue, fmt.Errorf("NUL in text"))
	}
	if !utf8.ValidString(s) {
		return of(ErrBadValue, fmt.Errorf("text is not UTF-8"))
	}
	return nil
}

func checkFloat(f float64) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return of(ErrBadValue, fmt.Errorf("%v is not a finite number", f))
	}
	return nil
}

func checkTime(t time.Time) error {
	if year := t.Year(); year < 1 || year > 9999 {
		return of(ErrBadValue, fmt.Errorf("year %d", year))
	}
	return nil
}

func checkTexts(all []string) error {
	for _, s := range all {
		if err := checkText(s); err != nil {
			return err
		}
	}
	return nil
}

func argCountError(sql string, want, got int) error {
	return fmt.Errorf("sqldb: the statement wants %d arguments, not %d: %s", want, got, sql)
}

func argTypeError(arg any) error {
	return fmt.Errorf("sqldb: argument of type %T", arg)
}

// appendIntList writes ids between the brackets of a JSON or a PostgreSQL array.
func appendIntList(dst []byte, ids []int64, left, right byte) []byte {
	dst = append(dst, left)
	for i, id := range ids {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, id, 10)
	}
	return append(dst, right)
}

// appendJSONList writes texts, checked before, as a JSON array.
func appendJSONList(dst []byte, texts []string) []byte {
	dst = append(dst, '[')
	for i, s := range texts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSONText(dst, s)
	}
	return append(dst, ']')
}

func appendJSONText(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// parseIDs reads a JSON array of integers and skips its nulls.
func parseIDs(b []byte) []int64 {
	b = bytes.TrimSpace(b)
	if len(b) < 2 || b[0] != '[' {
		return nil
	}
	b = b[1 : len(b)-1]
	ids := make([]int64, 0, bytes.Count(b, []byte{','})+1)
	for len(b) > 0 {
		item, rest, _ := bytes.Cut(b, []byte{','})
		b = rest
		if item = bytes.TrimSpace(item); len(item) > 0 && item[0] != 'n' {
			ids = append(ids, parseInt(item))
		}
	}
	return ids
}
