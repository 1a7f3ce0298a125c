package business

import (
	"time"

	"gatehouse/internal/record"
)

// deliver brings the transfers of a confirmed order to what lines say: missing
// quantities are planned, superfluous ones that have not left yet are dropped.
func deliver(e *record.Env, order record.Rec, lines []record.Rec) error {
	d := delivery{e: e.Sudo(), order: order}
	if _, err := lockStates(e, "stock_picking", order.Refs("picking_ids")); err != nil {
		return err
	}
	for _, l := range lines {
		if l.Has("display_type") || !isGoods(l.Ref("product_id")) {
			continue
		}
		missing := roundTo(l.Float("product_uom_qty")-planned(l), quantityStep)
		switch {
		case missing > 0:
			d.plan(l, missing)
		case missing < 0:
			if err := d.drop(l, -missing); err != nil {
				return err
			}
		}
	}
	return d.run()
}

// delivery collects what is to be planned for an order.
type delivery struct {
	e     *record.Env
	order record.Rec
	moves []record.Values
	lines []record.Rec // of each new move
}

// planned is what is on its way to the customer for a line or has got there,
// in the line's unit.
func planned(l record.Rec) float64 {
	sum := 0.0
	for _, m := range l.Refs("move_ids") {
		quantity := m.Float("product_uom_qty")
		switch m.Text("state") {
		case "cancel":
			continue
		case "done":
			quantity = m.Float("quantity")
		}
		sum += outward(m) * convertQuantity(quantity, m.Ref("product_uom"), l.Ref("product_uom_id"))
	}
	return sum
}

// plan notes a move of a line's product to the customer.
func (d *delivery) plan(l record.Rec, quantity float64) {
	at := d.order.Time("commitment_date")
	if at.IsZero() {
		lead := time.Duration(l.Float("customer_lead") * float64(24*time.Hour))
		at = d.order.Time("date_order").Add(lead)
	}
	d.lines = append(d.lines, l)
	d.moves = append(d.moves, record.Values{
		"product_id": l.Ref("product_id").ID(), "product_uom_qty": quantity, "product_uom": l.Ref("product_uom_id").ID(),
		"sale_line_id": l.ID(), "date": moment(at), "date_deadline": moment(at),
		"sequence": l.Int("sequence"),
	})
}

// drop takes a quantity (in the line's unit) from moves that are not done, the
// newest first; a move of which nothing is left is cancelled.
func (d *delivery) drop(l record.Rec, quantity float64) error {
	moves := l.Refs("move_ids")
	for i := len(moves) - 1; i >= 0 && quantity > 0; i-- {
		m := moves[i]
		if !isOpen(m) || outward(m) != 1 {
			continue
		}
		demand := convertQuantity(m.Float("product_uom_qty"), m.Ref("product_uom"), l.Ref("product_uom_id"))
		take := min(demand, quantity)
		quantity = roundTo(quantity-take, quantityStep)
		left := convertQuantity(roundTo(demand-take, quantityStep), l.Ref("product_uom_id"), m.Ref("product_uom"))
		if left <= 0 {
			if err := cancelMoves(d.e, []record.Rec{m}); err != nil {
				return err
			}
			continue
		}
		if err := d.e.Write([]record.Rec{m}, record.Values{"product_uom_qty": left}); err != nil {
			return err
		}
	}
	return nil
}

// run makes what was planned: more of a move that is there already, or new
// moves in the order's open transfer or in a new one.
func (d *delivery) run() error {
	if len(d.moves) == 0 {
		return nil
	}
	picking, err := d.openPicking()
	if err != nil {
		return err
	}
	var changed []record.Rec
	var fresh []record.Values
	for i, values := range d.moves {
		if m := openMove(d.lines[i], picking); !m.IsZero() {
			quantity, _ := values["product_uom_qty"].(float64)
			more := convertQuantity(quantity, d.lines[i].Ref("product_uom_id"), m.Ref("product_uom"))
			if err := d.e.Write([]record.Rec{m}, record.Values{"product_uom_qty": m.Float("product_uom_qty") + more}); err != nil {
				return err
			}
			changed = append(changed, m)
			continue
		}
		values["picking_id"] = picking.ID()
		fresh = append(fresh, values)
	}
	if len(fresh) > 0 {
		made, err := d.e.Create("stock.move", fresh...)
		if err != nil {
			return err
		}
		changed = append(changed, made...)
	}
	return confirmMoves(d.e, changed)
}

// openMove is the move of a line that waits in a transfer.
func openMove(l, picking record.Rec) record.Rec {
	for _, m := range l.Refs("move_ids") {
		if isOpen(m) && m.Int("picking_id") == picking.ID() && m.Int("product_id") == l.Int("product_id") {
			return m
		}
	}
	return record.Rec{}
}

// openPicking is the order's delivery that has not left yet, or a new one.
func (d *delivery) openPicking() (record.Rec, error) {
	for _, p := range d.order.Refs("picking_ids") {
		if s := p.Text("state"); s != "done" && s != "cancel" && p.Ref("picking_type_id").Text("code") == "outgoing" {
			return p, nil
		}
	}
	warehouse := d.order.Ref("warehouse_id")
	kind := warehouse.Ref("out_type_id")
	if warehouse.IsZero() || kind.IsZero() {
		return record.Rec{}, refuse("%s has no warehouse to deliver from: set warehouse_id of the order %s",
			d.order.Ref("company_id").Text("name"), d.order.Text("name"))
	}
	customers, err := locationOf(d.e, "customer", d.order.Int("company_id"))
	if err != nil {
		return record.Rec{}, err
	}
	recs, err := d.e.Create("stock.picking", record.Values{
		"picking_type_id": kind.ID(), "partner_id": d.order.Ref("partner_shipping_id").ID(),
		"origin": d.order.Text("name"), "sale_id": d.order.ID(), "move_type": d.order.Text("picking_policy"),
		"location_id": warehouse.Ref("lot_stock_id").ID(), "location_dest_id": customers.ID(),
		"scheduled_date": d.earliest(), "date_deadline": d.earliest(),
	})
	if err != nil {
		return record.Rec{}, err
	}
	return recs[0], nil
}

// earliest is when the first of the planned moves is due; when everything is
// to go at once, when the last is.
func (d *delivery) earliest() any {
	var at any
	for _, values := range d.moves {
		due := values["date"]
		sooner, first := text(due) < text(at), at == nil
		if d.order.Text("picking_policy") == "one" {
			sooner = text(due) > text(at)
		}
		if first || sooner {
			at = due
		}
	}
	return at
}
