package record

import (
	"context"
	"errors"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

var _ backend.Atomic = (*Engine)(nil)

// running is a transaction that several calls of an engine share. It comes to
// them by their context and is for one goroutine.
type running struct {
	e     *Engine
	tx    sqldb.Tx
	env   *Env       // of the last change
	err   error      // of a change: the transaction cannot be committed any more
	known *knowledge // nil: that of the engine
	st    *state     // nil: that of the engine
}

type runningKey struct{}

// runningIn is the transaction that a context carries, or nil.
func (e *Engine) runningIn(ctx context.Context) *running {
	if r, ok := ctx.Value(runningKey{}).(*running); ok && r.e == e {
		return r
	}
	return nil
}

// Transacts implements backend.Atomic.
func (e *Engine) Transacts(*backend.Caller, string) bool { return true }

// Atomically implements backend.Atomic.
func (e *Engine) Atomically(ctx context.Context, fn func(ctx context.Context) error) error {
	if e.runningIn(ctx) != nil {
		return fn(ctx)
	}
	if err := e.onlyRead(); err != nil {
		return err
	}
	var last *running
	err := e.upToDate(func() error {
		return e.db.Write(ctx, func(tx sqldb.Tx) error {
			r := &running{e: e}
			r.tx, last = &noticedTx{tx, r}, r
			if err := fn(context.WithValue(ctx, runningKey{}, r)); err != nil {
				return err
			}
			return r.err
		})
	})
	if err != nil && last != nil && last.env != nil && len(last.env.suspected) > 0 {
		if missing := e.missingLink(ctx, last.env); missing != nil {
			return missing
		}
	}
	return storeFault(err, "write")
}

// Running is the transaction that a context got from Atomically, for what must
// be stored together with the changes made in it; nil outside.
func (e *Engine) Running(ctx context.Context) sqldb.Tx {
	if r := e.runningIn(ctx); r != nil {
		return r.tx
	}
	return nil
}

// noticedTx notes that what is known of users or models has changed in the
// transaction. Until its end only its own calls may know.
type noticedTx struct {
	sqldb.Tx
	r *running
}

func (t *noticedTx) Signal(ctx context.Context, channel string) error {
	switch channel {
	case RegistrySignal:
		t.r.st = &state{} // to be loaded
		t.r.known = newKnowledge()
	case UsersSignal:
		t.r.known = newKnowledge()
	}
	return t.Tx.Signal(ctx, channel)
}

// view gives what a call works with: inside of a transaction that changed users
// or models, what it left there.
func (e *Engine) view(ctx context.Context, r *running) (*knowledge, *state, error) {
	known := e.known.Load() // before the state: see changed
	if r != nil && r.known != nil {
		known = r.known
	}
	if r != nil && r.st != nil {
		if r.st.reg == nil {
			reg, err := schema.Load(ctx, r.tx, e.declared, e.facts)
			if err != nil {
				return nil, nil, storeFault(err, "load the registry")
			}
			r.st = e.newState(reg)
		}
		return known, r.st, nil
	}
	st, err := e.current(ctx)
	return known, st, err
}

// change runs fn as one of the changes of a transaction. Once one has failed,
// no other is tried and the transaction is not committed.
func (r *running) change(ctx context.Context, c *backend.Caller, fn func(*Env) error) error {
	if r.err != nil {
		return fault.New(fault.Conflict, "Nothing more can be done: a change before this one failed").Because(r.err)
	}
	r.err = r.e.inside(ctx, r.tx, c, func(env *Env) error {
		r.env = env
		return fn(env)
	})
	if r.err == nil || errors.Is(r.err, sqldb.ErrOutdated) || errors.Is(r.err, sqldb.ErrConflict) {
		return r.err // as it is: the transaction is tried again
	}
	r.err = storeFault(r.err, "write")
	return r.err
}

// Hold implements backend.Atomic.
func (e *Engine) Hold(ctx context.Context, model string, ids []int64) error {
	r := e.runningIn(ctx)
	if r == nil {
		return fault.New(fault.Internal, "Hold outside of a transaction")
	}
	_, st, err := e.view(ctx, r)
	if err != nil {
		return err
	}
	return storeFault(e.hold(ctx, r.tx, st.reg, model, ids), "lock records")
}

// hold locks records and those they delegate to, which are part of them.
func (e *Engine) hold(ctx context.Context, tx sqldb.Tx, reg *schema.Registry, model string, ids []int64) error {
	m := reg.Model(model)
	if m == nil || m.Abstract || m.Table == "" || len(ids) == 0 {
		return nil
	}
	d := tx.Dialect()
	if d.ForUpdate() == "" {
		return nil // whoever writes is alone
	}
	columns := "id"
	for _, in := range m.Inherits {
		columns += ", " + quote(in.Field)
	}
	parents := make([][]int64, len(m.Inherits))
	err := tx.Query(ctx, "select "+columns+" from "+quote(m.Table)+" where "+d.In("id", "$1", true)+" order by id"+d.ForUpdate(),
		[]any{ids}, func(r sqldb.Row) error {
			for i := range parents {
				parents[i] = append(parents[i], r.Int(i+1))
			}
			return nil
		})
	for i := range parents {
		if err == nil {
			err = e.hold(ctx, tx, reg, m.Inherits[i].Model, parents[i])
		}
	}
	return err
}
