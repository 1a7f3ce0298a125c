package business

import (
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
)

// heap is what of a product lies in one place.
type heap struct {
	location           int64
	quantity, reserved float64
}

// free is what of a heap is not promised yet.
func (h heap) free() float64 { return roundTo(h.quantity-h.reserved, quantityStep) }

// heapsUnder finds where a product lies in a location or below it, in the
// order in which it came in. The product must be locked.
func heapsUnder(e *record.Env, product int64, location record.Rec) ([]heap, error) {
	var heaps []heap
	err := e.Tx().Query(e.Ctx(), `select q.location_id, q.quantity, q.reserved_quantity
		from stock_quant q join stock_location l on l.id = q.location_id
		where q.product_id = $1 and l.usage in ('internal', 'transit')
		and (l.id = $2 or l.parent_path like $3) order by q.in_date, q.id`,
		[]any{product, location.ID(), location.Text("parent_path") + "%"}, func(r sqldb.Row) error {
			heaps = append(heaps, heap{r.Int(0), r.Float(1), r.Float(2)})
			return nil
		})
	return heaps, err
}

// addToQuant changes what of a product lies in a place and what of that is
// reserved. The product must be locked: the new amounts are written as such,
// through the engine, so that whoever watches quants hears of them.
func addToQuant(e *record.Env, product, location int64, quantity, reserved float64) error {
	var id int64
	var have heap
	err := e.Tx().Query(e.Ctx(), `select id, quantity, reserved_quantity from stock_quant
		where product_id = $1 and location_id = $2 order by id limit 1`, []any{product, location}, func(r sqldb.Row) error {
		id, have = r.Int(0), heap{location, r.Float(1), r.Float(2)}
		return nil
	})
	if err != nil {
		return err
	}
	values := record.Values{
		"quantity":          roundTo(have.quantity+quantity, quantityStep),
		"reserved_quantity": roundTo(have.reserved+reserved, quantityStep),
	}
	e = e.Sudo()
	if id != 0 {
		return e.Write([]record.Rec{e.One("stock.quant", id)}, values)
	}
	values["product_id"], values["location_id"] = product, location
	_, err = e.Create("stock.quant", values)
	return err
}

var quantLogic = record.Logic{
	Model: "stock.quant",
	Defaults: map[string]func(e *record.Env) (any, error){
		"in_date": func(e *record.Env) (any, error) { return moment(e.Now()), nil },
	},
	Prepare:     prepareQuant,
	BeforeWrite: guardQuants,
	Computes:    []record.Compute{quantDifference},
	Checks: []record.Constraint{{
		Fields: []string{"product_id", "location_id"}, Check: checkQuantPlace,
	}},
	BeforeUnlink: func(e *record.Env, quants []record.Rec) error {
		for _, q := range quants {
			if !isSuperuser(e) && !(isZero(q.Float("quantity"), quantityStep) && isZero(q.Float("reserved_quantity"), quantityStep)) {
				return refuse("Quants that hold something cannot be deleted: set inventory_quantity to 0 and call action_apply_inventory.")
			}
		}
		return nil
	},
	Methods: map[string]record.Method{
		"action_apply_inventory": {
			Do:  applyInventory,
			Doc: "Makes the counted quantities (inventory_quantity) the quantities on hand.",
		},
		"action_clear_inventory_quantity": {
			Do:  clearInventory,
			Doc: "Forgets the counted quantities.",
		},
	},
}

// isSuperuser says whether an environment acts for the logic itself.
func isSuperuser(e *record.Env) bool { return e.Sudo() == e }

// restrictedQuantFields are kept by moves.
var restrictedQuantFields = []string{"quantity", "reserved_quantity", "in_date"}

// prepareQuant: people may only say what they counted.
func prepareQuant(e *record.Env, values record.Values) error {
	if quantity, _ := values["quantity"].(float64); !isSuperuser(e) && quantity != 0 {
		return refuse("The quantity is kept by stock moves: set inventory_quantity, then call action_apply_inventory.")
	}
	if given(values, "inventory_quantity") {
		values["inventory_quantity_set"] = true
	}
	return nil
}

