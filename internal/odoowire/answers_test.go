package odoowire

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestRPCCallsAreUnderstood(t *testing.T) {
	text, err := AppendRPCCall([]byte("x"), map[string]any{"a": "<&>", "b": int64(1) << 60})
	if err != nil || string(text) != `x{"jsonrpc": "2.0", "method": "call", "params": {"a":"<&>","b":1152921504606846976}, "id": 1}` {
		t.Errorf("%s %v", text, err)
	}
	call, err := DecodeRPCCall(text[1:])
	if err != nil || string(call.ID) != "1" || call.Params["b"] != json.Number("1152921504606846976") {
		t.Errorf("%+v %v", call, err)
	}
	if _, err := AppendRPCCall(nil, func() {}); err == nil {
		t.Error("a function was written")
	}
}

func TestDecodeRPCAnswer(t *testing.T) {
	for text, want := range map[string]string{ // "" is no answer
		`{"jsonrpc": "2.0", "id": 1, "result": [1, 2.50]}`:                `[1, 2.50]`,
		"\n {\"jsonrpc\": \"2.0\", \"id\": 1, \"result\":  true } \n":     `true`,
		`{"jsonrpc":"2.0","id":1,"result":9007199254740993}`:              `9007199254740993`,
		`{"result": {"a": null}, "id": null, "jsonrpc": "2.0"}`:           `{"a": null}`,
		`{"jsonrpc": "2.0", "id": 1}`:                                     `null`,
		`{"jsonrpc": "2.0", "id": 1, "result": null}`:                     `null`,
		`{"jsonrpc": "2.0", "id": 1, "result": "}"}`:                      `"}"`,
		`{"jsonrpc": "2.0", "id": 1, "result": 1, "more": {"result": 2}}`: `1`,
		`{"jsonrpc": "2.0", "id": 1, "result": 1, "error": null}`:         `1`,
		`{"jsonrpc": "2.0", "id": 1, "result": `:                          ``,
		`{"jsonrpc": "2.0", "id": 1, "result": }`:                         ``,
		`{"jsonrpc": "2.0", "id": 1, "result": 1}}`:                       ``,
		`{"jsonrpc": "2.0", "id": 1, "result": 1} 2`:                      ``,
		`{"jsonrpc": "2.0", "id": 1, "result": 1, }`:                      ``,
		`{"id": 1, "result": 1}`:                                          ``,
		`{"jsonrpc": "2.0", "error": []}`:                                 ``,
		`null`:                                                            ``,
		``:                                                                ``,
		`<html>`:                                                          ``,
	} {
		result, told, err := DecodeRPCAnswer([]byte(text))
		if told != nil || (err == nil) != (want != "") || string(result) != want {
			t.Errorf("%s: %s, %v, %v", text, result, told, err)
		}
	}
}

func TestDecodeRPCErrors(t *testing.T) {
	for _, e := range []*Error{UserError("no"), SessionExpired(), NoPage(), AccessDenied(), PythonError("ValueError", "bad")} {
		text, err := AppendRPCError(nil, json.RawMessage("1"), e)
		if err != nil {
			t.Fatal(err)
		}
		_, told, err := DecodeRPCAnswer(text)
		if err != nil || told == nil || told.Name != e.Name || told.Message != e.Message || told.Debug != e.Debug {
			t.Errorf("%s: %+v, %v", text, told, err)
		}
		if told != nil && told.IsSessionExpired() != (e.Name == sessionExpired) {
			t.Errorf("%s: expired %v", e.Name, told.IsSessionExpired())
		}
	}
	for text, want := range map[string]string{
		`{"jsonrpc": "2.0", "error": {"code": 100, "message": "Odoo Session Expired"}}`:           sessionExpired,
		`{"jsonrpc": "2.0", "error": {"code": 100, "data": {"name": "x", "message": "y"}}}`:       sessionExpired,
		`{"jsonrpc": "2.0", "error": {"code": 404, "data": {"name": "x", "message": "y"}}}`:       notFoundName,
		`{"jsonrpc": "2.0", "error": {"code": 200, "message": "m", "data": "?"}}`:                 "builtins.Exception",
		`{"jsonrpc": "2.0", "id": 1, "result": 1, "error": {"code": 0, "data": {"name": "a.B"}}}`: "a.B",
	} {
		if _, told, err := DecodeRPCAnswer([]byte(text)); err != nil || told == nil || told.Name != want {
			t.Errorf("%s: %+v, %v", text, told, err)
		}
	}
}

