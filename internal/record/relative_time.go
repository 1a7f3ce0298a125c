package record

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// relativeTime reads Odoo's relative moments: "today" or "now", then terms
// such as +3d, -1w, =1d, +monday, =week_start. day says that the result is a
// day rather than a moment.
func relativeTime(text string, now time.Time) (t time.Time, day bool, err error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return t, false, fmt.Errorf("found an empty text")
	}
	t = now.Truncate(time.Second)
	switch words[0] {
	case "today":
		t, day, words = midnight(t), true, words[1:]
	case "now":
		words = words[1:]
	default:
		if !strings.ContainsAny(words[0][:1], "+-=") {
			return t, false, fmt.Errorf("found %q", shorten(text))
		}
	}
	for _, w := range words {
		if t, err = relativeTerm(w, t); err != nil {
			return t, false, err
		}
	}
	return t, day, nil
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

var weekdays = map[string]time.Weekday{
	"monday": time.Monday, "tuesday": time.Tuesday, "wednesday": time.Wednesday, "thursday": time.Thursday,
	"friday": time.Friday, "saturday": time.Saturday, "sunday": time.Sunday,
}

func relativeTerm(word string, t time.Time) (time.Time, error) {
	bad := fmt.Errorf("the term %q is not understood (write e.g. +3d, -1w, =1d, +monday)", shorten(word))
	if len(word) < 2 || !strings.ContainsAny(word[:1], "+-=") {
		return t, bad
	}
	sign, body := word[0], word[1:]
	if body == "week_start" && sign == '=' {
		return midnight(t.AddDate(0, 0, -(int(t.Weekday())+6)%7)), nil
	}
	if wd, ok := weekdays[body]; ok {
		return toWeekday(sign, wd, t), nil
	}
	n, err := strconv.Atoi(body[:len(body)-1])
	if err != nil || n < 0 || n > 100000 {
		return t, bad
	}
	unit := body[len(body)-1]
	if sign == '=' {
		return setUnit(unit, n, t, bad)
	}
	if sign == '-' {
		n = -n
	}
	switch unit {
	case 'd':
		return t.AddDate(0, 0, n), nil
	case 'w':
		return t.AddDate(0, 0, 7*n), nil
	case 'm':
		return addMonths(t, n), nil
	case 'y':
		return addMonths(t, 12*n), nil
	case 'H':
		return t.Add(time.Duration(n) * time.Hour), nil
	case 'M':
		return t.Add(time.Duration(n) * time.Minute), nil
	case 'S':
		return t.Add(time.Duration(n) * time.Second), nil
	}
	return t, bad
}

// toWeekday goes to the next (+), last (-) or this week's (=) day.
func toWeekday(sign byte, wd time.Weekday, t time.Time) time.Time {
	diff := (int(wd) - int(t.Weekday()) + 7) % 7
	switch sign {
	case '-':
		diff = -((7 - diff) % 7)
	case '=':
		diff = (int(wd)+6)%7 - (int(t.Weekday())+6)%7
	}
	return t.AddDate(0, 0, diff)
}

// addMonths keeps the day inside the month, as dateutil's relativedelta does.
func addMonths(t time.Time, n int) time.Time {
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, t.Hour(), t.Minute(), t.Second(), 0, t.Location())
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}

// setUnit sets one part; the smaller ones begin anew.
func setUnit(unit byte, n int, t time.Time, bad error) (time.Time, error) {
	y, mo, d := t.Date()
	loc := t.Location()
	switch unit {
	case 'y':
		return time.Date(n, 1, 1, 0, 0, 0, 0, loc), nil
	case 'm':
		return time.Date(y, time.Month(n), 1, 0, 0, 0, 0, loc), nil
	case 'd':
		return time.Date(y, mo, n, 0, 0, 0, 0, loc), nil
	case 'H':
		return time.Date(y, mo, d, n, 0, 0, 0, loc), nil
	case 'M':
		return time.Date(y, mo, d, t.Hour(), n, 0, 0, loc), nil
	case 'S':
		return time.Date(y, mo, d, t.Hour(), t.Minute(), n, 0, loc), nil
	}
	return t, bad
}
