package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// importer copies a database of Odoo into an embedded one: for every model
// that both have, the rows with their ids, for the columns that both have.
// The embedded database has its tables and nothing in them yet.
type importer struct {
	ctx      context.Context
	from     sqldb.Querier // Odoo's
	tx       sqldb.Tx      // the embedded one
	declared []*schema.Model
	columns  map[string]map[string]string // Odoo's: table, column, type
	notes    []string
}

// importCorpus fills an embedded database from Odoo's. The notes say what
// could not be taken over.
func importCorpus(ctx context.Context, corpus, store sqldb.DB, declared []*schema.Model) (notes []string, err error) {
	if err := schema.Sync(ctx, store, declared); err != nil {
		return nil, fmt.Errorf("make the embedded tables: %w", err)
	}
	err = corpus.Snapshot(ctx, func(from sqldb.Querier) error {
		return store.Write(ctx, func(tx sqldb.Tx) error {
			im := &importer{ctx: ctx, from: from, tx: tx, declared: declared}
			err := im.run()
			notes = im.notes
			return err
		})
	})
	return notes, err
}

func (im *importer) run() error {
	// Tables refer to each other in circles; what dangles is mended at the end.
	loose := "set local session_replication_role = replica"
	if im.tx.Dialect().Name() == "sqlite" {
		loose = "pragma defer_foreign_keys = on"
	}
	if err := im.exec(loose); err != nil {
		return err
	}
	if err := im.readColumns(); err != nil {
		return err
	}
	for _, step := range []func() error{im.renumberRegistry, im.manualModels} {
		if err := step(); err != nil {
			return err
		}
	}
	reg, err := schema.Load(im.ctx, im.tx, im.declared, nil)
	if err != nil {
		return fmt.Errorf("load the registry: %w", err)
	}
	for _, step := range []func(*schema.Registry) error{im.copyAll, im.dropDangling, im.derived, im.counters} {
		if err := step(reg); err != nil {
			return err
		}
	}
	for _, channel := range []string{"registry", "users"} {
		if err := im.tx.Signal(im.ctx, channel); err != nil {
			return err
		}
	}
	return nil
}

// shared are the models whose tables both databases have and that are no part
// of the registry.
func (im *importer) shared(reg *schema.Registry) []*schema.Model {
	var models []*schema.Model
	for _, name := range reg.Names() {
		m := reg.Model(name)
		if m.Abstract || registryTable(m.Table) {
			continue
		}
		if len(im.columns[m.Table]) == 0 {
			im.note("%s: Odoo's database has no table %s", name, m.Table)
			continue
		}
		models = append(models, m)
	}
	return models
}

func (im *importer) copyAll(reg *schema.Registry) error {
	models, done := im.shared(reg), map[string]bool{}
	for _, m := range models {
		if err := im.copyModel(m); err != nil {
			return fmt.Errorf("copy %s: %w", m.Name, err)
		}
	}
	for _, m := range models {
		for _, f := range m.Fields {
			if f.Type != schema.Many2many || !f.Store || done[f.RelTable] {
				continue
			}
			done[f.RelTable] = true
			if err := im.copyRelation(f); err != nil {
				return fmt.Errorf("copy %s: %w", f.RelTable, err)
			}
		}
	}
	return nil
}

