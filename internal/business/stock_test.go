package business

import (
	"fmt"
	"maps"
	"sync"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
)

// count counts a product in the main warehouse, as a person would.
func (s *shop) stocktake(product int64, quantity float64) {
	s.Helper()
	place := s.ref("stock.stock_location_stock")
	quants := s.admin.find("stock.quant", both(leaf("product_id", "=", product), leaf("location_id", "=", place)))
	if len(quants) == 0 {
		quants = []int64{s.admin.create("stock.quant", vals{
			"product_id": product, "location_id": place, "inventory_quantity": quantity,
		})}
	} else {
		s.admin.write("stock.quant", quants[0], vals{"inventory_quantity": quantity})
	}
	s.admin.call("stock.quant", "action_apply_inventory", quants[0])
}

// holds expects what a location has of a product and has promised of it.
func (s *shop) holds(want string, product int64, location string) {
	s.Helper()
	quants := s.admin.find("stock.quant", both(leaf("product_id", "=", product), leaf("location_id.complete_name", "=", location)))
	got := "nothing"
	if len(quants) > 0 {
		got = s.admin.read("stock.quant", quants[0], "quantity", "reserved_quantity")
	}
	if got != want {
		s.Errorf("%s holds %s, want %s", location, got, want)
	}
}

func (s *shop) newLamp() int64 {
	s.Helper()
	return s.admin.create("product.product", vals{"name": "Lamp", "list_price": 40.0, "is_storable": true, "taxes_id": []int64{}})
}

func (s *shop) pickings(order int64) []int64 {
	s.Helper()
	return s.admin.find("stock.picking", leaf("sale_id", "=", order))
}

func (s *shop) moves(picking int64) []int64 {
	s.Helper()
	return s.admin.find("stock.move", leaf("picking_id", "=", picking))
}

var moveFields = []string{"state", "product_uom_qty", "quantity"}

