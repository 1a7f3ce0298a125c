package odooapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi"
	"gatehouse/internal/identity"
	"gatehouse/internal/odoocall"
	"gatehouse/internal/odoowire"
)

func (a *API) rpcPaths() []httpapi.ProtocolPath {
	xml := func(pattern string, old bool) httpapi.ProtocolPath {
		return httpapi.ProtocolPath{Method: "POST", Pattern: pattern, Open: func(r *http.Request, body []byte) (httpapi.Exchange, error) {
			return a.openXMLRPC(r, body, old)
		}}
	}
	return []httpapi.ProtocolPath{
		{Method: "POST", Pattern: "/jsonrpc", Open: a.openJSONRPC},
		{Pattern: "/jsonrpc", Open: func(*http.Request, []byte) (httpapi.Exchange, error) {
			return noRPC(odoowire.ErrNotJSON)
		}},
		xml("/xmlrpc/2/{service}", false),
		xml("/xmlrpc/{service}", true),
	}
}

// rpc is an exchange of JSON-RPC.
type rpc struct {
	*work
	api     *API
	id      json.RawMessage
	secret  *identity.Secret
	text    string // of a refusal that is no JSON-RPC
	asksWho bool   // for a login: one that fails is the answer false
}

func (a *API) openJSONRPC(r *http.Request, body []byte) (httpapi.Exchange, error) {
	call, x, err := a.readRPC(r, body, false)
	if err != nil {
		return x, err
	}
	service, isText := call.Params["service"].(string)
	method, isName := call.Params["method"].(string)
	args, isList := call.Params["args"].([]any)
	if !isText || !isName || !isList {
		return x, tell(fault.BadRequest, odoowire.PythonError("TypeError",
			"JSONRPC.jsonrpc() missing 3 required positional arguments: 'service', 'method', and 'args'"))
	}
	return x, x.serve(service, method, args)
}

// readRPC reads a call of JSON-RPC. Where a cookie may tell who calls, the type
// of the body must be said: a form of another site cannot say it.
func (a *API) readRPC(r *http.Request, body []byte, strict bool) (*odoowire.RPCCall, *rpc, error) {
	x := &rpc{work: &work{needs: httpapi.Needs{Public: true}}, api: a}
	if kind := r.Header.Get("Content-Type"); !isJSON(kind) && (kind != "" || strict) {
		return nil, x, fault.New(fault.UnsupportedMedia, "Content-Type must be application/json")
	}
	call, err := odoowire.DecodeRPCCall(body)
	if err != nil {
		x.text = err.Error()
		return nil, x, fault.New(fault.BadRequest, err.Error())
	}
	x.id = call.ID
	return call, x, nil
}

func noRPC(err error) (httpapi.Exchange, error) {
	return &rpc{work: &work{needs: httpapi.Needs{Public: true}}, text: err.Error()}, fault.New(fault.BadRequest, err.Error())
}

// serve finds the work that a call of a service asks for.
func (x *rpc) serve(service, method string, args []any) error {
	switch service {
	case "common":
		return x.common(method, args)
	case "object":
		return x.object(method, args)
	case "db":
		if method == "server_version" {
			*x.work = x.api.versioned(func(r release) any { return r.text })
			return nil
		}
		return tell(fault.Forbidden, odoowire.AccessDenied()) // databases are nobody's business here
	}
	e := odoowire.PythonError("KeyError", service)
	e.Debug = fmt.Sprintf("KeyError: '%s'\n", service)
	return tell(fault.BadRequest, e)
}

// common answers who asks before he has signed in.
func (x *rpc) common(method string, args []any) error {
	switch method {
	case "version":
		*x.work = x.api.versioned(release.about)
		return nil
	case "login", "authenticate":
		texts := [3]string{} // database, login, password
		for i := range texts {
			if i >= len(args) {
				return tooFew("TypeError", fmt.Sprintf("exp_%s() missing %d required positional arguments", method, len(texts)-len(args)))
			}
			texts[i], _ = args[i].(string)
		}
		x.asksWho = true
		*x.work = public(func(ctx context.Context, from identity.Meta) (any, error) {
			who, err := x.api.Users.IdentifyPassword(ctx, identity.Secret{Login: texts[1], Password: texts[2]}, from.IP)
			if err != nil {
				return nil, err
			}
			x.who = who
			return who.Calling(), nil
		})
		return nil
	}
	return tell(fault.BadRequest, odoowire.PythonError("Exception", "Method not found: "+method))
}

func tooFew(class, message string) error {
	return tell(fault.BadRequest, odoowire.PythonError(class, message))
}

// object calls a method of a model on behalf of whom the arguments name.
func (x *rpc) object(method string, args []any) error {
	if method != "execute" && method != "execute_kw" {
		return tell(fault.BadRequest, odoowire.PythonError("NameError", "Method not available "+method))
	}
	if len(args) < 5 {
		return tooFew("ValueError", fmt.Sprintf("not enough values to unpack (expected at least 5, got %d)", len(args)))
	}
	uid, ok := userID(args[1])
	password, _ := args[2].(string)
	model, _ := args[3].(string)
	name, _ := args[4].(string)
	positional, kwargs := args[5:], map[string]any(nil)
	if method == "execute_kw" {
		var err error
		if positional, kwargs, err = keyworded(args[5:]); err != nil {
			return err
		}
	}
	if !ok {
		uid = -1 // nobody
	}
	x.secret = &identity.Secret{UserID: uid, Password: password}
	return x.call(model, name, positional, kwargs)
}

