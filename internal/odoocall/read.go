package odoocall

import (
	"encoding/json"
	"errors"
	"slices"

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
	if limit > 0 && err == nil {
		total, err = c.countedUpTo(total, limit)
	}
	return total, err
}

// countedUpTo is a count of records that stops at a limit. Of records that are
// shown by their documents Odoo counts first and then leaves out: which ones it
// counted is up to the database.
func (c *call) countedUpTo(total int64, limit int) (int64, error) {
	m, err := c.b.Model(c.ctx, c.caller, c.model)
	if err == nil && m.ByDocument {
		err = backend.CannotProve(backend.PythonAccess, c.model, "a count with a limit")
	}
	return min(total, int64(limit)), err
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
	if ids == nil {
		ids = []int64{} // no records, and not all of them
	}
	q := &backend.Query{Model: c.model, IDs: ids, SkipMissing: true, BareIDs: c.bare(), AllFields: true}
	if q.Fields, err = c.args.texts("fields"); err != nil {
		return nil, err
	}
	caller := c.caller
	if _, own := c.ownRecord(c.model, ids, q.Fields); own {
		all := *c.caller
		all.Superuser = true
		caller = &all
	}
	var page backend.Page
	if _, err := c.b.Search(c.ctx, caller, q, &page); err != nil {
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

// ownRecord says that a user reads of his own record what every user may.
func (c *call) ownRecord(model string, ids []int64, fields []string) (*schema.Model, bool) {
	if len(ids) != 1 || ids[0] != c.caller.UserID || len(fields) == 0 {
		return nil, false
	}
	m, err := c.b.Model(c.ctx, c.caller, model)
	if err != nil || len(m.Own) == 0 {
		return nil, false
	}
	for _, name := range fields {
		if !slices.Contains(m.Own, name) {
			return nil, false
		}
	}
	return m, true
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
	mode, err := accessMode(operation)
	if err != nil {
		return nil, err
	}
	return c.b.May(c.ctx, c.caller, c.model, mode, ids)
}

// checkAccessRights is has_access as it was called before Odoo 18, for the many
// clients that still do: it raises unless told not to.
func checkAccessRights(c *call) (any, error) {
	operation, err := c.args.text("operation", "")
	if err != nil {
		return nil, err
	}
	mode, err := accessMode(operation)
	if err != nil {
		return nil, err
	}
	may, err := c.b.May(c.ctx, c.caller, c.model, mode, nil)
	if errors.Is(err, backend.ErrHidden) {
		may, err = false, nil
	}
	if raise, given := c.args.given["raise_exception"]; err == nil && !may && (!given || !falsy(raise)) {
		return nil, fault.Newf(fault.Forbidden, "You are not allowed to %s %s records", operation, c.model)
	}
	return may, err
}

func accessMode(operation string) (schema.Mode, error) {
	for _, mode := range []schema.Mode{schema.Read, schema.Write, schema.Create, schema.Unlink} {
		if mode.String() == operation {
			return mode, nil
		}
	}
	return 0, fault.New(fault.BadRequest, "Invalid access mode: operation is read, write, create or unlink")
}

// contextGet is the context that a user's clients work with: language and time
// zone of his profile.
func (c *call) contextGet() (any, error) {
	sudo := *c.caller
	sudo.Superuser, sudo.Context = true, backend.Context{}
	q := &backend.Query{Model: c.model, IDs: []int64{c.caller.UserID}, Fields: []string{"lang", "tz"}}
	var page backend.Page
	if _, err := c.b.Search(c.ctx, &sudo, q, &page); err != nil {
		return nil, err
	}
	found := map[string]any{"lang": "en_US", "tz": false, "uid": c.caller.UserID}
	for i, col := range page.Cols {
		if len(page.Rows) == 1 && page.Rows[0][i].Kind == backend.Text && page.Rows[0][i].Text != "" {
			found[col.Name] = page.Rows[0][i].Text
		}
	}
	return found, nil
}
