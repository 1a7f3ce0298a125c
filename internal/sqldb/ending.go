package sqldb

import (
	"context"
	"errors"
	"slices"
)

// ending is the part of a transaction that both databases share: what is kept
// for its end, and whether a statement failed.
type ending struct {
	failed   error // the first failed statement's error; nothing more runs
	last     []Stmt
	channels []string // sorted, so that two transactions never signal in opposite order
	hooks    []func()
}

const maxChannel = 200 // bytes; a notification of PostgreSQL holds 8000

// Signal notes the channel; its version changes with the last statements.
func (e *ending) Signal(_ context.Context, channel string) error {
	if len(channel) == 0 || len(channel) > maxChannel {
		return errors.New("sqldb: a channel has 1 to 200 bytes")
	}
	if err := checkText(channel); err != nil {
		return err
	}
	if i, found := slices.BinarySearch(e.channels, channel); !found {
		e.channels = slices.Insert(slices.Clone(e.channels), i, channel)
	}
	return nil
}

// OnCommit keeps fn for after the commit.
func (e *ending) OnCommit(fn func()) { e.hooks = append(e.hooks, fn) }

// Last keeps statements for right before the commit.
func (e *ending) Last(stmts ...Stmt) { e.last = append(e.last, stmts...) }

// savepoint gives the function that forgets what was kept since.
func (e *ending) savepoint() (undo func()) {
	before := *e
	return func() {
		e.last, e.hooks = e.last[:len(before.last)], e.hooks[:len(before.hooks)]
		e.channels, e.failed = before.channels, before.failed
	}
}

// committed runs what was kept for after the commit: signals first, so that
// the hooks find no stale cache.
func (e *ending) committed(h *hub) {
	h.tell(e.channels...)
	for _, fn := range e.hooks {
		fn()
	}
}
