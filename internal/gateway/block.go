package gateway

import (
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/throttle"
)

const blockModel = "gateway.block"

// blockLogic lets administrators block addresses by hand and end blocks. A
// block that has ended stays listed as history.
func blockLogic() record.Logic {
	changed := func(e *record.Env) error { return e.Tx().Signal(e.Ctx(), throttle.BlocksChannel) }
	return record.Logic{
		Model:       blockModel,
		Prepare:     prepareBlock,
		BeforeWrite: changeBlock,
		AfterCreate: func(e *record.Env, _ []record.Rec) error { return changed(e) },
		AfterWrite:  func(e *record.Env, _ []record.Rec, _ record.Values) error { return changed(e) },
		AfterUnlink: func(e *record.Env, _ []int64) error { return changed(e) },
		BeforeCopy: func(*record.Env, record.Rec, record.Values) error {
			return fault.New(fault.Unprocessable, "Blocks cannot be copied; create a new one")
		},
		Methods: map[string]record.Method{
			"unblock": {Doc: "End the block; the address begins anew", Do: func(e *record.Env, recs []record.Rec, _ record.Values) (any, error) {
				for _, r := range recs {
					if err := unblock(e, r); err != nil {
						return nil, err
					}
				}
				return true, nil
			}},
		},
	}
}

// byHand are the fields of a block that an administrator gives.
func byHand(field string) bool {
	return field == "address" || field == "reason" || field == "until" || field == "note"
}

// prepareBlock makes a block of what an administrator gives.
func prepareBlock(e *record.Env, values record.Values) error {
	for name := range values {
		if !byHand(name) && (name != "active" || values[name] != true) { // its default
			return wrong(name, "Gatehouse itself keeps this field")
		}
	}
	text, _ := values["address"].(string)
	if text == "" {
		return wrong("address", "Missing required field: address")
	}
	network, err := throttle.ParseNetwork(text)
	if err != nil {
		return wrong("address", fault.From(err).Message)
	}
	address := throttle.NetworkText(network)
	values["address"] = address
	if err := inFuture(e, values); err != nil {
		return err
	}
	already, err := throttle.ActiveBlock(e.Ctx(), e.Tx(), address, e.Now())
	if err != nil {
		return err
	}
	if already != 0 {
		why := address + " is blocked already"
		return fault.New(fault.Conflict, why).With(map[string]any{"address": why, "block": already})
	}
	if reason, _ := values["reason"].(string); reason == "" {
		values["reason"] = "Blocked by hand"
	}
	values["blocked_at"], values["by"], values["active"] = e.Now(), who(e), true
	return nil
}

// changeBlock lets the end and the words of a running block be changed.
func changeBlock(e *record.Env, recs []record.Rec, values record.Values) error {
	if e.Sudo() == e { // unblock
		return nil
	}
	for name := range values {
		if name == "address" {
			return wrong(name, "The address of a block cannot be changed; end it and create a new one")
		}
		if !byHand(name) {
			return wrong(name, "Gatehouse itself keeps this field; the method unblock ends a block")
		}
	}
	if _, given := values["until"]; given {
		for _, r := range recs {
			if !r.Bool("active") {
				return fault.New(fault.Unprocessable, "The block has ended; create a new one")
			}
		}
	}
	return inFuture(e, values)
}

func inFuture(e *record.Env, values record.Values) error {
	if at, _ := values["until"].(string); at != "" && at <= e.Now().Format(time.DateTime) {
		return wrong("until", "The end of the block is in the past")
	}
	return nil
}

// unblock ends a block, and lets the address begin anew. Again changes nothing.
func unblock(e *record.Env, r record.Rec) error {
	if !r.Bool("active") {
		return nil
	}
	if err := throttle.ForgetViolations(e.Ctx(), e.Tx(), r.Text("address")); err != nil {
		return err
	}
	return e.Sudo().Write([]record.Rec{r}, record.Values{"active": false, "unblocked_at": e.Now(), "unblocked_by": who(e)})
}

// who is the login of the caller, for records that outlive him.
func who(e *record.Env) string {
	if login := e.Caller().Origin.Login; login != "" {
		return login
	}
	return e.Sudo().One("res.users", e.UserID()).Text("login")
}
