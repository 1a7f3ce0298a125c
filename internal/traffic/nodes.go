package traffic

import (
	"context"
	"time"

	"gatehouse/internal/sqldb"
)

// Nodes that share a PostgreSQL tell each other what they have counted since
// they started, in a row each, so that who watches one of them sees all. It is
// the sum since the start: whoever reads late misses nothing.

// sharing is what a node knows of the others.
type sharing struct {
	own, told second
	others    map[string]second
}

const (
	shareTimeout = 500 * time.Millisecond
	interest     = 60 // seconds for which figures are fetched after somebody asked
	silent       = 30 // seconds after which a node is gone
)

// share tells the others what this node did in the last second and gives what
// they did.
func (r *Recorder) share(ctx context.Context, s second) (others second) {
	n := &r.nodes
	n.own.add(s)
	now := r.clock.Now().Unix()
	curious := now-r.live.asked.Load() < interest
	if r.db.Dialect().Name() != "postgres" || n.own == n.told && !curious {
		return second{}
	}
	ctx, cancel := context.WithTimeout(ctx, shareTimeout)
	defer cancel()
	seen := map[string]second{}
	err := r.db.Write(ctx, func(tx sqldb.Tx) error {
		tx.Relaxed()
		clear(seen)
		o := n.own
		_, err := tx.Exec(ctx, `insert into gateway_traffic_live (node, at, requests, errors, server_errors, limited, micros)
			values ($1, $2, $3, $4, $5, $6, $7) on conflict (node) do update set at = excluded.at, requests = excluded.requests,
			errors = excluded.errors, server_errors = excluded.server_errors, limited = excluded.limited, micros = excluded.micros`,
			r.node, now, o.requests, o.errors, o.serverErrors, o.limited, o.micros)
		if err != nil || !curious {
			return err
		}
		return tx.Query(ctx, `select node, requests, errors, server_errors, limited, micros from gateway_traffic_live where node <> $1 and at > $2`,
			[]any{r.node, now - silent}, func(row sqldb.Row) error {
				seen[row.Text(0)] = second{row.Int(1), row.Int(2), row.Int(3), row.Int(4), row.Int(5)}
				return nil
			})
	})
	if err != nil {
		r.log.Debug("the other nodes' figures cannot be read", "error", err)
		return second{}
	}
	n.told = n.own
	for node, total := range seen {
		if before, known := n.others[node]; known {
			others.add(total.minus(before))
		}
	}
	n.others = seen
	return others
}

// minus is what was added since.
func (s second) minus(o second) second {
	return second{
		s.requests - o.requests, s.errors - o.errors, s.serverErrors - o.serverErrors, s.limited - o.limited, s.micros - o.micros,
	}
}
