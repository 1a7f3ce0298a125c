package record

import (
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// applyX2many runs the commands on one record's list; fresh says that the
// record has just been made.
func (e *Env) applyX2many(m *schema.Model, id int64, f *schema.Field, cmds []Command, fresh bool) error {
	if f.Inherited {
		parent := e.One(m.Name, id).Ref(f.Related[0])
		return e.Write([]Rec{parent}, Values{f.Related[1]: cmds})
	}
	co := e.st.reg.Model(f.Relation)
	if co == nil {
		return fault.Newf(fault.BadRequest, "The field %s leads to the model %s, which does not exist here", f.Name, f.Relation)
	}
	for _, cmd := range cmds {
		var err error
		switch {
		case cmd.Kind == UpdateLine || cmd.Kind == DeleteLine:
			err = e.changeLine(f, co, cmd)
		case f.Type == schema.Many2many:
			err = e.many2many(m, id, f, co, cmd)
		default:
			err = e.one2many(id, f, co, cmd, fresh)
		}
		if err != nil {
			return inField(f, err)
		}
	}
	return nil
}

// changeLine writes or deletes the record that a command names. One that does
// not exist is an error in a one2many; in a many2many Odoo passes over it.
func (e *Env) changeLine(f *schema.Field, co *schema.Model, cmd Command) error {
	if f.Type == schema.Many2many {
		if err := e.exists(co, []int64{cmd.ID}); fault.Is(err, fault.NotFound) {
			return nil
		}
	}
	line := e.recs(co, []int64{cmd.ID})
	if cmd.Kind == DeleteLine {
		return e.Unlink(line)
	}
	return e.Write(line, cmd.Values)
}

// inField names the list in an error about one of its lines.
func inField(f *schema.Field, err error) error {
	fl := *fault.From(err)
	if fl.Kind == fault.Internal {
		return err
	}
	fl.Message = f.Name + ": " + fl.Message
	return &fl
}

func (e *Env) one2many(id int64, f *schema.Field, co *schema.Model, cmd Command, fresh bool) error {
	inverse := co.Field(f.Inverse)
	if inverse == nil {
		return fault.Newf(fault.BadRequest, "The field %s has no inverse on %s", f.Name, co.Name)
	}
	switch cmd.Kind {
	case CreateLine:
		values := make(Values, len(cmd.Values)+1)
		for k, v := range cmd.Values {
			values[k] = v
		}
		values[f.Inverse] = id
		_, err := e.trusting(co.Name, f.Inverse).Create(co.Name, values)
		return err
	case LinkLine:
		return e.Write(e.recs(co, []int64{cmd.ID}), Values{f.Inverse: id})
	case UnlinkLine:
		return e.cutLines(inverse, co, []int64{cmd.ID})
	case ClearLines, SetLines:
		return e.setLines(id, f, co, cmd.IDs, fresh)
	}
	return nil
}

// setLines makes the given records the lines of a record, and cuts the others
// off. In the values of a new record there are no others: what commands before
// this one made stays, as in Odoo.
func (e *Env) setLines(id int64, f *schema.Field, co *schema.Model, lines []int64, fresh bool) error {
	var have []int64
	if !fresh {
		var err error
		if have, err = e.linesOf(id, f); err != nil {
			return err
		}
	}
	keep := map[int64]bool{}
	for _, line := range lines {
		keep[line] = true
	}
	var cut, link []int64
	had := map[int64]bool{}
	for _, line := range have {
		had[line] = true
		if !keep[line] {
			cut = append(cut, line)
		}
	}
	for _, line := range lines {
		if !had[line] {
			link = append(link, line)
		}
	}
	if err := e.cutLines(co.Field(f.Inverse), co, cut); err != nil || len(link) == 0 {
		return err
	}
	return e.Write(e.recs(co, link), Values{f.Inverse: id})
}

// trusting is the same Env, which does not ask again whether a line may be
// linked to the record that it is made for.
func (e *Env) trusting(model, field string) *Env {
	s := *e
	s.trusted, s.trustedAt = model+"."+field, e.depth+1
	return &s
}

// cutLines removes lines from their parent: deleted where they cannot be
// without one, else left alone in the world.
func (e *Env) cutLines(inverse *schema.Field, co *schema.Model, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	if inverse.Required || inverse.Ondelete == schema.Cascade {
		return e.Unlink(e.recs(co, ids))
	}
	return e.Write(e.recs(co, ids), Values{inverse.Name: nil})
}

// linesOf are the lines that a set or clear command sees: not the archived ones.
func (e *Env) linesOf(id int64, f *schema.Field) ([]int64, error) {
	if err := e.flush(); err != nil {
		return nil, err
	}
	c := e.Sudo().compiler()
	owner := c.from(f.Model)
	expr, err := owner.links(f)
	if err != nil {
		return nil, err
	}
	var ids []int64
	err = e.query(c, "select "+expr+" from "+owner.sql()+" where "+owner.alias+".id = "+c.arg(id),
		func(r sqldb.Row) error {
			ids = append(ids, r.IDs(0)...)
			return nil
		})
	return ids, err
}

func (e *Env) many2many(m *schema.Model, id int64, f *schema.Field, co *schema.Model, cmd Command) error {
	switch cmd.Kind {
	case CreateLine:
		recs, err := e.Create(co.Name, cmd.Values)
		if err != nil {
			return err
		}
		return e.link(m, id, f, idsOf(recs))
	case LinkLine:
		if err := e.checkTargets(f, []int64{cmd.ID}); err != nil {
			return err
		}
		return e.link(m, id, f, []int64{cmd.ID})
	case UnlinkLine:
		return e.cut(m, id, f, []int64{cmd.ID})
	case ClearLines, SetLines:
		have, err := e.linesOf(id, f)
		if err != nil {
			return err
		}
		keep := map[int64]bool{}
		for _, other := range cmd.IDs {
			keep[other] = true
		}
		had := map[int64]bool{}
		var gone, fresh []int64
		for _, other := range have {
			had[other] = true
			if !keep[other] {
				gone = append(gone, other)
			}
		}
		for _, other := range cmd.IDs {
			if !had[other] {
				fresh = append(fresh, other)
			}
		}
		if err := e.checkTargets(f, fresh); err != nil {
			return err
		}
		if err := e.cut(m, id, f, gone); err != nil {
			return err
		}
		return e.link(m, id, f, fresh)
	}
	return nil
}

func (e *Env) checkTargets(f *schema.Field, ids []int64) error {
	if e.actor.loose {
		return nil
	}
	return e.checkLink(f, ids, true)
}

// link adds rows to the relation table; links that exist are left alone.
func (e *Env) link(m *schema.Model, id int64, f *schema.Field, others []int64) error {
	if len(others) == 0 {
		return nil
	}
	if err := e.mayRelink(f); err != nil {
		return err
	}
	stmts := make([]sqldb.Stmt, len(others))
	for i, other := range others {
		stmts[i] = sqldb.Stmt{
			SQL: "insert into " + quote(f.RelTable) + " (" + quote(f.Column1) + ", " + quote(f.Column2) +
				") values ($1, $2) on conflict do nothing",
			Args: []any{id, other},
		}
	}
	if err := e.tx.Batch(e.ctx, stmts); err != nil {
		return violation(m, err)
	}
	return e.relinked(m, id, f, others)
}

func (e *Env) cut(m *schema.Model, id int64, f *schema.Field, others []int64) error {
	if len(others) == 0 {
		return nil
	}
	if err := e.mayRelink(f); err != nil {
		return err
	}
	_, err := e.tx.Exec(e.ctx, "delete from "+quote(f.RelTable)+" where "+quote(f.Column1)+" = $1 and "+
		e.tx.Dialect().In(quote(f.Column2), "$2", true), id, others)
	if err != nil {
		return err
	}
	return e.relinked(m, id, f, others)
}

// relinked notes that both ends of a many2many changed.
func (e *Env) relinked(m *schema.Model, id int64, f *schema.Field, others []int64) error {
	e.cache.changed(e.st, m, []int64{id})
	if err := e.affected(m, []int64{id}, change{fields: map[string]bool{f.Name: true}}); err != nil {
		return err
	}
	co := e.st.reg.Model(f.Relation)
	for _, back := range co.Fields {
		if back.Type == schema.Many2many && back.RelTable == f.RelTable && back.Column1 == f.Column2 {
			if err := e.affected(co, others, change{fields: map[string]bool{back.Name: true}}); err != nil {
				return err
			}
		}
	}
	return nil
}
