package record

import (
	"context"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// Create implements backend.Backend.
func (e *Engine) Create(ctx context.Context, c *backend.Caller, model string, values []backend.Values) (*backend.Created, error) {
	if err := e.ahead(ctx, c, model, values...); err != nil {
		return nil, err
	}
	var created *backend.Created
	err := e.write(ctx, c, func(env *Env) error {
		m, err := env.callContext.model(model, schema.Create)
		if err != nil {
			return err
		}
		if m.NoCreate {
			return fault.Newf(fault.Forbidden, "Records of %s are made by Gatehouse itself", m.Name)
		}
		if err := env.inScope(m, values...); err != nil {
			return err
		}
		ids, err := env.create(m, values)
		if err != nil {
			return err
		}
		created = &backend.Created{IDs: ids}
		if len(env.once) > 0 {
			created.Once = make([]map[string]string, len(ids))
			for i, id := range ids {
				created.Once[i] = env.once[id]
			}
		}
		return nil
	})
	return created, err
}

// ahead runs what a model does before the transaction.
func (e *Engine) ahead(ctx context.Context, c *backend.Caller, model string, list ...Values) error {
	for _, l := range e.logics[model] {
		if l.Ahead == nil || !c.Admin && !c.Superuser {
			continue
		}
		for _, values := range list {
			if err := l.Ahead(ctx, values); err != nil {
				return err
			}
		}
	}
	return nil
}

// newRecord is a record on its way into the database.
type newRecord struct {
	id     int64  // that it is to have; 0: the next
	values Values // stored fields, converted
	lines  Values // x2many fields, as commands
	later  Values // related fields to write through once it exists
	files  Values // what is attached
	given  map[string]bool
}

// setFields adds the fields that have a value, given or by default: the
// constraints to look at, as in Odoo.
func (n *newRecord) setFields(set map[string]bool) {
	for _, values := range []Values{n.values, n.lines, n.later, n.files} {
		for name, v := range values {
			if v != nil {
				set[name] = true
			}
		}
	}
	for name := range n.given {
		set[name] = true
	}
}

// create makes records of one model, all with their lines.
func (e *Env) create(m *schema.Model, list []Values) ([]int64, error) {
	e.enter()
	defer e.leave()
	news, err := e.prepareAll(m, list)
	if err != nil {
		return nil, err
	}
	return e.created(m, list, news)
}

// CreateAt makes a record with an id from schema.Model.IDsBelow on, which
// stands for what is known elsewhere by a number.
func (e *Env) CreateAt(model string, id int64, values Values) error {
	m, err := e.callContext.model(model, schema.Create)
	if err != nil {
		return err
	}
	if m.IDsBelow == 0 || id < m.IDsBelow {
		return fault.Newf(fault.Internal, "ids of %s are not given", model)
	}
	e.enter()
	defer e.leave()
	list := []Values{values}
	news, err := e.prepareAll(m, list)
	if err != nil {
		return err
	}
	news[0].id = id
	_, err = e.created(m, list, news)
	return err
}

// created stores new records and does what follows from them.
func (e *Env) created(m *schema.Model, list []Values, news []*newRecord) ([]int64, error) {
	ids, err := e.insert(m, news)
	if err != nil {
		return nil, err
	}
	e.auditCreated(m, ids)
	e.tellCreated(m, ids)
	for i, n := range news {
		defer e.protect(m, ids[i:i+1], n.given)()
	}
	if m.ParentStore {
		if err := e.newParentPaths(m, ids, news); err != nil {
			return nil, err
		}
	}
	for i, n := range news {
		if err := e.affected(m, ids[i:i+1], change{fresh: true}); err != nil {
			return nil, err
		}
		for _, f := range m.Fields { // in the order of declaration, not of the map
			if cmds, ok := n.lines[f.Name].([]Command); ok {
				if err := e.applyX2many(m, ids[i], f, cmds, true); err != nil {
					return nil, inBulk(err, i, len(list))
				}
			}
		}
		if err := e.attachFiles(m, ids[i:i+1], n.files); err != nil {
			return nil, inBulk(err, i, len(list))
		}
		if len(n.later) > 0 {
			if err := e.writeThrough(m, ids[i:i+1], n.later); err != nil {
				return nil, inBulk(err, i, len(list))
			}
		}
	}
	set := map[string]bool{}
	for _, n := range news {
		n.setFields(set)
	}
	if err := e.finish(m, ids, set); err != nil {
		return nil, err
	}
	if err := e.checkRules(m, ids, schema.Create); err != nil {
		return nil, err
	}
	for _, l := range e.e.logics[m.Name] {
		if l.AfterCreate != nil {
			if err := e.hookFault(l.AfterCreate(e, e.recs(m, ids))); err != nil {
				return nil, err
			}
		}
	}
	return ids, e.signalModel(m)
}

// prepareAll looks at the values of new records and completes them.
func (e *Env) prepareAll(m *schema.Model, list []Values) ([]*newRecord, error) {
	for _, values := range list {
		if err := e.mayGrant(m, schema.Create, values); err != nil {
			return nil, err
		}
	}
	news := make([]*newRecord, len(list))
	for i, values := range list {
		n, err := e.prepare(m, values)
		if err != nil {
			return nil, inBulk(err, i, len(list))
		}
		news[i] = n
	}
	return news, nil
}

// signalModel tells the other nodes when the registry changed.
func (e *Env) signalModel(m *schema.Model) error {
	if registryModel(m.Name) {
		return e.signal(RegistrySignal)
	}
	return nil
}

// inBulk names the record of a bulk that an error is about.
func inBulk(err error, i, n int) error {
	if n == 1 {
		return err
	}
	f := *fault.From(err)
	if f.Kind == fault.Internal {
		return err
	}
	f.Message = "Record " + placeholder(i)[1:] + ": " + f.Message
	return &f
}

// prepare makes the complete values of one record: given ones, defaults, the
// model's own logic, delegation parents, early computes.
func (e *Env) prepare(m *schema.Model, given Values) (*newRecord, error) {
	values, err := e.clean(m, e.odooValues(m, given, false))
	if err != nil {
		return nil, err
	}
	n := &newRecord{given: make(map[string]bool, len(values)), lines: Values{}, later: Values{}, files: Values{}}
	for name := range values {
		n.given[name] = true
	}
	if err := e.checkLinks(m, values); err != nil {
		return nil, err
	}
	if err := e.defaults(m, values); err != nil {
		return nil, err
	}
	for _, l := range e.e.logics[m.Name] {
		if l.Prepare == nil {
			continue
		}
		if err := e.hookFault(l.Prepare(e, values)); err != nil {
			return nil, err
		}
		if values, err = e.clean(m, values); err != nil {
			return nil, err
		}
	}
	if err := e.createParents(m, values); err != nil {
		return nil, err
	}
	if err := e.early(m, values, n.given); err != nil {
		return nil, err
	}
	if err := e.newProperties(m, values); err != nil {
		return nil, err
	}
	e.roundAmounts(m, values, Rec{env: e, model: m, draft: values})
	if err := e.required(m, values); err != nil {
		return nil, err
	}
	for name, v := range values {
		f := m.Field(name)
		switch {
		case f.Attached:
			n.files[name] = v
			delete(values, name)
		case f.Inherited:
			delete(values, name) // written with the parent
		case f.Type.IsX2many():
			n.lines[name] = v
			delete(values, name)
		case !f.Store:
			n.later[name] = v
			delete(values, name)
		}
	}
	n.values = values
	return n, nil
}

// createParents makes or updates the records that the model delegates to.
func (e *Env) createParents(m *schema.Model, values Values) error {
	for _, in := range m.Inherits {
		inherited := Values{}
		for name, v := range values {
			f := m.Field(name)
			if f.Inherited && f.Related[0] == in.Field {
				inherited[f.Related[1]] = v
			}
		}
		parent := e.st.reg.Model(in.Model)
		if id, ok := values[in.Field].(int64); ok {
			if len(inherited) > 0 {
				if err := e.Write(e.recs(parent, []int64{id}), inherited); err != nil {
					return err
				}
			}
			continue
		}
		recs, err := e.Create(in.Model, inherited)
		if err != nil {
			return err
		}
		values[in.Field] = recs[0].id
	}
	return nil
}

// insert stores the records' own columns, all in one round trip.
func (e *Env) insert(m *schema.Model, news []*newRecord) ([]int64, error) {
	ids := make([]int64, len(news))
	stmts := make([]sqldb.Stmt, len(news))
	for i, n := range news {
		stmts[i] = e.insertOne(m, n)
		stmts[i].Each = func(r sqldb.Row) error {
			ids[i] = r.Int(0)
			return nil
		}
	}
	if err := e.tx.Batch(e.ctx, stmts); err != nil {
		for _, n := range news {
			e.suspects(m, err, true, n.values)
		}
		return nil, violation(m, err)
	}
	for i, n := range news {
		e.cache.inserted(e.st, m, ids[i], n.values)
	}
	return ids, nil
}

func (e *Env) insertOne(m *schema.Model, n *newRecord) sqldb.Stmt {
	c, values := e.compiler(), n.values
	var columns, marks []string
	if next := e.tx.Dialect().NextBelow(m.Table, m.IDsBelow); n.id != 0 {
		columns, marks = append(columns, "id"), append(marks, c.arg(n.id))
	} else if m.IDsBelow != 0 && next != "" {
		columns, marks = append(columns, "id"), append(marks, next)
	}
	for _, f := range m.Fields { // in one order, so that like statements are prepared once
		if !f.HasColumn() || f.Name == "id" {
			continue
		}
		v, ok := values[f.Name]
		switch {
		case v == SelfID:
			marks = append(marks, e.tx.Dialect().SelfID(m.Table))
		case ok && v != nil:
			marks = append(marks, c.arg(e.stored(f, v)))
		case f.Name == "create_uid" || f.Name == "write_uid":
			marks = append(marks, c.arg(e.UserID()))
		case f.Name == "create_date" || f.Name == "write_date":
			marks = append(marks, c.arg(e.moment))
		default:
			continue // as in Odoo NULL, which reads as 0 or false
		}
		columns = append(columns, quote(f.Name))
	}
	sql := "insert into " + quote(m.Table) + " (" + strings.Join(columns, ", ") + ") values (" + strings.Join(marks, ", ") + ") returning id"
	if len(columns) == 0 {
		sql = "insert into " + quote(m.Table) + " default values returning id"
	}
	return sqldb.Stmt{SQL: sql, Args: c.args}
}

// finish computes what follows from a change and checks the constraints, at
// the end of the outermost operation.
func (e *Env) finish(m *schema.Model, ids []int64, fields map[string]bool) error {
	if err := e.flush(); err != nil {
		return err
	}
	for _, l := range e.e.logics[m.Name] {
		for _, check := range l.Checks {
			if !concerns(check.Fields, fields) {
				continue
			}
			for _, r := range e.recs(m, ids) {
				if err := e.hookFault(check.Check(e, r)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func concerns(checked []string, written map[string]bool) bool {
	if len(checked) == 0 {
		return true
	}
	for _, f := range checked {
		if written[f] {
			return true
		}
	}
	return false
}

// newParentPaths sets parent_path of new records: the parent's and the own id.
func (e *Env) newParentPaths(m *schema.Model, ids []int64, news []*newRecord) error {
	for i, n := range news {
		parent, _ := n.values[m.ParentName].(int64)
		if err := e.setParentPath(m, ids[i], parent); err != nil {
			return err
		}
	}
	return nil
}

func (e *Env) setParentPath(m *schema.Model, id, parent int64) error {
	table := quote(m.Table)
	own := "cast(id as text) || '/'"
	sql := "update " + table + " set parent_path = " + own + " where id = $1"
	args := []any{id}
	if parent != 0 {
		sql = "update " + table + " set parent_path = (select p.parent_path from " + table + " p where p.id = $2) || " + own + " where id = $1"
		args = append(args, parent)
	}
	e.cache.changed(e.st, m, []int64{id})
	_, err := e.tx.Exec(e.ctx, sql, args...)
	return err
}
