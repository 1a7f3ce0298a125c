// Package domaintest draws random domains for tests, and says what a domain
// comes to when its conditions are put together as sets of records.
package domaintest

import (
	"maps"

	"pgregory.net/rapid"

	"gatehouse/internal/domain"
)

// Draw makes a random domain of the conditions.
func Draw(t *rapid.T, leaves []domain.Node, depth int) domain.Node {
	kind := "leaf"
	if depth > 0 {
		kind = rapid.SampledFrom([]string{"leaf", "and", "or", "not"}).Draw(t, "kind")
	}
	switch kind {
	case "and":
		return domain.And{Draw(t, leaves, depth-1), Draw(t, leaves, depth-1)}
	case "or":
		return domain.Or{Draw(t, leaves, depth-1), Draw(t, leaves, depth-1)}
	case "not":
		return domain.Not{Child: Draw(t, leaves, depth-1)}
	}
	return rapid.SampledFrom(leaves).Draw(t, "leaf")
}

// Evaluate puts what the conditions found together. A negation goes inward, as
// in Odoo, and ends at conditions: that of a condition is found as such, since
// what the database does not know belongs to neither.
func Evaluate(n domain.Node, found map[domain.Node]map[int64]bool) map[int64]bool {
	switch n := n.(type) {
	case domain.And:
		return both(Evaluate(n[0], found), Evaluate(n[1], found))
	case domain.Or:
		return either(Evaluate(n[0], found), Evaluate(n[1], found))
	case domain.Not:
		switch child := n.Child.(type) {
		case domain.And:
			return either(Evaluate(domain.Not{Child: child[0]}, found), Evaluate(domain.Not{Child: child[1]}, found))
		case domain.Or:
			return both(Evaluate(domain.Not{Child: child[0]}, found), Evaluate(domain.Not{Child: child[1]}, found))
		case domain.Not:
			return Evaluate(child.Child, found)
		}
	}
	return found[n]
}

func both(a, b map[int64]bool) map[int64]bool {
	out := map[int64]bool{}
	for id := range a {
		if b[id] {
			out[id] = true
		}
	}
	return out
}

func either(a, b map[int64]bool) map[int64]bool {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// OneType keeps of the conditions that compare a field with values those whose
// values have the field's first type. Odoo joins such conditions before it
// converts the values, so that nothing is both 5 and "5", nor both False and
// "", though either finds the same records: sets cannot show that.
func OneType(leaves []domain.Node) []domain.Node {
	first := map[string]string{}
	var kept []domain.Node
	for _, n := range leaves {
		l, ok := n.(*domain.Leaf)
		if !ok || sameType(first, l) {
			kept = append(kept, n)
		}
	}
	return kept
}

func sameType(first map[string]string, l *domain.Leaf) bool {
	switch l.Op {
	case domain.OpEq, domain.OpNe, domain.OpIn, domain.OpNotIn, domain.OpEqMaybe:
	default:
		return true
	}
	values, isList := l.Value.([]any)
	if !isList {
		values = []any{l.Value}
	}
	for _, v := range values {
		kind, set := typeOf(v)
		key := l.Path
		if !set {
			key += " not set"
		}
		if first[key] == "" {
			first[key] = kind
		}
		if first[key] != kind {
			return false
		}
	}
	return true
}

// typeOf is the type of a value as far as Python's equality goes, and whether
// the value is set. 0 and False are equal, but not to a many2one.
func typeOf(v any) (kind string, set bool) {
	switch v := v.(type) {
	case nil:
		return "none", false
	case bool:
		if v {
			return "number", true
		}
		return "false", false
	case string:
		return "text", v != ""
	case int:
		return "number", v != 0
	case int64:
		return "number", v != 0
	case float64:
		if v != float64(int64(v)) {
			return "fraction", true
		}
		return "number", v != 0
	}
	return "other", true
}
