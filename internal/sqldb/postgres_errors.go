package sqldb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// postgresError finds the kind of an error of the driver or the server; nil
// stays nil. ctx may be what ended the statement.
func postgresError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		if isConnectionError(err) {
			return of(ErrUnavailable, err)
		}
		return fmt.Errorf("sqldb: %w", err)
	}
	switch pg.Code {
	case "23505", "23P01":
		return postgresViolation(Unique, pg)
	case "23503", "23001":
		return postgresViolation(ForeignKey, pg)
	case "23502":
		return postgresViolation(NotNull, pg)
	case "23514":
		return postgresViolation(Check, pg)
	case "42703", "42P01":
		return of(ErrOutdated, pg)
	case "22025":
		return of(ErrBadPattern, pg)
	case "25006":
		return of(ErrReadOnly, pg)
	case "40001", "40P01":
		return of(ErrConflict, pg)
	case "55P03", "57014", "57P01", "57P02", "57P03", "57P05":
		return of(ErrUnavailable, pg) // lock or statement timeout, shutdown
	}
	if isStalePlan(pg) {
		return of(ErrConflict, pg)
	}
	if pg.Code == "0A000" && strings.Contains(pg.Message, "during recovery") {
		return of(ErrReadOnly, pg) // a standby
	}
	switch pg.Code[:2] {
	case "22":
		return of(ErrBadValue, pg)
	case "54":
		return of(ErrTooLarge, pg)
	case "08", "53", "58", "28", "3D":
		return of(ErrUnavailable, pg) // connection, resources, system, login, no such database
	}
	return fmt.Errorf("sqldb: %w", pg)
}

func isConnectionError(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return pgconn.Timeout(err) || pgconn.SafeToRetry(err) || isClosed(err)
}

// isClosed recognises what the driver says about a connection that broke.
func isClosed(err error) bool {
	text := err.Error()
	return strings.Contains(text, "EOF") || strings.Contains(text, "conn closed") ||
		strings.Contains(text, "closed network connection") || strings.Contains(text, "closed pool") ||
		strings.Contains(text, "reset by peer") || strings.Contains(text, "broken pipe")
}

// postgresViolation reads the columns from details like "Key (a, b)=(1, 2)
// already exists."; expressions of an index appear there too.
func postgresViolation(kind ViolationKind, pg *pgconn.PgError) error {
	v := &Violation{Kind: kind, Table: pg.TableName, Constraint: pg.ConstraintName, cause: pg}
	if pg.ColumnName != "" {
		v.Columns = []string{pg.ColumnName}
	} else if rest, ok := strings.CutPrefix(pg.Detail, "Key ("); ok {
		if names, _, ok := strings.Cut(rest, ")="); ok {
			for name := range strings.SplitSeq(names, ", ") {
				v.Columns = append(v.Columns, strings.Trim(name, `"`))
			}
		}
	}
	return v
}

// isStalePlan says that a prepared statement does not fit the tables any more,
// or that the server forgot it: it works once it is prepared again.
func isStalePlan(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == "0A000" && strings.Contains(pg.Message, "cached plan") || pg.Code == "26000" || pg.Code == "42804")
}
