package odoocall

import (
	"encoding/json"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
)

// groupMethods are the ways of Odoo to ask for groups.
func groupMethods() map[string]method {
	return map[string]method{
		"formatted_read_group": {
			takes: []string{"domain", "groupby", "aggregates", "having", "offset", "limit", "order"},
			needs: []string{"domain"}, do: formattedReadGroup,
		},
		"formatted_read_grouping_sets": {
			takes: []string{"domain", "grouping_sets", "aggregates", "order"},
			needs: []string{"domain", "grouping_sets"}, do: formattedReadGroupingSets,
		},
		"web_read_group": {
			takes: []string{
				"domain", "groupby", "aggregates", "limit", "offset", "order", "auto_unfold", "opening_info",
				"unfold_read_specification", "unfold_read_default_limit", "groupby_read_specification",
			},
			needs: []string{"domain", "groupby"}, do: webReadGroup,
		},
		"read_group": {
			takes: []string{"domain", "fields", "groupby", "offset", "limit", "orderby", "lazy"},
			needs: []string{"domain", "fields", "groupby"}, do: readGroup,
		},
	}
}

// specs reads a list of groupby or aggregate terms.
func (a arguments) specs(name string) ([]string, error) {
	v, given := a.given[name]
	if !given {
		return nil, nil
	}
	return specList(name, v)
}

func specList(name string, v any) ([]string, error) {
	bad := fault.Newf(fault.BadRequest, "%s must be a list of texts", name)
	list, ok := v.([]any)
	if !ok {
		if v == "" {
			return nil, nil
		}
		return nil, bad
	}
	out := make([]string, len(list))
	for i, item := range list {
		if out[i], ok = item.(string); !ok {
			return nil, bad
		}
	}
	return out, nil
}

// recordsets asks for lists of ids: records do not travel.
func recordsets(specs []string) []string {
	out := make([]string, len(specs))
	for i, spec := range specs {
		out[i] = strings.ReplaceAll(spec, ":recordset", ":array_agg")
	}
	return out
}

// groupQuery reads the arguments that the methods share.
func (c *call) groupQuery() (*backend.GroupQuery, error) {
	q := &backend.GroupQuery{Model: c.model}
	var err error
	if q.Domain, err = c.args.domain("domain", false); err != nil {
		return nil, err
	}
	if q.Offset, err = c.args.count("offset"); err != nil {
		return nil, err
	}
	q.Limit, err = c.args.count("limit")
	return q, err
}

// formatted asks for groups and gives them the shape of Odoo's web client.
func (c *call) formatted(q *backend.GroupQuery) (*backend.Groups, []map[string]any, error) {
	groups, err := c.b.Group(c.ctx, c.caller, q)
	if err != nil {
		return nil, nil, err
	}
	if err := c.unexpanded(q, groups); err != nil {
		return nil, nil, err
	}
	if err := c.fill(q, groups); err != nil {
		return nil, nil, err
	}
	rows := make([]map[string]any, len(groups.Rows))
	for i := range groups.Rows {
		if rows[i], err = formatGroup(groups, &groups.Rows[i]); err != nil {
			return nil, nil, err
		}
	}
	return groups, rows, nil
}

func formattedReadGroup(c *call) (any, error) {
	q, err := c.groupQuery()
	if err != nil {
		return nil, err
	}
	if q.GroupBy, err = c.args.specs("groupby"); err != nil {
		return nil, err
	}
	if q.Aggregates, err = c.args.specs("aggregates"); err != nil {
		return nil, err
	}
	q.Aggregates = recordsets(q.Aggregates)
	if q.Order, err = c.args.text("order", ""); err != nil {
		return nil, err
	}
	if len(q.GroupBy) > 0 { // else Odoo does not look at it
		if q.Having, err = c.args.having(); err != nil {
			return nil, err
		}
	}
	_, rows, err := c.formatted(q)
	return rows, err
}

// having reads conditions on aggregates in prefix notation. Odoo takes them
// from the end, and joins what is left over with AND.
func (a arguments) having() (domain.Node, error) {
	v, given := a.given["having"]
	if !given {
		return nil, nil //nolint:nilnil // no condition
	}
	list, ok := v.([]any)
	if !ok {
		if v == "" {
			return nil, nil //nolint:nilnil // no condition
		}
		return nil, fault.New(fault.BadRequest, "having must be a list of conditions")
	}
	var stack []domain.Node
	short := fault.New(fault.BadRequest, "Invalid having: an operator lacks its conditions")
	for i := len(list) - 1; i >= 0; i-- {
		arity := map[any]int{"!": 1, "&": 2, "|": 2}
		if op, isText := list[i].(string); isText && arity[op] > 0 {
			n := arity[op]
			if len(stack) < n {
				return nil, short
			}
			top := stack[len(stack)-n:]
			stack = append(stack[:len(stack)-n:len(stack)-n], map[string]domain.Node{
				"!": domain.Not{Child: top[0]}, "&": domain.And(reversed(top)), "|": domain.Or(reversed(top)),
			}[op])
			continue
		}
		leaf, err := havingLeaf(list[i])
		if err != nil {
			return nil, err
		}
		stack = append(stack, leaf)
	}
	if len(stack) == 0 {
		return nil, nil //nolint:nilnil // no condition
	}
	return domain.And(reversed(stack)), nil
}

