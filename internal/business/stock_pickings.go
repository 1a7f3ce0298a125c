package business

import (
	"gatehouse/internal/record"
)

var pickingLogic = record.Logic{
	Model:   "stock.picking",
	Prepare: preparePicking,
	BeforeUnlink: func(e *record.Env, pickings []record.Rec) error {
		if err := cancelPickings(e.Sudo(), pickings); err != nil {
			return err
		}
		return e.Sudo().Unlink(movesOf(pickings))
	},
	AfterWrite: pickingsWritten,
	Computes:   []record.Compute{pickingState},
	Checks: []record.Constraint{{
		Fields: []string{"partner_id", "location_id", "location_dest_id", "picking_type_id"},
		Check: func(e *record.Env, p record.Rec) error {
			return checkCompany(e, p, "partner_id", "location_id", "location_dest_id")
		},
	}},
	Methods: map[string]record.Method{
		"action_confirm": {
			Do:  onPickings(confirmPickings),
			Doc: "Confirms draft transfers: their moves wait for their products, and reserve what is there.",
		},
		"action_assign": {
			Do:  onPickings(assignPickings),
			Doc: "Reserves what is there now.",
		},
		"do_unreserve": {
			Do:  onPickings(unreservePickings),
			Doc: "Gives back what is reserved.",
		},
		"action_cancel": {
			Do:  onPickings(cancelPickings),
			Doc: "Cancels transfers that are not done.",
		},
		"button_validate": {
			Do:  validatePickings,
			Doc: "Does transfers: the stock moves, and so the quantities on hand. What is missing goes into a backorder, or is given up when the argument cancel_backorder is true.",
		},
	},
}

// onPickings makes a public method of a step that works as superuser.
func onPickings(step func(*record.Env, []record.Rec) error) func(*record.Env, []record.Rec, record.Values) (any, error) {
	return func(e *record.Env, pickings []record.Rec, _ record.Values) (any, error) {
		if _, err := lockStates(e, "stock_picking", pickings); err != nil {
			return nil, err
		}
		return true, step(e.Sudo(), pickings)
	}
}

// preparePicking fills in what a transfer has from its operation type.
func preparePicking(e *record.Env, values record.Values) error {
	id, _ := values["picking_type_id"].(int64)
	if id == 0 {
		return nil // the engine refuses it
	}
	kind := e.One("stock.picking.type", id)
	for field, from := range map[string]string{
		"location_id": "default_location_src_id", "location_dest_id": "default_location_dest_id",
	} {
		if place, _ := values[field].(int64); place == 0 {
			values[field] = kind.Int(from)
		}
	}
	if text(values["scheduled_date"]) == "" {
		values["scheduled_date"] = moment(e.Now())
	}
	if name := text(values["name"]); name != "" && name != "/" {
		return nil
	}
	numbers := kind.Int("sequence_id")
	if numbers == 0 {
		return refuse("The operation type %s has no sequence to name its transfers", kind.Text("name"))
	}
	name, err := nextNumber(e, numbers)
	values["name"] = name
	return err
}

// pickingsWritten carries a new date to the moves that wait.
func pickingsWritten(e *record.Env, pickings []record.Rec, values record.Values) error {
	date := text(values["scheduled_date"])
	if date == "" {
		return nil
	}
	return e.Sudo().Write(openMoves(pickings), record.Values{"date": date})
}

// pickingState follows from the moves: the worst state counts when all is to
// go at once, else the best.
var pickingState = record.Compute{
	Fields: []string{"state"}, Depends: []string{"move_type", "move_ids.state"},
	Do: func(e *record.Env, p record.Rec) (record.Values, error) {
		count := map[string]int{}
		moves := p.Refs("move_ids")
		for _, m := range moves {
			count[m.Text("state")]++
		}
		ready := count["assigned"] + count["partially_available"]
		waiting := count["confirmed"] + count["waiting"]
		state := "confirmed"
		switch {
		case len(moves) == 0 || count["draft"] > 0:
			state = "draft"
		case count["cancel"] == len(moves):
			state = "cancel"
		case count["cancel"]+count["done"] == len(moves):
			state = "done"
		case p.Text("move_type") == "one" && waiting+count["partially_available"] > 0:
		case ready > 0:
			state = "assigned"
		}
		return record.Values{"state": state}, nil
	},
}

