package record

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

var groupTerm = regexp.MustCompile(`(?i)^\s*([a-z0-9_]+(?:\.[\w.]+)?(?::[a-z_]+)?)(?:\s+(desc|asc))?(?:\s+nulls (first|last))?\s*$`)

// direction is how one term of an order runs.
type direction struct {
	desc  bool
	nulls string // "first", "last" or "" for the database's own
}

// order renders the order of groups for the outer statement. exact says that
// it tells all groups apart, whatever the data is.
func (g *grouping) order() (terms []string, exact bool, err error) {
	text := g.q.Order
	if strings.TrimSpace(text) == "" {
		text = strings.Join(g.q.GroupBy, ",")
	}
	plain := map[*groupKey]bool{}
	for _, part := range strings.Split(text, ",") {
		found := groupTerm.FindStringSubmatch(part)
		if found == nil {
			return nil, false, fault.Newf(fault.BadRequest, "Invalid order term %q: write a member of groupby or an aggregate, then asc or desc", backend.Shorten(part)).
				With(fault.FieldErrors{"order": "invalid term"})
		}
		dir := direction{strings.EqualFold(found[2], "desc"), strings.ToLower(found[3])}
		i := slices.IndexFunc(g.keys, func(k *groupKey) bool { return k.col.Name == found[1] })
		if i < 0 {
			term, err := g.orderFigure(found[1], dir)
			if err != nil {
				return nil, false, err
			}
			terms = append(terms, term...)
			continue
		}
		term, byValue, err := g.orderKey(g.keys[i], dir)
		if err != nil {
			return nil, false, err
		}
		terms = append(terms, term...)
		if byValue {
			plain[g.keys[i]] = true
		}
	}
	for _, k := range g.keys {
		same := func(other *groupKey) bool { return plain[other] && other.col.Name == k.col.Name }
		if !slices.ContainsFunc(g.keys, same) {
			return terms, false, nil
		}
	}
	return terms, true, nil
}

// orderKey orders by a key: a many2one of the model itself by the order of the
// records that it leads to, all others by their value.
func (g *grouping) orderKey(k *groupKey, dir direction) (terms []string, byValue bool, err error) {
	field, expr := k.col.Field(), ref(k.column)
	if k.property != nil && k.kind == readJSON {
		expr = g.c.d.JSONOrder(expr)
	}
	if len(k.col.Path) == 1 && field.Type == schema.Many2one && k.model.Order != "id" {
		terms, err = g.orderLinked(k, dir)
		return terms, false, err
	}
	if k.col.Func == "day_of_week" {
		expr = "((7 - " + strconv.Itoa(g.lang.WeekStart) + " + cast(" + expr + " as integer)) % 7)"
	}
	return g.orderTerm(expr, field.Type, dir), true, nil
}

func (g *grouping) orderTerm(expr string, t schema.Type, dir direction) []string {
	terms := schema.OrderTerm(g.c.d, expr, &schema.Field{Type: t}, dir.desc, false)
	if dir.nulls != "" {
		terms = []string{terms[len(terms)-1] + " nulls " + dir.nulls}
	}
	return terms
}

// orderLinked joins the records of a many2one to the groups.
func (g *grouping) orderLinked(k *groupKey, dir direction) ([]string, error) {
	var terms []string
	switch dir.nulls {
	case "first":
		terms = append(terms, "("+ref(k.column)+" is not null)")
	case "last":
		terms = append(terms, "("+ref(k.column)+" is null)")
	}
	outer := &from{c: g.c, model: g.f.model, alias: "g", joins: &g.outer, joined: map[string]string{}}
	next := outer.joinTo(k.model, quote(k.model.Table), ref(k.column))
	own, err := g.c.ownOrder(k.model)
	if err != nil {
		return nil, err
	}
	_, err = next.sudo(func() (string, error) {
		target, err := next.order(own, dir.desc, []*schema.Field{k.col.Field()})
		terms = append(terms, target...)
		return "", err
	})
	return terms, err
}

