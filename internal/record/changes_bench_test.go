package record_test

import (
	"context"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/business"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb/sqltest"
)

// BenchmarkCreate is what a change costs, its entry in the log included.
func BenchmarkCreate(b *testing.B) {
	for _, store := range sqltest.Dialects() {
		eng, ctx := benchEngine(b, store), context.Background()
		b.Run(store, func(b *testing.B) {
			for b.Loop() {
				if _, err := eng.Create(ctx, as(2), "res.partner", []backend.Values{{"name": "x"}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// benchEngine is an engine of the built-in models with their first records.
func benchEngine(b *testing.B, store string) *record.Engine {
	b.Helper()
	eng, err := record.Open(context.Background(), sqltest.Open(b, store), record.Options{
		Models: business.Models(), Logics: business.Logics(business.Options{HashPassword: func(s string) (string, error) { return s, nil }}),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(eng.Close)
	if err := eng.Sudo(context.Background(), business.Seed); err != nil {
		b.Fatal(err)
	}
	return eng
}
