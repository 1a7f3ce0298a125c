package record

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// addPropertyKey compiles a property as a member of GroupBy. Its type decides,
// which a definition tells, whatever records that belongs to.
func (g *grouping) addPropertyKey(f *from, k *groupKey, rest []string) error {
	field := k.col.Field()
	if len(k.col.Path) > 1 {
		return backend.CannotProve(backend.ValueShape, field.Model.Name+"."+field.Name, "groups of a property of another record")
	}
	name := strings.Join(rest, ".")
	expr, err := f.propertyValue(field, name)
	if err != nil {
		return err
	}
	if k.property, err = g.cx.propertyNamed(field, name); err != nil {
		return err
	}
	k.col.Path = []*schema.Field{{Name: field.Name + "." + name, Type: schema.JSON, Model: field.Model}}
	if expr, err = g.propertyExpr(f, k, expr); err != nil {
		return err
	}
	k.column = g.column(expr)
	g.keys = append(g.keys, k)
	g.out.By = append(g.out.By, k.col)
	return nil
}

// propertyNamed finds a property in the definitions of all records. Odoo takes
// any that has the name; where they differ nobody knows which.
func (cx *callContext) propertyNamed(field *schema.Field, name string) (*property, error) {
	path, column, _ := strings.Cut(field.Definition, ".")
	for field.Inherited {
		m := cx.st.reg.Model(field.Model.Field(field.Related[0]).Relation)
		if field = m.Field(field.Related[1]); field == nil {
			return nil, fault.Newf(fault.BadRequest, "Unknown property %s", backend.Shorten(name))
		}
		path, column, _ = strings.Cut(field.Definition, ".")
	}
	link := field.Model.Field(path)
	if link == nil || cx.st.reg.Model(link.Relation) == nil {
		return nil, backend.CannotProve(backend.ValueShape, field.Model.Name+"."+field.Name, "nothing describes it")
	}
	var found []*property
	read := func(db sqldb.Querier) error {
		sql := "select distinct cast(" + quote(column) + " as text) from " + quote(cx.st.reg.Model(link.Relation).Table) +
			" where " + quote(column) + " is not null"
		return db.Query(cx.ctx, sql, nil, func(r sqldb.Row) error {
			list, err := cx.described(r.Text(0))
			for _, p := range list {
				if p.name == name {
					found = append(found, p)
				}
			}
			return err
		})
	}
	var err error
	if cx.q != nil {
		err = read(cx.q)
	} else {
		err = cx.e.db.Read(cx.ctx, read)
	}
	if err != nil || len(found) == 0 {
		return &property{name: name}, err
	}
	for _, p := range found[1:] {
		if p.kind != found[0].kind || p.comodel != found[0].comodel || string(p.raw[p.kind]) != string(found[0].raw[p.kind]) {
			return nil, backend.CannotProve(backend.ValueShape, field.Model.Name+"."+field.Name+"."+name, "different definitions")
		}
	}
	return found[0], nil
}

// propertyExpr is the expression of a key, and says how it is read. What the
// definition does not know (any more) counts as nothing.
func (g *grouping) propertyExpr(f *from, k *groupKey, expr string) (string, error) {
	d, p, name := g.c.d, k.property, k.col.Name
	field := k.col.Path[0]
	if k.col.Func != "" && p.kind != "date" && p.kind != "datetime" {
		return "", fault.Newf(fault.BadRequest, "Cannot group by %s: a granularity goes with dates", backend.Shorten(name))
	}
	k.kind, field.Type = readText, schema.Selection
	switch p.kind {
	case "selection":
		text := d.JSONPlain(expr)
		return "case when " + d.In(text, g.c.arg(p.texts()), false) + " then " + text + " end", nil
	case "tags":
		element := g.joinElements(f, expr, func(value string) string { return d.In(value, g.c.arg(p.texts()), false) })
		return element, nil
	case "many2one", "many2many":
		return g.linkProperty(f, k, expr)
	case "date":
		if !slices.Contains(backend.Periods()[1:], k.col.Func) {
			return "", backend.CannotProve(backend.ValueShape, name, "groups of a date")
		}
		k.kind, k.zone, field.Type = readDate, time.UTC, schema.Date
		day := "cast(case when " + d.JSONOrder(expr) + " <> " + d.JSONOrder(d.JSONValue("'false'")) + " then " + d.JSONPlain(expr) + " end as date)"
		if d.Name() == "sqlite" {
			day = "case when " + d.JSONOrder(expr) + " <> " + d.JSONOrder("'false'") + " then " + d.JSONPlain(expr) + " end"
		}
		return d.DateTrunc(k.col.Func, day, "", g.lang.WeekStart-1), nil
	case "datetime":
		return "", backend.CannotProve(backend.ValueShape, name, "groups of a moment")
	case "html":
		return "", fault.Newf(fault.Unprocessable, "Grouping by HTML properties is not supported: %s", backend.Shorten(name))
	}
	k.kind, field.Type = readJSON, schema.JSON
	return "coalesce(" + expr + ", " + d.JSONValue("'false'") + ")", nil
}

