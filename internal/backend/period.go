package backend

import "time"

// Periods are the granularities that cut time into pieces; the others take a
// number out of a date.
func Periods() []string { return []string{"hour", "day", "week", "month", "quarter", "year"} }

// GroupFunctions are those that put values together.
func GroupFunctions() []string {
	return []string{
		"sum", "avg", "min", "max", "count", "count_distinct", "bool_and", "bool_or", "array_agg", "array_agg_distinct", "sum_currency",
	}
}

// PeriodKey is the key of a period that begins when a clock in the zone shows
// what start holds, a Date or a Datetime.
func PeriodKey(start Value, granularity string, zone *time.Location) GroupKey {
	from := start.Time()
	to := from
	switch granularity {
	case "hour":
		to = from.Add(time.Hour)
	case "day":
		to = from.AddDate(0, 0, 1)
	case "week":
		to = from.AddDate(0, 0, 7)
	case "month":
		to = from.AddDate(0, 1, 0)
	case "quarter":
		to = from.AddDate(0, 3, 0)
	case "year":
		to = from.AddDate(1, 0, 0)
	}
	if start.Kind == Datetime {
		from, to = onClock(from, zone), onClock(to, zone)
	}
	return GroupKey{Value: start, From: from, To: to}
}

// onClock is the moment at which clocks of a zone show wall. Of two such moments
// it is the later; an hour that clocks leave out is counted on from before the
// change.
func onClock(wall time.Time, zone *time.Location) time.Time {
	at := func(near time.Time) time.Time {
		_, offset := near.In(zone).Zone()
		return wall.Add(-time.Duration(offset) * time.Second)
	}
	before, after := at(wall.Add(-26*time.Hour)), at(wall.Add(26*time.Hour))
	if _, offset := after.In(zone).Zone(); after.Add(time.Duration(offset) * time.Second).Equal(wall) {
		return after
	}
	return before
}
