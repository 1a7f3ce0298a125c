package record

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// properties gives the expressions of the values of a record's properties and
// of what describes them.
func (c *compiler) properties(f *from, field *schema.Field) ([]string, readKind, error) {
	for field.Inherited {
		f = f.parent(f.model.Field(field.Related[0]))
		target := f.model.Field(field.Related[1])
		if target == nil {
			return nil, 0, notReadable(field)
		}
		field = target
	}
	values, err := f.value(field)
	if err != nil || field.Definition == "" {
		return []string{values}, readJSON, err
	}
	definition, err := f.definition(field)
	return []string{values, definition}, readProperties, err
}

// definition is what describes the properties of a record, read as superuser: a
// field of the record that a many2one leads to or, for models without such
// parents, of the one that is there for the field.
func (f *from) definition(field *schema.Field) (string, error) {
	name, column, _ := strings.Cut(field.Definition, ".")
	link := f.model.Field(name)
	if link == nil || f.c.reg.Model(link.Relation) == nil {
		return "", backend.CannotProve(backend.ValueShape, field.Model.Name+"."+field.Name, "nothing describes it")
	}
	parent := f.c.from(f.c.reg.Model(link.Relation))
	definition := parent.model.Field(column)
	if definition == nil || !definition.HasColumn() {
		return "", backend.CannotProve(backend.ValueShape, field.Model.Name+"."+field.Name, "nothing describes it")
	}
	var where string
	if base := parent.model.Field("properties_field_id"); base != nil && !link.Store {
		where = parent.col(base) + " = " + strconv.FormatInt(field.ID, 10)
	} else {
		id, err := f.value(link)
		if err != nil {
			return "", err
		}
		where = parent.alias + ".id = " + id
	}
	return "(select " + parent.col(definition) + " from " + parent.sql() + " where " + where +
		" order by " + parent.alias + ".id limit 1)", nil
}

// propertySink holds rows back until the names of all records that properties
// lead to are known: one look-up for each model, however many rows there are.
type propertySink struct {
	cx   *callContext
	db   sqldb.Querier
	next backend.Sink
	plan *plan
	bare bool // definitions without names
	page backend.Page

	known  map[string][]*property
	linked map[string][]int64 // ids by model
	names  map[string]names
}

// names are the display names of the records of a model that exist, as JSON:
// null where the caller may not read the record.
type names map[int64]json.RawMessage

// gather is a sink that finishes properties on their way to next, and what to
// do at the end; next itself where a plan has none.
func (cx *callContext) gather(db sqldb.Querier, p *plan, q *backend.Query, next backend.Sink) (sink backend.Sink, end func() error) {
	isLong := func(rd reader) bool { return rd.kind == readProperties || rd.kind == readDefinition }
	if !slices.ContainsFunc(p.readers, isLong) {
		return next, func() error { return nil }
	}
	s := &propertySink{
		cx: cx, db: db, next: next, plan: p, bare: q.BareIDs,
		known: map[string][]*property{}, linked: map[string][]int64{}, names: map[string]names{},
	}
	return s, s.end
}

// Columns implements backend.Sink; the columns have passed already.
func (s *propertySink) Columns([]backend.Column) error { return nil }

// Row implements backend.Sink.
func (s *propertySink) Row(row []backend.Value) error { return s.page.Row(row) }

func (s *propertySink) end() error {
	cells := make([]map[int][]*property, len(s.page.Rows))
	for i, row := range s.page.Rows {
		cells[i] = map[int][]*property{}
		for at, rd := range s.plan.readers {
			if rd.kind != readProperties && rd.kind != readDefinition {
				continue
			}
			list, err := s.cell(rd.kind, row[at].Text)
			if err != nil {
				return err
			}
			cells[i][at] = list
		}
	}
	for model, ids := range s.linked {
		var err error
		if s.names[model], err = s.cx.namesOf(s.db, model, unique(ids)); err != nil {
			return err
		}
	}
	for i, row := range s.page.Rows {
		for at, list := range cells[i] {
			text, err := s.text(list, s.plan.readers[at].kind == readProperties)
			if err != nil {
				return err
			}
			row[at] = backend.RawValue(text)
		}
		if err := s.next.Row(row); err != nil {
			return err
		}
	}
	return nil
}

