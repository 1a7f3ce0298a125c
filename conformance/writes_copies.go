package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gatehouse/internal/clock"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// copies gives every scenario a database of its own: a copy of one into which
// the corpus was imported.
type copies struct {
	store  string
	folder string // SQLite: of the files
	server string // PostgreSQL: where databases can be made
	// master and spare name the files or databases; no two runs share them.
	master, spare string
	notes         []string
}

// prepareCopies imports the corpus once.
func prepareCopies(ctx context.Context, env *writesEnv) (c *copies, err error) {
	name := "gatehouse_conformance_" + clock.RandomHex(4)
	c = &copies{store: env.Store, folder: env.Work, server: env.Server, master: name, spare: name + "_copy"}
	defer func() {
		if err != nil {
			c.close(ctx)
		}
	}()
	if c.store == "postgres" {
		if err := c.run(ctx, "create database "+c.master+" template template0 encoding UTF8 lc_collate 'C' lc_ctype 'C.UTF-8'"); err != nil {
			return nil, err
		}
	}
	db, err := c.open(ctx, c.master)
	if err != nil {
		return nil, err
	}
	c.notes, err = importCorpus(ctx, env.Corpus, db, declaredModels())
	if err == nil { // what an engine makes at its first start, no copy has to
		var engine *record.Engine
		if engine, err = openEngine(ctx, db); err == nil {
			engine.Close()
		}
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	return c, nil
}

func (c *copies) run(ctx context.Context, statements ...string) error {
	return psql(ctx, c.server, "", strings.NewReader(strings.Join(statements, ";\n")+";\n"))
}

func (c *copies) file(name string) string { return filepath.Join(c.folder, name+".db") }

func (c *copies) open(ctx context.Context, name string) (sqldb.DB, error) {
	if c.store != "postgres" {
		return sqldb.OpenSQLite(ctx, c.file(name), sqldb.Options{})
	}
	where, err := withDatabase(c.server, name)
	if err != nil {
		return nil, err
	}
	// nothing here has to survive a crash
	return sqldb.OpenPostgres(ctx, where+"?synchronous_commit=off", sqldb.Options{MaxConns: 4})
}

// fresh makes a copy; drop closes and removes it.
func (c *copies) fresh(ctx context.Context) (db sqldb.DB, drop func() error, err error) {
	remove := func() error { return os.Remove(c.file(c.spare)) }
	if c.store == "postgres" {
		remove = func() error { return nil } // the next copy does, or close
		err = c.run(ctx, "drop database if exists "+c.spare+" with (force)", "create database "+c.spare+" template "+c.master)
	} else {
		err = copyFile(c.file(c.master), c.file(c.spare))
	}
	if err != nil {
		return nil, nil, err
	}
	if db, err = c.open(ctx, c.spare); err != nil {
		return nil, nil, err
	}
	return db, func() error { return errors.Join(db.Close(), remove()) }, nil
}

// registry is that of the embedded database, as every copy has it at first.
func (c *copies) registry(ctx context.Context) (*schema.Registry, error) {
	db, drop, err := c.fresh(ctx)
	if err != nil {
		return nil, err
	}
	engine, err := openEngine(ctx, db)
	if err != nil {
		return nil, errors.Join(err, drop())
	}
	reg, err := engine.Registry(ctx)
	engine.Close()
	return reg, errors.Join(err, drop())
}

// close removes what is left of the run, also of one that was interrupted.
func (c *copies) close(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	if c.store != "postgres" {
		_ = os.Remove(c.file(c.master))
		return
	}
	_ = c.run(ctx, "drop database if exists "+c.spare+" with (force)",
		"drop database if exists "+c.master+" with (force)")
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // only read
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
