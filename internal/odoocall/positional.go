package odoocall

import (
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/fault"
)

// Named turns the arguments of Odoo's older protocols into named ones: those
// by position come first, the ids of records before all others. kwargs are not
// changed. Too many, or one that is given twice, is Unprocessable.
func Named(name string, positional []any, kwargs map[string]any) (map[string]any, error) {
	args := make(map[string]any, len(positional)+len(kwargs))
	maps.Copy(args, kwargs)
	names, known := argumentNames(name)
	if !known && len(positional) > 0 {
		names = []string{"ids"} // most methods of models work on records
	}
	if len(positional) > len(names) {
		return nil, withCause(fault.Newf(fault.Unprocessable, "%s() takes %d positional arguments but %d were given: name the others",
			name, len(names), len(positional)))
	}
	for i, v := range positional {
		if _, twice := kwargs[names[i]]; twice {
			return nil, withCause(fault.Newf(fault.Unprocessable, "multiple values for argument '%s'", names[i]))
		}
		args[names[i]] = v
	}
	return args, nil
}

// argumentNames are the names of a method's arguments in the order of their
// positions.
func argumentNames(name string) (names []string, known bool) {
	m, known := lookup(name)
	if known {
		if m.onIDs {
			return append([]string{"ids"}, m.takes...), true
		}
		return m.takes, true
	}
	names, known = map[string][]string{
		"copy":                      {"ids", "default"},
		"copy_data":                 {"ids", "default"},
		"name_create":               {"name"},
		"web_save":                  {"ids", "vals", "specification", "next_id"},
		"get_field_translations":    {"ids", "field_name", "langs"},
		"update_field_translations": {"ids", "field_name", "translations", "source_lang"},
		"get_param":                 {"key", "default"},
		"set_param":                 {"key", "value"},
		"next_by_code":              {"sequence_code", "sequence_date"},
		"set":                       {"model_name", "field_name", "value", "user_id", "company_id", "condition"},
	}[name]
	return names, known
}

// Reads says that a method changes nothing, so that the right to read is enough
// for it. Business methods are not known here: they may change what they like.
func Reads(name string) bool {
	_, known := lookup(name)
	return known && !slices.Contains([]string{"create", "write", "unlink"}, name) ||
		slices.Contains([]string{"copy_data", "get_field_translations"}, name)
}

// Common says that all models have a method; others are business methods.
func Common(name string) bool {
	_, known := lookup(name)
	return known || slices.Contains([]string{"copy", "copy_data", "name_create", "get_field_translations", "update_field_translations", "context_get"}, name)
}

// lookup finds a method that every model has.
func lookup(name string) (method, bool) {
	m, ok := methods()[name]
	if !ok {
		m, ok = groupMethods()[name]
	}
	return m, ok
}

// IsPrivate says that a method cannot be called from outside, whatever the model.
func IsPrivate(name string) bool {
	return strings.HasPrefix(name, "_") || strings.Contains(privateMethods, " "+name+" ")
}
