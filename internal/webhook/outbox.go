package webhook

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/audit"
	"gatehouse/internal/clock"
	"gatehouse/internal/domain"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
)

// Outbox knows the active webhooks and keeps jobs for them, in the transaction
// of the change. Safe for concurrent use.
type Outbox struct {
	log  *slog.Logger
	far  func(model string) bool
	stop func()

	set     atomic.Pointer[subscriptions]
	wanted  atomic.Uint64 // generation of the set that is needed
	loading sync.Mutex
}

var _ record.Outbox = (*Outbox)(nil)

// subscriptions are the active webhooks of a moment. They are immutable.
type subscriptions struct {
	byModel    map[string][]*record.Subscription // nil: none
	far        map[string][]*record.Subscription // to models that are not the store's
	generation uint64
}

// NewOutbox makes an outbox on a database that gets the tables of Models before
// the first change. far says whose records of a model are not in that database,
// so that their changes are found and put here by somebody else (see Far); nil:
// no model's. Close it.
func NewOutbox(db sqldb.DB, log *slog.Logger, far func(model string) bool) *Outbox {
	if far == nil {
		far = func(string) bool { return false }
	}
	o := &Outbox{log: orDiscard(log), far: far}
	o.wanted.Store(1)
	o.set.Store(&subscriptions{})
	o.stop = db.Watch(func(channel string) {
		if channel == Channel || channel == "" {
			o.wanted.Add(1)
		}
	})
	return o
}

func orDiscard(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}

// Close stops listening for changes.
func (o *Outbox) Close() { o.stop() }

// Subscriptions implements record.Outbox. After a change of webhooks the first
// who asks loads them anew, through his own transaction: a connection of its own
// might be one that others wait for. Else it costs two atomic loads.
func (o *Outbox) Subscriptions(ctx context.Context, q sqldb.Querier) (map[string][]*record.Subscription, error) {
	s, err := o.current(ctx, q)
	if err != nil {
		return nil, err
	}
	return s.byModel, nil
}

// Far are the subscriptions to models whose records are not in this database.
// The map is shared: do not change it.
func (o *Outbox) Far(ctx context.Context, q sqldb.Querier) (map[string][]*record.Subscription, error) {
	s, err := o.current(ctx, q)
	if err != nil {
		return nil, err
	}
	return s.far, nil
}

func (o *Outbox) current(ctx context.Context, q sqldb.Querier) (*subscriptions, error) {
	if s := o.set.Load(); s.generation == o.wanted.Load() {
		return s, nil
	}
	o.loading.Lock()
	defer o.loading.Unlock()
	if s := o.set.Load(); s.generation == o.wanted.Load() {
		return s, nil
	}
	s := &subscriptions{generation: o.wanted.Load()}
	if err := o.load(ctx, q, s); err != nil {
		return nil, err
	}
	o.set.Store(s)
	return s, nil
}

func (o *Outbox) load(ctx context.Context, q sqldb.Querier, into *subscriptions) error {
	return q.Query(ctx, `select id, model, on_create, on_write, on_unlink, domain, watch_fields, fields
		from gateway_webhook where active order by id`, nil, func(r sqldb.Row) error {
		s := &record.Subscription{ID: r.Int(0), Create: r.Bool(2), Write: r.Bool(3), Unlink: r.Bool(4)}
		if text := r.Text(5); text != "" {
			node, err := domain.Parse(text, domain.Limits{})
			if err != nil { // written by hand into the table: better nothing is sent than too much
				o.log.WarnContext(ctx, "a webhook is passed over: its domain cannot be read", "webhook", s.ID, "error", err)
				return nil
			}
			s.Domain = node
		}
		s.Watch, s.Fields = names(r.Text(6)), names(r.Text(7))
		all := &into.byModel
		if o.far(r.Text(1)) {
			all = &into.far
		}
		if *all == nil {
			*all = map[string][]*record.Subscription{}
		}
		(*all)[r.Text(1)] = append((*all)[r.Text(1)], s)
		return nil
	})
}

// names reads a stored list of names.
func names(text string) []string {
	var list []string
	_ = json.Unmarshal([]byte(text), &list) // package gateway writes nothing else
	return list
}

// Put implements record.Outbox: a job for each event.
func (o *Outbox) Put(ctx context.Context, tx sqldb.Tx, at time.Time, events []record.Event) error {
	stmts := make([]sqldb.Stmt, len(events))
	for i := range events {
		stmts[i] = newJob(&events[i], at)
	}
	if err := tx.Batch(ctx, stmts); err != nil {
		return err
	}
	return tx.Signal(ctx, JobsChannel)
}

// newJob is the statement that keeps an event as a job.
func newJob(ev *record.Event, at time.Time) sqldb.Stmt {
	id := "evt_" + clock.RandomHex(16)
	return sqldb.Stmt{
		SQL: `insert into gateway_webhook_job (webhook_id, event_id, model, res_id, action, payload, state, attempts, created_at)
			values ($1, $2, $3, $4, $5, $6, 'pending', 0, $7)`,
		Args: []any{ev.Subscription, id, ev.Model, ev.ID, ev.Action, string(payload(ev, id, at)), at.UTC()},
	}
}

// Broken implements record.Outbox: the webhook is switched off and says why.
func (o *Outbox) Broken(ctx context.Context, tx sqldb.Tx, id int64, why string) error {
	return disable(ctx, tx, o.log, id, why, time.Now().UTC())
}

// disable switches a webhook off, with a notice in the record, the audit trail
// and the log.
func disable(ctx context.Context, tx sqldb.Tx, log *slog.Logger, id int64, why string, at time.Time) error {
	name, changed := "", false
	err := tx.Query(ctx, `update gateway_webhook set active = false, disabled_reason = $2 where id = $1 and active returning name`,
		[]any{id, why}, func(r sqldb.Row) error {
			name, changed = r.Text(0), true
			return nil
		})
	if err != nil || !changed {
		return err
	}
	err = audit.Write(ctx, tx, audit.Origin{Via: audit.System}, at, audit.Entry{
		Model: Model, ID: id, Name: name, Action: "disable",
		Before: map[string]any{"active": true}, After: map[string]any{"active": false, "disabled_reason": why},
	})
	if err != nil {
		return err
	}
	tx.OnCommit(func() {
		log.WarnContext(ctx, "a webhook was switched off", "webhook", id, "name", name, "reason", why)
	})
	return tx.Signal(ctx, Channel)
}