func TestDecodeError(t *testing.T) {
	e, err := DecodeError([]byte(`{"name": "odoo.exceptions.RedirectWarning", "message": "m", "arguments": ["m", {"id": 9007199254740993}], "extra": 1}`), 500)
	if err != nil || e.Status != 500 || e.Class() != "RedirectWarning" || e.Error() != "odoo.exceptions.RedirectWarning: m" ||
		!reflect.DeepEqual(e.Arguments, []any{"m", map[string]any{"id": json.Number("9007199254740993")}}) {
		t.Errorf("%+v %v", e, err)
	}
	for name, status := range map[string]int{
		"odoo.exceptions.AccessError": 403, "odoo.exceptions.MissingError": 404, "odoo.exceptions.UserError": 422,
		"odoo.exceptions.LockError": 409, "builtins.ValueError": 500,
	} {
		if e, err := DecodeError([]byte(`{"name": "`+name+`"}`), 0); err != nil || e.Status != status {
			t.Errorf("%s: %+v %v", name, e, err)
		}
	}
	for _, text := range []string{``, `{}`, `[]`, `{"name": 5}`, `{"message": "m"}`, `{"name": ""`} {
		if e, err := DecodeError([]byte(text), 500); err == nil {
			t.Errorf("%s: %+v", text, e)
		}
	}
}

func TestXMLCallsAreUnderstood(t *testing.T) {
	params := []any{"corpus", int64(7), nil, int64(1) << 40, []int64{1, 2}, map[string]any{"a": []any{1.5, false, "<&>"}}, json.RawMessage(`{"x": null}`)}
	text, err := AppendXMLCall(nil, "execute_kw", params...)
	if err != nil {
		t.Fatal(err)
	}
	call, err := DecodeXMLCall(text)
	want := []any{
		"corpus", json.Number("7"), nil, json.Number("1099511627776"),
		[]any{json.Number("1"), json.Number("2")},
		map[string]any{"a": []any{json.Number("1.5"), false, "<&>"}},
		map[string]any{"x": nil},
	}
	if err != nil || call.Method != "execute_kw" || !reflect.DeepEqual(call.Params, want) {
		t.Errorf("%+v %v in %s", call, err, text)
	}
	if _, err := AppendXMLCall(nil, "x", func() {}); err == nil {
		t.Error("a function was written")
	}
}

func TestDecodeXMLResponse(t *testing.T) {
	for _, v := range []any{true, "a <b>", json.Number("5"), []any{}, map[string]any{"a": []any{json.Number("1.5")}}} {
		text, err := AppendXMLResponse(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		if got, told, err := DecodeXMLResponse(text); err != nil || told != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%s: %#v %v %v", text, got, told, err)
		}
	}
	const head, tail = "<methodResponse>", "</methodResponse>"
	for name, text := range map[string]string{
		"nothing": "", "a call": "<methodCall><methodName>x</methodName></methodCall>", "empty": head + tail,
		"no parameter": head + "<params></params>" + tail, "two": head + "<params><param><value>a</value></param><param/></params>" + tail,
		"cut off": head + "<params><param><value>a", "a fault that is none": head + "<fault><value>a</value></fault>" + tail,
		"a fault of bool": head + "<fault><value><struct><member><name>faultCode</name><value><boolean>1</boolean></value></member>" +
			"<member><name>faultString</name><value>a</value></member></struct></value></fault>" + tail,
		"document type": `<!DOCTYPE x>` + head + "<params><param><value>a</value></param></params>" + tail,
		"other element": head + "<other/>" + tail,
	} {
		if v, told, err := DecodeXMLResponse([]byte(text)); err == nil {
			t.Errorf("%s: %v %v", name, v, told)
		}
	}
}

