package gateway

import (
	"fmt"

	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
	"gatehouse/internal/jwk"
	"gatehouse/internal/record"
)

// clientLogic makes id and secret when a gateway.client is created, and shows
// the secret once.
func clientLogic(k *Keys) record.Logic {
	changed := func(e *record.Env) error { return e.Tx().Signal(e.Ctx(), identity.ClientsChanged) }
	return record.Logic{
		Model: "gateway.client",
		Ahead: k.proveOdooKey,
		Prepare: func(e *record.Env, values record.Values) error {
			if err := k.odooKey(e, "gateway.client", nil, values); err != nil {
				return err
			}
			if err := checkClient(values, k.Service.Resources()); err != nil {
				return err
			}
			if err := ownClientID(values); err != nil {
				return err
			}
			// As for keys: AfterCreate draws the secret that will be shown.
			_, hash := identity.NewClientSecret()
			values["client_id"], values["secret_hash"] = identity.NewClientID(), hash
			return nil
		},
		AfterCreate: func(e *record.Env, recs []record.Rec) error {
			for _, r := range recs {
				secret, err := drawSecret(e, r)
				if err != nil {
					return err
				}
				e.Once(r, "client_id", r.Text("client_id"))
				e.Once(r, "secret", secret)
			}
			if err := k.settleOdooKeys(e, "gateway.client", "gateway_client", recs); err != nil {
				return err
			}
			return changed(e)
		},
		BeforeWrite: func(e *record.Env, recs []record.Rec, values record.Values) error {
			if err := k.odooKey(e, "gateway.client", recs, values); err != nil {
				return err
			}
			if e.Sudo() != e { // drawSecret is the one that sets it
				if err := ownClientID(values); err != nil {
					return err
				}
			}
			return checkClient(values, k.Service.Resources())
		},
		AfterWrite:  func(e *record.Env, _ []record.Rec, _ record.Values) error { return changed(e) },
		AfterUnlink: func(e *record.Env, _ []int64) error { return changed(e) },
		Methods: map[string]record.Method{
			"rotate_secret": {Doc: "Give the client a new secret, shown this once; tokens that were issued stay valid", Do: rotateSecret},
		},
	}
}

// drawSecret gives a client a new secret.
func drawSecret(e *record.Env, r record.Rec) (string, error) {
	secret, hash := identity.NewClientSecret()
	return secret, e.Sudo().Write([]record.Rec{r}, record.Values{"secret_hash": hash})
}

func rotateSecret(e *record.Env, recs []record.Rec, _ record.Values) (any, error) {
	if len(recs) != 1 {
		return nil, fault.New(fault.BadRequest, "Rotate the secret of one client at a time")
	}
	secret, err := drawSecret(e, recs[0])
	if err != nil {
		return nil, err
	}
	return map[string]any{"id": recs[0].ID(), "client_id": recs[0].Text("client_id"), "secret": secret}, nil
}

// ownClientID keeps id and secret from being chosen by a caller.
func ownClientID(values record.Values) error {
	for _, name := range []string{"client_id", "secret_hash"} {
		if _, given := values[name]; given {
			return wrong(name, "Id and secret of a client are made by Gatehouse itself")
		}
	}
	return nil
}

// checkClient looks at the values of a client that a caller gives.
func checkClient(values record.Values, resources []string) error {
	if scopes, given := values["scopes"]; given {
		text, _ := scopes.(string)
		if err := identity.CheckScopes(text, resources); err != nil {
			return wrong("scopes", fault.From(err).Message)
		}
	}
	if life, given := values["token_lifetime"]; given {
		if n, _ := life.(int64); n < 1 || n > identity.MaxTokenLifetime {
			return wrong("token_lifetime", fmt.Sprintf("The lifetime of tokens must be from 1 to %d seconds", identity.MaxTokenLifetime))
		}
	}
	if text, _ := values["public_key"].(string); text != "" {
		if _, err := jwk.Parse(text); err != nil {
			return wrong("public_key", "The public key cannot be taken: "+err.Error())
		}
	}
	return checkLimits(values)
}
