package business

import (
	"encoding/json"

	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
)

// text is a value as text; "" for anything else.
func text(v any) string {
	s, _ := v.(string)
	return s
}

// leaf is one condition of a domain.
func leaf(path, op string, value any) domain.Node {
	return &domain.Leaf{Path: path, Op: domain.Op(op), Value: value, Pos: -1}
}

// given says whether any of the fields is among the values.
func given(values record.Values, fields ...string) bool {
	for _, f := range fields {
		if _, ok := values[f]; ok {
			return true
		}
	}
	return false
}

// signalUsers tells every node that users, groups or companies changed.
func signalUsers(e *record.Env) error {
	return e.Tx().Signal(e.Ctx(), record.UsersSignal)
}

// markCopy tells a copy from its original, unless the caller gave it a text of
// its own.
func markCopy(original record.Rec, values record.Values, fields ...string) {
	for _, f := range fields {
		name := original.Text(f)
		if v, ok := values[f]; name != "" && (!ok || v == name) {
			values[f] = name + " (copy)"
		}
	}
}

func noSuchUser(login string) error {
	return fault.Newf(fault.NotFound, "There is no user %s", login)
}

func refuse(format string, args ...any) error {
	return fault.Newf(fault.Unprocessable, format, args...)
}

// checkDefaultJSON refuses defaults that nobody could read.
func checkDefaultJSON(e *record.Env, r record.Rec) error {
	if !json.Valid([]byte(r.Text("json_value"))) {
		return refuse("Invalid JSON format in Default Value field.")
	}
	return nil
}
