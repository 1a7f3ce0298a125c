package app

import (
	"context"
	"net"
	"strings"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/config"
	"gatehouse/internal/domain"
	"gatehouse/internal/job"
)

// TestJobsWork: every job runs on the tables there are, and says what it did.
func TestJobsWork(t *testing.T) {
	a, _ := start(t)
	for _, j := range a.jobs() {
		o, err := a.Jobs.Run(t.Context(), j.Name)
		if err != nil || o.Err != nil || !strings.HasSuffix(o.Result, " deleted") && o.Result != "swept" {
			t.Errorf("%s: %+v, %v", j.Name, o, err)
		}
		if j.Description == "" {
			t.Errorf("%s has no description", j.Name)
		}
	}
}

// TestServeRunsJobs: jobs run while a server does; when it stops, they are
// handed back.
func TestServeRunsJobs(t *testing.T) {
	a, h := start(t)
	unlimited(t, a)
	a.Config.Server.Listen = config.Address("127.0.0.1:0")
	began, ran := make(chan struct{}), make(chan struct{}, 1)
	var err error
	a.Jobs, err = job.New(a.DB, []job.Job{
		{Name: "long", Schedule: job.Daily(0, 0), Run: func(ctx context.Context) (string, error) {
			close(began)
			<-ctx.Done()
			return "", ctx.Err()
		}},
		{Name: "short", Schedule: job.Daily(0, 0), Run: func(context.Context) (string, error) { ran <- struct{}{}; return "done", nil }},
	}, job.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- a.Serve(ctx, func(net.Addr) { close(ready) }) }()
	<-ready
	admin := login(t, h, "admin", "secret")
	rows := admin.rows("gateway.job?order=name&fields=name,schedule,running,paused,active")
	if len(rows) != 2 || rows[0]["name"] != "long" || rows[0]["schedule"] != "daily at 00:00 UTC" || rows[0]["running"] != false {
		t.Fatalf("the jobs: %v", rows)
	}
	admin.do("POST", "gateway.job/1/run_now", "{}", 200)
	<-began
	answer := admin.do("POST", "gateway.job/1/run_now", "{}", 409)
	if message := answer["error"].(map[string]any)["message"].(string); !strings.Contains(message, "running already") {
		t.Errorf("run_now while it runs: %s", message)
	}
	admin.do("POST", "gateway.job/2/run_now", "{}", 200)
	<-ran
	admin.do("PATCH", "gateway.job/1", `{"paused":true}`, 200)
	admin.do("PATCH", "gateway.job/1", `{"next_run":"2030-01-01 00:00:00"}`, 400)
	admin.do("POST", "gateway.job", `{"name":"x"}`, 403)
	admin.do("DELETE", "gateway.job/1", "", 403)
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	page := &backend.Page{}
	query := &backend.Query{
		Model: job.Model, Fields: []string{"lease_until", "last_error"},
		Domain: &domain.Leaf{Path: "name", Op: domain.OpEq, Value: "long", Pos: -1},
	}
	if _, err := a.Engine.Search(t.Context(), a.Superuser(), query, page); err != nil || len(page.Rows) != 1 {
		t.Fatal(page.Rows, err)
	}
	if page.Get(0, "lease_until").Kind != backend.Null || page.Get(0, "last_error").Kind != backend.Null {
		t.Errorf("the job was not handed back: %v", page.Rows)
	}
}
