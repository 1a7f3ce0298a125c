package business

import s "gatehouse/internal/schema"

// The states of an order, and of what follows from it.
var (
	orderStates = []string{
		"draft", "Quotation", "sent", "Quotation Sent", "sale", "Sales Order", "cancel", "Cancelled",
	}
	invoiceStates = []string{
		"upselling", "Upselling Opportunity", "invoiced", "Fully Invoiced", "to invoice", "To Invoice", "no", "Nothing to Invoice",
	}
)

const groupSalesman = "sales_team.group_sale_salesman"

// saleModels are orders and their lines.
func saleModels() []*s.Model { return []*s.Model{orderModel(), orderLineModel()} }

func orderModel() *s.Model {
	return &s.Model{
		Name: "sale.order", Label: "Sales Order", Order: "date_order desc, id desc", RecName: "name",
		RecNames: []string{"name"},
		Fields: append(append(append(orderHeader(), orderParties()...),
			orderAmounts()...), orderDelivery()...),
		Checks: []s.Check{{
			Name: "date_order_conditional_required", SQL: "state <> 'sale' or date_order is not null",
			Message: "A confirmed sales order requires a confirmation date.",
		}},
	}
}

// orderHeader are what an order is about.
func orderHeader() []*s.Field {
	return []*s.Field{
		s.NewChar("name", "Order Reference").Req().NoCopy().Index().Def(newDocument),
		s.NewSelection("state", "Status", orderStates...).RO().NoCopy().Index().Def("draft"),
		s.NewBoolean("locked", "Locked").NoCopy().Def(false).Helped("Locked orders cannot be modified."),
		s.NewDatetime("date_order", "Order Date").Req().NoCopy().
			Helped("When a quotation was made, or an order confirmed."),
		s.NewDate("validity_date", "Expiration").NoCopy().
			Helped("Last day on which the quotation can be accepted."),
		s.NewDatetime("commitment_date", "Delivery Date").NoCopy().
			Helped("Delivery date promised to the customer; the delivery is then scheduled for it."),
		s.NewChar("client_order_ref", "Customer Reference").NoCopy(),
		s.NewChar("origin", "Source Document").Helped("What this order was made from."),
		s.NewChar("reference", "Payment Ref.").NoCopy(),
		s.NewHTML("note", "Terms and conditions"),
		s.NewMany2many("tag_ids", "Tags", "crm.tag", "sale_order_tag_rel", "order_id", "tag_id").For(groupSalesman),
		s.NewBoolean("require_signature", "Online signature").Def(true),
		s.NewBoolean("require_payment", "Online payment").Def(false),
		s.NewOne2many("order_line", "Order Lines", "sale.order.line", "order_id").CopyLines().BypassRules(),
		s.NewChar("type_name", "Type Name").
			ComputedSQL("case when {t}.state = 'sale' then 'Sales Order' else 'Quotation' end"),
		s.NewBoolean("is_expired", "Is Expired").
			ComputedSQL("coalesce({t}.state in ('draft', 'sent') and {t}.validity_date < current_date, false)"),
	}
}

// newDocument stands for a name that the sequence has still to give.
const newDocument = "New"

// orderParties are who an order is between.
func orderParties() []*s.Field {
	return []*s.Field{
		s.NewMany2one("company_id", "Company", "res.company").Req().Index(),
		s.NewMany2one("partner_id", "Customer", "res.partner").Req().Index(),
		s.NewMany2one("partner_invoice_id", "Invoice Address", "res.partner").Req().Index(),
		s.NewMany2one("partner_shipping_id", "Delivery Address", "res.partner").Req().Index(),
		s.NewMany2one("user_id", "Salesperson", "res.users").Index(),
		s.NewMany2one("team_id", "Sales Team", "crm.team").Index(),
	}
}

// orderAmounts are what an order is worth.
func orderAmounts() []*s.Field {
	return []*s.Field{
		s.NewMany2one("pricelist_id", "Pricelist", "product.pricelist").
			Helped("By which list the customer buys; prices of lines that are there already stay."),
		s.NewMany2one("fiscal_position_id", "Fiscal Position", "account.fiscal.position").
			Helped("Which taxes stand in for those of the products, by where the goods go."),
		s.NewMany2one("payment_term_id", "Payment Terms", "account.payment.term"),
		s.NewMany2one("currency_id", "Currency", "res.currency").RO().NoCopy().OnDeleteDo(s.Restrict).
			Helped("The price list's, else the company's, unless another is given. Prices are not converted."),
		s.NewMonetary("amount_untaxed", "Untaxed Amount", "currency_id").ComputedStored(),
		s.NewMonetary("amount_tax", "Taxes", "currency_id").ComputedStored(),
		s.NewMonetary("amount_total", "Total", "currency_id").ComputedStored(),
		s.NewSelection("invoice_status", "Invoice Status", invoiceStates...).ComputedStored(),
	}
}

