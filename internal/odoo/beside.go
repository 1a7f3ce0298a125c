package odoo

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// Local is what answers for Gatehouse's own records; the engine does.
type Local interface {
	backend.Backend
	backend.Atomic
	backend.Bulk
	backend.ChangeLog
	backend.Upserter
	CatalogueKey(ctx context.Context, c *backend.Caller) (string, error)
	Catalogue(ctx context.Context, c *backend.Caller) (*backend.Catalogue, error)
}

// Beside is one backend of two: Gatehouse's own models are answered from its
// store, all others from the Odoo. Users who are not the Odoo's, such as admin,
// find users and groups of the store, which policy is about.
type Beside struct {
	Local Local
	Odoo  *Backend
	// Own says that a user is of the store and not of the Odoo.
	Own func(userID int64) bool
}

var _ interface {
	backend.Backend
	backend.Atomic
	backend.Bulk
	backend.ChangeLog
	backend.Upserter
} = (*Beside)(nil)

// local says who answers for a model.
func (b *Beside) local(c *backend.Caller, model string) bool {
	if strings.HasPrefix(model, "gateway.") || c.Superuser {
		return true
	}
	switch model {
	case "res.users", "res.groups", "res.users.apikeys":
		return b.Own(c.UserID)
	}
	return false
}

func (b *Beside) of(c *backend.Caller, model string) backend.Backend {
	if b.local(c, model) {
		return b.Local
	}
	return b.Odoo
}

// Model implements backend.Backend.
func (b *Beside) Model(ctx context.Context, c *backend.Caller, name string) (*schema.Model, error) {
	return b.of(c, name).Model(ctx, c, name)
}

