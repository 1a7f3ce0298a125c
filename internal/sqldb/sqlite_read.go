package sqldb

import (
	"context"
	"strconv"
)

// sqliteReader is the Querier of Read and Snapshot.
type sqliteReader struct {
	db   *sqliteDB
	conn *sqliteConn // nil when the callback is over

	snapshot bool
	pinned   bool   // the snapshot has been taken: a statement ran
	before   int64  // the file's version, seen before the snapshot was taken
	token    string // what Visible gave
}

func (db *sqliteDB) Read(ctx context.Context, fn func(Querier) error) error {
	return db.lend(ctx, &sqliteReader{db: db}, fn)
}

func (db *sqliteDB) Snapshot(ctx context.Context, fn func(Querier) error) error {
	r := &sqliteReader{db: db, snapshot: true, before: db.version.seen.Load()}
	return db.lend(ctx, r, func(q Querier) error {
		// SQLite takes the snapshot with the first statement after begin
		if _, err := r.conn.run(ctx, "begin", nil, nil); err != nil {
			return err
		}
		return fn(q)
	})
}

func (db *sqliteDB) lend(ctx context.Context, r *sqliteReader, fn func(Querier) error) error {
	conn, err := db.readers.acquire(ctx)
	if err != nil {
		return err
	}
	r.conn = conn
	unwatch := conn.watch(ctx)
	defer func() {
		r.conn = nil
		unwatch()
		conn.rollback() // ends a snapshot
		db.readers.release(conn, conn.conn.AutocommitEnabled())
	}()
	return fn(r)
}

// rollback ends a transaction if there still is one: SQLite ends it by itself
// after some errors. No context may be watched, lest it stops the rollback.
func (c *sqliteConn) rollback() {
	if !c.conn.AutocommitEnabled() {
		_, _ = c.run(context.Background(), "rollback", nil, nil)
	}
}

func (r *sqliteReader) Dialect() Dialect { return sqliteDialect{} }

func (r *sqliteReader) run(ctx context.Context, sql string, args []any, each func(Row) error) (int64, error) {
	if r.conn == nil {
		return 0, errOver
	}
	r.pinned = true
	return r.conn.run(ctx, sql, args, each)
}

func (r *sqliteReader) Query(ctx context.Context, sql string, args []any, each func(Row) error) error {
	_, err := r.run(ctx, sql, args, each)
	return err
}

func (r *sqliteReader) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	return r.run(ctx, sql, args, nil)
}

func (r *sqliteReader) Batch(ctx context.Context, stmts []Stmt) error {
	return runEach(ctx, r.run, stmts)
}

// runEach is Batch for a database where a statement costs no round trip.
func runEach(ctx context.Context,
	run func(context.Context, string, []any, func(Row) error) (int64, error), stmts []Stmt,
) error {
	for _, s := range stmts {
		n, err := run(ctx, s.SQL, s.Args, s.Each)
		if err != nil {
			return err
		}
		if s.Affected != nil {
			*s.Affected = n
		}
	}
	return nil
}

// Visible is the version of the file, as the connection that counts versions
// sees it. That number says nothing about what this connection saw at another
// moment, so a snapshot has to be taken between two equal readings.
func (r *sqliteReader) Visible(ctx context.Context) (string, error) {
	switch {
	case r.conn == nil:
		return "", errOver
	case r.conn.inRow:
		return "", errNested
	case r.token != "":
		return r.token, nil
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	version, err := r.db.version.read(ctx)
	if err != nil {
		return "", err
	}
	if !r.snapshot {
		return "v" + strconv.FormatInt(version, 10), nil
	}
	if !r.pinned {
		r.before = version
		if err := r.Query(ctx, "select count(*) from sqlite_schema", nil, nil); err != nil {
			return "", err
		}
		if version, err = r.db.version.read(ctx); err != nil {
			return "", err
		}
	}
	if version == r.before {
		r.token = "v" + strconv.FormatInt(version, 10)
	} else {
		r.token = r.db.uniqueToken()
	}
	return r.token, nil
}

func (db *sqliteDB) uniqueToken() string {
	return "u" + strconv.FormatUint(db.unique.Add(1), 10)
}
