package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
)

// symbols in texts: $name, $name[0], $table:1.
var symbolPattern = regexp.MustCompile(`\$[A-Za-z_][A-Za-z0-9_]*(?:\[\d+\]|:\d+)?`)

// bindings are what the symbols of a scenario stand for.
type bindings struct {
	saved map[string]any         // whole results
	ids   map[string]json.Number // symbol → id
}

func newBindings() *bindings {
	return &bindings{saved: map[string]any{}, ids: map[string]json.Number{}}
}

// value is what a symbol stands for.
func (b *bindings) value(symbol string) (any, bool) {
	if id, ok := b.ids[symbol]; ok {
		return id, true
	}
	m := regexp.MustCompile(`^\$(\w+?)(?:\[(\d+)\])?$`).FindStringSubmatch(symbol)
	if m == nil {
		return nil, false
	}
	v, ok := b.saved[m[1]]
	if m[2] == "" || !ok {
		return v, ok
	}
	i, err := strconv.Atoi(m[2])
	list, isList := v.([]any)
	if err != nil || !isList || i >= len(list) {
		return nil, false
	}
	return list[i], true
}

// fill replaces the symbols of a request.
func (b *bindings) fill(v any) (any, error) {
	switch v := v.(type) {
	case string:
		if symbolPattern.FindString(v) == v && v != "" {
			if value, ok := b.value(v); ok {
				return value, nil
			}
			return nil, fmt.Errorf("nothing is bound to %s", v)
		}
		return symbolPattern.ReplaceAllStringFunc(v, func(symbol string) string {
			if value, ok := b.value(symbol); ok {
				return fmt.Sprint(value)
			}
			return symbol
		}), nil
	case []any:
		out := make([]any, len(v))
		for i := range v {
			var err error
			if out[i], err = b.fill(v[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			var err error
			if out[k], err = b.fill(v[k]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

// compare says how an answer differs from the recorded one; "" is not at all.
func (b *bindings) compare(path string, want, got any) string {
	differ := func() string { return fmt.Sprintf("%s: got %s, want %s", path, short(got), short(want)) }
	switch want := want.(type) {
	case map[string]any:
		have, ok := got.(map[string]any)
		if !ok {
			return differ()
		}
		for _, k := range slices.Sorted(maps.Keys(have)) {
			if _, wanted := want[k]; !wanted {
				return fmt.Sprintf("%s: key %s is not wanted", path, k)
			}
		}
		for _, k := range slices.Sorted(maps.Keys(want)) {
			v, has := have[k]
			if !has {
				return fmt.Sprintf("%s: key %s is missing", path, k)
			}
			if diff := b.compare(path+"."+k, want[k], v); diff != "" {
				return diff
			}
		}
		return ""
	case []any:
		have, ok := got.([]any)
		if !ok || len(have) != len(want) {
			return differ()
		}
		for i := range want {
			if diff := b.compare(fmt.Sprintf("%s[%d]", path, i), want[i], have[i]); diff != "" {
				return diff
			}
		}
		return ""
	case json.Number:
		n, ok := got.(json.Number)
		if !ok || !sameNumber(want, n) {
			return differ()
		}
		return ""
	case string:
		if !b.sameText(want, got) {
			return differ()
		}
		return ""
	}
	if want != got {
		return differ()
	}
	return ""
}

func sameNumber(a, b json.Number) bool {
	x, err1 := a.Float64()
	y, err2 := b.Float64()
	return err1 == nil && err2 == nil && x == y
}

// sameText compares a text, in which symbols may stand for ids: those not seen
// before are bound.
func (b *bindings) sameText(want string, got any) bool {
	if symbolPattern.FindString(want) == want && want != "" {
		if n, isNumber := got.(json.Number); isNumber {
			bound, ok := b.ids[want]
			if !ok {
				b.ids[want] = n
				return true
			}
			return sameNumber(bound, n)
		}
		if text, isText := got.(string); isText && text == want {
			return true
		}
	}
	text, ok := got.(string)
	if !ok {
		return false
	}
	places := symbolPattern.FindAllStringIndex(want, -1)
	if places == nil {
		return want == text
	}
	pattern, at := "^", 0
	var symbols []string
	for _, p := range places {
		pattern += regexp.QuoteMeta(want[at:p[0]])
		symbol := want[p[0]:p[1]]
		if value, ok := b.value(symbol); ok {
			pattern += regexp.QuoteMeta(fmt.Sprint(value))
		} else {
			pattern += `(\d+)`
			symbols = append(symbols, symbol)
		}
		at = p[1]
	}
	pattern += regexp.QuoteMeta(want[at:]) + "$"
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		return want == text
	}
	for i, symbol := range symbols {
		b.ids[symbol] = json.Number(found[i+1])
	}
	return true
}

// plainJSON is a value as a client would decode it.
func plainJSON(v any) (any, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var plain any
	return plain, dec.Decode(&plain)
}
