// Package record is the engine: it searches, reads, creates, writes and
// deletes records of any model in the registry, on SQLite or PostgreSQL, as
// Odoo does it, with rights, record rules, defaults, computed fields and
// constraints. Everything is compiled to SQL; rows are never filtered in Go.
package record

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// The channels of sqldb.Tx.Signal that the engine listens to.
const (
	// RegistrySignal: models, fields, rights, rules, groups or languages changed.
	RegistrySignal = "registry"
	// UsersSignal: users, their groups or companies changed.
	UsersSignal = "users"
)

// Options say what an engine is made of.
type Options struct {
	Models []*schema.Model // declared models, Gatehouse's own included
	Logics []Logic
	Clock  clock.Clock // nil: the machine's
	// SanitizeHTML cleans what is written to html fields; nil keeps it.
	SanitizeHTML func(string) string
}

// Engine answers for the records of one database. Safe for concurrent use.
type Engine struct {
	db       sqldb.DB
	declared []*schema.Model
	logics   map[string][]*Logic
	clock    clock.Clock
	sanitize func(string) string

	state  atomic.Pointer[state]
	stale  atomic.Bool
	reload sync.Mutex
	users  atomic.Pointer[userCache]
	stop   func()
}

var _ backend.Backend = (*Engine)(nil)

// state is what follows from one registry snapshot.
type state struct {
	reg      *schema.Registry
	triggers map[string][]*trigger // by model
	computes map[string][]*Compute
	derived  map[string][]string // see derivedFields
	plans    *planCache
}

// Open brings the database to the declared models and makes an engine on it.
func Open(ctx context.Context, db sqldb.DB, opts Options) (*Engine, error) {
	e := &Engine{
		db: db, declared: opts.Models, logics: map[string][]*Logic{},
		clock: opts.Clock, sanitize: opts.SanitizeHTML,
	}
	if e.clock == nil {
		e.clock = clock.System
	}
	if e.sanitize == nil {
		e.sanitize = func(s string) string { return s }
	}
	for i := range opts.Logics {
		l := &opts.Logics[i]
		e.logics[l.Model] = append(e.logics[l.Model], l)
	}
	if err := schema.Sync(ctx, db, opts.Models); err != nil {
		return nil, fault.Wrap(err, "bring the database to the declared models")
	}
	e.users.Store(newUserCache())
	e.stop = db.Watch(e.changed)
	if err := e.load(ctx); err != nil {
		e.stop()
		return nil, err
	}
	return e, nil
}

// Close stops listening for changes. The database stays open.
func (e *Engine) Close() { e.stop() }

// changed notes that something cached may be old; what needs it loads it anew.
func (e *Engine) changed(channel string) {
	switch channel {
	case RegistrySignal, "":
		e.stale.Store(true)
		e.users.Store(newUserCache())
	case UsersSignal:
		e.users.Store(newUserCache())
		if st := e.state.Load(); st != nil {
			st.plans.clear()
		}
	}
}

// load reads the registry from the database.
func (e *Engine) load(ctx context.Context) error {
	return fault.Wrap(e.db.Read(ctx, func(q sqldb.Querier) error {
		reg, err := schema.Load(ctx, q, e.declared)
		if err != nil {
			return err
		}
		e.state.Store(e.newState(reg))
		return nil
	}), "load the registry")
}

func (e *Engine) newState(reg *schema.Registry) *state {
	st := &state{reg: reg, derived: derivedFields(reg), plans: newPlanCache()}
	st.triggers, st.computes = e.buildTriggers(reg)
	return st
}

// current is the newest state; after a change of the registry it is loaded
// again by the first who asks.
func (e *Engine) current(ctx context.Context) (*state, error) {
	if e.stale.Load() {
		e.reload.Lock()
		defer e.reload.Unlock()
		if e.stale.Swap(false) {
			if err := e.load(ctx); err != nil {
				e.stale.Store(true)
				return nil, err
			}
		}
	}
	return e.state.Load(), nil
}

// Registry is the newest snapshot of models and rights.
func (e *Engine) Registry(ctx context.Context) (*schema.Registry, error) {
	st, err := e.current(ctx)
	if err != nil {
		return nil, err
	}
	return st.reg, nil
}

// DB is the database that the engine works on.
func (e *Engine) DB() sqldb.DB { return e.db }

// Ready says whether the database answers.
func (e *Engine) Ready(ctx context.Context) error {
	return storeFault(e.db.Ping(ctx), "ping")
}

func (e *Engine) now() time.Time { return e.clock.Now().UTC() }
