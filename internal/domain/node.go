// Package domain is Odoo's domain language: the search conditions that callers
// send, and the record rules that limit what they see.
//
// A domain is read (Parse, FromValue, ParseRule) into a tree of And, Or, Not,
// Const and *Leaf, and printed back (String, JSON). The package knows neither
// SQL nor HTTP nor which models and fields exist: whether a field is there and
// what a value means for its type is decided by those who compile the tree.
//
// # Normal form
//
// Every tree that comes out of this package is in normal form:
//
//   - And and Or have at least two children; And has no child And, Or no child Or;
//   - Const stands only as the whole tree, or as the whole domain of an
//     "any" leaf; elsewhere it is folded away, as Odoo 19 does;
//   - Not has no child Not and no child Const;
//   - operators are the canonical ones ("<>", "==" and "ILIKE" are folded).
//
// Within the limits, Parse(String(n)) and Parse(JSON(n)) equal n for every n in
// normal form, and equal Normal(n) for a tree built by hand.
package domain

import "strings"

// Node is a part of a domain: And, Or, Not, Const or *Leaf. No other type can
// be one. A nil Node means nothing; the functions that combine nodes take it
// for Const(false), so that a forgotten restriction shows nobody too much.
type Node interface{ node() }

// And holds when all of its children do; an empty one holds always.
type And []Node

// Or holds when one of its children does; an empty one never holds.
type Or []Node

// Not holds when its child does not. Odoo negates a path as a whole:
// not (a.b = v) says that there is no a with b = v.
type Not struct{ Child Node }

// Const is the domain that matches every record (true) or none (false).
type Const bool

// Leaf is one condition on a field.
type Leaf struct {
	// Path is the field, its steps joined by dots: "partner_id.country_id.code".
	Path string
	Op   Op
	// Value is nil, bool, int64, float64, string, []any of these (tuples too),
	// or, for OpAny and OpNotAny alone, a Node. With Limits.Objects it may be or
	// hold a map[string]any, which has no text in the language.
	Value any
	// Pos is the byte offset of the condition in its text, -1 if it had none.
	Pos int
}

func (And) node()   {}
func (Or) node()    {}
func (Not) node()   {}
func (Const) node() {}
func (*Leaf) node() {}

// Steps gives the field names of the path, at least one.
func (l Leaf) Steps() []string { return strings.Split(l.Path, ".") }

// Walk calls fn for every leaf, left to right. It does not go into the
// subdomain of an "any" leaf: those conditions are on another model.
func Walk(n Node, fn func(*Leaf)) {
	switch n := n.(type) {
	case And:
		for _, c := range n {
			Walk(c, fn)
		}
	case Or:
		for _, c := range n {
			Walk(c, fn)
		}
	case Not:
		Walk(n.Child, fn)
	case *Leaf:
		fn(n)
	}
}

// MentionsTop says whether a leaf names the field itself, anywhere under And,
// Or and Not, but not as a step of a path nor inside an "any" leaf. Odoo hides
// archived records unless the domain mentions the active field in this way.
func MentionsTop(n Node, field string) bool {
	found := false
	Walk(n, func(l *Leaf) { found = found || l.Path == field })
	return found
}

// Equal says whether two trees are the same in structure: order, operators and
// the types of values count (1, 1.0 and true differ), positions do not.
func Equal(a, b Node) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case And:
		b, ok := b.(And)
		return ok && equalNodes(a, b)
	case Or:
		b, ok := b.(Or)
		return ok && equalNodes(a, b)
	case Not:
		b, ok := b.(Not)
		return ok && Equal(a.Child, b.Child)
	case Const:
		b, ok := b.(Const)
		return ok && a == b
	case *Leaf:
		b, ok := b.(*Leaf)
		return ok && a.Path == b.Path && a.Op == b.Op && equalValues(a.Value, b.Value)
	}
	return false
}

func equalNodes(a, b []Node) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func equalValues(a, b any) bool {
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equalValues(a[i], b[i]) {
				return false
			}
		}
		return true
	case Node:
		b, ok := b.(Node)
		return ok && Equal(a, b)
	case nil, bool, int64, float64, string:
		switch b.(type) {
		case nil, bool, int64, float64, string:
			return a == b
		}
	}
	return false
}
