package record

import (
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// formed does what Odoo does to any condition on a field before it looks who
// asks: what nothing is left of becomes a constant, and values that an operator
// cannot have are refused. "" says that the condition stands.
func formed(l *domain.Leaf, field *schema.Field) (string, error) {
	op, value := l.Op, l.Value
	if op == domain.OpEqMaybe {
		if isFalsy(nil, value) {
			return "true", nil
		}
		op = domain.OpEq
	}
	switch op {
	case domain.OpAny, domain.OpNotAny:
		return formedAny(l, field)
	case domain.OpChildOf, domain.OpParentOf:
		switch {
		case field.Type == schema.Binary && !field.Inline:
			return "true", nil // no condition on a file is looked at
		case !field.Store && len(field.Related) > 0 && field.Type.IsRelational(): // looked for along its path first
		case value == nil || value == false:
			return "false", nil
		case field.Name != "id" && !field.Type.IsRelational():
			return "", staged(searchStage, badOperand(field, "is no relation: "+string(op)+" needs one"))
		}
		return "", nil
	}
	op, value = setForm(op, value)
	op, value, constant, err := settle(field, op, value)
	if field.Type.IsRelational() && op.IsPattern() {
		constant = "" // an empty pattern asks whether the field is set
	}
	if err != nil || constant != "" {
		return constant, staged(formStage, err)
	}
	return "", staged(formStage, formedValue(field, op, value))
}

// formedValue refuses values that the type of a field cannot be compared with.
func formedValue(field *schema.Field, op domain.Op, value any) error {
	switch op {
	case domain.OpIn, domain.OpNotIn:
		for _, v := range listOf(value) {
			switch v.(type) {
			case []any, map[string]any:
				return badOperand(field, "expected single values, found a list in the list")
			}
		}
		return nil
	case domain.OpLt, domain.OpGt, domain.OpLe, domain.OpGe:
		if _, isText := value.(string); isText && field.Type.IsRelational() {
			return badOperand(field, "compares only with ids")
		}
	}
	if field.Type == schema.Boolean {
		return badOperand(field, "cannot be compared with "+string(op))
	}
	return nil
}

// formedAny looks at "any" and "not any", whose domain has to be for a relation.
func formedAny(l *domain.Leaf, field *schema.Field) (string, error) {
	inner, isDomain := l.Value.(domain.Node)
	switch {
	case field.Name == "id" && isDomain:
		return "", nil
	case !field.Type.IsRelational():
		return "", staged(formStage, fault.Newf(fault.BadRequest, "Invalid domain: %q needs a relation, but %s is of type %s", l.Op, field.Name, field.Type))
	case !isDomain:
		return "", staged(formStage, fault.Newf(fault.BadRequest, "Invalid domain: %q on %s needs a domain as its value", l.Op, field.Name))
	case inner == domain.Const(false) && l.Op == domain.OpAny:
		return "false", nil
	case inner == domain.Const(false):
		return "true", nil
	}
	return "", nil
}
