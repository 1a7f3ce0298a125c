package record_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
)

// changes asks for the changes of a model and gives them as text, and the cursor.
func (w *world) changes(c *backend.Caller, q backend.ChangesQuery) (string, *backend.ChangeList) {
	w.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	list, err := w.eng.Changes(context.Background(), c, &q)
	if err != nil {
		w.Fatalf("changes of %s: %v", q.Model, err)
	}
	var out []string
	for _, c := range list.Changes {
		out = append(out, fmt.Sprintf("%s %d", c.Action, c.ID))
	}
	return strings.Join(out, ", "), list
}

func TestChanges(t *testing.T) {
	onBoth(t, func(w *world) {
		su, ctx := as(0), context.Background()
		w.manualModel()
		text, now := w.changes(su, backend.ChangesQuery{Model: "x_thing"})
		if text != "" || now.Next == "" || now.More {
			w.Fatalf("%s %+v", text, now)
		}
		since := now.Next
		step := func(want string) {
			w.Helper()
			text, list := w.changes(su, backend.ChangesQuery{Model: "x_thing", Since: since})
			if text != want || list.More {
				w.Errorf("got %q, want %q", text, want)
			}
			since = list.Next
		}
		step("")
		parent := w.create(su, "x_thing", backend.Values{"x_name": "parent", "x_active": true})[0]
		ids := w.create(su, "x_thing", backend.Values{"x_name": "a", "x_active": true, "x_parent_id": parent}, backend.Values{"x_name": "b", "x_active": true})
		w.write(su, "x_thing", ids[0], backend.Values{"x_int": 5})
		step(fmt.Sprintf("created %d, created %d, created %d", parent, ids[0], ids[1]))
		step("")
		w.write(su, "x_thing", ids[1], backend.Values{"x_active": false})
		w.write(su, "x_thing", ids[0], backend.Values{"x_tag_ids": []any{}})
		step(fmt.Sprintf("updated %d, updated %d", ids[1], ids[0]))
		if err := w.eng.Unlink(ctx, su, "x_thing", []int64{parent}); err != nil {
			w.Fatal(err)
		}
		step(fmt.Sprintf("updated %d, deleted %d", ids[0], parent)) // the link to it is empty now
		brief := w.create(su, "x_thing", backend.Values{"x_name": "brief", "x_active": true})[0]
		if err := w.eng.Unlink(ctx, su, "x_thing", []int64{brief}); err != nil {
			w.Fatal(err)
		}
		step(fmt.Sprintf("deleted %d", brief))

		// What is undone was not: a transaction, and a savepoint in it.
		_ = w.eng.Sudo(ctx, func(e *record.Env) error {
			_, err := e.Create("x_thing", record.Values{"x_name": "undone"})
			if err == nil {
				err = context.Canceled
			}
			return err
		})
		if err := w.eng.Sudo(ctx, func(e *record.Env) error {
			_ = e.Tx().Savepoint(ctx, func() error {
				if err := e.Unlink(e.Many("x_thing", ids[:1])); err != nil {
					return err
				}
				return context.Canceled
			})
			return nil
		}); err != nil {
			w.Fatal(err)
		}
		step(fmt.Sprintf("updated %d", ids[0]))

		// Page by page.
		var made []int64
		for range 5 {
			made = append(made, w.create(su, "x_thing", backend.Values{"x_name": "p", "x_active": true}, backend.Values{"x_name": "q", "x_active": true})...)
		}
		var got []int64
		for more := true; more; {
			_, list := w.changes(su, backend.ChangesQuery{Model: "x_thing", Since: since, Limit: 3})
			for _, c := range list.Changes {
				got = append(got, c.ID)
			}
			since, more = list.Next, list.More
		}
		if !slices.Equal(got, made) {
			w.Errorf("got %v, want %v", got, made)
		}

		// A domain: what leaves it is gone.
		_, list := w.changes(su, backend.ChangesQuery{Model: "x_thing", DomainText: `[("x_name","=","p")]`})
		w.write(su, "x_thing", made[0], backend.Values{"x_name": "r"})
		w.write(su, "x_thing", made[2], backend.Values{"x_int": 3})
		if text, _ := w.changes(su, backend.ChangesQuery{Model: "x_thing", Since: list.Next, DomainText: `[("x_name","=","p")]`}); text != fmt.Sprintf("deleted %d, updated %d", made[0], made[2]) {
			w.Error(text)
		}

		for _, bad := range []backend.ChangesQuery{
			{Model: "x_thing", Since: "nonsense"},
			{Model: "res.partner", Since: list.Next},
			{Model: "x_thing", DomainText: "[("},
			{Model: "x_thing", DomainText: `[("nothing","=",1)]`},
			{Model: "x_thing", Since: list.Next, DomainText: `[("nothing","=",1)]`},
		} {
			bad.Limit = 10
			_, err := w.eng.Changes(ctx, su, &bad)
			w.want(err, fault.BadRequest, "")
		}
	})
}

