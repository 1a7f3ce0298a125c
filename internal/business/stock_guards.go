package business

import (
	"gatehouse/internal/domain"
	"gatehouse/internal/record"
)

// guardTracking refuses to begin or stop keeping count of a product while that
// would leave reservations or stock that nobody sees any more.
func guardTracking(e *record.Env, templates []record.Rec, values record.Values) error {
	for _, t := range templates {
		kind, changesKind := values["type"]
		storable, changesCount := values["is_storable"].(bool)
		if (!changesKind || text(kind) == t.Text("type")) && (!changesCount || storable == t.Bool("is_storable")) {
			continue
		}
		reserved, err := e.Sudo().SearchNode("stock.move.line", domain.Conj(
			leaf("product_id.product_tmpl_id", "=", t.ID()), leaf("quantity", ">", 0.0),
			leaf("state", "not in", []any{"done", "cancel"})), record.WithLimit(1))
		if err != nil {
			return err
		}
		if len(reserved) > 0 {
			return refuse("You can not change the type of a product that is currently reserved on a stock move. If you need to change the type, you should first unreserve the stock move.")
		}
		held, err := e.Sudo().SearchNode("stock.quant", domain.Conj(
			leaf("product_id.product_tmpl_id", "=", t.ID()), leaf("quantity", "!=", 0.0),
			leaf("location_id.usage", "in", []any{"internal", "transit"})), record.WithLimit(1))
		if err != nil {
			return err
		}
		if len(held) > 0 {
			return refuse("Available quantity should be set to zero before changing inventory tracking")
		}
	}
	return nil
}

// guardLocations keeps places as they are while something lies in them.
func guardLocations(e *record.Env, locations []record.Rec, values record.Values) error {
	usage, changes := values["usage"]
	active, archives := values["active"].(bool)
	for _, l := range locations {
		if changes && text(usage) != l.Text("usage") {
			reserved, err := e.Sudo().SearchNode("stock.quant", domain.Conj(
				leaf("location_id", "=", l.ID()), leaf("reserved_quantity", "!=", 0.0)), record.WithLimit(1))
			if err != nil {
				return err
			}
			if len(reserved) > 0 {
				return refuse("You cannot change the location type as there are products reserved in this location. Please unreserve the products first.")
			}
		}
		if !archives || active {
			continue
		}
		held, err := e.Sudo().SearchNode("stock.quant", domain.Conj(
			leaf("location_id", "child_of", l.ID()), leaf("quantity", "!=", 0.0)), record.WithLimit(1))
		if err != nil {
			return err
		}
		if len(held) > 0 && keepsStock(l) {
			return refuse("You can't disable the location %s: it still holds products.", l.Text("complete_name"))
		}
	}
	return nil
}
