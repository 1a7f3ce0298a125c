package throttle

import "gatehouse/internal/schema"

// Automatic is who blocked an address that nobody blocked by hand.
const Automatic = "automatic"

// blockModel declares gateway.block. Blocks that have ended are archived: they
// stay as history. They are changed through package gateway, which signals
// BlocksChannel.
func blockModel() *schema.Model {
	return &schema.Model{
		Name: "gateway.block", Label: "Blocked IP", Table: "gateway_block",
		Order: "blocked_at desc, id desc", RecName: "address",
		AdminOnly: true, NoLog: true,
		Fields: []*schema.Field{
			schema.NewChar("address", "Address").Req().Index().
				Helped("An address or a CIDR range. Automatic blocks of IPv6 addresses are of their /64"),
			schema.NewChar("reason", "Reason"),
			schema.NewInteger("violations", "Violations").RO().NoCopy().Helped("Refused requests (401, 429) that led to the block"),
			schema.NewDatetime("blocked_at", "Blocked").RO().NoCopy().Index(),
			schema.NewDatetime("until", "Until").NoCopy().Index().Helped("Empty: until it is ended by hand"),
			schema.NewChar("by", "By").RO().NoCopy().Helped("The login of who blocked it, or automatic"),
			schema.NewBoolean("active", "Active").Def(true).RO().NoCopy().Helped("No longer set when the block has ended"),
			schema.NewDatetime("unblocked_at", "Unblocked").RO().NoCopy(),
			schema.NewChar("unblocked_by", "Unblocked By").RO().NoCopy(),
			schema.NewText("note", "Note"),
		},
	}
}
