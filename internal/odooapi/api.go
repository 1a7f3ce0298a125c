// Package odooapi answers Odoo's own protocols: JSON-2, JSON-RPC, XML-RPC and
// the web client's session, so that clients written for an Odoo work with
// Gatehouse when only their URL is changed. It reads requests and writes
// answers; who may call, limits and the log are the pipeline's of httpapi, and
// what methods do is odoocall's.
package odooapi

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi"
	"gatehouse/internal/identity"
	"gatehouse/internal/odoocall"
)

// Users is what the protocols need of package identity.
type Users interface {
	IdentifyPassword(ctx context.Context, c identity.Secret, ip netip.Addr) (*identity.Principal, error)
	StartWebSession(ctx context.Context, login, password string, meta identity.Meta) (id string, p *identity.Principal, err error)
	IdentifyWebSession(ctx context.Context, id string) (*identity.Principal, error)
	Logout(ctx context.Context, p *identity.Principal, refresh string) error
}

// API is Odoo's protocols over a backend.
type API struct {
	Backend backend.Backend
	Users   Users
	// Methods narrows which business methods may be called.
	Methods httpapi.MethodLists
	// Upstream is the real Odoo in front of which this is; nil: there is none.
	Upstream Upstream
}

// Paths implements httpapi.Protocol.
func (a *API) Paths() []httpapi.ProtocolPath {
	paths := a.json2Paths()
	paths = append(paths, a.rpcPaths()...)
	return append(paths, a.webPaths()...)
}

// The Odoo that clients are told they speak to: the one whose answers were the model.
const (
	version  = "19.0"
	database = "gatehouse"
)

// work is what a request asks for, whichever way it came in.
type work struct {
	needs httpapi.Needs
	run   func(ctx context.Context, caller *backend.Caller, from identity.Meta) (any, error)

	model, method string
	// unknownModel: that is why it was not found.
	unknownModel bool
	result       any
	who          *identity.Principal // signed in by this request
}

// Needs implements httpapi.Exchange.
func (w *work) Needs() httpapi.Needs { return w.needs }

// Run implements httpapi.Exchange.
func (w *work) Run(ctx context.Context, caller *backend.Caller, from identity.Meta) (err error) {
	w.result, err = w.run(ctx, caller, from)
	return err
}

// public is work that anybody may ask for.
func public(run func(ctx context.Context, from identity.Meta) (any, error)) work {
	return work{
		needs: httpapi.Needs{Public: true},
		run: func(ctx context.Context, _ *backend.Caller, from identity.Meta) (any, error) {
			return run(ctx, from)
		},
	}
}

// versioned is work that tells the version, one way or another.
func (a *API) versioned(tell func(release) any) work {
	return public(func(ctx context.Context, _ identity.Meta) (any, error) {
		r, err := a.release(ctx)
		return tell(r), err
	})
}

// native are the arguments of a method as a protocol has them, and as named
// ones. They are read when the caller is known, and his limits are kept.
type native struct {
	named func() (map[string]any, error)
	call  func() (*NativeCall, error)
}

// method is work on a model.
func (a *API) method(model, name string, args native) (*work, error) {
	w := &work{model: model, method: name}
	if !isName(model, "._") {
		w.unknownModel = true
		w.needs.Public = true
		return w, fault.New(fault.NotFound, "There is no such model")
	}
	w.needs = httpapi.Needs{Action: actionOf(name), Model: model}
	w.run = func(ctx context.Context, caller *backend.Caller, _ identity.Meta) (any, error) {
		if !isName(name, "_") {
			return nil, fault.New(fault.NotFound, "There is no such method").Because(backend.ErrNoMethod)
		}
		if err := a.listed(model, name); err != nil {
			return nil, err
		}
		if err := (&reach{ctx, a, caller}).allowed(model, name, args); err != nil {
			return nil, err
		}
		if a.takes(caller, model) {
			call, err := args.call()
			if err != nil {
				return nil, err
			}
			call.Model, call.Method = model, name
			return a.pass(ctx, caller, call)
		}
		kwargs, err := args.named()
		if err != nil {
			return nil, err
		}
		asOdoo := *caller
		asOdoo.OdooWays = true
		result, err := odoocall.Call(ctx, a.Backend, &asOdoo, model, name, kwargs)
		if fault.Is(err, fault.NotFound) && !errors.Is(err, backend.ErrNoMethod) || odoocall.IsPrivate(name) {
			_, missing := a.Backend.Model(ctx, caller, model)
			w.unknownModel = fault.Is(missing, fault.NotFound) && !errors.Is(missing, backend.ErrHidden)
			if w.unknownModel {
				err = missing
			}
		}
		return result, err
	}
	return w, nil
}

// listed refuses methods that are not to be called. A list of business methods
// that may be says nothing of those that all models have.
func (a *API) listed(model, name string) error {
	if odoocall.Common(name) && !slices.Contains(a.Methods[model], "!"+name) {
		return nil
	}
	return a.Methods.Refuse(model, name)
}

// actionOf is the scope that a method needs. What is not known to change
// nothing may change anything.
func actionOf(method string) identity.Action {
	switch {
	case method == "unlink":
		return identity.Delete
	case odoocall.Reads(method) || method == "context_get":
		return identity.Read
	}
	return identity.Write
}

// isName says whether a name can be one of Odoo's: what comes from outside goes
// into the log.
func isName(name, beside string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	return name != "" && len(name) <= 128 && strings.Trim(name, letters+beside) == ""
}
