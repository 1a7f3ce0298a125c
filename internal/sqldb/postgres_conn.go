package sqldb

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// postgresConn is what we keep per connection, beside the driver: prepared
// statements, and memory to encode arguments in.
type postgresConn struct {
	conn  *pgconn.PgConn
	born  time.Time
	stmts *lru[*postgresStmt]
	names int      // statements named so far
	stale []string // names that the server may forget, told with the next prepare
	plans uint64   // what postgresDB.plans was when stmts were last good
	args  postgresArgs
	row   postgresRow
	inRow bool // a row callback is running

	gaveRows bool // the last run has called an Each
}

type postgresStmt struct {
	desc    *pgconn.StatementDescription
	kinds   []postgresKind
	formats []int16 // of the result's columns
}

func newPostgresConn(c *pgconn.PgConn) *postgresConn {
	return &postgresConn{conn: c, born: time.Now(), stmts: newLRU[*postgresStmt](maxStatements)}
}

const (
	// maxLife is how long a connection is used: servers and proxies between
	// us may change, and the server's memory per connection grows.
	maxLife = time.Hour
	// unchecked is how long a connection may be idle and is still believed in.
	unchecked = time.Second
	// endTimeout is how long the end of a transaction or connection may take
	// whose caller has gone.
	endTimeout = 5 * time.Second
)

func (db *postgresDB) connect(ctx context.Context) (*postgresConn, error) {
	conn, err := pgconn.ConnectConfig(ctx, db.config)
	if err == nil {
		err = conn.Exec(ctx, postgresSession).Close()
	}
	if err != nil {
		if conn != nil {
			_ = db.disconnect(newPostgresConn(conn))
		}
		return nil, postgresError(ctx, err)
	}
	c := newPostgresConn(conn)
	c.plans = db.plans.Load()
	return c, nil
}

// disconnect closes a connection, in whatever state it is. The driver may
// still be telling the server to stop what it does; Close waits for that.
func (db *postgresDB) disconnect(c *postgresConn) error {
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	_ = c.conn.Close(ctx) // a broken connection can't be closed properly
	db.background.Go(func() { <-c.conn.CleanupDone() })
	return nil
}

func isUsable(ctx context.Context, c *postgresConn, idle time.Duration) bool {
	if c.conn.IsClosed() || time.Since(c.born) > maxLife {
		return false
	}
	return idle < unchecked || c.conn.Ping(ctx) == nil
}

// acquire takes a connection from the pool.
func (db *postgresDB) acquire(ctx context.Context) (*postgresConn, error) {
	c, err := db.pool.acquire(ctx)
	if err != nil {
		return nil, err
	}
	if plans := db.plans.Load(); c.plans != plans {
		c.forget()
		c.plans = plans
	}
	return c, nil
}

// release gives a connection back, unless it is inside a transaction or worse.
func (db *postgresDB) release(c *postgresConn) {
	db.pool.release(c, !c.conn.IsClosed() && !c.conn.IsBusy() && c.conn.TxStatus() == noTransaction)
}

// noTransaction is the server's status outside of transactions.
const noTransaction = 'I'

// end rolls back what is left of a transaction. If that fails the connection
// is closed, which ends the transaction as well.
func (c *postgresConn) end() {
	if c.conn.IsClosed() || c.conn.TxStatus() == noTransaction {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	_ = c.conn.Exec(ctx, "rollback").Close()
}

// forget drops all prepared statements.
func (c *postgresConn) forget() {
	for _, n := range c.stmts.nodes {
		c.stale = append(c.stale, n.value.desc.Name)
	}
	c.stmts = newLRU[*postgresStmt](maxStatements)
}

// prepare makes sure that all statements are prepared: one round trip for
// those that are not. before is run first, in the same round trip; done says
// that it was sent.
func (c *postgresConn) prepare(ctx context.Context, before []string, stmts []Stmt) (done bool, err error) {
	var missing []string
	for i := range stmts {
		if _, ok := c.stmts.get(stmts[i].SQL); !ok && !slices.Contains(missing, stmts[i].SQL) {
			missing = append(missing, stmts[i].SQL)
		}
	}
	if len(missing) == 0 {
		return false, nil
	}
	p := c.conn.StartPipeline(ctx)
	for _, sql := range before {
		p.SendQueryParams(sql, nil, nil, nil, nil)
	}
	for _, name := range c.stale {
		p.SendDeallocate(name)
	}
	c.stale = nil
	first := c.names
	for _, sql := range missing {
		c.names++
		p.SendPrepare("g"+strconv.Itoa(c.names), strings.TrimRight(sql, "; \t\r\n"), nil)
	}
	if err := p.Sync(); err != nil {
		_ = p.Close()
		return true, err
	}
	descriptions, err := descriptionsOf(p)
	for i, desc := range descriptions {
		desc.Name, desc.SQL = "g"+strconv.Itoa(first+1+i), missing[i]
		if old, full := c.stmts.put(desc.SQL, newPostgresStmt(desc)); full {
			c.stale = append(c.stale, old.desc.Name)
		}
	}
	return true, err
}

// descriptionsOf reads the answers of a pipeline up to its end, or to the first error.
func descriptionsOf(p *pgconn.Pipeline) (all []*pgconn.StatementDescription, err error) {
	for {
		result, problem := p.GetResults()
		if problem != nil {
			if err == nil {
				err = problem
			}
			if _, ok := errors.AsType[*pgconn.PgError](problem); ok {
				continue // the end is still to come
			}
			_ = p.Close()
			return all, err
		}
		switch r := result.(type) {
		case *pgconn.StatementDescription:
			all = append(all, r)
		case *pgconn.PipelineSync, nil:
			if problem := p.Close(); err == nil {
				err = problem
			}
			return all, err
		}
	}
}

func newPostgresStmt(desc *pgconn.StatementDescription) *postgresStmt {
	st := &postgresStmt{desc: desc}
	for _, f := range desc.Fields {
		kind, format := kindOf(f.DataTypeOID)
		st.kinds = append(st.kinds, kind)
		st.formats = append(st.formats, format)
	}
	return st
}
