package httpapi

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
)

// refer finds what a reference stands for: the name of an operation, then the
// way into its data, as in p.id or lines.0.id.
func refer(reference string, data map[string]any) (any, error) {
	steps := strings.Split(reference, ".")
	value, ok := data[steps[0]]
	if !ok {
		return nil, fault.New(fault.BadRequest, "No operation before this one is named "+wire.Quote(steps[0]))
	}
	for _, step := range steps[1:] {
		switch inside := value.(type) {
		case map[string]any:
			value, ok = inside[step]
		case []any:
			i, err := strconv.Atoi(step)
			if ok = err == nil && i >= 0 && i < len(inside); ok {
				value = inside[i]
			}
		default:
			ok = false
		}
		if !ok {
			return nil, fault.New(fault.BadRequest, "The reference "+wire.Quote(reference)+" leads to nothing: "+wire.Quote(steps[0])+
				" answered no "+wire.Quote(step))
		}
	}
	return value, nil
}

// resolve puts values in the place of {"$ref": "p.id"} in a body.
func resolve(value any, data map[string]any) (any, error) {
	switch value := value.(type) {
	case map[string]any:
		if reference, ok := value["$ref"].(string); ok && len(value) == 1 {
			return refer(reference, data)
		}
		out := make(map[string]any, len(value))
		for name, member := range value {
			resolved, err := resolve(member, data)
			if err != nil {
				return nil, err
			}
			out[name] = resolved
		}
		return out, nil
	case []any:
		out := make([]any, len(value))
		for i := range value {
			resolved, err := resolve(value[i], data)
			if err != nil {
				return nil, err
			}
			out[i] = resolved
		}
		return out, nil
	}
	return value, nil
}

// inPath escapes what means something in a query.
var inPath = strings.NewReplacer("&", "%26", "=", "%3D", "+", "%2B")

// pathWith puts values in the place of {p.id} in a path: texts and numbers.
func pathWith(path string, data map[string]any) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(path, "{")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		reference, after, closed := strings.Cut(rest, "}")
		if !closed {
			return "", fault.New(fault.BadRequest, "A { in a path begins a reference such as {p.id}")
		}
		value, err := refer(reference, data)
		if err != nil {
			return "", err
		}
		switch value := value.(type) {
		case json.Number:
			out.WriteString(value.String())
		case string:
			out.WriteString(inPath.Replace(url.PathEscape(value)))
		default:
			return "", fault.New(fault.BadRequest, "The reference "+wire.Quote(reference)+" is "+wire.Describe(value)+", which cannot stand in a path")
		}
		path = after
	}
}
