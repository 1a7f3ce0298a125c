package record

import (
	"context"
	"errors"

	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// checkRules makes sure that the record rules of a mode allow all records.
func (e *Env) checkRules(m *schema.Model, ids []int64, mode schema.Mode) error {
	if e.actor.sudo || m.AdminOnly {
		return nil
	}
	c := e.compiler()
	f := c.from(m)
	rules, err := f.rules(mode)
	if err != nil || rules == "true" {
		return err
	}
	n := 0
	sql := "select " + f.alias + ".id from " + f.sql() + " where " + c.d.In(f.alias+".id", c.arg(ids), true) + andAlso(rules)
	err = e.query(c, sql, func(sqldb.Row) error { n++; return nil })
	if err != nil || n == len(ids) {
		return err
	}
	if mode == schema.Create {
		return forbiddenRecord(m.Name, nil, mode)
	}
	return e.whyNot(e.tx, m, ids, mode)
}

// checkLinks protects many2one fields: a caller can link only records that he
// may read, and only ones that exist.
func (e *Env) checkLinks(m *schema.Model, values Values) error {
	if e.actor.loose {
		return nil
	}
	for name, v := range values {
		f := m.Field(name)
		id, ok := v.(int64)
		if f.Type != schema.Many2one || !ok || (e.depth == e.trustedAt && e.trusted == m.Name+"."+name) {
			continue
		}
		if err := e.checkLink(f, []int64{id}, false); err != nil {
			return err
		}
	}
	return nil
}

// checkLink makes sure that the caller may read what he links. Where no rule
// restricts that, the foreign key of the database is left to find links that
// lead nowhere, which missingLink then names. A relation table has many links
// in one statement, so sure asks for the check in any case.
func (e *Env) checkLink(f *schema.Field, ids []int64, sure bool) error {
	target := e.st.reg.Model(f.Relation)
	if target == nil || len(ids) == 0 {
		return nil
	}
	hidden := fault.Newf(fault.Forbidden, "You are not allowed to link the field %s to this record of %s", f.Name, f.Relation).
		With(fault.FieldErrors{f.Name: "not allowed"})
	cond := "true"
	c := e.compiler()
	from := c.from(target)
	if !e.may(target, schema.Read) {
		return hidden
	}
	if !target.AdminOnly {
		var err error
		if cond, err = from.rules(schema.Read); err != nil {
			return err
		}
	}
	if cond == "true" && !sure && f.HasColumn() && !f.CompanyDependent {
		return nil
	}
	seen := map[int64]bool{}
	sql := "select " + from.alias + ".id from " + from.sql() + " where " + c.d.In(from.alias+".id", c.arg(ids), true) + andAlso(cond)
	err := e.query(c, sql, func(r sqldb.Row) error { seen[r.Int(0)] = true; return nil })
	if err != nil {
		return err
	}
	for _, id := range ids {
		if seen[id] {
			continue
		}
		if fault.Is(e.whyNot(e.tx, target, []int64{id}, schema.Read), fault.NotFound) {
			return deadLink(f, id)
		}
		return hidden
	}
	return nil
}

func deadLink(f *schema.Field, id int64) error {
	return fault.Newf(fault.Unprocessable, "Invalid value for field %s: record %d of %s does not exist", f.Name, id, f.Relation).
		With(fault.FieldErrors{f.Name: "does not exist"})
}

// suspect is a set of values that the database refused over a foreign key.
type suspect struct {
	model  *schema.Model
	values Values
	fresh  bool // of a record that was being made
}

// suspects remembers values whose links have to be looked at once the failed
// transaction is over and its connection free.
func (e *Env) suspects(m *schema.Model, cause error, fresh bool, values Values) {
	if v, ok := errors.AsType[*sqldb.Violation](cause); !ok || v.Kind != sqldb.ForeignKey {
		return
	}
	e.suspected = append(e.suspected, suspect{m, values, fresh})
}

// looksBehind says that Odoo looks at the target of a link, to compute something
// from it, before it stores the link: it then finds the target missing itself.
func (s *suspect) looksBehind(st *state, f *schema.Field) bool {
	for _, t := range st.triggers[s.model.Name] {
		if t.field != f.Name || t.model != s.model.Name || len(t.path) > 0 {
			continue
		}
		related := len(s.model.Field(t.compute.Fields[0]).Related) > 0
		if !s.fresh || (t.compute.Early && !related) {
			return true
		}
	}
	return false
}

// missingLink names the link that leads nowhere, nil when none does.
func (e *Engine) missingLink(ctx context.Context, env *Env) error {
	st := env.st
	var found error
	err := e.db.Read(ctx, func(q sqldb.Querier) error {
		for _, s := range env.suspected {
			for _, f := range s.model.Fields {
				id, ok := s.values[f.Name].(int64)
				target := st.reg.Model(f.Relation)
				if f.Type != schema.Many2one || !ok || target == nil || found != nil {
					continue
				}
				exists := false
				err := q.Query(ctx, "select 1 from "+quote(target.Table)+" where id = cast($1 as bigint)", []any{id},
					func(sqldb.Row) error { exists = true; return nil })
				if err != nil {
					return err
				}
				switch {
				case exists:
				case env.asOdoo() && s.looksBehind(st, f):
					found = missingRecord(f.Relation, id)
				default:
					found = deadLink(f, id)
				}
			}
		}
		return nil
	})
	if err != nil {
		return fault.Wrap(err, "find a dead link")
	}
	return found
}
