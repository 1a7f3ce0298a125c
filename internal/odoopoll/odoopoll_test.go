package odoopoll

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/audit"
	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
	"gatehouse/internal/webhook"
)

// thing is a record of the far side.
type thing struct {
	name, note       string
	link             backend.Value
	created, written int64
	hidden           bool
}

// far is an Odoo as a Poller sees one: moments to the second, and nothing of
// what is hidden.
type far struct {
	model    *schema.Model
	things   map[int64]*thing
	calls    int
	largest  int // answer, in records
	fail     error
	failIDs  error // of reading by id
	breaks   string // a field that domains must not name
	counts   int
	order    []int64 // ids, sorted; nil: to be sorted anew
	lastText string
	lastAt   int64
}

func newFar() *far {
	stamp := func(name string) *schema.Field { return schema.NewDatetime(name, name) }
	m := &schema.Model{Name: "x.thing", Fields: []*schema.Field{
		schema.NewInteger("id", "ID"), schema.NewChar("name", "Name"), schema.NewText("note", "Note"),
		schema.NewMany2one("link", "Link", "x.thing"), stamp(written), stamp(created),
	}}
	for _, f := range m.Fields {
		f.Store = true
	}
	return &far{model: m.Finish(), things: map[int64]*thing{}}
}

func (f *far) Model(_ context.Context, _ *backend.Caller, name string) (*schema.Model, error) {
	if f.fail != nil {
		return nil, f.fail
	}
	if name != f.model.Name {
		return nil, fault.Newf(fault.NotFound, "Unknown model: %s", name)
	}
	return f.model, nil
}

func (f *far) sorted() []int64 {
	if f.order == nil {
		f.order = slices.Sorted(maps.Keys(f.things))
	}
	return f.order
}

// holds says whether a domain finds a record.
func (f *far) holds(n domain.Node, id int64, t *thing) bool {
	switch n := n.(type) {
	case nil:
		return true
	case domain.Const:
		return bool(n)
	case domain.And:
		for _, one := range n {
			if !f.holds(one, id, t) {
				return false
			}
		}
		return true
	case *domain.Leaf:
		switch n.Path {
		case "id":
			if list, ok := n.Value.([]any); ok {
				return slices.Contains(list, any(id))
			}
			return compares(n.Op, cmp.Compare(id, n.Value.(int64)))
		case "name":
			return t.name == n.Value
		case written:
			return compares(n.Op, cmp.Compare(t.written, f.parsed(n.Value.(string))))
		}
	}
	panic(fmt.Sprintf("the far side does not know %v", n))
}

func (f *far) parsed(text string) int64 {
	if f.lastText != text {
		at, err := time.Parse(schema.DatetimeLayout, text)
		if err != nil {
			panic(err)
		}
		f.lastText, f.lastAt = text, at.UnixMicro()
	}
	return f.lastAt
}

func compares(op domain.Op, c int) bool {
	switch op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	case ">=":
		return c >= 0
	}
	return c == 0
}

// ids are those in the list of a domain, which needs no look at all others.
func (f *far) candidates(n domain.Node) []int64 {
	if and, ok := n.(domain.And); ok && len(and) > 0 {
		n = and[0]
	}
	if l, ok := n.(*domain.Leaf); ok && l.Path == "id" {
		if list, ok := l.Value.([]any); ok {
			ids := make([]int64, len(list))
			for i, id := range list {
				ids[i] = id.(int64)
			}
			return ids
		}
		if after, ok := l.Value.(int64); ok && l.Op == domain.OpGt {
			all := f.sorted()
			at, _ := slices.BinarySearch(all, after+1)
			return all[at:]
		}
	}
	return f.sorted()
}

