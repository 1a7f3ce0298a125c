package business

import (
	"testing"

	"gatehouse/internal/fault"
)

// TestProducts tells how templates and variants are one.
func TestProducts(t *testing.T) {
	tellOnBoth(t,
		story{"template and its variant", templateAndItsVariantStory},
		story{"variant makes its template", variantMakesItsTemplateStory},
		story{"archiving products", archivingProductsStory},
		story{"product barcodes", productBarcodesStory},
		story{"categories are named by their path", categoriesAreNamedByTheirPathStory},
		story{"cost per company", costPerCompanyStory},
		story{"taxes of all companies", taxesOfAllCompaniesStory},
		story{"units", unitsStory},
		story{"languages", languagesStory},
	)
}

func templateAndItsVariantStory(f *fixture) {
	admin := f.as("admin")
	tmpl := admin.create("product.template", vals{"name": "Tmpl", "list_price": 12.345, "default_code": "TC", "barcode": "TB"})
	admin.sees("Tmpl | 12.345 | TC | TB | 1 | consu | true | true |  | Units | true | order", "product.template", tmpl,
		"name", "list_price", "default_code", "barcode", "product_variant_count", "type", "sale_ok", "purchase_ok",
		"categ_id", "uom_id", "active", "invoice_policy")
	v := admin.find("product.product", leaf("product_tmpl_id", "=", tmpl))[0]
	admin.sees("Tmpl | TC | TB | 12.345 | [TC] Tmpl", "product.product", v,
		"name", "default_code", "barcode", "lst_price", "display_name")

	admin.write("product.template", tmpl, vals{"name": "Renamed", "default_code": "TC2", "standard_price": 4.5, "weight": 2})
	admin.sees("Renamed | TC2 | 4.5 | 2 | [TC2] Renamed", "product.product", v,
		"name", "default_code", "standard_price", "weight", "display_name")
	admin.sees("4.5 | 2 | [TC2] Renamed", "product.template", tmpl, "standard_price", "weight", "display_name")

	admin.write("product.product", v, vals{"default_code": "TC3", "standard_price": 5.25, "barcode": "TB3", "name": "Again"})
	admin.sees("TC3 | 5.25 | TB3 | Again", "product.template", tmpl, "default_code", "standard_price", "barcode", "name")
	if ids := admin.find("product.template", leaf("barcode", "=", "TB3")); len(ids) != 1 || ids[0] != tmpl {
		f.Errorf("by barcode: %v", ids)
	}
	admin.refusedCreate(fault.BadRequest, "Missing required field: name", "product.template", vals{})
	admin.refusedCreate(fault.BadRequest, "type", "product.template", vals{"name": "x", "type": "nosuch"})
	admin.write("product.template", tmpl, vals{"list_price": -5})
	admin.sees("-5", "product.template", tmpl, "list_price")
}

func variantMakesItsTemplateStory(f *fixture) {
	admin := f.as("admin")
	v := admin.create("product.product", vals{"name": "Loose", "default_code": "L1", "list_price": 7})
	admin.sees("Loose | L1 | 7 | 1", "product.product", v, "name", "default_code", "list_price", "product_variant_count")
	tmpl := admin.find("product.template", leaf("name", "=", "Loose"))
	if len(tmpl) != 1 {
		f.Fatalf("templates: %v", tmpl)
	}
	admin.sees("L1 | [L1] Loose", "product.template", tmpl[0], "default_code", "product_variant_id")
	admin.unlink("product.product", v)
	if n := admin.count("product.template", "[('name', '=', 'Loose')]"); n != 0 {
		f.Error("the template outlived its last variant")
	}
}

func archivingProductsStory(f *fixture) {
	admin := f.as("admin")
	tmpl := admin.create("product.template", vals{"name": "Old"})
	v := admin.find("product.product", leaf("product_tmpl_id", "=", tmpl))[0]
	admin.call("product.template", "action_archive", tmpl)
	admin.sees("false", "product.product", v, "active")
	admin.call("product.template", "action_unarchive", tmpl)
	admin.sees("true", "product.product", v, "active")
	admin.call("product.product", "action_archive", v)
	admin.sees("false", "product.template", tmpl, "active")
	admin.call("product.product", "action_unarchive", v)
	admin.sees("true", "product.template", tmpl, "active")

	off := admin.create("product.template", vals{"name": "Off", "active": false})
	if n := admin.count("product.product", "[('product_tmpl_id', '=', "+itoa(off)+"), ('active', '=', False)]"); n != 1 {
		f.Errorf("%d archived variants", n)
	}
	admin.unlink("product.template", tmpl)
	if n := admin.count("product.product", "[('id', '=', "+itoa(v)+")]"); n != 0 {
		f.Error("the variant outlived its template")
	}
}

