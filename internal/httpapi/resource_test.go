package httpapi

import (
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

const deskJSON = `{"id":1,"name":"Desk","default_code":null,"barcode":null,"list_price":79.99,"standard_price":0,"categ_id":null,` +
	`"type":"product","description_sale":null,"active":true,"qty_available":7}`

func TestProducts(t *testing.T) {
	h := newHouse(t)
	h.send("all", "GET", "/api/v1/products/1", "").want(200, `{"success":true,"data":`+deskJSON+`}`)
	h.send("all", "GET", "/api/v1/products", "").want(200,
		`{"success":true,"data":[`+deskJSON+`],"meta":{"total":1,"limit":80,"offset":0,"count":1,"next_cursor":null}}`)

	a := h.send("all", "POST", "/api/v1/products", `{"name": "Chair", "list_price": 20, "type": "service", "categ_id": 1, "colour": "red", "qty_available": 5}`)
	a.want(201, `{"success":true,"data":{"id":2,"name":"Chair","default_code":null,"barcode":null,"list_price":20,"standard_price":0,`+
		`"categ_id":{"id":1,"name":"All"},"type":"service","description_sale":null,"active":true,"qty_available":0},`+
		`"message":"Product created successfully","meta":{"ignored_fields":["colour","qty_available"]}}`)
	if got := a.header("Location"); got != "/api/v1/products/2" {
		t.Errorf("Location %q", got)
	}
	h.send("all", "PUT", "/api/v1/products/2", `{"type": "product", "name": "Armchair"}`).want(200, "")
	row := h.backend.rows["product.template"][2]
	if row["type"] != "consu" || row["is_storable"] != true || row["name"] != "Armchair" || row["list_price"] != 20.0 {
		t.Errorf("%v", row)
	}
	_, message, _ := h.send("all", "PATCH", "/api/v1/products/2", `{"type": "consu"}`).want(200, "").success()
	if message != "Product updated successfully" || h.backend.rows["product.template"][2]["is_storable"] != false {
		t.Errorf("%q", message)
	}
	h.send("all", "DELETE", "/api/v1/products/2", "").want(200, `{"success":true,"data":{"id":2},"message":"Product deleted successfully"}`)
	h.send("all", "GET", "/api/v1/products/2", "").wantError(404, fault.NotFound, "Product 2 not found")
	h.send("all", "PUT", "/api/v1/products/2", `{"name": "x"}`).wantError(404, fault.NotFound, "Product 2 not found")
	h.send("all", "DELETE", "/api/v1/products/2", "").wantError(404, fault.NotFound, "Product 2 not found")
}

func TestProductRules(t *testing.T) {
	h := newHouse(t)
	for _, test := range []struct {
		method, body string
		status       int
		message      string
	}{
		{"POST", `{}`, 400, "Missing required field: name"},
		{"POST", `{"name": ""}`, 400, "Missing required field: name"},
		{"POST", `{"name": null}`, 400, "Missing required field: name"},
		{"POST", `[{"name": "a"}, {}]`, 400, "Missing required field: [1].name"},
		{"PUT", `{"name": ""}`, 400, "Missing required field: name"},
		{"POST", `{"name": "x", "type": "combo"}`, 422, "type must be one of: consu, service, product"},
		{"POST", `{"name": "x", "type": 5}`, 400, "type must be one of: consu, service, product"},
		{"POST", `{"name": "x", "list_price": "cheap"}`, 400, "list_price must be a number"},
		{"POST", `{"name": "x", "active": "yes"}`, 400, "active must be a boolean (true or false)"},
		{"POST", `"x"`, 400, "Invalid JSON body"},
		{"POST", `[]`, 400, "The list of records is empty"},
	} {
		path := "/api/v1/products"
		if test.method == "PUT" {
			path += "/1"
		}
		a := h.send("all", test.method, path, test.body)
		if e := a.error(); a.Code != test.status || e.Message != test.message {
			t.Errorf("%s %s: %d %q, want %d %q", test.method, test.body, a.Code, e.Message, test.status, test.message)
		}
	}
	if n := len(h.backend.rows["product.template"]); n != 1 {
		t.Errorf("%d products", n)
	}
	data, message, _ := h.send("all", "POST", "/api/v1/products", `[{"name": "A"}, {"name": "B"}]`).want(201, "").success()
	list := data.([]any)
	if len(list) != 2 || list[0].(map[string]any)["name"] != "A" || list[1].(map[string]any)["name"] != "B" || message != "Product created successfully" {
		t.Errorf("%v %q", data, message)
	}
}

func TestCustomers(t *testing.T) {
	h := newHouse(t)
	h.send("all", "GET", "/api/v1/customers/1", "").want(200,
		`{"success":true,"data":{"id":1,"name":"Acme Corp","email":"info@acme.example","phone":null,"street":null,"street2":null,"city":null,`+
			`"zip":null,"state_id":null,"country_id":{"id":1,"name":"Belgium"},"is_company":true,"vat":null,"active":true}}`)
	for email, fine := range map[string]bool{
		"a@b.example": true, "first.last+tag@sub.domain.example": true,
		"nobody": false, "@b.example": false, "a@": false, "a@b": false, "a b@c.example": false, "Ann <a@b.example>": false,
		"a@b.example, c@d.example": false, "a@@b.example": false, "a@.example": false,
	} {
		a := h.send("all", "POST", "/api/v1/customers", fmt.Sprintf(`{"name": "x", "email": %q}`, email))
		if fine {
			a.want(201, "")
		} else {
			a.wantError(422, fault.Unprocessable, "email is not a valid email address")
		}
	}
	h.send("all", "PUT", "/api/v1/customers/1", `{"email": null}`).want(200, "")
	h.send("all", "PUT", "/api/v1/customers/1", `{"email": ""}`).want(200, "")
}

// order makes one and gives its id.
func order(t *testing.T, h *house, lines string) int64 {
	t.Helper()
	data, _, _ := h.send("all", "POST", "/api/v1/orders", `{"partner_id": 1, "order_lines": `+lines+`}`).want(201, "").success()
	return int64(data.(map[string]any)["id"].(float64))
}

func TestOrders(t *testing.T) {
	h := newHouse(t)
	a := h.send("all", "POST", "/api/v1/orders",
		`{"partner_id": {"id": 1}, "notes": "<p>soon</p>", "order_lines": [{"product_id": 1}, {"product_id": 1, "product_qty": 2.5, "price_unit": 10, "discount": 5}], "state": "sale"}`)
	want := `{"id":1,"name":"S00001","partner_id":{"id":1,"name":"Acme Corp"},"date_order":"2026-01-31T10:30:00Z","state":"draft",` +
		`"amount_untaxed":0,"amount_tax":0,"amount_total":0,"currency_id":null,"warehouse_id":null,"notes":"<p>soon</p>","order_lines":[` +
		`{"id":1,"product_id":{"id":1,"name":"Desk"},"name":"Desk","qty":1,"price_unit":79.99,"tax":0,"subtotal":0,"total":0},` +
		`{"id":2,"product_id":{"id":1,"name":"Desk"},"name":"Desk","qty":2.5,"price_unit":10,"tax":0,"subtotal":0,"total":0}]}`
	a.want(201, `{"success":true,"data":`+want+`,"message":"Order created successfully","meta":{"ignored_fields":["order_lines[1].discount","state"]}}`)
	h.send("all", "GET", "/api/v1/orders/1", "").want(200, `{"success":true,"data":`+want+`}`)

	order(t, h, `[{"product_id": 1, "qty": 4}]`)
	h.backend.log = nil
	data, _, meta := h.send("all", "GET", "/api/v1/orders", "").want(200, "").success()
	if list := data.([]any); len(list) != 2 || len(list[1].(map[string]any)["order_lines"].([]any)) != 1 || meta["total"] != 2.0 {
		t.Errorf("%v %v", data, meta)
	}
	searches := 0
	for _, asked := range h.backend.log {
		if strings.HasPrefix(asked, "search") {
			searches++
		}
	}
	if searches != 2 {
		t.Errorf("a page of orders took %d queries: %v", searches, h.backend.log)
	}
	_, message, _ := h.send("all", "POST", "/api/v1/orders/1/confirm", "").want(200, "").success()
	if message != "Order confirmed successfully" || h.backend.rows["sale.order"][1]["state"] != "sale" {
		t.Errorf("%q", message)
	}
	data, message, _ = h.send("all", "POST", "/api/v1/orders/1/cancel", "{}").want(200, "").success()
	if message != "Order cancelled successfully" || data.(map[string]any)["state"] != "cancel" {
		t.Errorf("%q %v", message, data)
	}
	h.send("all", "POST", "/api/v1/orders/99/confirm", "").wantError(404, fault.NotFound, "Order 99 not found")
	h.send("all", "POST", "/api/v1/orders/x/confirm", "").want(400, "")
	h.send("read", "POST", "/api/v1/orders/1/confirm", "").wantError(403, fault.Forbidden, "Missing scope: orders_write")
}

func TestOrderRules(t *testing.T) {
	h := newHouse(t)
	for body, message := range map[string]string{
		`{}`:                `400 Missing required field: partner_id`,
		`{"partner_id": 1}`: `400 Missing required field: order_lines`,
		`{"partner_id": null, "order_lines": [{"product_id": 1}]}`:                       `400 Missing required field: partner_id`,
		`{"partner_id": 99, "order_lines": [{"product_id": 1}]}`:                         `422 partner_id refers to res.partner 99, which does not exist`,
		`{"partner_id": "1", "order_lines": [{"product_id": 1}]}`:                        `400 partner_id must be the id of a record, {"id": …} or null`,
		`{"partner_id": 1, "order_lines": []}`:                                           `400 order_lines must be a non-empty list of objects`,
		`{"partner_id": 1, "order_lines": null}`:                                         `400 order_lines must be a non-empty list of objects`,
		`{"partner_id": 1, "order_lines": {"product_id": 1}}`:                            `400 order_lines must be a non-empty list of objects`,
		`{"partner_id": 1, "order_lines": [1]}`:                                          `400 order_lines[0] must be an object`,
		`{"partner_id": 1, "order_lines": [{}]}`:                                         `400 Missing required field: order_lines[0].product_id`,
		`{"partner_id": 1, "order_lines": [{"product_id": 1}, {"product_id": 98}]}`:      `422 order_lines[1].product_id refers to product.product 98, which does not exist`,
		`{"partner_id": 1, "order_lines": [{"product_id": 1, "product_qty": 0}]}`:        `422 order_lines[0].product_qty must be greater than 0`,
		`{"partner_id": 1, "order_lines": [{"product_id": 1, "product_qty": -1}]}`:       `422 order_lines[0].product_qty must be greater than 0`,
		`{"partner_id": 1, "order_lines": [{"product_id": 1, "product_qty": null}]}`:     `422 order_lines[0].product_qty must be greater than 0`,
		`{"partner_id": 1, "order_lines": [{"product_id": 1, "product_qty": "two"}]}`:    `400 order_lines[0].product_qty must be a number`,
		`{"partner_id": 1, "order_lines": [{"product_id": 1, "price_unit": "free"}]}`:    `400 order_lines[0].price_unit must be a number`,
		`[{"partner_id": 1, "order_lines": [{"product_id": 1}]}, {"order_lines": [{}]}]`: `400 Missing required field: [1].partner_id`,
		`{"partner_id": 1, "order_lines": [{"product_id": 1, "qty": 0}]}`:                `422 order_lines[0].qty must be greater than 0`,
	} {
		a := h.send("all", "POST", "/api/v1/orders", body)
		if e := a.error(); fmt.Sprintf("%d %s", a.Code, e.Message) != message || e.Details == nil && a.Code != 400 {
			t.Errorf("%s: %d %s, want %s", body, a.Code, e.Message, message)
		}
	}
	if n := len(h.backend.rows["sale.order"]); n != 0 {
		t.Errorf("%d orders were made", n)
	}
}

// TestOrderLinesAreReplaced sends the new lines as a whole.
func TestOrderLinesAreReplaced(t *testing.T) {
	h := newHouse(t)
	id := order(t, h, `[{"product_id": 1, "product_qty": 1}, {"product_id": 1, "product_qty": 2}]`)
	other := order(t, h, `[{"product_id": 1, "product_qty": 9}]`)
	path := fmt.Sprintf("/api/v1/orders/%d", id)
	data, _, _ := h.send("all", "PUT", path, `{"order_lines": [{"id": 2, "product_qty": 5}, {"product_id": 1, "product_qty": 7}]}`).want(200, "").success()
	var got []string
	for _, line := range data.(map[string]any)["order_lines"].([]any) {
		got = append(got, fmt.Sprint(line.(map[string]any)["id"], "×", line.(map[string]any)["qty"]))
	}
	if want := []string{"2×5", "4×7"}; !reflect.DeepEqual(got, want) {
		t.Errorf("lines %v, want %v", got, want)
	}
	h.send("all", "PUT", path, `{"notes": "x"}`).want(200, "")
	if n := len(h.backend.rows["sale.order.line"]); n != 3 {
		t.Errorf("%d lines after a change of something else", n)
	}
	h.send("all", "PUT", path, `{"order_lines": [{"id": 3, "product_qty": 1}]}`).wantError(422, fault.Unprocessable, "order_lines[0].id is not the id of a line of this record")
	h.send("all", "PUT", path, `{"order_lines": [{"id": "2"}]}`).wantError(422, fault.Unprocessable, "order_lines[0].id is not the id of a line of this record")
	h.send("all", "PUT", path, `{"order_lines": [{"id": 2}, {"id": 2}]}`).wantError(400, fault.BadRequest, "order_lines[1].id is the id of a line that is given twice")
	h.send("all", "PUT", path, `{"order_lines": []}`).want(400, "")
	h.send("all", "PUT", path, `{"order_lines": [{"id": 2, "product_id": null}]}`).wantError(400, fault.BadRequest, "Missing required field: order_lines[0].product_id")
	h.send("all", "PUT", "/api/v1/orders/99", `{"order_lines": [{"product_id": 1}]}`).wantError(404, fault.NotFound, "Order 99 not found")
	if h.backend.rows["sale.order.line"][3]["order_id"] != other {
		t.Error("a line of another order was touched")
	}
}

func TestResourceLists(t *testing.T) {
	h := newHouse(t)
	h.backend.put("product.template", map[string]any{"name": "50% off_er", "type": "service", "is_storable": false, "list_price": 5.0, "active": true, "categ_id": int64(1)})
	h.backend.put("product.template", map[string]any{"name": "Old desk", "type": "consu", "is_storable": false, "active": false, "barcode": "123"})
	h.backend.put("sale.order", map[string]any{"name": "S7", "partner_id": int64(1), "state": "sale", "date_order": "2026-02-01 08:00:00"})
	for query, want := range map[string]string{
		"products":                                      "1 2",
		"products?search=DESK":                          "1",
		"products?search=50%25+off_":                    "2",
		"products?search=5_%25":                         "",
		"products?search=":                              "1 2",
		"products?active=false":                         "3",
		"products?active_test=false":                    "1 2 3",
		"products?type=product":                         "1",
		"products?type=consu&active=false":              "3",
		"products?type=service":                         "2",
		"products?list_price=79.99":                     "1",
		"products?categ_id=1":                           "2",
		"products?categ_id=":                            "1",
		"products?active=false&barcode=123":             "3",
		"products?barcode=":                             "1 2",
		"products?id=2":                                 "2",
		"products?order=name+desc":                      "2 1",
		"products?order=list_price,type+asc":            "1 2",
		"products?limit=1&offset=1":                     "2",
		"products?page=2&per_page=1":                    "2",
		"products?page=9":                               "",
		"products?search=desk&type=service":             "",
		"orders?date_order=2026-02-01":                  "1",
		"orders?date_order=2026-02-02":                  "",
		"orders?date_order=2026-02-01T09:00:00%2B01:00": "1",
		"orders?state=sale&partner_id=1":                "1",
		"orders?warehouse_id=":                          "1",
		"orders?warehouse_id=5":                         "",
	} {
		data, _, _ := h.send("all", "GET", "/api/v1/"+query, "").want(200, "").success()
		var ids []string
		for _, record := range data.([]any) {
			ids = append(ids, fmt.Sprint(record.(map[string]any)["id"]))
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	_, _, meta := h.send("all", "GET", "/api/v1/products?page=2&per_page=1", "").success()
	if want := map[string]any{"total": 2.0, "limit": 1.0, "offset": 1.0, "count": 1.0, "page": 2.0, "per_page": 1.0, "pages": 2.0, "next_cursor": nil}; !reflect.DeepEqual(meta, want) {
		t.Errorf("%v", meta)
	}
}

func TestResourceListsRefuse(t *testing.T) {
	h := newHouse(t)
	for query, message := range map[string]string{
		"products?colour=red":                                "Unknown parameter: colour",
		"products?domain=[]":                                 "Unknown parameter: domain",
		"products?list_prise=1":                              "Unknown parameter: list_prise. Did you mean list_price?",
		"products?active=maybe":                              "Invalid parameter active: must be true or false",
		"products?active=":                                   "Invalid parameter active: must be true or false",
		"products?list_price=cheap":                          "Invalid parameter list_price: must be a number",
		"products?list_price=NaN":                            "Invalid parameter list_price: must be a number",
		"products?categ_id=0":                                "Invalid parameter categ_id: must be the id of a record",
		"products?categ_id=-1":                               "Invalid parameter categ_id: must be the id of a record",
		"products?categ_id=99999999999":                      "Invalid parameter categ_id: must be the id of a record",
		"products?id=x":                                      "Invalid parameter id: must be a whole number",
		"products?type=combo":                                "Invalid parameter type: must be one of: consu, service, product",
		"products?page=1&limit=1":                            "Use either page and per_page, or limit and offset, not both",
		"products?order=colour":                              "Invalid parameter order: unknown field colour",
		"products?order=nme":                                 "Invalid parameter order: unknown field nme. Did you mean name?",
		"products?order=name+up":                             `Invalid parameter order: must be like name asc, id desc; "up" is neither asc nor desc`,
		"products?order=name+asc+x":                          "Invalid parameter order: must be like name asc, id desc",
		"products?order=,":                                   "Invalid parameter order: must be like name asc, id desc",
		"products?order=" + strings.Repeat("id,", 10) + "id": "Invalid parameter order: names more than 10 fields",
		"orders?order=order_lines":                           "Invalid parameter order: unknown field order_lines",
		"orders?order_lines=1":                               "Unknown parameter: order_lines",
		"orders?state=sent":                                  "Invalid parameter state: must be one of: draft, sale, cancel",
		"orders?date_order=yesterday":                        "Invalid parameter date_order: must be a day or a moment like 2026-01-31T10:30:00Z",
		"orders?date_order=2026-02-30":                       "Invalid parameter date_order: must be a day or a moment like 2026-01-31T10:30:00Z",
	} {
		h.send("all", "GET", "/api/v1/"+query, "").wantError(400, fault.BadRequest, message)
	}
}

// TestResourceOfSomeRecords declares a resource with a domain.
func TestResourceOfSomeRecords(t *testing.T) {
	h := newHouse(t, func(h *house) {
		h.deps.Resources = []Resource{{
			Name: "companies", Label: "Company", Model: "res.partner", Domain: `[("is_company", "=", True)]`,
			Fields:  []ResourceField{{Name: "id", OutOnly: true}, {Name: "title", Field: "name", Required: true}, {Name: "not_there", Field: "x_gone"}},
			Actions: []ResourceAction{{Name: "boom", Method: "boom", Past: "blown up"}},
		}}
	})
	h.send("all", "GET", "/api/v1/companies", "").want(200,
		`{"success":true,"data":[{"id":1,"title":"Acme Corp","not_there":null}],"meta":{"total":1,"limit":80,"offset":0,"count":1,"next_cursor":null}}`)
	h.send("all", "GET", "/api/v1/companies/1", "").want(200, `{"success":true,"data":{"id":1,"title":"Acme Corp","not_there":null}}`)
	h.send("all", "GET", "/api/v1/companies?title=Acme+Corp&not_there=", "").want(200, "")
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		h.send("all", method, "/api/v1/companies/2", `{"title": "x"}`).wantError(404, fault.NotFound, "Company 2 not found")
	}
	h.send("all", "POST", "/api/v1/companies/2/boom", "").wantError(404, fault.NotFound, "Company 2 not found")
	h.send("all", "POST", "/api/v1/companies/1/boom", "").want(500, "")
	h.send("all", "PUT", "/api/v1/companies/1", `{"title": "Acme", "name": "no", "not_there": 5}`).want(200,
		`{"success":true,"data":{"id":1,"title":"Acme","not_there":null},"message":"Company updated successfully","meta":{"ignored_fields":["name","not_there"]}}`)
	h.send("all", "DELETE", "/api/v1/companies/1", "").want(200, `{"success":true,"data":{"id":1},"message":"Company deleted successfully"}`)
	h.send("all", "GET", "/api/v1/orders", "").wantError(404, fault.NotFound, "Unknown model: orders. Did you mean ?")
}

func FuzzResourceQuery(f *testing.F) {
	for _, seed := range []string{"order=name desc", "search=50%", "date_order=2026-01-01", "partner_id=1&state=", "page=2"} {
		f.Add(seed)
	}
	h := newHouse(f, func(h *house) { h.deps.Observer = nil })
	h.backend.put("sale.order", map[string]any{"name": "S7", "partner_id": int64(1), "state": "sale", "date_order": "2026-02-01 08:00:00"})
	f.Fuzz(func(t *testing.T, query string) {
		h.t = t
		u := url.URL{Path: "/api/v1/orders", RawQuery: strings.NewReplacer("#", "", " ", "+").Replace(query)}
		if _, err := url.Parse(u.String()); err != nil || strings.ContainsFunc(u.String(), func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return
		}
		if a := h.send("all", "GET", u.String(), ""); a.Code != 200 && a.Code != 400 {
			t.Fatalf("%q: %d %s", query, a.Code, a.Body)
		}
	})
}

// Before Odoo 18 a product that is tracked in stock has a type of its own.
func TestChoicesOfOlderModels(t *testing.T) {
	older := (&schema.Model{Name: "product.template", Fields: []*schema.Field{schema.NewSelection("type", "Type", "product", "Storable")}}).Finish()
	newer := (&schema.Model{Name: "product.template", Fields: append(older.Fields, schema.NewBoolean("is_storable", "Tracked"))}).Finish()
	for _, c := range []struct {
		model *schema.Model
		word  string
		want  map[string]any
	}{
		{newer, "product", map[string]any{"type": "consu", "is_storable": true}},
		{older, "product", map[string]any{"type": "product"}},
		{newer, "service", map[string]any{"type": "service", "is_storable": false}},
		{older, "service", map[string]any{"type": "service"}},
	} {
		resource := products()
		field := resource.find("type")
		for i := range field.Choices {
			if field.Choices[i].Name != c.word {
				continue
			}
			if got := field.Choices[i].of(c.model); !maps.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", c.word, got, c.want)
			}
		}
	}
}
