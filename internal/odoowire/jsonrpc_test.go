package odoowire

import (
	"encoding/json"
	"errors"
	"testing"
)

func TestDecodeRPCCall(t *testing.T) {
	for text, want := range map[string]struct {
		id     string
		params int
		err    error
	}{
		`{"jsonrpc":"2.0","method":"call","params":{"a":1},"id":7}`: {id: "7", params: 1},
		`{"id":"abc-1","params":null}`:                              {id: `"abc-1"`},
		`{"id":null}`:                                               {id: "null"},
		`{}`:                                                        {},
		`{"id":9007199254740993}`:                                   {id: "9007199254740993"},
		`{nope`:                                                     {err: ErrNotJSON},
		``:                                                          {err: ErrNotJSON},
		`[]`:                                                        {err: ErrNotJSONRPC},
		`"x"`:                                                       {err: ErrNotJSONRPC},
		`{"params":[1]}`:                                            {err: ErrNotJSONRPC},
	} {
		call, err := DecodeRPCCall([]byte(text))
		if !errors.Is(err, want.err) {
			t.Errorf("%s: %v, want %v", text, err, want.err)
			continue
		}
		if err == nil && (string(call.ID) != want.id || len(call.Params) != want.params) {
			t.Errorf("%s: %s %v", text, call.ID, call.Params)
		}
	}
}

func TestAppendRPC(t *testing.T) {
	for _, test := range []struct {
		id     json.RawMessage
		result any
		want   string
	}{
		{json.RawMessage("1"), []any{"<a>"}, `{"jsonrpc": "2.0", "id": 1, "result": ["<a>"]}`},
		{json.RawMessage(`"x"`), false, `{"jsonrpc": "2.0", "id": "x", "result": false}`},
		{nil, nil, `{"jsonrpc": "2.0", "id": null}`},
		{json.RawMessage("2"), json.RawMessage("null"), `{"jsonrpc": "2.0", "id": 2}`},
	} {
		if got, err := AppendRPCResult(nil, test.id, test.result); err != nil || string(got) != test.want {
			t.Errorf("%s %v; want %s", got, err, test.want)
		}
	}
	for _, test := range []struct {
		e       *Error
		code    int
		message string
		id      bool
	}{
		{UserError("no"), 0, "Odoo Server Error", true},
		{SessionExpired(), 100, "Odoo Session Expired", false},
		{NoPage(), 404, "404: Not Found", false},
	} {
		text, err := AppendRPCError(nil, json.RawMessage("5"), test.e)
		var got struct {
			ID    any `json:"id"`
			Error struct {
				Code    int
				Message string
				Data    Error
			}
		}
		if err != nil || json.Unmarshal(text, &got) != nil || got.Error.Code != test.code || got.Error.Message != test.message ||
			(got.ID != nil) != test.id || got.Error.Data.Name != test.e.Name || got.Error.Data.Context == nil {
			t.Errorf("%s: %s %v", test.e.Name, text, err)
		}
	}
}

func TestXMLFaultCodes(t *testing.T) {
	for _, test := range []struct {
		e    *Error
		code any
		text string
		old  any
	}{
		{UserError("a"), 2, "a", "warning -- UserError\n\na"},
		{ValidationError("a"), 2, "a", "warning -- ValidationError\n\na"},
		{MissingError("a"), 2, "a", "warning -- MissingError\n\na"},
		{LockError("a"), 2, "a", "warning -- LockError\n\na"},
		{AccessDenied(), 3, "Access Denied", "AccessDenied"},
		{AccessError("a"), 4, "a", "warning -- AccessError\n\na"},
		{PythonError("ValueError", "a"), 1, "ValueError: a\n", "a"},
		{Transport(429, "a"), 1, "werkzeug.exceptions.TooManyRequests: a\n", "a"},
	} {
		if code, text := test.e.XMLFault(false); code != test.code || text != test.text {
			t.Errorf("%s: %v %q", test.e.Name, code, text)
		}
		if code, _ := test.e.XMLFault(true); code != test.old {
			t.Errorf("%s on the old path: %q", test.e.Name, code)
		}
	}
}

// FuzzDecodeRPCCall: an answer to whatever was taken is JSON.
func FuzzDecodeRPCCall(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","method":"call","params":{"service":"common"},"id":{"a":[1e400]}}`))
	f.Add([]byte(`{"id":"\ud800"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		call, err := DecodeRPCCall(text)
		if err != nil {
			return
		}
		if out, err := AppendRPCResult(nil, call.ID, call.Params); err != nil || !json.Valid(out) {
			t.Fatalf("%q: %s %v", text, out, err)
		}
		if out, err := AppendRPCError(nil, call.ID, UserError("x")); err != nil || !json.Valid(out) {
			t.Fatalf("%q: %s %v", text, out, err)
		}
	})
}
