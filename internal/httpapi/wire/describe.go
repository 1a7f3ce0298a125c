package wire

import (
	"gatehouse/internal/schema"
)

// Names of the schemas that stand for links between records; see Links.
const (
	linkAnswered  = "Link"
	linkTaken     = "LinkInput"
	linksAnswered = "Links"
	linksTaken    = "LinksInput"
)

// Links describes, once for all fields, how links to other records are answered
// and taken.
func Links() []Member {
	some := RecordID("")
	return []Member{
		Must(linkAnswered, Object(Must("id", RecordID("")), May("name", Text("What the record is called."))).
			Open("Other fields of the record, where they were asked for.").OrNull().About("A record of another model, or null.")),
		Must(linkTaken, &Schema{
			Doc: "A record of another model: its id, or an object with it. null: none.", Nullable: true,
			OneOf: []*Schema{some, Object(Must("id", some)).Open("Not looked at."), ListOf(Anything(""), "[id, name], as Odoo answers it.")},
		}),
		Must(linksAnswered, ListOf(Either("", some, Object(Must("id", some)).Open("Fields of the record.")),
			"Records of another model: their ids, or objects where their fields were asked for.")),
		Must(linksTaken, ListOf(Either("", some,
			MapOf(Anything("A field of the record."), "A new record, or with an id a change of that one."),
			ListOf(Anything(""), "One of Odoo's commands, such as [6, 0, [1, 2]].")),
			"Records of another model: a list of ids replaces what is linked; objects make and change records; or Odoo's commands.").OrNull()),
	}
}

// Answered describes how a field's value is answered in the Plain shape.
func Answered(f *schema.Field) *Schema {
	s := &Schema{Title: f.Label, Doc: f.Help}
	switch f.Type {
	case schema.Boolean:
		s.Type = "boolean"
	case schema.Integer:
		s.Type, s.Format = "integer", "int64"
		s.Nullable = f.Name != "id" && !f.Store // code may give nothing
	case schema.Float, schema.Monetary:
		s.Type, s.Format = "number", "double"
	case schema.Many2one:
		s.Ref, s.Doc = linkAnswered, linked(f)
	case schema.One2many, schema.Many2many:
		s.Ref, s.Doc = linksAnswered, linked(f)
	default:
		s.valued(f)
		s.Nullable = s.Type != ""
	}
	return s
}

// Taken describes what a field takes.
func Taken(f *schema.Field) *Schema {
	s := &Schema{Title: f.Label, Doc: f.Help, Nullable: true}
	switch f.Type {
	case schema.Boolean:
		s.Type = "boolean"
	case schema.Integer:
		s.Type, s.Format = "integer", "int32"
	case schema.Float, schema.Monetary:
		s.Type, s.Format = "number", "double"
	case schema.Many2one:
		s.Ref, s.Doc, s.Nullable = linkTaken, linked(f), false
	case schema.One2many, schema.Many2many:
		s.Ref, s.Doc, s.Nullable = linksTaken, linked(f), false
	default:
		s.valued(f)
		s.Nullable = s.Type != ""
		s.Longest = f.Size
	}
	return s
}

// valued describes the types that look the same on the way in and out.
func (s *Schema) valued(f *schema.Field) {
	switch f.Type {
	case schema.Char, schema.Text, schema.HTML, schema.Reference:
		s.Type = "string"
	case schema.Selection:
		s.Type, s.Enum = "string", OptionValues(f)
	case schema.Date:
		s.Type, s.Format = "string", "date"
	case schema.Datetime:
		s.Type, s.Format = "string", "date-time"
	case schema.Binary:
		s.Type, s.Format = "string", "byte"
	case schema.Many2oneReference:
		s.Type, s.Format = "integer", "int32"
	default: // JSON and properties: anything
	}
}

// linked says which model a field links to.
func linked(f *schema.Field) string {
	if f.Help != "" {
		return f.Help + "\n\n" + f.Relation
	}
	return f.Relation
}
