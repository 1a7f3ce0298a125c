package identity

import (
	"context"
	"sync"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// revocations is this node's set of the token families that were revoked while
// access tokens of theirs, a client's token or a session are still alive.
type revocations struct {
	mu    sync.RWMutex
	until map[string]time.Time // by family: when its last token that identifies expires

	loading sync.Mutex
	loaded  time.Time // up to where the store was read; guarded by loading
}

// recheck is how far back each load reads again: clocks differ between nodes,
// and a transaction may commit some time after the moment that it wrote.
const recheck = 10 * time.Minute

func (v *revocations) has(family string) bool {
	v.mu.RLock()
	_, ok := v.until[family]
	v.mu.RUnlock()
	return ok
}

func (v *revocations) add(family string, until time.Time) {
	v.mu.Lock()
	if v.until == nil {
		v.until = map[string]time.Time{}
	}
	v.until[family] = until
	v.mu.Unlock()
}

// load adds what was revoked since the last load, and forgets what has expired.
func (v *revocations) load(ctx context.Context, db sqldb.DB, now time.Time) error {
	v.loading.Lock()
	defer v.loading.Unlock()
	since := v.loaded.Add(-recheck)
	if v.loaded.IsZero() {
		since = now.Add(-maxLife - recheck)
	}
	err := db.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, `select family, max(expires_at) from gateway_token
			where revoked_at >= $1 and kind in ('access', 'client', 'session', 'web') and expires_at > $2 group by family`, []any{since, now},
			func(r sqldb.Row) error { v.add(r.Text(0), r.Time(1)); return nil })
	})
	if err != nil {
		return storeFault(err, "load revoked tokens")
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for family, until := range v.until {
		if !until.After(now.Add(-recheck)) {
			delete(v.until, family)
		}
	}
	v.loaded = now
	return nil
}

// revokeFamily revokes all tokens that came of one login. On this node they are
// refused as soon as tx has committed, on others within a second.
func (s *Service) revokeFamily(ctx context.Context, tx sqldb.Tx, family string) error {
	if err := lockFamily(ctx, tx, family); err != nil {
		return err
	}
	now := s.clock.Now()
	_, err := tx.Exec(ctx, `update gateway_token set revoked_at = $1 where family = $2 and revoked_at is null`, now, family)
	if err != nil {
		return err
	}
	until := now.Add(accessLife)
	err = tx.Query(ctx, `select max(expires_at) from gateway_token where family = $1 and kind in ('client', 'session', 'web')`, []any{family},
		func(r sqldb.Row) error {
			if !r.Null(0) { // its lifetime is the client's, or a session's
				until = r.Time(0)
			}
			return nil
		})
	if err != nil {
		return err
	}
	tx.OnCommit(func() { s.revoked.add(family, until) })
	return tx.Signal(ctx, tokensChanged)
}

// lockFamily makes the changes of a family follow one another: a refresh must
// not add tokens while a revocation looks for all there are.
func lockFamily(ctx context.Context, tx sqldb.Tx, family string) error {
	return tx.Query(ctx, `select id from gateway_token where family = $1 order by id limit 1`+tx.Dialect().ForUpdate(),
		[]any{family}, func(sqldb.Row) error { return nil })
}

// RevokeToken revokes the token of a row of gateway_token and all others that
// came of the same login: who holds one of them could get new ones with it.
// NotFound when there is no such row.
func (s *Service) RevokeToken(ctx context.Context, id int64) error {
	err := s.db.Write(ctx, func(tx sqldb.Tx) error { return s.RevokeTokenTx(ctx, tx, id) })
	return storeFault(err, "revoke a token")
}

// RevokeTokenTx is RevokeToken inside a running transaction.
func (s *Service) RevokeTokenTx(ctx context.Context, tx sqldb.Tx, id int64) error {
	family := ""
	err := tx.Query(ctx, `select family from gateway_token where id = $1`, []any{id},
		func(r sqldb.Row) error { family = r.Text(0); return nil })
	if err != nil {
		return storeFault(err, "find a token")
	}
	if family == "" {
		return fault.Newf(fault.NotFound, "Token %d does not exist", id)
	}
	return storeFault(s.revokeFamily(ctx, tx, family), "revoke a token")
}

// VacuumTokens deletes, in batches, the records of tokens (and the ids of
// assertions) that expired more than seven days ago, and gives the number of tokens.
func (s *Service) VacuumTokens(ctx context.Context) (int64, error) {
	const batch = 1000
	before := s.clock.Now().Add(-7 * 24 * time.Hour)
	var total int64
	for {
		var n int64
		err := s.db.Write(ctx, func(tx sqldb.Tx) (err error) {
			n, err = tx.Exec(ctx, `delete from gateway_token where id in (
				select id from gateway_token where expires_at < $1 order by expires_at limit $2)`, before, batch)
			if err == nil {
				_, err = tx.Exec(ctx, `delete from gateway_assertion where expires_at < $1`, before)
			}
			return err
		})
		total += n
		if err != nil || n < batch {
			return total, storeFault(err, "delete old tokens")
		}
	}
}
