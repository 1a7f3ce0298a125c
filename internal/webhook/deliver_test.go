package webhook_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/webhook"
)

// state is that of the newest job.
func (w *world) state() string {
	w.Helper()
	s := ""
	err := w.db.Read(w.Context(), func(q sqldb.Querier) error {
		return q.Query(w.Context(), `select state from gateway_webhook_job order by id desc limit 1`, nil, func(r sqldb.Row) error {
			s = r.Text(0)
			return nil
		})
	})
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// number counts rows.
func (w *world) number(what string, args ...any) (n int64) {
	w.Helper()
	err := w.db.Read(w.Context(), func(q sqldb.Querier) error {
		return q.Query(w.Context(), `select count(*) from `+what, args, func(r sqldb.Row) error { n = r.Int(0); return nil })
	})
	if err != nil {
		w.Fatal(err)
	}
	return n
}

func refuse(status int) func(int, *http.Request) (int, http.Header, string) {
	return func(int, *http.Request) (int, http.Header, string) { return status, nil, "no" }
}

// storyDelivery: a change arrives within a second, signed, with the headers of
// the webhook; the attempt is kept.
func storyDelivery(w *world) {
	w.far.answering(func(_ int, r *http.Request) (int, http.Header, string) {
		return 202, nil, "thanks, " + r.Header.Get("X-Token") + "\xff" + strings.Repeat("x", 5000)
	})
	_, secret := w.hook(backend.Values{"headers": map[string]any{"X-Token": "tok-12345"}})
	w.dispatch()
	start := time.Now()
	id := w.create("res.partner", backend.Values{"name": "Acme"})[0]
	got := w.next()
	if took := got.at.Sub(start); took > time.Second {
		w.Errorf("it took %s", took)
	}
	if !verified(secret, got) || got.header.Get("X-Token") != "tok-12345" || got.header.Get("User-Agent") != "Gatehouse/test" ||
		got.header.Get("Content-Type") != "application/json; charset=utf-8" {
		w.Errorf("headers %v", got.header)
	}
	sent := w.jobs()[0]
	if string(got.body) != sent.raw || got.header.Get("Webhook-Id") != sent.EventID || sent.id() != id {
		w.Errorf("body %s, kept %s", got.body, sent.raw)
	}
	w.until("the job's end", func() bool { return w.state() == webhook.Done })
	page := &backend.Page{}
	fields := []string{"status", "response", "error", "duration_ms", "job_id"}
	if _, err := w.eng.Search(w.Context(), w.admin, &backend.Query{Model: webhook.AttemptModel, Fields: fields}, page); err != nil {
		w.Fatal(err)
	}
	text := page.Get(0, "response").Text
	if len(page.Rows) != 1 || page.Get(0, "status").Int != 202 || !strings.HasPrefix(text, "thanks, ***\uFFFDxx") || len(text) > 1100 {
		w.Errorf("attempt %+v", page.Rows)
	}
}

// storyRotation: after a rotation both secrets verify; the answer shows the new
// one, and nothing shows either again.
func storyRotation(w *world) {
	hook, old := w.hook(nil)
	answer, _ := w.call(webhook.Model, "rotate_secret", hook, nil).(map[string]any)
	secret, _ := answer["secret"].(string)
	if secret == old || !strings.HasPrefix(secret, "whsec_") {
		w.Fatalf("rotated to %v", answer)
	}
	w.dispatch()
	w.create("res.partner", backend.Values{"name": "Acme"})
	if got := w.next(); !verified(old, got) || !verified(secret, got) {
		w.Errorf("signatures %s", got.header.Get("Webhook-Signature"))
	}
	err := w.db.Write(w.Context(), func(tx sqldb.Tx) error { // a day later
		_, err := tx.Exec(w.Context(), `update gateway_webhook set previous_until = $1`, time.Now().UTC().Add(-time.Second))
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	w.create("res.partner", backend.Values{"name": "Acme"})
	if got := w.next(); verified(old, got) || !verified(secret, got) {
		w.Errorf("signatures after the overlap %s", got.header.Get("Webhook-Signature"))
	}
	if w.number(`gateway_audit where cast(before as text) like $1 or cast(after as text) like $1`, "%"+strings.TrimPrefix(secret, "whsec_")+"%") != 0 {
		w.Error("the audit trail holds the secret")
	}
	for _, name := range []string{"secret", "previous_secret"} {
		q := &backend.Query{Model: webhook.Model, Fields: []string{name}}
		if _, err := w.eng.Search(w.Context(), w.admin, q, &backend.Page{}); err == nil {
			w.Errorf("%s can be read", name)
		}
	}
}

// storyOrder: of one record a later event waits for the earlier one; those of
// others do not.
func storyOrder(w *world) {
	w.hook(backend.Values{"fields": []any{"name"}})
	ids := w.create("res.partner", backend.Values{"name": "a0"}, backend.Values{"name": "b0"})
	for i := 1; i <= 5; i++ {
		w.write("res.partner", ids[0], backend.Values{"name": "a" + strconv.Itoa(i)})
	}
	w.write("res.partner", ids[1], backend.Values{"name": "b1"})
	w.far.answering(func(n int, _ *http.Request) (int, http.Header, string) {
		if n%3 == 1 {
			return 500, nil, "not now"
		}
		return 200, nil, ""
	})
	w.dispatch()
	w.until("all jobs", func() bool { return w.number(`gateway_webhook_job where state = 'done'`) == 8 })
	seen := map[byte][]string{}
	for _, c := range w.far.calls() {
		_, after, _ := strings.Cut(string(c.body), `"name":"`)
		seen[after[0]] = append(seen[after[0]], after[:2])
	}
	if !slices.IsSorted(seen['a']) || !slices.IsSorted(seen['b']) {
		w.Errorf("arrived as %v", seen)
	}
}

// storyDeadEndpointDelaysNobody: one endpoint hangs; another's calls arrive at once.
func storyDeadEndpointDelaysNobody(w *world) {
	block := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-block:
		case <-r.Context().Done():
		}
	}))
	w.Cleanup(hanging.Close)
	w.Cleanup(func() { close(block) })
	w.hook(backend.Values{"url": hanging.URL})
	w.hook(nil)
	w.dispatch()
	for range 20 {
		start := time.Now()
		w.create("res.partner", backend.Values{"name": "Acme"})
		if took := w.next().at.Sub(start); took > time.Second {
			w.Errorf("it took %s", took)
		}
	}
}

