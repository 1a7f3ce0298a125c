package record

import (
	"strings"
	"time"

	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// moment is a date or datetime operand of a domain.
type moment struct {
	start time.Time // in UTC
	// day says that only a day was given: start is its local midnight and next
	// that of the day after.
	day  bool
	next time.Time
}

// zone is the time zone in which days of domains begin: the context's, else
// the user's own, else UTC.
func (c *compiler) zone() *time.Location {
	for _, name := range []string{c.actor.tz, c.actor.user.TZ} {
		if name == "" {
			continue
		}
		if loc, err := time.LoadLocation(name); err == nil {
			return loc
		}
	}
	return time.UTC
}

// momentOf reads the operand of a date or datetime condition.
func (f *from) momentOf(field *schema.Field, v any) (moment, error) {
	text, isText := v.(string)
	if !isText {
		return moment{}, badOperand(field, "expected a date such as 2026-01-31")
	}
	loc := f.c.zone()
	if field.Type == schema.Date {
		loc = time.UTC
	}
	if t, err := parseDay(text); err == nil {
		local := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, loc)
		return moment{notBefore1(local.UTC()), true, local.AddDate(0, 0, 1).UTC()}, nil
	}
	for _, layout := range []string{schema.DatetimeLayout, "2006-01-02T15:04:05", "2006-01-02 15:04:05.999999", "2006-01-02 15:04", "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			return moment{start: t.Truncate(time.Second)}, nil
		}
	}
	f.c.volatile = true
	t, day, err := relativeTime(text, f.c.now().In(f.c.zone()))
	if err != nil {
		return moment{}, badOperand(field, "expected a date such as 2026-01-31 or 2026-01-31 10:30:00: "+err.Error())
	}
	if field.Type == schema.Date {
		t = time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	}
	return moment{t.UTC(), day, t.AddDate(0, 0, 1).UTC()}, nil
}

// parseDay reads a day in one of the two forms of ISO 8601.
func parseDay(text string) (time.Time, error) {
	if t, err := time.Parse("20060102", text); err == nil {
		return t, nil
	}
	return time.Parse(schema.DateLayout, text)
}

// inCalendar refuses moments after the last year that databases and Odoo know.
func inCalendar(field *schema.Field, t time.Time) error {
	if beyond(t) {
		return badOperand(field, "is compared with a moment after the year 9999")
	}
	return nil
}

func beyond(t time.Time) bool { return t.Year() > 9999 }

// notBefore1 keeps a moment in the years that databases know: a zone east of
// Greenwich begins the year 1 in the year 0.
func notBefore1(t time.Time) time.Time {
	if first := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC); t.Before(first) {
		return first
	}
	return t
}

// timeArg is an argument that compares as the field's type.
func (f *from) timeArg(field *schema.Field, t time.Time) string {
	if field.Type == schema.Date {
		return "cast(" + f.c.arg(t.Format(schema.DateLayout)) + " as " + f.castDate() + ")"
	}
	return "cast(" + f.c.arg(t.Format(schema.DatetimeLayout)) + " as " + f.castTimestamp() + ")"
}

// castDate and castTimestamp: SQLite keeps both as text, and would read a cast
// to a date as one to a number.
func (f *from) castDate() string {
	if f.c.d.Name() == "sqlite" {
		return "text"
	}
	return "date"
}

func (f *from) castTimestamp() string {
	if f.c.d.Name() == "sqlite" {
		return "text"
	}
	return "timestamp"
}

// memberTime renders "in" on days and moments; moments are equal to the second.
func (f *from) memberTime(field *schema.Field, expr string, not bool, list []any) (string, error) {
	cond := "false"
	for _, v := range list {
		if v == false {
			cond = disj(cond, expr+" is null")
			continue
		}
		m, err := f.momentOf(field, v)
		if err == nil && field.Type == schema.Datetime {
			err = inCalendar(field, m.start.Add(time.Second))
		}
		if err != nil {
			return "", err
		}
		one := expr + " = " + f.timeArg(field, m.start)
		if field.Type == schema.Datetime {
			one = expr + " >= " + f.timeArg(field, m.start) + " and " + expr + " < " + f.timeArg(field, m.start.Add(time.Second))
		}
		cond = disj(cond, one)
	}
	if not {
		return negate(cond), nil
	}
	return cond, nil
}

// compareTime renders inequalities; a day stands for all of its seconds.
func (f *from) compareTime(field *schema.Field, expr string, op domain.Op, value any) (string, error) {
	if value == nil || value == false {
		return "false", nil
	}
	m, err := f.momentOf(field, value)
	if err != nil {
		return "", err
	}
	if field.Type == schema.Date {
		return expr + " " + string(op) + " " + f.timeArg(field, m.start), nil
	}
	after := m.start.Add(time.Second)
	if m.day {
		after = m.next
	}
	never := beyond(after) // no moment is that late
	switch op {
	case domain.OpLt:
		return expr + " < " + f.timeArg(field, m.start), nil
	case domain.OpGe:
		return expr + " >= " + f.timeArg(field, m.start), nil
	case domain.OpLe:
		if never {
			return expr + " is not null", nil
		}
		return expr + " < " + f.timeArg(field, after), nil
	}
	if never {
		return "false", nil
	}
	return expr + " >= " + f.timeArg(field, after), nil
}

// datePart renders a condition on a part of a date, such as
// create_date.month_number, in the context's time zone.
func (f *from) datePart(l *domain.Leaf, field *schema.Field, part string) (string, error) {
	expr, err := f.value(field)
	if err != nil {
		return "", err
	}
	tz := f.c.actor.tz
	if field.Type == schema.Date {
		tz = ""
	}
	known := false
	for _, p := range sqldb.DateParts() {
		known = known || p == part
	}
	if !known {
		return "", atLeaf(l, fault.Newf(fault.BadRequest, "Invalid domain: %q is no part of a date; known are %s", part, strings.Join(sqldb.DateParts(), ", ")))
	}
	op, value := setForm(l.Op, l.Value)
	number := &schema.Field{Name: field.Name + "." + part, Type: schema.Many2oneReference, Model: f.model}
	cond, err := f.scalar(number, f.c.d.DatePart(part, expr, tz), op, value)
	if err != nil {
		return "", atLeaf(l, err)
	}
	return cond, nil
}
