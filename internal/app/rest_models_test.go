package app

import (
	"strings"
	"testing"
)

func TestModelsOfTheCaller(t *testing.T) {
	onSources(t, func(t *testing.T, g *gate) {
		list := func(query string, key []string) string {
			var out []string
			for _, v := range g.send("GET", "/api/v1/models"+query, "", key...).want(200).at("data").([]any) {
				m := v.(map[string]any)
				text := m["name"].(string) + " " + m["label"].(string)
				for _, right := range []string{"read", "create", "write", "delete"} {
					if m["access"].(map[string]any)[right] == true {
						text += " " + right
					}
				}
				out = append(out, text)
			}
			return strings.Join(out, "; ")
		}
		if got := list("?search=RES.COUNTRY", g.all()); got != "res.country Country read create write delete; res.country.state Country state read create write delete" {
			t.Error(got)
		}
		if got := list("?search=quotation", g.all()); got != "" {
			t.Error(got)
		}
		if all := list("", g.all()); !strings.Contains(all, "gateway.key") || !strings.Contains(all, "sale.order Sales Order read") {
			t.Error(all)
		}
		ann := g.person("ann", "base.group_user")
		if got := list("?search=sale", g.key(ann, "read")); strings.Contains(got, "sale.order ") {
			t.Error(got)
		}
		if all := list("", g.key(2, "read,write")); strings.Contains(all, "gateway.") || strings.Contains(all, "delete") || !strings.Contains(all, "res.partner Contact read create write;") {
			t.Error(all)
		}
		if got := list("", g.key(2, "res.country:read,crm.*:write")); !strings.HasPrefix(got, "crm.lead ") {
			t.Error(got)
		}
		g.send("GET", "/api/v1/models", "", g.key(2, "products_read")...).want(403)

		m := g.send("GET", "/api/v1/models/sale.order", "", g.all()...).want(200)
		if m.at("data", "fields", "partner_id", "relation") != "res.partner" || m.at("data", "fields", "partner_id", "type") != "many2one" ||
			m.at("data", "fields", "partner_id", "required") != true || m.at("data", "fields", "amount_total", "readonly") != true ||
			m.at("data", "fields", "state", "selection").([]any)[0].([]any)[0] != "draft" || m.at("data", "name") != "sale.order" || m.at("data", "access", "delete") != true {
			t.Error(m.raw)
		}
		g.send("GET", "/api/v1/models/res.users", "", g.all()...).want(200).lacks(`"password":{`)
		g.send("GET", "/api/v1/models/sale.order", "", g.key(ann, "read")...).want(404)
		g.send("GET", "/api/v1/models/res.partnr", "", g.all()...).want(404)
		g.send("GET", "/api/v1/models/sale.order", "", g.key(2, "res.partner:read")...).want(403)
		g.send("GET", "/api/v1/models/gateway.key", "", g.key(2, "read")...).want(404)
		g.send("GET", "/api/v1/models?nothing=1", "", g.all()...).want(400)
	})
}
