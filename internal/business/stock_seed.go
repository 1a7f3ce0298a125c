package business

import (
	"strings"

	"gatehouse/internal/record"
)

// seedStock makes the places that all companies share, and a warehouse for
// every company.
func seedStock(e *record.Env) error {
	for _, place := range []struct{ name, usage, xmlid string }{
		{"Vendors", "supplier", "stock.stock_location_suppliers"},
		{"Customers", "customer", "stock.stock_location_customers"},
		{"Inter-company transit", "transit", "stock.stock_location_inter_company"},
	} {
		if !e.Ref(place.xmlid).IsZero() {
			continue
		}
		recs, err := e.Create("stock.location", record.Values{"name": place.name, "usage": place.usage, "company_id": nil})
		if err != nil {
			return err
		}
		if err := nameRecord(e, place.xmlid, recs[0]); err != nil {
			return err
		}
	}
	companies, err := e.Search("res.company", "[]", record.WithArchived())
	if err != nil {
		return err
	}
	for _, c := range companies {
		if err := equipCompany(e, c.ID()); err != nil {
			return err
		}
	}
	return nil
}

// equipCompany gives a company what its documents need: the places outside
// its stock where things get lost and made, and a warehouse. A branch has none
// of its own.
func equipCompany(e *record.Env, id int64) error {
	e = e.Sudo()
	have, err := e.SearchNode("stock.location", leaf("company_id", "=", id), record.WithArchived(), record.WithLimit(1))
	if err != nil || len(have) > 0 {
		return err
	}
	if _, err := e.Create("stock.location",
		record.Values{"name": "Inventory adjustment", "usage": "inventory", "company_id": id},
		record.Values{"name": "Production", "usage": "production", "company_id": id},
	); err != nil {
		return err
	}
	company := e.One("res.company", id)
	if company.Has("parent_id") {
		return nil
	}
	values := record.Values{
		"name": company.Text("name"), "code": "WH", "company_id": id,
		"partner_id": company.Ref("partner_id").ID(),
	}
	if id != mainCompany {
		values["code"] = strings.TrimSpace(shortName(company.Text("name")))
	}
	warehouses, err := e.Create("stock.warehouse", values)
	if err != nil || id != mainCompany {
		return err
	}
	return nameMainWarehouse(e, warehouses[0])
}

// nameMainWarehouse gives the first warehouse the external ids that it has in
// every Odoo.
func nameMainWarehouse(e *record.Env, w record.Rec) error {
	for xmlid, rec := range map[string]record.Rec{
		"stock.warehouse0": w, "stock.stock_location_stock": w.Ref("lot_stock_id"),
		"stock.picking_type_in": w.Ref("in_type_id"), "stock.picking_type_out": w.Ref("out_type_id"),
		"stock.picking_type_internal": w.Ref("int_type_id"),
	} {
		if err := nameRecord(e, xmlid, rec); err != nil {
			return err
		}
	}
	return nil
}

// nameRecord gives a record an external id.
func nameRecord(e *record.Env, xmlid string, r record.Rec) error {
	module, name, _ := strings.Cut(xmlid, ".")
	_, err := e.Create("ir.model.data", record.Values{
		"module": module, "name": name, "model": r.Model(), "res_id": r.ID(), "noupdate": true,
	})
	return err
}
