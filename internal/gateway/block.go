package gateway

import (
	"net/netip"
	"slices"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/throttle"
)

// byCommandLine is who did what nobody did over the API.
const byCommandLine = "command line"

// maxNote is the longest note that an unblocking may leave.
const maxNote = 2000

// blockLogic lets administrators block addresses and end blocks.
func blockLogic(k *Keys) record.Logic {
	changed := func(e *record.Env) error { return e.Tx().Signal(e.Ctx(), throttle.BlocksChannel) }
	return record.Logic{
		Model: "gateway.block",
		Prepare: func(e *record.Env, values record.Values) error {
			if err := checkUntil(values, e.Now()); err != nil {
				return err
			}
			values["violations"], values["blocked_at"], values["by"] = int64(0), e.Now().Format(time.DateTime), actor(e)
			values["active"], values["unblocked_at"], values["unblocked_by"] = true, nil, nil
			return prepareAddress(e, values, k.NeverBlock)
		},
		AfterCreate: func(e *record.Env, _ []record.Rec) error { return changed(e) },
		BeforeWrite: func(e *record.Env, recs []record.Rec, values record.Values) error {
			if e.Sudo() == e {
				return nil // the methods below
			}
			for name := range values {
				if !slices.Contains([]string{"reason", "note", "until"}, name) {
					return fault.Newf(fault.Forbidden, "Only reason, note and until of a block can be changed, not %s; "+
						"the method unblock ends it", name)
				}
			}
			_, given := values["until"]
			for _, r := range recs {
				if given && (!r.Bool("active") || r.Has("until") && !r.Time("until").After(e.Now())) {
					return fault.New(fault.Unprocessable, "A block that has ended stays so; create a new one")
				}
			}
			return checkUntil(values, e.Now())
		},
		AfterWrite: func(e *record.Env, _ []record.Rec, _ record.Values) error { return changed(e) },
		BeforeUnlink: func(_ *record.Env, recs []record.Rec) error {
			for _, r := range recs {
				if r.Bool("active") {
					return fault.Newf(fault.Unprocessable, "The block of %s is in effect: unblock it first", r.Text("address"))
				}
			}
			return nil
		},
		Methods: map[string]record.Method{
			"unblock": {Doc: "End the block; the argument note says why", Do: unblock},
		},
	}
}

// prepareAddress brings the address into its one form, and refuses those whose
// block would do nothing.
func prepareAddress(e *record.Env, values record.Values, never []netip.Prefix) error {
	text, _ := values["address"].(string)
	if text == "" {
		return nil // the engine says that it is missing
	}
	network, err := throttle.ParseNetwork(text)
	if err != nil {
		return wrong("address", fault.From(err).Message)
	}
	for _, n := range never {
		if n.Bits() <= network.Bits() && n.Contains(network.Addr()) {
			return wrong("address", throttle.NetworkText(network)+" is never blocked: it is in "+n.String()+
				" of --never-block or --trusted-proxies")
		}
	}
	address := throttle.NetworkText(network)
	already, err := throttle.ActiveBlock(e.Ctx(), e.Tx(), address, e.Now())
	if err != nil {
		return err
	}
	if already != 0 {
		return fault.Newf(fault.Unprocessable, "%s is blocked already, by block %d", address, already).
			With(fault.FieldErrors{"address": "is blocked already"})
	}
	values["address"] = address
	return nil
}

// checkUntil refuses a block that would end before it begins.
func checkUntil(values record.Values, now time.Time) error {
	if at, _ := values["until"].(string); at != "" && at <= now.Format(time.DateTime) {
		return wrong("until", "The end of the block is in the past")
	}
	return nil
}

// unblock ends blocks; the address begins anew.
func unblock(e *record.Env, recs []record.Rec, args record.Values) (any, error) {
	note, isText := args["note"].(string)
	if args["note"] != nil && !isText || len(note) > maxNote {
		return nil, wrong("note", "The note must be a text of at most 2000 bytes")
	}
	for _, r := range recs {
		if !r.Bool("active") {
			continue // again: nothing changes
		}
		if err := throttle.ForgetViolations(e.Ctx(), e.Tx(), r.Text("address")); err != nil {
			return nil, err
		}
		values := record.Values{"active": false, "unblocked_at": e.Now().Format(time.DateTime), "unblocked_by": actor(e)}
		if note != "" {
			values["note"] = note
		}
		if err := e.Sudo().Write(e.Sudo().Many(r.Model(), []int64{r.ID()}), values); err != nil {
			return nil, err
		}
	}
	return true, nil
}

// actor is the login of whoever acts.
func actor(e *record.Env) string {
	if e.Caller() == nil || e.Caller().Superuser {
		return byCommandLine
	}
	return e.One("res.users", e.UserID()).Text("login")
}
