package sqldb_test

import (
	"context"
	"fmt"
	"testing"

	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// benchmarkEach runs a benchmark per dialect over 20,000 partners.
func benchmarkEach(b *testing.B, fn func(b *testing.B, db sqldb.DB)) {
	for _, dialect := range sqltest.Dialects() {
		b.Run(dialect, func(b *testing.B) {
			db := sqltest.Open(b, dialect)
			d := db.Dialect()
			write(b, db, fmt.Sprintf(`create table partner (id %s, name varchar, email varchar, city varchar,
				active %s, credit %s, amount %s, parent_id integer, write_date %s, note text)`,
				d.ColumnType(sqldb.SerialPK), d.ColumnType(sqldb.Bool), d.ColumnType(sqldb.Float8),
				d.ColumnType(sqldb.Numeric), d.ColumnType(sqldb.Timestamp)))
			var rows [][]any
			for i := range 20_000 {
				rows = append(rows, []any{
					fmt.Sprintf("Customer number %d", i), fmt.Sprintf("c%d@example.com", i), "Brussels",
					i%2 == 0, float64(i) / 3, float64(i) / 4, i / 7, "2024-03-01 12:34:56", "a note of some length, as notes are",
				})
			}
			err := db.Write(ctx, func(tx sqldb.Tx) error {
				_, err := tx.Copy(ctx, "partner", []string{
					"name", "email", "city", "active", "credit", "amount", "parent_id", "write_date", "note",
				}, rows)
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			fn(b, db)
		})
	}
}

// request is a context like that of a request: it can be cancelled.
func request(b *testing.B) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	b.Cleanup(cancel)
	return ctx
}

func BenchmarkPoint(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, db sqldb.DB) {
		ctx := request(b)
		var args [1]any
		size := 0
		each := func(r sqldb.Row) error {
			size += len(r.Bytes(1))
			return nil
		}
		id := 0
		read := func(q sqldb.Querier) error {
			id = (id + 7919) % 20_000
			args[0] = id + 1
			return q.Query(ctx, "select id, name, email, city from partner where id = $1", args[:], each)
		}
		for b.Loop() {
			if err := db.Read(ctx, read); err != nil {
				b.Fatal(err)
			}
		}
		if size == 0 {
			b.Error("nothing read")
		}
	})
}

func BenchmarkPointParallel(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, db sqldb.DB) {
		ctx := request(b)
		b.RunParallel(func(pb *testing.PB) {
			id := 0
			for pb.Next() {
				id = (id + 7919) % 20_000
				err := db.Read(ctx, func(q sqldb.Querier) error {
					return q.Query(ctx, "select id, name, email, city from partner where id = $1", []any{id + 1},
						func(r sqldb.Row) error { return nil })
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

func BenchmarkList80(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, db sqldb.DB) {
		ctx := request(b)
		var args [1]any
		size := 0
		each := func(r sqldb.Row) error {
			size += int(r.Int(0)) + len(r.Bytes(1)) + len(r.Bytes(2)) + len(r.Bytes(3)) + int(r.Float(5)+r.Float(6)) +
				int(r.Int(7)) + len(r.Bytes(8)) + len(r.Bytes(9))
			if r.Bool(4) {
				size++
			}
			return nil
		}
		id := 0
		read := func(q sqldb.Querier) error {
			id = (id + 7919) % 19_000
			args[0] = id
			return q.Query(ctx, `select id, name, email, city, active, credit, amount, parent_id, write_date, note
				from partner where id > $1 order by id limit 80`, args[:], each)
		}
		for b.Loop() {
			if err := db.Read(ctx, read); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkInsert(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, db sqldb.DB) {
		ctx := request(b)
		for b.Loop() {
			err := db.Write(ctx, func(tx sqldb.Tx) error {
				_, err := tx.Exec(ctx, "insert into partner (name, email, active) values ($1, $2, $3)", "x", "y", true)
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkInsertLast(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, db sqldb.DB) {
		ctx := request(b)
		for b.Loop() {
			err := db.Write(ctx, func(tx sqldb.Tx) error {
				tx.Last(sqldb.Stmt{
					SQL: "insert into partner (name, email, active) values ($1, $2, $3)", Args: []any{"x", "y", true},
				})
				return tx.Signal(ctx, "partner")
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCopy1000(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, db sqldb.DB) {
		var rows [][]any
		for i := range 1000 {
			rows = append(rows, []any{"Customer", i, float64(i) / 8})
		}
		for b.Loop() {
			err := db.Write(ctx, func(tx sqldb.Tx) error {
				_, err := tx.Copy(ctx, "partner", []string{"name", "parent_id", "amount"}, rows)
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSearch(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, db sqldb.DB) {
		sql := "select count(*) from partner where " + db.Dialect().Like("name", "$1", true)
		for b.Loop() {
			err := db.Read(ctx, func(q sqldb.Querier) error {
				return q.Query(ctx, sql, []any{"%NUMBER 77%"}, func(sqldb.Row) error { return nil })
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/20_000, "ns/row")
	})
}

func BenchmarkVisible(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, db sqldb.DB) {
		for b.Loop() {
			err := db.Snapshot(ctx, func(q sqldb.Querier) error {
				_, err := q.Visible(ctx)
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	for _, dialect := range sqltest.Dialects() {
		b.Run(dialect, func(b *testing.B) {
			for b.Loop() {
				sqltest.Open(b, dialect)
			}
		})
	}
}
