package record

import (
	"context"

	"gatehouse/internal/access"
	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/nearest"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// model finds a model that the caller may use in this mode.
func (cx *callContext) model(name string, mode schema.Mode) (*schema.Model, error) {
	m := cx.st.reg.Model(name)
	if m == nil || m.Abstract || !cx.visible(m) {
		return nil, cx.unknownModel(name)
	}
	if !cx.may(m, mode) {
		return nil, backend.ForbiddenModel(name, mode)
	}
	return m, provable(m)
}

// may is the right of ir.model.access; Gatehouse's own models are for
// administrators as a whole.
func (cx *callContext) may(m *schema.Model, mode schema.Mode) bool {
	if m.AdminOnly {
		return cx.actor.admin
	}
	return cx.actor.sudo || access.Model(cx.st.reg, cx.actor.user, m.Name, mode)
}

func (cx *callContext) visible(m *schema.Model) bool {
	if m.AdminOnly {
		return cx.actor.admin
	}
	return cx.actor.sudo || access.AnyMode(cx.st.reg, cx.actor.user, m.Name)
}

func (cx *callContext) unknownModel(name string) error {
	var names []string
	for _, n := range cx.st.reg.Names() {
		if m := cx.st.reg.Model(n); !m.Abstract && cx.visible(m) {
			names = append(names, n)
		}
	}
	msg := "Unknown model: " + backend.Shorten(name)
	if near := nearest.Word(name, names); near != "" {
		msg += ". Did you mean " + near + "?"
	}
	unknown := fault.New(fault.NotFound, msg)
	if m := cx.st.reg.Model(name); m != nil && !m.AdminOnly {
		return unknown.Because(backend.ErrHidden)
	}
	return unknown
}

// InGroup says whether the caller's user is in a group, by external id, and
// whether the superuser asks, who is in all.
func (e *Env) InGroup(xmlid string) bool {
	id := e.st.reg.GroupID(xmlid)
	return e.actor.sudo || id != 0 && e.actor.user.In(id)
}

// Model implements backend.Backend.
func (e *Engine) Model(ctx context.Context, c *backend.Caller, name string) (*schema.Model, error) {
	cx, err := e.call(ctx, nil, c)
	if err != nil {
		return nil, err
	}
	m := cx.st.reg.Model(name)
	if m == nil || m.Abstract || !cx.visible(m) {
		return nil, cx.unknownModel(name)
	}
	return m, nil
}

// Models implements backend.Backend.
func (e *Engine) Models(ctx context.Context, c *backend.Caller) ([]backend.Summary, error) {
	cx, err := e.call(ctx, nil, c)
	if err != nil {
		return nil, err
	}
	var all []backend.Summary
	for _, n := range cx.st.reg.Names() {
		m := cx.st.reg.Model(n)
		if m.Abstract || !cx.visible(m) {
			continue
		}
		one := backend.Summary{Name: n, Label: m.Label}
		for mode := range one.May {
			one.May[mode] = cx.may(m, schema.Mode(mode))
		}
		all = append(all, one)
	}
	return all, nil
}

// May implements backend.Backend.
func (e *Engine) May(ctx context.Context, c *backend.Caller, model string, mode schema.Mode, ids []int64) (bool, error) {
	cx, err := e.call(ctx, nil, c)
	if err != nil {
		return false, err
	}
	m := cx.st.reg.Model(model)
	if m == nil || m.Abstract {
		return false, cx.unknownModel(model)
	}
	if !cx.may(m, mode) {
		return false, nil
	}
	if len(ids) == 0 {
		return true, nil
	}
	comp := cx.compiler()
	comp.checking = true
	f := comp.from(m)
	rules, err := f.rules(mode)
	if err != nil {
		return false, err
	}
	if m.Python.Access {
		return false, backend.CannotProve(backend.PythonAccess, m.Name, "")
	}
	ids, n := unique(ids), 0
	stmt := comp.statement("select " + f.alias + ".id from " + f.sql() + " where " + comp.d.In(f.alias+".id", laterFirst, true) + andAlso(rules))
	err = e.reading(ctx, cx.q, func(db sqldb.Querier) error {
		err := db.Query(ctx, stmt.sql, stmt.with(ids), func(sqldb.Row) error { n++; return nil })
		if err != nil || n == len(ids) {
			return err
		}
		return cx.whyNot(db, m, ids, mode)
	})
	if fault.Is(err, fault.Forbidden) {
		return false, nil
	}
	return err == nil, storeFault(err, "rights on "+model)
}
