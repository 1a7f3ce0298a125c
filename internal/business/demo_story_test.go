package business

import (
	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
)

// demoStories are the demo users, and what each of them sees and may do.
func demoStories() []story {
	return []story{
		{"manager", managerStory},
		{"sales", salesStory},
		{"internal", internalStory},
		{"portal", portalStory},
		{"company2", secondCompanyStory},
	}
}

// firstOf finds an order of a salesperson as the superuser sees it.
func (f *fixture) firstOf(domainText string) int64 {
	f.Helper()
	root := &backend.Caller{UserID: rootUser, Superuser: true}
	out := &rows{}
	_, err := f.engine.Search(f.Context(), root,
		&backend.Query{Model: "sale.order", DomainText: domainText, Fields: []string{"id"}, Limit: 1}, out)
	if err != nil || len(out.list) == 0 {
		f.Fatalf("no order %s: %v", domainText, err)
	}
	return number(out.list[0]["id"])
}

func managerStory(f *fixture) {
	admin, mara := f.as("admin").in(1), f.as("demo-manager")
	if all, seen := admin.count("sale.order", "[]"), mara.count("sale.order", "[]"); seen != all || seen == 0 {
		f.Errorf("the manager sees %d of %d orders", seen, all)
	}
	customer := mara.create("res.partner", vals{"name": "New customer"})
	mara.write("res.partner", customer, vals{"city": "Salem"})
	mara.refusedUnlink(fault.Forbidden, "", "res.partner", customer)
	mara.refusedCreate(fault.Forbidden, "", "product.template", vals{"name": "New product"})

	order := mara.create("sale.order", vals{"partner_id": customer})
	mara.unlink("sale.order", order)
	mara.refusedRead(fault.Forbidden, "sale.order", f.firstOf("[('company_id', '=', 2)]"), "name")
}

func salesStory(f *fixture) {
	joel := f.as("demo-sales")
	if n := joel.count("sale.order", "[('user_id', '!=', False), ('user_id.login', '!=', 'demo-sales')]"); n != 0 {
		f.Errorf("sees %d orders of others", n)
	}
	if n := joel.count("sale.order", "[]"); n < 20 {
		f.Errorf("sees only %d orders", n)
	}
	if n := joel.count("sale.order.line", "[('salesman_id.login', '=', 'demo-manager')]"); n != 0 {
		f.Errorf("sees %d lines of others", n)
	}
	theirs := f.firstOf("[('user_id.login', '=', 'demo-manager')]")
	joel.refusedRead(fault.Forbidden, "sale.order", theirs, "name")
	joel.refusedWrite(fault.Forbidden, "", "sale.order", theirs, vals{"client_order_ref": "mine now"})
	joel.refusedCall(fault.Forbidden, "", "sale.order", "action_cancel", theirs)

	// An order belongs to the customer's salesperson; those of others are not his.
	kestrel := joel.find("res.partner", leaf("name", "=", "Kestrel Software"))[0]
	joel.refusedCreate(fault.Forbidden, "", "sale.order", vals{"partner_id": kestrel})
	customer := joel.find("res.partner", leaf("name", "=", "Meridian Freight"))[0]
	order := joel.create("sale.order", vals{"partner_id": customer})
	joel.sees("Joel Brandt | draft", "sale.order", order, "user_id", "state")
	joel.refusedUnlink(fault.Forbidden, "", "sale.order", order)
	joel.refusedWrite(fault.Forbidden, "", "res.partner", customer, vals{"city": "Salem"})
	joel.refusedRead(fault.Forbidden, "res.partner", customer, "credit_limit")
	if n := joel.count("crm.lead", "[('user_id.login', '=', 'demo-manager')]"); n != 0 {
		f.Errorf("sees %d leads of others", n)
	}
}

