package record

import (
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// inScope holds the values that a caller gives to what his credential is for:
// the route asked about the model itself, but lists bring changes of others
// along. Lines that are part of their record and go with it need no more than
// the record does.
func (e *Env) inScope(m *schema.Model, list ...Values) error {
	if e.caller.InScope == nil {
		return nil
	}
	for _, values := range list {
		for name, v := range values {
			f := m.Field(name)
			if f == nil || !f.Type.IsX2many() {
				continue // an unknown field is named later
			}
			if err := e.listInScope(f, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Env) listInScope(f *schema.Field, v any) error {
	cmds, err := e.commands(f, v)
	co := e.st.reg.Model(f.Relation)
	if err != nil || co == nil {
		return err
	}
	inverse := co.Field(f.Inverse)
	part := f.Type == schema.One2many && inverse != nil && inverse.Required && inverse.Ondelete == schema.Cascade
	for _, cmd := range cmds {
		mode, changes := cmd.changes(f)
		if changes && !part && !e.caller.InScope(co.Name, mode) {
			return fault.Newf(fault.Forbidden, "%s: the scopes of this credential do not cover changes of %s", f.Name, co.Name).
				With(fault.FieldErrors{f.Name: "out of scope"})
		}
		if err := e.inScope(co, cmd.Values); err != nil {
			return err
		}
	}
	return nil
}

// changes says what a command does to records of the comodel, if anything.
func (c Command) changes(f *schema.Field) (schema.Mode, bool) {
	switch c.Kind {
	case CreateLine:
		return schema.Create, true
	case UpdateLine:
		return schema.Write, true
	case DeleteLine:
		return schema.Unlink, true
	}
	return schema.Write, f.Type == schema.One2many // the link is a field of theirs
}
