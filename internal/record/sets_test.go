package record_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/domain/domaintest"
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
		leaves = domaintest.OneType(leaves)
		rapid.Check(w, func(t *rapid.T) {
			node := domaintest.Draw(t, leaves, 4)
			got, want := search(node), domaintest.Evaluate(node, found)
			if !maps.Equal(got, want) {
				t.Fatalf("%s: one query finds %v, the sets %v", domain.String(node),
					slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
			}
		})
	})
}
