package gateway_test

import (
	"context"
	"strings"
	"testing"

	"gatehouse/internal/audit"
	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/job"
	"gatehouse/internal/record"
)

// TestJobsInTheirPlace: of a job only paused can be changed; run_now makes it
// due, and both are in the audit trail.
func TestJobsInTheirPlace(t *testing.T) {
	onTrail(t, func(a *auditor) {
		ctx := context.Background()
		ran := make(chan struct{}, 1)
		runner, err := job.New(a.eng.DB(), []job.Job{{
			Name: "work", Schedule: job.Daily(0, 0),
			Run: func(context.Context) (string, error) { ran <- struct{}{}; return "done", nil },
		}}, job.Options{})
		if err != nil {
			a.Fatal(err)
		}
		if err := runner.Start(ctx); err != nil {
			a.Fatal(err)
		}
		defer func() {
			if err := runner.Stop(ctx); err != nil {
				a.Error(err)
			}
		}()
		one := []int64{1}
		_, err = a.eng.Create(ctx, a.admin, job.Model, []backend.Values{{"name": "mine"}})
		want(a.T, err, fault.Forbidden, "")
		want(a.T, a.eng.Unlink(ctx, a.admin, job.Model, one), fault.Forbidden, "part of the program")
		for _, field := range []string{"name", "next_run", "node", "lease_until", "failures", "active"} {
			want(a.T, a.eng.Write(ctx, a.admin, job.Model, one, backend.Values{field: nil}), fault.BadRequest, "only paused")
		}
		a.left()
		if _, err := a.eng.Call(ctx, a.admin, job.Model, "run_now", one, nil); err != nil {
			a.Fatal(err)
		}
		<-ran
		if err := runner.Stop(ctx); err != nil {
			a.Fatal(err)
		}
		page := &backend.Page{}
		query := &backend.Query{Model: audit.Model, Fields: []string{"action", "name", "before", "after"}}
		if _, err := a.eng.Search(ctx, a.admin, query, page); err != nil || len(page.Rows) != 1 ||
			page.Get(0, "action").Text != "run_now" || !strings.Contains(page.Get(0, "after").Text, "next_run") {
			a.Errorf("the trail of run_now: %v, %v", page.Rows, err)
		}
		a.seen = page.IDs()[0]
		page = &backend.Page{}
		query = &backend.Query{Model: job.Model, Fields: []string{"last_result", "running", "failures"}, DomainText: `[('running','=',False)]`}
		if _, err := a.eng.Search(ctx, a.admin, query, page); err != nil || len(page.Rows) != 1 || page.Get(0, "last_result").Text != "done" {
			a.Errorf("the job after its run: %v, %v", page.Rows, err)
		}
		a.write(job.Model, 1, backend.Values{"paused": true})
		a.left(`gateway.job write work {"paused":false} {"paused":true}`)
		_, err = a.eng.Call(ctx, a.admin, job.Model, "run_now", one, nil)
		want(a.T, err, fault.Unprocessable, "paused")
		a.write(job.Model, 1, backend.Values{"paused": false})
		a.left(`gateway.job write work {"paused":true} {"paused":false}`)
		if err := a.eng.Sudo(ctx, func(e *record.Env) error { // as while another node runs it
			_, err := e.Tx().Exec(ctx, `update gateway_job set node = 'far', lease_until = '2999-01-01 00:00:00'`)
			return err
		}); err != nil {
			a.Fatal(err)
		}
		_, err = a.eng.Call(ctx, a.admin, job.Model, "run_now", one, nil)
		want(a.T, err, fault.Conflict, "running already, on far")
		page = &backend.Page{}
		query.DomainText = `[('running','=',True)]`
		if _, err := a.eng.Search(ctx, a.admin, query, page); err != nil || len(page.Rows) != 1 || page.Get(0, "running").Int != 1 {
			a.Errorf("a job that runs: %v, %v", page.Rows, err)
		}
		a.left()
	})
}
