package main

import (
	"os"
	"strings"
	"testing"
)

// TestConformance runs everything that was recorded, and holds what the
// documentation says about it.
func TestConformance(t *testing.T) {
	c := loadedCorpus(t)
	r := &results{embedded: map[string][]Outcome{}, writes: map[string][]Outcome{}}
	var err error
	if r.reads, r.stored, err = runReads(t.Context(), c, ""); err != nil {
		t.Fatal(err)
	}
	atLeast(t, "reads", r.reads, 90)
	atLeast(t, "reads of stored fields", r.stored, 98)
	for _, o := range r.reads {
		if o.Verdict == Wrong {
			t.Errorf("%s: %s: %s", o.ID, o.Reason, o.Detail)
		}
	}
	o := options{server: testServer(t), parts: "embedded,writes"}
	if err := runStores(t.Context(), c, o, r); err != nil {
		t.Fatal(err)
	}
	for _, store := range stores() {
		atLeast(t, "reads on the embedded database, "+store, r.embedded[store], 99)
		atLeast(t, "writes, "+store, r.writes[store], 90)
	}
	page, err := os.ReadFile("../docs/odoo-compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := document(r); string(page) != want && os.Getenv("GATEHOUSE_CORPUS") == "" {
		t.Errorf("docs/odoo-compatibility.md is not what a run finds; make it anew: make conformance REPORT=docs/odoo-compatibility.md\n%s",
			firstDifference(string(page), want))
	}
}

func atLeast(t *testing.T, what string, outcomes []Outcome, percent float64) {
	t.Helper()
	n := count(outcomes)
	if n.total() == 0 || n.share() < percent {
		t.Errorf("%s: %.1f %% of %d are the same, want %.0f", what, n.share(), n.total(), percent)
	}
}

func firstDifference(a, b string) string {
	left, right := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(left), len(right)) {
		if left[i] != right[i] {
			return "the page: " + left[i] + "\na run:    " + right[i]
		}
	}
	return "one is longer"
}
