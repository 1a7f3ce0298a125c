package business

import (
	"slices"
	"time"

	"gatehouse/internal/domain"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
)

// saleLogics are what orders and their lines do.
func saleLogics() []record.Logic {
	return []record.Logic{
		{Model: "crm.team", BeforeUnlink: guardTeamUnlink},
		{
			Model: "sale.order",
			Defaults: map[string]func(e *record.Env) (any, error){
				"company_id": currentCompany,
				"date_order": func(e *record.Env) (any, error) { return e.Now().Format(schema.DatetimeLayout), nil },
			},
			Prepare:      prepareOrder,
			BeforeWrite:  guardOrders,
			BeforeUnlink: guardOrderUnlink,
			Computes: []record.Compute{
				invoiceAddress, deliveryAddress, orderSalesperson, orderPricelist, orderPosition, orderPayment, orderCurrency, orderWarehouse,
				orderTotals, orderInvoiceStatus, orderDeliveryStatus,
			},
			Checks: []record.Constraint{{
				Fields: []string{
					"company_id", "partner_id", "partner_invoice_id", "partner_shipping_id", "warehouse_id", "team_id",
					"pricelist_id", "payment_term_id", "fiscal_position_id",
				},
				Check: checkOrderCompany,
			}},
			Methods: orderMethods,
		},
		{
			Model:       "sale.order.line",
			Prepare:     prepareLine,
			AfterCreate: linesCreated,
			BeforeWrite: guardLines,
			AfterWrite:  linesWritten,
			BeforeUnlink: func(e *record.Env, lines []record.Rec) error {
				return guardLineUnlink(lines)
			},
			Computes: []record.Compute{
				lineName, lineUnit, linePrice, lineLead, lineTaxes, lineTotals,
				lineDeliveryMethod, lineDelivered, lineInvoiceStatus,
			},
			Checks: []record.Constraint{{
				Fields: []string{"product_id", "tax_ids", "order_id"}, Check: checkLineCompany,
			}},
		},
	}
}

// prepareOrder gives an order its number and the day it expires.
func prepareOrder(e *record.Env, values record.Values) error {
	company, _ := values["company_id"].(int64)
	if name := text(values["name"]); name == "" || name == newDocument {
		number, err := NextByCode(e.WithCompany(company), "sale.order")
		if err != nil {
			return err
		}
		if number != "" {
			values["name"] = number
		}
	}
	if given(values, "validity_date") {
		return nil
	}
	if days := e.One("res.company", company).Int("quotation_validity_days"); days > 0 {
		values["validity_date"] = e.Now().AddDate(0, 0, int(days)).Format(schema.DateLayout)
	}
	return nil
}

// guardOrders keeps the price list that a confirmed order was made with.
func guardOrders(e *record.Env, orders []record.Rec, values record.Values) error {
	if !given(values, "pricelist_id") {
		return nil
	}
	if slices.ContainsFunc(orders, func(o record.Rec) bool { return o.Text("state") == "sale" }) {
		return refuse("You cannot change the pricelist of a confirmed order !")
	}
	return nil
}

func guardOrderUnlink(e *record.Env, orders []record.Rec) error {
	for _, o := range orders {
		if state := o.Text("state"); state != "draft" && state != "cancel" {
			return refuse("You can not delete a sent quotation or a confirmed sales order. You must first cancel it.")
		}
	}
	return nil
}

// spareOrders is how many orders a team may have and still be deleted.
const spareOrders = 5

// guardTeamUnlink keeps teams that many orders belong to.
func guardTeamUnlink(e *record.Env, teams []record.Rec) error {
	for _, t := range teams {
		orders, err := e.Sudo().SearchNode("sale.order", domain.Conj(leaf("team_id", "=", t.ID()), leaf("state", "!=", "cancel")))
		if err != nil {
			return err
		}
		if len(orders) > spareOrders {
			return refuse("Team %s has %d active sale orders. Consider cancelling them or archiving the team instead.",
				t.Text("name"), len(orders))
		}
	}
	return nil
}

// prepareLine turns a template into its variant, and empties what sections and
// notes cannot have.
func prepareLine(e *record.Env, values record.Values) error {
	if err := templateToVariant(e, values); err != nil {
		return err
	}
	if text(values["display_type"]) != "" {
		values["product_uom_qty"] = 0.0
	}
	return nil
}

// templateToVariant lets a caller order a template: its first variant is taken.
func templateToVariant(e *record.Env, values record.Values) error {
	id, ok := values["product_template_id"].(int64)
	delete(values, "product_template_id")
	if product, _ := values["product_id"].(int64); !ok || id == 0 || product != 0 {
		return nil
	}
	variants, err := e.SearchNode("product.product", leaf("product_tmpl_id", "=", id), record.WithLimit(1))
	if err != nil {
		return err
	}
	if len(variants) == 0 {
		return refuse("The product template %d has no variant that could be sold", id)
	}
	values["product_id"] = variants[0].ID()
	return nil
}

