package business

import (
	"testing"

	"gatehouse/internal/fault"
	"gatehouse/internal/record"
)

// TestPartners tells how contacts and their companies hang together.
func TestPartners(t *testing.T) {
	tellOnBoth(t,
		story{"addresses follow the parent", addressesFollowTheParentStory},
		story{"commercial fields", commercialFieldsStory},
		story{"partner checks", partnerChecksStory},
		story{"partner lines", partnerLinesStory},
	)
}

type vals = record.Values

// The addresses of contacts follow their company, and the other way round.
func addressesFollowTheParentStory(f *fixture) {
	admin := f.as("admin")
	france := f.ref("base.fr")
	co := admin.create("res.partner", vals{
		"name": "Co", "is_company": true, "street": "1 St", "city": "Lyon",
		"country_id": france, "lang": "en_US", "email": "CO@Ex.Example",
	})
	kid := admin.create("res.partner", vals{"name": "Kid", "parent_id": co})
	admin.sees("1 St | Lyon | France | en_US | Co | contact | Co, Kid | Co, Kid | false | ", "res.partner", kid,
		"street", "city", "country_id", "lang", "commercial_partner_id", "type", "display_name", "complete_name",
		"is_company", "email_normalized")
	admin.write("res.partner", co, vals{"city": "Nice"})
	admin.sees("Nice", "res.partner", kid, "city")

	inv := admin.create("res.partner", vals{"name": "Inv", "parent_id": co, "type": "invoice", "city": "Paris"})
	admin.sees("Paris |  | Co, Inv", "res.partner", inv, "city", "street", "display_name")
	del := admin.create("res.partner", vals{"parent_id": co, "type": "delivery", "city": "Metz"})
	admin.sees(" | Co, Delivery", "res.partner", del, "name", "display_name")

	admin.write("res.partner", co, vals{"city": "Brest", "name": "Co2"})
	admin.sees("Brest | Co2, Kid", "res.partner", kid, "city", "complete_name")
	admin.sees("Paris | Co2, Inv", "res.partner", inv, "city", "complete_name")
	admin.sees("Metz | Co2, Delivery", "res.partner", del, "city", "complete_name")

	admin.write("res.partner", kid, vals{"city": "Own city"})
	admin.sees("Own city", "res.partner", co, "city")
	admin.write("res.partner", kid, vals{"parent_id": nil})
	admin.sees("Own city | Kid | Kid", "res.partner", kid, "city", "commercial_partner_id", "complete_name")
	admin.sees("co@ex.example", "res.partner", co, "email_normalized")
}

func commercialFieldsStory(f *fixture) {
	admin := f.as("admin")
	co := admin.create("res.partner", vals{"name": "Comm", "is_company": true, "vat": "X1", "company_registry": "R1"})
	kid := admin.create("res.partner", vals{"name": "Sub", "parent_id": co})
	admin.sees("X1 | R1 | Comm", "res.partner", kid, "vat", "company_registry", "commercial_company_name")
	admin.write("res.partner", co, vals{"vat": "X2"})
	admin.sees("X2", "res.partner", kid, "vat")
	admin.write("res.partner", kid, vals{"vat": "K"})
	admin.sees("K", "res.partner", co, "vat")

	sub := admin.create("res.partner", vals{"name": "SubCo", "parent_id": co, "is_company": true, "vat": "S"})
	admin.sees("S | SubCo | SubCo", "res.partner", sub, "vat", "commercial_partner_id", "complete_name")
	admin.write("res.partner", sub, vals{"is_company": false})
	admin.sees("S | Comm | Comm, SubCo", "res.partner", sub, "vat", "commercial_partner_id", "complete_name")
}

func partnerChecksStory(f *fixture) {
	admin := f.as("admin")
	admin.refusedCreate(fault.BadRequest, "Missing required field: name", "res.partner", vals{"name": nil})
	admin.refusedCreate(fault.BadRequest, "Missing required field: name", "res.partner", vals{"type": "contact"})
	admin.create("res.partner", vals{"name": "", "type": "other"})
	admin.refusedCreate(fault.BadRequest, "type", "res.partner", vals{"name": "N", "type": "nosuch"})
	admin.refusedCreate(fault.Unprocessable, "Mars/Base", "res.partner", vals{"name": "N", "tz": "Mars/Base"})

	e := admin.create("res.partner", vals{"name": "N", "company_type": "company"})
	admin.sees("true | company", "res.partner", e, "is_company", "company_type")
	admin.write("res.partner", e, vals{"company_type": "person"})
	admin.sees("false | person", "res.partner", e, "is_company", "company_type")
	admin.refusedWrite(fault.BadRequest, "Missing required field: name", "res.partner", e, vals{"name": nil})
	admin.refusedWrite(fault.Unprocessable, "ecursi", "res.partner", e, vals{"parent_id": e})

	w := admin.create("res.partner", vals{"name": "W", "website": "www.example.com", "email": "bad email"})
	admin.sees("http://www.example.com | bad email | ", "res.partner", w, "website", "email", "email_normalized")

	admin.create("res.partner", vals{"name": "pb", "barcode": "PB-1"})
	admin.refusedCreate(fault.Unprocessable, "Another partner already has this barcode", "res.partner", vals{"name": "pb2", "barcode": "PB-1"})
	admin.sees("true | true", "res.partner", w, "partner_share", "active")
}

func partnerLinesStory(f *fixture) {
	admin := f.as("admin")
	h := admin.create("res.partner", vals{
		"name":        "Kids",
		"child_ids":   []any{[]any{0, 0, vals{"name": "k1"}}, []any{0, 0, vals{"name": "k2", "type": "invoice"}}},
		"category_id": []any{[]any{0, 0, vals{"name": "inline cat"}}},
	})
	if n := admin.count("res.partner", "[('parent_id', '=', "+itoa(h)+")]"); n != 2 {
		f.Errorf("%d children", n)
	}
	top := admin.create("res.partner.category", vals{"name": "Sector"})
	sub := admin.create("res.partner.category", vals{"name": "Schools", "parent_id": top})
	admin.sees("Sector / Schools", "res.partner.category", sub, "display_name")
	admin.refusedWrite(fault.Unprocessable, "ecursi", "res.partner.category", top, vals{"parent_id": sub})
	kids := admin.find("res.partner", leaf("name", "=", "k1"))
	admin.call("res.partner", "action_archive", kids[0])
	if n := admin.count("res.partner", "[('parent_id', '=', "+itoa(h)+")]"); n != 1 {
		f.Errorf("%d active children", n)
	}
}
