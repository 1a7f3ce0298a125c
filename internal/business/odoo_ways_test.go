package business

import (
	"fmt"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
)

func TestOdooWays(t *testing.T) {
	tellOnBoth(
		t,
		story{"people change their own preferences without a right to users", ownPreferencesStory},
		story{"a contact speaks the language of its company", partnerLangStory},
		story{"a name with an address makes a contact", nameCreateStory},
		story{"a team with many orders stays", teamStory},
		story{"system parameters are set by key", parameterStory},
		story{"defaults are set by name", defaultStory},
	)
}

// answer runs a method and gives its result as text.
func (a *actor) answer(model, method string, args backend.Values) string {
	a.f.Helper()
	v, err := a.f.engine.Call(a.f.Context(), a.caller, model, method, nil, args)
	if err != nil {
		a.f.Fatalf("call %s.%s: %s", model, method, explain(err))
	}
	return fmt.Sprint(v)
}

func ownPreferencesStory(f *fixture) {
	admin := f.as("admin")
	id := admin.create("res.users", backend.Values{"name": "Own", "login": "own"})
	other := admin.create("res.users", backend.Values{"name": "Other", "login": "other"})
	own := f.as("own")
	own.write("res.users", id, backend.Values{"tz": "Europe/Rome", "signature": "<p>me</p>", "name": "Own Self"})
	admin.sees("Own Self | Europe/Rome", "res.users", id, "name", "tz")
	own.refusedWrite(fault.Forbidden, "", "res.users", id, backend.Values{"login": "root"})
	own.refusedWrite(fault.Forbidden, "", "res.users", id, backend.Values{"tz": "UTC", "group_ids": []any{[]any{4, 1, 0}}})
	own.refusedWrite(fault.Forbidden, "", "res.users", other, backend.Values{"tz": "UTC"})
	own.refusedWrite(fault.Unprocessable, "not in the allowed companies", "res.users", id, backend.Values{
		"company_id": admin.create("res.company", backend.Values{"name": "Elsewhere"}),
	})
}

func partnerLangStory(f *fixture) {
	admin := f.as("admin")
	for _, code := range []string{"fr_FR", "de_DE"} {
		c := f.as("admin")
		c.caller.Context.KeepArchived = true
		for _, id := range c.find("res.lang", leaf("code", "=", code)) {
			c.write("res.lang", id, backend.Values{"active": true})
		}
	}
	admin.answer("ir.default", "set", backend.Values{"model_name": "res.partner", "field_name": "lang", "value": "de_DE"})
	company := admin.create("res.partner", backend.Values{"name": "Co", "is_company": true, "lang": "fr_FR"})
	kid := admin.create("res.partner", backend.Values{"name": "Kid", "parent_id": company})
	own := admin.create("res.partner", backend.Values{"name": "Own", "parent_id": company, "lang": "en_US"})
	alone := admin.create("res.partner", backend.Values{"name": "Alone"})
	admin.sees("fr_FR", "res.partner", kid, "lang")
	admin.sees("en_US", "res.partner", own, "lang")
	admin.sees("de_DE", "res.partner", alone, "lang")
	admin.write("res.partner", alone, backend.Values{"parent_id": company})
	admin.sees("fr_FR", "res.partner", alone, "lang")
}

func nameCreateStory(f *fixture) {
	admin := f.as("admin")
	for given, want := range map[string]string{
		"Jane <Jane@X.example>": "Jane | jane@x.example",
		"joe@x.example":         "joe@x.example | joe@x.example",
		"plain name":            "plain name | ",
	} {
		var id int64
		if _, err := fmt.Sscanf(admin.answer("res.partner", "name_create", backend.Values{"name": given}), "[%d", &id); err != nil {
			f.Fatal(err)
		}
		admin.sees(want, "res.partner", id, "name", "email")
	}
}

func teamStory(f *fixture) {
	admin := f.as("admin")
	team := admin.create("crm.team", backend.Values{"name": "Busy"})
	partner := admin.create("res.partner", backend.Values{"name": "P"})
	var orders []int64
	for range spareOrders + 1 {
		orders = append(orders, admin.create("sale.order", backend.Values{"partner_id": partner, "team_id": team}))
	}
	admin.refusedUnlink(fault.Unprocessable, "has 6 active sale orders", "crm.team", team)
	admin.unlink("sale.order", orders[0])
	admin.unlink("crm.team", team)
}

func parameterStory(f *fixture) {
	admin := f.as("admin")
	for _, step := range []struct {
		method string
		args   backend.Values
		want   string
	}{
		{"get_param", backend.Values{"key": "k"}, "false"},
		{"get_param", backend.Values{"key": "k", "default": "d"}, "d"},
		{"set_param", backend.Values{"key": "k", "value": "v1"}, "false"},
		{"set_param", backend.Values{"key": "k", "value": "v2"}, "v1"},
		{"get_param", backend.Values{"key": "k"}, "v2"},
		{"set_param", backend.Values{"key": "k", "value": false}, "v2"},
		{"get_param", backend.Values{"key": "k"}, "false"},
	} {
		if got := admin.answer("ir.config_parameter", step.method, step.args); got != step.want {
			f.Errorf("%s %v: got %s, want %s", step.method, step.args, got, step.want)
		}
	}
}

func defaultStory(f *fixture) {
	admin := f.as("admin")
	set := func(args backend.Values) {
		f.Helper()
		args["model_name"], args["field_name"] = "res.partner", "street"
		if got := admin.answer("ir.default", "set", args); got != "true" {
			f.Errorf("set answers %s", got)
		}
	}
	set(backend.Values{"value": "everybody"})
	set(backend.Values{"value": "mine", "user_id": true})
	set(backend.Values{"value": "all of us"})
	if n := admin.count("ir.default", "[('field_id.name', '=', 'street')]"); n != 2 {
		f.Errorf("%d defaults, want one for each reach", n)
	}
	admin.sees("mine", "res.partner", admin.create("res.partner", backend.Values{"name": "a"}), "street")
	for field, message := range map[string]string{"nosuch": "Invalid field", "color": "Invalid value"} {
		_, err := f.engine.Call(f.Context(), admin.caller, "ir.default", "set", nil,
			backend.Values{"model_name": "res.partner", "field_name": field, "value": "abc"})
		admin.expect(err, fault.Unprocessable, message)
	}
}
