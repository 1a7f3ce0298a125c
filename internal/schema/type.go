package schema

// Type is the type of a field, as Odoo names them (ir.model.fields, ttype).
type Type uint8

// The field types of Odoo.
const (
	Invalid Type = iota
	Boolean
	Integer
	Float
	Monetary
	Char
	Text
	HTML
	Date
	Datetime
	Selection
	Binary
	Many2one
	One2many
	Many2many
	Reference
	Many2oneReference
	JSON
	Properties
	PropertiesDefinition
)

var typeNames = [...]string{
	Invalid: "", Boolean: "boolean", Integer: "integer", Float: "float", Monetary: "monetary",
	Char: "char", Text: "text", HTML: "html", Date: "date", Datetime: "datetime",
	Selection: "selection", Binary: "binary", Many2one: "many2one", One2many: "one2many",
	Many2many: "many2many", Reference: "reference", Many2oneReference: "many2one_reference",
	JSON: "json", Properties: "properties", PropertiesDefinition: "properties_definition",
}

// String is Odoo's name of the type.
func (t Type) String() string { return typeNames[t] }

// ParseType reads Odoo's name of a type; false when there is no such type.
func ParseType(name string) (Type, bool) {
	for i, n := range typeNames {
		if n == name && i > 0 {
			return Type(i), true
		}
	}
	return Invalid, false
}

// Types lists the names of all field types.
func Types() []string { return append([]string(nil), typeNames[1:]...) }

// IsText says whether values are plain text with ” as falsy value.
func (t Type) IsText() bool { return t == Char || t == Text || t == HTML }

// IsNumber says whether values are numbers with 0 as falsy value.
func (t Type) IsNumber() bool { return t == Integer || t == Float || t == Monetary }

// IsRelational says whether values are records of another model.
func (t Type) IsRelational() bool { return t == Many2one || t == One2many || t == Many2many }

// IsX2many says whether a value is a list of records.
func (t Type) IsX2many() bool { return t == One2many || t == Many2many }

// Falsy gives the value that Odoo treats as not set beside NULL; false for the
// types that have none (section 7 of the Odoo semantics).
func (t Type) Falsy() (any, bool) {
	switch t {
	case Char, Text, HTML:
		return "", true
	case Integer:
		return int64(0), true
	case Float, Monetary:
		return 0.0, true
	case Boolean:
		return false, true
	}
	return nil, false
}
