package business

import (
	"fmt"
	"slices"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
)

// stories runs several stories on one database of each kind: making it takes
// longer than any of them.
func stories(t *testing.T, list map[string]func(s *shop)) {
	t.Helper()
	onBoth(t, func(f *fixture) {
		s := newShop(f)
		names := make([]string, 0, len(list))
		for name := range list {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			f.Run(name, func(t *testing.T) {
				own := *s
				own.fixture = &fixture{t, f.engine}
				own.admin = &actor{own.fixture, s.admin.caller}
				list[name](&own)
			})
		}
	})
}

// shop is a database with something to sell.
type shop struct {
	*fixture
	admin                   *actor
	customer                int64
	widget, chair, nut      int64 // product.product: goods that nobody counts
	lamp, hour              int64 // goods in stock, and a service
	tax5, tax0, tax20, unit int64
}

func newShop(f *fixture) *shop {
	s := &shop{fixture: f, admin: f.as("admin"), unit: f.ref("uom.product_uom_unit")}
	tax := func(values vals) int64 { return s.admin.create("account.tax", values) }
	s.tax5 = tax(vals{"name": "Five", "amount": 5.0})
	s.tax0 = tax(vals{"name": "None", "amount": 0.0})
	s.tax20 = tax(vals{"name": "Twenty", "amount": 20.0, "price_include_override": "tax_included"})
	product := func(values vals) int64 { return s.admin.create("product.product", values) }
	s.widget = product(vals{"name": "widget large", "default_code": "P001", "list_price": 99.99, "taxes_id": []int64{s.tax5}})
	s.chair = product(vals{
		"name": "Chaise élégante", "default_code": "P004", "list_price": 7.35, "taxes_id": []int64{s.tax0},
		"description_sale": "Sold as 4",
	})
	s.nut = product(vals{"name": "Nut M8", "list_price": 33.333, "taxes_id": []int64{s.tax20}})
	s.lamp = product(vals{"name": "Lamp", "list_price": 40.0, "is_storable": true, "taxes_id": []int64{s.tax5}})
	s.hour = product(vals{"name": "Consulting", "list_price": 80.0, "type": "service", "taxes_id": []int64{}})
	s.customer = s.admin.create("res.partner", vals{"name": "Stark Ltd", "is_company": true})
	return s
}

// line is a command that adds a line to an order.
func line(values vals) any { return []any{int64(0), int64(0), values} }

func (s *shop) order(values ...vals) int64 {
	s.Helper()
	var lines []any
	for _, v := range values {
		lines = append(lines, line(v))
	}
	return s.admin.create("sale.order", vals{"partner_id": s.customer, "order_line": lines})
}

func (s *shop) lines(order int64) []int64 {
	s.Helper()
	return s.admin.find("sale.order.line", leaf("order_id", "=", order))
}

// run calls a method with arguments.
func (a *actor) run(model, method string, id int64, args vals) any {
	a.f.Helper()
	out, err := a.f.engine.Call(a.f.Context(), a.caller, model, method, []int64{id}, args)
	if err != nil {
		a.f.Fatalf("call %s.%s %d: %s", model, method, id, explain(err))
	}
	return out
}

var amounts = []string{"amount_untaxed", "amount_tax", "amount_total"}

var lineFields = []string{
	"name", "product_uom_qty", "product_uom_id", "price_unit", "discount", "price_subtotal", "price_tax", "price_total",
}

