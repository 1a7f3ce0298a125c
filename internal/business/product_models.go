package business

import s "gatehouse/internal/schema"

// priceScale keeps prices as Odoo does: exact as written, not cut to the two
// digits that are shown.
const priceScale = 6

// productModels are the catalogue. A template describes a product; a variant
// (product.product) is what is sold and stocked. Without attributes, which we
// do not have, a template has one variant.
func productModels() []*s.Model {
	template := templateModel()
	return []*s.Model{categoryModel(), template, inherit(variantModel(), template, "product_tmpl_id")}
}

func categoryModel() *s.Model {
	return &s.Model{
		Name: "product.category", Label: "Product Category", Order: "complete_name", RecName: "complete_name",
		Fields: []*s.Field{
			s.NewChar("name", "Name").Req().Index(),
			s.NewChar("complete_name", "Complete Name").ComputedStored(),
			s.NewMany2one("parent_id", "Parent Category", "product.category").Index().OnDeleteDo(s.Cascade),
			s.NewChar("parent_path", "Parent Path").Index(),
			s.NewOne2many("child_id", "Child Categories", "product.category", "parent_id"),
			s.NewPropertiesDefinition("product_properties_definition", "Product Properties"),
			s.NewInteger("product_count", "# Products").
				ComputedSQL(`(select count(*) from product_template p join product_category c on c.id = p.categ_id
					where c.parent_path like {t}.parent_path || '%' and p.active)`).
				Helped("The number of products under this category (Does not consider the children categories)"),
		},
	}
}

// productName shows the code in front: "[CODE] Name".
var productName = []s.NamePart{{Before: "[", Path: "default_code", After: "] "}, {Path: "name"}}

func templateModel() *s.Model {
	return &s.Model{
		Name: "product.template", Label: "Product", Order: "is_favorite desc, name", RecName: "name",
		RecNames: []string{"name", "default_code", "barcode"}, NameParts: productName,
		Fields: append(append(templateCore(), templateSales()...), templateVariant()...),
	}
}

// templateCore are the fields that say what a product is.
func templateCore() []*s.Field {
	return []*s.Field{
		s.NewChar("name", "Name").Req().Translated().Index(),
		s.NewInteger("sequence", "Sequence").Def(int64(1)).
			Helped("Gives the sequence order when displaying a product list"),
		s.NewBoolean("active", "Active").Def(true).
			Helped("If unchecked, it will allow you to hide the product without removing it."),
		s.NewSelection("type", "Product Type", "consu", "Goods", "service", "Service", "combo", "Combo").
			Req().Def("consu").
			Helped("Goods are tangible materials and merchandise you provide.\nA service is a non-material product you provide."),
		s.NewBoolean("is_storable", "Track Inventory").Def(false).
			Helped("A storable product is a product for which you manage stock."),
		s.NewMany2one("categ_id", "Product Category", "product.category").Index(),
		s.NewMany2one("uom_id", "Unit", "uom.uom").Req().
			Helped("Default unit of measure used for all stock operations."),
		s.NewChar("uom_name", "Unit Name").Translated().RelatedTo("uom_id", "name"),
		s.NewMany2one("company_id", "Company", "res.company").Index(),
		s.NewMany2one("currency_id", "Currency", "res.currency").ComputedSQL(templateCurrency),
		s.NewHTML("description", "Description").Translated(),
		s.NewInteger("color", "Color Index"),
		s.NewProperties("product_properties", "Properties", "categ_id.product_properties_definition"),
		s.NewBoolean("is_favorite", "Favorite"),
		s.NewSelection("tracking", "Tracking", "serial", "By Unique Serial Number", "lot", "By Lots",
			"none", "By Quantity").Req().Def("none").
			Helped("Ensure the traceability of a storable product in your warehouse."),
	}
}

