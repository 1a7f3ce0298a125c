package idempotency_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"gatehouse/internal/fault"
	"gatehouse/internal/idempotency"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

type txKey struct{}

// running is the transaction that a test's context carries.
func running(ctx context.Context) sqldb.Tx {
	tx, _ := ctx.Value(txKey{}).(sqldb.Tx)
	return tx
}

// world is a database with two nodes on it.
type world struct {
	*testing.T
	db   sqldb.DB
	a, b *idempotency.Store
}

func each(t *testing.T, fn func(w *world)) {
	t.Helper()
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		w := &world{T: t, db: db}
		for _, store := range []**idempotency.Store{&w.a, &w.b} {
			var err error
			if *store, err = idempotency.Open(t.Context(), db, running); err != nil {
				t.Fatal(err)
			}
		}
		fn(w)
	})
}

// inside runs fn in a transaction that its context carries.
func (w *world) inside(fn func(ctx context.Context) error) error {
	return w.db.Write(w.Context(), func(tx sqldb.Tx) error {
		return fn(context.WithValue(w.Context(), txKey{}, tx))
	})
}

func request(key string, mark byte) idempotency.Request {
	return idempotency.Request{Owner: "user:2", Key: key, Print: [32]byte{mark}}
}

func answer(text string) idempotency.Answer {
	return idempotency.Answer{Status: 201, Location: "/x/1", Body: []byte(text)}
}

// find looks for an answer in a transaction of its own.
func (w *world) find(s *idempotency.Store, r idempotency.Request) (found *idempotency.Answer, err error) {
	err = w.inside(func(ctx context.Context) (err error) {
		found, err = s.Find(ctx, r)
		return err
	})
	return found, err
}

var errUndone = errors.New("undone")

// TestKeep: an answer is there with the transaction that it tells of, for the
// same request, and for nobody else's.
func TestKeep(t *testing.T) {
	each(t, func(w *world) {
		r := request("k", 1)
		err := w.inside(func(ctx context.Context) error {
			if found, err := w.a.Find(ctx, r); found != nil || err != nil {
				w.Errorf("before: %v %v", found, err)
			}
			if err := w.a.Keep(ctx, r, answer("never")); err != nil {
				w.Error(err)
			}
			return errUndone
		})
		if !errors.Is(err, errUndone) {
			w.Fatal(err)
		}
		if found, err := w.find(w.b, r); found != nil || err != nil {
			w.Errorf("of a change that was undone: %v %v", found, err)
		}
		if err := w.inside(func(ctx context.Context) error { return w.a.Keep(ctx, r, answer("done")) }); err != nil {
			w.Fatal(err)
		}
		if err := w.a.Keep(w.Context(), r, answer("again")); err != nil { // what was first stays
			w.Fatal(err)
		}
		found, err := w.find(w.b, r)
		if err != nil || found == nil || string(found.Body) != "done" || found.Status != 201 || found.Location != "/x/1" || found.Withheld != "" {
			w.Errorf("the other node finds %+v %v", found, err)
		}
		if _, err := w.find(w.b, request("k", 2)); !fault.Is(err, fault.Unprocessable) {
			w.Errorf("another request: %v", err)
		}
		other := r
		other.Owner = "client:1"
		if found, err := w.find(w.b, other); found != nil || err != nil {
			w.Errorf("another owner's: %v %v", found, err)
		}
		if _, err := w.a.Find(w.Context(), r); err == nil {
			w.Error("Find outside of a transaction goes through")
		}
	})
}

// TestBegin: one process does a request with a key once at a time.
func TestBegin(t *testing.T) {
	each(t, func(w *world) {
		end, err := w.a.Begin(request("k", 1))
		if err != nil {
			w.Fatal(err)
		}
		if _, err := w.a.Begin(request("k", 1)); !fault.Is(err, fault.Conflict) {
			w.Errorf("a second one: %v", err)
		}
		if end, err := w.a.Begin(request("other", 1)); err != nil {
			w.Errorf("another key: %v", err)
		} else {
			end()
		}
		end()
		if end, err = w.a.Begin(request("k", 1)); err != nil {
			w.Errorf("after the end: %v", err)
		}
		end()
	})
}

