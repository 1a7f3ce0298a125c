package record

import (
	"fmt"
	"strings"
	"time"

	"gatehouse/internal/backend"
)

// relative is a moment while the terms of a relative one are applied to it:
// what a clock shows, without a zone.
type relative struct {
	clock time.Time // in UTC
	// day says that it is a day, which has no clock.
	day bool
	// plain says that a day got a clock on the way; nobody minds zones then.
	plain bool
}

// relativeTime reads Odoo's relative moments: "today" or "now", then terms
// such as +3d, -1w, =1d, +monday, =week_start. now is in the zone that days
// begin in; weekStart is the first day of the week, 1 = Monday … 7 = Sunday.
// day says that the result is a day rather than a moment.
func relativeTime(text string, now time.Time, weekStart int) (t time.Time, day bool, err error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return t, false, fmt.Errorf("found an empty text")
	}
	now = now.Truncate(time.Second)
	r := relative{clock: onClock(now)}
	switch words[0] {
	case "today":
		r.clock, r.day, words = midnight(r.clock), true, words[1:]
	case "now":
		words = words[1:]
	default:
		if !strings.ContainsAny(words[0][:1], "+-=") {
			return t, false, fmt.Errorf("found %q", backend.Shorten(text))
		}
	}
	for _, w := range words {
		if r, err = r.term(w, weekStart); err != nil {
			return t, false, err
		}
		if y := r.clock.Year(); y < 1 || y > 9999 {
			return t, false, fmt.Errorf("the term %q leads out of the calendar", backend.Shorten(w))
		}
	}
	return r.in(now), r.day, nil
}

// onClock is what the clock shows at a moment.
func onClock(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.Add(time.Duration(offset) * time.Second).UTC()
}

// in is the moment itself. One that was reckoned from now keeps the offset of
// now, also beyond a change of the clocks.
func (r relative) in(now time.Time) time.Time {
	switch {
	case r.plain:
		return r.clock
	case r.day:
		y, m, d := r.clock.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, now.Location())
	}
	_, offset := now.Zone()
	return r.clock.Add(-time.Duration(offset) * time.Second)
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

var weekdays = map[string]int{
	"monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6,
}

func (r relative) term(word string, weekStart int) (relative, error) {
	bad := fmt.Errorf("the term %q is not understood (write e.g. +3d, -1w, =1d, +monday)", backend.Shorten(word))
	if len(word) < 3 || !strings.ContainsAny(word[:1], "+-=") {
		return r, bad
	}
	sign, body := word[0], word[1:]
	if wd, ok := weekdays[body]; ok || body == "week_start" {
		if !ok {
			wd = weekStart - 1
		}
		return r.toWeekday(sign, wd, weekStart-1), nil
	}
	number, unit := body[:len(body)-1], body[len(body)-1]
	if sign != '=' {
		number = word[:len(word)-1]
	}
	n, err := pyInt(number)
	if err != nil || n > 4_000_000 || n < -4_000_000 {
		return r, bad
	}
	if sign == '=' {
		return r.set(unit, int(n), bad)
	}
	return r.add(unit, int(n), bad)
}

// add moves by a number of units. A day that is moved by hours is a day no more.
func (r relative) add(unit byte, n int, bad error) (relative, error) {
	step := time.Duration(0)
	switch unit {
	case 'd':
		r.clock = r.clock.AddDate(0, 0, n)
	case 'w':
		r.clock = r.clock.AddDate(0, 0, 7*n)
	case 'm':
		r.clock = addMonths(r.clock, n)
	case 'y':
		r.clock = addMonths(r.clock, 12*n)
	case 'H':
		step = time.Hour
	case 'M':
		step = time.Minute
	case 'S':
		step = time.Second
	default:
		return r, bad
	}
	if step > 0 && n != 0 {
		r = r.withClock()
		r.clock = r.clock.Add(time.Duration(n) * step)
	}
	return r, nil
}

func (r relative) withClock() relative {
	r.plain, r.day = r.plain || r.day, false
	return r
}

// toWeekday goes to a day of this week (=), or to the next (+) or last (-) such
// day, which may be the day itself. first is the first day of the week.
func (r relative) toWeekday(sign byte, wd, first int) relative {
	inWeek := func(day int) int { return (day - first + 14) % 7 }
	diff := inWeek(wd) - inWeek((int(r.clock.Weekday())+6)%7)
	switch {
	case sign == '+' && diff < 0:
		diff += 7
	case sign == '-' && diff > 0:
		diff -= 7
	case sign == '=':
		r.clock = midnight(r.clock)
	}
	r.clock = r.clock.AddDate(0, 0, diff)
	return r
}

// addMonths keeps the day inside the month, as dateutil's relativedelta does.
func addMonths(t time.Time, n int) time.Time {
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, t.Hour(), t.Minute(), t.Second(), 0, t.Location())
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}

// set sets one part; the clock begins anew below it. A year, month or day of 0
// is left as it is, and a day after the month's last becomes that.
func (r relative) set(unit byte, n int, bad error) (relative, error) {
	y, mo, d := r.clock.Date()
	h, mi, s := r.clock.Clock()
	most, parts := map[byte]int{'y': 9999, 'm': 12, 'd': 1 << 30, 'H': 23, 'M': 59, 'S': 59}, true
	if limit, known := most[unit]; !known || n < 0 || n > limit {
		return r, bad
	}
	switch unit {
	case 'H':
		h, mi, s, parts = n, 0, 0, false
	case 'M':
		mi, s, parts = n, 0, false
	case 'S':
		s, parts = n, false
	}
	if !parts {
		r = r.withClock()
		r.clock = time.Date(y, mo, d, h, mi, s, 0, time.UTC)
		return r, nil
	}
	switch {
	case n == 0:
	case unit == 'y':
		y = n
	case unit == 'm':
		mo = time.Month(n)
	default:
		d = n
	}
	last := time.Date(y, mo+1, 0, 0, 0, 0, 0, time.UTC).Day()
	r.clock = time.Date(y, mo, min(d, last), 0, 0, 0, 0, time.UTC)
	return r, nil
}
