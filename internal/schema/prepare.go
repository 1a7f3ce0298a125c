package schema

import "strings"

// Prepare completes declared models with the fields that every model has and
// builds their indexes. The declarations themselves are not changed.
func Prepare(declared []*Model) []*Model {
	models := make([]*Model, len(declared))
	for i, d := range declared {
		m := *d
		m.Fields = append(MagicFields(m.NoLog), d.Fields...)
		for j, f := range m.Fields {
			own := *f
			m.Fields[j] = &own
		}
		m.index()
		for _, f := range m.Fields {
			f.complete()
		}
		markInherited(&m)
		models[i] = &m
	}
	return models
}

// MagicFields are the automatic fields of Odoo: id, display_name and the four
// log-access fields.
func MagicFields(noLog bool) []*Field {
	id := NewInteger("id", "ID").RO().NoCopy()
	name := NewChar("display_name", "Display Name").RO().NoCopy()
	name.Store, name.Computed = false, true
	fields := []*Field{id, name}
	if noLog {
		return fields
	}
	return append(fields,
		NewMany2one("create_uid", "Created by", "res.users").RO().NoCopy(),
		NewDatetime("create_date", "Created on").RO().NoCopy(),
		NewMany2one("write_uid", "Last Updated by", "res.users").RO().NoCopy(),
		NewDatetime("write_date", "Last Updated on").RO().NoCopy(),
	)
}

// complete fills in Odoo's names of relation tables where none were given.
func (f *Field) complete() {
	if f.Type != Many2many || !f.Store || f.RelTable != "" {
		return
	}
	own, other := f.Model.Table, strings.ReplaceAll(f.Relation, ".", "_")
	first, second := own, other
	if second < first {
		first, second = second, first
	}
	f.RelTable = first + "_" + second + "_rel"
	f.Column1, f.Column2 = own+"_id", other+"_id"
	if own == other {
		f.Column1, f.Column2 = own+"_id1", own+"_id2"
	}
}
