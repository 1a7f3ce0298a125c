// Package odoo is the backend that a real Odoo answers for, versions 14 to 19,
// over its external API. Every call is made as the caller's own user, so that
// the Odoo's access rights and record rules decide.
package odoo

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"

	"gatehouse/internal/backend"
	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoorpc"
)

// RPC calls methods of the Odoo; *odoorpc.Client does.
type RPC interface {
	Call(ctx context.Context, a *odoorpc.Account, r *odoorpc.Request) (json.RawMessage, error)
	Version(ctx context.Context) (odoorpc.Version, error)
	Ready(ctx context.Context) error
}

// Accounts says as which of the Odoo's users calls are made.
type Accounts interface {
	// For gives that of a caller; Forbidden, with what to do, where he has none.
	For(ctx context.Context, c *backend.Caller) (*odoorpc.Account, error)
	// Refused is told that the Odoo did not take an account any more.
	Refused(c *backend.Caller)
	// Technical is the user who reads what all callers share: models and rights.
	// nil: there is none.
	Technical() *odoorpc.Account
}

// Options are what a Backend is built from.
type Options struct {
	RPC      RPC
	Accounts Accounts
	// Cursors hide places in lists.
	Cursors *backend.Cursors
	Clock   clock.Clock // nil: the system's
	Log     *slog.Logger
}

// Backend answers for the records of a real Odoo. Safe for concurrent use.
type Backend struct {
	rpc      RPC
	accounts Accounts
	log      *slog.Logger
	known    *knowledge
	cursors  *backend.Cursors
}

var _ backend.Backend = (*Backend)(nil)

// New makes a Backend. It asks the Odoo nothing yet.
func New(o Options) *Backend {
	if o.Clock == nil {
		o.Clock = clock.System
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Backend{rpc: o.RPC, accounts: o.Accounts, log: o.Log, known: newKnowledge(o), cursors: o.Cursors}
}

// Ready implements backend.Backend.
func (b *Backend) Ready(ctx context.Context) error { return b.rpc.Ready(ctx) }

// visit is what one caller asks of the Odoo in one call of the backend.
type visit struct {
	b       *Backend
	ctx     context.Context
	caller  *backend.Caller
	account *odoorpc.Account
	among   *audience // nil: not found out yet
}

func (b *Backend) visit(ctx context.Context, c *backend.Caller) (*visit, error) {
	account, err := b.accounts.For(ctx, c)
	if err != nil {
		return nil, err
	}
	return &visit{b: b, ctx: ctx, caller: c, account: account}, nil
}

// Native calls a method as it comes, and gives the answer as it is.
func (b *Backend) Native(ctx context.Context, c *backend.Caller, r *odoorpc.Request) (json.RawMessage, error) {
	v, err := b.visit(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := v.coversCall(r); err != nil {
		return nil, err
	}
	return v.send(r)
}

// Version is that of the Odoo.
func (b *Backend) Version(ctx context.Context) (odoorpc.Version, error) { return b.rpc.Version(ctx) }

// read calls a method that changes nothing.
func (v *visit) read(model, method string, ids []int64, kwargs map[string]any) (json.RawMessage, error) {
	return v.call(&odoorpc.Request{Model: model, Method: method, IDs: ids, Kwargs: kwargs, Reads: true})
}

// change calls a method that may change something.
func (v *visit) change(model, method string, ids []int64, kwargs map[string]any) (json.RawMessage, error) {
	return v.call(&odoorpc.Request{Model: model, Method: method, IDs: ids, Kwargs: kwargs})
}

// call makes a call in the context of the caller.
func (v *visit) call(r *odoorpc.Request) (json.RawMessage, error) {
	if context := contextOf(&v.caller.Context); len(context) > 0 {
		if r.Kwargs == nil {
			r.Kwargs = map[string]any{}
		}
		r.Kwargs["context"] = context
	}
	return v.send(r)
}

// send makes a call as it is.
func (v *visit) send(r *odoorpc.Request) (json.RawMessage, error) {
	r.For = v.caller.Account.Kind + " " + strconv.FormatInt(v.caller.Account.ID, 10) + " " + strconv.FormatInt(v.caller.UserID, 10)
	r.From = v.caller.Origin.IP
	out, err := v.b.rpc.Call(v.ctx, v.account, r)
	if fault.Is(err, fault.Unauthenticated) {
		v.b.accounts.Refused(v.caller)
	}
	return out, err
}

// contextOf is the context of a call in the Odoo's own keys.
func contextOf(c *backend.Context) map[string]any {
	out := make(map[string]any, 4)
	if c.Lang != "" {
		out["lang"] = c.Lang
	}
	if c.TZ != "" {
		out["tz"] = c.TZ
	}
	if len(c.CompanyIDs) > 0 {
		out["allowed_company_ids"] = c.CompanyIDs
	}
	if c.KeepArchived {
		out["active_test"] = false
	}
	if c.BinSize {
		out["bin_size"] = true
	}
	for _, field := range c.BinSizes {
		out["bin_size_"+field] = true
	}
	for field, value := range c.Defaults {
		out["default_"+field] = value
	}
	return out
}

// decode reads an answer of the Odoo into v. One of another shape is the Odoo's fault.
func decode(raw json.RawMessage, v any) error {
	if err := json.Unmarshal(raw, v); err != nil {
		return unexpected(err)
	}
	return nil
}

func unexpected(err error) error {
	return fault.New(fault.BadGateway, "The Odoo answered in a way that was not expected").Because(err)
}

var errShape = errors.New("an answer of another shape")
