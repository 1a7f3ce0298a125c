package sqldb

import (
	"context"
	"sync"
	"sync/atomic"
)

// sqliteVersion counts the commits of everybody: of this process's writer and
// of other processes. Its own connection never writes, so SQLite's data_version
// on it changes with every commit that it notices, and equal numbers mean that
// nothing was committed in between.
type sqliteVersion struct {
	open func(context.Context) (*sqliteConn, error)
	seen atomic.Int64 // the last number read; 0: none yet

	mu   sync.Mutex
	conn *sqliteConn
	over bool
}

// read gives the file's version now.
func (v *sqliteVersion) read(ctx context.Context) (version int64, err error) {
	err = v.with(ctx, func(c *sqliteConn) error {
		_, err := c.run(ctx, "pragma data_version", nil, func(r Row) error {
			version = r.Int(0)
			return nil
		})
		return err
	})
	if err == nil {
		v.seen.Store(version)
	}
	return version, err
}

// with lends the connection, for short.
func (v *sqliteVersion) with(ctx context.Context, fn func(*sqliteConn) error) (err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over {
		return errClosed
	}
	if v.conn == nil {
		if v.conn, err = v.open(ctx); err != nil {
			return err
		}
	}
	return fn(v.conn)
}

func (v *sqliteVersion) close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.over = true
	if v.conn == nil {
		return nil
	}
	return v.conn.close()
}