// movesOf are the moves of transfers.
func movesOf(pickings []record.Rec) []record.Rec {
	var moves []record.Rec
	for _, p := range pickings {
		moves = append(moves, p.Refs("move_ids")...)
	}
	return moves
}

// openMoves are those that are neither done nor cancelled.
func openMoves(pickings []record.Rec) []record.Rec {
	var open []record.Rec
	for _, m := range movesOf(pickings) {
		if isOpen(m) {
			open = append(open, m)
		}
	}
	return open
}

func confirmPickings(e *record.Env, pickings []record.Rec) error {
	return confirmMoves(e, openMoves(pickings))
}

func assignPickings(e *record.Env, pickings []record.Rec) error {
	moves := openMoves(pickings)
	if len(moves) == 0 {
		return refuse("Nothing to check the availability for.")
	}
	if err := confirmMoves(e, moves); err != nil {
		return err
	}
	return reserveMoves(e, moves)
}

func unreservePickings(e *record.Env, pickings []record.Rec) error {
	moves := openMoves(pickings)
	if err := releaseAll(e, moves); err != nil {
		return err
	}
	for _, m := range moves {
		if err := restate(e, m); err != nil {
			return err
		}
	}
	return nil
}

func cancelPickings(e *record.Env, pickings []record.Rec) error {
	return cancelMoves(e, movesOf(pickings))
}

func validatePickings(e *record.Env, pickings []record.Rec, args record.Values) (any, error) {
	states, err := lockStates(e, "stock_picking", pickings)
	if err != nil {
		return nil, err
	}
	giveUp, _ := args["cancel_backorder"].(bool)
	e = e.Sudo()
	for _, p := range pickings {
		if s := states[p.ID()]; s == "done" || s == "cancel" {
			return nil, refuse("The transfer %s is %s already.", p.Text("name"), map[string]string{"done": "done", "cancel": "cancelled"}[s])
		}
		if err := validatePicking(e, p, giveUp); err != nil {
			return nil, err
		}
	}
	return true, nil
}

// validatePicking does one transfer. A draft is taken at its word: its demand
// is what is moved.
func validatePicking(e *record.Env, p record.Rec, giveUp bool) error {
	one := []record.Rec{p}
	moves := openMoves(one)
	if len(moves) == 0 {
		return refuse("You can’t validate an empty transfer. Please add some products to move before proceeding.")
	}
	if p.Text("state") == "draft" {
		if err := confirmMoves(e, moves); err != nil {
			return err
		}
		for _, m := range moves {
			if m.Float("quantity") == 0 {
				if err := setQuantity(e, m, m.Float("product_uom_qty")); err != nil {
					return err
				}
			}
		}
	}
	ready, rest := splitMoves(moves)
	if len(ready) == 0 {
		return refuse("You cannot validate a transfer if no quantities are reserved. To force the transfer, encode quantities.")
	}
	giveUp = giveUp || p.Ref("picking_type_id").Text("create_backorder") == "never"
	if err := leaveRest(e, p, ready, rest, giveUp); err != nil {
		return err
	}
	if err := doMoves(e, ready); err != nil {
		return err
	}
	return e.Write(one, record.Values{"date_done": moment(e.Now())})
}

// splitMoves tells the moves that have something to move from the others.
func splitMoves(moves []record.Rec) (ready, rest []record.Rec) {
	for _, m := range moves {
		if m.Float("quantity") > 0 {
			ready = append(ready, m)
		} else {
			rest = append(rest, m)
		}
	}
	return ready, rest
}
