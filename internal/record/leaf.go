package record

import (
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// leaf renders one condition whose path, seen from this clause, is path.
func (f *from) leaf(l *domain.Leaf, path string) (string, error) {
	name, rest, dotted := strings.Cut(path, ".")
	field, err := f.c.field(f.model, name, "domain")
	if fault.Is(err, fault.Forbidden) {
		return f.forbiddenLeaf(l, path, err)
	}
	if err != nil {
		return "", atLeaf(l, staged(formStage, err))
	}
	if err := rewritten(f.model, name, l.Op); err != nil {
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

// forbiddenLeaf is a condition on a field that the caller may not use. Odoo
// looks at that when it makes the query: after the condition's form, and not at
// all where nothing is left of the condition.
func (f *from) forbiddenLeaf(l *domain.Leaf, path string, refused error) (string, error) {
	cond, err := f.sudoFields(func() (string, error) { return f.leaf(l, path) })
	if isOpen(err) || err != nil && stageOf(err) < queryStage || cond == "true" || cond == "false" {
		return cond, err
	}
	return "", atLeaf(l, refused)
}

func (f *from) leafField(l *domain.Leaf, field *schema.Field, rest string, dotted bool) (string, error) {
	if field.Inherited { // a parent that inherits itself
		up := f.parent(f.model.Field(field.Related[0]))
		if target := up.model.Field(field.Related[1]); target != nil {
			return up.leafField(l, target, rest, dotted)
		}
		return "", notReadable(field)
	}
	if !dotted || !field.Type.IsRelational() {
		if cond, err := formed(l, field); cond != "" || err != nil {
			return cond, atLeaf(l, err)
		}
	}
	if cond, done, err := f.leafComputed(l, field, rest); done {
		return cond, err
	}
	if field.Type == schema.Properties {
		return f.leafProperty(l, field, rest)
	}
	if dotted {
		return f.leafPath(l, field, rest)
	}
	climbs := l.Op == domain.OpChildOf || l.Op == domain.OpParentOf
	if !field.Store && len(field.Related) > 1 && (climbs || !field.Type.IsX2many()) && field.Name != "display_name" {
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

// leafRelated searches a related field through its path, as superuser. Where
// the path leads nowhere the value is not set: a condition that accepts unset
// values holds there too.
func (f *from) leafRelated(l *domain.Leaf, field *schema.Field) (string, error) {
	inner := *l
	if inner.Op == domain.OpEqMaybe {
		if isFalsy(nil, l.Value) {
			return "true", nil
		}
		inner.Op = domain.OpEq
	}
	inner.Op, inner.Value = setForm(inner.Op, inner.Value)
	if inner.Op.IsPattern() {
		if set, decided := patternOnSet(inner.Op, inner.Value); decided && field.Type.IsRelational() {
			inner.Op, inner.Value = map[bool]domain.Op{true: domain.OpNotIn, false: domain.OpIn}[set], []any{false}
		} else {
			inner.Op, inner.Value, _, _ = settle(field, inner.Op, pyTextIfAny(inner.Value))
		}
	}
	unset, sudo := acceptsUnset(&inner, field), f.c.sudo
	positive, negates := inner.Op.Negate()
	if negates = negates && inner.Op.Negative() && unset; negates {
		inner.Op, unset = positive, false // what does not lead to one of the values
	}
	cond, err := f.sudoFields(func() (string, error) { return f.along(&inner, field.Related, unset, sudo) })
	if negates {
		cond = negate(cond)
	}
	return cond, err
}

// along renders a condition on what a path of fields leads to; unset says that
// it holds where a link on the way is missing. Only the way is the superuser's:
// what the caller asks of the records at its end is his own question.
func (f *from) along(l *domain.Leaf, steps []string, unset, sudo bool) (string, error) {
	field := f.model.Field(steps[0])
	if field == nil || field.Secret {
		return "", fault.Newf(fault.BadRequest, "Unknown field %s in %s", steps[0], f.model.Name)
	}
	for field.Inherited {
		f = f.parent(f.model.Field(field.Related[0]))
		if field = f.model.Field(field.Related[1]); field == nil {
			return "", fault.Newf(fault.BadRequest, "Unknown field %s in %s", steps[0], f.model.Name)
		}
	}
	if len(steps) == 1 {
		was := f.c.sudo
		f.c.sudo = sudo
		defer func() { f.c.sudo = was }()
		return f.leafField(l, field, "", false)
	}
	if !field.Type.IsRelational() {
		return "", notReadable(field)
	}
	target, err := f.c.comodel(field)
	if err != nil {
		return "", err
	}
	sub := f.c.from(target)
	cond, err := sub.along(l, steps[1:], unset, sudo)
	if err != nil {
		return "", err
	}
	if field.Type != schema.Many2one {
		if unset {
			return "", backend.CannotProve(backend.ValueShape, field.Model.Name+"."+field.Name, "a related field along a list")
		}
		return f.shown(field, sub, cond)
	}
	if cond, err = f.linked(field, sub, cond); err != nil || !unset {
		return cond, err
	}
	link, err := f.value(field)
	return disj(cond, link+" is null"), err
}

// shown renders "a record of sub that cond accepts is linked by the x2many and
// shown by it".
func (f *from) shown(field *schema.Field, sub *from, cond string) (string, error) {
	own, err := f.c.x2manyDomain(sub.model, field, domain.Const(true))
	if err != nil {
		return "", err
	}
	visible, err := sub.where(own)
	if err != nil {
		return "", err
	}
	return f.linked(field, sub, conj(cond, visible))
}

// acceptsUnset says whether a condition holds for a value that is not set.
func acceptsUnset(l *domain.Leaf, field *schema.Field) bool {
	list, isList := l.Value.([]any)
	if !isList {
		list = []any{l.Value}
	}
	unset := slices.ContainsFunc(list, func(v any) bool {
		switch v.(type) {
		case []any, map[string]any:
			return false
		}
		return isFalsy(field, v)
	})
	return unset != l.Op.Negative()
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
	if op.IsPattern() {
		value = pyTextIfAny(value)
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
	case field.Type == schema.JSON || field.Type == schema.PropertiesDefinition:
		return f.leafJSON(field, op, value)
	}
	if field.Type == schema.Many2oneReference { // an integer: 0 is not set
		number := *field
		number.Type, field = schema.Integer, &number
	}
	expr, err := f.value(field)
	if err != nil {
		// Odoo looks at the value first.
		cond, bad := f.scalar(field, "null", op, value)
		if cond == "true" || cond == "false" || bad != nil && stageOf(bad) < queryStage {
			return cond, bad
		}
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
		case value == nil, isList && len(list) == 0:
			return set, []any{false}
		case !isList:
			return set, []any{value}
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
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// atLeaf adds the place in the caller's text to an error.
func atLeaf(l *domain.Leaf, err error) error {
	if err == nil || l.Pos < 0 {
		return err
	}
	fl := fault.From(err)
	if fl.Kind != fault.BadRequest {
		return err
	}
	if _, done := fl.Details.(domainPlace); done {
		return err
	}
	return staged(stageOf(err), fl.With(domainPlace{Path: l.Path, Position: l.Pos}))
}

// domainPlace is the details of a fault in a domain.
type domainPlace struct {
	Path     string `json:"path"`
	Position int    `json:"position"` // byte offset in the domain's text
}
