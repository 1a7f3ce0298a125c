package app

import (
	"fmt"
	"testing"
)

func TestAggregate(t *testing.T) {
	onSources(t, func(t *testing.T, g *gate) {
		acme, zed := g.make("res.partner", `{"name":"Acme"}`), g.make("res.partner", `{"name":"Zed"}`)
		product := g.make("products", `{"name":"Desk","list_price":10,"type":"service"}`)
		variant := int64(g.send("GET", fmt.Sprintf(`/api/v1/product.product?fields=id&domain=[["product_tmpl_id","=",%d]]`, product), "", g.all()...).at("data").([]any)[0].(map[string]any)["id"].(float64))
		for _, order := range []struct {
			partner int64
			at      string
			price   string
		}{{acme, "2026-01-31 23:30:00", "10.25"}, {acme, "2026-01-05 10:00:00", "1.5"}, {zed, "2026-02-01 10:00:00", "100"}, {acme, "2026-02-28 10:00:00", "7"}} {
			g.make("sale.order", fmt.Sprintf(`{"partner_id":%d,"date_order":%q,"order_line":[{"product_id":%d,"price_unit":%s,"tax_ids":[]}]}`, order.partner, order.at, variant, order.price))
		}
		get := func(query string) *result {
			t.Helper()
			return g.send("GET", "/api/v1/sale.order/aggregate?"+query, "", g.all()...)
		}
		january := `"__range":{"date_order:month":{"from":"2026-01-01T00:00:00Z","to":"2026-02-01T00:00:00Z"}}`
		february := `"__range":{"date_order:month":{"from":"2026-02-01T00:00:00Z","to":"2026-03-01T00:00:00Z"}}`
		a, z := fmt.Sprintf(`"partner_id":{"id":%d,"name":"Acme"}`, acme), fmt.Sprintf(`"partner_id":{"id":%d,"name":"Zed"}`, zed)
		get("groupby=partner_id,date_order:month&aggregates=amount_total:sum,__count").is(
			`[{` + a + `,"date_order:month":"2026-01-01","amount_total:sum":11.75,"__count":2,` + january + `},` +
				`{` + a + `,"date_order:month":"2026-02-01","amount_total:sum":7,"__count":1,` + february + `},` +
				`{` + z + `,"date_order:month":"2026-02-01","amount_total:sum":100,"__count":1,` + february + `}]`)
		get("groupby=partner_id").is(`[{` + a + `,"__count":3},{` + z + `,"__count":1}]`)
		r := get("groupby=partner_id&limit=1&offset=1&order=partner_id+desc&aggregates=amount_total:max")
		r.is(`[{` + a + `,"amount_total:max":10.25}]`)
		if fmt.Sprint(r.at("meta")) != "map[count:1 limit:1 offset:1 total:2]" {
			t.Error(r.raw)
		}
		get(`groupby=partner_id&aggregates=amount_total:sum&having=[["amount_total:sum","%3E",50]]`).is(`[{` + z + `,"amount_total:sum":100}]`)
		get(`groupby=partner_id&having=["!",["amount_total:sum","%3E",50],["__count","=",3]]`).is(`[{` + a + `,"__count":3}]`)
		get("groupby=date_order:month&tz=Europe/Brussels").is(
			`[{"date_order:month":"2026-01-01","__count":1,"__range":{"date_order:month":{"from":"2025-12-31T23:00:00Z","to":"2026-01-31T23:00:00Z"}}},` +
				`{"date_order:month":"2026-02-01","__count":3,"__range":{"date_order:month":{"from":"2026-01-31T23:00:00Z","to":"2026-02-28T23:00:00Z"}}}]`)
		get("aggregates=amount_total:sum,amount_total:avg,__count,date_order:max").is(`[{"amount_total:sum":118.75,"amount_total:avg":29.6875,"__count":4,"date_order:max":"2026-02-28T10:00:00Z"}]`)
		get(`aggregates=amount_total:sum,amount_total:avg,__count&domain=[["id","=",0]]`).is(`[{"amount_total:sum":0,"amount_total:avg":null,"__count":0}]`)
		get(`groupby=state&domain=[["id","=",0]]`).is(`[]`)
		get("groupby=date_order:month_number,partner_id.is_company&aggregates=partner_id:count_distinct").is(
			`[{"date_order:month_number":1,"partner_id.is_company":false,"partner_id:count_distinct":1},{"date_order:month_number":2,"partner_id.is_company":false,"partner_id:count_distinct":2}]`)
		get("groupby=warehouse_id&domain=[[\"warehouse_id\",\"=\",false]]").want(200)
		for _, bad := range []string{
			"groupby=nothing", "groupby=partner_id.nam", "groupby=date_order:fortnight", "aggregates=amount_total:median", "aggregates=amount_total",
			"aggregates=name:sum", "aggregates=nothing:sum", "groupby=partner_id,partner_id", "groupby=state,", "order=state", "groupby=state&order=nothing",
			"groupby=state&having=x", `groupby=state&having=[["__count"]]`, `groupby=state&having=[["amount_total:median","=",1]]`, `groupby=state&having=["&",["__count","=",1]]`,
			`groupby=state&having=[["__count","like",1]]`, "fields=name", "groupby=state&limit=-1", `having=[["__count","=",1]]`, "groupby=message_ids:month", "domain=[[",
		} {
			get(bad).want(400)
		}
		narrow := g.key(2, "sale.order:read")
		g.send("GET", "/api/v1/sale.order/aggregate?groupby=partner_id", "", narrow...).want(200)
		g.send("GET", "/api/v1/sale.order/aggregate?groupby=partner_id.country_id", "", narrow...).want(403)
		g.send("GET", "/api/v1/sale.order/aggregate?groupby=partner_id", "", g.key(2, "res.partner:read")...).want(403)
		g.send("GET", "/api/v1/sale.order/aggregate?groupby=partner_id", "", g.key(g.person("ann", "base.group_user"), "read")...).want(404)
	})
}
