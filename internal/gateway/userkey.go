package gateway

import (
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
)

// userKeys is the model of the API keys of users, Odoo's own.
const userKeys = "res.users.apikeys"

// maxUserKeys is how many keys one call makes: each costs a hash, inside the
// transaction.
const maxUserKeys = 20

// userKeyLogic makes the key itself when a record of it is created, and shows
// it once. Everybody makes and deletes his own keys, as in Odoo; access rights
// and record rules see to that.
func userKeyLogic() record.Logic {
	changed := func(e *record.Env) error { return e.Tx().Signal(e.Ctx(), identity.KeysChanged) }
	return record.Logic{
		Model: userKeys,
		Defaults: map[string]func(*record.Env) (any, error){
			"user_id": func(e *record.Env) (any, error) { return e.UserID(), nil },
		},
		Prepare: prepareUserKey,
		AfterCreate: func(e *record.Env, recs []record.Rec) error {
			if len(recs) > maxUserKeys {
				return fault.Newf(fault.BadRequest, "No more than %d API keys are made at once", maxUserKeys)
			}
			for _, r := range recs {
				key, stored, err := identity.NewUserKey()
				if err != nil {
					return err
				}
				err = e.Sudo().Write([]record.Rec{r}, record.Values{"index": stored.Index, "key": stored.Hash})
				if err != nil {
					return err
				}
				e.Once(r, "key", key)
			}
			return nil // the write has announced them
		},
		BeforeWrite: func(e *record.Env, _ []record.Rec, values record.Values) error {
			if e.Sudo() == e { // AfterCreate
				return nil
			}
			for name := range values {
				if name != "name" && name != "expiration_date" {
					return wrong(name, "Only name and expiration_date of an API key can be changed; create a new one")
				}
			}
			if at, given := values["expiration_date"]; given {
				return checkExpiration(e, at)
			}
			return nil
		},
		AfterWrite:  func(e *record.Env, _ []record.Rec, _ record.Values) error { return changed(e) },
		AfterUnlink: func(e *record.Env, _ []int64) error { return changed(e) },
		BeforeCopy: func(*record.Env, record.Rec, record.Values) error {
			return fault.New(fault.Unprocessable, "API keys cannot be copied; create a new one")
		},
	}
}

// prepareUserKey checks a new key and works out until when it holds.
func prepareUserKey(e *record.Env, values record.Values) error {
	for _, name := range []string{"index", "key"} {
		if _, given := values[name]; given {
			return wrong(name, "The key is made by Gatehouse itself")
		}
	}
	if name, _ := values["name"].(string); strings.TrimSpace(name) == "" {
		return wrong("name", "Missing required field: name")
	}
	if scope, _ := values["scope"].(string); scope != "" && scope != "rpc" {
		return wrong("scope", "The scope of an API key must be rpc or empty: no other is good for the API")
	}
	id, _ := values["user_id"].(int64)
	if user := e.Sudo().One("res.users", id); user.IsZero() || !user.Bool("active") {
		return wrong("user_id", "User "+strconv.FormatInt(id, 10)+" does not exist or is archived")
	}
	if err := setExpiration(e, values); err != nil {
		return err
	}
	return checkExpiration(e, values["expiration_date"])
}

// setExpiration makes a date of the duration; without either it is Odoo's first
// choice, a day.
func setExpiration(e *record.Env, values record.Values) error {
	duration, _ := values["duration"].(string)
	at, _ := values["expiration_date"].(string)
	switch {
	case duration == "" && at != "":
		values["duration"] = "-1"
		return nil
	case duration == "":
		duration = "1"
		values["duration"] = duration
	case duration == "-1" && at == "":
		return wrong("expiration_date", "Missing required field: expiration_date, which the duration -1 (custom date) needs")
	case duration == "-1":
		return nil
	case at != "":
		return wrong("expiration_date", "Give a duration or an expiration_date, not both")
	}
	days, err := strconv.Atoi(duration)
	if err != nil {
		return wrong("duration", "A duration is a number of days")
	}
	values["expiration_date"] = nil
	if days > 0 {
		values["expiration_date"] = e.Now().AddDate(0, 0, days).Format(schema.DatetimeLayout)
	}
	return nil
}

// checkExpiration holds people to the longest time that their groups give
// them; administrators may do as they like, but not in the past.
func checkExpiration(e *record.Env, value any) error {
	at, _ := value.(string)
	now := e.Now()
	if at != "" && at <= now.Format(schema.DatetimeLayout) {
		return wrong("expiration_date", "The expiration date is in the past")
	}
	if e.Caller().Admin || e.Caller().Superuser {
		return nil
	}
	if at == "" {
		return wrong("duration", "The API key must have an expiration date: only administrators make persistent keys")
	}
	days, err := longestDuration(e)
	if err != nil {
		return err
	}
	if at > now.Add(time.Duration(days*24*float64(time.Hour))).Format(schema.DatetimeLayout) {
		return wrong("duration", "You cannot exceed "+strconv.FormatFloat(days, 'g', 6, 64)+" days")
	}
	return nil
}

// longestDuration is the most days that one of the caller's groups gives his
// keys; a day where none says anything.
func longestDuration(e *record.Env) (days float64, err error) {
	for _, group := range e.Sudo().One("res.users", e.UserID()).Refs("all_group_ids") {
		days = max(days, group.Float("api_key_duration"))
	}
	if days <= 0 {
		days = 1
	}
	return min(days, 36500), e.Err()
}
