package main

import (
	"regexp"
	"strings"

	"gatehouse/internal/domain"
	"gatehouse/internal/schema"
)

// storedOnly says whether a case names nothing but what is in columns and
// relation tables: no computed field, no display name, no search by name. Such
// a question needs nothing of Odoo's code, apart from the names of many2one
// targets that an answer brings along.
func storedOnly(reg *schema.Registry, rc *readCase) bool {
	m := reg.Model(rc.Model)
	switch rc.Method {
	case "search", "search_read", "search_count", "read", "formatted_read_group", "read_group", "has_access":
	default:
		return false
	}
	if m == nil || m.Python.Search || m.Python.Access {
		return false
	}
	stored := true
	need := func(path string) { stored = stored && storedPath(reg, m, path) }
	if node, err := domain.FromValue(rc.Kwargs["domain"], domain.Limits{}); err == nil {
		leavesOf(node, "", need)
	}
	fields, named := rc.Kwargs["fields"].([]any)
	if !named || len(fields) == 0 {
		stored = stored && (rc.Method != "read" && rc.Method != "search_read" || m.Manual)
	}
	for _, name := range []string{"fields", "groupby", "aggregates"} {
		list, _ := rc.Kwargs[name].([]any)
		for _, v := range list {
			if text, ok := v.(string); ok && text != "__count" {
				path, _, _ := strings.Cut(text, ":")
				need(path)
			}
		}
	}
	order, _ := rc.Kwargs["order"].(string)
	for _, path := range orderPath.FindAllString(order, -1) {
		need(path)
	}
	return stored
}

var orderPath = regexp.MustCompile(`\b[a-z_][a-z0-9_.]*\b`)

// leavesOf calls fn with the path of every condition, also of those inside any.
func leavesOf(n domain.Node, before string, fn func(path string)) {
	domain.Walk(n, func(l *domain.Leaf) {
		fn(before + l.Path)
		if inner, ok := l.Value.(domain.Node); ok {
			leavesOf(inner, before+l.Path+".", fn)
		}
	})
}

// storedPath says whether each step of a path is stored, or follows stored ones.
// What is no field at all (asc, a part of a date) does not count.
func storedPath(reg *schema.Registry, m *schema.Model, path string) bool {
	for _, step := range strings.Split(path, ".") {
		f := m.Field(step)
		if f == nil {
			return true
		}
		if !storedField(reg, f, 0) {
			return false
		}
		if m = reg.Model(f.Relation); m == nil {
			return true
		}
		if m.Python.Search || m.Python.Access {
			return false
		}
	}
	return true
}

func storedField(reg *schema.Registry, f *schema.Field, depth int) bool {
	if f.Gap != "" || f.PythonDomain {
		return false
	}
	if f.Store || len(f.Related) == 0 || depth > 8 {
		return f.Store
	}
	m := f.Model
	for _, step := range f.Related {
		next := m.Field(step)
		if next == nil || !storedField(reg, next, depth+1) {
			return false
		}
		if m = reg.Model(next.Relation); m == nil {
			break
		}
	}
	return true
}
