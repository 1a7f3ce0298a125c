package odoocall

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
)

// openedGroups is how many groups open by themselves.
const openedGroups = 10

// webOrderTerm is a term of an order of records: those of groups follow from it.
var webOrderTerm = regexp.MustCompile(`(?i)^\s*([a-z0-9_]+(?:\.[a-z0-9_]+)?)(?::[a-z_]+)?(?:\s+(desc|asc))?(?:\s+(nulls first|nulls last))?\s*$`)

// webGrouping is one call of web_read_group.
type webGrouping struct {
	*call
	q       *backend.GroupQuery // without GroupBy
	groupBy []string
	order   [][2]string // fields and their direction, as asked for
	unfold  bool
	spec    map[string]any // what to read of the records of opened groups
	limit   int            // of records in an opened group
}

// webReadGroup groups by the first of the terms, and opens groups if asked to.
func webReadGroup(c *call) (any, error) {
	w := &webGrouping{call: c}
	var err error
	if w.q, err = c.groupQuery(); err != nil {
		return nil, err
	}
	if err := w.readArguments(); err != nil {
		return nil, err
	}
	groups, err := w.level(w.q.Domain, 0, w.q.Limit, w.q.Offset)
	if err != nil {
		return nil, err
	}
	return groups, w.open(groups, w.q.Domain, 0)
}

func (w *webGrouping) readArguments() error {
	a := w.args
	var err error
	if w.groupBy, err = a.specs("groupby"); err != nil {
		return err
	}
	if len(w.groupBy) == 0 {
		return fault.New(fault.BadRequest, "groupby must be a list of texts, not empty")
	}
	if w.q.Aggregates, err = a.specs("aggregates"); err != nil {
		return err
	}
	w.q.Aggregates = recordsets(w.q.Aggregates)
	if !slices.Contains(w.q.Aggregates, "__count") {
		w.q.Aggregates = append(w.q.Aggregates, "__count")
	}
	order, err := a.text("order", "")
	if err != nil {
		return err
	}
	if w.order, err = webOrder(order); err != nil {
		return err
	}
	for _, name := range []string{"opening_info", "groupby_read_specification"} {
		if !falsy(a.given[name]) {
			return backend.CannotProve(backend.UnknownMethod, w.model+".web_read_group", name)
		}
	}
	w.unfold = !falsy(a.given["auto_unfold"])
	if w.spec, _ = a.given["unfold_read_specification"].(map[string]any); w.spec == nil {
		w.spec = map[string]any{}
	}
	w.limit = 80
	if _, given := a.given["unfold_read_default_limit"]; given {
		w.limit, err = a.count("unfold_read_default_limit")
	}
	return err
}

func webOrder(order string) ([][2]string, error) {
	if order == "" {
		return nil, nil
	}
	var out [][2]string
	for _, part := range strings.Split(order, ",") {
		found := webOrderTerm.FindStringSubmatch(part)
		if found == nil {
			return nil, fault.Newf(fault.BadRequest, "Invalid order %q", order)
		}
		direction := strings.ToUpper(found[2])
		if direction == "" {
			direction = "ASC"
		}
		direction = strings.TrimSpace(direction + " " + strings.ToUpper(found[3]))
		i := slices.IndexFunc(out, func(o [2]string) bool { return o[0] == found[1] })
		if i >= 0 { // the place of the first, the direction of the last
			out[i][1] = direction
			continue
		}
		out = append(out, [2]string{found[1], direction})
	}
	return out, nil
}

// groupOrder is the order of groups that goes with one of records.
func (w *webGrouping) groupOrder(spec string) string {
	if len(w.order) == 0 {
		return spec
	}
	var terms []string
	ordered := false
	for _, o := range w.order {
		name, direction := o[0], o[1]
		if name == "__count" {
			terms = append(terms, name+" "+direction)
			continue
		}
		if !ordered && (name == spec || strings.HasPrefix(spec, name+":")) {
			terms, ordered = append(terms, spec+" "+direction), true
		}
		for _, aggregate := range w.q.Aggregates {
			if strings.HasPrefix(aggregate, name+":") {
				terms = append(terms, aggregate+" "+direction)
				break
			}
		}
	}
	if !ordered {
		terms = append(terms, spec)
	}
	return strings.Join(terms, ", ")
}

// level groups by one of the terms; the length is that of all its groups.
func (w *webGrouping) level(node domain.Node, depth, limit, offset int) (map[string]any, error) {
	q := *w.q
	q.Domain, q.GroupBy, q.Limit, q.Offset, q.Count = node, w.groupBy[depth:depth+1], limit, offset, true
	q.Order = w.groupOrder(w.groupBy[depth])
	groups, rows, err := w.formatted(&q)
	if err != nil {
		return nil, err
	}
	length := int64(len(rows) + offset)
	switch {
	case len(rows) == 0:
		length = 0
	case limit > 0 && len(rows) == limit:
		length = max(int64(limit), groups.Total)
	}
	return map[string]any{"groups": rows, "length": length}, nil
}

// open shows what is in the first groups of a level: groups of the next, or records.
func (w *webGrouping) open(level map[string]any, node domain.Node, depth int) error {
	if !w.unfold || depth > 0 { // only the first level opens by itself
		return nil
	}
	m, err := w.b.Model(w.ctx, w.caller, w.model)
	if err != nil {
		return err
	}
	name, _, _ := strings.Cut(w.groupBy[depth], ":")
	name, _, _ = strings.Cut(name, ".")
	field := m.Field(name)
	rows, _ := level["groups"].([]map[string]any)
	opened := 0
	for _, row := range rows {
		if opened == openedGroups || (field.Type.IsRelational() && row[w.groupBy[depth]] == false) {
			continue
		}
		opened++
		inside, err := w.condition(row)
		if err != nil {
			return err
		}
		inside = domain.Conj(node, inside)
		if depth+1 < len(w.groupBy) {
			row["__groups"], err = w.level(inside, depth+1, w.limit, 0)
		} else {
			row["__records"], err = w.records(inside, m.Order)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// condition reads the condition of a group back.
func (w *webGrouping) condition(row map[string]any) (domain.Node, error) {
	text, err := json.Marshal(row["__extra_domain"])
	if err != nil {
		return nil, fault.Wrap(err, "condition of a group")
	}
	node, err := domain.Parse(string(text), domain.Limits{})
	if err != nil {
		return nil, fault.Wrap(err, "condition of a group")
	}
	return node, nil
}

// records reads those of a group, in the order asked for, else in the model's.
// Fields that are the same in the whole group order nothing.
func (w *webGrouping) records(node domain.Node, modelOrder string) (any, error) {
	var terms []string
	known := slices.Clone(w.groupBy)
	for _, o := range w.order {
		if o[0] != "__count" && !slices.Contains(w.groupBy, o[0]) {
			terms = append(terms, o[0]+" "+o[1])
		}
		known = append(known, o[0])
	}
	for _, part := range strings.Split(modelOrder, ",") {
		if name, _, _ := strings.Cut(strings.TrimSpace(part), " "); !slices.Contains(known, name) {
			terms = append(terms, part)
		}
	}
	q := &backend.Query{Model: w.model, Domain: node, Fields: []string{"id"}, Order: strings.Join(terms, ","), Limit: w.limit}
	var page backend.Page
	if _, err := w.b.Search(w.ctx, w.caller, q, &page); err != nil {
		return nil, err
	}
	return w.web().read(w.model, page.IDs(), w.spec)
}
