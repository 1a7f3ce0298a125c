package oauth

import (
	"strings"

	"gatehouse/internal/fault"
)

// Code is the error of an answer (RFC 6749 section 5.2). A fault carries it in
// its details.
type Code string

// The codes. The last two are RFC 6749's for servers that cannot answer.
const (
	InvalidRequest         Code = "invalid_request"
	InvalidClient          Code = "invalid_client"
	UnauthorizedClient     Code = "unauthorized_client"
	UnsupportedGrantType   Code = "unsupported_grant_type"
	InvalidScope           Code = "invalid_scope"
	ServerError            Code = "server_error"
	TemporarilyUnavailable Code = "temporarily_unavailable"
)

func (c Code) kind() fault.Kind {
	if c == InvalidClient {
		return fault.Unauthenticated
	}
	return fault.BadRequest
}

// CodeOf is the code of a fault: the one that it carries, else what comes
// nearest to its kind.
func CodeOf(f *fault.Error) Code {
	if code, ok := f.Details.(Code); ok {
		return code
	}
	switch f.Kind {
	case fault.Unauthenticated:
		return InvalidClient
	case fault.Forbidden:
		return UnauthorizedClient
	case fault.RateLimited, fault.Unavailable, fault.GatewayTimeout:
		return TemporarilyUnavailable
	case fault.Internal, fault.BadGateway:
		return ServerError
	default:
		return InvalidRequest
	}
}

// Description is a message in the characters that error_description may have:
// printable ASCII without quotation mark and backslash.
func Description(message string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			return '\''
		case r == '\\' || r > '~':
			return '?'
		case r < ' ':
			return ' '
		}
		return r
	}, message)
}
