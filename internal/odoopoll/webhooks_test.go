package odoopoll

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

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

// TestOnlyDeletions: who wants to hear of deletions alone costs no reading.
func TestOnlyDeletions(t *testing.T) {
	onBothStores(t, func(s *site) {
		s.make(1, "one")
		s.make(2, "two")
		s.pass(time.Hour)
		s.hook(1, `on_create = false`, `on_write = false`)
		s.want()
		s.pass(time.Minute)
		s.change(1, "eins")
		s.make(3, "three")
		s.want()
		if read := s.p.plans["x.thing"].read; len(read) != 3 {
			t.Errorf("read are %v", read)
		}
		s.delete(1)
		s.delete(3)
		s.pass(time.Minute)
		s.want("1 unlink 1", "1 unlink 3")
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
		s.change(1, "y")
		s.want("1 write 1")
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
		// Whose key is not taken does not try it again and again.
		s.far.fail = fault.New(fault.Unauthenticated, "No such key")
		for range 3 {
			s.pass(time.Minute)
			if _, err := s.p.Run(t.Context()); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("error %v", err)
			}
			s.far.fail = nil // which nobody finds out before the time
		}
		s.pass(deniedPause)
		s.run()
		s.p.o.Technical = false
		s.p.plans = map[string]*plan{}
		s.run()
		problem("Changes of records of the Odoo are found by its technical user, and there is none: set odoo-login and odoo-key")
	})
}

// TestFuture: a record with a date in the future hides nothing.
func TestFuture(t *testing.T) {
	onBothStores(t, func(s *site) {
		for _, id := range []int64{1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19} {
			t := s.make(id, "one")
			t.created, t.written = s.ago(2*time.Hour), s.ago(-1000*time.Hour)
		}
		s.make(2, "two").written = s.ago(time.Hour)
		s.hook(1)
		s.want()
		s.pass(time.Minute)
		s.change(2, "zwei")
		s.want("1 write 2")
		s.make(3, "three")
		s.want("1 create 3")
		s.pass(time.Minute)
		s.run()
		s.pass(time.Minute)
		before := s.p.Figures().TotalRecords
		s.pass(20 * time.Second)
		s.run()
		if n := s.p.Figures().TotalRecords - before; n > 10 {
			t.Errorf("%d records were looked at for nothing", n)
		}
		s.change(1, "changed, in the future")
		s.far.things[1].written = s.ago(-2000 * time.Hour)
		s.pass(sweepEvery)
		s.want("1 write 1")
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
