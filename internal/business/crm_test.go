package business

import (
	"testing"

	"gatehouse/internal/fault"
)

func TestLeads(t *testing.T) {
	stories(t, map[string]func(s *shop){"a pipeline": func(s *shop) {
		acme := s.admin.create("res.partner", vals{"name": "Acme", "is_company": true})
		ann := s.admin.create("res.partner", vals{"name": "Ann", "parent_id": acme, "email": "ann@acme.example", "phone": "12", "city": "Ghent", "country_id": s.ref("base.be")})
		l := s.admin.create("crm.lead", vals{"partner_id": ann, "expected_revenue": 1000, "probability": 33.333})
		s.admin.sees("Ann's opportunity | opportunity | New | Administrator | pending | 333.33 | My Company | USD", "crm.lead", l,
			"name", "type", "stage_id", "user_id", "won_status", "prorated_revenue", "company_id", "company_currency")
		s.admin.sees("ann@acme.example | 12 | Ghent | Belgium | Acme | Ann", "crm.lead", l,
			"email_from", "phone", "city", "country_id", "partner_name", "contact_name")
		s.admin.call("crm.lead", "action_set_won", l)
		s.admin.sees("Won | 100 | won | 1000", "crm.lead", l, "stage_id", "probability", "won_status", "prorated_revenue")

		lead := s.admin.create("crm.lead", vals{"name": "Cold", "type": "lead", "email_from": "x@y.example"})
		s.admin.call("crm.lead", "convert_opportunity", lead)
		s.admin.sees("opportunity | x@y.example", "crm.lead", lead, "type", "email_from")
		s.admin.call("crm.lead", "action_set_lost", lead)
		s.admin.sees("false | 0 | lost", "crm.lead", lead, "active", "probability", "won_status")
		s.admin.call("crm.lead", "action_unarchive", lead)
		s.admin.sees("pending", "crm.lead", lead, "won_status")
		won := s.admin.find("crm.stage", leaf("is_won", "=", true))[0]
		s.admin.write("crm.lead", lead, vals{"stage_id": won})
		s.admin.sees("100 | won", "crm.lead", lead, "probability", "won_status")
		s.admin.refusedWrite(fault.Unprocessable, "between 0% and 100%", "crm.lead", lead, vals{"probability": 101})
		s.admin.refusedUnlink(fault.Unprocessable, "", "crm.stage", won)
		s.admin.refusedCreate(fault.BadRequest, "name", "crm.lead", vals{})
	}})
}

func TestTaxes(t *testing.T) {
	stories(t, map[string]func(s *shop){"made by hand": func(s *shop) {
		id := s.admin.create("account.tax", vals{"name": "Plain", "amount": 7})
		s.admin.sees("sale | percent | My Company | Tax 15% | false | true | false | 1", "account.tax", id,
			"type_tax_use", "amount_type", "company_id", "tax_group_id", "include_base_amount", "is_base_affected", "price_include", "sequence")
		s.admin.sees("true", "account.tax", s.tax20, "price_include")
		fixed := s.admin.create("account.tax", vals{"name": "Eco", "amount_type": "fixed", "amount": 0.5, "sequence": 0, "include_base_amount": true})
		group := s.admin.create("account.tax", vals{"name": "Both", "amount_type": "group", "children_tax_ids": []any{id, fixed}})
		o := s.order(vals{"product_id": s.chair, "price_unit": 10, "product_uom_qty": 2, "tax_ids": []any{group}})
		s.admin.sees("20 | 2.47 | 22.47", "sale.order", o, amounts...)
		s.admin.refusedCreate(fault.Unprocessable, "Nested", "account.tax", vals{"name": "Deep", "amount_type": "group", "children_tax_ids": []any{group}})
		s.admin.refusedCreate(fault.Unprocessable, "less than 100 percent", "account.tax", vals{"name": "All", "amount_type": "division", "amount": 100})
		s.admin.write("res.company", 1, vals{"account_price_include": "tax_included"})
		s.admin.sees("true", "account.tax", id, "price_include")
		o = s.order(vals{"product_id": s.chair, "price_unit": 107, "tax_ids": []any{id}})
		s.admin.sees("100 | 7 | 107", "sale.order", o, amounts...)
	}})
}
