package httpapi

import (
	"testing"

	"gatehouse/internal/fault"
)

func TestMethodLists(t *testing.T) {
	lists := MethodLists{"sale.order": {"action_confirm"}, "res.partner": {"!copy", "!name_create"}, "res.users": {}}
	for _, test := range []struct {
		model, method string
		want          bool
	}{
		{"sale.order", "action_confirm", true},
		{"sale.order", "action_cancel", false},
		{"res.partner", "copy", false},
		{"res.partner", "name_search", true},
		{"res.partner", "name_create", false},
		{"res.users", "copy", false},
		{"crm.lead", "copy", true},
	} {
		if got := lists.allows(test.model, test.method); got != test.want {
			t.Errorf("%s.%s: %v", test.model, test.method, got)
		}
	}
}

func TestMethodsThatMayNotBeCalled(t *testing.T) {
	h := newHouse(t, func(h *house) { h.deps.Methods = MethodLists{"res.partner": {"!echo"}} })
	const refused = "The method echo of res.partner may not be called over this API"
	h.send("all", "POST", "/api/v1/res.partner/1/echo", "").wantError(403, fault.Forbidden, refused)
	h.send("all", "POST", "/api/v1/res.partner/echo", "").wantError(403, fault.Forbidden, refused)
}
