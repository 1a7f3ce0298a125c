package odoocall

import "gatehouse/internal/fault"

// defaultGet gives what a new record starts with, for the fields asked for.
func defaultGet(c *call) (any, error) {
	names := []string{}
	switch v := c.args.given["fields"].(type) {
	case []any:
		for _, one := range v {
			name, ok := one.(string)
			if !ok {
				return nil, fault.New(fault.BadRequest, "fields must be a list of names")
			}
			names = append(names, name)
		}
	case map[string]any:
		for name := range v {
			names = append(names, name)
		}
	case string: // to Python, a list of letters
		for _, letter := range v {
			names = append(names, string(letter))
		}
	default:
		return nil, fault.New(fault.BadRequest, "fields must be a list of names")
	}
	return c.b.Defaults(c.ctx, c.caller, c.model, names)
}
