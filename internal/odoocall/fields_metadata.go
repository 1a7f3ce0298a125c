package odoocall

import (
	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
)

// externalID is a name of a record that modules and imports know it by.
type externalID struct {
	XMLID    string `json:"xmlid"`
	NoUpdate bool   `json:"noupdate"`
}

// getMetadata says who made and changed records, and their external ids. Those
// that do not exist are left out.
func getMetadata(c *call) (any, error) {
	ids, err := c.args.ids()
	if err != nil || len(ids) == 0 {
		return []any{}, err
	}
	logged, err := c.b.Describe(c.ctx, c.caller, c.model, []string{"create_uid"}, []string{"type"})
	if err != nil {
		return nil, err
	}
	nothing := map[string]any{} // to read below
	records := make([]map[string]any, 0, len(ids))
	if len(logged) > 0 {
		log := map[string]any{"create_uid": nothing, "create_date": nothing, "write_uid": nothing, "write_date": nothing}
		page, err := c.page(c.caller, c.model, ids, fieldsOf(log), false)
		if err != nil {
			return nil, err
		}
		if records, err = c.web().records(page, ids, log); err != nil {
			return nil, err
		}
	} else {
		for _, id := range ids {
			records = append(records, map[string]any{"id": id})
		}
	}
	names, err := c.externalIDs(ids)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		id, _ := r["id"].(int64)
		own := names[id]
		r["xmlid"], r["noupdate"], r["xmlids"] = false, false, append([]externalID{}, own...)
		if len(own) > 0 {
			r["xmlid"], r["noupdate"] = own[0].XMLID, own[0].NoUpdate
		}
	}
	return records, nil
}

// externalIDs reads the external ids of records, the oldest first, as superuser.
func (c *call) externalIDs(ids []int64) (map[int64][]externalID, error) {
	node, err := domain.FromValue([]any{
		[]any{"model", "=", c.model}, []any{"res_id", "in", anyList(ids)},
	}, domain.Limits{})
	if err != nil {
		return nil, err
	}
	su := *c.caller
	su.Superuser = true
	q := &backend.Query{
		Model: "ir.model.data", Domain: node, Order: "id",
		Fields: []string{"res_id", "noupdate", "module", "name"},
	}
	var page backend.Page
	if _, err := c.b.Search(c.ctx, &su, q, &page); err != nil {
		return nil, err
	}
	names := map[int64][]externalID{}
	for i := range page.Rows {
		id := page.Get(i, "res_id").Int
		names[id] = append(names[id], externalID{
			XMLID:    page.Get(i, "module").Text + "." + page.Get(i, "name").Text,
			NoUpdate: page.Get(i, "noupdate").Int != 0,
		})
	}
	return names, nil
}

func anyList(ids []int64) []any {
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = id
	}
	return list
}
