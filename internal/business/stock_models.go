package business

import s "gatehouse/internal/schema"

// stockModels are places, what lies there, and what moves between them.
func stockModels() []*s.Model {
	return []*s.Model{
		warehouseModel(), locationModel(), pickingTypeModel(),
		pickingModel(), moveModel(), moveLineModel(), quantModel(),
	}
}

func warehouseModel() *s.Model {
	return &s.Model{
		Name: "stock.warehouse", Label: "Warehouse", Order: "sequence,id",
		Fields: []*s.Field{
			s.NewChar("name", "Warehouse").Req(),
			s.NewBoolean("active", "Active").Def(true),
			s.NewMany2one("company_id", "Company", "res.company").Req().RO(),
			s.NewMany2one("partner_id", "Address", "res.partner"),
			s.NewMany2one("view_location_id", "View Location", "stock.location").Req().Index(),
			s.NewMany2one("lot_stock_id", "Location Stock", "stock.location").Req(),
			s.NewChar("code", "Short Name").Req().MaxSize(5).
				Helped("The first part of the names of its transfers."),
			s.NewSelection("reception_steps", "Incoming Shipments",
				"one_step", "Receive and Store (1 step)").Req().Def("one_step"),
			s.NewSelection("delivery_steps", "Outgoing Shipments", "ship_only", "Deliver (1 step)").Req().Def("ship_only"),
			s.NewMany2one("in_type_id", "In Type", "stock.picking.type").NoCopy(),
			s.NewMany2one("out_type_id", "Out Type", "stock.picking.type").NoCopy(),
			s.NewMany2one("int_type_id", "Internal Type", "stock.picking.type").NoCopy(),
			s.NewInteger("sequence", "Sequence").Def(int64(10)).AggregatedBy("none"),
		},
		Uniques: []s.Unique{
			{
				Name: "warehouse_name_uniq", Columns: []string{"name", "company_id"},
				Message: "The name of the warehouse must be unique per company!",
			},
			{
				Name: "warehouse_code_uniq", Columns: []string{"code", "company_id"},
				Message: "The short name of the warehouse must be unique per company!",
			},
		},
	}
}

// locationUsages are the kinds of places. Only what is in internal and transit
// ones belongs to a company; the others are the world outside.
var locationUsages = []string{
	"supplier", "Vendor", "view", "Virtual", "internal", "Internal", "customer", "Customer",
	"inventory", "Inventory Loss", "production", "Production", "transit", "Transit",
}

func locationModel() *s.Model {
	return &s.Model{
		Name: "stock.location", Label: "Inventory Locations", Order: "complete_name, id", RecName: "name",
		RecNames:   []string{"complete_name", "barcode"},
		NameParts:  []s.NamePart{{Path: "complete_name"}},
		ParentName: "location_id",
		Fields: []*s.Field{
			s.NewChar("name", "Location Name").Req(),
			s.NewChar("complete_name", "Full Location Name").ComputedStored(),
			s.NewBoolean("active", "Active").Def(true),
			s.NewSelection("usage", "Location Type", locationUsages...).Req().Index().Def("internal"),
			s.NewMany2one("location_id", "Parent Location", "stock.location").Index(),
			s.NewOne2many("child_ids", "Contains", "stock.location", "location_id"),
			s.NewChar("parent_path", "Parent Path").Index(),
			s.NewMany2one("company_id", "Company", "res.company").Index().
				Helped("Not set: shared by all companies."),
			s.NewChar("barcode", "Barcode").NoCopy(),
			s.NewBoolean("replenish_location", "Replenishments").NoCopy(),
			s.NewMany2one("warehouse_id", "Warehouse", "stock.warehouse").ComputedStored(),
			s.NewOne2many("quant_ids", "Quant", "stock.quant", "location_id"),
			s.NewOne2many("warehouse_view_ids", "Warehouse View", "stock.warehouse", "view_location_id"),
		},
		Uniques: []s.Unique{{
			Name: "barcode_company_uniq", Columns: []string{"barcode", "company_id"},
			Message: "The barcode for a location must be unique per company!",
		}},
	}
}

