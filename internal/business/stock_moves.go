package business

import (
	"gatehouse/internal/record"
)

var moveLogic = record.Logic{
	Model:        "stock.move",
	Prepare:      prepareMove,
	AfterCreate:  movesCreated,
	BeforeWrite:  guardMoves,
	AfterWrite:   movesWritten,
	BeforeUnlink: guardMoveUnlink,
	Computes:     []record.Compute{moveQuantity, moveDemand, moveReference},
	Checks: []record.Constraint{{
		Fields: []string{"product_uom_qty"}, Check: func(e *record.Env, m record.Rec) error {
			if m.Float("product_uom_qty") < 0 {
				return refuse("The demand of a move cannot be negative: a return is a move the other way round.")
			}
			return nil
		},
	}},
}

var moveLineLogic = record.Logic{
	Model: "stock.move.line",
	Prepare: func(e *record.Env, _ record.Values) error {
		return onlyMoves(e)
	},
	BeforeWrite: func(e *record.Env, _ []record.Rec, _ record.Values) error {
		return onlyMoves(e)
	},
	BeforeUnlink: func(e *record.Env, _ []record.Rec) error {
		return onlyMoves(e)
	},
}

// onlyMoves keeps lines and reservations in step.
func onlyMoves(e *record.Env) error {
	if isSuperuser(e) {
		return nil
	}
	return refuse("Stock move lines follow their move: write the field quantity of stock.move instead.")
}

// prepareMove fills in what a move has from its transfer and its product.
func prepareMove(e *record.Env, values record.Values) error {
	fill := func(field string, v any) {
		if values[field] == nil && v != nil && v != int64(0) {
			values[field] = v
		}
	}
	if id, _ := values["picking_id"].(int64); id != 0 {
		p := e.One("stock.picking", id)
		if s := p.Text("state"); s == "done" || s == "cancel" {
			return refuse("Nothing can be added to the transfer %s: it is done or cancelled.", p.Text("name"))
		}
		fill("location_id", p.Int("location_id"))
		fill("location_dest_id", p.Int("location_dest_id"))
		fill("company_id", p.Int("company_id"))
		fill("picking_type_id", p.Int("picking_type_id"))
		fill("partner_id", p.Int("partner_id"))
		fill("origin", orNil(p.Text("origin")))
		fill("date", orNil(p.Text("scheduled_date")))
		fill("warehouse_id", p.Ref("picking_type_id").Int("warehouse_id"))
	}
	fill("company_id", e.CompanyID())
	fill("date", moment(e.Now()))
	if id, _ := values["product_id"].(int64); id != 0 {
		product := e.One("product.product", id)
		if !isGoods(product) {
			return refuse("%s is a service: only goods are moved.", product.Text("display_name"))
		}
		fill("product_uom", product.Int("uom_id"))
	}
	return nil
}

// movesCreated: a move that joins a transfer under way is under way too, and
// a quantity that was given is taken.
func movesCreated(e *record.Env, moves []record.Rec) error {
	e = e.Sudo()
	var confirm []record.Rec
	for _, m := range moves {
		if m.Text("state") != "draft" {
			continue
		}
		if s := m.Ref("picking_id").Text("state"); s != "" && s != "draft" {
			confirm = append(confirm, m)
		}
		if q := m.Float("quantity"); q > 0 && len(m.Refs("move_line_ids")) == 0 {
			if err := setQuantity(e, m, q); err != nil {
				return err
			}
		}
	}
	return confirmMoves(e, confirm)
}

// guardMoves turns a quantity that is written into lines, and keeps what is
// done as it was.
func guardMoves(e *record.Env, moves []record.Rec, values record.Values) error {
	if !isSuperuser(e) { // the logic itself has locked what it works on
		if err := lockTransfersOf(e, moves); err != nil {
			return err
		}
	}
	quantity, takes := values["quantity"].(float64)
	delete(values, "quantity")
	for _, m := range moves {
		if m.Text("state") == "done" && !isSuperuser(e) &&
			given(values, "product_id", "product_uom_qty", "product_uom", "location_id", "location_dest_id", "state") {
			return refuse("A move that is done cannot be changed. Create a return in order to reverse the moves which took place.")
		}
		moved := given(values, "product_id", "location_id") && len(m.Refs("move_line_ids")) > 0 && isOpen(m)
		if moved {
			if err := releaseAll(e.Sudo(), []record.Rec{m}); err != nil {
				return err
			}
		}
		if takes {
			if err := setQuantity(e.Sudo(), m, quantity); err != nil {
				return err
			}
		}
	}
	return nil
}

