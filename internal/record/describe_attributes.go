package record

import (
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/schema"
)

// absent is the value of an attribute that a field does not have.
type absent struct{}

// attribute is an attribute of fields and how its value is found.
type attribute struct {
	name  string
	value func(*describer, *schema.Field) (any, error)
}

func plain(value func(*schema.Field) any) func(*describer, *schema.Field) (any, error) {
	return func(_ *describer, f *schema.Field) (any, error) { return value(f), nil }
}

func usual(name string, value any) attribute {
	return attribute{name, func(d *describer, f *schema.Field) (any, error) { return d.codeSays(f, name, value) }}
}

// field describes one field with the attributes that are wanted.
func (d *describer) field(f *schema.Field) (backend.Description, error) {
	out := backend.Description{}
	for _, a := range append(commonAttributes(), typeAttributes(f)...) {
		if !d.wants(a.name) {
			continue
		}
		v, err := a.value(d, f)
		if err != nil {
			return nil, err
		}
		if _, none := v.(absent); !none {
			out[a.name] = v
		}
	}
	return out, nil
}

// commonAttributes are those of every field.
func commonAttributes() []attribute {
	return []attribute{
		{"name", plain(func(f *schema.Field) any { return f.Name })},
		{"type", plain(func(f *schema.Field) any { return f.Type.String() })},
		{"store", plain(func(f *schema.Field) any { return f.Store })},
		{"manual", plain(func(f *schema.Field) any { return f.Manual })},
		{"readonly", plain(func(f *schema.Field) any { return f.Readonly })},
		{"required", plain(func(f *schema.Field) any { return f.Required })},
		{"company_dependent", plain(func(f *schema.Field) any { return f.CompanyDependent })},
		{"related", plain(func(f *schema.Field) any { return orAbsent(strings.Join(f.Related, ".")) })},
		{"groups", (*describer).groups},
		{"string", (*describer).label},
		{"help", (*describer).help},
		{"depends", (*describer).depends},
		{"searchable", func(d *describer, f *schema.Field) (any, error) { return d.searchable(f, 0), nil }},
		{"sortable", (*describer).sortable},
		{"groupable", (*describer).groupable},
		{"aggregator", (*describer).aggregator},
		usual("change_default", false),
		usual("default_export_compatible", false),
		usual("exportable", true),
	}
}

// typeAttributes are those that only fields of its type have.
func typeAttributes(f *schema.Field) []attribute {
	translate := attribute{"translate", plain(func(f *schema.Field) any { return f.Translate })}
	switch f.Type {
	case schema.Char:
		return []attribute{translate, usual("trim", true), {"size", plain(func(f *schema.Field) any {
			if f.Size == 0 {
				return absent{}
			}
			return f.Size
		})}}
	case schema.Text:
		return []attribute{translate}
	case schema.HTML:
		return append(htmlAttributes(), translate)
	case schema.Float:
		return []attribute{{"digits", (*describer).digits}, usual("min_display_digits", absent{})}
	case schema.Monetary:
		return []attribute{{"currency_field", (*describer).currency}}
	case schema.Binary:
		return []attribute{{"attachment", (*describer).attachment}}
	case schema.Selection, schema.Reference:
		return []attribute{{"selection", (*describer).selection}}
	case schema.Many2oneReference:
		return []attribute{usual("model_field", absent{})}
	case schema.Properties:
		return []attribute{{"definition_record", definition(0)}, {"definition_record_field", definition(1)}}
	case schema.Many2one, schema.One2many, schema.Many2many:
		return relationAttributes()
	}
	return nil
}

func relationAttributes() []attribute {
	return []attribute{
		{"relation", plain(func(f *schema.Field) any { return f.Relation })},
		{"relation_field", plain(func(f *schema.Field) any {
			if f.Type != schema.One2many {
				return absent{}
			}
			return orAbsent(f.Inverse)
		})},
		{"domain", (*describer).domain},
		usual("context", map[string]any{}),
		{"allow_hierachy_operators", func(d *describer, f *schema.Field) (any, error) { //nolint:misspell // as Odoo spells it
			target := d.st.reg.Model(f.Relation)
			return target != nil && target.ParentName != "" && target.Field(target.ParentName) != nil, nil
		}},
	}
}

