package sqldb

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"gatehouse/internal/clock"
)

// postgresDB is a PostgreSQL database: a pool of connections, and one more
// that listens for signals once somebody watches.
type postgresDB struct {
	url     string // as it was given
	config  *pgconn.Config
	pool    *pool[*postgresConn]
	turns   turns // to read
	opts    Options
	dialect postgresDialect
	hub     *hub
	node    string        // names this handle in notifications
	channel string        // of notifications, one per schema
	token   string        // the query of Visible
	plans   atomic.Uint64 // counts how often prepared statements went stale
	unique  atomic.Uint64 // makes tokens of Visible that equal no other

	open       context.Context // ends with Close
	stop       context.CancelFunc
	closeOnce  sync.Once
	background sync.WaitGroup
	listenOnce sync.Once
}

// Statements outside a transaction may not write: only Write says "read write".
// A few hundred conditions keep the compiler of statements busy for a minute,
// cannot be stopped meanwhile, and are answered in milliseconds without it.
const postgresSession = `set default_transaction_read_only = on; set timezone = 'UTC'; set datestyle = 'ISO'; set jit = off`

// OpenPostgres connects to the database at url ("postgres://…" or key=value).
func OpenPostgres(ctx context.Context, url string, opts Options) (DB, error) {
	config, err := pgconn.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("sqldb: %w", err) // the driver hides the password in it
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "gatehouse"
	}
	plainAtHome(config, url)
	db := &postgresDB{url: url, config: config, opts: opts, hub: newHub(), node: clock.RandomHex(8)}
	db.pool = newPool(opts.maxConns(8, 0, 16), db.connect, db.disconnect)
	db.turns = newTurns(Options{}.maxConns(3, 0, 6))
	db.pool.usable = isUsable
	db.open, db.stop = context.WithCancel(context.Background())
	if err := db.prepareDatabase(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open PostgreSQL: %w", err)
	}
	return db, nil
}

// plainAtHome tries a server on this machine without TLS first, unless the URL
// or the environment says how: nobody listens on the way, and TLS costs half of
// the speed of small statements.
func plainAtHome(config *pgconn.Config, url string) {
	if config.TLSConfig == nil || len(config.Fallbacks) != 1 || config.Fallbacks[0].TLSConfig != nil ||
		config.Fallbacks[0].Host != config.Host || !isLoopback(config.Host) ||
		strings.Contains(url, "sslmode") || os.Getenv("PGSSLMODE") != "" {
		return
	}
	config.TLSConfig, config.Fallbacks[0].TLSConfig = nil, config.TLSConfig
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// prepareDatabase learns what differs between servers and makes the table of signals.
func (db *postgresDB) prepareDatabase(ctx context.Context) error {
	if err := db.Read(ctx, func(q Querier) error { return db.inspect(ctx, q) }); err != nil {
		return err
	}
	if !db.opts.ReadOnly {
		err := db.Write(ctx, func(tx Tx) error {
			// two nodes that start together must not both create the table
			if err := lockComponent(ctx, tx, "gateway_signal"); err != nil {
				return err
			}
			return createSignals(ctx, tx)
		})
		if err != nil {
			return err
		}
	}
	return db.Read(ctx, func(q Querier) error {
		known, err := signalVersions(ctx, q)
		db.hub.learn(known)
		return err
	})
}

// inspect reads the facts about the server. The column of pg_database that
// names the collation's provider came with version 15.
func (db *postgresDB) inspect(ctx context.Context, q Querier) error {
	const facts = `select current_setting('server_version_num')::int, coalesce(current_schema(), ''), d.datcollate,
		coalesce(to_jsonb(d) ->> 'datlocprovider', 'c')
		from pg_database d where d.datname = current_database()`
	return q.Query(ctx, facts, nil, func(r Row) error {
		db.dialect.byCodePoint = ordersByCodePoint(r.Text(2), r.Text(3))
		h := fnv.New64a()
		_, _ = h.Write([]byte(r.Text(1)))
		db.channel = fmt.Sprintf("gatehouse_%016x", h.Sum64())
		db.token = visibleQuery(r.Int(0))
		return nil
	})
}

// ordersByCodePoint judges a database's default collation by its provider: c
// for the C library, b for built in, i for ICU.
func ordersByCodePoint(collate, provider string) bool {
	switch provider {
	case "c":
		switch strings.ToLower(collate) {
		case "c", "posix", "c.utf-8", "c.utf8":
			return true
		}
		return false
	case "b":
		return true // all of them compare bytes
	default:
		return false
	}
}

// visibleQuery asks for the snapshot's name: which transactions are visible.
// The server's start tells a restored or another server from this one. While
// a server recovers, which is all a standby does, snapshots have no exact
// names, so there is none.
func visibleQuery(version int64) string {
	snapshot := "pg_current_snapshot()"
	if version < 130000 {
		snapshot = "txid_current_snapshot()"
	}
	return "select case when pg_is_in_recovery() then '' else " + snapshot +
		"::text || ' ' || extract(epoch from pg_postmaster_start_time())::text end"
}

func (db *postgresDB) Dialect() Dialect { return db.dialect }

func (db *postgresDB) Ping(ctx context.Context) error {
	c, err := db.acquire(ctx)
	if err != nil {
		return err
	}
	defer db.release(c)
	return postgresError(ctx, c.conn.Ping(ctx))
}

// Close gives everyone time to finish: it waits for running calls.
func (db *postgresDB) Close() (err error) {
	db.closeOnce.Do(func() {
		db.stop()
		err = db.pool.end()
		db.background.Wait()
	})
	return err
}
