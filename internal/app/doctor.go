package app

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"time"

	"gatehouse/internal/business"
	"gatehouse/internal/config"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
)

// CheckState is how a check of the doctor came out.
type CheckState string

// The states of a check. Broken means that the server cannot work properly.
const (
	Fine   CheckState = "ok"
	Warn   CheckState = "warning"
	Broken CheckState = "broken"
)

// Check is one finding of the doctor.
type Check struct {
	Name   string
	State  CheckState
	Detail string
}

// maxClockSkew is how far this machine's clock may be from the database's
// before tokens and limits go wrong.
const maxClockSkew = 5 * time.Second

// Doctor checks configuration, store, clock and what a careful administrator
// would want to know. It changes nothing but what every start brings up to date.
func Doctor(ctx context.Context, cfg *config.Config, log *slog.Logger, version string) []Check {
	checks := []Check{{"version", Fine, fmt.Sprintf("%s, %s on %s/%s", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)}}
	for _, s := range cfg.Settings() {
		checks = append(checks, Check{"config " + s.Name, Fine, fmt.Sprintf("%v (%s)", s.Value, s.Source)})
	}
	a, err := Open(ctx, cfg, log, version)
	if err != nil {
		return append(checks, Check{"store", Broken, err.Error()})
	}
	defer func() { _ = a.Close(ctx) }() // the findings are made
	checks = append(checks, Check{"store", Fine, a.DB.Dialect().Name() + " answers and is up to date"})
	if a.FirstPassword != "" { // this was the first start, which nobody else will tell of
		checks = append(checks, Check{"administrator", Fine, fmt.Sprintf("login admin, password %s (shown this once)", a.FirstPassword)})
	}
	return append(checks, a.checkClock(ctx), a.checkModels(ctx), a.checkDemo(ctx), a.checkOdoo(ctx), a.checkPolling(ctx))
}

func (a *App) checkClock(ctx context.Context) Check {
	var there time.Time
	err := a.DB.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, "select "+q.Dialect().Now(), nil, func(r sqldb.Row) error {
			there = r.Time(0)
			return nil
		})
	})
	if err != nil {
		return Check{"clock", Broken, err.Error()}
	}
	skew := time.Since(there).Abs().Truncate(time.Millisecond)
	if skew > maxClockSkew {
		return Check{"clock", Warn, fmt.Sprintf("differs from the database's by %s: synchronise both", skew)}
	}
	return Check{"clock", Fine, fmt.Sprintf("differs from the database's by %s", skew)}
}

func (a *App) checkModels(ctx context.Context) Check {
	reg, err := a.Engine.Registry(ctx)
	if err != nil {
		return Check{"models", Broken, err.Error()}
	}
	for _, name := range reg.Names() {
		for _, rule := range reg.Rules[name] {
			if rule.Err != nil {
				return Check{"models", Warn, fmt.Sprintf("record rule %d (%s) of %s cannot be applied, what it guards is closed: %v", rule.ID, rule.Name, name, rule.Err)}
			}
		}
	}
	return Check{"models", Fine, fmt.Sprintf("%d models", len(reg.Names()))}
}

func (a *App) checkDemo(ctx context.Context) Check {
	if a.inFront() {
		return Check{"demo users", Fine, "none here; the Odoo has users of its own"}
	}
	var logins []string
	err := a.Engine.Sudo(ctx, func(e *record.Env) (err error) {
		logins, err = business.DemoUsers(e)
		return err
	})
	switch {
	case err != nil:
		return Check{"demo users", Broken, err.Error()}
	case len(logins) > 0:
		return Check{"demo users", Warn, strings.Join(logins, ", ") + " have their login as password: archive them before others reach this server"}
	}
	return Check{"demo users", Fine, "none"}
}
