package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gatehouse/internal/config"
)

// Backup copies the store of cfg into the new file at path and gives where it
// is. A folder, or "" for the current one, gets a file named by the time. It
// opens the store to read only: neither is it brought up to date, nor made.
func Backup(ctx context.Context, cfg *config.Config, path string, now time.Time) (written string, err error) {
	db, err := openStore(ctx, cfg, true)
	if err != nil {
		return "", fmt.Errorf("open the store: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if at, err := os.Stat(path); path == "" || err == nil && at.IsDir() {
		kind := map[string]string{"sqlite": ".db", "postgres": ".dump"}[db.Dialect().Name()]
		path = filepath.Join(path, "gatehouse-"+now.UTC().Format("20060102T150405Z")+kind)
	}
	return path, db.Backup(ctx, path)
}