// storyCircuit: after failures in a row an endpoint is left alone, with
// everything that waits for it, until a trial succeeds.
func storyCircuit(w *world) {
	w.far.answering(refuse(500))
	hook, _ := w.hook(nil)
	w.dispatch()
	for range 30 {
		w.create("res.partner", backend.Values{"name": "Acme"})
	}
	w.until("the open circuit", func() bool { return w.get(webhook.Model, hook, "circuit")["circuit"].Text == "open" })
	w.until("quiet", func() bool { return w.number(`gateway_webhook_job where state = 'processing'`) == 0 })
	if n := len(w.far.calls()); n < 10 || n > 10+webhook.DefaultConcurrency {
		w.Errorf("%d calls until the circuit opened", n)
	}
	w.far.answering(refuse(200))
	err := w.db.Write(w.Context(), func(tx sqldb.Tx) error { // the time of the trial has come
		if _, err := tx.Exec(w.Context(), `update gateway_webhook set circuit_until = $1`, time.Now().UTC()); err != nil {
			return err
		}
		return tx.Signal(w.Context(), webhook.Channel)
	})
	if err != nil {
		w.Fatal(err)
	}
	w.until("all jobs", func() bool { return w.number(`gateway_webhook_job where state = 'done'`) == 30 })
	if got := w.get(webhook.Model, hook, "circuit", "failure_count"); got["circuit"].Text != "closed" || got["failure_count"].Int != 0 {
		w.Errorf("webhook %+v", got)
	}
}

