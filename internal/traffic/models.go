package traffic

import (
	"context"
	"strings"

	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// Model is the name of the traffic log's records.
const Model = "gateway.log"

// Models declares gateway.log. Its table is made by Prepare, its rows are
// written here alone; package gateway keeps everybody from changing them.
func Models() []*schema.Model { return []*schema.Model{logModel()} }

func logModel() *schema.Model {
	return &schema.Model{
		Name: Model, Label: "Traffic Log", Table: "gateway_log", Order: "id desc", RecName: "request_id",
		AdminOnly: true, NoLog: true, NoCreate: true,
		Fields: []*schema.Field{
			schema.NewDatetime("create_date", "Time").Req().RO().Helped("When the request came in"),
			schema.NewChar("request_id", "Request Id").RO(),
			schema.NewChar("trace_id", "Trace Id").RO().Helped("Of the distributed trace that the request is part of"),
			schema.NewChar("method", "Method").RO(),
			schema.NewText("path", "Path").RO(),
			schema.NewChar("route", "Route").RO().Helped("The pattern that took the request; empty: none did"),
			schema.NewChar("model", "Model").RO(),
			schema.NewText("query", "Query").RO(),
			schema.NewInteger("status", "Status").RO(),
			schema.NewFloat("latency_ms", "Latency (ms)", -1).RO(),
			schema.NewText("steps", "Steps").RO().Helped("JSON: how many milliseconds each step of the pipeline took"),
			schema.NewInteger("bytes_in", "Bytes In").RO(),
			schema.NewInteger("bytes_out", "Bytes Out").RO(),
			schema.NewChar("ip", "IP Address").RO(),
			schema.NewText("user_agent", "User Agent").RO(),
			// The log outlives users: there is no foreign key, see logTable.
			schema.NewMany2one("user_id", "User", "res.users").RO(),
			schema.NewChar("login", "Login").RO(),
			schema.NewSelection("credential", "Credential", "jwt", "User Token", keyCredential, "API Key", "user_key", "User API Key",
				clientCredential, "OAuth2 Client", "session", "Session").RO(),
			schema.NewInteger("credential_id", "Credential Id").RO(),
			schema.NewChar("caller", "Caller").RO().Helped("user:2, key:3, client:4 or anonymous"),
			schema.NewChar("error_type", "Error Type").RO(),
			schema.NewText("error_message", "Error Message").RO().Helped("What the caller was told, and of internal errors the cause"),
			schema.NewText("stack", "Stack").RO(),
			schema.NewText("request_headers", "Request Headers").RO().Helped("A JSON object"),
			schema.NewText("request_body", "Request Body").RO(),
			schema.NewText("response_body", "Response Body").RO(),
			schema.NewSelection("level", "Level", "errors", "Errors", "metadata", "Metadata", "full", "Full").RO().
				Helped("The log level that the request was kept at"),
		},
	}
}

// logTable makes gateway_log. It is made here, before the engine finds it,
// because on PostgreSQL it has a partition for each day: dropping one costs
// nothing, however many rows it has. Ids have 64 bits. There is no foreign key
// to users: dropping a partition would have to lock them.
//
// SQLite has no partitions; LogVacuum says what stands in for them.
//
// The index on the time has the name of the index that the engine would make
// for the default order, which the primary key serves as well: one less to
// write with each entry.
func logTable(ctx context.Context, tx sqldb.Tx) error {
	d := tx.Dialect()
	parts := []string{"id " + d.ColumnType(sqldb.SerialPK)}
	if d.Name() == "postgres" {
		parts[0] = "id bigserial not null"
	}
	for _, f := range logModel().Fields {
		part := sqldb.Quote(f.Name) + " " + d.ColumnType(f.ColumnKind())
		if f.Name == "create_date" {
			part += " not null"
		}
		parts = append(parts, part)
	}
	end := ")"
	if d.Name() == "postgres" {
		end = ", primary key (id, create_date)) partition by range (create_date)"
	}
	return sqldb.Script(ctx, tx, "create table gateway_log ("+strings.Join(parts, ", ")+end+`;
		create index gateway_log__order_index on gateway_log (create_date);
		create index gateway_log_request_id_index on gateway_log (request_id)`)
}
