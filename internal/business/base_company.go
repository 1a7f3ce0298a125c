package business

import s "gatehouse/internal/schema"

// companyModel is a company. Its name and address are those of its partner.
func companyModel() *s.Model {
	return &s.Model{
		Name: "res.company", Label: "Companies", Order: "sequence, name",
		Fields: []*s.Field{
			s.NewChar("name", "Company Name").Req().RelatedTo("partner_id", "name").Stored(),
			s.NewBoolean("active", "Active").Def(true),
			s.NewInteger("sequence", "Sequence").Def(int64(10)).
				Helped("Used to order Companies in the company switcher"),
			s.NewMany2one("parent_id", "Parent Company", "res.company").Index().OnDeleteDo(s.Restrict),
			s.NewOne2many("child_ids", "Branches", "res.company", "parent_id"),
			s.NewChar("parent_path", "Parent Path").Index(),
			s.NewMany2one("partner_id", "Partner", "res.partner").Req().Index(),
			s.NewMany2one("currency_id", "Currency", "res.currency").Req(),
			s.NewMany2many("user_ids", "Accepted Users", "res.users", "res_company_users_rel", "cid", "user_id"),
			s.NewChar("email", "Email").RelatedTo("partner_id", "email").Stored(),
			s.NewChar("phone", "Phone").RelatedTo("partner_id", "phone").Stored(),
			s.NewChar("street", "Street").RelatedTo("partner_id", "street"),
			s.NewChar("street2", "Street2").RelatedTo("partner_id", "street2"),
			s.NewChar("zip", "Zip").RelatedTo("partner_id", "zip"),
			s.NewChar("city", "City").RelatedTo("partner_id", "city"),
			s.NewMany2one("state_id", "Fed. State", "res.country.state").RelatedTo("partner_id", "state_id"),
			s.NewMany2one("country_id", "Country", "res.country").RelatedTo("partner_id", "country_id"),
			s.NewChar("country_code", "Country Code").MaxSize(2).RelatedTo("partner_id", "country_id", "code"),
			s.NewChar("website", "Website Link").RelatedTo("partner_id", "website"),
			s.NewChar("vat", "Tax ID").RelatedTo("partner_id", "vat"),
			s.NewChar("company_registry", "Company ID").RelatedTo("partner_id", "company_registry"),
			s.NewChar("primary_color", "Primary Color"),
			s.NewChar("secondary_color", "Secondary Color"),
			s.NewInteger("quotation_validity_days", "Default Quotation Validity").Def(int64(30)).
				Helped("Days between quotation proposal and expiration. 0 days means automatic expiration is disabled"),
			s.NewMany2one("account_sale_tax_id", "Default Sale Tax", "account.tax"),
			s.NewMany2one("account_purchase_tax_id", "Default Purchase Tax", "account.tax"),
			s.NewSelection("account_price_include", "Default Sales Price Include",
				"tax_included", "Tax Included", "tax_excluded", "Tax Excluded").Req().Def("tax_excluded"),
			s.NewSelection("tax_calculation_rounding_method", "Tax Calculation Rounding Method",
				"round_globally", "Round per Tax", "round_per_line", "Round per Line").Def("round_globally"),
		},
		Uniques: []s.Unique{{
			Name: "name_uniq", Columns: []string{"name"}, Message: "The company name must be unique!",
		}},
		Checks: []s.Check{{
			Name: "check_quotation_validity_days", SQL: "quotation_validity_days >= 0",
			Message: "You cannot set a negative number for the default quotation validity." +
				" Leave empty (or 0) to disable the automatic expiration of quotations.",
		}},
	}
}
