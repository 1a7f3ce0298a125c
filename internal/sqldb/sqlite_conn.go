package sqldb

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
)

// sqliteConn is one connection to a SQLite file, for one goroutine at a time.
type sqliteConn struct {
	conn    *sqlite.Conn
	stmts   *lru[*sqliteStmt]
	busy    time.Duration // how long to wait for other processes
	row     sqliteRow
	now     string // what gh_now gives in the running statement; "" is not asked yet
	inRow   bool   // a row callback is running
	problem error  // of a function in the running statement

	// halt stops what the connection does. It is armed once and replaced only
	// after it fired: arming costs a goroutine.
	haltMu  sync.Mutex
	halt    chan struct{}
	halted  bool
	watched <-chan struct{} // the context that watch looks at
}

type sqliteStmt struct {
	stmt     *sqlite.Stmt
	args     []int // which argument each parameter takes
	count    int   // how many arguments there must be
	modifies bool  // may change rows
}

func openSQLiteConn(path string, flags sqlite.OpenFlags, busy time.Duration) (*sqliteConn, error) {
	conn, err := sqlite.OpenConn(path, flags)
	if err != nil {
		return nil, sqliteError(err)
	}
	c := &sqliteConn{conn: conn, stmts: newLRU[*sqliteStmt](maxStatements), busy: busy}
	conn.SetBusyTimeout(0) // we wait ourselves, because SQLite's waiting can't be cancelled
	c.rearm()
	if err := c.registerFunctions(); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

func (c *sqliteConn) close() error { return c.conn.Close() }

// rearm makes the connection usable after halt fired. It returns when the
// interrupt is over.
func (c *sqliteConn) rearm() {
	c.haltMu.Lock()
	c.halt, c.halted = make(chan struct{}), false
	halt := c.halt
	c.haltMu.Unlock()
	c.conn.SetInterrupt(halt)
}

func (c *sqliteConn) fire() {
	c.haltMu.Lock()
	defer c.haltMu.Unlock()
	if !c.halted {
		c.halted = true
		close(c.halt)
	}
}

// watch stops the connection when ctx ends. The function it gives ends that;
// afterwards the connection works again.
func (c *sqliteConn) watch(ctx context.Context) (unwatch func()) {
	done := ctx.Done()
	if done == nil || done == c.watched {
		return func() {}
	}
	before := c.watched
	c.watched = done
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		c.fire()
		close(fired)
	})
	return func() {
		c.watched = before
		if !stop() {
			<-fired
			c.rearm()
		}
	}
}

// prepare finds or makes the statement of sql.
func (c *sqliteConn) prepare(ctx context.Context, sql string) (*sqliteStmt, error) {
	if st, ok := c.stmts.get(sql); ok {
		return st, nil
	}
	var stmt *sqlite.Stmt
	err := c.whileBusy(ctx, func() (err error) {
		stmt, err = c.conn.Prepare(strings.TrimRight(sql, "; \t\r\n"))
		return err
	})
	if err != nil {
		return nil, err
	}
	st := &sqliteStmt{stmt: stmt, modifies: mayModify(sql)}
	if err := st.mapParameters(); err != nil {
		_ = stmt.Finalize()
		return nil, fmt.Errorf("%w: %s", err, sql)
	}
	if old, full := c.stmts.put(sql, st); full {
		_ = old.stmt.Finalize()
	}
	return st, nil
}

// mapParameters notes which argument belongs to which parameter. For SQLite
// $2 is a name like any other, and parameters count in order of appearance.
func (st *sqliteStmt) mapParameters() error {
	for i := 1; i <= st.stmt.BindParamCount(); i++ {
		name := st.stmt.BindParamName(i)
		n, err := strconv.Atoi(strings.TrimPrefix(name, "$"))
		if err != nil || n < 1 || name[0] != '$' {
			return fmt.Errorf("sqldb: placeholder %q is not $n", name)
		}
		st.args = append(st.args, n-1)
		st.count = max(st.count, n)
	}
	return nil
}

