package app

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/config"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/throttle"
)

// neverBlocked are the addresses that no block takes effect on: those that the
// operator names, and the proxies through which everybody comes.
func neverBlocked(cfg *config.Config) []netip.Prefix {
	return slices.Concat(cfg.Server.NeverBlock, cfg.Server.TrustedProxies)
}

func (a *App) openBlocks(ctx context.Context) (*throttle.Blocks, error) {
	return throttle.OpenBlocks(ctx, a.DB, throttle.BlockOptions{
		Never: neverBlocked(a.Config), Log: a.Log,
		Rule: func() throttle.BlockRule {
			s := a.Settings.Current()
			return throttle.BlockRule{
				Violations: s.AutoblockViolations,
				Window:     time.Duration(s.AutoblockWindowMinutes) * time.Minute,
				Duration:   time.Duration(s.AutoblockMinutes) * time.Minute,
			}
		},
	})
}

// Block blocks an address or a network, for good if no duration is given.
func (a *App) Block(ctx context.Context, address, reason string, duration time.Duration) (id int64, err error) {
	values := backend.Values{"address": address, "reason": reason}
	if duration > 0 {
		values["until"] = time.Now().UTC().Add(duration).Format(time.DateTime)
	}
	created, err := a.Engine.Create(ctx, a.Superuser(), "gateway.block", []backend.Values{values})
	if err != nil {
		return 0, err
	}
	return created.IDs[0], nil
}

// Unblock ends the block with that id, or the one in effect of just that
// address or network, and gives its id.
func (a *App) Unblock(ctx context.Context, which, note string) (id int64, err error) {
	if id, err = strconv.ParseInt(which, 10, 64); err != nil {
		if id, err = a.activeBlock(ctx, which); err != nil {
			return 0, err
		}
	}
	_, err = a.Engine.Call(ctx, a.Superuser(), "gateway.block", "unblock", []int64{id}, backend.Values{"note": note})
	return id, err
}

func (a *App) activeBlock(ctx context.Context, address string) (id int64, err error) {
	network, err := throttle.ParseNetwork(address)
	if err != nil {
		return 0, err
	}
	err = a.DB.Read(ctx, func(q sqldb.Querier) error {
		id, err = throttle.ActiveBlock(ctx, q, throttle.NetworkText(network), time.Now().UTC())
		return err
	})
	if err == nil && id == 0 {
		err = fault.Newf(fault.NotFound, "There is no block of just %s; block list shows those there are", throttle.NetworkText(network))
	}
	return id, err
}
