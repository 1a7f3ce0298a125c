package sqldb

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// The kinds of errors that callers tell apart, for errors.Is. The text of the
// errors that wrap them comes from the database and is for logs only.
var (
	// ErrUnavailable: the database can't be reached, is busy for too long, or
	// all connections are in use until the context's deadline.
	ErrUnavailable = errors.New("database unavailable")
	// ErrBadValue: a value does not fit its type: out of range, not a number,
	// NUL in text, unknown time zone.
	ErrBadValue = errors.New("bad value")
	// ErrOutdated: a statement names a table or column that is not there (any
	// more): another transaction changed the schema since it was written.
	ErrOutdated = errors.New("the schema has changed")
	// ErrBadPattern: a LIKE pattern ends with a lone backslash.
	ErrBadPattern = errors.New("bad pattern: ends with the escape character")
	// ErrTooLarge: a statement is more than the database takes: too many columns
	// or tables, conditions that nest too deep.
	ErrTooLarge = errors.New("statement too large")
	// ErrReadOnly: a change was tried outside Write or in a read-only database.
	ErrReadOnly = errors.New("read-only")
	// ErrConflict: the transaction lost against others, again after several tries.
	ErrConflict = errors.New("conflict with another transaction")

	errClosed = fmt.Errorf("%w: closed", ErrUnavailable)
	errNested = errors.New("sqldb: a statement inside the row callback of another on the same connection")
	errOver   = errors.New("sqldb: used after its callback returned")
)

// ViolationKind says which sort of constraint a Violation is about.
type ViolationKind uint8

// The kinds of Violation.
const (
	Unique ViolationKind = iota + 1
	ForeignKey
	NotNull
	Check
)

// String is the kind in words.
func (k ViolationKind) String() string {
	names := [...]string{"", "unique", "foreign key", "not null", "check"}
	if int(k) < len(names) {
		return names[k]
	}
	return ""
}

// Violation is a refused change: a constraint of the database does not hold.
// What the database does not tell is empty; SQLite tells nothing about foreign
// keys.
type Violation struct { //nolint:errname // the constraint is what is violated, not the program
	Kind       ViolationKind
	Table      string
	Columns    []string
	Constraint string
	cause      error
}

// Error gives the full text with the database's own words: for logs.
func (v *Violation) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s constraint violated", v.Kind)
	if v.Table != "" {
		fmt.Fprintf(&b, " on %s (%s)", v.Table, strings.Join(v.Columns, ", "))
	}
	if v.Constraint != "" {
		b.WriteString(" by " + v.Constraint)
	}
	if v.cause != nil {
		b.WriteString(": " + v.cause.Error())
	}
	return b.String()
}

// Unwrap gives the driver's error.
func (v *Violation) Unwrap() error { return v.cause }

// kindError is an error of one of the kinds above, with its cause.
type kindError struct{ kind, cause error }

func (e *kindError) Error() string   { return e.kind.Error() + ": " + e.cause.Error() }
func (e *kindError) Unwrap() []error { return []error{e.kind, e.cause} }

// of marks cause as an error of that kind.
func of(kind, cause error) error { return &kindError{kind: kind, cause: cause} }

// waitError is what a wait for a connection that ctx ended returns: a deadline
// also means that the database could not serve us in time.
func waitError(ctx context.Context, what string) error {
	err := ctx.Err()
	if errors.Is(err, context.DeadlineExceeded) {
		return of(ErrUnavailable, fmt.Errorf("waiting for %s: %w", what, err))
	}
	return err
}

// abortedError is the answer to every statement after a failed one.
func abortedError(first error) error {
	return fmt.Errorf("sqldb: the transaction is aborted since: %w", first)
}
