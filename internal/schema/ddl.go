package schema

import (
	"context"
	"fmt"
	"strings"

	"gatehouse/internal/sqldb"
)

// ColumnKind is the physical form of a field, as Odoo has it (semantics, section 2).
func (f *Field) ColumnKind() sqldb.ColumnKind {
	if f.Raw {
		return sqldb.Bytes
	}
	if f.Translate || f.CompanyDependent {
		return sqldb.JSON
	}
	switch f.Type {
	case Boolean:
		return sqldb.Bool
	case Integer, Many2one, Many2oneReference:
		return sqldb.Int4
	case Float:
		if f.Scale < 0 {
			return sqldb.Float8
		}
		return sqldb.Numeric
	case Monetary:
		return sqldb.Numeric
	case Text, HTML, Binary:
		return sqldb.Text
	case Date:
		return sqldb.Date
	case Datetime:
		return sqldb.Timestamp
	case JSON, Properties, PropertiesDefinition:
		return sqldb.JSON
	}
	return sqldb.Varchar
}

// AddModel makes the table of a model, its columns, relation tables,
// constraints and indexes. What exists already is left as it is.
func AddModel(ctx context.Context, tx sqldb.Tx, m *Model) error {
	if m.Abstract {
		return nil
	}
	d := tx.Dialect()
	sql := fmt.Sprintf(`create table if not exists %s (id %s)`, sqldb.Quote(m.Table), d.ColumnType(sqldb.SerialPK))
	if _, err := tx.Exec(ctx, sql); err != nil {
		return fmt.Errorf("table %s: %w", m.Table, err)
	}
	exists, err := columnsOf(ctx, tx, m)
	if err != nil {
		return err
	}
	for _, f := range m.Fields {
		if f.HasColumn() && !exists[f.Name] {
			if err := addColumn(ctx, tx, m, f); err != nil {
				return err
			}
		}
	}
	return addConstraints(ctx, tx, m, len(exists) > 1)
}

// columnsOf are the columns that a model's table has; none if there is no table.
func columnsOf(ctx context.Context, tx sqldb.Tx, m *Model) (map[string]bool, error) {
	have, err := sqldb.TableColumns(ctx, tx, m.Table)
	exists := make(map[string]bool, len(have))
	for _, c := range have {
		exists[c] = true
	}
	return exists, err
}

func addColumn(ctx context.Context, tx sqldb.Tx, m *Model, f *Field) error {
	d := tx.Dialect()
	definition := d.ColumnType(f.ColumnKind())
	if f.Type == Many2one && !f.CompanyDependent && d.Name() == "sqlite" {
		definition += reference(f) // SQLite takes references to tables that come later
	}
	if _, err := tx.Exec(ctx, d.AddColumn(m.Table, f.Name, definition)); err != nil {
		return fmt.Errorf("column %s.%s: %w", m.Table, f.Name, err)
	}
	return nil
}

func reference(f *Field) string {
	table := strings.ReplaceAll(f.Relation, ".", "_")
	action := "set null"
	switch f.Ondelete {
	case Cascade:
		action = "cascade"
	case Restrict:
		action = "restrict"
	}
	return fmt.Sprintf(` references %s (id) on delete %s`, sqldb.Quote(table), action)
}

// addConstraints makes indexes of several columns and check constraints. Checks are only
// made with the table: rows that are there already may break a new one.
func addConstraints(ctx context.Context, tx sqldb.Tx, m *Model, old bool) error {
	for _, u := range m.Uniques {
		sql := fmt.Sprintf(`create unique index if not exists %s on %s (%s)`,
			sqldb.Quote(m.Table+"_"+u.Name), sqldb.Quote(m.Table), strings.Join(u.Columns, ", "))
		if _, err := tx.Exec(ctx, sql); err != nil {
			return fmt.Errorf("unique %s of %s: %w", u.Name, m.Table, err)
		}
	}
	for _, x := range m.Indexes {
		sql := fmt.Sprintf(`create index if not exists %s on %s (%s)`,
			sqldb.Quote(m.Table+"__"+x.Name+"_index"), sqldb.Quote(m.Table), strings.Join(x.Columns, ", "))
		if x.Where != "" {
			sql += " where " + x.Where
		}
		if _, err := tx.Exec(ctx, sql); err != nil {
			return fmt.Errorf("index of %s: %w", m.Table, err)
		}
	}
	if old || tx.Dialect().Name() == "sqlite" {
		return nil // SQLite cannot add them later; the engine checks required fields itself
	}
	for _, c := range m.Checks {
		sql := fmt.Sprintf(`alter table %s add constraint %s check (%s)`,
			sqldb.Quote(m.Table), sqldb.Quote(m.Table+"_"+c.Name), c.SQL)
		if _, err := tx.Exec(ctx, sql); err != nil {
			return fmt.Errorf("check %s of %s: %w", c.Name, m.Table, err)
		}
	}
	return nil
}