func pickingTypeModel() *s.Model {
	return &s.Model{
		Name: "stock.picking.type", Label: "Picking Type", Order: "sequence, id", RecName: "name",
		RecNames:  []string{"name", "warehouse_id.name"},
		NameParts: []s.NamePart{{Path: "warehouse_id.name", After: ": "}, {Path: "name"}},
		Fields: []*s.Field{
			s.NewChar("name", "Operation Type").Req().Translated(),
			s.NewInteger("sequence", "Sequence"),
			s.NewMany2one("sequence_id", "Reference Sequence", "ir.sequence").NoCopy(),
			s.NewChar("sequence_code", "Sequence Prefix").Req(),
			s.NewMany2one("default_location_src_id", "Source Location", "stock.location").Req(),
			s.NewMany2one("default_location_dest_id", "Destination Location", "stock.location").Req(),
			s.NewSelection("code", "Type of Operation", "incoming", "Receipt", "outgoing", "Delivery",
				"internal", "Internal Transfer").Req().Def("incoming"),
			s.NewMany2one("warehouse_id", "Warehouse", "stock.warehouse").OnDeleteDo(s.Cascade),
			s.NewBoolean("active", "Active").Def(true),
			s.NewSelection("reservation_method", "Reservation Method",
				"at_confirm", "At Confirmation", "manual", "Manually").Req().Def("at_confirm"),
			s.NewSelection("create_backorder", "Create Backorder",
				"ask", "Ask", "always", "Always", "never", "Never").Req().Def("ask").
				Helped("What becomes of the rest of a partial transfer. There is nobody to ask over an API: a backorder is made unless this says never."),
			s.NewSelection("move_type", "Shipping Policy",
				"direct", "As soon as possible", "one", "When all products are ready").Req().Def("direct"),
			s.NewChar("barcode", "Barcode").NoCopy(),
			s.NewMany2one("company_id", "Company", "res.company").Req().Index(),
		},
	}
}

func quantModel() *s.Model {
	location := s.NewMany2one("location_id", "Location", "stock.location").Req().Index()
	location.NoRules = true
	return &s.Model{
		Name: "stock.quant", Label: "Quants", Order: "id", RecName: "product_id",
		RecNames:  []string{"location_id"},
		NameParts: []s.NamePart{{Path: "location_id.complete_name", After: " - "}, {Path: "product_id.display_name"}},
		Fields: []*s.Field{
			s.NewMany2one("product_id", "Product", "product.product").Req().Index(),
			s.NewMany2one("product_tmpl_id", "Product Template", "product.template").RelatedTo("product_id", "product_tmpl_id"),
			location,
			s.NewMany2one("company_id", "Company", "res.company").RelatedTo("location_id", "company_id").Stored(),
			s.NewMany2one("warehouse_id", "Warehouse", "stock.warehouse").RelatedTo("location_id", "warehouse_id"),
			s.NewMany2one("product_uom_id", "Unit", "uom.uom").RelatedTo("product_id", "uom_id"),
			s.NewFloat("quantity", "Quantity", 2).RO().Def(0.0),
			s.NewFloat("reserved_quantity", "Reserved Quantity", 2).Req().RO().Def(0.0),
			s.NewFloat("available_quantity", "Available Quantity", 2).
				ComputedSQL("(coalesce({t}.quantity, 0) - {t}.reserved_quantity)"),
			s.NewFloat("inventory_quantity", "Counted", 2).
				Helped("What was counted; action_apply_inventory makes it the quantity."),
			s.NewFloat("inventory_diff_quantity", "Difference", 2).ComputedStored(),
			s.NewBoolean("inventory_quantity_set", "Inventory Quantity Set").Def(false),
			s.NewDate("inventory_date", "Scheduled"),
			s.NewMany2one("user_id", "Assigned To", "res.users"),
			s.NewDatetime("in_date", "Incoming Date").Req().RO(),
		},
		Uniques: []s.Unique{{
			Name: "place_uniq", Columns: []string{"product_id", "location_id"},
			Message: "This product has a quant in this location already: write inventory_quantity on that one.",
		}},
	}
}
