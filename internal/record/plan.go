package record

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"gatehouse/internal/access"
	"gatehouse/internal/backend"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// plan is a compiled query: its statements and how to read their rows. Ids and
// the offset are later arguments. The limit is written into the text: callers
// use few different ones, and PostgreSQL plans anew for every request what it
// believes to depend on an argument.
type plan struct {
	model   *schema.Model
	columns []backend.Column
	readers []reader
	// partial: a page may hold fewer records than its limit before the last.
	partial bool
	// doubtful are the columns with names that only Odoo's code may know.
	doubtful []int
	whole    statement // the list without limit and offset
	page     statement // a page, with a NUL where its limit goes
	offset   statement // and one that is not the first
	count    statement
	byID     statement
	byIDs    statement
	counted  atomic.Pointer[counted]
	// keyAt is the first column that tells a row's place in the order, by keys
	// columns; 0: none do.
	keyAt, keys int
	// refused is why no record may be shown with these fields. Like Odoo's, an
	// answer without records is none the worse for it.
	refused error
	until   time.Time // zero: good until the registry or the user changes
}

// quote makes an SQL identifier of any name.
func quote(name string) string { return sqldb.Quote(name) }

// readKind says how a column comes out of a row.
type readKind uint8

const (
	readBool readKind = iota
	readInt
	readFloat
	readText
	readDate
	readDatetime
	readRef // two columns: id and name
	readID  // a many2one without the name
	readIDs
	readJSON

	// Those of readLong.
	readFile       // two columns: bytes, and whether they are elsewhere
	readBytes      // bytes
	readFileSize   // a number of bytes
	readColumnSize // that of a column
	readSize       // base64 text, whose size is wanted
	readProperties // two columns: values and definition
	readDefinition
)

type reader struct {
	kind readKind
	at   int // first column of the statement
}

func placeholder(n int) string { return "$" + strconv.Itoa(n) }

// plan compiles a query for a caller, or finds it compiled.
func (cx *callContext) plan(q *backend.Query) (*plan, error) {
	var key string
	cacheable := q.Domain == nil && (q.Keyset == nil || q.Keyset.After == "")
	if cacheable {
		key = cx.planKey(q)
		if p := cx.known.plans.get(key, cx.e.now); p != nil {
			return p, nil
		}
	}
	m, err := cx.model(q.Model, schema.Read)
	if err != nil {
		return nil, err
	}
	c := cx.compiler()
	p, err := c.plan(cx, m, q)
	if err != nil {
		return nil, err
	}
	p.until = cx.expires
	if cacheable && !c.volatile && len(key) <= maxPlanKey {
		cx.known.plans.put(key, p)
	}
	return p, nil
}

// planKey tells apart whatever a plan depends on, the registry and the user's
// rights apart, whose change clears the cache.
func (cx *callContext) planKey(q *backend.Query) string {
	a := cx.actor
	b := make([]byte, 0, 256)
	b = strconv.AppendInt(b, a.user.ID, 10)
	b = strconv.AppendInt(append(b, '@'), a.company, 10) // not always the first: see actor
	for _, id := range a.companies {
		b = append(b, ',')
		b = strconv.AppendInt(b, id, 10)
	}
	var flags uint16
	if a.sudo {
		flags |= 1
	}
	if a.admin {
		flags |= 2
	}
	if cx.caller.Context.KeepArchived {
		flags |= 4
	}
	if q.IDs != nil {
		flags |= 8
	}
	if q.BareIDs {
		flags |= 16
	}
	if q.AllFields {
		flags |= 32
	}
	if cx.caller.Context.BinSize {
		flags |= 64
	}
	if q.Keyset != nil {
		flags |= 128
	}
	if q.Version {
		flags |= 256
	}
	b = append(b, 0, byte(flags), byte(flags>>8), 0)
	for _, s := range [...]string{a.lang, a.tz, q.Model, q.Order} {
		b = appendKey(b, s)
	}
	if q.Fields == nil {
		b = append(b, '*')
	}
	for _, list := range [...][]string{q.Fields, cx.caller.Context.BinSizes, cx.caller.Context.Unknown} {
		b = append(strconv.AppendInt(b, int64(len(list)), 10), ';')
		for _, s := range list {
			b = appendKey(b, s)
		}
	}
	return string(append(b, q.DomainText...))
}

