package httpapi

import (
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/schema"
)

// The names of the schemas of a resource. Answers have the one of its Label.
func (r *Resource) schemaOfCreate() string  { return r.Label + "Create" }
func (r *Resource) schemaOfCreates() string { return r.tag() + "Create" }
func (r *Resource) schemaOfUpdate() string  { return r.Label + "Update" }

// Schemas describes what the resource shows and takes. model finds a model, or
// gives nil; fields that a model lacks are shown as null.
func (r *Resource) Schemas(model func(name string) *schema.Model) []wire.Member {
	m := model(r.Model)
	shown := &wire.Schema{Type: "object"}
	for i := range r.Fields {
		if f := &r.Fields[i]; !f.InOnly {
			// Only the id is answered to whoever may write, but not read.
			shown.Members = append(shown.Members, wire.Member{Name: f.Name, Optional: f.Name != "id", Schema: f.shown(m, model)})
		}
	}
	return []wire.Member{
		wire.Must(r.Label, shown),
		wire.Must(r.schemaOfCreates(), oneOrSeveral(r.schemaOfCreate())),
		wire.Must(r.schemaOfCreate(), taken(r.Fields, m, model, true)),
		wire.Must(r.schemaOfUpdate(), taken(r.Fields, m, model, false)),
	}
}

// shown describes a field as it is answered.
func (f *ResourceField) shown(m *schema.Model, model func(string) *schema.Model) *wire.Schema {
	switch field := m.Field(f.modelField()); {
	case f.Choices != nil:
		return wire.Word(f.Doc, f.words(true)...).OrNull()
	case field == nil:
		return wire.Anything(f.Doc)
	case f.Lines != nil:
		lines := &wire.Schema{Type: "object"}
		for i := range f.Lines {
			if line := &f.Lines[i]; !line.InOnly {
				lines.Members = append(lines.Members, wire.Must(line.Name, line.shown(model(field.Relation), model)))
			}
		}
		return wire.ListOf(lines, f.Doc)
	default:
		return wire.Answered(field).About(f.Doc)
	}
}

// taken describes the fields that a body may have. Others are ignored.
func taken(fields []ResourceField, m *schema.Model, model func(string) *schema.Model, creating bool) *wire.Schema {
	body := (&wire.Schema{Type: "object"}).Open("Ignored, and named in meta.ignored_fields.")
	for i := range fields {
		f := &fields[i]
		if f.OutOnly {
			continue
		}
		for j, name := range append([]string{f.Name}, f.Also...) {
			body.Members = append(body.Members, wire.Member{
				Name: name, Optional: !creating || !f.Required || j > 0, Schema: f.taken(m, model),
			})
		}
	}
	return body
}

// taken describes what a field takes.
func (f *ResourceField) taken(m *schema.Model, model func(string) *schema.Model) *wire.Schema {
	switch field := m.Field(f.modelField()); {
	case f.Choices != nil:
		return wire.Word(f.Doc, f.words(false)...)
	case field == nil:
		return wire.Anything(f.Doc)
	case f.Lines != nil:
		line := taken(f.Lines, model(field.Relation), model, false)
		line.Members = append([]wire.Member{wire.May("id", wire.RecordID("A line to change; without it the line is new."))}, line.Members...)
		list := wire.ListOf(line, f.Doc)
		list.Fewest = 1
		return list
	default:
		s := wire.Taken(field).About(f.Doc)
		s.Default = f.Default
		s.Nullable = s.Nullable && !f.Required
		if f.Check == Email {
			s.Format = "email"
		}
		return s
	}
}

// words are the choices of a field.
func (f *ResourceField) words(out bool) []string {
	var words []string
	for i := range f.Choices {
		if out || !f.Choices[i].OutOnly {
			words = append(words, f.Choices[i].Name)
		}
	}
	return words
}
