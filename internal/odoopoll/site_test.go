package odoopoll

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"gatehouse/internal/audit"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
	"gatehouse/internal/webhook"
)

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
