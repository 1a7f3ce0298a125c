package record

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// Properties are values in a column by name; what they are is described by
// another record, and conditions do not ask for it (semantics, section 10).

var propertyName = regexp.MustCompile(`^[a-z0-9_]{1,512}$`)

// leafProperty renders a condition on the property with a name.
func (f *from) leafProperty(l *domain.Leaf, field *schema.Field, name string) (string, error) {
	cond, err := f.property(l, field, name)
	if err != nil {
		return "", atLeaf(l, err)
	}
	return cond, nil
}

func (f *from) property(l *domain.Leaf, field *schema.Field, name string) (string, error) {
	op, value := l.Op, l.Value
	if op == domain.OpEqMaybe {
		if isFalsy(nil, value) {
			return "true", nil
		}
		op = domain.OpEq
	}
	switch op {
	case domain.OpChildOf, domain.OpParentOf:
		if value == nil || value == false {
			return "false", nil
		}
		return "", badOperand(field, "is no relation: "+string(op)+" needs one")
	case domain.OpAny, domain.OpNotAny:
		return "", badOperand(field, "is no relation: "+string(op)+" needs one")
	}
	op, value = setForm(op, value)
	op, value, constant, err := settle(field, op, value)
	if constant != "" || err != nil {
		return constant, err
	}
	expr, err := f.propertyValue(field, name)
	if err != nil {
		return "", err
	}
	switch {
	case op == domain.OpIn || op == domain.OpNotIn:
		return f.propertyMember(expr, op == domain.OpNotIn, listOf(value))
	case op.IsPattern():
		text := &schema.Field{Name: name, Type: schema.Selection, Model: field.Model}
		return f.pattern(text, f.c.d.JSONPlain(expr), op, value)
	}
	return f.propertyCompare(field, expr, op, value)
}

// propertyValue is the JSON value of a property; NULL where the record has none.
func (f *from) propertyValue(field *schema.Field, name string) (string, error) {
	switch {
	case name == "":
		return "", fault.Newf(fault.BadRequest, "Missing property name for %s.%s", field.Model.Name, field.Name)
	case !propertyName.MatchString(name):
		return "", fault.Newf(fault.BadRequest, "Wrong name of a property: %s", strconv.Quote(backend.Shorten(name)))
	case !field.Store && !field.Inherited:
		return "", notReadable(field)
	}
	column, err := f.value(field)
	return f.c.d.JSONGet(column, name), err
}

// propertyMember renders "in". False is what is not set; true, alone, what is
// set to anything else, whatever the property's type. One value may also be one
// of several that the property has.
func (f *from) propertyMember(expr string, not bool, list []any) (string, error) {
	values := pySet(list)
	unset := slices.ContainsFunc(values, isPyFalse)
	if len(values) == 1 && isPyTrue(values[0]) {
		not, unset, values = !not, true, nil
	}
	if unset {
		values = slices.DeleteFunc(values, func(v any) bool { return isFalsy(nil, v) })
	}
	d := f.c.d
	same := func(v string) string { return d.JSONOrder(expr) + " = " + d.JSONOrder(d.JSONValue(v)) }
	var either []string
	if unset {
		either = append(either, same("'false'"), expr+" is null")
	}
	encoded, err := json.Marshal(values)
	if err != nil {
		return "", fault.Newf(fault.BadRequest, "Invalid domain: a value that no property can have").Because(err)
	}
	switch len(values) {
	case 0:
	case 1:
		one := string(encoded[1 : len(encoded)-1])
		either = append(either, same(f.c.arg(one)), d.JSONContains(expr, d.JSONValue(f.c.arg(string(encoded)))))
	default:
		either = append(either, d.JSONContains(d.JSONValue(f.c.arg(string(encoded))), expr))
	}
	cond := "(" + strings.Join(either, " or ") + ")"
	if not {
		return "(not " + cond + ")", nil // not for what has no value: that is unknown
	}
	return cond, nil
}

// propertyCompare renders an inequality: texts compare with the value as text,
// others as JSON values do.
func (f *from) propertyCompare(field *schema.Field, expr string, op domain.Op, value any) (string, error) {
	d := f.c.d
	if value == nil {
		value = false
	}
	switch v := value.(type) {
	case string:
		return d.TextOrder(d.JSONPlain(expr)) + " " + string(op) + " " + f.c.arg(v), noNUL(field, v)
	case bool, int64, float64:
		encoded, err := json.Marshal(v)
		return d.JSONOrder(expr) + " " + string(op) + " " + d.JSONOrder(d.JSONValue(f.c.arg(string(encoded)))), err
	}
	return "", backend.CannotProve(backend.ValueShape, field.Model.Name+"."+field.Name, "a list compared with "+string(op))
}

var propertyTerm = regexp.MustCompile(`^([a-z0-9_]+)\.([a-z0-9_]+)(?:\s+(asc|desc))?(?:\s+nulls\s+(first|last))?$`)

// orderProperty orders by a property, as JSON values do; false where the term
// is no such thing.
func (f *from) orderProperty(text string, reverse bool) ([]string, bool, error) {
	parts := propertyTerm.FindStringSubmatch(lowerKeywords(text))
	if parts == nil {
		return nil, false, nil
	}
	if field := f.model.Field(parts[1]); field == nil || field.Type != schema.Properties {
		return nil, false, nil
	}
	field, err := f.c.field(f.model, parts[1], "order")
	if err != nil {
		return nil, true, err
	}
	expr, err := f.propertyValue(field, parts[2])
	if err != nil {
		return nil, true, err
	}
	nulls := parts[4]
	if nulls != "" && reverse {
		nulls = map[string]string{"first": "last", "last": "first"}[nulls]
	}
	plain := &schema.Field{Name: parts[2], Type: schema.JSON, Model: f.model}
	return f.orderTerm(f.c.d.JSONOrder(expr), plain, (parts[3] == "desc") != reverse, nulls), true, nil
}

// leafJSON knows only whether a JSON value is there.
func (f *from) leafJSON(field *schema.Field, op domain.Op, value any) (string, error) {
	if field.PythonSearch {
		return "", backend.CannotProve(backend.PythonSearch, field.Model.Name+"."+field.Name, "")
	}
	op, value, constant, err := settle(field, op, value)
	if constant != "" || err != nil {
		return constant, err
	}
	isValue := func(v any) bool { return v != nil && v != false }
	if (op != domain.OpIn && op != domain.OpNotIn) || slices.ContainsFunc(listOf(value), isValue) {
		return "", backend.CannotProve(backend.ValueShape, field.Model.Name+"."+field.Name, "a JSON value in a domain")
	}
	expr, err := f.value(field)
	if op == domain.OpIn {
		return expr + " is null", err
	}
	return expr + " is not null", err
}
