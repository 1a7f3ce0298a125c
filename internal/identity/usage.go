package identity

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"gatehouse/internal/sqldb"
)

// usage is the use of keys that is not written yet.
type usage struct {
	mu   sync.Mutex
	keys map[int64]use
}

// use is how often a key was used, and when and from where last.
type use struct {
	count int64
	at    time.Time
	ip    netip.Addr
}

func (u use) plus(o use) use {
	if o.at.After(u.at) {
		u.at, u.ip = o.at, o.ip
	}
	u.count += o.count
	return u
}

// UsedFrom notes that a key was used. It costs next to nothing: what is noted
// is written every few seconds. Other credentials are left alone.
func (s *Service) UsedFrom(p *Principal, ip netip.Addr, at time.Time) {
	if p.Kind == APIKey {
		s.usage.add(p.CredentialID, use{1, at, ip})
	}
}

func (u *usage) add(key int64, more use) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.keys == nil {
		u.keys = map[int64]use{}
	}
	u.keys[key] = u.keys[key].plus(more)
}

// flushUsage writes what was noted, in one transaction. What could not be
// written is noted again.
func (s *Service) flushUsage(ctx context.Context) error {
	s.usage.mu.Lock()
	noted := s.usage.keys
	s.usage.keys = nil
	s.usage.mu.Unlock()
	if len(noted) == 0 {
		return nil
	}
	err := s.db.Write(ctx, func(tx sqldb.Tx) error {
		for _, id := range slices.Sorted(maps.Keys(noted)) { // one order on all nodes: no deadlock
			u := noted[id]
			_, err := tx.Exec(ctx, `update gateway_key set use_count = coalesce(use_count, 0) + $1,
					last_used_ip = case when last_used_at > $2 then last_used_ip else $3 end,
					last_used_at = case when last_used_at > $2 then last_used_at else $2 end
				where id = $4`, u.count, u.at.UTC(), address(u.ip), id)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		for id, u := range noted {
			s.usage.add(id, u)
		}
		return storeFault(err, "write the use of API keys")
	}
	return nil
}
