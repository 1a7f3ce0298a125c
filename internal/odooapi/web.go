package odooapi

import (
	"context"
	"net/http"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi"
	"gatehouse/internal/identity"
	"gatehouse/internal/odoowire"
)

// cookieName is what Odoo's web client keeps its session in.
const cookieName = "session_id"

func (a *API) webPaths() []httpapi.ProtocolPath {
	path := func(pattern string, prepare func(*web, *odoowire.RPCCall) error) httpapi.ProtocolPath {
		return httpapi.ProtocolPath{Method: "POST", Pattern: pattern, Open: func(r *http.Request, body []byte) (httpapi.Exchange, error) {
			return a.openWeb(r, body, prepare)
		}}
	}
	return []httpapi.ProtocolPath{
		path("/web/session/authenticate", (*web).authenticate),
		path("/web/session/get_session_info", (*web).info),
		path("/web/session/destroy", (*web).destroy),
		path("/web/dataset/call_kw", (*web).callKW),
		path("/web/dataset/call_kw/{model}/{method}", (*web).callKW),
		path("/web/webclient/version_info", func(x *web, _ *odoowire.RPCCall) error {
			*x.work = x.api.versioned(release.about)
			return nil
		}),
		path("/web/database/list", func(*web, *odoowire.RPCCall) error {
			return tell(fault.Forbidden, odoowire.AccessDenied()) // there is one, and its name does not matter
		}),
		{Method: "GET", Pattern: "/web/webclient/version_info", Open: a.openVersion},
	}
}

// web is an exchange of the web client: JSON-RPC with the caller in a cookie.
type web struct {
	rpc
	session string              // id, as the cookie has it
	caller  *identity.Principal // of the session
	cookie  *http.Cookie        // to set
}

func (a *API) openWeb(r *http.Request, body []byte, prepare func(*web, *odoowire.RPCCall) error) (httpapi.Exchange, error) {
	call, x, err := a.readRPC(r, body, true)
	w := &web{rpc: *x}
	if c, missing := r.Cookie(cookieName); missing == nil {
		w.session = c.Value
	}
	if err != nil {
		return w, err
	}
	return w, prepare(w, call)
}

// Identify implements httpapi.Exchange.
func (x *web) Identify(ctx context.Context, _ identity.Meta) (who *identity.Principal, err error) {
	if x.session == "" {
		return nil, fault.New(fault.Unauthenticated, "Session expired")
	}
	x.caller, err = x.api.Users.IdentifyWebSession(ctx, x.session)
	return x.caller, err
}

func (x *web) authenticate(call *odoowire.RPCCall) error {
	login, _ := call.Params["login"].(string)
	password, _ := call.Params["password"].(string)
	db, _ := call.Params["db"].(string)
	*x.work = public(func(ctx context.Context, from identity.Meta) (any, error) {
		id, who, err := x.api.Users.StartWebSession(ctx, login, password, from)
		if fault.Is(err, fault.Unauthenticated) {
			return nil, fault.From(err).Because(&told{odoowire.AccessDenied()})
		}
		if err != nil {
			return nil, err
		}
		x.who = who
		x.setCookie(id, identity.WebSessionLife)
		return x.api.sessionInfo(ctx, who, httpapi.AccountOf(who), db)
	})
	return nil
}

// setCookie keeps the session out of reach for scripts and for forms of other sites.
func (x *web) setCookie(id string, life time.Duration) {
	x.cookie = &http.Cookie{
		Name: cookieName, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		MaxAge: int(life / time.Second),
	}
	if id == "" {
		x.cookie.MaxAge = -1
	}
}

// signedIn is work for who has a session, or any other credential.
func (x *web) signedIn(run func(ctx context.Context, caller *backend.Caller) (any, error)) {
	*x.work = work{run: func(ctx context.Context, caller *backend.Caller, _ identity.Meta) (any, error) {
		return run(ctx, caller)
	}}
}

func (x *web) info(*odoowire.RPCCall) error {
	x.signedIn(func(ctx context.Context, caller *backend.Caller) (any, error) {
		who := x.caller
		if who == nil { // another credential
			who = &identity.Principal{UserID: caller.UserID, Login: caller.Origin.Login, Administrator: caller.Admin}
			if uid := caller.Account.UID; uid != 0 {
				who.Odoo = &identity.Person{ID: uid}
			}
		}
		return x.api.sessionInfo(ctx, who, caller.Account, "")
	})
	return nil
}

func (x *web) destroy(*odoowire.RPCCall) error {
	x.signedIn(func(ctx context.Context, _ *backend.Caller) (any, error) {
		if x.caller == nil {
			return nil, nil //nolint:nilnil // nothing to end, and nothing to say
		}
		x.setCookie("", 0)
		return nil, x.api.Users.Logout(ctx, x.caller, "")
	})
	return nil
}

func (x *web) callKW(call *odoowire.RPCCall) error {
	model, _ := call.Params["model"].(string)
	name, _ := call.Params["method"].(string)
	var rest []any
	for _, member := range []string{"args", "kwargs"} {
		rest = append(rest, call.Params[member])
	}
	positional, kwargs, err := keyworded(rest)
	if err != nil {
		return err
	}
	return x.call(model, name, positional, kwargs)
}

// Answer implements httpapi.Exchange.
func (x *web) Answer(dst []byte, f *fault.Error, status int) (httpapi.Answer, error) {
	d := rpcDialect()
	d.unauthenticated = func(*fault.Error) *odoowire.Error { return odoowire.SessionExpired() }
	d.model = func(string) *odoowire.Error { return odoowire.NoPage() }
	a, err := x.answer(dst, f, status, d)
	if f == nil {
		a.Cookie = x.cookie
	}
	return a, err
}
