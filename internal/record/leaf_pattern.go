package record

import (
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// pattern renders the like family. Negative ones include what is not set.
func (f *from) pattern(field *schema.Field, expr string, op domain.Op, value any) (string, error) {
	wrap, fold, not := true, false, op.Negative()
	switch op {
	case domain.OpILike, domain.OpNotILike:
		fold = true
	case domain.OpEqLike, domain.OpNotEqLike:
		wrap = false
	case domain.OpEqILike, domain.OpNotEqILike:
		wrap, fold = false, true
	}
	text, isText := value.(string)
	if !isText && !isFalsy(nil, value) {
		if !wrap {
			return "", badOperand(field, "expected a text for "+string(op))
		}
		text = pyText(value)
	}
	if err := noNUL(field, text); err != nil {
		return "", err
	}
	switch {
	case text == "" && wrap: // every row, set or not
		return map[bool]string{false: "true", true: "false"}[not], nil
	case text == "":
		return f.member(field, expr, not, []any{false})
	case field.Type == schema.Boolean:
		return "", badOperand(field, "cannot be searched with "+string(op))
	}
	if wrap {
		text = "%" + text + "%"
	}
	if slashes := len(text) - len(strings.TrimRight(text, `\`)); slashes%2 == 1 {
		// The database fails only if a text matches up to there.
		return "", fault.Newf(fault.BadRequest, "Invalid domain: the field %s (%s) is compared with a pattern that ends with a lone backslash: double it",
			field.Name, field.Type).Because(&backend.UnprovableError{Reason: backend.ValueShape, Subject: field.Name, Detail: "a lone backslash"})
	}
	if !field.Type.IsText() && field.Type != schema.Selection && field.Type != schema.Reference {
		expr = f.c.d.CastText(expr, field.ColumnKind())
	}
	cond := f.c.d.Like(expr, f.c.arg(text), fold)
	if not {
		return negate(cond), nil
	}
	return cond, nil
}
