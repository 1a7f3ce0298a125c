package record

import (
	"strings"

	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// leaf renders one condition whose path, seen from this clause, is path.
func (f *from) leaf(l *domain.Leaf, path string) (string, error) {
	name, rest, dotted := strings.Cut(path, ".")
	field, err := f.c.field(f.model, name, "domain")
	if err != nil {
		return "", atLeaf(l, err)
	}
	if field.Inherited {
		up := f.parent(f.model.Field(field.Related[0]))
		target := up.model.Field(field.Related[1])
		if target == nil {
			return "", notReadable(field)
		}
		// The group check was made on the inherited field; the parent's own would repeat it.
		return up.leafField(l, target, rest, dotted)
	}
	return f.leafField(l, field, rest, dotted)
}

func (f *from) leafField(l *domain.Leaf, field *schema.Field, rest string, dotted bool) (string, error) {
	if field.Inherited { // a parent that inherits itself
		up := f.parent(f.model.Field(field.Related[0]))
		if target := up.model.Field(field.Related[1]); target != nil {
			return up.leafField(l, target, rest, dotted)
		}
		return "", notReadable(field)
	}
	if dotted {
		return f.leafPath(l, field, rest)
	}
	if !field.Store && len(field.Related) > 1 && !field.Type.IsX2many() && field.Name != "display_name" {
		return f.leafRelated(l, field)
	}
	cond, err := f.leafValue(l, field)
	if err != nil {
		return "", atLeaf(l, err)
	}
	return cond, nil
}

// leafPath renders a condition on a field of a related record, or on a part of
// a date.
func (f *from) leafPath(l *domain.Leaf, field *schema.Field, rest string) (string, error) {
	if field.Type == schema.Date || field.Type == schema.Datetime {
		return f.datePart(l, field, rest)
	}
	if !field.Type.IsRelational() {
		return "", atLeaf(l, fault.Newf(fault.BadRequest, "The field %s of %s is no relation: %q cannot follow it",
			field.Name, f.model.Name, rest))
	}
	inner := *l
	inner.Path = rest
	return f.any(field, &inner)
}

// leafRelated searches a related field through its path, as superuser.
func (f *from) leafRelated(l *domain.Leaf, field *schema.Field) (string, error) {
	first := f.model.Field(field.Related[0])
	if first == nil || !first.Type.IsRelational() {
		return "", notReadable(field)
	}
	inner := *l
	inner.Path = strings.Join(field.Related[1:], ".")
	cond, err := f.sudo(func() (string, error) {
		if first.Inherited {
			return f.leaf(l, strings.Join(field.Related, "."))
		}
		return f.any(first, &inner)
	})
	if err != nil {
		return "", err
	}
	// Where the path leads nowhere the value is not set: a condition that
	// accepts unset values holds there too.
	if acceptsUnset(l, field) {
		cond = disj(cond, negate(f.exists(first, "true")))
	}
	return cond, nil
}

// acceptsUnset says whether a condition holds for a value that is not set.
func acceptsUnset(l *domain.Leaf, field *schema.Field) bool {
	positive := isFalsy(field, l.Value)
	if list, ok := l.Value.([]any); ok {
		positive = false
		for _, v := range list {
			positive = positive || isFalsy(field, v)
		}
	}
	switch l.Op {
	case domain.OpEq, domain.OpIn:
		return positive
	case domain.OpNe, domain.OpNotIn:
		return !positive
	}
	return l.Op.Negative()
}

// leafValue renders a condition on the field itself.
func (f *from) leafValue(l *domain.Leaf, field *schema.Field) (string, error) {
	op, value := l.Op, l.Value
	if op == domain.OpEqMaybe {
		if isFalsy(nil, value) {
			return "true", nil
		}
		op = domain.OpEq
	}
	switch op {
	case domain.OpAny, domain.OpNotAny:
		return f.leafAny(l, field)
	case domain.OpChildOf, domain.OpParentOf:
		return f.hierarchy(field, op, value)
	}
	if field.Name == "display_name" {
		return f.named(op, value)
	}
	op, value = setForm(op, value)
	switch {
	case field.Type == schema.Many2one:
		return f.leafRef(field, op, value)
	case field.Type.IsX2many():
		return f.leafX2many(field, op, value)
	case field.Type == schema.Binary:
		return f.leafBinary(field, op, value)
	}
	expr, err := f.value(field)
	if err != nil {
		return "", err
	}
	return f.scalar(field, expr, op, value)
}

// setForm rewrites equality into membership (semantics, section 7): "= v" is
// "in [v]", and what should be a list but is not becomes one.
func setForm(op domain.Op, value any) (domain.Op, any) {
	list, isList := value.([]any)
	switch op {
	case domain.OpEq, domain.OpNe:
		set := domain.OpIn
		if op == domain.OpNe {
			set = domain.OpNotIn
		}
		switch {
		case !isList:
			return set, []any{value}
		case len(list) == 0:
			return set, []any{nil}
		}
		return set, list
	case domain.OpIn, domain.OpNotIn:
		if isList {
			return op, list
		}
		if isFalsy(nil, value) || value == "" {
			return op, []any{}
		}
		return op, []any{value}
	}
	return op, value
}

// listOf is the list that setForm made of a value.
func listOf(value any) []any {
	list, _ := value.([]any)
	return list
}

// isFalsy says whether a value means "not set" for a field; without a field
// any of Python's false values does.
func isFalsy(field *schema.Field, v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == "" && (field == nil || field.Type.IsText())
	case int64:
		return v == 0 && (field == nil || field.Type.IsNumber())
	case float64:
		return v == 0 && (field == nil || field.Type.IsNumber())
	case []any:
		return len(v) == 0
	}
	return false
}

// atLeaf adds the place in the caller's text to an error.
func atLeaf(l *domain.Leaf, err error) error {
	fl := fault.From(err)
	if l.Pos < 0 || fl.Kind != fault.BadRequest {
		return err
	}
	if _, done := fl.Details.(domainPlace); done {
		return err
	}
	return fl.With(domainPlace{Path: l.Path, Position: l.Pos})
}

// domainPlace is the details of a fault in a domain.
type domainPlace struct {
	Path     string `json:"path"`
	Position int    `json:"position"` // byte offset in the domain's text
}

// leafBinary knows only whether there is something; other conditions on
// attachments are ignored, as in Odoo.
func (f *from) leafBinary(field *schema.Field, op domain.Op, value any) (string, error) {
	list, _ := value.([]any)
	if (op != domain.OpIn && op != domain.OpNotIn) || len(list) != 1 || !isFalsy(nil, list[0]) {
		return "true", nil
	}
	expr, err := f.value(field)
	if op == domain.OpIn {
		return expr + " is null", err
	}
	return expr + " is not null", err
}
