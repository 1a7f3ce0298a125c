package business

import (
	"slices"

	"gatehouse/internal/record"
)

// The addresses follow the customer.
var (
	invoiceAddress  = addressCompute("partner_invoice_id", "invoice")
	deliveryAddress = addressCompute("partner_shipping_id", "delivery")
)

func addressCompute(field, kind string) record.Compute {
	return record.Compute{
		Fields: []string{field}, Depends: []string{"partner_id"}, Early: true, Editable: true,
		Do: func(e *record.Env, o record.Rec) (record.Values, error) {
			partner := o.Ref("partner_id")
			if partner.IsZero() {
				return nil, nil
			}
			return record.Values{field: addressFor(partner, kind).ID()}, nil
		},
	}
}

// orderSalesperson is the customer's salesperson, else whoever writes the
// order if he sells. An order that has one keeps him.
var orderSalesperson = record.Compute{
	Fields: []string{"user_id"}, Depends: []string{"partner_id"}, Early: true, Editable: true,
	Do: func(e *record.Env, o record.Rec) (record.Values, error) {
		partner := o.Ref("partner_id")
		if o.Has("user_id") || partner.IsZero() {
			return nil, nil
		}
		for _, p := range []record.Rec{partner, partner.Ref("commercial_partner_id")} {
			if user := p.Ref("user_id"); !user.IsZero() {
				return record.Values{"user_id": user.ID()}, nil
			}
		}
		if e.UserID() != rootUser && inGroup(e, e.One("res.users", e.UserID()), groupSalesman) {
			return record.Values{"user_id": e.UserID()}, nil
		}
		return nil, nil
	},
}

// inGroup says whether a user is in a group, directly or by implication.
func inGroup(e *record.Env, user record.Rec, xmlid string) bool {
	var groups []int64
	for _, g := range user.Refs("group_ids") {
		groups = append(groups, g.ID())
	}
	return slices.Contains(e.Registry().Closure(groups), e.Registry().GroupID(xmlid))
}

// orderPricelist is the customer's, as long as the order is a quotation.
var orderPricelist = record.Compute{
	Fields: []string{"pricelist_id"}, Depends: []string{"partner_id", "company_id"}, Early: true, Editable: true,
	Do: func(e *record.Env, o record.Rec) (record.Values, error) {
		if o.Text("state") != "draft" {
			return nil, nil
		}
		partner, company := o.Ref("partner_id"), o.Ref("company_id")
		if partner.IsZero() || company.IsZero() {
			return record.Values{"pricelist_id": nil}, nil
		}
		list, err := partnerPricelist(e, partner, company)
		return record.Values{"pricelist_id": refID(list)}, err
	},
}

// orderPosition follows the address that the goods go to.
var orderPosition = record.Compute{
	Fields: []string{"fiscal_position_id"}, Depends: []string{"partner_id", "partner_shipping_id", "company_id"},
	Early: true, Editable: true,
	Do: func(e *record.Env, o record.Rec) (record.Values, error) {
		partner, company := o.Ref("partner_id"), o.Ref("company_id")
		if partner.IsZero() || company.IsZero() {
			return record.Values{"fiscal_position_id": nil}, nil
		}
		position, err := fiscalPosition(e, partner, o.Ref("partner_shipping_id"), company)
		return record.Values{"fiscal_position_id": refID(position)}, err
	},
}

// orderPayment are the customer's terms in the order's company.
var orderPayment = record.Compute{
	Fields: []string{"payment_term_id"}, Depends: []string{"partner_id"}, Early: true, Editable: true,
	Do: func(e *record.Env, o record.Rec) (record.Values, error) {
		there := e.Sudo().WithCompany(o.Int("company_id"))
		term := there.One("res.partner", o.Int("partner_id")).Ref("property_payment_term_id")
		return record.Values{"payment_term_id": refID(term)}, nil
	},
}

// orderCurrency is that of the price list, else the company's, unless the
// caller gave another.
var orderCurrency = record.Compute{
	Fields: []string{"currency_id"}, Depends: []string{"pricelist_id", "company_id"}, Early: true, Editable: true,
	Do: func(e *record.Env, o record.Rec) (record.Values, error) {
		if list := o.Ref("pricelist_id"); !list.IsZero() {
			return record.Values{"currency_id": list.Ref("currency_id").ID()}, nil
		}
		company := o.Ref("company_id")
		if company.IsZero() {
			return nil, nil
		}
		return record.Values{"currency_id": company.Ref("currency_id").ID()}, nil
	},
}