// orderDelivery are how an order gets to the customer.
func orderDelivery() []*s.Field {
	return []*s.Field{
		s.NewMany2one("warehouse_id", "Warehouse", "stock.warehouse"),
		s.NewSelection("picking_policy", "Shipping Policy",
			"direct", "As soon as possible", "one", "When all products are ready").Req().Def("direct").
			Helped("Whether to deliver each product when it is there, or all of them at once."),
		s.NewOne2many("picking_ids", "Transfers", "stock.picking", "sale_id"),
		s.NewInteger("delivery_count", "Delivery Orders").
			ComputedSQL("(select count(*) from stock_picking p where p.sale_id = {t}.id)"),
		s.NewSelection("delivery_status", "Delivery Status", "pending", "Not Delivered", "started", "Started",
			"partial", "Partially Delivered", "full", "Fully Delivered").ComputedStored(),
		s.NewDatetime("effective_date", "Effective Date").ComputedStored().
			Helped("When the first delivery was done."),
	}
}

func orderLineModel() *s.Model {
	return &s.Model{
		Name: "sale.order.line", Label: "Sales Order Line", Order: "order_id, sequence, id", RecName: "name",
		RecNames:  []string{"name", "order_id.name"},
		NameParts: []s.NamePart{{Path: "order_id.name", After: " - "}, {Path: "name"}},
		Fields:    append(append(lineHeader(), linePrices()...), lineDelivery()...),
		Checks: []s.Check{{
			Name: "non_accountable_null_fields",
			SQL: "display_type is null or (product_id is null and price_unit = 0 and product_uom_qty = 0" +
				" and product_uom_id is null and customer_lead = 0)",
			Message: "Forbidden values on non-accountable sale order line",
		}},
	}
}

// lineHeader are what a line sells, and copies of what its order says.
func lineHeader() []*s.Field {
	return []*s.Field{
		s.NewMany2one("order_id", "Order Reference", "sale.order").Req().NoCopy().Index().OnDeleteDo(s.Cascade),
		s.NewInteger("sequence", "Sequence").Def(int64(10)).AggregatedBy("none"),
		s.NewMany2one("company_id", "Company", "res.company").RelatedTo("order_id", "company_id").Stored().Index(),
		s.NewMany2one("currency_id", "Currency", "res.currency").RelatedTo("order_id", "currency_id").Stored(),
		s.NewMany2one("order_partner_id", "Customer", "res.partner").RelatedTo("order_id", "partner_id").Stored().Index(),
		s.NewMany2one("salesman_id", "Salesperson", "res.users").RelatedTo("order_id", "user_id").Stored(),
		s.NewSelection("state", "Order Status", orderStates...).RelatedTo("order_id", "state").Stored(),
		s.NewSelection("display_type", "Display Type",
			"line_section", "Section", "line_subsection", "Subsection", "line_note", "Note"),
		s.NewBoolean("is_downpayment", "Is a down payment").Def(false),
		s.NewMany2one("product_id", "Product", "product.product").Index().OnDeleteDo(s.Restrict),
		s.NewMany2one("product_template_id", "Product Template", "product.template").
			RelatedTo("product_id", "product_tmpl_id"),
		s.NewText("name", "Description").Req(),
	}
}

// linePrices are what a line costs.
func linePrices() []*s.Field {
	taxes := s.NewMany2many("tax_ids", "Taxes", "account.tax",
		"account_tax_sale_order_line_rel", "sale_order_line_id", "account_tax_id")
	taxes.KeepArchived = true
	return []*s.Field{
		s.NewFloat("product_uom_qty", "Quantity", 2).Req().Def(1.0),
		s.NewMany2one("product_uom_id", "Unit", "uom.uom").OnDeleteDo(s.Restrict),
		taxes,
		s.NewFloat("price_unit", "Unit Price", -1).Req(),
		s.NewFloat("technical_price_unit", "Technical Price Unit", -1).
			Helped("The product's price when it was looked up; a unit price that differs was set by hand and is kept."),
		s.NewFloat("discount", "Discount (%)", 2).Def(0.0),
		s.NewMonetary("price_subtotal", "Subtotal", "currency_id").ComputedStored(),
		s.NewFloat("price_tax", "Total Tax", -1).ComputedStored(),
		s.NewMonetary("price_total", "Total", "currency_id").ComputedStored(),
		s.NewMonetary("price_reduce_taxexcl", "Price Reduce Tax excl", "currency_id").ComputedStored(),
		s.NewMonetary("price_reduce_taxinc", "Price Reduce Tax incl", "currency_id").ComputedStored(),
	}
}

// lineDelivery are what of a line has been delivered and invoiced.
func lineDelivery() []*s.Field {
	return []*s.Field{
		s.NewFloat("customer_lead", "Lead Time", -1).Req().Def(0.0).
			Helped("Days from the confirmation to the shipping."),
		s.NewSelection("qty_delivered_method", "Method to update delivered qty",
			"manual", "Manual", "stock_move", "Stock Moves").ComputedStored(),
		s.NewFloat("qty_delivered", "Delivery Quantity", 2).NoCopy().Def(0.0).
			Helped("Set by the deliveries of goods; by hand for services."),
		s.NewFloat("qty_invoiced", "Invoiced Quantity", 2).RO().NoCopy().Def(0.0),
		s.NewFloat("qty_to_invoice", "Quantity To Invoice", 2).ComputedStored(),
		s.NewSelection("invoice_status", "Invoice Status", invoiceStates...).ComputedStored(),
		s.NewOne2many("move_ids", "Stock Moves", "stock.move", "sale_line_id"),
		s.NewMany2one("warehouse_id", "Warehouse", "stock.warehouse").RelatedTo("order_id", "warehouse_id").Stored(),
	}
}
