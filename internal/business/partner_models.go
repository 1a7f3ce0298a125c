package business

import s "gatehouse/internal/schema"

// The types of addresses, with their labels.
var addressTypes = []string{
	"contact", "Contact", "invoice", "Invoice", "delivery", "Delivery", "other", "Other",
}

// partnerModels are contacts, their tags and the users.
func partnerModels() []*s.Model {
	partner := partnerModel()
	return append([]*s.Model{partner, partnerTagModel(), industryModel()}, userModels(partner)...)
}

func partnerModel() *s.Model {
	return &s.Model{
		Name: "res.partner", Label: "Contact", Order: "complete_name ASC, id DESC", RecName: "name",
		RecNames:  []string{"complete_name", "email", "ref", "vat", "company_registry"},
		NameParts: []s.NamePart{{Path: "complete_name"}},
		Fields: append(append(partnerIdentity(), partnerAddress()...),
			partnerBusiness()...),
		Checks: []s.Check{{
			Name: "check_name", SQL: "(type = 'contact' and name is not null) or type <> 'contact'",
			Message: "Contacts require a name", Requires: "name",
		}},
	}
}

// partnerIdentity are the fields that say who a contact is.
func partnerIdentity() []*s.Field {
	children := s.NewOne2many("child_ids", "Contact", "res.partner", "parent_id").
		Within("[('active', '=', True)]")
	children.KeepArchived = true
	return []*s.Field{
		s.NewChar("name", "Name").Index(),
		s.NewChar("complete_name", "Complete Name").ComputedStored().Index(),
		s.NewBoolean("active", "Active").Def(true),
		s.NewSelection("company_type", "Company Type", "person", "Person", "company", "Company").
			ComputedStored(), // has a column here, so that it can be written too
		s.NewBoolean("is_company", "Is a Company").Def(false).
			Helped("Check if the contact is a company, otherwise it is a person"),
		s.NewSelection("type", "Address Type", addressTypes...).Def("contact"),
		s.NewMany2one("parent_id", "Related Company", "res.partner").Index(),
		s.NewChar("parent_name", "Parent name").RelatedTo("parent_id", "name"),
		children,
		s.NewMany2one("commercial_partner_id", "Commercial Entity", "res.partner").ComputedStored().Index(),
		s.NewChar("commercial_company_name", "Company Name Entity").ComputedStored(),
		s.NewChar("company_name", "Company Name"),
		s.NewChar("company_registry", "Company ID").Index().
			Helped("The registry number of the company. Use it if it is different from the Tax ID. It must be unique across all partners of a same country"),
		s.NewChar("vat", "Tax ID").Index().
			Helped("The Tax Identification Number. Values here will be validated based on the country format. You can use '/' to indicate that the partner is not subject to tax."),
		s.NewChar("ref", "Reference").Index(),
		s.NewChar("function", "Job Position"),
		s.NewBoolean("employee", "Employee").Helped("Check this box if this contact is an Employee."),
		s.NewMany2many("category_id", "Tags", "res.partner.category",
			"res_partner_res_partner_category_rel", "partner_id", "category_id"),
		s.NewSelection("lang", "Language").
			Helped("All the emails and documents sent to this contact will be translated in this language."),
		s.NewSelection("tz", "Timezone"),
		s.NewMany2one("industry_id", "Industry", "res.partner.industry"),
		s.NewChar("signup_type", "Signup Token Type").NoCopy().For("base.group_erp_manager"),
		s.NewOne2many("user_ids", "Users", "res.users", "partner_id").BypassRules(),
		s.NewBoolean("partner_share", "Share Partner").RO().NoCopy().Def(true).
			Helped("Either customer (not a user), either shared user. Indicated the current partner is a customer without access or with a limited access created for sharing data."),
		s.NewInteger("color", "Color Index").Def(int64(0)),
		s.NewHTML("comment", "Notes"),
	}
}

