package record

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// scalar renders a condition on an expression of a plain type.
func (f *from) scalar(field *schema.Field, expr string, op domain.Op, value any) (string, error) {
	switch op {
	case domain.OpIn, domain.OpNotIn:
		return f.member(field, expr, op == domain.OpNotIn, listOf(value))
	case domain.OpLt, domain.OpGt, domain.OpLe, domain.OpGe:
		return f.compare(field, expr, op, value)
	}
	return f.pattern(field, expr, op, value)
}

// member renders "in": NULL and the falsy value of the type are one; what is
// not set is a member if a falsy value is in the list.
func (f *from) member(field *schema.Field, expr string, not bool, list []any) (string, error) {
	list = pySet(list)
	switch field.Type {
	case schema.Boolean:
		return f.memberBool(expr, not, list), nil
	case schema.Date, schema.Datetime:
		return f.memberTime(field, expr, not, list)
	}
	if field.Name == "id" {
		return f.memberID(field, expr, not, list)
	}
	values, unset, err := f.operands(field, list)
	if err != nil {
		return "", err
	}
	cond := f.inValues(field, expr, values)
	if unset {
		cond = disj(cond, expr+" is null")
	}
	if !not {
		return cond, nil
	}
	if unset || cond == "true" || cond == "false" {
		return negate(cond), nil
	}
	return f.notInValues(field, expr, values) + " or " + expr + " is null", nil
}

// operands are the values of "in" as the field's type has them, its falsy value
// among them if unset says that one of them stands for what is not set.
func (f *from) operands(field *schema.Field, list []any) (values []any, unset bool, err error) {
	falsy, hasFalsy := field.Type.Falsy()
	for _, v := range list {
		if meansUnset(field, v) {
			unset = true
			continue
		}
		if _, isText := v.(string); field.Type == schema.HTML && !isText {
			return nil, false, staged(storeStage, badOperand(field, "compares only with texts"))
		}
		v, inRange, err := f.operand(field, v)
		if err != nil {
			return nil, false, err
		}
		if inRange && hasFalsy && v == falsy && field.Type != schema.Monetary { // 0.4 in an integer field
			unset = true
		} else if inRange {
			values = append(values, v)
		}
	}
	if unset && hasFalsy {
		values = append(values, falsy)
	}
	return values, unset, nil
}

// meansUnset says whether an operand of "in" stands for what is not set. Odoo
// compares an amount by how it is written: 0.0 is no amount, 0 is a number.
func meansUnset(field *schema.Field, v any) bool {
	if field.Type == schema.Monetary {
		_, whole := v.(int64)
		return !whole && (isFalsy(field, v) || v == "0.0")
	}
	return isFalsy(field, v)
}

func (f *from) inValues(field *schema.Field, expr string, values []any) string {
	switch len(values) {
	case 0:
		return never
	case 1:
		return expr + " = " + f.typedArg(field, values[0])
	}
	if ints, ok := allInts(values); ok {
		return f.c.inInts(expr, ints)
	}
	if texts, ok := allTexts(values); ok {
		return f.c.d.In(expr, f.c.arg(texts), false)
	}
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = f.typedArg(field, v)
	}
	return expr + " in (" + strings.Join(marks, ", ") + ")"
}

func (f *from) notInValues(field *schema.Field, expr string, values []any) string {
	if len(values) == 1 {
		return expr + " <> " + f.typedArg(field, values[0])
	}
	return "not (" + f.inValues(field, expr, values) + ")"
}

// typedArg is an argument that compares as the field's type, whatever the
// expression beside it is.
func (f *from) typedArg(field *schema.Field, v any) string {
	switch field.Type {
	case schema.Float, schema.Monetary:
		return "cast(" + f.c.arg(v) + " as double precision)"
	case schema.Integer, schema.Many2oneReference:
		return "cast(" + f.c.arg(v) + " as integer)"
	}
	return f.c.arg(v)
}

func allInts(values []any) ([]int64, bool) {
	ints := make([]int64, len(values))
	for i, v := range values {
		n, ok := v.(int64)
		if !ok {
			return nil, false
		}
		ints[i] = n
	}
	return ints, true
}

