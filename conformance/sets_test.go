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
	"gatehouse/internal/domain/domaintest"
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
	for _, leaf := range domaintest.OneType(leaves) {
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
	node := domaintest.Draw(t, s.leaves, 3)
	got, err := s.search(node)
	if err != nil {
		t.Fatalf("%s: %v", domain.String(node), err)
	}
	if want := domaintest.Evaluate(node, s.found); !maps.Equal(got, want) {
		t.Fatalf("%s as user %d: one query finds %v, the sets %v", domain.String(node), s.caller.UserID, ids(got), ids(want))
	}
}

func ids(set map[int64]bool) []int64 { return slices.Sorted(maps.Keys(set)) }
