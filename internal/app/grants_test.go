package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestFewScopesGiveNoRights: a credential without the scope admin, whose user
// is an administrator, does not give itself or others what it lacks, whichever
// way it takes; the rest of a user's record it may change.
func TestFewScopesGiveNoRights(t *testing.T) {
	a, h := start(t)
	unlimited(t, a)
	admin := login(t, h, "admin", "secret")
	ann := admin.do("POST", "res.users?fields=partner_id", `{"name":"Ann","login":"ann","password":"ann's secret"}`, 201)["data"].(map[string]any)
	user := fmt.Sprint(ann["id"])
	field := admin.do("POST", "ir.model.fields", fmt.Sprintf(
		`{"name":"x_owner_login","model_id":%v,"ttype":"char","related":"user_id.login","readonly":false,"field_description":"x"}`,
		admin.rows(`ir.model?domain=[["model","=","res.partner"]]&fields=id`)[0]["id"]), 201)
	if field["data"] == nil {
		t.Fatal(field)
	}
	partner := fmt.Sprint(admin.do("POST", "res.partner", `{"name":"P","user_id":`+user+`}`, 201)["data"].(map[string]any)["id"])
	group := fmt.Sprint(admin.do("POST", "res.groups", `{"name":"G"}`, 201)["data"].(map[string]any)["id"])
	system := fmt.Sprint(admin.rows(`ir.model.data?domain=[["name","=","group_system"]]&fields=res_id`)[0]["res_id"])
	right := fmt.Sprint(admin.rows(`ir.model.access?limit=1&fields=id`)[0]["id"])
	rule := fmt.Sprint(admin.rows(`ir.rule?limit=1&fields=id`)[0]["id"])
	model := fmt.Sprint(admin.rows(`ir.model?domain=[["model","=","res.partner"]]&fields=id`)[0]["id"])

	attacks := [][3]string{
		{"PATCH", "res.users/2", `{"password":"taken over"}`},
		{"PUT", "res.users/" + user, `{"name":"x","password":"taken over"}`},
		{"PATCH", "res.users/" + user, `{"login":"root"}`},
		{"PATCH", "res.users/" + user, `{"active":false}`},
		{"PATCH", "res.users/" + user, `{"group_ids":[[4,` + system + `]]}`},
		{"PATCH", "res.users/" + user, `{"group_ids":[` + system + `]}`},
		{"PATCH", "res.users/" + user, `{"company_ids":[[5]]}`},
		{"POST", "res.users", `{"name":"Eve","login":"eve","password":"eve's secret"}`},
		{"POST", "res.users", `[{"name":"Eve","login":"eve"},{"name":"Bob","login":"bob"}]`},
		{"POST", "res.users", `{"name":"Eve"}`},
		{"POST", "res.users/name_create", `{"name":"eve"}`},
		{"POST", "res.users/" + user + "/copy", `{"default":{"login":"eve"}}`},
		{"POST", "res.users/" + user + "/action_archive", `{}`},
		{"POST", "res.users/action_archive", `{"ids":[` + user + `]}`},
		{"POST", "res.users/" + user + "/action_unarchive", `{}`},
		{"PATCH", "res.partner/" + partner, `{"user_ids":[[0,0,{"name":"Eve","login":"eve"}]]}`},
		{"PATCH", "res.partner/" + fmt.Sprint(partnerOf(ann)), `{"user_ids":[[1,` + user + `,{"password":"taken over"}]]}`},
		{"POST", "res.partner", `{"name":"Q","child_ids":[[0,0,{"name":"R","user_ids":[[0,0,{"name":"Eve","login":"eve"}]]}]]}`},
		{"PATCH", "res.partner/" + partner, `{"x_owner_login":"root"}`},
		{"PATCH", "res.company/1", `{"user_ids":[[3,` + user + `]]}`},
		{"POST", "res.company", `{"name":"C","user_ids":[[4,` + user + `]]}`},
		{"POST", "res.groups", `{"name":"H"}`},
		{"POST", "res.groups/name_create", `{"name":"H"}`},
		{"POST", "res.groups/" + group + "/copy", `{}`},
		{"PATCH", "res.groups/" + group, `{"user_ids":[[4,` + user + `]]}`},
		{"PATCH", "res.groups/" + group, `{"implied_ids":[[4,` + system + `]]}`},
		{"DELETE", "res.groups/" + group, ``},
		{"POST", "res.groups/" + group + "/update_field_translations", `{"field_name":"name","translations":{"en_US":"x"}}`},
		{"POST", "res.groups.privilege", `{"name":"V","group_ids":[[0,0,{"name":"H"}]]}`},
		{"POST", "ir.model.access", `{"name":"all","model_id":` + model + `,"perm_read":true}`},
		{"PATCH", "ir.model.access/" + right, `{"perm_unlink":true}`},
		{"DELETE", "ir.model.access/" + right, ``},
		{"POST", "ir.rule", `{"name":"all","model_id":` + model + `,"domain_force":"[]"}`},
		{"PATCH", "ir.rule/" + rule, `{"active":false}`},
		{"DELETE", "ir.rule/" + rule, ``},
		{"PATCH", "ir.model/" + model, `{"access_ids":[[0,0,{"name":"all","perm_read":true}]]}`},
		{"POST", "ir.model.data", `{"module":"base","name":"mine","model":"res.groups","res_id":` + group + `}`},
	}
	client := clientOf(t, h, admin, "*:read,*:write,*:delete")
	for _, p := range []person{withKey(t, h, admin, 2, "read,write,delete"), withKey(t, h, admin, 2, "*:read,*:write,*:delete"), client} {
		for _, try := range attacks {
			status, answer := send(t, h, try[0], "/api/v1/"+try[1], try[2], p.header...)
			failed, _ := answer["error"].(map[string]any)
			if message, _ := failed["message"].(string); status != 403 || !strings.HasSuffix(message, "Missing scope: admin") {
				t.Errorf("%s %s %s: %d %v", try[0], try[1], try[2], status, answer)
			}
		}
		p.do("PATCH", "res.users/"+user, `{"name":"Ann B","lang":"en_US","tz":"Europe/Brussels","email":"ann@example.com"}`, 200)
		p.do("PATCH", "res.partner/"+partner, `{"name":"P2","user_id":2}`, 200)
		p.do("PATCH", "res.partner/"+partner, `{"user_id":`+user+`}`, 200)
		p.do("GET", "res.groups/"+group, "", 200)
		p.do("POST", "res.groups/search_count", `{}`, 200)
	}
	made := withKey(t, h, admin, 2, "read,write,delete").do("POST", "res.company", `{"name":"Another"}`, 201)
	if made["data"] == nil {
		t.Errorf("a company, whose users are linked to it by itself: %v", made)
	}
	login(t, h, "ann", "ann's secret") // nothing of it was done
	login(t, h, "admin", "secret")

	all := withKey(t, h, admin, 2, "read,write,delete,admin")
	all.do("PATCH", "res.users/"+user, `{"group_ids":[[4,`+group+`]],"password":"a new secret"}`, 200)
	all.do("DELETE", "ir.rule/"+rule, "", 200)
	login(t, h, "ann", "a new secret")
}

func partnerOf(user map[string]any) any {
	if partner, ok := user["partner_id"].(map[string]any); ok {
		return partner["id"]
	}
	return user["partner_id"]
}

// clientOf is an OAuth2 client of the administrator, with a token.
func clientOf(t *testing.T, h http.Handler, admin person, scopes string) person {
	t.Helper()
	made := admin.do("POST", "gateway.client", fmt.Sprintf(`{"name":"c","user_id":2,"scopes":%q}`, scopes), 201)["data"].(map[string]any)
	status, token := send(t, h, "POST", "/api/oauth/token", grant, "Content-Type", "application/x-www-form-urlencoded",
		"Authorization", basic(made["client_id"].(string), made["secret"].(string)))
	if status != 200 {
		t.Fatalf("token: %d %v", status, token)
	}
	return person{t, h, []string{"Authorization", "Bearer " + token["access_token"].(string)}}
}
