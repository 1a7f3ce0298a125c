package odoocall

import (
	"fmt"
	"strings"
	"time"

	"gatehouse/internal/backend"
)

// calendar is how a language writes days, months and quarters (facts of the
// Unicode CLDR).
type calendar struct {
	months  string // full names, standing alone or with a year
	short   string // with a day
	quarter string // the letter before its number
	// iso says that weeks begin on Monday and the first has four days of the
	// year; else they begin on Sunday and the first has January 1.
	iso bool
}

// calendarOf knows the languages whose names are certain.
func calendarOf(lang string) (calendar, bool) {
	switch lang {
	case "en_US":
		return calendar{
			months:  "January February March April May June July August September October November December",
			short:   "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
			quarter: "Q",
		}, true
	case "fr_FR":
		return calendar{
			months:  "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
			short:   "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
			quarter: "T", iso: true,
		}, true
	case "de_DE":
		return calendar{
			months:  "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
			short:   "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
			quarter: "Q", iso: true,
		}, true
	}
	return calendar{}, false
}

// periodLabel names a period that begins when a clock shows start.
func periodLabel(lang, granularity string, start time.Time) (string, error) {
	c, known := calendarOf(lang)
	if !known {
		return "", backend.CannotProve(backend.ValueShape, lang, "names of days and months")
	}
	month := func(names string) string { return strings.Fields(names)[start.Month()-1] }
	switch granularity {
	case "hour":
		hour := (start.Hour()+11)%12 + 1
		return fmt.Sprintf("%02d:00 %02d %s", hour, start.Day(), month(c.short)), nil
	case "day":
		return fmt.Sprintf("%02d %s %04d", start.Day(), month(c.short), start.Year()), nil
	case "week":
		year, week := c.week(start)
		return fmt.Sprintf("W%d %04d", week, year), nil
	case "month":
		return fmt.Sprintf("%s %04d", month(c.months), start.Year()), nil
	case "quarter":
		return fmt.Sprintf("%s%d %04d", c.quarter, (start.Month()-1)/3+1, start.Year()), nil
	}
	return fmt.Sprintf("%04d", start.Year()), nil
}

// week numbers weeks: a week with January 1 is the first of that year, even if
// it begins in the year before.
func (c calendar) week(day time.Time) (year, week int) {
	if c.iso {
		return day.ISOWeek()
	}
	day = time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC)
	first := func(year int) time.Time {
		jan := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		return jan.AddDate(0, 0, -int(jan.Weekday()))
	}
	year = day.Year()
	if !day.Before(first(year + 1)) {
		return year + 1, 1
	}
	return year, int(day.Sub(first(year)).Hours()/24)/7 + 1
}
