package business

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// moments are the times that the placeholders of a sequence look at.
type moments struct {
	now   time.Time // the document's moment: %(year)s, %(range_year)s without ranges
	day   time.Time // start of the date range: %(range_year)s
	wall  time.Time // the clock: %(current_year)s
	local *time.Location
}

// formatNumber writes a document number: prefix, the number padded with
// zeros, suffix. Placeholders as in Odoo: %(year)s, %(range_year)s,
// %(current_year)s, likewise month, day, y, doy, woy, weekday, h24, h12, min,
// sec, isoyear, isoy, isoweek; %% is a percent sign.
func formatNumber(prefix, suffix string, padding, number int64, at moments) (string, error) {
	before, err := expand(prefix, at)
	if err != nil {
		return "", err
	}
	after, err := expand(suffix, at)
	if err != nil {
		return "", err
	}
	return before + padded(number, padding) + after, nil
}

// padded is a number with leading zeros; a sign counts as a place, as in Odoo.
func padded(number, padding int64) string {
	if padding > 100 {
		padding = 100
	}
	return fmt.Sprintf("%0*d", max(int(padding), 0), number)
}

// expand replaces the placeholders of a prefix or suffix.
func expand(text string, at moments) (string, error) {
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '%')
		if i < 0 {
			b.WriteString(text)
			return b.String(), nil
		}
		b.WriteString(text[:i])
		text = text[i+1:]
		if strings.HasPrefix(text, "%") {
			b.WriteByte('%')
			text = text[1:]
			continue
		}
		name, rest, ok := strings.Cut(text, ")s")
		if !ok || !strings.HasPrefix(name, "(") {
			return "", fmt.Errorf("%%%s is not a placeholder; a plain percent sign is written %%%%", clip(text, 12))
		}
		value, ok := at.placeholder(name[1:])
		if !ok {
			return "", fmt.Errorf("unknown placeholder %%(%s)s", clip(name[1:], 20))
		}
		b.WriteString(value)
		text = rest
	}
}

// clip shortens a text for a message.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

func (at moments) placeholder(name string) (string, bool) {
	moment := at.now
	if rest, ok := strings.CutPrefix(name, "range_"); ok {
		name, moment = rest, at.day
	} else if rest, ok := strings.CutPrefix(name, "current_"); ok {
		name, moment = rest, at.wall
	}
	if at.local != nil {
		moment = moment.In(at.local)
	}
	return datePart(name, moment)
}

// datePart is one part of a moment in the form of strftime.
func datePart(name string, t time.Time) (string, bool) {
	isoYear, isoWeek := t.ISOWeek()
	switch name {
	case "year":
		return t.Format("2006"), true
	case "month":
		return t.Format("01"), true
	case "day":
		return t.Format("02"), true
	case "y":
		return t.Format("06"), true
	case "doy":
		return t.Format("002"), true
	case "woy":
		return fmt.Sprintf("%02d", weekOfYear(t)), true
	case "weekday":
		return strconv.Itoa(int(t.Weekday())), true
	case "h24":
		return t.Format("15"), true
	case "h12":
		return t.Format("03"), true
	case "min":
		return t.Format("04"), true
	case "sec":
		return t.Format("05"), true
	case "isoyear":
		return strconv.Itoa(isoYear), true
	case "isoy":
		return fmt.Sprintf("%02d", isoYear%100), true
	case "isoweek":
		return fmt.Sprintf("%02d", isoWeek), true
	}
	return "", false
}

// weekOfYear counts weeks from the first Monday; days before it are week 0.
func weekOfYear(t time.Time) int {
	sinceMonday := (int(t.Weekday()) + 6) % 7
	return (t.YearDay() + 6 - sinceMonday) / 7
}
