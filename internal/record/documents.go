package record

import (
	"sort"
	"strings"

	"gatehouse/internal/access"
	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/schema"
)

// guarded adds to record rules that a record hangs on a document: whoever is
// not in charge of the record sees it if he may work on the document.
func (f *from) guarded(rules string, mode schema.Mode) (string, error) {
	if f.model.ByRecord {
		guard, err := f.byRecord(mode)
		return conj(rules, guard), err
	}
	if !f.model.ByDocument || f.c.unguarded == f {
		return rules, nil
	}
	if mode != schema.Read {
		return "", backend.CannotProve(backend.PythonAccess, f.model.Name, mode.String())
	}
	guard, err := f.documents()
	return conj(rules, guard), err
}

// documents renders "is the caller's own, or hangs on a document that he may
// work on": may write, or read where the document's model says that will do. To
// look only at rights, and not for records, reading does always.
func (f *from) documents() (string, error) {
	c := f.c
	cond := c.inInts(f.alias+".user_id", []int64{c.actor.user.ID})
	for _, m := range c.documentModels() {
		if m.Gap != "" {
			return "", provable(m)
		}
		mode := schema.Write
		if m.PostByRead || c.checking {
			mode = schema.Read
		}
		if !access.Model(c.reg, c.actor.user, m.Name, mode) {
			continue
		}
		sub := c.from(m)
		rules, err := sub.rules(mode)
		if err != nil {
			return "", err
		}
		cond = disj(cond, f.alias+".res_model = "+quoteText(m.Name)+" and exists (select 1 from "+sub.sql()+
			" where "+sub.alias+".id = "+f.alias+".res_id"+andAlso(rules)+")")
	}
	return cond, nil
}

// documentModels are the models whose records have activities.
func (c *compiler) documentModels() []*schema.Model {
	var models []*schema.Model
	for _, m := range c.reg.Models {
		if !m.Abstract && !m.Transient && m.Field("activity_ids") != nil {
			models = append(models, m)
		}
	}
	sort.Slice(models, func(i, j int) bool { return models[i].Name < models[j].Name })
	return models
}

// onlyChecked says that Odoo reads records by their ids without a search, having
// looked at the rights: nothing is asked for that their own columns tell.
func onlyChecked(m *schema.Model, q *backend.Query) bool {
	if !m.ByDocument || q.IDs == nil || q.Fields == nil {
		return false
	}
	for _, name := range q.Fields {
		if field := m.Field(name); field == nil || name != "id" && !field.Type.IsX2many() {
			return false
		}
	}
	return true
}

// unguardedPage separates what a page is cut out of from what of it is shown:
// Odoo looks at the documents of the records of a page, not of all it could be
// cut from, so that a page may hold fewer than its limit.
func (f *from) unguardedPage(n domain.Node, where string) (base, shown string, err error) {
	if !f.model.ByDocument || f.c.sudo {
		return where, "", nil
	}
	f.c.unguarded = f
	base, err = f.search(n)
	f.c.unguarded = nil
	if err != nil {
		return "", "", err
	}
	shown, err = f.documents()
	return base, strings.TrimPrefix(andAlso(shown), " and"), err
}
