package app

import (
	"fmt"
	"strings"
	"testing"
)

// as gives the headers of a credential: a key with the given scopes, of a user.
func (g *gate) key(user int64, scopes string) []string {
	g.t.Helper()
	body := fmt.Sprintf(`{"name":"k","user_id":%d,"scopes":%q}`, user, scopes)
	if who, theirs := g.people[user]; theirs {
		body = fmt.Sprintf(`{"name":"k","user_id":2,"scopes":%q,"odoo_login":%q,"odoo_key":%q}`, scopes, who.Login, who.Key)
	}
	made := g.send("POST", "/api/v1/gateway.key", body,
		"Authorization", "Bearer "+g.admin).want(201)
	return []string{"X-API-Key", made.at("data", "key").(string)}
}

// all is the administrator with all rights.
func (g *gate) all() []string { return []string{"Authorization", "Bearer " + g.admin} }

// person makes an internal user of the given groups and gives his id.
func (g *gate) person(login string, groups ...string) int64 {
	g.t.Helper()
	if g.odoo != nil {
		id := g.odoo.person(login, groups...)
		g.join(id, login)
		return id
	}
	ids := []string{}
	for _, group := range groups {
		module, name, _ := strings.Cut(group, ".")
		found := g.send("GET", `/api/v1/ir.model.data?fields=res_id&domain=[["module","=","`+module+`"],["name","=","`+name+`"]]`, "", g.all()...).want(200)
		ids = append(ids, fmt.Sprint(found.at("data").([]any)[0].(map[string]any)["res_id"]))
	}
	made := g.send("POST", "/api/v1/res.users", fmt.Sprintf(`{"name":%q,"login":%q,"group_ids":[%s]}`, login, login, strings.Join(ids, ",")), g.all()...).want(201)
	return int64(made.at("data", "id").(float64))
}

// make creates a record and gives its id.
func (g *gate) make(model, body string) int64 {
	g.t.Helper()
	return int64(g.send("POST", "/api/v1/"+model, body, g.all()...).want(201).at("data", "id").(float64))
}

// data is the data of an answer as it was sent.
func (r *result) data() string {
	r.t.Helper()
	_, rest, _ := strings.Cut(r.raw, `"data":`)
	for _, end := range []string{`,"message":`, `,"meta":`} {
		if at := strings.LastIndex(rest, end); at >= 0 {
			return rest[:at]
		}
	}
	return strings.TrimSuffix(strings.TrimSpace(rest), "}")
}

func (r *result) is(want string) {
	r.t.Helper()
	if got := r.data(); r.status/100 != 2 || got != want {
		r.t.Errorf("%s: %d\ngot  %s\nwant %s", r.what, r.status, got, want)
	}
}

func TestDottedFields(t *testing.T) {
	onSources(t, func(t *testing.T, g *gate) {
		be := fmt.Sprint(int64(g.send("GET", `/api/v1/res.country?fields=id&domain=[["code","=","BE"]]`, "", g.all()...).want(200).at("data").([]any)[0].(map[string]any)["id"].(float64)))
		firm := g.make("res.partner", `{"name":"Firm","is_company":true,"country_id":`+be+`,"child_ids":[{"name":"Zoe","function":"CEO"},{"name":"Abe"}]}`)
		g.make("res.partner", `{"name":"Lone"}`)
		zoe := g.send("GET", fmt.Sprintf("/api/v1/res.partner/%d?fields=child_ids.name", firm), "", g.all()...).want(200).at("data", "child_ids").([]any)
		ids := map[string]string{}
		for _, child := range zoe {
			child := child.(map[string]any)
			ids[child["name"].(string)] = fmt.Sprint(int64(child["id"].(float64)))
		}
		one := fmt.Sprintf("/api/v1/res.partner/%d?fields=", firm)
		abe, ceo := ids["Abe"], ids["Zoe"]
		for fields, want := range map[string]string{
			"name,country_id.code":       `{"id":%d,"name":"Firm","country_id":{"id":` + be + `,"name":"Belgium","code":"BE"}}`,
			"country_id.name":            `{"id":%d,"country_id":{"id":` + be + `,"name":"Belgium"}}`,
			"country_id,country_id.code": `{"id":%d,"country_id":{"id":` + be + `,"name":"Belgium","code":"BE"}}`,
			"state_id.code,name":         `{"id":%d,"state_id":null,"name":"Firm"}`,
			"child_ids.name":             `{"id":%d,"child_ids":[{"id":` + abe + `,"name":"Abe"},{"id":` + ceo + `,"name":"Zoe"}]}`,
			"child_ids.parent_id.country_id.code,child_ids.function": `{"id":%d,"child_ids":[` +
				`{"id":` + abe + `,"parent_id":{"id":%[1]d,"name":"Firm","country_id":{"id":` + be + `,"name":"Belgium","code":"BE"}},"function":null},` +
				`{"id":` + ceo + `,"parent_id":{"id":%[1]d,"name":"Firm","country_id":{"id":` + be + `,"name":"Belgium","code":"BE"}},"function":"CEO"}]}`,
			"country_id.code,state_id.name&values=odoo": `{"id":%d,"country_id":{"id":` + be + `,"code":"BE"},"state_id":false}`,
		} {
			g.send("GET", one+fields, "", g.all()...).is(fmt.Sprintf(want, firm))
		}
		children := `"parent_id":{"id":%[3]d,"name":"Firm","child_ids":[{"id":%[1]s,"name":"Abe"},{"id":%[2]s,"name":"Zoe"}]}`
		g.send("GET", `/api/v1/res.partner?order=name&limit=2&fields=parent_id.child_ids.name,name&domain=[["parent_id.name","=","Firm"]]`, "", g.all()...).
			is(fmt.Sprintf(`[{"id":%[1]s,`+children+`,"name":"Abe"},{"id":%[2]s,`+children+`,"name":"Zoe"}]`, abe, ceo, firm))

		// Mistakes are named with their place, before anything is written.
		for fields, message := range map[string]string{
			"country_id.cod":                       "Unknown field: country_id.cod. Did you mean country_id.code?",
			"child_ids.nam":                        "Unknown field: child_ids.nam. Did you mean child_ids.name?",
			"nothing.at":                           "Unknown field: nothing",
			"name.length":                          "Invalid parameter fields: asks for name.length, but name is no relation: it is of type char",
			"country_id.code.x":                    "Invalid parameter fields: asks for country_id.code.x, but country_id.code is no relation: it is of type char",
			"user_id.password":                     "Unknown field: user_id.password",
			"country_id.":                          "Unknown field: country_id.",
			strings.Repeat("parent_id.", 9) + "id": "Invalid parameter fields: follows more than 7 relations in",
		} {
			for _, r := range []*result{
				g.send("GET", one+fields, "", g.all()...),
				g.send("GET", "/api/v1/res.partner?fields="+fields, "", g.all()...),
				g.send("POST", "/api/v1/res.partner?fields="+fields, `{"name":"Never"}`, g.all()...),
				g.send("PATCH", one+fields, `{"name":"Never"}`, g.all()...),
			} {
				if text, _ := r.want(400).at("error", "message").(string); !strings.HasPrefix(text, message) {
					t.Errorf("%s: %s, want %s", r.what, text, message)
				}
			}
		}
		g.send("GET", `/api/v1/res.partner?fields=id&domain=[["name","=","Never"]]`, "", g.all()...).is(`[]`)

		// Answers of writes.
		if got := g.send("POST", "/api/v1/res.partner?fields=name,country_id.code", `[{"name":"A","country_id":`+be+`},{"name":"B"}]`, g.all()...).want(201).raw; !strings.Contains(got,
			`"name":"A","country_id":{"id":`+be+`,"name":"Belgium","code":"BE"}},{"id":`) || !strings.Contains(got, `"name":"B","country_id":null}]`) {
			t.Error(got)
		}
		g.send("PATCH", one+"country_id.code", `{"phone":"1"}`, g.all()...).is(fmt.Sprintf(`{"id":%d,"country_id":{"id":%s,"name":"Belgium","code":"BE"}}`, firm, be))
	})
}

