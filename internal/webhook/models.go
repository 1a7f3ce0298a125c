// Package webhook tells the world of changes: subscriptions, an outbox that is
// filled in the transaction of the change, and a dispatcher that signs the jobs
// and sends them until they have arrived.
package webhook

import "gatehouse/internal/schema"

// The names of the records of this package.
const (
	Model        = "gateway.webhook"
	JobModel     = "gateway.webhook_job"
	AttemptModel = "gateway.webhook_attempt"
)

// The signals: of changed subscriptions, and of new or released jobs. Whoever
// changes rows of gateway_webhook or adds jobs sends them.
const (
	Channel     = "webhooks"
	JobsChannel = "webhook_jobs"
)

// The states of a job. Failed ones are tried again, dead ones are not.
const (
	Pending    = "pending"
	Processing = "processing"
	Done       = "done"
	Failed     = "failed"
	Dead       = "dead"
)

// The states of an endpoint's circuit.
const (
	closed = "closed"
	open   = "open"
)

// testAction is the action of test events.
const testAction = "test"

// DefaultConcurrency is how many calls are made to one endpoint at a time.
const DefaultConcurrency = 5

// MaxConcurrency is how many it may be.
const MaxConcurrency = 50

// Models declares the tables of this package as records for administrators.
// They are changed through package gateway.
func Models() []*schema.Model {
	return []*schema.Model{hookModel(), jobModel(), attemptModel()}
}

func hookModel() *schema.Model {
	return &schema.Model{
		Name: Model, Label: "Webhook", Table: "gateway_webhook", Order: "id desc", AdminOnly: true,
		Fields: []*schema.Field{
			schema.NewChar("name", "Name").Req(),
			schema.NewChar("model", "Model").Req().Index().Helped("Such as res.partner"),
			schema.NewBoolean("on_create", "On Create").Def(true),
			schema.NewBoolean("on_write", "On Write").Def(true),
			schema.NewBoolean("on_unlink", "On Unlink").Def(true),
			schema.NewText("url", "URL").Req(),
			schema.NewJSON("headers", "Headers").Helped("An object: headers that are sent along"),
			schema.NewText("domain", "Domain").Helped("Only records that it finds; empty: all"),
			schema.NewJSON("watch_fields", "Watched Fields").Helped("A list: writes count only if one of these changes; empty: all writes"),
			schema.NewJSON("fields", "Fields").Helped("A list: what is sent of a record; empty: all stored fields"),
			schema.NewInteger("concurrency", "Calls at a Time").Def(int64(DefaultConcurrency)).Helped("Over all nodes"),
			schema.NewBoolean("active", "Active").Def(true),
			schema.NewText("disabled_reason", "Disabled Because").RO().NoCopy(),
			schema.NewText("poll_problem", "Not Polled Because").RO().NoCopy().
				Helped("Why changes of these records of an Odoo cannot be found at the moment"),
			schema.NewInteger("failure_count", "Failures in a Row").RO().NoCopy(),
			schema.NewDatetime("failing_since", "Failing Since").RO().NoCopy(),
			schema.NewSelection("circuit", "Circuit", closed, "Closed", open, "Open").Def(closed).RO().NoCopy().
				Helped("Open after failures in a row: then calls wait until a trial succeeds"),
			schema.NewDatetime("circuit_until", "Next Trial").RO().NoCopy(),
			schema.NewInteger("circuit_seconds", "Circuit Open (s)").RO().NoCopy(),
			schema.NewDatetime("last_success_at", "Last Success").RO().NoCopy(),
			schema.NewChar("secret", "Secret").Hidden(),
			schema.NewChar("previous_secret", "Previous Secret").Hidden(),
			schema.NewDatetime("previous_until", "Previous Secret Until").RO().NoCopy(),
		},
	}
}