// orderWarehouse is the company's first one. It stays once the order is
// confirmed, and while it belongs to the company.
var orderWarehouse = record.Compute{
	Fields: []string{"warehouse_id"}, Depends: []string{"company_id"}, Early: true, Editable: true,
	Do: func(e *record.Env, o record.Rec) (record.Values, error) {
		company, have := o.Ref("company_id"), o.Ref("warehouse_id")
		if company.IsZero() || !have.IsZero() && (have.Int("company_id") == company.ID() || o.Text("state") == "sale") {
			return nil, nil
		}
		first, err := e.SearchNode("stock.warehouse", leaf("company_id", "=", company.ID()), record.WithLimit(1))
		if err != nil || len(first) == 0 {
			return record.Values{"warehouse_id": nil}, err
		}
		return record.Values{"warehouse_id": first[0].ID()}, nil
	},
}

// orderTotals adds up the lines.
var orderTotals = record.Compute{
	Fields: []string{"amount_untaxed", "amount_tax", "amount_total"},
	Depends: []string{
		"order_line.product_uom_qty", "order_line.price_unit", "order_line.discount",
		"order_line.tax_ids", "order_line.display_type", "currency_id", "company_id",
	},
	Do: func(e *record.Env, o record.Rec) (record.Values, error) {
		method, step := methodOf(o.Ref("company_id")), roundingOf(o.Ref("currency_id"))
		var parts []lineAmounts
		for _, l := range o.Refs("order_line") {
			if !l.Has("display_type") {
				parts = append(parts, asTaxed(l).compute(method, step))
			}
		}
		sum := documentTotals(parts, method, step)
		return record.Values{
			"amount_untaxed": sum.untaxed, "amount_tax": sum.tax, "amount_total": sum.total,
		}, nil
	},
}

// asTaxed is an order line as the tax computation sees it.
func asTaxed(l record.Rec) taxedLine {
	return taxedLine{
		quantity: l.Float("product_uom_qty"), priceUnit: l.Float("price_unit"), discount: l.Float("discount"),
		taxes: rulesOf(l.Refs("tax_ids")),
	}
}

var orderInvoiceStatus = record.Compute{
	Fields: []string{"invoice_status"}, Depends: []string{"state", "order_line.invoice_status"},
	Do: func(e *record.Env, o record.Rec) (record.Values, error) {
		count := map[string]int{}
		total := 0
		for _, l := range o.Refs("order_line") {
			if !l.Has("display_type") {
				count[l.Text("invoice_status")]++
				total++
			}
		}
		status := "no"
		switch {
		case o.Text("state") != "sale" || total == 0:
		case count["to invoice"] > 0:
			status = "to invoice"
		case count["invoiced"] == total:
			status = "invoiced"
		case count["invoiced"]+count["upselling"] == total:
			status = "upselling"
		}
		return record.Values{"invoice_status": status}, nil
	},
}

// orderDeliveryStatus sums up the transfers of an order; it is not set while
// there is nothing to deliver.
var orderDeliveryStatus = record.Compute{
	Fields:  []string{"delivery_status", "effective_date"},
	Depends: []string{"picking_ids.state", "picking_ids.date_done", "order_line.qty_delivered"},
	Do: func(e *record.Env, o record.Rec) (record.Values, error) {
		var open, done int
		var first any
		for _, p := range o.Refs("picking_ids") {
			switch p.Text("state") {
			case "cancel":
			case "done":
				done++
				at := p.Time("date_done")
				if p.Ref("location_dest_id").Text("usage") == "customer" && !at.IsZero() &&
					(first == nil || text(moment(at)) < text(first)) {
					first = moment(at)
				}
			default:
				open++
			}
		}
		delivered := slices.ContainsFunc(o.Refs("order_line"), func(l record.Rec) bool { return l.Float("qty_delivered") != 0 })
		var status any
		switch {
		case open+done == 0:
		case open == 0:
			status = "full"
		case done > 0 && delivered:
			status = "partial"
		case done > 0:
			status = "started"
		default:
			status = "pending"
		}
		return record.Values{"delivery_status": status, "effective_date": first}, nil
	},
}
