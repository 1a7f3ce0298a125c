package job

import "gatehouse/internal/schema"

// Model is the name of the records of this package.
const Model = "gateway.job"

// Models declares gateway.job. Its rows are written here; package gateway
// keeps callers from changing more than paused.
func Models() []*schema.Model {
	return []*schema.Model{{
		Name: Model, Label: "Job", Table: "gateway_job", Order: "name",
		AdminOnly: true, NoLog: true, NoCreate: true,
		Uniques: []schema.Unique{{Name: "name_uniq", Columns: []string{"name"}, Message: "There is a job of this name"}},
		Fields: []*schema.Field{
			schema.NewChar("name", "Name").Req().RO(),
			schema.NewChar("description", "Description").RO(),
			schema.NewChar("schedule", "Schedule").RO().Helped("When it runs, in words"),
			schema.NewInteger("interval", "Interval (s)").RO(),
			schema.NewBoolean("paused", "Paused").Def(false).Helped("A paused job does not run by itself"),
			schema.NewDatetime("last_run", "Last Run").RO().Helped("When the last run began"),
			schema.NewFloat("last_duration", "Duration (s)", 3).RO().Helped("Of the last run that ended"),
			schema.NewText("last_result", "Result").RO().Helped("What the last run that succeeded has done"),
			schema.NewText("last_error", "Error").RO().Helped("Why the last run failed; empty when it did not"),
			schema.NewInteger("failures", "Failures").RO().Def(0).Helped("Failed runs in a row"),
			schema.NewDatetime("next_run", "Next Run").RO(),
			schema.NewBoolean("running", "Running").ComputedSQL(
				`({t}."lease_until" is not null and {t}."lease_until" > current_timestamp)`),
			schema.NewChar("node", "Node").RO().Helped("The process that runs it, or ran it last"),
			schema.NewDatetime("lease_until", "Lease Until").RO().
				Helped("Until then the node has it for itself; renewed while it runs"),
			schema.NewBoolean("active", "Active").RO().Def(true).Helped("No longer set when this version has no such job"),
		},
	}}
}
