package sqldb

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
)

// Step is one change of a component's tables: SQL (several statements,
// separated by semicolons) or Go. Its ID is recorded once it is done; never
// change a step that was released.
type Step struct {
	ID  string
	SQL string
	Go  func(ctx context.Context, tx Tx) error
}

// Migrate brings the tables of a component up to date: it runs, in order and
// each in its own transaction, the steps that were not done before. Nodes that
// migrate at the same time wait for each other. The first error ends it; what
// was done stays.
func Migrate(ctx context.Context, db DB, component string, steps []Step) error {
	seen := make(map[string]bool, len(steps))
	for _, step := range steps {
		if step.ID == "" || seen[step.ID] || (step.SQL == "") == (step.Go == nil) {
			return fmt.Errorf("migrate %s: step %q: want a unique id, and SQL or Go", component, step.ID)
		}
		seen[step.ID] = true
	}
	done, err := doneSteps(ctx, db, component)
	if err != nil {
		return fmt.Errorf("migrate %s: %w", component, err)
	}
	for _, step := range steps {
		if done[step.ID] {
			continue
		}
		err := db.Write(ctx, func(tx Tx) error { return runStep(ctx, tx, component, step) })
		if err != nil {
			return fmt.Errorf("migrate %s: step %s: %w", component, step.ID, err)
		}
	}
	return nil
}

// doneSteps looks before anybody locks: most starts find nothing to do.
func doneSteps(ctx context.Context, db DB, component string) (map[string]bool, error) {
	done := make(map[string]bool)
	err := db.Read(ctx, func(q Querier) error {
		found, err := TableExists(ctx, q, "gateway_migration")
		if err != nil || !found {
			return err
		}
		const query = "select id from gateway_migration where component = $1"
		return q.Query(ctx, query, []any{component}, func(r Row) error {
			done[r.Text(0)] = true
			return nil
		})
	})
	return done, err
}

// runStep runs a step unless another node has done it meanwhile.
func runStep(ctx context.Context, tx Tx, component string, step Step) error {
	if err := lockComponent(ctx, tx, "gateway_migration"); err != nil {
		return err
	}
	err := Script(ctx, tx, `create table if not exists gateway_migration(
		component text not null, id text not null, at `+tx.Dialect().ColumnType(Timestamp)+` not null,
		primary key (component, id))`)
	if err != nil {
		return err
	}
	errDone := errors.New("done")
	err = tx.Query(ctx, "select 1 from gateway_migration where component = $1 and id = $2",
		[]any{component, step.ID}, func(Row) error { return errDone })
	if errors.Is(err, errDone) {
		return nil
	}
	if err != nil {
		return err
	}
	if step.Go != nil {
		err = step.Go(ctx, tx)
	} else {
		err = Script(ctx, tx, step.SQL)
	}
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "insert into gateway_migration(component, id, at) values ($1, $2, "+
		tx.Dialect().Now()+")", component, step.ID)
	return err
}

// lockComponent lets one node in at a time, until the transaction ends. On
// SQLite every writer is alone.
func lockComponent(ctx context.Context, tx Tx, name string) error {
	if tx.Dialect().Name() != "postgres" {
		return nil
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return tx.Query(ctx, "select pg_advisory_xact_lock(hashtext(current_schema()), $1)",
		[]any{int64(int32(h.Sum32()))}, nil)
}
