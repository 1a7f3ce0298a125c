package record

import (
	"sort"
	"strings"

	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// trigger says that a change of a field makes a compute run again, on the
// records from which path leads to the changed ones.
type trigger struct {
	field   string   // changed field
	model   string   // model of the compute
	path    []string // relational fields from that model to the changed one; empty: itself
	compute *Compute
	// link: the field is a step of the path, so that records which it led from
	// before the change are concerned too.
	link bool
}

// buildTriggers derives from the dependencies of all computes what to run when
// something changes. Stored related fields are computes as well.
func (e *Engine) buildTriggers(reg *schema.Registry) (map[string][]*trigger, map[string][]*Compute) {
	b := &triggerBuilder{reg: reg, out: map[string][]*trigger{}}
	computes := map[string][]*Compute{}
	for _, name := range reg.Names() {
		m := reg.Model(name)
		for _, l := range e.logics[name] {
			for i := range l.Computes {
				computes[name] = append(computes[name], &l.Computes[i])
			}
		}
		for _, f := range m.Fields {
			if f.Store && len(f.Related) > 0 {
				computes[name] = append(computes[name], relatedCompute(f))
			}
		}
		for _, c := range computes[name] {
			for _, dep := range c.Depends {
				b.add(m, c, m, nil, strings.Split(dep, "."))
			}
		}
	}
	return b.out, computes
}

// relatedCompute keeps a stored related field equal to the end of its path.
func relatedCompute(f *schema.Field) *Compute {
	return &Compute{
		Fields: []string{f.Name}, Depends: []string{strings.Join(f.Related, ".")}, Early: true,
		Do: func(_ *Env, r Rec) (Values, error) {
			for _, step := range f.Related[:len(f.Related)-1] {
				r = r.Ref(step)
			}
			return Values{f.Name: r.get(f.Related[len(f.Related)-1])}, nil
		},
	}
}

type triggerBuilder struct {
	reg *schema.Registry
	out map[string][]*trigger
}

// add follows a dependency of a compute on root from the model at, which path
// leads to.
func (b *triggerBuilder) add(root *schema.Model, c *Compute, at *schema.Model, path, steps []string) {
	f := at.Field(steps[0])
	if f == nil {
		return
	}
	if len(f.Related) > 0 && !f.Store { // depend on what it is got from
		b.add(root, c, at, path, append(append([]string(nil), f.Related...), steps[1:]...))
		return
	}
	last := len(steps) == 1
	b.put(at, &trigger{field: f.Name, model: root.Name, path: path, compute: c, link: !last || f.Type.IsRelational()})
	if !f.Type.IsRelational() {
		return
	}
	next := b.reg.Model(f.Relation)
	if next == nil {
		return
	}
	longer := append(append([]string(nil), path...), f.Name)
	if f.Type == schema.One2many && next.Field(f.Inverse) != nil {
		b.put(next, &trigger{field: f.Inverse, model: root.Name, path: longer, compute: c, link: true})
	}
	if f.Type.IsX2many() && next.ActiveName != "" {
		b.put(next, &trigger{field: next.ActiveName, model: root.Name, path: longer, compute: c})
	}
	if !last {
		b.add(root, c, next, longer, steps[1:])
	}
}

func (b *triggerBuilder) put(m *schema.Model, t *trigger) {
	for _, have := range b.out[m.Name] {
		if have.field == t.field && have.model == t.model && have.compute == t.compute && strings.Join(have.path, ".") == strings.Join(t.path, ".") {
			have.link = have.link || t.link
			return
		}
	}
	b.out[m.Name] = append(b.out[m.Name], t)
}

// change is what happened to records, for finding what depends on them.
type change struct {
	fields map[string]bool // nil: all
	// fresh records are new: nothing can link to them but their own lines.
	fresh bool
	// linksOnly looks at the ways that lead to the records, before they change.
	linksOnly bool
	// gone records are not computed themselves any more.
	gone bool
}

// skips says that a compute need not run on the changed records themselves.
func (ch change) skips(c *Compute) bool {
	if ch.gone {
		return true
	}
	return ch.fresh && c.Early
}

// affected schedules the computes that a change of records concerns.
func (e *Env) affected(m *schema.Model, ids []int64, ch change) error {
	known := map[string][]int64{} // where paths lead, as many triggers share one
	for _, t := range e.st.triggers[m.Name] {
		if ch.fields != nil && !ch.fields[t.field] {
			continue
		}
		if ch.linksOnly && (!t.link || len(t.path) == 0) {
			continue
		}
		if len(t.path) == 0 {
			if ch.skips(t.compute) {
				continue
			}
			e.pending.add(t.model, t.compute, ids)
			continue
		}
		key := t.model + "/" + strings.Join(t.path, ".")
		targets, found := known[key]
		if !found {
			var err error
			if targets, err = e.backward(t, ids, ch.fresh); err != nil {
				return err
			}
			known[key] = targets
		}
		e.pending.add(t.model, t.compute, targets)
	}
	return nil
}

// backward finds the records of the trigger's model whose path leads to ids.
func (e *Env) backward(t *trigger, ids []int64, fresh bool) ([]int64, error) {
	models := make([]*schema.Model, len(t.path)+1)
	models[0] = e.st.reg.Model(t.model)
	for i, step := range t.path {
		models[i+1] = e.st.reg.Model(models[i].Field(step).Relation)
	}
	for i := len(t.path) - 1; i >= 0 && len(ids) > 0; i-- {
		f := models[i].Field(t.path[i])
		if fresh && i == len(t.path)-1 && f.Type == schema.Many2one {
			return nil, nil
		}
		var err error
		if ids, err = e.hop(models[i], f, ids); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// hop finds the records whose field f leads to ids.
func (e *Env) hop(m *schema.Model, f *schema.Field, ids []int64) ([]int64, error) {
	if f.Type == schema.One2many {
		if parents, ok := e.cachedParents(f, ids); ok {
			return parents, nil
		}
	}
	d := e.tx.Dialect()
	var sql string
	switch {
	case f.Type == schema.Many2one && f.HasColumn() && !f.CompanyDependent:
		sql = "select id from " + quote(m.Table) + " where " + d.In(quote(f.Name), "$1", true)
	case f.Type == schema.One2many:
		co := e.st.reg.Model(f.Relation)
		sql = "select distinct " + quote(f.Inverse) + " from " + quote(co.Table) + " where " + d.In("id", "$1", true) +
			" and " + quote(f.Inverse) + " is not null"
	case f.Type == schema.Many2many && f.Store:
		sql = "select distinct " + quote(f.Column1) + " from " + quote(f.RelTable) + " where " + d.In(quote(f.Column2), "$1", true)
	default:
		return nil, nil
	}
	var out []int64
	err := e.tx.Query(e.ctx, sql, []any{ids}, func(r sqldb.Row) error {
		out = append(out, r.Int(0))
		return nil
	})
	return out, err
}

// cachedParents finds the records that lines belong to without asking the
// database; ok says that it could.
func (e *Env) cachedParents(f *schema.Field, lines []int64) (parents []int64, ok bool) {
	co := e.st.reg.Model(f.Relation)
	inverse := co.Field(f.Inverse)
	if inverse == nil || !inverse.HasColumn() {
		return nil, false
	}
	for _, line := range lines {
		v, cached := e.cache.get(co, line, inverse, 0)
		if !cached {
			return nil, false
		}
		if id, set := v.(int64); set && id != 0 {
			parents = append(parents, id)
		}
	}
	return unique(parents), true
}

// pendingComputes are the computes still to run, by the records they concern.
type pendingComputes struct {
	tasks  []*task
	active []*task // being run, innermost last
}

type task struct {
	model   string
	compute *Compute
	ids     map[int64]bool
}

func (p *pendingComputes) add(model string, c *Compute, ids []int64) {
	if len(ids) == 0 {
		return
	}
	var t *task
	for _, have := range p.tasks {
		if have.compute == c && have.model == model {
			t = have
		}
	}
	if t == nil {
		t = &task{model, c, map[int64]bool{}}
		p.tasks = append(p.tasks, t)
	}
	for _, id := range ids {
		t.ids[id] = true
	}
}

func (c *Compute) fills(field string) bool {
	for _, f := range c.Fields {
		if f == field {
			return true
		}
	}
	return false
}

// has says whether a record's field waits for a compute.
func (p *pendingComputes) has(model, field string, id int64) bool {
	for _, t := range p.tasks {
		if t.model == model && t.ids[id] && t.compute.fills(field) {
			return true
		}
	}
	return false
}

// running says whether the compute of the field is at work on the record.
func (p *pendingComputes) running(model, field string, id int64) bool {
	for _, t := range p.active {
		if t.model == model && t.ids[id] && t.compute.fills(field) {
			return true
		}
	}
	return false
}

// take removes a task; nil when there is none for the field ("" is any).
func (p *pendingComputes) take(model, field string) *task {
	for i, t := range p.tasks {
		if field == "" || (t.model == model && t.compute.fills(field)) {
			p.tasks = append(p.tasks[:i], p.tasks[i+1:]...)
			return t
		}
	}
	return nil
}

// drop forgets records that are gone.
func (p *pendingComputes) drop(model string, ids []int64) {
	for _, t := range p.tasks {
		if t.model == model {
			for _, id := range ids {
				delete(t.ids, id)
			}
		}
	}
}

func (t *task) sorted() []int64 {
	ids := make([]int64, 0, len(t.ids))
	for id := range t.ids {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	return ids
}
