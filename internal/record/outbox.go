package record

import (
	"context"
	"slices"
	"time"

	"gatehouse/internal/access"
	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// Outbox is where a transaction leaves what others are to be told of its
// changes. It is asked in the transaction: an undone change leaves nothing.
type Outbox interface {
	// Subscriptions are those in effect, by model; nil where there are none. The
	// map is shared: do not change it. q is the transaction, before its first
	// change.
	Subscriptions(ctx context.Context, q sqldb.Querier) (map[string][]*Subscription, error)
	// Put keeps events, in order.
	Put(ctx context.Context, tx sqldb.Tx, at time.Time, events []Event) error
	// Broken ends a subscription that cannot be followed any more, and says why.
	Broken(ctx context.Context, tx sqldb.Tx, id int64, why string) error
}

// Subscription says which changes of a model somebody wants to hear of.
type Subscription struct {
	ID                    int64
	Create, Write, Unlink bool
	// Domain must find the record, after the change, or before it is deleted.
	// nil: all records.
	Domain domain.Node
	// Watch are the fields of which one must have changed for a write to count;
	// none: any write does.
	Watch []string
	// Fields are what is told of a record; none: all stored ones that may be.
	Fields []string
}

// Wants says whether the subscription is to a kind of change.
func (s *Subscription) Wants(action string) bool {
	switch action {
	case "create":
		return s.Create
	case "write":
		return s.Write
	}
	return s.Unlink
}

// Event is one change of one record, for one subscription.
type Event struct {
	Subscription int64
	Model        string
	ID           int64
	Action       string // create, write or unlink
	// Record is a JSON object; Changed another, of the watched fields that have
	// changed, with their old and new values; nil where none are watched.
	Record, Changed []byte
}

// Tellable says whether a field may be told to others at all.
func Tellable(f *schema.Field) bool {
	return !secretValue(f, nil) && (f.Model.Name != "ir.config_parameter" || f.Name != "value")
}

// told is what a transaction changes of models with subscriptions: like trail,
// one entry for each record, however many writes there are.
type told struct {
	order []trailKey
	seen  map[trailKey]*toldEntry
}

type toldEntry struct {
	action string
	before map[string][]byte // the watched fields before a write
	gone   []int64           // the subscriptions whose domain found what is deleted
}

// subscribed are the subscriptions to a model; nil where there are none, which
// is all that a change costs then.
func (e *Env) subscribed(m *schema.Model) []*Subscription {
	if e.hooks == nil {
		return nil
	}
	return e.hooks[m.Name]
}

func (e *Env) toldOf(m *schema.Model, id int64) (n *toldEntry, fresh bool) {
	if e.told == nil {
		e.told = &told{seen: map[trailKey]*toldEntry{}}
	}
	key := trailKey{m, id}
	n = e.told.seen[key]
	if n == nil {
		n, fresh = &toldEntry{}, true
		e.told.seen[key] = n
		e.told.order = append(e.told.order, key)
	}
	return n, fresh
}

// tellCreated notes new records.
func (e *Env) tellCreated(m *schema.Model, ids []int64) {
	e.note(m, ids, changeCreate)
	if e.subscribed(m) == nil {
		return
	}
	for _, id := range ids {
		n, _ := e.toldOf(m, id)
		n.action = "create"
	}
}

// tellChanging notes records that are about to be changed, and what the fields
// that somebody watches were before the first change.
func (e *Env) tellChanging(m *schema.Model, ids []int64) error {
	e.note(m, ids, changeWrite)
	subs := e.subscribed(m)
	if subs == nil {
		return nil
	}
	var fresh []int64
	for _, id := range ids {
		if n, first := e.toldOf(m, id); first {
			n.action = "write"
			fresh = append(fresh, id)
		}
	}
	var watched []string
	for _, s := range subs {
		if s.Write {
			watched = append(watched, s.Watch...)
		}
	}
	watched = TellableFields(m, watched)
	if len(fresh) == 0 || len(watched) == 0 {
		return nil
	}
	before, err := e.render(m, fresh, watched)
	if err != nil {
		return err
	}
	for _, id := range fresh {
		e.told.seen[trailKey{m, id}].before = before[id]
	}
	return nil
}

// tellUnlinking notes records that are about to be deleted, for those whose
// domain finds them now.
func (e *Env) tellUnlinking(m *schema.Model, ids []int64) error {
	e.note(m, ids, changeUnlink)
	subs := e.subscribed(m)
	if subs == nil || len(ids) == 0 {
		return nil
	}
	var entries []*toldEntry
	var were []int64
	for _, id := range ids {
		n, _ := e.toldOf(m, id)
		if n.action == "create" { // it never was
			n.action = ""
		} else if n.action != "unlink" {
			n.action = "unlink"
			entries, were = append(entries, n), append(were, id)
		}
	}
	for _, s := range subs {
		if !s.Unlink || len(were) == 0 {
			continue
		}
		found, err := e.found(m, were, s)
		if err != nil {
			return err
		}
		for i, id := range were {
			if found[id] {
				entries[i].gone = append(entries[i].gone, s.ID)
			}
		}
	}
	return nil
}

// tellAll gives what the transaction has noted to the outbox, as the records are now.
func (e *Env) tellAll() error {
	if e.told == nil {
		return nil
	}
	var models []*schema.Model
	ids := map[*schema.Model][]int64{}
	for _, key := range e.told.order {
		if ids[key.m] == nil {
			models = append(models, key.m)
		}
		ids[key.m] = append(ids[key.m], key.id)
	}
	var events []Event
	for _, m := range models {
		if err := e.keepUndeleted(m, ids[m]); err != nil {
			return err
		}
		for _, s := range e.hooks[m.Name] {
			some, err := e.eventsFor(m, ids[m], s)
			if err != nil {
				return err
			}
			events = append(events, some...)
		}
	}
	e.told = nil
	if len(events) == 0 {
		return nil
	}
	return e.e.outbox.Put(e.ctx, e.tx, e.moment, events)
}

// keepUndeleted passes over deletions that a savepoint has undone.
func (e *Env) keepUndeleted(m *schema.Model, ids []int64) error {
	var gone []int64
	for _, id := range ids {
		if len(e.told.seen[trailKey{m, id}].gone) > 0 {
			gone = append(gone, id)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	there, err := e.existing(e.tx, m, gone)
	for id := range there {
		e.told.seen[trailKey{m, id}].gone = nil
	}
	return err
}

// eventsFor are the events of records of a model for one subscription.
func (e *Env) eventsFor(m *schema.Model, ids []int64, s *Subscription) ([]Event, error) {
	var events []Event
	var there []int64
	for _, id := range ids {
		switch n := e.told.seen[trailKey{m, id}]; {
		case n.action == "unlink" && slices.Contains(n.gone, s.ID):
			events = append(events, Event{s.ID, m.Name, id, n.action, EventOfID(id), nil})
		case n.action != "" && n.action != "unlink" && s.Wants(n.action):
			there = append(there, id)
		}
	}
	if len(there) == 0 {
		return events, nil
	}
	found, err := e.found(m, there, s)
	if err != nil || len(found) == 0 {
		return events, err
	}
	there = slices.DeleteFunc(there, func(id int64) bool { return !found[id] })
	fields, watched := TellableFields(m, s.Fields), TellableFields(m, s.Watch)
	if len(s.Fields) == 0 {
		fields = e.tellableByDefault(m)
	}
	now, err := e.render(m, there, slices.Concat([]string{"id"}, fields, watched))
	if err != nil {
		return nil, err
	}
	for _, id := range there {
		n, is := e.told.seen[trailKey{m, id}], now[id]
		if is == nil { // deleted behind the engine's back
			continue
		}
		ev := Event{Subscription: s.ID, Model: m.Name, ID: id, Action: n.action, Record: EventRecord(fields, is)}
		if n.action == "write" && len(s.Watch) > 0 {
			if ev.Changed = EventChanges(watched, n.before, is); ev.Changed == nil {
				continue
			}
		}
		events = append(events, ev)
	}
	return events, nil
}

// tellableByDefault are all stored fields that are neither binary nor secret.
func (e *Env) tellableByDefault(m *schema.Model) []string {
	out := []string{"id"}
	c := e.Sudo().compiler()
	for _, f := range m.Fields {
		if f.Name != "id" && c.byDefault(f) && Tellable(f) {
			out = append(out, f.Name)
		}
	}
	return out
}

// teller is the caller as whom records are looked at: what is told depends
// neither on the rights nor on the language of who makes the change.
func (e *Env) teller() (*callContext, error) {
	return e.e.call(e.ctx, e.tx, &backend.Caller{
		UserID: access.SuperuserID, Superuser: true, Admin: true, Context: backend.Context{KeepArchived: true},
	})
}

// found are those of the records that the domain of a subscription finds. One
// that cannot be asked any more, as a field of it is gone, ends the
// subscription: it must neither stop the change nor tell what it should not.
func (e *Env) found(m *schema.Model, ids []int64, s *Subscription) (map[int64]bool, error) {
	all := make(map[int64]bool, len(ids))
	if s.Domain == nil {
		for _, id := range ids {
			all[id] = true
		}
		return all, nil
	}
	err := e.tx.Savepoint(e.ctx, func() error {
		cx, err := e.teller()
		if err != nil {
			return err
		}
		page := &backend.Page{}
		which := domain.Conj(&domain.Leaf{Path: "id", Op: domain.OpIn, Value: anyIDs(ids), Pos: -1}, s.Domain)
		_, err = cx.search(&backend.Query{Model: m.Name, Domain: which, Fields: []string{"id"}}, page)
		for _, id := range page.IDs() {
			all[id] = true
		}
		return err
	})
	if f := fault.From(err); err != nil && (f.Kind == fault.BadRequest || f.Kind == fault.Forbidden) {
		return nil, e.e.outbox.Broken(e.ctx, e.tx, s.ID, "The domain cannot be applied any more: "+f.Message)
	}
	return all, err
}

// render reads fields of records as JSON, by id and field.
func (e *Env) render(m *schema.Model, ids []int64, fields []string) (map[int64]map[string][]byte, error) {
	cx, err := e.teller()
	if err != nil {
		return nil, err
	}
	sink := &Rendered{Records: make(map[int64]map[string][]byte, len(ids))}
	_, err = cx.search(&backend.Query{Model: m.Name, IDs: ids, SkipMissing: true, Fields: fields}, sink)
	return sink.Records, err
}
