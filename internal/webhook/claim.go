package webhook

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// endpoint is where the jobs of a webhook go, as it was when they were claimed.
type endpoint struct {
	id          int64
	url         string
	headers     map[string]string
	secrets     []string // that sign, the newest first
	concurrency int
}

// job is one event on its way.
type job struct {
	id       int64
	event    string
	action   string
	payload  string
	attempts int // before this one
}

// claim takes what is due for one endpoint, at most one job of each record:
// the earliest that is not done or dead. While the circuit is open only a trial
// is made, when its time has come.
func (d *Dispatcher) claim(ctx context.Context, id int64) (ep *endpoint, jobs []job, err error) {
	err = d.db.Write(ctx, func(tx sqldb.Tx) error {
		ep, jobs = nil, nil
		now := time.Now().UTC()
		var which string
		var most int64
		ep, which, most, err = readEndpoint(ctx, tx, id, now)
		if err != nil || ep == nil {
			return err
		}
		var ids []int64
		err := tx.Query(ctx, `select j.id from gateway_webhook_job j where j.webhook_id = $1 and j.state in ('pending', 'failed')
			and (j.next_at is null or j.next_at <= $2)`+which+` and (j.action = 'test' or not exists (
				select 1 from gateway_webhook_job e where e.webhook_id = j.webhook_id and e.model = j.model and e.res_id = j.res_id
				and e.id < j.id and e.state in ('pending', 'processing', 'failed') and e.action <> 'test'))
			order by j.id limit cast($3 as bigint)`+tx.Dialect().ForUpdateSkipLocked(), []any{id, now, most}, func(r sqldb.Row) error {
			ids = append(ids, r.Int(0))
			return nil
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		jobs, err = d.take(ctx, tx, ids)
		return err
	})
	if err != nil {
		return nil, nil, fault.Wrap(err, "claim webhook jobs")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, j := range jobs {
		d.inFlight[j.id] = struct{}{}
	}
	return ep, jobs, nil
}

// take leases jobs to this node.
func (d *Dispatcher) take(ctx context.Context, tx sqldb.Tx, ids []int64) ([]job, error) {
	dia := tx.Dialect()
	_, err := tx.Exec(ctx, `update gateway_webhook_job set state = 'processing', lease_by = $1, lease_until = `+
		dia.After(dia.Now(), "$2")+` where `+dia.In("id", "$3", true), d.node, int64(d.o.Lease/time.Second), ids)
	if err != nil {
		return nil, err
	}
	var jobs []job
	err = tx.Query(ctx, `select id, event_id, action, payload, attempts from gateway_webhook_job where `+dia.In("id", "$1", true)+
		` order by id`, []any{ids}, func(r sqldb.Row) error {
		jobs = append(jobs, job{r.Int(0), r.Text(1), r.Text(2), r.Text(3), int(r.Int(4))})
		return nil
	})
	return jobs, err
}

// readEndpoint reads a webhook, and which and how many jobs may go to it now;
// nil when it is gone.
func readEndpoint(ctx context.Context, q sqldb.Querier, id int64, now time.Time) (ep *endpoint, which string, most int64, err error) {
	err = q.Query(ctx, `select url, headers, concurrency, secret, previous_secret, previous_until, active, circuit, circuit_until
		from gateway_webhook where id = $1`, []any{id}, func(r sqldb.Row) error {
		ep = &endpoint{id: id, url: r.Text(0), headers: map[string]string{}, concurrency: int(max(r.Int(2), 1)), secrets: []string{r.Text(3)}}
		_ = json.Unmarshal(r.Bytes(1), &ep.headers) // package gateway writes nothing else
		if previous := r.Text(4); previous != "" && now.Before(r.Time(5)) {
			ep.secrets = append(ep.secrets, previous)
		}
		most = batch
		switch active, broken := r.Bool(6), r.Text(7) == open; {
		case !active || broken && now.Before(r.Time(8)):
			which = ` and j.action = 'test'`
		case broken:
			most = 1
		}
		return nil
	})
	return ep, which, most, err
}

// release hands jobs back that were claimed and not sent.
func (d *Dispatcher) release(jobs []job) {
	if len(jobs) == 0 {
		return
	}
	ids := make([]int64, len(jobs))
	for i, j := range jobs {
		ids[i] = j.id
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.send), d.o.Timeout)
	defer cancel()
	err := d.db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.Exec(ctx, `update gateway_webhook_job set state = 'pending', lease_by = null, lease_until = null
			where lease_by = $1 and state = 'processing' and `+tx.Dialect().In("id", "$2", true), d.node, ids)
		if err != nil {
			return err
		}
		return tx.Signal(ctx, JobsChannel)
	})
	if err != nil { // they come back when the lease has run out
		d.log.WarnContext(ctx, "webhooks: jobs cannot be handed back", "jobs", len(ids), "error", err)
	}
	d.forget(ids...)
}

func (d *Dispatcher) forget(ids ...int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		delete(d.inFlight, id)
	}
}
