package sqldb

import (
	"context"
	"strconv"
)

// sqliteTx is the Tx of Write.
type sqliteTx struct {
	ending
	db    *sqliteDB
	conn  *sqliteConn // nil when the callback is over
	depth int         // of savepoints
}

func (db *sqliteDB) Write(ctx context.Context, fn func(Tx) error) error {
	if db.opts.ReadOnly {
		return ErrReadOnly
	}
	conn, err := db.lockWriter(ctx)
	if err != nil {
		return err
	}
	tx := &sqliteTx{db: db, conn: conn}
	if err := db.transact(ctx, tx, fn); err != nil {
		return err
	}
	tx.committed(db.hub) // after the writer is free: a hook may write
	return nil
}

// lockWriter waits in line. A channel serves its receivers in order.
func (db *sqliteDB) lockWriter(ctx context.Context) (*sqliteConn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if db.open.Err() != nil {
		return nil, errClosed
	}
	select {
	case conn := <-db.writer:
		return conn, nil
	case <-ctx.Done():
		return nil, waitError(ctx, "the writer")
	case <-db.open.Done():
		return nil, errClosed
	}
}

// transact runs the transaction and frees the writer.
func (db *sqliteDB) transact(ctx context.Context, tx *sqliteTx, fn func(Tx) error) error {
	conn := tx.conn
	unwatch := conn.watch(ctx)
	defer func() { // also after a panic of fn
		tx.conn = nil
		unwatch()
		conn.rollback() // unless committed
		db.writer <- conn
	}()
	if _, err := conn.run(ctx, "begin immediate", nil, nil); err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return err
	}
	if err := runEach(ctx, tx.run, tx.last); err != nil {
		return err
	}
	if tx.failed != nil {
		return abortedError(tx.failed)
	}
	return db.hub.commit(len(tx.channels) > 0, func() (map[string]int64, error) {
		versions := make(map[string]int64)
		for _, channel := range tx.channels {
			_, err := tx.run(ctx, bumpSignal, []any{channel}, func(r Row) error {
				versions[channel] = r.Int(0)
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
		_, err := conn.run(ctx, "commit", nil, nil)
		return versions, err
	})
}

// Relaxed changes nothing: with synchronous = normal, commits to the
// write-ahead log never wait for the disk.
func (tx *sqliteTx) Relaxed() {}

func (tx *sqliteTx) Dialect() Dialect { return sqliteDialect{} }

func (tx *sqliteTx) run(ctx context.Context, sql string, args []any, each func(Row) error) (n int64, err error) {
	return n, tx.guard(func(c *sqliteConn) error {
		var own error // what each returned is no failure of the statement
		if each != nil {
			callback := each
			each = func(r Row) error {
				own = callback(r)
				return own
			}
		}
		n, err = c.run(ctx, sql, args, each)
		if err != nil && own == nil {
			tx.failed = err
		}
		return err
	})
}

// guard lends the connection if the transaction can still go on.
func (tx *sqliteTx) guard(fn func(*sqliteConn) error) error {
	if tx.conn == nil {
		return errOver
	}
	if tx.failed != nil {
		return abortedError(tx.failed)
	}
	return fn(tx.conn)
}

func (tx *sqliteTx) Query(ctx context.Context, sql string, args []any, each func(Row) error) error {
	_, err := tx.run(ctx, sql, args, each)
	return err
}

func (tx *sqliteTx) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	return tx.run(ctx, sql, args, nil)
}

func (tx *sqliteTx) Batch(ctx context.Context, stmts []Stmt) error {
	return runEach(ctx, tx.run, stmts)
}

// Visible equals no other token: what this transaction wrote is seen by nobody else.
func (tx *sqliteTx) Visible(context.Context) (string, error) {
	return tx.db.uniqueToken(), nil
}

func (tx *sqliteTx) Savepoint(ctx context.Context, fn func() error) error {
	undo := tx.savepoint()
	tx.depth++
	defer func() { tx.depth-- }()
	name := "gh" + strconv.Itoa(tx.depth)
	if _, err := tx.run(ctx, "savepoint "+name, nil, nil); err != nil {
		return err
	}
	err := fn()
	if err == nil && tx.failed == nil {
		_, err = tx.run(ctx, "release "+name, nil, nil)
		return err
	}
	if err == nil {
		err = abortedError(tx.failed)
	}
	if tx.conn.conn.AutocommitEnabled() {
		return err // SQLite gave up the whole transaction; it stays failed
	}
	undo()
	// not to be cut short by ctx: the transaction may go on
	if rollback := tx.script(context.WithoutCancel(ctx), "rollback to "+name+"; release "+name); rollback != nil {
		tx.failed = rollback
	}
	return err
}

// Copy inserts row by row: without round trips nothing is gained by more.
func (tx *sqliteTx) Copy(ctx context.Context, table string, columns []string, rows [][]any) (int64, error) {
	insert := insertInto(table, columns)
	for _, row := range rows {
		if _, err := tx.run(ctx, insert, row, nil); err != nil {
			return 0, err
		}
	}
	return int64(len(rows)), nil
}

// script is for Script.
func (tx *sqliteTx) script(ctx context.Context, sql string) error {
	return tx.guard(func(c *sqliteConn) error {
		err := c.script(ctx, sql)
		if err != nil {
			tx.failed = err
		}
		return err
	})
}