func allTexts(values []any) ([]string, bool) {
	texts := make([]string, len(values))
	for i, v := range values {
		s, ok := v.(string)
		if !ok {
			return nil, false
		}
		texts[i] = s
	}
	return texts, true
}

func (f *from) memberBool(expr string, not bool, list []any) string {
	var yes, no bool
	for _, v := range list {
		if truth(v) {
			yes = true
		} else {
			no = true
		}
	}
	cond := "false"
	switch {
	case yes && no:
		cond = "true"
	case yes:
		cond = expr + " = true"
	case no:
		cond = expr + " is not true"
	}
	if !not {
		return cond
	}
	switch {
	case yes && !no:
		return expr + " is not true"
	case no && !yes:
		return expr + " = true"
	}
	return negate(cond)
}

// truth reads a boolean operand; of texts only a few words are true.
func truth(v any) bool {
	if s, ok := v.(string); ok {
		switch strings.ToLower(s) {
		case "y", "yes", "1", "true", "t", "on":
			return true
		}
		return false
	}
	return !isFalsy(nil, v)
}

// operand converts a value of a domain to the type it is compared with. A
// number that the type cannot hold matches nothing and is not in range.
func (f *from) operand(field *schema.Field, v any) (out any, inRange bool, err error) {
	switch field.Type {
	case schema.Integer, schema.Many2oneReference:
		return f.intOperand(field, v)
	case schema.Monetary: // goes to the database as it is
		if v == "" || v == true {
			return nil, false, staged(storeStage, badOperand(field, "expected an amount"))
		}
		x, err := f.floatOperand(field, v)
		return x, true, staged(storeStage, err)
	case schema.Float:
		x, err := f.floatOperand(field, v)
		return x, true, err
	}
	text := pyText(v)
	if field.Size > 0 && field.Type == schema.Char && utf8.RuneCountInString(text) > field.Size {
		text = string([]rune(text)[:field.Size]) // as it would be kept
	}
	return text, true, noNUL(field, text)
}

// htmlOperand is a value as an html field would keep it: inequalities take it
// so. What has markup of its own would go through Odoo's cleaner first.
func htmlOperand(field *schema.Field, v any) (string, error) {
	text, isText := v.(string)
	switch {
	case !isText:
		return "<p>Unknown error when sanitizing</p>", nil
	case text == "":
		return "", nil
	case strings.ContainsAny(text, "<>&\r\n\x00") || strings.TrimSpace(text) != text:
		return "", backend.CannotProve(backend.ValueShape, field.Name, "html")
	}
	return "<p>" + text + "</p>", nil
}

func (f *from) intOperand(field *schema.Field, v any) (any, bool, error) {
	switch v := v.(type) {
	case int64:
		return v, v <= math.MaxInt32 && v >= math.MinInt32, nil
	case float64:
		t := math.Trunc(v)
		if math.Abs(t) > math.MaxInt32 {
			return int64(0), false, nil
		}
		return int64(t), true, nil
	case bool:
		return int64(1), true, nil
	case string:
		if v == "" {
			return int64(0), true, nil
		}
		n, err := pyInt(v)
		if err != nil && !isASCII(v) {
			return nil, false, backend.CannotProve(backend.ValueShape, field.Name, "a number in other digits")
		}
		if err != nil {
			return nil, false, badOperand(field, "expected a whole number, found "+strconv.Quote(backend.Shorten(v)))
		}
		return n, n <= math.MaxInt32 && n >= math.MinInt32, nil
	}
	return nil, false, badOperand(field, "expected a whole number")
}

func (f *from) floatOperand(field *schema.Field, v any) (float64, error) {
	var x float64
	switch v := v.(type) {
	case int64:
		x = float64(v)
	case float64:
		x = v
	case bool:
		if v {
			x = 1
		}
	case string:
		var err error
		if x, err = textFloat(field, v); err != nil {
			return 0, err
		}
	case nil:
	default:
		return 0, badOperand(field, "expected a number")
	}
	if field.Type == schema.Float && field.Scale >= 0 {
		x = schema.Round(x, field.Scale)
	}
	return x, nil
}

