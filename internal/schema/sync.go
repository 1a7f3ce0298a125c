package schema

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"gatehouse/internal/sqldb"
)

// Sync brings the database to the declared models: tables, columns, foreign
// keys, indexes, and their rows in ir_model, ir_model_fields and friends where
// those are declared too. Nothing is ever dropped. A database that saw the
// same declarations before costs one query; nodes that start together wait for
// each other.
func Sync(ctx context.Context, db sqldb.DB, declared []*Model) error {
	models := Prepare(declared)
	return sqldb.Migrate(ctx, db, "models", []sqldb.Step{{
		ID: fingerprint(models),
		Go: func(ctx context.Context, tx sqldb.Tx) error {
			if err := build(ctx, tx, models); err != nil {
				return err
			}
			if err := reflect(ctx, tx, models); err != nil {
				return err
			}
			return tx.Signal(ctx, "registry")
		},
	}})
}

// fingerprint changes whenever a declaration does in a way that the database sees.
func fingerprint(models []*Model) string {
	h := sha256.New()
	for _, m := range models {
		_, _ = fmt.Fprintf(h, "model %q %q %q %q %v %v %v %v %v\n",
			m.Name, m.Label, m.Table, m.Order, m.Transient, m.Inherits, m.Uniques, m.Checks, m.Indexes)
		for _, f := range m.Fields {
			own := *f
			own.Model, own.ID = nil, 0
			_, _ = fmt.Fprintf(h, "field %+v\n", own)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// build makes all tables, in an order that lets them refer to each other.
func build(ctx context.Context, tx sqldb.Tx, models []*Model) error {
	fresh := map[*Model][]*Field{}
	for _, m := range models {
		if m.Abstract {
			continue
		}
		exists, err := columnsOf(ctx, tx, m)
		if err != nil {
			return err
		}
		for _, f := range m.Fields {
			if f.HasColumn() && !exists[f.Name] {
				fresh[m] = append(fresh[m], f)
			}
		}
		if len(exists) == 0 {
			err = createTable(ctx, tx, m)
		} else {
			err = AddModel(ctx, tx, m)
		}
		if err != nil {
			return err
		}
	}
	for _, m := range models {
		for _, f := range m.Fields {
			if f.Type == Many2many && f.Store {
				if err := addRelation(ctx, tx, f); err != nil {
					return err
				}
			}
		}
		for _, f := range fresh[m] {
			if err := finishField(ctx, tx, m, f); err != nil {
				return err
			}
		}
		if err := orderIndex(ctx, tx, m); err != nil {
			return err
		}
	}
	return nil
}

// createTable makes a new table in one statement.
func createTable(ctx context.Context, tx sqldb.Tx, m *Model) error {
	d := tx.Dialect()
	parts := []string{"id " + d.ColumnType(sqldb.SerialPK)}
	for _, f := range m.Fields {
		if !f.HasColumn() || f.Name == "id" {
			continue
		}
		part := sqldb.Quote(f.Name) + " " + d.ColumnType(f.ColumnKind())
		if f.Type == Many2one && !f.CompanyDependent && d.Name() == "sqlite" {
			part += reference(f)
		}
		parts = append(parts, part)
	}
	if d.Name() == "sqlite" {
		for _, c := range m.Checks {
			parts = append(parts, fmt.Sprintf("constraint %s check (%s)", sqldb.Quote(m.Table+"_"+c.Name), c.SQL))
		}
	}
	sql := fmt.Sprintf("create table %s (%s)", sqldb.Quote(m.Table), strings.Join(parts, ", "))
	if _, err := tx.Exec(ctx, sql); err != nil {
		return fmt.Errorf("table %s: %w", m.Table, err)
	}
	return addConstraints(ctx, tx, m, false)
}

// orderIndex makes an index that serves the model's default order, so that a
// first page needs no sort. Only orders over own plain columns can have one; by
// id the primary key serves in both directions.
func orderIndex(ctx context.Context, tx sqldb.Tx, m *Model) error {
	if m.Abstract || m.Order == "id" || m.Order == "id desc" {
		return nil
	}
	terms := orderTerms(m)
	if terms == nil {
		return nil
	}
	var parts []string
	for _, t := range terms {
		parts = append(parts, OrderTerm(tx.Dialect(), sqldb.Quote(t.field.Name), t.field, t.desc, true)...)
	}
	sql := fmt.Sprintf(`create index if not exists %s on %s (%s)`,
		sqldb.Quote(m.Table+"__order_index"), sqldb.Quote(m.Table), strings.Join(parts, ", "))
	_, err := tx.Exec(ctx, sql)
	return err
}

type orderPart struct {
	field *Field
	desc  bool
}

// orderTerms reads an order over plain columns of the model itself; nil when
// it is of another kind.
func orderTerms(m *Model) []orderPart {
	var terms []orderPart
	for _, term := range strings.Split(m.Order, ",") {
		words := strings.Fields(term)
		if len(words) == 0 || len(words) > 2 {
			return nil
		}
		f := m.Field(words[0])
		if f == nil || !f.HasColumn() || f.Translate || f.CompanyDependent || f.Type == Many2one {
			return nil
		}
		terms = append(terms, orderPart{f, len(words) == 2 && strings.EqualFold(words[1], "desc")})
	}
	return terms
}

// OrderTerm renders one term of an order so that NULLs come last when
// ascending and first when descending, as in PostgreSQL, and text sorts by
// code point. The same expressions make the index that serves it (index says
// that they are wanted for one).
func OrderTerm(d sqldb.Dialect, expr string, f *Field, desc, index bool) []string {
	if f.Type == Boolean {
		expr = "coalesce(" + expr + ", false)"
		if index {
			expr = "(" + expr + ")"
		}
	} else if f.Type.IsText() || f.Type == Selection || f.Type == Reference {
		expr = d.TextOrder(expr)
	}
	direction := ""
	if desc {
		direction = " desc"
	}
	if d.Name() != "sqlite" || f.Name == "id" || f.Type == Boolean {
		return []string{expr + direction}
	}
	// SQLite puts NULLs the other way round and has no index for "nulls last".
	return []string{"(" + expr + " is null)" + direction, expr + direction}
}
