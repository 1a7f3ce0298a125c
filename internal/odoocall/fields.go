package odoocall

import (
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
)

// fieldsGet describes the model's fields.
func fieldsGet(c *call) (any, error) {
	var names, attributes choice
	var err error
	if v := c.args.given["allfields"]; !falsy(v) {
		if names, err = choose("allfields", v); err != nil {
			return nil, err
		}
	}
	if v, given := c.args.given["attributes"]; given && v != nil { // an empty list is none, not all
		if attributes, err = choose("attributes", v); err != nil {
			return nil, err
		}
	}
	described, err := c.b.Describe(c.ctx, c.caller, c.model, names.list, attributes.list)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(described, func(name string, _ backend.Description) bool { return !names.has(name) })
	for _, d := range described {
		maps.DeleteFunc(d, func(name string, _ any) bool { return !attributes.has(name) })
	}
	return described, nil
}

// choice is what Python's "in" looks into: names in a list, or a part of a text.
type choice struct {
	list []string // nil: all
	text string
}

func (ch choice) has(name string) bool {
	return ch.list != nil || strings.Contains(ch.text, name) || ch.text == ""
}

func choose(argument string, v any) (choice, error) {
	ch := choice{list: []string{}}
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			if name, ok := one.(string); ok { // nothing else is a name
				ch.list = append(ch.list, name)
			}
		}
	case map[string]any:
		ch.list = slices.AppendSeq(ch.list, maps.Keys(v))
	case string:
		if v != "" {
			return choice{text: v}, nil
		}
	default:
		return ch, fault.Newf(fault.BadRequest, "%s must be a list of names", argument)
	}
	return ch, nil
}
