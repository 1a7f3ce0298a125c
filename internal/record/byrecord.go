package record

import (
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/access"
	"gatehouse/internal/domain"
	"gatehouse/internal/schema"
)

// byRecord adds to the rules of attachments what Odoo's code looks at: whoever
// may read a record reads what is attached to it, and whoever may write the
// record changes that; what is attached to no record is its maker's and the
// administrators'; everybody reads what is public.
func (f *from) byRecord(mode schema.Mode) (string, error) {
	c := f.c
	if c.attaching {
		return "false", nil // a file that is attached to a file: nobody but the superuser follows that
	}
	c.attaching = true
	defer func() { c.attaching = false }()
	if mode != schema.Read {
		mode = schema.Write
	}
	system := c.actor.user.In(c.reg.GroupID("base.group_system"))
	cond := f.unattached()
	if !system {
		cond = conj(cond, f.alias+".create_uid = "+strconv.FormatInt(c.actor.user.ID, 10))
	}
	if mode == schema.Read {
		cond = disj("coalesce("+f.alias+".public, false)", cond)
	}
	var cases strings.Builder
	for _, m := range c.attachable() {
		one, err := f.attachedTo(m, mode, system)
		if err != nil {
			return "", err
		}
		if one != "false" {
			cases.WriteString(" when " + quoteText(m.Name) + " then " + one)
		}
	}
	if cases.Len() == 0 {
		return cond, nil
	}
	return disj(cond, "case "+f.alias+".res_model"+cases.String()+" else false end"), nil
}

// unattached says that the clause's record is attached to none.
func (f *from) unattached() string {
	return "(coalesce(" + f.alias + ".res_id, 0) = 0 or coalesce(" + f.alias + ".res_model, '') = '')"
}

// attachedTo renders "is attached to a record of m that the caller may read or
// write". A model whose record rules cannot be applied shows nothing.
func (f *from) attachedTo(m *schema.Model, mode schema.Mode, system bool) (string, error) {
	c := f.c
	cond := "false"
	if access.Model(c.reg, c.actor.user, m.Name, mode) {
		sub := c.from(m)
		rules, err := sub.rules(mode)
		switch {
		case err != nil && c.actor.companyErr != nil:
			return "", err
		case err == nil && rules != "false":
			cond = "exists (select 1 from " + sub.sql() + " where " + sub.alias + ".id = " + f.alias + ".res_id" + andAlso(rules) + ")"
		}
	}
	if m.Name == "res.users" { // users may not write themselves, but a picture in their signature
		cond = disj(cond, f.alias+".res_id = "+strconv.FormatInt(c.actor.user.ID, 10))
	}
	if system {
		return cond, nil
	}
	return conj(cond, f.fieldAllowed(m)), nil
}

// fieldAllowed says that the file is in no field of m, or in one that the
// caller may use.
func (f *from) fieldAllowed(m *schema.Model) string {
	column := "coalesce(" + f.alias + ".res_field, '')"
	names := []string{"''"}
	for _, field := range m.Fields {
		holds := field.Type == schema.Binary || field.Relation == attachmentModel
		if holds && access.Field(f.c.reg, f.c.actor.user, field) {
			names = append(names, quoteText(field.Name))
		}
	}
	return column + " in (" + strings.Join(names, ", ") + ")"
}

// attachedName is what the record is called that the clause's record is attached
// to, where the caller may read it.
func (f *from) attachedName() (string, error) {
	c := f.c
	var cases strings.Builder
	for _, m := range c.attachable() {
		if !c.sudo && !access.Model(c.reg, c.actor.user, m.Name, schema.Read) {
			continue
		}
		sub := c.from(m)
		rules, err := sub.rules(schema.Read)
		if err != nil {
			continue
		}
		name, err := sub.sudo(sub.displayName)
		if err != nil {
			continue
		}
		cases.WriteString(" when " + quoteText(m.Name) + " then (select " + name + " from " + sub.sql() + " where " + sub.alias + ".id = " +
			f.alias + ".res_id" + andAlso(rules) + ")")
	}
	if cases.Len() == 0 {
		return "null", nil
	}
	return "case " + f.alias + ".res_model" + cases.String() + " end", nil
}

// attachable are the models whose records have attachments, by name.
func (c *compiler) attachable() []*schema.Model {
	var models []*schema.Model
	for _, name := range c.reg.Names() {
		if m := c.reg.Model(name); !m.Abstract && !m.AdminOnly && !m.ByRecord {
			models = append(models, m)
		}
	}
	return models
}

// withoutFieldFiles leaves out the files of binary fields, unless the domain
// asks for fields or for ids.
func withoutFieldFiles(m *schema.Model, n domain.Node) domain.Node {
	if !m.ByRecord || slices.ContainsFunc([]string{"id", "res_field"}, func(name string) bool { return domain.MentionsTop(n, name) }) {
		return n
	}
	return domain.Conj(n, &domain.Leaf{Path: "res_field", Op: domain.OpEq, Value: false, Pos: -1})
}

// moved says that values attach a file to another record, or to another field of
// it: that takes the right to write there too.
func moved(m *schema.Model, values Values) bool {
	if !m.ByRecord {
		return false
	}
	for _, name := range []string{"res_model", "res_id", "res_field"} {
		if v := values[name]; v != nil && v != "" {
			return true
		}
	}
	return false
}
