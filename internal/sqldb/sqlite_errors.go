package sqldb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"
)

// sqliteContextError is sqliteError for a statement that ctx may have stopped.
func sqliteContextError(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil && sqlite.ErrCode(err) == sqlite.ResultInterrupt {
		return ended
	}
	return sqliteError(err)
}

// sqliteError finds the kind of an error that SQLite returned.
func sqliteError(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	code := sqlite.ErrCode(err)
	switch code.ToPrimary() {
	case sqlite.ResultConstraint:
		return sqliteViolation(code, err)
	case sqlite.ResultBusy, sqlite.ResultLocked, sqlite.ResultCantOpen, sqlite.ResultFull,
		sqlite.ResultIOErr, sqlite.ResultNoMem, sqlite.ResultProtocol:
		return of(ErrUnavailable, err)
	case sqlite.ResultReadOnly:
		return of(ErrReadOnly, err)
	case sqlite.ResultTooBig, sqlite.ResultMismatch, sqlite.ResultRange:
		return of(ErrBadValue, err)
	default:
		text := err.Error() // the code says no more than "error"
		for _, known := range []string{"integer overflow", "malformed JSON", "JSON path error"} {
			if strings.Contains(text, known) {
				return of(ErrBadValue, err)
			}
		}
		for _, known := range []string{
			"too many ", "Expression tree is too large", "Recursion limit", "parser stack overflow", "tables in a join",
		} {
			if strings.Contains(text, known) {
				return of(ErrTooLarge, err)
			}
		}
		for _, known := range []string{"no such column", "no such table", "has no column named"} {
			if strings.Contains(text, known) {
				return of(ErrOutdated, err)
			}
		}
		return fmt.Errorf("sqldb: %w", err)
	}
}

// sqliteViolation reads "UNIQUE constraint failed: t.a, t.b", "NOT NULL
// constraint failed: t.a", "CHECK constraint failed: name" or "UNIQUE
// constraint failed: index 'name'".
func sqliteViolation(code sqlite.ResultCode, err error) error {
	v := &Violation{cause: err}
	_, detail, _ := strings.Cut(err.Error(), "constraint failed: ")
	if _, inner, ok := strings.Cut(detail, "constraint failed: "); ok {
		detail = inner // the driver puts its own "constraint failed" in front
	}
	switch code {
	case sqlite.ResultConstraintUnique, sqlite.ResultConstraintPrimaryKey, sqlite.ResultConstraintRowID:
		v.Kind = Unique
	case sqlite.ResultConstraintForeignKey, sqlite.ResultConstraintTrigger:
		v.Kind = ForeignKey // "on delete restrict" is a trigger inside SQLite
		return v
	case sqlite.ResultConstraintNotNull:
		v.Kind = NotNull
	case sqlite.ResultConstraintCheck:
		v.Kind, v.Constraint = Check, detail
		return v
	default:
		return fmt.Errorf("sqldb: %w", err)
	}
	if name, ok := strings.CutPrefix(detail, "index '"); ok {
		v.Constraint = strings.TrimSuffix(name, "'")
		return v
	}
	for column := range strings.SplitSeq(detail, ", ") {
		if dot := strings.LastIndexByte(column, '.'); dot >= 0 {
			v.Table = column[:dot]
			v.Columns = append(v.Columns, column[dot+1:])
		}
	}
	return v
}

// violationDetails adds the name of the unique index, which SQLite leaves out
// though PostgreSQL tells it.
func (c *sqliteConn) violationDetails(err error) error {
	v, ok := errors.AsType[*Violation](err)
	if !ok || v.Kind != Unique || v.Constraint != "" || v.Table == "" {
		return err
	}
	const query = `select l.name, (select group_concat(name, ', ') from (select i.name from pragma_index_info(l.name) as i order by seqno))
		from pragma_index_list($1) as l where l."unique" and l.origin = 'c'`
	columns := strings.Join(v.Columns, ", ")
	_, _ = c.run(context.Background(), query, []any{v.Table}, func(r Row) error {
		if r.Text(1) == columns {
			v.Constraint = r.Text(0)
		}
		return nil
	})
	return err
}
