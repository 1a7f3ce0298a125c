package main

import (
	"context"
	"strings"

	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// names are the models and fields that Odoo's database has.
type names struct {
	fields map[string]map[string]string // model, field, comodel
}

func readNames(ctx context.Context, corpus sqldb.DB) (*names, error) {
	n := &names{fields: map[string]map[string]string{}}
	err := corpus.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, "select model, name, relation from ir_model_fields", nil, func(r sqldb.Row) error {
			if n.fields[r.Text(0)] == nil {
				n.fields[r.Text(0)] = map[string]string{}
			}
			n.fields[r.Text(0)][r.Text(1)] = r.Text(2)
			return nil
		})
	})
	return n, err
}

// lacking names a model or field of Odoo's that a step uses and the embedded
// database does not have; "" when there is none. What Odoo does not have
// either is meant to fail.
func (n *names) lacking(reg *schema.Registry, st *step) string {
	if why := n.model(reg, st.Model); why != "" {
		return why
	}
	m := reg.Model(st.Model)
	if m == nil {
		return ""
	}
	if (st.Method == "read" || st.Method == "search_read") && emptyList(st.Kwargs["fields"]) {
		for name := range n.fields[st.Model] {
			if m.Field(name) == nil {
				return "all fields of " + st.Model + " are read"
			}
		}
	}
	for _, key := range []string{"vals", "vals_list", "values", "default", "data"} {
		if why := n.values(reg, st.Model, st.Kwargs[key]); why != "" {
			return why
		}
	}
	for _, key := range []string{"fields", "allfields", "fields_list", "field_names"} {
		list, _ := st.Kwargs[key].([]any)
		for _, v := range list {
			if s, ok := v.(string); ok {
				if why := n.path(reg, st.Model, s); why != "" {
					return why
				}
			}
		}
	}
	if why := n.order(reg, st); why != "" {
		return why
	}
	return n.domain(reg, st.Model, st.Kwargs["domain"])
}

func (n *names) order(reg *schema.Registry, st *step) string {
	order, _ := st.Kwargs["order"].(string)
	for _, term := range strings.Split(order, ",") {
		if words := strings.Fields(term); len(words) > 0 {
			if why := n.path(reg, st.Model, words[0]); why != "" {
				return why
			}
		}
	}
	return ""
}

func emptyList(v any) bool {
	list, ok := v.([]any)
	return !ok || len(list) == 0
}

func (n *names) model(reg *schema.Registry, name string) string {
	if n.fields[name] != nil && reg.Model(name) == nil {
		return "no model " + name
	}
	return ""
}

// path looks at the fields of a dotted path from a model.
func (n *names) path(reg *schema.Registry, model, path string) string {
	for _, name := range strings.FieldsFunc(path, func(c rune) bool { return c == '.' || c == '/' || c == ':' }) {
		comodel, theirs := n.fields[model][name]
		m := reg.Model(model)
		if !theirs || m == nil {
			return ""
		}
		if m.Field(name) == nil {
			return "no field " + model + "." + name
		}
		model = comodel
	}
	return ""
}

// values looks at the fields of one or more sets of values, and of the lines
// that they bring along.
func (n *names) values(reg *schema.Registry, model string, v any) string {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			if why := n.values(reg, model, one); why != "" {
				return why
			}
		}
	case map[string]any:
		for name, value := range v {
			if why := n.path(reg, model, name); why != "" {
				return why
			}
			comodel := n.fields[model][name]
			commands, _ := value.([]any)
			if comodel == "" {
				continue
			}
			for _, c := range commands {
				if command, ok := c.([]any); ok && len(command) == 3 {
					if why := n.values(reg, comodel, command[2]); why != "" {
						return why
					}
				}
			}
		}
	}
	return ""
}

// domain looks at the fields of a domain's conditions.
func (n *names) domain(reg *schema.Registry, model string, v any) string {
	list, _ := v.([]any)
	for _, item := range list {
		leaf, ok := item.([]any)
		if !ok || len(leaf) == 0 {
			continue
		}
		if path, ok := leaf[0].(string); ok {
			if why := n.path(reg, model, path); why != "" {
				return why
			}
		}
	}
	return ""
}
