package schema

import (
	"sort"

	"gatehouse/internal/domain"
)

// Group is a group of users.
type Group struct {
	ID    int64
	XMLID string // e.g. "sales_team.group_sale_manager", the oldest; "" when it has none
	Name  string
	Share bool
}

// Access is a row of ir.model.access. GroupID 0 is everybody.
type Access struct {
	GroupID int64
	Perm    [4]bool // by Mode
}

// Mode is what a caller wants to do with records.
type Mode uint8

// The four modes of ir.model.access and ir.rule.
const (
	Read Mode = iota
	Write
	Create
	Unlink
)

// String is the mode's name in Odoo's perm_… columns.
func (m Mode) String() string { return [...]string{"read", "write", "create", "unlink"}[m] }

// Rule is an active record rule.
type Rule struct {
	ID     int64
	Name   string
	Perm   [4]bool
	Groups []int64 // empty: global
	// Domain is the parsed domain_force. Err says why it could not be parsed:
	// such a rule is never ignored, it makes what it guards unreadable.
	Domain *domain.Rule
	Err    error
}

// Lang is an installed language.
type Lang struct {
	Code      string
	WeekStart int // 1 = Monday … 7 = Sunday
}

// DefaultValue is a row of ir.default without a condition.
type DefaultValue struct {
	UserID, CompanyID int64 // 0: any
	JSON              string
}

// Registry is an immutable snapshot of all models and of what decides about
// rights. It is swapped as a whole when anything of it changes.
type Registry struct {
	Models  map[string]*Model
	Groups  map[int64]*Group
	Access  map[string][]Access      // by model
	Rules   map[string][]*Rule       // by model
	Langs   map[string]Lang          // active ones, by code
	Default map[int64][]DefaultValue // by field id

	names    []string            // model names, sorted
	implied  map[int64][]int64   // transitive closure, the group itself included
	byXMLID  map[string]int64    // groups
	referers map[string][]*Field // many2one fields with a column, by comodel
}

// Model finds a model by name, or nil.
func (r *Registry) Model(name string) *Model { return r.Models[name] }

// Names gives all model names, sorted. The slice is shared: do not change it.
func (r *Registry) Names() []string { return r.names }

// GroupID finds a group by external id; 0 when there is none.
func (r *Registry) GroupID(xmlid string) int64 { return r.byXMLID[xmlid] }

// Closure gives the groups that follow from being in the given ones, sorted.
func (r *Registry) Closure(groups []int64) []int64 {
	seen := map[int64]bool{}
	for _, g := range groups {
		for _, h := range r.implied[g] {
			seen[h] = true
		}
	}
	all := make([]int64, 0, len(seen))
	for g := range seen {
		all = append(all, g)
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	return all
}

// Referers gives the stored many2one fields that point at a model.
func (r *Registry) Referers(model string) []*Field { return r.referers[model] }

// finish builds the indexes once everything is in place.
func (r *Registry) finish(direct map[int64][]int64) {
	r.names = make([]string, 0, len(r.Models))
	r.referers = map[string][]*Field{}
	for name := range r.Models {
		r.names = append(r.names, name)
	}
	sort.Strings(r.names)
	for _, name := range r.names {
		for _, f := range r.Models[name].Fields {
			if f.Type == Many2one && f.Store && !f.CompanyDependent {
				r.referers[f.Relation] = append(r.referers[f.Relation], f)
			}
		}
	}
	r.implied = map[int64][]int64{}
	for id := range r.Groups {
		seen := map[int64]bool{id: true}
		todo := []int64{id}
		for len(todo) > 0 {
			next := todo[0]
			todo = todo[1:]
			for _, h := range direct[next] {
				if !seen[h] {
					seen[h] = true
					todo = append(todo, h)
				}
			}
		}
		for h := range seen {
			r.implied[id] = append(r.implied[id], h)
		}
	}
}