func guardQuants(e *record.Env, quants []record.Rec, values record.Values) error {
	if given(values, "inventory_quantity") && !given(values, "inventory_quantity_set") {
		values["inventory_quantity_set"] = true
	}
	if isSuperuser(e) {
		return nil
	}
	if given(values, restrictedQuantFields...) {
		return refuse("The quantity is kept by stock moves: set inventory_quantity, then call action_apply_inventory.")
	}
	for _, field := range []string{"product_id", "location_id"} {
		id, ok := values[field].(int64)
		for _, q := range quants {
			if ok && id != q.Int(field) {
				return refuse("Quant's editing is restricted, you can't do this operation.")
			}
		}
	}
	return nil
}

func checkQuantPlace(e *record.Env, q record.Rec) error {
	if product := q.Ref("product_id"); !isStorable(product) {
		return refuse("Quants cannot be created for consumables or services: %s is not tracked in stock (is_storable).", product.Text("display_name"))
	}
	if place := q.Ref("location_id"); place.Text("usage") == "view" {
		return refuse("You cannot take products from or deliver products to a location of type \"view\" (%s).", place.Text("complete_name"))
	}
	return nil
}

// quantDifference is how far the count is from what is known.
var quantDifference = record.Compute{
	Fields: []string{"inventory_diff_quantity"}, Depends: []string{"inventory_quantity", "inventory_quantity_set", "quantity"}, Early: true,
	Do: func(e *record.Env, q record.Rec) (record.Values, error) {
		diff := 0.0
		if q.Bool("inventory_quantity_set") {
			diff = roundTo(q.Float("inventory_quantity")-q.Float("quantity"), quantityStep)
		}
		return record.Values{"inventory_diff_quantity": diff}, nil
	},
}

// applyInventory moves the differences from or to the place where lost and
// found things are.
func applyInventory(e *record.Env, quants []record.Rec, _ record.Values) (any, error) {
	su := e.Sudo()
	var products []int64
	for _, q := range quants {
		products = append(products, q.Int("product_id"))
	}
	if err := lockProducts(e, products); err != nil {
		return nil, err
	}
	for _, q := range quants {
		known, err := quantityNow(e, q.ID())
		if err != nil {
			return nil, err
		}
		if !q.Bool("inventory_quantity_set") {
			continue
		}
		if diff := roundTo(q.Float("inventory_quantity")-known, quantityStep); diff != 0 {
			if err := moveDifference(su, q, diff); err != nil {
				return nil, err
			}
		}
	}
	return clearInventory(e, quants, nil)
}

// quantityNow reads past what the transaction has read before the lock.
func quantityNow(e *record.Env, quant int64) (quantity float64, err error) {
	err = e.Tx().Query(e.Ctx(), "select quantity from stock_quant where id = $1", []any{quant}, func(r sqldb.Row) error {
		quantity = r.Float(0)
		return nil
	})
	return quantity, err
}

func clearInventory(e *record.Env, quants []record.Rec, _ record.Values) (any, error) {
	return true, e.Sudo().Write(quants, record.Values{"inventory_quantity": 0.0, "inventory_quantity_set": false})
}

// moveDifference makes and does the move that explains a difference.
func moveDifference(e *record.Env, q record.Rec, diff float64) error {
	company := q.Int("company_id")
	if company == 0 {
		company = e.CompanyID()
	}
	loss, err := locationOf(e, "inventory", company)
	if err != nil {
		return err
	}
	from, to := loss.ID(), q.Int("location_id")
	if diff < 0 {
		from, to, diff = to, from, -diff
	}
	moves, err := e.Create("stock.move", record.Values{
		"product_id": q.Int("product_id"), "product_uom_qty": diff, "company_id": company,
		"location_id": from, "location_dest_id": to, "is_inventory": true, "state": "confirmed",
		"inventory_name": "Product Quantity Updated", "picking_id": nil,
	})
	if err != nil {
		return err
	}
	if err := addToLine(e, moves[0], from, diff); err != nil {
		return err
	}
	return doMoves(e, moves)
}
