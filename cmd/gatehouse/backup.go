package main

import (
	"context"
	"os"
	"time"

	"gatehouse/internal/app"
	"gatehouse/internal/config"
)

type backupCommand struct {
	output
	File string `arg:"" optional:"" help:"New file to write, or a folder to write it to. Default: the current folder."`
}

// Run writes the backup and prints where it is.
func (c backupCommand) Run(cfg *config.Config) error {
	path, err := app.Backup(context.Background(), cfg, c.File, time.Now())
	if err != nil {
		return err
	}
	return c.line(os.Stdout, map[string]string{"file": path}, "%s", path)
}
