package schema

import (
	"context"
	"encoding/json"
	"strings"

	"gatehouse/internal/sqldb"
)

// reflect writes the declared models into ir_model, ir_model_fields,
// ir_model_fields_selection and ir_model_inherit: a row for each, updated in
// place, so that ids stay.
func reflect(ctx context.Context, tx sqldb.Tx, models []*Model) error {
	declares := map[string]bool{}
	for _, m := range models {
		declares[m.Name] = true
	}
	if !declares["ir.model"] || !declares["ir.model.fields"] {
		return nil
	}
	r := &reflector{ctx: ctx, tx: tx, models: map[string]int64{}, fields: map[string]int64{}}
	for _, m := range models {
		if err := r.model(m); err != nil {
			return err
		}
	}
	for _, m := range models {
		for _, f := range m.Fields {
			if err := r.field(m, f); err != nil {
				return err
			}
		}
	}
	for _, m := range models {
		if err := r.inherit(m); err != nil {
			return err
		}
	}
	return nil
}

type reflector struct {
	ctx    context.Context
	tx     sqldb.Tx
	models map[string]int64
	fields map[string]int64 // "model/field"
}

// label is the jsonb of a translated text with only an English value.
func label(text string) any {
	if text == "" {
		return nil
	}
	b, _ := json.Marshal(map[string]string{"en_US": text}) // a map of strings always encodes
	return string(b)
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (r *reflector) one(sql string, args ...any) (id int64, err error) {
	err = r.tx.Query(r.ctx, sql, args, func(row sqldb.Row) error {
		id = row.Int(0)
		return nil
	})
	return id, err
}

func (r *reflector) model(m *Model) error {
	id, err := r.one(`insert into ir_model (model, name, "order", state, transient, abstract)
		values ($1, $2, $3, 'base', $4, $5)
		on conflict (model) do update set name = excluded.name, "order" = excluded."order"
		returning id`, m.Name, label(m.Label), m.Order, m.Transient, m.Abstract)
	r.models[m.Name] = id
	return err
}

func (r *reflector) field(m *Model, f *Field) error {
	translate := any(nil)
	if f.Translate {
		translate = "standard"
	}
	ondelete := any(nil)
	if f.Type == Many2one {
		ondelete = string(f.Ondelete)
	}
	id, err := r.one(`insert into ir_model_fields (model_id, model, name, field_description, help, ttype, state,
			relation, relation_field, relation_table, column1, column2, store, required, readonly, translate,
			company_dependent, size, related, on_delete, currency_field, copied, "index", selectable)
		values ($1, $2, $3, $4, $5, $6, 'base', $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, true)
		on conflict (model, name) do update set field_description = excluded.field_description, help = excluded.help,
			ttype = excluded.ttype, relation = excluded.relation, relation_field = excluded.relation_field,
			relation_table = excluded.relation_table, column1 = excluded.column1, column2 = excluded.column2,
			store = excluded.store, required = excluded.required, readonly = excluded.readonly,
			translate = excluded.translate, company_dependent = excluded.company_dependent, size = excluded.size,
			related = excluded.related, on_delete = excluded.on_delete, currency_field = excluded.currency_field,
			copied = excluded.copied, "index" = excluded."index"
		returning id`,
		r.models[m.Name], m.Name, f.Name, label(f.Label), label(f.Help), f.Type.String(),
		textOrNull(f.Relation), textOrNull(f.Inverse), textOrNull(f.RelTable), textOrNull(f.Column1), textOrNull(f.Column2),
		f.Store, f.Required, f.Readonly, translate, f.CompanyDependent, f.Size,
		textOrNull(strings.Join(f.Related, ".")), ondelete, textOrNull(f.Currency), f.Copied, f.Indexed)
	if err != nil {
		return err
	}
	r.fields[m.Name+"/"+f.Name] = id
	return r.options(id, f)
}

func (r *reflector) options(id int64, f *Field) error {
	if f.Type != Selection && f.Type != Reference {
		return nil
	}
	for i, o := range f.Options {
		_, err := r.tx.Exec(r.ctx, `insert into ir_model_fields_selection (field_id, value, name, sequence)
			values ($1, $2, $3, $4)
			on conflict (field_id, value) do update set sequence = excluded.sequence, name = excluded.name`,
			id, o.Value, label(o.Label), i)
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *reflector) inherit(m *Model) error {
	for _, in := range m.Inherits {
		_, err := r.tx.Exec(r.ctx, `insert into ir_model_inherit (model_id, parent_id, parent_field_id)
			values ($1, $2, $3) on conflict (model_id, parent_id) do nothing`,
			r.models[m.Name], r.models[in.Model], r.fields[m.Name+"/"+in.Field])
		if err != nil {
			return err
		}
	}
	return nil
}
