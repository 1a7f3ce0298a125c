package business

import (
	"slices"
	"testing"

	odoo "gatehouse/internal/facts"
	"gatehouse/internal/schema"
)

// What is declared here of Odoo's models says the same as the table of facts
// that a genuine Odoo's database is read with, as far as both speak of it.
func TestDeclarationsAgreeWithFacts(t *testing.T) {
	table, err := odoo.Odoo19()
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, m := range schema.Prepare(Models()) {
		known := table.Model(m.Name)
		if known == nil || m.Manual {
			continue
		}
		compared++
		differ := func(what string, got, want any) { t.Errorf("%s: %s is %v, to the facts %v", m.Name, what, got, want) }
		if m.Table != "" && known.Table != "" && m.Table != known.Table {
			differ("the table", m.Table, known.Table)
		}
		if known.Title != "" && known.Title != "-" && m.Field(known.Title) != nil && m.RecName != known.Title {
			differ("the name", m.RecName, known.Title)
		}
		if known.Parent != "" && m.Field(known.Parent) != nil && m.ParentName != known.Parent {
			differ("the parent", m.ParentName, known.Parent)
		}
		if want := here(m, known.Names); len(want) > 0 && !slices.Equal(here(m, m.RecNames), want) {
			differ("names are looked for in", m.RecNames, want)
		}
		for name, fact := range known.Fields {
			f := m.Field(name)
			if f == nil || f.Inherited {
				continue
			}
			if !slices.Equal(f.Groups, fact.Groups) && !f.Secret {
				differ("the groups of "+name, f.Groups, fact.Groups)
			}
			if f.NoRules != fact.Bypass {
				differ("bypass of "+name, f.NoRules, fact.Bypass)
			}
			if f.KeepArchived != (fact.Active == odoo.AllRecords) {
				differ("archived records of "+name, f.KeepArchived, fact.Active)
			}
			if fact.Aggregate != "" && f.Aggregator != fact.Aggregate {
				differ("the aggregate of "+name, f.Aggregator, fact.Aggregate)
			}
		}
	}
	if compared < 20 {
		t.Errorf("only %d models compared", compared)
	}
}

// here are the names of fields that the model has.
func here(m *schema.Model, names []string) []string {
	var out []string
	for _, name := range names {
		if m.Field(name) != nil {
			out = append(out, name)
		}
	}
	return out
}
