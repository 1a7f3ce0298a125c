package sqldb

import (
	"context"
	"strconv"
)

// postgresReader is the Querier of Read and Snapshot.
type postgresReader struct {
	db       *postgresDB
	conn     *postgresConn // nil when the callback is over
	snapshot bool
	sent     bool // the server has begun the snapshot's transaction
}

func (db *postgresDB) Read(ctx context.Context, fn func(Querier) error) error {
	conn, err := db.acquireReader(ctx)
	if err != nil {
		return err
	}
	r := &postgresReader{db: db, conn: conn}
	defer func() {
		r.conn = nil
		db.release(conn)
		db.turns.done()
	}()
	return fn(r)
}

// acquireReader waits for a turn to read, then for a connection.
func (db *postgresDB) acquireReader(ctx context.Context) (*postgresConn, error) {
	if err := db.turns.take(ctx); err != nil {
		return nil, err
	}
	conn, err := db.acquire(ctx)
	if err != nil {
		db.turns.done()
	}
	return conn, err
}

func (db *postgresDB) Snapshot(ctx context.Context, fn func(Querier) error) error {
	conn, err := db.acquireReader(ctx)
	if err != nil {
		return err
	}
	r := &postgresReader{db: db, conn: conn, snapshot: true}
	defer func() {
		r.conn = nil
		db.turns.done()
		if !r.sent {
			db.release(conn)
			return
		}
		// nobody needs to wait for the end of a snapshot
		go func() {
			conn.end()
			db.release(conn) // Close waits for it
		}()
	}()
	return fn(r)
}

func (r *postgresReader) Dialect() Dialect { return r.db.dialect }

func (r *postgresReader) Batch(ctx context.Context, stmts []Stmt) error {
	if r.conn == nil {
		return errOver
	}
	first := !r.sent
	err := r.run(ctx, stmts)
	if isStalePlan(err) {
		r.db.plans.Add(1)
		r.conn.forget()
		switch {
		case r.conn.gaveRows:
			// once more would give them twice
		case !r.snapshot:
			err = r.run(ctx, stmts)
		case first:
			r.conn.end()
			r.sent = false
			err = r.run(ctx, stmts)
		}
	}
	return unmark(err)
}

func (r *postgresReader) run(ctx context.Context, stmts []Stmt) error {
	if !r.snapshot || r.sent {
		var sent bool
		return r.conn.run(ctx, nil, stmts, "", &sent)
	}
	begin := []string{"begin read only, isolation level repeatable read"}
	return r.conn.run(ctx, begin, stmts, "", &r.sent)
}

func (r *postgresReader) Query(ctx context.Context, sql string, args []any, each func(Row) error) error {
	return r.Batch(ctx, []Stmt{{SQL: sql, Args: args, Each: each}})
}

func (r *postgresReader) Exec(ctx context.Context, sql string, args ...any) (n int64, err error) {
	return n, r.Batch(ctx, []Stmt{{SQL: sql, Args: args, Affected: &n}})
}

func (r *postgresReader) Visible(ctx context.Context) (string, error) {
	return visible(ctx, r, r.db)
}

func visible(ctx context.Context, q Querier, db *postgresDB) (token string, err error) {
	err = q.Query(ctx, db.token, nil, func(row Row) error {
		token = row.Text(0)
		return nil
	})
	if token == "" {
		token = db.uniqueToken()
	}
	return token, err
}

func (db *postgresDB) uniqueToken() string {
	return "u" + strconv.FormatUint(db.unique.Add(1), 10)
}

// unmark gives the error that an Each returned as it was.
func unmark(err error) error {
	if own, ok := err.(*callbackError); ok { //nolint:errorlint // run returns it bare
		return own.err
	}
	return err
}
