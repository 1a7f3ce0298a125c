package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// runEmbeddedReads asks the embedded database, filled from the corpus, what was
// asked about the models of the corpus' own. These have every type of field and
// nothing in Odoo's code, so that both stores must answer as Odoo does.
func runEmbeddedReads(ctx context.Context, c *corpus, env *writesEnv) (all []Outcome, err error) {
	theirs, err := readNames(ctx, env.Corpus)
	if err != nil {
		return nil, err
	}
	copies, err := prepareCopies(ctx, env)
	if err != nil {
		return nil, err
	}
	defer copies.close(ctx)
	db, drop, err := copies.fresh(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	engine, err := openEngine(ctx, db)
	if err != nil {
		return nil, err
	}
	defer engine.Close()
	reg, err := engine.Registry(ctx)
	if err != nil {
		return nil, err
	}
	err = c.eachRead(env.Only, func(topic string, rc *readCase) {
		if !strings.HasPrefix(rc.Model, "x_corpus") {
			return
		}
		out := Outcome{Verdict: NotHere}
		if out.Reason = theirs.lacking(reg, &step{Model: rc.Model, Method: rc.Method, Kwargs: rc.Kwargs}); out.Reason == "" {
			out = c.read(ctx, engine, rc)
		}
		out.Topic, out.ID = topic, rc.ID
		all = append(all, out)
	})
	return all, err
}

// eachRead goes through the recorded reads whose id begins with only, topic by
// topic.
func (c *corpus) eachRead(only string, fn func(topic string, rc *readCase)) error {
	files, err := filepath.Glob(filepath.Join(c.dir, "reads", "*.jsonl"))
	if err != nil {
		return err
	}
	for _, file := range files {
		topic := strings.TrimSuffix(filepath.Base(file), ".jsonl")
		err := eachLine(file, func(line []byte) error {
			rc := &readCase{}
			if err := decode(line, rc); err != nil {
				return err
			}
			if strings.HasPrefix(rc.ID, only) {
				fn(topic, rc)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}
