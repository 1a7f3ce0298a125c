package record

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/access"
	"gatehouse/internal/domain"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// attachmentModel holds files. Deleting a record deletes those attached to it.
const attachmentModel = "ir.attachment"

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

// rawBytes are the bytes of base64 text, which Convert has looked at.
func rawBytes(v any) any {
	text, _ := v.(string)
	file, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return []byte(text)
	}
	return file
}

// attachFiles puts files into fields whose bytes are attachments, or takes them
// away: as the superuser, for who may write the field may do that.
func (e *Env) attachFiles(m *schema.Model, ids []int64, files Values) error {
	holder := e.st.reg.Model(attachmentModel)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		var have []int64
		missing := recordSet(m, ids)
		sql := "select id, res_id from " + quote(holder.Table) + " where res_model = $1 and res_field = $2 and " + e.tx.Dialect().In("res_id", "$3", true) + " order by id"
		err := e.tx.Query(e.ctx, sql, []any{m.Name, name, ids}, func(r sqldb.Row) error {
			have = append(have, r.Int(0))
			delete(missing, trailKey{m, r.Int(1)})
			return nil
		})
		switch {
		case err != nil:
			return err
		case files[name] == nil:
			if err := e.Sudo().unlink(holder, have); err != nil {
				return err
			}
			continue
		}
		if err := e.Sudo().write(holder, have, Values{"datas": files[name]}); err != nil {
			return err
		}
		var fresh []Values
		for _, id := range ids {
			if missing[trailKey{m, id}] {
				fresh = append(fresh, Values{
					"name": name, "res_model": m.Name, "res_field": name, "res_id": id, "type": "binary", "datas": files[name],
				})
			}
		}
		if len(fresh) > 0 {
			if _, err := e.Sudo().create(holder, fresh); err != nil {
				return err
			}
		}
	}
	return nil
}

// unlinkAttached deletes what is attached to records that are gone: a record that
// gets their ids one day must not find it.
func (e *Env) unlinkAttached(gone map[trailKey]bool) error {
	holder := e.st.reg.Model(attachmentModel)
	if holder == nil || !holder.ByRecord {
		return nil
	}
	ids := map[string][]int64{}
	for key := range gone {
		if key.m != holder && !key.m.AdminOnly {
			ids[key.m.Name] = append(ids[key.m.Name], key.id)
		}
	}
	var files []int64
	for _, name := range slices.Sorted(maps.Keys(ids)) {
		sql := "select id from " + quote(holder.Table) + " where res_model = $1 and " + e.tx.Dialect().In("res_id", "$2", true) + " order by id"
		err := e.tx.Query(e.ctx, sql, []any{name, ids[name]}, func(r sqldb.Row) error {
			files = append(files, r.Int(0))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return e.Sudo().unlink(holder, files)
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
