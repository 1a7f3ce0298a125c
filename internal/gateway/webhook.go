package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/job"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
	"gatehouse/internal/webhook"
)

// Polled are the models of an Odoo, of whose records changes are found by asking
// for them again and again.
type Polled interface {
	// Model finds a model; the fault says why changes cannot be found.
	Model(ctx context.Context, name string) (*schema.Model, error)
	// Try asks a domain once, so that a wrong one is found.
	Try(ctx context.Context, model string, where domain.Node) error
}

// PollJob is the job that finds changes of records of an Odoo.
const PollJob = "odoo_poll"

// pollTimeout bounds how long an Odoo may hold up a transaction.
const pollTimeout = 5 * time.Second

// WebhookLogics is the behaviour of webhooks, their jobs and attempts. The
// guard says which URLs may be called.
func WebhookLogics(guard webhook.Guard, k *Keys) []record.Logic {
	refused := func(what string) func(*record.Env, []record.Rec, record.Values) error {
		return func(*record.Env, []record.Rec, record.Values) error { return fault.New(fault.Forbidden, what) }
	}
	return []record.Logic{
		hookLogic(guard, k),
		{
			Model: webhook.JobModel, BeforeWrite: refused("Webhook jobs cannot be changed; the method resend sends one again"),
			Methods: map[string]record.Method{"resend": {Doc: "Send the job again, with the same id and body", Do: resend}},
		},
		{Model: webhook.AttemptModel, BeforeWrite: refused("Webhook attempts cannot be changed")},
	}
}

// hookLogic makes the signing secret when a webhook is created, and shows it once.
func hookLogic(guard webhook.Guard, k *Keys) record.Logic {
	changed := func(e *record.Env) error {
		if err := e.Tx().Signal(e.Ctx(), webhook.Channel); err != nil || k.Polled == nil {
			return err
		}
		return job.Hurry(e.Ctx(), e.Tx(), PollJob) // what is watched anew is looked at without delay
	}
	return record.Logic{
		Model: webhook.Model,
		Ahead: k.askAhead,
		Prepare: func(e *record.Env, values record.Values) error {
			if err := ownHookFields(values); err != nil {
				return err
			}
			return checkHook(e, guard, k, values, record.Rec{})
		},
		AfterCreate: func(e *record.Env, recs []record.Rec) error {
			for _, r := range recs {
				secret := webhook.NewSecret()
				if err := e.Sudo().Write([]record.Rec{r}, record.Values{"secret": secret}); err != nil {
					return err
				}
				e.Once(r, "secret", secret)
			}
			return changed(e)
		},
		BeforeWrite: func(e *record.Env, recs []record.Rec, values record.Values) error {
			if e.Sudo() != e { // AfterCreate and rotateHook are the ones that set them
				if err := ownHookFields(values); err != nil {
					return err
				}
			}
			for _, r := range recs {
				if err := checkHook(e, guard, k, values, r); err != nil {
					return err
				}
			}
			if values["active"] == true { // it begins anew
				for _, name := range []string{"disabled_reason", "failing_since", "circuit_until", "poll_problem"} {
					values[name] = nil
				}
				values["failure_count"], values["circuit_seconds"], values["circuit"] = int64(0), int64(0), "closed"
			}
			return nil
		},
		AfterWrite:  func(e *record.Env, _ []record.Rec, _ record.Values) error { return changed(e) },
		AfterUnlink: func(e *record.Env, _ []int64) error { return changed(e) },
		Methods: map[string]record.Method{
			"rotate_secret": {Doc: "Give the webhook a new signing secret, shown this once; the old one signs too for 24 hours", Do: rotateHook},
			"send_test":     {Doc: "Send a test event, also while the webhook is switched off", Do: sendTest},
			"resend_failed": {Doc: "Send failed and dead jobs again: all, or those made between from and to", Do: resendFailed},
		},
	}
}

// ownHookFields keeps what Gatehouse keeps from being given.
func ownHookFields(values record.Values) error {
	for _, name := range []string{
		"secret", "previous_secret", "previous_until", "disabled_reason", "poll_problem", "failure_count", "failing_since",
		"circuit_until", "circuit_seconds", "last_success_at",
	} {
		if v, given := values[name]; given && v != nil {
			return wrong(name, "Gatehouse itself keeps this field")
		}
	}
	if v, given := values["circuit"]; given && v != "closed" {
		return wrong("circuit", "Gatehouse itself keeps this field")
	}
	return nil
}

