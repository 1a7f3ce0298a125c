package webhook

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse/internal/sqldb"
)

// endpoint is where the jobs of a webhook go, as it was when they were claimed.
type endpoint struct {
	id          int64
	url         string
	headers     map[string]string
	secrets     []string // that sign, the newest first
	concurrency int
	failures    int // in a row
	// tests says that only test events may go to it now, and trial that one
	// event may, to see whether the endpoint is there again.
	tests, trial bool
}

// job is one event on its way.
type job struct {
	id       int64
	record   recordKey
	event    string
	action   string
	payload  string
	attempts int // before this one
	after    int64
}

// recordKey is the record that a job is of. Its jobs go one after the other.
type recordKey struct {
	model string
	id    int64
}

// candidate is a job that may be claimed, and the newest of those before it, of
// the same record, that have not ended; 0: none.
type candidate struct{ id, after int64 }

// before is that newest one. The index "open" gives it at once, however many
// jobs the record has.
const before = `(select max(e.id) from gateway_webhook_job e where e.webhook_id = j.webhook_id and e.res_id = j.res_id
	and e.model = j.model and e.id < j.id and e.state in ('pending', 'processing', 'failed'))`

// look reads the endpoint and finds what is due for it: tests, then what has
// failed before, then the rest in order, at most so many of each. The rows are
// locked. ep is nil when the webhook is gone.
func (d *Dispatcher) look(ctx context.Context, tx sqldb.Tx, id int64, most int, now time.Time) (ep *endpoint, due []candidate, full bool, err error) {
	var tests, again, others []candidate
	find := func(columns, which, order string, into *[]candidate, args ...any) sqldb.Stmt {
		return sqldb.Stmt{
			SQL: `select j.id, ` + columns + ` from gateway_webhook_job j where j.webhook_id = $1 and ` + which +
				` order by ` + order + ` limit cast($2 as bigint)` + tx.Dialect().ForUpdateSkipLocked(),
			Args: append([]any{id, most}, args...),
			Each: func(r sqldb.Row) error { *into = append(*into, candidate{r.Int(0), r.Int(1)}); return nil },
		}
	}
	err = tx.Batch(ctx, []sqldb.Stmt{
		d.endpointStmt(id, now, &ep),
		find(`0`, `j.state = 'pending' and j.action = 'test'`, inOrder, &tests),
		find(before, `j.state = 'failed' and j.waits is not true and j.next_at <= $3`, `j.next_at`, &again, now),
		find(before, `j.state = 'pending' and j.waits is not true and j.action <> 'test'`, inOrder, &others),
	})
	if err != nil || ep == nil {
		return nil, nil, false, err
	}
	due = tests
	if !ep.tests {
		due = append(append(due, again...), others...)
	}
	full = len(due) >= most
	if ep.trial {
		most = 1
	}
	return ep, due[:min(most, len(due))], full, nil
}

// endpointStmt reads a webhook, and what may go to it now. The calls at a time
// are shared with the nodes that send to it, too; each makes at least one.
func (d *Dispatcher) endpointStmt(id int64, now time.Time, ep **endpoint) sqldb.Stmt {
	return sqldb.Stmt{
		SQL: `select url, headers, concurrency, secret, previous_secret, previous_until, active, circuit, circuit_until, failure_count,
				(select count(distinct j.lease_by) from gateway_webhook_job j
					where j.webhook_id = w.id and j.state = 'processing' and j.lease_by <> $2)
			from gateway_webhook w where id = $1`,
		Args: []any{id, d.node},
		Each: func(r sqldb.Row) error {
			e := &endpoint{
				id: id, url: r.Text(0), headers: map[string]string{}, concurrency: int(max(r.Int(2)/(r.Int(10)+1), 1)),
				secrets: []string{r.Text(3)}, failures: int(r.Int(9)),
			}
			_ = json.Unmarshal(r.Bytes(1), &e.headers) // package gateway writes nothing else
			if previous := r.Text(4); previous != "" && now.Before(r.Time(5)) {
				e.secrets = append(e.secrets, previous)
			}
			broken := r.Text(7) == open
			e.tests = !r.Bool(6) || broken && now.Before(r.Time(8))
			e.trial = broken && !e.tests
			*ep = e
			return nil
		},
	}
}

