package odoorpc

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoowire"
)

func TestErrorsOfOdoo(t *testing.T) {
	c := odoo(t, "19.0").client(nil)
	m := &message{about: about{model: "res.partner", method: "nosuch"}, protocol: jsonrpc}
	for _, test := range []struct {
		name, message string
		kind          fault.Kind
		says          string // "" is the message of Odoo
		cause         error
	}{
		{"odoo.exceptions.AccessError", "You may not.", fault.Forbidden, "", nil},
		{"odoo.exceptions.AccessError", "", fault.Forbidden, "Odoo does not allow this", nil},
		{"odoo.exceptions.AccessDenied", "Access Denied", fault.Unauthenticated, "Odoo does not accept the credential", nil},
		{"odoo.exceptions.MissingError", "Gone.", fault.NotFound, "", nil},
		{"odoo.exceptions.UserError", "Not like this.", fault.Unprocessable, "", nil},
		{"odoo.exceptions.ValidationError", "Two of them.\nAnd more.", fault.Unprocessable, "", nil},
		{"odoo.exceptions.RedirectWarning", "Go there.", fault.Unprocessable, "", nil},
		{"odoo.exceptions.UserError", "Traceback (most recent call last):\n  File \"x.py\"", fault.Unprocessable, "Odoo's rules refuse this", nil},
		{"odoo.exceptions.LockError", "Locked.", fault.Conflict, "Another change", nil},
		{"odoo.exceptions.ConcurrencyError", "Race.", fault.Conflict, "Another change", nil},
		{"psycopg2.errors.SerializationFailure", "could not serialize access due to concurrent update\n", fault.Conflict, "Another change", nil},
		{"psycopg2.extensions.TransactionRollbackError", "could not serialize access", fault.Conflict, "Another change", nil},
		{"psycopg2.errors.LockNotAvailable", "could not obtain lock on row", fault.Conflict, "Another change", nil},
		{"psycopg2.errors.DeadlockDetected", "deadlock detected", fault.Conflict, "Another change", nil},
		{"psycopg2.OperationalError", "could not serialize access", fault.Conflict, "Another change", nil},
		{"psycopg2.OperationalError", "connection to server at 10.0.0.1 failed", fault.BadGateway, "Odoo does not reach its database", nil},
		{"psycopg2.InterfaceError", "connection already closed", fault.BadGateway, "Odoo does not reach its database", nil},
		{"psycopg2.errors.QueryCanceled", "canceling statement due to statement timeout", fault.GatewayTimeout, "took too long", nil},
		{"psycopg2.errors.NotNullViolation", "null value in column", fault.Unprocessable, "A constraint", nil},
		{"psycopg2.errors.InvalidTextRepresentation", "LINE 1: SELECT secret", fault.BadRequest, "a value of the call", nil},
		{"psycopg2.errors.UndefinedColumn", "column does not exist\nLINE 1: SELECT secret", fault.Internal, "Odoo failed to do this", nil},
		{"psycopg2.errors.ReadOnlySqlTransaction", "cannot execute UPDATE", fault.Unavailable, "takes no changes", nil},
		{"builtins.ValueError", "Invalid field res.partner.x in condition ('x', '=', 1)", fault.BadRequest, "call: Invalid field", nil},
		{"builtins.TypeError", "Partner.write() missing 1 required positional argument: 'vals'", fault.BadRequest, "call: Partner.write()", nil},
		{"builtins.ValueError", "bad <odoo.models.Partner object>", fault.BadRequest, "Odoo cannot work with the arguments of the call", nil},
		{"builtins.ValueError", "cannot read /opt/odoo/secret", fault.BadRequest, "Odoo cannot work with the arguments of the call", nil},
		{"builtins.ValueError", "SELECT secret FROM x", fault.BadRequest, "Odoo cannot work with the arguments of the call", nil},
		{"builtins.ValueError", "a\nb", fault.BadRequest, "Odoo cannot work with the arguments of the call", nil},
		{"builtins.KeyError", "secret", fault.Internal, "Odoo failed to do this", nil},
		{"builtins.KeyError", "'res.partner'", fault.NotFound, "Odoo has no model res.partner", ErrNoModel},
		{"odoo.exceptions.UserError", "Object res.partner doesn't exist", fault.NotFound, "no model", ErrNoModel},
		{"builtins.AttributeError", "The method 'res.partner.nosuch' does not exist", fault.NotFound, "no method nosuch", backend.ErrNoMethod},
		{"builtins.AttributeError", "'res.partner' object has no attribute 'nosuch'", fault.NotFound, "no method nosuch", backend.ErrNoMethod},
		{"builtins.AttributeError", "type object 'res.partner' has no attribute 'nosuch'", fault.NotFound, "no method nosuch", backend.ErrNoMethod},
		{"builtins.AttributeError", "'NoneType' object has no attribute 'nosuch'", fault.Internal, "Odoo failed to do this", nil},
		{"builtins.AttributeError", "'res.partner' object has no attribute 'other'", fault.Internal, "Odoo failed to do this", nil},
		{"werkzeug.exceptions.NotFound", "The method 'res.partner.nosuch' does not exist", fault.NotFound, "no method nosuch", backend.ErrNoMethod},
		{"werkzeug.exceptions.NotFound", "the model 'res.partner' does not exist", fault.NotFound, "no model", ErrNoModel},
		{"werkzeug.exceptions.Unauthorized", "Invalid apikey", fault.Unauthenticated, "credential", nil},
		{"werkzeug.exceptions.UnprocessableEntity", "missing a required argument: 'vals'", fault.BadRequest, "missing a required", nil},
		{"builtins.Exception", "secret", fault.Internal, "Odoo failed to do this", nil},
		{"", "secret", fault.Internal, "Odoo failed to do this", nil},
	} {
		told := &odoowire.Error{Name: test.name, Message: test.message, Debug: "Traceback secret"}
		f := c.failureOf(m, told, &answer{})
		says := test.says
		if says == "" {
			says = test.message
		}
		if f.fault.Kind != test.kind || !strings.Contains(f.fault.Message, says) || strings.Contains(f.fault.Message, "secret") {
			t.Errorf("%s %q: %v %q", test.name, test.message, f.fault.Kind, f.fault.Message)
		}
		var raised *odoowire.Error
		if !errors.As(f.fault, &raised) || raised != told {
			t.Errorf("%s: the cause is %v", test.name, f.fault.Cause)
		}
		if test.cause != nil && !errors.Is(f.fault, test.cause) {
			t.Errorf("%s: %v is not %v", test.name, f.fault, test.cause)
		}
		if strings.Contains(f.fault.Error(), "Traceback secret") {
			t.Errorf("%s: the traceback is in %v", test.name, f.fault)
		}
		if (f.class == race) != (test.kind == fault.Conflict) {
			t.Errorf("%s: class %v", test.name, f.class)
		}
	}
}

