package record

import (
	"context"
	"encoding/json"
	"sort"
	"strconv"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// Write implements backend.Backend.
func (e *Engine) Write(ctx context.Context, c *backend.Caller, model string, ids []int64, values backend.Values) error {
	if err := e.ahead(ctx, c, model, values); err != nil {
		return err
	}
	return e.write(ctx, c, func(env *Env) error {
		m, err := env.callContext.model(model, schema.Write)
		if fault.Is(err, fault.Forbidden) && env.own(model, ids, values) {
			env = env.Sudo()
			m, err = env.callContext.model(model, schema.Write)
		}
		if err != nil {
			return err
		}
		if err := env.inScope(m, values); err != nil {
			return err
		}
		return env.write(m, unique(ids), values)
	})
}

func (e *Env) own(model string, ids []int64, values Values) bool {
	for _, l := range e.e.logics[model] {
		if l.Own != nil && l.Own(e, ids, values) {
			return true
		}
	}
	return false
}

// write changes records. As in Odoo record rules are checked on the old
// values, and a missing record changes nothing.
func (e *Env) write(m *schema.Model, ids []int64, given Values) error {
	if len(ids) == 0 {
		return nil
	}
	e.enter()
	defer e.leave()
	if err := e.mayGrant(m, schema.Write, given); err != nil {
		return err
	}
	if err := e.checkRules(m, ids, schema.Write); err != nil {
		return err
	}
	values, err := e.clean(m, e.odooValues(m, given, true))
	if err != nil {
		return err
	}
	if err := e.checkLinks(m, values); err != nil {
		return err
	}
	recs := e.recs(m, ids)
	for _, l := range e.e.logics[m.Name] {
		if l.BeforeWrite == nil {
			continue
		}
		if err := e.hookFault(l.BeforeWrite(e, recs, values)); err != nil {
			return err
		}
		if values, err = e.clean(m, values); err != nil {
			return err
		}
	}
	if err := e.auditChanging(m, ids, values); err != nil {
		return err
	}
	fields := make(map[string]bool, len(values))
	for name := range values {
		fields[name] = true
	}
	defer e.protect(m, ids, fields)()
	properties := e.changeProperties(m, ids, values)
	if err := e.apply(m, ids, values); err != nil {
		return err
	}
	if err := properties(); err != nil {
		return err
	}
	if moved(m, values) {
		if err := e.checkRules(m, ids, schema.Write); err != nil {
			return err
		}
	}
	if err := e.finish(m, ids, fields); err != nil {
		return err
	}
	for _, l := range e.e.logics[m.Name] {
		if l.AfterWrite != nil {
			if err := e.hookFault(l.AfterWrite(e, recs, values)); err != nil {
				return err
			}
		}
	}
	return e.signalModel(m)
}

// apply stores cleaned values: own columns, fields of delegation parents,
// related fields and lines.
func (e *Env) apply(m *schema.Model, ids []int64, values Values) error {
	p := sortOut(m, values)
	columns := p.columns
	if p.missing != "" {
		return missingField(p.missing)
	}
	e.roundAmounts(m, columns, e.recs(m, ids)[0])
	if err := e.affected(m, ids, change{fields: p.fields, linksOnly: true}); err != nil {
		return err
	}
	if _, moved := columns[m.ParentName]; moved && m.ParentName != "" {
		if err := e.checkCycle(m, ids, columns[m.ParentName]); err != nil {
			return err
		}
	}
	n, err := e.update(m, ids, columns, true)
	if err != nil {
		return err
	}
	if n >= 0 && n < int64(len(ids)) {
		return e.whyNot(e.tx, m, ids, schema.Write)
	}
	if _, moved := columns[m.ParentName]; moved && m.ParentStore {
		if err := e.moveParentPaths(m, ids); err != nil {
			return err
		}
	}
	if err := e.affected(m, ids, change{fields: p.fields}); err != nil {
		return err
	}
	for _, name := range p.lines {
		for _, id := range ids {
			cmds, _ := values[name].([]Command) // clean made them
			if err := e.applyX2many(m, id, m.Field(name), cmds, false); err != nil {
				return err
			}
		}
	}
	if err := e.attachFiles(m, ids, p.files); err != nil {
		return err
	}
	return e.writeThrough(m, ids, p.through)
}

// parts are the values of a write by where they are stored.
type parts struct {
	columns Values          // own columns
	files   Values          // what is attached
	through Values          // where related fields lead
	lines   []string        // x2many fields, sorted
	fields  map[string]bool // all of them
	missing string          // a required field that would be emptied
}

func sortOut(m *schema.Model, values Values) parts {
	p := parts{columns: Values{}, files: Values{}, through: Values{}, fields: map[string]bool{}}
	for name, v := range values {
		f := m.Field(name)
		p.fields[name] = true
		switch {
		case f.Inherited || (!f.Store && len(f.Related) > 0):
			p.through[name] = v
		case f.Type.IsX2many():
			p.lines = append(p.lines, name)
		case f.Attached:
			p.files[name] = v
		default:
			p.columns[name] = v
		}
		if f.Required && v == nil && (f.HasColumn() || f.Attached) {
			p.missing = name
		}
	}
	sort.Strings(p.lines)
	return p
}

// writeThrough writes related fields where their path leads.
func (e *Env) writeThrough(m *schema.Model, ids []int64, values Values) error {
	byLink := map[string]Values{}
	for name, v := range values {
		f := m.Field(name)
		if len(f.Related) < 2 {
			return fault.Newf(fault.BadRequest, "The field %s of %s is computed and cannot be written", name, m.Name)
		}
		link := strings.Join(f.Related[:len(f.Related)-1], ".")
		if byLink[link] == nil {
			byLink[link] = Values{}
		}
		byLink[link][f.Related[len(f.Related)-1]] = v
	}
	for link, vals := range byLink {
		targets := map[int64]Rec{}
		for _, r := range e.recs(m, ids) {
			for _, step := range strings.Split(link, ".") {
				f := r.model.Field(step)
				if f != nil && f.Type == schema.One2many { // e.g. the one variant of a template
					if lines := r.Refs(step); len(lines) == 1 {
						r = lines[0]
						continue
					}
					r = Rec{}
					break
				}
				r = r.Ref(step)
			}
			if !r.IsZero() {
				targets[r.id] = r
			}
		}
		for _, r := range targets {
			if err := e.Write([]Rec{r}, vals); err != nil {
				return err
			}
		}
	}
	return e.err
}

// update stores columns of records and gives the number of rows changed, -1
// when there was nothing to do. log says that the change counts as one of the
// caller's: write_uid and write_date are set.
func (e *Env) update(m *schema.Model, ids []int64, columns Values, log bool) (int64, error) {
	if err := e.tellChanging(m, ids); err != nil {
		return 0, err
	}
	c := e.compiler()
	var sets []string
	names := make([]string, 0, len(columns))
	for name := range columns {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		f := m.Field(name)
		if !f.HasColumn() {
			continue
		}
		sets = append(sets, quote(name)+" = "+e.setExpr(c, f, columns[name]))
	}
	if log && !m.NoLog && m.Field("write_date") != nil {
		sets = append(sets, "write_uid = "+c.arg(e.UserID()), "write_date = "+c.arg(e.moment))
	}
	if len(sets) == 0 {
		return -1, nil
	}
	where := c.d.In("id", c.arg(ids), true)
	if len(ids) == 1 {
		where = "id = " + c.arg(ids[0])
	}
	s := c.statement("update " + quote(m.Table) + " set " + strings.Join(sets, ", ") + " where " + where)
	n, err := e.tx.Exec(e.ctx, s.sql, s.args...)
	if err != nil {
		e.suspects(m, err, false, columns)
		return 0, violation(m, err)
	}
	e.cache.wrote(e.st, m, ids, columns)
	return n, nil
}

// setExpr is the new content of a column: for translated fields one language
// of it, for company-dependent ones one company's (semantics, section 9).
func (e *Env) setExpr(c *compiler, f *schema.Field, v any) string {
	column := quote(f.Name)
	switch {
	case f.Translate:
		if v == nil {
			return "null"
		}
		if e.actor.lang == "" || e.actor.lang == "en_US" {
			return c.d.JSONSetText(column, "en_US", c.arg(v))
		}
		mark := c.arg(v)
		withEnglish := "case when " + c.d.JSONText(column, "en_US") + " is null then " +
			c.d.JSONSetText(column, "en_US", mark) + " else " + column + " end"
		return c.d.JSONSetText("("+withEnglish+")", e.actor.lang, mark)
	case f.CompanyDependent:
		return c.d.JSONSet(column, strconv.FormatInt(e.actor.company, 10), c.arg(jsonText(v)))
	case v == nil:
		return "null"
	}
	return c.arg(e.stored(f, v))
}

// stored is the argument for a column that gets its first value.
func (e *Env) stored(f *schema.Field, v any) any {
	switch {
	case f.Translate:
		texts := map[string]any{"en_US": v}
		if e.actor.lang != "" {
			texts[e.actor.lang] = v
		}
		return jsonText(texts)
	case f.CompanyDependent:
		return jsonText(map[string]any{strconv.FormatInt(e.actor.company, 10): v})
	case f.Raw:
		return rawBytes(v)
	}
	return v
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // converted values always encode
		return "null"
	}
	return string(b)
}

