package app

import (
	"context"
	"fmt"
	"time"

	"gatehouse/internal/gateway"
	"gatehouse/internal/job"
	"gatehouse/internal/traffic"
	"gatehouse/internal/webhook"
)

// changeDays is how long the log of changes is kept: who keeps copies of records
// and does not ask for longer reads all of them again.
const changeDays = 30

// jobs is all maintenance. Add a job here; the rest follows.
func (a *App) jobs() []job.Job {
	jobs := a.maintenance()
	if a.Poller != nil && a.Config.Odoo.Poll > 0 {
		jobs = append(jobs, job.Job{
			Name: gateway.PollJob, Schedule: job.Every(a.Config.Odoo.Poll),
			Description: "Asks the Odoo for changes of the records that webhooks watch",
			Run:         a.Poller.Run,
		})
	}
	return jobs
}

func (a *App) maintenance() []job.Job {
	return []job.Job{
		{
			Name: "token_vacuum", Schedule: job.Daily(2, 10),
			Description: "Deletes the records of tokens that expired more than 7 days ago",
			Run:         deletes("tokens and used assertions", a.Identity.VacuumTokens),
		},
		{
			Name: "throttle_vacuum", Schedule: job.Every(time.Hour),
			Description: "Deletes windows of rate limits that began more than 2 days ago",
			Run:         deletes("windows", a.Limiter.Vacuum),
		},
		{
			Name: "block_vacuum", Schedule: job.Daily(2, 20),
			Description: "Deletes blocks of addresses that ended more than 90 days ago",
			Run:         deletes("blocks", a.Blocks.Vacuum),
		},
		{
			Name: "idempotency_vacuum", Schedule: job.Every(time.Hour),
			Description: "Deletes answers kept for an Idempotency-Key more than 24 hours ago",
			Run:         deletes("answers", a.Answers.Vacuum),
		},
		{
			Name: "change_vacuum", Schedule: job.Daily(2, 50),
			Description: "Deletes what the log of changes holds of more than 30 days ago",
			Run: deletes("entries", func(ctx context.Context) (int64, error) {
				return a.Engine.ForgetChanges(ctx, time.Now().AddDate(0, 0, -changeDays))
			}),
		},
		{
			Name: "webhook_sweep", Schedule: job.Every(time.Minute),
			Description: "Takes over the webhook events of nodes that are gone, and looks for what is due",
			Run: func(ctx context.Context) (string, error) {
				return "swept", a.Webhooks.RunOnce(ctx)
			},
		},
		{
			Name: "webhook_vacuum", Schedule: job.Daily(2, 40),
			Description: "Deletes webhook events that ended longer ago than webhook_job_retention_days",
			Run: deletes("webhook events", func(ctx context.Context) (int64, error) {
				return webhook.Vacuum(ctx, a.DB, time.Now().AddDate(0, 0, -a.Settings.Current().WebhookJobRetentionDays))
			}),
		},
		{
			Name: "log_vacuum", Schedule: job.Daily(2, 50),
			Description: "Deletes the days of the traffic log that are older than log_retention_days",
			Run: deletes("entries", func(ctx context.Context) (int64, error) {
				return traffic.LogVacuum(ctx, a.DB, a.Settings.Current().LogRetentionDays, time.Now())
			}),
		},
		{
			Name: "rollup", Schedule: job.Every(time.Hour),
			Description: "Keeps the figures of the dashboard small: minutes for 2 days, hours for 62 days, the busiest addresses; prepares the log's next days",
			Run: deletes("rows", func(ctx context.Context) (int64, error) {
				return traffic.RollupVacuum(ctx, a.DB, time.Now())
			}),
		},
		{
			Name: "audit_vacuum", Schedule: job.Daily(2, 30),
			Description: "Deletes entries of the audit trail that are older than audit_retention_days",
			Run: deletes("entries", func(ctx context.Context) (int64, error) {
				return gateway.VacuumAudit(ctx, a.DB, a.Settings.Current().AuditRetentionDays, time.Now())
			}),
		},
	}
}

// deletes makes a job of what deletes things and gives their number.
func deletes(things string, vacuum func(context.Context) (int64, error)) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		n, err := vacuum(ctx)
		return fmt.Sprintf("%d %s deleted", n, things), err
	}
}