func (f *far) Search(_ context.Context, _ *backend.Caller, q *backend.Query, sink backend.Sink) (int64, error) {
	if f.fail != nil {
		return -1, f.fail
	}
	fields := q.Fields
	if fields == nil {
		fields = []string{"id", "name", "note", "link", written, created}
	}
	cols := make([]backend.Column, len(fields))
	for i, name := range fields {
		cols[i] = backend.Column{Name: name, Field: f.model.Field(name)}
	}
	if q.IDs != nil && len(q.IDs) == 0 {
		return -1, sink.Columns(cols)
	}
	f.calls++
	if f.breaks != "" && strings.Contains(string(domain.JSON(q.Domain)), `"`+f.breaks+`"`) {
		return -1, fault.Newf(fault.BadRequest, "There is no field %s", f.breaks)
	}
	var found []int64
	if q.IDs != nil && f.failIDs != nil {
		return -1, f.failIDs
	}
	if q.IDs != nil {
		for _, id := range q.IDs {
			if t := f.things[id]; t != nil && t.hidden {
				return -1, fault.New(fault.Forbidden, "You may not")
			} else if t != nil {
				found = append(found, id)
			}
		}
	} else {
		for _, id := range f.candidates(q.Domain) {
			t := f.things[id]
			if t == nil || t.hidden || !f.holds(q.Domain, id, t) {
				continue
			}
			found = append(found, id)
			if q.Order == "id" && q.Limit > 0 && len(found) == q.Limit {
				break
			}
		}
		if strings.HasPrefix(q.Order, written) {
			slices.SortStableFunc(found, func(a, b int64) int { return cmp.Compare(f.things[a].written, f.things[b].written) })
			if strings.Contains(q.Order, "desc") {
				slices.Reverse(found)
			}
		}
		if q.Limit > 0 && len(found) > q.Limit {
			found = found[:q.Limit]
		}
	}
	f.largest = max(f.largest, len(found))
	if err := sink.Columns(cols); err != nil {
		return -1, err
	}
	for _, id := range found {
		t := f.things[id]
		row := make([]backend.Value, len(fields))
		for i, name := range fields {
			switch name {
			case "id":
				row[i] = backend.IntValue(id)
			case "name":
				row[i] = backend.TextValue(t.name)
			case "note":
				row[i] = backend.TextValue(t.note)
			case "link":
				row[i] = t.link
			case written:
				row[i] = backend.Value{Kind: backend.Datetime, Int: t.written - t.written%second}
			case created:
				row[i] = backend.Value{Kind: backend.Datetime, Int: t.created - t.created%second}
			}
		}
		if err := sink.Row(row); err != nil {
			return -1, err
		}
	}
	if len(found) < len(q.IDs) {
		return -1, fault.New(fault.NotFound, "Some are not there")
	}
	return -1, nil
}

func (f *far) Count(context.Context, *backend.Caller, string, domain.Node) (int64, error) {
	f.calls++
	f.counts++
	n := int64(0)
	for _, t := range f.things {
		if !t.hidden {
			n++
		}
	}
	return n, nil
}

// watchClock is a clock that a test moves.
type watchClock struct{ at time.Time }

func (c *watchClock) Now() time.Time { return c.at }

// site is a Poller in front of a far side.
type site struct {
	*testing.T
	db    sqldb.DB
	far   *far
	clock *watchClock
	p     *Poller
	box   *webhook.Outbox
}

func onBothStores(t *testing.T, fn func(s *site)) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		users := &schema.Model{Name: "res.users", Label: "User", NoLog: true, Fields: []*schema.Field{schema.NewChar("name", "Name")}}
		if err := schema.Sync(t.Context(), db, slices.Concat([]*schema.Model{users}, webhook.Models(), audit.Models())); err != nil {
			t.Fatal(err)
		}
		s := &site{T: t, db: db, far: newFar(), clock: &watchClock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
		s.box = webhook.NewOutbox(db, nil, func(model string) bool { return model != "gateway.key" })
		t.Cleanup(s.box.Close)
		s.p = s.poller()
		fn(s)
	})
}

// poller is another node, or the same after a restart.
func (s *site) poller() *Poller {
	s.Helper()
	p, err := Open(s.Context(), Options{DB: s.db, Records: s.far, Outbox: s.box, Technical: true, Clock: s.clock})
	if err != nil {
		s.Fatal(err)
	}
	return p
}

// pass lets time pass.
func (s *site) pass(d time.Duration) { s.clock.at = s.clock.at.Add(d) }

// ago is the far side's clock, which is 100 s behind ours.
func (s *site) ago(d time.Duration) int64 { return s.clock.at.Add(-100*time.Second - d).UnixMicro() }

func (s *site) make(id int64, name string) *thing {
	t := &thing{name: name, created: s.ago(0), written: s.ago(0)}
	s.far.things[id], s.far.order = t, nil
	return t
}

func (s *site) change(id int64, name string) {
	s.far.things[id].name, s.far.things[id].written = name, s.ago(0)
}

