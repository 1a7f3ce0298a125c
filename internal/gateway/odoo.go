package gateway

import (
	"context"

	"gatehouse/internal/fault"
	"gatehouse/internal/record"
)

// Odoo checks and seals the keys with which gateway keys and clients call an Odoo.
type Odoo interface {
	// Prove gives the id of the user whose login and key these are. BadRequest
	// says what is wrong. Asked twice, it answers from memory.
	Prove(ctx context.Context, login, key string) (uid int64, err error)
	// Seal hides a key for a record; id 0 is for one that is about to be made,
	// for which Settle seals it anew when it has an id.
	Seal(model string, id int64, key string) string
	Settle(model string, id int64, sealed string) (string, error)
}

// proveOdooKey asks the Odoo before the transaction begins, which then need not wait.
func (k *Keys) proveOdooKey(ctx context.Context, values record.Values) error {
	login, _ := values["odoo_login"].(string)
	key, _ := values["odoo_key"].(string)
	if login == "" || key == "" || k.Odoo == nil {
		return nil // odooKey says what is wrong with that
	}
	_, err := k.Odoo.Prove(ctx, login, key)
	return err
}

// odooKey looks at what a caller gives for calls of the Odoo: a login and a key
// of the same user, which is sealed, or neither. recs are the records that are
// changed, nil for a new one.
func (k *Keys) odooKey(e *record.Env, model string, recs []record.Rec, values record.Values) error {
	if v, given := values["odoo_uid"]; given && v != nil {
		return wrong("odoo_uid", "Gatehouse itself keeps this field")
	}
	given, loginGiven := values["odoo_login"]
	_, keyGiven := values["odoo_key"]
	login, _ := given.(string)
	key, _ := values["odoo_key"].(string)
	if keyGiven && !loginGiven && len(recs) == 1 { // another key of the same user
		login = recs[0].Text("odoo_login")
	}
	switch {
	case !loginGiven && !keyGiven:
		return nil
	case key == "" && login == "" && loginGiven: // no longer as one of the Odoo's
		values["odoo_login"], values["odoo_key"], values["odoo_uid"] = nil, nil, nil
		return nil
	case key == "" && unchanged(recs, login, loginGiven): // a form that was sent back
		delete(values, "odoo_key")
		return nil
	case key == "":
		return wrong("odoo_key", "Another odoo_login needs odoo_key, an API key of that user")
	case login == "":
		return wrong("odoo_login", "odoo_key needs odoo_login, the login of the user whose key it is")
	case k.Odoo == nil:
		return wrong("odoo_login", "This server stands in front of no Odoo: set odoo-url first")
	case len(recs) > 1:
		return wrong("odoo_key", "Give odoo_key to one record at a time")
	}
	uid, err := k.Odoo.Prove(e.Ctx(), login, key)
	if err != nil {
		return err
	}
	var id int64
	if len(recs) == 1 {
		id = recs[0].ID()
	}
	values["odoo_key"], values["odoo_uid"] = k.Odoo.Seal(model, id, key), uid
	return nil
}

// unchanged says whether all records have the login that is given, if one is.
func unchanged(recs []record.Rec, login string, given bool) bool {
	for _, r := range recs {
		if given && r.Text("odoo_login") != login {
			return false
		}
	}
	return len(recs) > 0 || !given
}

// settleOdooKeys seals the keys of new records for the ids that they got.
func (k *Keys) settleOdooKeys(e *record.Env, model, table string, recs []record.Rec) error {
	for _, r := range recs {
		sealed := r.Text("odoo_key")
		if sealed == "" {
			continue
		}
		sealed, err := k.Odoo.Settle(model, r.ID(), sealed)
		if err != nil {
			return err
		}
		// By SQL: a write of the record would take it for a key that a caller gives.
		if _, err := e.Tx().Exec(e.Ctx(), "update "+table+" set odoo_key = $1 where id = $2", sealed, r.ID()); err != nil {
			return fault.Wrap(err, "keep a key of the Odoo")
		}
	}
	return nil
}
