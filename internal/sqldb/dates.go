package sqldb

import "time"

// datePart computes Dialect.DatePart for SQLite.
func datePart(part string, t time.Time) int64 {
	switch part {
	case "year_number":
		return int64(t.Year())
	case "quarter_number":
		return int64(t.Month()-1)/3 + 1
	case "month_number":
		return int64(t.Month())
	case "iso_week_number":
		_, week := t.ISOWeek()
		return int64(week)
	case "day_of_year":
		return int64(t.YearDay())
	case "day_of_month":
		return int64(t.Day())
	case "day_of_week":
		return int64(t.Weekday())
	case "hour_number":
		return int64(t.Hour())
	case "minute_number":
		return int64(t.Minute())
	default:
		return int64(t.Second())
	}
}

// dateTrunc computes Dialect.DateTrunc for SQLite, from local time. The result
// is in UTC, which here means nothing: wall clocks have gaps, UTC has none.
func dateTrunc(granularity string, t time.Time, weekStart int) time.Time {
	year, month, day := t.Date()
	hour := 0
	switch granularity {
	case "hour":
		hour = t.Hour()
	case "week":
		sinceMonday := (int(t.Weekday()) + 6) % 7
		day -= mod7(sinceMonday - weekStart)
	case "month":
		day = 1
	case "quarter":
		month, day = (month-1)/3*3+1, 1
	case "year":
		month, day = 1, 1
	}
	return time.Date(year, month, day, hour, 0, 0, 0, time.UTC)
}
