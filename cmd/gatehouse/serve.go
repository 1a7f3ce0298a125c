package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"gatehouse/internal/app"
	"gatehouse/internal/config"
)

type serveCommand struct{}

// Run serves until SIGTERM or SIGINT, then drains; until a second one.
func (serveCommand) Run(cfg *config.Config) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	a, err := app.Open(ctx, cfg, logger(cfg), version)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close(context.Background())) }()
	return a.Serve(ctx, func(addr net.Addr) {
		if err := a.Greet(ctx, os.Stdout, addr); err != nil {
			fmt.Fprintln(os.Stderr, "gatehouse:", message(err))
		}
	})
}

type versionCommand struct{ output }

// Run prints the version.
func (c versionCommand) Run() error {
	return c.line(os.Stdout, map[string]string{"version": version}, "gatehouse %s", version)
}