// storyGone: 410 switches the webhook off, with a reason, a log line and an
// entry in the audit trail; switching it on again sends what waited.
func storyGone(w *world) {
	w.far.answering(refuse(410))
	hook, _ := w.hook(backend.Values{"concurrency": 1})
	w.create("res.partner", backend.Values{"name": "A"}, backend.Values{"name": "B"})
	w.dispatch()
	w.until("the end of the webhook", func() bool { return w.get(webhook.Model, hook, "active")["active"].Int == 0 })
	if why := w.get(webhook.Model, hook, "disabled_reason")["disabled_reason"].Text; !strings.Contains(why, "410") {
		w.Errorf("disabled because %q", why)
	}
	w.until("the notice", func() bool { return strings.Contains(w.log.String(), "a webhook was switched off") })
	if w.number(`gateway_audit where model = 'gateway.webhook' and action = 'disable'`) != 1 {
		w.Error("no entry in the audit trail")
	}
	w.create("res.partner", backend.Values{"name": "C"})
	w.far.answering(refuse(200))
	w.write(webhook.Model, hook, backend.Values{"active": true})
	w.until("what waited", func() bool { return w.number(`gateway_webhook_job where state = 'done'`) == 1 })
	if n := w.number(`gateway_webhook_job`); n != 2 {
		w.Errorf("%d jobs", n)
	}
	if why := w.get(webhook.Model, hook, "disabled_reason")["disabled_reason"].Text; why != "" {
		w.Errorf("still disabled because %q", why)
	}
}

// storyRetryAfter: an endpoint that says when to come back is left alone until then.
func storyRetryAfter(w *world) {
	w.far.answering(func(n int, _ *http.Request) (int, http.Header, string) {
		if n == 0 {
			return 503, http.Header{"Retry-After": {"1"}}, ""
		}
		return 200, nil, ""
	})
	w.hook(nil)
	w.dispatch()
	w.create("res.partner", backend.Values{"name": "A"})
	first, second := w.next(), w.next()
	if pause := second.at.Sub(first.at); pause < time.Second || pause > 3*time.Second {
		w.Errorf("called again after %s", pause)
	}
	if first.header.Get("Webhook-Id") != second.header.Get("Webhook-Id") || string(first.body) != string(second.body) {
		w.Error("the second call is another")
	}
}

// storyTrace: whoever traces hears of each attempt and how it ended, and what it
// adds to the headers is sent; an endpoint's own headers are not in its way.
func storyTrace(w *world) {
	w.far.answering(func(n int, _ *http.Request) (int, http.Header, string) {
		return []int{500, 302, 200}[min(n, 2)], nil, ""
	})
	w.hook(backend.Values{"headers": map[string]any{"Traceparent": "always the same"}})
	heard := make(chan string, 10)
	attempts := 0
	d := webhook.NewDispatcher(w.db, webhook.Options{
		Guard: guard(), Log: w.log.logger(), Backoff: func(int) time.Duration { return time.Millisecond },
		Trace: func(r *http.Request, event string) func(int, string) {
			attempts++
			r.Header.Set("Traceparent", "attempt "+strconv.Itoa(attempts))
			return func(status int, failure string) { heard <- event + " " + strconv.Itoa(status) + failure }
		},
	})
	d.Start(w.Context())
	w.nodes = append(w.nodes, d)
	w.Cleanup(w.stopAll)
	w.create("res.partner", backend.Values{"name": "A"})
	for i, want := range []string{"500", "302redirect", "200"} {
		got := w.next()
		if header := got.header.Values("Traceparent"); len(header) != 1 || header[0] != "attempt "+strconv.Itoa(i+1) {
			w.Errorf("attempt %d was sent with %q", i+1, header)
		}
		if said, want := <-heard, got.header.Get("Webhook-Id")+" "+want; said != want {
			w.Errorf("heard %q, want %q", said, want)
		}
	}
}

