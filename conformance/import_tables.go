package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// copied is a column on its way from Odoo's table to the embedded one.
type copied struct {
	name string
	read func(r sqldb.Row, i int) (any, error)
}

// copyModel copies the rows of one table.
func (im *importer) copyModel(m *schema.Model) error {
	var columns []copied
	var names []string
	for _, f := range m.Fields {
		if !f.HasColumn() {
			continue
		}
		kind, has := im.columns[m.Table][f.Name]
		if !has {
			im.note("%s.%s: Odoo keeps no such column", m.Name, f.Name)
			continue
		}
		read := reading(f, kind)
		if read == nil {
			im.note("%s.%s: a column of type %s cannot be taken over", m.Name, f.Name, kind)
			continue
		}
		columns = append(columns, copied{f.Name, read})
		names = append(names, f.Name)
	}
	var rows [][]any
	err := im.from.Query(im.ctx, "select "+quoteAll(names)+" from "+sqldb.Quote(m.Table)+" order by id", nil, func(r sqldb.Row) error {
		row := make([]any, len(columns))
		for i, c := range columns {
			if r.Null(i) {
				continue
			}
			v, err := c.read(r, i)
			if err != nil {
				return fmt.Errorf("%s of record %d: %w", c.name, r.Int(0), err)
			}
			row[i] = v
		}
		rows = append(rows, row)
		return nil
	})
	if err != nil {
		return err
	}
	for _, u := range m.Uniques {
		rows = merged(rows, names, u.Columns)
	}
	_, err = im.tx.Copy(im.ctx, m.Table, names, rows)
	return err
}

// merged makes one row of those that the embedded table cannot tell apart,
// such as the stock of a product in a place by lot: amounts are added up.
func merged(rows [][]any, names, unique []string) [][]any {
	var at []int
	for _, column := range unique {
		i := slices.Index(names, column)
		if i < 0 {
			return rows // the constraint is over an expression
		}
		at = append(at, i)
	}
	first := map[string][]any{}
	kept := rows[:0]
	for _, row := range rows {
		key, null := "", false
		for _, i := range at {
			key += fmt.Sprintf("%v\x00", row[i])
			null = null || row[i] == nil
		}
		have := first[key]
		if have == nil || null {
			first[key] = row
			kept = append(kept, row)
			continue
		}
		for i, v := range row {
			if x, isAmount := v.(float64); isAmount {
				y, _ := have[i].(float64)
				have[i] = x + y
			}
		}
	}
	return kept
}

// reading says how a value of Odoo's column becomes one of the embedded
// column; nil when it cannot.
func reading(f *schema.Field, kind string) func(sqldb.Row, int) (any, error) {
	switch {
	case f.CompanyDependent && kind != "jsonb":
		return nil
	case f.Translate && kind != "jsonb":
		return func(r sqldb.Row, i int) (any, error) {
			b, err := json.Marshal(map[string]string{"en_US": r.Text(i)})
			return string(b), err
		}
	case kind == "jsonb" && f.ColumnKind() != sqldb.JSON:
		if !f.Type.IsText() {
			return nil
		}
		return englishText
	}
	switch f.ColumnKind() {
	case sqldb.Bool:
		return func(r sqldb.Row, i int) (any, error) { return r.Bool(i), nil }
	case sqldb.Int4, sqldb.Int8:
		return func(r sqldb.Row, i int) (any, error) { return r.Int(i), nil }
	case sqldb.Float8, sqldb.Numeric:
		return func(r sqldb.Row, i int) (any, error) { return r.Float(i), nil }
	case sqldb.Timestamp:
		return func(r sqldb.Row, i int) (any, error) { return r.Time(i), nil }
	case sqldb.Bytes:
		return func(r sqldb.Row, i int) (any, error) { return bytes.Clone(r.Bytes(i)), nil }
	}
	return func(r sqldb.Row, i int) (any, error) { return r.Text(i), nil }
}

func englishText(r sqldb.Row, i int) (any, error) {
	var texts map[string]string
	if err := json.Unmarshal(r.Bytes(i), &texts); err != nil {
		return nil, err
	}
	if s, ok := texts["en_US"]; ok {
		return s, nil
	}
	return nil, nil
}

// copyRelation copies the links of a many2many whose ends are both here.
func (im *importer) copyRelation(f *schema.Field) error {
	have := im.columns[f.RelTable]
	if have[f.Column1] == "" || have[f.Column2] == "" {
		im.note("%s.%s: Odoo's database has no relation table %s (%s, %s)", f.Model.Name, f.Name, f.RelTable, f.Column1, f.Column2)
		return nil
	}
	columns := []string{f.Column1, f.Column2}
	var rows [][]any
	err := im.from.Query(im.ctx, "select "+quoteAll(columns)+" from "+sqldb.Quote(f.RelTable), nil, func(r sqldb.Row) error {
		rows = append(rows, []any{r.Int(0), r.Int(1)})
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := im.tx.Copy(im.ctx, f.RelTable, columns, rows); err != nil {
		return err
	}
	for column, model := range map[string]string{f.Column1: f.Model.Name, f.Column2: f.Relation} {
		table := im.tableOf(model)
		err := im.exec("delete from " + sqldb.Quote(f.RelTable) + " where not exists (select 1 from " + sqldb.Quote(table) +
			" o where o.id = " + sqldb.Quote(f.RelTable) + "." + sqldb.Quote(column) + ")")
		if err != nil {
			return err
		}
	}
	return nil
}
