// Package access decides who may do what with models, records and fields, as
// Odoo does (ir.model.access, ir.rule, groups on fields). Its decisions are
// pure: registry and user in, answer out.
package access

import (
	"fmt"
	"sort"

	"gatehouse/internal/domain"
	"gatehouse/internal/schema"
)

// SuperuserID is Odoo's user that no right and no rule binds (OdooBot).
const SuperuserID = 1

// User is what decisions need to know of a user. It is shared and immutable.
type User struct {
	ID         int64
	Login      string
	Name       string
	PartnerID  int64
	Active     bool
	Lang       string
	TZ         string
	CompanyID  int64
	CompanyIDs []int64 // all companies the user may work in
	Groups     []int64 // sorted, with all implied ones
}

// In says whether the user is in a group.
func (u *User) In(group int64) bool {
	i := sort.Search(len(u.Groups), func(i int) bool { return u.Groups[i] >= group })
	return i < len(u.Groups) && u.Groups[i] == group
}

// Model says whether the user may do something with a model at all: some
// active row of ir.model.access for everybody or for one of his groups allows it.
func Model(reg *schema.Registry, u *User, model string, mode schema.Mode) bool {
	if u.ID == SuperuserID {
		return true
	}
	for _, a := range reg.Access[model] {
		if a.Perm[mode] && (a.GroupID == 0 || u.In(a.GroupID)) {
			return true
		}
	}
	return false
}

// AnyMode says whether the user may use a model in any way.
func AnyMode(reg *schema.Registry, u *User, model string) bool {
	for _, mode := range []schema.Mode{schema.Read, schema.Write, schema.Create, schema.Unlink} {
		if Model(reg, u, model, mode) {
			return true
		}
	}
	return false
}

// Field says whether the user may see and use a field. Secret fields are
// nobody's, whatever the groups say.
func Field(reg *schema.Registry, u *User, f *schema.Field) bool {
	if f.Secret {
		return false
	}
	if len(f.Groups) == 0 || u.ID == SuperuserID {
		return true
	}
	for _, xmlid := range f.Groups {
		if id := reg.GroupID(xmlid); id != 0 && u.In(id) {
			return true
		}
	}
	return false
}

// UnprovableError says that a record rule lies outside the language that can be
// evaluated; what it guards must not be answered.
type UnprovableError struct {
	Rule *schema.Rule
	Err  error
}

// Error names the rule.
func (e *UnprovableError) Error() string {
	return fmt.Sprintf("record rule %d (%s): %v", e.Rule.ID, e.Rule.Name, e.Err)
}

// Unwrap gives the reason.
func (e *UnprovableError) Unwrap() error { return e.Err }

// RuleDomain is the condition that record rules put on a user for a mode:
// global rules AND-ed, those of his groups OR-ed, as in Odoo. The models he
// inherits from by delegation are not its business. lookup gives the values
// of names such as user.partner_id.id.
func RuleDomain(reg *schema.Registry, u *User, model string, mode schema.Mode, lookup func(string) (any, error)) (domain.Node, error) {
	if u.ID == SuperuserID {
		return domain.Const(true), nil
	}
	var global, group []domain.Node
	concerned := false
	for _, rule := range reg.Rules[model] {
		if !rule.Perm[mode] || !applies(u, rule) {
			continue
		}
		if rule.Err != nil {
			return nil, &UnprovableError{rule, rule.Err}
		}
		node, err := rule.Domain.Eval(lookup)
		if err != nil {
			return nil, &UnprovableError{rule, err}
		}
		if len(rule.Groups) == 0 {
			global = append(global, node)
			continue
		}
		concerned = true
		group = append(group, node)
	}
	if concerned {
		global = append(global, domain.Disj(group...))
	}
	return domain.Conj(global...), nil
}

// applies says whether a rule concerns the user: it is global or for one of his groups.
func applies(u *User, rule *schema.Rule) bool {
	if len(rule.Groups) == 0 {
		return true
	}
	for _, g := range rule.Groups {
		if u.In(g) {
			return true
		}
	}
	return false
}
