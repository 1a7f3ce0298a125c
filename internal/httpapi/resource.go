package httpapi

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/schema"
)

// Resource is a curated resource: a view of a model under a name of its own,
// with only the fields that it declares. It is data; the code that serves it
// is the same for all.
type Resource struct {
	Name  string // orders: the path, and the scopes orders_read and orders_write
	Label string // Order: in messages
	Model string
	// Domain says which records of the model belong to it, in Odoo's text; ""
	// is all. The others do not exist here.
	Domain string
	// Fields go out in this order. What is not declared neither comes in nor goes out.
	Fields []ResourceField
	// Search names the fields that search= looks into.
	Search  []string
	Actions []ResourceAction
}

// ResourceField is one field of a curated resource.
type ResourceField struct {
	Name  string   // on the wire
	Field string   // of the model; "" is Name
	Also  []string // other names that are taken on the way in
	Doc   string

	// Without either, a field goes in and out.
	InOnly, OutOnly bool
	// Required fields must be given on create and cannot be emptied later.
	Required bool
	// Default is written on create where the field is not given.
	Default any
	// Check is what a value must hold beyond its type.
	Check Check
	// Choices are words that stand for values of one or more fields of the model.
	Choices []Choice
	// Lines make the field a list of objects with these fields: the records of
	// a one2many, in full.
	Lines []ResourceField

	key   []byte   // `"name":`, by prepared
	names []string // of the model's fields that are needed to show it, by prepared
}

// Check is a rule for values.
type Check string

// The checks.
const (
	Anything Check = ""
	Email    Check = "email"    // looks like an address of one mailbox
	Positive Check = "positive" // a number over 0
	Exists   Check = "exists"   // a record that the caller can find
)

// Choice is a word of the API and the values that it stands for.
type Choice struct {
	Name   string
	Values map[string]any // by field of the model: string or bool
	// Older are the values where the model does not have all of these fields, as
	// in an older Odoo; nil: those of Values that it has.
	Older map[string]any
	// OutOnly words are told, but not taken.
	OutOnly bool
}

// of gives the values as a model has them.
func (c *Choice) of(m *schema.Model) map[string]any {
	all := make(map[string]any, len(c.Values))
	for name, value := range c.Values {
		switch {
		case m.Field(name) != nil:
			all[name] = value
		case c.Older != nil:
			return c.Older
		}
	}
	return all
}

// ResourceAction is a business method with a path of its own:
// POST /api/v1/orders/42/confirm.
type ResourceAction struct {
	Name   string // confirm
	Method string // action_confirm
	Past   string // confirmed: for the message
}

// modelField is the field of the model that a field stands for; of choices,
// the one to sort by.
func (f *ResourceField) modelField() string {
	if f.Field != "" {
		return f.Field
	}
	return f.Name
}

// prepared gives a copy of declared fields with what is worked out once.
func prepared(declared []ResourceField) []ResourceField {
	fields := slices.Clone(declared)
	for i := range fields {
		f := &fields[i]
		f.key = append(wire.AppendString(nil, f.Name), ':')
		f.names = []string{f.modelField()}
		for j := range f.Choices {
			for name := range f.Choices[j].Values {
				if !slices.Contains(f.names, name) {
					f.names = append(f.names, name)
				}
			}
		}
		slices.Sort(f.names[1:])
		f.Lines = prepared(f.Lines)
	}
	return fields
}

// find gives the field that has a name in answers, or nil.
func (r *Resource) find(name string) *ResourceField {
	i := slices.IndexFunc(r.Fields, func(f ResourceField) bool { return f.Name == name && !f.InOnly })
	if i < 0 {
		return nil
	}
	return &r.Fields[i]
}

// listParams are the query parameters of the resource's list.
func (r *Resource) listParams() []Param {
	params := pageParams()
	params = append(params,
		Param{"page", "integer", "Page to answer, from 1. In place of limit and offset."},
		Param{"per_page", "integer", "Records on a page."})
	if len(r.Search) > 0 {
		params = append(params, Param{"search", "string", "Text to look for in " + strings.Join(r.Search, ", ") + "."})
	}
	params = append(params, contextParams()...)
	for i := range r.Fields {
		if f := &r.Fields[i]; !f.InOnly && f.Lines == nil {
			params = append(params, Param{f.Name, "string", "Only records with this value; empty: not set."})
		}
	}
	return params
}

// checkResources finds what is wrong with declarations.
func checkResources(resources []Resource) error {
	var errs []error
	seen := map[string]bool{}
	for i := range resources {
		r := &resources[i]
		wrong := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("resource %q: "+format, append([]any{r.Name}, args...)...))
		}
		if r.Name == "" || wire.Name(r.Name) != r.Name || strings.Contains(r.Name, ".") {
			wrong("the name must be a word")
		}
		if seen[r.Name] {
			wrong("is declared twice")
		}
		seen[r.Name] = true
		if r.Label == "" || r.Model == "" || r.find("id") == nil {
			wrong("a label, a model and a field id are needed")
		}
		checkFields(r.Fields, wrong)
		for _, name := range r.Search {
			if r.find(name) == nil {
				wrong("search names the field %s, which is not declared", name)
			}
		}
		params := map[string]bool{}
		for _, p := range r.listParams() {
			if params[p.Name] {
				wrong("%s is a parameter of lists and cannot be a field", p.Name)
			}
			params[p.Name] = true
		}
	}
	return errors.Join(errs...)
}

func checkFields(fields []ResourceField, wrong func(format string, args ...any)) {
	in, out := map[string]bool{}, map[string]bool{}
	for i := range fields {
		f := &fields[i]
		switch {
		case f.Name == "" || f.InOnly && f.OutOnly:
			wrong("field %q goes nowhere", f.Name)
		case !f.InOnly && out[f.Name] || !f.OutOnly && in[f.Name]:
			wrong("field %s is declared twice", f.Name)
		case f.Check != Anything && f.Check != Email && f.Check != Positive && f.Check != Exists:
			wrong("field %s has the unknown check %s", f.Name, f.Check)
		}
		in[f.Name] = in[f.Name] || !f.OutOnly
		out[f.Name] = out[f.Name] || !f.InOnly
		if f.Lines != nil {
			checkFields(f.Lines, wrong)
		}
	}
}
