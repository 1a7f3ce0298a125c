package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"gatehouse/internal/app"
	"gatehouse/internal/backend"
	"gatehouse/internal/config"
	"gatehouse/internal/fault"
)

type clientCommand struct {
	Create clientCreate `cmd:"" help:"Create an OAuth2 client and print its id and secret, which is shown this once."`
	List   clientList   `cmd:"" help:"List the clients."`
	Rotate clientRotate `cmd:"" help:"Give a client a new secret and print it; tokens that were issued stay valid."`
	Revoke clientRevoke `cmd:"" help:"Deactivate a client; its tokens are refused from now on."`
}

type clientCreate struct {
	output
	User       string `required:"" help:"Login of the user the client runs as."`
	Name       string `required:"" help:"What the client is."`
	Scopes     string `required:"" help:"Scopes it may ask for, separated by commas, e.g. read,write or products_read or res.partner:read."`
	PerMinute  int64  `help:"Requests per minute; 0 is the user's profile."`
	PerHour    int64  `help:"Requests per hour; 0 is the user's profile."`
	PerDay     int64  `help:"Requests per day; 0 is the user's profile."`
	AllowedIPs string `name:"allowed-ips" help:"Addresses or CIDR ranges, separated by commas; empty: the user's profile."`
	Lifetime   int64  `name:"token-lifetime" default:"3600" help:"How long its tokens hold, in seconds; at most 604800."`
	PublicKey  string `name:"public-key" placeholder:"FILE" help:"File with the client's public key (PEM or JWK), for private_key_jwt."`
	odooFlags
}

// Run creates the client.
func (c clientCreate) Run(cfg *config.Config) error {
	values := backend.Values{
		"name": c.Name, "scopes": c.Scopes, "allowed_ips": strings.ReplaceAll(c.AllowedIPs, ",", "\n"),
		"limit_minute": c.PerMinute, "limit_hour": c.PerHour, "limit_day": c.PerDay, "token_lifetime": c.Lifetime,
	}
	if c.PublicKey != "" {
		text, err := os.ReadFile(c.PublicKey)
		if err != nil {
			return config.Usagef("--public-key: %v", err)
		}
		values["public_key"] = string(text)
	}
	as, err := c.read()
	if err != nil {
		return err
	}
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		user, err := a.UserID(ctx, c.User)
		if err != nil {
			return err
		}
		values["user_id"] = user
		made, err := a.CreateClient(ctx, values, as)
		if err != nil {
			return err
		}
		return printClient(c.output, made.IDs[0], made.Once[0]["client_id"], made.Once[0]["secret"])
	})
}

// clientSecret is what a program needs to get tokens.
type clientSecret struct {
	ID     int64  `json:"id,omitempty"`
	Client string `json:"client_id"`
	Secret string `json:"client_secret"`
}

// printClient prints id and secret in a line of JSON for scripts; with --json
// indented, and the id of the record too.
func printClient(out output, id int64, client, secret string) error {
	if out.JSON {
		return printJSON(os.Stdout, clientSecret{id, client, secret})
	}
	return json.NewEncoder(os.Stdout).Encode(clientSecret{0, client, secret})
}

type clientList struct{ output }

// Run lists the clients, without anything secret.
func (c clientList) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		return listRecords(ctx, a, c.output, "gateway.client", []string{
			"id", "name", "client_id", "user_id", "scopes", "limit_minute", "limit_hour", "limit_day", "allowed_ips", "token_lifetime", "active",
		})
	})
}

type clientRotate struct {
	output
	Client string `arg:"" help:"The client_id, as client list shows it."`
}

// Run rotates the secret.
func (c clientRotate) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		id, err := findClient(ctx, a, c.Client)
		if err != nil {
			return err
		}
		answer, err := a.Engine.Call(ctx, a.Superuser(), "gateway.client", "rotate_secret", []int64{id}, nil)
		if err != nil {
			return err
		}
		made, _ := answer.(map[string]any)
		return printClient(c.output, id, fmt.Sprint(made["client_id"]), fmt.Sprint(made["secret"]))
	})
}

type clientRevoke struct {
	output
	Client string `arg:"" help:"The client_id, as client list shows it."`
}

// Run deactivates the client.
func (c clientRevoke) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		id, err := findClient(ctx, a, c.Client)
		if err == nil {
			err = a.Engine.Write(ctx, a.Superuser(), "gateway.client", []int64{id}, backend.Values{"active": false})
		}
		if err != nil {
			return err
		}
		return c.line(os.Stdout, map[string]any{"client_id": c.Client, "active": false}, "client %s is deactivated", c.Client)
	})
}

// findClient gives the record of a client_id; the id of the record does too.
func findClient(ctx context.Context, a *app.App, name string) (int64, error) {
	page := &backend.Page{}
	query := &backend.Query{Model: "gateway.client", Fields: []string{"client_id"}, Order: "id"}
	if _, err := a.Engine.Search(ctx, a.Superuser(), query, page); err != nil {
		return 0, err
	}
	for i, id := range page.IDs() {
		if page.Get(i, "client_id").Text == name || fmt.Sprint(id) == name {
			return id, nil
		}
	}
	return 0, fault.Newf(fault.NotFound, "There is no client %s; see gatehouse client list", name)
}