// appendKey adds a text with its length: callers may put any character into it.
func appendKey(b []byte, s string) []byte {
	return append(append(strconv.AppendInt(b, int64(len(s)), 10), ':'), s...)
}

// plan compiles the statements of a query: a list with its count, or a look-up
// by ids.
func (c *compiler) plan(cx *callContext, m *schema.Model, q *backend.Query) (*plan, error) {
	node, err := backend.JoinDomains(q.DomainText, q.Domain)
	if err != nil {
		return nil, err
	}
	p := &plan{model: m}
	f := c.from(m)
	var where string
	if q.IDs != nil {
		c.checking = onlyChecked(m, q)
		where, err = f.rules(schema.Read)
		c.checking = false
	} else {
		where, err = f.search(node)
	}
	if err != nil {
		return nil, err
	}
	p.count = c.statement("select count(*) from " + f.sql() + " where " + where)
	id := f.alias + `."id"`
	terms, err := f.orderTerms(q.Order)
	if where == "false" { // Odoo does not come to order and values any more
		terms, err = []string{id}, nil
		a := *c.actor
		a.companyErr, a.langErr = nil, nil
		c.actor = &a
	}
	if err != nil {
		return nil, err
	}
	terms = withID(terms, id) // records that the order cannot tell apart must not swap between two pages
	order := strings.Join(terms, ", ")
	joins := f.sql()
	if q.IDs == nil {
		c.keepArchived = false // what was found is read without it, as by Odoo's search_read
	}
	exprs, err := c.columns(p, f, q)
	if err != nil {
		return nil, err
	}
	if q.Version {
		exprs = f.version(p, exprs)
	}
	head := "select " + strings.Join(exprs, ", ") + " from " + f.sql() + " where "
	if q.IDs != nil {
		p.byID = c.statement(head + f.alias + ".id = " + laterFirst + andAlso(where))
		p.byIDs = c.statement(head + c.d.In(f.alias+".id", laterFirst, true) + andAlso(where) + " order by " + order)
		return p, nil
	}
	// A page is cut out before names and lists are looked up, so that only its
	// own rows pay for them.
	base, shown, err := f.unguardedPage(node, where)
	if err != nil {
		return nil, err
	}
	if keyed(q) {
		if exprs, where, err = cx.placed(c, p, q, keysOf(c.d, terms, id), exprs, where); err != nil {
			return nil, err
		}
		base, shown = where, "" // the place of a record that is not shown is not told either
	}
	p.pages(c, f, exprs, order, joins, where, base, shown)
	return p, nil
}

// pages writes the statements that give a list: whole, its first page, and
// one after others. shown is what is looked at of a page that base has cut out.
func (p *plan) pages(c *compiler, f *from, exprs []string, order, joins, where, base, shown string) {
	if p.partial = shown != ""; p.partial {
		shown = " where" + shown
	}
	values := strings.Join(exprs, ", ")
	rest := ") " + f.alias + f.joins.String() + shown + " order by " + order
	page := "select " + values + " from (select " + f.columnsIn(values+rest) + " from " + joins + " where " + base +
		" order by " + order
	p.whole = c.statement("select " + values + " from " + f.sql() + " where " + where + " order by " + order)
	p.page = c.statement(page + "\x00" + rest)
	p.offset = c.statement(page + "\x00 offset cast(" + laterFirst + " as bigint)" + rest)
}

// columnsIn are the columns of the clause's table that a text of SQL names, the
// id always: rows are sorted faster the narrower they are.
func (f *from) columnsIn(text string) string {
	columns := f.alias + `."id"`
	for _, field := range f.model.Fields {
		if !field.HasColumn() || field.Name == "id" {
			continue
		}
		column := f.col(field)
		if strings.Contains(text, column) || strings.Contains(text, f.alias+"."+field.Name) {
			columns += ", " + column
		}
	}
	return columns
}

