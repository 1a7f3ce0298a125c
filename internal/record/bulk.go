package record

import (
	"context"

	"gatehouse/internal/backend"
	"gatehouse/internal/schema"
)

var _ backend.Bulk = (*Engine)(nil)

// WriteAll implements backend.Bulk.
func (e *Engine) WriteAll(ctx context.Context, c *backend.Caller, q *backend.BulkQuery, values backend.Values) (ids []int64, err error) {
	err = e.write(ctx, c, func(env *Env) error {
		m, found, err := env.matching(q, schema.Write)
		if err != nil {
			return err
		}
		if err := env.inScope(m, values); err != nil {
			return err
		}
		ids = found
		return env.write(m, found, values)
	})
	return ids, err
}

// UnlinkAll implements backend.Bulk.
func (e *Engine) UnlinkAll(ctx context.Context, c *backend.Caller, q *backend.BulkQuery) (ids []int64, err error) {
	err = e.write(ctx, c, func(env *Env) error {
		m, found, err := env.matching(q, schema.Unlink)
		if err != nil {
			return err
		}
		ids = found
		return env.unlink(m, found)
	})
	return ids, err
}

// matching finds the records of a bulk change: those that the caller can find.
func (e *Env) matching(q *backend.BulkQuery, mode schema.Mode) (*schema.Model, []int64, error) {
	if _, err := e.callContext.model(q.Model, schema.Read); err != nil {
		return nil, nil, err
	}
	m, err := e.callContext.model(q.Model, mode)
	if err != nil {
		return nil, nil, err
	}
	node, err := backend.JoinDomains(q.DomainText, nil)
	if err != nil {
		return nil, nil, err
	}
	ids, err := e.searchIDs(m, node, searchOptions{order: "id", limit: q.Most + 1})
	if err != nil || len(ids) <= q.Most {
		return m, ids, err
	}
	n, err := e.count(m, node)
	if err != nil {
		return nil, nil, err
	}
	return nil, nil, backend.TooManyAffected(n, q.Most)
}
