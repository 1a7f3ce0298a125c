package odoowire

import (
	"net/http"
	"strings"
)

// Error is an error as Odoo tells it: the class of its exception by its Python
// name, and the message. Status is what JSON-2 answers with it.
type Error struct {
	Name      string         `json:"name"`
	Message   string         `json:"message"`
	Arguments []any          `json:"arguments"`
	Context   map[string]any `json:"context"`
	Debug     string         `json:"debug"`
	Status    int            `json:"-"`
}

// Error implements error: class and message, without the traceback.
func (e *Error) Error() string { return e.Name + ": " + e.Message }

// Class is the name of the exception without its module.
func (e *Error) Class() string { return e.Name[strings.LastIndexByte(e.Name, '.')+1:] }

// Names of exceptions that are told in a way of their own.
const (
	sessionExpired   = "odoo.http.SessionExpiredException"
	notFoundName     = "werkzeug.exceptions.NotFound"
	accessDeniedName = "odoo.exceptions.AccessDenied"
	accessErrorName  = "odoo.exceptions.AccessError"
)

// exception makes an Error. In place of a traceback it has its last line.
func exception(name string, status int, message string) *Error {
	short := strings.TrimPrefix(name, "builtins.")
	return &Error{
		Name: name, Message: message, Arguments: []any{message}, Context: map[string]any{},
		Debug: short + ": " + message + "\n", Status: status,
	}
}

// httpException is an exception of Odoo's HTTP layer: it knows its status.
func httpException(class string, status int, message string) *Error {
	e := exception("werkzeug.exceptions."+class, status, message)
	e.Arguments = append(e.Arguments, status)
	return e
}

// The errors that Odoo tells apart.

// AccessDenied is a login that does not hold.
func AccessDenied() *Error {
	return exception(accessDeniedName, http.StatusForbidden, "Access Denied")
}

// AccessError is a lack of rights.
func AccessError(message string) *Error {
	return exception(accessErrorName, http.StatusForbidden, message)
}

// MissingError is a record that does not exist.
func MissingError(message string) *Error {
	return exception("odoo.exceptions.MissingError", http.StatusNotFound, message)
}

// UserError is what the rules of the business refuse.
func UserError(message string) *Error {
	return exception("odoo.exceptions.UserError", http.StatusUnprocessableEntity, message)
}

// ValidationError is values that break a constraint.
func ValidationError(message string) *Error {
	return exception("odoo.exceptions.ValidationError", http.StatusUnprocessableEntity, message)
}

// LockError is a race that was lost.
func LockError(message string) *Error {
	return exception("odoo.exceptions.LockError", http.StatusConflict, message)
}

// PythonError is what Odoo's code trips over; class is that of the exception.
func PythonError(class, message string) *Error {
	return exception("builtins."+class, http.StatusInternalServerError, message)
}

// SessionExpired is a web session that is no more.
func SessionExpired() *Error {
	return exception(sessionExpired, http.StatusForbidden, "Session expired")
}

// Unauthorized is a credential of JSON-2 that is missing or does not hold.
func Unauthorized(message string) *Error {
	return httpException("Unauthorized", http.StatusUnauthorized, message)
}

// NotFound is a path, a model or a method that JSON-2 does not have.
func NotFound(message string) *Error {
	return httpException("NotFound", http.StatusNotFound, message)
}

// NoPage is a path that the web client's routes do not have.
func NoPage() *Error {
	const message = "404 Not Found: The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again."
	e := NotFound(message)
	e.Arguments = []any{}
	return e
}

// BadRequest is a body that JSON-2 cannot read.
func BadRequest(message string) *Error {
	return httpException("BadRequest", http.StatusBadRequest, message)
}

// BadArguments is arguments that a method of JSON-2 does not take.
func BadArguments(message string) *Error {
	return httpException("UnprocessableEntity", http.StatusUnprocessableEntity, message)
}

// Transport is any other refusal that has an HTTP status, such as a limit.
func Transport(status int, message string) *Error {
	class := strings.ReplaceAll(http.StatusText(status), " ", "")
	return httpException(class, status, message)
}

// XMLFault gives code and text of the fault that XML-RPC tells the error with:
// 2 for what the caller may mend, 3 and 4 for who may not, 1 for all others.
// The paths without a version number have codes of text.
func (e *Error) XMLFault(old bool) (code any, text string) {
	class := e.Class()
	if old {
		switch class {
		case "AccessDenied":
			return class, e.Message
		case "AccessError", "UserError", "ValidationError", "MissingError", "LockError":
			return "warning -- " + class + "\n\n" + e.Message, ""
		}
		return e.Message, e.Debug
	}
	switch class {
	case "UserError", "ValidationError", "MissingError", "LockError":
		return 2, e.Message
	case "AccessDenied":
		return 3, e.Message
	case "AccessError":
		return 4, e.Message
	}
	return 1, e.Debug
}
