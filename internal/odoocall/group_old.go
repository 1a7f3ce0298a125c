package odoocall

import (
	"regexp"
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// fieldSpec is "field", "field:function" or "name:function(field)".
var fieldSpec = regexp.MustCompile(`^(\w+)(?::(\w+)(?:\((\w+)\))?)?`)

// named is a name in the answer and the term of a grouping that it stands for.
type named struct{ name, term string }

// oldGrouping is a call of read_group, which Odoo has kept for older clients.
type oldGrouping struct {
	*call
	m       *schema.Model
	all     []string // groupby as given
	by      []named
	figures []named
}

func readGroup(c *call) (any, error) {
	o := &oldGrouping{call: c}
	q, err := c.groupQuery()
	if err != nil {
		return nil, err
	}
	if o.m, err = c.b.Model(c.ctx, c.caller, c.model); err != nil {
		return nil, err
	}
	lazy := true
	if v, given := c.args.given["lazy"]; given {
		lazy = !falsy(v)
	}
	if err := o.readGroupBy(lazy); err != nil {
		return nil, err
	}
	if err := o.readFields(lazy); err != nil {
		return nil, err
	}
	if q.Order, err = o.order(); err != nil {
		return nil, err
	}
	for _, n := range o.by {
		q.GroupBy = append(q.GroupBy, n.term)
	}
	for _, n := range o.figures {
		q.Aggregates = append(q.Aggregates, n.term)
	}
	if !falsy(c.contextValue("fill_temporal")) {
		return nil, backend.CannotProve(backend.ContextKey, "fill_temporal", "read_group")
	}
	groups, err := c.b.Group(c.ctx, c.caller, q)
	if err != nil {
		return nil, err
	}
	if lazy && len(groups.By) > 0 && mayExpand(groups) {
		return nil, backend.CannotProve(backend.UnknownMethod, c.model+".read_group", "groups without records")
	}
	return o.rows(groups, q.Domain)
}

// readGroupBy reads the terms; a lazy call groups by the first alone. Dates go
// by months unless said otherwise.
func (o *oldGrouping) readGroupBy(lazy bool) error {
	given := o.args.given["groupby"]
	if text, ok := given.(string); ok {
		given = []any{text}
	}
	var err error
	if o.all, err = specList("groupby", given); err != nil {
		return err
	}
	terms := o.all
	if lazy {
		terms = terms[:min(1, len(terms))]
	}
	for _, term := range terms {
		name, granularity, _ := strings.Cut(term, ":")
		if strings.Contains(name, ".") {
			first, _, _ := strings.Cut(name, ".")
			if f := o.m.Field(first); f != nil && f.Type == schema.Properties {
				return backend.CannotProve(backend.ValueShape, o.model+"."+name, "groups of a property")
			}
			return fault.Newf(fault.BadRequest, "Cannot group by %s: only properties are named with a dot here", name)
		}
		f := o.m.Field(name)
		if f == nil {
			return fault.Newf(fault.BadRequest, "Unknown field %q of %s in groupby", name, o.model)
		}
		n := named{term, term}
		if f.Type == schema.Date || f.Type == schema.Datetime {
			if granularity == "" {
				granularity = "month"
			}
			n.term = name + ":" + granularity
		}
		if !slices.ContainsFunc(o.by, func(b named) bool { return b.name == n.name }) {
			o.by = append(o.by, n)
		}
	}
	return nil
}

// readFields reads the figures: a field alone is put together as it usually is.
func (o *oldGrouping) readFields(lazy bool) error {
	count := "__count"
	if lazy && len(o.by) == 1 {
		name, _, _ := strings.Cut(o.by[0].name, ":")
		count = name + "_count"
	}
	o.figures = []named{{count, "__count"}}
	specs, err := o.args.specs("fields")
	if err != nil {
		return err
	}
	for _, spec := range specs {
		if spec == "__count" {
			continue
		}
		parts := fieldSpec.FindStringSubmatch(spec)
		switch {
		case parts == nil:
			return fault.Newf(fault.BadRequest, "Invalid field %q: write field, field:sum or name:sum(field)", spec)
		case parts[2] == "recordset":
			return backend.CannotProve(backend.ValueShape, spec, "read_group")
		case parts[3] != "":
			o.figure(named{parts[1], parts[3] + ":" + parts[2]})
		case parts[2] != "":
			o.figure(named{parts[1], parts[1] + ":" + parts[2]})
		default:
			if err := o.usual(parts[1], spec); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *oldGrouping) figure(n named) {
	i := slices.IndexFunc(o.figures, func(f named) bool { return f.name == n.name })
	if i >= 0 {
		o.figures[i] = n
		return
	}
	o.figures = append(o.figures, n)
}

// usual adds a field by its own aggregator, if it has one.
func (o *oldGrouping) usual(name, spec string) error {
	f := o.m.Field(name)
	if f == nil {
		return fault.Newf(fault.BadRequest, "Unknown field %q of %s in fields", name, o.model)
	}
	function := f.Aggregator
	switch {
	case function == "none" || name == "id":
		function = ""
	case function == "" && f.Type.IsNumber():
		function = "sum"
	case function == "" && !f.Manual && f.Type == schema.Date:
		return backend.CannotProve(backend.ValueShape, o.model+"."+name, "how a date is put together")
	}
	if function == "" || slices.ContainsFunc(o.by, func(b named) bool { return b.name == spec }) {
		return nil
	}
	if !f.Store && len(f.Related) > 0 {
		return backend.CannotProve(backend.NotStored, o.model+"."+name, "read_group")
	}
	if f.Store {
		o.figure(named{name, name + ":" + function})
	}
	return nil
}

// order translates names of the answer into terms of the grouping.
func (o *oldGrouping) order() (string, error) {
	text, err := o.args.text("orderby", "")
	if err != nil {
		return "", err
	}
	names := slices.Clone(o.by)
	slices.Reverse(names)
	names = append(names, o.figures...)
	var terms []string
	if text == "" {
		for _, n := range o.by {
			terms = append(terms, n.term)
		}
		return strings.Join(terms, ","), nil
	}
	for _, term := range strings.Split(text, ",") {
		term = strings.TrimSpace(term)
		for _, n := range names {
			name, _, _ := strings.Cut(n.name, ":")
			if term == name || strings.HasPrefix(term, name+" ") {
				term = strings.ReplaceAll(term, name, n.term)
				break
			}
		}
		terms = append(terms, term)
	}
	return strings.Join(terms, ","), nil
}

// rows gives groups the older shape.
func (o *oldGrouping) rows(groups *backend.Groups, searched domain.Node) (any, error) {
	base, ok := flat(searched)
	if !ok {
		return nil, backend.CannotProve(backend.ValueShape, o.model+".read_group", "a domain that Odoo rewrites")
	}
	rows := make([]map[string]any, len(groups.Rows))
	for i := range groups.Rows {
		g := &groups.Rows[i]
		row := map[string]any{}
		leaves := slices.Clone(base)
		for k := range groups.By {
			if err := o.key(row, groups, k, g); err != nil {
				return nil, err
			}
			for _, leaf := range oldCondition(groups, k, g) {
				if leaf != "&" {
					leaves = append(leaves, leaf)
				}
			}
		}
		row["__domain"] = prefixed(leaves)
		for k, n := range o.figures {
			row[n.name] = plainValue(g.Values[k])
		}
		if len(o.by) < len(o.all) {
			row["__context"] = map[string]any{"group_by": o.all[len(o.by):]}
		}
		rows[i] = row
	}
	return rows, nil
}

// oldCondition selects by one key; what an empty part of a date is, the older
// method does not say in its own way.
func oldCondition(groups *backend.Groups, k int, g *backend.Group) []any {
	return keyCondition(&groups.By[k], groups.By[k].Path, &g.Keys[k])
}

// key writes one key: of a period its label, and its bounds aside.
func (o *oldGrouping) key(row map[string]any, groups *backend.Groups, k int, g *backend.Group) error {
	name, col, key := o.by[k].name, &groups.By[k], &g.Keys[k]
	value, err := keyValue(groups, col, key)
	if err != nil {
		return err
	}
	field := col.Field()
	isTime := field.Type == schema.Date || field.Type == schema.Datetime
	if pair, ok := value.([]any); ok && isTime {
		value = pair[1]
	}
	row[name] = value
	if !isTime {
		return nil
	}
	bounds, _ := row["__range"].(map[string]any)
	if bounds == nil {
		bounds = map[string]any{}
	}
	switch {
	case !key.From.IsZero():
		bounds[name] = map[string]any{"from": bound(field, key.From.Format), "to": bound(field, key.To.Format)}
	case isPeriod(col.Func):
		bounds[name] = false
	default:
		return nil
	}
	row["__range"] = bounds
	return nil
}

// flat splits a domain into the conditions that all must hold, as Odoo writes
// them; false for domains that it writes in another way than they came.
func flat(n domain.Node) ([]any, bool) {
	switch n := n.(type) {
	case domain.Const:
		return nil, bool(n)
	case domain.And:
		var all []any
		for _, child := range n {
			leaves, ok := flat(child)
			if !ok {
				return nil, false
			}
			all = append(all, leaves...)
		}
		return all, true
	case *domain.Leaf:
		switch n.Op {
		case domain.OpLt, domain.OpGt, domain.OpLe, domain.OpGe, domain.OpLike, domain.OpILike, domain.OpNotLike, domain.OpNotILike:
		case domain.OpEq, domain.OpNe:
			if _, isList := n.Value.([]any); isList {
				return nil, false
			}
		case domain.OpIn, domain.OpNotIn:
			if _, isList := n.Value.([]any); !isList {
				return nil, false
			}
		default:
			return nil, false
		}
		return []any{[]any{n.Path, string(n.Op), n.Value}}, true
	}
	return nil, false
}

// prefixed writes conditions in prefix notation.
func prefixed(leaves []any) []any {
	if len(leaves) == 0 {
		return []any{[]any{1, "=", 1}}
	}
	out := []any{}
	for range len(leaves) - 1 {
		out = append(out, "&")
	}
	return append(out, leaves...)
}
