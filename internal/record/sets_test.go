package record_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
)

// A domain compiled to one query finds the same records as its conditions one
// by one, put together as sets.
func TestDomainsAreSets(t *testing.T) {
	onBoth(t, func(w *world) {
		w.things()
		caller := as(0)
		caller.Context.KeepArchived = true
		search := func(n domain.Node) map[int64]bool {
			page, ids := &backend.Page{}, map[int64]bool{}
			q := &backend.Query{Model: "x_thing", Domain: n, Fields: []string{"id"}}
			if _, err := w.eng.Search(context.Background(), caller, q, page); err != nil {
				w.Fatalf("%s: %v", domain.String(n), err)
			}
			for _, id := range page.IDs() {
				ids[id] = true
			}
			return ids
		}
		found := map[domain.Node]map[int64]bool{}
		var leaves []domain.Node
		for _, c := range operatorCases() {
			node, err := domain.Parse(c.domain, domain.Limits{})
			if err != nil {
				w.Fatal(err)
			}
			domain.Walk(node, func(l *domain.Leaf) {
				leaves, found[l], found[domain.Not{Child: l}] = append(leaves, l), search(l), search(domain.Not{Child: l})
			})
		}
		rapid.Check(w, func(t *rapid.T) {
			node := drawDomain(t, leaves, 4)
			got, want := search(node), evaluate(node, found)
			if !maps.Equal(got, want) {
				t.Fatalf("%s: one query finds %v, the sets %v", domain.String(node),
					slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
			}
		})
	})
}

func drawDomain(t *rapid.T, leaves []domain.Node, depth int) domain.Node {
	if depth > 0 {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 1:
			return domain.And{drawDomain(t, leaves, depth-1), drawDomain(t, leaves, depth-1)}
		case 2:
			return domain.Or{drawDomain(t, leaves, depth-1), drawDomain(t, leaves, depth-1)}
		case 3:
			return domain.Not{Child: drawDomain(t, leaves, depth-1)}
		}
	}
	return rapid.SampledFrom(leaves).Draw(t, "leaf")
}

// evaluate puts the answers of conditions together. A negation goes inward, as
// in Odoo, and ends at conditions: that of a condition is asked for as such,
// since what the database does not know belongs to neither.
func evaluate(n domain.Node, found map[domain.Node]map[int64]bool) map[int64]bool {
	switch n := n.(type) {
	case domain.And:
		return both(evaluate(n[0], found), evaluate(n[1], found))
	case domain.Or:
		return either(evaluate(n[0], found), evaluate(n[1], found))
	case domain.Not:
		switch child := n.Child.(type) {
		case domain.And:
			return either(evaluate(domain.Not{Child: child[0]}, found), evaluate(domain.Not{Child: child[1]}, found))
		case domain.Or:
			return both(evaluate(domain.Not{Child: child[0]}, found), evaluate(domain.Not{Child: child[1]}, found))
		case domain.Not:
			return evaluate(child.Child, found)
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