// Models implements backend.Backend.
func (b *Beside) Models(ctx context.Context, c *backend.Caller) ([]backend.Summary, error) {
	all, err := b.Local.Models(ctx, c)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(m backend.Summary) bool { return !b.local(c, m.Name) })
	others, err := b.Odoo.Models(ctx, c)
	if fault.Is(err, fault.Forbidden) && c.Admin { // who chooses what webhooks are about need not be somebody there
		others, err = b.Odoo.Names(ctx)
	}
	if err != nil && !(fault.Is(err, fault.Forbidden) && len(all) > 0) {
		return nil, err
	}
	for _, m := range others {
		if !b.local(c, m.Name) {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b backend.Summary) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// Search implements backend.Backend.
func (b *Beside) Search(ctx context.Context, c *backend.Caller, q *backend.Query, sink backend.Sink) (int64, error) {
	return b.of(c, q.Model).Search(ctx, c, q, sink)
}

// Group implements backend.Backend.
func (b *Beside) Group(ctx context.Context, c *backend.Caller, q *backend.GroupQuery) (*backend.Groups, error) {
	return b.of(c, q.Model).Group(ctx, c, q)
}

// Create implements backend.Backend.
func (b *Beside) Create(ctx context.Context, c *backend.Caller, model string, values []backend.Values) (*backend.Created, error) {
	return b.of(c, model).Create(ctx, c, model, values)
}

// Write implements backend.Backend.
func (b *Beside) Write(ctx context.Context, c *backend.Caller, model string, ids []int64, values backend.Values) error {
	return b.of(c, model).Write(ctx, c, model, ids, values)
}

// Unlink implements backend.Backend.
func (b *Beside) Unlink(ctx context.Context, c *backend.Caller, model string, ids []int64) error {
	return b.of(c, model).Unlink(ctx, c, model, ids)
}

// Call implements backend.Backend.
func (b *Beside) Call(ctx context.Context, c *backend.Caller, model, method string, ids []int64, args backend.Values) (any, error) {
	return b.of(c, model).Call(ctx, c, model, method, ids, args)
}

// May implements backend.Backend.
func (b *Beside) May(ctx context.Context, c *backend.Caller, model string, mode schema.Mode, ids []int64) (bool, error) {
	return b.of(c, model).May(ctx, c, model, mode, ids)
}

// Describe implements backend.Backend.
func (b *Beside) Describe(ctx context.Context, c *backend.Caller, model string, fields, attributes []string) (map[string]backend.Description, error) {
	return b.of(c, model).Describe(ctx, c, model, fields, attributes)
}

// Defaults implements backend.Backend.
func (b *Beside) Defaults(ctx context.Context, c *backend.Caller, model string, fields []string) (backend.Values, error) {
	return b.of(c, model).Defaults(ctx, c, model, fields)
}

// Ready implements backend.Backend.
func (b *Beside) Ready(ctx context.Context) error {
	return errors.Join(b.Local.Ready(ctx), b.Odoo.Ready(ctx))
}

// Transacts implements backend.Atomic.
func (b *Beside) Transacts(c *backend.Caller, model string) bool {
	return model != "" && b.local(c, model)
}

// Atomically implements backend.Atomic, for models of the store.
func (b *Beside) Atomically(ctx context.Context, fn func(ctx context.Context) error) error {
	return b.Local.Atomically(ctx, fn)
}

// Hold implements backend.Atomic, for models of the store.
func (b *Beside) Hold(ctx context.Context, model string, ids []int64) error {
	return b.Local.Hold(ctx, model, ids)
}

// WriteAll implements backend.Bulk.
func (b *Beside) WriteAll(ctx context.Context, c *backend.Caller, q *backend.BulkQuery, values backend.Values) ([]int64, error) {
	return backend.WriteAll(ctx, b.of(c, q.Model), c, q, values)
}

// UnlinkAll implements backend.Bulk.
func (b *Beside) UnlinkAll(ctx context.Context, c *backend.Caller, q *backend.BulkQuery) ([]int64, error) {
	return backend.UnlinkAll(ctx, b.of(c, q.Model), c, q)
}

// Changes implements backend.ChangeLog.
func (b *Beside) Changes(ctx context.Context, c *backend.Caller, q *backend.ChangesQuery) (*backend.ChangeList, error) {
	if log, ok := b.of(c, q.Model).(backend.ChangeLog); ok {
		return log.Changes(ctx, c, q)
	}
	return nil, fault.New(fault.BadRequest, "An Odoo keeps no log of changes: ask for records with a later write_date, or use webhooks")
}

// Upsert implements backend.Upserter.
func (b *Beside) Upsert(ctx context.Context, c *backend.Caller, model, key string, values []backend.Values) ([]backend.Upserted, error) {
	if upserter, ok := b.of(c, model).(backend.Upserter); ok {
		return upserter.Upsert(ctx, c, model, key, values)
	}
	return nil, fault.New(fault.BadRequest, "An Odoo cannot create or update in one step: look for the record, then POST or PUT it")
}

// CatalogueKey tells catalogues apart, without making one.
func (b *Beside) CatalogueKey(ctx context.Context, c *backend.Caller) (string, error) {
	key, err := b.Local.CatalogueKey(ctx, c)
	if err != nil || c.Superuser {
		return key, err
	}
	other, err := b.Odoo.CatalogueKey(ctx, c)
	if fault.Is(err, fault.Forbidden) {
		return key, nil
	}
	return key + "\x00" + other, err
}

// Catalogue tells all that a caller may use.
func (b *Beside) Catalogue(ctx context.Context, c *backend.Caller) (*backend.Catalogue, error) {
	all, err := b.Local.Catalogue(ctx, c)
	if err != nil || c.Superuser {
		return all, err
	}
	all.Models = slices.DeleteFunc(all.Models, func(e backend.Entry) bool { return !b.local(c, e.Model.Name) })
	others, err := b.Odoo.Catalogue(ctx, c)
	switch {
	case err == nil:
		for i := range others.Models {
			if !b.local(c, others.Models[i].Model.Name) {
				all.Models = append(all.Models, others.Models[i])
			}
		}
		slices.SortFunc(all.Models, func(a, b backend.Entry) int { return cmp.Compare(a.Model.Name, b.Model.Name) })
	case !fault.Is(err, fault.Forbidden):
		return nil, err
	}
	return all, nil
}
