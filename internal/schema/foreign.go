package schema

import (
	"cmp"
	"strings"

	"gatehouse/internal/facts"
	"gatehouse/internal/sqldb"
)

// foreign completes the models of a genuine Odoo: with what is known of its
// code, with what its tables look like, and with the gaps that remain.
func (l *loader) foreign() error {
	ancestors, err := l.ancestors()
	if err != nil {
		return err
	}
	precisions, err := l.precisions()
	if err != nil {
		return err
	}
	for _, m := range l.byID {
		m.index()
		for _, name := range append(ancestors[m.Name], m.Name) {
			if known := l.known.Model(name); known != nil {
				m.learn(known, name == m.Name, precisions)
			}
		}
	}
	if err := l.strangers(); err != nil {
		return err
	}
	return l.columns()
}

// ancestors lists the abstract models that each model inherits from (_inherit),
// the nearest last.
func (l *loader) ancestors() (map[string][]string, error) {
	parents := map[string][]string{}
	err := l.each(`select m.model, p.model from ir_model_inherit i join ir_model m on m.id = i.model_id
		join ir_model p on p.id = i.parent_id where i.parent_field_id is null order by i.id`,
		func(r sqldb.Row) error {
			parents[r.Text(0)] = append(parents[r.Text(0)], r.Text(1))
			return nil
		})
	all := map[string][]string{}
	var climb func(of, name string, seen map[string]bool)
	climb = func(of, name string, seen map[string]bool) {
		for _, p := range parents[name] {
			if !seen[p] {
				seen[p] = true
				climb(of, p, seen)
				all[of] = append(all[of], p)
			}
		}
	}
	for name := range parents {
		climb(name, name, map[string]bool{name: true})
	}
	return all, err
}

// precisions are the digits after the point by the name that code knows them by.
func (l *loader) precisions() (map[string]int, error) {
	digits := map[string]int{}
	err := l.each(`select name, digits from decimal_precision`, func(r sqldb.Row) error {
		digits[r.Text(0)] = int(r.Int(1))
		return nil
	})
	return digits, err
}

// learn takes over facts; those of an abstract model concern fields and
// behaviour, not names.
func (m *Model) learn(known *facts.Model, own bool, precisions map[string]int) {
	if own {
		if known.Table != "" {
			m.Table = known.Table
		}
		m.RecName, m.RecNames, m.ParentName = known.Title, known.Names, known.Parent
		m.NameExpr, m.NameContexts, m.Searching = known.Display, known.Contexts, known.Searching
		m.Own = known.Own
	}
	m.ByDocument = m.ByDocument || known.ByDocument
	m.PostByRead = m.PostByRead || known.PostByRead
	m.Python.Name = m.Python.Name || known.Python.Name
	m.Python.Names = m.Python.Names || known.Python.Names
	m.Python.Search = m.Python.Search || known.Python.Search
	m.Python.Access = m.Python.Access || known.Python.Access
	m.Python.Groups = m.Python.Groups || known.Python.Groups
	for name, fact := range known.Fields {
		if f := m.Field(name); f != nil && !f.Manual {
			f.learn(fact, precisions)
		}
	}
}

// learn adds facts to those of the abstract models before.
func (f *Field) learn(fact *facts.Field, precisions map[string]int) {
	if len(fact.Groups) > 0 {
		f.Groups = fact.Groups
	}
	if fact.Domain != "" || fact.PythonDomain {
		f.Domain, f.PythonDomain = fact.Domain, fact.PythonDomain
	}
	if fact.Active != facts.ByContext {
		f.KeepArchived, f.OnlyActive = fact.Active == facts.AllRecords, fact.Active == facts.OnlyActive
	}
	f.NoRules = f.NoRules || fact.Bypass
	f.PythonSearch = f.PythonSearch || fact.Search
	f.Aggregator = cmp.Or(fact.Aggregate, f.Aggregator)
	f.Definition = cmp.Or(fact.Definition, f.Definition)
	f.SearchPathless = f.SearchPathless || fact.SearchPathless
	if len(fact.SearchChain) > 0 {
		f.SearchChain = fact.SearchChain
	}
	if fact.Value != "" {
		f.Contexts = fact.Contexts
		f.SQL, f.ShownOnly = fact.Value, !fact.Column
	}
	if fact.SearchPath != "" {
		f.SearchPath, f.SearchArchived = strings.Split(fact.SearchPath, "."), fact.SearchArchived
	}
	if fact.HasDigits {
		f.Scale, f.Unrounded = fact.Digits, fact.Digits < 0
		if n, ok := precisions[fact.Precision]; ok {
			f.Scale = n
		}
	}
}

