package business

import (
	"slices"
	"time"

	"gatehouse/internal/record"
	"gatehouse/internal/schema"
)

// The demo's sales: how many orders, of which how many are the second
// company's, and leads.
const (
	demoOrders  = 200
	demoOrders2 = 32
	demoLeads   = 40
)

// fate is how far an order got.
type fate uint8

const (
	fateDraft fate = iota
	fateSent
	fateCancelled
	fateOpen // confirmed, to be delivered
	fateDelivered
)

// fateOf decides about an order by chance and age: old ones are settled.
func (d *demo) fateOf(age time.Duration) fate {
	chance := d.rand.IntN(100)
	switch {
	case chance < 8:
		return fateCancelled
	case age > 60*24*time.Hour:
		return fateDelivered
	case chance < 28:
		return fateDraft
	case chance < 42:
		return fateSent
	case chance < 62 || age < 10*24*time.Hour:
		return fateOpen
	}
	return fateDelivered
}

// orders makes a year of orders, oldest first, more of them lately.
func (d *demo) orders() error {
	sellers := []int64{d.names["user/demo-manager"], d.names["user/demo-sales"], d.names["user/demo-sales"], d.names["user/admin"]}
	portal := d.e.One("res.partner", d.names["partner/"+demoPortalContact]).Ref("parent_id").ID()
	var settle []settlement
	for i := range demoOrders {
		left := float64(demoOrders-i) / demoOrders
		age := time.Duration(left * left * 365 * 24 * float64(time.Hour))
		age = age.Truncate(time.Hour) + time.Duration(d.rand.IntN(3600))*time.Second
		company, seller, customer := mainCompany, pick(d, sellers), pick(d, d.customers)
		switch {
		case i%(demoOrders/demoOrders2) == 3:
			company, seller = d.company2, d.names["user/demo-company2"]
		case i%40 == 7: // the portal user has something to see
			customer = portal
		}
		order, err := d.order(company, seller, customer, d.now.Add(-age))
		if err != nil {
			return err
		}
		settle = append(settle, settlement{order, d.fateOf(age), d.now.Add(-age)})
	}
	for _, s := range settle {
		if err := d.settle(s); err != nil {
			return err
		}
	}
	return nil
}

// settlement is an order and what becomes of it.
type settlement struct {
	order record.Rec
	fate  fate
	at    time.Time
}

func (d *demo) order(company, seller, customer int64, at time.Time) (record.Rec, error) {
	var lines []record.Command
	for range 1 + d.rand.IntN(4) {
		lines = append(lines, record.Command{Kind: record.CreateLine, Values: record.Values{
			"product_id": pick(d, d.goods), "product_uom_qty": float64(1 + d.rand.IntN(4)),
			"discount": pick(d, []float64{0, 0, 0, 0, 5, 10}),
		}})
	}
	recs, err := d.e.WithCompany(company).Create("sale.order", record.Values{
		"partner_id": customer, "company_id": company, "user_id": seller,
		"date_order": at.Format(schema.DatetimeLayout), "order_line": lines,
	})
	if err != nil {
		return record.Rec{}, err
	}
	return recs[0], nil
}

// settle brings an order to its end, through the same methods as a caller, and
// puts back the date that confirming sets to today.
func (d *demo) settle(s settlement) error {
	e := d.e.WithCompany(s.order.Ref("company_id").ID())
	order := []record.Rec{e.One("sale.order", s.order.ID())}
	switch s.fate {
	case fateSent:
		if err := e.Write(order, record.Values{"state": "sent"}); err != nil {
			return err
		}
	case fateCancelled:
		if err := d.call(e, order, "action_cancel"); err != nil {
			return err
		}
	case fateOpen, fateDelivered:
		if err := d.call(e, order, "action_confirm"); err != nil {
			return err
		}
		if err := e.Write(order, record.Values{"date_order": s.at.Format(schema.DatetimeLayout)}); err != nil {
			return err
		}
		if s.fate == fateDelivered {
			if err := d.deliver(e, order[0]); err != nil {
				return err
			}
		}
	}
	_, err := e.Tx().Exec(e.Ctx(), "update sale_order set create_date = $1, write_date = $1 where id = $2", s.at, s.order.ID())
	return err
}

// deliver ships what an order asks for; what is short stays open.
func (d *demo) deliver(e *record.Env, order record.Rec) error {
	pickings, err := e.SearchNode("stock.picking", leaf("sale_id", "=", order.ID()))
	pickings = slices.DeleteFunc(pickings, func(p record.Rec) bool { return p.Text("state") != "assigned" })
	if err != nil || len(pickings) == 0 {
		return err
	}
	return d.call(e, pickings, "button_validate")
}

// leads makes what the salespeople hope for.
func (d *demo) leads() error {
	wants := []string{
		"Office move", "New branch", "Canteen refit", "Meeting rooms", "Acoustic panels", "Home office set",
		"Standing desks", "Reception area", "Library shelves", "Framework contract",
	}
	sellers := []int64{d.names["user/demo-manager"], d.names["user/demo-sales"], 0}
	stages, err := d.e.Search("crm.stage", "[]")
	if err != nil {
		return err
	}
	for i := range demoLeads {
		customer := d.e.One("res.partner", pick(d, d.customers))
		values := record.Values{
			"name": wants[i%len(wants)] + ", " + customer.Text("name"), "partner_id": customer.ID(),
			"expected_revenue": float64(500 * (1 + d.rand.IntN(60))), "probability": float64(10 * (1 + d.rand.IntN(8))),
			"priority": pick(d, []string{"0", "1", "1", "2", "3"}), "type": "opportunity",
			"company_id": mainCompany,
		}
		if len(stages) > 0 {
			values["stage_id"] = pick(d, stages).ID()
		}
		if seller := pick(d, sellers); seller != 0 {
			values["user_id"] = seller
		}
		if _, err := d.create("crm.lead", values); err != nil {
			return err
		}
	}
	return nil
}