func internalStory(f *fixture) {
	nina := f.as("demo-user")
	for _, model := range []string{"sale.order", "crm.lead", "ir.model", "ir.config_parameter"} {
		_, err := f.engine.Search(f.Context(), nina.caller, &backend.Query{Model: model, Fields: []string{"id"}}, &rows{})
		if !fault.Is(err, fault.Forbidden) && !fault.Is(err, fault.NotFound) {
			f.Errorf("%s: %v", model, err)
		}
	}
	desk := nina.find("product.template", leaf("default_code", "=", "DSK-100"))[0]
	nina.sees("[DSK-100] Linden Desk 120 | 289 | 151", "product.template", desk, "display_name", "list_price", "standard_price")
	nina.refusedWrite(fault.Forbidden, "", "product.template", desk, vals{"list_price": 1})
	nina.refusedCreate(fault.Forbidden, "", "res.partner", vals{"name": "x"})
	nina.refusedWrite(fault.Forbidden, "", "res.users", 2, vals{"name": "me"})
	if n := nina.count("res.partner", "[]"); n < 90 {
		f.Errorf("sees only %d contacts", n)
	}
	nina.refusedRead(fault.Forbidden, "res.company", 2, "name")
}

func portalStory(f *fixture) {
	jonas := f.as("demo-portal")
	orders := jonas.count("sale.order", "[]")
	if orders == 0 || orders > 20 {
		f.Errorf("sees %d orders", orders)
	}
	if n := jonas.count("sale.order", "[('partner_id.commercial_partner_id.name', '!=', 'Greenfield Public Library')]"); n != 0 {
		f.Errorf("sees %d orders of other customers", n)
	}
	if n := jonas.count("res.partner", "[]"); n == 0 || n > 5 {
		f.Errorf("sees %d contacts", n)
	}
	jonas.refusedRead(fault.Forbidden, "res.partner", 3, "name")
	_, err := f.engine.Search(f.Context(), jonas.caller, &backend.Query{Model: "product.template", Fields: []string{"id"}}, &rows{})
	if !fault.Is(err, fault.Forbidden) && !fault.Is(err, fault.NotFound) {
		f.Errorf("product.template: %v", err)
	}
	own := jonas.find("sale.order", leaf("state", "=", "sale"))[0]
	jonas.refusedWrite(fault.Forbidden, "", "sale.order", own, vals{"client_order_ref": "x"})
	jonas.refusedCall(fault.Forbidden, "", "sale.order", "action_cancel", own)
	jonas.refusedCreate(fault.Forbidden, "", "sale.order", vals{"partner_id": 3})
}

func secondCompanyStory(f *fixture) {
	carla := f.as("demo-company2")
	if n := carla.count("sale.order", "[('company_id', '!=', 2)]"); n != 0 {
		f.Errorf("sees %d orders of the other company", n)
	}
	if n := carla.count("sale.order", "[]"); n < 20 {
		f.Errorf("sees only %d orders", n)
	}
	carla.sees("Lakeside Interiors", "res.company", 2, "name")
	carla.refusedRead(fault.Forbidden, "res.company", 1, "name")
	carla.refusedRead(fault.Forbidden, "sale.order", f.firstOf("[('company_id', '=', 1)]"), "name")
	if n := carla.count("stock.warehouse", "[]"); n != 1 {
		f.Errorf("sees %d warehouses", n)
	}
	_, err := f.engine.Search(f.Context(), carla.in(1).caller, &backend.Query{Model: "sale.order", Fields: []string{"id"}}, &rows{})
	if !fault.Is(err, fault.Forbidden) {
		f.Errorf("in the other company: %v", err)
	}
	customer := carla.find("res.partner", leaf("name", "=", "Kestrel Software"))[0]
	order := carla.create("sale.order", vals{"partner_id": customer})
	carla.sees("Lakeside Interiors", "sale.order", order, "company_id")
	carla.refusedCreate(fault.Forbidden, "", "sale.order", vals{"partner_id": customer, "company_id": 1})
}
