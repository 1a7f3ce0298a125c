package main

import (
	"context"
	"os"

	"gatehouse/internal/app"
	"gatehouse/internal/config"
)

type blockCommand struct {
	List   blockList   `cmd:"" help:"List the blocks in effect."`
	Add    blockAdd    `cmd:"" help:"Block an address or a network."`
	Remove blockRemove `cmd:"" help:"End a block; a running server notices within a second."`
}

type blockList struct {
	output
	All bool `help:"List those that have ended too."`
}

// Run lists the blocks.
func (c blockList) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		who := a.Superuser()
		who.Context.KeepArchived = c.All
		return listRecordsAs(ctx, a, who, c.output, "gateway.block", []string{
			"id", "address", "reason", "violations", "blocked_at", "until", "by", "active", "unblocked_at", "unblocked_by", "note",
		})
	})
}

type blockAdd struct {
	output
	Address string `arg:"" help:"Address or CIDR range, IPv4 or IPv6."`
	For     string `help:"How long, e.g. 2h, 30d; empty: until it is removed."`
	Reason  string `help:"Why, for those who read the list."`
}

// Run blocks the address.
func (c blockAdd) Run(cfg *config.Config) error {
	duration, err := parseDuration("--for", c.For)
	if err != nil {
		return err
	}
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		id, err := a.Block(ctx, c.Address, c.Reason, duration)
		if err != nil {
			return err
		}
		return c.line(os.Stdout, map[string]any{"id": id, "address": c.Address}, "%s is blocked, by block %d", c.Address, id)
	})
}

type blockRemove struct {
	output
	Which string `arg:"" name:"id-or-address" help:"Id of the block, or the address or range that it has in the list."`
	Note  string `help:"Why, for those who read the list."`
}

// Run ends the block.
func (c blockRemove) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		id, err := a.Unblock(ctx, c.Which, c.Note)
		if err != nil {
			return err
		}
		return c.line(os.Stdout, map[string]any{"id": id, "unblocked": true}, "block %d has ended", id)
	})
}
