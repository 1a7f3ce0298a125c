package business

import (
	"testing"

	"gatehouse/internal/fault"
)

func TestPricelists(t *testing.T) {
	stories(t, map[string]func(s *shop){
		"01 what there is from the start": func(s *shop) {
			s.admin.sees("Default (USD) | My Company | USD", "product.pricelist", 1, "display_name", "company_id", "currency_id")
			for model, want := range map[string]int{"product.pricelist": 1, "account.payment.term": 11, "res.partner.industry": 21} {
				if got := s.admin.count(model, "[]"); got != want {
					s.Errorf("%d records of %s, want %d", got, model, want)
				}
			}
			s.sudo(Seed)
			if got := s.admin.count("account.payment.term", "[]"); got != 11 {
				s.Errorf("a second start leaves %d payment terms", got)
			}
		},
		"02 the list of the customer": func(s *shop) {
			euro := s.admin.create("product.pricelist", vals{"name": "Less", "currency_id": s.ref("base.EUR"), "item_ids": []any{
				line(vals{"compute_price": "percentage", "percent_price": 10}),
			}})
			item := s.admin.find("product.pricelist.item", leaf("pricelist_id", "=", euro))[0]
			s.admin.sees("3_global | My Company | EUR", "product.pricelist.item", item, "applied_on", "company_id", "currency_id")
			o := s.order(vals{"product_id": s.chair})
			s.admin.sees("Default (USD) | USD", "sale.order", o, "pricelist_id", "currency_id")
			s.admin.write("sale.order", o, vals{"pricelist_id": euro})
			s.admin.sees("Less (EUR) | EUR", "sale.order", o, "pricelist_id", "currency_id")
			s.admin.sees("7.35", "sale.order.line", s.lines(o)[0], "price_unit")
			s.admin.write("res.partner", s.customer, vals{"specific_property_product_pricelist": euro})
			own := s.order(vals{"product_id": s.nut, "tax_ids": []any{}})
			s.admin.sees("Less (EUR) | EUR", "sale.order", own, "pricelist_id", "currency_id")
			s.admin.sees("29.999699999999997", "sale.order.line", s.lines(own)[0], "price_unit")
			s.admin.call("sale.order", "action_confirm", own)
			s.admin.refusedWrite(fault.Unprocessable, "cannot change the pricelist", "sale.order", own, vals{"pricelist_id": 1})
			s.admin.write("product.pricelist", euro, vals{"active": false})
			s.admin.sees("Default (USD)", "sale.order", s.order(), "pricelist_id")
		},
		"03 rules": func(s *shop) {
			lamp := s.admin.find("product.template", leaf("product_variant_ids", "=", s.lamp))[0]
			list := s.admin.create("product.pricelist", vals{"name": "Rules", "item_ids": []any{
				line(vals{"compute_price": "percentage", "percent_price": 50}),
				line(vals{"product_tmpl_id": lamp, "fixed_price": 30}),
				line(vals{"product_tmpl_id": lamp, "fixed_price": 20, "min_quantity": 10}),
				line(vals{"product_tmpl_id": lamp, "fixed_price": 1, "date_end": "2001-01-01 00:00:00"}),
				line(vals{"product_id": s.hour, "compute_price": "formula", "price_discount": 7, "price_round": 5, "price_surcharge": 0.5}),
			}})
			o := s.admin.create("sale.order", vals{"partner_id": s.customer, "pricelist_id": list, "order_line": []any{
				line(vals{"product_id": s.lamp}), line(vals{"product_id": s.hour}), line(vals{"product_id": s.widget}),
				line(vals{"product_id": s.lamp, "product_uom_id": s.ref("uom.product_uom_dozen")}),
			}})
			lines := s.lines(o)
			for i, want := range []string{"30", "75.5", "49.995", "240"} {
				s.admin.sees(want, "sale.order.line", lines[i], "price_unit")
			}
			s.admin.write("sale.order.line", lines[0], vals{"product_uom_qty": 10})
			s.admin.sees("20", "sale.order.line", lines[0], "price_unit")
			s.admin.refusedCreate(fault.Unprocessable, "specify the category", "product.pricelist.item",
				vals{"pricelist_id": list, "applied_on": "2_product_category"})
			s.admin.refusedCreate(fault.Unprocessable, "Main Pricelist", "product.pricelist.item",
				vals{"pricelist_id": list, "base": "pricelist", "base_pricelist_id": list, "compute_price": "formula"})
		},
		"04 payment terms": func(s *shop) {
			days := s.ref("account.account_payment_term_15days")
			s.admin.write("res.partner", s.customer, vals{"property_payment_term_id": days})
			s.admin.sees("15 Days", "sale.order", s.order(), "payment_term_id")
			kid := s.admin.create("res.partner", vals{"name": "Kid", "parent_id": s.customer})
			s.admin.sees("15 Days", "res.partner", kid, "property_payment_term_id")
			half := vals{"value": "percent", "value_amount": 50.0}
			s.admin.refusedCreate(fault.Unprocessable, "sum of the percent", "account.payment.term", vals{"name": "Half", "line_ids": []any{line(half)}})
			plain := s.admin.create("account.payment.term", vals{"name": "Plain"})
			s.admin.sees("true | true", "account.payment.term", plain, "active", "display_on_invoice")
			if got := s.admin.count("account.payment.term.line", `[("payment_id", "=", `+printID(plain)+`), ("value_amount", "=", 100)]`); got != 1 {
				s.Errorf("new terms have %d lines, want 1", got)
			}
		},
		"05 another company": func(s *shop) {
			days := s.ref("account.account_payment_term_30days")
			second := s.admin.create("res.company", vals{"name": "Second", "currency_id": s.ref("base.EUR")})
			there := s.as("admin").in(second, 1)
			there.write("res.partner", s.customer, vals{"property_payment_term_id": days})
			o := there.create("sale.order", vals{"partner_id": s.customer, "company_id": second})
			there.sees("Default (EUR) | EUR | 30 Days", "sale.order", o, "pricelist_id", "currency_id", "payment_term_id")
			there.write("res.company", second, vals{"currency_id": s.ref("base.USD")})
			o = there.create("sale.order", vals{"partner_id": s.customer, "company_id": second})
			there.sees("Default (USD) | USD", "sale.order", o, "pricelist_id", "currency_id")
		},
	})
}

