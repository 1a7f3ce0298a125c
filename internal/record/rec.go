package record

import (
	"strings"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// Rec is a record inside a transaction. Its fields are read lazily, together
// for all records it was got with, and as superuser: rights bind what a caller
// does, not what the logic looks at. The zero Rec stands for no record.
type Rec struct {
	env   *Env
	model *schema.Model
	id    int64
	group []int64 // ids that are read together
	draft Values  // values of a record that is not stored yet
}

// ID is the record's id; 0 for none.
func (r Rec) ID() int64 { return r.id }

// IsZero says that there is no record.
func (r Rec) IsZero() bool { return r.id == 0 && r.draft == nil }

// Model is the name of the record's model.
func (r Rec) Model() string {
	if r.model == nil {
		return ""
	}
	return r.model.Name
}

// Has says whether the field is set.
func (r Rec) Has(field string) bool {
	switch v := r.get(field).(type) {
	case nil:
		return false
	case []int64:
		return len(v) > 0
	case string:
		return v != ""
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	}
	return true
}

// Text is a text, selection, date or moment as text; "" when not set.
func (r Rec) Text(field string) string {
	s, _ := r.get(field).(string)
	return s
}

// Int is an integer or the id of a many2one; 0 when not set.
func (r Rec) Int(field string) int64 {
	n, _ := r.get(field).(int64)
	return n
}

// Float is a number; 0 when not set.
func (r Rec) Float(field string) float64 {
	switch v := r.get(field).(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	}
	return 0
}

// Bool is a truth value.
func (r Rec) Bool(field string) bool {
	b, _ := r.get(field).(bool)
	return b
}

// Time is a date or moment in UTC; the zero time when not set.
func (r Rec) Time(field string) time.Time {
	s := r.Text(field)
	for _, layout := range []string{schema.DatetimeLayout, schema.DateLayout, "2006-01-02 15:04:05.999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// Value is the field as it is kept: nil, bool, int64, float64, string or []int64.
func (r Rec) Value(field string) any { return r.get(field) }

// Ref is the target of a many2one; the zero Rec when not set.
func (r Rec) Ref(field string) Rec {
	id := r.Int(field)
	if id == 0 || r.model == nil {
		return Rec{}
	}
	f := r.model.Field(field)
	if f == nil || f.Type != schema.Many2one {
		return Rec{}
	}
	return r.env.One(f.Relation, id)
}

// Refs are the records of an x2many.
func (r Rec) Refs(field string) []Rec {
	ids, _ := r.get(field).([]int64)
	f := r.model.Field(field)
	if f == nil {
		return nil
	}
	return r.env.Many(f.Relation, ids)
}

// get is the value of a field: nil, bool, int64, float64, string or []int64.
func (r Rec) get(name string) any {
	if r.IsZero() {
		return nil
	}
	f := r.model.Field(name)
	if f == nil {
		return nil
	}
	if r.draft != nil {
		return r.draftValue(f)
	}
	e := r.env
	if e.pending.has(r.model.Name, name, r.id) && !e.pending.running(r.model.Name, name, r.id) {
		e.fail(e.computeField(r.model.Name, name))
	}
	if v, ok := e.cache.get(r.model, r.id, f, e.actor.company); ok {
		return v
	}
	group := r.group
	if group == nil {
		group = []int64{r.id}
	}
	if err := e.load(r.model, group, f); err != nil {
		e.fail(err)
		return nil
	}
	v, _ := e.cache.get(r.model, r.id, f, e.actor.company)
	return v
}

// draftValue looks into a record that is being made; paths are followed from
// the links it has.
func (r Rec) draftValue(f *schema.Field) any {
	if v, ok := r.draft[f.Name]; ok {
		return v
	}
	if len(f.Related) < 2 {
		return nil
	}
	link := r.model.Field(f.Related[0])
	if link == nil {
		return nil
	}
	id, _ := r.draftValue(link).(int64)
	next := r.env.One(link.Relation, id)
	for _, step := range f.Related[1 : len(f.Related)-1] {
		next = next.Ref(step)
	}
	return next.get(f.Related[len(f.Related)-1])
}

// load reads a field for records: with a column, all plain columns at once.
func (e *Env) load(m *schema.Model, ids []int64, field *schema.Field) error {
	fields := []*schema.Field{field}
	if field.HasColumn() {
		fields = fields[:0]
		for _, f := range m.Fields {
			if f.HasColumn() && f.Type != schema.Binary {
				fields = append(fields, f)
			}
		}
		if field.Type == schema.Binary {
			fields = append(fields, field)
		}
	}
	var missing []int64
	for _, id := range ids {
		if _, ok := e.cache.get(m, id, field, e.actor.company); !ok {
			missing = append(missing, id)
		}
	}
	c := e.compiler()
	c.sudo = true
	f := c.from(m)
	exprs := []string{f.alias + ".id"}
	kinds := make([]readKind, len(fields))
	for i, fld := range fields {
		expr, kind, err := c.plainColumn(f, fld)
		if err != nil {
			return err
		}
		exprs = append(exprs, expr)
		kinds[i] = kind
	}
	sql := "select " + strings.Join(exprs, ", ") + " from " + f.sql() + " where " + c.d.In(f.alias+".id", c.arg(missing), true)
	found := map[int64]bool{}
	err := e.query(c, sql, func(r sqldb.Row) error {
		id := r.Int(0)
		found[id] = true
		for i, fld := range fields {
			e.cache.put(m, id, fld, e.actor.company, plainValue(reader{kinds[i], i + 1}.read(r), r.Null(i+1) && fld.Type == schema.Many2one))
		}
		return nil
	})
	for _, id := range missing {
		if !found[id] {
			e.cache.put(m, id, field, e.actor.company, nil)
		}
	}
	return err
}

// plainColumn is column without the name of a many2one.
func (c *compiler) plainColumn(f *from, field *schema.Field) (string, readKind, error) {
	if field.Type == schema.Many2one {
		expr, err := f.value(field)
		return expr, readInt, err
	}
	exprs, kind, err := c.column(f, field)
	if err != nil {
		return "", 0, err
	}
	return exprs[0], kind, nil
}

// plainValue turns a cell into what business logic works with.
func plainValue(v backend.Value, null bool) any {
	if null {
		return nil
	}
	switch v.Kind {
	case backend.Bool:
		return v.Int == 1
	case backend.Int, backend.Ref:
		return v.Int
	case backend.Float:
		return v.Float()
	case backend.Text, backend.Raw:
		return strings.Clone(v.Text)
	case backend.Date:
		return v.Time().Format(schema.DateLayout)
	case backend.Datetime:
		return v.Time().Format(schema.DatetimeLayout)
	case backend.IDs:
		if v.List == nil {
			return []int64{}
		}
		return append([]int64(nil), v.List...)
	}
	return nil
}
