package odooapi

import (
	"context"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoocall"
	"gatehouse/internal/schema"
)

// reach follows what a read brings from other models by names within names: the
// caller's credential must be good for reading those too. The name of a record
// that is linked comes without.
type reach struct {
	ctx    context.Context
	api    *API
	caller *backend.Caller
}

// allowed refuses what is out of reach.
func (r *reach) allowed(model, method string, args native) error {
	if r.caller.InScope == nil || !odoocall.Reads(method) && method != "web_save" {
		return nil
	}
	kwargs, err := args.named()
	if err != nil {
		return nil //nolint:nilerr // whoever runs the method says so
	}
	for _, name := range []string{"specification", "unfold_read_specification"} {
		if err := r.specification(model, kwargs[name]); err != nil {
			return err
		}
	}
	if err := r.groups(model, kwargs["groupby"]); err != nil {
		return err
	}
	if err := r.groups(model, kwargs["grouping_sets"]); err != nil {
		return err
	}
	of, _ := kwargs["groupby_read_specification"].(map[string]any)
	for term, spec := range of {
		target, err := r.path(model, term)
		if err == nil && target != "" {
			err = r.shown(target, spec)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// specification is what web_read is asked for.
func (r *reach) specification(model string, spec any) error {
	fields, _ := spec.(map[string]any)
	for name, about := range fields {
		inner, _ := about.(map[string]any)
		if _, asks := inner["fields"].(map[string]any); !asks {
			continue
		}
		if f := r.field(model, name); f != nil && f.Relation != "" {
			if err := r.shown(f.Relation, inner["fields"]); err != nil {
				return err
			}
		}
	}
	return nil
}

// shown is what is shown of the records of a model.
func (r *reach) shown(model string, spec any) error {
	fields, _ := spec.(map[string]any)
	for name := range fields {
		if name != "id" && name != "display_name" {
			if err := r.need(model); err != nil {
				return err
			}
		}
	}
	return r.specification(model, spec)
}

// groups are what is grouped by: a term, or a list of terms or of such lists.
func (r *reach) groups(model string, by any) error {
	switch by := by.(type) {
	case string:
		_, err := r.path(model, by)
		return err
	case []any:
		for _, one := range by {
			if err := r.groups(model, one); err != nil {
				return err
			}
		}
	}
	return nil
}

// path follows a term of a grouping, and gives the model that it leads to, if any.
func (r *reach) path(model, term string) (string, error) {
	term, _, _ = strings.Cut(term, ":")
	for first := true; ; first = false {
		name, rest, more := strings.Cut(term, ".")
		if !first {
			if err := r.need(model); err != nil {
				return "", err
			}
		}
		f := r.field(model, name)
		if f == nil || f.Relation == "" || !more {
			if f != nil {
				return f.Relation, nil
			}
			return "", nil
		}
		model, term = f.Relation, rest
	}
}

// field is nil where the caller sees none: whoever runs the method says so.
func (r *reach) field(model, name string) *schema.Field {
	m, err := r.api.Backend.Model(r.ctx, r.caller, model)
	if err != nil {
		return nil
	}
	return m.Field(name)
}

func (r *reach) need(model string) error {
	if r.caller.InScope(model, schema.Read) {
		return nil
	}
	scope := model + ":read"
	return fault.New(fault.Forbidden, "Missing scope: "+scope).With(map[string]string{"scope": scope})
}
