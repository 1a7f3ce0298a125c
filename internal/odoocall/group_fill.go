package odoocall

import (
	"slices"
	"sort"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// filling is the context's fill_temporal: periods without records are shown too.
type filling struct {
	from, to  time.Time // zero: what there is decides
	minGroups int
}

// readFilling reads fill_temporal; false when it is not asked for.
func (c *call) readFilling() (filling, bool, error) {
	v := c.contextValue("fill_temporal")
	given, isDict := v.(map[string]any)
	if !isDict {
		return filling{}, !falsy(v), nil
	}
	var f filling
	for key, v := range given {
		switch key {
		case "fill_from", "fill_to":
			if falsy(v) {
				continue
			}
			text, _ := v.(string)
			day, err := time.Parse(schema.DateLayout, text[:min(len(text), len(schema.DateLayout))])
			if err != nil {
				return f, true, fault.Newf(fault.BadRequest, "fill_temporal.%s must be a date", key)
			}
			if key == "fill_from" {
				f.from = day
			} else {
				f.to = day
			}
		case "min_groups":
			if n, ok := integer(v); ok {
				f.minGroups = int(n)
			} else if b, isBool := v.(bool); !isBool || b {
				return f, true, backend.CannotProve(backend.ContextKey, "fill_temporal", key)
			}
		default:
			return f, true, fault.Newf(fault.BadRequest, "fill_temporal has no %s", key)
		}
	}
	return f, true, nil
}

// fill adds the periods without records between the first and the last.
func (c *call) fill(q *backend.GroupQuery, groups *backend.Groups) error {
	f, asked, err := c.readFilling()
	if err != nil || !asked || len(q.GroupBy) == 0 {
		return err
	}
	if q.Limit > 0 || q.Offset > 0 {
		return fault.New(fault.BadRequest, "fill_temporal goes with neither limit nor offset")
	}
	if len(groups.By) == 0 {
		if f.from.IsZero() && f.to.IsZero() {
			return nil
		}
		return backend.CannotProve(backend.ContextKey, "fill_temporal", "no groups")
	}
	col := &groups.By[0]
	if t := col.Path[0].Type; t != schema.Date && t != schema.Datetime {
		return nil
	}
	bounded := !f.from.IsZero() || !f.to.IsZero()
	some := slices.ContainsFunc(groups.Rows, func(g backend.Group) bool { return !noKey(&g.Keys[0]) })
	switch {
	case !bounded && !some:
		return nil
	case !isPeriod(col.Func):
		return fault.Newf(fault.BadRequest, "fill_temporal does not go with %s", col.Name)
	case bounded && (col.Path[0].Type == schema.Datetime || col.Func == "hour"):
		return backend.CannotProve(backend.ContextKey, "fill_temporal", "bounds of moments")
	case bounded && col.Func == "week":
		return backend.CannotProve(backend.ContextKey, "fill_temporal", "bounds of weeks")
	}
	c.fillRows(groups, f)
	return nil
}

// fillRows puts the groups in order of time, with empty ones in the gaps, and
// those without a date last.
func (c *call) fillRows(groups *backend.Groups, f filling) {
	col := &groups.By[0]
	byStart := map[int64][]backend.Group{}
	var starts []time.Time
	var none []backend.Group
	for _, g := range groups.Rows {
		key := &g.Keys[0]
		if noKey(key) {
			none = append(none, g)
			continue
		}
		start := key.Time()
		if byStart[start.Unix()] == nil {
			starts = append(starts, start)
		}
		byStart[start.Unix()] = append(byStart[start.Unix()], g)
	}
	sortTimes(starts)
	first, last, ok := f.bounds(starts, col.Func)
	if !ok {
		return
	}
	for t := first; !t.After(last); t = nextPeriod(t, col.Func) {
		if byStart[t.Unix()] == nil {
			byStart[t.Unix()] = []backend.Group{c.emptyGroup(groups, t)}
			starts = append(starts, t)
		}
	}
	sortTimes(starts)
	rows := make([]backend.Group, 0, len(starts)+len(none))
	for _, t := range starts {
		rows = append(rows, byStart[t.Unix()]...)
	}
	groups.Rows = append(rows, none...)
}

func sortTimes(times []time.Time) {
	sort.Slice(times, func(i, j int) bool { return times[i].Before(times[j]) })
}

// bounds are the first and the last period to show.
func (f filling) bounds(starts []time.Time, granularity string) (first, last time.Time, ok bool) {
	if len(starts) > 0 {
		first, last = starts[0], starts[len(starts)-1]
	}
	if !f.from.IsZero() {
		first = startOf(f.from, granularity)
	}
	if !f.to.IsZero() {
		last = startOf(f.to, granularity)
	}
	if last.IsZero() {
		last = first
	}
	if first.IsZero() {
		first = last
	}
	for n, t := 1, first; n < f.minGroups; n++ {
		if t = nextPeriod(t, granularity); t.After(last) {
			last = t
		}
	}
	return first, last, !first.IsZero() && !first.After(last)
}

func startOf(day time.Time, granularity string) time.Time {
	year, month, d := day.Date()
	switch granularity {
	case "month":
		d = 1
	case "quarter":
		month, d = (month-1)/3*3+1, 1
	case "year":
		month, d = 1, 1
	}
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

func nextPeriod(t time.Time, granularity string) time.Time {
	switch granularity {
	case "hour":
		return t.Add(time.Hour)
	case "week":
		return t.AddDate(0, 0, 7)
	case "month":
		return t.AddDate(0, 1, 0)
	case "quarter":
		return t.AddDate(0, 3, 0)
	case "year":
		return t.AddDate(1, 0, 0)
	}
	return t.AddDate(0, 0, 1)
}

// emptyGroup is a period without records.
func (c *call) emptyGroup(groups *backend.Groups, start time.Time) backend.Group {
	g := backend.Group{Keys: make([]backend.GroupKey, len(groups.By)), Values: make([]backend.Value, len(groups.Aggregates))}
	col := &groups.By[0]
	value := backend.DatetimeValue(start)
	if col.Field().Type == schema.Date {
		value = backend.DateValue(start)
	}
	g.Keys[0] = backend.PeriodKey(value, col.Func, c.zone(col.Field()))
	for i := range groups.Aggregates {
		switch groups.Aggregates[i].Func {
		case "", "count", "count_distinct": // "" is __count
			g.Values[i] = backend.IntValue(0)
		case "array_agg", "array_agg_distinct":
			g.Values[i] = backend.RawValue("[]")
		}
	}
	return g
}

// zone is where the periods of a field begin.
func (c *call) zone(field *schema.Field) *time.Location {
	if field.Type == schema.Datetime {
		if loc, err := time.LoadLocation(c.caller.Context.TZ); err == nil {
			return loc
		}
	}
	return time.UTC
}
