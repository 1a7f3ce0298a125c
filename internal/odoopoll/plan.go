package odoopoll

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
)

// planLife is how long it is taken for granted what fields a model has.
const planLife = 5 * time.Minute

// The fields that are looked at of every record.
const (
	written = "write_date"
	created = "create_date"
)

// plan is what to read of the records of a model.
type plan struct {
	subs  []*record.Subscription
	model *schema.Model
	// told are the fields of each subscription, in its order, watched those that
	// any of them watches, and read all of these.
	told    [][]string
	watches [][]string
	watched []string
	read    []string
	// domains says that a deletion is told by what a domain found before.
	domains bool
	// signature is another one when subscriptions or fields are.
	signature string
	until     time.Time
}

// planFor makes the plan for a model, or finds the one that was made before.
func (r *round) planFor(model string, subs []*record.Subscription) (*plan, error) {
	now := r.o.Clock.Now()
	if known := r.plans[model]; known != nil && slices.Equal(known.subs, subs) && now.Before(known.until) {
		return known, nil
	}
	r.now.Calls++
	m, err := r.Model(r.ctx, model)
	if err != nil {
		return nil, refused(err)
	}
	p := &plan{subs: subs, model: m, until: now.Add(planLife), read: []string{"id", written, created}}
	add := func(list *[]string, names []string) {
		for _, name := range names {
			if !slices.Contains(*list, name) {
				*list = append(*list, name)
			}
		}
	}
	var usual []string
	for _, s := range subs {
		told, watches := record.TellableFields(m, s.Fields), record.TellableFields(m, s.Watch)
		switch {
		case !s.Create && !s.Write: // of a deletion the id is enough
			told, watches = nil, nil
		case len(s.Fields) == 0:
			if usual == nil {
				if usual, err = r.usualFields(m); err != nil {
					return nil, refused(err)
				}
			}
			told = usual
		}
		p.told, p.watches = append(p.told, told), append(p.watches, watches)
		add(&p.read, told)
		add(&p.read, watches)
		if s.Write {
			add(&p.watched, watches)
		}
		p.domains = p.domains || s.Unlink && s.Domain != nil
	}
	slices.Sort(p.watched)
	p.signature = p.sign()
	r.plans[model] = p
	return p, nil
}

// usualFields are those that a webhook tells that names none.
func (r *round) usualFields(m *schema.Model) ([]string, error) {
	page := &backend.Page{}
	if _, err := r.o.Records.Search(r.ctx, r.caller, &backend.Query{Model: m.Name, IDs: []int64{}}, page); err != nil {
		return nil, err
	}
	names := []string{}
	for _, c := range page.Cols {
		if c.Field != nil && record.Tellable(c.Field) {
			names = append(names, c.Name)
		}
	}
	return names, nil
}

func (p *plan) sign() string {
	h := fnv.New64a()
	for _, s := range p.subs {
		_, _ = fmt.Fprintln(h, s.ID, s.Create, s.Write, s.Unlink)
		if s.Domain != nil {
			_, _ = h.Write(domain.JSON(s.Domain))
		}
	}
	_, _ = fmt.Fprintln(h, p.watched, p.read)
	return fmt.Sprintf("%016x", h.Sum64())
}

// glanced is what a look at a record shows.
type glanced struct {
	id, written, created int64 // moments in microseconds since 1970; 0: none
	hash                 int64 // of what is stored of it; never 0
	values               map[string][]byte
}

// glance is a backend.Sink that keeps what is seen.
type glance struct {
	record.Rendered
	cols    []backend.Column
	whole   bool // values are wanted too
	records []glanced
}

// Columns implements backend.Sink.
func (g *glance) Columns(cols []backend.Column) error {
	g.cols = slices.Clone(cols)
	g.Records = map[int64]map[string][]byte{}
	return g.Rendered.Columns(cols)
}

// Row implements backend.Sink.
func (g *glance) Row(row []backend.Value) error {
	var seen glanced
	h := fnv.New64a()
	for i, c := range g.cols {
		switch c.Name {
		case "id":
			seen.id = row[i].Int
		case written:
			seen.written = row[i].Int
		case created:
			seen.created = row[i].Int
		default:
			// What is computed or linked from elsewhere changes without the record.
			if g.whole && (c.Field.Store || c.Field.Inherited) && c.Field.Type != schema.One2many {
				v := row[i]
				if c.Field.Type == schema.Many2one {
					v.Text = "" // the name of another record
				}
				_, _ = fmt.Fprintln(h, v.Kind, v.Int, v.Text, v.List)
			}
		}
	}
	if g.whole {
		if err := g.Rendered.Row(row); err != nil {
			return err
		}
		seen.hash, seen.values = int64(h.Sum64()>>1)|1, g.Records[seen.id]
		delete(g.Records, seen.id)
	}
	g.records = append(g.records, seen)
	return nil
}

// ask reads records, up to a limit where it is not 0.
func (w *watch) ask(where domain.Node, order string, limit int, fields []string) ([]glanced, error) {
	g := &glance{whole: len(fields) > 0}
	q := &backend.Query{
		Model: w.plan.model.Name, Domain: where, Order: order, Limit: limit,
		Fields: append([]string{"id", written, created}, fields...),
	}
	err := w.search(q, g)
	w.now.Records += len(g.records)
	return g.records, refused(err)
}

// among finds those records of a condition that a subscription's domain finds.
// A domain that cannot be asked any more ends the subscription.
func (w *watch) among(where domain.Node, s *record.Subscription) (map[int64]bool, error) {
	page := &backend.Page{}
	err := w.search(&backend.Query{Model: w.plan.model.Name, Domain: domain.Conj(where, s.Domain), Fields: []string{"id"}, Order: "id"}, page)
	if f := fault.From(err); err != nil && (f.Kind == fault.BadRequest || f.Kind == fault.Forbidden || f.Kind == fault.NotFound) {
		return nil, w.commit(func(tx txn) error {
			return w.o.Outbox.Broken(w.ctx, tx, s.ID, "The domain cannot be applied any more: "+f.Message)
		})
	}
	w.now.Records += len(page.Rows)
	found := make(map[int64]bool, len(page.Rows))
	for _, id := range page.IDs() {
		found[id] = true
	}
	return found, refused(err)
}

func leaf(field string, op domain.Op, value any) domain.Node {
	return &domain.Leaf{Path: field, Op: op, Value: value, Pos: -1}
}

// within says that the id is one of a list.
func within(ids []int64) domain.Node {
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = id
	}
	return leaf("id", domain.OpIn, list)
}

// moment is a time in microseconds as domains have it.
func moment(micros int64) string {
	return time.UnixMicro(micros).UTC().Format(schema.DatetimeLayout)
}