// TestDottedFieldsKeepTheirDistance: dots lead nowhere that the caller could
// not go himself.
func TestDottedFieldsKeepTheirDistance(t *testing.T) {
	onSources(t, func(t *testing.T, g *gate) {
		user := g.person("ann", "base.group_user")
		hidden := g.make("res.partner", `{"name":"Hidden","ref":"secret"}`)
		open := g.make("res.partner", fmt.Sprintf(`{"name":"Open","parent_id":%d,"child_ids":[{"name":"Kid"}]}`, hidden))
		kid := g.make("res.partner", fmt.Sprintf(`{"name":"Hidden too","parent_id":%d}`, open))
		model := int64(g.send("GET", `/api/v1/ir.model?fields=id&domain=[["model","=","res.partner"]]`, "", g.all()...).at("data").([]any)[0].(map[string]any)["id"].(float64))
		g.make("ir.rule", fmt.Sprintf(`{"name":"r","model_id":%d,"domain_force":"[('id','not in',[%d,%d])]"}`, model, hidden, kid))
		ann := g.key(user, "read")
		r := g.send("GET", fmt.Sprintf("/api/v1/res.partner/%d?fields=parent_id.ref,child_ids.name", open), "", ann...).want(200)
		if strings.Contains(r.raw, "secret") || strings.Contains(r.raw, "Hidden too") || !strings.Contains(r.raw, "Kid") ||
			!strings.Contains(r.raw, fmt.Sprintf(`"parent_id":{"id":%d,"name":"`, hidden)) {
			t.Error(r.raw)
		}
		g.send("GET", fmt.Sprintf("/api/v1/res.partner/%d?fields=parent_id.ref&values=odoo", open), "", ann...).want(200).lacks("secret")

		// Models and fields that are not for him, and scopes that are too narrow.
		g.send("GET", "/api/v1/res.users?fields=api_key_ids.name&limit=1", "", ann...).lacks("rounds")
		narrow := g.key(user, "res.partner:read")
		g.send("GET", "/api/v1/res.partner?fields=parent_id.ref&limit=1", "", narrow...).want(200)
		if text := g.send("GET", "/api/v1/res.partner?fields=country_id.code&limit=1", "", narrow...).want(403).at("error", "message"); text != "Missing scope: res.country:read, which fields=country_id.code needs" {
			t.Error(text)
		}
		writer := g.key(2, "res.partner:write,res.partner:read")
		g.send("POST", "/api/v1/res.partner?fields=country_id.code", `{"name":"x"}`, writer...).want(403)
		g.send("POST", "/api/v1/res.partner?fields=user_id.login", `{"name":"x"}`, writer...).want(403)
		g.send("GET", `/api/v1/res.partner?fields=id&domain=[["name","=","x"]]`, "", writer...).is(`[]`)
	})
}

func (r *result) lacks(text string) {
	r.t.Helper()
	if strings.Contains(r.raw, text) {
		r.t.Errorf("%s shows %s: %s", r.what, text, r.raw)
	}
}