// TestClaim goes through what becomes of requests whose change is no transaction
// of the store.
func TestClaim(t *testing.T) {
	each(t, func(w *world) {
		r := request("k", 1)
		claim := func(s *idempotency.Store, r idempotency.Request) (*idempotency.Answer, error) {
			return s.Claim(w.Context(), r)
		}
		if found, err := claim(w.a, r); found != nil || err != nil {
			w.Fatalf("the first: %v %v", found, err)
		}
		// The process may have died now: nobody knows what was done.
		if _, err := claim(w.b, r); !fault.Is(err, fault.Conflict) {
			w.Errorf("while it is claimed: %v", err)
		}
		if _, err := claim(w.b, request("k", 2)); !fault.Is(err, fault.Unprocessable) {
			w.Errorf("another request with the key: %v", err)
		}
		if err := w.a.Release(w.Context(), r); err != nil {
			w.Fatal(err)
		}
		if found, err := claim(w.b, r); found != nil || err != nil {
			w.Fatalf("after the release: %v %v", found, err)
		}
		if err := w.b.Keep(w.Context(), r, answer("done")); err != nil {
			w.Fatal(err)
		}
		if found, err := claim(w.a, r); err != nil || found == nil || string(found.Body) != "done" {
			w.Errorf("after the end: %+v %v", found, err)
		}
		if err := w.a.Release(w.Context(), r); err != nil { // of an answer there is nothing to take back
			w.Fatal(err)
		}
		if found, err := claim(w.a, r); err != nil || found == nil {
			w.Errorf("a release took the answer: %v %v", found, err)
		}
	})
}

// TestClaimTogether: of many nodes, one may do the work.
func TestClaimTogether(t *testing.T) {
	each(t, func(w *world) {
		var group sync.WaitGroup
		var mu sync.Mutex
		mine := 0
		for i := range 12 {
			group.Go(func() {
				store := []*idempotency.Store{w.a, w.b}[i%2]
				found, err := store.Claim(w.Context(), request("k", 1))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil && found == nil:
					mine++
				case !fault.Is(err, fault.Conflict):
					w.Errorf("%v %v", found, err)
				}
			})
		}
		group.Wait()
		if mine != 1 {
			w.Errorf("%d may do it", mine)
		}
	})
}

// TestOld: after a day an answer, or a claim, is as if it had never been.
func TestOld(t *testing.T) {
	each(t, func(w *world) {
		age := func() {
			w.Helper()
			if err := w.inside(func(ctx context.Context) error {
				tx := running(ctx)
				_, err := tx.Exec(ctx, "update gateway_idempotency set create_date = "+tx.Dialect().After(tx.Dialect().Now(), "-90000"))
				return err
			}); err != nil {
				w.Fatal(err)
			}
		}
		r := request("k", 1)
		if err := w.a.Keep(w.Context(), r, answer("old")); err != nil {
			w.Fatal(err)
		}
		age()
		if found, err := w.find(w.a, request("k", 2)); found != nil || err != nil {
			w.Errorf("an old answer: %v %v", found, err)
		}
		if found, err := w.a.Claim(w.Context(), r); found != nil || err != nil {
			w.Errorf("a claim over an old answer: %v %v", found, err)
		}
		if _, err := w.b.Claim(w.Context(), r); !fault.Is(err, fault.Conflict) {
			w.Errorf("a second claim over it: %v", err)
		}
		age()
		if n, err := w.a.Vacuum(w.Context()); n != 1 || err != nil {
			w.Errorf("vacuum: %d %v", n, err)
		}
		if found, err := w.a.Claim(w.Context(), r); found != nil || err != nil {
			w.Errorf("after the vacuum: %v %v", found, err)
		}
	})
}