// checkCycle refuses a parent that is the record itself or below it.
func (e *Env) checkCycle(m *schema.Model, ids []int64, parent any) error {
	id, ok := parent.(int64)
	link := m.Field(m.ParentName)
	if !ok || link == nil || link.Relation != m.Name {
		return nil
	}
	c := e.Sudo().compiler()
	c.keepArchived = true
	f := c.from(m)
	cond, err := f.hierarchy(m.Field("id"), domain.OpChildOf, anyIDs(ids))
	if err != nil {
		return err
	}
	cycle := false
	err = e.query(c, "select 1 from "+f.sql()+" where "+f.alias+".id = "+c.arg(id)+" and "+cond,
		func(sqldb.Row) error { cycle = true; return nil })
	if err == nil && cycle {
		return fault.Newf(fault.Unprocessable, "Recursion detected: a record of %s cannot be its own ancestor", m.Name).
			With(fault.FieldErrors{m.ParentName: "recursion"})
	}
	return err
}

// moveParentPaths renews parent_path of records and of all below them.
func (e *Env) moveParentPaths(m *schema.Model, ids []int64) error {
	table := quote(m.Table)
	for _, id := range ids {
		var old string
		err := e.tx.Query(e.ctx, "select parent_path from "+table+" where id = $1", []any{id}, func(r sqldb.Row) error {
			old = r.Text(0)
			return nil
		})
		if err != nil {
			return err
		}
		parent := e.One(m.Name, id).Int(m.ParentName)
		if err := e.setParentPath(m, id, parent); err != nil {
			return err
		}
		if old == "" {
			continue
		}
		_, err = e.tx.Exec(e.ctx, "update "+table+" set parent_path = (select p.parent_path from "+table+
			" p where p.id = $1) || substr(parent_path, $2) where substr(parent_path, 1, $3) = $4 and id <> $1",
			id, int64(len(old)+1), int64(len(old)), old)
		if err != nil {
			return err
		}
		e.cache = newRecordCache()
	}
	return nil
}
