package record

import (
	"strconv"
	"strings"

	"gatehouse/internal/domain"
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
	if field.Type == schema.Boolean {
		return "", badOperand(field, "cannot be searched with "+string(op))
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
	if text == "" {
		return f.emptyPattern(field, expr, wrap, not), nil
	}
	if wrap {
		text = "%" + text + "%"
	}
	if slashes := len(text) - len(strings.TrimRight(text, `\`)); slashes%2 == 1 {
		return "", badOperand(field, "is compared with a pattern that ends with a lone backslash: double it")
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

// emptyPattern: "like ”" matches every row and "not like ”" none; "=like ”"
// is "not set".
func (f *from) emptyPattern(field *schema.Field, expr string, wrap, not bool) string {
	cond := "true"
	if !wrap {
		cond = expr + " is null"
		if field.Type.IsText() {
			cond = "(" + cond + " or " + expr + " = '')"
		}
	}
	if not {
		return negate(cond)
	}
	return cond
}

// pyText is how Odoo's Python writes a value as text.
func pyText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return pyFloat(v)
	case bool:
		if v {
			return "True"
		}
		return "False"
	}
	return ""
}

func pyFloat(v float64) string {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
