package webhook

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/audit"
	"gatehouse/internal/business"
	"gatehouse/internal/identity"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// watched is a transaction that gives how each of its statements is run.
type watched struct {
	sqldb.Tx
	plans map[string]string // by statement
}

func (w *watched) explain(ctx context.Context, s *sqldb.Stmt) error {
	text := ""
	prefix := "explain query plan "
	if w.Dialect().Name() == "postgres" {
		prefix = "explain "
	}
	err := w.Tx.Query(ctx, prefix+s.SQL, s.Args, func(r sqldb.Row) error {
		text += r.Text(0) + "\n"
		if w.Dialect().Name() == "sqlite" {
			text += r.Text(3) + "\n"
		}
		return nil
	})
	w.plans[s.SQL] = text
	return err
}

func (w *watched) Batch(ctx context.Context, stmts []sqldb.Stmt) error {
	for i := range stmts {
		if err := w.explain(ctx, &stmts[i]); err != nil {
			return err
		}
	}
	return w.Tx.Batch(ctx, stmts)
}

func (w *watched) Query(ctx context.Context, sql string, args []any, each func(sqldb.Row) error) error {
	if err := w.explain(ctx, &sqldb.Stmt{SQL: sql, Args: args}); err != nil {
		return err
	}
	return w.Tx.Query(ctx, sql, args, each)
}

func (w *watched) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	if err := w.explain(ctx, &sqldb.Stmt{SQL: sql, Args: args}); err != nil {
		return 0, err
	}
	return w.Tx.Exec(ctx, sql, args...)
}

// TestPlans: whatever has ended and whatever waits, the statements of a turn
// walk through neither: with half of the queue done, with everything pending,
// and with a record of which thousands wait for one that failed.
func TestPlans(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		ctx := t.Context()
		if err := schema.Sync(ctx, db, append(append(append(business.Models(), identity.Models()...), audit.Models()...), Models()...)); err != nil {
			t.Fatal(err)
		}
		d := NewDispatcher(db, Options{})
		exec := func(sql string, args ...any) {
			t.Helper()
			if err := db.Write(ctx, func(tx sqldb.Tx) error { _, err := tx.Exec(ctx, sql, args...); return err }); err != nil {
				t.Fatal(err)
			}
		}
		exec(`insert into gateway_webhook (name, model, url, concurrency, active, failure_count, circuit, secret)
			values ('a', 'res.partner', 'http://127.0.0.1:1', 5, true, 0, 'closed', 'whsec_AAAA')`)
		exec(`with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
			insert into gateway_webhook_job (webhook_id, event_id, model, res_id, action, payload, state, attempts, created_at)
			select 1, 'evt_' || i, 'res.partner', case when i % 2 = 0 then 7 else i end, 'write', '{}', 'pending', 0, $1 from n`, time.Now().UTC())
		for _, stage := range []struct{ name, sql string }{
			{"everything pending", `update gateway_webhook_job set state = 'pending'`},
			{"half done", `update gateway_webhook_job set state = 'done' where id <= 10000`},
			{"a hot record that failed", `update gateway_webhook_job set state = 'failed', next_at = '2099-01-01 00:00:00'
				where id = (select min(id) from gateway_webhook_job where res_id = 7 and state = 'pending')`},
		} {
			exec(stage.sql)
			if db.Dialect().Name() == "postgres" || stage.name == "half done" {
				exec(`analyze`)
			}
			w := &watched{plans: map[string]string{}}
			claimed := 0
			for range 3 {
				err := db.Write(ctx, func(tx sqldb.Tx) error {
					w.Tx = tx
					ep, due, _, err := d.look(ctx, w, 1, batch, time.Now().UTC())
					if err != nil || ep == nil {
						return err
					}
					free, waiting := split(due, nil)
					if _, err := park(ctx, w, waiting); err != nil {
						return err
					}
					jobs, err := d.take(ctx, w, free)
					if err != nil {
						return err
					}
					claimed += len(jobs)
					done := make([]result, len(jobs))
					for i, j := range jobs {
						done[i] = result{j, outcome{at: time.Now(), status: 200}, verdict{state: Done}}
					}
					return d.settle(ctx, w, 1, done)
				})
				if err != nil {
					t.Fatalf("%s: %v", stage.name, err)
				}
			}
			if claimed < batch {
				t.Errorf("%s: %d jobs claimed", stage.name, claimed)
			}
			scans := regexp.MustCompile(`(?i)seq scan on gateway_webhook_job|scan (gateway_webhook_)?(job|j|e)\b|SCAN gateway|order_index|_pkey on gateway_webhook_job.*\n.*Filter: .*webhook_id`)
			for sql, plan := range w.plans {
				if scans.MatchString(plan) {
					t.Errorf("%s: %s\n%s", stage.name, strings.Join(strings.Fields(sql), " "), plan)
				}
			}
		}
	})
}
