package app

import (
	"context"
	"fmt"
	"time"

	"gatehouse/internal/gateway"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/traffic"
)

// far says which webhooks hear of records that are not in the store; nil: none.
func (a *App) far() func(model string) bool {
	if a.Config.Odoo.URL == "" {
		return nil
	}
	return func(model string) bool { return !gateway.OwnModel(model) }
}

// pollMetrics are the figures of looking for changes in an Odoo, of this node.
func (a *App) pollMetrics() []traffic.Metric {
	if a.Poller == nil {
		return nil
	}
	f := a.Poller.Figures()
	list := []traffic.Metric{
		{Name: "gatehouse_odoo_poll_rounds_total", Kind: "counter", Help: "Looks for changes in the Odoo, by this process.", Value: float64(f.Rounds)},
		{Name: "gatehouse_odoo_poll_failures_total", Kind: "counter", Help: "Looks that failed as a whole.", Value: float64(f.Failures)},
		{Name: "gatehouse_odoo_poll_calls_total", Kind: "counter", Help: "Calls of the Odoo to look for changes.", Value: float64(f.TotalCalls)},
		{Name: "gatehouse_odoo_poll_records_total", Kind: "counter", Help: "Records that the Odoo gave to look at.", Value: float64(f.TotalRecords)},
		{Name: "gatehouse_odoo_poll_events_total", Kind: "counter", Help: "Webhook events that were made of what was found.", Value: float64(f.TotalEvents)},
		{Name: "gatehouse_odoo_poll_seconds", Kind: "gauge", Help: "Time that the last look took.", Value: f.Took.Seconds()},
		{Name: "gatehouse_odoo_poll_models", Kind: "gauge", Help: "Models that were watched at the last look.", Value: float64(f.Models)},
		{Name: "gatehouse_odoo_poll_models_behind", Kind: "gauge", Help: "Of them, those that need further looks to catch up.", Value: float64(f.Behind)},
		{Name: "gatehouse_odoo_poll_models_troubled", Kind: "gauge", Help: "Of them, those that cannot be looked at.", Value: float64(f.Troubled)},
	}
	if !f.At.IsZero() {
		list = append(list, traffic.Metric{
			Name: "gatehouse_odoo_poll_lag_seconds", Kind: "gauge", Help: "Time since the last look that got through, where this process made it.",
			Value: max(time.Since(f.At), 0).Seconds(),
		})
	}
	return list
}

// checkPolling says how looking for changes in the Odoo goes.
func (a *App) checkPolling(ctx context.Context) Check {
	const name = "odoo changes"
	if a.Poller == nil {
		return Check{name, Fine, "none are looked for"}
	}
	if a.Config.Odoo.Poll == 0 {
		return Check{name, Warn, "odoo-poll is 0s: webhooks hear of no record of the Odoo"}
	}
	var result, problem, models string
	var last time.Time
	err := a.DB.Read(ctx, func(q sqldb.Querier) error {
		err := q.Query(ctx, `select last_result, last_error, last_run from gateway_job where name = $1`, []any{gateway.PollJob}, func(r sqldb.Row) error {
			result, problem, last = r.Text(0), r.Text(1), r.Time(2)
			return nil
		})
		if err != nil {
			return err
		}
		return q.Query(ctx, `select model, min(poll_problem) from gateway_webhook where active and poll_problem is not null group by model order by model`,
			nil, func(r sqldb.Row) error {
				models += "; " + r.Text(0) + ": " + r.Text(1)
				return nil
			})
	})
	switch {
	case err != nil:
		return Check{name, Broken, err.Error()}
	case problem != "":
		return Check{name, Broken, "the last look failed: " + problem}
	case models != "":
		return Check{name, Warn, "some webhooks hear nothing" + models}
	case last.IsZero():
		return Check{name, Fine, "not looked for yet"}
	}
	return Check{name, Fine, fmt.Sprintf("looked for %s ago: %s", time.Since(last).Truncate(time.Second), result)}
}