func (s *site) delete(id int64) {
	delete(s.far.things, id)
	s.far.order = nil
}

func (s *site) exec(sql string, args ...any) {
	s.Helper()
	err := s.db.Write(s.Context(), func(tx sqldb.Tx) error {
		if _, err := tx.Exec(s.Context(), sql, args...); err != nil {
			return err
		}
		return tx.Signal(s.Context(), webhook.Channel)
	})
	if err != nil {
		s.Fatal(err)
	}
}

// hook makes a webhook of all changes; set are further columns.
func (s *site) hook(id int64, set ...string) {
	s.Helper()
	s.exec(`insert into gateway_webhook (id, name, model, url, on_create, on_write, on_unlink, active) values ($1, 'test', 'x.thing', 'http://x', true, true, true, true)`, id)
	for _, one := range set {
		s.exec(`update gateway_webhook set `+one+` where id = $1`, id)
	}
}

// run is a round of the Poller that must succeed.
func (s *site) run() {
	s.Helper()
	if _, err := s.p.Run(s.Context()); err != nil {
		s.Fatal(err)
	}
}

// told are the events since the last time: "1 create 5".
func (s *site) told() []string {
	s.Helper()
	var list []string
	err := s.db.Write(s.Context(), func(tx sqldb.Tx) error {
		list = nil
		err := tx.Query(s.Context(), `select webhook_id, action, res_id from gateway_webhook_job order by id`, nil, func(r sqldb.Row) error {
			list = append(list, fmt.Sprintf("%d %s %d", r.Int(0), r.Text(1), r.Int(2)))
			return nil
		})
		if err == nil {
			_, err = tx.Exec(s.Context(), `delete from gateway_webhook_job`)
		}
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return list
}

// want runs a round and compares what it tells.
func (s *site) want(what ...string) {
	s.Helper()
	s.run()
	if got := s.told(); !slices.Equal(got, what) {
		s.Errorf("told %q, want %q", got, what)
	}
}

// payload is that of the last event.
func (s *site) payload() (text string) {
	s.Helper()
	err := s.db.Read(s.Context(), func(q sqldb.Querier) error {
		return q.Query(s.Context(), `select payload from gateway_webhook_job order by id`, nil, func(r sqldb.Row) error {
			text = r.Text(0)
			return nil
		})
	})
	if err != nil {
		s.Fatal(err)
	}
	return text
}

// TestChanges: what is made, changed and deleted is told, and nothing of what
// there was before.
func TestChanges(t *testing.T) {
	onBothStores(t, func(s *site) {
		s.make(1, "one")
		s.make(2, "two").written = s.ago(48 * time.Hour)
		s.pass(time.Hour)
		s.run()
		if s.far.calls != 0 {
			t.Errorf("without a webhook there were %d calls", s.far.calls)
		}
		s.hook(1)
		s.want()
		s.pass(5 * time.Second)
		s.make(3, "three")
		s.change(2, "zwei")
		s.want("1 write 2", "1 create 3")
		s.want()
		s.pass(5 * time.Second)
		s.delete(1)
		s.make(4, "four") // made and changed before anybody looks: one create
		s.change(4, "vier")
		s.make(5, "five")
		s.delete(5) // and this was never there
		s.run()
		s.pass(5 * time.Second)
		s.run()
		if got := s.told(); !slices.Equal(got, []string{"1 create 4", "1 unlink 1"}) {
			t.Errorf("told %q", got)
		}
		// For hours nothing is told twice.
		for range 30 {
			s.pass(5 * time.Minute)
			s.want()
		}
	})
}

// TestIdle: a model of which nothing changes costs a scan and a count, and no
// record is read again and again.
func TestIdle(t *testing.T) {
	onBothStores(t, func(s *site) {
		for id := range int64(500) { // an import, just before
			s.make(id+1, "x")
		}
		s.hook(1)
		for range 30 {
			s.run()
			s.pass(30 * time.Second)
		}
		s.far.calls = 0
		records := s.p.Figures().TotalRecords
		for range 10 {
			s.pass(5 * time.Second)
			s.run()
		}
		if calls := s.far.calls; calls > 21 { // one sweep
			t.Errorf("ten rounds made %d calls", calls)
		}
		if n := s.p.Figures().TotalRecords - records; n > 500 {
			t.Errorf("ten rounds of nothing read %d records", n)
		}
	})
}

// TestLateCommits: a transaction that began long ago is found when it ends.
func TestLateCommits(t *testing.T) {
	onBothStores(t, func(s *site) {
		s.make(1, "one")
		s.make(2, "two")
		s.pass(time.Hour)
		s.hook(1)
		s.want()
		for i, lasted := range []time.Duration{10 * time.Second, 5 * time.Minute, 9 * time.Minute} {
			s.pass(70 * time.Second)
			s.change(2, fmt.Sprint("newer ", i))
			s.want("1 write 2")
			s.pass(70 * time.Second)
			s.change(1, fmt.Sprint(i))
			s.far.things[1].written = s.ago(lasted)
			s.want("1 write 1")
		}
		// Longer than that, the next sweep finds it.
		s.change(1, "much longer")
		s.far.things[1].written = s.ago(3 * time.Hour)
		s.want()
		s.pass(sweepEvery)
		s.want("1 write 1")
		// A record that was made in such a transaction is new.
		s.make(9, "nine")
		s.far.things[9].written, s.far.things[9].created = s.ago(5*time.Minute), s.ago(5*time.Minute)
		s.pass(70 * time.Second)
		s.want("1 create 9")
	})
}

// TestSameSecond: a second change within the second of the first is found,
// however late it is committed.
func TestSameSecond(t *testing.T) {
	for _, wait := range []time.Duration{4 * time.Second, time.Minute, 10 * time.Minute} {
		t.Run(wait.String(), func(t *testing.T) {
			onBothStores(t, func(s *site) {
				s.make(1, "one")
				s.hook(1)
				s.pass(time.Minute)
				s.want()
				s.pass(time.Hour)
				s.want()
				s.pass(time.Second)
				s.change(1, "once")
				s.want("1 write 1")
				for s.pass(-time.Second); wait > 4*time.Second && wait > 0; wait -= 30 * time.Second {
					s.pass(30 * time.Second)
					s.want()
				}
				s.far.things[1].name = "twice" // in the same second
				s.pass(11 * time.Minute)
				s.want("1 write 1")
			})
		})
	}
}

// TestRestart: another process goes on where the last one was, after any time.
func TestRestart(t *testing.T) {
	onBothStores(t, func(s *site) {
		s.make(1, "one")
		s.make(2, "two")
		s.pass(time.Hour)
		s.hook(1)
		s.want()
		s.pass(time.Hour)
		s.want()
		s.change(1, "changed while nobody was looking")
		s.make(3, "three")
		s.delete(2)
		s.pass(30 * time.Hour)
		s.p = s.poller()
		s.run()
		got := s.told()
		slices.Sort(got)
		if !slices.Equal(got, []string{"1 create 3", "1 unlink 2", "1 write 1"}) {
			t.Errorf("told %q", got)
		}
		s.want()
	})
}

// failing is an outbox that keeps nothing, as if the process were killed.
type failing struct{ *webhook.Outbox }

func (failing) Put(context.Context, sqldb.Tx, time.Time, []record.Event) error {
	return errors.New("killed")
}

// TestKilled: who is killed after the Odoo has answered and before the commit
// has lost nothing.
func TestKilled(t *testing.T) {
	onBothStores(t, func(s *site) {
		s.make(1, "one")
		s.make(2, "two")
		s.pass(time.Hour)
		s.hook(1)
		s.want()
		s.pass(time.Hour)
		s.change(1, "eins")
		s.delete(2)
		s.make(3, "three")
		s.p.o.Outbox = failing{s.box}
		for range 3 {
			if _, err := s.p.Run(t.Context()); err == nil {
				t.Error("no error")
			}
			s.pass(time.Minute)
		}
		if got := s.told(); got != nil {
			t.Errorf("told %q", got)
		}
		if f := s.p.Figures(); f.Failures != 3 || f.Events != 0 {
			t.Errorf("figures: %+v", f)
		}
		s.p = s.poller()
		s.want("1 write 1", "1 create 3", "1 unlink 2")
		s.want()
	})
}

// TestTwoNodes: of two nodes that look at the same time, one keeps what it
// found, and the other one finds nothing any more.
func TestTwoNodes(t *testing.T) {
	onBothStores(t, func(s *site) {
		s.make(1, "one")
		s.pass(time.Hour)
		s.hook(1)
		s.want()
		other := s.poller()
		turns := []*Poller{s.p, other}
		for i := range 6 {
			s.pass(20 * time.Second)
			s.change(1, fmt.Sprint(i))
			s.p = turns[i%2]
			s.want("1 write 1")
		}
		// What one has made known, the other one counts.
		s.make(2, "two")
		s.make(3, "three")
		s.pass(20 * time.Second)
		s.p = turns[1]
		s.want("1 create 2", "1 create 3")
		s.delete(2)
		s.pass(20 * time.Second)
		s.p = turns[0]
		s.want("1 unlink 2")
		// While the one has read and not yet kept anything, the other one looks.
		s.exec(`update gateway_webhook set domain = '[("name", "=", "at the same time")]'`)
		s.want()
		s.pass(20 * time.Second)
		s.change(1, "at the same time")
		s.p.o.Records = &interrupted{far: s.far, do: func() {
			if _, err := other.Run(t.Context()); err != nil {
				t.Error(err)
			}
		}}
		s.want("1 write 1")
		s.pass(20 * time.Second)
		s.want()
	})
}

// interrupted does something before it is asked for the first time which
// records of a list a domain finds.
type interrupted struct {
	*far
	do func()
}

func (i *interrupted) Search(ctx context.Context, c *backend.Caller, q *backend.Query, sink backend.Sink) (int64, error) {
	if do := i.do; do != nil && strings.HasPrefix(string(domain.JSON(q.Domain)), `["&",["id","in"`) {
		i.do = nil
		do()
	}
	return i.far.Search(ctx, c, q, sink)
}

// TestSubscriptions: domains, watched fields and chosen fields count, with
// values before and after; a domain counts for deletions by what it found before.
func TestSubscriptions(t *testing.T) {
	onBothStores(t, func(s *site) {
		s.make(1, "good").note = "<b>"
		s.make(2, "bad")
		s.pass(time.Hour)
		s.hook(1, `domain = '[("name", "=", "good")]'`, `fields = '["name"]'`)
		s.hook(2, `watch_fields = '["note","link"]'`, `fields = '["name","create_date"]'`, `on_create = false`)
		s.want()
		s.pass(time.Minute)
		s.change(1, "good") // written, but the watched fields are what they were
		s.change(2, "worse")
		s.want("1 write 1")
		s.pass(time.Minute)
		s.change(2, "worse")
		s.far.things[2].note = "new"
		s.far.things[2].link = backend.RefValue(1, "One")
		s.run()
		want := `{"action":"write","model":"x.thing","record":{"id":2,"name":"worse","create_date":"2026-03-01T11:58:20"},` +
			`"changed":{"note":{"old":null,"new":"new"},"link":{"old":null,"new":{"id":1,"name":"One"}}},"event_id":`
		if got := s.payload(); !strings.HasPrefix(got, want) {
			t.Errorf("payload:\n%s\nwant\n%s", got, want)
		}
		s.told()
		// Another name of the linked record is no change of this one.
		s.pass(time.Minute)
		s.change(2, "worse")
		s.far.things[2].link = backend.RefValue(1, "Uno")
		s.want()
		s.far.things[2].link = backend.RefValue(1, "Eins")
		s.pass(5 * time.Second)
		s.want()
		s.delete(1)
		s.delete(2)
		s.pass(time.Minute)
		s.want("1 unlink 1", "2 unlink 1", "2 unlink 2")
		// A domain that cannot be asked any more ends its webhook alone.
		s.far.breaks = "name"
		s.make(3, "good")
		s.pass(time.Minute)
		s.change(3, "good")
		s.want()
		var active, other bool
		err := s.db.Read(t.Context(), func(q sqldb.Querier) error {
			return q.Query(t.Context(), `select id, active from gateway_webhook`, nil, func(r sqldb.Row) error {
				if r.Int(0) == 1 {
					active = r.Bool(1)
				} else {
					other = r.Bool(1)
				}
				return nil
			})
		})
		if err != nil || active || !other {
			t.Errorf("active: %v, the other one %v (%v)", active, other, err)
		}
	})
}

// TestWatchedLater: a webhook whose watched fields nobody watched before knows
// their old values as soon as it has looked.
func TestWatchedLater(t *testing.T) {
	onBothStores(t, func(s *site) {
		s.make(1, "one").note = "old"
		s.pass(time.Hour)
		s.hook(1)
		s.want()
		s.hook(2, `watch_fields = '["note"]'`)
		s.pass(time.Minute)
		s.want()
		s.pass(time.Minute)
		s.far.things[1].note = "new"
		s.change(1, "one")
		s.run()
		if got := s.payload(); !strings.Contains(got, `"changed":{"note":{"old":"old","new":"new"}}`) {
			t.Errorf("payload: %s", got)
		}
		// Nor is it a change of what was read before that more is read now.
		s.exec(`update gateway_webhook set fields = '["name"]', watch_fields = null`)
		s.pass(time.Minute)
		s.run()
		s.told()
		s.change(1, "uno")
		s.want("1 write 1", "2 write 1")
		s.exec(`update gateway_webhook set fields = '["note"]' where id = 2`)
		s.pass(5 * time.Second)
		s.want()
	})
}

// TestOnAgain: what changed while no webhook was on is not told.
func TestOnAgain(t *testing.T) {
	onBothStores(t, func(s *site) {
		s.make(1, "one")
		s.make(2, "two")
		s.pass(time.Hour)
		s.hook(1)
		s.want()
		s.exec(`update gateway_webhook set active = false`)
		s.want()
		s.pass(100 * time.Hour)
		s.change(1, "eins")
		s.make(3, "three")
		s.delete(2)
		s.pass(time.Hour)
		s.exec(`update gateway_webhook set active = true`)
		s.want()
		s.pass(time.Minute)
		s.want()
		s.change(3, "drei")
		s.want("1 write 3")
		s.exec(`delete from gateway_webhook`)
		s.run()
		s.run()
		for _, table := range []string{"gateway_odoo_watch", "gateway_odoo_known"} {
			err := s.db.Read(t.Context(), func(q sqldb.Querier) error {
				return q.Query(t.Context(), `select count(*) from `+table, nil, func(r sqldb.Row) error {
					if r.Int(0) != 0 {
						t.Errorf("%s has %d rows left", table, r.Int(0))
					}
					return nil
				})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestHidden: records that the technical user cannot see any more, or can see
// from now on, have neither been deleted nor made.
func TestHidden(t *testing.T) {
	onBothStores(t, func(s *site) {
		for id := range int64(20) {
			s.make(id+1, "x")
		}
		s.pass(5 * time.Hour)
		s.hook(1)
		s.want()
		s.pass(time.Minute)
		for id := range int64(5) {
			s.far.things[id+1].hidden = true
		}
		s.delete(15)
		s.want("1 unlink 15")
		s.pass(time.Hour)
		s.want() // a sweep
		s.delete(16)
		s.pass(time.Minute)
		s.want("1 unlink 16") // as there are fewer
		s.pass(time.Hour)
		for id := range int64(5) {
			s.far.things[id+1].hidden = false
		}
		s.want()
		s.delete(17)
		s.pass(time.Minute)
		s.want("1 unlink 17")
		s.pass(time.Hour)
		s.change(3, "y")
		s.want("1 write 3")
	})
}

// TestTrouble: what is wrong with a model is shown with its webhooks; what is
// wrong with the Odoo fails the round.
func TestTrouble(t *testing.T) {
	onBothStores(t, func(s *site) {
		problem := func(want string) {
			t.Helper()
			err := s.db.Read(t.Context(), func(q sqldb.Querier) error {
				return q.Query(t.Context(), `select poll_problem from gateway_webhook`, nil, func(r sqldb.Row) error {
					if r.Text(0) != want {
						t.Errorf("the problem is %q, want %q", r.Text(0), want)
					}
					return nil
				})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		s.make(1, "one")
		s.hook(1)
		s.want()
		problem("")
		s.pass(time.Hour)
		s.change(1, "eins")
		s.far.fail = fault.New(fault.Forbidden, "You may not read this")
		s.want()
		problem("You may not read this")
		s.far.fail = fault.New(fault.BadGateway, "Nobody is there")
		if _, err := s.p.Run(t.Context()); !fault.Is(err, fault.BadGateway) {
			t.Errorf("error %v", err)
		}
		s.far.fail = nil
		s.want("1 write 1")
		s.make(2, "two")
		s.pass(time.Minute)
		s.want("1 create 2")
		s.delete(2) // which it cannot be asked about now
		s.far.failIDs = fault.New(fault.BadGateway, "Nobody is there")
		s.pass(time.Minute)
		if _, err := s.p.Run(t.Context()); !fault.Is(err, fault.BadGateway) {
			t.Errorf("error %v", err)
		}
		s.far.failIDs = nil
		s.want("1 unlink 2")
		problem("")
		s.p.o.Technical = false
		s.p.plans = map[string]*plan{}
		s.run()
		problem("Changes of records of the Odoo are found by its technical user, and there is none: set odoo-login and odoo-key")
	})
}

// TestFuture: a record with a date in the future hides nothing.
func TestFuture(t *testing.T) {
	onBothStores(t, func(s *site) {
		one := s.make(1, "one")
		one.created, one.written = s.ago(2*time.Hour), s.ago(-1000*time.Hour)
		s.make(2, "two").written = s.ago(time.Hour)
		s.hook(1)
		s.want()
		s.pass(time.Minute)
		s.change(2, "zwei")
		s.want("1 write 2")
		s.make(3, "three")
		s.want("1 create 3")
	})
}

// TestImports: many records of one second, more than a page or a round takes,
// all are told, once.
func TestImports(t *testing.T) {
	onBothStores(t, func(s *site) {
		s.p.bounds.glance, s.p.bounds.read, s.p.bounds.scanPages, s.p.bounds.sweepPages = 10, 7, 3, 2
		s.make(1, "one")
		s.pass(time.Hour)
		s.hook(1)
		s.want()
		s.pass(time.Minute)
		for id := range int64(95) {
			s.make(id+10, "x")
		}
		s.pass(10 * time.Second)
		for id := range int64(20) {
			s.make(id+200, "y")
		}
		seen := map[string]int{}
		for range 20 {
			s.run()
			for _, one := range s.told() {
				seen[one]++
			}
			s.pass(time.Second)
		}
		if len(seen) != 115 {
			t.Errorf("%d events", len(seen))
		}
		for one, n := range seen {
			if n != 1 || !strings.HasPrefix(one, "1 create") {
				t.Errorf("%s %d times", one, n)
			}
		}
		if s.far.largest > 10 {
			t.Errorf("an answer had %d records", s.far.largest)
		}
		if b := s.p.Figures().Behind; b != 0 {
			t.Errorf("behind: %d", b)
		}
	})
}

// TestLarge: of a model with many records stock is taken over several rounds
// with bounded answers, changes meanwhile are told, and then a round costs
// little.
func TestLarge(t *testing.T) {
	onBothStores(t, func(s *site) {
		const size = 25_000
		s.p.bounds.glance, s.p.bounds.stockPages, s.p.bounds.sweepPages, s.p.bounds.counted = 500, 10, 4, 5000
		for id := range int64(size) {
			s.far.things[id+1] = &thing{name: "x", created: s.ago(time.Hour), written: s.ago(time.Hour) - id*1000}
		}
		s.hook(1)
		s.run()
		if got := s.p.Figures(); got.Behind != 1 || got.Calls > 15 {
			t.Errorf("the first round: %+v", got)
		}
		s.pass(time.Second)
		s.change(77, "while stock is taken")
		s.change(size, "while stock is taken, and not yet seen")
		s.make(size+1, "new")
		rounds := 1
		for s.p.Figures().Behind > 0 {
			s.pass(time.Second)
			s.run()
			rounds++
		}
		got := s.told()
		slices.Sort(got)
		want := []string{fmt.Sprint("1 create ", size+1), fmt.Sprint("1 write ", size), "1 write 77"}
		if slices.Sort(want); !slices.Equal(got, want) {
			t.Errorf("told %q", got)
		}
		if rounds != 6 || s.far.largest > 500 {
			t.Errorf("%d rounds, answers of up to %d records", rounds, s.far.largest)
		}
		for range 60 {
			s.pass(10 * time.Second)
			s.run()
		}
		s.far.calls, s.far.counts = 0, 0
		for range 60 { // ten minutes
			s.pass(10 * time.Second)
			s.run()
		}
		// A scan each, a count every 50 s, and at most three sweeps of 50 pages.
		if s.far.calls > 60+12+3*51 || s.far.counts > 12 {
			t.Errorf("ten minutes made %d calls, %d counts", s.far.calls, s.far.counts)
		}
		s.delete(4711)
		for range 20 {
			s.pass(20 * time.Second)
			s.run()
		}
		if got := s.told(); !slices.Equal(got, []string{"1 unlink 4711"}) {
			t.Errorf("told %q", got)
		}
	})
}
