package odoopoll

import (
	"fmt"
	"math"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// How often all ids of a model are compared: as often as this many records a
// second allow, but neither more nor less often than the other two say.
const (
	sweepRate  = 1000
	sweepEvery = 5 * time.Minute
	sweepRest  = time.Hour
)

// sweep compares all records with what is known of them, some pages in a round.
// The first one takes stock. Then it finds what is deleted, and what no scan
// has found.
func (w *watch) sweep() error {
	if !w.sweeping {
		due, err := w.sweepDue()
		if err != nil || !due {
			return err
		}
		w.sweeping, w.swept, w.began = true, 0, w.o.Clock.Now().Unix()
	}
	pages := w.bounds.sweepPages
	if !w.stocked {
		pages = w.bounds.stockPages
	}
	for range pages {
		if err := w.sweepPage(); err != nil {
			return err
		}
		if !w.sweeping || w.late() {
			break
		}
	}
	return nil
}

// sweepDue says whether it is time for a sweep: because the last one is long
// ago, or because there are fewer records than are known.
func (w *watch) sweepDue() (bool, error) {
	now := w.o.Clock.Now()
	if w.mem.known < 0 {
		err := w.o.DB.Read(w.ctx, func(q sqldb.Querier) error {
			return q.Query(w.ctx, `select count(*) from gateway_odoo_known where watch_id = $1 and coalesce(stage, 0) <> $2`, []any{w.id, hidden}, func(r sqldb.Row) error {
				w.mem.known = r.Int(0)
				return nil
			})
		})
		if err != nil {
			return false, fault.Wrap(err, "count what is known")
		}
	}
	every := min(max(time.Duration(w.mem.known/sweepRate)*time.Second, sweepEvery), sweepRest)
	if now.Sub(time.Unix(w.began, 0)) >= every {
		return true, nil
	}
	// A count takes the Odoo as long as there are records.
	pause := time.Duration(w.mem.known/w.bounds.counted) * 10 * time.Second
	if w.mem.known == 0 || !w.tellsUnlink() || now.Sub(w.mem.counted) < pause {
		return false, nil
	}
	w.now.Calls++
	n, err := w.o.Records.Count(w.ctx, w.caller, w.plan.model.Name, domain.Const(true))
	if err != nil {
		return false, refused(err)
	}
	w.mem.counted = now
	return n < w.mem.known, nil
}

func (w *watch) tellsUnlink() bool {
	for _, s := range w.plan.subs {
		if s.Unlink {
			return true
		}
	}
	return false
}

// sweepPage compares a page of records, by id.
func (w *watch) sweepPage() error {
	var fields []string
	limit := w.bounds.glance
	if w.filling && len(w.plan.watched) > 0 {
		fields, limit = w.plan.watched, max(limit/5, 1)
	}
	seen, err := w.ask(leaf("id", ">", w.swept), "id", limit, fields)
	if err != nil {
		return err
	}
	end := int64(math.MaxInt64)
	if len(seen) >= limit {
		end = seen[len(seen)-1].id
	}
	// Where many were deleted there is more known than seen: not all at once.
	most := 2 * w.bounds.glance
	have, err := w.load(`id > $2 and id <= $3 order by id limit $4`, w.swept, end, most)
	if err != nil {
		return err
	}
	if len(have) == most {
		end = have[most-1].id
		for len(seen) > 0 && seen[len(seen)-1].id > end {
			seen = seen[:len(seen)-1]
		}
	}
	matched, err := w.matchedIn(w.swept, end, len(seen) > 0)
	if err != nil {
		return err
	}
	d := w.differences(seen, have, fields != nil, matched)
	if err := w.settle(d.other); err != nil {
		return err
	}
	gone, unseen, err := w.confirm(d.gone)
	if err != nil {
		return err
	}
	if err := w.remove(gone); err != nil {
		return err
	}
	w.swept = end
	if end == math.MaxInt64 {
		w.sweeping, w.filling, w.stocked, w.swept = false, false, true, 0
	}
	err = w.commit(func(tx sqldb.Tx) error {
		return w.keep(tx, append(d.keep, unseen...))
	})
	if err == nil {
		w.mem.add(d.fresh - len(unseen))
	}
	return fault.Wrap(err, "keep what was compared")
}

// matchedIn asks the domains by which deletions are told, about a range of ids.
func (w *watch) matchedIn(after, end int64, some bool) ([]map[int64]bool, error) {
	found := make([]map[int64]bool, len(w.plan.subs))
	if !w.plan.domains || !some {
		return found, nil
	}
	where := leaf("id", ">", after)
	if end != math.MaxInt64 {
		where = domain.Conj(where, leaf("id", "<=", end))
	}
	for i, s := range w.plan.subs {
		if !s.Unlink || s.Domain == nil {
			continue
		}
		var err error
		if found[i], err = w.among(where, s); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// differences are what a page shows.
type differences struct {
	keep  []known // to be noted without telling anybody
	other []int64 // to be looked at more closely
	gone  []known
	fresh int // of keep, those that were not counted
}

// differences compares two lists in the order of their ids.
func (w *watch) differences(seen []glanced, have []known, filled bool, matched []map[int64]bool) (d differences) {
	for i := range seen {
		s := &seen[i]
		for len(have) > 0 && have[0].id < s.id {
			d.miss(have[0])
			have = have[1:]
		}
		if len(have) > 0 && have[0].id == s.id {
			k := have[0]
			have = have[1:]
			if k.written != s.written {
				d.other = append(d.other, s.id)
				continue
			}
			was := k
			if k.stage == hidden {
				k.stage = 0
				d.fresh++
			}
			if filled {
				k.watched = w.watchedOf(s)
			}
			if k.matched = w.matchedOf(s.id, matched); k != was {
				d.keep = append(d.keep, k)
			}
			continue
		}
		if w.stocked || s.written > w.start {
			d.other = append(d.other, s.id)
			continue
		}
		k := known{id: s.id, written: s.written, matched: w.matchedOf(s.id, matched)}
		if filled {
			k.watched = w.watchedOf(s)
		}
		if s.written > w.start-lookFarBack.Microseconds() { // may be changed again in that very second
			k.recheck = w.o.Clock.Now().Add(rechecks()[0]).Unix()
		}
		d.keep = append(d.keep, k)
		d.fresh++
	}
	for _, k := range have {
		d.miss(k)
	}
	return d
}

func (d *differences) miss(k known) {
	if k.stage != hidden {
		d.gone = append(d.gone, k)
	}
}

// confirm tells records that are deleted from those that the technical user may
// not see any more, which is nothing to tell: an Odoo reads past what is
// deleted, and refuses what is hidden.
func (w *watch) confirm(missing []known) (gone, unseen []known, err error) {
	calls := 0
	var ask func(some []known) error
	ask = func(some []known) error {
		if len(some) == 0 {
			return nil
		}
		if calls++; calls > w.bounds.read { // whatever is going on, it is not many deletions
			w.notes = append(w.notes, fmt.Sprintf("%s: the technical user cannot see many records any more", w.model))
			return nil // they are missed again by the next sweep
		}
		ids := make([]int64, len(some))
		for i, k := range some {
			ids[i] = k.id
		}
		page := &backend.Page{}
		err := w.search(&backend.Query{Model: w.plan.model.Name, IDs: ids, Fields: []string{"id"}}, page)
		f := fault.From(err)
		switch {
		case err == nil || f.Kind == fault.NotFound:
			there := map[int64]bool{}
			for _, id := range page.IDs() {
				there[id] = true
			}
			for _, k := range some {
				if !there[k.id] {
					gone = append(gone, k)
				}
			}
			return nil
		case f.Kind != fault.Forbidden:
			return refused(err)
		case len(some) == 1:
			k := some[0]
			k.stage, k.recheck = hidden, 0
			unseen = append(unseen, k)
			return nil
		}
		if err := ask(some[:len(some)/2]); err != nil {
			return err
		}
		return ask(some[len(some)/2:])
	}
	for begin := 0; begin < len(missing) && err == nil; begin += w.bounds.read {
		err = ask(missing[begin:min(begin+w.bounds.read, len(missing))])
	}
	return gone, unseen, err
}