func TestXMLFaultsAreUnderstood(t *testing.T) {
	const trace = "Traceback (most recent call last):\n  File \"a.py\", line 1, in b\n    raise ValueError: x\n"
	for _, test := range []struct {
		code          any
		text          string
		name, message string
	}{
		{2, "No.", "odoo.exceptions.UserError", "No."},
		{2, "Gone.\n(Record: res.partner(1,), User: 2)", "odoo.exceptions.MissingError", "Gone.\n(Record: res.partner(1,), User: 2)"},
		{2, "Record 7 of res.partner does not exist or has been deleted", "odoo.exceptions.MissingError", "Record 7 of res.partner does not exist or has been deleted"},
		{3, "Access Denied", "odoo.exceptions.AccessDenied", "Access Denied"},
		{4, "You may not.", "odoo.exceptions.AccessError", "You may not."},
		{1, trace + "ValueError: bad: value\n", "builtins.ValueError", "bad: value"},
		{1, trace + "psycopg2.errors.SerializationFailure: could not serialize\nDETAIL: x\n", "psycopg2.errors.SerializationFailure", "could not serialize\nDETAIL: x"},
		{1, trace + "KeyError: 'x'\n\nDuring handling of the above exception, another exception occurred:\n\n" + trace + "odoo.exceptions.Other\n", "odoo.exceptions.Other", ""},
		{1, "no idea", "builtins.Exception", ""},
		{1, "", "builtins.Exception", ""},
		{"AccessDenied", "Access Denied", "odoo.exceptions.AccessDenied", "Access Denied"},
		{"warning -- UserError\n\nNo.", "", "odoo.exceptions.UserError", "No."},
		{"warning -- AccessError\n\nYou\n\nmay not.", "", "odoo.exceptions.AccessError", "You\n\nmay not."},
		{"bad value", trace + "ValueError: bad value\n", "builtins.ValueError", "bad value"},
	} {
		_, told, err := DecodeXMLResponse(AppendXMLFault(nil, test.code, test.text))
		if err != nil || told == nil || told.Name != test.name || told.Message != test.message {
			t.Errorf("%v %q: %+v %v", test.code, test.text, told, err)
		}
	}
}

// FuzzDecodeXMLResponse: whatever is taken for an answer can be written as JSON.
func FuzzDecodeXMLResponse(f *testing.F) {
	f.Add(AppendXMLFault(nil, 2, "x"))
	f.Add(AppendXMLFault(nil, "warning -- UserError\n\nx", "y"))
	f.Add(AppendXMLFault(nil, 1, "Traceback\nValueError: x\n"))
	text, _ := AppendXMLResponse(nil, map[string]any{"a": []any{1, "x"}})
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		v, told, err := DecodeXMLResponse(text)
		switch {
		case err != nil:
			return
		case told != nil && told.Name == "":
			t.Fatalf("%q: a fault without a name", text)
		}
		if out, err := AppendJSON2(nil, v); err != nil || !json.Valid(out) {
			t.Fatalf("%q: %s %v", text, out, err)
		}
	})
}

// FuzzDecodeRPCAnswer: a result is JSON and a part of the answer, and nothing
// is both a result and an error.
func FuzzDecodeRPCAnswer(f *testing.F) {
	for _, text := range []string{
		rpcHead + "[1]}", rpcHead + `1, "error": {"code": 100}}`, `{"jsonrpc":"2.0","error":{"code":0,"data":{"name":"a.B","arguments":[1]}}}`,
		`{"jsonrpc":"2.0"}`, rpcHead + "}", `{"name": "a", "message": "b"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if e, err := DecodeError(text, 0); err == nil && (e.Name == "" || e.Status == 0) {
			t.Fatalf("%q: %+v", text, e)
		}
		result, told, err := DecodeRPCAnswer(text)
		if err != nil {
			if errors.Is(err, errNoAnswer) == (told != nil || result != nil) {
				t.Fatalf("%q: %s %v %v", text, result, told, err)
			}
			return
		}
		if (told == nil) != (result != nil) || !json.Valid(text) {
			t.Fatalf("%q: %s %v", text, result, told)
		}
		if told == nil && (!json.Valid(result) || !bytes.Contains(text, result) && string(result) != "null") {
			t.Fatalf("%q: %s", text, result)
		}
		if told != nil && (told.Name == "" || strings.Contains(told.Class(), ".")) {
			t.Fatalf("%q: %+v", text, told)
		}
	})
}
