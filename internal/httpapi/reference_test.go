package httpapi

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestReferences(t *testing.T) {
	data := map[string]any{
		"p": map[string]any{"id": json.Number("7"), "name": "A/B & C", "lines": []any{map[string]any{"id": json.Number("9")}}},
		"n": nil,
	}
	for path, want := range map[string]string{ // "": refused
		"/x/{p.id}": "/x/7", "/x/{p.lines.0.id}/y": "/x/9/y", "/x?n={p.name}": "/x?n=A%2FB%20%26%20C", "/x": "/x",
		"/x/{p}": "", "/x/{q.id}": "", "/x/{p.id": "", "/x/{p.nothing}": "", "/x/{p.lines.1.id}": "", "/x/{p.lines.-1}": "", "/x/{}": "", "/x/{n.id}": "",
	} {
		got, err := pathWith(path, data)
		if (err != nil) != (want == "") || got != want {
			t.Errorf("%s: %q, %v; want %q", path, got, err, want)
		}
	}
	body := map[string]any{"a": map[string]any{"$ref": "p.id"}, "b": []any{map[string]any{"$ref": "p.lines"}, "x"}, "c": map[string]any{"$ref": "x", "d": true}}
	got, err := resolve(body, data)
	want := map[string]any{"a": json.Number("7"), "b": []any{data["p"].(map[string]any)["lines"], "x"}, "c": map[string]any{"$ref": "x", "d": true}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := resolve([]any{map[string]any{"$ref": "q"}}, data); err == nil {
		t.Error("an unknown name was taken")
	}
}

func FuzzPathWith(f *testing.F) {
	f.Add("/api/v1/res.partner/{p.id}")
	f.Add("{{}}")
	f.Fuzz(func(_ *testing.T, path string) { _, _ = pathWith(path, map[string]any{"p": []any{"x"}}) })
}
