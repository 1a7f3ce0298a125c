//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// The examples that Gatehouse was asked for, to the letter.
func TestExamples(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		bearer := s.as(t, "admin")
		made := bearer.post("products", `{"name": "Wireless Keyboard", "list_price": 79.99, "categ_id": 2}`).ok(201).
			is("message", "Product created successfully").
			is("data.name", "Wireless Keyboard").is("data.list_price", "79.99").is("data.categ_id.id", 2)
		keyboard := "/api/v1/products/" + made.text("data.id")
		made.has("Location", keyboard)
		bearer.get(keyboard).ok(200).is("data.name", "Wireless Keyboard")
		bearer.put(keyboard, `{"list_price": 89.99, "colour": "red"}`).ok(200).is("message", "Product updated successfully").
			is("data.list_price", "89.99").is("data.name", "Wireless Keyboard").is("meta.ignored_fields", "[colour]")
		bearer.delete(keyboard).ok(200).is("message", "Product deleted successfully")
		bearer.get(keyboard).fails(404, "not_found", "")

		byKey := s.withKey(t, s.cli(t, "key", "create", "--user", "demo-manager", "--name", "examples", "--scopes", "orders_write,customers_write"))
		order := byKey.post("orders", `{"partner_id": 11, "order_lines": [
			{"product_id": 5, "product_qty": 2, "price_unit": 79.99}, {"product_id": 6, "product_qty": 1}]}`).ok(201).
			is("message", "Order created successfully").is("data.partner_id.id", 11).is("data.state", "draft").
			len("data.order_lines", 2).is("data.order_lines.0.qty", 2).is("data.order_lines.0.subtotal", "159.98")
		if order.number("data.amount_total") <= order.number("data.amount_untaxed") {
			t.Errorf("no taxes: %s", order.raw)
		}
		byKey.post("customers", `{"name": "Acme Corp", "email": "info@acme.example", "phone": "+1 555 0100", "is_company": true}`).ok(201).
			is("message", "Customer created successfully").is("data.email", "info@acme.example")

		page := bearer.get("/api/v1/res.partner?domain=[('is_company','=',True)]&fields=name,email,phone&limit=25&offset=50&order=name%20asc").
			ok(200).is("meta.limit", 25).is("meta.offset", 50)
		if page.number("meta.total") < 30 {
			t.Errorf("only %s companies", page.text("meta.total"))
		}
		found := bearer.get("/api/v1/res.partner?domain=[('is_company','=',True)]&fields=name,email,phone&limit=25&offset=5&order=name%20asc").
			ok(200).len("data", 25)
		for i, row := range found.at("data").(list) {
			if len(row.(obj)) != 4 { // id comes along
				t.Errorf("row %d is %v", i, row)
			}
		}

		bearer.post("products", `{"list_price": 5}`).fails(400, "bad_request", "").is("error.message", "Missing required field: name")
		bearer.post("products", `{"name": `).fails(400, "bad_request", "").is("error.message", "Invalid JSON body")
		bearer.get("ping").ok(200).is("data.pong", true).is("data.user.login", "admin")
	})
}

func TestWire(t *testing.T) {
	s := shared(t, "sqlite")
	admin := s.as(t, "admin")
	admin.get("nowhere/at/all/today").fails(404, "not_found", "")
	s.anonymous(t).get("/nowhere").fails(404, "not_found", "")
	admin.get("res.partnr").fails(404, "not_found", "Did you mean res.partner?")
	if allow := admin.delete("ping").fails(405, "method_not_allowed", "").header.Get("Allow"); !strings.Contains(allow, "GET") {
		t.Errorf("Allow is %q", allow)
	}
	admin.post("res.partner", `{"name": "`+strings.Repeat("x", 9<<20)+`"}`).fails(413, "payload_too_large", "")
	admin.with("Content-Type", "text/plain").post("res.partner", "name=x").fails(415, "unsupported_media_type", "")

	admin.with("X-Request-Id", "order-4711").get("ping").ok(200).has("X-Request-Id", "order-4711")
	if got := admin.with("X-Request-Id", "<script>").get("ping").header.Get("X-Request-Id"); strings.Contains(got, "<") {
		t.Errorf("X-Request-Id %q is repeated", got)
	}
	s.anonymous(t).get("res.partner").fails(401, "unauthorized", "").has("WWW-Authenticate", `Bearer realm="gatehouse"`)
	s.anonymous(t).get("/").ok(200).is("data.name", "Gatehouse").is("data.version", builtVersion)
	s.anonymous(t).get("/healthz").ok(200).is("data.status", "ok")
}
