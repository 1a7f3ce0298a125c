package odoowire

import (
	"bytes"
	"encoding/json"
	"errors"

	"gatehouse/internal/httpapi/wire"
)

// Bodies that are no call of JSON-RPC, in the words in which Odoo answers them.
var (
	ErrNotJSON    = errors.New("Invalid JSON data")     //nolint:staticcheck // as it goes out
	ErrNotJSONRPC = errors.New("Invalid JSON-RPC data") //nolint:staticcheck // as it goes out
)

// RPCCall is a call of JSON-RPC 2.0 as Odoo understands it: parameters by name,
// and no batches.
type RPCCall struct {
	ID     json.RawMessage // as it was sent; nil for none
	Params map[string]any
}

// DecodeRPCCall reads a call. Errors are ErrNotJSON and ErrNotJSONRPC.
func DecodeRPCCall(text []byte) (*RPCCall, error) {
	v, err := wire.Decode(text)
	if err != nil {
		return nil, ErrNotJSON
	}
	body, ok := v.(map[string]any)
	if !ok {
		return nil, ErrNotJSONRPC
	}
	call := &RPCCall{Params: map[string]any{}}
	if id, given := body["id"]; given {
		if call.ID, err = json.Marshal(id); err != nil {
			return nil, ErrNotJSONRPC
		}
	}
	params, given := body["params"]
	if object, ok := params.(map[string]any); ok {
		call.Params = object
	} else if given && params != nil {
		return nil, ErrNotJSONRPC
	}
	return call, nil
}

// AppendRPCResult writes an answer. Nothing has no member result.
func AppendRPCResult(dst []byte, id json.RawMessage, result any) ([]byte, error) {
	dst = appendRPCHead(dst, id)
	text, err := marshal(result)
	if err != nil {
		return nil, err
	}
	if string(text) != "null" {
		dst = append(append(dst, `, "result": `...), text...)
	}
	return append(dst, '}'), nil
}

// AppendRPCError writes an error. Those of code 404 and 100 happen to Odoo
// before it knows the id of the call.
func AppendRPCError(dst []byte, id json.RawMessage, e *Error) ([]byte, error) {
	code, message := 0, "Odoo Server Error"
	switch e.Name {
	case sessionExpired:
		code, message, id = 100, "Odoo Session Expired", nil
	case notFoundName:
		code, message, id = 404, "404: Not Found", nil
	}
	text, err := marshal(map[string]any{"code": code, "message": message, "data": e})
	if err != nil {
		return nil, err
	}
	return append(append(append(appendRPCHead(dst, id), `, "error": `...), text...), '}'), nil
}

func appendRPCHead(dst []byte, id json.RawMessage) []byte {
	if id == nil {
		id = json.RawMessage("null")
	}
	return append(append(dst, `{"jsonrpc": "2.0", "id": `...), id...)
}

// marshal is json.Marshal that leaves < and > as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// AppendJSON2 writes the bare answer of JSON-2: a value or an Error.
func AppendJSON2(dst []byte, v any) ([]byte, error) {
	text, err := marshal(v)
	return append(dst, text...), err
}
