package odooapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoocall"
	"gatehouse/internal/odoowire"
)

// Upstream is a real Odoo, to which calls go through as they come.
type Upstream interface {
	// Takes says that calls of a model by this caller go there.
	Takes(c *backend.Caller, model string) bool
	// CallOdoo calls a method as the caller's own user. The ids of JSON-2 are
	// apart; by position come all arguments of the older protocols. Errors have
	// the Odoo's own, an *odoowire.Error, for a cause.
	CallOdoo(ctx context.Context, c *backend.Caller, call *NativeCall) (json.RawMessage, error)
	// OdooVersion is its version as it tells it: 17.0, saas~18.2.
	OdooVersion(ctx context.Context) (string, error)
}

// NativeCall is a call as an Odoo understands it.
type NativeCall struct {
	Model, Method string
	IDs           []int64 // nil: none are given by name
	Args          []any
	Kwargs        map[string]any
	Reads         bool // changes nothing
}

// pass calls a method of the real Odoo.
func (a *API) pass(ctx context.Context, caller *backend.Caller, call *NativeCall) (any, error) {
	call.Reads = odoocall.Reads(call.Method) || call.Method == "context_get"
	raw, err := a.Upstream.CallOdoo(ctx, caller, call)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(raw)) // not as text: XML-RPC writes it in its own way
	dec.UseNumber()
	var result any
	err = dec.Decode(&result)
	return result, err
}

// takes says that a call goes to a real Odoo.
func (a *API) takes(caller *backend.Caller, model string) bool {
	return a.Upstream != nil && a.Upstream.Takes(caller, model)
}

// idsOf takes the ids of JSON-2 out of its arguments.
func idsOf(kwargs map[string]any) ([]int64, map[string]any) {
	list, ok := kwargs["ids"].([]any)
	if !ok {
		return nil, kwargs
	}
	ids := make([]int64, 0, len(list))
	for _, v := range list {
		id, isID := v.(int64)
		if n, isNumber := v.(json.Number); isNumber {
			var err error
			id, err = n.Int64()
			isID = err == nil
		}
		if !isID {
			return nil, kwargs // the Odoo says what it thinks of them
		}
		ids = append(ids, id)
	}
	rest := make(map[string]any, len(kwargs))
	for name, v := range kwargs {
		if name != "ids" {
			rest[name] = v
		}
	}
	return ids, rest
}

// ofOdoo is the error that a real Odoo gave, without its traceback; nil where
// it gave none, or none that tells what is wrong.
func ofOdoo(f *fault.Error, status int) *odoowire.Error {
	e, ok := errors.AsType[*odoowire.Error](f.Cause)
	switch f.Kind {
	case fault.BadGateway, fault.GatewayTimeout, fault.Unavailable:
		ok = false
	}
	if !ok {
		return nil
	}
	own := *e
	lines := strings.Split(strings.TrimSpace(own.Debug), "\n")
	own.Debug = lines[len(lines)-1] + "\n"
	if own.Status == 0 {
		own.Status = status
	}
	return &own
}

// release is the version of the Odoo that clients are told they speak to.
type release struct {
	text string
	info []any
}

// release finds it out.
func (a *API) release(ctx context.Context) (release, error) {
	if a.Upstream == nil {
		return release{version, []any{19, 0, 0, "final", 0, ""}}, nil
	}
	text, err := a.Upstream.OdooVersion(ctx)
	if err != nil {
		return release{}, err
	}
	series, _, _ := strings.Cut(text, "+") // 17.0+e is the Enterprise edition
	major, minor, _ := strings.Cut(series, ".")
	minor, _, _ = strings.Cut(minor, "-")
	n, _ := strconv.Atoi(minor)
	var first any = major
	if m, err := strconv.Atoi(major); err == nil {
		first = m
	}
	return release{text, []any{first, n, 0, "final", 0, ""}}, nil
}

// about is the answer of common.version.
func (r release) about() any {
	series, _, _ := strings.Cut(r.text, "+")
	return struct {
		Version  string `json:"server_version"`
		Info     []any  `json:"server_version_info"`
		Series   string `json:"server_serie"`
		Protocol int    `json:"protocol_version"`
	}{r.text, r.info, series, 1}
}