// checkHook looks at the values of a webhook together with what is stored of
// it, and brings lists and objects into the one form that is kept.
func checkHook(e *record.Env, guard webhook.Guard, k *Keys, values record.Values, r record.Rec) error {
	value := func(name string) any {
		if v, given := values[name]; given {
			return v
		}
		return r.Value(name)
	}
	text := func(name string) string { return textOf(value(name)) }
	if _, given := values["url"]; given {
		if err := guard.CheckURL(text("url")); err != nil {
			return wrong("url", fault.From(err).Message)
		}
	}
	if value("on_create") != true && value("on_write") != true && value("on_unlink") != true {
		return wrong("on_create", "Choose at least one of on_create, on_write and on_unlink")
	}
	if n, given := value("concurrency").(int64); given && (n < 1 || n > webhook.MaxConcurrency) {
		return wrong("concurrency", fmt.Sprintf("The calls at a time must be from 1 to %d", webhook.MaxConcurrency))
	}
	if err := keepHeaders(values); err != nil {
		return err
	}
	polled := k.polls(text("model"))
	if polled && r.ID() != 0 && !watchesOther(values) {
		return nil // to switch it off, or send elsewhere, nobody needs to ask the Odoo
	}
	m, err := watchable(e, k, text("model"))
	if err != nil {
		return err
	}
	for _, name := range []string{"watch_fields", "fields"} {
		list, err := fieldList(m, name, text(name), polled)
		if err != nil {
			return err
		}
		if _, given := values[name]; given {
			values[name] = list
		}
	}
	return checkHookDomain(e, k, m, text("domain"))
}

// keepHeaders checks headers that are given, and keeps them as they are.
func keepHeaders(values record.Values) error {
	text := textOf(values["headers"])
	if text == "" {
		return nil
	}
	values["headers"] = json.RawMessage(text)
	return checkHeaders(text)
}

// textOf is a text, also that of a JSON value.
func textOf(v any) string {
	if raw, ok := v.(json.RawMessage); ok {
		return string(raw)
	}
	s, _ := v.(string)
	return s
}

// checkHookDomain asks the domain once, so that a wrong one is found here.
func checkHookDomain(e *record.Env, k *Keys, m *schema.Model, text string) error {
	if text == "" {
		return nil
	}
	node, err := domain.Parse(text, domain.Limits{})
	if err != nil {
		return wrong("domain", "The domain cannot be read: "+err.Error())
	}
	if k.polls(m.Name) {
		ctx, cancel := context.WithTimeout(e.Ctx(), pollTimeout)
		defer cancel()
		return about("domain", k.Polled.Try(ctx, m.Name, node))
	}
	_, err = e.Sudo().SearchNode(m.Name, node, record.WithLimit(1), record.WithArchived())
	return about("domain", err)
}

func one(recs []record.Rec, what string) error {
	if len(recs) != 1 {
		return fault.New(fault.BadRequest, what+" one at a time")
	}
	return nil
}

func rotateHook(e *record.Env, recs []record.Rec, _ record.Values) (any, error) {
	if err := one(recs, "Rotate the secret of webhooks"); err != nil {
		return nil, err
	}
	r, secret := recs[0], webhook.NewSecret()
	until := e.Now().Add(webhook.Overlap)
	err := e.Sudo().Write(recs, record.Values{"secret": secret, "previous_secret": r.Text("secret"), "previous_until": until})
	if err != nil {
		return nil, err
	}
	return map[string]any{"id": r.ID(), "secret": secret, "previous_until": until.Format(time.RFC3339)}, nil
}

func sendTest(e *record.Env, recs []record.Rec, _ record.Values) (any, error) {
	if err := one(recs, "Test webhooks"); err != nil {
		return nil, err
	}
	job, err := webhook.SendTest(e.Ctx(), e.Tx(), recs[0].ID(), recs[0].Text("model"), e.Now())
	return map[string]any{"job": job}, err
}

func resend(e *record.Env, recs []record.Rec, _ record.Values) (any, error) {
	for _, r := range recs {
		if err := webhook.Resend(e.Ctx(), e.Tx(), r.ID()); err != nil {
			return nil, err
		}
	}
	return true, nil
}

func resendFailed(e *record.Env, recs []record.Rec, args record.Values) (any, error) {
	from, to, err := spanArgs(args)
	if err != nil {
		return nil, err
	}
	var total int64
	for _, r := range recs {
		n, err := webhook.ResendFailed(e.Ctx(), e.Tx(), r.ID(), from, to)
		if err != nil {
			return nil, err
		}
		total += n
	}
	return map[string]any{"jobs": total}, nil
}
