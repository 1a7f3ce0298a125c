package record

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/facts"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// Defaults implements backend.Backend. A genuine Odoo's database is only read
// for it.
func (e *Engine) Defaults(ctx context.Context, c *backend.Caller, model string, fields []string) (backend.Values, error) {
	cx, err := e.call(ctx, nil, c)
	if err != nil {
		return nil, err
	}
	m := cx.st.reg.Model(model)
	if m == nil || (m.AdminOnly && !cx.actor.admin) {
		return nil, cx.unknownModel(model)
	}
	if e.facts == nil {
		return cx.ownDefaults(m, fields)
	}
	if err := cmp.Or(cx.actor.companyErr, provable(m)); err != nil {
		return nil, err
	}
	s := &starter{callContext: cx, given: c.Context.Defaults, out: backend.Values{}}
	if err := s.start(m, fields); err != nil {
		return nil, err
	}
	return s.out, nil
}

// ownDefaults asks the method that the models of our own database have.
func (cx *callContext) ownDefaults(m *schema.Model, fields []string) (backend.Values, error) {
	known := []any{}
	for _, name := range fields {
		if m.Field(name) != nil {
			known = append(known, name)
		}
	}
	result, err := cx.e.Call(cx.ctx, cx.caller, m.Name, "default_get", nil, Values{"fields": known})
	if err != nil {
		return nil, err
	}
	values, ok := result.(Values)
	if !ok {
		return nil, fault.Newf(fault.Internal, "default_get of %s gave %T", m.Name, result)
	}
	return values, nil
}

// starter collects what a new record of a genuine Odoo starts with.
type starter struct {
	*callContext
	given map[string]any // the context's
	out   backend.Values
}

// start follows the order of Odoo: the context, ir.default, the field's own
// default, and for fields got by delegation what the parent's model has.
func (s *starter) start(m *schema.Model, names []string) error {
	var known facts.Starting
	if about := s.e.facts.Model(m.Name); about != nil {
		known = about.Starting
	}
	parents := map[string][]string{}
	for _, name := range names {
		f := m.Field(name)
		if f == nil { // Odoo passes the context's value on as it is
			if v, ok := s.given[name]; ok {
				s.out[name] = v
			}
			continue
		}
		if f.Stranger {
			return backend.CannotProve(backend.UnknownField, m.Name+"."+name, f.Gap)
		}
		if slices.Contains(known.Recast, "*") || slices.Contains(known.Recast, name) {
			return backend.CannotProve(backend.CodeDefault, m.Name+"."+name, "")
		}
		v, found, err := s.value(f, known)
		if err != nil {
			return err
		}
		if found {
			if s.out[name], err = startValue(f, v); err != nil {
				return err
			}
			continue
		}
		if link := m.Field(strings.Join(f.Related[:min(1, len(f.Related))], "")); f.Inherited && link != nil {
			parents[link.Relation] = append(parents[link.Relation], f.Related[1])
		}
	}
	for parent, names := range parents {
		m := s.st.reg.Model(parent)
		if m == nil || m.Gap != "" {
			return backend.CannotProve(backend.CodeDefault, parent, "")
		}
		if err := s.start(m, names); err != nil {
			return err
		}
	}
	return nil
}

// value is what a field starts with, before it is converted.
func (s *starter) value(f *schema.Field, known facts.Starting) (any, bool, error) {
	if v, ok := s.given[f.Name]; ok {
		return v, true, nil
	}
	if row := s.row(f); row != nil {
		d := json.NewDecoder(strings.NewReader(row.JSON))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			return nil, false, backend.CannotProve(backend.ValueShape, f.Model.Name+"."+f.Name, "its row in ir.default")
		}
		return v, true, nil
	}
	if f.Manual {
		return nil, false, nil
	}
	if v, ok := known.Constants[f.Name]; ok {
		return v, true, nil
	}
	if slices.Contains(known.Code, f.Name) {
		return nil, false, backend.CannotProve(backend.CodeDefault, f.Model.Name+"."+f.Name, "")
	}
	return s.named(f)
}

// row is the row of ir.default for this user and company: one for the user
// goes first, then one for the company.
func (s *starter) row(f *schema.Field) *schema.DefaultValue {
	var best *schema.DefaultValue
	for i, d := range s.st.reg.Default[f.ID] {
		if (d.UserID != 0 && d.UserID != s.actor.user.ID) || (d.CompanyID != 0 && d.CompanyID != s.actor.company) {
			continue
		}
		if best == nil || rank(d) > rank(*best) {
			best = &s.st.reg.Default[f.ID][i]
		}
	}
	return best
}

func rank(d schema.DefaultValue) int {
	n := 0
	if d.UserID != 0 {
		n += 2
	}
	if d.CompanyID != 0 {
		n++
	}
	return n
}

// named is a default that the facts give a name.
func (s *starter) named(f *schema.Field) (any, bool, error) {
	about := s.e.facts.Model(f.Model.Name)
	if about == nil || about.Fields[f.Name] == nil {
		return nil, false, nil
	}
	word, key, _ := strings.Cut(about.Fields[f.Name].Default, " ")
	switch word {
	case "company":
		return s.actor.company, true, nil
	case "user":
		return s.actor.user.ID, true, nil
	case "context":
		if key == "tz" {
			return s.caller.Context.TZ, true, nil
		}
		if slices.Contains(s.caller.Context.Unknown, key) {
			return nil, false, backend.CannotProve(backend.ContextKey, key, f.Name)
		}
		return nil, true, nil
	}
	return nil, false, nil
}

// startValue gives a default the form that Odoo answers with: false for what
// is not set, ids, texts of days. Values of another shape than the field's are
// left to Odoo.
func startValue(f *schema.Field, v any) (any, error) {
	shapeless := backend.CannotProve(backend.ValueShape, f.Model.Name+"."+f.Name, "its default")
	if f.Type == schema.Many2one {
		return startLink(f, v)
	}
	text, isText := v.(string)
	unset := v == nil || v == false
	switch f.Type {
	case schema.Boolean, schema.Integer, schema.Float, schema.Monetary:
	case schema.Char, schema.Text, schema.HTML:
		if !unset && !isText {
			return nil, shapeless
		}
	case schema.Date, schema.Datetime, schema.Selection:
		if unset || text == "" && isText {
			return false, nil
		}
		if !isText {
			return nil, shapeless
		}
		if f.Type == schema.Selection && len(f.Options) == 0 {
			return text, nil // code lists the choices, and Odoo does not look
		}
		if _, ok := f.Option(text); f.Type == schema.Selection && !ok {
			return nil, shapeless
		}
	default:
		return nil, shapeless
	}
	out, err := f.Convert(v)
	if err != nil {
		return nil, shapeless
	}
	if out == nil {
		return false, nil
	}
	return out, nil
}

// startLink: only a number is a record; a text, a list or a truth value means
// none.
func startLink(f *schema.Field, v any) (any, error) {
	n := int64(0)
	switch v := v.(type) {
	case nil, bool, string, []any:
		return false, nil
	case int64:
		n = v
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return false, nil
		}
		n, _ = v.Int64() // 0 where it is too large
	}
	for _, in := range f.Model.Inherits {
		if in.Field == f.Name {
			n = 0 // Odoo takes the record for a new one's
		}
	}
	if n <= 0 {
		return nil, backend.CannotProve(backend.ValueShape, f.Model.Name+"."+f.Name, "its default")
	}
	return n, nil
}
