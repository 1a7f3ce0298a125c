package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/identity"
	"gatehouse/internal/odoo"
	"gatehouse/internal/odooapi"
	"gatehouse/internal/odoorpc"
)

// inFront says that records are of a real Odoo.
func (a *App) inFront() bool { return a.Odoo != nil }

// answerFromOdoo makes what answers for records, beside the engine.
func (a *App) answerFromOdoo() {
	if !a.inFront() {
		return
	}
	a.odoo = &odoo.Beside{
		Local: a.Engine,
		Odoo:  odoo.New(odoo.Options{RPC: a.Odoo, Accounts: a.OdooUsers, Cursors: a.Engine.Cursors(), Log: a.Log}),
		Own: func(userID int64) bool {
			_, theirs := identity.OdooUID(userID)
			return !theirs
		},
	}
}

// records is what answers for records.
func (a *App) records() backend.Backend {
	if a.odoo != nil {
		return a.odoo
	}
	return a.Engine
}

// native is Odoo's own protocols: passed through to a real one, or spoken.
func (a *App) native() *odooapi.API {
	api := &odooapi.API{Backend: a.records(), Users: a.Identity}
	if a.odoo != nil {
		api.Upstream = upstream{a.odoo.Odoo}
	}
	return api
}

// upstream is the real Odoo for calls in its own protocols.
type upstream struct{ odoo *odoo.Backend }

// Takes implements odooapi.Upstream: Gatehouse's own models are here, and who
// is nobody there finds nothing there.
func (u upstream) Takes(c *backend.Caller, model string) bool {
	return c.Account.UID != 0 && !strings.HasPrefix(model, "gateway.")
}

// CallOdoo implements odooapi.Upstream.
func (u upstream) CallOdoo(ctx context.Context, c *backend.Caller, call *odooapi.NativeCall) (json.RawMessage, error) {
	return u.odoo.Native(ctx, c, &odoorpc.Request{
		Model: call.Model, Method: call.Method, IDs: call.IDs, Args: call.Args, Kwargs: call.Kwargs, Reads: call.Reads,
	})
}

// OdooVersion implements odooapi.Upstream.
func (u upstream) OdooVersion(ctx context.Context) (string, error) {
	v, err := u.odoo.Version(ctx)
	return v.Text, err
}

// checkOdoo says whether the Odoo answers, and its technical user is right.
func (a *App) checkOdoo(ctx context.Context) Check {
	const name = "odoo"
	if a.Odoo == nil {
		return Check{name, Fine, "none: records are of the embedded database"}
	}
	v, err := a.Odoo.Version(ctx)
	if err != nil {
		return Check{name, Broken, fmt.Sprintf("%s does not answer: %v", a.Config.Odoo.URL, cause(err))}
	}
	about := fmt.Sprintf("%s answers, version %s", a.Config.Odoo.URL, v.Text)
	if v.Major < oldestOdoo {
		return Check{name, Warn, about + ": older than what this was made for"}
	}
	technical := a.OdooUsers.Technical()
	if technical == nil {
		return Check{name, Warn, about + "; without a technical user (GATEHOUSE_ODOO_LOGIN, GATEHOUSE_ODOO_KEY) models are not listed and there are no webhooks of its records"}
	}
	if _, err := a.odoo.Odoo.Known(ctx); err != nil {
		return Check{name, Broken, fmt.Sprintf("%s; the technical user %s cannot read models and rights: %v", about, technical.Login, cause(err))}
	}
	return Check{name, Fine, about + "; technical user " + technical.Login}
}

// oldestOdoo is the oldest version that is supported.
const oldestOdoo = 14

// cause is an error with what callers are not told.
func cause(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return fmt.Errorf("%w (%w)", err, inner)
	}
	return err
}
