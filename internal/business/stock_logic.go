package business

import (
	"gatehouse/internal/domain"
	"gatehouse/internal/record"
)

// stockLogics are what places, transfers and quants do.
func stockLogics() []record.Logic {
	return []record.Logic{
		{
			Model:       "stock.location",
			Defaults:    map[string]func(e *record.Env) (any, error){"company_id": currentCompany},
			BeforeWrite: guardLocations,
			Computes:    []record.Compute{locationName, locationWarehouse},
			Checks: []record.Constraint{
				{Fields: []string{"location_id", "company_id"}, Check: func(e *record.Env, r record.Rec) error {
					return checkCompany(e, r, "location_id")
				}},
			},
		},
		{
			Model: "stock.warehouse",
			Defaults: map[string]func(e *record.Env) (any, error){
				"company_id": currentCompany,
				"partner_id": func(e *record.Env) (any, error) {
					return e.One("res.company", e.CompanyID()).Ref("partner_id").ID(), nil
				},
			},
			Prepare:     prepareWarehouse,
			AfterCreate: equipWarehouses,
			BeforeWrite: guardWarehouses,
			AfterWrite:  warehousesWritten,
		},
		{
			Model:    "stock.picking.type",
			Defaults: map[string]func(e *record.Env) (any, error){"company_id": currentCompany},
			Prepare:  preparePickingType,
		},
		pickingLogic, moveLogic, moveLineLogic, quantLogic,
		{Model: "product.template", BeforeWrite: guardTracking},
	}
}

// locationName is the chain of names below the topmost: "WH/Stock/Shelf 1".
var locationName = record.Compute{
	Fields: []string{"complete_name"}, Depends: []string{"name", "usage", "location_id.complete_name"}, Early: true,
	Do: func(e *record.Env, l record.Rec) (record.Values, error) {
		name := l.Text("name")
		if up := l.Ref("location_id"); !up.IsZero() && l.Text("usage") != "view" {
			name = up.Text("complete_name") + "/" + name
		}
		return record.Values{"complete_name": name}, nil
	},
}

// locationWarehouse is the warehouse whose view location is above.
var locationWarehouse = record.Compute{
	Fields: []string{"warehouse_id"}, Depends: []string{"warehouse_view_ids", "location_id.warehouse_id"},
	Do: func(e *record.Env, l record.Rec) (record.Values, error) {
		if own := l.Refs("warehouse_view_ids"); len(own) > 0 {
			return record.Values{"warehouse_id": own[0].ID()}, nil
		}
		if id := l.Ref("location_id").Int("warehouse_id"); id != 0 {
			return record.Values{"warehouse_id": id}, nil
		}
		return record.Values{"warehouse_id": nil}, nil
	},
}

// locationOf finds the place of a kind that a company uses: its own, else the
// one of all companies.
func locationOf(e *record.Env, usage string, company int64) (record.Rec, error) {
	found, err := e.Sudo().SearchNode("stock.location", domain.Conj(
		leaf("usage", "=", usage), leaf("company_id", "in", []any{company, false})), record.WithOrder("id"))
	if err != nil {
		return record.Rec{}, err
	}
	for _, l := range found {
		if l.Int("company_id") == company {
			return l, nil
		}
	}
	if len(found) == 0 {
		return record.Rec{}, refuse("There is no location of type %q: create one in stock.location", usage)
	}
	return found[0], nil
}

// prepareWarehouse makes the places of a new warehouse: one that stands for
// the whole, and the stock in it.
func prepareWarehouse(e *record.Env, values record.Values) error {
	code := text(values["code"])
	if code == "" {
		code = shortName(text(values["name"]))
		values["code"] = orNil(code)
	}
	if code == "" {
		return nil // the engine refuses it
	}
	e = e.Sudo()
	view, _ := values["view_location_id"].(int64)
	if view == 0 {
		recs, err := e.Create("stock.location", record.Values{
			"name": code, "usage": "view", "company_id": values["company_id"], "location_id": nil,
		})
		if err != nil {
			return err
		}
		view = recs[0].ID()
		values["view_location_id"] = view
	}
	if stock, _ := values["lot_stock_id"].(int64); stock != 0 {
		return nil
	}
	recs, err := e.Create("stock.location", record.Values{
		"name": "Stock", "usage": "internal", "company_id": values["company_id"], "location_id": view,
		"replenish_location": true,
	})
	if err != nil {
		return err
	}
	values["lot_stock_id"] = recs[0].ID()
	return nil
}

