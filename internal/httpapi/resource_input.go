package httpapi

import (
	"fmt"
	"maps"
	"net/mail"
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/schema"
)

// intake turns bodies of a curated resource into values of its model. Types
// are read as for universal records; what the declaration adds is checked here.
type intake struct {
	*wire.Reader
	creating bool
	// lines are the ids of the lines that the record has, by field of the
	// model; a body may change these and no others.
	lines   map[string][]int64
	ignored []string // members that are no fields, with their place
	links   []link   // records that must exist
}

// link is a record that a body refers to.
type link struct {
	model, place string
	id           int64
}

// record reads one object. at is its place, ending where a name may follow.
func (in *intake) record(m *schema.Model, fields []ResourceField, object map[string]any, at string) backend.Values {
	values := make(backend.Values, len(object))
	taken := make(map[string]bool, len(object))
	for i := range fields {
		f := &fields[i]
		if f.OutOnly {
			continue
		}
		name, given := f.givenAs(object)
		field := m.Field(f.modelField())
		switch {
		case field == nil: // the model lacks it: ignored, as the answer shows null
		case given:
			taken[name] = true
			in.value(m, f, field, object[name], at+name, values)
		case !in.creating:
		case f.Required:
			in.Missing(at + f.Name)
		case f.Default != nil:
			values[field.Name] = f.Default
		}
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if !taken[name] {
			in.ignored = append(in.ignored, at+wire.Name(name))
		}
	}
	return values
}

// givenAs finds the member of a body that means the field.
func (f *ResourceField) givenAs(object map[string]any) (string, bool) {
	if _, given := object[f.Name]; given {
		return f.Name, true
	}
	for _, name := range f.Also {
		if _, given := object[name]; given {
			return name, true
		}
	}
	return f.Name, false
}

// value reads the value of one field into values.
func (in *intake) value(m *schema.Model, f *ResourceField, field *schema.Field, v any, place string, values backend.Values) {
	switch {
	case f.Required && f.Lines == nil && (v == nil || v == false || v == ""):
		in.Missing(place)
		return
	case f.Choices != nil:
		in.choice(m, f, v, place, values)
		return
	case f.Lines != nil:
		values[field.Name] = in.lineCommands(f, field, v, place)
		return
	}
	value := in.Value(field, v, place)
	values[field.Name] = value
	switch f.Check {
	case Email:
		if text, ok := value.(string); ok && text != "" && !isEmail(text) {
			in.Add(fault.Unprocessable, place, "is not a valid email address")
		}
	case Positive:
		if !positive(value) {
			in.Add(fault.Unprocessable, place, "must be greater than 0")
		}
	case Exists:
		if id, ok := value.(int64); ok {
			in.links = append(in.links, link{field.Relation, place, id})
		}
	case Anything:
	}
}

// choice reads a word that stands for values of several fields.
func (in *intake) choice(m *schema.Model, f *ResourceField, v any, place string, values backend.Values) {
	var known []string
	for i := range f.Choices {
		choice := &f.Choices[i]
		if choice.OutOnly {
			continue
		}
		known = append(known, choice.Name)
		if v != choice.Name {
			continue
		}
		maps.Copy(values, choice.of(m))
		return
	}
	kind := fault.Unprocessable
	if _, isText := v.(string); !isText {
		kind = fault.BadRequest
	}
	in.Add(kind, place, "must be one of: "+strings.Join(known, ", "))
}

// lineCommands reads the lines of a record. On create all are new. On update
// the list is the whole of the new lines: one with the id of a line changes
// it, one without is new, and lines that are not in the list are deleted.
func (in *intake) lineCommands(f *ResourceField, field *schema.Field, v any, place string) any {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		in.Add(fault.BadRequest, place, "must be a non-empty list of objects")
		return nil
	}
	m, err := in.Comodel(field.Relation)
	if err != nil {
		in.Fail(err)
		return nil
	}
	var commands []any
	kept := map[int64]bool{}
	for i, element := range list {
		at := wire.Element(place, i)
		object, ok := element.(map[string]any)
		if !ok {
			in.Add(fault.BadRequest, at, "must be an object")
			continue
		}
		id := in.lineID(field.Name, object, at)
		line := *in
		line.creating, line.ignored, line.links = id == 0, nil, nil
		if id != 0 {
			object = maps.Clone(object)
			delete(object, "id")
		}
		values := line.record(m, f.Lines, object, at+".")
		in.ignored, in.links = append(in.ignored, line.ignored...), append(in.links, line.links...)
		if id == 0 {
			commands = append(commands, []any{int64(0), int64(0), values})
			continue
		}
		if kept[id] {
			in.Add(fault.BadRequest, at+".id", "is the id of a line that is given twice")
		}
		kept[id] = true
		commands = append(commands, []any{int64(1), id, values})
	}
	for _, id := range in.lines[field.Name] {
		if !kept[id] {
			commands = append(commands, []any{int64(2), id})
		}
	}
	return commands
}

// lineID is the id of the line that an object changes, 0 for a new line.
func (in *intake) lineID(field string, object map[string]any, place string) int64 {
	v, given := object["id"]
	if in.creating || !given || v == nil {
		return 0
	}
	id, ok := wire.ID(v)
	if !ok || !slices.Contains(in.lines[field], id) {
		in.Add(fault.Unprocessable, place+".id", "is not the id of a line of this record")
		return 0
	}
	return id
}

func positive(value any) bool {
	switch n := value.(type) {
	case int64:
		return n > 0
	case float64:
		return n > 0
	}
	return false
}

// isEmail says whether a text is the address of one mailbox.
func isEmail(text string) bool {
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text {
		return false
	}
	_, host, _ := strings.Cut(text, "@")
	return strings.Contains(strings.Trim(host, "."), ".")
}

// checkLinks looks for the records that a body refers to, in one query for
// each model.
func (s *Server) checkLinks(c *call, in *intake) error {
	byModel := map[string][]link{}
	for _, l := range in.links {
		byModel[l.model] = append(byModel[l.model], l)
	}
	for _, model := range slices.Sorted(maps.Keys(byModel)) {
		links := byModel[model]
		ids := make([]int64, len(links))
		for i := range links {
			ids[i] = links[i].id
		}
		slices.Sort(ids)
		caller := *c.caller
		caller.Context.KeepArchived = true
		found := &backend.Page{}
		if _, err := s.deps.Backend.Search(c.ctx, &caller, &backend.Query{
			Model: model, Domain: oneOfIDs("id", slices.Compact(ids)), Fields: []string{"id"},
		}, found); err != nil {
			return err
		}
		exists := make(map[int64]bool, len(found.Rows))
		for _, id := range found.IDs() {
			exists[id] = true
		}
		for _, l := range links {
			if !exists[l.id] {
				in.Add(fault.Unprocessable, l.place, fmt.Sprintf("refers to %s %d, which does not exist", l.model, l.id))
			}
		}
	}
	return in.Err()
}
