package record

import (
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// What the database deletes or empties along with records is noted before, at
// any depth, for the audit trail, the log of changes and webhooks.

// cascades says whether the database deletes the records that point at deleted ones by a field.
func cascades(f *schema.Field) bool { return f.Ondelete == schema.Cascade }

// auditsCascade says whether the audit trail has what goes by a field.
func (e *Env) auditsCascade(f *schema.Field) bool {
	return cascades(f) && !f.Model.NoCreate && e.audited(f.Model) != nil
}

// concerned says whether anybody is told of anything that goes, or loses a
// link, with records of a model.
func (e *Env) concerned(m *schema.Model, seen map[string]bool) bool {
	if seen[m.Name] {
		return false
	}
	seen[m.Name] = true
	for _, f := range e.st.reg.Referers(m.Name) {
		if f.Model.Abstract || automatic(f.Name) {
			continue
		}
		if !f.Model.AdminOnly || e.subscribed(f.Model) != nil || e.auditsCascade(f) || cascades(f) && e.concerned(f.Model, seen) {
			return true
		}
	}
	return false
}

// tells says whether anybody is told of what becomes of the records that point
// at deleted ones by a field. The log of changes has all but Gatehouse's own.
func (e *Env) tells(f *schema.Field) bool {
	return !f.Model.AdminOnly || e.subscribed(f.Model) != nil || e.auditsCascade(f) || e.concernsCascade(f)
}

// concernsCascade is concerned for what goes by a field.
func (e *Env) concernsCascade(f *schema.Field) bool {
	return cascades(f) && e.concerned(f.Model, map[string]bool{})
}

// recordSet is a set of records of a model.
func recordSet(m *schema.Model, ids []int64) map[trailKey]bool {
	set := make(map[trailKey]bool, len(ids))
	for _, id := range ids {
		set[trailKey{m, id}] = true
	}
	return set
}

// pointing are the records whose many2one leads to one of ids, without some.
func (e *Env) pointing(f *schema.Field, ids []int64, without map[trailKey]bool) ([]int64, error) {
	var users []int64
	sql := "select id from " + quote(f.Model.Table) + " where " + e.tx.Dialect().In(quote(f.Name), "$1", true)
	err := e.tx.Query(e.ctx, sql, []any{ids}, func(r sqldb.Row) error {
		if id := r.Int(0); !without[trailKey{f.Model, id}] {
			users = append(users, id)
		}
		return nil
	})
	return users, err
}

// noteReferring notes what the database will do to records whose many2one
// leads to deleted ones, and with them to others. gone are those of which it is
// noted that they go.
func (e *Env) noteReferring(f *schema.Field, ids []int64, gone map[trailKey]bool) error {
	var fresh []int64
	for _, id := range ids {
		if !gone[trailKey{f.Model, id}] {
			fresh = append(fresh, id)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if e.auditsCascade(f) {
		if err := e.auditUnlinking(f.Model, fresh); err != nil {
			return err
		}
	}
	if !cascades(f) {
		return e.tellChanging(f.Model, fresh)
	}
	if err := e.tellUnlinking(f.Model, fresh); err != nil {
		return err
	}
	for _, id := range fresh {
		gone[trailKey{f.Model, id}] = true
	}
	return e.noteCascade(f.Model, fresh, gone)
}

// noteCascade is noteReferring for all that points at records which a cascade deletes.
func (e *Env) noteCascade(m *schema.Model, ids []int64, gone map[trailKey]bool) error {
	for _, f := range e.st.reg.Referers(m.Name) {
		if f.Model.Abstract || automatic(f.Name) || !e.tells(f) {
			continue
		}
		users, err := e.pointing(f, ids, gone)
		if err != nil {
			return err
		}
		if err := e.noteReferring(f, users, gone); err != nil {
			return err
		}
	}
	return nil
}
