package odoopoll

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// settle reads records as webhooks tell them and keeps, in one transaction,
// what is known of them now and the events that follow from the difference.
func (w *watch) settle(ids []int64) error {
	for _, some := range chunks(ids, w.bounds.read) {
		if err := w.settleSome(some); err != nil {
			return err
		}
	}
	return nil
}

func (w *watch) settleSome(ids []int64) error {
	where := within(ids)
	seen, err := w.ask(where, "id", 0, w.plan.read[3:])
	if err != nil {
		return err
	}
	have, err := w.knownOf(ids)
	if err != nil {
		return err
	}
	found, err := w.domainsFind(where, len(seen) > 0)
	if err != nil {
		return err
	}
	slices.SortFunc(seen, func(a, b glanced) int { return cmp.Or(cmp.Compare(a.written, b.written), cmp.Compare(a.id, b.id)) })
	var events []record.Event
	var keep []known
	fresh := 0
	for i := range seen {
		s := &seen[i]
		k, isKnown := have[s.id]
		if delete(have, s.id); !isKnown || k.stage == hidden {
			fresh++
		}
		action, moved := w.action(s, k, isKnown)
		if action != "" {
			events = append(events, w.events(s, &k, action, found)...)
		}
		keep = append(keep, w.next(s, k, moved, found))
	}
	for _, k := range have { // gone: the next sweep tells that
		if k.recheck != 0 {
			k.recheck, k.stage = 0, 0
			keep = append(keep, k)
		}
	}
	err = w.commit(func(tx sqldb.Tx) error {
		if err := w.keep(tx, keep); err != nil {
			return err
		}
		return w.put(tx, events)
	})
	if err == nil {
		w.now.Events += len(events)
		w.mem.add(fresh)
	}
	return fault.Wrap(err, "keep what has changed")
}

// domainsFind asks, for each subscription with a domain, which of some records
// it finds; nil where a subscription takes all.
func (w *watch) domainsFind(where domain.Node, some bool) ([]map[int64]bool, error) {
	found := make([]map[int64]bool, len(w.plan.subs))
	for i, s := range w.plan.subs {
		if s.Domain == nil || !some {
			continue
		}
		var err error
		if found[i], err = w.among(where, s); err != nil {
			return nil, err
		}
		if found[i] == nil { // it has ended
			found[i] = map[int64]bool{}
		}
	}
	return found, nil
}

// action is what has become of a record, "" where that is nothing to tell; moved
// says that it is another one than was known.
//
// Who was not known is new, if he was made after the beginning. Else he has
// become visible, which is no change: more rights of the technical user must
// not make a storm. While stock is taken, what was written since the beginning
// has changed.
func (w *watch) action(s *glanced, k known, isKnown bool) (action string, moved bool) {
	madeAt := s.created
	if madeAt == 0 {
		madeAt = s.written
	}
	switch {
	case isKnown && k.written == s.written && (k.hash == 0 || k.hash == s.hash):
		return "", false
	case isKnown:
		return "write", true
	case madeAt > w.start, w.stocked && madeAt > w.start-lookFarBack.Microseconds():
		return "create", true
	case !w.stocked && s.written > w.start && s.written <= w.o.Clock.Now().Add(ahead).UnixMicro():
		return "write", true
	}
	return "", true
}

// events are what subscriptions are told of a change.
func (w *watch) events(s *glanced, k *known, action string, found []map[int64]bool) []record.Event {
	var events []record.Event
	for i, sub := range w.plan.subs {
		if !sub.Wants(action) || found[i] != nil && !found[i][s.id] {
			continue
		}
		ev := record.Event{
			Subscription: sub.ID, Model: w.plan.model.Name, ID: s.id, Action: action,
			Record: record.EventRecord(w.plan.told[i], s.values),
		}
		if action == "write" && len(sub.Watch) > 0 {
			if ev.Changed = record.EventChanges(w.plan.watches[i], w.before(k, s), s.values); ev.Changed == nil {
				continue
			}
		}
		events = append(events, ev)
	}
	return events
}

// before are the watched fields as they were known. A link to the same record
// as now is the same, whatever that record is called by now.
func (w *watch) before(k *known, s *glanced) map[string][]byte {
	var texts map[string]json.RawMessage
	_ = json.Unmarshal([]byte(k.watched), &texts) // nothing else is written there
	was := make(map[string][]byte, len(texts))
	for name, text := range texts {
		was[name] = text
		if f := w.plan.model.Field(name); f != nil && f.Type == schema.Many2one && bytes.Equal(target(text), target(s.values[name])) {
			was[name] = s.values[name]
		}
	}
	return was
}

// target is the id in a rendered link.
func target(link []byte) []byte {
	id, _, _ := bytes.Cut(link, []byte(`,"`))
	return id
}

// next is what is known of a record from now on.
func (w *watch) next(s *glanced, k known, moved bool, found []map[int64]bool) known {
	n := known{id: s.id, written: s.written, hash: s.hash, stage: k.stage, recheck: k.recheck, watched: w.watchedOf(s), matched: w.matchedOf(s.id, found)}
	now := w.o.Clock.Now()
	again := rechecks()
	switch {
	case moved:
		n.stage = 0
	case k.recheck == 0 || k.recheck > now.Unix(): // not due yet
		return n
	default:
		n.stage++
	}
	n.recheck = 0
	if int(n.stage) < len(again) {
		n.recheck = now.Add(again[n.stage]).Unix()
	}
	return n
}

// watchedOf are the watched fields of a record, as they are kept.
func (w *watch) watchedOf(s *glanced) string {
	if len(w.plan.watched) == 0 {
		return ""
	}
	return string(record.EventRecord(w.plan.watched, s.values))
}

// matchedOf are the subscriptions by whose domain a deletion would be told.
func (w *watch) matchedOf(id int64, found []map[int64]bool) string {
	text := ""
	for i, s := range w.plan.subs {
		if s.Unlink && found[i][id] {
			text += "," + strconv.FormatInt(s.ID, 10)
		}
	}
	if text != "" {
		text += ","
	}
	return text
}

// matches says whether the domain of a subscription found a record when it was
// last looked at.
func (k *known) matches(s *record.Subscription) bool {
	return s.Domain == nil || strings.Contains(k.matched, ","+strconv.FormatInt(s.ID, 10)+",")
}

// remove keeps that records are gone, and tells it.
func (w *watch) remove(gone []known) error {
	for some := range slices.Chunk(gone, rowsAtOnce) {
		var events []record.Event
		ids := make([]int64, len(some))
		for i, k := range some {
			ids[i] = k.id
			for _, s := range w.plan.subs {
				if s.Unlink && k.matches(s) {
					events = append(events, record.Event{
						Subscription: s.ID, Model: w.plan.model.Name, ID: k.id, Action: "unlink", Record: record.EventOfID(k.id),
					})
				}
			}
		}
		err := w.commit(func(tx sqldb.Tx) error {
			if err := w.forget(tx, ids); err != nil {
				return err
			}
			return w.put(tx, events)
		})
		if err != nil {
			return fault.Wrap(err, "keep what is gone")
		}
		w.now.Events += len(events)
		w.mem.add(-len(ids))
	}
	return nil
}

// add counts records that have become known.
func (m *memory) add(n int) {
	if m.known >= 0 {
		m.known += int64(n)
	}
}
