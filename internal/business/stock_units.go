package business

import (
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
)

// quantityStep is the precision of quantities: Odoo's "Product Unit".
const quantityStep = 0.01

// convertQuantity gives a quantity of unit from in unit to.
func convertQuantity(quantity float64, from, to record.Rec) float64 {
	if quantity == 0 || sameUnit(from, to) {
		return quantity
	}
	return roundTo(quantity*from.Float("factor")/to.Float("factor"), quantityStep)
}

// convertPrice gives a price per unit from as a price per unit to, without the
// noise that the multiplication leaves behind the last digit of a price.
func convertPrice(price float64, from, to record.Rec) float64 {
	if price == 0 || sameUnit(from, to) {
		return price
	}
	return schema.Round(price*to.Float("factor")/from.Float("factor"), priceScale)
}

// sameUnit also holds where there is nothing to convert by.
func sameUnit(a, b record.Rec) bool {
	return a.IsZero() || b.IsZero() || a.ID() == b.ID() || a.Float("factor") == 0 || b.Float("factor") == 0
}

// isGoods says whether a product is delivered by transfers.
func isGoods(product record.Rec) bool { return product.Text("type") == "consu" }

// isStorable says whether we keep count of a product. Other goods are moved
// without anybody asking how many are there.
func isStorable(product record.Rec) bool { return isGoods(product) && product.Bool("is_storable") }

// keepsStock says whether what lies in a location is ours to promise. Vendors,
// customers and losses have as much as one takes.
func keepsStock(location record.Rec) bool {
	switch location.Text("usage") {
	case "internal", "transit":
		return true
	}
	return false
}
