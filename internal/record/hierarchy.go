package record

import (
	"math"
	"slices"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/schema"
)

// hierarchy renders child_of and parent_of. The walk is done as superuser and
// includes archived records (semantics, section 7).
func (f *from) hierarchy(field *schema.Field, op domain.Op, value any) (string, error) {
	down := op == domain.OpChildOf
	t, err := f.tree(field, op)
	if err != nil {
		return "", staged(searchStage, err)
	}
	start, err := f.roots(field, t, value)
	if err == nil && start.none() && start.given && t.link == nil {
		err = badOperand(field, "has no hierarchy: "+t.model.Name+" has no parent field")
	}
	if err != nil || start.none() {
		return "false", staged(searchStage, err)
	}
	if err := t.climbable(field, start, down); err != nil {
		return "", staged(searchStage, err)
	}
	cond, err := f.branch(field, t, start, down)
	if err != nil || !start.unset {
		return cond, err
	}
	switch {
	case field.Name == "id" || field.Type == schema.Many2one && t.model == f.model:
		return cond, nil // every record has an id
	case field.Type == schema.Many2one:
		link, err := f.value(field)
		return disj(cond, link+" is null"), err
	}
	return disj(cond, negate(f.exists(field, "true"))), nil
}

// branch is the condition that a hierarchy comes to for the records that it
// starts from.
func (f *from) branch(field *schema.Field, t tree, start roots, down bool) (string, error) {
	if ids, known := f.c.walkCompanies(t.model, start, down); known && field.Name != "id" && field.Type == schema.Many2one {
		expr, err := f.value(field)
		return f.c.inInts(expr, ids), err
	}
	if field.Name == "id" || (field.Type == schema.Many2one && t.model == f.model) {
		return f.within(f.alias+".id", f.alias, t, start, down)
	}
	sub := f.c.from(t.model)
	cond, err := sub.within(sub.alias+".id", sub.alias, t, start, down)
	if err != nil {
		return "", err
	}
	if field.Type.IsX2many() && t.stored() && down {
		// Odoo looks these up by their path, and so like any other condition on
		// an x2many, among the records that it shows.
		return f.shown(field, sub, cond)
	}
	return f.linked(field, sub, cond)
}

// tree is a hierarchy: the model and the field that links a record to its parent.
type tree struct {
	model *schema.Model
	link  *schema.Field
	// upside says that link is a one2many, which leads from parent to child.
	upside bool
}

// stored says that the model keeps the paths of this hierarchy.
func (t tree) stored() bool {
	return t.model.ParentStore && !t.upside && t.link != nil && t.link.Name == t.model.ParentName
}

// climbable refuses what Odoo fails at, and the rest that cannot be promised.
func (t tree) climbable(field *schema.Field, start roots, down bool) error {
	switch {
	case t.link == nil && start.query != "": // Odoo fails only if it finds any
		return backend.CannotProve(backend.ValueShape, field.Name, t.model.Name+" has no parent field")
	case t.link == nil:
		return badOperand(field, "has no hierarchy: "+t.model.Name+" has no parent field")
	case t.upside:
	case t.link.Type != schema.Many2one, t.link.Relation != t.model.Name && !down:
		return backend.CannotProve(backend.ValueShape, field.Name, "the parents of "+t.model.Name+" are "+t.link.Relation)
	}
	return nil
}

// tree is the hierarchy that a condition looks in: along the field itself
// where it leads to the same model, else along the model's parent field.
func (f *from) tree(field *schema.Field, op domain.Op) (tree, error) {
	if field.Name == "id" {
		return tree{model: f.model, link: f.model.Field(f.model.ParentName)}, nil
	}
	if !field.Type.IsRelational() {
		return tree{}, badOperand(field, "is no relation: "+string(op)+" needs one")
	}
	target, err := f.c.comodel(field)
	switch {
	case err != nil:
		return tree{}, err
	case target != f.model:
		return tree{model: target, link: target.Field(target.ParentName)}, nil
	case field.Type == schema.One2many && target.Field(field.Inverse) != nil:
		return tree{model: target, link: target.Field(field.Inverse), upside: true}, nil
	}
	return tree{model: target, link: field}, nil
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
// Odoo takes the ids of a many2many only if a search finds them.
func (f *from) roots(field *schema.Field, t tree, value any) (roots, error) {
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
		switch value.(type) {
		case int64, string, bool:
		default:
			return roots{}, badOperand(field, "expected ids or names")
		}
	}
	r, found, err := f.rootValues(field, t, list)
	if err != nil {
		return roots{}, err
	}
	if err := f.c.allowed(t.model.Name); err != nil {
		return roots{}, err
	}
	if field.Type == schema.Many2many && len(r.ids) > 0 {
		found = append(found, &domain.Leaf{Path: "id", Op: domain.OpIn, Value: anyIDs(r.ids), Pos: -1})
		r.ids = nil
	}
	if len(found) == 0 {
		return r, nil
	}
	query, err := f.rootQuery(field, t.model, domain.Disj(found...))
	if err != nil {
		return roots{}, err
	}
	if len(r.ids) > 0 {
		query += " union select id from " + quote(t.model.Table) + " where " + f.c.inInts("id", r.ids)
	}
	r.query = query
	return r, nil
}

