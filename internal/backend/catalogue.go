package backend

import "gatehouse/internal/schema"

// Catalogue is all that a caller may use.
type Catalogue struct {
	Models []Entry // sorted by name
}

// Entry is a model that a caller may use in some way.
type Entry struct {
	Model  *schema.Model
	May    [4]bool         // by schema.Mode
	Fields []*schema.Field // that the caller may see, in order of declaration
	// WriteOnly fields are taken and never answered: a password. Needed are those
	// that a new record cannot do without.
	WriteOnly []*schema.Field
	Needed    []string
	Methods   []MethodInfo // of the model's own logic, sorted
	// Common says that the model has the methods that all of Odoo's have, too.
	Common bool
}

// MethodInfo describes a public business method.
type MethodInfo struct {
	Name, Doc string
	OnModel   bool // called on the model, not on records
	ReadOnly  bool // needs the right to read alone
}
