package app

import (
	"context"

	"gatehouse/internal/backend"
	"gatehouse/internal/identity"
)

// OpenAPI gives the API document: of strangers, or of the user with a login, with
// all that he may do. server is where callers reach the API.
func (a *App) OpenAPI(ctx context.Context, login, server string, old bool) ([]byte, error) {
	api, err := a.api()
	if err != nil {
		return nil, err
	}
	var who *identity.Principal
	var caller *backend.Caller
	if login != "" {
		user, err := identity.NewUsers(a.DB).ByLogin(ctx, login)
		if err != nil {
			return nil, err
		}
		who = &identity.Principal{UserID: user.ID, Login: user.Login, Scopes: identity.AllScopes(), Administrator: user.Administrator}
		caller = &backend.Caller{UserID: user.ID, Admin: user.Administrator}
	}
	file, err := api.OpenAPI(ctx, who, caller, server, old)
	if err != nil {
		return nil, err
	}
	return file.Body, nil
}