// cell reads what the database has of the properties of a record.
func (s *propertySink) cell(kind readKind, text string) ([]*property, error) {
	values, definition := "", text
	if kind == readProperties {
		values, definition, _ = strings.Cut(text, "\x00")
	}
	described, ok := s.known[definition]
	if !ok {
		var err error
		if described, err = s.cx.described(definition); err != nil {
			return nil, err
		}
		s.known[definition] = described
	}
	given := map[string]any{}
	if values != "" {
		if err := decodeNumbers(values, &given); err != nil {
			return nil, backend.CannotProve(backend.ValueShape, s.plan.model.Name, "properties that are no object")
		}
	}
	list := make([]*property, len(described))
	for i, p := range described {
		one := *p
		one.value, one.has = given[p.name]
		if err := one.check(); err != nil {
			return nil, err
		}
		list[i] = &one
		s.linked[p.comodel] = append(s.linked[p.comodel], append(linkedIDs(one.value), p.defaults...)...)
	}
	delete(s.linked, "")
	return list, nil
}

// decodeNumbers reads JSON and keeps numbers as they are written.
func decodeNumbers(text string, into any) error {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	return dec.Decode(into)
}

// text writes the properties of a record, with their values if those are wanted.
func (s *propertySink) text(list []*property, withValues bool) (string, error) {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, p := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		entry := make(map[string]any, len(p.raw)+1)
		for k, v := range p.raw {
			entry[k] = v
		}
		if len(p.defaults) > 0 && (withValues || !s.bare) {
			entry["default"] = p.named(p.raw["default"], p.defaults, s.names[p.comodel])
		}
		switch {
		case withValues && p.has:
			entry["value"] = p.shown(s.names[p.comodel])
		case withValues:
			delete(entry, "value")
		}
		one, err := json.Marshal(entry)
		if err != nil {
			return "", fault.Wrap(err, "write a property")
		}
		b.Write(one)
	}
	b.WriteByte(']')
	return b.String(), nil
}

// namesOf looks up records that properties lead to: Odoo shows their names to
// those who may read them.
func (cx *callContext) namesOf(db sqldb.Querier, model string, ids []int64) (names, error) {
	m := cx.st.reg.Model(model)
	if m == nil || m.Abstract || len(ids) == 0 {
		return nil, nil
	}
	if err := provable(m); err != nil {
		return nil, err
	}
	exist, err := cx.existing(db, m, ids)
	if err != nil {
		return nil, err
	}
	found := names{}
	for id := range exist {
		found[id] = json.RawMessage("null")
	}
	if !cx.may(m, schema.Read) || len(found) == 0 {
		return found, nil
	}
	if m.Python.Access {
		return nil, backend.CannotProve(backend.PythonAccess, m.Name, "")
	}
	c := cx.compiler()
	f := c.from(m)
	name, err := f.displayName()
	if err != nil {
		return nil, err
	}
	rules, err := f.rules(schema.Read)
	if err != nil {
		return nil, err
	}
	stmt := c.statement("select " + f.alias + ".id, " + name + " from " + f.sql() + " where " +
		c.d.In(f.alias+".id", laterFirst, true) + andAlso(rules))
	err = db.Query(cx.ctx, stmt.sql, stmt.with(ids), func(r sqldb.Row) error {
		if r.Null(1) {
			found[r.Int(0)] = json.RawMessage("false")
			return nil
		}
		if mayBeUnknowable(name) {
			if err := knowable(m.Name, r.Text(1)); err != nil {
				return err
			}
		}
		text, err := json.Marshal(r.Text(1))
		found[r.Int(0)] = text
		return err
	})
	return found, err
}
