package job

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// Channel is the signal that gateway_job changed in a way that may make a job
// due. Whoever changes its rows in a transaction sends it.
const Channel = "jobs"

// state is a row of gateway_job, and the moment at which it was read.
type state struct {
	name, desc, schedule  string
	interval              int64
	paused, active        bool
	nextRun, lease, asked time.Time // lease is zero where nobody has it
}

func states(ctx context.Context, q sqldb.Querier) (map[string]state, error) {
	all := map[string]state{}
	err := q.Query(ctx, `select name, description, schedule, "interval", paused, active, next_run, lease_until, `+q.Dialect().Now()+`
		from gateway_job`, nil, func(r sqldb.Row) error {
		all[r.Text(0)] = state{
			name: r.Text(0), desc: r.Text(1), schedule: r.Text(2), interval: r.Int(3), paused: r.Bool(4), active: r.Bool(5),
			nextRun: r.Time(6), lease: r.Time(7), asked: r.Time(8),
		}
		return nil
	})
	return all, err
}

// dueIn is how long nobody needs to look at the job; not positive: it is due.
func (s state) dueIn() time.Duration {
	if s.lease.After(s.nextRun) { // it runs, or did when its node died
		return s.lease.Sub(s.asked)
	}
	return s.nextRun.Sub(s.asked)
}

// Register writes the rows of the jobs there are, and archives those of jobs
// that are no more. Where nothing changed it costs one query.
func (r *Runner) Register(ctx context.Context) error {
	var have map[string]state
	read := func(q sqldb.Querier) (err error) {
		have, err = states(ctx, q)
		return err
	}
	if err := r.db.Read(ctx, read); err != nil {
		return fault.Wrap(err, "read the jobs")
	}
	if !r.changes(have) {
		return nil
	}
	err := r.db.Write(ctx, func(tx sqldb.Tx) error {
		for _, j := range r.jobs {
			if err := register(ctx, tx, j, have[j.Name]); err != nil {
				return err
			}
		}
		for name := range have {
			if _, known := r.byName[name]; !known {
				if _, err := tx.Exec(ctx, `update gateway_job set active = false where name = $1`, name); err != nil {
					return err
				}
			}
		}
		return tx.Signal(ctx, Channel)
	})
	return fault.Wrap(err, "write the jobs")
}

// changes says whether the rows are not those of the jobs.
func (r *Runner) changes(have map[string]state) bool {
	for _, j := range r.jobs {
		s, ok := have[j.Name]
		if !ok || !s.active || s.desc != j.Description || s.schedule != j.Schedule.String() {
			return true
		}
	}
	for name, s := range have {
		if _, known := r.byName[name]; s.active && !known {
			return true
		}
	}
	return false
}

// register writes one row. The next run is only set where the schedule is new:
// a server that is started often must not put its jobs off for ever.
func register(ctx context.Context, tx sqldb.Tx, j Job, have state) error {
	now := have.asked
	if now.IsZero() {
		err := tx.Query(ctx, "select "+tx.Dialect().Now(), nil, func(r sqldb.Row) error { now = r.Time(0); return nil })
		if err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `insert into gateway_job (name, description, schedule, "interval", paused, failures, next_run, active)
		values ($1, $2, $3, $4, false, 0, $5, true)
		on conflict (name) do update set description = excluded.description, schedule = excluded.schedule,
			"interval" = excluded."interval", active = true,
			next_run = case when gateway_job.schedule = excluded.schedule then gateway_job.next_run else excluded.next_run end`,
		j.Name, j.Description, j.Schedule.String(), int64(j.Schedule.every/time.Second), j.Schedule.first(now, jitter))
	if err != nil {
		return fmt.Errorf("job %s: %w", j.Name, err)
	}
	return nil
}

// claim is a run that this node has for itself.
type claim struct {
	Job
	start    time.Time // by the database's clock
	failures int64     // in a row, before it
}

// claim takes the lease of a job, if nobody has it. Unless forced, the job must
// be due and not be paused.
func (r *Runner) claim(ctx context.Context, j Job, forced bool) (c claim, ok bool, err error) {
	now := r.db.Dialect().Now()
	sql := `update gateway_job set node = $2, last_run = ` + now + `, lease_until = ` + r.leaseEnd() + `, active = true,
			failures = coalesce(failures, 0) + case when lease_until is null then 0 else 1 end,
			last_error = case when lease_until is null then last_error else 'The run on ' || node || ' was cut off' end
		where name = $1 and (lease_until is null or lease_until <= ` + now + `)`
	if !forced {
		sql += ` and next_run <= ` + now + ` and not coalesce(paused, false)`
	}
	err = r.db.Write(ctx, func(tx sqldb.Tx) error {
		ok = false
		return tx.Query(ctx, sql+` returning last_run, failures`, []any{j.Name, r.node}, func(row sqldb.Row) error {
			c, ok = claim{j, row.Time(0), row.Int(1)}, true
			return nil
		})
	})
	return c, ok, fault.Wrap(err, "claim job "+j.Name)
}

