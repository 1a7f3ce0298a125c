package odoocall

import (
	"encoding/json"
	"maps"
	"slices"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/schema"
)

// web reads records with what they lead to, as a specification says: fields,
// and for each field that leads to records the fields of those, and so on. A
// level of it costs one query, however many records there are.
type web struct {
	*call
	context map[string]any // of this level
}

// webRead reads the records named by "ids".
func webRead(c *call) (any, error) {
	ids, err := c.args.ids()
	if err != nil {
		return nil, err
	}
	spec, err := object("specification", c.args.given["specification"])
	if err != nil {
		return nil, err
	}
	return c.web().read(c.model, ids, spec)
}

// webSearchRead finds records and reads them so; the length is how many there
// are, as far as that is known or asked for.
func webSearchRead(c *call) (any, error) {
	spec, err := object("specification", c.args.given["specification"])
	if err != nil {
		return nil, err
	}
	q, err := c.query(false)
	if err != nil {
		return nil, err
	}
	most, err := c.args.count("count_limit")
	if err != nil {
		return nil, err
	}
	w := c.web()
	q.Fields, q.BareIDs, q.Count = fieldsOf(spec), true, q.Limit > 0
	var page backend.Page
	total, err := c.b.Search(c.ctx, c.caller, q, &page)
	if err != nil {
		return nil, err
	}
	var records []map[string]any
	if c.caller.Context.KeepArchived { // lists of what is found may hold archived records here
		records, err = w.read(c.model, page.IDs(), spec)
	} else {
		records, err = w.records(&page, page.IDs(), spec)
	}
	n := int64(len(records) + q.Offset)
	switch {
	case len(records) == 0:
		n = 0
	case q.Limit > 0 && (!falsy(w.context["force_search_count"]) || (len(records) == q.Limit && (most == 0 || int64(most) > n))):
		n = total
		if most > 0 && err == nil {
			n, err = c.countedUpTo(total, most)
		}
	}
	return map[string]any{"length": n, "records": records}, err
}

func (c *call) web() *web {
	given, _ := c.args.given["context"].(map[string]any)
	return &web{call: c, context: given}
}

// object reads an argument or a part of one that must be an object.
func object(name string, v any) (map[string]any, error) {
	o, ok := v.(map[string]any)
	if !ok {
		return nil, fault.Newf(fault.BadRequest, "%s must be an object", name)
	}
	return o, nil
}

func fieldsOf(spec map[string]any) []string {
	if len(spec) == 0 {
		return []string{"id"}
	}
	return slices.Sorted(maps.Keys(spec))
}

// in is the same reading in a context with more or other keys.
func (w *web) in(more any) (*web, error) {
	extra, err := object("context", more)
	if err != nil {
		return nil, err
	}
	merged := maps.Clone(w.context)
	if merged == nil {
		merged = map[string]any{}
	}
	maps.Copy(merged, extra)
	caller := *w.caller
	if caller.Context, err = readContext(merged); err != nil {
		return nil, err
	}
	inner := *w.call
	inner.caller = &caller
	return &web{call: &inner, context: merged}, nil
}

// read reads records by id. For ids alone nothing is asked, not even whether
// the records exist, as in Odoo.
func (w *web) read(model string, ids []int64, spec map[string]any) ([]map[string]any, error) {
	fields := fieldsOf(spec)
	if len(ids) == 0 || slices.Equal(fields, []string{"id"}) {
		out := make([]map[string]any, len(ids))
		for i, id := range ids {
			out[i] = map[string]any{"id": id}
		}
		return out, nil
	}
	if m, own := w.ownRecord(model, ids, fields); own {
		for _, name := range fields {
			if field := m.Field(name); field != nil && field.Type.IsX2many() { // the list is the superuser's, what it leads to the caller's
				return nil, backend.CannotProve(backend.PythonAccess, model+"."+name, "of one's own")
			}
		}
	}
	page, err := w.page(w.caller, model, ids, fields, true)
	if err != nil {
		return nil, err
	}
	return w.records(page, ids, spec)
}

// page reads records by id, those that exist. bare leaves out the names of
// many2one targets.
func (c *call) page(caller *backend.Caller, model string, ids []int64, fields []string, bare bool) (*backend.Page, error) {
	q := &backend.Query{Model: model, IDs: ids, SkipMissing: true, BareIDs: bare, Fields: fields}
	page := &backend.Page{}
	_, err := c.b.Search(c.ctx, caller, q, page)
	return page, err
}

// inOrder gives the rows of a page in the order of the ids, repetitions included.
func inOrder(page *backend.Page, ids []int64) [][]backend.Value {
	at := map[int64]int{}
	for i, id := range page.IDs() {
		at[id] = i
	}
	rows := make([][]backend.Value, 0, len(ids))
	for _, id := range ids {
		if i, ok := at[id]; ok {
			rows = append(rows, page.Rows[i])
		}
	}
	return rows
}

// records makes objects of the rows, with what they lead to.
func (w *web) records(page *backend.Page, ids []int64, spec map[string]any) ([]map[string]any, error) {
	rows := inOrder(page, ids)
	out := make([]map[string]any, len(rows))
	for i := range out {
		out[i] = map[string]any{}
	}
	for at, col := range page.Cols {
		values, err := w.column(col.Field, cells(rows, at), spec[col.Name])
		if err != nil {
			return nil, err
		}
		for i := range out {
			out[i][col.Name] = values[i]
		}
	}
	return out, nil
}

func cells(rows [][]backend.Value, at int) []backend.Value {
	out := make([]backend.Value, len(rows))
	for i := range rows {
		out[i] = rows[i][at]
	}
	return out
}

// column gives the values of one field. given is what the specification says
// of the field.
func (w *web) column(f *schema.Field, values []backend.Value, given any) ([]any, error) {
	spec, isSpec := given.(map[string]any)
	_, nested := spec["fields"]
	if f.Type.IsRelational() || f.Type == schema.Reference || f.Type == schema.Many2oneReference {
		if !isSpec && (f.Type == schema.Many2one || !falsy(given)) && f.Name != "id" {
			return nil, fault.Newf(fault.BadRequest, "specification.%s must be an object", f.Name)
		}
	}
	switch {
	case f.Type == schema.Many2one && nested:
		return w.many2one(f, values, spec)
	case f.Type.IsX2many() && len(spec) > 0:
		return w.x2many(f, values, spec)
	case f.Type == schema.Reference && nested:
		return w.reference(f, values, spec)
	case nested && (f.Type == schema.Many2oneReference || f.Type == schema.Properties):
		return nil, backend.CannotProve(backend.ValueShape, f.Model.Name+"."+f.Name, "its records")
	}
	out := make([]any, len(values))
	for i := range values {
		if f.Name == "id" {
			out[i] = values[i].Int
			continue
		}
		out[i] = json.RawMessage(wire.AppendValue(nil, wire.Odoo, f, &values[i]))
	}
	return out, nil
}
