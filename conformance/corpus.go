package main

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"

	"gatehouse/internal/sqldb"
)

// corpus is a folder of recordings whose database is loaded.
type corpus struct {
	dir   string
	url   string // of the loaded database
	db    sqldb.DB
	users map[string]int64 // ids by login
}

// openCorpus loads the dump of a folder into a PostgreSQL server, unless the
// same dump is there already, and opens it.
func openCorpus(ctx context.Context, dir, server string) (*corpus, error) {
	c := &corpus{dir: dir}
	var err error
	if c.users, err = readUsers(filepath.Join(dir, "users.json")); err != nil {
		return nil, err
	}
	dump := filepath.Join(dir, "database.sql.gz")
	name, err := databaseName(dump)
	if err != nil {
		return nil, err
	}
	if c.url, err = withDatabase(server, name); err != nil {
		return nil, err
	}
	if err := loadDump(ctx, server, name, dump); err != nil {
		return nil, fmt.Errorf("load %s: %w", dump, err)
	}
	c.db, err = sqldb.OpenPostgres(ctx, c.url, sqldb.Options{})
	return c, err
}

// databaseName follows from what is in the dump, so that another dump gets
// another database.
func databaseName(dump string) (string, error) {
	f, err := os.Open(dump)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // only read
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return "gatehouse_corpus_" + hex.EncodeToString(sum.Sum(nil))[:12], nil
}

func withDatabase(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", fmt.Errorf("the address of the PostgreSQL server: %w", err)
	}
	u.Path = "/" + name
	return u.String(), nil
}

// loadDump makes the database under another name first, so that one that was
// left half loaded is never taken for the whole.
func loadDump(ctx context.Context, server, name, dump string) error {
	admin, err := sqldb.OpenPostgres(ctx, server, sqldb.Options{})
	if err != nil {
		return err
	}
	defer admin.Close() //nolint:errcheck // nothing is lost
	there := false
	err = admin.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, "select 1 from pg_database where datname = $1", []any{name}, func(sqldb.Row) error {
			there = true
			return nil
		})
	})
	if err != nil || there {
		return err
	}
	loading := name + "_loading"
	loadingURL, err := withDatabase(server, loading)
	if err != nil {
		return err
	}
	steps := []func() error{
		func() error { return psql(ctx, server, "drop database if exists "+loading, nil) },
		// Odoo's collation: text is in the order of its code points.
		func() error {
			return psql(ctx, server, "create database "+loading+" template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C.UTF-8'", nil)
		},
		func() error { return loadFile(ctx, loadingURL, dump) },
		func() error { return psql(ctx, loadingURL, "analyze", nil) },
		func() error { return psql(ctx, server, "alter database "+loading+" rename to "+name, nil) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func loadFile(ctx context.Context, to, dump string) error {
	f, err := os.Open(dump)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	text, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	return psql(ctx, to, "", text)
}

// psql runs a statement, or what input holds: dumps bring rows between their
// statements in a way that only psql reads.
func psql(ctx context.Context, to, statement string, input io.Reader) error {
	args := []string{"-q", "-X", "-v", "ON_ERROR_STOP=1", "-d", to}
	if statement != "" {
		args = append(args, "-c", statement)
	}
	cmd := exec.CommandContext(ctx, "psql", args...)
	cmd.Stdin = input
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("psql: %w: %s", err, short(string(out)))
	}
	return nil
}
