package webhook_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/webhook"
)

// flood gives a record many changes, the names "1" to "n".
func (w *world) flood(id int64, n int) {
	w.Helper()
	for i := 1; i <= n; i++ {
		w.write("res.partner", id, backend.Values{"name": strconv.Itoa(i)})
	}
}

// names are those that arrived and were accepted, by record.
func (w *world) names(accepted func(n int) bool) map[int64][]int {
	w.Helper()
	out := map[int64][]int{}
	for i, c := range w.far.calls() {
		var b body
		if err := json.Unmarshal(c.body, &b); err != nil {
			w.Fatal(err)
		}
		name, _ := b.Record["name"].(string)
		if n, err := strconv.Atoi(name); err == nil && accepted(i) {
			out[b.id()] = append(out[b.id()], n)
		}
	}
	return out
}

// storyManyOfOneRecord: the changes of a record with hundreds of them arrive in
// order, also after failures in the middle; while it waits for one that failed,
// others go past it, and what comes in addition waits, too.
func storyManyOfOneRecord(w *world) {
	const many = 200
	w.hook(backend.Values{"on_create": false, "fields": []any{"name"}})
	ids := w.create("res.partner", backend.Values{"name": "a"}, backend.Values{"name": "b"})
	w.flood(ids[0], many)
	w.flood(ids[1], 20)
	refused := func(n int) bool { return n%70 == 3 }
	w.far.answering(func(n int, _ *http.Request) (int, http.Header, string) {
		if refused(n) {
			return 500, nil, "not now"
		}
		return 200, nil, ""
	})
	w.dispatch()
	w.dispatch() // another node
	w.until("all jobs", func() bool { return w.number(`gateway_webhook_job where state = 'done'`) == many+20 })
	for id, got := range w.names(func(n int) bool { return !refused(n) }) {
		if !slices.IsSorted(got) || id == ids[0] && len(got) != many {
			w.Errorf("record %d: %v", id, got)
		}
	}
	if n := w.number(`gateway_webhook_job where waits`); n != 0 {
		w.Errorf("%d jobs still wait", n)
	}

	w.far.answering(refuse(500))
	w.clear()
	later := webhook.NewDispatcher(w.db, webhook.Options{Guard: guard(), Backoff: func(int) time.Duration { return time.Hour }})
	w.stopAll()
	w.flood(ids[0], many)
	later.Start(w.Context())
	w.Cleanup(func() { _ = later.Stop(w.Context()) })
	w.until("the failure", func() bool { return w.number(`gateway_webhook_job where state = 'failed'`) == 1 })
	w.far.answering(refuse(200))
	w.write("res.partner", ids[1], backend.Values{"name": "21"})
	w.until("the other record", func() bool { return w.number(`gateway_webhook_job where state = 'done'`) == 1 })
	w.until("those that wait", func() bool { return w.number(`gateway_webhook_job where waits`) == many-1 })
	w.write("res.partner", ids[0], backend.Values{"name": strconv.Itoa(many + 1)})
	w.until("the new one to wait", func() bool { return w.number(`gateway_webhook_job where waits`) == many })
	before := len(w.far.calls())
	w.call(webhook.JobModel, "resend", w.first(`state = 'failed'`), nil)
	w.until("all jobs", func() bool { return w.number(`gateway_webhook_job where state = 'done'`) == many+2 })
	if got := w.names(func(n int) bool { return n >= before })[ids[0]]; len(got) != many+1 || !slices.IsSorted(got) {
		w.Errorf("after the failure: %v", got)
	}
}

// first is the first job of a kind.
func (w *world) first(which string) (id int64) {
	w.Helper()
	err := w.db.Read(w.Context(), func(q sqldb.Querier) error {
		return q.Query(w.Context(), `select min(id) from gateway_webhook_job where `+which, nil, func(r sqldb.Row) error { id = r.Int(0); return nil })
	})
	if err != nil {
		w.Fatal(err)
	}
	return id
}

// storyDeletedByHand: what waits for a job that somebody deletes goes with the
// next sweep.
func storyDeletedByHand(w *world) {
	w.hook(backend.Values{"on_create": false, "fields": []any{"name"}})
	id := w.create("res.partner", backend.Values{"name": "a"})[0]
	w.flood(id, 2)
	w.far.answering(refuse(500))
	d := webhook.NewDispatcher(w.db, webhook.Options{Guard: guard(), Backoff: func(int) time.Duration { return time.Hour }})
	d.Start(w.Context())
	w.Cleanup(func() { _ = d.Stop(w.Context()) })
	w.until("the one that waits", func() bool { return w.number(`gateway_webhook_job where waits`) == 1 })
	w.far.answering(refuse(200))
	w.unlink(webhook.JobModel, w.first(`state = 'failed'`))
	if err := d.RunOnce(w.Context()); err != nil {
		w.Fatal(err)
	}
	w.until("the other one", func() bool { return w.number(`gateway_webhook_job where state = 'done'`) == 1 })
}

// storySharedConcurrency: nodes share the calls at a time that an endpoint gets.
func storySharedConcurrency(w *world) {
	const most = 4
	var mu sync.Mutex
	now, calls, sum := 0, 0, 0
	w.far.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		now++
		if calls++; calls > 50 { // both nodes are there
			sum += now
		}
		mu.Unlock()
		time.Sleep(10 * time.Millisecond)
		mu.Lock()
		now--
		mu.Unlock()
	})
	w.hook(backend.Values{"concurrency": int64(most), "fields": []any{"name"}})
	values := make([]backend.Values, 300)
	for i := range values {
		values[i] = backend.Values{"name": "x"}
	}
	w.create("res.partner", values...)
	w.dispatch()
	w.dispatch()
	w.until("all jobs", func() bool { return w.number(`gateway_webhook_job where state = 'done'`) == 300 })
	mu.Lock()
	defer mu.Unlock()
	if mean := float64(sum) / float64(calls-50); mean > most+1 {
		w.Errorf("%.1f calls at a time", mean)
	}
}
