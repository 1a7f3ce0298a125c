package record

import (
	"slices"
	"strings"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// groupKey is one member of GroupBy.
type groupKey struct {
	col    backend.GroupColumn
	column int    // of the inner statement
	name   string // the display name, where the key is a record
	nameAt int    // its column of the outer statement
	kind   readKind
	// zone is where the periods of a moment begin; nil: not a period.
	zone *time.Location
	// model is that of the records that a key names, and orders by.
	model *schema.Model
	// property is set where the key is one.
	property *property
}

// addKey compiles a member of GroupBy.
func (g *grouping) addKey(spec string) error {
	path, granularity, err := backend.SplitSpec(spec)
	if err != nil {
		return err
	}
	k := &groupKey{col: backend.GroupColumn{Name: spec, Func: granularity}}
	f := g.f
	for {
		field, err := g.c.groupField(f.model, path[0])
		if err != nil {
			return err
		}
		k.col.Path = append(k.col.Path, field)
		path = path[1:]
		if field.Type == schema.Properties {
			return g.addPropertyKey(f, k, path)
		}
		if len(path) == 0 {
			break
		}
		if f, err = f.follow(field, spec); err != nil {
			return err
		}
	}
	expr, err := g.keyExpr(f, k)
	if err != nil {
		return err
	}
	k.column = g.column(expr)
	if k.model != nil {
		if k.name, err = g.c.nameOf(k.model, ref(k.column)); err != nil {
			return err
		}
	}
	g.keys = append(g.keys, k)
	g.out.By = append(g.out.By, k.col)
	return nil
}

// groupField finds a field to group by or to put together.
func (c *compiler) groupField(m *schema.Model, name string) (*schema.Field, error) {
	field, err := c.field(m, name, "a grouping")
	if err == nil || !fault.Is(err, fault.Forbidden) {
		return field, err
	}
	if field := m.Field(name); !field.Store && !field.Inherited && len(field.Related) > 0 {
		// Odoo looks at the field that it leads to, as superuser.
		return nil, backend.CannotProve(backend.PythonAccess, m.Name+"."+name, "groups of a related field")
	}
	return nil, err
}

// follow joins the records that a many2one of a path leads to, as far as the
// caller may see them.
func (f *from) follow(field *schema.Field, spec string) (*from, error) {
	if field.Type != schema.Many2one {
		return nil, fault.Newf(fault.BadRequest, "Cannot group by %s: %s is no many2one field", backend.Shorten(spec), field.Name)
	}
	target, err := f.c.comodel(field)
	if err != nil {
		return nil, err
	}
	if err := f.c.allowed(target.Name); err != nil {
		return nil, err
	}
	if err := f.c.searchable(target); err != nil {
		return nil, err
	}
	link, err := f.groupValue(field)
	if err != nil {
		return nil, err
	}
	sub := f.c.from(target)
	rules, err := sub.rules(schema.Read)
	if err != nil {
		return nil, err
	}
	if rules == "true" {
		return f.joinTo(target, quote(target.Table), link), nil
	}
	return f.joinTo(target, "(select "+sub.alias+".* from "+sub.sql()+" where "+rules+")", link), nil
}

// joinTo joins the records of a model, a table or a subquery of it, by id.
func (f *from) joinTo(m *schema.Model, table, id string) *from {
	alias := f.c.alias()
	f.joins.WriteString(" left join " + table + " " + alias + " on " + alias + ".id = " + id)
	return f.at(m, alias)
}

// groupValue is the value of a field. What is not stored has none; that is an
// answer of Odoo's too, unless its code turns the field into SQL.
func (f *from) groupValue(field *schema.Field) (string, error) {
	if field.Type.IsX2many() || field.Attached {
		return "", notGrouped(field)
	}
	if !field.Store && len(field.Related) == 0 && (field.SQL == "" || field.ShownOnly) {
		if field.Manual || !f.codeGroups(field) {
			return "", notGrouped(field)
		}
		return "", backend.CannotProve(backend.NotStored, field.Model.Name+"."+field.Name, "groups")
	}
	if field.Store && f.codeGroups(field) && field.Type == schema.JSON {
		return "", backend.CannotProve(backend.ValueShape, field.Model.Name+"."+field.Name, "groups")
	}
	return f.value(field)
}

// codeGroups says whether Odoo's code may know how to group by a field that
// has no column, or put its values together.
func (f *from) codeGroups(field *schema.Field) bool {
	return field.PythonSearch || f.model.Python.Groups
}

func notGrouped(field *schema.Field) error {
	return fault.Newf(fault.BadRequest, "Cannot group by the field %s of %s or put its values together: it is no single stored value",
		field.Name, field.Model.Name).With(fault.FieldErrors{field.Name: "not stored"})
}

// keyExpr is the expression of a key; it says how the key is read and named.
func (g *grouping) keyExpr(f *from, k *groupKey) (string, error) {
	field := k.col.Field()
	isTime := field.Type == schema.Date || field.Type == schema.Datetime
	if k.col.Func != "" && !isTime {
		return "", fault.Newf(fault.BadRequest, "Cannot group by %s: a granularity goes with dates, %s is none", backend.Shorten(k.col.Name), field.Name)
	}
	if field.Type == schema.Many2many {
		return f.linkKey(field, k)
	}
	expr, err := f.groupValue(field)
	if err != nil {
		return "", err
	}
	switch field.Type {
	case schema.Date, schema.Datetime:
		return g.timeKey(field, k, expr)
	case schema.Many2one:
		k.kind = readRef
		k.model, err = g.c.comodel(field)
		return expr, err
	case schema.Boolean:
		k.kind = readBool
		return "coalesce(" + expr + ", false)", nil
	case schema.Integer, schema.Many2oneReference:
		k.kind = readInt
		if field.Name == "id" {
			k.kind, k.model = readRef, f.model
		}
	case schema.Float, schema.Monetary:
		k.kind = readFloat
	case schema.Binary, schema.JSON, schema.PropertiesDefinition:
		return "", backend.CannotProve(backend.ValueShape, field.Model.Name+"."+field.Name, "groups")
	default:
		k.kind = readText
	}
	return expr, nil
}

// timeKey is the beginning of a period on the wall clock, or a part of a date.
func (g *grouping) timeKey(field *schema.Field, k *groupKey, expr string) (string, error) {
	tz, granularity := "", k.col.Func
	if field.Type == schema.Datetime {
		tz = g.c.actor.tz
	}
	switch {
	case granularity == "":
		return "", fault.Newf(fault.BadRequest, "Cannot group by %s without a granularity: write %s:month", field.Name, backend.Shorten(k.col.Name))
	case slices.Contains(backend.Periods(), granularity):
		k.kind, k.zone = readDatetime, time.UTC
		if field.Type == schema.Date {
			k.kind = readDate
		} else if loc, err := time.LoadLocation(tz); err == nil {
			k.zone = loc
		}
		return g.c.d.DateTrunc(granularity, expr, tz, g.lang.WeekStart-1), nil
	case granularity == "second_number":
		k.kind = readFloat
		return g.c.d.Seconds(expr, tz), nil
	case slices.Contains(sqldb.DateParts(), granularity):
		k.kind = readFloat
		return g.c.d.DatePart(granularity, expr, tz), nil
	}
	return "", fault.Newf(fault.BadRequest, "Cannot group by %s: %q is no granularity; known are %s", field.Name, backend.Shorten(granularity),
		strings.Join(append(backend.Periods(), sqldb.DateParts()...), ", "))
}

// linkKey joins the links of a many2many: a record counts for every linked one
// that the caller may see, or once without any.
func (f *from) linkKey(field *schema.Field, k *groupKey) (string, error) {
	f, field, err := f.owner(field)
	if err != nil {
		return "", err
	}
	if !field.Store || field.Type != schema.Many2many {
		return "", notGrouped(field)
	}
	target, err := f.c.comodel(field)
	if err != nil {
		return "", err
	}
	cond, err := f.linkable(field, target)
	if err != nil {
		return "", err
	}
	k.kind, k.model = readRef, target
	r := f.c.alias()
	linked := r + "." + quote(field.Column2)
	f.joins.WriteString(" left join " + quote(field.RelTable) + " " + r + " on " + r + "." + quote(field.Column1) + " = " + f.alias + ".id")
	if cond != "" {
		f.joins.WriteString(" and " + linked + " in (" + cond + ")")
	}
	return linked, nil
}

// linkable is the subquery of the records that a many2many shows; "" for all.
func (f *from) linkable(field *schema.Field, target *schema.Model) (string, error) {
	if !field.NoRules {
		if err := f.c.allowed(target.Name); err != nil {
			return "", err
		}
	}
	if err := f.c.searchable(target); err != nil {
		return "", err
	}
	own, err := f.c.x2manyDomain(target, field, domain.Const(true))
	if err != nil {
		return "", err
	}
	sub := f.c.from(target)
	cond, err := sub.where(own)
	if err != nil {
		return "", err
	}
	if !field.NoRules {
		rules, err := sub.rules(schema.Read)
		if err != nil {
			return "", err
		}
		cond = conj(cond, rules)
	}
	if cond == "true" {
		return "", nil
	}
	return "select " + sub.alias + ".id from " + sub.sql() + " where " + cond, nil
}

// owner joins the way to the model that a field got from elsewhere belongs to,
// as superuser.
func (f *from) owner(field *schema.Field) (*from, *schema.Field, error) {
	for !field.Store && len(field.Related) > 0 {
		for _, name := range field.Related[:len(field.Related)-1] {
			step := f.model.Field(name)
			if step == nil || step.Type != schema.Many2one {
				return nil, nil, notGrouped(field)
			}
			target, err := f.c.comodel(step)
			if err != nil {
				return nil, nil, err
			}
			link, err := f.value(step)
			if err != nil {
				return nil, nil, err
			}
			f = f.joinTo(target, quote(target.Table), link)
		}
		next := f.model.Field(field.Related[len(field.Related)-1])
		if next == nil {
			return nil, nil, notGrouped(field)
		}
		field = next
	}
	return f, field, nil
}

// nameOf is the display name of a record by its id, as superuser.
func (c *compiler) nameOf(m *schema.Model, id string) (string, error) {
	sub := c.from(m)
	name, err := sub.sudo(sub.displayName)
	if err != nil {
		return "", err
	}
	return "(select " + name + " from " + sub.sql() + " where " + sub.alias + ".id = " + id + ")", nil
}

// read takes a key out of a row.
func (k *groupKey) read(r sqldb.Row) backend.GroupKey {
	if r.Null(k.column) {
		return backend.GroupKey{}
	}
	key := backend.GroupKey{}
	switch {
	case k.property != nil && k.kind == readJSON:
		return backend.GroupKey{Value: propertyKey(r.Text(k.column))}
	case k.zone != nil:
		start := backend.DatetimeValue(r.Time(k.column))
		if k.kind == readDate {
			start = backend.DateValue(r.Time(k.column))
		}
		return backend.PeriodKey(start, k.col.Func, k.zone)
	case k.kind == readRef:
		key.Value = backend.RefValue(r.Int(k.column), r.Text(k.nameAt))
	default:
		key.Value = reader{k.kind, k.column}.read(r)
	}
	return key
}
