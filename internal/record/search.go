package record

import (
	"context"
	"errors"
	"strconv"
	"time"

	"gatehouse/internal/access"
	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/nearest"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// callContext is one call on behalf of one caller.
type callContext struct {
	ctx    context.Context
	e      *Engine
	st     *state
	known  *knowledge
	caller *backend.Caller
	actor  *actor
	q      sqldb.Querier // nil: take a connection where one is needed
	// expires is when what was compiled may be out of date; zero: not by itself.
	expires time.Time
	// delivered says that the sink has rows already.
	delivered bool
}

// call resolves a caller. q may be nil.
func (e *Engine) call(ctx context.Context, q sqldb.Querier, c *backend.Caller) (*callContext, error) {
	known := e.known.Load() // before the state: see changed
	st, err := e.current(ctx)
	if err != nil {
		return nil, err
	}
	a, err := e.actor(ctx, q, st, known, c)
	if err != nil {
		return nil, err
	}
	return &callContext{ctx: ctx, e: e, st: st, known: known, caller: c, actor: a, q: q}, nil
}

func (cx *callContext) compiler() *compiler {
	return &compiler{
		reg: cx.st.reg, d: cx.e.db.Dialect(), actor: cx.actor, sudo: cx.actor.sudo,
		keepArchived: cx.caller.Context.KeepArchived, now: cx.e.now,
		lookup: cx.e.lookup(cx.ctx, cx.q, cx.st, cx.actor, cx.expire), companyParents: cx.actor.companyParents,
	}
}

func (cx *callContext) expire(at time.Time) {
	if cx.expires.IsZero() || at.Before(cx.expires) {
		cx.expires = at
	}
}

// model finds a model that the caller may use in this mode.
func (cx *callContext) model(name string, mode schema.Mode) (*schema.Model, error) {
	m := cx.st.reg.Model(name)
	if m == nil || m.Abstract || !cx.visible(m) {
		return nil, cx.unknownModel(name)
	}
	if !cx.may(m, mode) {
		return nil, forbiddenModel(name, mode)
	}
	return m, nil
}

// may is the right of ir.model.access; Gatehouse's own models are for
// administrators as a whole.
func (cx *callContext) may(m *schema.Model, mode schema.Mode) bool {
	if m.AdminOnly {
		return cx.actor.admin
	}
	return cx.actor.sudo || access.Model(cx.st.reg, cx.actor.user, m.Name, mode)
}

func (cx *callContext) visible(m *schema.Model) bool {
	if m.AdminOnly {
		return cx.actor.admin
	}
	return cx.actor.sudo || access.AnyMode(cx.st.reg, cx.actor.user, m.Name)
}

func (cx *callContext) unknownModel(name string) error {
	var names []string
	for _, n := range cx.st.reg.Names() {
		if m := cx.st.reg.Model(n); !m.Abstract && cx.visible(m) {
			names = append(names, n)
		}
	}
	msg := "Unknown model: " + shorten(name)
	if near := nearest.Word(name, names); near != "" {
		msg += ". Did you mean " + near + "?"
	}
	return fault.New(fault.NotFound, msg)
}

func forbiddenModel(model string, mode schema.Mode) error {
	verb := map[schema.Mode]string{schema.Read: "read", schema.Write: "modify", schema.Create: "create", schema.Unlink: "delete"}[mode]
	return fault.Newf(fault.Forbidden, "You are not allowed to %s %s records", verb, model)
}

// Model implements backend.Backend.
func (e *Engine) Model(ctx context.Context, c *backend.Caller, name string) (*schema.Model, error) {
	cx, err := e.call(ctx, nil, c)
	if err != nil {
		return nil, err
	}
	m := cx.st.reg.Model(name)
	if m == nil || m.Abstract || !cx.visible(m) {
		return nil, cx.unknownModel(name)
	}
	return m, nil
}

// Models implements backend.Backend.
func (e *Engine) Models(ctx context.Context, c *backend.Caller) ([]string, error) {
	cx, err := e.call(ctx, nil, c)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, n := range cx.st.reg.Names() {
		if m := cx.st.reg.Model(n); !m.Abstract && cx.visible(m) {
			names = append(names, n)
		}
	}
	return names, nil
}

// Search implements backend.Backend.
func (e *Engine) Search(ctx context.Context, c *backend.Caller, q *backend.Query, sink backend.Sink) (int64, error) {
	total := int64(-1)
	err := e.upToDate(func() error {
		cx, err := e.call(ctx, nil, c)
		if err != nil {
			return err
		}
		total, err = cx.search(q, sink)
		return err
	})
	return total, err
}

func (cx *callContext) search(q *backend.Query, sink backend.Sink) (int64, error) {
	p, err := cx.plan(q)
	if err != nil {
		return -1, err
	}
	if err := sink.Columns(p.columns); err != nil {
		return -1, err
	}
	total := int64(-1)
	run := func(db sqldb.Querier) error {
		if len(q.IDs) > 0 {
			return cx.readIDs(db, p, q.IDs, sink)
		}
		n, err := cx.readList(db, p, q, sink)
		cx.delivered = n > 0
		if err != nil || !q.Count {
			return err
		}
		if (n > 0 || q.Offset == 0) && (q.Limit == 0 || n < q.Limit) {
			total = int64(q.Offset + n) // the last page tells by itself
			return nil
		}
		total, err = cx.total(db, p)
		return err
	}
	if cx.q != nil {
		err = run(cx.q)
	} else {
		err = cx.e.db.Read(cx.ctx, run)
	}
	if cx.delivered && errors.Is(err, sqldb.ErrOutdated) { // the rows cannot be taken back and read again
		err = fault.New(fault.Conflict, "The model "+q.Model+" was changed while it was read, try again")
	}
	return total, storeFault(err, "search "+q.Model)
}

// counted is the total of a plan, and the state of the database it is true for.
type counted struct {
	token string
	total int64
}

// total counts all matches, or takes over the count of another request if the
// database has not changed since: the answer is exact either way.
func (cx *callContext) total(db sqldb.Querier, p *plan) (total int64, err error) {
	before, err := db.Visible(cx.ctx)
	if err != nil {
		return 0, err
	}
	if c := p.counted.Load(); c != nil && c.token == before {
		return c.total, nil
	}
	err = db.Query(cx.ctx, p.count.sql, p.count.args, func(r sqldb.Row) error {
		total = r.Int(0)
		return nil
	})
	if err != nil {
		return 0, err
	}
	if after, err := db.Visible(cx.ctx); err == nil && after == before {
		p.counted.Store(&counted{before, total})
	}
	return total, nil
}

// readList runs the page and gives the number of rows.
func (cx *callContext) readList(db sqldb.Querier, p *plan, q *backend.Query, sink backend.Sink) (int, error) {
	n := 0
	deliver := p.deliver(sink, &n)
	switch {
	case q.Offset > 0:
		err := db.Query(cx.ctx, p.offset.limited(q.Limit), p.offset.with(int64(q.Offset)), deliver)
		return n, err
	case q.Limit > 0:
		err := db.Query(cx.ctx, p.page.limited(q.Limit), p.page.args, deliver)
		return n, err
	}
	err := db.Query(cx.ctx, p.whole.sql, p.whole.args, deliver)
	return n, err
}

// deliver turns rows into values for a sink and counts them.
func (p *plan) deliver(sink backend.Sink, n *int) func(sqldb.Row) error {
	row := make([]backend.Value, len(p.readers))
	return func(r sqldb.Row) error {
		*n++
		for i, rd := range p.readers {
			row[i] = rd.read(r)
		}
		return sink.Row(row)
	}
}

func (rd reader) read(r sqldb.Row) backend.Value {
	i := rd.at
	if rd.kind == readIDs {
		return backend.IDsValue(r.IDs(i))
	}
	if r.Null(i) {
		// Odoo's numbers and truth values have no "not set" (semantics, section 3).
		switch rd.kind {
		case readBool:
			return backend.BoolValue(false)
		case readInt:
			return backend.IntValue(0)
		case readFloat:
			return backend.FloatValue(0)
		}
		return backend.NullValue
	}
	switch rd.kind {
	case readBool:
		return backend.BoolValue(r.Bool(i))
	case readInt:
		return backend.IntValue(r.Int(i))
	case readFloat:
		return backend.FloatValue(r.Float(i))
	case readDate:
		return backend.DateValue(r.Time(i))
	case readDatetime:
		return backend.DatetimeValue(r.Time(i))
	case readRef:
		return backend.RefValue(r.Int(i), r.Text(i+1))
	case readJSON:
		return backend.RawValue(r.Text(i))
	}
	return backend.TextValue(r.Text(i))
}

// readIDs reads records by id; all must be there and readable.
func (cx *callContext) readIDs(db sqldb.Querier, p *plan, ids []int64, sink backend.Sink) error {
	stmt, want, later := &p.byID, 1, any(ids[0])
	if len(ids) > 1 {
		ids = unique(ids)
		stmt, want, later = &p.byIDs, len(ids), any(ids)
	}
	n := 0
	if err := db.Query(cx.ctx, stmt.sql, stmt.with(later), p.deliver(sink, &n)); err != nil {
		return err
	}
	if n == want {
		return nil
	}
	return cx.whyNot(db, p.model, ids, schema.Read)
}

// whyNot tells records that do not exist from those a rule hides.
func (cx *callContext) whyNot(db sqldb.Querier, m *schema.Model, ids []int64, mode schema.Mode) error {
	exist := map[int64]bool{}
	sql := "select id from " + quote(m.Table) + " where " + cx.e.db.Dialect().In("id", "$1", true)
	err := db.Query(cx.ctx, sql, []any{ids}, func(r sqldb.Row) error {
		exist[r.Int(0)] = true
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !exist[id] {
			return missingRecord(m.Name, id)
		}
	}
	return forbiddenRecord(m.Name, ids, mode)
}

func missingRecord(model string, id int64) error {
	return fault.Newf(fault.NotFound, "Record %d of %s does not exist or has been deleted", id, model)
}

func forbiddenRecord(model string, ids []int64, mode schema.Mode) error {
	verb := map[schema.Mode]string{schema.Read: "read", schema.Write: "modify", schema.Create: "create", schema.Unlink: "delete"}[mode]
	which := "these records"
	if len(ids) == 1 {
		which = "record " + strconv.FormatInt(ids[0], 10)
	}
	return fault.Newf(fault.Forbidden, "You are not allowed to %s %s of %s", verb, which, model)
}

func unique(ids []int64) []int64 {
	seen := make(map[int64]bool, len(ids))
	out := make([]int64, 0, len(ids))
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

// domainFault makes the caller's error of a domain that does not parse.
func domainFault(err error) error {
	if de, ok := errors.AsType[*domain.Error](err); ok {
		return fault.Newf(fault.BadRequest, "Invalid domain: %s", de.Msg).
			With(map[string]any{"position": de.Pos, "near": de.Near})
	}
	return fault.New(fault.BadRequest, "Invalid domain").Because(err)
}

// storeFault makes faults of what the database says.
func storeFault(err error, what string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sqldb.ErrUnavailable):
		return fault.New(fault.Unavailable, "The database is not available, try again").Because(err)
	case errors.Is(err, sqldb.ErrConflict):
		return fault.New(fault.Conflict, "Others were changing the same records, try again").Because(err)
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.GatewayTimeout, "The request took too long").Because(err)
	case errors.Is(err, sqldb.ErrBadPattern):
		return fault.New(fault.BadRequest, "Invalid domain: a pattern must not end with a lone backslash").Because(err)
	case errors.Is(err, sqldb.ErrBadValue):
		return fault.New(fault.BadRequest, "A value is out of range or of the wrong type").Because(err)
	}
	return fault.Wrap(err, what)
}