func TestStock(t *testing.T) {
	stories(t, map[string]func(s *shop){
		"01 counting": func(s *shop) {
			lamp := s.newLamp()
			s.stocktake(lamp, 10)
			s.holds("10 | 0", lamp, "WH/Stock")
			s.holds("-10 | 0", lamp, "Inventory adjustment")
			s.admin.sees("10", "product.product", lamp, "qty_available")
			s.stocktake(lamp, 4)
			s.admin.sees("4", "product.product", lamp, "qty_available")
			move := s.admin.find("stock.move", leaf("product_id", "=", lamp))[1]
			s.admin.sees("done | 6 | 6 | Product Quantity Updated | WH/Stock | Inventory adjustment | true", "stock.move", move,
				"state", "product_uom_qty", "quantity", "reference", "location_id", "location_dest_id", "is_inventory")
			quant := s.admin.find("stock.quant", both(leaf("product_id", "=", lamp), leaf("location_id.usage", "=", "internal")))[0]
			s.admin.sees("0 | false | 0", "stock.quant", quant, "inventory_quantity", "inventory_quantity_set", "inventory_diff_quantity")
			s.admin.write("stock.quant", quant, vals{"inventory_quantity": 7})
			s.admin.sees("7 | true | 3", "stock.quant", quant, "inventory_quantity", "inventory_quantity_set", "inventory_diff_quantity")
			s.admin.refusedWrite(fault.Unprocessable, "kept by stock moves", "stock.quant", quant, vals{"quantity": 99})
			s.admin.refusedWrite(fault.Unprocessable, "editing is restricted", "stock.quant", quant, vals{"product_id": s.lamp})
			place := s.ref("stock.stock_location_stock")
			s.admin.refusedCreate(fault.Unprocessable, "has a quant in this location", "stock.quant", vals{"product_id": lamp, "location_id": place})
			s.admin.refusedCreate(fault.Unprocessable, "kept by stock moves", "stock.quant", vals{"product_id": s.lamp, "location_id": place, "quantity": 5})
			s.admin.refusedCreate(fault.Unprocessable, "consumables or services", "stock.quant", vals{"product_id": s.hour, "location_id": place})
		},
		"02 an order is delivered in two parts": func(s *shop) {
			lamp := s.newLamp()
			s.stocktake(lamp, 3)
			o := s.order(vals{"product_id": lamp, "product_uom_qty": 5}, vals{"product_id": s.widget, "product_uom_qty": 2}, vals{"product_id": s.hour})
			s.admin.call("sale.order", "action_confirm", o)
			picking := s.pickings(o)[0]
			s.admin.sees("assigned | Stark Ltd | WH/Stock | Customers | outgoing | My Company | direct", "stock.picking", picking,
				"state", "partner_id", "location_id", "location_dest_id", "picking_type_code", "company_id", "move_type")
			if name := s.admin.read("stock.picking", picking, "name"); name[:9] != "WH/OUT/00" {
				s.Errorf("the picking is called %s", name)
			}
			moves := s.moves(picking)
			s.admin.sees("partially_available | 5 | 3", "stock.move", moves[0], moveFields...)
			s.admin.sees("assigned | 2 | 2", "stock.move", moves[1], moveFields...)
			s.holds("3 | 3", lamp, "WH/Stock")
			s.admin.sees("pending | 1", "sale.order", o, "delivery_status", "delivery_count")

			s.admin.call("stock.picking", "button_validate", picking)
			s.holds("0 | 0", lamp, "WH/Stock")
			s.holds("3 | 0", lamp, "Customers")
			s.holds("nothing", s.widget, "Customers")
			s.admin.sees("done", "stock.picking", picking, "state")
			lines := s.lines(o)
			s.admin.sees("3", "sale.order.line", lines[0], "qty_delivered")
			s.admin.sees("2", "sale.order.line", lines[1], "qty_delivered")
			s.admin.sees("partial | 2", "sale.order", o, "delivery_status", "delivery_count")
			back := s.admin.find("stock.picking", leaf("backorder_id", "=", picking))[0]
			s.admin.sees("confirmed", "stock.picking", back, "state")
			rest := s.moves(back)
			s.admin.sees("confirmed | 2 | 0", "stock.move", rest[0], moveFields...)
			s.admin.refusedCall(fault.Unprocessable, "no quantities are reserved", "stock.picking", "button_validate", back)
			s.admin.refusedCall(fault.Unprocessable, "is done already", "stock.picking", "button_validate", picking)
			s.admin.refusedCall(fault.Unprocessable, "has been set to 'Done'", "stock.picking", "action_cancel", picking)

			s.stocktake(lamp, 8)
			s.admin.call("stock.picking", "action_assign", back)
			s.admin.sees("assigned", "stock.picking", back, "state")
			s.holds("8 | 2", lamp, "WH/Stock")
			s.admin.call("stock.picking", "do_unreserve", back)
			s.holds("8 | 0", lamp, "WH/Stock")
			s.admin.call("stock.picking", "action_assign", back)
			s.admin.call("stock.picking", "button_validate", back)
			s.holds("6 | 0", lamp, "WH/Stock")
			s.admin.sees("full", "sale.order", o, "delivery_status")
		},
		"03 changing a confirmed order": func(s *shop) {
			lamp := s.newLamp()
			s.stocktake(lamp, 20)
			o := s.order(vals{"product_id": lamp, "product_uom_qty": 4})
			s.admin.call("sale.order", "action_confirm", o)
			l := s.lines(o)[0]
			move := s.moves(s.pickings(o)[0])[0]
			s.admin.write("sale.order.line", l, vals{"product_uom_qty": 10})
			s.admin.sees("assigned | 10 | 10", "stock.move", move, moveFields...)
			s.admin.write("sale.order.line", l, vals{"product_uom_qty": 6})
			s.admin.sees("assigned | 6 | 6", "stock.move", move, moveFields...)
			s.holds("20 | 6", lamp, "WH/Stock")
			s.admin.refusedWrite(fault.Unprocessable, "cannot modify the product", "sale.order.line", l, vals{"product_id": s.widget})
			s.admin.write("sale.order", o, vals{"order_line": []any{line(vals{"product_id": s.widget, "product_uom_qty": 1})}})
			if n := len(s.moves(s.pickings(o)[0])); n != 2 {
				s.Errorf("%d moves after a line was added", n)
			}
			s.admin.write("sale.order.line", l, vals{"product_uom_qty": 0})
			s.admin.sees("cancel | 6 | 0", "stock.move", move, moveFields...)
			s.holds("20 | 0", lamp, "WH/Stock")
			s.admin.call("sale.order", "action_cancel", o)
			s.admin.sees("cancel", "stock.picking", s.pickings(o)[0], "state")
			s.admin.call("sale.order", "action_draft", o)
			s.admin.write("sale.order.line", l, vals{"product_uom_qty": 2})
			s.admin.call("sale.order", "action_confirm", o)
			s.admin.sees("pending | 2", "sale.order", o, "delivery_status", "delivery_count")
			s.holds("20 | 2", lamp, "WH/Stock")
		},
		"04 a receipt by hand": func(s *shop) {
			lamp := s.newLamp()
			dozen := s.ref("uom.product_uom_dozen")
			receipt := s.admin.create("stock.picking", vals{
				"picking_type_id": s.ref("stock.picking_type_in"), "partner_id": s.customer,
				"move_ids": []any{line(vals{"product_id": lamp, "product_uom_qty": 2, "product_uom": dozen})},
			})
			s.admin.sees("draft | Vendors | WH/Stock", "stock.picking", receipt, "state", "location_id", "location_dest_id")
			s.admin.sees("draft | 2 | 0 | Dozens | 24", "stock.move", s.moves(receipt)[0], append(moveFields, "product_uom", "product_qty")...)
			s.admin.call("stock.picking", "button_validate", receipt)
			s.admin.sees("done | 2 | 2", "stock.move", s.moves(receipt)[0], moveFields...)
			s.holds("24 | 0", lamp, "WH/Stock")
			s.holds("-24 | 0", lamp, "Vendors")
			empty := s.admin.create("stock.picking", vals{"picking_type_id": s.ref("stock.picking_type_in")})
			s.admin.refusedCall(fault.Unprocessable, "empty transfer", "stock.picking", "button_validate", empty)
			s.admin.refusedCreate(fault.Unprocessable, "is a service", "stock.move", vals{"product_id": s.hour, "picking_id": empty})
			s.admin.unlink("stock.picking", empty)
			s.admin.refusedUnlink(fault.Unprocessable, "Done", "stock.picking", receipt)
			s.admin.refusedCreate(fault.Unprocessable, "done or cancelled", "stock.move", vals{"product_id": s.lamp, "picking_id": receipt})
		},
		"05 a quantity set by hand": func(s *shop) {
			lamp := s.newLamp()
			s.stocktake(lamp, 2)
			o := s.order(vals{"product_id": lamp, "product_uom_qty": 5})
			s.admin.call("sale.order", "action_confirm", o)
			picking := s.pickings(o)[0]
			move := s.moves(picking)[0]
			s.admin.write("stock.move", move, vals{"quantity": 4})
			s.admin.sees("partially_available | 5 | 4", "stock.move", move, moveFields...)
			s.holds("2 | 4", lamp, "WH/Stock")
			s.admin.write("stock.move", move, vals{"quantity": 3})
			s.holds("2 | 3", lamp, "WH/Stock")
			s.admin.run("stock.picking", "button_validate", picking, vals{"cancel_backorder": true})
			s.admin.sees("done | 3 | 3", "stock.move", move, moveFields...)
			s.holds("-1 | 0", lamp, "WH/Stock")
			s.admin.sees("full | 1", "sale.order", o, "delivery_status", "delivery_count")
			s.admin.refusedWrite(fault.Unprocessable, "done or cancelled", "stock.move", move, vals{"quantity": 9})
			s.admin.refusedUnlink(fault.Unprocessable, "draft or cancelled", "stock.move", move)
			s.admin.refusedCreate(fault.Unprocessable, "follow their move", "stock.move.line", vals{
				"move_id": move, "product_id": lamp,
				"product_uom_id": s.unit, "company_id": 1, "location_id": 1, "location_dest_id": 2, "date": "2024-01-01 00:00:00",
			})
		},
		"06 shelves": func(s *shop) {
			lamp := s.newLamp()
			stock := s.ref("stock.stock_location_stock")
			shelf := s.admin.create("stock.location", vals{"name": "Shelf 1", "location_id": stock})
			s.admin.sees("WH/Stock/Shelf 1 | WH/Stock/Shelf 1 | My Company | internal", "stock.location", shelf, "complete_name", "display_name", "warehouse_id", "usage")
			q := s.admin.create("stock.quant", vals{"product_id": lamp, "location_id": shelf, "inventory_quantity": 3})
			s.admin.call("stock.quant", "action_apply_inventory", q)
			s.stocktake(lamp, 4)
			s.admin.sees("7", "product.product", lamp, "qty_available")
			o := s.order(vals{"product_id": lamp, "product_uom_qty": 5})
			s.admin.call("sale.order", "action_confirm", o)
			s.holds("3 | 3", lamp, "WH/Stock/Shelf 1")
			s.holds("4 | 2", lamp, "WH/Stock")
			s.admin.call("stock.picking", "button_validate", s.pickings(o)[0])
			s.holds("0 | 0", lamp, "WH/Stock/Shelf 1")
			s.holds("2 | 0", lamp, "WH/Stock")
			s.admin.write("stock.location", shelf, vals{"name": "Shelf A"})
			s.admin.sees("WH/Stock/Shelf A", "stock.location", shelf, "complete_name")
			s.admin.refusedWrite(fault.Unprocessable, "", "stock.location", stock, vals{"location_id": shelf})
			s.admin.refusedWrite(fault.Unprocessable, "still holds products", "stock.location", stock, vals{"active": false})
			s.admin.refusedWrite(fault.Unprocessable, "should be set to zero", "product.product", lamp, vals{"is_storable": false})
			s.admin.call("sale.order", "action_confirm", s.order(vals{"product_id": lamp}))
			s.admin.refusedWrite(fault.Unprocessable, "reserved in this location", "stock.location", stock, vals{"usage": "customer"})
			s.admin.refusedWrite(fault.Unprocessable, "currently reserved on a stock move", "product.product", lamp, vals{"type": "service"})
		},
		"07 all at once": func(s *shop) {
			lamp := s.newLamp()
			s.stocktake(lamp, 1)
			o := s.admin.create("sale.order", vals{"partner_id": s.customer, "picking_policy": "one", "order_line": []any{
				line(vals{"product_id": lamp, "product_uom_qty": 2}), line(vals{"product_id": s.widget}),
			}})
			s.admin.call("sale.order", "action_confirm", o)
			picking := s.pickings(o)[0]
			s.admin.sees("confirmed | one", "stock.picking", picking, "state", "move_type")
			s.stocktake(lamp, 2)
			s.admin.call("stock.picking", "action_assign", picking)
			s.admin.sees("assigned", "stock.picking", picking, "state")
		},
		"08 another warehouse": func(s *shop) {
			w := s.admin.create("stock.warehouse", vals{"name": "Annex", "code": "AX"})
			s.admin.sees("AX | AX/Stock | Annex: Receipts | Annex: Delivery Orders", "stock.warehouse", w, "view_location_id", "lot_stock_id", "in_type_id", "out_type_id")
			o := s.admin.create("sale.order", vals{"partner_id": s.customer, "warehouse_id": w, "order_line": []any{line(vals{"product_id": s.widget})}})
			s.admin.call("sale.order", "action_confirm", o)
			s.admin.sees("AX/OUT/00001 | AX/Stock", "stock.picking", s.pickings(o)[0], "name", "location_id")
			s.admin.write("stock.warehouse", w, vals{"code": "AY"})
			s.admin.sees("AY/Stock", "stock.warehouse", w, "lot_stock_id")
			s.admin.refusedCreate(fault.Unprocessable, "unique per company", "stock.warehouse", vals{"name": "Annex", "code": "AZ"})
		},
	})
}

