package httpapi

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/fault"
	"gatehouse/internal/oauth"
)

// noDocuments lets the routes of the documentation exist.
type noDocuments struct{}

func (noDocuments) OpenAPI(context.Context, *DocumentQuery) (*File, error) { return nil, nil }
func (noDocuments) Page(string) *File                                      { return nil }

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
	h := newHouse(t, func(h *house) {
		h.deps.OAuth, h.deps.Documents, h.deps.Telemetry = &oauth.Server{}, noDocuments{}, silent{}
	})
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
	answers, _, _ := strings.Cut(string(text), "\n## Who is calling")
	rows := regexp.MustCompile("(?m)^\\| \\d{3} \\| `([a-z_]+)` \\|").FindAllStringSubmatch(answers, -1)
	for _, row := range rows {
		if !slices.ContainsFunc(fault.Kinds(), func(k fault.Kind) bool { return k.String() == row[1] }) {
			t.Errorf("error type %s is described but does not exist", row[1])
		}
	}
	if len(rows) != len(fault.Kinds()) {
		t.Errorf("%d error types are described, %d exist", len(rows), len(fault.Kinds()))
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
