package identity

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/audit"
	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// signingKey signs tokens (HMAC with SHA-256). kid names it in their header.
type signingKey struct {
	kid    string
	secret []byte // 64 bytes
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
		return s.addSigningKey(ctx, tx)
	}}})
	return storeFault(err, "make the signing keys")
}

func (s *Service) addSigningKey(ctx context.Context, tx sqldb.Tx) error {
	secret := make([]byte, 64)
	_, _ = rand.Read(secret) // never fails since Go 1.24: it aborts the program instead
	_, err := tx.Exec(ctx, `insert into gateway_signing_key (kid, secret, created_at) values ($1, $2, $3)`,
		clock.RandomHex(8), base64.RawURLEncoding.EncodeToString(secret), s.clock.Now())
	if err != nil {
		return err
	}
	return tx.Signal(ctx, signingKeysChanged)
}

// RotateSigningKey makes a new key, with which all nodes sign from now on.
// Tokens signed with the old one hold until they expire. The audit trail gets
// the names of both keys, never the keys.
func (s *Service) RotateSigningKey(ctx context.Context, who audit.Origin) error {
	err := s.db.Write(ctx, func(tx sqldb.Tx) error {
		now := s.clock.Now()
		before, err := currentKID(ctx, tx)
		if err != nil {
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
		if err := s.addSigningKey(ctx, tx); err != nil {
			return err
		}
		after, err := currentKID(ctx, tx)
		if err != nil {
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

func currentKID(ctx context.Context, tx sqldb.Tx) (kid string, err error) {
	err = tx.Query(ctx, `select kid from gateway_signing_key where retired_at is null`, nil, func(r sqldb.Row) error {
		kid = r.Text(0)
		return nil
	})
	return kid, err
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
		return q.Query(ctx, `select kid, secret, retired_at from gateway_signing_key
			where retired_at is null or retired_at > $1 order by created_at, kid`, []any{now.Add(-refreshLife)},
			func(r sqldb.Row) error {
				secret, err := base64.RawURLEncoding.DecodeString(r.Text(1))
				if err != nil || len(secret) < 32 { // RFC 7518 section 3.2
					return fmt.Errorf("signing key %s is damaged", r.Text(0))
				}
				key := &signingKey{kid: r.Text(0), secret: secret}
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
