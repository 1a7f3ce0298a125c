package record

import (
	"context"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

var _ backend.Upserter = (*Engine)(nil)

// Upsert implements backend.Upserter.
func (e *Engine) Upsert(ctx context.Context, c *backend.Caller, model, key string, values []backend.Values) ([]backend.Upserted, error) {
	if err := e.ahead(ctx, c, model, values...); err != nil {
		return nil, err
	}
	var done []backend.Upserted
	err := e.write(ctx, c, func(env *Env) (err error) {
		done, err = env.upsert(model, key, values)
		return err
	})
	return done, err
}

func (e *Env) upsert(model, key string, list []Values) ([]backend.Upserted, error) {
	m, err := e.callContext.model(model, schema.Write)
	if err == nil {
		m, err = e.callContext.model(model, schema.Create)
	}
	if err != nil {
		return nil, err
	}
	if m.NoCreate {
		return nil, fault.Newf(fault.Forbidden, "Records of %s are made by Gatehouse itself", m.Name)
	}
	if err := e.inScope(m, list...); err != nil {
		return nil, err
	}
	if err := e.keyField(m, key); err != nil {
		return nil, err
	}
	// Whoever upserts by the same key waits here, so that what is not found is
	// still not there when it is created.
	if err := sqldb.Lock(e.ctx, e.tx, "upsert\x00"+model+"\x00"+key); err != nil {
		return nil, err
	}
	done := make([]backend.Upserted, len(list))
	for i, values := range list {
		if done[i], err = e.upsertOne(m, key, values); err != nil {
			return nil, inBulk(err, i, len(list))
		}
	}
	return done, nil
}

// keyField says whether records can be named by a field.
func (e *Env) keyField(m *schema.Model, key string) error {
	if key == backend.ExternalID {
		return nil
	}
	f, err := e.compiler().field(m, key, "key")
	if err != nil {
		return err
	}
	switch f.Type {
	case schema.Char, schema.Text, schema.Integer, schema.Selection, schema.Many2one, schema.Date, schema.Datetime:
		if f.Store && key != "id" {
			return nil
		}
	}
	return fault.Newf(fault.BadRequest, "The field %s of %s cannot be the key of an upsert: it takes a stored field with one value, "+
		"such as a reference, or %s", key, m.Name, backend.ExternalID).With(fault.FieldErrors{"key": "not usable as a key"})
}

func (e *Env) upsertOne(m *schema.Model, key string, given Values) (backend.Upserted, error) {
	value := given[key]
	if isFalsy(nil, value) {
		return backend.Upserted{}, fault.Newf(fault.BadRequest, "Missing required field: %s", key).
			With(fault.FieldErrors{key: "is the key of this upsert"})
	}
	if key == backend.ExternalID {
		return e.upsertByExternalID(m, value, given)
	}
	found, err := e.withKey(m, key, value)
	switch {
	case err != nil:
		return backend.Upserted{}, err
	case len(found) > 1:
		return backend.Upserted{}, fault.Newf(fault.Conflict, "More than one record of %s has this %s", m.Name, key).
			With(map[string]any{"field": key, "ids": found})
	case len(found) == 1:
		return backend.Upserted{ID: found[0]}, e.write(m, found, given)
	}
	ids, err := e.create(m, []Values{given})
	if err != nil {
		return backend.Upserted{}, err
	}
	return backend.Upserted{ID: ids[0], Created: true}, nil
}

// withKey finds the records with a key, archived ones too; two are enough to
// know that there are too many.
func (e *Env) withKey(m *schema.Model, key string, value any) ([]int64, error) {
	if err := e.flush(); err != nil {
		return nil, err
	}
	converted, err := e.convert(m.Field(key), value)
	if err != nil {
		return nil, err
	}
	leaf := &domain.Leaf{Path: key, Op: domain.OpIn, Value: []any{converted}, Pos: -1}
	return e.searchIDs(m, leaf, searchOptions{archived: true, limit: 2, order: "id"})
}

// upsertByExternalID does as Odoo's load: a name without a module is of the
// module __import__.
func (e *Env) upsertByExternalID(m *schema.Model, value any, given Values) (backend.Upserted, error) {
	text, _ := value.(string)
	module, name, dotted := strings.Cut(text, ".")
	if !dotted {
		module, name = "__import__", text
	}
	if module == "" || name == "" || strings.ContainsAny(text, " \t\n") || strings.Contains(name, ".") || len(text) > 250 {
		return backend.Upserted{}, fault.New(fault.BadRequest, "external_id must be a text like shop.customer_7").
			With(fault.FieldErrors{backend.ExternalID: "expected module.name"})
	}
	values := make(Values, len(given))
	for field, v := range given {
		if field != backend.ExternalID {
			values[field] = v
		}
	}
	known, owner, err := e.externalID(module, name)
	switch {
	case err != nil:
		return backend.Upserted{}, err
	case known != 0 && owner != m.Name:
		return backend.Upserted{}, fault.Newf(fault.Conflict, "The external id %s is that of a record of another model", backend.Shorten(text))
	case known != 0:
		return backend.Upserted{ID: known}, e.write(m, []int64{known}, values)
	}
	if err := e.mayName(module); err != nil {
		return backend.Upserted{}, err
	}
	ids, err := e.create(m, []Values{values})
	if err != nil {
		return backend.Upserted{}, err
	}
	return backend.Upserted{ID: ids[0], Created: true}, e.nameExternally(m, ids[0], module, name)
}

// mayName keeps credentials that may not change who may do what from giving
// external ids in modules whose ids groups, rights and rules are known by.
func (e *Env) mayName(module string) (err error) {
	if e.caller.Ungranting == nil {
		return nil
	}
	policy := false
	err = e.tx.Query(e.ctx, `select 1 from ir_model_data where module = $1
		and model in ('res.groups', 'ir.model.access', 'ir.rule', 'ir.model') limit 1`, []any{module},
		func(sqldb.Row) error { policy = true; return nil })
	if err == nil && policy {
		return fault.Newf(fault.Forbidden, "New external ids of the module %s need the scope admin: use a module of your own, as in shop.customer_7",
			backend.Shorten(module)).Because(e.caller.Ungranting)
	}
	return err
}

// nameExternally gives a new record its external id. As in Odoo's load that
// needs no right of its own.
func (e *Env) nameExternally(m *schema.Model, id int64, module, name string) error {
	_, err := e.tx.Exec(e.ctx, `insert into ir_model_data (module, name, model, res_id, noupdate, create_uid, create_date, write_uid, write_date)
		values ($1, $2, $3, $4, $5, $6, $7, $6, $7)`, module, name, m.Name, id, false, e.UserID(), e.moment)
	return err
}

// externalID finds the record of an external id, 0 for none. An id whose record
// is gone is none: it is taken away.
func (e *Env) externalID(module, name string) (id int64, model string, err error) {
	err = e.tx.Query(e.ctx, `select res_id, model from ir_model_data where module = $1 and name = $2`, []any{module, name},
		func(r sqldb.Row) error {
			id, model = r.Int(0), r.Text(1)
			return nil
		})
	m := e.st.reg.Model(model)
	if err != nil || id == 0 || m == nil || m.Abstract {
		return id, model, err
	}
	exist, err := e.existing(e.tx, m, []int64{id})
	if err != nil || exist[id] {
		return id, model, err
	}
	_, err = e.tx.Exec(e.ctx, `delete from ir_model_data where module = $1 and name = $2`, module, name)
	return 0, "", err
}
