package business

import s "gatehouse/internal/schema"

// taxModels are taxes and their groups.
func taxModels() []*s.Model {
	return []*s.Model{taxModel(), taxGroupModel()}
}

func taxModel() *s.Model {
	sequence := s.NewInteger("sequence", "Sequence").Req().Def(int64(1)).
		Helped("Taxes of a line are applied in this order.")
	sequence.Aggregator = "none"
	return &s.Model{
		Name: "account.tax", Label: "Tax", Order: "sequence,id",
		RecNames: []string{"name", "description", "invoice_label"},
		Fields: []*s.Field{
			s.NewChar("name", "Tax Name").Req().Translated(),
			s.NewSelection("type_tax_use", "Tax Type", "sale", "Sales", "purchase", "Purchases", "none", "None").
				Req().Def("sale"),
			s.NewSelection("tax_scope", "Tax Scope", "service", "Services", "consu", "Goods"),
			s.NewSelection("amount_type", "Tax Computation", "group", "Group of Taxes", "fixed", "Fixed",
				"percent", "Percentage", "division", "Percentage Tax Included").Req().Def("percent").
				Helped("Percentage: of the price. Fixed: money per unit. Percentage Tax Included: of the price with this tax in it. Group: the taxes below it."),
			s.NewBoolean("active", "Active").Def(true),
			s.NewMany2one("company_id", "Company", "res.company").Req().RO(),
			s.NewMany2many("children_tax_ids", "Children Taxes", "account.tax",
				"account_tax_filiation_rel", "parent_tax", "child_tax"),
			sequence,
			s.NewFloat("amount", "Amount", 4).Req().Def(0.0),
			s.NewHTML("description", "Description").Translated(),
			s.NewChar("invoice_label", "Label on Invoices").Translated(),
			s.NewSelection("price_include_override", "Included in Price",
				"tax_included", "Tax Included", "tax_excluded", "Tax Excluded").
				Helped("Whether prices have this tax in them; where not set, the company decides."),
			s.NewBoolean("price_include", "Price Include").ComputedSQL(taxIncluded),
			s.NewBoolean("include_base_amount", "Affect Base of Subsequent Taxes").Def(false),
			s.NewBoolean("is_base_affected", "Base Affected by Previous Taxes").Def(true),
			s.NewBoolean("analytic", "Include in Analytic Cost"),
			s.NewMany2many("fiscal_position_ids", "Fiscal Position", "account.fiscal.position",
				"account_fiscal_position_account_tax_rel", "account_tax_id", "account_fiscal_position_id"),
			s.NewMany2many("original_tax_ids", "Replaces", "account.tax", "account_tax_alternatives", "dest_tax_id", "src_tax_id").
				Helped("Which taxes this one stands in for, in its fiscal positions."),
			s.NewMany2many("replacing_tax_ids", "Replaced by", "account.tax", "account_tax_alternatives", "src_tax_id", "dest_tax_id"),
			s.NewMany2one("tax_group_id", "Tax Group", "account.tax.group").Req(),
			s.NewMany2one("country_id", "Country", "res.country").OnDeleteDo(s.Restrict),
		},
		Checks: []s.Check{{
			Name:    "division_below_100",
			SQL:     "amount_type <> 'division' or amount < 100",
			Message: "A tax that is part of the price must be less than 100 percent.",
		}},
	}
}

// taxIncluded says whether a tax is in the prices: its own word, else the company's.
const taxIncluded = `(coalesce({t}.price_include_override,
	(select c.account_price_include from res_company c where c.id = {t}.company_id)) = 'tax_included')`

func taxGroupModel() *s.Model {
	return &s.Model{
		Name: "account.tax.group", Label: "Tax Group", Order: "sequence asc, id",
		Fields: []*s.Field{
			s.NewChar("name", "Name").Req().Translated(),
			s.NewInteger("sequence", "Sequence").Def(int64(10)).AggregatedBy("none"),
			s.NewMany2one("company_id", "Company", "res.company").Req(),
			s.NewMany2one("country_id", "Country", "res.country"),
			s.NewChar("preceding_subtotal", "Preceding Subtotal").Translated(),
		},
	}
}
