// Package backend is the seam between the API and what answers it: the
// embedded engine, a real Odoo, or Odoo's own database. It holds the interface
// and the values that cross it, and no logic.
package backend

import (
	"context"
	"errors"

	"gatehouse/internal/audit"
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
	// OdooWays takes input as Odoo does where Gatehouse's own API is stricter:
	// methods on no records, values that Odoo makes something of. LooseLinks
	// implies it.
	OdooWays bool
	// InScope says whether the credential covers a change of another model that
	// values bring along in their lists; nil: any.
	InScope func(model string, mode schema.Mode) bool
	// Ungranting is why the credential may not change who may do what (see
	// access.Grants), whatever its user may; nil: it may.
	Ungranting error
	// Origin is who asks and from where, for the audit trail.
	Origin audit.Origin
	// Account is the credential of the call, for a backend whose users are its own.
	Account Account
	Context Context
}

// Account is the credential that a call comes with.
type Account struct {
	Kind string // as package identity names it
	ID   int64  // its row, 0 for those of users
	Key  string `json:"-"` // the caller's own key, where it goes through to an Odoo
	UID  int64  // as whom it calls the Odoo, by the Odoo's id; 0: not known
}

// Context is the part of Odoo's context that the backends understand.
type Context struct {
	Lang         string         // "" is en_US
	TZ           string         // "" is UTC, but see domain values in the Odoo semantics
	CompanyIDs   []int64        // allowed_company_ids; empty: all companies of the user
	KeepArchived bool           // active_test = false
	Defaults     map[string]any // default_<field>
	// BinSize asks for the sizes of files in place of their bytes (bin_size),
	// BinSizes for those of these fields (bin_size_<field>), sorted.
	BinSize  bool
	BinSizes []string
	Unknown  []string // the other keys, sorted
	// Lazy minds companies and language that the caller may not use, or that
	// do not exist, only where the answer depends on them, as Odoo does.
	Lazy bool
}

// Query asks for records.
type Query struct {
	Model string
	// IDs restricts to these records; then each must exist (NotFound) and be
	// readable (Forbidden). Domain and paging do not go with it.
	IDs []int64
	// SkipMissing leaves ids out that do not exist.
	SkipMissing bool
	// DomainText is a domain as the caller wrote it; Domain one that is parsed
	// already. Both may be given; both must hold.
	DomainText string
	Domain     domain.Node
	// Fields to read; nil: all stored, non-binary fields the caller may read.
	Fields []string
	// AllFields takes nil Fields as Odoo does: computed and binary ones too.
	AllFields bool
	// BareIDs leaves the names of many2one targets out.
	BareIDs bool
	Order   string // "" is the model's own order
	Limit   int    // 0: none
	Offset  int
	// Count asks for the number of matches without Limit, Offset and Keyset.
	Count bool
	// Version asks for a further, last column, VersionColumn: a value that is
	// another one after every change of the record. Some models have none.
	Version bool
	// Keyset reads on behind a record; nil: nobody wants to.
	Keyset *Keyset
}

// Keyset is how a list is read page by page without counting records off: each
// page begins behind the last record of the one before, whatever came or went.
type Keyset struct {
	// After is the Next of an earlier page of the same list by the same caller;
	// "" begins.
	After string
	// Wanted refuses an order that cannot be read on by, in place of no Next.
	Wanted bool
	// Next is set by Search: the text to go on with, "" after the last page.
	Next string
}

// VersionColumn is the name of the column that Query.Version asks for.
const VersionColumn = ""

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

// Summary is a model in a list of models.
type Summary struct {
	Name, Label string
	May         [4]bool // by schema.Mode
}

// Description is what a field is like: values that encode to JSON, by Odoo's
// names of the attributes.
type Description = map[string]any

// ErrHidden is the cause of a NotFound for a model that exists, but that the
// caller may not use in any way.
var ErrHidden = errors.New("the caller may not use this model")

