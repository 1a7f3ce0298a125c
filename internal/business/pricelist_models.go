package business

import s "gatehouse/internal/schema"

// pricelistModels are price lists and their rules.
func pricelistModels() []*s.Model { return []*s.Model{pricelistModel(), pricelistItemModel()} }

func pricelistModel() *s.Model {
	return &s.Model{
		Name: "product.pricelist", Label: "Pricelist", Order: "sequence, id, name", RecName: "name",
		RecNames:  []string{"name", "currency_id"},
		NameParts: []s.NamePart{{Path: "name"}, {Before: " (", Path: "currency_id.name", After: ")"}},
		Fields: []*s.Field{
			s.NewChar("name", "Pricelist Name").Req().Translated(),
			s.NewBoolean("active", "Active").Def(true).
				Helped("If unchecked, it will allow you to hide the pricelist without removing it."),
			s.NewInteger("sequence", "Sequence").Def(int64(16)).AggregatedBy("none"),
			s.NewMany2one("currency_id", "Currency", "res.currency").Req(),
			s.NewMany2one("company_id", "Company", "res.company"),
			s.NewOne2many("item_ids", "Pricelist Rules", "product.pricelist.item", "pricelist_id").CopyLines(),
		},
	}
}

func pricelistItemModel() *s.Model {
	return &s.Model{
		Name: "product.pricelist.item", Label: "Pricelist Rule", Order: "applied_on, min_quantity desc, categ_id desc, id desc",
		Fields: append(itemSubject(), itemPrice()...),
	}
}

// itemSubject are what a rule is about.
func itemSubject() []*s.Field {
	return []*s.Field{
		s.NewMany2one("pricelist_id", "Pricelist", "product.pricelist").Index().OnDeleteDo(s.Cascade),
		s.NewMany2one("company_id", "Company", "res.company").ComputedStored(),
		s.NewMany2one("currency_id", "Currency", "res.currency").ComputedStored(),
		s.NewDatetime("date_start", "Start Date").Helped("When the rule begins to count."),
		s.NewDatetime("date_end", "End Date").Helped("When the rule ceases to count."),
		s.NewFloat("min_quantity", "Min. Quantity", 2).Def(0.0).
			Helped("The rule counts for at least this quantity, in the product's own unit."),
		s.NewSelection("applied_on", "Apply On", "3_global", "All Products", "2_product_category", "Product Category",
			"1_product", "Product", "0_product_variant", "Product Variant").Req().
			Helped("What the rule is for; where not given, that follows from what else is."),
		s.NewSelection("display_applied_on", "Display Applied On", "1_product", "Product", "2_product_category", "Category").
			Req().Def("1_product"),
		s.NewMany2one("categ_id", "Category", "product.category").OnDeleteDo(s.Cascade),
		s.NewMany2one("product_tmpl_id", "Product", "product.template").Index().OnDeleteDo(s.Cascade),
		s.NewMany2one("product_id", "Variant", "product.product").Index().OnDeleteDo(s.Cascade),
	}
}

// itemPrice are what a rule makes of a price.
func itemPrice() []*s.Field {
	return []*s.Field{
		s.NewSelection("base", "Based on", "list_price", "Sales Price", "standard_price", "Cost",
			"pricelist", "Other Pricelist").Req().Def("list_price"),
		s.NewMany2one("base_pricelist_id", "Other Pricelist", "product.pricelist"),
		s.NewSelection("compute_price", "Price Type", "percentage", "Discount", "formula", "Formula", "fixed", "Fixed Price").
			Req().Def("fixed").Index(),
		s.NewFloat("fixed_price", "Fixed Price", priceScale),
		s.NewFloat("percent_price", "Percentage Price", -1).
			Helped("How many percent less than the price that the rule is based on."),
		s.NewFloat("price_discount", "Price Discount", 2).Def(0.0),
		s.NewFloat("price_markup", "Markup", 2).Helped("How many percent more than the cost."),
		s.NewFloat("price_round", "Price Rounding", priceScale).Helped("The price becomes a multiple of this."),
		s.NewFloat("price_surcharge", "Extra Fee", priceScale).Helped("What is added after the rounding."),
		s.NewFloat("price_min_margin", "Min. Price Margin", priceScale).Helped("The least that the price is above the one it is based on."),
		s.NewFloat("price_max_margin", "Max. Price Margin", priceScale).Helped("The most that the price is above the one it is based on."),
	}
}