// Many at once: nothing is sold twice, and nothing is lost.
func TestStockRaces(t *testing.T) {
	stories(t, map[string]func(s *shop){
		"deliveries of one product": func(s *shop) {
			const sellers, stock = 8, 5
			lamp := s.newLamp()
			s.stocktake(lamp, stock)
			var orders []int64
			for range sellers {
				orders = append(orders, s.order(vals{"product_id": lamp}))
			}
			s.together(orders, func(o int64) error {
				if _, err := s.engine.Call(s.Context(), s.admin.caller, "sale.order", "action_confirm", []int64{o}, nil); err != nil {
					return err
				}
				return nil
			})
			s.holds(fmt.Sprintf("%d | %d", stock, stock), lamp, "WH/Stock")
			ready := s.admin.find("stock.picking", both(leaf("sale_id", "in", anyOf(orders)), leaf("state", "=", "assigned")))
			if len(ready) != stock {
				s.Errorf("%d deliveries are ready, of %d lamps", len(ready), stock)
			}
			s.together(ready, func(p int64) error {
				_, err := s.engine.Call(s.Context(), s.admin.caller, "stock.picking", "button_validate", []int64{p}, nil)
				return err
			})
			s.holds("0 | 0", lamp, "WH/Stock")
			s.holds(fmt.Sprintf("%d | 0", stock), lamp, "Customers")
		},
		"one order confirmed by many": func(s *shop) {
			o := s.order(vals{"product_id": s.widget})
			s.clashing([]int64{o, o, o, o}, 1, func(o int64) error {
				_, err := s.engine.Call(s.Context(), s.admin.caller, "sale.order", "action_confirm", []int64{o}, nil)
				return err
			})
			if n := len(s.pickings(o)); n != 1 {
				s.Errorf("%d deliveries of one order", n)
			}
			p := s.pickings(o)[0]
			s.clashing([]int64{p, p, p, p}, 1, func(p int64) error {
				_, err := s.engine.Call(s.Context(), s.admin.caller, "stock.picking", "button_validate", []int64{p}, nil)
				return err
			})
			s.admin.sees("1", "sale.order.line", s.lines(o)[0], "qty_delivered")
		},
		"people in each other's way": func(s *shop) {
			lamp := s.newLamp()
			s.stocktake(lamp, 30)
			var orders, pickings, moves, lines []int64
			for range 4 {
				o := s.order(vals{"product_id": lamp, "product_uom_qty": 5})
				s.admin.call("sale.order", "action_confirm", o)
				orders, lines = append(orders, o), append(lines, s.lines(o)[0])
				pickings = append(pickings, s.pickings(o)[0])
				moves = append(moves, s.moves(pickings[len(pickings)-1])[0])
			}
			call := func(model, method string, id int64) error {
				_, err := s.engine.Call(s.Context(), s.admin.caller, model, method, []int64{id}, nil)
				return err
			}
			steps := make([]func() error, 0, 24)
			for i := range orders {
				steps = append(steps,
					func() error { return call("stock.picking", "button_validate", pickings[i]) },
					func() error { return call("sale.order", "action_cancel", orders[i]) },
					func() error {
						return s.engine.Write(s.Context(), s.admin.caller, "stock.move", []int64{moves[i]}, vals{"quantity": 3 + i})
					},
					func() error {
						return s.engine.Write(s.Context(), s.admin.caller, "sale.order.line", []int64{lines[i]}, vals{"product_uom_qty": 2 + 3*i})
					},
					func() error { return call("stock.picking", "do_unreserve", pickings[i]) },
					func() error { return call("stock.picking", "action_assign", pickings[i]) },
				)
			}
			var all sync.WaitGroup
			for _, step := range steps {
				all.Go(func() {
					if err := step(); err != nil && !fault.Is(err, fault.Unprocessable) {
						s.Error(explain(err))
					}
				})
			}
			all.Wait()
			s.balanced(lamp)
		},
		"order names": func(s *shop) {
			before := s.admin.count("sale.order", "[]")
			names := sync.Map{}
			s.together(make([]int64, 12), func(int64) error {
				made, err := s.engine.Create(s.Context(), s.admin.caller, "sale.order", []backend.Values{{"partner_id": s.customer}})
				if err == nil {
					names.Store(s.admin.read("sale.order", made.IDs[0], "name"), true)
				}
				return err
			})
			for i := range 12 {
				if name := fmt.Sprintf("S%05d", before+1+i); !stored(&names, name) {
					s.Errorf("no order is called %s", name)
				}
			}
		},
	})
}

