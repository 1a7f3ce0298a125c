package record

import (
	"context"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// Unlink implements backend.Backend.
func (e *Engine) Unlink(ctx context.Context, c *backend.Caller, model string, ids []int64) error {
	return e.write(ctx, c, func(env *Env) error {
		m, err := env.callContext.model(model, schema.Unlink)
		if err != nil {
			return err
		}
		return env.unlink(m, unique(ids))
	})
}

// noteUnlinking keeps what records are before they go, for those who are told.
func (e *Env) noteUnlinking(m *schema.Model, ids []int64) error {
	if err := e.auditUnlinking(m, ids); err != nil {
		return err
	}
	return e.tellUnlinking(m, ids)
}

// unlink deletes records. What restricts it is named; what cascades or is set
// to null is left to the database.
func (e *Env) unlink(m *schema.Model, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	e.enter()
	defer e.leave()
	if err := e.mayGrant(m, schema.Unlink, nil); err != nil {
		return err
	}
	if err := e.checkRules(m, ids, schema.Unlink); err != nil {
		return err
	}
	if err := e.flush(); err != nil {
		return err
	}
	if err := e.noteUnlinking(m, ids); err != nil {
		return err
	}
	recs := e.recs(m, ids)
	for _, l := range e.e.logics[m.Name] {
		if l.BeforeUnlink != nil {
			if err := e.hookFault(l.BeforeUnlink(e, recs)); err != nil {
				return err
			}
		}
	}
	gone, err := e.referers(m, ids)
	if err != nil {
		return err
	}
	if err := e.affected(m, ids, change{gone: true}); err != nil {
		return err
	}
	if err := e.remove(m, ids); err != nil {
		return err
	}
	if err := e.unlinkAttached(gone); err != nil {
		return err
	}
	if err := e.flush(); err != nil {
		return err
	}
	for _, l := range e.e.logics[m.Name] {
		if l.AfterUnlink != nil {
			if err := e.hookFault(l.AfterUnlink(e, ids)); err != nil {
				return err
			}
		}
	}
	return e.signalModel(m)
}

// remove deletes rows and their external ids.
func (e *Env) remove(m *schema.Model, ids []int64) error {
	d := e.tx.Dialect()
	n, err := e.tx.Exec(e.ctx, "delete from "+quote(m.Table)+" where "+d.In("id", "$1", true), ids)
	if err != nil {
		return violation(m, err)
	}
	if n < int64(len(ids)) {
		return e.whyNot(e.tx, m, ids, schema.Unlink)
	}
	e.pending.drop(m.Name, ids)
	e.cache = newRecordCache()
	if m.Name == "ir.model.data" || e.st.reg.Model("ir.model.data") == nil {
		return nil
	}
	_, err = e.tx.Exec(e.ctx, "delete from ir_model_data where model = $1 and "+d.In("res_id", "$2", true), m.Name, ids)
	return err
}

// referers looks at the records that point at those to be deleted: a
// restricting link refuses the deletion, the others change what is computed
// from them. gone are the records and all that go with them.
func (e *Env) referers(m *schema.Model, ids []int64) (gone map[trailKey]bool, err error) {
	gone = recordSet(m, ids)
	own := recordSet(m, ids)
	for _, f := range e.st.reg.Referers(m.Name) {
		if f.Model.Abstract || automatic(f.Name) {
			continue
		}
		restrict := f.Ondelete == schema.Restrict
		if !restrict && !e.tells(f) && !e.computesFrom(f) {
			continue
		}
		users, err := e.pointing(f, ids, own) // the records may point at each other
		if err != nil {
			return nil, err
		}
		if restrict && len(users) > 0 {
			return nil, fault.Newf(fault.Unprocessable, "The record cannot be deleted: %s (%s) still uses it in the field %s. Archive it instead, or change the other record first",
				f.Model.Label, f.Model.Name, f.Label).With(map[string]any{"model": f.Model.Name, "field": f.Name})
		}
		if err := e.noteReferring(f, users, gone); err != nil {
			return nil, err
		}
		change := change{fields: map[string]bool{f.Name: true}}
		if f.Ondelete == schema.Cascade {
			change.gone = true
			change.fields = nil
		}
		if err := e.affected(f.Model, users, change); err != nil {
			return nil, err
		}
	}
	return gone, nil
}

// computesFrom says whether anything is computed from a many2one.
func (e *Env) computesFrom(f *schema.Field) bool {
	for _, t := range e.st.triggers[f.Model.Name] {
		if t.field == f.Name || f.Ondelete == schema.Cascade {
			return true
		}
	}
	return false
}
