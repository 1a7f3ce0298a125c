package record

import (
	"cmp"
	"math"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// comodel is the model a relational field leads to.
func (c *compiler) comodel(field *schema.Field) (*schema.Model, error) {
	m := c.reg.Model(field.Relation)
	if m == nil {
		return nil, fault.Newf(fault.BadRequest, "The field %s leads to the model %s, which does not exist here", field.Name, field.Relation)
	}
	return m, nil
}

// any renders "field any (domain)": there is a related record that matches and
// that the caller may see.
func (f *from) any(field *schema.Field, inner domain.Node) (string, error) {
	c := f.c
	if !field.Store && len(field.Related) > 1 && !field.Inherited {
		return f.leafRelated(&domain.Leaf{Path: field.Name, Op: domain.OpAny, Value: inner, Pos: -1}, field)
	}
	target, err := c.comodel(field)
	if err != nil {
		return "", err
	}
	if err := c.searchable(target); err != nil {
		return "", err
	}
	if field.Type.IsX2many() {
		if inner, err = c.x2manyDomain(target, field, inner); err != nil {
			return "", err
		}
	}
	sub := c.from(target)
	cond, err := sub.where(inner)
	if cond == "false" || isOpen(err) || err != nil && stageOf(err) < queryStage {
		return cond, err // nobody has asked for rights yet
	}
	if field.NoRules {
		if err != nil {
			return "", err
		}
		return f.linked(field, sub, cond)
	}
	if refused := c.allowed(target.Name); refused != nil || err != nil {
		return "", cmp.Or(refused, err)
	}
	rules, err := sub.rules(schema.Read)
	if err != nil {
		return "", err
	}
	return f.linked(field, sub, conj(cond, rules))
}

// x2manyDomain adds what the field itself shows: its own domain, and archived
// records only if asked for.
func (c *compiler) x2manyDomain(target *schema.Model, field *schema.Field, inner domain.Node) (domain.Node, error) {
	if field.PythonDomain {
		return nil, backend.CannotProve(backend.PythonDomain, field.Model.Name+"."+field.Name, "")
	}
	if field.Domain != "" {
		own, err := domain.Parse(field.Domain, domain.Limits{})
		if err != nil {
			return nil, backend.CannotProve(backend.PythonDomain, field.Model.Name+"."+field.Name, err.Error())
		}
		inner = domain.Conj(own, inner)
	}
	if field.KeepArchived {
		return inner, nil
	}
	was := c.keepArchived
	c.keepArchived = was && !field.OnlyActive
	defer func() { c.keepArchived = was }()
	return c.withActive(target, withoutTrivial(target, inner)), nil
}

// withoutTrivial drops conditions on the active field of which nothing is left:
// inside a path Odoo does so before it looks whether archived records are asked
// for.
func withoutTrivial(m *schema.Model, n domain.Node) domain.Node {
	switch n := n.(type) {
	case domain.And:
		return domain.Conj(allWithoutTrivial(m, n)...)
	case domain.Or:
		return domain.Disj(allWithoutTrivial(m, n)...)
	case domain.Not:
		return domain.Neg(withoutTrivial(m, n.Child))
	case *domain.Leaf:
		if field := m.Field(n.Path); n.Path == m.ActiveName && field != nil {
			return trivial(n, field)
		}
	}
	return n
}

func allWithoutTrivial(m *schema.Model, nodes []domain.Node) []domain.Node {
	kept := make([]domain.Node, len(nodes))
	for i, child := range nodes {
		kept[i] = withoutTrivial(m, child)
	}
	return kept
}

// trivial is the constant that a condition on a boolean comes to, or itself.
func trivial(l *domain.Leaf, field *schema.Field) domain.Node {
	cond, err := formed(l, field)
	op, value := l.Op, l.Value
	if op == domain.OpEqMaybe {
		op = domain.OpEq
	}
	op, value = setForm(op, value)
	if list := listOf(value); err == nil && cond == "" && (op == domain.OpIn || op == domain.OpNotIn) {
		yes, no := false, false
		for _, v := range list {
			yes, no = yes || truth(v), no || !truth(v)
		}
		if yes && no {
			return domain.Const(op == domain.OpIn)
		}
	}
	switch cond {
	case "true", "false":
		return domain.Const(cond == "true")
	}
	return l
}

// linked renders "a record of sub that cond accepts is linked by the field".
func (f *from) linked(field *schema.Field, sub *from, cond string) (string, error) {
	switch {
	case field.Type == schema.Many2one:
		link, err := f.value(field)
		if err != nil {
			return "", err
		}
		return "exists (select 1 from " + sub.sql() + " where " + sub.alias + ".id = " + link + andAlso(cond) + ")", nil
	case field.Type == schema.One2many && f.c.reg.Model(field.Relation).Field(field.Inverse) != nil:
		return "exists (select 1 from " + sub.sql() + " where " + sub.alias + "." + quote(field.Inverse) +
			" = " + f.alias + ".id" + f.reverseModel(sub, field) + andAlso(cond) + ")", nil
	case field.Type == schema.Many2many && field.Store:
		r := f.c.alias()
		return "exists (select 1 from " + sub.through(field.RelTable, r, field.Column2) + " where " + r + "." +
			quote(field.Column1) + " = " + f.alias + ".id" + andAlso(cond) + ")", nil
	}
	return "", notReadable(field)
}

// reverseModel restricts a one2many over a many2one_reference to this model.
func (f *from) reverseModel(sub *from, field *schema.Field) string {
	inverse := sub.model.Field(field.Inverse)
	if inverse == nil || inverse.Type != schema.Many2oneReference {
		return ""
	}
	for _, name := range []string{"res_model", "model"} {
		if sub.model.Field(name) != nil {
			return " and " + sub.alias + "." + name + " = " + quoteText(f.model.Name)
		}
	}
	return ""
}

func andAlso(cond string) string {
	if cond == "true" {
		return ""
	}
	return " and (" + cond + ")"
}

// exists renders "something is linked by the field", whoever may see it.
func (f *from) exists(field *schema.Field, cond string) string {
	if field.Type == schema.Many2one {
		expr, err := f.value(field)
		if err != nil {
			return "false"
		}
		return expr + " is not null"
	}
	target := f.c.reg.Model(field.Relation)
	if target == nil {
		return "false"
	}
	out, err := f.linked(field, f.c.from(target), cond)
	if err != nil {
		return "false"
	}
	return out
}

// leafAny renders any and not any with a domain as their value.
func (f *from) leafAny(l *domain.Leaf, field *schema.Field) (string, error) {
	inner, isDomain := l.Value.(domain.Node)
	if field.Name == "id" && isDomain {
		return f.leafSelf(l, inner)
	}
	if !field.Type.IsRelational() {
		return "", fault.Newf(fault.BadRequest, "Invalid domain: %q needs a relation, but %s is of type %s", l.Op, field.Name, field.Type)
	}
	if !isDomain {
		return "", fault.Newf(fault.BadRequest, "Invalid domain: %q on %s needs a domain as its value", l.Op, field.Name)
	}
	cond, err := f.any(field, inner)
	if err != nil || l.Op == domain.OpAny {
		return cond, err
	}
	return negate(cond), nil
}

// leafSelf renders "id any (domain)": the record itself is found by a search.
func (f *from) leafSelf(l *domain.Leaf, inner domain.Node) (string, error) {
	sub := f.c.from(f.model)
	cond, err := sub.search(inner)
	if err != nil {
		return "", err
	}
	cond = "exists (select 1 from " + sub.sql() + " where " + sub.alias + ".id = " + f.alias + ".id" + andAlso(cond) + ")"
	if l.Op == domain.OpNotAny {
		return negate(cond), nil
	}
	return cond, nil
}

// refOperands are the values of a relational condition.
type refOperands struct {
	ids   []int64
	texts []any // to search names with
	// unset says that false is among them; null, that null is; zero, that 0 is.
	unset, null, zero bool
}

// refValues splits the values of a relational condition. As in Python, false
// and 0 are one value, and so are true and 1; what comes first stays.
func refValues(field *schema.Field, list []any) (refOperands, error) {
	var r refOperands
	for _, v := range pySet(list) {
		switch v := v.(type) {
		case nil:
			r.null = true
		case bool:
			if v {
				return r, staged(storeStage, badOperand(field, "expected an id, a name or false, found true"))
			}
			r.unset = true
		case int64:
			r.zero = r.zero || v == 0
			if v > 0 && v <= math.MaxInt32 { // no record has another id
				r.ids = append(r.ids, v)
			}
		case float64:
			r.zero = r.zero || v == 0
			if v == math.Trunc(v) && v > 0 && v <= math.MaxInt32 {
				r.ids = append(r.ids, int64(v))
			}
		case string:
			r.texts = append(r.texts, v)
		default:
			return r, badOperand(field, "expected ids or names")
		}
	}
	return r, nil
}

// leafRef renders a condition on a many2one: by id, by name, or set or not.
func (f *from) leafRef(field *schema.Field, op domain.Op, value any) (string, error) {
	switch op {
	case domain.OpIn, domain.OpNotIn:
		return f.memberRef(field, op == domain.OpNotIn, listOf(value))
	case domain.OpLt, domain.OpGt, domain.OpLe, domain.OpGe:
		return f.compareRef(field, op, value)
	}
	if set, decided := patternOnSet(op, value); decided {
		expr, err := f.value(field)
		if !set {
			return expr + " is null", err
		}
		return expr + " is not null", err
	}
	return f.byName(field, op, value)
}

// compareRef compares the id of a many2one. Whatever is empty is the database's
// NULL, which compares with nothing.
func (f *from) compareRef(field *schema.Field, op domain.Op, value any) (string, error) {
	expr, err := f.value(field)
	if err != nil {
		return "", err
	}
	switch v := value.(type) {
	case int64:
		if v != 0 {
			return expr + " " + string(op) + " cast(" + f.c.arg(v) + " as bigint)", nil
		}
	case float64:
		if v != 0 {
			return expr + " " + string(op) + " cast(" + f.c.arg(v) + " as double precision)", nil
		}
	}
	if !isFalsy(nil, value) || value == "" {
		return "", staged(storeStage, badOperand(field, "compares only with ids"))
	}
	return never, nil
}

// byName searches the target's display name; a negative operator is the
// complement, which includes what is not set.
func (f *from) byName(field *schema.Field, op domain.Op, value any) (string, error) {
	positive := op
	if op.Negative() {
		positive, _ = op.Negate()
	}
	cond, err := f.any(field, &domain.Leaf{Path: "display_name", Op: positive, Value: value, Pos: -1})
	if err != nil || positive == op {
		return cond, err
	}
	return negate(cond), nil
}

// memberRef renders "in" on a many2one. The id 0 is the database's NULL to
// Odoo: nothing is equal to it, and nothing is known to differ from it.
func (f *from) memberRef(field *schema.Field, not bool, list []any) (string, error) {
	r, err := refValues(field, list)
	if err != nil {
		return "", err
	}
	expr, err := f.value(field)
	if err != nil {
		return "", err
	}
	unset := r.unset || r.null
	switch {
	case not && r.zero && unset:
		return never, nil
	case not && r.zero && len(r.texts) == 0:
		return expr + " is null", nil
	case not && r.zero:
		cond, err := f.orNamed(field, "false", r.texts, true)
		return conj(expr+" is null", cond), err
	case not && len(r.ids) == 1 && !unset && len(r.texts) == 0:
		return expr + " <> " + f.c.arg(r.ids[0]) + " or " + expr + " is null", nil
	}
	cond := "false"
	if len(r.ids) > 0 {
		cond = f.c.inInts(expr, r.ids)
	}
	if unset {
		cond = disj(cond, expr+" is null")
	}
	return f.orNamed(field, cond, r.texts, not)
}

// leafX2many renders a condition on a list of records. By id archived targets
// count too, "= false" means that nothing at all is linked.
func (f *from) leafX2many(field *schema.Field, op domain.Op, value any) (string, error) {
	if !field.Store && len(field.Related) > 0 {
		return f.leafRelated(&domain.Leaf{Path: field.Name, Op: op, Value: value, Pos: -1}, field)
	}
	switch op {
	case domain.OpIn, domain.OpNotIn:
		return f.memberX2many(field, op == domain.OpNotIn, listOf(value))
	case domain.OpLt, domain.OpGt, domain.OpLe, domain.OpGe:
		return "", badOperand(field, "cannot be compared with "+string(op))
	}
	if set, decided := patternOnSet(op, value); decided {
		cond := f.exists(field, "true")
		if !set {
			return negate(cond), nil
		}
		return cond, nil
	}
	return f.byName(field, op, value)
}

// patternOnSet says whether a pattern only asks if a relation is set at all:
// "ilike ”" does, and "=like false" asks if it is not.
func patternOnSet(op domain.Op, value any) (set, decided bool) {
	exact := op == domain.OpEqLike || op == domain.OpEqILike || op == domain.OpNotEqLike || op == domain.OpNotEqILike
	if !isFalsy(nil, value) {
		return false, false
	}
	return op.Negative() == exact, true
}

// memberX2many renders "in" on a list of records. Here 0 means false, and null
// is an id that no record has.
func (f *from) memberX2many(field *schema.Field, not bool, list []any) (string, error) {
	r, err := refValues(field, list)
	if err != nil {
		return "", err
	}
	cond := "false"
	if len(r.ids) > 0 {
		target, err := f.c.comodel(field)
		if err != nil {
			return "", err
		}
		sub := f.c.from(target)
		if cond, err = f.linked(field, sub, f.c.inInts(sub.alias+".id", r.ids)); err != nil {
			return "", err
		}
	}
	if r.unset || r.zero {
		cond = disj(cond, negate(f.exists(field, "true")))
	}
	return f.orNamed(field, cond, r.texts, not)
}

// sudoFields compiles a part that may use fields the caller may not name.
func (f *from) sudoFields(part func() (string, error)) (string, error) {
	was := f.c.sudo
	f.c.sudo = true
	defer func() { f.c.sudo = was }()
	return part()
}

// orNamed completes a membership: a target by one of these names counts too;
// not turns the whole around.
func (f *from) orNamed(field *schema.Field, cond string, names []any, not bool) (string, error) {
	if cond == "false" && len(names) == 0 {
		cond = never
	}
	if len(names) > 0 {
		named, err := f.any(field, &domain.Leaf{Path: "display_name", Op: domain.OpIn, Value: names, Pos: -1})
		if err != nil {
			return "", err
		}
		cond = disj(cond, named)
	}
	if not {
		return negate(cond), nil
	}
	return cond, nil
}
