package business

import (
	"gatehouse/internal/record"
)

// orderMethods are what one can do with orders.
var orderMethods = map[string]record.Method{
	"action_confirm": {
		Do:  confirmOrders,
		Doc: "Makes quotations sales orders, and a transfer for the goods in them.",
	},
	"action_cancel": {
		Do:  cancelOrders,
		Doc: "Cancels orders and the transfers of theirs that are not done.",
	},
	"action_draft": {
		Do:  redraftOrders,
		Doc: "Makes cancelled and sent orders quotations again.",
	},
	"action_quotation_sent": {
		Do:  markOrdersSent,
		Doc: "Marks quotations as sent.",
	},
	"action_lock": {
		MayBeEmpty: true, Doc: "Locks orders against changes.",
		Do: func(e *record.Env, orders []record.Rec, _ record.Values) (any, error) {
			return nil, e.Write(orders, record.Values{"locked": true})
		},
	},
	"action_unlock": {
		MayBeEmpty: true, Doc: "Unlocks orders.",
		Do: func(e *record.Env, orders []record.Rec, _ record.Values) (any, error) {
			return nil, e.Write(orders, record.Values{"locked": false})
		},
	},
}

func confirmOrders(e *record.Env, orders []record.Rec, _ record.Values) (any, error) {
	states, err := lockStates(e, "sale_order", orders)
	if err != nil {
		return nil, err
	}
	for _, o := range orders {
		if s := states[o.ID()]; s != "draft" && s != "sent" {
			return nil, refuse("Some orders are not in a state requiring confirmation.")
		}
		for _, l := range o.Refs("order_line") {
			if !l.Has("display_type") && !l.Bool("is_downpayment") && l.Ref("product_id").IsZero() {
				return nil, refuse("Some order lines are missing a product, you need to correct them before going further.")
			}
		}
	}
	if err := e.Write(orders, record.Values{"state": "sale", "date_order": moment(e.Now())}); err != nil {
		return nil, err
	}
	for _, o := range orders {
		if err := deliver(e, o, o.Refs("order_line")); err != nil {
			return nil, err
		}
	}
	return true, nil
}

func cancelOrders(e *record.Env, orders []record.Rec, _ record.Values) (any, error) {
	if _, err := lockStates(e, "sale_order", orders); err != nil {
		return nil, err
	}
	var open []record.Rec
	for _, o := range orders {
		if o.Bool("locked") {
			return nil, refuse("You cannot cancel a locked order. Please unlock it first.")
		}
		pickings := o.Refs("picking_ids")
		states, err := lockStates(e, "stock_picking", pickings)
		if err != nil {
			return nil, err
		}
		for _, p := range pickings {
			if s := states[p.ID()]; s != "done" && s != "cancel" {
				open = append(open, p)
			}
		}
	}
	if err := cancelPickings(e.Sudo(), open); err != nil {
		return nil, err
	}
	return true, e.Write(orders, record.Values{"state": "cancel"})
}

func redraftOrders(e *record.Env, orders []record.Rec, _ record.Values) (any, error) {
	states, err := lockStates(e, "sale_order", orders)
	if err != nil {
		return nil, err
	}
	var back []record.Rec
	for _, o := range orders {
		if s := states[o.ID()]; s == "cancel" || s == "sent" {
			back = append(back, o)
		}
	}
	return true, e.Write(back, record.Values{"state": "draft"})
}

func markOrdersSent(e *record.Env, orders []record.Rec, _ record.Values) (any, error) {
	states, err := lockStates(e, "sale_order", orders)
	if err != nil {
		return nil, err
	}
	for _, o := range orders {
		if states[o.ID()] != "draft" {
			return nil, refuse("Only draft orders can be marked as sent directly.")
		}
	}
	return true, e.Write(orders, record.Values{"state": "sent"})
}
