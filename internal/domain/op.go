package domain

import (
	"math"
	"sort"
	"strings"

	"gatehouse/internal/nearest"
)

// Op is an operator of a condition, in its canonical spelling.
type Op string

// The operators of Odoo 19. "=like" and "=ilike" take the pattern as it is,
// "like" and "ilike" look for it anywhere. OpEqMaybe holds when the value is
// falsy, and is OpEq otherwise.
const (
	OpEq         Op = "="
	OpNe         Op = "!="
	OpIn         Op = "in"
	OpNotIn      Op = "not in"
	OpLt         Op = "<"
	OpGt         Op = ">"
	OpLe         Op = "<="
	OpGe         Op = ">="
	OpLike       Op = "like"
	OpNotLike    Op = "not like"
	OpILike      Op = "ilike"
	OpNotILike   Op = "not ilike"
	OpEqLike     Op = "=like"
	OpNotEqLike  Op = "not =like"
	OpEqILike    Op = "=ilike"
	OpNotEqILike Op = "not =ilike"
	OpAny        Op = "any"
	OpNotAny     Op = "not any"
	OpChildOf    Op = "child_of"
	OpParentOf   Op = "parent_of"
	OpEqMaybe    Op = "=?"
)

// Ops lists every operator, for documents and tables that must cover them all.
func Ops() []Op {
	return []Op{
		OpEq, OpNe, OpIn, OpNotIn, OpLt, OpGt, OpLe, OpGe,
		OpLike, OpNotLike, OpILike, OpNotILike, OpEqLike, OpNotEqLike, OpEqILike, OpNotEqILike,
		OpAny, OpNotAny, OpChildOf, OpParentOf, OpEqMaybe,
	}
}

// Negative says whether the operator is a denial ("!=", "not in", "not like",
// "not any", ...), which in Odoo also matches records where nothing is set.
func (o Op) Negative() bool {
	switch o {
	case OpNe, OpNotIn, OpNotLike, OpNotILike, OpNotEqLike, OpNotEqILike, OpNotAny:
		return true
	default:
		return false
	}
}

// IsPattern says whether the operator matches texts with a pattern.
func (o Op) IsPattern() bool {
	switch o {
	case OpLike, OpILike, OpEqLike, OpEqILike, OpNotLike, OpNotILike, OpNotEqLike, OpNotEqILike:
		return true
	}
	return false
}

// Negate gives the operator that matches exactly the other records whatever
// the type of the field. It is false where the language has none: "<" and its
// like leave out records where nothing is set, and "child_of" has no opposite.
func (o Op) Negate() (Op, bool) {
	switch o {
	case OpEq:
		return OpNe, true
	case OpNe:
		return OpEq, true
	case OpIn, OpLike, OpILike, OpEqLike, OpEqILike, OpAny:
		return "not " + o, true
	case OpNotIn, OpNotLike, OpNotILike, OpNotEqLike, OpNotEqILike, OpNotAny:
		return o[len("not "):], true
	default:
		return "", false
	}
}

// longestOp bounds what can be an operator, so that a huge text is not folded.
const longestOp = len(OpNotEqILike)

// opNamed finds the operator of a text, in any letter case and with the two
// old spellings that Odoo still takes.
func opNamed(s string) (Op, bool) {
	if op, ok := opExactly(s); ok {
		return op, true
	}
	if len(s) > longestOp {
		return "", false
	}
	return opExactly(strings.ToLower(s))
}

func opExactly(s string) (Op, bool) {
	switch op := Op(s); op {
	case OpEq, OpNe, OpIn, OpNotIn, OpLt, OpGt, OpLe, OpGe,
		OpLike, OpNotLike, OpILike, OpNotILike, OpEqLike, OpNotEqLike, OpEqILike, OpNotEqILike,
		OpAny, OpNotAny, OpChildOf, OpParentOf, OpEqMaybe:
		return op, true
	case "<>":
		return OpNe, true
	case "==":
		return OpEq, true
	}
	return "", false
}

// unknownOp is the message for a text that is no operator.
func unknownOp(s string) string {
	switch low := strings.ToLower(clip(s)); low {
	case "any!", "not any!":
		return quote(s) + " skips access rules and is not taken from outside; use " + quote(strings.TrimSuffix(low, "!"))
	case "not child_of", "not parent_of":
		return quote(s) + ` does not exist; put "!" before a ` + quote(low[len("not "):]) + " condition"
	case "is", "is not", "is null", "is not null":
		return "unknown operator " + quote(s) + `; compare with False: "=" finds what is not set, "!=" what is set`
	case "between":
		return "unknown operator " + quote(s) + `; write two conditions, one with ">=" and one with "<="`
	}
	near := nearestOps(strings.ToLower(clip(s)))
	return "unknown operator " + quote(s) + "; nearest are " + quote(near[0]) + ", " + quote(near[1]) + ", " + quote(near[2])
}

// meant maps words of other query languages to the operator that does the
// same; counting edits would find only what looks alike.
var meant = map[string]Op{
	"=>": OpGe, "=<": OpLe, "gt": OpGt, "gte": OpGe, "ge": OpGe, "lt": OpLt, "lte": OpLe, "le": OpLe,
	"eq": OpEq, "===": OpEq, "equals": OpEq, "equal": OpEq, "ne": OpNe, "neq": OpNe, "!==": OpNe, "not": OpNe, "not =": OpNe,
	"contains": OpILike, "icontains": OpILike, "has": OpILike, "~": OpILike, "=~": OpILike, "not contains": OpNotILike,
	"starts with": OpEqLike, "startswith": OpEqLike, "ends with": OpEqLike, "endswith": OpEqLike,
	"nin": OpNotIn, "notin": OpNotIn, "not_in": OpNotIn, "childof": OpChildOf, "parentof": OpParentOf, "exists": OpAny,
}

// nearestOps gives the three operators with the fewest edits to s.
func nearestOps(s string) []string {
	ops := Ops()
	cost := make(map[Op]int, len(ops))
	for _, op := range ops {
		cost[op] = nearest.Distance(s, string(op), math.MaxInt)
	}
	if op, ok := meant[strings.TrimSpace(s)]; ok {
		cost[op] = -1
	}
	sort.SliceStable(ops, func(i, j int) bool { return cost[ops[i]] < cost[ops[j]] })
	near := make([]string, 3)
	for i := range near {
		near[i] = string(ops[i])
	}
	return near
}
