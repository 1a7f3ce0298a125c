package business

import (
	"gatehouse/internal/record"
)

// products makes the catalogue: categories, goods with and without stock, and
// services.
func (d *demo) products() error {
	descriptions := map[string]string{}
	for _, r := range facts("demo_categories.csv") {
		descriptions[r.text("category")] = r.text("description")
	}
	for _, r := range facts("demo_products.csv") {
		category, err := d.category(r.text("category"))
		if err != nil {
			return err
		}
		values := record.Values{
			"name": r.text("name"), "default_code": r.text("code"), "categ_id": category,
			"list_price": r.float("price"), "standard_price": r.float("cost"),
			"type": "consu", "is_storable": r.text("kind") == "storable",
			"uom_id":           d.e.Ref("uom." + r.text("unit")).ID(),
			"description_sale": descriptions[r.text("category")],
		}
		if r.text("kind") == "service" {
			values["type"] = "service"
		}
		if code := r.optional("barcode"); code != nil {
			values["barcode"] = code
		}
		t, err := d.create("product.template", values)
		if err != nil {
			return err
		}
		variant := t.Ref("product_variant_id").ID()
		d.names["product/"+r.text("code")] = variant
		d.goods = append(d.goods, variant)
	}
	return nil
}

// category finds or makes a category below All / Saleable, services below
// their own.
func (d *demo) category(name string) (int64, error) {
	if name == "Services" {
		return d.e.Ref("product.product_category_services").ID(), nil
	}
	if d.names["category/"+name] == 0 {
		c, err := d.create("product.category", record.Values{
			"name": name, "parent_id": d.e.Ref("product.product_category_1").ID(),
		})
		if err != nil {
			return 0, err
		}
		d.names["category/"+name] = c.ID()
	}
	return d.names["category/"+name], nil
}

// stock fills the warehouses: the main one, and the second company's with a
// third of it.
func (d *demo) stock() error {
	for _, w := range []struct{ company, share int64 }{{mainCompany, 1}, {d.company2, 3}} {
		warehouses, err := d.e.SearchNode("stock.warehouse", leaf("company_id", "=", w.company), record.WithLimit(1))
		if err != nil {
			return err
		}
		if len(warehouses) == 0 {
			continue
		}
		location := warehouses[0].Ref("lot_stock_id").ID()
		var quants []record.Values
		for _, r := range facts("demo_products.csv") {
			quantity, _ := r.int("stock").(int64)
			if quantity /= w.share; quantity > 0 {
				quants = append(quants, record.Values{
					"product_id": d.names["product/"+r.text("code")], "location_id": location,
					"quantity": float64(quantity),
				})
			}
		}
		if _, err := d.e.Create("stock.quant", quants...); err != nil {
			return err
		}
	}
	return nil
}