// storyForbiddenTargets: what is not public is not called, whatever its name
// says, and redirects are not followed.
func storyForbiddenTargets(w *world) {
	hook, _ := w.hook(nil)
	err := w.db.Write(w.Context(), func(tx sqldb.Tx) error { // as if its name led there later
		_, err := tx.Exec(w.Context(), `update gateway_webhook set url = 'http://[::1]:1/'`)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	w.dispatch()
	w.call(webhook.Model, "send_test", hook, nil)
	w.until("the attempt", func() bool { return w.state() == webhook.Dead })
	if w.number(`gateway_webhook_attempt where status = 0 and error like '%not public%'`) != 1 {
		w.Error("the attempt does not say why")
	}
	w.far.answering(func(int, *http.Request) (int, http.Header, string) {
		return 307, http.Header{"Location": {w.far.URL + "/elsewhere"}}, ""
	})
	w.write(webhook.Model, hook, backend.Values{"url": w.far.URL})
	w.call(webhook.Model, "send_test", hook, nil)
	w.until("the attempt", func() bool { return w.number(`gateway_webhook_attempt`) == 2 })
	if n := len(w.far.calls()); n != 1 {
		w.Errorf("%d calls", n)
	}
}

// storyShutdown: what is being sent when the process ends goes back to pending
// and is sent by the next one, as the same event.
func storyShutdown(w *world) {
	block := make(chan struct{})
	w.far.answering(func(n int, r *http.Request) (int, http.Header, string) {
		if n == 0 {
			select {
			case <-block:
			case <-r.Context().Done():
			}
		}
		return 200, nil, ""
	})
	w.Cleanup(func() { close(block) })
	w.hook(nil)
	d := w.dispatch()
	w.create("res.partner", backend.Values{"name": "A"})
	first := w.next()
	if err := d.Stop(context.Background()); err != nil {
		w.Fatal(err)
	}
	if s := w.state(); s != webhook.Pending {
		w.Errorf("the job is %s", s)
	}
	w.dispatch()
	if second := w.next(); second.header.Get("Webhook-Id") != first.header.Get("Webhook-Id") {
		w.Error("another event")
	}
	w.until("the job's end", func() bool { return w.state() == webhook.Done })
}

// storyLostLease: the jobs of a node that is gone come back.
func storyLostLease(w *world) {
	w.hook(nil)
	w.create("res.partner", backend.Values{"name": "A"})
	err := w.db.Write(w.Context(), func(tx sqldb.Tx) error {
		_, err := tx.Exec(w.Context(), `update gateway_webhook_job set state = 'processing', lease_by = 'gone', lease_until = $1`,
			time.Now().UTC().Add(-time.Second))
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	w.dispatch()
	w.next()
}

// storyResend: one job, all that failed, and those of a span of time are sent
// again as the same events; finished ones are deleted when they are old.
func storyResend(w *world) {
	w.far.answering(refuse(200))
	hook, _ := w.hook(nil)
	w.create("res.partner", backend.Values{"name": "A"}, backend.Values{"name": "B"}, backend.Values{"name": "C"})
	w.dispatch()
	w.until("all jobs", func() bool { return w.number(`gateway_webhook_job where state = 'done'`) == 3 })
	page := &backend.Page{}
	if _, err := w.eng.Search(w.Context(), w.admin, &backend.Query{Model: webhook.JobModel, Fields: []string{"event_id"}, Order: "id"}, page); err != nil {
		w.Fatal(err)
	}
	for len(w.far.more) > 0 {
		<-w.far.more
	}
	w.call(webhook.JobModel, "resend", page.IDs()[1], nil)
	if got := w.next(); got.header.Get("Webhook-Id") != page.Get(1, "event_id").Text {
		w.Errorf("sent again as %s", got.header.Get("Webhook-Id"))
	}
	w.until("all jobs", func() bool { return w.number(`gateway_webhook_job where state = 'done'`) == 3 })
	err := w.db.Write(w.Context(), func(tx sqldb.Tx) error {
		_, err := tx.Exec(w.Context(), `update gateway_webhook_job set state = 'dead', created_at = '2026-01-01 00:00:00' where id <> $1`, page.IDs()[0])
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	for _, test := range []struct {
		args backend.Values
		want int64
	}{
		{backend.Values{"from": "2026-01-02"}, 0},
		{backend.Values{"to": "2025-12-31T23:59:59Z"}, 0},
		{backend.Values{"from": "2026-01-01", "to": "2026-01-01 00:00:01"}, 2},
		{nil, 0},
	} {
		if got := w.call(webhook.Model, "resend_failed", hook, test.args).(map[string]any)["jobs"]; got != test.want {
			w.Errorf("%v: %v jobs, want %d", test.args, got, test.want)
		}
	}
	w.until("all jobs", func() bool { return w.number(`gateway_webhook_job where state = 'done'`) == 3 })
	if n := len(w.far.calls()); n != 6 {
		w.Errorf("%d calls", n)
	}
	if n, err := webhook.Vacuum(w.Context(), w.db, time.Now().Add(-time.Hour)); n != 0 || err != nil {
		w.Errorf("%d young jobs deleted: %v", n, err)
	}
	if n, err := webhook.Vacuum(w.Context(), w.db, time.Now().Add(time.Hour)); n != 3 || err != nil || w.number("gateway_webhook_attempt") != 0 {
		w.Errorf("%d old jobs deleted: %v", n, err)
	}
}
