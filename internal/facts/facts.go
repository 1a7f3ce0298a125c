// Package facts holds what of Odoo lives only in its Python code, as a table
// that can be read: how records are named and found by name, which fields are
// for some groups only, what a list of lines leaves out. A database of Odoo
// does not say any of it (semantics of Odoo 19, sections 1 and 11).
//
// The table describes the models of some modules. Whatever other modules add
// to a model is not known, and what is not known is never guessed. Parse says
// how the table is written.
package facts

import (
	_ "embed"
	"regexp"
	"slices"
)

//go:embed odoo19.txt
var odoo19 string

// Odoo19 is the table for Odoo 19.0.
func Odoo19() (*Table, error) { return Parse(odoo19) }

// Table is a set of facts.
type Table struct {
	// Modules are those whose code the facts describe.
	Modules []string
	models  map[string]*Model
}

// Model is what is known of a model, or of an abstract one for all that
// inherit from it.
type Model struct {
	Table string // of the database, where it does not follow from the name
	// Title is the field that names a record (_rec_name); "-" is none.
	Title string
	// Display is the text of a record's name, an expression of SQL with values
	// in braces (Parse lists them); Contexts are context keys that change it.
	Display  string
	Contexts []string
	// Names are the fields that a search by name looks into (_rec_names_search).
	Names []string
	// Parent is the many2one of the hierarchy (_parent_name).
	Parent string
	// ByDocument: rights follow from the document that a record hangs on.
	// PostByRead: what hangs on a document of this model is for whoever may read
	// it (_mail_post_access), not only for whoever may write it.
	ByDocument, PostByRead bool
	// Own are the fields that users read of their own record as superuser.
	Own []string
	// Searching is what the model's own code does to searches.
	Searching Searching
	// Starting is what a new record starts with.
	Starting Starting
	// The behaviour that only Python knows.
	Python Python
	Fields map[string]*Field
}

// Searching is what a model's code does to searches, as far as it is known.
type Searching struct {
	// Named are the conditions that a search by name tries, any of which may
	// hold; none: those of Model.Names.
	Named []Named
	// Below: a pattern finds also whatever is below what it finds.
	Below bool
	// Odd are texts that code takes apart before it searches for them.
	Odd []*regexp.Regexp
	// Steps are how name_search goes about it; none: one search by name.
	Steps []Step
	// CallerFirst: name_search puts the calling user before all others.
	CallerFirst bool
	// Apart: what a search by name finds it finds in a search of its own, which
	// leaves out archived records whatever else is asked for.
	Apart bool
	// Contexts are context keys that change what is found, Sorting those that
	// change the model's own order, Orders fields that code orders by, Patterns
	// fields whose patterns code rewrites, Fields those whose conditions it
	// rewrites, Beside those that make name_search search differently where they
	// stand beside the name.
	Contexts, Sorting, Orders, Patterns, Fields, Beside []string
}

// Named is a condition of a search by name.
type Named struct {
	// Field is a path of fields, which is searched with the caller's operator
	// and text.
	Field string
	// How the condition differs from that: ByWord, Exact and so on. "" is not at all.
	How string
}

// The ways of Named.How.
const (
	// ByWord searches for the text's first word, anything but equality for what
	// begins with it, in the same case.
	ByWord = "word"
	// Exact searches for the very text, also where the caller gave a pattern;
	// a negative operator does without it.
	Exact = "exact"
	// Loosely searches for the text anywhere, in any case, unless equality is
	// asked for.
	Loosely = "loosely"
	// Rather is for equality and ilike: if the search finds records with the very
	// text, no other condition counts.
	Rather = "rather"
)

// Step is a step of name_search.
type Step struct {
	// Alone: what is found is the whole answer, and nothing else is searched
	// for. Otherwise it goes before what the next steps find. A step that is
	// alone is for equality and patterns; Always: for any positive operator.
	Alone, Always bool
	// Field is the field to search; "" is the whole search by name.
	Field string
	// Op is the operator, "" the caller's.
	Op string
	// Part is the part of the text to search for: the expression's first
	// group; nil is the text.
	Part *regexp.Regexp
}

// Python says in what respect a model behaves as only its code knows.
type Python struct {
	Name   bool // how a record is called
	Names  bool // how records are found by name
	Search bool // which records a search finds
	Access bool // who may use a record
	Groups bool // how fields that are not stored are grouped by or put together
}

// Field is what is known of a field.
type Field struct {
	Groups []string // external ids; the field is for them only
	// Domain is what an x2many holds; PythonDomain: only code knows it.
	Domain       string
	PythonDomain bool
	Active       Active
	// Bypass: searching through the field asks for no rights (bypass_search_access).
	Bypass bool
	// Aggregate is how numbers are put together when grouping; "none": not.
	Aggregate string
	// Digits of a number after the point, or the name of a decimal precision;
	// -1: kept as it is, though the column is a decimal number.
	Digits    int
	Precision string
	HasDigits bool
	// Search: not stored, but its code can search. SearchPath: it does so
	// along this path; SearchArchived: through archived records too.
	Search         bool
	SearchPath     string
	SearchArchived bool
	// SearchChain: its code takes a text apart at its first slash, and searches
	// for what is before it in the first of these paths and for the rest in the
	// second; for a text without any, in either.
	SearchChain []string
	// SearchPathless: its code cannot search along a path through the field.
	SearchPathless bool
	// Definition is the path to what describes properties: a many2one and a
	// field of its target.
	Definition string
	// Depends are the fields that the field is computed from.
	Depends []string
	// Languages: the choices are the active languages.
	Languages bool
	// Shown: descriptions of the model show the field to everybody, whatever
	// its groups.
	Shown bool
	// Default says what the field starts with: company (the current one), user
	// (the caller), or context and a key of the call's context.
	Default string
	// Value is the expression of a computed field that is not stored, written
	// as Model.Display is. Column: it is searched and ordered by like a column.
	// Contexts are context keys that change it.
	Value    string
	Column   bool
	Contexts []string
}

// Active says what an x2many does about archived records.
type Active uint8

// The three ways.
const (
	ByContext  Active = iota // as the context of the call says
	AllRecords               // shows them always
	OnlyActive               // never
)

// Model gives the facts of a model; nil when there are none.
func (t *Table) Model(name string) *Model {
	if t == nil {
		return nil
	}
	return t.models[name]
}

// Names lists the models that the table has facts of, sorted.
func (t *Table) Names() []string {
	names := make([]string, 0, len(t.models))
	for name := range t.models {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
