package httpapi

import (
	"testing"

	"gatehouse/internal/fault"
)

// TestReadBackNeedsTheScope: a credential that may only write does not read by
// asking for fields in return.
func TestReadBackNeedsTheScope(t *testing.T) {
	h := newHouse(t)
	h.send("writer", "POST", "/api/v1/res.partner?fields=name,email", `{"name": "Nobody"}`).
		wantError(403, fault.Forbidden, "Missing scope: read, which the parameter fields needs")
	h.send("writer", "PUT", "/api/v1/res.partner/1?fields=email", `{"name": "Nobody"}`).
		wantError(403, fault.Forbidden, "Missing scope: read, which the parameter fields needs")
	h.send("writer", "PUT", "/api/v1/res.partner/1", `{"name": "Acme Corp"}`).want(200, "")
}
