package sqldb_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

func TestMigrate(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		ran := 0
		steps := []sqldb.Step{
			{ID: "tables", SQL: `
				-- two tables; and a comment with a semicolon
				create table a (id integer primary key, v varchar default 'x;y');
				/* another */ create table b (id integer);
				insert into a (id) values (1);
				-- the end`},
			{ID: "rows", Go: func(ctx context.Context, tx sqldb.Tx) error {
				ran++
				_, err := tx.Exec(ctx, "insert into b values ($1)", 7)
				return err
			}},
		}
		for range 2 {
			if err := sqldb.Migrate(ctx, db, "test", steps); err != nil {
				t.Fatal(err)
			}
		}
		if got := text(t, db, "select v from a") + text(t, db, "select count(*) from b"); got != "x;y1" || ran != 1 {
			t.Error(got, ran)
		}
		stop := errors.New("stop")
		steps = append(steps,
			sqldb.Step{ID: "fails", Go: func(ctx context.Context, tx sqldb.Tx) error {
				if err := sqldb.Script(ctx, tx, "create table c (id integer); insert into b values (8)"); err != nil {
					return err
				}
				return stop
			}},
			sqldb.Step{ID: "never", SQL: "drop table a"})
		err := sqldb.Migrate(ctx, db, "test", steps)
		if !errors.Is(err, stop) || !strings.Contains(err.Error(), "test: step fails") {
			t.Error(err)
		}
		if got := text(t, db, "select count(*) from b") + text(t, db, "select count(*) from a"); got != "11" {
			t.Error(got)
		}
		if err := sqldb.Migrate(ctx, db, "other", []sqldb.Step{{ID: "rows", SQL: "insert into b values (9)"}}); err != nil {
			t.Error(err)
		}
		if got := strings.Join(texts(t, db, "select component || '/' || id from gateway_migration order by 1"), " "); got != "other/rows test/rows test/tables" {
			t.Error(got)
		}
		for _, bad := range [][]sqldb.Step{
			{{ID: "x"}},
			{{SQL: "select 1"}},
			{{ID: "x", SQL: "select 1"}, {ID: "x", SQL: "select 1"}},
			{{ID: "x", SQL: "select 1", Go: steps[1].Go}},
		} {
			if err := sqldb.Migrate(ctx, db, "bad", bad); err == nil {
				t.Errorf("%+v", bad)
			}
		}
	})
}

func TestMigrateTogether(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, a, b sqldb.DB) {
		steps := []sqldb.Step{
			{ID: "1", SQL: "create table t (id integer)"},
			{ID: "2", SQL: "insert into t values (1)"},
			{ID: "3", SQL: "insert into t values (2)"},
		}
		var group sync.WaitGroup
		for _, db := range []sqldb.DB{a, b, a, b} {
			group.Go(func() {
				if err := sqldb.Migrate(ctx, db, "test", steps); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if got := strings.Join(texts(t, a, "select id from t order by id"), ","); got != "1,2" {
			t.Error(got)
		}
	})
}