func productBarcodesStory(f *fixture) {
	admin := f.as("admin")
	admin.create("product.product", vals{"name": "bc1", "barcode": "BAR-1"})
	admin.refusedCreate(fault.Unprocessable, "already assigned to product(s): bc1 and bc2", "product.product", vals{"name": "bc2", "barcode": "BAR-1"})
	c := admin.create("product.template", vals{"name": "bc3"})
	admin.refusedWrite(fault.Unprocessable, "already assigned to product(s): bc1 and bc3", "product.template", c, vals{"barcode": "BAR-1"})
}

func categoriesAreNamedByTheirPathStory(f *fixture) {
	admin := f.as("admin")
	a := admin.create("product.category", vals{"name": "A"})
	b := admin.create("product.category", vals{"name": "B", "parent_id": a})
	admin.sees("A / B | "+itoa(a)+"/"+itoa(b)+"/", "product.category", b, "complete_name", "parent_path")
	admin.refusedWrite(fault.Unprocessable, "ecursion", "product.category", a, vals{"parent_id": b})
	admin.write("product.category", a, vals{"name": "AA"})
	admin.sees("AA / B", "product.category", b, "display_name")
	admin.write("product.category", b, vals{"parent_id": nil})
	admin.sees("B", "product.category", b, "complete_name")
	p := admin.create("product.template", vals{"name": "In", "categ_id": b, "type": "service", "is_storable": true})
	admin.sees("B | false", "product.template", p, "categ_id", "is_storable")
	admin.sees("1", "product.category", b, "product_count")
}

// The cost belongs to a company, and is no business of outsiders.
func costPerCompanyStory(f *fixture) {
	admin := f.as("admin")
	second := admin.create("res.company", vals{"name": "Second"})
	p := admin.create("product.template", vals{"name": "Dear", "standard_price": 10})
	admin.in(second).write("product.template", p, vals{"standard_price": 12})
	admin.in(1).sees("10", "product.template", p, "standard_price")
	admin.in(second).sees("12", "product.template", p, "standard_price")
}

// Whoever makes a product need not know the taxes of companies that are not his.
func taxesOfAllCompaniesStory(f *fixture) {
	admin := f.as("admin")
	third := admin.create("res.company", vals{"name": "Third"})
	admin.create("res.users", vals{
		"name": "Pia", "login": "pia", "company_id": 1,
		"group_ids": []any{[]any{6, 0, []any{f.ref(groupUser), f.ref("product.group_product_manager")}}},
	})
	pia := f.as("pia")
	p := pia.create("product.template", vals{"name": "Shared"})
	if n := pia.count("account.tax", "[('type_tax_use', '=', 'sale')]"); n != 1 {
		f.Errorf("Pia sees %d taxes", n)
	}
	both := admin.in(1, third).read("product.template", p, "taxes_id")
	if seen := pia.read("product.template", p, "taxes_id"); seen == both || seen == "[]" {
		f.Errorf("Pia sees the taxes %s, the administrator %s", seen, both)
	}
}

func unitsStory(f *fixture) {
	admin := f.as("admin")
	dozen := f.ref("uom.product_uom_dozen")
	gross := admin.create("uom.uom", vals{"name": "Gross", "relative_factor": 12, "relative_uom_id": dozen})
	admin.sees("144 | 1000", "uom.uom", gross, "factor", "sequence")
	admin.write("uom.uom", dozen, vals{"relative_factor": 13})
	admin.sees("156", "uom.uom", gross, "factor")
	admin.refusedWrite(fault.Unprocessable, "cannot be 0", "uom.uom", gross, vals{"relative_factor": 0})
}

func languagesStory(f *fixture) {
	admin := f.as("admin")
	french := f.ref("base.lang_fr")
	admin.write("res.lang", french, vals{"active": true})
	p := admin.create("product.template", vals{"name": "Table"})
	fr := &actor{f, admin.caller}
	c := *admin.caller
	c.Context.Lang = "fr_FR"
	fr.caller = &c
	fr.write("product.template", p, vals{"name": "Tisch"})
	admin.sees("Table", "product.template", p, "name")
	fr.sees("Tisch", "product.template", p, "name")
	admin.refusedWrite(fault.Unprocessable, "base language", "res.lang", f.ref("base.lang_en"), vals{"active": false})
	admin.create("res.users", vals{"name": "Fr", "login": "fr", "lang": "fr_FR"})
	admin.refusedWrite(fault.Unprocessable, "currently used", "res.lang", french, vals{"active": false})
}
