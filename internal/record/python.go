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