// TestChangesCascade: what the database deletes along is told too, and what it
// deletes along with that.
func TestChangesCascade(t *testing.T) {
	onBoth(t, func(w *world) {
		su := as(0)
		template := w.create(su, "product.template", backend.Values{"name": "Desk"})[0]
		partner := w.create(su, "res.partner", backend.Values{"name": "Buyer"})[0]
		variant := w.list(su, backend.Query{Model: "product.product", DomainText: fmt.Sprintf(`[("product_tmpl_id","=",%d)]`, template), Fields: []string{"id"}}).IDs()[0]
		order := w.create(su, "sale.order", backend.Values{"partner_id": partner, "order_line": []any{[]any{0, 0, map[string]any{"product_id": variant}}}})[0]
		lines := w.list(su, backend.Query{Model: "sale.order.line", DomainText: fmt.Sprintf(`[("order_id","=",%d)]`, order), Fields: []string{"id"}}).IDs()
		_, list := w.changes(su, backend.ChangesQuery{Model: "sale.order.line"})
		if err := w.eng.Unlink(context.Background(), su, "sale.order", []int64{order}); err != nil {
			w.Fatal(err)
		}
		if text, _ := w.changes(su, backend.ChangesQuery{Model: "sale.order.line", Since: list.Next}); text != fmt.Sprintf("deleted %d", lines[0]) {
			w.Errorf("%q", text)
		}
	})
}

// TestChangesOfADeepCascade: however deep a tree is, what goes with its root is
// told.
func TestChangesOfADeepCascade(t *testing.T) {
	onBoth(t, func(w *world) {
		su, all, parent := as(0), []string{}, any(false)
		for i := range 15 {
			id := w.create(su, "product.category", backend.Values{"name": fmt.Sprintf("level %d", i), "parent_id": parent})[0]
			all, parent = append(all, fmt.Sprintf("deleted %d", id)), id
		}
		_, now := w.changes(su, backend.ChangesQuery{Model: "product.category"})
		var root int64
		if _, err := fmt.Sscanf(all[0], "deleted %d", &root); err != nil {
			w.Fatal(err)
		}
		if err := w.eng.Unlink(context.Background(), su, "product.category", []int64{root}); err != nil {
			w.Fatal(err)
		}
		text, _ := w.changes(su, backend.ChangesQuery{Model: "product.category", Since: now.Next})
		got := strings.Split(text, ", ")
		slices.Sort(got)
		slices.Sort(all)
		if !slices.Equal(got, all) {
			w.Errorf("got %v, want %v", got, all)
		}
	})
}

// TestChangesKeepToTheRules: nobody learns of records that he may not read.
func TestChangesKeepToTheRules(t *testing.T) {
	onBoth(t, func(w *world) {
		su := as(0)
		user := w.create(su, "res.users", backend.Values{"name": "Ann", "login": "ann"})[0]
		model := w.list(su, backend.Query{Model: "ir.model", DomainText: `[("model","=","res.partner")]`, Fields: []string{"id"}}).IDs()[0]
		w.create(su, "ir.rule", backend.Values{"name": "r", "model_id": model, "domain_force": `[("ref","!=","hidden")]`})
		_, list := w.changes(as(user), backend.ChangesQuery{Model: "res.partner"})
		ids := w.create(su, "res.partner", backend.Values{"name": "a", "ref": "hidden"}, backend.Values{"name": "b"})
		if text, _ := w.changes(as(user), backend.ChangesQuery{Model: "res.partner", Since: list.Next}); text != fmt.Sprintf("created %d", ids[1]) {
			w.Error(text)
		}
		_, err := w.eng.Changes(context.Background(), as(user), &backend.ChangesQuery{Model: "sale.order", Limit: 1})
		if !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Forbidden) {
			w.Error(err)
		}
	})
}

func TestForgetChanges(t *testing.T) {
	onBoth(t, func(w *world) {
		su, ctx := as(0), context.Background()
		_, old := w.changes(su, backend.ChangesQuery{Model: "res.partner"})
		w.create(su, "res.partner", backend.Values{"name": "a"})
		_, now := w.changes(su, backend.ChangesQuery{Model: "res.partner"})
		if n, err := w.eng.ForgetChanges(ctx, time.Now().Add(-time.Hour)); n != 0 || err != nil {
			w.Fatal(n, err)
		}
		w.changes(su, backend.ChangesQuery{Model: "res.partner", Since: old.Next})
		if n, err := w.eng.ForgetChanges(ctx, time.Now().Add(time.Hour)); err != nil {
			w.Fatal(n, err)
		} else if n == 0 { // others on the server have transactions that are older
			w.Skip("nothing could be forgotten")
		}
		_, err := w.eng.Changes(ctx, su, &backend.ChangesQuery{Model: "res.partner", Since: old.Next, Limit: 1})
		w.want(err, fault.Gone, "read all records again")
		id := w.create(su, "res.partner", backend.Values{"name": "b"})[0]
		if w.db.Dialect().Name() == "postgres" {
			return // others on the server may make this cursor look older
		}
		if text, _ := w.changes(su, backend.ChangesQuery{Model: "res.partner", Since: now.Next}); text != fmt.Sprintf("created %d", id) {
			w.Error(text)
		}
	})
}

