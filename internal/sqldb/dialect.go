package sqldb

import (
	"slices"
	"strings"
)

// ColumnKind is what a column holds, in our terms; Dialect.ColumnType gives
// the type that the database has for it.
type ColumnKind uint8

// The kinds of columns.
const (
	SerialPK  ColumnKind = iota + 1 // integer primary key that numbers itself; explicit ids may be inserted
	Int4                            // 32 bits; SQLite takes 64
	Int8                            // 64 bits
	Bool                            // boolean
	Float8                          // double precision
	Numeric                         // exact decimal; double precision on SQLite
	Varchar                         // text; "(n)" may be appended, SQLite does not enforce it
	Text                            // text
	Date                            // day, as text "2006-01-02" on SQLite
	Timestamp                       // UTC without zone, to the microsecond; text on SQLite
	JSON                            // jsonb; text on SQLite
	Bytes                           // bytea; blob on SQLite
)

// Dialect writes the SQL that differs between the two databases. Expressions
// and placeholders ($1) are put into the result as they are, a placeholder
// possibly more than once; keys, parts and time zones are quoted here. A
// Dialect is immutable.
type Dialect interface {
	// Name is "sqlite" or "postgres".
	Name() string
	// ColumnType is the type for a column definition. SerialPK includes
	// "primary key".
	ColumnType(kind ColumnKind) string
	// AddColumn is a statement that adds a column; definition is its type and
	// constraints. SQLite wants a default for "not null" and none for "references".
	AddColumn(table, column, definition string) string
	// SyncSequence is a query that makes the table's SerialPK continue after
	// its highest id. Run it after explicit ids were inserted.
	SyncSequence(table string) string

	// NextBelow is, inside the values of an insert, the next id of a SerialPK
	// below a bound, from which on ids are given; "" where given ids leave the
	// numbering as it is, so that the id can be left out.
	NextBelow(table string, bound int64) string

	// SelfID is, inside the values of an insert, the id that the new row's
	// SerialPK gets. One row per statement.
	SelfID(table string) string

	// In tests expr against a []int64 argument (ints) or a []string argument.
	// Nothing is in the empty list.
	In(expr, placeholder string, ints bool) string
	// NotIn is the opposite of In, and like SQL's unknown for a NULL expr
	// unless the list is empty.
	NotIn(expr, placeholder string, ints bool) string
	// Like is PostgreSQL's LIKE, or ILIKE when caseInsensitive: % and _ with
	// backslash as escape. expr must be text.
	Like(expr, placeholder string, caseInsensitive bool) string

	// JSONText is the text at key of a JSON object; NULL when absent or null.
	JSONText(expr, key string) string
	// JSONGet is the JSON value at key of a JSON object.
	JSONGet(expr, key string) string
	// JSONSetText is the object with key set to the text argument (JSON null
	// for NULL); a NULL expr counts as the empty object.
	JSONSetText(expr, key, placeholder string) string
	// JSONSet is the object with key set to the JSON value that the text
	// argument holds; a NULL expr counts as the empty object.
	JSONSet(expr, key, placeholder string) string
	// JSONRemove is the object without key.
	JSONRemove(expr, key string) string
	// JSONValue is the JSON value that a text argument holds.
	JSONValue(placeholder string) string
	// JSONPlain is a JSON value as text: that of a string, others as
	// PostgreSQL prints them; NULL for null.
	JSONPlain(expr string) string
	// JSONOrder is an expression that orders and compares JSON values as jsonb.
	JSONOrder(expr string) string
	// JSONElements is a table of the elements of a JSON list, texts and numbers
	// as plain values, in the column "value"; it is empty where expr is no list.
	JSONElements(expr string) string
	// JSONRows is a table of the lists of as many values that the JSON list in
	// a text argument holds, with the columns c1, c2 and so on: texts of the
	// kind Text, integers of the kind Int8, and moments of the kind Timestamp,
	// written as MomentLayout says.
	JSONRows(placeholder string, columns ...ColumnKind) string
	// JSONContains says whether one JSON value contains another (jsonb's @>).
	JSONContains(expr, part string) string

	// AggIDs gathers integers into a list, read by Row.IDs; orderBy may be "".
	AggIDs(expr, orderBy string) string
	// AggJSON gathers values of that kind into the text of a JSON array, NULLs
	// included; orderBy may be "". Moments lose their fraction.
	AggJSON(expr string, kind ColumnKind, orderBy string) string
	// AggJSONDistinct has every value once, in their own order, NULL last.
	AggJSONDistinct(expr string, kind ColumnKind) string
	// Decimals takes the noise of binary fractions out of what was computed from
	// Numeric columns, where these are such: PostgreSQL computes exactly.
	Decimals(expr string) string
	// BoolAnd and BoolOr aggregate booleans.
	BoolAnd(expr string) string
	BoolOr(expr string) string
	// Greatest and Least ignore NULLs.
	Greatest(exprs ...string) string
	Least(exprs ...string) string

	// TextOrder is an expression that orders text by code point.
	TextOrder(expr string) string
	// TxNumber is a number of the running transaction, in a row that it inserts
	// into the table, which has a SerialPK.
	TxNumber(table string) string
	// TxSnapshot is a text that says which transactions that wrote to the table
	// have ended: all below the number that it begins with, none from the one
	// behind its first colon on (the same number, where it has no colon), and of
	// those between, TxEnded knows.
	TxSnapshot(table string) string
	// TxEnded says whether a transaction had ended when the snapshot was taken.
	TxEnded(number, snapshot string) string

	// KeyArg makes the argument that is equal to a value which Row.Key has
	// read. It compares with expressions of the same type only.
	KeyArg(key string) (any, error)

	// CastText is PostgreSQL's text of a value of that kind.
	CastText(expr string, kind ColumnKind) string
	// FirstLine is a text up to its first line feed.
	FirstLine(expr string) string

	// DatePart is an integer: one of DateParts, of a date or timestamp in UTC,
	// in time zone tz ("" is none). An unknown part renders as null.
	DatePart(part, expr, tz string) string
	// Seconds is DatePart's second_number with its fraction, in double precision.
	Seconds(expr, tz string) string
	// DateTrunc is the start, in local time without zone, of the period that
	// expr (date or timestamp in UTC) falls into in time zone tz ("" is none).
	// granularity is hour, day, week, month, quarter or year; others render as null. weekStart is
	// the first day of weeks, from 0 for Monday to 6 for Sunday.
	DateTrunc(granularity, expr, tz string, weekStart int) string
	// Now is the statement's moment as a Timestamp.
	Now() string
	// WindowStart is the Timestamp at which the current window of that many
	// seconds (an integer expression) began: the last multiple of its length
	// since 1970-01-01 00:00:00 UTC, as of Now.
	WindowStart(seconds string) string
	// After is a Timestamp moved by that many seconds, an integer expression.
	After(expr, seconds string) string

	// ForUpdate is " for update", or "" where a writer is alone anyway.
	ForUpdate() string
	// ForUpdateSkipLocked is ForUpdate that passes over the rows of others.
	ForUpdateSkipLocked() string
	// ChangesInWith says that a query may change rows in its WITH clause.
	ChangesInWith() bool
}

// DateParts are the parts that Dialect.DatePart knows. day_of_week is 0 for
// Sunday; iso_week_number is ISO 8601's.
func DateParts() []string { return slices.Clone(dateParts) }

var (
	dateParts = []string{
		"year_number", "quarter_number", "month_number", "iso_week_number", "day_of_year",
		"day_of_month", "day_of_week", "hour_number", "minute_number", "second_number",
	}
	granularities = []string{"hour", "day", "week", "month", "quarter", "year"}
)

// MomentLayout is how a moment in UTC is written where it is part of a text argument.
const MomentLayout = "2006-01-02 15:04:05.999999"

// Quote makes an SQL identifier of any name.
func Quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// literal makes an SQL text literal.
func literal(s string) string {
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// mod7 makes a day of the week, 0 to 6, of any number.
func mod7(day int) int { return (day%7 + 7) % 7 }

func addColumn(table, column, definition string) string {
	return "alter table " + Quote(table) + " add column " + Quote(column) + " " + definition
}
