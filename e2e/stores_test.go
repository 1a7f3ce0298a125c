//go:build e2e

package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// varying is what may differ from run to run: moments, request ids, and ids
// and names of what came after the demo data, as PostgreSQL's sequences have
// gaps.
var varying = []struct {
	pattern *regexp.Regexp
	by      string
}{
	{regexp.MustCompile(`"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ| \d\d:\d\d:\d\d)?"`), `"moment"`},
	{regexp.MustCompile(`"request_id":"[^"]*"`), `"request_id":"?"`},
	{regexp.MustCompile(`"next_cursor":"[^"]*"`), `"next_cursor":"?"`},
	{regexp.MustCompile(`"id":\d{3,}`), `"id":"?"`},
	{regexp.MustCompile(`([\[,])\d{3,}`), `$1"?"`},
	{regexp.MustCompile(`"S002\d\d"`), `"S002??"`},
}

// normal is an answer without what may differ; made is the id of the record
// that the request is about, "" for none.
func normal(text, made string) string {
	if made != "" {
		text = strings.ReplaceAll(text, made, "{made}")
	}
	for _, v := range varying {
		text = v.pattern.ReplaceAllString(text, v.by)
	}
	return text
}

// Both stores answer the same. {made} is the id of the last record that the
// requests created.
func TestStoresAgree(t *testing.T) {
	requests := []struct{ login, method, path, body string }{
		{"admin", "GET", "res.partner?domain=[('is_company','=',True),('id','<=',100)]&order=name", ""},
		{"admin", "GET", "res.partner?domain=[('id','<=',100)]&fields=name,parent_id,child_ids&order=parent_id,name%20desc&limit=40", ""},
		{"admin", "GET", "res.partner?domain=[('name','ilike','A'),('id','<=',100)]&fields=display_name,complete_name&order=complete_name&values=odoo", ""},
		{"admin", "GET", "res.partner?domain=['|',('city','=',False),('country_id.code','in',['BE','DE']),('id','<=',100)]&fields=city,country_id&order=id", ""},
		{"admin", "GET", "res.partner?domain=[('id','<=',100)]&fields=id,name&order=city,id&offset=30&limit=30&count=none", ""},
		{"admin", "GET", "product.template?domain=[('id','<=',60)]&order=list_price%20desc,id", ""},
		{"admin", "GET", "product.product?domain=[('qty_available','>',100)]&fields=default_code,qty_available&order=default_code", ""},
		{"admin", "GET", "product.category?domain=[('id','child_of',1)]&fields=complete_name&order=complete_name", ""},
		{"admin", "GET", "sale.order?domain=[('id','<=',200)]&fields=name,amount_untaxed,amount_tax,amount_total,state&order=amount_total%20desc,id&limit=200", ""},
		{"admin", "GET", "sale.order?domain=[('order_line','any',[('product_id.default_code','=like','CHR%25')]),('id','<=',200)]&fields=name&order=name", ""},
		{"admin", "GET", "sale.order?domain=[('partner_id.name','not%20ilike','a'),('id','<=',200)]&fields=name,partner_id&order=partner_id,id", ""},
		{"admin", "GET", "res.country?limit=400&fields=code,name&order=name", ""},
		{"admin", "GET", "res.groups?fields=name,implied_ids&order=id", ""},
		{"admin", "GET", "ir.model?fields=model,name&domain=[('model','not%20like','x_')]&order=model", ""},
		{"demo-sales", "GET", "orders?page=2&per_page=7&order=name", ""},
		{"demo-manager", "GET", "products?search=desk&order=name", ""},
		{"demo-manager", "GET", "customers?is_company=true&order=name&limit=7", ""},
		{"demo-portal", "GET", "sale.order?fields=name,amount_total,state&order=id", ""},
		{"demo-company2", "GET", "sale.order?domain=[('id','<=',200)]&fields=name&order=id", ""},
		{"demo-user", "GET", "sale.order", ""},
		{"admin", "GET", "res.partner?domain=[('nam','=','x')]", ""},
		{"admin", "GET", "res.partner?domain=[('name','=','x'", ""},
		{"admin", "GET", "res.partner?domain=[('name','~','x')]", ""},
		{"admin", "GET", "res.partner?domain=[('id','=',99999999999999999999)]", ""},
		{"admin", "GET", "res.partner?domain=[('name','ilike','100%25_\\\\')]", ""},
		{"admin", "GET", "res.partner?order=nam", ""},
		{"admin", "GET", "res.partner?limit=-1", ""},
		{"admin", "GET", "res.partner/999999", ""},
		{"admin", "GET", "res.partner/x", ""},
		{"admin", "POST", "res.partner?fields=name,email,active,child_ids", `{"name": "Ünïcode ☃ 漢字", "child_ids": [{"name": "Kid"}]}`},
		{"admin", "PATCH", "res.partner/{made}?fields=name,comment", `{"comment": "<p>ok</p><script>alert(1)</script>"}`},
		{"admin", "POST", "res.partner/{made}/copy", ""},
		{"admin", "PATCH", "res.partner/{made}", `{"parent_id": {made}}`},
		{"admin", "PATCH", "res.partner/{made}", `{"country_id": 99999}`},
		{"admin", "PATCH", "res.partner/{made}", `{"type": "castle", "is_company": "maybe"}`},
		{"admin", "DELETE", "res.partner/{made}", ""},
		{"admin", "GET", "res.partner/{made}", ""},
		{"admin", "POST", "res.partner", `[{"name": "One"}, {"email": "nobody"}]`},
		{"admin", "POST", "res.partner", `{"name": null}`},
		{"admin", "POST", "res.country", `{"name": "Again", "code": "BE"}`},
		{"admin", "POST", "res.users", `{"login": "demo-user", "name": "Twice"}`},
		{"admin", "DELETE", "res.country/21", ""},
		{"admin", "DELETE", "res.company/1", ""},
		{"demo-manager", "POST", "customers", `{"name": "Mail", "email": "no address", "colour": "red"}`},
		{"demo-manager", "POST", "orders", `{"partner_id": 20, "order_lines": [{"product_id": 5, "product_qty": 3}, {"product_id": 9, "price_unit": 0.333}], "x": 1}`},
		{"demo-manager", "PATCH", "orders/{made}", `{"order_lines": [{"product_id": 5, "product_qty": 1.5}]}`},
		{"demo-manager", "POST", "orders/{made}/confirm", ""},
		{"demo-manager", "POST", "orders/{made}/confirm", ""},
		{"demo-manager", "DELETE", "orders/{made}", ""},
		{"demo-manager", "POST", "orders", `{"partner_id": 999999, "order_lines": [{"product_id": 888888}]}`},
		{"demo-manager", "POST", "orders", `{"partner_id": 20, "order_lines": []}`},
		{"admin", "POST", "sale.order/1/no_such_method", ""},
		{"admin", "POST", "res.partner/name_search", `{"name": "lind", "limit": 3}`},
		{"admin", "GET", "settings", ""},
	}
	servers := map[string]*server{}
	made := map[string]string{}
	for _, store := range stores {
		servers[store] = shared(t, store)
	}
	for _, r := range requests {
		answers := map[string]*answer{}
		for _, store := range stores {
			put := func(text string) string { return strings.ReplaceAll(text, "{made}", made[store]) }
			c := servers[store].as(t, r.login)
			if r.body == "" {
				answers[store] = c.do(r.method, put(r.path), nil)
			} else {
				answers[store] = c.do(r.method, put(r.path), put(r.body))
			}
			if a := answers[store]; a.status == 201 && a.text("data.id") != "" {
				made[store] = a.text("data.id")
			}
		}
		a, b := answers[stores[0]], answers[stores[1]]
		if a.status != b.status || normal(a.raw, made[stores[0]]) != normal(b.raw, made[stores[1]]) {
			t.Errorf("%s %s %s as %s:\n%s: %d %s\n%s: %d %s", r.method, r.path, r.body, r.login,
				stores[0], a.status, a.raw, stores[1], b.status, b.raw)
		}
	}
}
