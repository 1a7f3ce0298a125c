package app

import (
	"context"
	"errors"
	"slices"

	"gatehouse/internal/audit"
	"gatehouse/internal/business"
	"gatehouse/internal/clock"
	"gatehouse/internal/identity"
	"gatehouse/internal/job"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/throttle"
	"gatehouse/internal/traffic"
	"gatehouse/internal/webhook"
)

// models are all declared models: those of business, and Gatehouse's own.
func models() []*schema.Model {
	return slices.Concat(business.Models(), identity.Models(), throttle.Models(), audit.Models(), job.Models(), webhook.Models(), traffic.Models())
}

func hasher(p *identity.Passwords) func(string) (string, error) {
	return func(plain string) (string, error) { return p.Hash(context.Background(), plain) }
}

// randomPasswordLength gives about 119 bits.
const randomPasswordLength = 20

// seed writes the first records, the administrator's password, and demo data
// if asked for: each once in the life of a database, and by one node.
func (a *App) seed(ctx context.Context) error {
	inside := func(fn func(*record.Env) error) func(context.Context, sqldb.Tx) error {
		return func(ctx context.Context, tx sqldb.Tx) error { return a.Engine.SudoTx(ctx, tx, fn) }
	}
	password, random := a.Config.Store.AdminPassword.Reveal(), false
	steps := []sqldb.Step{
		{ID: "records " + business.SeedVersion(), Go: inside(business.Seed)},
		{ID: "admin", Go: func(ctx context.Context, tx sqldb.Tx) error {
			if password == "" {
				password, random = clock.RandomURLSafe(randomPasswordLength), true
			}
			return a.Engine.SudoTx(ctx, tx, func(e *record.Env) error {
				return business.SetPassword(e, "admin", password)
			})
		}},
		{ID: "files", Go: inside(business.MoveFiles)},
	}
	if err := sqldb.Migrate(ctx, a.DB, "seed", steps); err != nil {
		return err
	}
	if random {
		a.FirstPassword = password
	}
	if a.Config.Store.Demo {
		err := a.Engine.Sudo(ctx, business.Demo)
		if errors.Is(err, business.ErrHasData) {
			a.Log.Warn("no demo data was loaded", "reason", err)
		} else if err != nil {
			return err
		}
	}
	if !a.Config.Store.TrafficDemo {
		return nil
	}
	err := inventTraffic(ctx, a.DB)
	if errors.Is(err, traffic.ErrHasTraffic) {
		a.Log.Info("no traffic was invented", "reason", err)
		return nil
	}
	return err
}
