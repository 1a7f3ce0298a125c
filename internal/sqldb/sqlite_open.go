package sqldb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"zombiezen.com/go/sqlite"
)

// sqliteDB is a SQLite file: one connection that writes, guarded by a queue,
// and a pool of connections that read.
type sqliteDB struct {
	path    string
	opts    Options
	readers *pool[*sqliteConn]
	writer  chan *sqliteConn // holds the writer while it is free; waiters are served in order
	version *sqliteVersion
	hub     *hub
	unique  atomic.Uint64 // makes tokens of Visible that equal no other

	openedWriter bool
	open         context.Context // ends with Close
	stop         context.CancelFunc
	closeOnce    sync.Once
	poller       sync.WaitGroup
	pollOnce     sync.Once
}

// Memory per connection. Mapped pages are shared with the system's file cache
// but count as resident, so the window is small.
const (
	sqliteMappedBytes   = 4 << 20
	sqliteReaderCacheKB = 2 << 10
	sqliteWriterCacheKB = 4 << 10
	sqliteKeptLogBytes  = 64 << 20 // the write-ahead log is cut back to this
)

// OpenSQLite opens the file at path, and creates it with mode 0600 when it is
// absent, unless ReadOnly. Other processes may use the file at the same time.
func OpenSQLite(ctx context.Context, path string, opts Options) (DB, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") || strings.HasPrefix(path, "file:") {
		return nil, fmt.Errorf("sqldb: %q is not the path of a file", path)
	}
	if !opts.ReadOnly {
		// SQLite itself would create it readable by all; its side files take
		// over the mode of the main one
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, of(ErrUnavailable, err)
		}
		if err := f.Close(); err != nil {
			return nil, of(ErrUnavailable, err)
		}
	}
	db := &sqliteDB{path: path, opts: opts, hub: newHub(), writer: make(chan *sqliteConn, 1)}
	db.open, db.stop = context.WithCancel(context.Background())
	db.version = &sqliteVersion{open: db.openReader}
	db.readers = newPool(opts.maxConns(2, 0, 4), db.openReader, (*sqliteConn).close)
	if err := db.prepareFile(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return db, nil
}

// prepareFile opens the writer and makes the table of signals.
func (db *sqliteDB) prepareFile(ctx context.Context) error {
	if !db.opts.ReadOnly {
		writer, err := db.openWriter(ctx)
		if err != nil {
			return err
		}
		db.writer <- writer
		db.openedWriter = true
		err = db.Write(ctx, func(tx Tx) error { return createSignals(ctx, tx) })
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

func (db *sqliteDB) openWriter(ctx context.Context) (*sqliteConn, error) {
	c, err := db.openConn(ctx, sqlite.OpenReadWrite|sqlite.OpenCreate, fmt.Sprintf(`
		pragma journal_mode = wal;
		pragma synchronous = normal;
		pragma foreign_keys = on;
		pragma mmap_size = %d;
		pragma cache_size = -%d;
		pragma journal_size_limit = %d`,
		sqliteMappedBytes, sqliteWriterCacheKB, sqliteKeptLogBytes))
	if err != nil {
		return nil, err
	}
	mode := ""
	_, err = c.run(ctx, "pragma journal_mode", nil, func(r Row) error {
		mode = r.Text(0)
		return nil
	})
	if err == nil && mode != "wal" { // readers would hold writers up
		err = of(ErrUnavailable, errors.New("the file system can't keep a write-ahead log"))
	}
	if err != nil {
		_ = c.close()
		return nil, err
	}
	return c, nil
}

func (db *sqliteDB) openReader(ctx context.Context) (*sqliteConn, error) {
	flags := sqlite.OpenReadWrite // a reader of a write-ahead log takes locks in its side file
	if db.opts.ReadOnly {
		flags = sqlite.OpenReadOnly
	}
	return db.openConn(ctx, flags, fmt.Sprintf(`
		pragma query_only = on;
		pragma mmap_size = %d;
		pragma cache_size = -%d`,
		sqliteMappedBytes, sqliteReaderCacheKB))
}

func (db *sqliteDB) openConn(ctx context.Context, flags sqlite.OpenFlags, setup string) (*sqliteConn, error) {
	c, err := openSQLiteConn(db.path, flags, db.opts.busyTimeout())
	if err != nil {
		return nil, err
	}
	if err := c.script(ctx, setup); err != nil {
		_ = c.close()
		return nil, err
	}
	return c, nil
}

func (db *sqliteDB) Dialect() Dialect { return sqliteDialect{} }

func (db *sqliteDB) Ping(ctx context.Context) error {
	return db.Read(ctx, func(q Querier) error {
		// reads the file, not only the connection
		return q.Query(ctx, "select count(*) from sqlite_schema", nil, func(Row) error { return nil })
	})
}

// Close gives everyone time to finish: it waits for running calls.
func (db *sqliteDB) Close() error {
	var errs []error
	db.closeOnce.Do(func() {
		db.stop()
		db.poller.Wait()
		errs = append(errs, db.readers.end(), db.version.close())
		if db.openedWriter {
			// the writer last: the last connection tidies the side files up
			errs = append(errs, (<-db.writer).close())
		}
	})
	return errors.Join(errs...)
}
