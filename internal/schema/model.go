// Package schema describes models and fields as data: declared in Go for the
// built-in ones, kept in ir_model and ir_model_fields, and loaded into an
// immutable Registry that the engine works with.
package schema

import (
	"strings"

	"gatehouse/internal/facts"
	"gatehouse/internal/nearest"
)

// Inherit is a delegation (_inherits): the fields of Model are had through the
// many2one Field.
type Inherit struct{ Model, Field string }

// NamePart is a piece of a display name: the text of a field (dotted paths
// allowed) between Before and After, or nothing where the field is not set.
type NamePart struct{ Before, Path, After string }

// Unique is a unique constraint and what the caller is told when it fails.
type Unique struct {
	Name    string
	Columns []string
	Message string
}

// Index is an index over columns, of the rows for which Where holds; "": all.
type Index struct {
	Name    string
	Columns []string
	Where   string
}

// Check is a check constraint in SQL and what the caller is told when it fails.
type Check struct {
	Name, SQL, Message string
	// Requires names the field that is missing whenever the check fails; the
	// caller is then told so as for any required field.
	Requires string
}

// Model describes a model. It is immutable once in a Registry.
type Model struct {
	ID    int64 // ir_model.id; 0 while only declared
	Name  string
	Label string
	Table string
	// Order is the default order, e.g. "sequence, name desc".
	Order     string
	Transient bool
	Abstract  bool
	Manual    bool // made at run time
	Inherits  []Inherit

	// RecName is the field that names a record; "" when there is none.
	RecName string
	// RecNames are the fields that a search by name looks into.
	RecNames []string
	// NameParts replaces RecName in display names where it is not empty.
	NameParts []NamePart
	// ParentName is the many2one of the hierarchy; ParentStore says that
	// parent_path is kept.
	ParentName  string
	ParentStore bool
	// ActiveName is the field that archives records: active or x_active; "" when there is none.
	ActiveName string
	Uniques    []Unique
	Checks     []Check
	// Indexes are those beside the ones of single fields.
	Indexes []Index
	// AdminOnly models are Gatehouse's own, for administrators with scope admin.
	AdminOnly bool
	// NoLog models have no create_uid, create_date, write_uid and write_date.
	NoLog bool
	// IDsBelow is a bound that new records keep below, because ids from there on
	// are given (record.Env.CreateAt); 0: none is.
	IDsBelow int64
	// NoCreate models cannot be created over the API (logs, counters).
	NoCreate bool

	// What is known of a model of a genuine Odoo (package facts). Gap says why
	// nothing is known of it; "" for the usual one.
	Gap    string
	Python facts.Python
	// NameExpr is the expression of a display name, with {field} for values;
	// it goes before NameParts. NameContexts are context keys that change names.
	NameExpr     string
	NameContexts []string
	// ByDocument: rights follow from the document that a record hangs on
	// (res_model, res_id). PostByRead: whoever may read a document of this model
	// may work with what hangs on it; else whoever may write it.
	ByDocument, PostByRead bool
	// ByRecord: rights follow from the record that a record is attached to
	// (res_model, res_id), and from its field (res_field), as an attachment's do.
	ByRecord bool
	// Own are fields that read gives users of their own record as to the superuser.
	Own []string
	// Searching is what the model's code does to searches.
	Searching facts.Searching

	Fields []*Field // in order of declaration

	byName map[string]*Field
}

// Field finds a field by name, or nil.
func (m *Model) Field(name string) *Field { return m.byName[name] }

// NearestField suggests a field for a misspelt name, "" when none is near.
func (m *Model) NearestField(name string) string {
	names := make([]string, 0, len(m.Fields))
	for _, f := range m.Fields {
		if !f.Secret {
			names = append(names, f.Name)
		}
	}
	return nearest.Word(name, names)
}

// Finish prepares a model that is no part of a registry, after its fields are known.
func (m *Model) Finish() *Model {
	m.index()
	return m
}

// index finishes a model after its fields are known.
func (m *Model) index() {
	m.byName = make(map[string]*Field, len(m.Fields))
	for _, f := range m.Fields {
		f.Model = m
		m.byName[f.Name] = f
	}
	if m.Table == "" {
		m.Table = strings.ReplaceAll(m.Name, ".", "_")
	}
	if m.Order == "" {
		m.Order = "id"
	}
	switch m.RecName {
	case "-": // has a name, but is not called by it
		m.RecName = ""
	case "":
		for _, n := range []string{"name", "x_name"} {
			if m.byName[n] != nil {
				m.RecName = n
				break
			}
		}
	}
	if m.ActiveName == "" {
		for _, n := range []string{"active", "x_active"} {
			if f := m.byName[n]; f != nil && f.Type == Boolean {
				m.ActiveName = n
				break
			}
		}
	}
	if m.ParentName == "" && m.byName["parent_id"] != nil {
		m.ParentName = "parent_id"
	}
	if f := m.byName["parent_path"]; f != nil && f.Store {
		m.ParentStore = true
	}
}
