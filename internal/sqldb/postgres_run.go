package sqldb

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// run runs statements in one round trip, or two when some have to be prepared.
// before is run first and after last, both without results; *sent becomes true
// when before has left. An error of a statement ends it; an error of an Each
// is returned at the end, marked as a callbackError.
func (c *postgresConn) run(ctx context.Context, before []string, stmts []Stmt, after string, sent *bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.inRow {
		return errNested
	}
	c.gaveRows = false
	done, err := c.prepare(ctx, before, stmts)
	*sent = *sent || done
	if err != nil {
		return postgresError(ctx, err)
	}
	if done {
		before = nil
	}
	switch {
	case len(before) == 0 && len(stmts) == 1 && after == "":
		return c.runOne(ctx, &stmts[0])
	case len(before) == 0 && len(stmts) == 0 && after == "":
		return nil
	}
	batch := &pgconn.Batch{}
	for _, sql := range before {
		batch.ExecParams(sql, nil, nil, nil, nil)
	}
	for i := range stmts {
		st, err := c.encode(&stmts[i])
		if err != nil {
			return err
		}
		batch.ExecStatement(st.desc, c.args.values, c.args.formats, st.formats)
	}
	if after != "" {
		batch.ExecParams(after, nil, nil, nil, nil)
	}
	*sent = true
	return c.readBatch(ctx, c.conn.ExecBatch(ctx, batch), len(before), stmts)
}

// encode puts a prepared statement's arguments into c.args.
func (c *postgresConn) encode(s *Stmt) (*postgresStmt, error) {
	st, ok := c.stmts.get(s.SQL)
	if !ok { // more statements in one batch than are kept
		return nil, errors.New("sqldb: too many different statements in one batch")
	}
	if want := len(st.desc.ParamOIDs); want != len(s.Args) {
		return nil, argCountError(s.SQL, want, len(s.Args))
	}
	return st, c.args.encode(st.desc.ParamOIDs, s.Args)
}

func (c *postgresConn) runOne(ctx context.Context, s *Stmt) error {
	st, err := c.encode(s)
	if err != nil {
		return err
	}
	rows := c.conn.ExecStatement(ctx, st.desc, c.args.values, c.args.formats, st.formats)
	own, err := c.read(rows, st, s)
	if err != nil {
		return postgresError(ctx, err)
	}
	return own
}

// read reads a statement's rows; own is the error that its Each returned.
func (c *postgresConn) read(rows *pgconn.ResultReader, st *postgresStmt, s *Stmt) (own, err error) {
	closed := false
	defer func() {
		if !closed { // a panic of Each: leave the connection usable
			_, _ = rows.Close()
		}
	}()
	for rows.NextRow() {
		if s.Each != nil && own == nil {
			own = c.callback(rows.Values(), st, s.Each)
		}
	}
	closed = true
	tag, err := rows.Close()
	if err == nil && s.Affected != nil {
		*s.Affected = tag.RowsAffected()
		if tag.Select() {
			*s.Affected = 0
		}
	}
	if own != nil {
		own = &callbackError{own}
	}
	return own, err
}

func (c *postgresConn) callback(values [][]byte, st *postgresStmt, each func(Row) error) error {
	c.inRow, c.gaveRows = true, true
	defer func() { c.inRow = false }()
	c.row.reset(values, st.kinds)
	return each(&c.row)
}

// readBatch reads the results of a batch, of which the first skip have none.
func (c *postgresConn) readBatch(ctx context.Context, results *pgconn.MultiResultReader, skip int, stmts []Stmt) error {
	closed := false
	defer func() {
		if !closed {
			_ = results.Close()
		}
	}()
	var own error
	last := ""
	for i := 0; results.NextResult(); i++ {
		if n := i - skip; n >= 0 && n < len(stmts) {
			st, _ := c.stmts.get(stmts[n].SQL)
			failed, err := c.read(results.ResultReader(), st, &stmts[n])
			if own == nil {
				own = failed
			}
			if err != nil {
				break
			}
			continue
		}
		tag, _ := results.ResultReader().Close()
		last = tag.String()
	}
	closed = true
	if err := results.Close(); err != nil {
		return postgresError(ctx, err)
	}
	if own == nil && last == "ROLLBACK" {
		return errRolledBack
	}
	return own
}

// callbackError marks what an Each returned: it is no failure of the database.
type callbackError struct{ err error }

func (e *callbackError) Error() string { return e.err.Error() }

// errRolledBack: a commit was asked for and the server rolled back.
var errRolledBack = errors.New("sqldb: the server rolled the transaction back")