func htmlAttributes() []attribute {
	var list []attribute
	for i, name := range htmlColumns() {
		list = append(list, attribute{name, func(d *describer, f *schema.Field) (any, error) {
			if row := d.rows[f.ID]; row != nil {
				return row.html[i], nil
			}
			return absent{}, nil
		}})
	}
	return list
}

func orAbsent(s string) any {
	if s == "" {
		return absent{}
	}
	return s
}

func (d *describer) groups(f *schema.Field) (any, error) {
	return orAbsent(strings.Join(f.Groups, ",")), nil
}

func (d *describer) label(f *schema.Field) (any, error) {
	if row := d.rows[d.base(f).ID]; row != nil && row.label != "" && !d.english() {
		return row.label, nil
	}
	return f.Label, d.actor.langErr
}

// help is absent where there is none, whatever the language has.
func (d *describer) help(f *schema.Field) (any, error) {
	if f.Help == "" {
		return absent{}, nil
	}
	if row := d.rows[d.base(f).ID]; row != nil && row.help != "" && !d.english() {
		return row.help, nil
	}
	return f.Help, d.actor.langErr
}

func (d *describer) selection(f *schema.Field) (any, error) {
	end := d.chosen(f)
	if end == nil && !d.foreign {
		return [][2]string{}, nil
	}
	if end == nil {
		return nil, backend.CannotProve(backend.PythonAttribute, f.Model.Name+"."+f.Name, "selection")
	}
	options := d.options[end.ID]
	if options == nil {
		options = end.Options
	}
	if fact := d.fact(end); fact != nil && fact.Languages {
		options = d.languages
	}
	if len(options) == 0 && d.foreign && !end.Manual {
		return nil, backend.CannotProve(backend.PythonAttribute, f.Model.Name+"."+f.Name, "selection")
	}
	pairs := make([][2]string, len(options))
	for i, o := range options {
		pairs[i] = [2]string{o.Value, o.Label}
	}
	return pairs, d.actor.langErr
}

// depends lists what a field is computed from.
func (d *describer) depends(f *schema.Field) (any, error) {
	row, fact := d.rows[f.ID], d.fact(f)
	switch {
	case fact != nil && fact.Depends != nil:
		return fact.Depends, nil
	case len(f.Related) > 0 && (f.Inherited || !d.coded(f)):
		return []string{strings.Join(f.Related, ".")}, nil
	case f.Name == "display_name":
		return d.nameDepends(f)
	case automatic(f.Name):
	case f.Manual && row != nil && row.computed:
		var list []string
		for _, name := range strings.Split(row.depends, ",") {
			if name = strings.TrimSpace(name); name != "" {
				list = append(list, name)
			}
		}
		return list, nil
	case d.foreign && !f.Manual:
		return nil, backend.CannotProve(backend.PythonAttribute, f.Model.Name+"."+f.Name, "depends")
	}
	return []string{}, nil
}

// nameDepends: a record's name follows from its title, unless code makes it.
func (d *describer) nameDepends(f *schema.Field) (any, error) {
	m := f.Model
	if m.Python.Name || m.NameExpr != "" {
		if !d.foreign {
			return []string{}, nil // what it is made of is not told
		}
		return nil, backend.CannotProve(backend.PythonAttribute, m.Name+"."+f.Name, "depends")
	}
	if m.RecName == "" || m.RecName == "display_name" {
		return []string{}, nil
	}
	return []string{m.RecName}, nil
}

// aggregator is how a number is put together where SQL can do it. Code may also
// say that it is not, or how something else is.
func (d *describer) aggregator(f *schema.Field) (any, error) {
	how := f.Aggregator
	switch {
	case how == "none" || (how == "" && d.coded(f)): // to code, "no" and "none" are two things
		return d.codeSays(f, "aggregator", absent{})
	case how == "" && f.Type.IsNumber() && f.Name != "id" && f.Name != "sequence":
		how = "sum"
	}
	if how == "" {
		return absent{}, nil
	}
	end, err := d.end(f, "aggregator")
	if err != nil || end == nil || !end.HasColumn() {
		return absent{}, err
	}
	return how, nil
}

