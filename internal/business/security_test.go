package business

import (
	"testing"

	"gatehouse/internal/domain"
)

// xmlids are the external ids of a file as a set.
func xmlids(t *testing.T, file string) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	for _, r := range facts(file) {
		if known[r.text("xmlid")] {
			t.Errorf("%s:%d: %s again", file, r.line, r.text("xmlid"))
		}
		known[r.text("xmlid")] = true
	}
	return known
}

func TestGroupsAreWhole(t *testing.T) {
	groups, privileges := xmlids(t, "groups.csv"), xmlids(t, "privileges.csv")
	for _, r := range facts("groups.csv") {
		if p := r.text("privilege"); p != "" && !privileges[p] {
			t.Errorf("groups.csv:%d: no privilege %s", r.line, p)
		}
		for _, g := range r.words("implies") {
			if !groups[g] {
				t.Errorf("groups.csv:%d: no group %s", r.line, g)
			}
		}
	}
	for _, p := range firstPeople {
		for _, g := range p.groups {
			if !groups[g] {
				t.Errorf("%s is in %s, which is no group", p.login, g)
			}
		}
	}
	for _, u := range demoUsers {
		for _, g := range u.groups {
			if !groups[g] {
				t.Errorf("%s is in %s, which is no group", u.login, g)
			}
		}
	}
	for name, m := range declared() {
		for _, f := range m.Fields {
			for _, g := range f.Groups {
				if !groups[g] && g != "." {
					t.Errorf("%s.%s is for %s, which is no group", name, f.Name, g)
				}
			}
		}
	}
}

func TestAccessRightsAreWhole(t *testing.T) {
	models, groups := declared(), xmlids(t, "groups.csv")
	xmlids(t, "access.csv")
	covered := map[string]bool{}
	for _, r := range facts("access.csv") {
		if models[r.text("model")] == nil {
			t.Errorf("access.csv:%d: no model %s", r.line, r.text("model"))
		}
		if g := r.text("group"); g != "" && !groups[g] {
			t.Errorf("access.csv:%d: no group %s", r.line, g)
		}
		covered[r.text("model")] = true
	}
	for name := range models {
		if !covered[name] {
			t.Errorf("nobody may use %s", name)
		}
	}
}

func TestRecordRulesAreWhole(t *testing.T) {
	models, groups := declared(), xmlids(t, "groups.csv")
	xmlids(t, "rules.csv")
	for _, r := range facts("rules.csv") {
		m := models[r.text("model")]
		if m == nil {
			t.Errorf("rules.csv:%d: no model %s", r.line, r.text("model"))
			continue
		}
		for _, g := range r.words("groups") {
			if !groups[g] {
				t.Errorf("rules.csv:%d: no group %s", r.line, g)
			}
		}
		rule, err := domain.ParseRule(r.text("domain"), domain.Limits{})
		if err != nil {
			t.Errorf("rules.csv:%d: %v", r.line, err)
			continue
		}
		node, err := rule.Eval(func(name string) (any, error) {
			if name == "company_ids" {
				return []any{int64(1)}, nil
			}
			return int64(1), nil
		})
		if err != nil {
			t.Errorf("rules.csv:%d: %v", r.line, err)
			continue
		}
		domain.Walk(node, func(l *domain.Leaf) {
			if l.Path != "1" && targetOf(models, m, l.Steps()) == nil {
				t.Errorf("rules.csv:%d: %s has no %s", r.line, m.Name, l.Path)
			}
		})
	}
}
