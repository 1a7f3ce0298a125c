package schema

// OnDelete says what happens to a many2one when its target is deleted.
type OnDelete string

// The three ways of Odoo.
const (
	SetNull  OnDelete = "set null"
	Restrict OnDelete = "restrict"
	Cascade  OnDelete = "cascade"
)

// Option is one value of a selection.
type Option struct{ Value, Label string }

// Field describes one field of a model. It is immutable once in a Registry.
type Field struct {
	ID    int64 // ir_model_fields.id; 0 while only declared
	Name  string
	Label string
	Help  string
	Type  Type
	Model *Model // the model it belongs to

	Relation         string // comodel of relational fields
	Inverse          string // One2many: the many2one on the comodel
	RelTable         string // Many2many: relation table,
	Column1, Column2 string // its column to this model and to the comodel

	Store            bool
	Required         bool
	Readonly         bool
	Translate        bool // column is jsonb by language code
	CompanyDependent bool // column is jsonb by company id
	Indexed          bool
	Copied           bool
	Manual           bool // made at run time (state "manual")
	Size             int  // Char: longest text kept; 0 = no limit
	Scale            int  // Float: digits after the point; -1 = not rounded
	Currency         string
	Ondelete         OnDelete
	Options          []Option

	// Related is the path that a related field follows, e.g. partner_id.email.
	Related []string
	// Inherited: got from the parent model of a delegation (_inherits);
	// Related is then [link, name].
	Inherited bool

	// What Odoo keeps in Python only.

	// Groups lists external ids of groups; a user outside all of them neither
	// sees nor uses the field. "." is nobody.
	Groups []string
	// Secret fields never leave over any API and cannot be searched.
	Secret bool
	// Domain restricts what an x2many holds; Odoo's text.
	Domain string
	// KeepArchived: an x2many that shows archived records too.
	KeepArchived bool
	// NoRules: searching through the field skips rights of the comodel
	// (bypass_search_access).
	NoRules bool
	// Computed: filled by business logic. Stored ones have a column.
	Computed bool
	// SQL is the expression of a computed field that is not stored, with {t}
	// for the record's table, {companies} for the active companies' ids and
	// whatever else package facts says.
	SQL string
	// Default is a constant default value.
	Default any
	// Aggregator of numeric fields when grouping; "" means sum for numbers.
	Aggregator string

	// What is known of a field of a genuine Odoo (package facts).

	// Gap says why nothing is known of the field; "" for the usual one.
	// Stranger: it is of an unknown module, so that even who sees it is not known.
	Gap      string
	Stranger bool
	// PythonDomain: only code knows what the x2many holds.
	PythonDomain bool
	// OnlyActive: an x2many that never shows archived records.
	OnlyActive bool
	// PythonSearch: not stored, but Odoo's code can search it. SearchPath is
	// the path it searches, where that is known.
	PythonSearch bool
	SearchPath   []string
	// SearchArchived: through archived records too. SearchChain: where code
	// searches for the parts of "a / b".
	SearchArchived bool
	SearchChain    []string
	// SearchPathless: code refuses paths through the field.
	SearchPathless bool
	// Contexts are context keys that change the value.
	Contexts []string
	// ShownOnly: SQL shows the field; it is no column to search or order by.
	ShownOnly bool
	// Unrounded: a float that is kept as it is, in a column of decimal numbers.
	Unrounded bool
	// Attached: the bytes are in ir_attachment, there is no column, as with all
	// binary fields made at run time. Inline: the column of a genuine Odoo's field
	// holds them where others are attached.
	Attached, Inline bool
	// Raw: the column holds bytes as they are; others hold base64 text.
	Raw bool
	// FileName is the field that holds the name of the file in a binary one.
	FileName string
	// Definition is the path to what describes properties: a many2one of the
	// model and a field of its target.
	Definition string
}

// HasColumn says whether the model's own table has a column for the field.
func (f *Field) HasColumn() bool { return f.Store && !f.Type.IsX2many() && !f.Attached }

// Attaches says whether the embedded database keeps the field's bytes as
// attachments: of fields made at run time, as in Odoo. A copy of another field
// has a column, which is computed like all such copies.
func (f *Field) Attaches() bool {
	return f.Type == Binary && f.Manual && f.Store && len(f.Related) == 0 && !f.CompanyDependent && !f.Translate
}

// Readable says whether a value can be got at all: a column, a relation, a
// path or an expression.
func (f *Field) Readable() bool {
	return f.Store || len(f.Related) > 0 || f.SQL != "" || f.Name == "display_name"
}

// Option finds the label of a selection value.
func (f *Field) Option(value string) (string, bool) {
	for _, o := range f.Options {
		if o.Value == value {
			return o.Label, true
		}
	}
	return "", false
}

// The declaration helpers: one per type, refined by the methods below.

func newField(t Type, name, label string) *Field {
	return &Field{Name: name, Label: label, Type: t, Store: true, Copied: true, Scale: -1}
}

// NewBoolean declares a boolean field.
func NewBoolean(name, label string) *Field { return newField(Boolean, name, label) }

// NewInteger declares an integer field (32 bits).
func NewInteger(name, label string) *Field { return newField(Integer, name, label) }

// NewFloat declares a number with scale digits after the point (numeric
// column), or a double precision one when scale is negative.
func NewFloat(name, label string, scale int) *Field {
	f := newField(Float, name, label)
	f.Scale = scale
	return f
}