// movesWritten gives back what is reserved beyond a lowered demand.
func movesWritten(e *record.Env, moves []record.Rec, values record.Values) error {
	if !given(values, "product_uom_qty", "product_uom", "product_id", "location_id") {
		return nil
	}
	e = e.Sudo()
	for _, m := range moves {
		if !isOpen(m) {
			continue
		}
		if over := roundTo(lineQuantities(m)-demand(m), quantityStep); over > 0 {
			if err := lockMoved(e, []record.Rec{m}); err != nil {
				return err
			}
			if err := release(e, m, over); err != nil {
				return err
			}
		}
		if err := restate(e, m); err != nil {
			return err
		}
	}
	return nil
}

func guardMoveUnlink(e *record.Env, moves []record.Rec) error {
	for _, m := range moves {
		if s := m.Text("state"); s != "draft" && s != "cancel" {
			return refuse("You can only delete draft or cancelled moves.")
		}
	}
	return releaseAll(e.Sudo(), moves)
}

// moveQuantity is what the lines hold, in the move's unit.
var moveQuantity = record.Compute{
	Fields: []string{"quantity"}, Depends: []string{"move_line_ids.quantity", "product_uom"}, Editable: true,
	Do: func(e *record.Env, m record.Rec) (record.Values, error) {
		return record.Values{
			"quantity": convertQuantity(lineQuantities(m), m.Ref("product_id").Ref("uom_id"), m.Ref("product_uom")),
		}, nil
	},
}

var moveDemand = record.Compute{
	Fields: []string{"product_qty"}, Depends: []string{"product_uom_qty", "product_uom", "product_id"}, Early: true,
	Do: func(e *record.Env, m record.Rec) (record.Values, error) {
		return record.Values{"product_qty": demand(m)}, nil
	},
}

// moveReference names a move by its transfer.
var moveReference = record.Compute{
	Fields: []string{"reference"}, Depends: []string{"picking_id.name", "is_inventory", "inventory_name"}, Early: true,
	Do: func(e *record.Env, m record.Rec) (record.Values, error) {
		name := m.Ref("picking_id").Text("name")
		if m.Bool("is_inventory") {
			name = orText(m.Text("inventory_name"), "Product Quantity Confirmed")
		}
		return record.Values{"reference": orNil(name)}, nil
	},
}

// confirmMoves makes drafts wait for their product, and reserves it where the
// operation type does so by itself.
func confirmMoves(e *record.Env, moves []record.Rec) error {
	var drafts, reserve []record.Rec
	for _, m := range moves {
		if !isOpen(m) {
			continue
		}
		if m.Text("state") == "draft" {
			drafts = append(drafts, m)
		}
		if kind := m.Ref("picking_type_id"); kind.IsZero() || kind.Text("reservation_method") == "at_confirm" {
			reserve = append(reserve, m)
		}
	}
	if err := e.Write(drafts, record.Values{"state": "confirmed"}); err != nil {
		return err
	}
	return reserveMoves(e, reserve)
}

// cancelMoves gives up moves and what they have reserved.
func cancelMoves(e *record.Env, moves []record.Rec) error {
	var open []record.Rec
	for _, m := range moves {
		switch m.Text("state") {
		case "done":
			return refuse("You cannot cancel a stock move that has been set to 'Done'. Create a return in order to reverse the moves which took place.")
		case "cancel":
		default:
			open = append(open, m)
		}
	}
	if err := releaseAll(e, open); err != nil {
		return err
	}
	return e.Write(open, record.Values{"state": "cancel"})
}

// doMoves carries out what the lines say: the quants of the places change.
// Also places outside keep count, so that what was sold can be seen.
func doMoves(e *record.Env, moves []record.Rec) error {
	if err := lockMoved(e, moves); err != nil {
		return err
	}
	for _, m := range moves {
		if !isStorable(m.Ref("product_id")) {
			continue
		}
		for _, l := range m.Refs("move_line_ids") {
			quantity, reserved := l.Float("quantity"), 0.0
			if reserves(m) {
				reserved = quantity
			}
			if err := addToQuant(e, m.Int("product_id"), l.Int("location_id"), -quantity, -reserved); err != nil {
				return err
			}
			if err := addToQuant(e, m.Int("product_id"), l.Int("location_dest_id"), quantity, 0); err != nil {
				return err
			}
		}
	}
	var lines []record.Rec
	for _, m := range moves {
		lines = append(lines, m.Refs("move_line_ids")...)
	}
	if err := e.Write(lines, record.Values{"date": moment(e.Now())}); err != nil {
		return err
	}
	return e.Write(moves, record.Values{"state": "done", "date": moment(e.Now()), "picked": true})
}