// shortName is a code for a warehouse that was given none: up to five
// characters of its name.
func shortName(name string) string {
	runes := []rune(name)
	return string(runes[:min(len(runes), 5)])
}

// operation is a kind of transfer that every warehouse has.
type operation struct {
	name, code, prefix, field string
	sequence                  int64
}

var operations = []operation{
	{"Receipts", "incoming", "IN", "in_type_id", 1},
	{"Delivery Orders", "outgoing", "OUT", "out_type_id", 2},
	{"Internal Transfers", "internal", "INT", "int_type_id", 6},
}

// equipWarehouses makes the operation types of new warehouses, each with the
// sequence that names its transfers: WH/OUT/00001.
func equipWarehouses(e *record.Env, warehouses []record.Rec) error {
	e = e.Sudo()
	for _, w := range warehouses {
		types := record.Values{}
		for _, op := range operations {
			if w.Has(op.field) {
				continue
			}
			kind, err := makeOperation(e, w, op)
			if err != nil {
				return err
			}
			types[op.field] = kind.ID()
		}
		if len(types) == 0 {
			continue
		}
		if err := e.Write([]record.Rec{w}, types); err != nil {
			return err
		}
	}
	return nil
}

func makeOperation(e *record.Env, w record.Rec, op operation) (record.Rec, error) {
	company := w.Int("company_id")
	numbers, err := e.Create("ir.sequence", record.Values{
		"name": w.Text("name") + " Sequence " + op.code, "prefix": w.Text("code") + "/" + op.prefix + "/",
		"padding": int64(5), "company_id": company,
	})
	if err != nil {
		return record.Rec{}, err
	}
	stock := w.Ref("lot_stock_id")
	from, to := stock, stock
	switch op.code {
	case "incoming":
		from, err = locationOf(e, "supplier", company)
	case "outgoing":
		to, err = locationOf(e, "customer", company)
	}
	if err != nil {
		return record.Rec{}, err
	}
	kinds, err := e.Create("stock.picking.type", record.Values{
		"name": op.name, "code": op.code, "sequence_code": op.prefix, "sequence": op.sequence,
		"sequence_id": numbers[0].ID(), "warehouse_id": w.ID(), "company_id": company,
		"default_location_src_id": from.ID(), "default_location_dest_id": to.ID(),
	})
	if err != nil {
		return record.Rec{}, err
	}
	return kinds[0], nil
}

func guardWarehouses(e *record.Env, warehouses []record.Rec, values record.Values) error {
	company, changes := values["company_id"].(int64)
	for _, w := range warehouses {
		if changes && company != w.Int("company_id") {
			return refuse("Changing the company of this record is forbidden at this point, you should rather archive it and create a new one.")
		}
	}
	return nil
}

// warehousesWritten keeps the names that follow from a warehouse's code.
func warehousesWritten(e *record.Env, warehouses []record.Rec, values record.Values) error {
	if !given(values, "code") {
		return nil
	}
	e = e.Sudo()
	for _, w := range warehouses {
		code := w.Text("code")
		if err := e.Write([]record.Rec{w.Ref("view_location_id")}, record.Values{"name": code}); err != nil {
			return err
		}
		for _, op := range operations {
			numbers := w.Ref(op.field).Ref("sequence_id")
			if numbers.IsZero() {
				continue
			}
			if err := e.Write([]record.Rec{numbers}, record.Values{"prefix": code + "/" + op.prefix + "/"}); err != nil {
				return err
			}
		}
	}
	return nil
}

// preparePickingType gives an operation type of one's own a sequence.
func preparePickingType(e *record.Env, values record.Values) error {
	prefix := text(values["sequence_code"])
	if id, _ := values["sequence_id"].(int64); id != 0 || prefix == "" {
		return nil
	}
	if w, _ := values["warehouse_id"].(int64); w != 0 {
		prefix = e.One("stock.warehouse", w).Text("code") + "/" + prefix + "/"
	}
	numbers, err := e.Sudo().Create("ir.sequence", record.Values{
		"name": text(values["name"]) + " Sequence " + text(values["sequence_code"]), "prefix": prefix,
		"padding": int64(5), "company_id": values["company_id"],
	})
	if err != nil {
		return err
	}
	values["sequence_id"] = numbers[0].ID()
	return nil
}
