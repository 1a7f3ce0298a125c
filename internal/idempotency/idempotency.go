// Package idempotency keeps the answers of requests that came with a key of
// the caller's, so that a request which is sent again is answered again and not
// done again. An answer is stored in the transaction of the change that it
// tells of: there is no moment at which one is there without the other.
package idempotency

import (
	"context"
	"fmt"
	"sync"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// Lifetime is how long an answer is kept.
const Lifetime = 24 * time.Hour

// Request is what tells requests with a key apart.
type Request struct {
	Owner string // whose key it is: keys of others are other keys
	Key   string
	// Print is the same for the same request only.
	Print [32]byte
}

// Answer is what was answered.
type Answer struct {
	Status   int
	Location string
	Body     []byte
	// Withheld is why the body is not kept; "" where it is.
	Withheld string
}

// Store keeps answers in a database. Safe for concurrent use.
type Store struct {
	db      sqldb.DB
	running func(context.Context) sqldb.Tx

	mu   sync.Mutex
	busy map[[2]string]bool // owner and key of requests that are being done here
}

// Open makes the table where it is missing. running gives the transaction that
// a context carries, or nil.
func Open(ctx context.Context, db sqldb.DB, running func(context.Context) sqldb.Tx) (*Store, error) {
	s := &Store{db: db, running: running, busy: map[[2]string]bool{}}
	err := sqldb.Migrate(ctx, db, "idempotency", []sqldb.Step{{ID: "1 answers", Go: func(ctx context.Context, tx sqldb.Tx) error {
		d := tx.Dialect()
		text, number := d.ColumnType(sqldb.Text), d.ColumnType(sqldb.Int4)
		_, err := tx.Exec(ctx, fmt.Sprintf(`create table gateway_idempotency (owner %s not null, key %s not null,
			print %s not null, status %s not null, location %s not null, body %s, withheld %s not null, create_date %s not null,
			primary key (owner, key))`, text, text, d.ColumnType(sqldb.Bytes), number, text, d.ColumnType(sqldb.Bytes), text,
			d.ColumnType(sqldb.Timestamp)))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `create index gateway_idempotency_create_date on gateway_idempotency (create_date)`)
		return err
	}}})
	return s, err
}

// ErrBusy is the fault for a request of which the first is still being done.
func ErrBusy() error {
	return fault.New(fault.Conflict, "A request with this Idempotency-Key is being worked on: try again when it has been answered")
}

// Begin keeps this process from doing two requests with a key at the same
// time, until end is called; ErrBusy where one is being done.
func (s *Store) Begin(r Request) (end func(), err error) {
	id := [2]string{r.Owner, r.Key}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[id] {
		return nil, ErrBusy()
	}
	s.busy[id] = true
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.busy, id)
	}, nil
}

// Find gives the answer that a request had, nil for a new one. It must run in a
// transaction, and keeps all nodes from doing the request until that ends:
// ErrBusy where one does it. Unprocessable: the key was used for another request.
func (s *Store) Find(ctx context.Context, r Request) (*Answer, error) {
	tx := s.running(ctx)
	if tx == nil {
		return nil, fault.New(fault.Internal, "Find outside of a transaction")
	}
	return find(ctx, tx, r)
}

func find(ctx context.Context, tx sqldb.Tx, r Request) (*Answer, error) {
	alone, err := sqldb.TryLock(ctx, tx, "idempotency\x00"+r.Owner+"\x00"+r.Key)
	if err != nil {
		return nil, storeFault(err)
	}
	if !alone {
		return nil, ErrBusy()
	}
	var found *Answer
	same := false
	d := tx.Dialect()
	err = tx.Query(ctx, `select print, status, location, body, withheld from gateway_idempotency
		where owner = $1 and key = $2 and create_date > `+oldest(d, "$3"), []any{r.Owner, r.Key, -int64(Lifetime / time.Second)},
		func(row sqldb.Row) error {
			same = string(row.Bytes(0)) == string(r.Print[:])
			found = &Answer{Status: int(row.Int(1)), Location: row.Text(2), Body: []byte(row.Text(3)), Withheld: row.Text(4)}
			return nil
		})
	if err != nil {
		return nil, storeFault(err)
	}
	if found != nil && !same {
		return nil, fault.New(fault.Unprocessable,
			"This Idempotency-Key was used for another request: another path, query, body or credential. Use a new key for each request")
	}
	return found, nil
}

// oldest is the moment after which answers are still good.
func oldest(d sqldb.Dialect, seconds string) string {
	return d.After(d.Now(), "cast("+seconds+" as bigint)")
}

// Keep stores an answer: with the changes of the transaction that ctx carries
// or, where there is none, on its own.
func (s *Store) Keep(ctx context.Context, r Request, a Answer) error {
	if tx := s.running(ctx); tx != nil {
		return storeFault(keep(ctx, tx, r, a))
	}
	return storeFault(s.db.Write(ctx, func(tx sqldb.Tx) error { return keep(ctx, tx, r, a) }))
}

func keep(ctx context.Context, tx sqldb.Tx, r Request, a Answer) error {
	_, err := tx.Exec(ctx, `insert into gateway_idempotency (owner, key, print, status, location, body, withheld, create_date)
		values ($1, $2, $3, $4, $5, $6, $7, `+tx.Dialect().Now()+`)
		on conflict (owner, key) do update set print = excluded.print, status = excluded.status, location = excluded.location,
		body = excluded.body, withheld = excluded.withheld, create_date = excluded.create_date
		where gateway_idempotency.status = 0 or gateway_idempotency.create_date <= `+oldest(tx.Dialect(), "$8"),
		r.Owner, r.Key, r.Print[:], int64(a.Status), a.Location, a.Body, a.Withheld, -int64(Lifetime/time.Second))
	return err
}

// Claim is Find for a request whose change is no transaction of this store. Where
// it gives no answer, the request is claimed: until Keep or Release everybody
// else gets a Conflict, also after a crash, as nobody knows then what was done.
func (s *Store) Claim(ctx context.Context, r Request) (found *Answer, err error) {
	err = s.db.Write(ctx, func(tx sqldb.Tx) error {
		if found, err = find(ctx, tx, r); err != nil {
			return err
		}
		switch {
		case found == nil:
			return keep(ctx, tx, r, Answer{})
		case found.Status == 0:
			return fault.New(fault.Conflict, "A request with this Idempotency-Key was begun, and how it ended is not known: "+
				"look whether it was done, and use a new key")
		}
		return nil
	})
	return found, storeFault(err)
}

// Release takes a claim back.
func (s *Store) Release(ctx context.Context, r Request) error {
	return storeFault(s.db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.Exec(ctx, `delete from gateway_idempotency where owner = $1 and key = $2 and status = 0`, r.Owner, r.Key)
		return err
	}))
}

// Vacuum deletes answers that are not good any more and gives their number.
func (s *Store) Vacuum(ctx context.Context) (n int64, err error) {
	err = s.db.Write(ctx, func(tx sqldb.Tx) error {
		n, err = tx.Exec(ctx, `delete from gateway_idempotency where create_date <= `+oldest(tx.Dialect(), "$1"), -int64(Lifetime/time.Second))
		return err
	})
	return n, storeFault(err)
}

func storeFault(err error) error { return fault.Wrap(err, "kept answers") }