// NewMonetary declares an amount in the currency that the field currency holds.
func NewMonetary(name, label, currency string) *Field {
	f := newField(Monetary, name, label)
	f.Currency = currency
	return f
}

// NewChar declares a line of text.
func NewChar(name, label string) *Field { return newField(Char, name, label) }

// NewText declares a text of several lines.
func NewText(name, label string) *Field { return newField(Text, name, label) }

// NewHTML declares a sanitised rich text.
func NewHTML(name, label string) *Field { return newField(HTML, name, label) }

// NewDate declares a day.
func NewDate(name, label string) *Field { return newField(Date, name, label) }

// NewDatetime declares a moment, kept in UTC.
func NewDatetime(name, label string) *Field { return newField(Datetime, name, label) }

// NewBinary declares bytes, kept in a column.
func NewBinary(name, label string) *Field {
	f := newField(Binary, name, label)
	return f
}

// NewBytes declares bytes in a column that holds them as they are. The field
// called name has the file's name.
func NewBytes(field, label, name string) *Field {
	f := newField(Binary, field, label)
	f.Raw, f.FileName = true, name
	return f
}

// NewJSON declares a JSON value.
func NewJSON(name, label string) *Field { return newField(JSON, name, label) }

// NewProperties declares values that another record describes: definition is
// a many2one of the model and the field of its target that does.
func NewProperties(name, label, definition string) *Field {
	f := newField(Properties, name, label)
	f.Definition = definition
	return f
}

// NewPropertiesDefinition declares the description of properties.
func NewPropertiesDefinition(name, label string) *Field {
	return newField(PropertiesDefinition, name, label)
}

// NewSelection declares a choice; pairs are value, label, value, label, …
func NewSelection(name, label string, pairs ...string) *Field {
	f := newField(Selection, name, label)
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Options = append(f.Options, Option{pairs[i], pairs[i+1]})
	}
	return f
}

// NewMany2one declares a link to a record of the comodel.
func NewMany2one(name, label, comodel string) *Field {
	f := newField(Many2one, name, label)
	f.Relation, f.Ondelete = comodel, SetNull
	return f
}

// NewOne2many declares the records of the comodel whose many2one inverse
// points here.
func NewOne2many(name, label, comodel, inverse string) *Field {
	f := newField(One2many, name, label)
	f.Relation, f.Inverse, f.Copied = comodel, inverse, false
	return f
}

// NewMany2many declares links in a relation table with the named columns.
func NewMany2many(name, label, comodel, table, column1, column2 string) *Field {
	f := newField(Many2many, name, label)
	f.Relation, f.RelTable, f.Column1, f.Column2 = comodel, table, column1, column2
	return f
}

// Req makes a field required.
func (f *Field) Req() *Field {
	f.Required = true
	if f.Type == Many2one && f.Ondelete == SetNull {
		f.Ondelete = Restrict // as Odoo does for required many2one fields
	}
	return f
}

// RO makes a field read-only for forms; as in Odoo the API may still write it.
func (f *Field) RO() *Field { f.Readonly = true; return f }

// Index asks for an index.
func (f *Field) Index() *Field { f.Indexed = true; return f }

// Translated keeps a value per language.
func (f *Field) Translated() *Field { f.Translate = true; return f }

// PerCompany keeps a value per company.
func (f *Field) PerCompany() *Field { f.CompanyDependent = true; return f }

// NoCopy leaves the field out when a record is copied.
func (f *Field) NoCopy() *Field { f.Copied = false; return f }

// CopyLines makes copying a record copy its one2many lines too.
func (f *Field) CopyLines() *Field { f.Copied = true; return f }

// OnDeleteDo sets what a deleted target does to the field.
func (f *Field) OnDeleteDo(d OnDelete) *Field { f.Ondelete = d; return f }

// Def sets a constant default.
func (f *Field) Def(v any) *Field { f.Default = v; return f }

// For restricts the field to groups, by external id.
func (f *Field) For(groups ...string) *Field { f.Groups = groups; return f }

// Hidden makes the field secret: nobody reads or searches it over an API.
func (f *Field) Hidden() *Field { f.Secret = true; f.Copied = false; return f }

// Helped sets the help text.
func (f *Field) Helped(text string) *Field { f.Help = text; return f }

// ComputedStored marks a stored field that business logic fills.
func (f *Field) ComputedStored() *Field {
	f.Computed, f.Readonly, f.Copied = true, true, false
	return f
}

// ComputedSQL makes the field an expression that is not stored.
func (f *Field) ComputedSQL(expr string) *Field {
	f.SQL, f.Store, f.Computed, f.Readonly, f.Copied = expr, false, true, true, false
	return f
}

// RelatedTo makes the field follow a path; not stored unless Stored is called.
func (f *Field) RelatedTo(path ...string) *Field {
	f.Related, f.Store, f.Copied, f.Readonly = path, false, false, true
	return f
}

// Stored keeps a related field in a column of its own.
func (f *Field) Stored() *Field { f.Store = true; return f }

// MaxSize cuts a text to n characters.
func (f *Field) MaxSize(n int) *Field { f.Size = n; return f }

// AggregatedBy sets the function that puts numbers together when grouping; "none"
// is none.
func (f *Field) AggregatedBy(function string) *Field { f.Aggregator = function; return f }

// BypassRules lets searches go through the field without rights on the comodel.
func (f *Field) BypassRules() *Field { f.NoRules = true; return f }

// Within restricts what an x2many shows.
func (f *Field) Within(domain string) *Field { f.Domain = domain; return f }
