package odoo

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/access"
	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoorpc"
	"gatehouse/internal/schema"
)

// An Odoo knows nothing of the scopes of a credential: what it is good for is
// held here. The route has asked about the model and what is done to it; here
// it is about what values bring along for other models, and about rights, which
// need the scope admin. What methods of the Odoo's own do besides is not known.

// bounded says that the caller's credential is good for some things only.
func (v *visit) bounded() bool { return v.caller.Ungranting != nil }

// covers refuses values of a model that change more than the credential is for.
func (v *visit) covers(model string, mode schema.Mode, values map[string]any) error {
	if !v.bounded() {
		return nil
	}
	if access.Grants(model, mode) {
		return v.caller.Ungranting
	}
	var m *schema.Model
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if grantsField(model, name) {
			return v.caller.Ungranting
		}
		list, ok := values[name].([]any)
		if !ok {
			continue
		}
		if m == nil {
			known, err := v.comodel(&schema.Field{Relation: model})
			if err != nil || known == nil { // the Odoo refuses the whole
				return err
			}
			m = known.Model
		}
		if f := m.Field(name); f != nil && f.Type.IsX2many() {
			if err := v.coversList(m, f, list); err != nil {
				return err
			}
		}
	}
	return nil
}

// grantsField is access.GrantsField with the names that some versions have for
// the same.
func grantsField(model, name string) bool {
	switch model {
	case "res.company":
		return name == "user_ids"
	case "res.users":
		switch name {
		case "groups_id", "new_password", "role", "totp_secret", "api_key_ids":
			return true
		}
		if strings.HasPrefix(name, "in_group_") || strings.HasPrefix(name, "sel_groups_") {
			return true
		}
	}
	return access.GrantsField(model, name)
}

// coversList is covers for the lines of a list: commands, ids, or values.
func (v *visit) coversList(m *schema.Model, f *schema.Field, list []any) error {
	co, err := v.comodel(f)
	if err != nil {
		return err
	}
	part := f.Type == schema.One2many && co != nil && isPart(m.Name, co.Field(f.Inverse), f.Relation)
	for _, element := range list {
		mode, changes, values := schema.Write, f.Type == schema.One2many, map[string]any(nil)
		switch element := element.(type) {
		case map[string]any:
			mode, changes, values = schema.Create, true, element
		case []any:
			if len(element) == 0 {
				break
			}
			switch n, _ := whole(element[0]); n {
			case 0:
				mode, changes = schema.Create, true
			case 1:
				mode, changes = schema.Write, true
			case 2:
				mode, changes = schema.Unlink, true
			}
			if len(element) > 2 {
				values, _ = element[2].(map[string]any)
			}
		}
		if !changes {
			continue
		}
		if !part && v.caller.InScope != nil && !v.caller.InScope(f.Relation, mode) {
			return fault.Newf(fault.Forbidden, "%s: the scopes of this credential do not cover changes of %s", f.Name, f.Relation).
				With(fault.FieldErrors{f.Name: "out of scope"})
		}
		if err := v.covers(f.Relation, mode, values); err != nil {
			return err
		}
	}
	return nil
}

// isPart says whether lines are part of their record, such as those of an
// order. An Odoo does not tell what goes with what, but they are called so.
func isPart(model string, inverse *schema.Field, lines string) bool {
	return inverse != nil && inverse.Required && strings.HasPrefix(lines, model+".")
}

func whole(v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case float64:
		return int64(v), v == float64(int64(v))
	case json.Number:
		n, err := v.Int64()
		return n, err == nil
	}
	return 0, v == nil
}

// coversCall is covers for a method: objects among its arguments, alone or in a
// list, are taken for values of the model.
func (v *visit) coversCall(r *odoorpc.Request) error {
	if r.Reads || !v.bounded() {
		return nil
	}
	mode := modeOf(r)
	switch {
	case mode == schema.Unlink && v.caller.InScope != nil && !v.caller.InScope(r.Model, mode):
		return fault.Newf(fault.Forbidden, "The scopes of this credential do not cover deleting %s", backend.Shorten(r.Model))
	case r.Method == "check_object_reference": // of ir.model.data; it changes nothing
		return nil
	}
	if err := v.covers(r.Model, mode, nil); err != nil {
		return err
	}
	if r.Method == "load" {
		return v.coversImport(r)
	}
	for _, arg := range r.Args {
		if err := v.coversArgument(r.Model, mode, arg); err != nil {
			return err
		}
	}
	for name, arg := range r.Kwargs {
		if name == "context" {
			continue
		}
		if err := v.coversArgument(r.Model, mode, arg); err != nil {
			return err
		}
	}
	return nil
}

// modeOf is what a method does to records, as far as that is known. Whether a
// user is archived is a matter of rights, as it is whether there is one.
func modeOf(r *odoorpc.Request) schema.Mode {
	switch r.Method {
	case "unlink":
		return schema.Unlink
	case "create", "copy", "name_create", "load":
		return schema.Create
	case "web_save":
		if len(r.IDs) == 0 && (len(r.Args) == 0 || !isFull(r.Args[0])) {
			return schema.Create
		}
	case "action_archive", "action_unarchive", "toggle_active", "change_password":
		if r.Model == "res.users" {
			return schema.Create
		}
	}
	return schema.Write
}

func isFull(v any) bool {
	list, ok := v.([]any)
	return ok && len(list) > 0
}

func (v *visit) coversArgument(model string, mode schema.Mode, arg any) error {
	switch arg := arg.(type) {
	case map[string]any:
		return v.covers(model, mode, arg)
	case []any:
		for _, element := range arg {
			if values, ok := element.(map[string]any); ok {
				if err := v.covers(model, mode, values); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// coversImport is covers for load, whose first argument names columns: those of
// lines have a slash.
func (v *visit) coversImport(r *odoorpc.Request) error {
	columns, _ := r.Kwargs["fields"].([]any)
	if len(r.Args) > 0 {
		columns, _ = r.Args[0].([]any)
	}
	for _, column := range columns {
		name, _ := column.(string)
		first, rest, lines := strings.Cut(name, "/")
		values := map[string]any{first: false}
		if lines && rest != "id" && rest != ".id" {
			values[first] = []any{[]any{0, 0, map[string]any{rest: false}}, []any{1, 0, nil}}
		}
		for _, mode := range []schema.Mode{schema.Create, schema.Write} {
			if err := v.covers(r.Model, mode, values); err != nil {
				return err
			}
		}
	}
	return nil
}
