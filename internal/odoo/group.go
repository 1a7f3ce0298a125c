package odoo

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// Group implements backend.Backend: by formatted_read_group where the Odoo has
// it, which is from version 19 on, else by read_group.
func (b *Backend) Group(ctx context.Context, c *backend.Caller, q *backend.GroupQuery) (*backend.Groups, error) {
	v, err := b.visit(ctx, c)
	if err != nil {
		return nil, err
	}
	m, err := v.model(q.Model)
	if err != nil {
		return nil, err
	}
	if err := v.need(q.Model, schema.Read); err != nil {
		return nil, err
	}
	g := &grouping{visit: v, model: m, query: q, out: &backend.Groups{Total: -1, Lang: c.Context.Lang}}
	if g.where, err = backend.JoinDomains(q.DomainText, q.Domain); err != nil {
		return nil, err
	}
	if err := v.check(m, g.where); err != nil {
		return nil, err
	}
	if err := g.specs(); err != nil {
		return nil, err
	}
	version, err := b.rpc.Version(ctx)
	if err != nil {
		return nil, err
	}
	g.old = version.Major < 19
	return g.out, g.run()
}

// grouping is a query for groups under way.
type grouping struct {
	*visit
	model *model
	query *backend.GroupQuery
	where domain.Node
	out   *backend.Groups
	old   bool
	zone  *time.Location
}

// specs reads what the query groups by and puts together.
func (g *grouping) specs() error {
	for _, spec := range g.query.GroupBy {
		col, err := g.column(spec, "a grouping")
		if err != nil {
			return err
		}
		g.out.By = append(g.out.By, col)
	}
	for _, spec := range g.query.Aggregates {
		if spec == "__count" {
			g.out.Aggregates = append(g.out.Aggregates, backend.GroupColumn{Name: spec})
			continue
		}
		col, err := g.column(spec, "aggregates")
		if err != nil {
			return err
		}
		if len(col.Path) > 1 {
			return fault.Newf(fault.BadRequest, "Invalid aggregate %q: it has no path, only a field of the model", backend.Shorten(spec))
		}
		if !slices.Contains(backend.GroupFunctions(), col.Func) {
			return fault.Newf(fault.BadRequest, "The aggregate %s needs a function: %s:%s", backend.Shorten(spec), col.Path[0].Name, strings.Join(backend.GroupFunctions(), ", "))
		}
		g.out.Aggregates = append(g.out.Aggregates, col)
	}
	return nil
}

func (g *grouping) column(spec, what string) (backend.GroupColumn, error) {
	col := backend.GroupColumn{Name: spec}
	path, function, err := backend.SplitSpec(spec)
	if err != nil {
		return col, err
	}
	col.Func = function
	for at, step := g.model, 0; step < len(path); step++ {
		f, err := at.field(path[step], what)
		if err != nil {
			return col, err
		}
		col.Path = append(col.Path, f)
		if f.Type == schema.Properties {
			break
		}
		if step == len(path)-1 {
			break
		}
		if f.Type != schema.Many2one {
			return col, fault.Newf(fault.BadRequest, "Cannot group by %s: %s is no many2one field", backend.Shorten(spec), f.Name)
		}
		if at, err = g.visit.model(f.Relation); err != nil {
			return col, err
		}
	}
	return col, nil
}

func (g *grouping) run() error {
	zone := g.caller.Context.TZ
	if zone == "" {
		zone = "UTC"
	}
	var err error
	if g.zone, err = time.LoadLocation(zone); err != nil {
		return fault.Newf(fault.BadRequest, "Unknown time zone %q", backend.Shorten(zone))
	}
	limit := g.query.Limit
	rows, err := g.ask(g.query.Limit, g.query.Offset, g.query.Aggregates)
	if err != nil {
		return err
	}
	for _, row := range rows {
		group, err := g.group(row)
		if err != nil {
			return err
		}
		g.out.Rows = append(g.out.Rows, group)
	}
	n := len(rows)
	switch {
	case !g.query.Count:
	case (n > 0 || g.query.Offset == 0) && (limit == 0 || n < limit):
		g.out.Total = int64(g.query.Offset + n)
	default: // the Odoo counts no groups
		all, err := g.ask(0, 0, nil)
		g.out.Total = int64(len(all))
		return err
	}
	return nil
}

type groupRow map[string]json.RawMessage

func (g *grouping) ask(limit, offset int, aggregates []string) ([]groupRow, error) {
	method, kwargs := "formatted_read_group", g.arguments(aggregates)
	if g.old {
		var err error
		if method, kwargs, err = g.oldArguments(aggregates); err != nil {
			return nil, err
		}
	}
	kwargs["domain"] = domainJSON(g.where)
	if limit > 0 {
		kwargs["limit"] = limit
	}
	if offset > 0 {
		kwargs["offset"] = offset
	}
	raw, err := g.read(g.query.Model, method, nil, kwargs)
	if err != nil {
		return nil, err
	}
	var rows []groupRow
	return rows, decode(raw, &rows)
}

func (g *grouping) arguments(aggregates []string) map[string]any {
	kwargs := map[string]any{"groupby": orNone(g.query.GroupBy), "aggregates": orNone(aggregates)}
	if g.query.Order != "" {
		kwargs["order"] = g.query.Order
	}
	if g.query.Having != nil {
		kwargs["having"] = domainJSON(g.query.Having)
	}
	return kwargs
}

