// Package app builds the object graph of a Gatehouse and runs and stops it.
// It is the one place that knows everybody; it decides nothing itself.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gatehouse/internal/business"
	"gatehouse/internal/config"
	"gatehouse/internal/gateway"
	"gatehouse/internal/idempotency"
	"gatehouse/internal/identity"
	"gatehouse/internal/job"
	"gatehouse/internal/odoo"
	"gatehouse/internal/odoopoll"
	"gatehouse/internal/odoorpc"
	"gatehouse/internal/odoouser"
	"gatehouse/internal/record"
	"gatehouse/internal/redact"
	"gatehouse/internal/setting"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/throttle"
	"gatehouse/internal/trace"
	"gatehouse/internal/traffic"
	"gatehouse/internal/webhook"
)

// App is a Gatehouse on its store, ready to serve or to be administered.
type App struct {
	Config   *config.Config
	Log      *slog.Logger
	DB       sqldb.DB
	Engine   *record.Engine
	Identity *identity.Service
	Settings *setting.Store
	Limiter  *throttle.Limiter
	Blocks   *throttle.Blocks
	Answers  *idempotency.Store
	Jobs     *job.Runner // run while it serves
	Outbox   *webhook.Outbox
	Webhooks *webhook.Dispatcher // sends while the app serves
	Traffic  *traffic.Recorder
	tracer   *trace.Tracer // nil: there are no traces
	// Odoo is the way to the Odoo in front of which Gatehouse stands, and
	// OdooUsers are as whom it is taken; nil: there is none.
	Odoo      *odoorpc.Client
	OdooUsers *odoouser.Accounts
	odoo      *odoo.Beside     // answers for records then
	Poller    *odoopoll.Poller // finds changes there; nil: none is looked for
	Version   string

	// FirstPassword is the password of the user admin if this start made it at
	// random; it is shown once.
	FirstPassword string
}

// Open opens the store, brings it up to date, and builds all services on it.
// Close what it gives.
func Open(ctx context.Context, cfg *config.Config, log *slog.Logger, version string) (*App, error) {
	a := &App{Config: cfg, Log: slog.New(redact.NewHandler(trace.LogHandler{Next: log.Handler()})), Version: version}
	if err := a.open(ctx); err != nil {
		return nil, errors.Join(err, a.Close(context.WithoutCancel(ctx)))
	}
	return a, nil
}

func (a *App) open(ctx context.Context) (err error) {
	if a.DB, err = openStore(ctx, a.Config, false); err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	if a.tracer, err = openTracer(a.Config, a.Version, a.Log); err != nil {
		return fmt.Errorf("prepare traces: %w", err)
	}
	passwords := identity.NewPasswords(0)
	keys, guard := &gateway.Keys{NeverBlock: neverBlocked(a.Config)}, webhook.Guard{Allow: a.Config.Webhook.AllowNetworks}
	if err := traffic.Prepare(ctx, a.DB); err != nil {
		return fmt.Errorf("prepare the traffic log: %w", err)
	}
	a.Outbox = webhook.NewOutbox(a.DB, a.Log, a.far())
	a.Engine, err = record.Open(ctx, a.DB, record.Options{
		Models: models(),
		Logics: slices.Concat(business.Logics(business.Options{HashPassword: hasher(passwords)}), gateway.Logics(keys),
			gateway.WebhookLogics(guard, keys)),
		SanitizeHTML: business.HTMLSanitizer(),
		Outbox:       a.Outbox,
	})
	if err != nil {
		return fmt.Errorf("bring the store up to date: %w", err)
	}
	if err := a.seed(ctx); err != nil {
		return fmt.Errorf("write the first records: %w", err)
	}
	if a.Settings, err = setting.Open(ctx, a.DB); err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	if err := a.openOdoo(ctx, keys); err != nil {
		return fmt.Errorf("prepare for the Odoo: %w", err)
	}
	a.Identity, err = identity.New(ctx, a.DB, identity.NewUsers(a.DB), identity.Options{
		Passwords: passwords, Resources: resourceNames(a.Config), Algorithm: a.Config.Server.TokenSigning.Algorithm(),
		Directory: a.directory(),
	})
	if err != nil {
		return fmt.Errorf("prepare identities: %w", err)
	}
	keys.Service = a.Identity
	if a.Answers, err = idempotency.Open(ctx, a.DB, a.Engine.Running); err != nil {
		return fmt.Errorf("prepare kept answers: %w", err)
	}
	a.Limiter = throttle.New(a.DB, throttle.Options{
		Timeout: limitTimeout(a.Config), Log: a.Log,
	})
	if a.Blocks, err = a.openBlocks(ctx); err != nil {
		return fmt.Errorf("read the blocked addresses: %w", err)
	}
	a.Webhooks = webhook.NewDispatcher(a.DB, webhook.Options{Guard: guard, Version: a.Version, Trace: traceWebhooks(a.tracer), Log: a.Log})
	a.Traffic = traffic.New(a.DB, traffic.Options{Settings: a.Settings.Current, House: trafficHouse{}, More: a.moreMetrics, Log: a.Log})
	a.Jobs, err = job.New(a.DB, a.jobs(), job.Options{Log: a.Log})
	return err
}

// limitTimeout bounds the wait for the limiter well below that of a request:
// who is let through without it (see RateLimitOnError) still needs time.
func limitTimeout(cfg *config.Config) time.Duration {
	return min(5*time.Second, cfg.Server.RequestTimeout/4)
}

// openStore opens PostgreSQL where a URL is configured, else the SQLite file
// in the data directory.
func openStore(ctx context.Context, cfg *config.Config, readOnly bool) (sqldb.DB, error) {
	opts := sqldb.Options{MaxConns: cfg.Store.DatabaseMaxConns, ReadOnly: readOnly}
	if url := cfg.Store.DatabaseURL.Reveal(); url != "" {
		return sqldb.OpenPostgres(ctx, url, opts)
	}
	file := filepath.Join(cfg.Store.DataDir, "gatehouse.db")
	if readOnly {
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("there is no store in %s: %w", cfg.Store.DataDir, err)
		}
	} else if err := os.MkdirAll(cfg.Store.DataDir, 0o700); err != nil {
		return nil, err
	}
	opts.MaxConns = 0 // the pool of a file is sized by the processors
	return sqldb.OpenSQLite(ctx, file, opts)
}

// Close stops the services and closes the store; what was counted in memory is
// written first.
func (a *App) Close(ctx context.Context) error {
	var errs []error
	if a.Traffic != nil {
		errs = append(errs, a.Traffic.Close(ctx))
	}
	if a.Webhooks != nil {
		errs = append(errs, a.Webhooks.Stop(ctx))
	}
	a.closeOdoo()
	if a.Identity != nil {
		errs = append(errs, a.Identity.Close(ctx))
	}
	if a.Blocks != nil {
		errs = append(errs, a.Blocks.Close(ctx))
	}
	if a.Limiter != nil {
		a.Limiter.Close()
	}
	if a.Blocks != nil {
		errs = append(errs, a.Blocks.Close(ctx))
	}
	if a.Settings != nil {
		a.Settings.Close()
	}
	if a.Engine != nil {
		a.Engine.Close()
	}
	if a.Outbox != nil {
		a.Outbox.Close()
	}
	if a.tracer != nil { // when all others have told what they did
		a.tracer.Close(ctx)
	}
	if a.DB != nil {
		errs = append(errs, a.DB.Close())
	}
	return errors.Join(errs...)
}