// columns adds the fields asked for to the plan and gives their expressions.
func (c *compiler) columns(p *plan, f *from, q *backend.Query) ([]string, error) {
	fields, err := c.fields(p, q)
	if err != nil {
		return nil, err
	}
	var exprs []string
	for _, field := range fields {
		one, kind, err := c.answerFor(f, field, q)
		if err != nil {
			return nil, err
		}
		p.columns = append(p.columns, backend.Column{Name: field.Name, Field: field})
		if slices.ContainsFunc(one, mayBeUnknowable) {
			p.doubtful = append(p.doubtful, len(p.readers))
		}
		p.readers = append(p.readers, reader{kind, len(exprs)})
		exprs = append(exprs, one...)
	}
	return exprs, nil
}

// fields resolves names, or gives the default: id and all stored, non-binary
// fields that the caller may read.
func (c *compiler) fields(p *plan, q *backend.Query) ([]*schema.Field, error) {
	m := p.model
	fields := []*schema.Field{m.Field("id")}
	seen := map[string]bool{"id": true}
	if q.Fields == nil {
		for _, f := range m.Fields {
			if seen[f.Name] {
				continue
			}
			if c.byDefault(f) || (q.AllFields && !f.Secret && (c.sudo || access.Field(c.reg, c.actor.user, f))) {
				if p.refuses(c, f) {
					continue
				}
				fields = append(fields, f)
			}
		}
		return fields, nil
	}
	for _, name := range q.Fields {
		if seen[name] {
			continue
		}
		seen[name] = true
		f, err := c.field(m, name, "fields")
		if err != nil {
			return nil, err
		}
		if p.refuses(c, f) {
			continue
		}
		fields = append(fields, f)
	}
	return fields, nil
}

// refuses notes that a list of records is not for the caller, who may not read
// their model.
func (p *plan) refuses(c *compiler, f *schema.Field) bool {
	if !f.Type.IsRelational() || f.Type == schema.Many2one {
		return false
	}
	err := c.allowed(f.Relation)
	p.refused = cmp.Or(p.refused, err)
	return err != nil
}

func (c *compiler) byDefault(f *schema.Field) bool {
	if f.Type == schema.Binary || f.Secret || (!f.Store && !f.Inherited) {
		return false
	}
	if !c.sudo && !access.Field(c.reg, c.actor.user, f) {
		return false
	}
	if f.Inherited {
		parent := c.reg.Model(f.Model.Field(f.Related[0]).Relation)
		if parent == nil || parent.Field(f.Related[1]) == nil || !c.byDefault(parent.Field(f.Related[1])) {
			return false
		}
	}
	return !f.Type.IsX2many() || (c.reg.Model(f.Relation) != nil && c.allowed(f.Relation) == nil)
}

// answerFor is answer, without the names that the query does not ask for.
func (c *compiler) answerFor(f *from, field *schema.Field, q *backend.Query) ([]string, readKind, error) {
	if q.BareIDs && field.Type == schema.Many2one {
		expr, err := f.value(field)
		return []string{expr}, readID, err
	}
	return c.answer(f, field)
}

// column gives the expressions of a field and how to read them.
func (c *compiler) column(f *from, field *schema.Field) ([]string, readKind, error) {
	if field.Type.IsX2many() {
		expr, err := f.links(field)
		return []string{expr}, readIDs, err
	}
	expr, err := f.value(field)
	if err != nil {
		return nil, 0, err
	}
	switch field.Type {
	case schema.Boolean:
		return []string{expr}, readBool, nil
	case schema.Integer, schema.Many2oneReference:
		return []string{expr}, readInt, nil
	case schema.Float, schema.Monetary:
		return []string{expr}, readFloat, nil
	case schema.Date:
		return []string{expr}, readDate, nil
	case schema.Datetime:
		return []string{expr}, readDatetime, nil
	case schema.JSON, schema.Properties, schema.PropertiesDefinition:
		return []string{expr}, readJSON, nil
	case schema.Binary:
		if end := c.keeper(field); end != nil && (end.Raw || end.Attached) {
			return []string{expr}, readBytes, nil
		}
	case schema.Many2one:
		name, err := f.refName(field)
		return []string{expr, name}, readRef, err
	}
	return []string{expr}, readText, nil
}
