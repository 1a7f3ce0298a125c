package business

import (
	"strings"

	"gatehouse/internal/record"
)

// lineName describes the product, as the customer is to read it.
var lineName = record.Compute{
	Fields: []string{"name"}, Depends: []string{"product_id"}, Early: true, Editable: true,
	Do: func(e *record.Env, l record.Rec) (record.Values, error) {
		product := l.Ref("product_id")
		if product.IsZero() {
			return nil, nil
		}
		name := product.Text("display_name")
		if about := strings.TrimSpace(product.Text("description_sale")); about != "" {
			name += "\n" + about
		}
		return record.Values{"name": name}, nil
	},
}

var lineUnit = record.Compute{
	Fields: []string{"product_uom_id"}, Depends: []string{"product_id"}, Early: true, Editable: true,
	Do: func(e *record.Env, l record.Rec) (record.Values, error) {
		product := l.Ref("product_id")
		if product.IsZero() {
			return nil, nil
		}
		return record.Values{"product_uom_id": product.Ref("uom_id").ID()}, nil
	},
}

// linePrice is the product's price by the order's list, in the unit of the line. A price that was
// set by hand differs from what was looked up, and is kept.
var linePrice = record.Compute{
	Fields: []string{"technical_price_unit", "price_unit"}, Depends: []string{"product_id", "product_uom_id", "product_uom_qty"},
	Early: true, Editable: true,
	Do: func(e *record.Env, l record.Rec) (record.Values, error) {
		product, stored := l.Ref("product_id"), l.ID() != 0
		byHand := stored && l.Float("price_unit") != l.Float("technical_price_unit")
		if stored && (product.IsZero() || byHand || l.Float("qty_invoiced") > 0) {
			return nil, nil
		}
		price := 0.0
		if !product.IsZero() {
			var err error
			if price, err = linePriceOf(e, l); err != nil {
				return nil, err
			}
		}
		return record.Values{"technical_price_unit": price, "price_unit": price}, nil
	},
}

// lineLead is how many days before the shipping the product needs.
var lineLead = record.Compute{
	Fields: []string{"customer_lead"}, Depends: []string{"product_id"}, Early: true, Editable: true,
	Do: func(e *record.Env, l record.Rec) (record.Values, error) {
		product := l.Ref("product_id")
		if product.IsZero() {
			return nil, nil
		}
		return record.Values{"customer_lead": float64(product.Int("sale_delay"))}, nil
	},
}

// lineTaxes are those of the product that count in the order's company.
var lineTaxes = record.Compute{
	Fields: []string{"tax_ids"}, Depends: []string{"product_id", "company_id"}, Editable: true,
	Do: func(e *record.Env, l record.Rec) (record.Values, error) {
		product, ids := l.Ref("product_id"), []int64{}
		if !product.IsZero() && !l.Has("display_type") {
			own := taxesFor(product.Refs("taxes_id"), l.Ref("company_id"))
			for _, tax := range taxesAbroad(l.Ref("order_id").Ref("fiscal_position_id"), own) {
				ids = append(ids, tax.ID())
			}
		}
		return record.Values{"tax_ids": ids}, nil
	},
}

var lineTotals = record.Compute{
	Fields:  []string{"price_subtotal", "price_tax", "price_total", "price_reduce_taxexcl", "price_reduce_taxinc"},
	Depends: []string{"product_uom_qty", "price_unit", "discount", "tax_ids", "currency_id", "company_id"},
	Do: func(e *record.Env, l record.Rec) (record.Values, error) {
		step := roundingOf(l.Ref("currency_id"))
		line := asTaxed(l)
		sum := line.compute(methodOf(l.Ref("company_id")), step).rounded(step)
		excl, incl := reducedPrices(sum, line.quantity, step)
		return record.Values{
			"price_subtotal": sum.untaxed, "price_tax": sum.tax, "price_total": sum.total,
			"price_reduce_taxexcl": excl, "price_reduce_taxinc": incl,
		}, nil
	},
}

// lineDeliveryMethod: goods are delivered by transfers, anything else is
// reported by hand.
var lineDeliveryMethod = record.Compute{
	Fields: []string{"qty_delivered_method"}, Depends: []string{"product_id"}, Early: true,
	Do: func(e *record.Env, l record.Rec) (record.Values, error) {
		if isGoods(l.Ref("product_id")) {
			return record.Values{"qty_delivered_method": "stock_move"}, nil
		}
		return record.Values{"qty_delivered_method": "manual"}, nil
	},
}

// lineDelivered is what went to the customer less what came back.
var lineDelivered = record.Compute{
	Fields:  []string{"qty_delivered"},
	Depends: []string{"qty_delivered_method", "move_ids.state", "move_ids.quantity", "move_ids.product_uom"},
	Do: func(e *record.Env, l record.Rec) (record.Values, error) {
		if l.Text("qty_delivered_method") != "stock_move" {
			return nil, nil
		}
		sum := 0.0
		for _, m := range l.Refs("move_ids") {
			if m.Text("state") == "done" {
				sum += outward(m) * convertQuantity(m.Float("quantity"), m.Ref("product_uom"), l.Ref("product_uom_id"))
			}
		}
		return record.Values{"qty_delivered": roundTo(sum, quantityStep)}, nil
	},
}

// outward is 1 for a move to a customer, -1 for one back from him, else 0.
func outward(move record.Rec) float64 {
	to := move.Ref("location_dest_id").Text("usage") == "customer"
	from := move.Ref("location_id").Text("usage") == "customer"
	switch {
	case to && !from:
		return 1
	case from && !to:
		return -1
	}
	return 0
}

var lineInvoiceStatus = record.Compute{
	Fields:  []string{"qty_to_invoice", "invoice_status"},
	Depends: []string{"state", "product_id", "product_uom_qty", "qty_delivered", "qty_invoiced"},
	Do: func(e *record.Env, l record.Rec) (record.Values, error) {
		ordered, delivered, invoiced := l.Float("product_uom_qty"), l.Float("qty_delivered"), l.Float("qty_invoiced")
		byOrder := l.Ref("product_id").Text("invoice_policy") == "order"
		open, status := 0.0, "no"
		if l.Text("state") != "sale" || l.Has("display_type") {
			return record.Values{"qty_to_invoice": open, "invoice_status": status}, nil
		}
		open = roundTo(delivered-invoiced, quantityStep)
		if byOrder {
			open = roundTo(ordered-invoiced, quantityStep)
		}
		switch {
		case open != 0:
			status = "to invoice"
		case byOrder && ordered >= 0 && delivered > ordered:
			status = "upselling"
		case invoiced >= ordered:
			status = "invoiced"
		}
		return record.Values{"qty_to_invoice": open, "invoice_status": status}, nil
	},
}
