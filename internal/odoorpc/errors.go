package odoorpc

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoowire"
	"gatehouse/internal/redact"
)

// ErrNoModel is the cause of a NotFound for a model that the Odoo does not have.
// That of a method is backend.ErrNoMethod.
var ErrNoModel = errors.New("the Odoo has no such model")

// failureOf makes a failure of an error that Odoo tells. What Odoo raised is
// its cause (*odoowire.Error); a traceback stays there.
func (c *Client) failureOf(m *message, told *odoowire.Error, a *answer) *failure {
	f := &failure{}
	var also error
	f.fault, f.class, also = describe(m, told)
	f.fault.Cause = told
	if also != nil {
		f.fault.Cause = errors.Join(also, told)
	}
	if f.fault.Kind == fault.Unavailable && a.retryAfter > 0 {
		f.fault.RetryAfter = a.retryAfter
	}
	if f.fault.Kind == fault.Internal {
		c.o.Log.Warn("Odoo raised an error", "model", m.model, "method", m.method, "error", redact.Text(told.Error()),
			"traceback", redact.Text(told.Debug))
	}
	return f
}

// describe says what an error of Odoo's is to Gatehouse. also is a further cause.
func describe(m *message, e *odoowire.Error) (f *fault.Error, does class, also error) {
	class := e.Class()
	if e.IsSessionExpired() || class == "CheckIdentityException" {
		return fault.New(fault.Unauthenticated, "The session with Odoo has ended: log in again"), expired, nil
	}
	if also = nothingThere(m, e, class); also != nil {
		return fault.New(fault.NotFound, missingText(also, m)), final, also
	}
	switch class {
	case "AccessDenied", "Unauthorized":
		if strings.HasPrefix(e.Message, "Too many login failures") {
			f = fault.New(fault.Unavailable, "Odoo refuses logins for a while, because too many have failed")
			f.RetryAfter = time.Minute
			return f, final, nil
		}
		return fault.New(fault.Unauthenticated, "Odoo does not accept the credential"), final, nil
	case "AccessError", "Forbidden":
		return fault.New(fault.Forbidden, spoken(e, "Odoo does not allow this")), final, nil
	case "MissingError":
		return fault.New(fault.NotFound, spoken(e, "The record does not exist")), final, nil
	case "UserError", "ValidationError", "RedirectWarning", "Warning", "except_orm":
		return fault.New(fault.Unprocessable, spoken(e, "Odoo's rules refuse this")), final, nil
	case "TooManyRequests", "ServiceUnavailable":
		f = fault.New(fault.Unavailable, "Odoo is overloaded. Try again later.")
		return f, final, nil
	case "BadGateway":
		return fault.New(fault.BadGateway, "What is behind Odoo's address is not reached"), final, nil
	case "GatewayTimeout":
		return fault.New(fault.GatewayTimeout, "Odoo did not answer in time"+m.unknownOutcome()), final, nil
	case "RequestEntityTooLarge":
		return fault.New(fault.TooLarge, "The call is larger than Odoo takes"), final, nil
	case "BadRequest", "UnprocessableEntity", "ValueError", "TypeError":
		return fault.New(fault.BadRequest, argument(e)), final, nil
	}
	f, does = describeStore(e, class)
	return f, does, nil
}

// describeStore is for what Odoo's database says, and for all that is left.
func describeStore(e *odoowire.Error, class string) (*fault.Error, class) {
	store := strings.HasPrefix(e.Name, "psycopg")
	switch {
	case lostRace(e, class):
		return fault.New(fault.Conflict, "Another change was made to the same records at the same time: try again"), race
	case !store:
	case class == "QueryCanceled":
		return fault.New(fault.GatewayTimeout, "Odoo's database took too long"), final
	case class == "OperationalError" || class == "InterfaceError" || class == "TooManyConnections" || class == "AdminShutdown":
		return fault.New(fault.BadGateway, "Odoo does not reach its database"), final
	case class == "ReadOnlySqlTransaction":
		return fault.New(fault.Unavailable, "Odoo's database takes no changes now"), final
	case strings.HasSuffix(class, "Violation") || class == "IntegrityError":
		return fault.New(fault.Unprocessable, "A constraint of Odoo's database refuses the values"), final
	case storeArguments[class]:
		return fault.New(fault.BadRequest, "Odoo's database cannot work with a value of the call"), final
	}
	return fault.New(fault.Internal, "Odoo failed to do this"), final
}

