package odoopoll

import (
	"slices"
	"time"

	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// How far a scan looks back, for transactions that began before others ended:
// mostly a little, now and then as long as a transaction may reasonably last. A
// longer one is found by the next sweep.
const (
	lookBack     = 15 * time.Second
	lookFarBack  = 10 * time.Minute
	lookFarEvery = time.Minute
)

// ahead is how far write_date may be ahead of our clock to be believed: one
// that is in the future for whatever reason must not hide what is written now,
// nor be looked at again and again.
const ahead = time.Hour

func (*watch) believed(now time.Time) domain.Node {
	return leaf(written, "<=", moment(now.Add(ahead).UnixMicro()))
}

// memory is what this process knows beside the store: without it, looking
// costs a little more. It holds while no other node has gone on.
type memory struct {
	watch, version int64

	// at is when position was found to be the newest write_date: from then on the
	// Odoo's clock has moved as far as ours, at least. So an idle model is not
	// asked for what was last written again and again. near and far are the
	// beginnings of the last scans that came to their ends.
	at, near, far time.Time
	resume        *place // of a scan that was not

	known   int64 // number of records; -1: not counted
	counted time.Time
}

// place is how far a scan has come.
type place struct {
	begin  time.Time
	far    bool
	from   int64 // write_date in microseconds, full seconds
	inside bool  // of that second all up to the id after were seen
	after  int64
}

const second = int64(time.Second / time.Microsecond)

// reach begins a scan.
func (w *watch) reach() *place {
	now := w.o.Clock.Now()
	p := &place{begin: now, far: now.Sub(w.mem.far) >= lookFarEvery}
	back, last := lookBack, w.mem.near
	if p.far {
		back, last = lookFarBack, w.mem.far
	}
	p.from = w.position
	if !w.mem.at.IsZero() && !last.IsZero() {
		p.from += last.Sub(w.mem.at).Microseconds()
	}
	p.from = max(p.from-back.Microseconds(), 0)
	if !w.stocked { // what is older than the beginning is taken in stock
		p.from = max(p.from, w.start)
	}
	p.from -= p.from % second
	return p
}

// scan looks at what was written lately. Pages go by the second, and inside of
// one that has more records than a page by the id: an Odoo orders by the
// microsecond, but does not tell it.
func (w *watch) scan() error {
	p := w.mem.resume
	if p == nil {
		p = w.reach()
	}
	for range w.bounds.scanPages {
		limit := w.bounds.glance
		where, order := domain.Conj(leaf(written, ">=", moment(p.from)), w.believed(w.o.Clock.Now())), written+", id"
		if p.inside {
			where = domain.Conj(leaf(written, ">=", moment(p.from)), leaf(written, "<", moment(p.from+second)), leaf("id", ">", p.after))
			order = "id"
		}
		seen, err := w.ask(where, order, limit, nil)
		if err != nil {
			return err
		}
		asked := w.o.Clock.Now()
		if w.mem.at.IsZero() {
			w.mem.at = asked
		}
		if err := w.compare(seen); err != nil {
			return err
		}
		newest := w.position
		for _, s := range seen {
			newest = max(newest, s.written)
		}
		if newest > w.position {
			w.position = newest
			if err := w.commit(nil); err != nil {
				return fault.Wrap(err, "keep the position")
			}
			w.mem.at = asked
		}
		if done := p.next(seen, limit); done {
			w.mem.resume = nil
			if w.stocked {
				w.mem.near = p.begin
			}
			if w.stocked && p.far {
				w.mem.far = p.begin
			}
			return nil
		}
		if w.late() {
			break
		}
	}
	w.mem.resume = p
	return nil
}

// next moves a place behind a page; done says that there is no more.
func (p *place) next(seen []glanced, limit int) (done bool) {
	full := len(seen) >= limit
	switch {
	case p.inside && full:
		p.after = seen[len(seen)-1].id
	case p.inside:
		p.from, p.inside = p.from+second, false
	case !full:
		return true
	default:
		last := seen[len(seen)-1].written
		last -= last % second
		p.inside, p.after = last == p.from, 0
		p.from = last
	}
	return false
}

// compare looks more closely at those records that are not as they were known.
func (w *watch) compare(seen []glanced) error {
	if len(seen) == 0 {
		return nil
	}
	ids := make([]int64, len(seen))
	for i, s := range seen {
		ids[i] = s.id
	}
	have, err := w.knownOf(ids)
	if err != nil {
		return err
	}
	var other []int64
	for _, s := range seen {
		k, isKnown := have[s.id]
		if isKnown && k.written == s.written || !isKnown && !w.stocked && s.written <= w.start {
			continue
		}
		other = append(other, s.id)
	}
	return w.settle(other)
}

// rechecks are how long after a change a record is looked at once more: within
// the second of the first change there may have been another, whose transaction
// may have taken a while.
func rechecks() []time.Duration {
	return []time.Duration{3 * time.Second, time.Minute, lookFarBack}
}

// recheck looks once more at what is due for that.
func (w *watch) recheck() error {
	list, err := w.load(`recheck is not null and recheck <= $2 order by recheck limit $3`, w.o.Clock.Now().Unix(), w.bounds.rechecks)
	if err != nil || len(list) == 0 {
		return err
	}
	ids := make([]int64, len(list))
	for i, k := range list {
		ids[i] = k.id
	}
	return w.settle(ids)
}

// replan takes over another plan: what is known by the old one is completed by
// a sweep.
func (w *watch) replan() error {
	w.signature = w.plan.signature
	if w.stocked {
		w.sweeping = false // and begins anew
	}
	w.swept = 0
	w.filling, w.began = true, 0
	return w.commit(func(tx sqldb.Tx) error { // which fields a hash is of has changed
		_, err := tx.Exec(w.ctx, `update gateway_odoo_known set hash = null where watch_id = $1 and recheck is not null`, w.id)
		return err
	})
}

// chunks cuts ids into lists that are read at a time.
func chunks(ids []int64, size int) [][]int64 { return slices.Collect(slices.Chunk(ids, size)) }
