package record

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// pyText is how Odoo's Python writes a value as text.
func pyText(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	return pyRepr(v)
}

// pyTextIfAny is the text of a value that is not empty; of an empty one, itself.
func pyTextIfAny(v any) any {
	if isFalsy(nil, v) {
		return v
	}
	return pyText(v)
}

// pyRepr is how Python shows a value inside a list.
func pyRepr(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case string:
		return pyQuote(v)
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return pyFloat(v)
	case json.Number:
		return v.String()
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = pyRepr(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, key := range sortedKeys(v) { // JSON's own order is lost
			parts = append(parts, pyQuote(key)+": "+pyRepr(v[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return ""
}

// pyQuote is a text between quotes, single ones unless only those are in it.
func pyQuote(s string) string {
	mark := "'"
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		mark = `"`
	}
	r := strings.NewReplacer(`\`, `\\`, mark, `\`+mark, "\n", `\n`, "\r", `\r`, "\t", `\t`)
	return mark + r.Replace(s) + mark
}

func pyFloat(v float64) string {
	if math.Abs(v) >= 1e16 || (v != 0 && math.Abs(v) < 1e-4) {
		return strconv.FormatFloat(v, 'e', -1, 64) // 1e+16, 1e-05
	}
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// pyInt reads a whole number as Python's int does: with spaces around it, a
// sign, and single underscores between digits.
func pyInt(text string) (int64, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "_") || strings.HasSuffix(text, "_") || strings.Contains(text, "__") ||
		strings.HasPrefix(strings.TrimLeft(text, "+-"), "_") {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
}

// pyKey is the same for values that Python takes for equal.
func pyKey(v any) any {
	switch v := v.(type) {
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
	}
	return v
}

// pySet drops what Python takes for equal to something before it, such as true
// behind 1.
func pySet(list []any) []any {
	if len(list) < 2 {
		return list
	}
	set := make([]any, 0, len(list))
	seen := make(map[any]bool, len(list))
	for _, v := range list {
		switch v.(type) {
		case []any, map[string]any: // equal to nothing here
			set = append(set, v)
			continue
		}
		if key := pyKey(v); !seen[key] {
			seen[key] = true
			set = append(set, v)
		}
	}
	return set
}
