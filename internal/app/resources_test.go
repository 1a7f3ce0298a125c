package app

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"gatehouse/internal/config"
	"gatehouse/internal/identity"
)

const leads = `
- name: leads
  label: Lead
  model: crm.lead
  domain: "[('type','=','lead')]"
  search: [title, email]
  fields:
    - {name: title, field: name, required: true}
    - {name: email, field: email_from, check: email}
    - phone
    - {name: stage, field: stage_id, only: out}
    - {name: kind, field: type, only: in, default: lead}
  actions: [{name: archive, method: action_archive}]
`

// A resource of the configuration is served as those that come along.
func TestResourcesOfTheConfiguration(t *testing.T) {
	onBothStoresWith(t, func(cfg *config.Config) {
		if err := cfg.API.Resources.UnmarshalText([]byte(leads)); err != nil {
			t.Fatal(err)
		}
		cfg.API.Methods = config.MethodLists{"res.partner": {"!copy"}, "crm.lead": {}}
	}, func(h *house) {
		key, _, err := h.app.CreateKey(h.Context(), identity.KeySpec{UserID: 2, Name: "leads", Scopes: "leads_read,leads_write"})
		if err != nil {
			h.Fatal(err)
		}
		as := []string{"X-API-Key", key}
		made := h.send("POST", "/api/v1/leads", `{"title":"Interested","email":"a@b.example","probability":3}`, as...).want(201)
		if data := made.data(); data["title"] != "Interested" || data["phone"] != nil || data["kind"] != nil || len(data) != 5 {
			h.Errorf("made %v", data)
		}
		path := made.header.Get("Location")
		if !strings.HasPrefix(path, "/api/v1/leads/") || !strings.Contains(made.text, `"ignored_fields":["probability"]`) ||
			!strings.Contains(made.text, "Lead created successfully") {
			h.Errorf("%s: %s", path, made.text)
		}
		h.send("POST", "/api/v1/leads", `{"email":"a@b.example"}`, as...).want(400)
		h.send("POST", "/api/v1/leads", `{"title":"X","email":"nonsense"}`, as...).want(422)
		if n := len(h.send("GET", "/api/v1/leads?search=Interes&email=a@b.example", "", as...).want(200).list()); n != 1 {
			h.Errorf("%d found", n)
		}
		h.send("GET", "/api/v1/res.partner", "", as...).want(403)
		h.send("POST", path+"/archive", "", as...).want(200)
		h.send("DELETE", path, "", as...).want(200)
		// Methods by their name are another matter.
		h.send("POST", "/api/v1/res.partner/1/copy", "").want(403)
		h.send("POST", "/api/v1/crm.lead/name_search", "").want(403)
		h.send("POST", "/api/v1/res.partner/name_search", `{"name":"x"}`).want(200)
		h.send("POST", "/api/v1/batch", `{"operations":[{"method":"POST","path":"/api/v1/res.partner/1/copy"}]}`).want(403)
		// In Odoo's own protocols too, but for what all models have.
		for path, status := range map[string]int{
			"/json/2/res.partner/copy": 403, "/json/2/crm.lead/action_set_won": 403, "/json/2/crm.lead/fields_get": 200,
			"/json/2/res.partner/fields_get": 200,
		} {
			h.send("POST", path, `{}`, "Content-Type", "application/json").want(status)
		}
	})
}

func TestBadDeclarationsStopTheStart(t *testing.T) {
	cfg := config.Default()
	useStore(t, cfg, "sqlite")
	a, err := Open(context.Background(), cfg, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(context.Background()) })
	for text, want := range map[string]string{
		"[{name: leads, model: crm.laed, fields: [name]}]":                               "did you mean crm.lead?",
		"[{name: leads, model: crm.lead, fields: [nam]}]":                                "did you mean name?",
		"[{name: leads, model: crm.lead, fields: [{name: x, field: email_form}]}]":       "did you mean email_from?",
		"[{name: leads, model: crm.lead, fields: [name], domain: '[('}]":                 "domain",
		"[{name: leads, model: crm.lead, fields: [name], search: [phone]}]":              "phone",
		"[{name: leads, model: crm.lead, fields: [name], label: Product}]":               "is taken",
		"[{name: products, model: crm.lead, fields: [name], label: Lead}]":               "twice",
		"[{name: ping, model: crm.lead, fields: [name], label: Lead}]":                   "ping",
		"[{name: leads, model: gateway.key, fields: [name]}]":                            "administrators",
		"[{name: leads, model: crm.lead, fields: [{name: name, lines: [x]}]}]":           "no list",
		"[{name: leads, model: crm.lead, fields: [{name: name, check: nonsense}]}]":      "nonsense",
		"[{name: leads, model: crm.lead, fields: [name, {name: name, field: phone}]}]":   "twice",
		"[{name: users, model: res.users, fields: [name, password], label: Person}]":     "password",
		"[{name: leads, model: crm.lead, fields: [{name: limit, field: phone}, name] }]": "limit",
	} {
		cfg.API.Resources = nil
		if err := cfg.API.Resources.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Handler(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	cfg.API.Resources, cfg.API.Methods = nil, config.MethodLists{"sale.ordre": {"x"}}
	if _, err := a.Handler(); err == nil || !strings.Contains(err.Error(), "did you mean sale.order?") {
		t.Errorf("methods: %v", err)
	}
}
