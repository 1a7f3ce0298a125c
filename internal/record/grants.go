package record

import (
	"gatehouse/internal/access"
	"gatehouse/internal/schema"
)

// limited says that the caller's credential may not change who may do what.
// What business logic does as superuser is its own decision, not the caller's.
func (e *Env) limited() bool {
	return e.caller.Ungranting != nil && (!e.actor.sudo || e.actor.user.ID == access.SuperuserID)
}

// mayGrant refuses a change that gives rights by a credential that may not
// give any. Every create, write and unlink asks, however deep in lists,
// related fields or methods it is, so there is no way around.
func (e *Env) mayGrant(m *schema.Model, mode schema.Mode, values Values) error {
	if !e.limited() {
		return nil
	}
	if access.Grants(m.Name, mode) {
		return e.caller.Ungranting
	}
	for name := range values {
		if access.GrantsField(m.Name, name) {
			return e.caller.Ungranting
		}
	}
	return nil
}

// mayRelink is mayGrant for the rows of a many2many, which may be changed from
// its other end too, or by a field that somebody added to the same table.
func (e *Env) mayRelink(f *schema.Field) error {
	if !e.limited() {
		return nil
	}
	for _, name := range access.GrantingModels() {
		m := e.st.reg.Model(name)
		if m == nil {
			continue
		}
		for _, own := range m.Fields {
			if own.Type == schema.Many2many && own.RelTable == f.RelTable && access.GrantsField(name, own.Name) {
				return e.caller.Ungranting
			}
		}
	}
	return nil
}