// strangers marks what modules have added of whose code nothing is known: a
// model that one of them extends may behave in any way.
func (l *loader) strangers() error {
	args := []any{l.known.Modules}
	err := l.q.Query(l.ctx, `select res_id, min(module) from ir_model_data where model = 'ir.model' and `+
		l.d.NotIn("module", "$1", false)+` group by res_id`, args, func(r sqldb.Row) error {
		if m := l.byID[r.Int(0)]; m != nil && !m.Manual {
			m.Gap = "the module " + r.Text(1) + " extends it"
		}
		return nil
	})
	if err != nil {
		return err
	}
	return l.q.Query(l.ctx, `select f.id, coalesce(min(d.module), '') from ir_model_fields f
		left join ir_model_data d on d.model = 'ir.model.fields' and d.res_id = f.id
		where f.state <> 'manual' group by f.id having count(d.id) = 0 or max(case when `+l.d.In("d.module", "$1", false)+
		` then 0 else 1 end) = 1`, args, func(r sqldb.Row) error {
		if f := l.fields[r.Int(0)]; f != nil && !f.Model.Manual && !automatic(f.Name) {
			f.Gap, f.Stranger = "it belongs to the module "+r.Text(1), true
			if r.Text(1) == "" {
				f.Gap = "it belongs to no module"
			}
		}
		return nil
	})
}

// automatic fields are on every model, and no module's own.
func automatic(name string) bool {
	switch name {
	case "id", "display_name", "create_uid", "create_date", "write_uid", "write_date":
		return true
	}
	return false
}

// columns compares models with the tables that there are.
func (l *loader) columns() error {
	tables := map[string]map[string]string{}
	err := l.each(`select c.relname, a.attname, t.typname from pg_class c join pg_attribute a on a.attrelid = c.oid
		join pg_type t on t.oid = a.atttypid where c.relkind in ('r', 'p', 'v', 'm', 'f') and pg_table_is_visible(c.oid)
		and a.attnum > 0 and not a.attisdropped and c.relnamespace = current_schema()::regnamespace`,
		func(r sqldb.Row) error {
			columns := tables[r.Text(0)]
			if columns == nil {
				columns = map[string]string{}
				tables[r.Text(0)] = columns
			}
			columns[r.Text(1)] = r.Text(2)
			return nil
		})
	if err != nil {
		return err
	}
	for _, m := range l.byID {
		columns := tables[m.Table]
		if columns == nil && !m.Abstract && m.Gap == "" {
			m.Gap = "the database has no table for it"
		}
		for _, f := range m.Fields {
			f.fit(columns, tables)
		}
	}
	return nil
}

// fit compares a field with its column or relation table.
func (f *Field) fit(columns map[string]string, tables map[string]map[string]string) {
	if !f.Store {
		return
	}
	switch {
	case f.Type == Many2many:
		if tables[f.RelTable] == nil && f.Gap == "" {
			f.Gap = "the database has no table for it"
		}
	case f.Type == One2many:
	case f.Type == Binary:
		f.Inline = columns[f.Name] != ""
		f.Attached = !f.Inline
	case columns[f.Name] == "" && columns != nil && f.Gap == "":
		f.Gap = "its table has no column for it"
	case f.Type == Float && columns[f.Name] == "numeric" && f.Scale < 0 && !f.Unrounded:
		f.Gap = "how many digits it keeps is not known"
	}
}
