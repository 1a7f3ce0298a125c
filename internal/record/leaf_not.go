package record

import (
	"strings"

	"gatehouse/internal/domain"
	"gatehouse/internal/schema"
)

// opposite is the negation of a part as Odoo writes it: with the opposite
// operators, as far as there are any. That is not always the complement: what
// the database does not know stays out of both, and a file that cannot be
// searched is found by both. False where the negation stands before the part.
func (f *from) opposite(n domain.Node) (domain.Node, bool) {
	switch n := n.(type) {
	case domain.And:
		return domain.Or(opposites(n)), true
	case domain.Or:
		return domain.And(opposites(n)), true
	case domain.Not:
		return n.Child, true
	case *domain.Leaf:
		return f.oppositeLeaf(n)
	}
	return nil, false
}

func opposites(nodes []domain.Node) []domain.Node {
	out := make([]domain.Node, len(nodes))
	for i, n := range nodes {
		out[i] = domain.Neg(n)
	}
	return out
}

// oppositeLeaf turns the operator of a condition. The opposite of an
// inequality accepts what is not set, where the type has no value for that.
func (f *from) oppositeLeaf(l *domain.Leaf) (domain.Node, bool) {
	name, _, dotted := strings.Cut(l.Path, ".")
	field := f.model.Field(name)
	if field == nil || dotted && field.Type.IsRelational() {
		return nil, false
	}
	other := *l
	if l.Op == domain.OpEqMaybe && !isFalsy(nil, l.Value) && !dotted && field.Type != schema.Binary {
		other.Op = domain.OpNe
		return &other, true
	}
	if op, ok := l.Op.Negate(); ok && !dotted {
		other.Op = op
		return &other, true
	}
	other.Op = map[domain.Op]domain.Op{
		domain.OpLt: domain.OpGe, domain.OpGe: domain.OpLt, domain.OpGt: domain.OpLe, domain.OpLe: domain.OpGt,
	}[l.Op]
	isTime := field.Type == schema.Date || field.Type == schema.Datetime
	if other.Op == "" || field.Type == schema.Binary || isTime && !dotted && (l.Value == nil || l.Value == false) {
		return nil, false // a constant, or an operator without an opposite
	}
	if _, hasFalsy := field.Type.Falsy(); (hasFalsy || field.Type == schema.Many2oneReference) && !dotted {
		return &other, true
	}
	unset := *l
	unset.Op, unset.Value = domain.OpIn, []any{false}
	return domain.Or{&unset, &other}, true
}
