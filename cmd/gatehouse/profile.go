package main

import (
	"context"
	"os"
	"strings"

	"gatehouse/internal/app"
	"gatehouse/internal/backend"
	"gatehouse/internal/config"
)

// profileModel is what all credentials of a user inherit.
const profileModel = "gateway.profile"

type profileCommand struct {
	Create profileCreate `cmd:"" help:"Give a user an API profile: limits, allowed addresses and log level of all his credentials."`
	List   profileList   `cmd:"" help:"List the API profiles."`
	Set    profileSet    `cmd:"" help:"Change an API profile; what is not named stays."`
	Delete profileDelete `cmd:"" help:"Delete an API profile."`
}

// profileValues are what a profile gives. Nil was not named.
type profileValues struct {
	PerMinute  *int64  `help:"Requests per minute; 0 is no limit."`
	PerHour    *int64  `help:"Requests per hour; 0 is no limit."`
	PerDay     *int64  `help:"Requests per day; 0 is no limit."`
	AllowedIPs *string `name:"allowed-ips" help:"Addresses or CIDR ranges, separated by commas; empty: all."`
	LogLevel   *string `name:"traffic-log-level" help:"How much of the user's traffic is logged: errors, metadata or full; empty: the global setting."`
	Active     *bool   `negatable:"" help:"Whether the profile counts."`
}

// values are the fields that were named.
func (p *profileValues) values() backend.Values {
	values := backend.Values{}
	for name, n := range map[string]*int64{"limit_minute": p.PerMinute, "limit_hour": p.PerHour, "limit_day": p.PerDay} {
		if n != nil {
			values[name] = *n
		}
	}
	if p.AllowedIPs != nil {
		values["allowed_ips"] = strings.ReplaceAll(*p.AllowedIPs, ",", "\n")
	}
	if p.LogLevel != nil {
		values["log_level"] = nil
		if *p.LogLevel != "" {
			values["log_level"] = *p.LogLevel
		}
	}
	if p.Active != nil {
		values["active"] = *p.Active
	}
	return values
}

type profileCreate struct {
	output
	User string `required:"" help:"Login of the user."`
	Name string `help:"What it is called; the login if empty."`
	profileValues
}

// Run creates the profile.
func (c profileCreate) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		user, err := a.UserID(ctx, c.User)
		if err != nil {
			return err
		}
		values := c.values()
		values["user_id"], values["name"] = user, c.Name
		if c.Name == "" {
			values["name"] = c.User
		}
		created, err := a.Engine.Create(ctx, a.Superuser(), profileModel, []backend.Values{values})
		if err != nil {
			return err
		}
		id := created.IDs[0]
		return c.line(os.Stdout, map[string]any{"id": id, "name": values["name"], "user_id": user}, "API profile %d is created", id)
	})
}

type profileList struct{ output }

// Run lists the profiles.
func (c profileList) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		return listRecords(ctx, a, c.output, profileModel, []string{
			"id", "name", "user_id", "limit_minute", "limit_hour", "limit_day", "allowed_ips", "log_level", "active",
		})
	})
}

type profileSet struct {
	output
	ID   int64   `arg:"" help:"Id of the profile, as profile list shows it."`
	Name *string `help:"What it is called."`
	profileValues
}

// Run changes the profile.
func (c profileSet) Run(cfg *config.Config) error {
	values := c.values()
	if c.Name != nil {
		values["name"] = *c.Name
	}
	if len(values) == 0 {
		return config.Usagef("nothing to change: name a flag, such as --per-minute=60")
	}
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		if err := a.Engine.Write(ctx, a.Superuser(), profileModel, []int64{c.ID}, values); err != nil {
			return err
		}
		return c.line(os.Stdout, map[string]any{"id": c.ID, "changed": true}, "API profile %d is changed", c.ID)
	})
}

type profileDelete struct {
	output
	ID int64 `arg:"" help:"Id of the profile, as profile list shows it."`
}

// Run deletes the profile.
func (c profileDelete) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		if err := a.Engine.Unlink(ctx, a.Superuser(), profileModel, []int64{c.ID}); err != nil {
			return err
		}
		return c.line(os.Stdout, map[string]any{"id": c.ID, "deleted": true}, "API profile %d is deleted", c.ID)
	})
}
