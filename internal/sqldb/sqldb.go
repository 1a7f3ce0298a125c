// Package sqldb is the one way to a database: SQLite or PostgreSQL behind one
// small interface. It is the only package that names a driver.
//
// SQL is written once, in the subset that both share, with $1 placeholders.
// What differs is a named method of Dialect.
//
// Errors are the same on both: *Violation, ErrUnavailable, ErrBadValue,
// ErrBadPattern, ErrOutdated, ErrReadOnly, ErrConflict, or the context's own error. Any
// other error is a mistake in the SQL or in how this package is used.
package sqldb

import (
	"context"
	"time"
)

// Row is the current row of a query. It and every []byte it gives are valid
// only until the callback that received it returns. Columns count from 0.
type Row interface {
	Null(i int) bool
	// Int reads integers of any width and booleans (0, 1), and numbers with a
	// fraction cut towards zero; NULL reads 0.
	Int(i int) int64
	// Float reads float and numeric columns as double precision; NULL reads 0.
	Float(i int) float64
	// Bool reads booleans; NULL reads false.
	Bool(i int) bool
	// Text copies; NULL reads "". Any type reads as its text: timestamps as
	// "2006-01-02 15:04:05" with a fraction of up to six digits when there is
	// one, dates as "2006-01-02", floats as PostgreSQL writes them, binary
	// columns as they are. SQLite has no boolean type: there a boolean reads
	// as "1" or "0", on PostgreSQL as "true" or "false".
	Text(i int) string
	// Bytes is Text or a binary column without the copy. Read only.
	Bytes(i int) []byte
	// Time reads date and timestamp columns as UTC; NULL reads the zero time.
	Time(i int) time.Time
	// IDs reads what Dialect.AggIDs made, without its NULL elements; NULL
	// reads nil.
	IDs(i int) []int64
	// Key is a value of any type as a text from which Dialect.KeyArg makes an
	// argument that is equal to it, to the last bit; "" for NULL.
	Key(i int) string
}

// Stmt is one statement of a Batch.
type Stmt struct {
	SQL  string
	Args []any
	// Each is called for every row, in order; nil when no rows are expected.
	Each func(Row) error
	// Sure says that Each does not fail. Then it need not keep a transaction
	// from its commit, and the statement may travel with that; see Tx.Last.
	Sure bool
	// Affected, if not nil, receives the number of rows changed.
	Affected *int64
}

// Querier runs statements. Arguments may be nil, bool, int, int64, float64
// (finite), string (UTF-8 without NUL), []byte (nil is NULL), time.Time
// (timestamp, to the microsecond, in the years 1 to 9999), []int64, []string
// (both for Dialect.In; nil is empty). Dates are given as text. The number of
// arguments must be that of the placeholders; these may stand in any order and
// be repeated. Statements are prepared once per connection and kept.
//
// A Querier belongs to the callback that received it and to one goroutine. It
// can't be used while one of its own queries calls each.
type Querier interface {
	Dialect() Dialect
	// Query calls each for every row, in order; each's error ends the query and is returned.
	Query(ctx context.Context, sql string, args []any, each func(Row) error) error
	// Exec gives the number of rows changed.
	Exec(ctx context.Context, sql string, args ...any) (int64, error)
	// Batch runs statements in order: in one round trip on PostgreSQL. The
	// first error ends it and is returned; on PostgreSQL an error of an Each
	// does not keep the statements after it from running.
	Batch(ctx context.Context, stmts []Stmt) error
	// Visible names the committed data that the next statement sees. Two equal
	// tokens got from the same DB mean the very same data; unequal tokens mean
	// nothing. In a Snapshot the token holds for all of its statements, so ask
	// first. In a Write it is never equal to another.
	Visible(ctx context.Context) (string, error)
}

// Tx is a running write transaction. After a statement failed, all others
// fail too until the Savepoint around it, or the transaction, has been rolled
// back. On PostgreSQL a transaction is READ COMMITTED: lock what you read and
// then change with Dialect.ForUpdate.
type Tx interface {
	Querier
	// Savepoint runs fn inside a nested transaction that is rolled back alone
	// when fn fails; fn's error is returned.
	Savepoint(ctx context.Context, fn func() error) error
	// Signal tells every node (this one included) that what the channel stands
	// for has changed, if and when the transaction commits. Listeners of this
	// process have run before Write returns. A channel has 1 to 200 bytes.
	Signal(ctx context.Context, channel string) error
	// OnCommit runs fn after a successful commit, before Write returns.
	OnCommit(fn func())
	// Copy inserts many rows fast (COPY on PostgreSQL).
	Copy(ctx context.Context, table string, columns []string, rows [][]any) (int64, error)
	// Last runs statements as the very last of the transaction: on PostgreSQL
	// they travel with the commit and cost no round trip of their own, if their
	// Each is nil or Sure. Their errors are returned by Write.
	Last(stmts ...Stmt)
	// Relaxed lets the commit not wait for the disk: when the database server
	// crashes (not this process) right after it, the transaction may be
	// forgotten as a whole. SQLite does not wait anyway.
	Relaxed()
}

// DB is an open database: a pool of connections. Safe for concurrent use.
type DB interface {
	Dialect() Dialect
	// Read lends a connection for reading, each statement on its own snapshot.
	Read(ctx context.Context, fn func(Querier) error) error
	// Snapshot lends a connection for reading, all statements on one snapshot.
	Snapshot(ctx context.Context, fn func(Querier) error) error
	// Write runs fn in one transaction and commits it if fn returns nil. On
	// SQLite one writer runs at a time, others wait in order until ctx ends:
	// a Write inside fn would wait for itself.
	// fn is run again when the database asks for it (deadlock, serialization),
	// so it must not have effects outside the transaction except by OnCommit.
	Write(ctx context.Context, fn func(Tx) error) error
	// Watch calls fn with the channel of every Signal committed on any node,
	// from when Watch returns until stop is called; signals that follow each
	// other closely may come as one. After a lost connection fn is called with ""
	// (anything may have changed). Signals of this process come at once, those
	// of others within a second. fn must return quickly.
	Watch(fn func(channel string)) (stop func())
	// Backup writes all of one moment to a new file that only its owner can
	// read, while others go on. Nothing is left of one that fails.
	Backup(ctx context.Context, path string) error
	// Ping says whether the database answers.
	Ping(ctx context.Context) error
	// Close waits for running calls, then closes every connection.
	Close() error
}
