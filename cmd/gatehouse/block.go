package main

import (
	"context"
	"os"
	"time"

	"gatehouse/internal/app"
	"gatehouse/internal/backend"
	"gatehouse/internal/config"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/throttle"
)

// blockModel is the addresses that are shut out.
const blockModel = "gateway.block"

type blockCommand struct {
	List   blockList   `cmd:"" help:"List the blocked addresses."`
	Add    blockAdd    `cmd:"" help:"Block an address or a network."`
	Remove blockRemove `cmd:"" help:"End the block of an address or a network."`
}

type blockList struct {
	output
	All bool `help:"Blocks that have ended, too."`
}

// Run lists the blocks.
func (c blockList) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		var which domain.Node = &domain.Leaf{Path: "active", Op: domain.OpEq, Value: true, Pos: -1}
		if c.All {
			which = nil
		}
		return listWhere(ctx, a, c.output, blockModel, which, []string{
			"id", "address", "reason", "violations", "by", "blocked_at", "until", "active", "unblocked_at", "unblocked_by", "note",
		})
	})
}

type blockAdd struct {
	output
	Address string `arg:"" help:"Address or CIDR range."`
	For     string `help:"How long, e.g. 12h, 30d; empty: until it is ended by hand."`
	Reason  string `help:"Why."`
}

// Run blocks an address.
func (c blockAdd) Run(cfg *config.Config) error {
	ttl, err := parseTTL("for", c.For)
	if err != nil {
		return err
	}
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		values := backend.Values{"address": c.Address, "reason": c.Reason}
		if ttl > 0 {
			values["until"] = time.Now().UTC().Add(ttl).Format(time.DateTime)
		}
		made, err := a.Engine.Create(ctx, a.Superuser(), blockModel, []backend.Values{values})
		if err != nil {
			return err
		}
		return c.line(os.Stdout, map[string]any{"id": made.IDs[0], "address": c.Address}, "%s is blocked", c.Address)
	})
}

type blockRemove struct {
	output
	Address string `arg:"" help:"Address or CIDR range, as block list shows it."`
}

// Run ends the block of an address.
func (c blockRemove) Run(cfg *config.Config) error {
	network, err := throttle.ParseNetwork(c.Address)
	if err != nil {
		return config.Usagef("%s", fault.From(err).Message)
	}
	address := throttle.NetworkText(network)
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		page := &backend.Page{}
		query := &backend.Query{Model: blockModel, Fields: []string{"id"}, Domain: domain.Conj(
			&domain.Leaf{Path: "active", Op: domain.OpEq, Value: true, Pos: -1},
			&domain.Leaf{Path: "address", Op: domain.OpEq, Value: address, Pos: -1},
		)}
		if _, err := a.Engine.Search(ctx, a.Superuser(), query, page); err != nil {
			return err
		}
		if len(page.Rows) == 0 {
			return fault.Newf(fault.NotFound, "%s is not blocked", address)
		}
		if _, err := a.Engine.Call(ctx, a.Superuser(), blockModel, "unblock", page.IDs(), nil); err != nil {
			return err
		}
		return c.line(os.Stdout, map[string]any{"address": address, "unblocked": true}, "%s is no longer blocked", address)
	})
}
