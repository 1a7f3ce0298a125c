package sqldb

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
)

// What PostgreSQL's jsonb can do and SQLite's JSON cannot: order, containment
// and its way to print. Numbers are compared as double precision.

// parseJSON reads one JSON value, numbers as json.Number.
func parseJSON(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, of(ErrBadValue, err)
	}
	return v, nil
}

// The order of jsonb's types inside a value.
const (
	orderNull byte = iota + 1
	orderString
	orderNumber
	orderBool
	orderArray
	orderObject
)

// jsonOrder makes bytes that sort and compare as jsonb does. At the top the
// empty list comes before everything, an oddity that PostgreSQL keeps.
func jsonOrder(v any) []byte {
	if list, ok := v.([]any); ok && len(list) == 0 {
		return []byte{0}
	}
	return appendOrder(nil, v)
}

func appendOrder(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return append(append(append(b, orderString), v...), 0)
	case json.Number:
		return appendNumberOrder(append(b, orderNumber), v)
	case bool:
		return append(b, orderBool, btoi(v))
	case []any:
		b = binary.BigEndian.AppendUint32(append(b, orderArray), uint32(len(v)))
		for _, item := range v {
			b = appendOrder(b, item)
		}
		return b
	case map[string]any:
		b = binary.BigEndian.AppendUint32(append(b, orderObject), uint32(len(v)))
		for _, key := range sortedKeys(v) {
			b = appendOrder(appendOrder(b, key), v[key])
		}
		return b
	}
	return append(b, orderNull)
}

func btoi(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func appendNumberOrder(b []byte, n json.Number) []byte {
	x, _ := n.Float64() // too big: infinity, which sorts right
	bits := math.Float64bits(x + 0)
	if bits>>63 == 1 {
		bits = ^bits
	} else {
		bits |= 1 << 63
	}
	return binary.BigEndian.AppendUint64(b, bits)
}

// sortedKeys are the keys as jsonb keeps them: the shorter first.
func sortedKeys(object map[string]any) []string {
	keys := make([]string, 0, len(object))
	for k := range object {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return keys
}

// jsonContains is jsonb's @>; at the top a list contains a plain value too.
func jsonContains(v, part any) bool {
	if list, ok := v.([]any); ok && isPlain(part) {
		return hasPlain(list, part)
	}
	return deepContains(v, part)
}

func deepContains(v, part any) bool {
	switch part := part.(type) {
	case []any:
		list, ok := v.([]any)
		if !ok {
			return false
		}
		for _, p := range part {
			if isPlain(p) {
				if !hasPlain(list, p) {
					return false
				}
			} else if !slices.ContainsFunc(list, func(x any) bool { return deepContains(x, p) }) {
				return false
			}
		}
		return true
	case map[string]any:
		object, ok := v.(map[string]any)
		if !ok {
			return false
		}
		for key, p := range part {
			if x, has := object[key]; !has || !deepContains(x, p) {
				return false
			}
		}
		return true
	}
	return isPlain(v) && bytes.Equal(appendOrder(nil, v), appendOrder(nil, part))
}

func isPlain(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return false
	}
	return true
}

func hasPlain(list []any, part any) bool {
	key := appendOrder(nil, part)
	return slices.ContainsFunc(list, func(x any) bool { return isPlain(x) && bytes.Equal(appendOrder(nil, x), key) })
}

// appendJSONB prints a value as jsonb does.
func appendJSONB(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return appendJSONString(b, v)
	case json.Number:
		text := v.String()
		if x, err := v.Float64(); err == nil && strings.ContainsAny(text, "eE") {
			return strconv.AppendFloat(b, x, 'f', -1, 64)
		}
		return append(b, text...)
	case bool:
		return strconv.AppendBool(b, v)
	case []any:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = appendJSONB(b, item)
		}
		return append(b, ']')
	case map[string]any:
		b = append(b, '{')
		for i, key := range sortedKeys(v) {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = appendJSONB(append(appendJSONString(b, key), ": "...), v[key])
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}

func appendJSONString(b []byte, s string) []byte {
	const named = "\bb\ff\nn\rr\tt\"\"\\\\"
	b = append(b, '"')
	for i := range len(s) {
		c := s[i]
		at := strings.IndexByte(named, c)
		switch {
		case at >= 0 && at%2 == 0:
			b = append(b, '\\', named[at+1])
		case c < ' ':
			b = append(b, `\u00`...)
			b = append(b, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
