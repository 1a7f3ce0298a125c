package record_test

import (
	"context"
	"fmt"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/sqldb/sqltest"
)

type blind struct{}

func (blind) Columns([]backend.Column) error { return nil }
func (blind) Row([]backend.Value) error      { return nil }

// BenchmarkListWithCursor compares a page that tells how to read on with one
// that does not.
func BenchmarkListWithCursor(b *testing.B) {
	for _, store := range sqltest.Dialects() {
		eng, ctx := benchEngine(b, store), context.Background()
		var values []backend.Values
		for i := range 2000 {
			values = append(values, backend.Values{"name": fmt.Sprintf("Customer %d", i)})
		}
		if _, err := eng.Create(ctx, as(0), "res.partner", values); err != nil {
			b.Fatal(err)
		}
		for _, keyset := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/cursor=%v", store, keyset), func(b *testing.B) {
				for b.Loop() {
					q := backend.Query{Model: "res.partner", Fields: []string{"name", "email", "phone", "country_id"}, Limit: 80, Count: true}
					if keyset {
						q.Keyset = &backend.Keyset{}
					}
					if _, err := eng.Search(ctx, as(2), &q, blind{}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