// split tells apart what can be sent from what waits for an earlier job of its
// record. A job can go when everything before it has ended, or goes before it:
// is taken now, or is the last of those that this worker has under way (tails).
func split(due []candidate, tails map[int64]bool) (free, waiting []candidate) {
	taken := make(map[int64]bool, len(due))
	for _, c := range due {
		if c.after == 0 || taken[c.after] || tails[c.after] {
			taken[c.id] = true
			free = append(free, c)
		} else {
			waiting = append(waiting, c)
		}
	}
	return free, waiting
}

// take leases jobs to this node.
func (d *Dispatcher) take(ctx context.Context, tx sqldb.Tx, free []candidate) ([]job, error) {
	ids, after := make([]int64, len(free)), make(map[int64]int64, len(free))
	for i, c := range free {
		ids[i], after[c.id] = c.id, c.after
	}
	dia := tx.Dialect()
	found := make(map[int64]job, len(ids))
	err := tx.Query(ctx, `update gateway_webhook_job set state = 'processing', lease_by = $1, lease_until = `+
		dia.After(dia.Now(), "$2")+` where `+dia.In("id", "$3", true)+` returning id, model, res_id, event_id, action, payload, attempts`,
		[]any{d.node, int64(d.o.Lease / time.Second), ids}, func(r sqldb.Row) error {
			id := r.Int(0)
			found[id] = job{id, recordKey{r.Text(1), r.Int(2)}, r.Text(3), r.Text(4), r.Text(5), int(r.Int(6)), after[id]}
			return nil
		})
	jobs := make([]job, 0, len(ids))
	for _, id := range ids { // in their order
		if j, ok := found[id]; ok {
			jobs = append(jobs, j)
		}
	}
	return jobs, err
}

// park sets jobs aside that wait for an earlier one of their record, so that
// nobody looks at them again until that has ended: a record may have any number.
// The earlier one is locked meanwhile. If somebody else has it, who may be
// ending it at this moment, the job stays as it is, and left is true.
func park(ctx context.Context, tx sqldb.Tx, waiting []candidate) (left bool, err error) {
	if len(waiting) == 0 {
		return false, nil
	}
	dia := tx.Dialect()
	var afters, ids []int64
	for _, c := range waiting {
		afters = append(afters, c.after)
	}
	held := map[int64]bool{}
	err = tx.Query(ctx, `select id from gateway_webhook_job where `+dia.In("id", "$1", true)+
		` and state in ('pending', 'processing', 'failed')`+dia.ForUpdateSkipLocked(), []any{afters}, func(r sqldb.Row) error {
		held[r.Int(0)] = true
		return nil
	})
	if err != nil {
		return false, err
	}
	for _, c := range waiting {
		if held[c.after] {
			ids = append(ids, c.id)
		}
	}
	if len(ids) > 0 {
		_, err = tx.Exec(ctx, `update gateway_webhook_job set waits = true where `+dia.In("id", "$1", true), ids)
	}
	return len(ids) < len(waiting), err
}

// unpark lets the next jobs of records go of which one has just ended. It waits
// for rows that others have locked: passing over one would leave it for ever.
// They wait for nothing meanwhile, as park does not.
func unpark(ctx context.Context, tx sqldb.Tx, webhook int64, records []recordKey) error {
	waits := false
	err := tx.Query(ctx, `select 1 from gateway_webhook_job where webhook_id = $1 and waits
		order by res_id, model, `+inOrder+` limit 1`, []any{webhook},
		func(sqldb.Row) error { waits = true; return nil })
	if err != nil || !waits {
		return err
	}
	stmts := make([]sqldb.Stmt, len(records))
	for i, r := range records {
		stmts[i] = sqldb.Stmt{
			SQL: `update gateway_webhook_job set waits = null where id in (select id from gateway_webhook_job
				where webhook_id = $1 and res_id = $2 and model = $3 and waits order by ` + inOrder + ` limit ` + batchText + `)`,
			Args: []any{webhook, r.id, r.model},
		}
	}
	return tx.Batch(ctx, stmts)
}

// handBack gives jobs back that were claimed and not sent.
func (d *Dispatcher) handBack(ctx context.Context, tx sqldb.Tx, jobs []job) error {
	if len(jobs) == 0 {
		return nil
	}
	ids := make([]int64, len(jobs))
	for i, j := range jobs {
		ids[i] = j.id
	}
	_, err := tx.Exec(ctx, `update gateway_webhook_job set state = 'pending', lease_by = null, lease_until = null
		where lease_by = $1 and state = 'processing' and `+tx.Dialect().In("id", "$2", true), d.node, ids)
	return err
}
