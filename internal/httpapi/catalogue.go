package httpapi

// StandardResources are the curated resources that come with Gatehouse. This
// is all there is to them: to change what they show or take, change it here.
func StandardResources() []Resource {
	return []Resource{products(), orders(), customers()}
}

func products() Resource {
	return Resource{
		Name: "products", Label: "Product", Model: "product.template",
		Search: []string{"name", "default_code", "barcode"},
		Fields: []ResourceField{
			{Name: "id", OutOnly: true},
			{Name: "name", Required: true},
			{Name: "default_code", Doc: "Internal reference"},
			{Name: "barcode"},
			{Name: "list_price", Doc: "Sales price"},
			{Name: "standard_price", Doc: "Cost"},
			{Name: "categ_id", Doc: "Product category"},
			{Name: "type", Doc: "consu, service, or product: consu that is tracked in stock", Choices: []Choice{
				{Name: "consu", Values: map[string]any{"type": "consu", "is_storable": false}},
				{Name: "service", Values: map[string]any{"type": "service", "is_storable": false}},
				{Name: "product", Values: map[string]any{"type": "consu", "is_storable": true}, Older: map[string]any{"type": "product"}}, // before Odoo 18
			}},
			{Name: "description_sale"},
			{Name: "active"},
			{Name: "qty_available", OutOnly: true, Doc: "Quantity on hand"},
		},
	}
}

func orders() Resource {
	return Resource{
		Name: "orders", Label: "Order", Model: "sale.order",
		Search: []string{"name", "partner_id"},
		Actions: []ResourceAction{
			{Name: "confirm", Method: "action_confirm", Past: "confirmed"},
			{Name: "cancel", Method: "action_cancel", Past: "cancelled"},
		},
		Fields: []ResourceField{
			{Name: "id", OutOnly: true},
			{Name: "name", OutOnly: true},
			{Name: "partner_id", Required: true, Check: Exists, Doc: "Customer"},
			{Name: "date_order", OutOnly: true},
			{Name: "state", OutOnly: true},
			{Name: "amount_untaxed", OutOnly: true},
			{Name: "amount_tax", OutOnly: true},
			{Name: "amount_total", OutOnly: true},
			{Name: "currency_id", OutOnly: true},
			{Name: "warehouse_id"},
			{Name: "notes", Field: "note"},
			{Name: "order_lines", Field: "order_line", Required: true, Lines: []ResourceField{
				{Name: "id", OutOnly: true},
				{Name: "product_id", Required: true, Check: Exists, Doc: "Product variant (product.product)"},
				{Name: "name", OutOnly: true},
				{Name: "qty", Field: "product_uom_qty", OutOnly: true},
				{Name: "product_qty", Field: "product_uom_qty", Also: []string{"qty"}, InOnly: true, Default: 1, Check: Positive},
				{Name: "price_unit", Doc: "Default: the product's price"},
				{Name: "tax", Field: "price_tax", OutOnly: true},
				{Name: "subtotal", Field: "price_subtotal", OutOnly: true},
				{Name: "total", Field: "price_total", OutOnly: true},
			}},
		},
	}
}

func customers() Resource {
	return Resource{
		Name: "customers", Label: "Customer", Model: "res.partner",
		Search: []string{"name", "email", "phone", "vat"},
		Fields: []ResourceField{
			{Name: "id", OutOnly: true},
			{Name: "name", Required: true},
			{Name: "email", Check: Email},
			{Name: "phone"},
			{Name: "street"},
			{Name: "street2"},
			{Name: "city"},
			{Name: "zip"},
			{Name: "state_id"},
			{Name: "country_id"},
			{Name: "is_company"},
			{Name: "vat", Doc: "Tax ID"},
			{Name: "active"},
		},
	}
}
