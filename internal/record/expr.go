package record

import (
	"strconv"
	"strings"

	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// value is the SQL expression of a field's plain value in a FROM clause: a
// column, a path along related fields, or the expression of a computed field.
func (f *from) value(field *schema.Field) (string, error) {
	c := f.c
	switch {
	case field.Name == "display_name":
		return f.displayName()
	case field.SQL != "":
		return f.computed(field), nil
	case field.Inherited:
		up := f.parent(f.model.Field(field.Related[0]))
		target := up.model.Field(field.Related[1])
		if target == nil {
			return "", notReadable(field)
		}
		return up.value(target)
	case !field.Store && len(field.Related) > 0:
		return f.path(field.Related)
	case !field.HasColumn():
		return "", notReadable(field)
	case field.Translate:
		return c.translated(f.col(field)), nil
	case field.CompanyDependent:
		return f.perCompany(field), nil
	}
	return f.col(field), nil
}

// notReadable answers for fields whose value only Odoo's code could compute.
func notReadable(field *schema.Field) error {
	return fault.Newf(fault.BadRequest, "The field %s of %s is computed and not stored: it cannot be used here",
		field.Name, field.Model.Name).With(fault.FieldErrors{field.Name: "not stored"})
}

// computed fills in the template of a computed field.
func (f *from) computed(field *schema.Field) string {
	expr := strings.ReplaceAll(field.SQL, "{t}", f.alias)
	if strings.Contains(expr, "{companies}") {
		ids := make([]string, len(f.c.actor.companies))
		for i, id := range f.c.actor.companies {
			ids[i] = strconv.FormatInt(id, 10)
		}
		if len(ids) == 0 {
			ids = []string{"0"}
		}
		expr = strings.ReplaceAll(expr, "{companies}", "("+strings.Join(ids, ",")+")")
	}
	return "(" + expr + ")"
}

// translated picks the language of the context, else English.
func (c *compiler) translated(column string) string {
	if c.actor.lang == "" || c.actor.lang == "en_US" {
		return c.d.JSONText(column, "en_US")
	}
	return "coalesce(" + c.d.JSONText(column, c.actor.lang) + ", " + c.d.JSONText(column, "en_US") + ")"
}

// perCompany is the value for the current company, else the fall-back of
// ir.default (semantics, section 9).
func (f *from) perCompany(field *schema.Field) string {
	c := f.c
	expr := c.d.JSONText(f.col(field), strconv.FormatInt(c.actor.company, 10))
	typed := func(sqlType string) string { return "cast(" + expr + " as " + sqlType + ")" }
	switch field.Type {
	case schema.Integer, schema.Many2one:
		expr = typed("integer")
	case schema.Float, schema.Monetary:
		expr = typed("double precision")
	case schema.Boolean:
		// PostgreSQL writes JSON's true as "true", SQLite as 1.
		expr = "(" + expr + " in ('true', '1'))"
	}
	fallback, ok := c.fallback(field)
	if !ok {
		return expr
	}
	return "coalesce(" + expr + ", " + c.arg(fallback) + ")"
}

// fallback is the value of ir.default that stands in where a company has none:
// rows for nobody or the superuser, the one of the company before the general.
func (c *compiler) fallback(field *schema.Field) (any, bool) {
	best, found := "", false
	for _, d := range c.reg.Default[field.ID] {
		if d.UserID > 1 || (d.CompanyID != 0 && d.CompanyID != c.actor.company) {
			continue
		}
		if !found || d.CompanyID != 0 {
			best, found = d.JSON, true
		}
	}
	if !found {
		return nil, false
	}
	v, err := decodeDefault(field, best)
	return v, err == nil && v != nil
}

// path follows related fields: the last one's value, read as superuser.
func (f *from) path(steps []string) (string, error) {
	field := f.model.Field(steps[0])
	if field == nil || field.Secret { // whatever leads there: a related field, a record rule
		return "", fault.Newf(fault.BadRequest, "Unknown field %s in %s", steps[0], f.model.Name)
	}
	if len(steps) == 1 {
		return f.value(field)
	}
	next := f.c.reg.Model(field.Relation)
	if field.Type != schema.Many2one || next == nil {
		return "", notReadable(field)
	}
	link, err := f.value(field)
	if err != nil {
		return "", err
	}
	sub := f.c.from(next)
	expr, err := sub.path(steps[1:])
	if err != nil {
		return "", err
	}
	return "(select " + expr + " from " + sub.sql() + " where " + sub.alias + ".id = " + link + ")", nil
}

// displayName is the expression of a record's name (semantics, section 11).
func (f *from) displayName() (string, error) {
	m := f.model
	if len(m.NameParts) > 0 {
		return f.nameParts()
	}
	if field := m.Field(m.RecName); field != nil && field.Name != "display_name" {
		if field.Type == schema.Many2one {
			return f.refName(field)
		}
		expr, err := f.value(field)
		if err != nil || field.Type.IsText() {
			return expr, err
		}
		return f.c.d.CastText(expr, field.ColumnKind()), nil
	}
	return "'" + m.Name + ",' || cast(" + f.alias + ".id as text)", nil
}

func (f *from) nameParts() (string, error) {
	var parts []string
	for _, p := range f.model.NameParts {
		expr, err := f.path(strings.Split(p.Path, "."))
		if err != nil {
			return "", err
		}
		if p.Before == "" && p.After == "" {
			parts = append(parts, "coalesce("+expr+", '')")
			continue
		}
		parts = append(parts, "case when "+expr+" <> '' then "+quoteText(p.Before)+" || "+expr+" || "+quoteText(p.After)+" else '' end")
	}
	return "(" + strings.Join(parts, " || ") + ")", nil
}

// refName is the display name of a many2one's target, computed as superuser:
// Odoo shows it even where the target itself may not be read.
func (f *from) refName(field *schema.Field) (string, error) {
	target := f.c.reg.Model(field.Relation)
	if target == nil {
		return "null", nil
	}
	link, err := f.value(field)
	if err != nil {
		return "", err
	}
	sub := f.c.from(target)
	name, err := sub.sudo(sub.displayName)
	if err != nil {
		return "", err
	}
	return "(select " + name + " from " + sub.sql() + " where " + sub.alias + ".id = " + link + ")", nil
}

// quoteText is a text literal of SQL.
func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
