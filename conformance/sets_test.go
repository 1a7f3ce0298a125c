package main

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/record"
)

// TestDomainsAreSets asks the engine against itself: a domain compiled to one
// query finds the same records as its conditions one by one, put together as
// sets. The conditions are those of the recordings.
func TestDomainsAreSets(t *testing.T) {
	c := loadedCorpus(t)
	engine, err := openGenuine(t.Context(), c.db)
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	recorded := recordedLeaves(t, c)
	for _, model := range []string{"x_corpus", "res.partner", "sale.order", "product.product"} {
		for _, user := range []string{"admin", "c_own", "c_portal"} {
			s := &sets{engine: engine, model: model, caller: &backend.Caller{UserID: c.users[user]}}
			s.caller.Context.KeepArchived = true
			if !s.usable(t, recorded[model]) {
				continue
			}
			t.Run(model+"/"+user, rapid.MakeCheck(s.check))
		}
	}
}

// recordedLeaves are the conditions of all recorded domains, by model.
func recordedLeaves(t *testing.T, c *corpus) map[string][]domain.Node {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(c.dir, "reads", "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	seen, leaves := map[string]bool{}, map[string][]domain.Node{}
	for _, file := range files {
		err := eachLine(file, func(line []byte) error {
			rc := &readCase{}
			if err := decode(line, rc); err != nil {
				return err
			}
			node, err := domain.FromValue(rc.Kwargs["domain"], domain.Limits{})
			if err != nil { // recorded nonsense
				node = domain.Const(true)
			}
			domain.Walk(node, func(l *domain.Leaf) {
				key := rc.Model + domain.String(l)
				if !seen[key] {
					seen[key] = true
					leaves[rc.Model] = append(leaves[rc.Model], l)
				}
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return leaves
}

// sets evaluates domains of one model as one user, in both ways.
type sets struct {
	engine *record.Engine
	model  string
	caller *backend.Caller
	leaves []domain.Node
	found  map[domain.Node]map[int64]bool
}

// usable keeps the conditions that the engine answers for this user.
func (s *sets) usable(t *testing.T, leaves []domain.Node) bool {
	t.Helper()
	if _, err := s.search(domain.Const(true)); err != nil {
		return false
	}
	s.found = map[domain.Node]map[int64]bool{}
	for _, leaf := range leaves {
		not := domain.Not{Child: leaf}
		ids, err := s.search(leaf)
		others, errNot := s.search(not)
		if err == nil && errNot == nil {
			s.leaves, s.found[leaf], s.found[not] = append(s.leaves, leaf), ids, others
		}
	}
	return len(s.leaves) > 0
}

func (s *sets) search(n domain.Node) (map[int64]bool, error) {
	var page backend.Page
	q := &backend.Query{Model: s.model, Domain: n, Fields: []string{"id"}}
	_, err := s.engine.Search(context.Background(), s.caller, q, &page)
	ids := map[int64]bool{}
	for _, id := range page.IDs() {
		ids[id] = true
	}
	return ids, err
}

func (s *sets) check(t *rapid.T) {
	node := s.draw(t, 3)
	got, err := s.search(node)
	if err != nil {
		t.Fatalf("%s: %v", domain.String(node), err)
	}
	if want := s.evaluate(node); !maps.Equal(got, want) {
		t.Fatalf("%s as user %d: one query finds %v, the sets %v", domain.String(node), s.caller.UserID, ids(got), ids(want))
	}
}

// draw makes a random domain of recorded conditions.
func (s *sets) draw(t *rapid.T, depth int) domain.Node {
	kind := "leaf"
	if depth > 0 {
		kind = rapid.SampledFrom([]string{"leaf", "and", "or", "not"}).Draw(t, "kind")
	}
	switch kind {
	case "and":
		return domain.And{s.draw(t, depth-1), s.draw(t, depth-1)}
	case "or":
		return domain.Or{s.draw(t, depth-1), s.draw(t, depth-1)}
	case "not":
		return domain.Not{Child: s.draw(t, depth-1)}
	}
	return rapid.SampledFrom(s.leaves).Draw(t, "leaf")
}

// evaluate puts the answers of the conditions together as sets. A negation goes
// inward, as in Odoo, and ends at conditions: that of a condition is asked for
// as such, since what the database does not know belongs to neither.
func (s *sets) evaluate(n domain.Node) map[int64]bool {
	switch n := n.(type) {
	case domain.And:
		return both(s.evaluate(n[0]), s.evaluate(n[1]))
	case domain.Or:
		return either(s.evaluate(n[0]), s.evaluate(n[1]))
	case domain.Not:
		switch child := n.Child.(type) {
		case domain.And:
			return either(s.evaluate(domain.Not{Child: child[0]}), s.evaluate(domain.Not{Child: child[1]}))
		case domain.Or:
			return both(s.evaluate(domain.Not{Child: child[0]}), s.evaluate(domain.Not{Child: child[1]}))
		case domain.Not:
			return s.evaluate(child.Child)
		}
	}
	return s.found[n]
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

func ids(set map[int64]bool) []int64 { return slices.Sorted(maps.Keys(set)) }
