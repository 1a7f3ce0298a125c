package business

import s "gatehouse/internal/schema"

// moveStates are the states of moves and of their lines.
var moveStates = []string{
	"draft", "New", "waiting", "Waiting Another Move", "confirmed", "Waiting",
	"partially_available", "Partially Available", "assigned", "Available", "done", "Done", "cancel", "Cancelled",
}

var (
	urgency     = []string{"0", "Normal", "1", "Urgent"}
	pickingMode = []string{"incoming", "Receipt", "outgoing", "Delivery", "internal", "Internal Transfer"}
)

func pickingModel() *s.Model {
	return &s.Model{
		Name: "stock.picking", Label: "Transfer", Order: "priority desc, scheduled_date asc, id desc", RecName: "name",
		Fields: []*s.Field{
			s.NewChar("name", "Reference").RO().NoCopy().Index().Def("/"),
			s.NewChar("origin", "Source Document").Index(),
			s.NewHTML("note", "Notes"),
			s.NewMany2one("backorder_id", "Back Order of", "stock.picking").RO().NoCopy().Index(),
			s.NewOne2many("backorder_ids", "Back Orders", "stock.picking", "backorder_id"),
			s.NewSelection("move_type", "Shipping Policy",
				"direct", "As soon as possible", "one", "When all products are ready").Req().Def("direct"),
			s.NewSelection("state", "Status", "draft", "Draft", "waiting", "Waiting Another Operation",
				"confirmed", "Waiting", "assigned", "Ready", "done", "Done", "cancel", "Cancelled").
				ComputedStored().Index(),
			s.NewSelection("priority", "Priority", urgency...).Def("0"),
			s.NewDatetime("scheduled_date", "Scheduled Date").NoCopy().Index(),
			s.NewDatetime("date_deadline", "Deadline").RO().NoCopy(),
			s.NewDatetime("date_done", "Date of Transfer").NoCopy(),
			s.NewMany2one("location_id", "Source Location", "stock.location").Req(),
			s.NewMany2one("location_dest_id", "Destination Location", "stock.location").Req(),
			s.NewOne2many("move_ids", "Stock Moves", "stock.move", "picking_id").CopyLines(),
			s.NewOne2many("move_line_ids", "Operations", "stock.move.line", "picking_id"),
			s.NewMany2one("picking_type_id", "Operation Type", "stock.picking.type").Req().Index(),
			s.NewSelection("picking_type_code", "Type of Operation", pickingMode...).RelatedTo("picking_type_id", "code"),
			s.NewMany2one("partner_id", "Contact", "res.partner").Index(),
			s.NewMany2one("company_id", "Company", "res.company").RelatedTo("picking_type_id", "company_id").Stored().Index(),
			s.NewMany2one("user_id", "Responsible", "res.users").NoCopy(),
			s.NewBoolean("is_locked", "Is Locked").NoCopy().Def(true),
			s.NewMany2one("sale_id", "Sales Order", "sale.order").NoCopy().Index(),
		},
		Uniques: []s.Unique{{
			Name: "name_uniq", Columns: []string{"name", "company_id"},
			Message: "Reference must be unique per company!",
		}},
	}
}

func moveModel() *s.Model {
	return &s.Model{
		Name: "stock.move", Label: "Stock Move", Order: "sequence, id", RecName: "reference",
		NameParts: []s.NamePart{
			{Path: "picking_id.origin", After: "/"},
			{Path: "product_id.default_code", After: ": "},
			{Path: "location_id.name", After: ">"},
			{Path: "location_dest_id.name"},
		},
		Fields: []*s.Field{
			s.NewInteger("sequence", "Sequence").Def(int64(10)).AggregatedBy("none"),
			s.NewSelection("priority", "Priority", urgency...).NoCopy().Def("0"),
			s.NewDatetime("date", "Date Scheduled").Req().Index(),
			s.NewDatetime("date_deadline", "Deadline").RO().NoCopy(),
			s.NewMany2one("company_id", "Company", "res.company").Req().Index(),
			s.NewMany2one("product_id", "Product", "product.product").Req().Index(),
			s.NewFloat("product_qty", "Real Quantity", -1).ComputedStored().
				Helped("The demand in the product's own unit."),
			s.NewFloat("product_uom_qty", "Demand", 2).Req().Def(0.0),
			s.NewMany2one("product_uom", "Unit", "uom.uom").Req(),
			s.NewMany2one("location_id", "Source Location", "stock.location").Req().Index().BypassRules(),
			s.NewMany2one("location_dest_id", "Intermediate Location", "stock.location").Req().Index(),
			s.NewMany2one("partner_id", "Destination Address ", "res.partner").Index(),
			s.NewMany2one("picking_id", "Transfer", "stock.picking").Index(),
			s.NewSelection("state", "Status", moveStates...).RO().NoCopy().Index().Def("draft"),
			s.NewBoolean("picked", "Picked").NoCopy().Def(false),
			s.NewChar("origin", "Source Document"),
			s.NewSelection("procure_method", "Supply Method", "make_to_stock", "Default: Take From Stock",
				"make_to_order", "Advanced: Apply Procurement Rules").Req().NoCopy().Def("make_to_stock"),
			s.NewMany2one("picking_type_id", "Operation Type", "stock.picking.type"),
			s.NewBoolean("is_inventory", "Inventory"),
			s.NewChar("inventory_name", "Inventory Name").RO(),
			s.NewOne2many("move_line_ids", "Move Line", "stock.move.line", "move_id"),
			s.NewMany2one("origin_returned_move_id", "Origin return move", "stock.move").NoCopy().Index(),
			s.NewMany2one("warehouse_id", "Warehouse", "stock.warehouse"),
			s.NewFloat("quantity", "Quantity", 2).NoCopy().Def(0.0).
				Helped("What is reserved, and in the end moved."),
			s.NewChar("reference", "Reference").ComputedStored(),
			s.NewMany2one("sale_line_id", "Sale Line", "sale.order.line").Index(),
		},
	}
}

func moveLineModel() *s.Model {
	return &s.Model{
		Name: "stock.move.line", Label: "Product Moves (Stock Move Line)", Order: "id", RecName: "product_id",
		Fields: []*s.Field{
			s.NewMany2one("picking_id", "Transfer", "stock.picking").Index().BypassRules(),
			s.NewMany2one("move_id", "Stock Operation", "stock.move").Index().OnDeleteDo(s.Cascade),
			s.NewMany2one("company_id", "Company", "res.company").Req().RO().Index(),
			s.NewMany2one("product_id", "Product", "product.product").Index().OnDeleteDo(s.Cascade),
			s.NewMany2one("product_uom_id", "Unit", "uom.uom").Req(),
			s.NewFloat("quantity", "Quantity", 2).RO().Def(0.0),
			s.NewDatetime("date", "Date").Req(),
			s.NewMany2one("location_id", "From", "stock.location").Req().RO().Index(),
			s.NewMany2one("location_dest_id", "To", "stock.location").Req().RO().Index(),
			s.NewSelection("state", "Status", moveStates...).RelatedTo("move_id", "state").Stored().Index(),
			s.NewChar("reference", "Reference").RelatedTo("move_id", "reference"),
		},
	}
}