// textFloat reads a number as Python's float does.
func textFloat(field *schema.Field, text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	x, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	switch {
	case !isASCII(text) || err == nil && (math.IsInf(x, 0) || math.IsNaN(x)) || strings.Contains(text, "_"):
		return 0, backend.CannotProve(backend.ValueShape, field.Name, "an odd number")
	case err != nil || strings.ContainsAny(text, "xX"):
		return 0, badOperand(field, "expected a number, found "+strconv.Quote(backend.Shorten(text)))
	}
	return x, nil
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
}

// compare renders an inequality. Where the type has a falsy value NULL counts
// as that value; elsewhere NULL never matches.
func (f *from) compare(field *schema.Field, expr string, op domain.Op, value any) (string, error) {
	switch field.Type {
	case schema.Boolean, schema.Binary, schema.JSON, schema.Properties:
		return "", badOperand(field, "cannot be compared with "+string(op))
	case schema.Date, schema.Datetime:
		return f.compareTime(field, expr, op, value)
	}
	if field.Name == "id" {
		return f.compareID(field, expr, op, value)
	}
	falsy, hasFalsy := field.Type.Falsy()
	value, err := f.comparand(field, value)
	if err != nil {
		return "", err
	}
	if value == nil || value == false {
		if !hasFalsy {
			return never, nil
		}
		value = falsy
	}
	v, inRange, err := f.operand(field, value)
	if field.Type == schema.Monetary { // here it is a number before the database sees it
		v, err = f.floatOperand(field, value)
		inRange = true
	}
	if err != nil {
		return "", err
	}
	if !inRange {
		expr, v = "cast("+expr+" as bigint)", clampInt(value)
	}
	mark := f.c.arg(v)
	if field.Type.IsNumber() {
		sqlType := map[schema.Type]string{schema.Integer: "integer"}[field.Type]
		switch {
		case !inRange:
			sqlType = "bigint"
		case sqlType == "":
			sqlType = "double precision"
		}
		mark = "cast(" + mark + " as " + sqlType + ")"
	}
	if field.Type.IsText() || field.Type == schema.Selection {
		expr = f.c.d.TextOrder(expr)
	}
	cond := expr + " " + string(op) + " " + mark
	if hasFalsy && holds(falsy, op, v) {
		cond += " or " + expr + " is null"
	}
	return cond, nil
}

// comparand is the value of an inequality as the type of the field sees it: for
// numbers whatever is empty is 0, and an object is its id.
func (f *from) comparand(field *schema.Field, value any) (any, error) {
	object, isObject := value.(map[string]any)
	switch {
	case field.Type == schema.HTML:
		if isFalsy(nil, value) {
			return nil, nil
		}
		return htmlOperand(field, value)
	case !field.Type.IsNumber():
		return value, nil
	case isFalsy(nil, value):
		return nil, nil
	case isObject && field.Type == schema.Integer && object["id"] == nil:
		return nil, nil
	case value == true: // 1, also as an amount
		return int64(1), nil
	}
	return value, nil
}

func clampInt(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case float64:
		if v > 0 {
			return math.MaxInt64
		}
		return math.MinInt64
	case string:
		n, _ := pyInt(v) // checked by the caller
		return n
	}
	return 0
}

// holds says whether "falsy op v" is true.
func holds(falsy any, op domain.Op, v any) bool {
	var c int
	switch a := falsy.(type) {
	case string:
		b, _ := v.(string)
		c = strings.Compare(a, b)
	case int64:
		b, _ := v.(int64)
		c = int(min(1, max(-1, a-b)))
		if b == math.MinInt64 {
			c = 1
		}
	case float64:
		b, _ := v.(float64)
		switch {
		case a < b:
			c = -1
		case a > b:
			c = 1
		}
	}
	switch op {
	case domain.OpLt:
		return c < 0
	case domain.OpGt:
		return c > 0
	case domain.OpLe:
		return c <= 0
	}
	return c >= 0
}

func noNUL(field *schema.Field, s string) error {
	if strings.ContainsRune(s, 0) {
		return badOperand(field, "a text cannot contain a NUL character")
	}
	return nil
}

func badOperand(field *schema.Field, what string) error {
	return fault.Newf(fault.BadRequest, "Invalid domain: the field %s (%s) %s", field.Name, field.Type, what)
}
