package webhook_test

import (
	"context"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/webhook"
)

// hand is a clock that is moved by hand.
type hand struct {
	mu  sync.Mutex
	now time.Time
}

// Now implements clock.Clock.
func (h *hand) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// moment reads a moment of the store; zero for none.
func (w *world) moment(sql string) (at time.Time) {
	w.Helper()
	err := w.db.Read(w.Context(), func(q sqldb.Querier) error {
		return q.Query(w.Context(), sql, nil, func(r sqldb.Row) error { at = r.Time(0); return nil })
	})
	if err != nil {
		w.Fatal(err)
	}
	return at
}

// moveTo sets a clock and has the dispatchers look at it.
func (w *world) moveTo(h *hand, at time.Time) {
	w.Helper()
	h.mu.Lock()
	h.now = at
	h.mu.Unlock()
	err := w.db.Write(w.Context(), func(tx sqldb.Tx) error { return tx.Signal(w.Context(), webhook.Channel) })
	if err != nil {
		w.Fatal(err)
	}
}

// storyThreeDays: a job whose endpoint always fails is tried twelve times over
// about three days, each time after the backoff, and not a second earlier; then
// it is dead. The webhook is switched off, with a notice, after three days
// without a success.
func storyThreeDays(w *world) {
	w.far.answering(refuse(500))
	hook, _ := w.hook(nil)
	start := time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC)
	h := &hand{now: start}
	d := webhook.NewDispatcher(w.db, webhook.Options{Guard: guard(), Log: w.log.logger(), Clock: h})
	d.Start(w.Context())
	w.Cleanup(func() { _ = d.Stop(context.Background()) })
	w.create("res.partner", backend.Values{"name": "Acme"})
	for attempt := 1; ; attempt++ {
		w.until("the attempt", func() bool {
			return w.number(`gateway_webhook_job where attempts = $1 and state in ('failed', 'dead')`, attempt) == 1
		})
		if w.state() == webhook.Dead {
			break
		}
		// The clock stands: the next attempt is a whole pause away, give or take a
		// fifth and what the call took.
		next, plain := w.moment(`select next_at from gateway_webhook_job`), webhook.Backoff(attempt)
		if pause := next.Sub(h.Now()); pause < plain*8/10 || pause > plain*12/10+5*time.Second {
			w.Fatalf("attempt %d: the next one after %s, of %s", attempt, pause, plain)
		}
		w.moveTo(h, next.Add(-time.Second))
		until := w.moment(`select circuit_until from gateway_webhook`)
		if until.Before(next) {
			until = next
		}
		if n := len(w.far.calls()); n != attempt {
			w.Fatalf("attempt %d: %d calls", attempt, n)
		}
		w.moveTo(h, until.Add(time.Millisecond))
	}
	if n := w.number(`gateway_webhook_attempt`); n != webhook.MaxAttempts || len(w.far.calls()) != webhook.MaxAttempts {
		w.Errorf("%d attempts, %d calls", n, len(w.far.calls()))
	}
	took := h.Now().Sub(start)
	if took < 60*time.Hour || took > 92*time.Hour {
		w.Errorf("a job was tried for %s", took)
	}
	const off = `gateway_webhook where not active`
	if took < 72*time.Hour { // the jitter was short: the next failure is the one
		if w.number(off) != 0 {
			w.Errorf("switched off after %s", took)
		}
		w.moveTo(h, start.Add(72*time.Hour+time.Second))
		w.create("res.partner", backend.Values{"name": "Acme"})
	}
	w.until("the end of the webhook", func() bool { return w.number(off) == 1 })
	if why := w.get(webhook.Model, hook, "disabled_reason")["disabled_reason"].Text; !strings.Contains(why, "No call has succeeded since 2026-03-14") {
		w.Errorf("disabled because %q", why)
	}
	if w.number(`gateway_audit where model = 'gateway.webhook' and action = 'disable'`) != 1 {
		w.Error("no entry in the audit trail")
	}
	w.until("the notice", func() bool { return strings.Contains(w.log.String(), "a webhook was switched off") })
}
