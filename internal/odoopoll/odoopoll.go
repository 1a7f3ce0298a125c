// Package odoopoll finds out what others change in a real Odoo, for webhooks:
// it asks again and again for what was written since, compares that with what
// it knows of each record, and puts what it finds into the outbox, in the
// transaction in which it notes that it knows.
//
// An Odoo tells write_date to the second, and it is the moment at which a
// transaction began, not that of its commit. So asking for "later than the last
// one" would miss what a long transaction wrote, and a second change within a
// second. Hence three ways that overlap: a scan by write_date that looks back
// (scan.go), a further look at what has changed lately (recheck), and a slow
// comparison of all ids, which finds deletions and whatever slipped (sweep.go).
package odoopoll

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/access"
	"gatehouse/internal/backend"
	"gatehouse/internal/clock"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// Records are those of the Odoo; *odoo.Backend has them.
type Records interface {
	Model(ctx context.Context, c *backend.Caller, name string) (*schema.Model, error)
	Search(ctx context.Context, c *backend.Caller, q *backend.Query, sink backend.Sink) (total int64, err error)
	Count(ctx context.Context, c *backend.Caller, model string, where domain.Node) (int64, error)
}

// Outbox is where what is found goes; *webhook.Outbox is one.
type Outbox interface {
	Far(ctx context.Context, q sqldb.Querier) (map[string][]*record.Subscription, error)
	Put(ctx context.Context, tx sqldb.Tx, at time.Time, events []record.Event) error
	Broken(ctx context.Context, tx sqldb.Tx, id int64, why string) error
}

// Options are what a Poller is made of.
type Options struct {
	DB      sqldb.DB
	Records Records
	Outbox  Outbox
	// Technical says whether there is a user of the Odoo to look as.
	Technical bool
	// Off says that nobody calls Run, so that no webhook is to wait for it.
	Off   bool
	Clock clock.Clock // nil: the machine's
	Log   *slog.Logger
}

// bounds are how much is asked for at a time. A test has smaller ones.
type bounds struct {
	glance     int           // records of a page of which only id and write_date are read
	read       int           // records that are read as webhooks tell them, at a time
	scanPages  int           // pages of a scan in a round
	sweepPages int           // pages of a sweep in a round
	stockPages int           // and of the first one
	rechecks   int           // records looked at once more in a round
	round      time.Duration // after which a round begins nothing more
	counted    int64         // records up to which a model is counted in every round
}

func usualBounds() bounds {
	return bounds{
		glance: 5000, read: 500, scanPages: 10, sweepPages: 4, stockPages: 20, rechecks: 1000,
		round: 20 * time.Second, counted: 50_000,
	}
}

// Poller looks for changes. One node does so at a time: see Run.
type Poller struct {
	o      Options
	bounds bounds
	caller *backend.Caller

	mu      sync.Mutex
	figures Figures
	tried   map[string]time.Time // domains that were asked lately

	// What follows is of Run alone.
	plans  map[string]*plan
	memory map[string]*memory
	turn   int // which model comes first
	denied error
	until  time.Time // while denied holds
}

// deniedPause is how long nobody asks after the Odoo did not take the technical
// user's key: it may count such failures, and shut everybody out who comes from here.
const deniedPause = 5 * time.Minute

// Figures are what polling costs and finds.
type Figures struct {
	Models   int // that are watched
	Troubled int // of them, that cannot be looked at
	Behind   int // of them, that need further rounds to catch up
	// In the last round.
	Calls, Records, Events int
	Took                   time.Duration
	// At is the end of the last round that got through, of this process.
	At time.Time
	// Since the start of this process.
	TotalCalls, TotalRecords, TotalEvents, Rounds, Failures int64
}

