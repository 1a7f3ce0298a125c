package record

import (
	"slices"
	"strings"

	"gatehouse/internal/domain"
	"gatehouse/internal/schema"
)

// merged joins the conditions of an AND or OR that ask whether one field is
// among some values, as Odoo does: by what Python takes for equal, so that
// nothing is both 1 and "1". Lists of records are left alone.
func (f *from) merged(nodes []domain.Node, and bool) []domain.Node {
	first := map[string]int{} // place in out, by path
	sets := map[string][]valueSet{}
	out := make([]domain.Node, 0, len(nodes))
	for _, n := range nodes {
		set, path := f.setOf(n)
		at, again := first[path]
		switch {
		case path == "":
			out = append(out, n)
			continue
		case !again:
			first[path] = len(out)
			out = append(out, n)
		}
		sets[path] = append(sets[path], set)
		if again {
			out[at] = join(sets[path], and).leaf(path)
		}
	}
	return out
}

// valueSet is what a condition in (or not in) asks for.
type valueSet struct {
	not    bool
	values []any
	pos    int // of the condition in its text
}

func (s valueSet) leaf(path string) *domain.Leaf {
	op := domain.OpIn
	if s.not {
		op = domain.OpNotIn
	}
	return &domain.Leaf{Path: path, Op: op, Value: s.values, Pos: s.pos}
}

// setOf reads a condition as a set; the path is empty for all others.
func (f *from) setOf(n domain.Node) (set valueSet, path string) {
	not, isNot := n.(domain.Not)
	if isNot {
		n = not.Child
	}
	l, isLeaf := n.(*domain.Leaf)
	if !isLeaf || strings.Contains(l.Path, ".") {
		return set, ""
	}
	op, value := l.Op, l.Value
	if op == domain.OpEqMaybe && !isFalsy(nil, value) {
		op = domain.OpEq
	}
	op, value = setForm(op, value)
	field := f.model.Field(l.Path)
	if field == nil || (op != domain.OpIn && op != domain.OpNotIn) || len(listOf(value)) == 0 {
		return set, ""
	}
	set = valueSet{(op == domain.OpNotIn) != isNot, slices.Clone(pySet(listOf(value))), l.Pos}
	isText := func(v any) bool { _, is := v.(string); return is }
	isPart := func(v any) bool {
		switch v.(type) {
		case []any, map[string]any:
			return true
		}
		return false
	}
	switch {
	case slices.ContainsFunc(set.values, isPart):
		return set, ""
	case field.Type == schema.Boolean:
		for i, v := range set.values {
			set.values[i] = truth(v)
		}
		set.values = pySet(set.values)
	case field.Type.IsX2many(), field.Type == schema.Properties, field.Type == schema.Binary, field.Type == schema.JSON,
		field.Type == schema.Date, field.Type == schema.Datetime, field.Name == "display_name", field.PythonSearch,
		field.Type == schema.Many2one && slices.ContainsFunc(set.values, isText):
		return set, ""
	}
	return set, l.Path
}

// join is the set that two or more come to.
func join(sets []valueSet, and bool) valueSet {
	var in, out [][]any
	for _, s := range sets {
		if s.not {
			out = append(out, s.values)
		} else {
			in = append(in, s.values)
		}
	}
	if !and {
		in, out = out, in
	}
	pos := sets[0].pos
	if len(in) > 0 {
		return valueSet{!and, without(common(in), slices.Concat(out...)), pos}
	}
	return valueSet{and, pySet(slices.Concat(out...)), pos}
}

// common are the values that are in all of the sets, as the last one has them.
func common(sets [][]any) []any {
	kept := sets[0]
	for _, other := range sets[1:] {
		kept = without(other, without(other, kept))
	}
	return kept
}

// without are the values that no value of drop is equal to.
func without(values, drop []any) []any {
	gone := map[any]bool{}
	for _, v := range drop {
		gone[pyKey(v)] = true
	}
	return slices.DeleteFunc(slices.Clone(values), func(v any) bool { return gone[pyKey(v)] })
}
