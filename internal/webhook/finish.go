package webhook

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/sqldb"
)

// verdict is what becomes of a job after an attempt.
type verdict struct {
	state string
	pause time.Duration // of failed jobs
	gone  bool          // the endpoint wants no more
}

// judge decides what becomes of a job. attempts are those made, this one included.
func judge(action string, attempts int, o *outcome, backoff func(int) time.Duration) verdict {
	switch {
	case o.err == "":
		return verdict{state: Done}
	case o.status == http.StatusGone:
		return verdict{state: Dead, gone: true}
	case action == testAction || attempts >= MaxAttempts:
		return verdict{state: Dead}
	}
	return verdict{state: Failed, pause: pauseFor(backoff, attempts, o.asked)}
}

// settle keeps what came of calls to an endpoint: the attempts, the new states
// of the jobs of which the lease was not lost to another node, and how the
// endpoint is doing.
func (d *Dispatcher) settle(ctx context.Context, tx sqldb.Tx, webhook int64, done []result) error {
	if len(done) == 0 {
		return nil
	}
	rows, err := outcomes(done)
	if err != nil {
		return err
	}
	table := tx.Dialect().JSONRows("$1", sqldb.Int8, sqldb.Text, sqldb.Timestamp, sqldb.Timestamp, sqldb.Int8, sqldb.Text,
		sqldb.Timestamp, sqldb.Int8, sqldb.Text)
	settled := map[int64]bool{}
	// The coalesce keeps planners from joining by way of all that is being sent.
	err = tx.Batch(ctx, []sqldb.Stmt{
		{
			SQL: `update gateway_webhook_job as j set state = x.c2, attempts = j.attempts + 1, next_at = x.c3, done_at = x.c4,
				last_status = x.c5, last_error = x.c6, lease_by = null, lease_until = null
				from ` + table + ` as x where j.id = x.c1 and j.lease_by = $2 and coalesce(j.state, '') = 'processing' returning id`,
			Args: []any{rows, d.node},
			Each: func(r sqldb.Row) error { settled[r.Int(0)] = true; return nil },
		},
		{
			SQL: `insert into gateway_webhook_attempt (job_id, webhook_id, at, status, duration_ms, error, response)
				select x.c1, cast($2 as bigint), x.c7, x.c5, x.c8, x.c6, x.c9 from ` + table + ` as x
				where exists (select 1 from gateway_webhook_job j where j.id = x.c1) on conflict do nothing`,
			Args: []any{rows, webhook},
		},
	})
	if err != nil {
		return err
	}
	var ended []recordKey
	for _, r := range done {
		switch {
		case !settled[r.job.id]:
			d.log.WarnContext(ctx, "webhooks: a job was deleted, or taken over by another node, while it was sent", "job", r.job.id)
		case r.verdict.state != Failed && r.job.action != testAction && !slices.Contains(ended, r.job.record):
			ended = append(ended, r.job.record)
		}
	}
	if len(ended) > 0 {
		if err := unpark(ctx, tx, webhook, ended); err != nil {
			return err
		}
	}
	return d.rate(ctx, tx, webhook, done)
}

// outcomes are the rows of calls as settle's statements read them.
func outcomes(done []result) (string, error) {
	moment := func(t time.Time) any { return t.UTC().Format(sqldb.MomentLayout) }
	rows := make([][]any, len(done))
	for i := range done {
		j, o, v := &done[i].job, &done[i].outcome, &done[i].verdict
		var next, ended any
		if v.state == Failed {
			next = moment(o.at.Add(o.took + v.pause))
		} else {
			ended = moment(o.at.Add(o.took))
		}
		rows[i] = []any{
			j.id, v.state, next, ended, o.status, text(o.err), moment(o.at), o.took.Milliseconds(), text(o.response),
		}
	}
	b, err := json.Marshal(rows)
	return string(b), err
}

// text is NULL for none, and else one that every store takes.
func text(s string) any {
	if s == "" {
		return nil
	}
	return strings.ReplaceAll(s, "\x00", "")
}

// rate keeps how an endpoint is doing: the last success and what failed since.
func (d *Dispatcher) rate(ctx context.Context, tx sqldb.Tx, webhook int64, done []result) error {
	failures := done
	for i := len(done) - 1; i >= 0; i-- {
		if r := &done[i]; r.outcome.err == "" && r.job.action != testAction {
			if err := succeeded(ctx, tx, webhook, r.outcome.at); err != nil {
				return err
			}
			failures = done[i+1:]
			break
		}
	}
	for i := range failures {
		r := &failures[i]
		switch {
		case r.job.action == testAction:
			continue
		case r.verdict.gone:
			return disable(ctx, tx, d.log, webhook, "The endpoint answered 410: it is gone for good", r.outcome.at)
		}
		if err := d.failed(ctx, tx, webhook, &r.outcome); err != nil {
			return err
		}
	}
	return nil
}

// succeeded closes the circuit. In the usual case nothing is written: the time
// of the last success is kept to the minute.
func succeeded(ctx context.Context, tx sqldb.Tx, id int64, at time.Time) error {
	_, err := tx.Exec(ctx, `update gateway_webhook set failure_count = 0, failing_since = null, circuit = 'closed',
		circuit_until = null, circuit_seconds = 0, last_success_at = $2
		where id = $1 and (failure_count > 0 or circuit = 'open' or last_success_at is null or last_success_at < $3)`,
		id, at, at.Add(-time.Minute))
	return err
}

// failed counts a failure of an endpoint, opens its circuit after several in a
// row, and switches the webhook off when it has failed for days.
func (d *Dispatcher) failed(ctx context.Context, tx sqldb.Tx, id int64, o *outcome) error {
	var count int64
	var since, until time.Time
	var before time.Duration
	err := tx.Query(ctx, `update gateway_webhook set failure_count = coalesce(failure_count, 0) + 1,
		failing_since = coalesce(failing_since, $2) where id = $1
		returning failure_count, failing_since, circuit_until, circuit_seconds`, []any{id, o.at}, func(r sqldb.Row) error {
		count, since, until, before = r.Int(0), r.Time(1), r.Time(2), time.Duration(r.Int(3))*time.Second
		return nil
	})
	if err != nil || count == 0 {
		return err
	}
	now := o.at.Add(o.took)
	if now.Sub(since) >= disableAfter {
		return disable(ctx, tx, d.log, id, "No call has succeeded since "+since.UTC().Format(time.RFC3339)+"; the last error: "+o.err, now)
	}
	if now.Before(until) {
		return nil // calls that were under way when it opened
	}
	// An endpoint that says how long to leave it alone is left alone.
	wait := time.Duration(0)
	if count >= failuresToOpen {
		wait = openFor(before)
	}
	if wait = max(wait, min(o.asked, maxOpen)); wait == 0 {
		return nil
	}
	_, err = tx.Exec(ctx, `update gateway_webhook set circuit = 'open', circuit_until = $2, circuit_seconds = $3 where id = $1`,
		id, now.Add(wait), int64(wait/time.Second))
	return err
}
