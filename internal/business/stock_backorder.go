package business

import "gatehouse/internal/record"

// leaveRest sees to what a transfer about to be done does not move: it goes
// into a new transfer, or is given up.
func leaveRest(e *record.Env, p record.Rec, ready, rest []record.Rec, giveUp bool) error {
	var splits []record.Values
	for _, m := range ready {
		missing := roundTo(m.Float("product_uom_qty")-m.Float("quantity"), quantityStep)
		if missing <= 0 {
			continue
		}
		splits = append(splits, remainder(m, missing))
		if err := e.Write([]record.Rec{m}, record.Values{"product_uom_qty": m.Float("quantity")}); err != nil {
			return err
		}
	}
	if giveUp {
		return cancelMoves(e, rest)
	}
	if len(rest)+len(splits) == 0 {
		return nil
	}
	backorder, err := makeBackorder(e, p)
	if err != nil {
		return err
	}
	if err := e.Write(rest, record.Values{"picking_id": backorder.ID()}); err != nil {
		return err
	}
	for i := range splits {
		splits[i]["picking_id"] = backorder.ID()
	}
	if len(splits) > 0 {
		made, err := e.Create("stock.move", splits...)
		if err != nil {
			return err
		}
		rest = append(rest, made...)
	}
	return confirmMoves(e, rest)
}

// remainder is a move for what another one leaves.
func remainder(m record.Rec, quantity float64) record.Values {
	return record.Values{
		"product_id": m.Int("product_id"), "product_uom_qty": quantity, "product_uom": m.Int("product_uom"),
		"location_id": m.Int("location_id"), "location_dest_id": m.Int("location_dest_id"),
		"sale_line_id": idOrNil(m.Int("sale_line_id")), "date": m.Text("date"),
		"date_deadline": orNil(m.Text("date_deadline")), "sequence": m.Int("sequence"),
		"company_id": m.Int("company_id"), "origin": orNil(m.Text("origin")),
	}
}

// makeBackorder copies a transfer without its moves.
func makeBackorder(e *record.Env, p record.Rec) (record.Rec, error) {
	recs, err := e.Create("stock.picking", record.Values{
		"backorder_id": p.ID(), "picking_type_id": p.Int("picking_type_id"), "partner_id": idOrNil(p.Int("partner_id")),
		"origin": orNil(p.Text("origin")), "sale_id": idOrNil(p.Int("sale_id")), "move_type": p.Text("move_type"),
		"location_id": p.Int("location_id"), "location_dest_id": p.Int("location_dest_id"),
		"scheduled_date": orNil(p.Text("scheduled_date")), "date_deadline": orNil(p.Text("date_deadline")),
		"priority": orNil(p.Text("priority")),
	})
	if err != nil {
		return record.Rec{}, err
	}
	return recs[0], nil
}
