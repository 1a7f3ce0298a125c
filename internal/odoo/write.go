package odoo

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoorpc"
	"gatehouse/internal/schema"
)

// Create implements backend.Backend. It is one call, so one transaction.
func (b *Backend) Create(ctx context.Context, c *backend.Caller, model string, values []backend.Values) (*backend.Created, error) {
	v, err := b.visit(ctx, c)
	if err != nil {
		return nil, err
	}
	m, err := v.writable(model, schema.Create)
	if err != nil {
		return nil, err
	}
	list := make([]map[string]any, len(values))
	for i := range values {
		if list[i], err = v.values(m, values[i]); err != nil {
			return nil, err
		}
		if err := v.covers(model, schema.Create, list[i]); err != nil {
			return nil, err
		}
	}
	raw, err := v.change(model, "create", nil, map[string]any{"vals_list": list})
	if err != nil {
		return nil, err
	}
	created := &backend.Created{}
	var one int64
	if json.Unmarshal(raw, &one) == nil {
		created.IDs = []int64{one}
	} else if err := decode(raw, &created.IDs); err != nil {
		return nil, err
	}
	if len(created.IDs) != len(values) {
		return nil, unexpected(errShape)
	}
	return created, nil
}

// writable finds a model and refuses early whom the Odoo would refuse.
func (v *visit) writable(model string, mode schema.Mode) (*model, error) {
	m, err := v.model(model)
	if err != nil {
		return nil, err
	}
	return m, v.need(model, mode)
}

// Write implements backend.Backend.
func (b *Backend) Write(ctx context.Context, c *backend.Caller, model string, ids []int64, values backend.Values) error {
	v, err := b.visit(ctx, c)
	if err != nil {
		return err
	}
	m, err := v.writable(model, schema.Write)
	if err != nil {
		return err
	}
	vals, err := v.values(m, values)
	if err != nil {
		return err
	}
	if err := v.covers(model, schema.Write, vals); err != nil {
		return err
	}
	_, err = v.change(model, "write", ids, map[string]any{"vals": vals})
	return err
}

// Unlink implements backend.Backend.
func (b *Backend) Unlink(ctx context.Context, c *backend.Caller, model string, ids []int64) error {
	v, err := b.visit(ctx, c)
	if err != nil {
		return err
	}
	if _, err := v.writable(model, schema.Unlink); err != nil {
		return err
	}
	if err := v.covers(model, schema.Unlink, nil); err != nil {
		return err
	}
	if err := v.exist(model, ids); err != nil {
		return err
	}
	_, err = v.change(model, "unlink", ids, nil)
	return err
}

// exist refuses records that there are not: before version 19 an unlink of them
// is no error.
func (v *visit) exist(model string, ids []int64) error {
	version, err := v.b.rpc.Version(v.ctx)
	if err != nil || version.Major >= 19 {
		return err
	}
	own := *v.caller
	own.Context.KeepArchived = true
	all := *v
	all.caller = &own
	n, err := all.count(model, &domain.Leaf{Path: "id", Op: domain.OpIn, Value: anys(ids), Pos: -1})
	if err == nil && n < int64(len(ids)) {
		err = missing(model, ids)
	}
	return err
}

func anys(ids []int64) []any {
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = id
	}
	return list
}

// Call implements backend.Backend.
func (b *Backend) Call(ctx context.Context, c *backend.Caller, model, method string, ids []int64, args backend.Values) (any, error) {
	v, err := b.visit(ctx, c)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(method, "_") {
		return nil, fault.New(fault.NotFound, "There is no such method").Because(backend.ErrNoMethod)
	}
	if _, err := v.model(model); err != nil {
		return nil, err
	}
	kwargs := maps.Clone(args)
	if kwargs == nil {
		kwargs = backend.Values{}
	}
	if err := v.coversCall(&odoorpc.Request{Model: model, Method: method, IDs: ids, Kwargs: kwargs}); err != nil {
		return nil, err
	}
	return v.change(model, method, ids, kwargs)
}

// values writes values as Odoo takes them.
func (v *visit) values(m *model, values backend.Values) (map[string]any, error) {
	out := make(map[string]any, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		f := m.Field(name)
		if f == nil {
			return nil, backend.NoField(m.Model, name, "the values")
		}
		one, err := v.value(f, values[name])
		if err != nil {
			return nil, err
		}
		out[name] = one
	}
	return out, nil
}

// value is a value as Odoo takes it: false for nothing, in commands too.
func (v *visit) value(f *schema.Field, value any) (any, error) {
	switch value := value.(type) {
	case nil:
		return false, nil
	case []any:
		if f.Type.IsX2many() {
			return v.commands(f, value)
		}
	}
	return value, nil
}

func (v *visit) commands(f *schema.Field, list []any) (any, error) {
	out := make([]any, len(list))
	for i, element := range list {
		out[i] = element
		command, ok := element.([]any)
		if !ok || len(command) != 3 {
			continue
		}
		inner, ok := command[2].(backend.Values)
		if !ok {
			continue
		}
		comodel, err := v.model(f.Relation)
		if err != nil {
			return nil, err
		}
		vals, err := v.values(comodel, inner)
		if err != nil {
			return nil, err
		}
		out[i] = []any{command[0], command[1], vals}
	}
	return out, nil
}
