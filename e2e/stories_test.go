//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// What every demo user sees and gets.
func TestStories(t *testing.T) {
	stories := []struct {
		name string
		tell func(*testing.T, *server)
	}{
		{"manager", managerStory},
		{"sales", salesStory},
		{"internal", internalStory},
		{"portal", portalStory},
		{"company2", secondCompanyStory},
	}
	each(t, func(t *testing.T, s *server) {
		for _, story := range stories {
			t.Run(story.name, func(t *testing.T) { story.tell(t, s) })
		}
	})
}

// count is how many records a caller sees.
func (c *client) count(model, domain string) int {
	c.t.Helper()
	return int(c.get(model, "domain", domain, "fields", "id", "limit", "1").ok(200).number("meta.total"))
}

// first is the id of the first record of a domain; there must be one.
func (c *client) first(model, domain string) string {
	c.t.Helper()
	found := c.get(model, "domain", domain, "fields", "id", "order", "id", "limit", "1").ok(200).text("data.0.id")
	if found == "" {
		c.t.Fatalf("no %s %s", model, domain)
	}
	return found
}

// hidden wants a model that the caller may not read, or not know of.
func (c *client) hidden(models ...string) {
	c.t.Helper()
	for _, model := range models {
		if a := c.get(model, "limit", "1"); a.status != 403 && a.status != 404 {
			c.t.Errorf("%s: %d %s", model, a.status, a.raw)
		}
	}
}

const (
	ofDemo   = "('id', '<=', 200)" // orders of the demo data
	ofMara   = "[('user_id.login', '=', 'demo-manager')]"
	notJoels = "[('user_id', '!=', False), ('user_id.login', '!=', 'demo-sales')]"
)

func managerStory(t *testing.T, s *server) {
	mara, admin := s.as(t, "demo-manager"), s.as(t, "admin")
	here := "[('company_id', '=', 1), " + ofDemo + "]"
	if all, seen := admin.count("sale.order", here), mara.count("sale.order", "["+ofDemo+"]"); seen != all || seen < 100 {
		t.Errorf("the manager sees %d of %d orders", seen, all)
	}
	customer := mara.post("customers", obj{"name": "New customer", "city": "Salem"}).ok(201)
	path := "customers/" + customer.text("data.id")
	mara.patch(path, obj{"city": "Bend"}).ok(200).is("data.city", "Bend").is("data.name", "New customer")
	mara.post("products", obj{"name": "Mine"}).fails(403, "forbidden", "")
	mara.get("sale.order/"+admin.first("sale.order", "[('company_id', '=', 2)]")).fails(403, "forbidden", "")
	mara.get("settings").fails(403, "forbidden", "")

	order := mara.post("orders", obj{"partner_id": customer.id(), "order_lines": list{obj{"product_id": 5}}}).ok(201)
	mara.delete("orders/"+order.text("data.id")).ok(200).is("message", "Order deleted successfully")
	mara.get("orders/"+order.text("data.id")).fails(404, "not_found", "")
}

func salesStory(t *testing.T, s *server) {
	joel, mara := s.as(t, "demo-sales"), s.as(t, "demo-manager")
	if n := joel.count("sale.order", "[]"); n < 20 {
		t.Errorf("sees only %d orders", n)
	}
	if n := joel.count("sale.order", notJoels); n != 0 {
		t.Errorf("sees %d orders of others", n)
	}
	theirs := mara.first("sale.order", ofMara)
	joel.get("orders/"+theirs).fails(403, "forbidden", "")
	joel.patch("orders/"+theirs, obj{"notes": "mine now"}).fails(403, "forbidden", "")
	joel.post("orders/"+theirs+"/cancel", nil).fails(403, "forbidden", "")
	joel.post("sale.order/"+theirs+"/action_cancel", nil).fails(403, "forbidden", "")

	customer := joel.first("res.partner", "[('name', '=', 'Meridian Freight')]")
	order := joel.post("orders", `{"partner_id": `+customer+`, "order_lines": [{"product_id": 7}]}`).ok(201)
	joel.get("sale.order/"+order.text("data.id"), "fields", "user_id").ok(200).is("data.user_id.name", "Joel Brandt")
	joel.delete("orders/"+order.text("data.id")).fails(403, "forbidden", "")
	joel.get("res.partner/"+customer, "fields", "credit_limit").fails(403, "forbidden", "credit_limit")
}

func internalStory(t *testing.T, s *server) {
	nina := s.as(t, "demo-user")
	nina.hidden("sale.order", "orders", "crm.lead", "ir.config_parameter", "gateway.key")
	if n := nina.count("res.partner", "[]"); n < 90 {
		t.Errorf("sees only %d contacts", n)
	}
	desk := nina.get("products", "search", "DSK-100").ok(200).is("data.0.name", "Linden Desk 120").is("data.0.list_price", 289)
	nina.patch("products/"+desk.text("data.0.id"), obj{"list_price": 1}).fails(403, "forbidden", "")
	nina.post("customers", obj{"name": "x"}).fails(403, "forbidden", "")
	nina.post("orders", obj{"partner_id": 11, "order_lines": list{obj{"product_id": 5}}}).fails(403, "forbidden", "not allowed to access orders")
	nina.get("res.company/2").fails(403, "forbidden", "")
	if a := nina.get("res.users"); strings.Contains(a.raw, "argon2") || strings.Contains(a.raw, "password") {
		t.Errorf("users show %s", a.raw)
	}
}