func jobModel() *schema.Model {
	return &schema.Model{
		Name: JobModel, Label: "Webhook Job", Table: "gateway_webhook_job", Order: "id desc", RecName: "event_id",
		AdminOnly: true, NoLog: true, NoCreate: true, Indexes: jobIndexes(),
		Fields: []*schema.Field{
			schema.NewMany2one("webhook_id", "Webhook", Model).Req().OnDeleteDo(schema.Cascade).RO(),
			schema.NewChar("event_id", "Event").Req().RO().Index(),
			schema.NewChar("model", "Model").RO(),
			schema.NewInteger("res_id", "Record Id").RO(),
			schema.NewChar("action", "Action").Req().RO(),
			schema.NewText("payload", "Payload").Req().RO(),
			schema.NewSelection("state", "State", Pending, "Pending", Processing, "Processing", Done, "Done",
				Failed, "Failed", Dead, "Dead").Req().RO().Helped("Failed jobs are tried again, dead ones are not"),
			schema.NewInteger("attempts", "Attempts").RO(),
			schema.NewDatetime("created_at", "Created").Req().RO(),
			schema.NewDatetime("next_at", "Next Attempt").RO().Helped("Empty: at once"),
			schema.NewBoolean("waits", "Waits").RO().Helped("For an earlier job of the same record"),
			schema.NewDatetime("done_at", "Ended").RO().Index(),
			schema.NewInteger("last_status", "Last Status").RO(),
			schema.NewText("last_error", "Last Error").RO(),
			schema.NewChar("lease_by", "Sent By").RO(),
			schema.NewDatetime("lease_until", "Lease Until").RO(),
		},
	}
}

// inOrder is how jobs are ordered where an index over the few that have not
// ended is meant. Over the plain id a planner takes the primary key, and with it
// walks through all that have.
const inOrder = `cast(id as bigint)`

// What a job's row costs is mostly its indexes: it is written three times. So
// there are few over all jobs; those by which jobs are found to send hold only
// what has not ended, and stay small however much is kept.
func jobIndexes() []schema.Index {
	return []schema.Index{
		{Name: "webhook_created", Columns: []string{"webhook_id", "created_at"}},
		{Name: "pending", Columns: []string{"webhook_id", "(" + inOrder + ")"}, Where: "state = 'pending' and waits is not true"},
		{Name: "test", Columns: []string{"webhook_id", "(" + inOrder + ")"}, Where: "state = 'pending' and action = 'test'"},
		{Name: "failed", Columns: []string{"webhook_id", "next_at"}, Where: "state = 'failed' and waits is not true"},
		{Name: "processing", Columns: []string{"webhook_id", "lease_by"}, Where: "state = 'processing'"},
		// Of each record what has not ended, and what waits for that.
		{Name: "open", Columns: []string{"webhook_id", "res_id", "model", "id"}, Where: "state in ('pending', 'processing', 'failed')"},
		{Name: "waits", Columns: []string{"webhook_id", "res_id", "model", "(" + inOrder + ")"}, Where: "waits"},
	}
}

func attemptModel() *schema.Model {
	return &schema.Model{
		Name: AttemptModel, Label: "Webhook Attempt", Table: "gateway_webhook_attempt", Order: "id desc", RecName: "-",
		AdminOnly: true, NoLog: true, NoCreate: true,
		// An outcome that is written again, as the answer of its commit was lost, is no second attempt.
		Uniques: []schema.Unique{{Name: "job_at_uniq", Columns: []string{"job_id", "at"}, Message: "This attempt is kept already"}},
		Fields: []*schema.Field{
			schema.NewMany2one("job_id", "Job", JobModel).Req().OnDeleteDo(schema.Cascade).RO(),
			schema.NewMany2one("webhook_id", "Webhook", Model).Req().OnDeleteDo(schema.Cascade).RO().Index(),
			schema.NewDatetime("at", "At").Req().RO(),
			schema.NewInteger("status", "Status").RO().Helped("Of the answer; 0: there was none"),
			schema.NewInteger("duration_ms", "Duration (ms)").RO(),
			schema.NewText("error", "Error").RO(),
			schema.NewText("response", "Response").RO().Helped("The beginning of the answer"),
		},
	}
}
