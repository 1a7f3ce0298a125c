package record

import (
	"context"
	"math"
	"strconv"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// Group implements backend.Backend.
func (e *Engine) Group(ctx context.Context, c *backend.Caller, q *backend.GroupQuery) (*backend.Groups, error) {
	var groups *backend.Groups
	err := e.upToDate(func() error {
		cx, err := e.call(ctx, nil, c)
		if err != nil {
			return err
		}
		groups, err = cx.group(q)
		return err
	})
	return groups, err
}

// grouping is a GroupQuery on its way to SQL: an inner statement that groups,
// and an outer one that names, orders and cuts the groups. What an order needs
// of the records that keys lead to is joined to the outer one.
type grouping struct {
	cx   *callContext
	c    *compiler
	f    *from // of the inner statement
	q    *backend.GroupQuery
	lang schema.Lang
	// foreign says that the database is Odoo's own: what it leaves open, such as
	// the order of groups that the order cannot tell apart, is not made up.
	foreign bool

	keys    []*groupKey
	figures []*figure
	inner   []string        // columns of the inner statement, named c0, c1, …
	outer   strings.Builder // joins of the outer statement
	ties    string          // counts the groups that the order takes for the same
	tiesAt  int

	list, count statement
	out         *backend.Groups
}

// column adds a column to the inner statement and gives its number.
func (g *grouping) column(expr string) int {
	g.inner = append(g.inner, expr)
	return len(g.inner) - 1
}

// ref is a column of the inner statement as the outer one names it.
func ref(column int) string { return "g.c" + strconv.Itoa(column) }

func (cx *callContext) group(q *backend.GroupQuery) (*backend.Groups, error) {
	m, err := cx.model(q.Model, schema.Read)
	if err != nil {
		return nil, err
	}
	node, err := backend.JoinDomains(q.DomainText, q.Domain)
	if err != nil {
		return nil, err
	}
	c := cx.compiler()
	g := &grouping{
		cx: cx, c: c, f: c.from(m), q: q, foreign: cx.e.facts != nil,
		out: &backend.Groups{Total: -1},
	}
	where, err := g.f.search(node)
	if err != nil {
		return nil, err
	}
	if g.lang, err = cx.locale(); err != nil {
		return nil, err
	}
	g.out.Lang = g.lang.Code
	if where == "false" && len(q.GroupBy) > 0 { // Odoo does not look any further
		if q.Count {
			g.out.Total = 0
		}
		return g.out, nil
	}
	if err := g.compile(where); err != nil {
		return nil, err
	}
	run := func(db sqldb.Querier) error { return g.read(cx.ctx, db) }
	if cx.q != nil {
		err = run(cx.q)
	} else {
		err = cx.e.db.Read(cx.ctx, run)
	}
	if err != nil {
		return nil, storeFault(err, "group "+q.Model)
	}
	return g.out, nil
}

// locale is the language in which periods begin and are named: the context's,
// else that of the user's company, as Odoo has it.
func (cx *callContext) locale() (schema.Lang, error) {
	langs := cx.st.reg.Langs
	if lang, ok := langs[cx.caller.Context.Lang]; ok {
		return lang, nil
	}
	v, err := cx.e.lookup(cx.ctx, cx.q, cx.st, cx.known, cx.actor, cx.expire)("user.company_id.partner_id.lang")
	if err != nil {
		return schema.Lang{}, storeFault(err, "language of the company")
	}
	code, _ := v.(string)
	if lang, ok := langs[code]; ok {
		return lang, nil
	}
	if lang, ok := langs[english]; ok {
		return lang, nil
	}
	return schema.Lang{Code: english, WeekStart: 7}, nil
}

// compile renders the statement. What follows the where clause is compiled in
// Odoo's order, so that of two mistakes the same one is named.
func (g *grouping) compile(where string) error {
	for _, spec := range g.q.GroupBy {
		if err := g.addKey(spec); err != nil {
			return err
		}
	}
	for _, spec := range g.q.Aggregates {
		if err := g.addAggregate(spec); err != nil {
			return err
		}
	}
	having, orderBy := "", ""
	if len(g.keys) > 0 { // Odoo does not look at either where all is one group
		order, exact, err := g.order()
		if err != nil {
			return err
		}
		if having, err = g.having(); err != nil {
			return err
		}
		orderBy = g.tieBreak(order, exact) + g.page()
	}
	inner := g.innerSQL(where, having)
	g.count = g.c.statement("select count(*) from (" + inner + ") g")
	g.list = g.c.statement("select " + strings.Join(g.columns(), ", ") + " from (" + inner + ") g" + g.outer.String() + orderBy)
	return nil
}

func (g *grouping) innerSQL(where, having string) string {
	columns := make([]string, len(g.inner))
	for i, expr := range g.inner {
		columns[i] = expr + " as c" + strconv.Itoa(i)
	}
	if len(columns) == 0 {
		columns = []string{"count(*) as c0"} // a row, whatever is asked of it
	}
	sql := "select " + strings.Join(columns, ", ") + " from " + g.f.sql() + " where " + where
	if len(g.keys) == 0 {
		return sql
	}
	numbers := make([]string, len(g.keys))
	for i, k := range g.keys {
		numbers[i] = strconv.Itoa(k.column + 1)
	}
	sql += " group by " + strings.Join(numbers, ", ")
	if having != "" {
		sql += " having " + having
	}
	return sql
}

// columns are those of the outer statement: the inner ones, the names of keys,
// and how many groups the order takes for the same.
func (g *grouping) columns() []string {
	var columns []string
	for i := range g.inner {
		columns = append(columns, ref(i))
	}
	for _, k := range g.keys {
		if k.name != "" {
			k.nameAt = len(columns)
			columns = append(columns, k.name)
		}
	}
	if g.ties != "" {
		g.tiesAt = len(columns)
		columns = append(columns, g.ties)
	}
	if len(columns) == 0 {
		columns = []string{"1"}
	}
	return columns
}

// tieBreak ends an order, so that pages fit together. Where the database is
// Odoo's own, nobody knows in which order it gives tied groups: they are counted.
func (g *grouping) tieBreak(order []string, exact bool) string {
	if g.foreign && !exact {
		window := "order by " + strings.Join(order, ", ") + " range between current row and current row"
		if len(order) == 0 {
			window = ""
		}
		g.ties = "count(*) over (" + window + ")"
	}
	for _, k := range g.keys {
		order = append(order, ref(k.column))
	}
	return " order by " + strings.Join(order, ", ")
}

func (g *grouping) page() string {
	text := ""
	if g.q.Limit > 0 || g.q.Offset > 0 { // SQLite has no offset without a limit
		limit := math.MaxInt64
		if g.q.Limit > 0 {
			limit = g.q.Limit
		}
		text = " limit " + strconv.Itoa(limit)
	}
	if g.q.Offset > 0 {
		text += " offset " + strconv.Itoa(g.q.Offset)
	}
	return text
}

// read runs the statement, and the one that counts where the page does not tell.
func (g *grouping) read(ctx context.Context, db sqldb.Querier) error {
	err := db.Query(ctx, g.list.sql, g.list.args, func(r sqldb.Row) error {
		if g.ties != "" && r.Int(g.tiesAt) > 1 {
			return backend.CannotProve(backend.OpenOrder, g.q.Model, g.q.Order)
		}
		row, err := g.row(r)
		g.out.Rows = append(g.out.Rows, row)
		return err
	})
	if err == nil {
		err = g.showProperties(db)
	}
	if err != nil || !g.q.Count {
		return err
	}
	n := len(g.out.Rows)
	if g.q.Offset == 0 && (g.q.Limit == 0 || n < g.q.Limit) {
		g.out.Total = int64(n)
		return nil
	}
	return db.Query(ctx, g.count.sql, g.count.args, func(r sqldb.Row) error {
		g.out.Total = r.Int(0)
		return nil
	})
}

func (g *grouping) row(r sqldb.Row) (backend.Group, error) {
	row := backend.Group{}
	for _, k := range g.keys {
		key := k.read(r)
		if mayBeUnknowable(k.name) { // else a name that only looks like it
			if err := knowable(k.model.Name, key.Value.Text); err != nil {
				return row, err
			}
		}
		row.Keys = append(row.Keys, key)
	}
	for _, f := range g.figures {
		v, err := f.read(r)
		if err != nil {
			return row, err
		}
		row.Values = append(row.Values, v)
	}
	return row, nil
}
