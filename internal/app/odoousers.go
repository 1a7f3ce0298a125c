package app

import (
	"context"
	"errors"
	"fmt"

	"gatehouse/internal/backend"
	"gatehouse/internal/config"
	"gatehouse/internal/gateway"
	"gatehouse/internal/identity"
	"gatehouse/internal/odoopoll"
	"gatehouse/internal/odoorpc"
	"gatehouse/internal/odoouser"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/vault"
)

// openOdoo prepares the way to the Odoo in front of which Gatehouse stands, and
// who may take it; nothing where there is none.
func (a *App) openOdoo(ctx context.Context, keys *gateway.Keys) error {
	o := a.Config.Odoo
	if o.URL == "" {
		return nil
	}
	v, err := openVault(ctx, a.Config, a.DB)
	if err != nil {
		return err
	}
	a.Odoo, err = odoorpc.New(odoorpc.Options{
		URL: string(o.URL), Database: o.DB, Protocol: o.Protocol, MaxConns: o.MaxConns, Queue: o.Queue, Timeout: o.Timeout,
		ForwardAddress: o.ForwardAddress, Version: a.Version, Trace: traceOdoo(a.tracer), Log: a.Log,
	})
	if err != nil {
		return err
	}
	a.OdooUsers, err = odoouser.Open(ctx, odoouser.Options{
		DB: a.DB, Engine: a.Engine, Vault: v, Client: a.Odoo, Login: o.Login, Key: o.Key.Reveal(),
		Forwarded: o.ForwardAddress, KeysUncounted: a.keysUncounted,
		Denied: func(userID int64, key string) { a.Identity.Denied(userID, key) }, // nobody calls before there is one
		Log:    a.Log,
	})
	if err != nil {
		return err
	}
	keys.Odoo = a.OdooUsers
	a.answerFromOdoo()
	if a.Poller, err = odoopoll.Open(ctx, odoopoll.Options{
		DB: a.DB, Records: a.odoo.Odoo, Outbox: a.Outbox, Technical: a.OdooUsers.Technical() != nil, Off: o.Poll == 0, Log: a.Log,
	}); err != nil {
		return err
	}
	keys.Polled = a.Poller
	return nil
}

// keysUncounted says whether keys go to the Odoo by JSON-2, where it counts no failures.
func (a *App) keysUncounted(ctx context.Context) bool {
	switch a.Config.Odoo.Protocol {
	case "json2":
		return true
	case "auto", "web":
		v, err := a.Odoo.Version(ctx)
		return err == nil && v.Major >= 19
	}
	return false
}

// directory is who is asked about users that the store does not know.
func (a *App) directory() identity.Directory {
	if a.OdooUsers == nil {
		return nil // and not an interface that holds nothing
	}
	return a.OdooUsers
}

// closeOdoo stores what is known of sessions and ends what is under way.
func (a *App) closeOdoo() {
	if a.Odoo != nil {
		a.Odoo.Close()
	}
	if a.OdooUsers != nil {
		a.OdooUsers.Close()
	}
}

// openVault finds the key that credentials are sealed with and makes sure that
// it is the store's.
func openVault(ctx context.Context, cfg *config.Config, db sqldb.DB) (*vault.Vault, error) {
	var key []byte
	var err error
	if text := cfg.Odoo.EncryptionKey.Reveal(); text != "" {
		if key, err = vault.ParseKey(text); err != nil {
			return nil, fmt.Errorf("GATEHOUSE_ENCRYPTION_KEY: %w", err)
		}
	} else if key, err = vault.LoadKey(cfg.Store.DataDir); err != nil {
		return nil, err
	}
	v, err := vault.New(key)
	if err != nil {
		return nil, err
	}
	if err = v.Check(ctx, db); errors.Is(err, vault.ErrOtherKey) {
		return nil, fmt.Errorf("%w: set GATEHOUSE_ENCRYPTION_KEY to the key that was used before (on several nodes, to the same on all), "+
			"or put its file %s back into %s. If it is lost, `gatehouse odoo forget` deletes what was sealed with it",
			err, vault.KeyFile, cfg.Store.DataDir)
	}
	return v, err
}

// OdooKey is a user of the Odoo as whom calls are to be made: his login and an
// API key of his.
type OdooKey struct{ Login, Key string }

// fill adds what a gateway key or client is given of it.
func (k OdooKey) fill(values backend.Values) {
	if k.Login != "" || k.Key != "" {
		values["odoo_login"], values["odoo_key"] = k.Login, k.Key
	}
}

// CreateClient makes an OAuth2 client and gives its id and secret, this once.
func (a *App) CreateClient(ctx context.Context, values backend.Values, as OdooKey) (*backend.Created, error) {
	as.fill(values)
	return a.Engine.Create(ctx, a.Superuser(), "gateway.client", []backend.Values{values})
}

// AttachOdoo has the calls of a local user made as one of the Odoo's; the zero
// OdooKey ends that.
func (a *App) AttachOdoo(ctx context.Context, login string, as OdooKey) error {
	if a.OdooUsers == nil {
		return errNoOdoo
	}
	id, err := a.UserID(ctx, login)
	if err != nil {
		return err
	}
	return a.OdooUsers.Attach(ctx, id, as.Login, as.Key)
}

var errNoOdoo = errors.New("this server stands in front of no Odoo: set odoo-url first")

// ForgetOdoo deletes all credentials for the Odoo from the store, and what it
// knows the encryption key by. It needs no key.
func ForgetOdoo(ctx context.Context, cfg *config.Config) (err error) {
	db, err := openStore(ctx, cfg, false)
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Write(ctx, func(tx sqldb.Tx) error {
		if err := odoouser.Forget(ctx, tx); err != nil {
			return err
		}
		return vault.Forget(ctx, tx)
	})
}