// ErrNoMethod is the cause of a NotFound for a method that the model does not have.
var ErrNoMethod = errors.New("the model has no such method")

// Backend answers for records. Every method takes its rights from the caller.
// Errors are faults: NotFound, Forbidden, BadRequest, Unprocessable, Conflict,
// Unavailable, BadGateway, GatewayTimeout or Internal.
type Backend interface {
	// Model describes a model that the caller may use in any way. An unknown or
	// inaccessible one is NotFound, with the nearest name the caller may see.
	Model(ctx context.Context, c *Caller, name string) (*schema.Model, error)
	// Models lists all models the caller may use, sorted by name.
	Models(ctx context.Context, c *Caller) ([]Summary, error)
	// Search finds records and gives them to the sink. The result is the total
	// if q.Count, else -1.
	Search(ctx context.Context, c *Caller, q *Query, sink Sink) (int64, error)
	// Group puts records together by what they have in common and gives figures
	// about the groups.
	Group(ctx context.Context, c *Caller, q *GroupQuery) (*Groups, error)
	// Create makes records, all or none.
	Create(ctx context.Context, c *Caller, model string, values []Values) (*Created, error)
	// Write changes records, all or none.
	Write(ctx context.Context, c *Caller, model string, ids []int64, values Values) error
	// Unlink deletes records, all or none.
	Unlink(ctx context.Context, c *Caller, model string, ids []int64) error
	// Call runs a public business method on records (ids may be empty for
	// methods of the model). The result is anything that encodes to JSON.
	Call(ctx context.Context, c *Caller, model, method string, ids []int64, args Values) (any, error)
	// May says whether the caller may do something with a model and, if there
	// are ids, with all of these records (NotFound where one does not exist).
	May(ctx context.Context, c *Caller, model string, mode schema.Mode, ids []int64) (bool, error)
	// Describe tells what the fields of a model are like that the caller may see
	// (Odoo's fields_get): attributes by their Odoo names, by field. The model may
	// be one without records, and one that the caller may not use. nil is all
	// fields, or all attributes; names that do not exist are left out.
	Describe(ctx context.Context, c *Caller, model string, fields, attributes []string) (map[string]Description, error)
	// Defaults gives what the fields of a new record start with; those that
	// start with nothing are left out.
	Defaults(ctx context.Context, c *Caller, model string, fields []string) (Values, error)
	// Ready says whether the backend can answer.
	Ready(ctx context.Context) error
}

// Atomic is a Backend that can make one transaction of several calls.
type Atomic interface {
	// Transacts says whether it can for a model, and for batches over models, "".
	Transacts(c *Caller, model string) bool
	// Atomically runs fn in a transaction, which is committed if fn returns nil,
	// else undone. The calls that fn makes with its context belong to it and see
	// each other's changes; after a change has failed nothing is committed. Inside
	// of fn it is the same transaction. fn may be run again, so it must not have
	// other effects. Nobody else may use its context, and not after its end.
	Atomically(ctx context.Context, fn func(ctx context.Context) error) error
	// Hold keeps others from changing records until the transaction of ctx ends.
	// It asks for no rights and minds no missing ones.
	Hold(ctx context.Context, model string, ids []int64) error
}

// Upserter is a Backend that can create or update records by a key.
type Upserter interface {
	// Upsert updates the record that each of the values names by the field key
	// and creates those that there are not, all or none. key may be ExternalID.
	// Two at the same time make one record. The caller needs the rights for both.
	Upsert(ctx context.Context, c *Caller, model, key string, values []Values) ([]Upserted, error)
}

// ExternalID is the key of Upsert that stands for external ids such as
// shop.customer_7 (Odoo's ir.model.data) in place of a field.
const ExternalID = "external_id"

// Upserted is what became of one of the values of an Upsert.
type Upserted struct {
	ID      int64
	Created bool
}
