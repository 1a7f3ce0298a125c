package wire

import (
	"maps"
	"slices"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// Reader turns decoded JSON into the values of records, by the types of the
// fields and strictly: what does not fit is a problem with a place, never a
// guess. Both shapes of the API are understood.
type Reader struct {
	// Comodel finds the model of records that stand inside others.
	Comodel func(name string) (*schema.Model, error)
	Problems
	failed error // Comodel failed
}

// Err is the error for all that was read, nil if all is well.
func (r *Reader) Err() error {
	if r.failed != nil {
		return r.failed
	}
	return r.Problems.Err()
}

// Fail notes that reading could not go on, for a reason that is not in the body.
func (r *Reader) Fail(err error) {
	if r.failed == nil {
		r.failed = err
	}
}

// Record reads the values of one record. at is the place of the object and
// ends where a field's name may follow: "", "[2]." or "order_line[0].".
func (r *Reader) Record(m *schema.Model, object map[string]any, at string) backend.Values {
	values := make(backend.Values, len(object))
	for _, name := range slices.Sorted(maps.Keys(object)) {
		f := m.Field(name)
		if f == nil {
			r.Unknown(at+Name(name), m.NearestField(name))
			continue
		}
		values[name] = r.Value(f, object[name], at+name)
	}
	return values
}

// Value reads the value of one field. What it gives back counts only if Err
// is nil in the end.
func (r *Reader) Value(f *schema.Field, v any, place string) any {
	if f.Type.IsX2many() {
		return r.records(f, v, place)
	}
	value, why := scalar(f, v)
	if why.text != "" {
		r.Add(why.kind, place, why.text)
		return nil
	}
	return value
}

const wantsRecords = "must be a list of ids, of objects or of Odoo commands"

// records reads an x2many: Odoo's commands, or a list of ids and objects. Ids
// (and objects with nothing but an id) replace what is linked; an object with
// an id and more changes that record; one without makes a new one.
func (r *Reader) records(f *schema.Field, v any, place string) any {
	if empty(v) {
		return []any{command(5)}
	}
	list, ok := v.([]any)
	if !ok {
		r.Add(fault.BadRequest, place, wantsRecords)
		return nil
	}
	if len(list) > 0 {
		if _, isCommand := list[0].([]any); isCommand {
			return r.commands(f, list, place)
		}
	}
	ids, others := make([]any, 0, len(list)), []any(nil)
	for i, element := range list {
		object, isObject := element.(map[string]any)
		if isObject {
			element = object["id"]
		}
		n, isID := ID(element)
		switch {
		case isID && (!isObject || len(object) == 1):
			ids = append(ids, n)
		case isID:
			others = append(others, command(1, n, r.inline(f, object, Element(place, i))))
		case isObject && element == nil:
			others = append(others, command(0, int64(0), r.inline(f, object, Element(place, i))))
		default:
			r.Add(fault.BadRequest, Element(place, i), "must be the id of a record or an object")
		}
	}
	if len(ids) > 0 || len(others) == 0 {
		return append([]any{command(6, int64(0), ids)}, others...)
	}
	return others
}

func command(code int64, rest ...any) []any {
	return append([]any{code}, rest...)
}

// inline reads a record that stands inside another one.
func (r *Reader) inline(f *schema.Field, object map[string]any, place string) backend.Values {
	m, err := r.Comodel(f.Relation)
	if err != nil {
		r.Fail(err)
		return nil
	}
	if _, hasID := object["id"]; hasID {
		object = maps.Clone(object)
		delete(object, "id")
	}
	return r.Record(m, object, place+".")
}

// commands checks the shape of Odoo's commands and reads the values in them.
func (r *Reader) commands(f *schema.Field, list []any, place string) any {
	out := make([]any, 0, len(list))
	for i, element := range list {
		at := Element(place, i)
		parts, _ := element.([]any)
		cmd := r.command(f, parts, at)
		if cmd == nil {
			r.Add(fault.BadRequest, at, "must be an Odoo command like [4, 7] or [6, 0, [7, 8]]")
		}
		out = append(out, cmd)
	}
	return out
}

// command reads one of Odoo's commands, nil if it has not the shape of one.
func (r *Reader) command(f *schema.Field, parts []any, at string) []any {
	if len(parts) == 0 || len(parts) > 3 {
		return nil
	}
	code, ok := whole(parts[0])
	if !ok {
		return nil
	}
	var target int64
	if code >= 1 && code <= 4 {
		if len(parts) < 2 {
			return nil
		}
		if target, ok = ID(parts[1]); !ok {
			return nil
		}
	}
	switch {
	case code == 0 || code == 1:
		if len(parts) < 3 {
			return nil
		}
		object, ok := parts[2].(map[string]any)
		if !ok {
			return nil
		}
		return command(code, target, r.inline(f, object, Element(at, 2)))
	case code >= 2 && code <= 4:
		return command(code, target)
	case code == 5:
		return command(code)
	case code == 6 && len(parts) == 3:
		return setCommand(parts[2])
	}
	return nil
}

func setCommand(v any) []any {
	list, ok := v.([]any)
	if !ok {
		return nil
	}
	ids := make([]any, len(list))
	for i := range list {
		n, ok := ID(list[i])
		if !ok {
			return nil
		}
		ids[i] = n
	}
	return command(6, int64(0), ids)
}
