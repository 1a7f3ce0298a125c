package business

import (
	"strings"

	"gatehouse/internal/record"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// MoveFiles makes attachments of the bytes that fields made at run time have in
// columns of their own, as databases from before ir.attachment have them. The
// columns, which hold base64 text as Odoo's do, are dropped.
func MoveFiles(e *record.Env) error {
	var fields []*schema.Field
	for _, name := range e.Registry().Names() {
		for _, f := range e.Registry().Model(name).Fields {
			if f.Attached && f.Manual && f.Store {
				fields = append(fields, f)
			}
		}
	}
	for _, f := range fields {
		there, err := sqldb.ColumnExists(e.Ctx(), e.Tx(), f.Model.Table, f.Name)
		if err == nil && there {
			err = moveFiles(e, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// moveFiles moves those of one field, one file at a time.
func moveFiles(e *record.Env, f *schema.Field) error {
	table, column := sqldb.Quote(f.Model.Table), sqldb.Quote(f.Name)
	for last := int64(0); ; {
		id, file := int64(0), ""
		err := e.Tx().Query(e.Ctx(), "select id, "+column+" from "+table+" where "+column+" is not null and id > $1 order by id limit 1", []any{last},
			func(r sqldb.Row) error {
				id, file = r.Int(0), strings.Clone(r.Text(1))
				return nil
			})
		if err != nil {
			return err
		}
		if id == 0 {
			break
		}
		if _, err := e.Create("ir.attachment", record.Values{
			"name": f.Name, "res_model": f.Model.Name, "res_field": f.Name, "res_id": id, "type": "binary",
			"datas": file,
		}); err != nil {
			return err
		}
		last = id
	}
	return sqldb.DropColumn(e.Ctx(), e.Tx(), f.Model.Table, f.Name)
}
