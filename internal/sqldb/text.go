package sqldb

import (
	"bytes"
	"math"
	"strconv"
	"time"
)

// appendFloat writes f as PostgreSQL writes a float of that many bits (32 or
// 64): shortest digits, exponents from 1e+15 (1e+06) up and below 1e-04.
func appendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	limit := 15
	if bits == 32 {
		limit = 6
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'e', -1, bits)
	e := bytes.LastIndexByte(dst[start:], 'e')
	exponent, _ := strconv.Atoi(string(dst[start+e+1:]))
	if exponent >= -4 && exponent < limit {
		return strconv.AppendFloat(dst[:start], f, 'f', -1, bits)
	}
	return dst
}

// appendDate writes the day of t as 2006-01-02, without the era.
func appendDate(dst []byte, t time.Time) []byte {
	year, month, day := t.Date()
	if year < 1 {
		year = 1 - year // before our era there was no year 0
	}
	dst = appendPadded(dst, year, 4)
	dst = append(dst, '-')
	dst = appendPadded(dst, int(month), 2)
	dst = append(dst, '-')
	return appendPadded(dst, day, 2)
}

// appendTimestamp writes t, in its own zone, as 2006-01-02 15:04:05 with the
// microseconds that it has and no trailing zeros: what PostgreSQL writes. In
// this form the order of texts is the order of times.
func appendTimestamp(dst []byte, t time.Time) []byte {
	dst = append(appendDate(dst, t), ' ')
	hour, minute, second := t.Clock()
	dst = append(appendPadded(dst, hour, 2), ':')
	dst = append(appendPadded(dst, minute, 2), ':')
	dst = appendPadded(dst, second, 2)
	micros := t.Nanosecond() / 1000
	if micros == 0 {
		return dst
	}
	dst = appendPadded(append(dst, '.'), micros, 6)
	return bytes.TrimRight(dst, "0")
}

// appendPadded writes n >= 0 with at least width digits.
func appendPadded(dst []byte, n, width int) []byte {
	for limit := 10; width > 1; width-- {
		if n < limit {
			for range width - 1 {
				dst = append(dst, '0')
			}
			break
		}
		limit *= 10
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

// parseTime reads what the databases hold as dates and timestamps:
// 2006-01-02, optionally followed by a space or T and 15:04 or 15:04:05, a
// fraction and a zone (Z or ±hh[:mm]). The result is in UTC.
func parseTime(b []byte) (t time.Time, ok bool) {
	b = bytes.TrimSpace(b)
	year, b, ok1 := cutDigits(b, 4, '-')
	month, b, ok2 := cutDigits(b, 2, '-')
	day, b, ok3 := cutDigits(b, 2, 0)
	if !ok1 || !ok2 || !ok3 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return time.Time{}, false
	}
	if len(b) == 0 {
		return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC), true
	}
	if b[0] != ' ' && b[0] != 'T' {
		return time.Time{}, false
	}
	clock, nanos, offset, ok := parseClock(b[1:])
	if !ok {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, 0, 0, clock-offset, nanos, time.UTC), true
}

// parseClock reads 15:04[:05[.9]][zone]; seconds of the day and of the zone.
func parseClock(b []byte) (seconds, nanos, offset int, ok bool) {
	hour, b, ok1 := cutDigits(b, 2, ':')
	minute, b, ok2 := cutDigits(b, 2, 0)
	if !ok1 || !ok2 || hour > 24 || minute > 59 {
		return 0, 0, 0, false
	}
	second := 0
	if len(b) > 0 && b[0] == ':' {
		if second, b, ok = cutDigits(b[1:], 2, 0); !ok || second > 60 {
			return 0, 0, 0, false
		}
		if len(b) > 0 && b[0] == '.' {
			nanos, b = parseFraction(b[1:])
		}
	}
	offset, ok = parseZone(b)
	return (hour*60+minute)*60 + second, nanos, offset, ok
}

func parseFraction(b []byte) (nanos int, rest []byte) {
	scale := 100_000_000
	for len(b) > 0 && b[0] >= '0' && b[0] <= '9' {
		nanos += int(b[0]-'0') * scale
		scale /= 10
		b = b[1:]
	}
	return nanos, b
}

func parseZone(b []byte) (seconds int, ok bool) {
	if len(b) == 0 || string(b) == "Z" {
		return 0, true
	}
	sign := 1
	switch b[0] {
	case '-':
		sign = -1
	case '+':
	default:
		return 0, false
	}
	hours, b, ok := cutDigits(b[1:], 2, 0)
	if !ok || hours > 15 {
		return 0, false
	}
	minutes := 0
	if len(b) > 0 {
		if b[0] == ':' {
			b = b[1:]
		}
		if minutes, b, ok = cutDigits(b, 2, 0); !ok || len(b) > 0 || minutes > 59 {
			return 0, false
		}
	}
	return sign * (hours*60 + minutes) * 60, true
}

// cutDigits takes n digits and, unless it is 0, the byte after them.
func cutDigits(b []byte, n int, after byte) (value int, rest []byte, ok bool) {
	if len(b) < n {
		return 0, b, false
	}
	for _, c := range b[:n] {
		if c < '0' || c > '9' {
			return 0, b, false
		}
		value = value*10 + int(c-'0')
	}
	b = b[n:]
	if after == 0 {
		return value, b, true
	}
	if len(b) == 0 || b[0] != after {
		return 0, b, false
	}
	return value, b[1:], true
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// parseBool reads the spellings of a boolean that either database writes.
func parseBool(b []byte) bool {
	switch string(b) {
	case "1", "t", "true":
		return true
	}
	return false
}

// parseInt reads a number cut towards zero; other text reads 0.
func parseInt(b []byte) int64 {
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err == nil {
		return n
	}
	f, _ := strconv.ParseFloat(string(b), 64)
	return int64(f)
}
