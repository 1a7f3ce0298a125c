package record

import (
	"encoding/json"
	"slices"
	"strings"

	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// propertiesText takes what somebody wants to write to properties, or to their
// description, as the JSON text that is stored. Texts have been through here.
func (e *Env) propertiesText(f *schema.Field, v any) (any, error) {
	text, isText := v.(string)
	if !isText {
		converted, err := f.Convert(v)
		if err != nil || converted == nil {
			return nil, err
		}
		text, _ = converted.(string)
	}
	switch {
	case !json.Valid([]byte(text)):
		return nil, badProperties(f, "expected an object or a list")
	case f.Type == schema.PropertiesDefinition:
		if _, err := e.described(text); err != nil {
			return nil, badProperties(f, "expected a list of objects, each with a name and a type that exists").Because(err)
		}
	case !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "["):
		return nil, badProperties(f, "expected an object or a list")
	}
	return text, nil
}

func badProperties(f *schema.Field, what string) *fault.Error {
	return fault.Newf(fault.BadRequest, "Invalid value for field %s: %s", f.Name, what).With(fault.FieldErrors{f.Name: what})
}

// propertyFields are a model's own properties, with the link to what describes
// them and the field there.
func (e *Env) propertyFields(m *schema.Model, each func(f, link, definition *schema.Field) error) error {
	for _, f := range m.Fields {
		if f.Type != schema.Properties || !f.HasColumn() || f.Definition == "" {
			continue
		}
		path, column, _ := strings.Cut(f.Definition, ".")
		link := m.Field(path)
		if link == nil || link.Type != schema.Many2one || e.st.reg.Model(link.Relation) == nil {
			continue
		}
		if definition := e.st.reg.Model(link.Relation).Field(column); definition != nil {
			if err := each(f, link, definition); err != nil {
				return err
			}
		}
	}
	return nil
}

// newProperties brings the properties of a record to be made to those that its
// parent describes.
func (e *Env) newProperties(m *schema.Model, values Values) error {
	return e.propertyFields(m, func(f, link, definition *schema.Field) error {
		text, given := values[f.Name].(string)
		if !given {
			return nil
		}
		parent, _ := values[link.Name].(int64)
		known, err := e.described(e.Sudo().One(link.Relation, parent).Text(definition.Name))
		if err != nil {
			return err
		}
		values[f.Name], err = e.propertyValues(f, known, text)
		return err
	})
}

// changeProperties takes the properties out of the values of a write and gives
// a function that stores them, record by record, when the rest is stored: what
// is given replaces all values; a new parent brings its defaults.
func (e *Env) changeProperties(m *schema.Model, ids []int64, values Values) (after func() error) {
	var steps []func() error
	_ = e.propertyFields(m, func(f, link, definition *schema.Field) error {
		given, isGiven := values[f.Name]
		delete(values, f.Name)
		_, moves := values[link.Name]
		if !isGiven && !moves {
			return nil
		}
		before := map[int64]int64{}
		for _, r := range e.Sudo().recs(m, ids) {
			before[r.id] = r.Int(link.Name)
		}
		steps = append(steps, func() error {
			for _, r := range e.Sudo().recs(m, ids) {
				if !isGiven && r.Int(link.Name) == before[r.id] {
					continue
				}
				known, err := e.described(r.Ref(link.Name).Text(definition.Name))
				if err != nil {
					return err
				}
				stored := propertyDefaults(known)
				if isGiven {
					text, _ := given.(string)
					if stored, err = e.propertyValues(f, known, text); err != nil {
						return err
					}
				}
				if _, err := e.update(m, []int64{r.id}, Values{f.Name: stored}, true); err != nil {
					return err
				}
			}
			return nil
		})
		return nil
	})
	return func() error {
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	}
}

// propertyDefaults are the values that a new parent brings; nil for none.
func propertyDefaults(known []*property) any {
	values := map[string]json.RawMessage{}
	for _, p := range known {
		if raw := p.raw["default"]; len(raw) > 0 && string(raw) != "null" && string(raw) != "false" {
			values[p.name] = raw
		}
	}
	return propertyJSON(values)
}

func propertyJSON[V any](values map[string]V) any {
	if len(values) == 0 {
		return nil
	}
	text, _ := json.Marshal(values) // of decoded JSON
	return string(text)
}

// propertyValues are the given values of the properties that are known; nil
// for none. They come by name, or as a list in which each has its description.
func (e *Env) propertyValues(f *schema.Field, known []*property, text string) (any, error) {
	given := map[string]any{}
	if strings.HasPrefix(text, "[") {
		var list []struct {
			Name     string
			Value    any
			Changed  any `json:"definition_changed"`
			Deletion any `json:"definition_deleted"`
		}
		if err := decodeNumbers(text, &list); err != nil {
			return nil, badProperties(f, "expected a list of objects").Because(err)
		}
		for _, p := range list {
			if !isFalsyJSON(p.Changed) || !isFalsyJSON(p.Deletion) {
				return nil, badProperties(f, "properties are described by "+f.Definition+": change that instead")
			}
			given[p.Name] = p.Value
		}
	} else if err := decodeNumbers(text, &given); text != "" && err != nil {
		return nil, badProperties(f, "expected an object").Because(err)
	}
	values := map[string]any{}
	for _, p := range known {
		if v := given[p.name]; v != nil && p.kind != "separator" {
			values[p.name] = e.propertyStored(p, v)
		}
	}
	return propertyJSON(values), nil
}

// propertyStored is a value as it is kept: what the description does not allow
// is no value.
func (e *Env) propertyStored(p *property, v any) any {
	switch p.kind {
	case "many2one":
		if pair, isPair := v.([]any); isPair && len(pair) > 0 {
			v = pair[0]
		}
		if id, ok := linkID(v); ok {
			return id
		}
		return false
	case "many2many":
		list, _ := v.([]any)
		ids := []int64{}
		for _, one := range list {
			if pair, isPair := one.([]any); isPair && len(pair) > 0 {
				one = pair[0]
			}
			if id, ok := linkID(one); ok && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		return ids
	case "html":
		text, _ := v.(string)
		return e.e.sanitize(text)
	}
	return (&property{kind: p.kind, name: p.name, options: p.options, value: v}).shown(nil)
}
