package main

import (
	"context"
	"errors"
	"os"

	"gatehouse/internal/app"
	"gatehouse/internal/config"
)

type doctorCommand struct{ output }

// Run prints what was checked; anything broken makes the exit code 1.
func (c doctorCommand) Run(cfg *config.Config) error {
	checks := app.Doctor(context.Background(), cfg, logger(cfg), version)
	rows := make([][]any, len(checks))
	broken := false
	for i, check := range checks {
		rows[i] = []any{check.Name, string(check.State), check.Detail}
		broken = broken || check.State == app.Broken
	}
	if err := c.table(os.Stdout, []string{"check", "state", "detail"}, rows); err != nil {
		return err
	}
	if broken {
		return errors.New("something is broken; see above")
	}
	return nil
}
