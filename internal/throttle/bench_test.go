package throttle

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// BenchmarkTake measures decisions against three windows. "round trips" is
// what to compare with on the same machine: an empty query.
func BenchmarkTake(b *testing.B) {
	limits := Windows(MaxLimit, MaxLimit, MaxLimit)
	for _, dialect := range sqltest.Dialects() {
		db := durable(b, dialect)
		if err := schema.Sync(b.Context(), db, Models()); err != nil {
			b.Fatal(err)
		}
		l := New(db, Options{})
		b.Cleanup(l.Close)
		b.Run(dialect+"/round trips", func(b *testing.B) {
			for b.Loop() {
				err := db.Read(b.Context(), func(q sqldb.Querier) error {
					return q.Query(b.Context(), "select 1", nil, func(sqldb.Row) error { return nil })
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(dialect+"/one caller", func(b *testing.B) { takes(b, l, 1, 1, limits) })
		b.Run(dialect+"/64 callers, one key", func(b *testing.B) { takes(b, l, 64, 1, limits) })
		b.Run(dialect+"/64 callers, 64 keys", func(b *testing.B) { takes(b, l, 64, 64, limits) })
		b.Run(dialect+"/refused", func(b *testing.B) {
			none := []Window{long(1)}
			if _, err := l.Take(b.Context(), "key:none", none); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.Take(b.Context(), "key:none", none); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// takes has so many callers take turns with so many keys.
func takes(b *testing.B, l *Limiter, callers, keys int, limits []Window) {
	b.ReportAllocs()
	done := make(chan error, callers)
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	for c := range callers {
		subject := fmt.Sprint("key:", c%keys)
		go func() {
			for left.Add(-1) >= 0 {
				if _, err := l.Take(context.Background(), subject, limits); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range callers {
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
}

// durable opens a database as the server does: commits wait for the disk,
// which tests do without otherwise.
func durable(b *testing.B, dialect string) sqldb.DB {
	if dialect == "sqlite" {
		return sqltest.Open(b, dialect)
	}
	_, where := sqltest.Postgres(b)
	db, err := sqldb.OpenPostgres(b.Context(), strings.Replace(where, "synchronous_commit=off", "synchronous_commit=on", 1), sqldb.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	return db
}
