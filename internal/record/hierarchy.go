package record

import (
	"math"
	"slices"

	"gatehouse/internal/domain"
	"gatehouse/internal/schema"
)

// hierarchy renders child_of and parent_of. The walk is done as superuser and
// includes archived records (semantics, section 7).
func (f *from) hierarchy(field *schema.Field, op domain.Op, value any) (string, error) {
	down := op == domain.OpChildOf
	target, link, err := f.tree(field, op)
	if err != nil {
		return "", err
	}
	if isFalsy(nil, value) || value == "" {
		return "false", nil
	}
	if link == nil || link.Type != schema.Many2one || link.Relation != target.Name {
		return "", badOperand(field, "has no hierarchy: "+target.Name+" has no parent field")
	}
	start, err := f.roots(field, target, value)
	if err != nil || start.none() {
		return "false", err
	}
	if ids, known := f.c.walkCompanies(target, start, down); known && field.Name != "id" && field.Type == schema.Many2one {
		expr, err := f.value(field)
		return f.c.inInts(expr, ids), err
	}
	switch {
	case field.Name == "id" || (field.Type == schema.Many2one && target == f.model):
		return f.within(f.alias+".id", f.alias, target, link, start, down), nil
	case field.Type == schema.Many2one:
		expr, err := f.value(field)
		if err != nil {
			return "", err
		}
		sub := f.c.from(target)
		return "exists (select 1 from " + sub.sql() + " where " + sub.alias + ".id = " + expr + " and " +
			f.within(sub.alias+".id", sub.alias, target, link, start, down) + ")", nil
	}
	sub := f.c.from(target)
	return f.linked(field, sub, f.within(sub.alias+".id", sub.alias, target, link, start, down))
}

// tree is the model in whose hierarchy a condition looks, and its parent link.
func (f *from) tree(field *schema.Field, op domain.Op) (*schema.Model, *schema.Field, error) {
	if field.Name == "id" {
		return f.model, f.model.Field(f.model.ParentName), nil
	}
	if !field.Type.IsRelational() {
		return nil, nil, badOperand(field, "is no relation: "+string(op)+" needs one")
	}
	target, err := f.c.comodel(field)
	if err != nil {
		return nil, nil, err
	}
	if target == f.model && field.Type == schema.Many2one {
		return target, field, nil // the field itself is the hierarchy
	}
	return target, target.Field(target.ParentName), nil
}

// walkCompanies walks the tree of companies in memory: nearly every record
// rule does, and it changes so seldom that each change drops what was compiled.
func (c *compiler) walkCompanies(target *schema.Model, start roots, down bool) (ids []int64, known bool) {
	if !c.literals || target.Name != "res.company" || start.query != "" || c.companyParents == nil {
		return nil, false
	}
	for id := range c.companyParents {
		for _, root := range start.ids {
			from, to := id, root
			if !down {
				from, to = root, id
			}
			if c.below(from, to) {
				ids = append(ids, id)
				break
			}
		}
	}
	slices.Sort(ids)
	return ids, true
}

// below says whether a company is another one or hangs below it.
func (c *compiler) below(id, ancestor int64) bool {
	for steps := 0; id != 0 && steps <= len(c.companyParents); steps++ {
		if id == ancestor {
			_, exists := c.companyParents[id]
			return exists
		}
		id = c.companyParents[id]
	}
	return false
}

// roots reads the value of a hierarchy condition: ids, or names to search for.
func (f *from) roots(field *schema.Field, target *schema.Model, value any) (roots, error) {
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	var ids []int64
	var names []domain.Node
	for _, v := range list {
		switch v := v.(type) {
		case int64:
			if v > 0 && v <= math.MaxInt32 {
				ids = append(ids, v)
			}
		case string:
			names = append(names, &domain.Leaf{Path: "display_name", Op: domain.OpILike, Value: v, Pos: -1})
		case nil, bool:
			if v == true {
				return roots{}, badOperand(field, "expected ids or names")
			}
		default:
			return roots{}, badOperand(field, "expected ids or names")
		}
	}
	r := roots{ids: ids}
	if len(names) == 0 {
		return r, nil
	}
	if err := f.c.allowed(target.Name); err != nil {
		return roots{}, err
	}
	sub := f.c.from(target)
	cond, err := sub.search(domain.Disj(names...))
	if err != nil {
		return roots{}, err
	}
	if len(ids) > 0 {
		cond = disj(f.c.inInts(sub.alias+".id", ids), cond)
	}
	r.query = "select " + sub.alias + ".id from " + sub.sql() + " where " + cond
	return r, nil
}

// roots are the records that a walk starts from: known by id, or found by a query.
type roots struct {
	ids   []int64
	query string
}

func (r roots) none() bool { return r.query == "" && len(r.ids) == 0 }

// among tests an expression against the roots.
func (r roots) among(c *compiler, expr string) string {
	if r.query == "" {
		return c.inInts(expr, r.ids)
	}
	return expr + " in (" + r.query + ")"
}

// within says that the record whose id is expr lies below (down) or above the
// roots: by parent_path where the model keeps one, else by walking.
func (f *from) within(expr, alias string, target *schema.Model, link *schema.Field, r roots, down bool) string {
	table := quote(target.Table)
	if target.ParentStore && link.Name == target.ParentName {
		p := f.c.alias()
		below, above := alias+".parent_path", p+".parent_path"
		if !down {
			below, above = above, below
		}
		return "exists (select 1 from " + table + " " + p + " where " + r.among(f.c, p+".id") + " and substr(" +
			below + ", 1, length(" + above + ")) = " + above + ")"
	}
	h, n := f.c.alias(), f.c.alias()
	column := quote(link.Name)
	step := "select " + n + ".id from " + table + " " + n + " join " + h + " on " + n + "." + column + " = " + h + ".id"
	if !down {
		step = "select " + n + "." + column + " from " + table + " " + n + " join " + h + " on " + n + ".id = " + h +
			".id where " + n + "." + column + " is not null"
	}
	start := f.c.alias()
	first := "select " + start + ".id from " + table + " " + start + " where " + r.among(f.c, start+".id")
	return expr + " in (with recursive " + h + "(id) as (" + first + " union " + step + ") select id from " + h + ")"
}
