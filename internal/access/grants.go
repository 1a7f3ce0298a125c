package access

import "gatehouse/internal/schema"

// GrantingModels are the models that decide who may do what. Whoever changes
// them can give himself, or another of his credentials, what this one lacks.
func GrantingModels() []string {
	return []string{"res.groups", "ir.model.access", "ir.rule", "ir.model.data", "res.users"}
}

// Grants says whether a change of records of a model is one of who may do what.
// Names of records (ir.model.data) are among them, because a group is known by
// its name. A user is made with rights, but the rest of what a record of
// res.users says is the person's own business: see GrantsField.
func Grants(model string, mode schema.Mode) bool {
	switch model {
	case "res.groups", "ir.model.access", "ir.rule", "ir.model.data":
		return mode != schema.Read
	case "res.users":
		return mode == schema.Create
	}
	return false
}

// GrantsField says whether a change of one field is one of who may do what.
func GrantsField(model, field string) bool {
	if model != "res.users" {
		return Grants(model, schema.Write)
	}
	switch field {
	case "login", "active", "password", "group_ids", "company_ids":
		return true
	}
	return false
}
