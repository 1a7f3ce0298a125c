package odooapi

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
	"gatehouse/internal/odoocall"
)

// link is a many2one in Odoo's shape: [id, name], or false.
type link struct {
	id   int64
	name string
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *link) UnmarshalJSON(text []byte) error {
	if string(text) == "false" {
		return nil
	}
	return json.Unmarshal(text, &[]any{&l.id, &l.name})
}

func (l link) orFalse() any {
	if l.id == 0 {
		return false
	}
	return l.id
}

// sessionInfo is what Odoo's clients want to know at the start of a session: of
// its many members those that mean something without Odoo's web client. db is
// the name that the client has for the one database.
func (a *API) sessionInfo(ctx context.Context, who *identity.Principal, account backend.Account, db string) (any, error) {
	id := who.Person().ID
	sudo := &backend.Caller{UserID: who.UserID, Account: account}
	sudo.Superuser = !a.takes(sudo, "res.users") // there it is told what he may know
	r, err := a.release(ctx)
	if err != nil {
		return nil, err
	}
	var users []struct {
		Name      string  `json:"name"`
		Login     string  `json:"login"`
		Share     bool    `json:"share"`
		Partner   link    `json:"partner_id"`
		Company   link    `json:"company_id"`
		Companies []int64 `json:"company_ids"`
	}
	fields := []any{"name", "login", "partner_id", "company_id"}
	read := func(fields []any) error {
		return a.records(ctx, sudo, "res.users", "read", map[string]any{"ids": []any{id}, "fields": fields}, &users)
	}
	err = read(append(slices.Clip(fields), "share", "company_ids"))
	if fault.Is(err, fault.Forbidden) { // older Odoos hide these from portal users
		err = read(fields)
	}
	if err != nil {
		return nil, err
	}
	if len(users) != 1 {
		return nil, fault.New(fault.Unauthenticated, "The user of this session does not exist")
	}
	user := users[0]
	var profile map[string]any
	if err := a.records(ctx, sudo, "res.users", "context_get", nil, &profile); err != nil {
		return nil, err
	}
	companies, err := a.companies(ctx, sudo, user.Companies)
	if err != nil && !fault.Is(err, fault.Forbidden) {
		return nil, err
	}
	currencies, err := a.currencies(ctx, sudo)
	if err != nil && !fault.Is(err, fault.Forbidden) {
		return nil, err
	}
	return map[string]any{
		"uid": id, "db": cmp.Or(db, database), "username": user.Login, "name": user.Name,
		"is_system": who.Administrator, "is_admin": who.Administrator, "is_public": false, "is_internal_user": !user.Share,
		"user_context": profile, "bundle_params": map[string]any{"lang": profile["lang"]},
		"server_version": r.text, "server_version_info": r.info,
		"partner_id": user.Partner.orFalse(), "partner_display_name": user.Partner.name,
		"user_companies": map[string]any{
			"current_company": user.Company.orFalse(), "allowed_companies": companies,
			"disallowed_ancestor_companies": map[string]any{},
		},
		"currencies": currencies, "groups": map[string]any{}, "home_action_id": false,
		"active_ids_limit": 20000, "test_mode": false,
	}, nil
}

func (a *API) companies(ctx context.Context, sudo *backend.Caller, ids []int64) (map[string]any, error) {
	var companies []struct {
		ID       int64   `json:"id"`
		Name     string  `json:"name"`
		Sequence int64   `json:"sequence"`
		Parent   link    `json:"parent_id"`
		Children []int64 `json:"child_ids"`
		Currency link    `json:"currency_id"`
	}
	given := make([]any, len(ids))
	for i, id := range ids {
		given[i] = id
	}
	err := a.records(ctx, sudo, "res.company", "read", map[string]any{
		"ids": given, "fields": []any{"name", "sequence", "parent_id", "child_ids", "currency_id"},
	}, &companies)
	all := map[string]any{}
	for _, c := range companies {
		c.Children = slices.DeleteFunc(c.Children, func(id int64) bool { return !slices.Contains(ids, id) })
		all[strconv.FormatInt(c.ID, 10)] = map[string]any{
			"id": c.ID, "name": c.Name, "sequence": c.Sequence, "parent_id": c.Parent.orFalse(),
			"child_ids": c.Children, "currency_id": c.Currency.orFalse(),
		}
	}
	return all, err
}

func (a *API) currencies(ctx context.Context, sudo *backend.Caller) (map[string]any, error) {
	var currencies []struct {
		ID       int64  `json:"id"`
		Name     string `json:"name"`
		Symbol   string `json:"symbol"`
		Position string `json:"position"`
		Places   int64  `json:"decimal_places"`
	}
	err := a.records(ctx, sudo, "res.currency", "search_read", map[string]any{
		"domain": []any{}, "fields": []any{"name", "symbol", "position", "decimal_places"},
	}, &currencies)
	all := map[string]any{}
	for _, c := range currencies {
		all[strconv.FormatInt(c.ID, 10)] = map[string]any{
			"name": c.Name, "symbol": c.Symbol, "position": c.Position, "digits": []int64{69, c.Places},
		}
	}
	return all, err
}

// records runs a method that answers records and reads them into a list.
func (a *API) records(ctx context.Context, caller *backend.Caller, model, method string, kwargs map[string]any, into any) error {
	var result any
	var err error
	if a.takes(caller, model) {
		ids, rest := idsOf(kwargs)
		result, err = a.pass(ctx, caller, &NativeCall{Model: model, Method: method, IDs: ids, Kwargs: rest})
	} else {
		result, err = odoocall.Call(ctx, a.Backend, caller, model, method, kwargs)
	}
	if err != nil {
		return err
	}
	text, err := json.Marshal(result)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	return fault.Wrap(err, "read records for a session")
}
