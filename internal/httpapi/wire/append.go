// Package wire turns records into JSON and JSON into the values of records. It
// knows the shapes of the API and the field types of the schema, and nothing
// of requests, rights or storage.
package wire

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// AppendString writes s as a JSON text. What is not valid UTF-8 becomes U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			if _, size := utf8.DecodeRuneInString(s[i:]); size > 1 {
				i += size
				continue
			}
			dst = append(append(dst, s[start:i]...), "\uFFFD"...)
		} else {
			dst = appendEscape(append(dst, s[start:i]...), c)
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

// appendEscape writes a byte that cannot stand for itself in a JSON text.
func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// AppendFloat writes a number in its shortest form: 79.99, 100. What JSON has
// no number for (NaN, infinity) is null.
func AppendFloat(dst []byte, x float64) []byte {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return append(dst, "null"...)
	}
	if x == 0 {
		return append(dst, '0') // also for the negative zero
	}
	format := byte('f')
	if abs := math.Abs(x); abs < 1e-6 || abs >= 1e21 {
		format = 'e'
	}
	return strconv.AppendFloat(dst, x, format, -1, 64)
}

// AppendRounded writes a number rounded to some digits after the point, half
// away from zero, without zeros at the end.
func AppendRounded(dst []byte, x float64, digits int) []byte {
	abs := math.Abs(x)
	scaled := abs * math.Pow10(digits)
	const fast, known = 1e12, 1e15
	if digits > 9 || !(abs < known) {
		return AppendFloat(dst, x) // what is rounded away would be noise anyway
	}
	if scaled >= fast {
		return trimZeros(strconv.AppendFloat(dst, x, 'f', digits, 64), digits)
	}
	// 2.675 is kept as 2.67499…: a half in decimal writing counts as a half.
	// The addend is the error that a double of this size may carry.
	n := int64(scaled + 0.5 + scaled*0x1p-50)
	if n == 0 {
		return append(dst, '0')
	}
	if x < 0 {
		dst = append(dst, '-')
	}
	for digits > 0 && n%10 == 0 {
		n /= 10
		digits--
	}
	if digits == 0 {
		return strconv.AppendInt(dst, n, 10)
	}
	unit := int64(math.Pow10(digits))
	dst = strconv.AppendInt(dst, n/unit, 10)
	dst = append(dst, '.')
	return appendPadded(dst, n%unit, digits)
}

// trimZeros takes the zeros at the end of a number with that many digits after
// the point.
func trimZeros(dst []byte, digits int) []byte {
	for ; digits > 0 && dst[len(dst)-1] == '0'; digits-- {
		dst = dst[:len(dst)-1]
	}
	if digits == 0 && dst[len(dst)-1] == '.' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// appendPadded writes a number that is not negative with at least width digits.
func appendPadded(dst []byte, n int64, width int) []byte {
	for have := digitsOf(n); have < width; have++ {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(dst, n, 10)
}

func digitsOf(n int64) int {
	digits := 1
	for n >= 10 {
		n /= 10
		digits++
	}
	return digits
}

// AppendDate writes a day, counted from 1970-01-01, as 2026-01-31 without quotes.
func AppendDate(dst []byte, days int64) []byte {
	year, month, day := civil(days)
	if year < 0 {
		dst, year = append(dst, '-'), -year
	}
	dst = appendPadded(dst, year, 4)
	dst = append(dst, '-', byte('0'+month/10), byte('0'+month%10))
	return append(dst, '-', byte('0'+day/10), byte('0'+day%10))
}

// AppendClock writes the time of day of a moment, given in microseconds, as
// 10:30:00. Fractions of a second are cut.
func AppendClock(dst []byte, micros int64) []byte {
	seconds := floorMod(floorDiv(micros, 1e6), 86400)
	h, m, s := seconds/3600, seconds/60%60, seconds%60
	return append(dst,
		byte('0'+h/10), byte('0'+h%10), ':',
		byte('0'+m/10), byte('0'+m%10), ':',
		byte('0'+s/10), byte('0'+s%10))
}

// civil gives the date of a day counted from 1970-01-01, in the proleptic
// Gregorian calendar. It counts from March 1 of year 0, so that the leap day
// is the last of a year, in eras of 400 years.
func civil(days int64) (year, month, day int64) {
	const eraDays = 146097
	days += 719468 // from 0000-03-01 to 1970-01-01
	era := floorDiv(days, eraDays)
	inEra := days - era*eraDays
	yearOfEra := (inEra - inEra/1460 + inEra/36524 - inEra/(eraDays-1)) / 365
	dayOfYear := inEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	shifted := (5*dayOfYear + 2) / 153 // 0 is March
	day = dayOfYear - (153*shifted+2)/5 + 1
	month, year = shifted+3, yearOfEra+era*400
	if month > 12 {
		month, year = month-12, year+1
	}
	return year, month, day
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }
