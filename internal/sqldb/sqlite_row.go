package sqldb

import (
	"strconv"
	"time"

	"zombiezen.com/go/sqlite"
)

// sqliteRow reads the current row of a statement. Text is read in SQLite's own
// memory, which stays in place while the row is current because no method asks
// SQLite to convert a value.
type sqliteRow struct {
	stmt    *sqlite.Stmt
	text    grab
	scratch []byte // numbers as text, for Bytes
}

// grab keeps what a reader hands over instead of copying it.
type grab struct{ b []byte }

func (g *grab) Write(p []byte) (int, error) {
	g.b = p
	return len(p), nil
}

func (r *sqliteRow) reset(stmt *sqlite.Stmt) {
	r.stmt = stmt
	r.scratch = r.scratch[:0]
}

// raw is a text or binary column in SQLite's memory.
func (r *sqliteRow) raw(i int) []byte {
	r.text.b = nil
	_, _ = r.stmt.ColumnReader(i).WriteTo(&r.text)
	return r.text.b
}

func (r *sqliteRow) Null(i int) bool { return r.stmt.ColumnType(i) == sqlite.TypeNull }

func (r *sqliteRow) Int(i int) int64 { return r.stmt.ColumnInt64(i) }

func (r *sqliteRow) Float(i int) float64 { return r.stmt.ColumnFloat(i) }

func (r *sqliteRow) Bool(i int) bool {
	if r.stmt.ColumnType(i) == sqlite.TypeText {
		return parseBool(r.raw(i))
	}
	return r.stmt.ColumnInt64(i) != 0
}

func (r *sqliteRow) Text(i int) string { return string(r.Bytes(i)) }

func (r *sqliteRow) Bytes(i int) []byte {
	start := len(r.scratch)
	switch r.stmt.ColumnType(i) {
	case sqlite.TypeNull:
		return nil
	case sqlite.TypeInteger:
		r.scratch = strconv.AppendInt(r.scratch, r.stmt.ColumnInt64(i), 10)
	case sqlite.TypeFloat:
		r.scratch = appendFloat(r.scratch, r.stmt.ColumnFloat(i), 64)
	default:
		return r.raw(i)
	}
	return r.scratch[start:len(r.scratch):len(r.scratch)]
}

func (r *sqliteRow) Time(i int) time.Time {
	if r.stmt.ColumnType(i) != sqlite.TypeText {
		return time.Time{}
	}
	t, _ := parseTime(r.raw(i))
	return t
}

func (r *sqliteRow) IDs(i int) []int64 {
	if r.stmt.ColumnType(i) != sqlite.TypeText {
		return nil
	}
	return parseIDs(r.raw(i))
}

// Key begins with a letter for the type: a number is no equal of its text here.
func (r *sqliteRow) Key(i int) string {
	switch r.stmt.ColumnType(i) {
	case sqlite.TypeNull:
		return ""
	case sqlite.TypeInteger:
		return "i" + strconv.FormatInt(r.stmt.ColumnInt64(i), 10)
	case sqlite.TypeFloat:
		return "f" + strconv.FormatFloat(r.stmt.ColumnFloat(i), 'g', -1, 64)
	default:
		return "t" + string(r.raw(i))
	}
}
