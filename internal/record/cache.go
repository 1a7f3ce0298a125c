package record

import (
	"maps"
	"strconv"
	"strings"

	"gatehouse/internal/schema"
)

// recordCache keeps what was read in a transaction: the records' own columns,
// and what is derived from other records (lists, related and computed fields).
type recordCache struct {
	own     map[string]map[int64]map[string]any // by model, id, field
	derived map[string]map[int64]any            // by "model/field", id
}

func newRecordCache() recordCache {
	return recordCache{own: map[string]map[int64]map[string]any{}, derived: map[string]map[int64]any{}}
}

func derivedKey(m *schema.Model, f *schema.Field) string { return m.Name + "/" + f.Name }

// slot is where a column's value is kept for a company: most are the same to all.
func slot(f *schema.Field, company int64) string {
	if f.CompanyDependent {
		return f.Name + "@" + strconv.FormatInt(company, 10)
	}
	return f.Name
}

func (c *recordCache) get(m *schema.Model, id int64, f *schema.Field, company int64) (any, bool) {
	if f.HasColumn() {
		v, ok := c.own[m.Name][id][slot(f, company)]
		return v, ok
	}
	v, ok := c.derived[derivedKey(m, f)][id]
	return v, ok
}

func (c *recordCache) put(m *schema.Model, id int64, f *schema.Field, company int64, v any) {
	if !f.HasColumn() {
		key := derivedKey(m, f)
		if c.derived[key] == nil {
			c.derived[key] = map[int64]any{}
		}
		c.derived[key][id] = v
		return
	}
	if c.own[m.Name] == nil {
		c.own[m.Name] = map[int64]map[string]any{}
	}
	if c.own[m.Name][id] == nil {
		c.own[m.Name][id] = map[string]any{}
	}
	c.own[m.Name][id][slot(f, company)] = v
}

// changed forgets records, and what is derived from their model.
func (c *recordCache) changed(st *state, m *schema.Model, ids []int64) {
	for _, id := range ids {
		delete(c.own[m.Name], id)
	}
	c.dropDerived(st, m)
}

func (c *recordCache) dropDerived(st *state, m *schema.Model) {
	for _, key := range st.derived[m.Name] {
		delete(c.derived, key)
	}
}

// wrote takes over values that an update stored.
func (c *recordCache) wrote(st *state, m *schema.Model, ids []int64, columns Values) {
	for _, id := range ids {
		cached := c.own[m.Name][id]
		if cached == nil {
			continue
		}
		delete(cached, "write_date")
		delete(cached, "write_uid")
		for name, v := range columns {
			f := m.Field(name)
			switch {
			case f.CompanyDependent:
				maps.DeleteFunc(cached, func(key string, _ any) bool { return strings.HasPrefix(key, name+"@") })
				continue
			case f.Translate || f.Type == schema.JSON:
				delete(cached, name) // the column holds more than this value
				continue
			}
			cached[name] = v
		}
	}
	c.dropDerived(st, m)
}

// inserted takes over the values of a new record.
func (c *recordCache) inserted(st *state, m *schema.Model, id int64, values Values) {
	for _, f := range m.Fields {
		if !f.HasColumn() || f.Type == schema.Binary || f.Type == schema.JSON || f.Name == "id" ||
			f.Name == "create_date" || f.Name == "write_date" || f.Name == "create_uid" || f.Name == "write_uid" ||
			f.Translate || f.CompanyDependent {
			continue
		}
		v := values[f.Name]
		switch v {
		case SelfID:
			v = id
		case nil:
			if falsy, has := f.Type.Falsy(); has && !f.Type.IsText() {
				v = falsy
			}
		}
		c.put(m, id, f, 0, v)
	}
	c.dropDerived(st, m)
}

// derivedFields tells, for each model, what cached values of any model a
// change of its records may make wrong.
func derivedFields(reg *schema.Registry) map[string][]string {
	out := map[string][]string{}
	for _, name := range reg.Names() {
		m := reg.Model(name)
		for _, f := range m.Fields {
			if f.HasColumn() {
				continue
			}
			involved, all := map[string]bool{name: true}, false
			involves(reg, m, f, involved, &all, 0)
			for _, other := range reg.Names() {
				if all || involved[other] {
					out[other] = append(out[other], derivedKey(m, f))
				}
			}
		}
	}
	return out
}

// involves collects the models that a field's value comes from; all says that
// it cannot be known.
func involves(reg *schema.Registry, m *schema.Model, f *schema.Field, models map[string]bool, all *bool, depth int) {
	switch {
	case f.HasColumn():
	case f.SQL != "" || f.Name == "display_name" || depth > 8:
		*all = true
	case f.Type.IsX2many() && f.Store:
		models[f.Relation] = true
	case len(f.Related) > 0:
		for _, step := range f.Related {
			field := m.Field(step)
			if field == nil {
				*all = true
				return
			}
			involves(reg, m, field, models, all, depth+1)
			next := reg.Model(field.Relation)
			if next == nil {
				return
			}
			models[next.Name] = true
			m = next
		}
	default:
		*all = true
	}
}