// keyworded takes the list and the object of arguments apart.
func keyworded(rest []any) (positional []any, kwargs map[string]any, err error) {
	if len(rest) > 2 {
		return nil, nil, tooFew("TypeError", fmt.Sprintf("execute_kw() takes from 5 to 7 arguments but %d were given", len(rest)+5))
	}
	if len(rest) > 0 && rest[0] != nil {
		var ok bool
		if positional, ok = rest[0].([]any); !ok {
			return nil, nil, tooFew("TypeError", "the arguments by position must be a list")
		}
	}
	if len(rest) > 1 && rest[1] != nil {
		var ok bool
		if kwargs, ok = rest[1].(map[string]any); !ok {
			return nil, nil, tooFew("TypeError", "the arguments by name must be an object")
		}
	}
	return positional, kwargs, nil
}

// call is the work of a method with arguments by position. A create of one
// object, not in a list, gives one id.
func (x *rpc) call(model, name string, positional []any, kwargs map[string]any) error {
	w, err := x.api.method(model, name, native{
		named: func() (map[string]any, error) { return odoocall.Named(name, positional, kwargs) },
		call:  func() (*NativeCall, error) { return &NativeCall{Args: positional, Kwargs: kwargs}, nil },
	})
	*x.work = *w
	if err != nil {
		return err
	}
	// The work is a copy: what it finds out must be found out of x.
	inner := w.run
	x.run = func(ctx context.Context, caller *backend.Caller, from identity.Meta) (any, error) {
		result, err := inner(ctx, caller, from)
		x.unknownModel = w.unknownModel
		if ids, ok := result.([]int64); ok && name == "create" && len(ids) == 1 && !createsList(positional, kwargs) {
			return ids[0], err
		}
		return result, err
	}
	return nil
}

func createsList(positional []any, kwargs map[string]any) bool {
	given := kwargs["vals_list"]
	if len(positional) > 0 {
		given = positional[0]
	}
	_, list := given.([]any)
	return list
}

// userID reads the id of a user, which some clients send as text.
func userID(v any) (int64, bool) {
	text, ok := v.(string)
	if n, isNumber := v.(json.Number); isNumber {
		text, ok = n.String(), true
	}
	id, err := strconv.ParseInt(text, 10, 32)
	return id, ok && err == nil && id > 0
}

// Needs implements httpapi.Exchange: the body of a service has the password among its arguments.
func (x *rpc) Needs() httpapi.Needs {
	needs := x.needs
	needs.SecretBody = x.secret != nil || x.asksWho
	return needs
}

// Identify implements httpapi.Exchange.
func (x *rpc) Identify(ctx context.Context, from identity.Meta) (*identity.Principal, error) {
	return x.api.Users.IdentifyPassword(ctx, *x.secret, from.IP)
}

// Answer implements httpapi.Exchange.
func (x *rpc) Answer(dst []byte, f *fault.Error, status int) (httpapi.Answer, error) {
	return x.answer(dst, f, status, rpcDialect())
}

func (x *rpc) answer(dst []byte, f *fault.Error, status int, d dialect) (a httpapi.Answer, err error) {
	a = httpapi.Answer{Status: http.StatusOK, ContentType: typeJSON}
	switch {
	case f == nil:
		a.Body, err = odoowire.AppendRPCResult(dst, x.id, x.result)
		if x.who != nil {
			a.UserID, a.Login = x.who.UserID, x.who.Login
		}
	case x.text != "" && f.Kind == fault.BadRequest:
		a.Body, a.Status, a.ContentType = append(dst, x.text...), status, typeHTML
	case x.asksWho && f.Kind == fault.Unauthenticated:
		a.Body, err = odoowire.AppendRPCResult(dst, x.id, false)
	default:
		a.Status = rpcStatus(f, status)
		a.Body, err = odoowire.AppendRPCError(dst, x.id, d.describe(f, x.work, status))
	}
	return a, err
}

// xmlRPC is an exchange of XML-RPC: the same services in another writing.
type xmlRPC struct {
	rpc
	old bool // the path without a version number
}

func (a *API) openXMLRPC(r *http.Request, body []byte, old bool) (httpapi.Exchange, error) {
	x := &xmlRPC{rpc: rpc{work: &work{needs: httpapi.Needs{Public: true}}, api: a}, old: old}
	call, err := odoowire.DecodeXMLCall(body)
	if err != nil {
		return x, tell(fault.BadRequest, odoowire.PythonError("ValueError", "not a call of XML-RPC: "+err.Error()))
	}
	return x, x.serve(r.PathValue("service"), call.Method, call.Params)
}

// Answer implements httpapi.Exchange.
func (x *xmlRPC) Answer(dst []byte, f *fault.Error, status int) (a httpapi.Answer, err error) {
	a = httpapi.Answer{Status: http.StatusOK, ContentType: typeXML}
	result := x.result
	switch {
	case f == nil:
		if x.who != nil {
			a.UserID, a.Login = x.who.UserID, x.who.Login
		}
	case x.asksWho && f.Kind == fault.Unauthenticated:
		result = false
	default:
		a.Status = rpcStatus(f, status)
		code, text := rpcDialect().describe(f, x.work, status).XMLFault(x.old)
		a.Body = odoowire.AppendXMLFault(dst, code, text)
		return a, nil
	}
	a.Body, err = odoowire.AppendXMLResponse(dst, result)
	if errors.Is(err, odoowire.ErrNil) || errors.Is(err, odoowire.ErrInteger) { // the work is done all the same, as in Odoo
		class := "TypeError"
		if errors.Is(err, odoowire.ErrInteger) {
			class = "OverflowError"
		}
		code, text := odoowire.PythonError(class, err.Error()).XMLFault(x.old)
		a.Body, err = odoowire.AppendXMLFault(dst, code, text), nil
	}
	return a, err
}