func (im *importer) exec(sql string, args ...any) error {
	if _, err := im.tx.Exec(im.ctx, sql, args...); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

func (im *importer) note(format string, args ...any) {
	im.notes = append(im.notes, fmt.Sprintf(format, args...))
}

func (im *importer) readColumns() error {
	im.columns = map[string]map[string]string{}
	return im.from.Query(im.ctx, `select c.relname, a.attname, t.typname from pg_class c
		join pg_attribute a on a.attrelid = c.oid join pg_type t on t.oid = a.atttypid
		where c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and pg_table_is_visible(c.oid)`, nil,
		func(r sqldb.Row) error {
			if im.columns[r.Text(0)] == nil {
				im.columns[r.Text(0)] = map[string]string{}
			}
			im.columns[r.Text(0)][r.Text(1)] = r.Text(2)
			return nil
		})
}

// dropDangling deletes or empties links to rows that were not copied, because
// they belong to models that the embedded database lacks.
func (im *importer) dropDangling(reg *schema.Registry) error {
	for {
		var changed int64
		for _, name := range reg.Names() {
			m := reg.Model(name)
			if m.Abstract || len(im.columns[m.Table]) == 0 {
				continue
			}
			n, err := im.mendModel(reg, m)
			if err != nil {
				return err
			}
			changed += n
		}
		if changed == 0 {
			return nil
		}
	}
}

func (im *importer) mendModel(reg *schema.Registry, m *schema.Model) (changed int64, err error) {
	for _, f := range m.Fields {
		target := reg.Model(f.Relation)
		if f.Type != schema.Many2one || !f.HasColumn() || f.CompanyDependent || target == nil || target.Abstract {
			continue
		}
		column := sqldb.Quote(f.Name)
		sql := "update " + sqldb.Quote(m.Table) + " set " + column + " = null"
		if f.Required || f.Ondelete == schema.Cascade {
			sql = "delete from " + sqldb.Quote(m.Table)
		}
		n, err := im.tx.Exec(im.ctx, sql+" where "+column+" is not null and not exists (select 1 from "+
			sqldb.Quote(target.Table)+" o where o.id = "+sqldb.Quote(m.Table)+"."+column+")")
		if err != nil {
			return changed, fmt.Errorf("mend %s.%s: %w", m.Name, f.Name, err)
		}
		if n > 0 {
			im.note("%s.%s: %d links led to rows that are not here", m.Name, f.Name, n)
		}
		changed += n
	}
	if m.Name == "ir.model.data" {
		n, err := im.mendNames(reg)
		return changed + n, err
	}
	return changed, nil
}

// mendNames drops external ids of what was not copied.
func (im *importer) mendNames(reg *schema.Registry) (int64, error) {
	known := []string{}
	for _, name := range reg.Names() {
		if !reg.Model(name).Abstract && len(im.columns[reg.Model(name).Table]) > 0 {
			known = append(known, name)
		}
	}
	d := im.tx.Dialect()
	changed, err := im.tx.Exec(im.ctx, "delete from ir_model_data where "+d.NotIn("model", "$1", false), known)
	if err != nil {
		return 0, fmt.Errorf("drop external ids: %w", err)
	}
	for _, name := range known {
		n, err := im.tx.Exec(im.ctx, "delete from ir_model_data where model = $1 and not exists (select 1 from "+
			sqldb.Quote(reg.Model(name).Table)+" o where o.id = ir_model_data.res_id)", name)
		if err != nil {
			return changed, fmt.Errorf("drop external ids of %s: %w", name, err)
		}
		changed += n
	}
	return changed, nil
}

// derived fills the columns that only the embedded database keeps, from those
// that both have.
func (im *importer) derived(reg *schema.Registry) error {
	for _, c := range []struct{ model, field, value string }{
		{"res.partner", "company_type", "case when is_company then 'company' else 'person' end"},
		{"product.template", "product_variant_id", `(select p.id from product_product p
			where p.product_tmpl_id = product_template.id and p.active order by p.default_code, p.id limit 1)`},
	} {
		m := reg.Model(c.model)
		if m == nil || m.Field(c.field) == nil || im.columns[m.Table][c.field] != "" {
			continue
		}
		if err := im.exec("update " + sqldb.Quote(m.Table) + " set " + sqldb.Quote(c.field) + " = " + c.value); err != nil {
			return err
		}
	}
	return nil
}

// counters brings the numbers of ids and of documents to where Odoo's are.
func (im *importer) counters(reg *schema.Registry) error {
	seen := map[string]bool{}
	for _, name := range reg.Names() {
		m := reg.Model(name)
		if m.Abstract || seen[m.Table] {
			continue
		}
		seen[m.Table] = true
		if err := im.nextID(m.Table); err != nil {
			return err
		}
	}
	next := map[int64]int64{}
	err := im.from.Query(im.ctx, `select s.id, q.last_value, q.last_value is null, s.number_increment from ir_sequence s
		left join pg_sequences q on q.sequencename = 'ir_sequence_' || lpad(s.id::text, 3, '0')
		where s.implementation = 'standard'`, nil, func(r sqldb.Row) error {
		if !r.Null(1) {
			next[r.Int(0)] = r.Int(1) + r.Int(3)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the numbers of documents: %w", err)
	}
	for id, number := range next {
		if err := im.exec("update ir_sequence set number_next = $2 where id = $1", id, number); err != nil {
			return err
		}
	}
	return nil
}

// firstNewID is the id from which new records are numbered: the recordings find
// what a scenario made by it.
const firstNewID = 10_000_000

func (im *importer) nextID(table string) error {
	if im.tx.Dialect().Name() == "sqlite" {
		if err := im.exec("delete from sqlite_sequence where name = $1", table); err != nil {
			return err
		}
		return im.exec("insert into sqlite_sequence (name, seq) values ($1, $2)", table, int64(firstNewID-1))
	}
	return im.tx.Query(im.ctx, "select setval(pg_get_serial_sequence($1, 'id'), $2, false)", []any{table, int64(firstNewID)},
		func(sqldb.Row) error { return nil })
}

// registryTable says whether a table describes models: those have rows of
// their own in every embedded database.
func registryTable(table string) bool {
	return slices.Contains([]string{"ir_model", "ir_model_fields", "ir_model_fields_selection", "ir_model_inherit"}, table)
}

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = sqldb.Quote(n)
	}
	return strings.Join(quoted, ", ")
}
