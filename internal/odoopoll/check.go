package odoopoll

import (
	"context"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// triedLife is how long the answer about a domain is remembered: who makes a
// webhook asks once before and once in the transaction.
const (
	triedLife = time.Minute
	maxTried  = 100
)

// Model finds a model of which changes can be found. The fault says what is in
// the way: no technical user, no rights of his, no write_date.
func (p *Poller) Model(ctx context.Context, name string) (*schema.Model, error) {
	if !p.o.Technical {
		return nil, fault.New(fault.BadRequest, "Changes of records of the Odoo are found by its technical user, and there is none: set odoo-login and odoo-key")
	}
	if p.o.Off {
		return nil, fault.New(fault.BadRequest, "This server does not look for changes of records of the Odoo: set odoo-poll to an interval such as 5s")
	}
	m, err := p.o.Records.Model(ctx, p.caller, name)
	if err != nil {
		return nil, err
	}
	if f := m.Field(written); f == nil || !f.Store || f.Type != schema.Datetime {
		return nil, fault.Newf(fault.BadRequest, "Changes of %s cannot be found: its records have no %s", name, written)
	}
	return m, nil
}

// Try asks a domain once, as the technical user.
func (p *Poller) Try(ctx context.Context, model string, where domain.Node) error {
	key := model + " " + string(domain.JSON(where))
	now := p.o.Clock.Now()
	p.mu.Lock()
	at, known := p.tried[key]
	p.mu.Unlock()
	if known && now.Sub(at) < triedLife {
		return nil
	}
	_, err := p.o.Records.Search(ctx, p.caller, &backend.Query{Model: model, Domain: where, Fields: []string{"id"}, Limit: 1}, &backend.Page{})
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.tried) >= maxTried {
		clear(p.tried)
	}
	p.tried[key] = now
	return nil
}
