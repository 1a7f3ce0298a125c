package record

import (
	"encoding/json"
	"strings"

	"gatehouse/internal/schema"
)

// asOdoo says that the caller wants Odoo's own ways where Gatehouse's API has
// better ones: nonsense that Odoo takes in silence is refused otherwise.
func (e *Env) asOdoo() bool { return e.actor.odooWays && !e.actor.sudo }

// odooValues turns values that Odoo takes without a word into what it makes of
// them. On a write a value passes through Odoo's cache first, which knows only
// ids in a many2one and takes the id out of an object for an integer.
func (e *Env) odooValues(m *schema.Model, given Values, writing bool) Values {
	if !e.asOdoo() {
		return given
	}
	out := make(Values, len(given))
	for name, v := range given {
		out[name] = v
		f := m.Field(name)
		if f == nil {
			continue
		}
		object, isObject := v.(map[string]any)
		_, isList := v.([]any)
		_, isText := v.(string)
		switch {
		case f.Type == schema.HTML && !isText && v != nil && v != false:
			out[name] = "<p>Unknown error when sanitizing</p>"
		case f.Type.IsText() && (isList || isObject):
			out[name] = pyText(v)
		case writing && f.Type == schema.Integer && isObject:
			out[name] = object["id"]
		case writing && f.Type == schema.Many2one && !wholeNumber(v):
			out[name] = nil
		}
	}
	return out
}

func wholeNumber(v any) bool {
	if n, ok := v.(json.Number); ok {
		return !strings.ContainsAny(n.String(), ".eE")
	}
	_, err := idOf(v)
	return err == nil
}
