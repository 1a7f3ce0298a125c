// Package gateway gives Gatehouse's own models their behaviour: API keys and
// OAuth2 clients that show their secret once, tokens that can be revoked,
// profiles that are checked. The tables belong to the packages that read them.
package gateway

import (
	"net/netip"
	"strconv"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
	"gatehouse/internal/record"
	"gatehouse/internal/throttle"
)

// Keys leads to the identity service, which is built after the engine.
type Keys struct {
	Service *identity.Service
	// NeverBlock are the addresses that no block takes effect on.
	NeverBlock []netip.Prefix
	// Odoo is the Odoo in front of which Gatehouse stands; nil: none.
	Odoo Odoo
	// Polled are the models whose changes are found there; nil: none.
	Polled Polled
}

// Logics is the behaviour of Gatehouse's own models.
func Logics(k *Keys) []record.Logic {
	return []record.Logic{
		keyLogic(k), userKeyLogic(), clientLogic(k), profileLogic(), tokenLogic(k), throttleLogic(), blockLogic(k), auditLogic(), jobLogic(), logLogic(),
	}
}

// keyLogic makes the key itself when a gateway.key is created, and shows it once.
func keyLogic(k *Keys) record.Logic {
	return record.Logic{
		Model: "gateway.key",
		Ahead: k.proveOdooKey,
		Prepare: func(e *record.Env, values record.Values) error {
			if err := k.odooKey(e, "gateway.key", nil, values); err != nil {
				return err
			}
			if err := checkKey(values, k.Service.Resources(), e.Now()); err != nil {
				return err
			}
			if err := ownHash(values); err != nil {
				return err
			}
			if id, _ := values["user_id"].(int64); id != 0 && !e.One("res.users", id).Bool("active") {
				return wrong("user_id", "The user "+strconv.FormatInt(id, 10)+" does not exist or is archived")
			}
			// AfterCreate draws the key that will be shown; until then the row has
			// the hash of one that nobody ever sees.
			key, hash := identity.NewKey()
			values["key_hash"], values["prefix"] = hash, identity.KeyPrefix(key)
			return nil
		},
		AfterCreate: func(e *record.Env, recs []record.Rec) error {
			for _, r := range recs {
				key, hash := identity.NewKey()
				err := e.Sudo().Write([]record.Rec{r}, record.Values{"key_hash": hash, "prefix": identity.KeyPrefix(key)})
				if err != nil {
					return err
				}
				e.Once(r, "key", key)
			}
			if err := k.settleOdooKeys(e, "gateway.key", "gateway_key", recs); err != nil {
				return err
			}
			return e.Tx().Signal(e.Ctx(), identity.KeysChanged)
		},
		BeforeWrite: func(e *record.Env, recs []record.Rec, values record.Values) error {
			for _, r := range recs {
				if r.Has("revoked_at") {
					return fault.New(fault.Unprocessable, "A revoked key stays revoked; create a new one")
				}
			}
			if e.Sudo() != e { // AfterCreate is the one that sets it
				if err := ownHash(values); err != nil {
					return err
				}
			}
			if err := k.odooKey(e, "gateway.key", recs, values); err != nil {
				return err
			}
			return checkKey(values, k.Service.Resources(), time.Time{})
		},
		AfterWrite: func(e *record.Env, _ []record.Rec, _ record.Values) error {
			return e.Tx().Signal(e.Ctx(), identity.KeysChanged)
		},
		AfterUnlink: func(e *record.Env, _ []int64) error {
			return e.Tx().Signal(e.Ctx(), identity.KeysChanged)
		},
		Methods: map[string]record.Method{
			"revoke": {Doc: "Revoke the key for good", Do: func(e *record.Env, recs []record.Rec, _ record.Values) (any, error) {
				for _, r := range recs {
					if r.Has("revoked_at") {
						continue // again: nothing changes
					}
					if err := e.Write([]record.Rec{r}, record.Values{"active": false, "revoked_at": e.Now()}); err != nil {
						return nil, err
					}
				}
				return true, nil
			}},
		},
	}
}