func TestFiscalPositions(t *testing.T) {
	stories(t, map[string]func(s *shop){
		"01 by country": func(s *shop) {
			export := s.admin.create("account.tax", vals{"name": "Export", "amount": 0.0, "original_tax_ids": []any{s.tax5, s.tax20}})
			at := func(values vals) int64 { return s.admin.create("account.fiscal.position", values) }
			home := at(vals{"name": "Home", "auto_apply": true, "country_id": s.ref("base.be"), "sequence": 5, "tax_ids": []any{s.tax5}})
			at(vals{"name": "Abroad", "auto_apply": true, "tax_ids": []any{export}, "sequence": 1})
			none := at(vals{"name": "No taxes"})
			goods := func(position string, taxes string, price string, product int64) {
				s.Helper()
				o := s.order(vals{"product_id": product})
				s.admin.sees(position, "sale.order", o, "fiscal_position_id")
				s.admin.sees(taxes+" | "+price, "sale.order.line", s.lines(o)[0], "tax_ids", "price_unit")
			}
			ids := func(id int64) string { return "[" + printID(id) + "]" }
			goods("", ids(s.tax5), "99.99", s.widget)
			s.admin.write("res.partner", s.customer, vals{"country_id": s.ref("base.jp")})
			goods("Abroad", ids(export), "99.99", s.widget)
			goods("Abroad", ids(s.tax0), "7.35", s.chair)
			s.admin.write("product.product", s.nut, vals{"list_price": 12})
			goods("Abroad", ids(export), "10", s.nut) // 12 with 20 % in it
			s.admin.write("res.partner", s.customer, vals{"country_id": s.ref("base.be")})
			goods("Home", ids(s.tax5), "99.99", s.widget)
			s.admin.write("account.fiscal.position", home, vals{"vat_required": true})
			goods("Abroad", ids(export), "99.99", s.widget)
			s.admin.write("res.partner", s.customer, vals{"property_account_position_id": none})
			s.admin.sees("No taxes | 0", "sale.order", s.order(vals{"product_id": s.widget}), "fiscal_position_id", "amount_tax")
		},
	})
}