// lostRace says that a transaction was undone because of another one. Odoo has
// tried several times by then.
func lostRace(e *odoowire.Error, class string) bool {
	switch class {
	case "SerializationFailure", "LockNotAvailable", "DeadlockDetected", "TransactionRollbackError", "LockError", "ConcurrencyError":
		return true
	case "OperationalError", "InternalError":
		for _, words := range []string{"could not serialize", "could not obtain lock", "deadlock detected"} {
			if strings.Contains(e.Message, words) {
				return true
			}
		}
	}
	return false
}

// storeArguments are errors of PostgreSQL about values that no column takes.
var storeArguments = map[string]bool{
	"DataError": true, "InvalidRowCountInLimitClause": true, "InvalidRowCountInResultOffsetClause": true,
	"InvalidTextRepresentation": true, "NumericValueOutOfRange": true, "StringDataRightTruncation": true,
	"InvalidDatetimeFormat": true, "DatetimeFieldOverflow": true, "UntranslatableCharacter": true,
	"CharacterNotInRepertoire": true, "InvalidRegularExpression": true, "InvalidParameterValue": true,
	"InvalidEscapeSequence": true, "DivisionByZero": true,
}

// nothingThere says that an error is about a model or a method that the Odoo
// does not have: ErrNoModel or backend.ErrNoMethod. It has as many words for it
// as protocols and versions.
func nothingThere(m *message, e *odoowire.Error, class string) error {
	if m.model == "" {
		return nil
	}
	text := strings.Trim(strings.TrimSpace(e.Message), `'"`)
	switch class {
	case "NotFound":
		if strings.Contains(e.Message, "ethod '"+m.model+"."+m.method+"'") {
			return backend.ErrNoMethod
		}
		if m.protocol == web || strings.Contains(e.Message, "'"+m.model+"'") {
			return ErrNoModel
		}
	case "KeyError":
		if text == m.model {
			return ErrNoModel
		}
	case "UserError":
		if text == "Object "+m.model+" doesn't exist" {
			return ErrNoModel
		}
	case "AttributeError":
		for _, words := range []string{
			"The method '" + m.model + "." + m.method + "' does not exist",
			"'" + m.model + "' object has no attribute '" + m.method + "'",
			"type object '" + m.model + "' has no attribute '" + m.method + "'",
		} {
			if strings.HasPrefix(e.Message, words) {
				return backend.ErrNoMethod
			}
		}
	}
	return nil
}

func missingText(cause error, m *message) string {
	if errors.Is(cause, ErrNoModel) {
		return "Odoo has no model " + m.model
	}
	return "The model " + m.model + " has no method " + m.method
}

// spoken is a message that Odoo means for people, or what stands for it.
func spoken(e *odoowire.Error, otherwise string) string {
	text := strings.TrimSpace(e.Message)
	if text == "" || strings.Contains(text, "Traceback (most recent call last)") {
		return otherwise
	}
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + " …"
	}
	return text
}

// maxMessage is how much of a message is passed on, in bytes.
const maxMessage = 8 << 10

// insides finds in the text of a Python exception what callers need not see:
// objects, places in the code, SQL, paths.
var insides = regexp.MustCompile(`<[\w.]+ |0x[0-9a-f]{6}|File "|\.py\b|(?i:\bselect\b.+\bfrom\b|\bline \d+:)|/(?:usr|opt|home|var|mnt|odoo)/|\n`)

// argument is the text of an error about an argument, where it can be told.
func argument(e *odoowire.Error) string {
	text := strings.TrimSpace(e.Message)
	if text == "" || len(text) > 500 || insides.MatchString(text) {
		return "Odoo cannot work with the arguments of the call"
	}
	return "Odoo cannot work with the arguments of the call: " + text
}
