package record

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/backend"
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
		return f.computed(field)
	case field.Inherited:
		up := f.parent(f.model.Field(field.Related[0]))
		target := up.model.Field(field.Related[1])
		if target == nil {
			return "", notReadable(field)
		}
		return up.value(target)
	case !field.Store && len(field.Related) > 0:
		return f.path(field.Related)
	case field.Attached && field.Store:
		return f.attached(field), nil
	case !field.HasColumn():
		return "", notReadable(field)
	case field.Translate:
		return c.translated(f.col(field)), cmp.Or(c.actor.langErr, c.oneLanguage(field))
	case field.CompanyDependent:
		return f.perCompany(field), c.actor.companyErr
	}
	return f.col(field), nil
}

// computed is the expression of a computed field.
func (f *from) computed(field *schema.Field) (string, error) {
	for _, key := range f.c.contextKeys {
		if slices.Contains(field.Contexts, key) {
			return "", backend.CannotProve(backend.ContextKey, key, field.Model.Name+"."+field.Name)
		}
	}
	return f.fill(field.SQL)
}

// oneLanguage refuses contexts that ask for the terms of all languages.
func (c *compiler) oneLanguage(field *schema.Field) error {
	for _, key := range []string{"prefetch_langs", "edit_translations"} {
		if slices.Contains(c.contextKeys, key) {
			return backend.CannotProve(backend.ContextKey, key, field.Model.Name+"."+field.Name)
		}
	}
	return nil
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
	company := strconv.FormatInt(c.actor.company, 10)
	expr := c.d.JSONText(f.col(field), company)
	typed := func(sqlType string) string { return "cast(" + expr + " as " + sqlType + ")" }
	switch field.Type {
	case schema.Integer:
		expr = typed("integer")
	case schema.Many2one:
		expr = typed("integer")
		if target := c.reg.Model(field.Relation); target != nil {
			// No foreign key empties a link to a record that is gone.
			expr = "(select id from " + quote(target.Table) + " where id = " + expr + ")"
		}
	case schema.Float, schema.Monetary:
		expr = typed("double precision")
	case schema.Date:
		expr = typed(f.castDate())
	case schema.Datetime:
		expr = typed(f.castTimestamp())
	case schema.Boolean:
		// PostgreSQL writes JSON's true as "true", SQLite as 1.
		expr = "(" + typed("text") + " in ('true', '1'))"
	}
	fallback, ok := c.fallback(field)
	if !ok {
		if fallback, ok = field.Type.Falsy(); !ok || field.Type.IsText() {
			return expr
		}
	}
	// A null of the company's own stands: the fall-back is for those without any.
	return "case when " + c.d.JSONGet(f.col(field), company) + " is null then " + c.arg(fallback) + " else " + expr + " end"
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

// refName is the display name of a many2one's target, computed as superuser:
// Odoo shows it even where the target itself may not be read.
func (f *from) refName(field *schema.Field) (string, error) {
	target := f.c.reg.Model(field.Relation)
	if target == nil {
		return "null", nil
	}
	if field.HasColumn() {
		next := f.parent(field)
		return next.sudo(next.displayName)
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
