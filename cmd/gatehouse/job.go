package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"gatehouse/internal/app"
	"gatehouse/internal/config"
	"gatehouse/internal/job"
)

type jobCommand struct {
	List jobList `cmd:"" help:"List the jobs with their last and next run."`
	Run  jobRun  `cmd:"" help:"Run a job in this process, due or not, and print what it did."`
}

type jobList struct{ output }

// Run lists the jobs.
func (c jobList) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		if err := a.Jobs.Register(ctx); err != nil {
			return err
		}
		seen := a.Superuser()
		seen.Context.KeepArchived = false // jobs of other versions
		return listRecordsAs(ctx, a, seen, c.output, job.Model, []string{
			"id", "name", "schedule", "paused", "running", "last_run", "last_duration", "last_result", "last_error", "failures", "next_run", "node", "description",
		})
	})
}

type jobRun struct {
	output
	Name string `arg:"" help:"Name of the job, as job list shows it."`
}

// Run runs a job under the same lease as servers do, so never beside one.
func (c jobRun) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT) // hands the lease back
		defer stop()
		o, err := a.Jobs.Run(ctx, c.Name)
		if err != nil {
			return err
		}
		seconds := o.Duration.Seconds()
		if o.Err == nil {
			return c.line(os.Stdout, map[string]any{"name": c.Name, "result": o.Result, "duration": seconds}, "%s", o.Result)
		}
		failed := fmt.Errorf("the job %s failed: %s", c.Name, message(o.Err))
		if c.JSON {
			if err := printJSON(os.Stdout, map[string]any{"name": c.Name, "error": message(o.Err), "duration": seconds}); err != nil {
				return err
			}
		}
		return failed
	})
}