func portalStory(t *testing.T, s *server) {
	jonas := s.as(t, "demo-portal")
	if n := jonas.count("sale.order", "[]"); n == 0 || n > 20 {
		t.Errorf("sees %d orders", n)
	}
	if n := jonas.count("sale.order", "[('partner_id.commercial_partner_id.name', '!=', 'Greenfield Public Library')]"); n != 0 {
		t.Errorf("sees %d orders of other customers", n)
	}
	if n := jonas.count("res.partner", "[]"); n == 0 || n > 5 {
		t.Errorf("sees %d contacts", n)
	}
	own := jonas.first("sale.order", "[('state', '=', 'sale')]")
	jonas.get("orders/" + own).ok(200)
	jonas.patch("orders/"+own, obj{"notes": "x"}).fails(403, "forbidden", "")
	jonas.post("orders/"+own+"/cancel", nil).fails(403, "forbidden", "")
	jonas.hidden("products", "ir.model", "settings")
}

func secondCompanyStory(t *testing.T, s *server) {
	carla, admin := s.as(t, "demo-company2"), s.as(t, "admin")
	if n := carla.count("sale.order", "[]"); n < 20 {
		t.Errorf("sees only %d orders", n)
	}
	if n := carla.count("sale.order", "[('company_id', '!=', 2)]"); n != 0 {
		t.Errorf("sees %d orders of the other company", n)
	}
	carla.get("orders/"+admin.first("sale.order", "[('company_id', '=', 1)]")).fails(403, "forbidden", "")
	carla.get("orders", "company_ids", "1").fails(403, "forbidden", "")
	customer := carla.first("res.partner", "[('name', '=', 'Kestrel Software')]")
	order := carla.post("orders", `{"partner_id": `+customer+`, "order_lines": [{"product_id": 5}]}`).ok(201)
	carla.get("sale.order/"+order.text("data.id"), "fields", "company_id").ok(200).is("data.company_id.name", "Lakeside Interiors")
	carla.post("sale.order", `{"partner_id": `+customer+`, "company_id": 1}`).fails(403, "forbidden", "")
}

// An order becomes a delivery, and the delivery leaves the stock.
func TestOrderLife(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		mara, admin := s.as(t, "demo-manager"), s.as(t, "admin")
		product := admin.post("products", obj{"name": "Crate", "type": "product", "list_price": 12.5}).ok(201).is("data.qty_available", 0)
		template := "products/" + product.text("data.id")
		variant := admin.first("product.product", "[('product_tmpl_id', '=', "+product.text("data.id")+")]")
		shelf := admin.get("stock.warehouse/1", "fields", "lot_stock_id").text("data.lot_stock_id.id")
		quant := admin.post("stock.quant", `{"product_id": `+variant+`, "location_id": `+shelf+`, "inventory_quantity": 10}`).ok(201)
		admin.post("stock.quant/"+quant.text("data.id")+"/action_apply_inventory", nil).ok(200)
		mara.get(template).ok(200).is("data.qty_available", 10)

		order := mara.post("orders", `{"partner_id": 20, "order_lines": [{"product_id": `+variant+`, "product_qty": 4}]}`).ok(201).
			is("data.state", "draft").is("data.amount_untaxed", 50)
		id := order.text("data.id")
		if !strings.HasPrefix(order.text("data.name"), "S00") {
			t.Errorf("the order is called %s", order.text("data.name"))
		}
		mara.post("orders/"+id+"/confirm", nil).ok(200).is("data.state", "sale").is("message", "Order confirmed successfully")
		mara.get(template).is("data.qty_available", 10)

		pickings := admin.get("stock.picking", "domain", "[('sale_id', '=', "+id+")]", "fields", "state,move_ids").ok(200).
			len("data", 1).len("data.0.move_ids", 1).is("data.0.state", "assigned")
		picking := "stock.picking/" + pickings.text("data.0.id")
		s.as(t, "demo-portal").post(picking+"/button_validate", nil).fails(403, "forbidden", "")
		admin.post(picking+"/button_validate", nil).ok(200)
		admin.get(picking, "fields", "state").is("data.state", "done")
		mara.get(template).is("data.qty_available", 6)

		second := mara.post("orders", `{"partner_id": 20, "order_lines": [{"product_id": `+variant+`}]}`).ok(201)
		mara.post("orders/"+second.text("data.id")+"/confirm", nil).ok(200)
		mara.post("orders/"+second.text("data.id")+"/cancel", nil).ok(200).is("data.state", "cancel")
		admin.get("stock.picking", "domain", "[('sale_id', '=', "+second.text("data.id")+")]", "fields", "state").is("data.0.state", "cancel")
	})
}
