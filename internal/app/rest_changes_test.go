package app

import (
	"fmt"
	"regexp"
	"testing"
)

func TestChangesOverHTTP(t *testing.T) {
	onStores(t, func(t *testing.T, g *gate) {
		changes := func(since string) *result {
			return g.send("GET", "/api/v1/res.partner/changes?limit=2&since="+since, "", g.all()...).want(200)
		}
		next := func(r *result) string { return r.at("meta", "next_cursor").(string) }
		a := changes("")
		a.is(`[]`)
		one, two := g.make("res.partner", `{"name":"one"}`), g.make("res.partner", `{"name":"two"}`)
		g.send("PATCH", fmt.Sprintf("/api/v1/res.partner/%d", one), `{"active":false}`, g.all()...).want(200)
		three := g.make("res.partner", `{"name":"three"}`)
		g.send("DELETE", fmt.Sprintf("/api/v1/res.partner/%d", three), "", g.all()...).want(200)
		r := changes(next(a))
		shape := regexp.MustCompile(`^\[\{"id":(\d+),"action":"created","at":"20\d\d-[-\d]+T[:\d]+(\.\d+)?Z"\},\{"id":(\d+),"action":"created","at":"[^"]+"\}\]$`)
		if found := shape.FindStringSubmatch(r.data()); found == nil || found[1] != fmt.Sprint(one) || found[3] != fmt.Sprint(two) || r.at("meta", "more") != true {
			t.Error(r.raw)
		}
		rest := changes(next(r))
		if data := rest.at("data").([]any); len(data) != 1 || data[0].(map[string]any)["action"] != "deleted" || data[0].(map[string]any)["id"] != float64(three) || rest.at("meta", "more") != false {
			t.Error(rest.raw)
		}
		changes(next(rest)).is(`[]`)
		g.send("GET", "/api/v1/res.partner/changes?since=x", "", g.all()...).want(400)
		g.send("GET", "/api/v1/gateway.key/changes", "", g.all()...).want(422)
		g.send("GET", "/api/v1/res.partner/changes", "", g.key(2, "products_read")...).want(403)
		g.send("GET", "/api/v1/res.nothing/changes", "", g.all()...).want(404)
	})
}
