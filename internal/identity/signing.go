package identity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"gatehouse/internal/audit"
	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// signingKey signs tokens. kid names it in their header; the algorithm is the
// key's own, whatever a header says.
type signingKey struct {
	kid    string
	method jwt.SigningMethod
	secret []byte // as stored: 64 bytes of HS256, the seed or scalar of the others
	sign   any    // what method signs with, and checks with
	verify any
}

// keyRing is the keys of a moment, immutable.
type keyRing struct {
	current *signingKey            // signs
	byKID   map[string]*signingKey // verify: current, and the retired whose tokens may still be alive
}

// signing is this node's copy of the signing keys.
type signing struct {
	ring    atomic.Pointer[keyRing]
	loading sync.Mutex
	loaded  time.Time // by the machine's clock; guarded by loading
}

// createSigningKeys makes the table and the first key, once for all nodes.
func (s *Service) createSigningKeys(ctx context.Context) error {
	err := sqldb.Migrate(ctx, s.db, "identity", []sqldb.Step{{ID: "1 signing keys", Go: func(ctx context.Context, tx sqldb.Tx) error {
		d := tx.Dialect()
		_, err := tx.Exec(ctx, fmt.Sprintf(`create table gateway_signing_key (
			kid %[1]s primary key, secret %[1]s not null, created_at %[2]s not null, retired_at %[2]s)`,
			d.ColumnType(sqldb.Text), d.ColumnType(sqldb.Timestamp)))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `insert into gateway_signing_key (kid, secret, created_at) values ($1, $2, $3)`,
			clock.RandomHex(8), newSigningSecret(HS256), s.clock.Now())
		return err
	}}, {ID: "2 signing algorithms", Go: func(ctx context.Context, tx sqldb.Tx) error {
		_, err := tx.Exec(ctx, fmt.Sprintf(`alter table gateway_signing_key add column alg %s not null default 'HS256'`,
			tx.Dialect().ColumnType(sqldb.Text)))
		if err != nil {
			return err
		}
		return tx.Signal(ctx, signingKeysChanged)
	}}, {ID: "3 used assertions", Go: createAssertions}})
	return storeFault(err, "make the signing keys")
}

// RotateSigningKey makes a new key, with which all nodes sign from now on: of
// the algorithm that this service was told, else of that of the last key.
// Tokens signed with the old one hold until they expire. The audit trail gets
// the names of both keys, never the keys.
func (s *Service) RotateSigningKey(ctx context.Context, who audit.Origin) error {
	return s.replaceSigningKey(ctx, who, func(string) bool { return true })
}

// chooseAlgorithm makes a new key where the current one is of another
// algorithm than this service was told to sign with.
func (s *Service) chooseAlgorithm(ctx context.Context) error {
	if s.algorithm == "" {
		return nil
	}
	if _, known := signingMethods()[s.algorithm]; !known {
		return fmt.Errorf("tokens cannot be signed with %s: use %s, %s or %s", s.algorithm, HS256, EdDSA, ES256)
	}
	if s.signing.ring.Load().current.method.Alg() == s.algorithm {
		return nil
	}
	// Again inside: of several nodes that start together one is enough.
	return s.replaceSigningKey(ctx, audit.Origin{}, func(current string) bool { return current != s.algorithm })
}

// replaceSigningKey retires the current key and makes a new one, if that is due.
func (s *Service) replaceSigningKey(ctx context.Context, who audit.Origin, due func(current string) bool) error {
	err := s.db.Write(ctx, func(tx sqldb.Tx) error {
		now, current, before := s.clock.Now(), HS256, ""
		// Locked first and looked at then: whoever waited must see the new key.
		err := tx.Query(ctx, `select kid from gateway_signing_key order by kid`+tx.Dialect().ForUpdate(), nil,
			func(sqldb.Row) error { return nil })
		if err != nil {
			return err
		}
		err = tx.Query(ctx, `select alg, kid from gateway_signing_key where retired_at is null order by created_at, kid`, nil,
			func(r sqldb.Row) error { current, before = r.Text(0), r.Text(1); return nil })
		if err != nil || !due(current) {
			return err
		}
		_, err = tx.Exec(ctx, `update gateway_signing_key set retired_at = $1 where retired_at is null`, now)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `delete from gateway_signing_key where retired_at < $1`, now.Add(-refreshLife))
		if err != nil {
			return err
		}
		alg, after := cmp.Or(s.algorithm, current), clock.RandomHex(8)
		_, err = tx.Exec(ctx, `insert into gateway_signing_key (kid, secret, created_at, alg) values ($1, $2, $3, $4)`,
			after, newSigningSecret(alg), now, alg)
		if err != nil {
			return err
		}
		if err := tx.Signal(ctx, signingKeysChanged); err != nil {
			return err
		}
		return audit.Write(ctx, tx, who, now, audit.Entry{
			Model: audit.Settings, Name: "signing_key", Action: "rotate_signing_key",
			Before: map[string]any{"kid": before}, After: map[string]any{"kid": after},
		})
	})
	if err != nil {
		return storeFault(err, "rotate the signing key")
	}
	return s.signing.load(ctx, s.db, s.clock.Now())
}

// load reads the keys. Retired ones count until the last token that they may
// have signed has expired.
func (g *signing) load(ctx context.Context, db sqldb.DB, now time.Time) error {
	g.loading.Lock()
	defer g.loading.Unlock()
	return g.loadLocked(ctx, db, now)
}

func (g *signing) loadLocked(ctx context.Context, db sqldb.DB, now time.Time) error {
	ring := &keyRing{byKID: map[string]*signingKey{}}
	err := db.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, `select kid, secret, retired_at, alg from gateway_signing_key
			where retired_at is null or retired_at > $1 order by created_at, kid`, []any{now.Add(-refreshLife)},
			func(r sqldb.Row) error {
				key, err := newSigningKey(r.Text(0), r.Text(3), r.Text(1))
				if err != nil {
					return err
				}
				ring.byKID[key.kid] = key
				if r.Null(2) {
					ring.current = key
				}
				return nil
			})
	})
	if err == nil && ring.current == nil {
		err = errors.New("no signing key")
	}
	if err != nil {
		return storeFault(err, "load the signing keys")
	}
	g.ring.Store(ring)
	g.loaded = time.Now()
	return nil
}

// find gives the key of a kid. For an unknown one the keys are read again,
// because another node may have rotated a moment ago; once a second at most,
// because anybody can invent a kid.
func (g *signing) find(ctx context.Context, db sqldb.DB, kid string, now time.Time) (*signingKey, error) {
	if key := g.ring.Load().byKID[kid]; key != nil {
		return key, nil
	}
	g.loading.Lock()
	defer g.loading.Unlock()
	if time.Since(g.loaded) >= time.Second {
		if err := g.loadLocked(ctx, db, now); err != nil {
			return nil, err
		}
	}
	if key := g.ring.Load().byKID[kid]; key != nil {
		return key, nil
	}
	return nil, invalidToken()
}

func invalidToken() *fault.Error { return fault.New(fault.Unauthenticated, "Invalid token") }
