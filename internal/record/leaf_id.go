package record

import (
	"strconv"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/schema"
)

// The id of a record is compared as the database does it, without Odoo's
// conversions: with numbers of any kind, and with texts that are whole ones.

// memberID renders "in" on the id. Every record has one: false is no member.
func (f *from) memberID(field *schema.Field, expr string, not bool, list []any) (string, error) {
	var ids []int64
	left := false
	for _, v := range pySet(list) {
		if v == false {
			continue
		}
		left = true
		if v == nil {
			continue
		}
		n, err := idNumber(field, v)
		if err != nil {
			return "", err
		}
		if n == float64(int64(n)) {
			ids = append(ids, int64(n))
		}
	}
	cond := never
	switch {
	case !left:
		cond = "false"
	case len(ids) > 0:
		cond = f.c.inInts(expr, ids)
	}
	if not {
		return negate(cond), nil
	}
	return cond, nil
}

// compareID renders an inequality of the id.
func (f *from) compareID(field *schema.Field, expr string, op domain.Op, value any) (string, error) {
	n, err := idNumber(field, value)
	if whole := int64(n); err == nil && n == float64(whole) {
		return expr + " " + string(op) + " cast(" + f.c.arg(whole) + " as bigint)", nil
	}
	return expr + " " + string(op) + " cast(" + f.c.arg(n) + " as double precision)", err
}

func idNumber(field *schema.Field, v any) (float64, error) {
	switch v := v.(type) {
	case int64:
		return float64(v), nil
	case float64:
		return v, nil
	case string:
		text := strings.Trim(v, " \t\n\r\v\f")
		if n, err := strconv.ParseInt(text, 10, 32); err == nil {
			return float64(n), nil
		}
	case map[string]any:
		return 0, staged(storeStage, backend.CannotProve(backend.ValueShape, field.Name, "an object"))
	}
	return 0, staged(storeStage, badOperand(field, "expected a whole number"))
}
