package record

import (
	"fmt"

	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// maxRounds bounds how often computes may set off each other in one flush; a
// cycle of dependencies that never settles ends there.
const maxRounds = 10000

// flush runs all pending computes until nothing changes any more.
func (e *Env) flush() error {
	for round := 0; len(e.pending.tasks) > 0; round++ {
		if round == maxRounds {
			return fault.New(fault.Internal, "Internal server error").Because(fmt.Errorf("computed fields do not settle"))
		}
		if err := e.runTask(e.pending.take("", "")); err != nil {
			return err
		}
	}
	return e.err
}

// computeField runs what is pending for one field that is about to be read.
func (e *Env) computeField(model, field string) error {
	if t := e.pending.take(model, field); t != nil {
		return e.runTask(t)
	}
	return nil
}

// runTask computes fields of records and stores those that changed.
func (e *Env) runTask(t *task) error {
	m := e.st.reg.Model(t.model)
	ids := t.sorted()
	if m == nil || len(ids) == 0 {
		return nil
	}
	e.pending.active = append(e.pending.active, t)
	defer func() { e.pending.active = e.pending.active[:len(e.pending.active)-1] }()
	su := e.Sudo()
	for _, r := range su.recs(m, ids) {
		values, err := t.compute.Do(su, r)
		if err == nil {
			err = e.err
		}
		if err != nil {
			return fault.Wrap(err, "compute "+t.model+"."+t.compute.Fields[0])
		}
		if t.compute.Editable {
			for name := range e.given[m.Name][r.id] {
				delete(values, name)
			}
		}
		if err := su.storeComputed(m, r, values); err != nil {
			return err
		}
	}
	return nil
}

// protect keeps what a caller set himself from editable computes, until the
// function it gives is called at the end of the operation.
func (e *Env) protect(m *schema.Model, ids []int64, fields map[string]bool) func() {
	if e.given[m.Name] == nil {
		e.given[m.Name] = map[int64]map[string]bool{}
	}
	before := make([]map[string]bool, len(ids))
	for i, id := range ids {
		before[i] = e.given[m.Name][id]
		e.given[m.Name][id] = fields
	}
	return func() {
		for i, id := range ids {
			e.given[m.Name][id] = before[i]
		}
	}
}

// storeComputed writes the values of a compute that differ from those stored.
func (e *Env) storeComputed(m *schema.Model, r Rec, values Values) error {
	fields := map[string]bool{}
	columns := Values{}
	for name, v := range values {
		f := m.Field(name)
		if f == nil {
			return fmt.Errorf("compute gave the unknown field %s.%s", m.Name, name)
		}
		if f.Type.IsX2many() {
			cmds, err := e.commands(f, v)
			if err != nil {
				return err
			}
			if err := e.tellChanging(m, []int64{r.id}); err != nil {
				return err
			}
			if err := e.applyX2many(m, r.id, f, cmds, false); err != nil {
				return err
			}
			continue
		}
		if v == SelfID {
			v = r.id
		}
		v, err := e.convert(f, v)
		if err != nil {
			return err
		}
		if x, ok := v.(float64); ok && f.Type == schema.Monetary {
			v = e.roundAmount(f, x, r)
		}
		if !same(r.get(name), v) {
			columns[name] = v
			fields[name] = true
		}
	}
	if len(columns) == 0 {
		return nil
	}
	if err := e.affected(m, []int64{r.id}, change{fields: fields, linksOnly: true}); err != nil {
		return err
	}
	if _, err := e.update(m, []int64{r.id}, columns, true); err != nil {
		return err
	}
	return e.affected(m, []int64{r.id}, change{fields: fields})
}

// same compares stored values; not set is one with the falsy value.
func same(a, b any) bool {
	return a == b || (isFalsy(nil, a) && isFalsy(nil, b))
}

// early runs the computes that need no stored record on values about to be
// inserted. given are the fields that the caller set himself.
func (e *Env) early(m *schema.Model, values Values, given map[string]bool) error {
	su := e.Sudo()
	draft := Rec{env: su, model: m, draft: values}
	for _, c := range e.st.computes[m.Name] {
		if !c.Early {
			continue
		}
		out, err := c.Do(su, draft)
		if err == nil {
			err = e.err
		}
		if err != nil {
			return fault.Wrap(err, "compute "+m.Name+"."+c.Fields[0])
		}
		for name, v := range out {
			if c.Editable && given[name] {
				continue
			}
			if v == SelfID {
				values[name] = v
				continue
			}
			f := m.Field(name)
			if f == nil {
				return fmt.Errorf("compute gave the unknown field %s.%s", m.Name, name)
			}
			if values[name], err = e.convert(f, v); err != nil {
				return err
			}
		}
	}
	return nil
}
