package odooapi

import (
	"errors"
	"net/http"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoocall"
	"gatehouse/internal/odoorpc"
	"gatehouse/internal/odoowire"
	"gatehouse/internal/sqldb"
)

// told is the cause of a fault that a protocol has its own words for.
type told struct{ as *odoowire.Error }

func (t *told) Error() string { return t.as.Message }

// tell makes a fault of an error as the protocol has it.
func tell(kind fault.Kind, e *odoowire.Error) error {
	return fault.New(kind, e.Message).Because(&told{e})
}

// dialect is the words for what protocols call by different names.
type dialect struct {
	unauthenticated func(f *fault.Error) *odoowire.Error
	model           func(name string) *odoowire.Error
	method          func(name string) *odoowire.Error
	arguments       func(message string) *odoowire.Error
}

// rpcDialect is that of JSON-RPC and XML-RPC: Odoo's exceptions as they are.
func rpcDialect() dialect {
	return dialect{
		unauthenticated: func(*fault.Error) *odoowire.Error { return odoowire.AccessDenied() },
		model: func(name string) *odoowire.Error {
			return odoowire.UserError("Object " + name + " doesn't exist")
		},
		method: func(name string) *odoowire.Error {
			return odoowire.PythonError("AttributeError", "The method '"+name+"' does not exist")
		},
		arguments: func(message string) *odoowire.Error { return odoowire.PythonError("TypeError", message) },
	}
}

// describe puts a fault into Odoo's words. status is the one that it has in REST.
func (d dialect) describe(f *fault.Error, w *work, status int) *odoowire.Error {
	if t, ok := errors.AsType[*told](f.Cause); ok {
		return t.as
	}
	// A real Odoo may have been asked in another protocol, where these have other words.
	switch {
	case f.Kind == fault.Unauthenticated:
		return d.unauthenticated(f)
	case f.Kind == fault.NotFound && errors.Is(f, odoorpc.ErrNoModel):
		return d.model(w.model)
	case f.Kind == fault.NotFound && errors.Is(f, backend.ErrNoMethod):
		return d.method(w.model + "." + w.method)
	}
	if e := ofOdoo(f, status); e != nil {
		return e
	}
	switch f.Kind {
	case fault.Forbidden:
		return odoowire.AccessError(f.Message)
	case fault.NotFound:
		if w.unknownModel {
			return d.model(w.model)
		}
		return odoowire.MissingError(f.Message)
	case fault.Unprocessable:
		if errors.Is(f, odoocall.ErrArguments) {
			return d.arguments(f.Message)
		}
		if brokenValue(f) {
			return odoowire.ValidationError(f.Message)
		}
		return odoowire.UserError(f.Message)
	case fault.Conflict:
		return odoowire.LockError(f.Message)
	case fault.BadRequest:
		if strings.HasPrefix(f.Message, "Missing required field") {
			return odoowire.ValidationError(f.Message)
		}
		return odoowire.PythonError("ValueError", f.Message)
	default:
		return odoowire.Transport(status, f.Message)
	}
}

// brokenValue says that a value, or the database, is what refused.
func brokenValue(f *fault.Error) bool {
	_, fields := f.Details.(fault.FieldErrors)
	_, violated := errors.AsType[*sqldb.Violation](f.Cause)
	return fields || violated
}

// rpcStatus is the HTTP status of an error in protocols that answer errors with
// 200: limits and outages are told by HTTP all the same, because that is what
// clients and proxies look at before they try again.
func rpcStatus(f *fault.Error, status int) int {
	switch f.Kind {
	case fault.RateLimited, fault.Blocked, fault.TooLarge, fault.UnsupportedMedia,
		fault.Unavailable, fault.BadGateway, fault.GatewayTimeout:
		return status
	default:
		return http.StatusOK
	}
}
