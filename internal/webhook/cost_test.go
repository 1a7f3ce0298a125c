package webhook_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"gatehouse/internal/audit"
	"gatehouse/internal/backend"
	"gatehouse/internal/business"
	"gatehouse/internal/identity"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
	"gatehouse/internal/webhook"
)

// benchEngine is an engine with the first records, with an outbox or without any.
func benchEngine(b *testing.B, db sqldb.DB, outbox bool) *record.Engine {
	b.Helper()
	plainHash := func(s string) (string, error) { return s, nil }
	o := record.Options{
		Models: slices.Concat(business.Models(), identity.Models(), audit.Models(), webhook.Models()),
		Logics: business.Logics(business.Options{HashPassword: plainHash}),
	}
	if outbox {
		box := webhook.NewOutbox(db, nil, nil)
		b.Cleanup(box.Close)
		o.Outbox = box
	}
	eng, err := record.Open(b.Context(), db, o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(eng.Close)
	if err := eng.Sudo(b.Context(), business.Seed); err != nil {
		b.Fatal(err)
	}
	return eng
}

// BenchmarkWithoutWebhooks measures what the outbox costs changes that nobody
// has subscribed to: engines with and without one take turns on one store, a
// few changes each. "outbox/none" is the ratio of the medians of these turns.
func BenchmarkWithoutWebhooks(b *testing.B) {
	const inTurn = 10
	su := &backend.Caller{UserID: 1, Superuser: true, Admin: true}
	for _, dialect := range sqltest.Dialects() {
		for what, change := range map[string]func(ctx context.Context, eng *record.Engine, id int64, text string) error{
			"create": func(ctx context.Context, eng *record.Engine, _ int64, text string) error {
				_, err := eng.Create(ctx, su, "res.partner", []backend.Values{{"name": text, "email": "info@acme.example"}})
				return err
			},
			"write": func(ctx context.Context, eng *record.Engine, id int64, text string) error {
				return eng.Write(ctx, su, "res.partner", []int64{id}, backend.Values{"ref": text})
			},
		} {
			b.Run(dialect+"/"+what, func(b *testing.B) {
				db := sqltest.Open(b, dialect)
				engines := []*record.Engine{benchEngine(b, db, false), benchEngine(b, db, true)}
				made, err := engines[0].Create(b.Context(), su, "res.partner", []backend.Values{{"name": "A"}})
				if err != nil {
					b.Fatal(err)
				}
				var took [2][]time.Duration
				for i := 0; b.Loop(); i++ {
					for n := range engines {
						which := (n + i) % 2 // neither goes first
						start := time.Now()
						for k := range inTurn {
							if err := change(b.Context(), engines[which], made.IDs[0], strconv.Itoa((2*i+n)*inTurn+k)); err != nil {
								b.Fatal(err)
							}
						}
						took[which] = append(took[which], time.Since(start)/inTurn)
					}
				}
				var median [2]float64
				for which := range took {
					slices.Sort(took[which])
					median[which] = float64(took[which][len(took[which])/2].Nanoseconds())
				}
				b.ReportMetric(median[0]/1000, "µs-none")
				b.ReportMetric(median[1]/1000, "µs-outbox")
				b.ReportMetric(median[1]/median[0], "outbox/none")
			})
		}
	}
}

// BenchmarkWrite measures what webhooks cost a write: without any, with one on
// another model, and with one on the model.
func BenchmarkWrite(b *testing.B) {
	for _, dialect := range sqltest.Dialects() {
		for _, model := range []string{"", "res.country", "res.partner"} {
			b.Run(dialect+"/"+model, func(b *testing.B) { benchmarkWrite(b, sqltest.Open(b, dialect), model) })
		}
	}
}

func benchmarkWrite(b *testing.B, db sqldb.DB, model string) {
	b.Helper()
	ctx := context.Background()
	eng := benchEngine(b, db, true)
	su := &backend.Caller{UserID: 1, Superuser: true, Admin: true}
	if model != "" {
		values := backend.Values{"name": "x", "model": model, "url": "https://example.com"}
		if _, err := eng.Create(ctx, su, webhook.Model, []backend.Values{values}); err != nil {
			b.Fatal(err)
		}
	}
	made, err := eng.Create(ctx, su, "res.partner", []backend.Values{{"name": "A"}})
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		if err := eng.Write(ctx, su, "res.partner", made.IDs, backend.Values{"ref": time.Unix(int64(i), 0).Format(schema.DatetimeLayout)}); err != nil {
			b.Fatal(err)
		}
	}
}
