package webhook_test

import (
	"strings"
	"testing"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
	"gatehouse/internal/webhook"
)

// storyValidation: what cannot work is refused when it is saved, with the
// field that is wrong and a remedy.
func storyValidation(w *world) {
	hook, _ := w.hook(backend.Values{"fields": []any{"name"}})
	for _, test := range []struct {
		field string
		value any
		why   string
	}{
		{"model", "res.partnr", "Did you mean res.partner?"},
		{"model", "gateway.webhook_job", "There is no model"},
		{"url", "https://user:pw@example.com", "user or password"},
		{"url", "http://10.0.0.1/", "GATEHOUSE_WEBHOOK_ALLOW_NETWORKS"},
		{"domain", "[('name', '=', ", "cannot be read"},
		{"domain", "[('nam', '=', 'x')]", "Did you mean name?"},
		{"domain", "[('name', '=like', 'a\\\\')]", "backslash"},
		{"watch_fields", []any{"emial"}, "Did you mean email?"},
		{"watch_fields", map[string]any{"name": true}, "list of field names"},
		{"watch_fields", []any{1}, "list of field names"},
		{"fields", "name,nothing_like_it", "has no field"},
		{"headers", []any{"X"}, "object of texts"},
		{"headers", map[string]any{"X": 1}, "object of texts"},
		{"headers", map[string]any{"X Y": "1"}, "no name of a header"},
		{"headers", map[string]any{"X": "a\r\nY: b"}, "control characters"},
		{"headers", map[string]any{"Webhook-Id": "1"}, "set by Gatehouse"},
		{"headers", map[string]any{"host": "x"}, "set by Gatehouse"},
		{"concurrency", int64(0), "1 to 50"},
		{"secret", "whsec_mine", "keeps this field"},
		{"failure_count", int64(3), "keeps this field"},
		{"disabled_reason", "x", "keeps this field"},
	} {
		values := backend.Values{test.field: test.value}
		check := func(err error) {
			w.Helper()
			f := fault.From(err)
			details, _ := f.Details.(fault.FieldErrors)
			if f.Kind != fault.BadRequest || !strings.Contains(f.Message, test.why) || details[test.field] == "" {
				w.Errorf("%s = %v: %v (%v), want %s", test.field, test.value, err, f.Details, test.why)
			}
		}
		check(w.eng.Write(w.Context(), w.admin, webhook.Model, []int64{hook}, values))
		all := backend.Values{"name": "x", "model": "res.partner", "url": w.far.URL}
		all[test.field] = test.value
		_, err := w.eng.Create(w.Context(), w.admin, webhook.Model, []backend.Values{all})
		check(err)
	}
	err := w.eng.Write(w.Context(), w.admin, webhook.Model, []int64{hook}, backend.Values{"on_create": false, "on_write": false, "on_unlink": false})
	if !fault.Is(err, fault.BadRequest) {
		w.Errorf("no trigger at all: %v", err)
	}
	if err := w.eng.Write(w.Context(), w.admin, webhook.Model, []int64{hook}, backend.Values{"model": "res.country"}); err != nil {
		w.Errorf("another model that has the fields: %v", err)
	}
	if err := w.eng.Write(w.Context(), w.admin, webhook.Model, []int64{hook}, backend.Values{"model": "sale.order.line", "fields": nil}); err != nil {
		w.Errorf("another model: %v", err)
	}
}

// storyStoredForms: lists and objects are kept as such, whichever way they came,
// and survive writes of other fields and of several webhooks at once.
func storyStoredForms(w *world) {
	one, _ := w.hook(backend.Values{"headers": map[string]any{"X-A": "b"}, "watch_fields": []any{"name"}, "fields": "name, email"})
	other, _ := w.hook(nil)
	err := w.eng.Write(w.Context(), w.admin, webhook.Model, []int64{one, other}, backend.Values{
		"name": "both", "headers": map[string]any{"X-C": "d"}, "watch_fields": "phone",
	})
	if err != nil {
		w.Fatal(err)
	}
	for id, fields := range map[int64]string{one: `["name","email"]`, other: ""} {
		got := w.get(webhook.Model, id, "headers", "watch_fields", "fields")
		plain := func(name string) string { return strings.ReplaceAll(got[name].Text, " ", "") }
		if plain("headers") != `{"X-C":"d"}` || plain("watch_fields") != `["phone"]` || plain("fields") != fields {
			w.Errorf("webhook %d: %+v", id, got)
		}
	}
}