// balanced expects that nothing of a product came from nowhere, and that what
// is reserved is what moves under way have taken.
func (s *shop) balanced(product int64) {
	s.Helper()
	s.sudo(func(e *record.Env) error {
		quants, err := e.SearchNode("stock.quant", leaf("product_id", "=", product))
		if err != nil {
			return err
		}
		sum, reserved := 0.0, map[int64]float64{}
		for _, q := range quants {
			sum += q.Float("quantity")
			if r := q.Float("reserved_quantity"); r != 0 {
				reserved[q.Int("location_id")] = r
			}
		}
		if sum != 0 {
			s.Errorf("the quants add up to %v", sum)
		}
		lines, err := e.SearchNode("stock.move.line", both(leaf("product_id", "=", product), leaf("state", "not in", []any{"done", "cancel"})))
		if err != nil {
			return err
		}
		taken := map[int64]float64{}
		for _, l := range lines {
			taken[l.Int("location_id")] += l.Float("quantity")
		}
		if !maps.Equal(reserved, taken) {
			s.Errorf("reserved is %v, taken by moves %v", reserved, taken)
		}
		return nil
	})
}

func stored(m *sync.Map, key string) bool {
	_, ok := m.Load(key)
	return ok
}

// together runs fn for all ids at the same time; all must go through.
func (s *shop) together(ids []int64, fn func(int64) error) {
	s.Helper()
	s.clashing(ids, len(ids), fn)
}

// clashing runs fn for all ids at the same time; that many must go through and
// the others be refused.
func (s *shop) clashing(ids []int64, want int, fn func(int64) error) {
	s.Helper()
	errs := make([]error, len(ids))
	var all sync.WaitGroup
	for i, id := range ids {
		all.Go(func() { errs[i] = fn(id) })
	}
	all.Wait()
	done := 0
	for _, err := range errs {
		switch {
		case err == nil:
			done++
		case !fault.Is(err, fault.Unprocessable):
			s.Error(explain(err))
		}
	}
	if done != want {
		s.Errorf("%d went through, want %d: %v", done, want, errs)
	}
}
