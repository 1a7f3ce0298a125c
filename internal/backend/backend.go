// Package backend is the seam between the API and what answers it: the
// embedded engine, a real Odoo, or Odoo's own database. It holds the interface
// and the values that cross it, and no logic.
package backend

import (
	"context"

	"gatehouse/internal/domain"
	"gatehouse/internal/schema"
)

// Caller says on whose behalf a call is made.
type Caller struct {
	UserID int64
	// Superuser calls skip rights and record rules (Odoo's sudo). Never set from a request.
	Superuser bool
	// Admin calls may use Gatehouse's own models (schema.Model.AdminOnly).
	Admin bool
	// LooseLinks switches many2one protection off: Odoo itself lets a caller
	// link records that he may not read.
	LooseLinks bool
	// InScope says whether the credential covers a change of another model that
	// values bring along in their lists; nil: any.
	InScope func(model string, mode schema.Mode) bool
	Context Context
}

// Context is the part of Odoo's context that the backends understand.
type Context struct {
	Lang         string         // "" is en_US
	TZ           string         // "" is UTC, but see domain values in the Odoo semantics
	CompanyIDs   []int64        // allowed_company_ids; empty: all companies of the user
	KeepArchived bool           // active_test = false
	Defaults     map[string]any // default_<field>
}

// Query asks for records.
type Query struct {
	Model string
	// IDs restricts to these records; then each must exist (NotFound) and be
	// readable (Forbidden). Domain and paging do not go with it.
	IDs []int64
	// DomainText is a domain as the caller wrote it; Domain one that is parsed
	// already. Both may be given; both must hold.
	DomainText string
	Domain     domain.Node
	// Fields to read; nil: all stored, non-binary fields the caller may read.
	Fields []string
	Order  string // "" is the model's own order
	Limit  int    // 0: none
	Offset int
	// Count asks for the number of matches without Limit and Offset.
	Count bool
}

// Column describes one field of an answer.
type Column struct {
	Name  string
	Field *schema.Field
}

// Sink receives an answer: Columns once, then Row for each record in order.
// The row and the bytes its values point to are valid only during the call.
type Sink interface {
	Columns(cols []Column) error
	Row(row []Value) error
}

// Values are the fields to write, by name, in Odoo's own shapes: numbers (any
// Go integer or float, json.Number), text, bool, nil, ids, x2many commands.
type Values = map[string]any

// Created is the outcome of a create.
type Created struct {
	IDs []int64
	// Once holds secrets that are shown this one time, by name ("key",
	// "secret"), for each record; nil where there are none.
	Once []map[string]string
}

// Backend answers for records. Every method takes its rights from the caller.
// Errors are faults: NotFound, Forbidden, BadRequest, Unprocessable, Conflict,
// Unavailable, BadGateway, GatewayTimeout or Internal.
type Backend interface {
	// Model describes a model that the caller may use in any way. An unknown or
	// inaccessible one is NotFound, with the nearest name the caller may see.
	Model(ctx context.Context, c *Caller, name string) (*schema.Model, error)
	// Models lists the names of all models the caller may use, sorted.
	Models(ctx context.Context, c *Caller) ([]string, error)
	// Search finds records and gives them to the sink. The result is the total
	// if q.Count, else -1.
	Search(ctx context.Context, c *Caller, q *Query, sink Sink) (int64, error)
	// Create makes records, all or none.
	Create(ctx context.Context, c *Caller, model string, values []Values) (*Created, error)
	// Write changes records, all or none.
	Write(ctx context.Context, c *Caller, model string, ids []int64, values Values) error
	// Unlink deletes records, all or none.
	Unlink(ctx context.Context, c *Caller, model string, ids []int64) error
	// Call runs a public business method on records (ids may be empty for
	// methods of the model). The result is anything that encodes to JSON.
	Call(ctx context.Context, c *Caller, model, method string, ids []int64, args Values) (any, error)
	// Ready says whether the backend can answer.
	Ready(ctx context.Context) error
}
