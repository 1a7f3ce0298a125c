package record

import (
	"context"
	"errors"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
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
	r := e.runningIn(ctx)
	if r != nil && q == nil {
		q = r.tx
	}
	known, st, err := e.view(ctx, r)
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
		contextKeys: cx.caller.Context.Unknown, sized: cx.caller.Context.BinSize, sizedFields: cx.caller.Context.BinSizes,
		lookup: cx.e.lookup(cx.ctx, cx.q, cx.st, cx.known, cx.actor, cx.expire), companyParents: cx.actor.companyParents,
	}
}

func (cx *callContext) expire(at time.Time) {
	if cx.expires.IsZero() || at.Before(cx.expires) {
		cx.expires = at
	}
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
	if q.IDs != nil && len(q.IDs) == 0 {
		return -1, nil // what was asked of no records may be asked
	}
	total := int64(-1)
	run := func(db sqldb.Querier) error {
		sink, end := cx.gather(db, p, q, sink)
		if len(q.IDs) > 0 {
			if err := cx.readIDs(db, p, q, sink); err != nil {
				return err
			}
			return end()
		}
		n, err := cx.readList(db, p, q, sink)
		if err == nil {
			err = end()
		}
		following := q.Keyset != nil && q.Keyset.After != ""
		cx.delivered = n > 0
		if err != nil || !q.Count {
			return err
		}
		if (n > 0 || q.Offset == 0) && !following && (q.Limit == 0 || n < q.Limit && !p.partial) {
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
	n, limit := 0, q.Limit
	deliver := p.deliver(sink, &n)
	if p.keys > 0 {
		last := &lastRow{limit: limit, at: p.keyAt, keys: p.keys}
		rows, each := 0, deliver
		deliver = func(r sqldb.Row) error {
			if rows++; !last.mark(r, rows) {
				return nil
			}
			return each(r)
		}
		if limit > 0 {
			limit++ // whether there is another page
		}
		if err := cx.readRows(db, p, q, limit, deliver); err != nil {
			return n, err
		}
		return n, cx.next(q, last)
	}
	return n, cx.readRows(db, p, q, limit, deliver)
}

func (cx *callContext) readRows(db sqldb.Querier, p *plan, q *backend.Query, limit int, deliver func(sqldb.Row) error) error {
	switch {
	case q.Offset > 0:
		return db.Query(cx.ctx, p.offset.limited(limit), p.offset.with(int64(q.Offset)), deliver)
	case limit > 0:
		return db.Query(cx.ctx, p.page.limited(limit), p.page.args, deliver)
	}
	return db.Query(cx.ctx, p.whole.sql, p.whole.args, deliver)
}

// deliver turns rows into values for a sink and counts them.
func (p *plan) deliver(sink backend.Sink, n *int) func(sqldb.Row) error {
	row := make([]backend.Value, len(p.readers))
	return func(r sqldb.Row) error {
		*n++
		if p.refused != nil {
			return p.refused
		}
		if err := p.withheld(r); err != nil {
			return err
		}
		for i, rd := range p.readers {
			row[i] = rd.read(r)
		}
		for _, i := range p.doubtful {
			if err := knowable(p.model.Name+"."+p.columns[i].Name, row[i].Text); err != nil {
				return err
			}
		}
		return sink.Row(row)
	}
}

func (rd reader) read(r sqldb.Row) backend.Value {
	i := rd.at
	switch {
	case rd.kind == readIDs:
		return backend.IDsValue(r.IDs(i))
	case rd.kind > readJSON:
		return rd.readLong(r)
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
	case readInt, readID:
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
		if text := r.Text(i); text != "null" {
			return backend.RawValue(text)
		}
		return backend.NullValue
	}
	return backend.TextValue(r.Text(i))
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
	case errors.Is(err, sqldb.ErrTooLarge):
		return fault.New(fault.BadRequest, "The request asks for too much at once: fewer conditions, terms or fields are answered").Because(err)
	case errors.Is(err, sqldb.ErrBadValue):
		return fault.New(fault.BadRequest, "A value is out of range or of the wrong type").Because(err)
	}
	return fault.Wrap(err, what)
}
