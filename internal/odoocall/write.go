package odoocall

import (
	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
)

// values reads one object of field values.
func values(name string, v any) (backend.Values, error) {
	vals, ok := v.(map[string]any)
	if !ok {
		return nil, fault.Newf(fault.BadRequest, "%s must be an object of field values", name)
	}
	return vals, nil
}

// create answers a list of ids, also for one record.
func create(c *call) (any, error) {
	given, ok := c.args.given["vals_list"].([]any)
	if !ok {
		given = []any{c.args.given["vals_list"]}
	}
	list := make([]backend.Values, len(given))
	for i, v := range given {
		var err error
		if list[i], err = values("vals_list", v); err != nil {
			return nil, err
		}
	}
	created, err := c.b.Create(c.ctx, c.caller, c.model, list)
	if err != nil {
		return nil, err
	}
	return created.IDs, nil
}

func write(c *call) (any, error) {
	ids, err := c.args.ids()
	if err != nil {
		return nil, err
	}
	vals, err := values("vals", c.args.given["vals"])
	if err != nil {
		return nil, err
	}
	return true, c.b.Write(c.ctx, c.caller, c.model, ids, vals)
}

func unlink(c *call) (any, error) {
	ids, err := c.args.ids()
	if err != nil {
		return nil, err
	}
	return true, c.b.Unlink(c.ctx, c.caller, c.model, ids)
}