// texts are the options, never nil.
func (p *property) texts() []string { return append([]string{}, p.options...) }

// joinElements joins the elements of a list that a condition accepts.
func (g *grouping) joinElements(f *from, list string, accept func(value string) string) string {
	alias := g.c.alias()
	value := "cast(" + alias + ".value as text)" // SQLite has numbers there
	f.joins.WriteString(" left join " + g.c.d.JSONElements(list) + " " + alias + " on " + accept(value))
	return value
}

// linkProperty groups by the records that a property links and that exist.
func (g *grouping) linkProperty(f *from, k *groupKey, expr string) (string, error) {
	d, p := g.c.d, k.property
	m := g.c.reg.Model(p.comodel)
	switch {
	case m == nil || m.Transient || m.Abstract:
		return "", fault.Newf(fault.Unprocessable, "Cannot group by %s: the model of its records does not exist", backend.Shorten(k.col.Name))
	case m.Gap != "":
		return "", provable(m)
	case len(g.q.GroupBy) > 1: // the condition of the group without any names all others
		return "", backend.CannotProve(backend.ValueShape, k.col.Name, "groups of a link and something else")
	}
	k.kind = readInt
	k.col.Path[0].Type = schema.Integer
	exists := func(text string) string {
		return "exists (select 1 from " + quote(m.Table) + " o where cast(o.id as text) = " + text + ")"
	}
	if p.kind == "many2many" {
		value := g.joinElements(f, expr, exists)
		return "cast(" + value + " as integer)", nil
	}
	text := d.JSONPlain(expr)
	return "cast(case when " + exists(text) + " then " + text + " end as integer)", nil
}

// propertyKey is a plain property as a key.
func propertyKey(text string) backend.Value {
	var v any
	if err := decodeNumbers(text, &v); err != nil {
		return backend.NullValue
	}
	switch v := v.(type) {
	case nil:
		return backend.NullValue
	case bool:
		return backend.BoolValue(v)
	case string:
		return backend.TextValue(v)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return backend.IntValue(n)
		}
		x, _ := v.Float64()
		return backend.FloatValue(x)
	}
	return backend.RawValue(text)
}

// showProperties gives keys that are properties the form that the definition
// gives them, and groups the condition that selects them.
func (g *grouping) showProperties(db sqldb.Querier) error {
	for i, k := range g.keys {
		if k.property == nil {
			continue
		}
		var ids []int64
		for _, row := range g.out.Rows {
			if key := row.Keys[i]; k.property.comodel != "" && key.Kind == backend.Int {
				ids = append(ids, key.Int)
			}
		}
		known, err := g.cx.namesOf(db, k.property.comodel, ids)
		if err != nil {
			return err
		}
		for n := range g.out.Rows {
			if err := k.showProperty(&g.out.Rows[n].Keys[i], known, ids); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k *groupKey) showProperty(key *backend.GroupKey, known names, ids []int64) error {
	name, p := k.col.Path[0].Name, k.property
	isSet := key.Kind != backend.Null
	switch p.kind {
	case "selection":
		if !isSet {
			key.Where = []any{"|", []any{name, "=", false}, []any{name, "not in", anyList(p.options)}}
		}
	case "tags":
		if isSet {
			key.Shown, key.Where = p.tag(key.Text), []any{[]any{name, "in", key.Text}}
			return nil
		}
		key.Where = noneOf(name, anyList(p.options))
	case "many2one", "many2many":
		op := map[string]string{"many2one": "=", "many2many": "in"}[p.kind]
		switch {
		case isSet && string(known[key.Int]) == "null":
			return backend.CannotProve(backend.PythonAccess, p.comodel, "names of groups")
		case isSet:
			key.Shown, key.Where = []any{key.Int, known[key.Int]}, []any{[]any{name, op, key.Int}}
			return nil
		case p.kind == "many2one" && len(ids) > 0:
			key.Where = []any{"|", []any{name, "=", false}, []any{name, "not in", anyList(ids)}}
		case p.kind == "many2many":
			key.Where = noneOf(name, anyList(ids))
		}
	default:
		return nil
	}
	if !isSet && len(key.Where) == 0 {
		return backend.CannotProve(backend.ValueShape, k.col.Name, "a group of nothing alone")
	}
	return nil
}

// noneOf is the condition that a property has none of some values; nil where
// there are none.
func noneOf(name string, values []any) []any {
	if len(values) == 0 {
		return nil
	}
	where := []any{"|", []any{name, "=", false}}
	for range values[1:] {
		where = append(where, "&")
	}
	for _, v := range values {
		where = append(where, []any{name, "not in", v})
	}
	return where
}

func anyList[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// tag is a tag with its label and colour.
func (p *property) tag(text string) any {
	var tags [][]json.RawMessage
	_ = json.Unmarshal(p.raw["tags"], &tags)
	for _, t := range tags {
		if len(t) > 0 && rawText(t[0]) == text {
			return t
		}
	}
	return nil
}
