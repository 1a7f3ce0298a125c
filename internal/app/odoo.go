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
	"gatehouse/internal/odoouser"
	"gatehouse/internal/vault"
)

// realOdoo is what there is of a Gatehouse that stands in front of a real Odoo.
type realOdoo struct {
	Client *odoorpc.Client
	Users  *odoouser.Accounts
	beside *odoo.Beside
}

// inFront says that records are of a real Odoo.
func (a *App) inFront() bool { return a.Config.Odoo.URL != "" }

// openOdoo prepares the way to the Odoo. It is not called yet, so that a start
// does not wait for it.
func (a *App) openOdoo(ctx context.Context) (err error) {
	cfg, r := &a.Config.Odoo, &realOdoo{}
	seal, err := a.openVault(ctx)
	if err != nil {
		return err
	}
	r.Client, err = odoorpc.New(odoorpc.Options{
		URL: string(cfg.URL), Database: cfg.DB, Protocol: cfg.Protocol, MaxConns: cfg.MaxConns, Queue: cfg.Queue,
		Timeout: cfg.Timeout, ForwardAddress: cfg.ForwardAddress, Version: a.Version, Log: a.Log,
	})
	if err != nil {
		return err
	}
	a.Odoo = r
	r.Users, err = odoouser.Open(ctx, odoouser.Options{
		DB: a.DB, Engine: a.Engine, Vault: seal, Client: r.Client, Login: cfg.Login, Key: cfg.Key.Reveal(),
		Forwarded: cfg.ForwardAddress, KeysUncounted: cfg.Protocol == "json2",
		Denied: func(userID int64, key string) {
			if a.Identity != nil {
				a.Identity.Denied(userID, key)
			}
		},
		Log: a.Log,
	})
	if err != nil {
		return err
	}
	r.beside = &odoo.Beside{
		Local: a.Engine,
		Odoo:  odoo.New(odoo.Options{RPC: r.Client, Accounts: r.Users, Cursors: a.Engine.Cursors(), Log: a.Log}),
		Own: func(userID int64) bool {
			_, theirs := identity.OdooUID(userID)
			return !theirs
		},
	}
	return nil
}

// openVault finds the key that credentials are sealed with.
func (a *App) openVault(ctx context.Context) (*vault.Vault, error) {
	var key []byte
	var err error
	if text := a.Config.Odoo.EncryptionKey.Reveal(); text != "" {
		if key, err = vault.ParseKey(text); err != nil {
			return nil, fmt.Errorf("GATEHOUSE_ENCRYPTION_KEY: %w", err)
		}
	} else if key, err = vault.LoadKey(a.Config.Store.DataDir); err != nil {
		return nil, err
	}
	seal, err := vault.New(key)
	if err != nil {
		return nil, err
	}
	return seal, seal.Check(ctx, a.DB)
}

// close stops what openOdoo began.
func (r *realOdoo) close() {
	if r == nil {
		return
	}
	if r.Users != nil {
		r.Users.Close()
	}
	r.Client.Close()
}

// records is what answers for records.
func (a *App) records() backend.Backend {
	if a.Odoo != nil {
		return a.Odoo.beside
	}
	return a.Engine
}

// native is Odoo's own protocols: passed through to a real one, or spoken.
func (a *App) native() *odooapi.API {
	api := &odooapi.API{Backend: a.records(), Users: a.Identity}
	if a.Odoo != nil {
		api.Upstream = upstream{a.Odoo.beside.Odoo}
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
	v, err := a.Odoo.Client.Version(ctx)
	if err != nil {
		return Check{name, Broken, fmt.Sprintf("%s does not answer: %v", a.Config.Odoo.URL, cause(err))}
	}
	about := fmt.Sprintf("%s answers, version %s", a.Config.Odoo.URL, v.Text)
	if v.Major < oldestOdoo {
		return Check{name, Warn, about + ": older than what this was made for"}
	}
	technical := a.Odoo.Users.Technical()
	if technical == nil {
		return Check{name, Warn, about + "; without a technical user (GATEHOUSE_ODOO_LOGIN, GATEHOUSE_ODOO_KEY) models are not listed and there are no webhooks of its records"}
	}
	if _, err := a.Odoo.beside.Odoo.Known(ctx); err != nil {
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