// templateSales are the fields that say how a product is bought and sold.
func templateSales() []*s.Field {
	return []*s.Field{
		s.NewFloat("list_price", "Sales Price", priceScale).Def(1.0).
			Helped("Price at which the product is sold to customers."),
		s.NewBoolean("sale_ok", "Sales").Def(true),
		s.NewBoolean("purchase_ok", "Purchase").Def(true),
		s.NewMany2many("taxes_id", "Sales Taxes", "account.tax", "product_taxes_rel", "prod_id", "tax_id").
			Within("[('type_tax_use', '=', 'sale')]").
			Helped("Default taxes used when selling the product"),
		s.NewMany2many("supplier_taxes_id", "Purchase Taxes", "account.tax",
			"product_supplier_taxes_rel", "prod_id", "tax_id").
			Within("[('type_tax_use', '=', 'purchase')]").
			Helped("Default taxes used when buying the product"),
		s.NewSelection("invoice_policy", "Invoicing Policy", "order", "Ordered quantities",
			"delivery", "Delivered quantities").Def("order").
			Helped("Ordered Quantity: Invoice quantities ordered by the customer.\nDelivered Quantity: Invoice quantities delivered to the customer."),
		s.NewText("description_sale", "Sales Description").Translated().
			Helped("A description of the Product that you want to communicate to your customers. This description will be copied to every Sales Order, Delivery Order and Customer Invoice/Credit Note"),
		s.NewText("description_purchase", "Purchase Description").Translated(),
		s.NewText("sale_line_warn_msg", "Sales Order Line Warning"),
		s.NewInteger("sale_delay", "Customer Lead Time").Def(int64(0)).
			Helped("Delivery lead time, in days. It's the number of days, promised to the customer, between the confirmation of the sales order and the delivery."),
	}
}

// templateVariant are the fields that belong to the variant and are shown on
// the template too. product_variant_id has a column here, which it lacks in
// Odoo, so that they can be searched, ordered and written like any other.
func templateVariant() []*s.Field {
	return []*s.Field{
		s.NewOne2many("product_variant_ids", "Products", "product.product", "product_tmpl_id"),
		s.NewMany2one("product_variant_id", "Product", "product.product").RO().NoCopy().Index(),
		s.NewInteger("product_variant_count", "# Product Variants").
			ComputedSQL("(select count(*) from product_product p where p.product_tmpl_id = {t}.id and p.active)"),
		s.NewChar("default_code", "Internal Reference").NoCopy().Index(),
		s.NewChar("barcode", "Barcode").RelatedTo("product_variant_id", "barcode").
			Helped("International Article Number used for product identification."),
		s.NewFloat("standard_price", "Cost", -1).RelatedTo("product_variant_id", "standard_price").For(groupUser).
			Helped("Value of the product (automatically computed in AVCO).\nUsed to value the product when the purchase cost is not known (e.g. inventory adjustment)."),
		s.NewFloat("weight", "Weight", 2).NoCopy(),
		s.NewFloat("volume", "Volume", 2).NoCopy(),
		s.NewFloat("qty_available", "Quantity On Hand", 2).ComputedSQL(stockOf("p.product_tmpl_id = {t}.id")),
	}
}

func variantModel() *s.Model {
	link := s.NewMany2one("product_tmpl_id", "Product Template", "product.template").
		Req().Index().OnDeleteDo(s.Cascade)
	link.NoRules = true
	return &s.Model{
		Name: "product.product", Label: "Product Variant", Order: "default_code, name, id", RecName: "name",
		RecNames: []string{"name", "default_code", "barcode"}, NameParts: productName,
		Fields: []*s.Field{
			link,
			s.NewChar("default_code", "Internal Reference").Index(),
			s.NewChar("barcode", "Barcode").NoCopy().Index().
				Helped("International Article Number used for product identification."),
			s.NewBoolean("active", "Active").Def(true).
				Helped("If unchecked, it will allow you to hide the product without removing it."),
			s.NewFloat("lst_price", "Sales\u00a0Price", priceScale).RelatedTo("product_tmpl_id", "list_price").
				Helped("The sale price is managed from the product template."),
			s.NewFloat("standard_price", "Cost", -1).PerCompany().NoCopy().For(groupUser).
				Helped("Value of the product (automatically computed in AVCO).\nUsed to value the product when the purchase cost is not known (e.g. inventory adjustment)."),
			s.NewFloat("weight", "Weight", 2),
			s.NewFloat("volume", "Volume", 2),
			s.NewFloat("qty_available", "Quantity On Hand", 2).ComputedSQL(stockOf("p.id = {t}.id")),
		},
	}
}

// templateCurrency is the currency of a template's company, else of the main
// company.
const templateCurrency = `coalesce((select c.currency_id from res_company c where c.id = {t}.company_id),
	(select c.currency_id from res_company c order by c.id limit 1))`

// stockOf is what the internal locations of the active companies hold of the
// variants p that the condition picks.
func stockOf(condition string) string {
	return `coalesce((select sum(q.quantity) from stock_quant q
		join product_product p on p.id = q.product_id
		join stock_location l on l.id = q.location_id
		where ` + condition + ` and l.usage = 'internal'
		and (l.company_id is null or l.company_id in {companies})), 0)`
}
