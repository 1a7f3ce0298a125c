package webhook

import (
	"context"
	"net/http"
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

// finish keeps what came of a call. stop says that the endpoint is to be left
// alone for now.
func (d *Dispatcher) finish(ep *endpoint, j *job, o *outcome) (stop bool) {
	defer d.forget(j.id)
	// An ending process still keeps what came of its calls.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.send), d.o.Timeout)
	defer cancel()
	v := judge(j.action, j.attempts+1, o, d.o.Backoff)
	err := d.db.Write(ctx, func(tx sqldb.Tx) error {
		stop = false
		if there, err := d.settle(ctx, tx, j, o, v); err != nil || !there {
			return err
		}
		switch {
		case j.action == testAction:
			return nil
		case o.err == "":
			return succeeded(ctx, tx, ep.id, o.at)
		}
		stop = true
		if v.gone {
			return disable(ctx, tx, d.log, ep.id, "The endpoint answered 410: it is gone for good", o.at)
		}
		var err error
		stop, err = d.failed(ctx, tx, ep.id, o)
		return err
	})
	if err != nil { // it is sent again when the lease has run out
		d.log.WarnContext(ctx, "webhooks: the outcome of a call cannot be kept", "job", j.id, "error", err)
		return true
	}
	return stop
}

// settle keeps the attempt and, unless the lease has been lost to another node,
// the new state of the job. there is false when the job was deleted.
func (d *Dispatcher) settle(ctx context.Context, tx sqldb.Tx, j *job, o *outcome, v verdict) (there bool, err error) {
	var next, ended any
	if v.state == Failed {
		next = o.at.Add(o.took + v.pause)
	} else {
		ended = o.at.Add(o.took)
	}
	n, err := tx.Exec(ctx, `update gateway_webhook_job set state = $1, attempts = attempts + 1, next_at = $2, done_at = $3,
		last_status = $4, last_error = $5, lease_by = null, lease_until = null where id = $6 and lease_by = $7 and state = 'processing'`,
		v.state, next, ended, o.status, text(o.err), j.id, d.node)
	if err != nil {
		return false, err
	}
	webhook := int64(0)
	err = tx.Query(ctx, `select webhook_id from gateway_webhook_job where id = $1`, []any{j.id}, func(r sqldb.Row) error {
		webhook = r.Int(0)
		return nil
	})
	if err != nil || webhook == 0 {
		return false, err
	}
	if n == 0 {
		d.log.WarnContext(ctx, "webhooks: another node took a job over while it was sent", "job", j.id)
	}
	_, err = tx.Exec(ctx, `insert into gateway_webhook_attempt (job_id, webhook_id, at, status, duration_ms, error, response)
		values ($1, $2, $3, $4, $5, $6, $7)`, j.id, webhook, o.at, o.status, o.took.Milliseconds(), text(o.err), text(o.response))
	return true, err
}

func text(s string) any {
	if s == "" {
		return nil
	}
	return s
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
func (d *Dispatcher) failed(ctx context.Context, tx sqldb.Tx, id int64, o *outcome) (stop bool, err error) {
	var count int64
	var since, until time.Time
	var before time.Duration
	err = tx.Query(ctx, `update gateway_webhook set failure_count = coalesce(failure_count, 0) + 1,
		failing_since = coalesce(failing_since, $2) where id = $1
		returning failure_count, failing_since, circuit_until, circuit_seconds`, []any{id, o.at}, func(r sqldb.Row) error {
		count, since, until, before = r.Int(0), r.Time(1), r.Time(2), time.Duration(r.Int(3))*time.Second
		return nil
	})
	if err != nil || count == 0 {
		return true, err
	}
	now := o.at.Add(o.took)
	if now.Sub(since) >= disableAfter {
		return true, disable(ctx, tx, d.log, id, "No call has succeeded since "+since.UTC().Format(time.RFC3339)+"; the last error: "+o.err, now)
	}
	if now.Before(until) {
		return true, nil // calls that were under way when it opened
	}
	// An endpoint that says how long to leave it alone is left alone.
	wait := time.Duration(0)
	if count >= failuresToOpen {
		wait = openFor(before)
	}
	if wait = max(wait, min(o.asked, maxOpen)); wait == 0 {
		return false, nil
	}
	_, err = tx.Exec(ctx, `update gateway_webhook set circuit = 'open', circuit_until = $2, circuit_seconds = $3 where id = $1`,
		id, now.Add(wait), int64(wait/time.Second))
	return true, err
}
