package main

import (
	"fmt"
	"strings"

	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// idShift takes the embedded ids of models and fields out of the way of Odoo's.
const idShift = 1_000_000

// renumberRegistry gives models, fields and selection values that both
// databases have the ids that Odoo knows them by: rights, rules and defaults,
// and the recorded calls, refer to those.
func (im *importer) renumberRegistry() error {
	for _, sql := range []string{
		"update ir_model set id = id + $1",
		"update ir_model_fields set id = id + $1, model_id = model_id + $1",
		"update ir_model_fields_selection set id = id + $1, field_id = field_id + $1",
		"update ir_model_inherit set model_id = model_id + $1, parent_id = parent_id + $1, parent_field_id = parent_field_id + $1",
	} {
		if err := im.exec(sql, int64(idShift)); err != nil {
			return err
		}
	}
	if err := im.renumber("ir_model", "model", "''",
		"ir_model_fields.model_id", "ir_model_inherit.model_id", "ir_model_inherit.parent_id"); err != nil {
		return err
	}
	return im.renumber("ir_model_fields", "model", "name",
		"ir_model_fields_selection.field_id", "ir_model_inherit.parent_field_id")
}

// renumber gives the rows of a table, known by two texts, Odoo's ids, and
// changes the columns that refer to them.
func (im *importer) renumber(table, key1, key2 string, referers ...string) error {
	read := "select id, " + key1 + ", " + key2 + " from " + table
	theirs := map[string]int64{}
	err := im.from.Query(im.ctx, read, nil, func(r sqldb.Row) error {
		theirs[r.Text(1)+"/"+r.Text(2)] = r.Int(0)
		return nil
	})
	if err != nil {
		return err
	}
	ours := map[int64]int64{}
	err = im.tx.Query(im.ctx, read, nil, func(r sqldb.Row) error {
		if id := theirs[r.Text(1)+"/"+r.Text(2)]; id != 0 {
			ours[r.Int(0)] = id
		}
		return nil
	})
	if err != nil {
		return err
	}
	var stmts []sqldb.Stmt
	for old, id := range ours {
		stmts = append(stmts, sqldb.Stmt{SQL: "update " + table + " set id = $2 where id = $1", Args: []any{old, id}})
		for _, referer := range referers {
			t, column, _ := strings.Cut(referer, ".")
			stmts = append(stmts, sqldb.Stmt{SQL: "update " + t + " set " + column + " = $2 where " + column + " = $1", Args: []any{old, id}})
		}
	}
	if err := im.tx.Batch(im.ctx, stmts); err != nil {
		return fmt.Errorf("renumber %s: %w", table, err)
	}
	return nil
}

// manualModels takes over the models and fields that were made at run time,
// and makes their tables and columns.
func (im *importer) manualModels() error {
	known, err := im.described()
	if err != nil {
		return err
	}
	var fields []int64
	models, err := im.ids("select id from ir_model where state = 'manual'")
	if err != nil {
		return err
	}
	err = im.from.Query(im.ctx, `select f.id, f.model, f.relation, m.state from ir_model_fields f join ir_model m on m.id = f.model_id
		where f.state = 'manual' or m.state = 'manual'`, nil, func(r sqldb.Row) error {
		switch {
		case r.Text(3) != "manual" && !known[r.Text(1)]: // of a model that is not here
		case r.Text(2) != "" && !known[r.Text(2)] && !strings.HasPrefix(r.Text(2), "x_"):
			im.note("%s: a field leads to %s, which is not here", r.Text(1), r.Text(2))
		default:
			fields = append(fields, r.Int(0))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := im.copySome("ir_model", "id", models); err != nil {
		return err
	}
	if err := im.copySome("ir_model_fields", "id", fields); err != nil {
		return err
	}
	if err := im.copySome("ir_model_fields_selection", "field_id", fields); err != nil {
		return err
	}
	return im.makeTables(models, fields)
}

// makeTables makes what manual models and fields need in the database.
func (im *importer) makeTables(models, fields []int64) error {
	reg, err := schema.Load(im.ctx, im.tx, im.declared, nil)
	if err != nil {
		return err
	}
	added := map[int64]bool{}
	for _, id := range fields {
		added[id] = true
	}
	for _, m := range reg.Models {
		for _, id := range models {
			if m.ID == id {
				empty := *m
				empty.Fields = nil
				if err := schema.AddModel(im.ctx, im.tx, &empty); err != nil {
					return err
				}
			}
		}
	}
	for _, m := range reg.Models {
		for _, f := range m.Fields {
			if !added[f.ID] || f.Name == "id" {
				continue
			}
			if err := schema.AddField(im.ctx, im.tx, m, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// described are the names of the embedded models.
func (im *importer) described() (map[string]bool, error) {
	known := map[string]bool{}
	err := im.tx.Query(im.ctx, "select model from ir_model", nil, func(r sqldb.Row) error {
		known[r.Text(0)] = true
		return nil
	})
	return known, err
}

func (im *importer) ids(sql string) ([]int64, error) {
	var ids []int64
	err := im.from.Query(im.ctx, sql, nil, func(r sqldb.Row) error {
		ids = append(ids, r.Int(0))
		return nil
	})
	return ids, err
}

// copySome copies the rows of a registry table that have one of the keys.
func (im *importer) copySome(table, key string, keys []int64) error {
	m := im.declaredTable(table)
	if m == nil {
		return fmt.Errorf("the embedded database does not describe %s", table)
	}
	var names []string
	var reads []func(sqldb.Row, int) (any, error)
	for _, f := range m.Fields {
		kind, has := im.columns[table][f.Name]
		if !f.HasColumn() || !has {
			continue
		}
		if read := reading(f, kind); read != nil {
			names = append(names, f.Name)
			reads = append(reads, read)
		}
	}
	var rows [][]any
	err := im.from.Query(im.ctx, "select "+quoteAll(names)+" from "+table+" where "+im.from.Dialect().In(key, "$1", true)+" order by id",
		[]any{keys}, func(r sqldb.Row) error {
			row := make([]any, len(names))
			for i := range names {
				if r.Null(i) {
					continue
				}
				v, err := reads[i](r, i)
				if err != nil {
					return err
				}
				row[i] = v
			}
			rows = append(rows, row)
			return nil
		})
	if err != nil {
		return err
	}
	_, err = im.tx.Copy(im.ctx, table, names, rows)
	return err
}

func (im *importer) declaredTable(table string) *schema.Model {
	for _, m := range schema.Prepare(im.declared) {
		if m.Table == table {
			return m
		}
	}
	return nil
}

func (im *importer) tableOf(model string) string {
	for _, m := range im.declared {
		if m.Name == model && m.Table != "" {
			return m.Table
		}
	}
	return strings.ReplaceAll(model, ".", "_")
}
