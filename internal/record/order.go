package record

import (
	"regexp"
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

var orderTerm = regexp.MustCompile(`^([a-z_][a-z0-9_]*)(?:\.([a-z_]+))?(?:\s+(asc|desc))?(?:\s+nulls\s+(first|last))?$`)

// orderBy renders "field desc, other" as an ORDER BY list; the empty order is
// the model's own (semantics, section 8).
func (f *from) orderBy(order string) (string, error) {
	terms, err := f.orderTerms(order)
	return strings.Join(terms, ", "), err
}

// orderTerms is orderBy term by term.
func (f *from) orderTerms(order string) ([]string, error) {
	order = strings.TrimSpace(order)
	if order == "" || order == f.model.Order {
		own, err := f.c.ownOrder(f.model)
		if err != nil {
			return nil, err
		}
		order = own
	}
	return f.order(order, false, nil)
}

// order renders an order, reversed as a whole if asked. seen holds the
// many2one fields followed on the way, each of which is followed once.
func (f *from) order(order string, reverse bool, seen []*schema.Field) ([]string, error) {
	var terms []string
	for _, text := range strings.Split(order, ",") {
		some, isProperty, err := f.orderProperty(strings.TrimSpace(text), reverse)
		if !isProperty {
			some, err = f.orderOne(strings.TrimSpace(text), reverse, seen)
		}
		if err != nil {
			return nil, err
		}
		terms = append(terms, some...)
	}
	return terms, nil
}

func (f *from) orderOne(text string, reverse bool, seen []*schema.Field) ([]string, error) {
	parts := orderTerm.FindStringSubmatch(lowerKeywords(text))
	if parts == nil {
		return nil, fault.Newf(fault.BadRequest, "Invalid order term %q: write a field, then asc or desc, e.g. order=name asc, id desc", backend.Shorten(text)).
			With(fault.FieldErrors{"order": "invalid term"})
	}
	field, err := f.c.field(f.model, parts[1], "order")
	if err != nil {
		return nil, err
	}
	desc := (parts[3] == "desc") != reverse
	nulls := parts[4]
	if nulls != "" && reverse {
		nulls = map[string]string{"first": "last", "last": "first"}[nulls]
	}
	if field.Type == schema.Many2one && parts[2] == "" {
		return f.orderRef(field, desc, nulls, seen)
	}
	if isTime := field.Type == schema.Date || field.Type == schema.Datetime; isTime && parts[2] != "" {
		return f.orderPart(field, parts[2], desc, nulls)
	}
	if parts[2] != "" && (parts[2] != "id" || !field.Type.IsRelational()) {
		return nil, fault.Newf(fault.BadRequest, "Cannot order by %s.%s: %s of %s is no relation and no date", field.Name, parts[2], field.Name, f.model.Name)
	}
	if field.Type.IsX2many() || field.Type == schema.Binary || field.Type == schema.Properties {
		return nil, fault.Newf(fault.BadRequest, "Cannot order by the field %s of %s", field.Name, f.model.Name)
	}
	if shownOnly(field) {
		return nil, f.notOrdered(field)
	}
	expr, err := f.value(field)
	if err != nil {
		return nil, err
	}
	return f.orderTerm(expr, field, desc, nulls), nil
}

func (f *from) orderTerm(expr string, field *schema.Field, desc bool, nulls string) []string {
	terms := schema.OrderTerm(f.c.d, expr, field, desc, false)
	if nulls != "" {
		terms = []string{terms[len(terms)-1] + " nulls " + nulls}
	}
	return terms
}

// orderPart orders by a part of a date, such as create_date.month_number.
func (f *from) orderPart(field *schema.Field, part string, desc bool, nulls string) ([]string, error) {
	if !slices.Contains(sqldb.DateParts(), part) {
		return nil, fault.Newf(fault.BadRequest, "Cannot order by %s.%s: parts of a date are %s", field.Name, part,
			strings.Join(sqldb.DateParts(), ", "))
	}
	expr, err := f.value(field)
	if err != nil {
		return nil, err
	}
	tz := f.c.actor.tz
	if field.Type == schema.Date {
		tz = ""
	}
	number := &schema.Field{Name: part, Type: schema.Integer, Model: f.model}
	return f.orderTerm(f.c.d.DatePart(part, expr, tz), number, desc, nulls), nil
}

// orderRef orders by a many2one through the default order of its target,
// reversed as a whole for desc.
func (f *from) orderRef(field *schema.Field, desc bool, nulls string, seen []*schema.Field) ([]string, error) {
	for _, s := range seen {
		if s == field {
			return nil, nil
		}
	}
	target := f.c.reg.Model(field.Relation)
	if target == nil {
		return nil, notReadable(field)
	}
	up := f
	for field.Inherited {
		up = up.parent(up.model.Field(field.Related[0]))
		field = up.model.Field(field.Related[1])
	}
	if !field.HasColumn() {
		return nil, notReadable(field)
	}
	link, err := up.value(field)
	if err != nil {
		return nil, err
	}
	if target.Order == "id" {
		return f.orderTerm(link, field, desc, nulls), nil
	}
	own, err := f.c.ownOrder(target)
	if err != nil {
		return nil, err
	}
	next := up.parent(field)
	var terms []string
	_, err = next.sudo(func() (_ string, err error) {
		terms, err = next.order(own, desc, append(seen, field))
		return "", err
	})
	switch nulls { // of the link, whatever the target's own terms say
	case "first":
		terms = append([]string{"(" + link + " is not null)"}, terms...)
	case "last":
		terms = append([]string{"(" + link + " is null)"}, terms...)
	}
	return terms, err
}

// lowerKeywords folds the case of everything but the field name, which Odoo
// wants in lower case anyway.
func lowerKeywords(text string) string {
	words := strings.Fields(text)
	for i := 1; i < len(words); i++ {
		words[i] = strings.ToLower(words[i])
	}
	return strings.Join(words, " ")
}
