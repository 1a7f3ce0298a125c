package record

import (
	"context"
	"slices"
	"strings"

	"gatehouse/internal/access"
	"gatehouse/internal/backend"
	"gatehouse/internal/facts"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// PythonAttribute is the reason for what a field is like that its code says
// and the database does not.

// Describe implements backend.Backend. As in Odoo it asks for no right on the
// model, but leaves out the fields that are for other groups.
func (e *Engine) Describe(ctx context.Context, c *backend.Caller, model string, fields, attributes []string) (map[string]backend.Description, error) {
	var out map[string]backend.Description
	err := e.upToDate(func() error {
		cx, err := e.call(ctx, nil, c)
		if err != nil {
			return err
		}
		out, err = cx.describeFields(model, fields, attributes)
		return err
	})
	return out, err
}

func (cx *callContext) describeFields(model string, names, attributes []string) (map[string]backend.Description, error) {
	m := cx.st.reg.Model(model)
	if m == nil || (m.AdminOnly && !cx.actor.admin) {
		return nil, cx.unknownModel(model)
	}
	if err := provable(m); err != nil {
		return nil, err
	}
	d := &describer{callContext: cx, c: cx.compiler(), attributes: attributes, foreign: cx.e.facts != nil}
	var fields []*schema.Field
	for _, f := range m.Fields {
		if names != nil && !slices.Contains(names, f.Name) {
			continue
		}
		if f.Stranger {
			return nil, backend.CannotProve(backend.UnknownField, m.Name+"."+f.Name, f.Gap)
		}
		if d.shows(f) {
			fields = append(fields, f)
		}
	}
	if err := cx.e.reading(cx.ctx, cx.q, func(q sqldb.Querier) error { return d.load(q, fields) }); err != nil {
		return nil, storeFault(err, "describe "+model)
	}
	out := make(map[string]backend.Description, len(fields))
	for _, f := range fields {
		var err error
		if out[f.Name], err = d.field(f); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// describer describes fields for one caller.
type describer struct {
	*callContext
	c          *compiler
	attributes []string // nil: all
	foreign    bool     // a genuine Odoo's database
	rows       map[int64]*fieldRow
	options    map[int64][]schema.Option // in the language of the call
	languages  []schema.Option           // those that are active, by name
}

// fieldRow is what the registry does not keep of a row of ir_model_fields.
type fieldRow struct {
	label, help string // in the language of the call
	computed    bool   // a manual field with code of its own
	depends     string
	domain      string
	html        [6]bool // as htmlColumns
}

// htmlColumns are the columns, and the attributes, about cleaning rich text.
func htmlColumns() []string {
	return []string{"sanitize", "sanitize_tags", "sanitize_attributes", "sanitize_style", "strip_style", "strip_classes"}
}

func (d *describer) shows(f *schema.Field) bool {
	if fact := d.fact(f); fact != nil && fact.Shown {
		return true
	}
	return !f.Secret && (d.actor.sudo || access.Field(d.st.reg, d.actor.user, f))
}

func (d *describer) wants(attribute string) bool {
	return d.attributes == nil || slices.Contains(d.attributes, attribute)
}

// english says that the labels are those that the registry has.
func (d *describer) english() bool {
	return d.actor.lang == "" || d.actor.lang == "en_US" || d.actor.langErr != nil
}

// text is a translated column in the language of the call.
func (d *describer) text(column string) string {
	if d.english() {
		return d.c.d.JSONText(column, "en_US")
	}
	return d.c.translated(column)
}

// load reads labels in the language of the call, and what else the registry
// does not have.
func (d *describer) load(q sqldb.Querier, fields []*schema.Field) error {
	d.rows, d.options = map[int64]*fieldRow{}, map[int64][]schema.Option{}
	var ids, choices []int64
	for _, f := range fields {
		ids = append(ids, f.ID, d.base(f).ID)
		if end := d.chosen(f); end != nil {
			choices = append(choices, end.ID)
		}
	}
	more := ", false, '', ''"
	if d.foreign {
		more = ", compute is not null, depends, domain, " + strings.Join(htmlColumns(), ", ")
	}
	sql := "select id, " + d.text("field_description") + ", " + d.text("help") + more +
		" from ir_model_fields where " + d.c.d.In("id", "$1", true)
	err := q.Query(d.ctx, sql, []any{unique(ids)}, func(r sqldb.Row) error {
		row := &fieldRow{label: r.Text(1), help: r.Text(2), computed: r.Bool(3), depends: r.Text(4), domain: r.Text(5)}
		row.html = [6]bool{true, true, true} // as Odoo's fields are where they say nothing
		if d.foreign {
			for i := range row.html {
				row.html[i] = r.Bool(6 + i)
			}
		}
		d.rows[r.Int(0)] = row
		return nil
	})
	if err != nil || len(choices) == 0 || !d.wants("selection") {
		return err
	}
	return d.loadChoices(q, unique(choices))
}

// loadChoices reads what selections offer where the registry does not have it.
func (d *describer) loadChoices(q sqldb.Querier, fields []int64) error {
	err := q.Query(d.ctx, "select code, name from res_lang where active", nil, func(r sqldb.Row) error {
		d.languages = append(d.languages, schema.Option{Value: r.Text(0), Label: r.Text(1)})
		return nil
	})
	slices.SortFunc(d.languages, func(a, b schema.Option) int { return strings.Compare(a.Label, b.Label) })
	if err != nil || d.english() {
		return err
	}
	sql := "select field_id, value, " + d.text("name") + " from ir_model_fields_selection where " +
		d.c.d.In("field_id", "$1", true) + " order by field_id, sequence, id"
	return q.Query(d.ctx, sql, []any{fields}, func(r sqldb.Row) error {
		d.options[r.Int(0)] = append(d.options[r.Int(0)], schema.Option{Value: r.Text(1), Label: r.Text(2)})
		return nil
	})
}

// base is the field itself, or for one got by delegation the parent's: that one
// has the label.
func (d *describer) base(f *schema.Field) *schema.Field {
	for f.Inherited {
		up := d.up(f)
		if up == nil {
			return f
		}
		f = up
	}
	return f
}

// up is the field of the parent that a field got by delegation shows.
func (d *describer) up(f *schema.Field) *schema.Field {
	link := f.Model.Field(f.Related[0])
	if link == nil {
		return nil
	}
	parent := d.st.reg.Model(link.Relation)
	if parent == nil {
		return nil
	}
	return parent.Field(f.Related[1])
}

// path lists the fields along a related field's path; nil when it is broken.
func (d *describer) path(f *schema.Field) []*schema.Field {
	var steps []*schema.Field
	m := f.Model
	for _, name := range f.Related {
		if m == nil || m.Field(name) == nil {
			return nil
		}
		step := m.Field(name)
		steps = append(steps, step)
		m = d.st.reg.Model(step.Relation)
	}
	return steps
}

// chosen is the field whose choices a selection or reference offers: a related
// one offers those of the field it shows.
func (d *describer) chosen(f *schema.Field) *schema.Field {
	for range 16 { // more than any path of related fields
		if f.Type != schema.Selection && f.Type != schema.Reference {
			return nil
		}
		if len(f.Related) == 0 {
			return f
		}
		steps := d.path(f)
		if steps == nil {
			return nil
		}
		f = steps[len(steps)-1]
	}
	return nil
}

// fact is what is known of a field's code; nil when nothing is.
func (d *describer) fact(f *schema.Field) *facts.Field {
	if known := d.e.facts.Model(f.Model.Name); known != nil {
		return known.Fields[f.Name]
	}
	return nil
}

// codeSays gives the usual value of an attribute that only code knows, where
// nothing but the usual is possible: for the fields that every model has, for
// those made at run time, and in a database of our own.
func (d *describer) codeSays(f *schema.Field, attribute string, usual any) (any, error) {
	if d.coded(f) {
		return nil, backend.CannotProve(backend.PythonAttribute, f.Model.Name+"."+f.Name, attribute)
	}
	return usual, nil
}

// coded says that code declares the field, so that anything may be said there.
func (d *describer) coded(f *schema.Field) bool {
	return d.foreign && !f.Manual && !automatic(f.Name)
}