// partnerAddress are the fields that say where a contact is reached.
func partnerAddress() []*s.Field {
	return []*s.Field{
		s.NewChar("email", "Email"),
		s.NewChar("email_normalized", "Normalized Email").ComputedStored().Index().
			Helped("This field is used to search on email address as the primary email field can contain more than strictly an email address."),
		s.NewChar("phone", "Phone"),
		s.NewChar("website", "Website Link"),
		s.NewChar("street", "Street"),
		s.NewChar("street2", "Street2"),
		s.NewChar("zip", "Zip"),
		s.NewChar("city", "City"),
		s.NewMany2one("state_id", "State", "res.country.state").OnDeleteDo(s.Restrict),
		s.NewMany2one("country_id", "Country", "res.country").OnDeleteDo(s.Restrict),
		s.NewChar("country_code", "Country Code").MaxSize(2).RelatedTo("country_id", "code"),
	}
}

// partnerBusiness are the fields that say how we deal with a contact.
func partnerBusiness() []*s.Field {
	return []*s.Field{
		s.NewMany2one("company_id", "Company", "res.company").Index(),
		s.NewOne2many("ref_company_ids", "Companies that refers to partner", "res.company", "partner_id"),
		s.NewMany2one("user_id", "Salesperson", "res.users").
			Helped("The internal user in charge of this contact."),
		s.NewChar("barcode", "Barcode").PerCompany().NoCopy().
			Helped("Use a barcode to identify this contact."),
		s.NewFloat("credit_limit", "Credit Limit", -1).PerCompany().NoCopy().For(groupInvoice, groupReader).
			Helped("Credit limit specific to this partner."),
		s.NewMany2one("property_account_position_id", "Fiscal Position", "account.fiscal.position").
			PerCompany().NoCopy().Helped("Set by hand, whatever the address of this contact says."),
		s.NewMany2one("specific_property_product_pricelist", "Specific Property Product Pricelist", "product.pricelist").
			PerCompany().NoCopy().Helped("By which list this contact buys; else the first one of the company."),
		s.NewMany2one("property_payment_term_id", "Customer Payment Terms", "account.payment.term").
			PerCompany().NoCopy().OnDeleteDo(s.Restrict).
			Helped("When this contact has to pay what he buys."),
		s.NewMany2one("property_supplier_payment_term_id", "Vendor Payment Terms", "account.payment.term").
			PerCompany().NoCopy().Helped("When this contact is paid what is bought from him."),
		s.NewInteger("customer_rank", "Customer Rank").NoCopy().Def(int64(0)),
		s.NewInteger("supplier_rank", "Supplier Rank").NoCopy().Def(int64(0)),
		s.NewOne2many("sale_order_ids", "Sales Order", "sale.order", "partner_id"),
	}
}

// tagName is the chain of names from the topmost tag, to four levels.
var tagName = []s.NamePart{
	{Path: "parent_id.parent_id.parent_id.name", After: " / "},
	{Path: "parent_id.parent_id.name", After: " / "},
	{Path: "parent_id.name", After: " / "},
	{Path: "name"},
}

func industryModel() *s.Model {
	return &s.Model{
		Name: "res.partner.industry", Label: "Industry", Order: "name, id",
		Fields: []*s.Field{
			s.NewChar("name", "Name").Translated(),
			s.NewChar("full_name", "Full Name").Translated(),
			s.NewBoolean("active", "Active").Def(true),
		},
	}
}

func partnerTagModel() *s.Model {
	return &s.Model{
		Name: "res.partner.category", Label: "Partner Tags", Order: "name, id",
		NameParts: tagName,
		Fields: []*s.Field{
			s.NewChar("name", "Name").Req().Translated(),
			s.NewInteger("color", "Color").AggregatedBy("none"),
			s.NewMany2one("parent_id", "Category", "res.partner.category").Index().OnDeleteDo(s.Cascade),
			s.NewOne2many("child_ids", "Child Tags", "res.partner.category", "parent_id"),
			s.NewBoolean("active", "Active").Def(true).
				Helped("The active field allows you to hide the category without removing it."),
			s.NewChar("parent_path", "Parent Path").Index(),
			s.NewMany2many("partner_ids", "Partners", "res.partner",
				"res_partner_res_partner_category_rel", "category_id", "partner_id").NoCopy(),
		},
	}
}
