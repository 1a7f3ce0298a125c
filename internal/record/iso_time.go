package record

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// isoTime reads a day or a moment as Python's fromisoformat does, which Odoo
// trusts: calendar and week dates with or without hyphens, and behind any one
// character a time that may end early. A zone is not taken. Fractions of a
// second are cut.
func isoTime(text string) (t time.Time, day, ok bool) {
	if utf8.RuneCountInString(text) <= 10 {
		t, ok = isoDay(text)
		return t, true, ok
	}
	at := isoDayEnd(text)
	if at >= len(text) {
		return t, false, false
	}
	if t, ok = isoDay(text[:at]); !ok {
		return t, false, false
	}
	_, width := utf8.DecodeRuneInString(text[at:])
	clock, ok := isoClock(text[at+width:])
	return t.Add(clock), false, ok
}

// isoDayEnd is the place of the character between day and time.
func isoDayEnd(s string) int {
	digit := func(i int) bool { return i < len(s) && s[i] >= '0' && s[i] <= '9' }
	switch {
	case s[4] == '-' && s[5] == 'W' && s[8] == '-':
		if digit(10) {
			return 8 // 2024-W01-10: an hour, not a day of the week
		}
		return 10
	case s[4] == '-' && s[5] == 'W':
		return 8
	case s[4] == '-':
		return 10
	case s[4] != 'W':
		return 8
	}
	end := 7
	for digit(end) {
		end++
	}
	if end < 9 {
		return end
	}
	return 7 + end%2
}

// isoDay reads 2024-01-31, 20240131, 2024-W05-3, 2024W053, 2024-W05 or 2024W05.
func isoDay(s string) (time.Time, bool) {
	var none time.Time
	year, ok := digits(s, 4)
	if !ok || year < 1 {
		return none, false
	}
	rest := s[4:]
	hyphen := rest != "" && rest[0] == '-'
	if hyphen {
		rest = rest[1:]
	}
	if rest != "" && rest[0] == 'W' {
		return isoWeek(year, rest[1:], hyphen)
	}
	month, ok := digits(rest, 2)
	if !ok {
		return none, false
	}
	rest = rest[2:]
	if hyphen {
		if rest == "" || rest[0] != '-' {
			return none, false
		}
		rest = rest[1:]
	}
	day, ok := digits(rest, 2)
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return t, ok && len(rest) == 2 && t.Month() == time.Month(month) && t.Day() == day
}

// isoWeek reads the week, and the day in it, Monday if there is none.
func isoWeek(year int, rest string, hyphen bool) (time.Time, bool) {
	var none time.Time
	week, ok := digits(rest, 2)
	if !ok || week < 1 {
		return none, false
	}
	rest = rest[2:]
	day := 1
	if rest != "" {
		if hyphen != (rest[0] == '-') {
			return none, false
		}
		if hyphen {
			rest = rest[1:]
		}
		if day, ok = digits(rest, 1); !ok || len(rest) != 1 || day < 1 || day > 7 {
			return none, false
		}
	}
	fourth := time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC) // always in the first week
	t := fourth.AddDate(0, 0, 7*(week-1)+day-1-(int(fourth.Weekday())+6)%7)
	y, w := t.ISOWeek()
	return t, y == year && w == week && t.Year() >= 1 && t.Year() <= 9999
}

// isoClock reads the time of a day: 10, 10:30, 10:30:05.25, 103005.
func isoClock(s string) (time.Duration, bool) {
	var parts [3]int
	colons := true
	fraction := false
	for i := range parts {
		n, ok := digits(s, 2)
		if !ok {
			return 0, false
		}
		parts[i], s = n, s[2:]
		if s == "" {
			break
		}
		if i == 0 {
			colons = s[0] == ':'
		}
		if s[0] == '.' || s[0] == ',' {
			s, fraction = s[1:], true
			break
		}
		if colons {
			if s[0] != ':' || len(s) == 1 {
				return 0, false
			}
			s = s[1:]
		}
	}
	if fraction == (s == "") || !allDigits(s) {
		return 0, false
	}
	if parts[0] > 23 || parts[1] > 59 || parts[2] > 59 {
		return 0, false
	}
	return time.Duration(parts[0])*time.Hour + time.Duration(parts[1])*time.Minute + time.Duration(parts[2])*time.Second, true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// digits reads a number of n digits in front.
func digits(s string, n int) (int, bool) {
	if len(s) < n || !allDigits(s[:n]) {
		return 0, false
	}
	v, err := strconv.Atoi(s[:n])
	return v, err == nil
}