// Open prepares the tables of a Poller.
func Open(ctx context.Context, o Options) (*Poller, error) {
	if o.Clock == nil {
		o.Clock = clock.System
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := createTables(ctx, o.DB); err != nil {
		return nil, err
	}
	return &Poller{
		o: o, bounds: usualBounds(), plans: map[string]*plan{}, memory: map[string]*memory{}, tried: map[string]time.Time{},
		caller: &backend.Caller{
			UserID: access.SuperuserID, Superuser: true, Admin: true, Context: backend.Context{KeepArchived: true},
		},
	}, nil
}

// Figures are those of this process.
func (p *Poller) Figures() Figures {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.figures
}

// errTaken ends a round when another node has gone on in the meantime.
var errTaken = errors.New("another node has gone on with this")

// round is one look at all watched models.
type round struct {
	*Poller
	ctx   context.Context
	begin time.Time
	now   Figures
	notes []string
}

// Run is a round: it looks once at every watched model, and says what came of
// it. It is for a job of package job, which runs on one node at a time; a second
// one at the same time does no harm, as neither keeps what the other has done.
func (p *Poller) Run(ctx context.Context) (result string, err error) {
	r := &round{Poller: p, ctx: ctx, begin: p.o.Clock.Now()}
	if r.begin.Before(p.until) {
		err = p.denied
	} else if err = r.run(); fault.Is(err, fault.Unauthenticated) {
		p.denied, p.until = fmt.Errorf("%w (asked again at %s)", err, r.begin.Add(deniedPause).UTC().Format(time.TimeOnly)), r.begin.Add(deniedPause)
	}
	r.now.Took = max(p.o.Clock.Now().Sub(r.begin), 0)
	p.mu.Lock()
	defer p.mu.Unlock()
	f, was := &r.now, p.figures
	f.TotalCalls, f.TotalRecords, f.TotalEvents = was.TotalCalls+int64(f.Calls), was.TotalRecords+int64(f.Records), was.TotalEvents+int64(f.Events)
	f.Rounds, f.Failures, f.At = was.Rounds+1, was.Failures, p.o.Clock.Now()
	if err != nil {
		f.Failures, f.At = f.Failures+1, was.At
	}
	p.figures = *f
	return f.text(r.notes), err
}

// text is the figures in words.
func (f *Figures) text(notes []string) string {
	if f.Models == 0 {
		return "no webhook watches a model of the Odoo"
	}
	text := fmt.Sprintf("%s, %s, %s, %s in %s", many(f.Models, "model"), many(f.Calls, "call"), many(f.Records, "record"),
		many(f.Events, "event"), f.Took.Round(time.Millisecond))
	return strings.Join(append([]string{text}, notes...), "; ")
}

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (r *round) run() error {
	var subs map[string][]*record.Subscription
	var states map[string]*state
	err := r.o.DB.Read(r.ctx, func(q sqldb.Querier) (err error) {
		if subs, err = r.o.Outbox.Far(r.ctx, q); err != nil {
			return err
		}
		states, err = loadStates(r.ctx, q)
		return err
	})
	if err != nil {
		return fault.Wrap(err, "read what is watched")
	}
	if err := r.leave(states, subs); err != nil {
		return err
	}
	var models []string
	for model := range subs {
		models = append(models, model)
	}
	slices.Sort(models)
	r.now.Models = len(models)
	if len(models) == 0 {
		return nil
	}
	r.turn++ // whoever takes all the time of a round is not always the first
	for i := range models {
		model := models[(i+r.turn)%len(models)]
		if r.late() {
			r.now.Behind++
			continue
		}
		if err := r.attend(model, subs[model], states[model]); err != nil {
			return err
		}
	}
	return nil
}

// late says that the round has taken its time.
func (r *round) late() bool { return r.o.Clock.Now().Sub(r.begin) > r.bounds.round }

// attend looks at one model. What is wrong with that model alone is noted with
// its webhooks, and the others go on.
func (r *round) attend(model string, subs []*record.Subscription, st *state) error {
	behind, err := r.visit(model, subs, st)
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		r.now.Troubled++
		r.notes = append(r.notes, model+": "+refused.why)
		return r.trouble(model, refused.why, refused.err)
	case errors.Is(err, errTaken):
		delete(r.memory, model)
		r.notes = append(r.notes, model+": "+errTaken.Error())
		return nil
	case err != nil:
		return fmt.Errorf("look for changes of %s: %w", model, err)
	}
	if behind != "" {
		r.now.Behind++
		r.notes = append(r.notes, model+": "+behind)
	}
	return r.trouble(model, "", nil)
}

// watch is a model that is being looked at.
type watch struct {
	*round
	*state
	plan *plan
	mem  *memory
}

func (r *round) visit(model string, subs []*record.Subscription, st *state) (behind string, err error) {
	plan, err := r.planFor(model, subs)
	if err != nil {
		return "", err
	}
	w := &watch{round: r, state: st, plan: plan}
	if st == nil {
		if err := w.enter(model); err != nil {
			return "", err
		}
	}
	w.mem = r.memory[model]
	if w.mem == nil || w.mem.version != w.version || w.mem.watch != w.id {
		w.mem = &memory{watch: w.id, known: -1}
		r.memory[model] = w.mem
	}
	defer func() { w.mem.version = w.version }()
	if w.signature != plan.signature {
		if err := w.replan(); err != nil {
			return "", err
		}
	}
	if err := w.scan(); err != nil {
		return "", err
	}
	if err := w.recheck(); err != nil {
		return "", err
	}
	if err := w.sweep(); err != nil {
		return "", err
	}
	switch {
	case !w.stocked:
		return fmt.Sprintf("taking stock, up to id %d", w.swept), nil
	case w.mem.resume != nil:
		return "catching up", nil
	}
	return "", nil
}

// refusal is why a model cannot be looked at.
type refusal struct {
	why string
	err error
}

func (e *refusal) Error() string { return e.why }

func (e *refusal) Unwrap() error { return e.err }

// refused makes a refusal of an error that is about one model, and leaves those
// that are about the way to the Odoo.
func refused(err error) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err
	}
	switch f.Kind {
	case fault.Unauthenticated, fault.BadGateway, fault.Unavailable:
		return err
	case fault.Internal:
		return &refusal{"The Odoo fails when it is asked; the log of this server says more", err}
	}
	return &refusal{f.Message, err}
}

// search asks for records as the technical user.
func (r *round) search(q *backend.Query, sink backend.Sink) error {
	r.now.Calls++
	_, err := r.o.Records.Search(r.ctx, r.caller, q, sink)
	return err
}
