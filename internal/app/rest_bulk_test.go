package app

import (
	"fmt"
	"strings"
	"testing"
)

func TestBulkChanges(t *testing.T) {
	onSources(t, func(t *testing.T, g *gate) {
		var ids []string
		for i := range 4 {
			ids = append(ids, fmt.Sprint(g.make("res.partner", fmt.Sprintf(`{"name":"bulk %d","ref":"bulk","active":%v}`, i, i < 3))))
		}
		const all = `/api/v1/res.partner?domain=[["ref","=","bulk"]]`
		names := func() string {
			var out []string
			for _, row := range g.send("GET", all+"&fields=name,function&order=id&active_test=false", "", g.all()...).want(200).at("data").([]any) {
				out = append(out, fmt.Sprint(row.(map[string]any)["function"]))
			}
			return strings.Join(out, " ")
		}
		for path, message := range map[string]string{
			"/api/v1/res.partner":                            "Missing parameter domain",
			"/api/v1/res.partner?domain=":                    "Missing parameter domain",
			"/api/v1/res.partner?domain=[]":                  "Missing parameter domain",
			"/api/v1/res.partner?domain=%20[%20]%20":         "Missing parameter domain",
			"/api/v1/res.partner?domain=[[\"nme\",\"=\",1]]": "",
			"/api/v1/res.partner?domain=[(":                  "Invalid domain",
			all + "&max_affected=0":                          "Invalid parameter max_affected",
			all + "&max_affected=100001":                     "Invalid parameter max_affected",
			all + "&limit=1":                                 "Unknown parameter: limit",
		} {
			for _, a := range []*result{g.send("PATCH", path, `{"function":"x"}`, g.all()...), g.send("DELETE", path, "", g.all()...)} {
				if text, _ := a.want(400).at("error", "message").(string); !strings.HasPrefix(text, message) {
					t.Errorf("%s: %s", a.what, text)
				}
			}
		}
		g.send("PATCH", all, `{"function":{"a":1}}`, g.all()...).want(400)
		g.send("PATCH", all, `{"nothing":1}`, g.all()...).want(400)
		for _, a := range []*result{g.send("PATCH", all+"&max_affected=2", `{"function":"x"}`, g.all()...), g.send("DELETE", all+"&max_affected=2", "", g.all()...)} {
			if text := a.want(422).raw; !strings.Contains(text, "finds 3 records") || !strings.Contains(text, `"affected":3`) {
				t.Error(text)
			}
		}
		if got := names(); got != "<nil> <nil> <nil> <nil>" {
			t.Error(got)
		}
		if a := g.send("PATCH", all+"&max_affected=3", `{"function":"x"}`, g.all()...); a.data() != fmt.Sprintf(`{"count":3,"ids":[%s]}`, strings.Join(ids[:3], ",")) ||
			a.at("message") != "3 records updated successfully" {
			t.Error(a.raw)
		}
		g.send("PATCH", all+"&active_test=false", `{"function":"y"}`, g.all()...).want(200)
		g.send("PATCH", `/api/v1/res.partner?domain=[["ref","=","none"]]`, `{"function":"z"}`, g.all()...).is(`{"count":0,"ids":[]}`)
		if got := names(); got != "y y y y" {
			t.Error(got)
		}

		// Rules: one that hides, and one that lets him see and not write.
		ann := g.key(g.person("ann", "base.group_user", "base.group_partner_manager"), "read,write,delete")
		model := int64(g.send("GET", `/api/v1/ir.model?fields=id&domain=[["model","=","res.partner"]]`, "", g.all()...).at("data").([]any)[0].(map[string]any)["id"].(float64))
		g.make("ir.rule", fmt.Sprintf(`{"name":"hides","model_id":%d,"domain_force":"[('id','!=',%s)]"}`, model, ids[0]))
		a := g.send("PATCH", all, `{"function":"ann"}`, ann...).want(200)
		if a.data() != fmt.Sprintf(`{"count":2,"ids":[%s]}`, strings.Join(ids[1:3], ",")) {
			t.Error(a.raw)
		}
		g.make("ir.rule", fmt.Sprintf(`{"name":"keeps","model_id":%d,"domain_force":"[('id','!=',%s)]","perm_read":false,"perm_create":false}`, model, ids[2]))
		g.send("PATCH", all, `{"function":"no"}`, ann...).want(403)
		g.send("DELETE", all, "", ann...).want(403)
		g.send("PATCH", all, `{"function":"no"}`, g.key(2, "read")...).want(403)
		g.send("DELETE", all, "", g.key(2, "read,write")...).want(403)
		if got := names(); got != "ann ann y" {
			t.Error(got)
		}
		g.send("DELETE", all+"&active_test=false", "", g.key(2, "res.partner:delete,res.partner:read")...).want(403) // the rules hold for the administrator too
		g.send("DELETE", fmt.Sprintf(`/api/v1/res.partner?domain=[["id","in",[%s,%s]]]&active_test=false`, ids[1], ids[3]), "", ann...).is(fmt.Sprintf(`{"count":2,"ids":[%s,%s]}`, ids[1], ids[3]))
	})
}
