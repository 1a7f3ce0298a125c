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
	part := arePart(f, co)
	for _, cmd := range cmds {
		mode, changes := cmd.changes(f)
		if changes && !part && !e.caller.InScope(co.Name, mode) {
			return outOfScope(f, co)
		}
		if err := e.inScope(co, cmd.Values); err != nil {
			return err
		}
	}
	return nil
}

// arePart says that the lines of a list are part of their record.
func arePart(f *schema.Field, co *schema.Model) bool {
	inverse := co.Field(f.Inverse)
	return f.Type == schema.One2many && inverse != nil && inverse.Required && inverse.Ondelete == schema.Cascade
}

func outOfScope(f *schema.Field, co *schema.Model) error {
	return fault.Newf(fault.Forbidden, "%s: the scopes of this credential do not cover changes of %s", f.Name, co.Name).
		With(fault.FieldErrors{f.Name: "out of scope"})
}

// copyInScope holds the lines that go with a copy to what the credential is for.
func (e *Env) copyInScope(m *schema.Model, over Values) error {
	if e.caller.InScope == nil {
		return nil
	}
	return e.linesInScope(m, over, map[string]bool{})
}

func (e *Env) linesInScope(m *schema.Model, over Values, seen map[string]bool) error {
	seen[m.Name] = true
	for _, f := range m.Fields {
		co := e.st.reg.Model(f.Relation)
		if _, given := over[f.Name]; given || f.Type != schema.One2many || co == nil || !e.copies(m, f) {
			continue
		}
		if !arePart(f, co) && !e.caller.InScope(co.Name, schema.Create) {
			return outOfScope(f, co)
		}
		if !seen[co.Name] { // lines may have lines
			if err := e.linesInScope(co, nil, seen); err != nil {
				return err
			}
		}
	}
	return nil
}

// MayUnlink refuses a method's deletion of records of its own model by a
// credential that is good for changes alone.
func (e *Env) MayUnlink(model string) error {
	if e.caller.InScope == nil || e.caller.InScope(model, schema.Unlink) {
		return nil
	}
	return fault.Newf(fault.Forbidden, "The scopes of this credential do not cover deleting %s", model)
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