// storySecrets: what is secret is told to nobody, asked for or not.
func storySecrets(w *world) {
	w.hook(backend.Values{"model": "res.users"})
	w.hook(backend.Values{"model": "ir.config_parameter"})
	w.create("res.users", backend.Values{"name": "Joe", "login": "joe" + time.Now().Format("150405.000"), "password": "sesame-open-1"})
	w.create("ir.config_parameter", backend.Values{"key": "mail.secret" + time.Now().Format("150405.000"), "value": "sesame-open-2"})
	all := w.jobs()
	if len(all) < 2 {
		w.Fatalf("%d jobs", len(all))
	}
	for _, b := range all {
		if strings.Contains(b.raw, "sesame") || strings.Contains(b.raw, "password") {
			w.Errorf("told: %s", b.raw)
		}
	}
	values := backend.Values{"name": "x", "model": "res.users", "url": w.far.URL, "fields": []any{"password"}}
	if _, err := w.eng.Create(w.Context(), w.admin, webhook.Model, []backend.Values{values}); err == nil || !strings.Contains(err.Error(), "secret") {
		w.Errorf("the password may be sent: %v", err)
	}
}

// storyRights: webhooks are for administrators, and queues are not written by hand.
func storyRights(w *world) {
	hook, _ := w.hook(nil)
	w.create("res.partner", backend.Values{"name": "A"})
	mere := &backend.Caller{UserID: 2}
	for _, model := range []string{webhook.Model, webhook.JobModel, webhook.AttemptModel} {
		if _, err := w.eng.Search(w.Context(), mere, &backend.Query{Model: model}, &backend.Page{}); !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Forbidden) {
			w.Errorf("%s: %v", model, err)
		}
	}
	if _, err := w.eng.Call(w.Context(), mere, webhook.Model, "rotate_secret", []int64{hook}, nil); err == nil {
		w.Error("anybody may rotate the secret")
	}
	if _, err := w.eng.Create(w.Context(), w.admin, webhook.JobModel, []backend.Values{{"webhook_id": hook}}); !fault.Is(err, fault.Forbidden) {
		w.Errorf("a job made by hand: %v", err)
	}
	page := &backend.Page{}
	if _, err := w.eng.Search(w.Context(), w.admin, &backend.Query{Model: webhook.JobModel, Fields: []string{"state"}}, page); err != nil {
		w.Fatal(err)
	}
	if err := w.eng.Write(w.Context(), w.admin, webhook.JobModel, page.IDs(), backend.Values{"state": "done"}); !fault.Is(err, fault.Forbidden) {
		w.Errorf("a job changed by hand: %v", err)
	}
	w.unlink(webhook.Model, hook)
	if n := w.number(`gateway_webhook_job`); n != 0 {
		w.Errorf("%d jobs of a deleted webhook", n)
	}
	w.create("res.partner", backend.Values{"name": "B"})
}

// storySendTest: a test event arrives also while the webhook is switched off,
// does not count as failure, and waits for nothing.
func storySendTest(w *world) {
	w.far.answering(refuse(500))
	hook, secret := w.hook(backend.Values{"active": false})
	w.dispatch()
	w.call(webhook.Model, "send_test", hook, nil)
	got := w.next()
	if !verified(secret, got) || !strings.HasPrefix(string(got.body), `{"action":"test","model":"res.partner","record":{"id":0},`) {
		w.Errorf("got %s", got.body)
	}
	w.until("the job's end", func() bool { return w.state() == webhook.Dead })
	w.call(webhook.Model, "send_test", hook, nil)
	w.next()
	w.until("the job's end", func() bool { return w.state() == webhook.Dead })
	if n := w.get(webhook.Model, hook, "failure_count")["failure_count"].Int; n != 0 {
		w.Errorf("%d failures", n)
	}
}

// TestOtherNodes: a webhook made on one node holds on another within a second,
// and so does its end.
func TestOtherNodes(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, a, b sqldb.DB) {
		w := newWorld(t, a)
		eng, outbox, err := newEngine(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { eng.Close(); outbox.Close() })
		known := func() int {
			n := 0
			err := b.Read(t.Context(), func(q sqldb.Querier) error {
				subs, err := outbox.Subscriptions(t.Context(), q)
				n = len(subs["res.partner"])
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if known() != 0 {
			t.Fatal("somebody subscribed")
		}
		hook, _ := w.hook(nil)
		start := time.Now()
		w.until("the other node to know", func() bool { return known() == 1 })
		if took := time.Since(start); took > time.Second {
			t.Errorf("it took %s", took)
		}
		if _, err := eng.Create(t.Context(), w.admin, "res.partner", []backend.Values{{"name": "A"}}); err != nil {
			t.Fatal(err)
		}
		if said(w.jobs()) != "create" {
			t.Errorf("told of %q", said(w.jobs()))
		}
		w.write(webhook.Model, hook, backend.Values{"active": false})
		w.until("the other node to know", func() bool { return known() == 0 })
	})
}
