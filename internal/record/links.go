package record

import (
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// links is the list of ids of an x2many: in the comodel's order, without
// archived records and those the caller may not read.
func (f *from) links(field *schema.Field) (string, error) {
	c := f.c
	if field.Inherited {
		up := f.parent(f.model.Field(field.Related[0]))
		if target := up.model.Field(field.Related[1]); target != nil {
			return up.links(target)
		}
	}
	if field.SQL != "" {
		return f.computed(field)
	}
	if !field.Store && len(field.Related) > 1 {
		return f.sudoFields(func() (string, error) { return f.linksAlong(field.Related) })
	}
	target, err := c.comodel(field)
	if err != nil {
		return "", err
	}
	if !field.Store {
		return "", notReadable(field)
	}
	if err := c.searchable(target); err != nil {
		return "", err
	}
	sub := c.from(target)
	own, err := c.x2manyDomain(target, field, domain.Const(true))
	if err != nil {
		return "", err
	}
	cond, err := sub.where(own)
	if err != nil {
		return "", err
	}
	rules, err := sub.rules(schema.Read)
	if err != nil {
		return "", err
	}
	order, err := sub.sudo(func() (string, error) { return sub.orderBy("") })
	if err != nil {
		return "", err
	}
	cond = conj(cond, rules)
	ids := "(select " + c.d.AggIDs(sub.alias+".id", order) + " from "
	if field.Type == schema.One2many {
		if target.Field(field.Inverse) == nil {
			return "", fault.Newf(fault.BadRequest, "The field %s has no inverse %s on %s", field.Name, field.Inverse, field.Relation)
		}
		return ids + sub.sql() + " where " + sub.alias + "." + quote(field.Inverse) + " = " + f.alias + ".id" +
			f.reverseModel(sub, field) + andAlso(cond) + ")", nil
	}
	r := c.alias()
	return ids + sub.through(field.RelTable, r, field.Column2) + " where " + r + "." + quote(field.Column1) + " = " +
		f.alias + ".id" + andAlso(cond) + ")", nil
}

// linksAlong is the list of ids of the x2many at the end of a related field's
// path, followed as superuser.
func (f *from) linksAlong(steps []string) (string, error) {
	field := f.model.Field(steps[0])
	switch {
	case field == nil || field.Secret:
		return "", fault.Newf(fault.BadRequest, "Unknown field %s in %s", steps[0], f.model.Name)
	case len(steps) == 1:
		return f.links(field)
	case field.Type != schema.Many2one:
		return "", notReadable(field)
	}
	target, err := f.c.comodel(field)
	if err != nil {
		return "", err
	}
	link, err := f.value(field)
	if err != nil {
		return "", err
	}
	sub := f.c.from(target)
	ids, err := sub.linksAlong(steps[1:])
	return "(select " + ids + " from " + sub.sql() + " where " + sub.alias + ".id = " + link + ")", err
}
