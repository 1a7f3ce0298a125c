package main

import (
	"context"
	"os"
	"time"

	"gatehouse/internal/app"
	"gatehouse/internal/backend"
	"gatehouse/internal/config"
)

// userKeyModel is the API keys of users, Odoo's own model.
const userKeyModel = "res.users.apikeys"

type userKeyCommand struct {
	Create userKeyCreate `cmd:"" help:"Create an API key of a user and print it: it is shown this once. It may do all that the user may do."`
	List   userKeyList   `cmd:"" help:"List the API keys of the users."`
	Revoke userKeyRevoke `cmd:"" help:"Delete an API key of a user."`
}

type userKeyCreate struct {
	output
	User    string `required:"" help:"Login of the user whose key it is."`
	Name    string `required:"" help:"What the key is for."`
	Expires string `help:"Time to live, e.g. 12h, 30d, 1y; empty: never."`
}

// Run creates the key.
func (c userKeyCreate) Run(cfg *config.Config) error {
	ttl, err := parseDuration("--expires", c.Expires)
	if err != nil {
		return err
	}
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		user, err := a.UserID(ctx, c.User)
		if err != nil {
			return err
		}
		values := backend.Values{"name": c.Name, "user_id": user, "duration": "0"}
		if ttl > 0 {
			values["duration"], values["expiration_date"] = "-1", time.Now().UTC().Add(ttl).Format(time.DateTime)
		}
		created, err := a.Engine.Create(ctx, a.Superuser(), userKeyModel, []backend.Values{values})
		if err != nil {
			return err
		}
		key := created.Once[0]["key"]
		return c.line(os.Stdout, map[string]any{"id": created.IDs[0], "name": c.Name, "user_id": user, "key": key}, "%s", key)
	})
}

type userKeyList struct{ output }

// Run lists the keys, without anything secret.
func (c userKeyList) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		return listRecords(ctx, a, c.output, userKeyModel, []string{"id", "name", "user_id", "scope", "create_date", "expiration_date"})
	})
}

type userKeyRevoke struct {
	output
	ID int64 `arg:"" help:"Id of the key, as user key list shows it."`
}

// Run deletes the key, as Odoo does: nothing else ends one.
func (c userKeyRevoke) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		if err := a.Engine.Unlink(ctx, a.Superuser(), userKeyModel, []int64{c.ID}); err != nil {
			return err
		}
		return c.line(os.Stdout, map[string]any{"id": c.ID, "revoked": true}, "API key %d of a user is deleted", c.ID)
	})
}
