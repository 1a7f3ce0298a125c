package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/httpapi"
	"gatehouse/internal/identity"
	"gatehouse/internal/odoo"
	"gatehouse/internal/odooapi"
	"gatehouse/internal/odoorpc"
	"gatehouse/internal/traffic"
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
	api := &odooapi.API{Backend: a.records(), Users: a.Identity, Methods: httpapi.MethodLists(a.Config.API.Methods)}
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

// odooMetrics are the figures of what goes on with the Odoo.
func (a *App) odooMetrics() []traffic.Metric {
	if !a.inFront() {
		return nil
	}
	f := a.Odoo.Stats()
	return append([]traffic.Metric{
		{Name: "gatehouse_odoo_calls_total", Kind: "counter", Help: "Requests that were sent to the Odoo.", Value: float64(f.Calls)},
		{Name: "gatehouse_odoo_shared_total", Kind: "counter", Help: "Reads that were answered with the answer to another one.", Value: float64(f.Shared)},
		{Name: "gatehouse_odoo_retried_total", Kind: "counter", Help: "Requests that were sent to the Odoo again.", Value: float64(f.Retried)},
		{Name: "gatehouse_odoo_refused_total", Kind: "counter", Help: "Calls of the Odoo for which there was no room, or no time to wait.", Value: float64(f.Refused)},
		{Name: "gatehouse_odoo_failed_total", Kind: "counter", Help: "Requests without a sensible answer of the Odoo.", Value: float64(f.Failed)},
		{Name: "gatehouse_odoo_logins_total", Kind: "counter", Help: "Web sessions begun with the Odoo.", Value: float64(f.Logins)},
		{Name: "gatehouse_odoo_running", Kind: "gauge", Help: "Calls that are at the Odoo.", Value: float64(f.Running)},
		{Name: "gatehouse_odoo_waiting", Kind: "gauge", Help: "Calls of the Odoo that wait for their turn.", Value: float64(f.Waiting)},
	}, a.pollMetrics()...)
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