func (d *describer) digits(f *schema.Field) (any, error) {
	end := f
	if steps := d.path(f); len(steps) > 0 {
		end = steps[len(steps)-1]
	}
	fact := d.fact(end)
	switch {
	case end.Manual, !d.foreign && end.Scale < 0:
		return absent{}, nil
	case !d.foreign, fact != nil && fact.Precision != "":
		return [2]int{16, end.Scale}, nil
	case end.HasColumn() && !end.CompanyDependent && end.Gap == "" && (fact == nil || !fact.HasDigits):
		return absent{}, nil // the column is no decimal number
	}
	return nil, backend.CannotProve(backend.PythonAttribute, f.Model.Name+"."+f.Name, "digits")
}

func (d *describer) currency(f *schema.Field) (any, error) {
	for _, name := range []string{f.Currency, "currency_id", "x_currency_id"} {
		if name != "" && f.Model.Field(name) != nil {
			return name, nil
		}
	}
	return absent{}, nil
}

func (d *describer) attachment(f *schema.Field) (any, error) {
	return f.Attached, nil
}

// definition gives the record or the field that describes properties.
func definition(part int) func(*describer, *schema.Field) (any, error) {
	return func(d *describer, f *schema.Field) (any, error) {
		parts := strings.Split(f.Definition, ".")
		if len(parts) != 2 && !d.foreign { // of a field that is got from another record
			if path := d.path(f); len(path) > 0 {
				parts = strings.Split(path[len(path)-1].Definition, ".")
			}
			if len(parts) != 2 {
				return absent{}, nil
			}
		}
		if len(parts) != 2 {
			return nil, backend.CannotProve(backend.PythonAttribute, f.Model.Name+"."+f.Name, "definition")
		}
		return parts[part], nil
	}
}

// domain is what a form offers for a relation.
func (d *describer) domain(f *schema.Field) (any, error) {
	row := d.rows[f.ID]
	empty := !f.Manual || row == nil || slices.Contains([]string{"", "[]"}, strings.TrimSpace(row.domain))
	switch {
	case empty && f.Domain == "":
	case !d.foreign && empty:
		return f.Domain, nil // our own declaration says all there is
	case !d.foreign:
		return row.domain, nil
	default:
		return nil, backend.CannotProve(backend.PythonAttribute, f.Model.Name+"."+f.Name, "domain")
	}
	return d.codeSays(f, "domain", []any{})
}

// end is the stored field whose value SQL finds for a field: itself, or that at
// the end of a path along many2one columns. nil: there is none. What code
// computes it may also give to SQL, and then only it knows the attribute.
func (d *describer) end(f *schema.Field, attribute string) (*schema.Field, error) {
	for range 16 { // more than any path of related fields
		if f.Store {
			return f, nil
		}
		steps := d.path(f)
		if len(steps) == 0 {
			if f.Name == "display_name" {
				return nil, nil
			}
			_, err := d.codeSays(f, attribute, nil)
			return nil, err
		}
		for _, link := range steps[:len(steps)-1] {
			if link.Type != schema.Many2one {
				return nil, nil
			}
			if end, err := d.end(link, attribute); err != nil || end == nil || !end.HasColumn() {
				return nil, err
			}
		}
		f = steps[len(steps)-1]
	}
	return nil, nil
}

func (d *describer) sortable(f *schema.Field) (any, error) {
	end, err := d.end(f, "sortable")
	return end != nil && end.HasColumn(), err
}

// groupable: links can be grouped by whoever may read what they lead to.
func (d *describer) groupable(f *schema.Field) (any, error) {
	end, err := d.end(f, "groupable")
	switch {
	case err != nil || end == nil:
		return false, err
	case end.Type == schema.Many2many:
		if target := d.st.reg.Model(end.Relation); target != nil && target.Python.Access {
			return d.codeSays(f, "groupable", false)
		}
		return d.c.allowed(end.Relation) == nil, nil
	case end.Type == schema.Properties: // one by one, except where they are kept
		return end == d.base(f), nil
	}
	return end.HasColumn(), nil
}

// searchable: stored, or searched by code, or along a path of such fields.
func (d *describer) searchable(f *schema.Field, depth int) bool {
	if f.Store || f.PythonSearch || (!d.foreign && f.SQL != "") || f.Name == "display_name" {
		return true
	}
	steps := d.path(f)
	if len(steps) == 0 || depth > 16 {
		return false
	}
	for _, step := range steps {
		if !d.searchable(step, depth+1) {
			return false
		}
	}
	return true
}
