package webhook

import (
	"context"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
)

// again is what makes a job that has ended, or waits, due at once with a full
// set of attempts. Its id and its bytes stay the same.
const again = `update gateway_webhook_job set state = 'pending', attempts = 0, next_at = null, done_at = null, waits = null `

// Resend sends a job again. One that is being sent is refused.
func Resend(ctx context.Context, tx sqldb.Tx, id int64) error {
	n, err := tx.Exec(ctx, again+`where id = $1 and state <> 'processing'`, id)
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.New(fault.Conflict, "The job is being sent at this moment")
	}
	return tx.Signal(ctx, JobsChannel)
}

// ResendFailed sends all failed and dead jobs of a webhook again that were made
// in a span of time, and gives their number. Zero times are no bounds.
func ResendFailed(ctx context.Context, tx sqldb.Tx, webhook int64, from, to time.Time) (int64, error) {
	sql, args := again+`where webhook_id = $1 and state in ('failed', 'dead')`, []any{webhook}
	if !from.IsZero() {
		args = append(args, from.UTC())
		sql += ` and created_at >= $2`
	}
	if !to.IsZero() {
		args = append(args, to.UTC())
		sql += map[int]string{2: ` and created_at < $2`, 3: ` and created_at < $3`}[len(args)]
	}
	n, err := tx.Exec(ctx, sql, args...)
	if err != nil {
		return 0, err
	}
	return n, tx.Signal(ctx, JobsChannel)
}

// SendTest makes a job that shows an endpoint what a call looks like. It is
// tried once, also while the webhook is switched off.
func SendTest(ctx context.Context, tx sqldb.Tx, webhook int64, model string, at time.Time) (job int64, err error) {
	stmt := newJob(&record.Event{Subscription: webhook, Model: model, Action: testAction, Record: []byte(`{"id":0}`)}, at)
	err = tx.Query(ctx, stmt.SQL+` returning id`, stmt.Args, func(r sqldb.Row) error {
		job = r.Int(0)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return job, tx.Signal(ctx, JobsChannel)
}

// Vacuum deletes, in batches, jobs that ended before a moment, with their
// attempts, and gives their number.
func Vacuum(ctx context.Context, db sqldb.DB, before time.Time) (int64, error) {
	const atOnce = 1000
	var total int64
	for {
		var n int64
		err := db.Write(ctx, func(tx sqldb.Tx) (err error) {
			n, err = tx.Exec(ctx, `delete from gateway_webhook_job where id in (select id from gateway_webhook_job
				where done_at < $1 and state in ('done', 'dead') order by done_at limit $2)`, before.UTC(), atOnce)
			return err
		})
		total += n
		if err != nil || n < atOnce {
			return total, fault.Wrap(err, "delete old webhook jobs")
		}
	}
}