// linesCreated delivers what is added to a confirmed order.
func linesCreated(e *record.Env, lines []record.Rec) error { return deliverConfirmed(e, lines) }

func linesWritten(e *record.Env, lines []record.Rec, values record.Values) error {
	if !given(values, "product_uom_qty", "product_id", "product_uom_id") {
		return nil
	}
	return deliverConfirmed(e, lines)
}

// deliverConfirmed brings the deliveries of confirmed orders to what the lines
// say, order by order.
func deliverConfirmed(e *record.Env, lines []record.Rec) error {
	byOrder, orders := map[int64][]record.Rec{}, []record.Rec{}
	for _, l := range lines {
		order := l.Ref("order_id")
		if order.Text("state") != "sale" {
			continue
		}
		if byOrder[order.ID()] == nil {
			orders = append(orders, order)
		}
		byOrder[order.ID()] = append(byOrder[order.ID()], l)
	}
	for _, o := range orders {
		if err := deliver(e, o, byOrder[o.ID()]); err != nil {
			return err
		}
	}
	return nil
}

// protectedLineFields cannot change on the lines of a locked order.
var protectedLineFields = []string{
	"product_id", "name", "price_unit", "product_uom_id", "product_uom_qty", "tax_ids", "discount",
}

// guardLines refuses changes that the state of the order forbids.
func guardLines(e *record.Env, lines []record.Rec, values record.Values) error {
	if err := templateToVariant(e, values); err != nil {
		return err
	}
	if given(values, "product_id", "product_uom_qty", "product_uom_id") {
		if err := lockDeliveries(e, lines); err != nil {
			return err
		}
	}
	kind, changesKind := values["display_type"]
	product, changesProduct := values["product_id"]
	for _, l := range lines {
		if changesKind && text(kind) != l.Text("display_type") {
			return refuse("You cannot change the type of a sale order line. Instead you should delete the current line and create a new line of the proper type.")
		}
		if id, _ := product.(int64); changesProduct && id != l.Int("product_id") && !productUpdatable(l) {
			return refuse("You cannot modify the product of this order line.")
		}
		if !l.Ref("order_id").Bool("locked") {
			continue
		}
		if labels := protectedLabels(e, values); labels != "" {
			return refuse("It is forbidden to modify the following fields in a locked order:\n%s", labels)
		}
	}
	return nil
}

// lockDeliveries keeps the transfers of confirmed lines as they are, before
// anything is read of them.
func lockDeliveries(e *record.Env, lines []record.Rec) error {
	for _, l := range lines {
		if l.Text("state") != "sale" {
			continue
		}
		if _, err := lockStates(e, "stock_picking", l.Ref("order_id").Refs("picking_ids")); err != nil {
			return err
		}
	}
	return nil
}

// protectedLabels names the protected fields among the values.
func protectedLabels(e *record.Env, values record.Values) string {
	out := ""
	for _, name := range protectedLineFields {
		if !given(values, name) {
			continue
		}
		if out != "" {
			out += "\n"
		}
		out += e.Registry().Model("sale.order.line").Field(name).Label
	}
	return out
}

// productUpdatable says whether a line's product may still be exchanged:
// nothing of it has been delivered, invoiced or is on its way.
func productUpdatable(l record.Rec) bool {
	switch l.Text("state") {
	case "cancel":
		return false
	case "sale":
		open := slices.ContainsFunc(l.Refs("move_ids"), func(m record.Rec) bool { return m.Text("state") != "cancel" })
		return !open && !l.Ref("order_id").Bool("locked") && l.Float("qty_invoiced") == 0 && l.Float("qty_delivered") == 0
	}
	return true
}

func guardLineUnlink(lines []record.Rec) error {
	for _, l := range lines {
		if l.Text("state") == "sale" && !l.Has("display_type") && !l.Bool("is_downpayment") {
			return refuse("Once a sales order is confirmed, you can't remove one of its lines (we need to track if something gets invoiced or delivered).\nSet the quantity to 0 instead.")
		}
	}
	return nil
}

func checkOrderCompany(e *record.Env, o record.Rec) error {
	return checkCompany(e, o, "partner_id", "partner_invoice_id", "partner_shipping_id", "warehouse_id", "team_id",
		"pricelist_id", "payment_term_id", "fiscal_position_id")
}

func checkLineCompany(e *record.Env, l record.Rec) error {
	return checkCompany(e, l, "product_id", "tax_ids")
}

// moment is a time as it is written to a datetime field.
func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(schema.DatetimeLayout)
}
