package sqldb

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// postgresTx is the Tx of Write. What needs no answer (begin, savepoints)
// waits in before and travels with the next statement.
type postgresTx struct {
	ending
	db     *postgresDB
	conn   *postgresConn // nil when the callback is over
	before []string
	sends  int  // how often before has left; 0: the server knows of no transaction
	depth  int  // of savepoints
	over   bool // the commit may have been sent: nobody may run fn again
}

// writeAttempts is how often a transaction is tried in all.
const writeAttempts = 5

func (db *postgresDB) Write(ctx context.Context, fn func(Tx) error) error {
	if db.opts.ReadOnly {
		return ErrReadOnly
	}
	for attempt := 1; ; attempt++ {
		tx := &postgresTx{db: db, before: []string{"begin read write"}}
		repeat, err := tx.transact(ctx, fn)
		if err == nil {
			tx.committed(db.hub) // after the connection is free: a hook may write
			return nil
		}
		if !repeat || attempt == writeAttempts {
			return err
		}
		pause := time.Duration(attempt*attempt) * 2 * time.Millisecond
		select {
		case <-time.After(jitter(pause)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// transact runs the transaction once; repeat says that another try may do better.
func (tx *postgresTx) transact(ctx context.Context, fn func(Tx) error) (repeat bool, err error) {
	conn, err := tx.db.acquire(ctx)
	if err != nil {
		return false, err
	}
	tx.conn = conn
	committed := false
	defer func() { // also after a panic of fn
		tx.conn = nil
		if !committed && tx.sends > 0 {
			conn.end()
		}
		tx.db.release(conn)
	}()
	if err = fn(tx); err == nil {
		err = tx.commit(ctx)
	}
	committed = err == nil
	return !committed && tx.mayRepeat(), err
}

// mayRepeat: the transaction lost against others, or its connection before the commit.
func (tx *postgresTx) mayRepeat() bool {
	if isStalePlan(tx.failed) {
		tx.db.plans.Add(1)
	}
	return errors.Is(tx.failed, ErrConflict) ||
		errors.Is(tx.failed, ErrUnavailable) && tx.conn.conn.IsClosed() && !tx.over
}

// signalAndNotify is bumpSignal, heard by the listeners of other nodes.
const signalAndNotify = `with bumped as (` + bumpSignal + `) select version,
	pg_notify(cast($2 as text), cast($3 as text) || ' ' || version || ' ' || cast($1 as text)) from bumped`

// commit sends what is left and the commit in one round trip. A transaction
// that the server does not know of costs none.
func (tx *postgresTx) commit(ctx context.Context) error {
	if tx.failed != nil {
		return abortedError(tx.failed)
	}
	rest := tx.last
	for _, s := range rest {
		if s.Each != nil && !s.Sure { // its error must still prevent the commit
			if err := tx.Batch(ctx, rest); err != nil {
				return err
			}
			rest = nil
			break
		}
	}
	return tx.db.hub.commit(len(tx.channels) > 0, func() (map[string]int64, error) {
		versions := make(map[string]int64)
		for _, channel := range tx.channels {
			rest = append(rest, Stmt{
				SQL: signalAndNotify, Args: []any{channel, tx.db.channel, tx.db.node},
				Each: func(r Row) error {
					versions[channel] = r.Int(0)
					return nil
				},
			})
		}
		if len(rest) == 0 && tx.sends == 0 {
			return nil, nil
		}
		tx.over = true
		return versions, tx.run(ctx, rest, "commit")
	})
}

// relaxed is a prepared statement: those in before are parsed every time.
const relaxed = "set local synchronous_commit = off"

func (tx *postgresTx) Relaxed() { tx.Last(Stmt{SQL: relaxed}) }

func (tx *postgresTx) Dialect() Dialect { return tx.db.dialect }

// run runs statements after what waits in before.
func (tx *postgresTx) run(ctx context.Context, stmts []Stmt, after string) error {
	return tx.guard(func() error {
		sent := false
		err := tx.conn.run(ctx, tx.before, stmts, after, &sent)
		tx.left(sent)
		return err
	})
}

// left notes that before has been sent.
func (tx *postgresTx) left(sent bool) {
	if sent {
		tx.before = nil
		tx.sends++
	}
}

// guard runs fn if the transaction can still go on, and notes its failure.
func (tx *postgresTx) guard(fn func() error) error {
	if tx.conn == nil {
		return errOver
	}
	if tx.failed != nil {
		return abortedError(tx.failed)
	}
	err := fn()
	if own := unmark(err); own != err { //nolint:errorlint // identity is meant
		return own
	}
	tx.failed = err
	return err
}

func (tx *postgresTx) Batch(ctx context.Context, stmts []Stmt) error {
	if len(stmts) == 0 {
		return nil
	}
	return tx.run(ctx, stmts, "")
}

func (tx *postgresTx) Query(ctx context.Context, sql string, args []any, each func(Row) error) error {
	return tx.Batch(ctx, []Stmt{{SQL: sql, Args: args, Each: each}})
}

func (tx *postgresTx) Exec(ctx context.Context, sql string, args ...any) (n int64, err error) {
	err = tx.Batch(ctx, []Stmt{{SQL: sql, Args: args, Affected: &n}})
	return n, err
}

// Visible equals no other token: what this transaction wrote is seen by nobody else.
func (tx *postgresTx) Visible(context.Context) (string, error) {
	return tx.db.uniqueToken(), nil
}

func (tx *postgresTx) Savepoint(_ context.Context, fn func() error) error {
	if tx.conn == nil {
		return errOver
	}
	if tx.failed != nil {
		return abortedError(tx.failed)
	}
	undo := tx.savepoint()
	tx.depth++
	defer func() { tx.depth-- }()
	name := "gh" + strconv.Itoa(tx.depth)
	length, sends := len(tx.before), tx.sends
	tx.before = append(tx.before, "savepoint "+name)

	err := fn()
	if err == nil && tx.failed != nil {
		err = abortedError(tx.failed)
	}
	if tx.conn.conn.IsClosed() {
		return err // the transaction is gone; it stays failed
	}
	if err != nil {
		undo()
	}
	switch {
	case tx.sends == sends: // the server never heard of the savepoint
		tx.before = tx.before[:length]
	case err == nil:
		tx.before = append(tx.before, "release savepoint "+name)
	default:
		tx.before = append(tx.before, "rollback to savepoint "+name, "release savepoint "+name)
	}
	return err
}

// script is for Script: the simple protocol takes several statements.
func (tx *postgresTx) script(ctx context.Context, sql string) error {
	if err := tx.run(ctx, nil, ""); err != nil {
		return err
	}
	return tx.guard(func() error {
		return postgresError(ctx, tx.conn.conn.Exec(ctx, sql).Close())
	})
}
