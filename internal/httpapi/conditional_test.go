package httpapi

import "testing"

func TestParseTags(t *testing.T) {
	for value, want := range map[string]int{ // -1: refused
		`"a-1"`: 1, `"a-1", "b-2"`: 2, `W/"a", "b"`: 2, `, "a" ,, "b",`: 2, `"with,comma","b"`: 2, `""`: 1, `"é"`: 1, "\t\"a\"\t": 1,
		``: -1, `,`: -1, `a`: -1, `"a`: -1, `"a" "b"`: -1, `w/"a"`: -1, `W/a`: -1, `*, "a"`: -1, `"a b"`: -1, `"a"b`: -1,
	} {
		found, err := parseTags("If-Match", []string{value})
		if (err != nil) != (want < 0) || err == nil && len(found.list) != want {
			t.Errorf("%q: %v, %v; want %d", value, found, err, want)
		}
	}
	if found, err := parseTags("If-Match", []string{" * "}); err != nil || !found.any {
		t.Errorf("*: %v, %v", found, err)
	}
	if found, err := parseTags("If-Match", []string{`"a"`, `"b"`}); err != nil || len(found.list) != 2 {
		t.Errorf("two headers: %v, %v", found, err)
	}
}

func TestTagsCompare(t *testing.T) {
	found, err := parseTags("If-Match", []string{`W/"v1-aa", "v2-bb"`})
	if err != nil {
		t.Fatal(err)
	}
	if !found.has("v1-aa") || found.has("v1-bb") {
		t.Error("If-None-Match compares whole tags, weak ones too")
	}
	if found.hasVersion("v1") || !found.hasVersion("v2") || found.hasVersion("") {
		t.Error("If-Match compares versions, of strong tags only")
	}
}

func FuzzParseTags(f *testing.F) {
	for _, seed := range []string{`"a"`, `W/"a", "b"`, `*`, `"`, `W/`, `,,`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		found, err := parseTags("If-Match", []string{value})
		if err == nil && !found.any && len(found.list) == 0 {
			t.Errorf("%q gives no tags", value)
		}
	})
}
