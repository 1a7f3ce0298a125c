package record

import (
	"errors"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// stage says how far Odoo has got with a domain when it fails at something.
// A later stage is never reached where an earlier one ends the matter, with an
// error or because the whole domain turned out to be constant.
type stage int8

const (
	// formStage brings conditions into form, one after the other.
	formStage stage = iota + 1
	// searchStage does what has to be searched first.
	searchStage
	// queryStage makes the query, and looks at rights, fields and companies.
	queryStage
	// storeStage is the database's own.
	storeStage
)

// stagedError is an error at another stage than the query's.
type stagedError struct {
	error
	at stage
}

func (s *stagedError) Unwrap() error { return s.error }

// staged says at which stage Odoo meets an error.
func staged(at stage, err error) error {
	if err == nil || stageOf(err) != queryStage {
		return err
	}
	return &stagedError{err, at}
}

func stageOf(err error) stage {
	if s, ok := errors.AsType[*stagedError](err); ok {
		return s.at
	}
	return queryStage
}

// never is a condition that no record meets, though Odoo asks the database. A
// plain "false" ends the matter without: nothing else is looked at then.
const never = "1 = 0"

// outcome is a compiled part of a domain.
type outcome struct {
	cond string
	err  error
	// late says that it became constant after the forms of all were looked at.
	late bool
	// climbs says that it depends on records whether it becomes constant.
	climbs bool
}

// verdict picks what Odoo comes to where parts fail: zero is the constant that
// decides the whole ("false" of an AND).
func verdict(parts []outcome, zero string) (string, error) {
	decided := false // by a constant that came late
	climbs := false
	var first error
	for _, p := range parts {
		climbs = climbs || p.climbs && p.err == nil
		switch {
		case p.err == nil && p.cond == zero:
			if !p.late && !isOpen(first) && (first == nil || stageOf(first) > formStage) {
				return zero, nil // what comes behind it is not looked at any more
			}
			decided = true
		case p.err != nil && !isOpen(first):
			first = earlier(first, p.err)
		}
	}
	switch {
	case isOpen(first) || stageOf(first) == formStage:
		return "", first
	case climbs && !decided:
		return "", backend.CannotProve(backend.ValueShape, "the domain", "an error beside a hierarchy")
	case !decided:
		return "", first
	case stageOf(first) == searchStage:
		return "", backend.CannotProve(backend.ValueShape, "the domain", "an error beside a constant")
	}
	return zero, nil
}

// isOpen says whether an error only means that the answer is not known.
func isOpen(err error) bool {
	_, open := errors.AsType[*backend.UnprovableError](err)
	return open
}

// earlier is the error that Odoo meets first.
func earlier(a, b error) error {
	switch {
	case a == nil || isOpen(b) || stageOf(b) < stageOf(a):
		return b
	case stageOf(a) == stageOf(b) && fault.From(a).Kind != fault.From(b).Kind:
		return backend.CannotProve(backend.ValueShape, "the domain", "which of its errors comes first")
	}
	return a
}

// climbs says whether a part looks for records above or below others.
func climbs(n domain.Node) bool {
	if not, isNot := n.(domain.Not); isNot {
		n = not.Child
	}
	l, isLeaf := n.(*domain.Leaf)
	return isLeaf && (l.Op == domain.OpChildOf || l.Op == domain.OpParentOf)
}

// lateConstant says whether a part that came out constant did so only after
// the forms of all parts were looked at.
func (f *from) lateConstant(n domain.Node) bool {
	switch n := n.(type) {
	case domain.And:
		return f.anyLate(n)
	case domain.Or:
		return f.anyLate(n)
	case domain.Not:
		return f.lateConstant(n.Child)
	case *domain.Leaf:
		name, _, dotted := strings.Cut(n.Path, ".")
		field := f.model.Field(name)
		return n.Op == domain.OpChildOf || n.Op == domain.OpParentOf || field == nil || field.Type == schema.Boolean ||
			dotted && field.Type.IsRelational()
	}
	return false
}

func (f *from) anyLate(nodes []domain.Node) bool {
	for _, n := range nodes {
		if f.lateConstant(n) {
			return true
		}
	}
	return false
}