// rootValues splits the values of a hierarchy condition into ids and searches.
// What is no id is a name to Odoo, whatever else it is; false is the id of a
// record that is not set, which has no path.
func (f *from) rootValues(field *schema.Field, t tree, list []any) (r roots, found []domain.Node, err error) {
	first := true // false and 0 are the same id: what comes first stays
	for _, v := range list {
		id, isInt := v.(int64)
		switch {
		case v == true:
			return r, nil, badOperand(field, "expected ids or names, found true")
		case v == false || isInt && id == 0:
			if t.stored() && field.Type != schema.Many2many {
				if len(list) > 1 { // Odoo drops it where one of the others is gone
					return r, nil, backend.CannotProve(backend.ValueShape, field.Name, "a false id among others")
				}
				return r, nil, badOperand(field, "expected ids or names, found a false one")
			}
			r.unset = r.unset || field.Type == schema.One2many || first && v == false && field.Type != schema.Many2many
			first = false
		case isInt:
			r.given = true
			if id > 0 && id <= math.MaxInt32 {
				r.ids = append(r.ids, id)
			}
		case isFalsy(nil, v):
			found = append(found, domain.Const(true))
		default:
			found = append(found, &domain.Leaf{Path: "display_name", Op: domain.OpILike, Value: pyText(v), Pos: -1})
		}
	}
	return r, found, nil
}

// rootQuery searches the records that a walk starts from, as the caller.
func (f *from) rootQuery(field *schema.Field, target *schema.Model, node domain.Node) (string, error) {
	c := f.c
	if err := c.actor.companyErr; err != nil && !c.sudo { // which Odoo comes to only if it finds any
		return "", backend.CannotProve(backend.ValueShape, field.Name, "a search with companies that are refused")
	}
	was := c.keepArchived
	defer func() { c.keepArchived = was }()
	c.keepArchived = was || field.Type == schema.Many2one || field.KeepArchived
	sub := c.from(target)
	cond, err := sub.search(node)
	return "select " + sub.alias + ".id from " + sub.sql() + " where " + cond, err
}

// roots are the records that a walk starts from: known by id, or found by a query.
type roots struct {
	ids   []int64
	query string
	// unset says that what is not set counts as one of them.
	unset bool
	// given says that ids were given, be they of records or not.
	given bool
}

func (r roots) none() bool { return r.query == "" && len(r.ids) == 0 && !r.unset }

// among tests an expression against the roots.
func (r roots) among(c *compiler, expr string) string {
	if r.query == "" {
		return c.inInts(expr, r.ids)
	}
	return expr + " in (" + r.query + ")"
}

// within says that the record whose id is expr lies below (down) or above the
// roots: by parent_path where the model keeps one, else by walking.
func (f *from) within(expr, alias string, t tree, r roots, down bool) (string, error) {
	table := quote(t.model.Table)
	if t.stored() {
		p := f.c.alias()
		below, above := alias+".parent_path", p+".parent_path"
		if !down {
			below, above = above, below
		}
		return "exists (select 1 from " + table + " " + p + " where " + r.among(f.c, p+".id") + " and substr(" +
			below + ", 1, length(" + above + ")) = " + above + ")", nil
	}
	h, n := f.c.alias(), f.c.from(t.model)
	parent, err := n.value(t.link)
	if err != nil {
		return "", err
	}
	step := "select " + n.alias + ".id from " + n.sql() + " join " + h + " on " + parent + " = " + h + ".id"
	if down == t.upside {
		step = "select " + parent + " from " + n.sql() + " join " + h + " on " + n.alias + ".id = " + h +
			".id where " + parent + " is not null"
	}
	start := f.c.alias()
	first := "select " + start + ".id from " + table + " " + start + " where " + r.among(f.c, start+".id")
	return expr + " in (with recursive " + h + "(id) as (" + first + " union " + step + ") select id from " + h + ")", nil
}