// TestDeletedByAnOlderTransaction: a transaction that began before another one
// deletes what that has changed. Their numbers say the opposite.
func TestDeletedByAnOlderTransaction(t *testing.T) {
	db := seededPostgres(t)
	w, ctx, su := open(t, db), context.Background(), as(0)
	id := w.create(su, "res.partner.category", backend.Values{"name": "x"})[0]
	_, list := w.changes(su, backend.ChangesQuery{Model: "res.partner.category"})
	if err := w.eng.Sudo(ctx, func(e *record.Env) error {
		if _, err := e.Create("res.partner.category", record.Values{"name": "old"}); err != nil {
			return err
		}
		w.write(su, "res.partner.category", id, backend.Values{"name": "y"})
		if text, _ := w.changes(su, backend.ChangesQuery{Model: "res.partner.category", Since: list.Next}); text != fmt.Sprintf("updated %d", id) {
			w.Error(text) // at once: an open transaction holds nothing back
		}
		return e.Unlink(e.Many("res.partner.category", []int64{id}))
	}); err != nil {
		t.Fatal(err)
	}
	if text, _ := w.changes(su, backend.ChangesQuery{Model: "res.partner.category", Since: list.Next}); !strings.Contains(text, fmt.Sprintf("deleted %d", id)) {
		w.Error(text)
	}
}

// TestNoChangeIsLost: many write at once, in transactions that end in another
// order than they began, one of them after a long time, while somebody keeps a
// copy by the changes. In the end his copy is the data.
func TestNoChangeIsLost(t *testing.T) {
	seeded.Each(t, func(t *testing.T, db sqldb.DB) {
		w := open(t, db)
		ctx, su := context.Background(), as(0)
		_, list := w.changes(su, backend.ChangesQuery{Model: "res.partner.category"})
		since, mine, seen := list.Next, map[int64]bool{}, 0
		poll := func() {
			for more := true; more; {
				list, err := w.eng.Changes(ctx, su, &backend.ChangesQuery{Model: "res.partner.category", Since: since, Limit: 7})
				if err != nil {
					t.Error(err)
					return
				}
				for _, c := range list.Changes {
					seen++
					if mine[c.ID] = c.Action != "deleted"; c.Action == "deleted" {
						delete(mine, c.ID)
					}
				}
				since, more = list.Next, list.More
			}
		}
		release, held := make(chan struct{}), make(chan error, 1)
		var long int64
		began := make(chan struct{})
		go func() {
			held <- w.eng.Sudo(ctx, func(e *record.Env) error {
				recs, err := e.Create("res.partner.category", record.Values{"name": "long"})
				if err != nil {
					return err
				}
				long = recs[0].ID()
				if db.Dialect().Name() == "postgres" { // on SQLite others would wait for it
					close(began)
					<-release
				} else {
					close(began)
				}
				return nil
			})
		}()
		<-began
		var writers sync.WaitGroup
		done := make(chan struct{})
		for n := range 4 {
			writers.Add(1)
			go func() {
				defer writers.Done()
				random := rand.New(rand.NewPCG(1, uint64(n)))
				var own []int64
				for i := range 40 {
					err := w.eng.Sudo(ctx, func(e *record.Env) error {
						if len(own) > 0 && random.IntN(3) == 0 {
							id := own[0]
							own = own[1:]
							return e.Unlink(e.Many("res.partner.category", []int64{id}))
						}
						recs, err := e.Create("res.partner.category", record.Values{"name": fmt.Sprintf("w%d-%d", n, i)})
						if err == nil {
							own = append(own, recs[0].ID())
						}
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			}()
		}
		go func() { writers.Wait(); close(done) }()
		for open := true; open; {
			select {
			case <-done:
				open = false
			default:
				poll()
			}
		}
		if db.Dialect().Name() == "postgres" && mine[long] {
			t.Error("the long transaction was seen before it ended")
		}
		close(release)
		if err := <-held; err != nil {
			t.Fatal(err)
		}
		poll()
		want := w.list(su, backend.Query{Model: "res.partner.category", Fields: []string{"id"}, Order: "id"}).IDs()
		var got []int64
		for id := range mine {
			got = append(got, id)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) || !mine[long] {
			t.Errorf("after %d changes the copy has\n%v, the data is\n%v", seen, got, want)
		}
	})
}
