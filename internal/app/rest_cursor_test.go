package app

import (
	"fmt"
	"strings"
	"testing"
)

func TestCursorsOverHTTP(t *testing.T) {
	onSources(t, func(t *testing.T, g *gate) {
		other := g.person("bob", "base.group_user")
		for i := range 7 {
			g.make("res.partner", fmt.Sprintf(`{"name":"cursor %d","email":%q}`, i, []string{"", "a@example.com", "b@example.com"}[i%3]))
			g.make("res.partner", `{"name":"other"}`)
		}
		for _, list := range []string{
			`res.partner?fields=name&order=email+desc,name&domain=[["name","like","cursor"]]`,
			`customers?search=cursor&order=email,name+desc`,
			`customers?search=cursor`,
		} {
			var whole, paged []string
			for _, row := range g.send("GET", "/api/v1/"+list, "", g.all()...).want(200).at("data").([]any) {
				whole = append(whole, fmt.Sprint(row.(map[string]any)["name"]))
			}
			cursor, totals := "", []any{}
			for page := 0; page == 0 || cursor != ""; page++ {
				a := g.send("GET", "/api/v1/"+list+"&limit=3&cursor="+cursor, "", g.all()...).want(200)
				for _, row := range a.at("data").([]any) {
					paged = append(paged, fmt.Sprint(row.(map[string]any)["name"]))
				}
				totals = append(totals, a.at("meta", "total"))
				cursor, _ = a.at("meta", "next_cursor").(string)
			}
			if strings.Join(whole, " ") != strings.Join(paged, " ") || len(paged) != 7 || fmt.Sprint(totals) != "[7 <nil> <nil>]" {
				t.Errorf("%s: %v, want %v (totals %v)", list, paged, whole, totals)
			}
			a := g.send("GET", "/api/v1/"+list+"&limit=3", "", g.all()...).want(200)
			next := a.at("meta", "next_cursor").(string)
			if total := g.send("GET", "/api/v1/"+list+"&limit=3&count=exact&cursor="+next, "", g.all()...).want(200).at("meta", "total"); total != 7.0 {
				t.Error(total)
			}
			for _, bad := range []string{"&offset=3", "&active_test=false", "x"} {
				g.send("GET", "/api/v1/"+list+"&limit=3&cursor="+next+bad, "", g.all()...).want(400)
			}
			g.send("GET", "/api/v1/"+list+"&limit=3&cursor="+next, "", g.key(other, "read")...).want(400)
		}
		g.send("GET", "/api/v1/customers?page=2&cursor=", "", g.all()...).want(400)
	})
}
