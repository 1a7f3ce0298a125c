package business

import (
	"strconv"
	"testing"

	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
	"gatehouse/internal/record"
)

// TestUsersAndCompanies tells who may be what.
func TestUsersAndCompanies(t *testing.T) {
	tellOnBoth(t,
		story{"users inherit partners", usersInheritPartnersStory},
		story{"users with given ids", givenIDsStory},
		story{"passwords", passwordsStory},
		story{"archiving users", archivingUsersStory},
		story{"groups decide", groupsDecideStory},
		story{"settings", settingsStory}, story{"copies", copiesStory},
		story{"companies have contacts", companiesHaveContactsStory},
	)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func usersInheritPartnersStory(f *fixture) {
	admin := f.as("admin")
	u := admin.create("res.users", vals{"name": "Newbie", "login": "newbie", "email": "n@x.example"})
	admin.sees("Newbie | newbie | Newbie | My Company | [1] | true | false | n@x.example | email", "res.users", u,
		"name", "login", "partner_id", "company_id", "company_ids", "active", "share", "email", "notification_type")
	admin.sees("<div>Newbie</div> | ["+itoa(f.ref(groupUser))+"]", "res.users", u, "signature", "group_ids")
	admin.write("res.users", u, vals{"name": "Newer", "email": "m@x.example"})
	p := admin.find("res.partner", leaf("user_ids", "in", []any{u}))[0]
	admin.sees("Newer | m@x.example | false", "res.partner", p, "name", "email", "partner_share")

	second := admin.create("res.company", vals{"name": "Second"})
	admin.refusedWrite(fault.Unprocessable, "Company Second is not in the allowed companies for user Newer (My Company).",
		"res.users", u, vals{"company_id": second})
	admin.write("res.users", u, vals{"company_ids": []any{[]any{4, second, 0}}, "company_id": second})
	admin.sees("Second", "res.users", u, "company_id")

	portal := f.ref(groupPortal)
	admin.refusedWrite(fault.Unprocessable, "User 'Newer' cannot be at the same time in exclusive groups 'Role / User', 'Role / Portal'.",
		"res.users", u, vals{"group_ids": []any{[]any{6, 0, []any{f.ref(groupUser), portal}}}})
	admin.write("res.users", u, vals{"group_ids": []any{[]any{6, 0, []any{portal}}}})
	admin.sees("true", "res.users", u, "share")
	admin.sees("true", "res.partner", p, "partner_share")
	admin.refusedCreate(fault.BadRequest, "Missing required field: login", "res.users", vals{"name": "No login"})
	admin.refusedCreate(fault.BadRequest, "Missing required field: name", "res.users", vals{"login": "noname"})
	admin.refusedCreate(fault.Unprocessable, "two users with the same login", "res.users", vals{"name": "Twin", "login": "newbie"})
}

// Users of an Odoo have ids of their own, which others keep out of.
func givenIDsStory(f *fixture) {
	admin := f.as("admin")
	before := admin.create("res.users", vals{"name": "Before", "login": "before"})
	odoo := identity.OdooUser(7)
	f.sudo(func(e *record.Env) error {
		return e.CreateAt("res.users", odoo, vals{"name": "Seven", "login": "seven", "group_ids": []int64{}})
	})
	admin.sees("Seven | seven | Seven | true", "res.users", odoo, "name", "login", "partner_id", "share")
	after := admin.create("res.users", vals{"name": "After", "login": "after"})
	if after <= before || after > before+10 {
		f.Errorf("users %d and %d, with one of an Odoo between them", before, after)
	}
	err := f.engine.Sudo(f.Context(), func(e *record.Env) error {
		return e.CreateAt("res.users", 500, vals{"name": "X", "login": "x"})
	})
	if err == nil {
		f.Error("an id below the bound is given")
	}
}

// Nobody reads a password, and none is stored as it is.
func passwordsStory(f *fixture) {
	admin := f.as("admin")
	u := admin.create("res.users", vals{"name": "P", "login": "p", "password": "secret123"})
	admin.refusedWrite(fault.Unprocessable, "empty passwords", "res.users", u, vals{"password": ""})
	admin.refusedWrite(fault.Unprocessable, "empty passwords", "res.users", u, vals{"password": false})
	admin.write("res.users", u, vals{"password": "another"})
	admin.refusedRead(fault.BadRequest, "res.users", u, "password")
}

func archivingUsersStory(f *fixture) {
	admin := f.as("admin")
	u := admin.create("res.users", vals{"name": "Olivia Own", "login": "olivia"})
	p := admin.find("res.partner", leaf("user_ids", "in", []any{u}))[0]
	admin.refusedCall(fault.Unprocessable, "Linked active users : Olivia Own", "res.partner", "action_archive", p)
	admin.refusedUnlink(fault.Unprocessable, "linked to an active user", "res.partner", p)
	admin.call("res.users", "action_archive", u)
	admin.sees("true", "res.partner", p, "partner_share")
	admin.call("res.partner", "action_archive", p)
	admin.call("res.users", "action_unarchive", u)
	admin.sees("true | false", "res.partner", p, "active", "partner_share")

	admin.refusedCall(fault.Unprocessable, "currently logged in", "res.users", "action_archive", 2)
	admin.refusedCall(fault.Unprocessable, "You cannot activate the superuser.", "res.users", "action_unarchive", 1)
	admin.refusedUnlink(fault.Unprocessable, "admin user", "res.users", 1)
	admin.refusedUnlink(fault.Unprocessable, "admin user", "res.users", 2)
	admin.refusedUnlink(fault.Unprocessable, "template users", "res.users", 4)
	admin.unlink("res.users", u)
	admin.sees("Olivia Own | true", "res.partner", p, "name", "partner_share")
}

// Who may do what follows the groups at once, also from the group's side.
func groupsDecideStory(f *fixture) {
	admin := f.as("admin")
	u := admin.create("res.users", vals{"name": "Ivan Internal", "login": "ivan"})
	ivan := f.as("ivan")
	ivan.refusedCreate(fault.Forbidden, "", "res.partner", vals{"name": "x"})
	admin.write("res.groups", f.ref("base.group_partner_manager"), vals{"user_ids": []any{[]any{4, u, 0}}})
	ivan.create("res.partner", vals{"name": "x"})

	admin.write("res.groups", f.ref(groupUser), vals{"user_ids": []any{[]any{3, u, 0}}})
	admin.sees("true", "res.users", u, "share")
	admin.refusedUnlink(fault.Unprocessable, "every database needs it", "res.groups", f.ref(groupUser))
}

func companiesHaveContactsStory(f *fixture) {
	admin := f.as("admin")
	c := admin.create("res.company", vals{"name": "Lake", "email": "lake@x.example", "city": "Milwaukee", "country_id": f.ref("base.us")})
	admin.sees("Lake | Lake | lake@x.example | Milwaukee | United States | USD", "res.company", c,
		"name", "partner_id", "email", "city", "country_id", "currency_id")
	p := admin.find("res.partner", leaf("name", "=", "Lake"))[0]
	admin.sees("true | Milwaukee", "res.partner", p, "is_company", "city")
	admin.write("res.company", c, vals{"name": "Lakeside", "city": "Madison"})
	admin.sees("Lakeside | Madison", "res.partner", p, "name", "city")
	admin.write("res.partner", p, vals{"name": "Lakeshore"})
	admin.sees("Lakeshore", "res.company", c, "name")

	admin.in(c).sees("Lakeshore", "res.company", c, "name") // whoever makes a company may use it
	admin.refusedCreate(fault.Unprocessable, "The company name must be unique!", "res.company", vals{"name": "Lakeshore"})
	admin.refusedWrite(fault.Unprocessable, "hierarchy cannot be changed", "res.company", c, vals{"parent_id": 1})
	admin.create("res.company", vals{"name": "Branch", "parent_id": c})
	admin.refusedUnlink(fault.Unprocessable, "branches", "res.company", c)
}

// Rates, rules and defaults are records that take effect at once.
func settingsStory(f *fixture) {
	admin := f.as("admin")
	eur := f.ref("base.EUR")
	admin.sees("1", "res.currency", eur, "rate")
	admin.create("res.currency.rate", vals{"currency_id": eur, "rate": 0.8})
	admin.sees("0.8 | 1.25", "res.currency", eur, "rate", "inverse_rate")
	admin.refusedCreate(fault.Unprocessable, "Only one currency rate per day", "res.currency.rate", vals{"currency_id": eur, "rate": 0.9})
	admin.refusedCreate(fault.Unprocessable, "strictly positive", "res.currency.rate", vals{"currency_id": eur, "rate": 0, "name": "2024-01-01"})

	tags := admin.find("ir.model", leaf("model", "=", "res.partner.category"))[0]
	rule := admin.create("ir.rule", vals{"name": "No tag called Hidden", "model_id": tags, "domain_force": "[('name', '!=', 'Hidden')]"})
	admin.sees("true", "ir.rule", rule, "global")
	admin.create("res.partner.category", vals{"name": "Seen"})
	admin.refusedCreate(fault.Forbidden, "", "res.partner.category", vals{"name": "Hidden"})
	admin.write("ir.rule", rule, vals{"groups": []any{[]any{6, 0, []any{f.ref(groupPortal)}}}})
	admin.sees("false", "ir.rule", rule, "global")
	admin.create("res.partner.category", vals{"name": "Hidden"})

	city := admin.find("ir.model.fields", domain.Conj(leaf("model", "=", "res.partner"), leaf("name", "=", "city")))[0]
	admin.refusedCreate(fault.Unprocessable, "Invalid JSON", "ir.default", vals{"field_id": city, "json_value": "Salem"})
	admin.create("ir.default", vals{"field_id": city, "json_value": "\"Salem\""})
	admin.sees("Salem", "res.partner", admin.create("res.partner", vals{"name": "By default"}), "city")
	admin.create("ir.config_parameter", vals{"key": "a", "value": "1"})
	admin.refusedCreate(fault.Unprocessable, "Key must be unique", "ir.config_parameter", vals{"key": "a", "value": "2"})
}

// A copy is told from its original and shares no login, code or barcode.
func copiesStory(f *fixture) {
	admin := f.as("admin")
	p := admin.create("product.template", vals{"name": "Orig", "default_code": "OC", "barcode": "OB", "standard_price": 3})
	admin.call("product.template", "copy", p)
	c := admin.find("product.template", leaf("name", "=", "Orig (copy)"))[0]
	admin.sees(" |  | 0 | 1", "product.template", c, "default_code", "barcode", "standard_price", "product_variant_count")

	u := admin.create("res.users", vals{"name": "Una", "login": "una", "password": "x"})
	admin.call("res.users", "copy", u)
	k := admin.find("res.users", leaf("login", "=", "una (copy)"))[0]
	admin.sees("Una (copy) | Una (copy)", "res.users", k, "name", "partner_id")
	admin.write("res.partner", admin.find("res.partner", leaf("name", "=", "Una"))[0], vals{"partner_share": true})
	admin.sees("false", "res.partner", admin.find("res.partner", leaf("name", "=", "Una"))[0], "partner_share")
}
