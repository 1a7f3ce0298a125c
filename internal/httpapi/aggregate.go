package httpapi

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/schema"
)

// maxGroupTerms is how many members groupby may have, and how many figures are
// answered.
const maxGroupTerms = 50

// aggregateParams say what to count and to sum.
func aggregateParams() []Param {
	params := []Param{
		listParams()[0],
		{"groupby", "string", "What the records of a group have in common, separated by commas: partner_id, date_order:month. Default: all are one group."},
		{"aggregates", "string", "Figures, separated by commas: __count, amount_total:sum. Default: __count."},
		{"having", "string", `Conditions on figures, in JSON: [["amount_total:sum",">",100]].`},
	}
	for _, p := range pageParams() {
		if p.Name == "limit" || p.Name == "offset" || p.Name == "order" {
			params = append(params, p)
		}
	}
	return params
}

func (s *Server) readAggregate(c *call) (*backend.GroupQuery, error) {
	p := &c.params
	q := &backend.GroupQuery{
		Model: c.event.Model, DomainText: p.domain, Order: p.order, Limit: p.limit, Offset: p.offset, Count: true,
		Aggregates: []string{"__count"},
	}
	for _, f := range p.filters { // the parameters of this route alone
		var err error
		switch f.name {
		case "groupby":
			q.GroupBy, err = groupTerms(f.name, f.value)
		case "aggregates":
			if strings.TrimSpace(f.value) != "" {
				q.Aggregates, err = groupTerms(f.name, f.value)
			}
		case "having":
			q.Having, err = having(f.value)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(q.GroupBy) == 0 && (q.Having != nil || q.Order != "") {
		return nil, wrongParam("groupby", "is needed with having and order: without it there is one group")
	}
	return q, nil
}

func groupTerms(name, value string) ([]string, error) {
	if strings.TrimSpace(value) == "" {
		return nil, nil
	}
	terms := elements(value)
	if len(terms) > maxGroupTerms {
		return nil, wrongParam(name, "names more than "+strconv.Itoa(maxGroupTerms))
	}
	for i, term := range terms {
		if term == "" {
			return nil, wrongParam(name, "has an empty name")
		}
		if slices.Contains(terms[:i], term) {
			return nil, wrongParam(name, "names "+wire.Quote(term)+" twice")
		}
	}
	return terms, nil
}

// having reads conditions on figures in prefix notation; what is left over is
// joined with AND.
func having(text string) (domain.Node, error) {
	bad := wrongParam("having", `must be JSON like [["amount_total:sum",">",100]], joined by "&", "|", "!" in front`)
	decoded, err := wire.Decode([]byte(text))
	list, ok := decoded.([]any)
	if err != nil || !ok || len(list) == 0 || len(list) > 500 {
		return nil, bad
	}
	var stack []domain.Node // the next operand is the last
	for i := len(list) - 1; i >= 0; i-- {
		if op, isText := list[i].(string); isText {
			n := map[string]int{"!": 1, "&": 2, "|": 2}[op]
			if n == 0 || len(stack) < n {
				return nil, bad
			}
			operands := slices.Clone(stack[len(stack)-n:])
			slices.Reverse(operands)
			stack = stack[:len(stack)-n]
			switch op {
			case "!":
				stack = append(stack, domain.Not{Child: operands[0]})
			case "&":
				stack = append(stack, domain.And(operands))
			default:
				stack = append(stack, domain.Or(operands))
			}
			continue
		}
		parts, _ := list[i].([]any)
		if len(parts) != 3 {
			return nil, bad
		}
		path, isPath := parts[0].(string)
		op, isOp := parts[1].(string)
		if !isPath || !isOp {
			return nil, bad
		}
		value := parts[2]
		if n, isNumber := value.(json.Number); isNumber {
			if value, err = n.Int64(); err != nil {
				if value, err = n.Float64(); err != nil {
					return nil, bad
				}
			}
		}
		stack = append(stack, &domain.Leaf{Path: path, Op: domain.Op(op), Value: value, Pos: -1})
	}
	slices.Reverse(stack)
	return domain.And(stack), nil
}

// aggregate answers groups and figures about them.
func (s *Server) aggregate(c *call, q *backend.GroupQuery) (reply, error) {
	if err := s.groupPaths(c, q); err != nil {
		return reply{}, err
	}
	groups, err := s.deps.Backend.Group(c.ctx, c.caller, q)
	if err != nil {
		return reply{}, err
	}
	out := []byte{'['}
	for i := range groups.Rows {
		if i > 0 {
			out = append(out, ',')
		}
		if out, err = appendGroup(out, groups, &groups.Rows[i]); err != nil {
			return reply{}, err
		}
	}
	return reply{raw: append(out, ']'), meta: &meta{more: map[string]any{
		"total": max(groups.Total, int64(len(groups.Rows))), "limit": q.Limit, "offset": q.Offset, "count": len(groups.Rows),
	}}}, nil
}

// groupPaths looks at what is behind relations as fields= does: the credential
// must be good for it too.
func (s *Server) groupPaths(c *call, q *backend.GroupQuery) error {
	m, err := s.deps.Backend.Model(c.ctx, c.caller, q.Model)
	if err != nil {
		return err
	}
	for _, term := range q.GroupBy {
		path, _, _ := strings.Cut(term, ":")
		first, _, dotted := strings.Cut(path, ".")
		if f := m.Field(first); dotted && f != nil && f.Type.IsRelational() {
			if _, err := s.tree(c, q.Model, []string{path}); err != nil {
				return err
			}
		}
	}
	return nil
}

func appendGroup(dst []byte, groups *backend.Groups, g *backend.Group) ([]byte, error) {
	dst = append(dst, '{')
	var err error
	ranges := []byte{}
	for i := range groups.By {
		col, key := &groups.By[i], &g.Keys[i]
		dst = append(wire.AppendString(dst, col.Name), ':')
		switch {
		case key.Shown != nil:
			if dst, err = appendAny(dst, key.Shown); err != nil {
				return nil, err
			}
		case !key.From.IsZero():
			start, layout := key.Time(), schema.DateLayout
			if col.Func == "hour" {
				layout = "2006-01-02T15:04:05"
			}
			dst = wire.AppendString(dst, start.Format(layout))
			ranges = append(wire.AppendString(append(ranges, ','), col.Name), `:{"from":`...)
			ranges = appendBound(ranges, col.Field(), backend.DatetimeValue(key.From), key.From.Format(schema.DateLayout))
			ranges = append(ranges, `,"to":`...)
			ranges = append(appendBound(ranges, col.Field(), backend.DatetimeValue(key.To), key.To.Format(schema.DateLayout)), '}')
		default:
			var field *schema.Field // a part of a date is a number of its own
			if col.Func == "" && key.Kind != backend.Null {
				field = col.Field()
			}
			dst = wire.AppendValue(dst, wire.Plain, field, &key.Value)
		}
		dst = append(dst, ',')
	}
	for i := range groups.Aggregates {
		col, v := &groups.Aggregates[i], g.Values[i]
		dst = append(wire.AppendString(dst, col.Name), ':')
		if v.Kind == backend.Null && strings.HasPrefix(col.Func, "sum") {
			v = backend.IntValue(0) // the sum of nothing
		}
		var field *schema.Field
		if v.Kind == backend.Float && col.Func != "avg" {
			field = col.Field()
		}
		dst = append(wire.AppendValue(dst, wire.Plain, field, &v), ',')
	}
	if len(ranges) > 0 {
		dst = append(append(append(dst, `"__range":{`...), ranges[1:]...), "},"...)
	}
	dst = dst[:len(dst)-1]
	if len(groups.By)+len(groups.Aggregates) == 0 {
		return nil, fault.New(fault.BadRequest, "Neither groupby nor aggregates is given")
	}
	return append(dst, '}'), nil
}

// appendBound writes the beginning of a period, or the moment after it: a day,
// or a moment in UTC.
func appendBound(dst []byte, field *schema.Field, moment backend.Value, day string) []byte {
	if field.Type == schema.Date {
		return wire.AppendString(dst, day)
	}
	return wire.AppendValue(dst, wire.Plain, nil, &moment)
}