func TestLongMessages(t *testing.T) {
	long := spoken(&odoowire.Error{Message: strings.Repeat("é", maxMessage)}, "")
	if len(long) > maxMessage+len(" …") || !utf8.ValidString(long) || !strings.HasSuffix(long, "é …") {
		t.Errorf("%d bytes, ending in %q", len(long), long[len(long)-10:])
	}
}

// TestTooManyLogins: Odoo's own pause is told as such, not as a wrong password.
func TestTooManyLogins(t *testing.T) {
	f := odoo(t, "17.0")
	f.first = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.URL.Path != "/web/session/authenticate" {
			return false
		}
		e := odoowire.AccessDenied()
		e.Message = "Too many login failures, please wait a bit before trying again."
		text, err := odoowire.AppendRPCError(nil, json.RawMessage("1"), e)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(text)
		return true
	}
	_, err := f.client(nil).Authenticate(t.Context(), "ann", "pw-ann", nobody)
	if e := fault.From(err); e.Kind != fault.Unavailable || e.RetryAfter <= 0 {
		t.Errorf("%v", err)
	}
}

// TestRacesAreTriedAgain, changes too: the server has undone them. When they
// are lost again and again it is a conflict.
func TestRacesAreTriedAgain(t *testing.T) {
	for _, protocol := range []string{"json2", "jsonrpc"} {
		f := odoo(t, "19.0")
		var calls atomic.Int64
		lose := int64(2)
		f.do = func(int64, string, string, []any, map[string]any) (any, *odoowire.Error) {
			if calls.Add(1) <= lose {
				return nil, odoowire.LockError("somebody was faster")
			}
			return true, nil
		}
		c := f.client(func(o *Options) { o.Protocol = protocol })
		a := keyOf("ann")
		a.UID = 7
		text, err := c.Call(t.Context(), a, &Request{Model: "m", Method: "write"})
		if err != nil || string(text) != "true" || calls.Load() != 3 || c.Stats().Retried != 2 {
			t.Errorf("%s: %s %v after %d calls, %+v", protocol, text, err, calls.Load(), c.Stats())
		}
		lose = 100
		_, err = c.Call(t.Context(), a, &Request{Model: "m", Method: "write"})
		if !fault.Is(err, fault.Conflict) || calls.Load() != 6 {
			t.Errorf("%s: %v after %d calls", protocol, err, calls.Load())
		}
	}
}

// TestRPCErrorsWithoutData come from what is no Odoo, or a broken one.
func TestRPCErrorsWithoutData(t *testing.T) {
	for body, kind := range map[string]fault.Kind{
		`{"jsonrpc": "2.0", "id": 1, "error": {"code": 200, "message": "secret"}}`:                             fault.Internal,
		`{"jsonrpc": "2.0", "id": 1, "error": {"code": 200, "message": "x", "data": {"name": 5}}}`:             fault.Internal,
		`{"jsonrpc": "2.0", "id": 1, "error": {"code": 100, "message": "Odoo Session Expired", "data": null}}`: fault.Unauthenticated,
		`{"jsonrpc": "2.0", "id": 1, "error": "secret"}`:                                                       fault.BadGateway,
		`{"id": 1, "result": 5}`: fault.BadGateway,
		`[]`:                     fault.BadGateway,
		`{"jsonrpc": "2.0", "id": 1, "result": 5`:           fault.BadGateway,
		`{"jsonrpc": "2.0", "id": 1, "result": 5} trailing`: fault.BadGateway,
		`{"jsonrpc": "2.0", "id": 1, "result": }`:           fault.BadGateway,
	} {
		f := odoo(t, "17.0")
		f.first = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
			_, _ = io.WriteString(w, body)
			return true
		}
		c := f.client(func(o *Options) { o.Protocol = "jsonrpc" })
		text, err := c.Call(t.Context(), &Account{UID: 7, Secret: "key-ann"}, &Request{Model: "m", Method: "x"})
		if got := fault.From(err); got.Kind != kind || strings.Contains(got.Message, "secret") {
			t.Errorf("%s: %s %v", body, text, err)
		}
	}
}
