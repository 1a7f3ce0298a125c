package odoopoll

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/webhook"
)

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
		s.far.things[2].link = backend.RefValue(1, "one")
		s.want("1 write 2", "1 create 3")
		s.far.things[2].link = backend.RefValue(1, "eins") // which is a change of the other record
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
		looked := false
		s.p.o.Records = &interrupted{far: s.far, do: func() {
			looked = true
			if _, err := other.Run(t.Context()); err != nil {
				t.Error(err)
			}
		}}
		s.want("1 write 1")
		if !looked {
			t.Error("the other one has not looked")
		}
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
	if and, ok := q.Domain.(domain.And); ok && i.do != nil {
		if first, ok := and[0].(*domain.Leaf); ok && first.Path == "id" && first.Op == domain.OpIn {
			do := i.do
			i.do = nil
			do()
		}
	}
	return i.far.Search(ctx, c, q, sink)
}
