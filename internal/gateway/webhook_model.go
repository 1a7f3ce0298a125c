package gateway

import (
	"context"
	"strconv"
	"strings"

	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/nearest"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
	"gatehouse/internal/webhook"
)

// polls says whether records of a model are those of an Odoo.
func (k *Keys) polls(model string) bool { return k.Polled != nil && !OwnModel(model) }

// OwnModel says whether a model is Gatehouse's own, whose records are in its
// store wherever others are.
func OwnModel(name string) bool { return strings.HasPrefix(name, "gateway.") }

// watchable finds the model that a webhook is to watch.
func watchable(e *record.Env, k *Keys, name string) (*schema.Model, error) {
	if k.polls(name) {
		ctx, cancel := context.WithTimeout(e.Ctx(), pollTimeout)
		defer cancel()
		m, err := k.Polled.Model(ctx, name)
		return m, about("model", err)
	}
	m := e.Registry().Model(name)
	if m == nil || m.Abstract || strings.HasPrefix(m.Name, webhook.Model) {
		why := "There is no model " + strconv.Quote(name) + " to watch"
		if near := nearest.Word(name, e.Registry().Names()); near != "" && m == nil {
			why += ". Did you mean " + near + "?"
		}
		return nil, wrong("model", why)
	}
	return m, nil
}

// watchesOther says whether a change of a webhook is one of what it watches.
func watchesOther(values record.Values) bool {
	for _, name := range []string{"model", "domain", "watch_fields", "fields"} {
		if _, given := values[name]; given {
			return true
		}
	}
	return values["active"] == true
}

// askAhead asks an Odoo for what a webhook is to watch before the transaction
// begins, in which the answers are then at hand.
func (k *Keys) askAhead(ctx context.Context, values record.Values) error {
	model := textOf(values["model"])
	if model == "" || !k.polls(model) {
		return nil
	}
	if _, err := k.Polled.Model(ctx, model); err != nil {
		return about("model", err)
	}
	node, err := domain.Parse(textOf(values["domain"]), domain.Limits{})
	if err != nil || textOf(values["domain"]) == "" {
		return nil //nolint:nilerr // checkHook says what is wrong with it
	}
	return about("domain", k.Polled.Try(ctx, model, node))
}

// about makes a fault that is about what a caller gave one about a field, and
// leaves those that are about the store or the Odoo.
func about(field string, err error) error {
	f := fault.From(err)
	if err == nil {
		return nil
	}
	switch f.Kind {
	case fault.BadRequest, fault.NotFound, fault.Forbidden, fault.Unprocessable:
		return wrong(field, f.Message)
	}
	return err
}