// ownHash keeps the hash of a key from being given: whoever chose it would
// have a key that was never shown, or make one of a hash found elsewhere.
func ownHash(values record.Values) error {
	if _, given := values["key_hash"]; given {
		return wrong("key_hash", "The key is made by Gatehouse itself")
	}
	for _, name := range []string{"prefix", "last_used_at", "last_used_ip", "use_count"} {
		if _, given := values[name]; given {
			return wrong(name, "Gatehouse itself keeps this field")
		}
	}
	return nil
}

// checkKey looks at the values of a key that a caller gives.
func checkKey(values record.Values, resources []string, now time.Time) error {
	if scopes, given := values["scopes"]; given {
		text, _ := scopes.(string)
		if err := identity.CheckScopes(text, resources); err != nil {
			return wrong("scopes", fault.From(err).Message)
		}
	}
	if at, _ := values["expires_at"].(string); at != "" && !now.IsZero() && at <= now.Format(time.DateTime) {
		return wrong("expires_at", "The expiry is in the past")
	}
	return checkLimits(values)
}

func checkLimits(values record.Values) error {
	for _, name := range []string{"limit_minute", "limit_hour", "limit_day"} {
		if n, _ := values[name].(int64); n < 0 {
			return wrong(name, "A limit must be 0 (none) or more")
		}
	}
	if text, _ := values["allowed_ips"].(string); text != "" {
		if err := identity.CheckAllowedIPs(text); err != nil {
			return wrong("allowed_ips", fault.From(err).Message)
		}
	}
	return nil
}

func wrong(field, why string) error {
	return fault.New(fault.BadRequest, why).With(fault.FieldErrors{field: why})
}

// profileLogic checks profiles; what they give their users is cached with the
// users.
func profileLogic() record.Logic {
	changed := func(e *record.Env) error { return e.Tx().Signal(e.Ctx(), identity.UsersChanged) }
	return record.Logic{
		Model:   "gateway.profile",
		Prepare: func(_ *record.Env, values record.Values) error { return checkLimits(values) },
		BeforeWrite: func(_ *record.Env, _ []record.Rec, values record.Values) error {
			return checkLimits(values)
		},
		AfterCreate: func(e *record.Env, _ []record.Rec) error { return changed(e) },
		AfterWrite:  func(e *record.Env, _ []record.Rec, _ record.Values) error { return changed(e) },
		AfterUnlink: func(e *record.Env, _ []int64) error { return changed(e) },
	}
}

// tokenLogic lets tokens be revoked, and nothing else be done to them.
func tokenLogic(k *Keys) record.Logic {
	return record.Logic{
		Model: "gateway.token",
		BeforeWrite: func(*record.Env, []record.Rec, record.Values) error {
			return fault.New(fault.Forbidden, "Tokens cannot be changed; revoke them instead")
		},
		Methods: map[string]record.Method{
			"revoke": {Doc: "Revoke the token and all that came of the same login", Do: func(e *record.Env, recs []record.Rec, _ record.Values) (any, error) {
				for _, r := range recs {
					if err := k.Service.RevokeTokenTx(e.Ctx(), e.Tx(), r.ID()); err != nil {
						return nil, err
					}
				}
				return true, nil
			}},
		},
	}
}

// throttleLogic keeps the counters of the limiter from being changed by hand;
// deleting one starts its window anew.
func throttleLogic() record.Logic {
	return record.Logic{
		Model: "gateway.throttle",
		BeforeWrite: func(*record.Env, []record.Rec, record.Values) error {
			return fault.New(fault.Forbidden, "Counters cannot be changed")
		},
		AfterUnlink: func(e *record.Env, _ []int64) error { return e.Tx().Signal(e.Ctx(), throttle.Channel) },
	}
}