// orNone is a list that is not null where it is empty.
func orNone(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// oldArguments asks read_group. Each figure gets a name of its own, so that two
// of one field do not meet.
func (g *grouping) oldArguments(aggregates []string) (string, map[string]any, error) {
	if g.query.Having != nil {
		return "", nil, fault.New(fault.BadRequest, "having needs Odoo 19: older ones cannot choose among groups")
	}
	order := g.query.Order
	var fields []string
	for i, spec := range aggregates {
		if spec == "__count" {
			continue
		}
		col := &g.out.Aggregates[i]
		alias := g.alias(i)
		fields = append(fields, alias+":"+col.Func+"("+col.Path[0].Name+")")
		order = renamed(order, spec, alias)
	}
	kwargs := map[string]any{"fields": orNone(fields), "groupby": orNone(g.query.GroupBy), "lazy": false}
	if order != "" {
		kwargs["orderby"] = order
	}
	return "read_group", kwargs, nil
}

// renamed calls one thing in an order by another name.
func renamed(order, old, name string) string {
	terms := strings.Split(order, ",")
	for i, term := range terms {
		term = strings.TrimSpace(term)
		if what, rest, _ := strings.Cut(term, " "); what == old {
			terms[i] = strings.TrimSpace(name + " " + rest)
		}
	}
	return strings.Join(terms, ",")
}

func (g *grouping) alias(i int) string {
	return g.out.Aggregates[i].Path[0].Name + "_" + g.out.Aggregates[i].Func + "_figure"
}

func (g *grouping) group(row groupRow) (backend.Group, error) {
	group := backend.Group{}
	var ranges map[string]period
	if raw := row["__range"]; raw != nil {
		if err := decode(raw, &ranges); err != nil {
			return group, err
		}
	}
	for i := range g.out.By {
		col := &g.out.By[i]
		key, err := g.key(col, row[col.Name], ranges)
		if err != nil {
			return group, err
		}
		group.Keys = append(group.Keys, key)
	}
	for i := range g.out.Aggregates {
		col := &g.out.Aggregates[i]
		name := col.Name
		if g.old && name != "__count" {
			name = g.alias(i)
		}
		value, err := figure(col, row[name])
		if err != nil {
			return group, err
		}
		group.Values = append(group.Values, value)
	}
	return group, nil
}

// key reads what the records of a group have in common.
func (g *grouping) key(col *backend.GroupColumn, raw json.RawMessage, ranges map[string]period) (backend.GroupKey, error) {
	f := col.Field()
	if len(raw) == 0 {
		return backend.GroupKey{}, unexpected(errShape)
	}
	switch {
	case string(raw) == "false" && f.Type != schema.Boolean:
		return backend.GroupKey{}, nil
	case slices.Contains(backend.Periods(), col.Func) && (f.Type == schema.Date || f.Type == schema.Datetime):
		return g.period(col, raw, ranges)
	case col.Func != "" || f.Type == schema.Properties:
		var v any
		if err := decode(raw, &v); err != nil {
			return backend.GroupKey{}, err
		}
		if n, ok := v.(float64); ok {
			return backend.GroupKey{Value: backend.FloatValue(n)}, nil
		}
		return backend.GroupKey{Shown: v}, nil
	}
	s := &scanner{text: raw}
	if f.Name == "id" || f.Type == schema.One2many || f.Type == schema.Many2many {
		v := link(s)
		return backend.GroupKey{Value: v}, s.end()
	}
	v := value(s, f)
	return backend.GroupKey{Value: v}, s.end()
}

// period reads the beginning of a period: of moments in UTC. Before version 19
// it stands beside the label, in __range.
func (g *grouping) period(col *backend.GroupColumn, raw json.RawMessage, ranges map[string]period) (backend.GroupKey, error) {
	f := col.Field()
	start := ""
	var pair []text
	if json.Unmarshal(raw, &pair) == nil && len(pair) == 2 {
		start = string(pair[0])
	} else if from, ok := ranges[col.Name]; ok {
		start = string(from.From)
	} else if from, ok := ranges[f.Name]; ok {
		start = string(from.From)
	}
	at, ok := parseMoment(start, f.Type)
	if !ok || at.Kind == backend.Null {
		return backend.GroupKey{}, unexpected(errShape)
	}
	if f.Type == schema.Datetime {
		local := at.Time().In(g.zone)
		at = backend.DatetimeValue(time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), 0, time.UTC))
	}
	return backend.PeriodKey(at, col.Func, g.zone), nil
}

// period is where a period begins, as __range tells it: false of the records
// without a date.
type period struct{ From text }

// UnmarshalJSON implements json.Unmarshaler.
func (p *period) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] != '{' {
		*p = period{}
		return nil
	}
	type plain period
	return json.Unmarshal(raw, (*plain)(p))
}

// figure reads an aggregate: a number, or what is of the field's own type.
func figure(col *backend.GroupColumn, raw json.RawMessage) (backend.Value, error) {
	if len(raw) == 0 {
		return backend.NullValue, unexpected(errShape)
	}
	s := &scanner{text: raw}
	f := col.Field()
	var v backend.Value
	switch {
	case s.peek() == 'f' && !strings.HasPrefix(col.Func, "bool"), s.peek() == 'n':
		s.word()
	case f == nil, col.Func == "count", col.Func == "count_distinct":
		v = number(s, false)
	case col.Func == "avg", col.Func == "sum_currency":
		v = number(s, true)
	case strings.HasPrefix(col.Func, "bool"):
		v = backend.BoolValue(string(s.word()) == "true")
	case strings.HasPrefix(col.Func, "array"):
		v = backend.RawValue(string(s.raw()))
	default:
		v = value(s, f)
	}
	return v, s.end()
}
