package odoocall

import (
	"encoding/json"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/schema"
)

// query reads the arguments that searches share.
func (c *call) query(anyFalsy bool) (*backend.Query, error) {
	q := &backend.Query{Model: c.model, BareIDs: c.bare(), AllFields: true}
	var err error
	if q.Domain, err = c.args.domain("domain", anyFalsy); err != nil {
		return nil, err
	}
	if q.Order, err = c.args.text("order", ""); err != nil {
		return nil, err
	}
	if q.Offset, err = c.args.count("offset"); err != nil {
		return nil, err
	}
	q.Limit, err = c.args.count("limit")
	return q, err
}

// bare says that many2one values are wanted without names.
func (c *call) bare() bool {
	load, given := c.args.given["load"]
	return given && load != "_classic_read"
}

func search(c *call) (any, error) {
	q, err := c.query(false)
	if err != nil {
		return nil, err
	}
	q.Fields = []string{"id"}
	var page backend.Page
	if _, err := c.b.Search(c.ctx, c.caller, q, &page); err != nil {
		return nil, err
	}
	return page.IDs(), nil
}

func searchCount(c *call) (any, error) {
	q, err := c.query(false)
	if err != nil {
		return nil, err
	}
	limit := q.Limit
	q.Fields, q.Limit, q.Count = []string{"id"}, 1, true
	total, err := c.b.Search(c.ctx, c.caller, q, &backend.Page{})
	if limit > 0 {
		total = min(total, int64(limit))
	}
	return total, err
}

func searchRead(c *call) (any, error) {
	q, err := c.query(true)
	if err != nil {
		return nil, err
	}
	if q.Fields, err = c.args.texts("fields"); err != nil {
		return nil, err
	}
	var rows wire.Rows
	rows.Reset(wire.Odoo, false)
	if _, err := c.b.Search(c.ctx, c.caller, q, &rows); err != nil {
		return nil, err
	}
	return json.RawMessage(rows.JSON()), nil
}

// read keeps order and repetitions of the ids; those that do not exist are
// left out.
func read(c *call) (any, error) {
	ids, err := c.args.ids()
	if err != nil {
		return nil, err
	}
	q := &backend.Query{Model: c.model, IDs: ids, SkipMissing: true, BareIDs: c.bare(), AllFields: true}
	if q.Fields, err = c.args.texts("fields"); err != nil {
		return nil, err
	}
	var page backend.Page
	if _, err := c.b.Search(c.ctx, c.caller, q, &page); err != nil {
		return nil, err
	}
	at := map[int64]int{}
	for i, id := range page.IDs() {
		at[id] = i
	}
	var rows wire.Rows
	rows.Reset(wire.Odoo, false)
	if err := rows.Columns(page.Cols); err != nil {
		return nil, err
	}
	for i, id := range ids {
		var row []backend.Value
		if at, ok := at[id]; ok {
			row = page.Rows[at]
		}
		if id == 0 {
			if row, err = emptyRecord(page.Cols, c.args.at("ids", i)); err != nil {
				return nil, err
			}
		}
		if row != nil {
			if err := rows.Row(row); err != nil {
				return nil, err
			}
		}
	}
	return json.RawMessage(rows.JSON()), nil
}

// emptyRecord is what Odoo reads from the record without an id: nothing in any
// field. What code would compute is not known.
func emptyRecord(cols []backend.Column, id any) ([]backend.Value, error) {
	row := make([]backend.Value, len(cols))
	for _, col := range cols {
		if !col.Field.Store {
			return nil, backend.CannotProve(backend.NotStored, col.Field.Model.Name+"."+col.Name, "of no record")
		}
	}
	if _, isNumber := integer(id); isNumber {
		row[0] = backend.IntValue(0)
	} else {
		row[0] = backend.RawValue("false")
	}
	return row, nil
}

func hasAccess(c *call) (any, error) {
	ids, err := c.args.ids()
	if err != nil {
		return nil, err
	}
	operation, err := c.args.text("operation", "")
	if err != nil {
		return nil, err
	}
	for _, mode := range []schema.Mode{schema.Read, schema.Write, schema.Create, schema.Unlink} {
		if mode.String() == operation {
			return c.b.May(c.ctx, c.caller, c.model, mode, ids)
		}
	}
	return nil, fault.New(fault.BadRequest, "Invalid access mode: operation is read, write, create or unlink")
}
