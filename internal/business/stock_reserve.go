package business

import (
	"gatehouse/internal/record"
)

// A move line says how much of a move is taken from which place. While the
// move is not done, that much is reserved in the place's quant, always: what
// lines say and what quants have reserved never differ. A line may take more
// than there is, when somebody says that he has it in his hands; the quant
// then promises more than it holds, and goes below zero when the move is done.

// lineQuantities is what the lines of a move hold, in the product's unit.
func lineQuantities(move record.Rec) float64 {
	sum := 0.0
	for _, l := range move.Refs("move_line_ids") {
		sum += l.Float("quantity")
	}
	return roundTo(sum, quantityStep)
}

// demand is what a move wants, in the product's unit.
func demand(move record.Rec) float64 {
	return convertQuantity(move.Float("product_uom_qty"), move.Ref("product_uom"), move.Ref("product_id").Ref("uom_id"))
}

// reserves says whether a move has to find its product in stock.
func reserves(move record.Rec) bool {
	return isStorable(move.Ref("product_id")) && keepsStock(move.Ref("location_id"))
}

// isOpen says whether a move is neither done nor cancelled.
func isOpen(move record.Rec) bool {
	s := move.Text("state")
	return s != "done" && s != "cancel"
}

// lockMoved locks the products of moves.
func lockMoved(e *record.Env, moves []record.Rec) error {
	var products []int64
	for _, m := range moves {
		if p := m.Ref("product_id"); isStorable(p) {
			products = append(products, p.ID())
		}
	}
	return lockProducts(e, products)
}

// reserveMoves takes for each move what is free, up to its demand.
func reserveMoves(e *record.Env, moves []record.Rec) error {
	var waiting []record.Rec
	for _, m := range moves {
		switch m.Text("state") {
		case "confirmed", "waiting", "partially_available", "assigned":
			waiting = append(waiting, m)
		}
	}
	if err := lockMoved(e, waiting); err != nil {
		return err
	}
	for _, m := range waiting {
		if missing := roundTo(demand(m)-lineQuantities(m), quantityStep); missing > 0 {
			if _, err := takeFree(e, m, missing); err != nil {
				return err
			}
		}
		if err := restate(e, m); err != nil {
			return err
		}
	}
	return nil
}

// takeFree adds to a move's lines what is free, up to wanted, and gives what
// was found. From places that do not keep stock everything can be taken.
func takeFree(e *record.Env, move record.Rec, wanted float64) (float64, error) {
	if !reserves(move) {
		return wanted, addToLine(e, move, move.Int("location_id"), wanted)
	}
	heaps, err := heapsUnder(e, move.Int("product_id"), move.Ref("location_id"))
	if err != nil {
		return 0, err
	}
	found := 0.0
	for _, h := range heaps {
		take := min(h.free(), roundTo(wanted-found, quantityStep))
		if take <= 0 {
			continue
		}
		if err := addToLine(e, move, h.location, take); err != nil {
			return found, err
		}
		found = roundTo(found+take, quantityStep)
	}
	return found, nil
}

// addToLine takes a quantity (of the product's unit) from a place for a move
// and reserves it there.
func addToLine(e *record.Env, move record.Rec, location int64, quantity float64) error {
	if reserves(move) {
		if err := addToQuant(e, move.Int("product_id"), location, 0, quantity); err != nil {
			return err
		}
	}
	for _, l := range move.Refs("move_line_ids") {
		if l.Int("location_id") == location {
			return e.Write([]record.Rec{l}, record.Values{"quantity": roundTo(l.Float("quantity")+quantity, quantityStep)})
		}
	}
	_, err := e.Create("stock.move.line", record.Values{
		"move_id": move.ID(), "picking_id": idOrNil(move.Int("picking_id")), "company_id": move.Int("company_id"),
		"product_id": move.Int("product_id"), "product_uom_id": move.Ref("product_id").Ref("uom_id").ID(),
		"quantity": quantity, "date": moment(e.Now()),
		"location_id": location, "location_dest_id": move.Int("location_dest_id"),
	})
	return err
}

func idOrNil(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

// release gives back a quantity of what a move has reserved, the newest lines first.
func release(e *record.Env, move record.Rec, quantity float64) error {
	lines := move.Refs("move_line_ids")
	for i := len(lines) - 1; i >= 0 && quantity > 0; i-- {
		l := lines[i]
		give := min(l.Float("quantity"), quantity)
		quantity = roundTo(quantity-give, quantityStep)
		if reserves(move) {
			if err := addToQuant(e, move.Int("product_id"), l.Int("location_id"), 0, -give); err != nil {
				return err
			}
		}
		left := roundTo(l.Float("quantity")-give, quantityStep)
		var err error
		if left > 0 {
			err = e.Write([]record.Rec{l}, record.Values{"quantity": left})
		} else {
			err = e.Unlink([]record.Rec{l})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// releaseAll gives back everything that moves have reserved.
func releaseAll(e *record.Env, moves []record.Rec) error {
	if err := lockMoved(e, moves); err != nil {
		return err
	}
	for _, m := range moves {
		if err := release(e, m, lineQuantities(m)); err != nil {
			return err
		}
	}
	return nil
}

// setQuantity makes a move take exactly a quantity (of its own unit): what is
// free first, and the rest from its own location whether it is there or not.
func setQuantity(e *record.Env, move record.Rec, quantity float64) error {
	if !isOpen(move) {
		return refuse("The quantity of a move that is done or cancelled cannot be changed.")
	}
	if quantity < 0 {
		return refuse("The quantity of a move cannot be negative.")
	}
	if err := lockMoved(e, []record.Rec{move}); err != nil {
		return err
	}
	want := convertQuantity(quantity, move.Ref("product_uom"), move.Ref("product_id").Ref("uom_id"))
	more := roundTo(want-lineQuantities(move), quantityStep)
	if more > 0 {
		found, err := takeFree(e, move, more)
		if err != nil {
			return err
		}
		if rest := roundTo(more-found, quantityStep); rest > 0 {
			if err := addToLine(e, move, move.Int("location_id"), rest); err != nil {
				return err
			}
		}
	} else if more < 0 {
		if err := release(e, move, -more); err != nil {
			return err
		}
	}
	return restate(e, move)
}

// restate brings the state of a move that waits to what it has reserved.
func restate(e *record.Env, move record.Rec) error {
	if !isOpen(move) || move.Text("state") == "draft" {
		return nil
	}
	have := lineQuantities(move)
	state := "partially_available"
	switch {
	case compareTo(have, demand(move), quantityStep) >= 0:
		state = "assigned"
	case have == 0:
		state = "confirmed"
	}
	if state == move.Text("state") {
		return nil
	}
	return e.Write([]record.Rec{move}, record.Values{"state": state})
}
