package httpapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

func (m *memory) Create(_ context.Context, c *backend.Caller, model string, values []backend.Values) (*backend.Created, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.enter("create", model, c)
	if err != nil {
		return nil, err
	}
	created := &backend.Created{}
	for _, vals := range values {
		id, err := m.insert(s, vals)
		if err != nil {
			return nil, err
		}
		created.IDs = append(created.IDs, id)
		if model == "gateway.key" {
			created.Once = append(created.Once, map[string]string{"key": fmt.Sprintf("secret-%d", id)})
		}
	}
	return created, nil
}

func (m *memory) insert(s *schema.Model, vals backend.Values) (int64, error) {
	row := map[string]any{}
	for _, f := range s.Fields {
		if f.Default != nil {
			row[f.Name] = f.Default
		}
	}
	id := m.put(s.Name, row)
	if err := m.update(s, id, vals); err != nil {
		return 0, err
	}
	for _, f := range s.Fields {
		if f.Required && (row[f.Name] == nil || row[f.Name] == "") {
			return 0, fault.New(fault.BadRequest, "Missing required field: "+f.Name)
		}
	}
	return id, nil
}

func (m *memory) update(s *schema.Model, id int64, vals backend.Values) error {
	for name, v := range vals {
		f := s.Field(name)
		if f == nil {
			return fmt.Errorf("unknown field %s reached the backend", name)
		}
		if !f.Type.IsX2many() {
			stored, err := f.Convert(v)
			if err != nil {
				return err
			}
			m.rows[s.Name][id][name] = stored
			continue
		}
		for _, cmd := range v.([]any) {
			if err := m.command(s, id, f, cmd.([]any)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *memory) command(s *schema.Model, id int64, f *schema.Field, cmd []any) error {
	co := m.models[f.Relation]
	switch cmd[0] {
	case int64(0):
		vals := cmd[2].(backend.Values)
		if f.Inverse != "" {
			vals[f.Inverse] = id
		}
		_, err := m.insert(co, vals)
		return err
	case int64(1):
		return m.update(co, cmd[1].(int64), cmd[2].(backend.Values))
	case int64(2):
		delete(m.rows[co.Name], cmd[1].(int64))
	case int64(6):
		ids := []int64{}
		for _, n := range cmd[2].([]any) {
			ids = append(ids, n.(int64))
		}
		m.rows[s.Name][id][f.Name] = ids
	}
	return nil
}

func (m *memory) Write(_ context.Context, c *backend.Caller, model string, ids []int64, values backend.Values) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.enter("write", model, c)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if m.rows[model][id] == nil {
			return fault.Newf(fault.NotFound, "Record %s(%d) does not exist", model, id)
		}
		if err := m.update(s, id, values); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Unlink(_ context.Context, c *backend.Caller, model string, ids []int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.enter("unlink", model, c); err != nil {
		return err
	}
	for _, id := range ids {
		if m.rows[model][id] == nil {
			return fault.Newf(fault.NotFound, "Record %s(%d) does not exist", model, id)
		}
		delete(m.rows[model], id)
	}
	return nil
}

func (m *memory) Call(_ context.Context, c *backend.Caller, model, method string, ids []int64, args backend.Values) (any, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.enter("call "+method, model, c); err != nil {
		return nil, err
	}
	for _, id := range ids {
		if m.rows[model][id] == nil {
			return nil, fault.Newf(fault.NotFound, "Record %s(%d) does not exist", model, id)
		}
	}
	switch method {
	case "action_confirm", "action_cancel":
		for _, id := range ids {
			m.rows[model][id]["state"] = map[string]string{"action_confirm": "sale", "action_cancel": "cancel"}[method]
		}
		return true, nil
	case "echo":
		return map[string]any{"ids": ids, "args": args}, nil
	case "unencodable":
		return func() {}, nil
	case "boom":
		return nil, errors.New("pq: relation \"secret_table\" does not exist at /srv/engine.go:12")
	case "panics":
		panic("secret panic text")
	}
	return nil, fault.Newf(fault.NotFound, "The model %s has no public method %.60s", model, method)
}

func (m *memory) May(context.Context, *backend.Caller, string, schema.Mode, []int64) (bool, error) {
	return true, nil
}

func (m *memory) Describe(context.Context, *backend.Caller, string, []string, []string) (map[string]backend.Description, error) {
	return map[string]backend.Description{}, nil
}

func (m *memory) Defaults(context.Context, *backend.Caller, string, []string) (backend.Values, error) {
	return backend.Values{}, nil
}

func (m *memory) CatalogueKey(context.Context, *backend.Caller) (string, error) { return "memory", nil }

func (m *memory) Catalogue(_ context.Context, c *backend.Caller) (*backend.Catalogue, error) {
	all := &backend.Catalogue{}
	for _, model := range m.models {
		if model.AdminOnly && !c.Admin {
			continue
		}
		entry := backend.Entry{Model: model, May: [4]bool{true, true, true, true}}
		for _, f := range model.Fields {
			if !f.Secret {
				entry.Fields = append(entry.Fields, f)
			}
		}
		all.Models = append(all.Models, entry)
	}
	slices.SortFunc(all.Models, func(a, b backend.Entry) int { return strings.Compare(a.Model.Name, b.Model.Name) })
	return all, nil
}
