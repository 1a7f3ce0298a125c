package odoowire

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
)

// AppendRPCCall writes a call of JSON-RPC 2.0. Its id is always 1: over HTTP an
// answer is that of its request.
func AppendRPCCall(dst []byte, params any) ([]byte, error) {
	text, err := marshal(params)
	if err != nil {
		return nil, err
	}
	dst = append(dst, `{"jsonrpc": "2.0", "method": "call", "params": `...)
	return append(append(dst, text...), `, "id": 1}`...), nil
}

// rpcHead is how Odoo begins the answer to such a call that went well.
const rpcHead = `{"jsonrpc": "2.0", "id": 1, "result": `

var errNoAnswer = errors.New("not an answer of JSON-RPC")

// DecodeRPCAnswer reads an answer of JSON-RPC: the result as it came, "null"
// where there is none, or the error that it tells. Codes 100 and 404 come out
// as SessionExpired and NotFound, whatever is told beside. err is for what is
// no answer. The result is a part of text.
func DecodeRPCAnswer(text []byte) (result json.RawMessage, told *Error, err error) {
	text = bytes.TrimSpace(text)
	if inner, ok := bytes.CutPrefix(text, []byte(rpcHead)); ok && bytes.HasSuffix(inner, []byte("}")) {
		// The usual case, read once instead of twice: what is in between is one value.
		if inner = bytes.TrimSpace(inner[:len(inner)-1]); json.Valid(inner) {
			return inner, nil, nil
		}
	}
	var answer struct {
		Version string          `json:"jsonrpc"`
		Result  json.RawMessage `json:"result"`
		Error   *struct {
			Code    int             `json:"code"`
			Message string          `json:"message"`
			Data    json.RawMessage `json:"data"`
		} `json:"error"`
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.Version == "" {
		return nil, nil, errors.Join(errNoAnswer, err)
	}
	if answer.Error == nil {
		if answer.Result == nil {
			answer.Result = json.RawMessage("null")
		}
		return answer.Result, nil, nil
	}
	told, err = DecodeError(answer.Error.Data, 0)
	if err != nil {
		told = exception("builtins.Exception", http.StatusInternalServerError, answer.Error.Message)
	}
	switch {
	case answer.Error.Code == 100 && told.Name != sessionExpired:
		told.Name = sessionExpired
	case answer.Error.Code == http.StatusNotFound && told.Name != notFoundName:
		told.Name = notFoundName
	}
	return nil, told, nil
}

// IsSessionExpired says that a web session is no more.
func (e *Error) IsSessionExpired() bool { return e.Name == sessionExpired }

// DecodeError reads an error as JSON-2 answers it, and JSON-RPC as its data.
// status is the HTTP status that it came with, 0 to take the one of its class.
func DecodeError(text []byte, status int) (*Error, error) {
	e := &Error{}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(e); err != nil {
		return nil, err
	}
	if e.Name == "" {
		return nil, errors.New("an error without a name")
	}
	if e.Status = status; status == 0 {
		e.Status = statusOf(e.Class())
	}
	return e, nil
}
