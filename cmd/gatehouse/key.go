package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/app"
	"gatehouse/internal/config"
	"gatehouse/internal/identity"
)

type keyCommand struct {
	Create keyCreate `cmd:"" help:"Create a key and print it: it is shown this once."`
	List   keyList   `cmd:"" help:"List the keys."`
	Revoke keyRevoke `cmd:"" help:"Revoke a key for good."`
}

type keyCreate struct {
	output
	User       string `required:"" help:"Login of the user the key acts as."`
	Name       string `required:"" help:"What the key is for."`
	Scopes     string `required:"" help:"Scopes, separated by commas, e.g. read,write or products_read or res.partner:read."`
	PerMinute  int64  `help:"Requests per minute; 0 is no limit of its own."`
	PerHour    int64  `help:"Requests per hour; 0 is no limit of its own."`
	PerDay     int64  `help:"Requests per day; 0 is no limit of its own."`
	AllowedIPs string `name:"allowed-ips" help:"Addresses or CIDR ranges, separated by commas; empty: all."`
	Expires    string `help:"Time to live, e.g. 12h, 30d, 1y; empty: never."`
	odooFlags
}

// Run creates the key.
func (c keyCreate) Run(cfg *config.Config) error {
	ttl, err := parseDuration("--expires", c.Expires)
	if err != nil {
		return err
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
		spec := identity.KeySpec{
			UserID: user, Name: c.Name, Scopes: c.Scopes, AllowedIPs: strings.ReplaceAll(c.AllowedIPs, ",", "\n"),
			Limits: identity.Limits{Minute: c.PerMinute, Hour: c.PerHour, Day: c.PerDay},
		}
		if ttl > 0 {
			spec.ExpiresAt = time.Now().UTC().Add(ttl)
		}
		key, id, err := a.CreateKeyAs(ctx, spec, as)
		if err != nil {
			return err
		}
		return c.line(os.Stdout, map[string]any{"id": id, "name": c.Name, "key": key}, "%s", key)
	})
}

// parseDuration reads 12h, 30d or 1y from a flag; nothing is 0.
func parseDuration(flag, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	units := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour, 'y': 365 * 24 * time.Hour}
	unit, ok := units[text[len(text)-1]]
	n, err := strconv.ParseInt(text[:len(text)-1], 10, 64)
	const longest = 100 * 365 * 24 * time.Hour
	if !ok || err != nil || n <= 0 || n > int64(longest/unit) {
		return 0, config.Usagef("%s=%s: write a number and m, h, d, w or y, such as 30d", flag, text)
	}
	return time.Duration(n) * unit, nil
}

type keyList struct{ output }

// Run lists the keys, without anything secret.
func (c keyList) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		return listRecords(ctx, a, c.output, "gateway.key", []string{
			"id", "name", "prefix", "user_id", "scopes", "limit_minute", "limit_hour", "limit_day", "allowed_ips", "expires_at", "active",
			"last_used_at", "last_used_ip", "use_count",
		})
	})
}

type keyRevoke struct {
	output
	ID int64 `arg:"" help:"Id of the key, as key list shows it."`
}

// Run revokes the key.
func (c keyRevoke) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		if err := a.RevokeKey(ctx, c.ID); err != nil {
			return err
		}
		return c.line(os.Stdout, map[string]any{"id": c.ID, "revoked": true}, "key %d is revoked", c.ID)
	})
}
