package record

import (
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// moment is a date or datetime operand of a domain.
type moment struct {
	start time.Time // in UTC
	// day says that only a day was given: start is its local midnight and next
	// 24 hours later.
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
	if t, day, ok := isoTime(text); ok {
		switch {
		case !day:
			return moment{start: t}, nil
		case field.Type == schema.Date || t.Year() == 1 || t.Year() == 9999:
			return aDay(t), nil
		}
		return aDay(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, f.c.zone())), nil
	}
	f.c.volatile = true
	t, day, err := relativeTime(text, f.c.now().In(f.c.zone()), f.c.weekStart())
	if err != nil {
		return moment{}, badOperand(field, "expected a date such as 2026-01-31 or 2026-01-31 10:30:00: "+err.Error())
	}
	if field.Type == schema.Date && day {
		t = time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	}
	// Relative days are moments by the time that they are compared.
	return moment{start: t.UTC()}, nil
}

// aDay is the day that begins at a moment. Odoo counts on 24 hours, also where
// the clocks change.
func aDay(t time.Time) moment {
	return moment{t.UTC(), true, t.Add(24 * time.Hour).UTC()}
}

// weekStart is the first day of the user's week, 1 = Monday … 7 = Sunday.
func (c *compiler) weekStart() int {
	if lang, ok := c.reg.Langs[c.actor.user.Lang]; ok && lang.WeekStart > 0 {
		return lang.WeekStart
	}
	return 7
}

// inCalendar refuses moments after the last year that databases and Odoo know.
func inCalendar(field *schema.Field, t time.Time) error {
	if beyond(t) {
		return badOperand(field, "is compared with a moment after the year 9999")
	}
	return nil
}

func beyond(t time.Time) bool { return t.Year() > 9999 }

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
	var either []string
	for _, v := range list {
		if v == false {
			either = append(either, expr+" is null")
			continue
		}
		m, err := f.momentOf(field, v)
		if err == nil && field.Type == schema.Datetime {
			err = inCalendar(field, m.start.Add(time.Second))
		}
		if err != nil {
			return "", staged(formStage, err)
		}
		one := expr + " = " + f.timeArg(field, m.start)
		if field.Type == schema.Datetime {
			one = expr + " >= " + f.timeArg(field, m.start) + " and " + expr + " < " + f.timeArg(field, m.start.Add(time.Second))
		}
		either = append(either, one)
	}
	cond := "false"
	if len(either) > 0 {
		cond = joined(either, " or ")
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
	if list, isList := value.([]any); isList && len(list) == 0 && field.Type == schema.Date {
		return never, nil // no day at all, which compares with none
	}
	m, err := f.momentOf(field, value)
	if err != nil {
		return "", staged(formStage, err)
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
	op, value := l.Op, l.Value
	if op == domain.OpEqMaybe { // of something; nothing is a constant
		op = domain.OpEq
	}
	op, value = setForm(op, value)
	op, value, _, err = settle(field, op, value)
	if err != nil {
		return "", atLeaf(l, err)
	}
	cond, err := f.partCondition(field, f.c.d.DatePart(part, expr, tz), op, value)
	return cond, atLeaf(l, err)
}

// partCondition compares a part of a date as the database does: with numbers,
// and with texts that it can read as one.
func (f *from) partCondition(field *schema.Field, expr string, op domain.Op, value any) (string, error) {
	if op.IsPattern() {
		number := &schema.Field{Name: field.Name, Type: schema.Many2oneReference, Model: f.model}
		return f.pattern(number, expr, op, value)
	}
	if op != domain.OpIn && op != domain.OpNotIn {
		n, err := partNumber(field, value)
		return expr + " " + string(op) + " cast(" + f.c.arg(n) + " as double precision)", err
	}
	unset := false
	var marks []string
	for _, v := range pySet(listOf(value)) {
		if v == nil || v == false {
			unset = true
			continue
		}
		n, err := partNumber(field, v)
		if err != nil {
			return "", err
		}
		marks = append(marks, "cast("+f.c.arg(n)+" as double precision)")
	}
	cond := "false"
	if len(marks) > 0 {
		cond = expr + " in (" + strings.Join(marks, ", ") + ")"
	}
	if unset {
		cond = disj(cond, expr+" is null")
	}
	if op == domain.OpNotIn {
		return negate(cond), nil
	}
	return cond, nil
}

// partNumber reads what the database would compare with a number.
func partNumber(field *schema.Field, v any) (float64, error) {
	switch v := v.(type) {
	case int64:
		return float64(v), nil
	case float64:
		return v, nil
	case string:
		text := strings.Trim(v, " \t\n\r\v\f")
		if x, err := strconv.ParseFloat(text, 64); err == nil && !strings.ContainsAny(text, "xXnN_") {
			return x, nil
		} else if err == nil {
			return 0, backend.CannotProve(backend.ValueShape, field.Model.Name+"."+field.Name, "an odd number")
		}
	}
	return 0, staged(storeStage, badOperand(field, "expected a number for a part of a date"))
}
