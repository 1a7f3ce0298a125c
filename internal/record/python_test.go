package record

import (
	"encoding/json"
	"testing"
)

func TestPyText(t *testing.T) {
	for want, v := range map[string]any{
		"text": "text", "None": nil, "True": true, "7": int64(7), "7.0": 7.0, "0.1": 0.1,
		"1e+16": 1e16, "1e-05": 1e-5, "12": json.Number("12"),
		`['a', "it's", 'say "it\'s"', False]`: []any{"a", "it's", `say "it's"`, false},
		`[1, [2.5]]`:                          []any{int64(1), []any{2.5}},
		`{'a': None, 'b': 'x\n\\'}`:           map[string]any{"b": "x\n\\", "a": nil},
	} {
		if got := pyText(v); got != want {
			t.Errorf("%#v: %s, want %s", v, got, want)
		}
	}
}
