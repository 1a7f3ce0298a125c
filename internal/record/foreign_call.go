package record

import (
	"context"
	"slices"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
)

// Changes is the reason for whatever would change a genuine Odoo's database:
// that is for its own code to do.

// onlyRead refuses to change a genuine Odoo's database.
func (e *Engine) onlyRead() error {
	if e.facts == nil {
		return nil
	}
	return fault.New(fault.BadRequest, "This database is Odoo's: only Odoo itself changes it").
		Because(&backend.UnprovableError{Reason: backend.Changes, Subject: "the database"})
}

// foreignCall answers for a method of a genuine Odoo's model: its code is not
// here. What is known to be no method does not exist, whoever asks.
func (e *Engine) foreignCall(ctx context.Context, c *backend.Caller, model, method string) error {
	cx, err := e.call(ctx, nil, c)
	if err != nil {
		return err
	}
	m := cx.st.reg.Model(model)
	if m == nil {
		return cx.unknownModel(model)
	}
	if m.Field(method) != nil || slices.Contains([]string{"env", "ids", "pool"}, method) {
		return fault.Newf(fault.NotFound, "The method '%s.%s' does not exist", model, method).Because(backend.ErrNoMethod)
	}
	return backend.CannotProve(backend.UnknownMethod, model+"."+backend.Shorten(method), "")
}