func TestOrders(t *testing.T) {
	stories(t, map[string]func(s *shop){
		"01 an order from little": func(s *shop) {
			o := s.order(vals{"product_id": s.widget, "product_uom_qty": 2}, vals{"product_id": s.chair, "product_uom_qty": 3, "discount": 10})
			s.admin.sees("S00001 | draft | Stark Ltd | Stark Ltd | Stark Ltd | Administrator | My Company | USD | no | false | My Company | Quotation",
				"sale.order", o, "name", "state", "partner_id", "partner_invoice_id", "partner_shipping_id", "user_id",
				"company_id", "currency_id", "invoice_status", "locked", "warehouse_id", "type_name")
			s.admin.sees("219.83 | 10 | 229.83", "sale.order", o, amounts...)
			lines := s.lines(o)
			s.admin.sees("[P001] widget large | 2 | Units | 99.99 | 0 | 199.98 | 10 | 209.98", "sale.order.line", lines[0], lineFields...)
			s.admin.sees("[P004] Chaise élégante\nSold as 4 | 3 | Units | 7.35 | 10 | 19.85 | 0 | 19.85", "sale.order.line", lines[1], lineFields...)
			s.admin.sees("S00001 - [P001] widget large | draft | Stark Ltd | Administrator | USD | stock_move | 10",
				"sale.order.line", lines[0], "display_name", "state", "order_partner_id", "salesman_id", "currency_id",
				"qty_delivered_method", "sequence")
		},
		"02 sections, notes, missing parts": func(s *shop) {
			o := s.order(vals{"display_type": "line_section", "name": "Sec"}, vals{"product_id": s.widget}, vals{"display_type": "line_note", "name": "Note"})
			lines := s.lines(o)
			s.admin.sees("Sec | 0 |  | 0 | 0 | 0 | 0 | 0", "sale.order.line", lines[0], lineFields...)
			s.admin.sees("[P001] widget large | 1 | Units | 99.99 | 0 | 99.99 | 5 | 104.99", "sale.order.line", lines[1], lineFields...)
			s.admin.sees("99.99 | 5 | 104.99", "sale.order", o, amounts...)
			s.admin.refusedCreate(fault.BadRequest, "name", "sale.order.line", vals{"order_id": o, "display_type": "line_section"})
			s.admin.refusedCreate(fault.Unprocessable, "Forbidden values on non-accountable sale order line",
				"sale.order.line", vals{"order_id": o, "display_type": "line_section", "name": "x", "product_id": s.widget})
			s.admin.refusedCreate(fault.BadRequest, "name", "sale.order.line", vals{"order_id": o})
			free := s.admin.create("sale.order.line", vals{"order_id": o, "name": "free text", "price_unit": 5})
			s.admin.sees("free text | 1 |  | 5 | 0 | 5 | 0 | 5", "sale.order.line", free, lineFields...)
			s.admin.sees("104.99 | 5 | 109.99", "sale.order", o, amounts...)
			s.admin.refusedCreate(fault.BadRequest, "order_id", "sale.order.line", vals{"product_id": s.widget})
			s.admin.refusedCreate(fault.BadRequest, "partner_id", "sale.order", vals{})
			s.admin.refusedCreate(fault.Unprocessable, "partner_id", "sale.order", vals{"partner_id": 987654})
			s.admin.refusedCreate(fault.BadRequest, "state", "sale.order", vals{"partner_id": s.customer, "state": "nosuch"})
			named := s.admin.create("sale.order", vals{"partner_id": s.customer, "name": "MYNAME"})
			s.admin.sees("MYNAME | 0", "sale.order", named, "name", "amount_total")
			s.admin.refusedCall(fault.Unprocessable, "missing a product", "sale.order", "action_confirm", o)
			s.admin.refusedWrite(fault.Unprocessable, "cannot change the type", "sale.order.line", lines[0], vals{"display_type": false})
		},
		"03 addresses follow the customer": func(s *shop) {
			hooli := s.admin.create("res.partner", vals{"name": "Hooli", "is_company": true})
			bill := s.admin.create("res.partner", vals{"name": "Quin", "parent_id": hooli, "type": "invoice"})
			ship := s.admin.create("res.partner", vals{"name": "Lea", "parent_id": hooli, "type": "delivery"})
			wayne := s.admin.create("res.partner", vals{"name": "Wayne", "is_company": true})
			wayneBill := s.admin.create("res.partner", vals{"name": "Cid", "parent_id": wayne, "type": "invoice"})
			ted := s.admin.create("res.partner", vals{"name": "Ted", "parent_id": wayne})
			parties := []string{"partner_id", "partner_invoice_id", "partner_shipping_id"}
			o := s.admin.create("sale.order", vals{"partner_id": hooli})
			s.admin.sees("Hooli | Hooli, Quin | Hooli, Lea", "sale.order", o, parties...)
			s.admin.write("sale.order", o, vals{"partner_id": ted})
			s.admin.sees("Wayne, Ted | Wayne, Cid | Wayne, Ted", "sale.order", o, parties...)
			own := s.admin.create("sale.order", vals{"partner_id": hooli, "partner_shipping_id": wayneBill})
			s.admin.sees("Hooli | Hooli, Quin | Wayne, Cid", "sale.order", own, parties...)
			straight := s.admin.create("sale.order", vals{"partner_id": ship})
			s.admin.sees("Hooli, Lea | Hooli, Quin | Hooli, Lea", "sale.order", straight, parties...)
			_ = bill
		},
		"04 prices": func(s *shop) {
			o := s.order(vals{"product_id": s.nut, "product_uom_qty": 2, "price_unit": 1080.1875, "tax_ids": []any{s.tax20}})
			s.admin.sees("1800.32 | 360.06 | 2160.38", "sale.order", o, amounts...)
			l := s.lines(o)[0]
			s.admin.sees("Nut M8 | 2 | Units | 1080.1875 | 0 | 1800.31 | 360.06 | 2160.37", "sale.order.line", l, lineFields...)
			s.admin.write("sale.order.line", l, vals{"product_uom_qty": 0.5})
			s.admin.sees("1080.1875", "sale.order.line", l, "price_unit")
			s.admin.write("sale.order.line", l, vals{"product_id": s.chair})
			s.admin.sees("[P004] Chaise élégante\nSold as 4 | 0.5 | Units | 1080.1875 | 0 | 540.09 | 0 | 540.09", "sale.order.line", l, lineFields...)
			free := s.order(vals{"product_id": s.chair})
			l = s.lines(free)[0]
			s.admin.write("sale.order.line", l, vals{"product_id": s.widget})
			s.admin.sees("[P001] widget large | 1 | Units | 99.99 | 0 | 99.99 | 5 | 104.99", "sale.order.line", l, lineFields...)
			dozen := s.ref("uom.product_uom_dozen")
			s.admin.write("sale.order.line", l, vals{"product_uom_id": dozen})
			s.admin.sees("1199.88 | 1259.87", "sale.order.line", l, "price_unit", "price_total")
			s.admin.sees("1199.88 | 59.99 | 1259.87", "sale.order", free, amounts...)
			s.admin.unlink("sale.order.line", l)
			s.admin.sees("0 | 0 | 0", "sale.order", free, amounts...)
		},
		"05 templates, notes of the caller": func(s *shop) {
			tmpl := s.admin.create("product.template", vals{"name": "T", "list_price": 3})
			o := s.order(vals{"product_template_id": tmpl, "name": "Own words", "price_unit": 4, "tax_ids": []any{}})
			s.admin.sees("Own words | 1 | Units | 4 | 0 | 4 | 0 | 4", "sale.order.line", s.lines(o)[0], lineFields...)
		},
		"06 rounding per line": func(s *shop) {
			tenth := s.admin.create("account.tax", vals{"name": "Ten", "amount": 10.0})
			cheap := vals{"product_id": s.chair, "price_unit": 0.333, "tax_ids": []any{tenth}}
			o := s.order(cheap, cheap, cheap)
			s.admin.sees("1 | 0.1 | 1.1", "sale.order", o, amounts...)
			s.admin.write("res.company", 1, vals{"tax_calculation_rounding_method": "round_per_line"})
			o = s.order(cheap, cheap, cheap)
			s.admin.sees("0.99 | 0.09 | 1.08", "sale.order", o, amounts...)
			s.admin.write("res.company", 1, vals{"tax_calculation_rounding_method": "round_globally"})
		},
		"07 life of an order": func(s *shop) {
			o := s.order(vals{"product_id": s.hour, "product_uom_qty": 3})
			l := s.lines(o)[0]
			s.admin.call("sale.order", "action_quotation_sent", o)
			s.admin.sees("sent", "sale.order", o, "state")
			s.admin.refusedCall(fault.Unprocessable, "Only draft orders", "sale.order", "action_quotation_sent", o)
			s.admin.refusedUnlink(fault.Unprocessable, "You can not delete a sent quotation", "sale.order", o)
			s.admin.call("sale.order", "action_confirm", o)
			s.admin.sees("sale | to invoice |  | 0 | Sales Order", "sale.order", o, "state", "invoice_status", "delivery_status", "delivery_count", "type_name")
			s.admin.sees("sale | manual | 3 | to invoice", "sale.order.line", l, "state", "qty_delivered_method", "qty_to_invoice", "invoice_status")
			s.admin.refusedCall(fault.Unprocessable, "not in a state requiring confirmation", "sale.order", "action_confirm", o)
			s.admin.refusedUnlink(fault.Unprocessable, "You must first cancel it", "sale.order", o)
			s.admin.refusedUnlink(fault.Unprocessable, "you can't remove one of its lines", "sale.order.line", l)
			s.admin.write("sale.order.line", l, vals{"qty_delivered": 3})
			s.admin.refusedWrite(fault.Unprocessable, "cannot modify the product", "sale.order.line", l, vals{"product_id": s.widget})
			s.admin.call("sale.order", "action_lock", o)
			s.admin.refusedWrite(fault.Unprocessable, "locked order:\nQuantity", "sale.order.line", l, vals{"product_uom_qty": 5})
			s.admin.refusedCall(fault.Unprocessable, "cannot cancel a locked order", "sale.order", "action_cancel", o)
			s.admin.call("sale.order", "action_unlock", o)
			s.admin.call("sale.order", "action_cancel", o)
			s.admin.sees("cancel | no", "sale.order", o, "state", "invoice_status")
			s.admin.refusedWrite(fault.Unprocessable, "cannot modify the product", "sale.order.line", l, vals{"product_id": s.widget})
			s.admin.call("sale.order", "action_draft", o)
			s.admin.sees("draft", "sale.order.line", l, "state")
			s.admin.unlink("sale.order", o)
			if n := s.admin.count("sale.order.line", "[('id', '=', "+printID(l)+")]"); n != 0 {
				s.Error("the line outlived its order")
			}
		},
		"08 copying": func(s *shop) {
			o := s.order(vals{"product_id": s.widget, "product_uom_qty": 2, "discount": 50})
			s.admin.write("sale.order", o, vals{"client_order_ref": "their number"})
			s.admin.call("sale.order", "action_confirm", o)
			s.admin.call("sale.order", "copy", o)
			copies := s.admin.find("sale.order", leaf("id", ">", o))
			s.admin.sees("draft |  | 104.99 | 0", "sale.order", copies[0], "state", "client_order_ref", "amount_total", "delivery_count")
			s.admin.sees("[P001] widget large | 2 | Units | 99.99 | 50 | 99.99 | 5 | 104.99", "sale.order.line", s.lines(copies[0])[0], lineFields...)
		},
		"09 companies": func(s *shop) {
			other := s.admin.create("res.company", vals{"name": "Chicago"})
			admin := s.as("admin").in(1, other)
			ware := admin.find("stock.warehouse", leaf("company_id", "=", other))
			admin.sees("Chicago | Chica", "stock.warehouse", ware[0], "name", "code")
			o := admin.create("sale.order", vals{"partner_id": s.customer, "company_id": other, "order_line": []any{line(vals{"product_id": s.widget})}})
			admin.sees("Chicago | Chicago | 99.99", "sale.order", o, "company_id", "warehouse_id", "amount_total")
			admin.write("sale.order", o, vals{"company_id": 1})
			admin.sees("My Company | My Company | 104.99", "sale.order", o, "company_id", "warehouse_id", "amount_total")
			admin.call("sale.order", "action_confirm", o)
			admin.refusedWrite(fault.Unprocessable, "belongs to company “Chicago” while “Warehouse” (warehouse_id: 'My Company') belongs to another company",
				"sale.order", o, vals{"company_id": other})
		},
		"11 several at once, odd edits": func(s *shop) {
			made, err := s.engine.Create(s.Context(), s.admin.caller, "sale.order", []backend.Values{
				{"partner_id": s.customer}, {"partner_id": s.customer}, {"partner_id": s.customer},
			})
			if err != nil {
				s.Fatal(explain(err))
			}
			ids := made.IDs
			var first, last int
			_, _ = fmt.Sscanf(s.admin.read("sale.order", ids[0], "name")+" "+s.admin.read("sale.order", ids[2], "name"), "S%d S%d", &first, &last)
			if last != first+2 {
				s.Errorf("the names go from %d to %d", first, last)
			}
			s.admin.call("sale.order", "action_confirm", ids[1])
			s.admin.sees("sale | 0", "sale.order", ids[1], "state", "amount_total")
			s.admin.write("sale.order", ids[1], vals{"order_line": []any{line(vals{"product_id": s.widget})}})
			s.admin.sees("104.99 | pending", "sale.order", ids[1], "amount_total", "delivery_status")
			s.admin.write("sale.order", ids[1], vals{"name": "RENAMED"})
			s.admin.sees("RENAMED | sale", "sale.order", ids[1], "name", "state")
			s.admin.write("sale.order", ids[0], vals{"currency_id": s.ref("base.EUR")})
			s.admin.write("sale.order", ids[0], vals{"amount_total": 1})
			s.admin.sees("1 | EUR", "sale.order", ids[0], "amount_total", "currency_id")
			s.admin.write("sale.order", ids[2], vals{"state": "sale"})
			s.admin.sees("sale", "sale.order", ids[2], "state")
			if _, err := s.engine.Call(s.Context(), s.admin.caller, "sale.order", "action_cancel", ids, nil); err != nil {
				s.Fatal(explain(err))
			}
			if err := s.engine.Unlink(s.Context(), s.admin.caller, "sale.order", ids); err != nil {
				s.Error(explain(err))
			}
		},
		"10 salespeople": func(s *shop) {
			own := s.admin.create("res.users", vals{
				"name": "Olivia Own", "login": "own", "group_ids": []any{s.ref("sales_team.group_sale_salesman")},
			})
			olivia := s.as("own")
			o := olivia.create("sale.order", vals{"partner_id": s.customer, "order_line": []any{
				line(vals{"product_id": s.widget, "product_uom_qty": 2}), line(vals{"product_id": s.lamp}),
			}})
			olivia.sees("Olivia Own | 239.98", "sale.order", o, "user_id", "amount_untaxed")
			olivia.call("sale.order", "action_confirm", o)
			olivia.sees("sale | pending", "sale.order", o, "state", "delivery_status")
			olivia.call("sale.order", "action_cancel", o)
			stark := s.admin.create("res.partner", vals{"name": "Known", "user_id": own})
			mine := s.admin.create("sale.order", vals{"partner_id": stark})
			s.admin.sees("Olivia Own", "sale.order", mine, "user_id")
			theirs := s.order(vals{"product_id": s.widget})
			olivia.refusedCall(fault.Forbidden, "", "sale.order", "action_confirm", theirs)
		},
	})
}
