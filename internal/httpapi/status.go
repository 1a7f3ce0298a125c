package httpapi

import (
	"net/http"

	"gatehouse/internal/fault"
)

// statusClientGone is what the log says of a caller who hung up before the
// answer was ready. Nobody receives it.
const statusClientGone = 499

// StatusOf is the one place that knows which HTTP status a kind of fault has.
// A kind that is not in it is ours to answer for.
func StatusOf(kind fault.Kind) int {
	switch kind {
	case fault.BadRequest:
		return http.StatusBadRequest
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden, fault.Blocked:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.MethodNotAllowed:
		return http.StatusMethodNotAllowed
	case fault.NotAcceptable:
		return http.StatusNotAcceptable
	case fault.Conflict:
		return http.StatusConflict
	case fault.Gone:
		return http.StatusGone
	case fault.Precondition:
		return http.StatusPreconditionFailed
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.UnsupportedMedia:
		return http.StatusUnsupportedMediaType
	case fault.Unprocessable:
		return http.StatusUnprocessableEntity
	case fault.RateLimited:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.BadGateway:
		return http.StatusBadGateway
	case fault.GatewayTimeout:
		return http.StatusGatewayTimeout
	default:
		return http.StatusInternalServerError
	}
}

func notFoundf(format string, args ...any) *fault.Error {
	return fault.Newf(fault.NotFound, format, args...)
}

// FaultText says in words when a kind of fault happens, for documents.
func FaultText(kind fault.Kind) string {
	switch kind {
	case fault.BadRequest:
		return "a body, parameter, domain, id or type that is malformed; a required field that is missing"
	case fault.Unauthenticated:
		return "no credential, or one that does not hold"
	case fault.Forbidden:
		return "a scope is missing (it is named), the user's rights or a record rule refuse, the address is not allowed"
	case fault.Blocked:
		return "the address collected too many refused requests, or an administrator blocked it"
	case fault.NotFound:
		return "no such path, model, record or method"
	case fault.MethodNotAllowed:
		return "the path is right, the method is not"
	case fault.NotAcceptable:
		return "no representation that the caller accepts"
	case fault.Conflict:
		return "lost a race with another change"
	case fault.Precondition:
		return "the record is not the one that was expected"
	case fault.TooLarge:
		return "the body is too large"
	case fault.UnsupportedMedia:
		return "the body is of a type that is not understood"
	case fault.Unprocessable:
		return "well-formed, but refused: not one of the options, a record that does not exist, a business rule"
	case fault.RateLimited:
		return "over a limit"
	case fault.Unavailable:
		return "store or backend away or overloaded"
	case fault.BadGateway:
		return "what answers behind us answered nonsense"
	case fault.GatewayTimeout:
		return "the answer took too long"
	default:
		return "our fault"
	}
}