// leaseEnd is when a lease ends that is taken or renewed now.
func (r *Runner) leaseEnd() string {
	d := r.db.Dialect()
	return d.After(d.Now(), strconv.Itoa(int(leaseTime/time.Second)))
}

// renew makes the lease of a run last longer; not ok: another node has taken it.
func (r *Runner) renew(ctx context.Context, name string) (ok bool, err error) {
	var n int64
	err = r.db.Write(ctx, func(tx sqldb.Tx) (err error) {
		n, err = tx.Exec(ctx, `update gateway_job set lease_until = `+r.leaseEnd()+`
			where name = $1 and node = $2 and lease_until is not null`, name, r.node)
		return err
	})
	return n > 0, err
}

// finish writes what became of a run and gives the lease back. A run that was
// stopped stays due, for whoever comes first.
func (r *Runner) finish(ctx context.Context, c claim, o Outcome) error {
	sql, args := `update gateway_job set lease_until = null where name = $1 and node = $2 and lease_until is not null`, []any{c.Name, r.node}
	if !o.Stopped {
		end := c.start.Add(o.Duration)
		next, failures, why, result := c.Schedule.next(c.start), int64(0), any(nil), any(o.Result)
		if o.Err != nil {
			failures = c.failures + 1
			next, why, result = c.Schedule.retry(c.start, end, failures), storable(o.Err.Error()), nil
		}
		sql = `update gateway_job set lease_until = null, last_duration = $3, last_result = coalesce($4, last_result),
			last_error = $5, failures = $6, next_run = $7 where name = $1 and node = $2 and lease_until is not null`
		args = append(args, o.Duration.Seconds(), result, why, failures, next)
	}
	err := r.db.Write(ctx, func(tx sqldb.Tx) error {
		if _, err := tx.Exec(ctx, sql, args...); err != nil {
			return err
		}
		if o.Stopped {
			return tx.Signal(ctx, Channel)
		}
		return nil
	})
	return fault.Wrap(err, "finish job "+c.Name)
}

// Due makes a job due at once, inside a transaction: the next free node runs
// it. A job that runs, is paused or is gone is refused.
func Due(ctx context.Context, tx sqldb.Tx, id int64) error {
	var name, node string
	var paused, active bool
	err := tx.Query(ctx, `select name, node, paused, active from gateway_job where id = $1`+tx.Dialect().ForUpdate(), []any{id},
		func(r sqldb.Row) error {
			name, node, paused, active = r.Text(0), r.Text(1), r.Bool(2), r.Bool(3)
			return nil
		})
	if err != nil {
		return err
	}
	switch {
	case !active:
		return fault.Newf(fault.Unprocessable, "This version has no job %s", name)
	case paused:
		return fault.Newf(fault.Unprocessable, "The job %s is paused; set paused to false first", name)
	}
	now := tx.Dialect().Now()
	n, err := tx.Exec(ctx, `update gateway_job set next_run = `+now+`
		where id = $1 and (lease_until is null or lease_until <= `+now+`)`, id)
	if err != nil {
		return err
	}
	if n == 0 {
		return running(name, node)
	}
	return tx.Signal(ctx, Channel)
}

// Hurry makes a job due at once, inside a transaction, if it neither runs nor is
// paused. One that runs is due again at its time.
func Hurry(ctx context.Context, tx sqldb.Tx, name string) error {
	now := tx.Dialect().Now()
	n, err := tx.Exec(ctx, `update gateway_job set next_run = `+now+`
		where name = $1 and active and not coalesce(paused, false) and next_run > `+now+` and (lease_until is null or lease_until <= `+now+`)`, name)
	if err != nil || n == 0 {
		return fault.Wrap(err, "hurry job "+name)
	}
	return tx.Signal(ctx, Channel)
}

// running is the fault of a job that is wanted while it runs.
func running(name, node string) error {
	return fault.Newf(fault.Conflict, "The job %s is running already, on %s", name, node)
}
