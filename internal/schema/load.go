package schema

import (
	"context"
	"strings"

	"gatehouse/internal/domain"
	"gatehouse/internal/facts"
	"gatehouse/internal/sqldb"
)

// Load reads the registry from ir_model and its friends. What a database does
// not say (display names, restricted fields, expressions) comes from the
// declared models, matched by name. known is nil for a database of our own; of
// a genuine Odoo's it says what is known of its code.
func Load(ctx context.Context, q sqldb.Querier, declared []*Model, known *facts.Table) (*Registry, error) {
	l := &loader{
		ctx: ctx, q: q, d: q.Dialect(), known: known,
		facts: map[string]*Model{},
		byID:  map[int64]*Model{}, fields: map[int64]*Field{},
		reg: &Registry{
			Models: map[string]*Model{}, Groups: map[int64]*Group{},
			Access: map[string][]Access{}, Rules: map[string][]*Rule{},
			Langs: map[string]Lang{}, Default: map[int64][]DefaultValue{}, byXMLID: map[string]int64{},
		},
	}
	for _, m := range Prepare(declared) {
		l.facts[m.Name] = m
	}
	implied := map[int64][]int64{}
	steps := []func() error{
		l.models, l.modelFields, l.options, l.inherits,
		l.groups, func() error { return l.implied(implied) },
		l.access, l.rules, l.langs, l.defaults,
	}
	if known != nil {
		steps = append(steps, l.foreign)
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	for _, m := range l.reg.Models {
		m.index()
	}
	for _, m := range l.reg.Models {
		markInherited(m)
	}
	for _, m := range l.reg.Models {
		for _, f := range m.Fields {
			l.reg.guardRelated(f)
		}
	}
	l.reg.finish(implied)
	return l.reg, nil
}

type loader struct {
	ctx    context.Context
	q      sqldb.Querier
	d      sqldb.Dialect
	facts  map[string]*Model
	byID   map[int64]*Model
	fields map[int64]*Field
	reg    *Registry
	known  *facts.Table
}

func (l *loader) each(sql string, fn func(r sqldb.Row) error) error {
	return l.q.Query(l.ctx, sql, nil, fn)
}

func (l *loader) label(column string) string { return l.d.JSONText(column, "en_US") }

func (l *loader) models() error {
	return l.each(`select id, model, `+l.label("name")+`, "order", transient, abstract, state from ir_model`,
		func(r sqldb.Row) error {
			m := &Model{
				ID: r.Int(0), Name: r.Text(1), Label: r.Text(2), Order: r.Text(3),
				Transient: r.Bool(4), Abstract: r.Bool(5), Manual: r.Text(6) == "manual",
			}
			if fact := l.facts[m.Name]; fact != nil {
				m.Table, m.RecName, m.RecNames, m.NameParts = fact.Table, fact.RecName, fact.RecNames, fact.NameParts
				m.ParentName, m.Uniques, m.Checks = fact.ParentName, fact.Uniques, fact.Checks
				m.AdminOnly, m.NoLog, m.NoCreate, m.IDsBelow = fact.AdminOnly, fact.NoLog, fact.NoCreate, fact.IDsBelow
				m.NameExpr, m.NameContexts, m.Searching = fact.NameExpr, fact.NameContexts, fact.Searching
				m.ByDocument, m.PostByRead, m.Own, m.Python = fact.ByDocument, fact.PostByRead, fact.Own, fact.Python
				m.ByRecord = fact.ByRecord
			}
			l.reg.Models[m.Name] = m
			l.byID[m.ID] = m
			return nil
		})
}

func (l *loader) modelFields() error {
	return l.each(`select id, model_id, name, `+l.label("field_description")+`, `+l.label("help")+`, ttype,
		relation, relation_field, relation_table, column1, column2, store, required, readonly, translate,
		company_dependent, size, related, on_delete, currency_field, copied, state, "index"
		from ir_model_fields order by id`,
		func(r sqldb.Row) error {
			m := l.byID[r.Int(1)]
			t, known := ParseType(r.Text(5))
			if m == nil || !known {
				return nil
			}
			f := &Field{
				ID: r.Int(0), Name: r.Text(2), Label: r.Text(3), Help: r.Text(4), Type: t,
				Relation: r.Text(6), Inverse: r.Text(7), RelTable: r.Text(8), Column1: r.Text(9), Column2: r.Text(10),
				Store: r.Bool(11), Required: r.Bool(12), Readonly: r.Bool(13), Translate: r.Text(14) != "",
				CompanyDependent: r.Bool(15), Size: int(r.Int(16)), Ondelete: OnDelete(r.Text(18)),
				Currency: r.Text(19), Copied: r.Bool(20), Manual: r.Text(21) == "manual", Indexed: r.Bool(22),
				Scale: -1,
			}
			if path := r.Text(17); path != "" {
				f.Related = strings.Split(path, ".")
			}
			f.Attached = f.Attaches() && l.facts["ir.attachment"] != nil && l.known == nil
			l.overlay(m, f)
			m.Fields = append(m.Fields, f)
			l.fields[f.ID] = f
			return nil
		})
}

// overlay adds what only the declaration knows.
func (l *loader) overlay(m *Model, f *Field) {
	model := l.facts[m.Name]
	if model == nil {
		return
	}
	fact := model.Field(f.Name)
	if fact == nil {
		return
	}
	f.Groups, f.Secret, f.Domain, f.KeepArchived = fact.Groups, fact.Secret, fact.Domain, fact.KeepArchived
	f.NoRules, f.Computed, f.SQL, f.Default = fact.NoRules, fact.Computed, fact.SQL, fact.Default
	f.Aggregator, f.Scale, f.Definition = fact.Aggregator, fact.Scale, fact.Definition
	f.ShownOnly, f.Contexts, f.PythonSearch = fact.ShownOnly, fact.Contexts, fact.PythonSearch
	f.SearchPath, f.SearchArchived, f.SearchChain = fact.SearchPath, fact.SearchArchived, fact.SearchChain
	f.SearchPathless, f.Raw, f.FileName = fact.SearchPathless, fact.Raw, fact.FileName
	if f.Currency == "" {
		f.Currency = fact.Currency
	}
}

func (l *loader) options() error {
	return l.each(`select field_id, value, `+l.label("name")+` from ir_model_fields_selection order by field_id, sequence, id`,
		func(r sqldb.Row) error {
			if f := l.fields[r.Int(0)]; f != nil {
				f.Options = append(f.Options, Option{r.Text(1), r.Text(2)})
			}
			return nil
		})
}

func (l *loader) inherits() error {
	return l.each(`select model_id, parent_id, parent_field_id from ir_model_inherit where parent_field_id is not null order by id`,
		func(r sqldb.Row) error {
			m, parent, link := l.byID[r.Int(0)], l.byID[r.Int(1)], l.fields[r.Int(2)]
			if m != nil && parent != nil && link != nil {
				m.Inherits = append(m.Inherits, Inherit{parent.Name, link.Name})
			}
			return nil
		})
}

// markInherited tells the fields got by delegation from other related fields.
func markInherited(m *Model) {
	for _, f := range m.Fields {
		if len(f.Related) != 2 || f.Related[1] != f.Name || f.Store {
			continue
		}
		for _, in := range m.Inherits {
			if in.Field == f.Related[0] {
				f.Inherited = true
			}
		}
	}
}

// guardRelated gives a related field the restrictions of what it shows: a
// field made at run time is no way around them.
func (r *Registry) guardRelated(f *Field) {
	if len(f.Related) == 0 {
		return
	}
	end := r.relatedEnd(f, 0)
	switch {
	case end == nil:
	case end.Secret:
		f.Secret = true
	case end.Model.AdminOnly && !f.Model.AdminOnly:
		f.Groups = []string{"."}
	case len(f.Groups) == 0:
		f.Groups = r.relatedGroups(f, 0)
	}
}

// relatedGroups are the groups of the nearest field on the way to what a
// related field shows that is for some groups only: what it shows may be a
// related field as well.
func (r *Registry) relatedGroups(f *Field, depth int) []string {
	if len(f.Groups) > 0 || len(f.Related) == 0 || depth > 16 {
		return f.Groups
	}
	m := f.Model
	for _, step := range f.Related {
		if m == nil || m.Field(step) == nil {
			return nil
		}
		f = m.Field(step)
		m = r.Model(f.Relation)
	}
	return r.relatedGroups(f, depth+1)
}

// relatedEnd is the field at the end of a related field's path, nil when the
// path leads nowhere.
func (r *Registry) relatedEnd(f *Field, depth int) *Field {
	m := f.Model
	for i, step := range f.Related {
		next := m.Field(step)
		if next == nil || depth > 16 {
			return nil
		}
		if i == len(f.Related)-1 {
			if len(next.Related) > 0 {
				return r.relatedEnd(next, depth+1)
			}
			return next
		}
		if m = r.Model(next.Relation); m == nil {
			return nil
		}
	}
	return nil
}

// groups reads the groups with all their external ids: an export or another
// module may give a group a second one.
func (l *loader) groups() error {
	err := l.each(`select id, `+l.label("name")+`, share from res_groups`, func(r sqldb.Row) error {
		l.reg.Groups[r.Int(0)] = &Group{ID: r.Int(0), Name: r.Text(1), Share: r.Bool(2)}
		return nil
	})
	if err != nil {
		return err
	}
	return l.each(`select res_id, module || '.' || name from ir_model_data where model = 'res.groups' order by id desc`,
		func(r sqldb.Row) error {
			if g := l.reg.Groups[r.Int(0)]; g != nil {
				g.XMLID = r.Text(1) // the oldest is read last
				l.reg.byXMLID[g.XMLID] = g.ID
			}
			return nil
		})
}

func (l *loader) implied(direct map[int64][]int64) error {
	return l.each(`select gid, hid from res_groups_implied_rel`, func(r sqldb.Row) error {
		direct[r.Int(0)] = append(direct[r.Int(0)], r.Int(1))
		return nil
	})
}

func (l *loader) access() error {
	return l.each(`select model_id, group_id, perm_read, perm_write, perm_create, perm_unlink
		from ir_model_access where active order by id`,
		func(r sqldb.Row) error {
			if m := l.byID[r.Int(0)]; m != nil {
				l.reg.Access[m.Name] = append(l.reg.Access[m.Name],
					Access{r.Int(1), [4]bool{r.Bool(2), r.Bool(3), r.Bool(4), r.Bool(5)}})
			}
			return nil
		})
}

func (l *loader) rules() error {
	byID := map[int64]*Rule{}
	err := l.each(`select id, model_id, name, domain_force, perm_read, perm_write, perm_create, perm_unlink
		from ir_rule where active order by id`,
		func(r sqldb.Row) error {
			m := l.byID[r.Int(1)]
			if m == nil {
				return nil
			}
			rule := &Rule{ID: r.Int(0), Name: r.Text(2), Perm: [4]bool{r.Bool(4), r.Bool(5), r.Bool(6), r.Bool(7)}}
			rule.Domain, rule.Err = domain.ParseRule(r.Text(3), domain.Limits{})
			byID[rule.ID] = rule
			l.reg.Rules[m.Name] = append(l.reg.Rules[m.Name], rule)
			return nil
		})
	if err != nil {
		return err
	}
	return l.each(`select rule_group_id, group_id from rule_group_rel order by rule_group_id, group_id`,
		func(r sqldb.Row) error {
			if rule := byID[r.Int(0)]; rule != nil {
				rule.Groups = append(rule.Groups, r.Int(1))
			}
			return nil
		})
}

func (l *loader) langs() error {
	return l.each(`select code, week_start from res_lang where active`, func(r sqldb.Row) error {
		start := 7
		if s := r.Text(1); len(s) == 1 && s[0] >= '1' && s[0] <= '7' {
			start = int(s[0] - '0')
		}
		l.reg.Langs[r.Text(0)] = Lang{Code: r.Text(0), WeekStart: start}
		return nil
	})
}

func (l *loader) defaults() error {
	return l.each(`select field_id, user_id, company_id, json_value from ir_default where "condition" is null order by id`,
		func(r sqldb.Row) error {
			l.reg.Default[r.Int(0)] = append(l.reg.Default[r.Int(0)], DefaultValue{r.Int(1), r.Int(2), r.Text(3)})
			return nil
		})
}
