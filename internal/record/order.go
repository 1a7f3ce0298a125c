package record

import (
	"regexp"
	"strings"

	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

var orderTerm = regexp.MustCompile(`^([a-z_][a-z0-9_]*)(\.id)?(?:\s+(asc|desc))?(?:\s+nulls\s+(first|last))?$`)

// orderBy renders "field desc, other" as an ORDER BY list; the empty order is
// the model's own (semantics, section 8).
func (f *from) orderBy(order string) (string, error) {
	order = strings.TrimSpace(order)
	if order == "" {
		return f.order(f.model.Order, false, nil)
	}
	return f.order(order, false, nil)
}

// order renders an order, reversed as a whole if asked. seen holds the
// many2one fields followed on the way, each of which is followed once.
func (f *from) order(order string, reverse bool, seen []*schema.Field) (string, error) {
	var terms []string
	for _, text := range strings.Split(order, ",") {
		term, err := f.orderOne(strings.TrimSpace(text), reverse, seen)
		if err != nil {
			return "", err
		}
		if term != "" {
			terms = append(terms, term)
		}
	}
	return strings.Join(terms, ", "), nil
}

func (f *from) orderOne(text string, reverse bool, seen []*schema.Field) (string, error) {
	parts := orderTerm.FindStringSubmatch(lowerKeywords(text))
	if parts == nil {
		return "", fault.Newf(fault.BadRequest, "Invalid order term %q: write a field, then asc or desc, e.g. order=name asc, id desc", shorten(text)).
			With(fault.FieldErrors{"order": "invalid term"})
	}
	field, err := f.c.field(f.model, parts[1], "order")
	if err != nil {
		return "", err
	}
	desc := (parts[3] == "desc") != reverse
	nulls := parts[4]
	if nulls != "" && reverse {
		nulls = map[string]string{"first": "last", "last": "first"}[nulls]
	}
	if field.Type == schema.Many2one && parts[2] == "" {
		return f.orderRef(field, desc, seen)
	}
	if parts[2] != "" && !field.Type.IsRelational() && field.Name != "id" {
		return "", fault.Newf(fault.BadRequest, "Cannot order by %s.id: the field %s of %s is no relation", field.Name, field.Name, f.model.Name)
	}
	if field.Type.IsX2many() || field.Type == schema.Binary || field.Type == schema.Properties {
		return "", fault.Newf(fault.BadRequest, "Cannot order by the field %s of %s", field.Name, f.model.Name)
	}
	if !field.Store && !field.Inherited && len(field.Related) == 0 && field.SQL == "" {
		return "", notReadable(field)
	}
	expr, err := f.value(field)
	if err != nil {
		return "", err
	}
	terms := schema.OrderTerm(f.c.d, expr, field, desc, false)
	if nulls != "" {
		terms = []string{terms[len(terms)-1] + " nulls " + nulls}
	}
	return strings.Join(terms, ", "), nil
}

// orderRef orders by a many2one through the default order of its target,
// reversed as a whole for desc.
func (f *from) orderRef(field *schema.Field, desc bool, seen []*schema.Field) (string, error) {
	for _, s := range seen {
		if s == field {
			return "", nil
		}
	}
	target := f.c.reg.Model(field.Relation)
	if target == nil {
		return "", notReadable(field)
	}
	up := f
	for field.Inherited {
		up = up.parent(up.model.Field(field.Related[0]))
		field = up.model.Field(field.Related[1])
	}
	if !field.HasColumn() {
		return "", notReadable(field)
	}
	if target.Order == "id" {
		return strings.Join(schema.OrderTerm(f.c.d, up.col(field), field, desc, false), ", "), nil
	}
	next := up.parent(field)
	return next.sudo(func() (string, error) { return next.order(target.Order, desc, append(seen, field)) })
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

func shorten(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}
