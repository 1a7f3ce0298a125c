package record

import (
	"slices"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// notReadable answers for fields whose value only Odoo's code could compute.
func notReadable(field *schema.Field) error {
	name := field.Model.Name + "." + field.Name
	return fault.Newf(fault.BadRequest, "The field %s of %s is computed and not stored: it cannot be used here",
		field.Name, field.Model.Name).With(fault.FieldErrors{field.Name: "not stored"}).
		Because(&backend.UnprovableError{Reason: backend.NotStored, Subject: name})
}

// provable says whether a model can be asked at all.
func provable(m *schema.Model) error {
	if m.Gap != "" {
		return backend.CannotProve(backend.UnknownModel, m.Name, m.Gap)
	}
	return nil
}

// searchable says whether what a search in a model finds follows from its data.
func (c *compiler) searchable(m *schema.Model) error {
	switch {
	case m.Gap != "":
		return provable(m)
	case m.Python.Access:
		return backend.CannotProve(backend.PythonAccess, m.Name, "")
	case m.Python.Search:
		return backend.CannotProve(backend.PythonSearch, m.Name, "")
	}
	return c.sameSearch(m)
}

// nameable says whether the names of a model's records follow from its data.
func (c *compiler) nameable(m *schema.Model) error {
	if m.Gap != "" {
		return provable(m)
	}
	if m.Python.Name {
		return backend.CannotProve(backend.PythonName, m.Name, "")
	}
	for _, key := range c.contextKeys {
		if slices.Contains(m.NameContexts, key) {
			return backend.CannotProve(backend.ContextKey, key, "names of "+m.Name)
		}
	}
	return nil
}