// AddField makes what one field needs: a column or a relation table.
func AddField(ctx context.Context, tx sqldb.Tx, m *Model, f *Field) error {
	f.Model = m
	f.complete()
	switch {
	case f.HasColumn():
		if err := addColumn(ctx, tx, m, f); err != nil {
			return err
		}
	case f.Type == Many2many && f.Store:
		if err := addRelation(ctx, tx, f); err != nil {
			return err
		}
	}
	return finishField(ctx, tx, m, f)
}

// finishField makes the foreign key and the index of a column whose target exists.
func finishField(ctx context.Context, tx sqldb.Tx, m *Model, f *Field) error {
	if !f.HasColumn() {
		return nil
	}
	if f.Type == Many2one && !f.CompanyDependent && tx.Dialect().Name() != "sqlite" {
		sql := fmt.Sprintf(`alter table %s add constraint %s foreign key (%s)%s`, sqldb.Quote(m.Table),
			sqldb.Quote(m.Table+"_"+f.Name+"_fkey"), sqldb.Quote(f.Name), reference(f))
		if _, err := tx.Exec(ctx, sql); err != nil {
			return fmt.Errorf("foreign key %s.%s: %w", m.Table, f.Name, err)
		}
	}
	if !f.Indexed || f.Translate || f.CompanyDependent || (tx.Dialect().Name() != "sqlite" && leadsOrder(m, f)) {
		return nil
	}
	sql := fmt.Sprintf(`create index if not exists %s on %s (%s)`,
		sqldb.Quote(m.Table+"__"+f.Name+"_index"), sqldb.Quote(m.Table), sqldb.Quote(f.Name))
	if !f.Required {
		// Rows without a value cost nothing; no search for one needs them.
		sql += " where " + sqldb.Quote(f.Name) + " is not null"
	}
	if _, err := tx.Exec(ctx, sql); err != nil {
		return fmt.Errorf("index %s.%s: %w", m.Table, f.Name, err)
	}
	return nil
}

// leadsOrder says that the index of the model's order serves the field as well.
func leadsOrder(m *Model, f *Field) bool {
	term, _, _ := strings.Cut(m.Order, ",")
	words := strings.Fields(term)
	return len(words) > 0 && words[0] == f.Name && orderTerms(m) != nil
}

func addRelation(ctx context.Context, tx sqldb.Tx, f *Field) error {
	other := strings.ReplaceAll(f.Relation, ".", "_")
	integer := tx.Dialect().ColumnType(sqldb.Int4)
	sql := fmt.Sprintf(`create table if not exists %[1]s (
		%[2]s %[4]s not null references %[5]s (id) on delete cascade,
		%[3]s %[4]s not null references %[6]s (id) on delete cascade,
		primary key (%[2]s, %[3]s))`,
		sqldb.Quote(f.RelTable), sqldb.Quote(f.Column1), sqldb.Quote(f.Column2), integer, sqldb.Quote(f.Model.Table), sqldb.Quote(other))
	if _, err := tx.Exec(ctx, sql); err != nil {
		return fmt.Errorf("relation table %s: %w", f.RelTable, err)
	}
	index := fmt.Sprintf(`create index if not exists %s on %s (%s, %s)`,
		sqldb.Quote(f.RelTable+"_"+f.Column2+"_idx"), sqldb.Quote(f.RelTable), sqldb.Quote(f.Column2), sqldb.Quote(f.Column1))
	_, err := tx.Exec(ctx, index)
	return err
}

// DropField removes what a field had in the database, with its values.
func DropField(ctx context.Context, tx sqldb.Tx, m *Model, f *Field) error {
	if f.HasColumn() {
		return sqldb.DropColumn(ctx, tx, m.Table, f.Name)
	}
	if f.Type == Many2many && f.Store && f.RelTable != "" {
		_, err := tx.Exec(ctx, `drop table if exists `+sqldb.Quote(f.RelTable))
		return err
	}
	return nil
}

// DropModel removes the table of a model with all its records.
func DropModel(ctx context.Context, tx sqldb.Tx, m *Model) error {
	for _, f := range m.Fields {
		if f.Type == Many2many && f.Store {
			if err := DropField(ctx, tx, m, f); err != nil {
				return err
			}
		}
	}
	_, err := tx.Exec(ctx, `drop table if exists `+sqldb.Quote(m.Table))
	return err
}
