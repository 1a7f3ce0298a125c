// Package fault is the one error value of Gatehouse: a kind, a message that
// the caller may read, optional details, and a cause that only the log sees.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what went wrong in terms a caller can act on. The HTTP status of
// a kind is decided by package httpapi alone.
type Kind uint8

// The kinds. Internal is the zero value: an error that nobody classified is
// ours, and its text never leaves the process.
const (
	Internal         Kind = iota
	BadRequest            // malformed input: body, parameter, domain, type
	Unauthenticated       // no credential, or one that does not hold
	Forbidden             // authenticated, but not allowed
	Blocked               // the address is shut out; RetryAfter is set unless for good
	NotFound              // no such route, model or record
	MethodNotAllowed      // the path exists, the method does not
	NotAcceptable         // no representation that the caller accepts
	Conflict              // lost a race with another change
	Precondition          // If-Match did not hold
	TooLarge              // body over the limit
	UnsupportedMedia      // body of a type that is not understood
	Unprocessable         // well-formed, but the business rules refuse it
	RateLimited           // over a limit; RetryAfter is set
	Unavailable           // store or backend away or overloaded
	BadGateway            // the backend answered nonsense
	GatewayTimeout        // the backend did not answer in time
	Gone                  // what was there once, and is no more: a cursor that is too old
)

var names = [...]string{
	Internal: "internal_error", BadRequest: "bad_request", Unauthenticated: "unauthorized",
	Forbidden: "forbidden", Blocked: "address_blocked", NotFound: "not_found", MethodNotAllowed: "method_not_allowed",
	NotAcceptable: "not_acceptable", Conflict: "conflict", Precondition: "precondition_failed",
	TooLarge: "payload_too_large", UnsupportedMedia: "unsupported_media_type",
	Unprocessable: "validation_error", RateLimited: "rate_limit_exceeded",
	Unavailable: "service_unavailable", BadGateway: "bad_gateway", GatewayTimeout: "gateway_timeout",
	Gone: "gone",
}

// String is the stable snake_case word that the API answers as error type.
func (k Kind) String() string { return names[k] }

// Kinds lists every kind, for documents and tables that must cover them all.
func Kinds() []Kind {
	all := make([]Kind, len(names))
	for i := range names {
		all[i] = Kind(i)
	}
	return all
}

// Error is an error with a public face. Message and Details go to the caller;
// Cause goes to the log only.
type Error struct {
	Kind       Kind
	Message    string
	Details    any
	RetryAfter time.Duration // RateLimited, Blocked and Unavailable only; zero: not known
	Cause      error
}

// Error gives the full text, cause included: for logs, never for callers.
func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Kind.String() + ": " + e.Message + ": " + e.Cause.Error()
	}
	return e.Kind.String() + ": " + e.Message
}

// Unwrap gives the private cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

// With returns e with public details added.
func (e *Error) With(details any) *Error {
	c := *e
	c.Details = details
	return &c
}

// Because returns e with a private cause added.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.Cause = cause
	return &c
}

// New makes an error of a kind with a public message.
func New(kind Kind, message string) *Error { return &Error{Kind: kind, Message: message} }

// Newf is New with a format.
func Newf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Wrap hides an unexpected error behind an internal one; what says where it
// happened, for the log. Wrap(nil) is nil, and a fault stays the fault it is.
func Wrap(err error, what string) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*Error](err); ok {
		return f
	}
	return &Error{Kind: Internal, Message: "Internal server error", Cause: fmt.Errorf("%s: %w", what, err)}
}

// From finds the fault in err, or makes an internal one of it.
func From(err error) *Error {
	if f, ok := errors.AsType[*Error](err); ok {
		return f
	}
	return &Error{Kind: Internal, Message: "Internal server error", Cause: err}
}

// Is says whether err is a fault of that kind.
func Is(err error, kind Kind) bool {
	f, ok := errors.AsType[*Error](err)
	return ok && f.Kind == kind
}

// FieldErrors is the usual shape of Details: field name to what is wrong.
type FieldErrors map[string]string