// mayModify says whether the count of changed rows means anything after sql:
// SQLite keeps the count of an earlier statement otherwise.
func mayModify(sql string) bool {
	words := strings.FieldsFunc(strings.ToLower(sql), func(r rune) bool { return r < 'a' || r > 'z' })
	if len(words) == 0 {
		return false
	}
	if words[0] == "with" {
		words = words[1:]
	} else {
		words = words[:1]
	}
	for _, w := range words {
		switch w {
		case "insert", "update", "delete", "replace":
			return true
		}
	}
	return false
}

// run runs one statement and gives the number of rows it changed.
func (c *sqliteConn) run(ctx context.Context, sql string, args []any, each func(Row) error) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if c.inRow {
		return 0, errNested
	}
	if done := ctx.Done(); done != nil && done != c.watched {
		defer c.watch(ctx)()
	}
	st, err := c.prepare(ctx, sql)
	if err != nil {
		return 0, sqliteContextError(ctx, err)
	}
	if len(args) != st.count {
		return 0, argCountError(sql, st.count, len(args))
	}
	large, err := st.bind(args)
	if err != nil {
		return 0, err
	}
	err = c.steps(ctx, st, each)
	if large {
		_ = st.stmt.ClearBindings() // don't keep megabytes until the statement's next turn
	}
	if err != nil || !st.modifies {
		return 0, err
	}
	return int64(c.conn.Changes()), nil
}

// steps runs a bound statement. each's errors are returned as they are.
func (c *sqliteConn) steps(ctx context.Context, st *sqliteStmt, each func(Row) error) error {
	c.now, c.problem = "", nil
	// also after a panic of each: a statement under way would hold its snapshot
	defer st.stmt.Reset() //nolint:errcheck // it repeats the error of the step
	var more bool
	err := c.whileBusy(ctx, func() (err error) {
		more, err = st.stmt.Step()
		return err
	})
	for err == nil && more && c.problem == nil {
		if each != nil {
			if err := c.callback(st, each); err != nil {
				return err
			}
		}
		more, err = st.stmt.Step()
	}
	if c.problem != nil {
		return c.problem
	}
	if err != nil {
		return c.violationDetails(sqliteContextError(ctx, err))
	}
	return nil
}

func (c *sqliteConn) callback(st *sqliteStmt, each func(Row) error) error {
	c.inRow = true
	defer func() { c.inRow = false }()
	c.row.reset(st.stmt)
	return each(&c.row)
}

// whileBusy repeats try while another process holds the file, until it works,
// the busy time is over or ctx ends.
func (c *sqliteConn) whileBusy(ctx context.Context, try func() error) error {
	err := try()
	if err == nil || sqlite.ErrCode(err).ToPrimary() != sqlite.ResultBusy {
		return err
	}
	deadline := time.Now().Add(c.busy)
	pause := time.Millisecond
	for {
		timer := time.NewTimer(jitter(pause))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		err = try()
		if err == nil || sqlite.ErrCode(err).ToPrimary() != sqlite.ResultBusy || time.Now().After(deadline) {
			return err
		}
		pause = min(pause*2, 20*time.Millisecond)
	}
}

// script runs several statements without arguments.
func (c *sqliteConn) script(ctx context.Context, sql string) error {
	for {
		if sql = skipBlank(sql); sql == "" {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		var stmt *sqlite.Stmt
		var rest int
		err := c.whileBusy(ctx, func() (err error) {
			stmt, rest, err = c.conn.PrepareTransient(sql)
			return err
		})
		if err != nil {
			return sqliteContextError(ctx, err)
		}
		err = c.steps(ctx, &sqliteStmt{stmt: stmt}, nil)
		_ = stmt.Finalize()
		if err != nil {
			return err
		}
		sql = sql[len(sql)-rest:]
	}
}

// skipBlank cuts what precedes a statement: SQLite can't step an empty one.
func skipBlank(sql string) string {
	for {
		sql = strings.TrimLeft(sql, "; \t\r\n")
		switch {
		case strings.HasPrefix(sql, "--"):
			_, sql, _ = strings.Cut(sql, "\n")
		case strings.HasPrefix(sql, "/*"):
			_, sql, _ = strings.Cut(sql, "*/")
		default:
			return sql
		}
	}
}
