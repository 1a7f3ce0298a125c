package traffic

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/setting"
	"gatehouse/internal/sqldb"
)

// testNow is in the middle of a day.
var testNow = time.Date(2026, 3, 15, 14, 30, 0, 0, time.UTC)

// emptyHouse has no webhooks, tokens, names.
type emptyHouse struct{}

func (emptyHouse) Counts(context.Context, sqldb.Querier) (Counts, error) {
	return Counts{Webhooks: WebhookQueue{Pending: 1, Dead: 2, Failed: 3, Delivered: 4}, TokensActive: 5, ThrottlesActive: 6, BlockedIP: 7}, nil
}

func (emptyHouse) Names(_ context.Context, _ sqldb.Querier, callers []string) (map[string]string, error) {
	names := map[string]string{}
	for _, c := range callers {
		names[c] = "the " + c
	}
	return names, nil
}

// node is a Recorder on a store, at testNow and at a level.
func node(t testing.TB, db sqldb.DB, level setting.LogLevel) *Recorder {
	t.Helper()
	if err := Prepare(context.Background(), db); err != nil {
		t.Fatal(err)
	}
	settings := &setting.Settings{LogLevel: level}
	return New(db, Options{
		Settings: func() *setting.Settings { return settings }, House: emptyHouse{}, Clock: clock.Fixed(testNow),
	})
}

// invented is a random request of the last hours.
func invented(r *rand.Rand) *Event {
	statuses := []int{200, 200, 200, 200, 201, 204, 304, 400, 401, 404, 422, 429, 500, 503}
	models := []string{"res.partner", "sale.order", "product.template"}
	e := &Event{
		Time: testNow.Add(-time.Duration(r.Int64N(int64(20 * time.Hour)))), RequestID: "x", Method: []string{"GET", "POST", "DELETE"}[r.IntN(3)],
		Path: "/api/v1/x", Route: "/api/v1/{model}", Model: models[r.IntN(3)], Status: statuses[r.IntN(len(statuses))],
		Latency: time.Duration(r.ExpFloat64() * float64(20*time.Millisecond)), BytesOut: r.Int64N(5000),
		IP: netip.AddrFrom4([4]byte{192, 0, 2, byte(r.IntN(30))}), UserAgent: "test",
	}
	if r.IntN(4) > 0 {
		e.UserID, e.Login, e.Credential = 2, "admin", []string{"jwt", "api_key", "oauth2", "user_key"}[r.IntN(4)]
		e.CredentialID = 1 + r.Int64N(3)
	}
	return e
}

func flush(t testing.TB, r *Recorder) {
	t.Helper()
	if err := r.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func ask(t testing.TB, r *Recorder, q Question) *Report {
	t.Helper()
	report, err := r.Report(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	return report
}
