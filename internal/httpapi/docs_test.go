package httpapi

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/fault"
	"gatehouse/internal/oauth"
)

// TestDocumentIsComplete holds docs/api.md to what the code knows.
func TestDocumentIsComplete(t *testing.T) {
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	says := func(words ...string) bool {
		return slices.ContainsFunc(lines, func(line string) bool {
			return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(line, word) })
		})
	}
	h := newHouse(t, func(h *house) { h.deps.OAuth = &oauth.Server{} })
	for _, r := range h.server.Routes() {
		path := "`" + strings.TrimSuffix(r.Pattern, "{$}") + "`"
		if !says(path, r.Method) {
			t.Errorf("%s %s is not described", r.Method, path)
		}
		for _, p := range r.Params {
			if !says("`" + p.Name + "`") {
				t.Errorf("parameter %s of %s is not described", p.Name, path)
			}
		}
	}
	for _, kind := range fault.Kinds() {
		if !says(fmt.Sprintf("| %d | `%s` |", StatusOf(kind), kind)) {
			t.Errorf("error type %s (%d) is not described", kind, StatusOf(kind))
		}
	}
	for _, r := range h.server.deps.Resources {
		for _, f := range r.Fields {
			if !says(r.Name+" (`"+r.Model+"`)", "`"+f.Name+"`") {
				t.Errorf("field %s of %s is not described", f.Name, r.Name)
			}
		}
	}
	for _, path := range regexp.MustCompile("`(/api/v1/[a-z]+/[a-z]+)`").FindAllStringSubmatch(string(text), -1) {
		if !slices.ContainsFunc(h.server.Routes(), func(r Route) bool { return r.Pattern == path[1] }) {
			t.Errorf("%s is described but does not exist", path[1])
		}
	}
}
