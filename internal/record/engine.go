// Package record is the engine: it searches, reads, creates, writes and
// deletes records of any model in the registry, on SQLite or PostgreSQL, as
// Odoo does it, with rights, record rules, defaults, computed fields and
// constraints. Everything is compiled to SQL; rows are never filtered in Go.
package record

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/clock"
	"gatehouse/internal/facts"
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
	// Odoo says that the database is that of a genuine Odoo, and what is known
	// of its code. It is read as it is and never written.
	Odoo *facts.Table
	// Outbox hears of changes, for webhooks; nil: nobody does.
	Outbox Outbox
}

// Engine answers for the records of one database. Safe for concurrent use.
type Engine struct {
	db       sqldb.DB
	declared []*schema.Model
	logics   map[string][]*Logic
	clock    clock.Clock
	sanitize func(string) string
	facts    *facts.Table // of a genuine Odoo; nil: the database is our own
	outbox   Outbox       // nil: none
	cursors  *backend.Cursors

	state  atomic.Pointer[state]
	wanted atomic.Uint64 // generation of the registry that is needed
	reload sync.Mutex
	known  atomic.Pointer[knowledge]
	stop   func()
}

var _ backend.Backend = (*Engine)(nil)

// state is what follows from one registry snapshot.
type state struct {
	reg      *schema.Registry
	triggers map[string][]*trigger // by model
	computes map[string][]*Compute
	derived  map[string][]string // see derivedFields
	audited  map[string][]*schema.Field
	// generation is what Engine.wanted was before the registry was read.
	generation uint64
}

// Open brings the database to the declared models and makes an engine on it. A
// genuine Odoo's database stays as it is.
func Open(ctx context.Context, db sqldb.DB, opts Options) (*Engine, error) {
	e := &Engine{
		db: db, declared: opts.Models, logics: map[string][]*Logic{},
		clock: opts.Clock, sanitize: opts.SanitizeHTML, facts: opts.Odoo, outbox: opts.Outbox,
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
	if e.facts == nil {
		if err := schema.Sync(ctx, db, opts.Models); err != nil {
			return nil, fault.Wrap(err, "bring the database to the declared models")
		}
	}
	if err := e.openCursors(ctx); err != nil {
		return nil, fault.Wrap(err, "prepare cursors")
	}
	e.known.Store(newKnowledge())
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
// The order matters: whoever finds the new knowledge also finds that a new
// registry is wanted, so that nothing made from the old one gets into it.
func (e *Engine) changed(channel string) {
	switch channel {
	case RegistrySignal, "":
		e.wanted.Add(1)
		e.known.Store(newKnowledge())
	case UsersSignal:
		e.known.Store(newKnowledge())
	}
}

// load reads the registry from the database.
func (e *Engine) load(ctx context.Context) error {
	generation := e.wanted.Load()
	return storeFault(e.db.Snapshot(ctx, func(q sqldb.Querier) error {
		reg, err := schema.Load(ctx, q, e.declared, e.facts)
		if err != nil {
			return err
		}
		st := e.newState(reg)
		st.generation = generation
		e.state.Store(st)
		return nil
	}), "load the registry")
}

func (e *Engine) newState(reg *schema.Registry) *state {
	st := &state{reg: reg}
	if e.facts != nil {
		return st // nothing is computed in a database that is only read
	}
	st.derived = derivedFields(reg)
	st.triggers, st.computes = e.buildTriggers(reg)
	st.audited = auditedFields(reg)
	return st
}

// current is the newest state; after a change of the registry it is loaded
// again by the first who asks.
func (e *Engine) current(ctx context.Context) (*state, error) {
	if st := e.state.Load(); st.generation == e.wanted.Load() {
		return st, nil
	}
	e.reload.Lock()
	defer e.reload.Unlock()
	if st := e.state.Load(); st.generation == e.wanted.Load() {
		return st, nil
	}
	if err := e.load(ctx); err != nil {
		return nil, err
	}
	return e.state.Load(), nil
}

// maxOutdated is how often an operation is tried again because fields or models
// went away under it.
const maxOutdated = 3

// upToDate repeats what was compiled from a registry that the database has
// left behind: another node, or another request of this one, dropped a field
// or a model, and the signal is still on its way.
func (e *Engine) upToDate(run func() error) error {
	for try := 0; ; try++ {
		err := run()
		if try == maxOutdated || !errors.Is(err, sqldb.ErrOutdated) {
			return err
		}
		e.changed(RegistrySignal)
	}
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