// orderFigure orders by an aggregate, one of the answer or another.
func (g *grouping) orderFigure(spec string, dir direction) ([]string, error) {
	f, _, expr, err := g.aggregate(spec)
	if err != nil {
		if fault.Is(err, fault.BadRequest) {
			return nil, fault.Newf(fault.BadRequest, "Cannot order by %q: it is neither a member of groupby nor an aggregate", backend.Shorten(spec)).
				With(fault.FieldErrors{"order": "unknown term"}).Because(err)
		}
		return nil, err
	}
	t := schema.Integer
	if f.kind == readText {
		t = schema.Char
	}
	return g.orderTerm(ref(g.column(expr)), t, dir), nil
}

// having renders the condition on groups, "" for none.
func (g *grouping) having() (string, error) {
	if g.q.Having == nil {
		return "", nil
	}
	return g.havingNode(g.q.Having)
}

// havingNode leaves the three values of SQL's logic as they are: so does Odoo.
func (g *grouping) havingNode(n domain.Node) (string, error) {
	join := func(nodes []domain.Node, op string) (string, error) {
		if len(nodes) == 0 {
			return "", fault.New(fault.BadRequest, "Invalid having: write conditions on aggregates")
		}
		parts := make([]string, len(nodes))
		for i, child := range nodes {
			var err error
			if parts[i], err = g.havingNode(child); err != nil {
				return "", err
			}
		}
		return "(" + strings.Join(parts, op) + ")", nil
	}
	switch n := n.(type) {
	case domain.And:
		return join(n, " and ")
	case domain.Or:
		return join(n, " or ")
	case domain.Not:
		inner, err := g.havingNode(n.Child)
		return "(not " + inner + ")", err
	case *domain.Leaf:
		return g.havingLeaf(n)
	}
	return "", fault.New(fault.BadRequest, "Invalid having: write conditions on aggregates")
}

func (g *grouping) havingLeaf(l *domain.Leaf) (string, error) {
	op := string(l.Op)
	if !slices.Contains([]string{"=", "!=", "<", ">", "<=", ">="}, op) {
		return "", fault.Newf(fault.BadRequest, "Invalid having: %s is not compared with %q; use = != < > <= >=", backend.Shorten(l.Path), backend.Shorten(op))
	}
	f, _, expr, err := g.aggregate(l.Path)
	if err != nil {
		return "", err
	}
	operand, ok := g.havingOperand(f.kind, l.Value)
	if !ok {
		return "", fault.Newf(fault.BadRequest, "Invalid having: %s is not compared with such a value", backend.Shorten(l.Path))
	}
	return "(" + expr + " " + op + " " + operand + ")", nil
}

// havingOperand renders what a figure of a kind is compared with.
func (g *grouping) havingOperand(kind readKind, value any) (string, bool) {
	number := kind == readInt || kind == readFloat
	switch v := value.(type) {
	case nil:
		return "null", true
	case bool:
		return strconv.FormatBool(v), kind == readBool
	case string:
		if !number {
			return g.havingArg(kind, v), kind != readBool && kind != readJSON
		}
		x, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return g.havingArg(kind, x), err == nil && finite(x) // as SQL writes numbers
	case int64:
		return g.havingArg(kind, v), number
	case float64:
		return g.havingArg(kind, v), number && finite(v)
	}
	return "", false
}

func finite(x float64) bool { return !math.IsInf(x, 0) && !math.IsNaN(x) }

// havingArg is an argument of the type of a figure. Numbers are written out:
// an amount compares with 0.1 as a decimal number, not as the nearest binary one.
func (g *grouping) havingArg(kind readKind, value any) string {
	switch v := value.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	sqlType := "text"
	if g.c.d.Name() != "sqlite" {
		switch kind {
		case readDate:
			sqlType = "date"
		case readDatetime:
			sqlType = "timestamp"
		}
	}
	return "cast(" + g.c.arg(value) + " as " + sqlType + ")"
}