func reversed(nodes []domain.Node) []domain.Node {
	out := make([]domain.Node, len(nodes))
	for i, n := range nodes {
		out[len(nodes)-1-i] = n
	}
	return out
}

func havingLeaf(v any) (*domain.Leaf, error) {
	bad := fault.New(fault.BadRequest, "Invalid having: write conditions as [aggregate, operator, value]")
	parts, ok := v.([]any)
	if !ok || len(parts) != 3 {
		return nil, bad
	}
	path, ok1 := parts[0].(string)
	op, ok2 := parts[1].(string)
	if !ok1 || !ok2 {
		return nil, bad
	}
	value := parts[2]
	switch v := value.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			value = n
		} else if value, err = v.Float64(); err != nil {
			return nil, bad
		}
	case int:
		value = int64(v)
	}
	return &domain.Leaf{Path: path, Op: domain.Op(op), Value: value, Pos: -1}, nil
}

// unexpanded makes sure that no groups without records belong into the answer:
// which ones is written in code.
func (c *call) unexpanded(q *backend.GroupQuery, groups *backend.Groups) error {
	if len(q.GroupBy) == 1 && q.Offset == 0 && !falsy(c.contextValue("read_group_expand")) && mayExpand(groups) {
		return backend.CannotProve(backend.ContextKey, "read_group_expand", q.Model)
	}
	return nil
}

// mayExpand says whether code may add groups: for choices and relations of
// fields that are not made at run time.
func mayExpand(groups *backend.Groups) bool {
	if len(groups.By) == 0 || len(groups.By[0].Path) != 1 {
		return false
	}
	field := groups.By[0].Field()
	return !field.Manual && (field.Type.IsRelational() || len(field.Options) > 0 || field.Type.String() == "selection")
}

// contextValue is a key of the context that backends do not know.
func (c *call) contextValue(key string) any {
	given, _ := c.args.given["context"].(map[string]any)
	return given[key]
}

// formattedReadGroupingSets groups several times.
func formattedReadGroupingSets(c *call) (any, error) {
	q, err := c.groupQuery()
	if err != nil {
		return nil, err
	}
	list, ok := c.args.given["grouping_sets"].([]any)
	if !ok || len(list) == 0 {
		return nil, fault.New(fault.BadRequest, "grouping_sets must be a list of lists, not empty")
	}
	sets := make([][]string, len(list))
	var all []string
	for i, v := range list {
		if sets[i], err = specList("grouping_sets", v); err != nil {
			return nil, err
		}
		all = append(all, sets[i]...)
	}
	if q.Aggregates, err = c.args.specs("aggregates"); err != nil {
		return nil, err
	}
	q.Aggregates = recordsets(q.Aggregates)
	order, err := c.args.text("order", "")
	if err != nil {
		return nil, err
	}
	if order == "" {
		order = strings.Join(all, ", ")
	}
	out := make([][]map[string]any, len(sets))
	for i, set := range sets {
		one := *q
		one.GroupBy, one.Order = set, withoutTerms(order, all, set)
		if _, out[i], err = c.formatted(&one); err != nil {
			return nil, err
		}
		if one.Order == "" && len(set) > 0 && len(out[i]) > 1 {
			return nil, backend.CannotProve(backend.OpenOrder, c.model, "grouping sets without an order of their own")
		}
	}
	return out, nil
}

// withoutTerms drops what does not order a set: members of other sets are empty
// in it, and terms that come again.
func withoutTerms(order string, all, set []string) string {
	var kept []string
	for _, part := range strings.Split(order, ",") {
		term, _, _ := strings.Cut(strings.TrimSpace(part), " ")
		if !contains(all, term) || contains(set, term) {
			kept = append(kept, strings.TrimSpace(part))
		}
	}
	return strings.Join(kept, ", ")
}

func contains(list []string, s string) bool {
	for _, item := range list {
		if item == s {
			return true
		}
	}
	return false
}
