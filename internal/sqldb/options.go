package sqldb

import (
	"math/rand/v2"
	"runtime"
	"time"
)

// Options tune an open database. The zero value is a good choice.
type Options struct {
	// MaxConns bounds the connections that serve callers at one time. 0 means
	// 2×CPU but at least 4 readers on SQLite (the writer comes on top), and
	// 8×CPU but at least 16 on PostgreSQL (the listener comes on top).
	MaxConns int
	// ReadOnly refuses every Write and creates nothing.
	ReadOnly bool
	// BusyTimeout is how long a SQLite statement waits for other processes
	// that hold the file; 0 means 20 seconds. The context may end the wait earlier.
	BusyTimeout time.Duration
}

func (o Options) maxConns(perCPU, extra, least int) int {
	if o.MaxConns > 0 {
		return o.MaxConns
	}
	return max(perCPU*runtime.NumCPU()+extra, least)
}

func (o Options) busyTimeout() time.Duration {
	if o.BusyTimeout > 0 {
		return o.BusyTimeout
	}
	return 20 * time.Second
}

// jitter varies a pause by half, lest two that collided meet again.
func jitter(pause time.Duration) time.Duration {
	return pause/2 + rand.N(pause) //nolint:gosec // no secret
}

// maxStatements bounds the prepared statements that each connection keeps.
const maxStatements = 128
