package record

import (
	"cmp"
	"context"
	"time"

	"gatehouse/internal/access"
	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// Env is one transaction on behalf of one caller: what business logic works
// with. It is for one goroutine.
type Env struct {
	callContext
	tx sqldb.Tx
	*shared
	trusted string // "model.field" of a many2one whose target needs no check
	// trustedAt is the nesting in which that holds: not for what the values
	// bring along in lists of their own.
	trustedAt int
}

// shared is what an Env and its Sudo have in common.
type shared struct {
	moment  time.Time
	cache   recordCache
	pending pendingComputes
	depth   int   // nesting of Create, Write and Unlink
	err     error // first error of a lazy read
	once    map[int64]map[string]string
	signals map[string]bool
	// suspected are values that a foreign key refused.
	suspected []suspect
	// given are the fields that callers set on records in running operations.
	given map[string]map[int64]map[string]bool
	trail *trail                     // nil until policy changes
	hooks map[string][]*Subscription // by model; nil: none
	notes changeNotes
	told  *told // nil until something changes that others hear of
}

// Sudo runs fn in one write transaction as superuser.
func (e *Engine) Sudo(ctx context.Context, fn func(*Env) error) error {
	return e.write(ctx, &backend.Caller{UserID: access.SuperuserID, Superuser: true}, fn)
}

// Transact runs fn in one write transaction on behalf of a caller.
func (e *Engine) Transact(ctx context.Context, c *backend.Caller, fn func(*Env) error) error {
	return e.write(ctx, c, fn)
}

// SudoTx is Sudo inside a transaction that runs already.
func (e *Engine) SudoTx(ctx context.Context, tx sqldb.Tx, fn func(*Env) error) error {
	err := e.inside(ctx, tx, &backend.Caller{UserID: access.SuperuserID, Superuser: true}, fn)
	if err != nil {
		e.known.Store(newKnowledge()) // the transaction may have been read before it is undone
	}
	return err
}

// write runs fn in one write transaction for a caller, and what it left to
// compute after it.
func (e *Engine) write(ctx context.Context, c *backend.Caller, fn func(*Env) error) error {
	if err := e.onlyRead(); err != nil {
		return err
	}
	if r := e.runningIn(ctx); r != nil {
		return r.change(ctx, c, fn)
	}
	var env *Env
	err := e.upToDate(func() error {
		return e.db.Write(ctx, func(tx sqldb.Tx) error {
			return e.inside(ctx, tx, c, func(inner *Env) error {
				env = inner
				return fn(inner)
			})
		})
	})
	if err != nil && env != nil && len(env.suspected) > 0 {
		if missing := e.missingLink(ctx, env); missing != nil {
			return missing
		}
	}
	return storeFault(err, "write")
}

func (e *Engine) inside(ctx context.Context, tx sqldb.Tx, c *backend.Caller, fn func(*Env) error) error {
	cx, err := e.call(ctx, tx, c)
	if err == nil {
		err = cmp.Or(cx.actor.companyErr, cx.actor.langErr)
	}
	if err != nil {
		return err
	}
	env := newEnv(cx, tx)
	if e.outbox != nil {
		if env.hooks, err = e.outbox.Subscriptions(ctx, tx); err != nil {
			return err
		}
	}
	if err := fn(env); err != nil {
		return err
	}
	if err := env.flush(); err != nil {
		return err
	}
	if err := env.tellAll(); err != nil {
		return err
	}
	if err := env.keepNotes(); err != nil {
		return err
	}
	return env.keepTrail()
}

func newEnv(cx *callContext, tx sqldb.Tx) *Env {
	return &Env{callContext: *cx, tx: tx, shared: &shared{
		moment: cx.e.now(), cache: newRecordCache(), signals: map[string]bool{},
		once: map[int64]map[string]string{}, given: map[string]map[int64]map[string]bool{},
	}}
}

// query runs a compiled statement.
func (e *Env) query(c *compiler, sql string, each func(sqldb.Row) error) error {
	s := c.statement(sql)
	return e.tx.Query(e.ctx, s.sql, s.args, each)
}

// Ctx is the context of the request.
func (e *Env) Ctx() context.Context { return e.ctx }

// Tx is the running transaction.
func (e *Env) Tx() sqldb.Tx { return e.tx }

// Caller is who the transaction is for.
func (e *Env) Caller() *backend.Caller { return e.caller }

// Registry is the snapshot that the transaction works with.
func (e *Env) Registry() *schema.Registry { return e.st.reg }

// UserID is the caller's user.
func (e *Env) UserID() int64 { return e.actor.user.ID }

// CompanyID is the current company of the caller; 0 when there is none.
func (e *Env) CompanyID() int64 { return e.actor.company }

// CompanyIDs are the active companies of the caller.
func (e *Env) CompanyIDs() []int64 { return e.actor.companies }

// Now is the moment of the transaction, in UTC, to the second.
func (e *Env) Now() time.Time { return e.moment.Truncate(time.Second) }

// Err is the first error that a lazy read met. The engine checks it after every hook.
func (e *Env) Err() error { return e.err }

// Sudo is the same transaction as superuser: no rights, no record rules.
func (e *Env) Sudo() *Env {
	if e.actor.sudo {
		return e
	}
	s := *e
	a := *e.actor
	a.sudo, a.loose, a.admin = true, true, true
	s.actor = &a
	return &s
}

// WithCompany is the same transaction with another current company.
func (e *Env) WithCompany(id int64) *Env {
	if e.actor.company == id {
		return e
	}
	s := *e
	a := *e.actor
	a.company, a.companies = id, []int64{id}
	s.actor = &a
	return &s
}

// Once adds a secret to the answer of the create of r, shown this one time.
func (e *Env) Once(r Rec, name, secret string) {
	if e.once[r.id] == nil {
		e.once[r.id] = map[string]string{}
	}
	e.once[r.id][name] = secret
}

// One is the record of a model with that id; nothing is read yet.
func (e *Env) One(model string, id int64) Rec {
	m := e.st.reg.Model(model)
	if m == nil || id == 0 {
		return Rec{}
	}
	return Rec{env: e, model: m, id: id}
}

// Many are records that are read together.
func (e *Env) Many(model string, ids []int64) []Rec {
	m := e.st.reg.Model(model)
	if m == nil {
		return nil
	}
	return e.recs(m, ids)
}

func (e *Env) recs(m *schema.Model, ids []int64) []Rec {
	recs := make([]Rec, len(ids))
	for i, id := range ids {
		recs[i] = Rec{env: e, model: m, id: id, group: ids}
	}
	return recs
}

// Ref is the record with an external id such as base.main_company; the zero
// Rec when there is none.
func (e *Env) Ref(xmlid string) Rec {
	module, name := "", xmlid
	for i := range xmlid {
		if xmlid[i] == '.' {
			module, name = xmlid[:i], xmlid[i+1:]
			break
		}
	}
	var rec Rec
	err := e.tx.Query(e.ctx, `select model, res_id from ir_model_data where module = $1 and name = $2`, []any{module, name},
		func(r sqldb.Row) error {
			rec = e.One(r.Text(0), r.Int(1))
			return nil
		})
	e.fail(err)
	return rec
}

func (e *Env) fail(err error) {
	if e.err == nil && err != nil {
		e.err = err
	}
}

// SearchOption refines a search.
type SearchOption func(*searchOptions)

type searchOptions struct {
	order    string
	limit    int
	archived bool
}

// WithOrder sorts by the given order instead of the model's own.
func WithOrder(order string) SearchOption { return func(o *searchOptions) { o.order = order } }

// WithLimit bounds the number of records.
func WithLimit(n int) SearchOption { return func(o *searchOptions) { o.limit = n } }

// WithArchived includes archived records.
func WithArchived() SearchOption { return func(o *searchOptions) { o.archived = true } }

// Search finds the records that match a domain and that the caller may read.
func (e *Env) Search(model, domainText string, opts ...SearchOption) ([]Rec, error) {
	node, err := backend.ParseDomain(domainText)
	if err != nil {
		return nil, err
	}
	return e.SearchNode(model, node, opts...)
}

// SearchNode is Search with a domain that is a tree already.
func (e *Env) SearchNode(model string, node domain.Node, opts ...SearchOption) ([]Rec, error) {
	if err := e.flush(); err != nil {
		return nil, err
	}
	var o searchOptions
	for _, opt := range opts {
		opt(&o)
	}
	m, err := e.callContext.model(model, schema.Read)
	if err != nil {
		return nil, err
	}
	ids, err := e.searchIDs(m, node, o)
	if err != nil {
		return nil, err
	}
	return e.recs(m, ids), nil
}

func (e *Env) searchIDs(m *schema.Model, node domain.Node, o searchOptions) ([]int64, error) {
	c := e.compiler()
	c.keepArchived = c.keepArchived || o.archived
	f := c.from(m)
	where, err := f.search(node)
	if err != nil {
		return nil, err
	}
	order, err := f.orderBy(o.order)
	if err != nil {
		return nil, err
	}
	sql := "select " + f.alias + ".id from " + f.sql() + " where " + where + " order by " + order
	if o.limit > 0 {
		sql += " limit cast(" + c.arg(int64(o.limit)) + " as bigint)"
	}
	var ids []int64
	err = e.query(c, sql, func(r sqldb.Row) error {
		ids = append(ids, r.Int(0))
		return nil
	})
	return ids, err
}

// Create makes records. Rights, defaults, computed fields, constraints and the
// model's logic apply.
func (e *Env) Create(model string, values ...Values) ([]Rec, error) {
	m, err := e.callContext.model(model, schema.Create)
	if err != nil {
		return nil, err
	}
	ids, err := e.create(m, values)
	if err != nil {
		return nil, err
	}
	return e.recs(m, ids), nil
}

// Write changes records of one model.
func (e *Env) Write(recs []Rec, values Values) error {
	if len(recs) == 0 {
		return nil
	}
	m, err := e.callContext.model(recs[0].model.Name, schema.Write)
	if err != nil {
		return err
	}
	return e.write(m, idsOf(recs), values)
}

// Unlink deletes records of one model.
func (e *Env) Unlink(recs []Rec) error {
	if len(recs) == 0 {
		return nil
	}
	m, err := e.callContext.model(recs[0].model.Name, schema.Unlink)
	if err != nil {
		return err
	}
	return e.unlink(m, idsOf(recs))
}

func idsOf(recs []Rec) []int64 {
	ids := make([]int64, len(recs))
	for i, r := range recs {
		ids[i] = r.id
	}
	return ids
}

// enter and leave count the nesting, so that computed fields and checks of the
// outermost operation are done once at its end.
func (e *Env) enter() { e.depth++ }

func (e *Env) leave() { e.depth-- }

// signal tells other nodes once per transaction.
func (e *Env) signal(channel string) error {
	if e.signals[channel] {
		return nil
	}
	e.signals[channel] = true
	return e.tx.Signal(e.ctx, channel)
}

// registryModels are the models whose records make up the registry.
func registryModel(name string) bool {
	switch name {
	case "ir.model", "ir.model.fields", "ir.model.fields.selection", "ir.model.inherit", "ir.model.access",
		"ir.rule", "ir.default", "res.groups", "res.lang":
		return true
	}
	return false
}

// hookFault passes an error of business logic on, after lazy reads.
func (e *Env) hookFault(err error) error {
	if e.err != nil {
		return fault.Wrap(e.err, "read in business logic")
	}
	return err
}
