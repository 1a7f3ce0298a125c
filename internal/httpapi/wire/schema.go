package wire

// Schema describes a piece of JSON for the API document: what a body, a
// parameter or an answer holds. It is data, and nothing is checked by it while
// requests are served.
type Schema struct {
	// Ref is the name of a schema that is described once; nothing else counts then.
	Ref string
	// Type is string, integer, number, boolean, array or object; "" is anything.
	Type     string
	Format   string // date, date-time, email, uri, byte, …
	Title    string
	Doc      string
	Nullable bool
	Enum     []string
	Default  any
	Example  any
	// Min and Max bound numbers, Longest texts; nil and 0: nothing does.
	Min, Max *float64
	Longest  int
	// Items describes the elements of an array, and Fewest how many there must be.
	Items  *Schema
	Fewest int
	// Members are those of an object, in order. Rest describes members with other
	// names; nil: there are none.
	Members []Member
	Rest    *Schema
	// OneOf lists what a value may be in place of a single Type.
	OneOf []*Schema
	// AllOf joins objects.
	AllOf []*Schema
}

// Member is a member of an object.
type Member struct {
	Name     string
	Optional bool
	Schema   *Schema
}

// Must is a member that is always there.
func Must(name string, s *Schema) Member { return Member{Name: name, Schema: s} }

// May is a member that may be missing.
func May(name string, s *Schema) Member { return Member{Name: name, Optional: true, Schema: s} }

// Anything is any JSON at all.
func Anything(doc string) *Schema { return &Schema{Doc: doc} }

// Named refers to a schema that is described once.
func Named(name string) *Schema { return &Schema{Ref: name} }

// Text is a text.
func Text(doc string) *Schema { return &Schema{Type: "string", Doc: doc} }

// Whole is a whole number.
func Whole(doc string) *Schema { return &Schema{Type: "integer", Format: "int64", Doc: doc} }

// Number is a number.
func Number(doc string) *Schema { return &Schema{Type: "number", Doc: doc} }

// Truth is true or false.
func Truth(doc string) *Schema { return &Schema{Type: "boolean", Doc: doc} }

// Instant is a time as RFC 3339 writes it.
func Instant(doc string) *Schema { return Text(doc).As("date-time") }

// Word is one of some texts.
func Word(doc string, words ...string) *Schema {
	s := Text(doc)
	s.Enum = words
	return s
}

// RecordID is the id of a record.
func RecordID(doc string) *Schema {
	least := 1.0
	return &Schema{Type: "integer", Format: "int32", Doc: doc, Min: &least}
}

// ListOf is a list.
func ListOf(element *Schema, doc string) *Schema {
	return &Schema{Type: "array", Items: element, Doc: doc}
}

// Object is an object with these members and no others.
func Object(members ...Member) *Schema { return &Schema{Type: "object", Members: members} }

// MapOf is an object whose members have any names.
func MapOf(value *Schema, doc string) *Schema {
	return &Schema{Type: "object", Rest: value, Doc: doc}
}

// Either is one of several.
func Either(doc string, of ...*Schema) *Schema { return &Schema{OneOf: of, Doc: doc} }

// As gives the schema a format.
func (s *Schema) As(format string) *Schema { s.Format = format; return s }

// OrNull lets the value be null.
func (s *Schema) OrNull() *Schema { s.Nullable = true; return s }

// Like gives the schema an example.
func (s *Schema) Like(example any) *Schema { s.Example = example; return s }

// About gives the schema a description.
func (s *Schema) About(doc string) *Schema { s.Doc = doc; return s }

// Open lets an object have members of any other names.
func (s *Schema) Open(doc string) *Schema { s.Rest = Anything(doc); return s }
