package record

import (
	"reflect"
	"slices"
	"strings"

	"gatehouse/internal/access"
	"gatehouse/internal/audit"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// trail is what a transaction changes of policy: for each record what it was
// before the first change. What became of it is looked at when the transaction
// ends, so that a record has one entry however many writes there were.
type trail struct {
	order []trailKey
	seen  map[trailKey]*trailEntry
	// method is what runs on records of a model, "" for none.
	model, method string
}

type trailKey struct {
	m  *schema.Model
	id int64
}

type trailEntry struct {
	action        string
	before, after Values
	name          string
	fields        []*schema.Field // those that were touched
	forced        bool            // an entry even if no field changed
}

// auditedFields are the fields of each model whose changes are kept. All of
// Gatehouse's own models are policy, whichever come, and these of Odoo's.
func auditedFields(reg *schema.Registry) map[string][]*schema.Field {
	if reg.Model(audit.Model) == nil {
		return nil
	}
	all := map[string][]*schema.Field{}
	for _, name := range reg.Names() {
		m := reg.Model(name)
		if (!m.AdminOnly && !policyModel(name)) || m.Abstract || name == audit.Model {
			continue
		}
		for _, f := range m.Fields {
			if auditedField(m, f) {
				all[name] = append(all[name], f)
			}
		}
	}
	return all
}

// policyModel names the models of Odoo that decide who may do what.
func policyModel(name string) bool {
	switch name {
	case "ir.model.access", "ir.rule", "res.groups", "res.users", "res.users.apikeys", "ir.config_parameter":
		return true
	}
	return false
}

func auditedField(m *schema.Model, f *schema.Field) bool {
	if m.Name == "res.users" { // the rest is a person's own business
		return access.GrantsField(m.Name, f.Name)
	}
	return f.Store && !automatic(f.Name) && !f.Computed && !f.Inherited && !f.Attached &&
		f.Type != schema.Binary && f.Type != schema.One2many
}

// secretValue says that only the fact of a change may be kept. Names are looked
// at too: what comes with a later model is rather hidden than shown.
func secretValue(f *schema.Field, record Values) bool {
	if f.Secret || f.Name == "password" || f.Name == "headers" || strings.Contains(f.Name, "secret") || strings.HasSuffix(f.Name, "_hash") {
		return true
	}
	switch f.Model.Name {
	case "res.users.apikeys":
		return f.Name == "key" || f.Name == "index"
	case "ir.attachment":
		return f.Name == "access_token"
	case "ir.config_parameter":
		key, _ := record["key"].(string)
		key = strings.ToLower(key)
		return f.Name == "value" && slices.ContainsFunc([]string{"secret", "password", "token", "key", "credential"},
			func(word string) bool { return strings.Contains(key, word) })
	}
	return false
}

// audited gives the fields of a model that are kept, nil for none.
func (e *Env) audited(m *schema.Model) []*schema.Field {
	if e.caller.Origin.Via == "" {
		return nil
	}
	return e.st.audited[m.Name]
}

// bookkeeping says that Gatehouse itself changes a log or a counter in the
// course of something else: that is no decision of anybody.
func (e *Env) bookkeeping(m *schema.Model) bool {
	return m.NoCreate && e.depth > 1 && (e.trail == nil || e.trail.model != m.Name)
}

// auditCreated notes new records.
func (e *Env) auditCreated(m *schema.Model, ids []int64) {
	fields := e.audited(m)
	if fields == nil || m.NoCreate {
		return
	}
	for _, id := range ids {
		n := e.trailOf(m, id)
		n.action, n.fields = "create", fields
	}
}

// auditChanging notes what records are before values are written.
func (e *Env) auditChanging(m *schema.Model, ids []int64, values Values) error {
	all := e.audited(m)
	if all == nil || e.bookkeeping(m) {
		return nil
	}
	var fields []*schema.Field
	for _, f := range all {
		if _, ok := values[f.Name]; ok {
			fields = append(fields, f)
		}
	}
	if fields == nil {
		return nil
	}
	if m.Name == "ir.config_parameter" { // the key tells whether the value is a secret
		fields = all
	}
	action := "write"
	if e.trail != nil && e.trail.model == m.Name {
		action = e.trail.method
	}
	return e.auditBefore(m, ids, fields, action)
}

// auditUnlinking notes records that are about to be deleted.
func (e *Env) auditUnlinking(m *schema.Model, ids []int64) error {
	fields := e.audited(m)
	if fields == nil || e.bookkeeping(m) {
		return nil
	}
	if err := e.auditBefore(m, ids, fields, "unlink"); err != nil {
		return err
	}
	for _, id := range ids {
		key := trailKey{m, id}
		if n := e.trail.seen[key]; n.action == "create" { // it never was
			delete(e.trail.seen, key)
		} else {
			n.action = "unlink"
		}
	}
	return nil
}

// auditMethod notes that a method runs on records. Methods of Gatehouse's own
// models leave an entry by themselves; it may change rows by SQL.
func (e *Env) auditMethod(m *schema.Model, ids []int64, name string, method Method) error {
	fields := e.audited(m)
	if fields == nil || method.ReadOnly {
		return nil
	}
	e.startTrail()
	e.trail.model, e.trail.method = m.Name, name
	if !m.AdminOnly {
		return nil
	}
	if err := e.auditBefore(m, ids, fields, name); err != nil {
		return err
	}
	for _, id := range ids {
		e.trail.seen[trailKey{m, id}].forced = true
	}
	return nil
}

func (e *Env) startTrail() {
	if e.trail == nil {
		e.trail = &trail{seen: map[trailKey]*trailEntry{}}
	}
}

func (e *Env) trailOf(m *schema.Model, id int64) *trailEntry {
	e.startTrail()
	key := trailKey{m, id}
	n := e.trail.seen[key]
	if n == nil {
		n = &trailEntry{before: Values{}}
		e.trail.seen[key] = n
		e.trail.order = append(e.trail.order, key)
	}
	return n
}

// auditBefore reads the fields of records that no earlier change of the
// transaction has touched.
func (e *Env) auditBefore(m *schema.Model, ids []int64, fields []*schema.Field, action string) error {
	was, names, err := e.auditRead(m, ids, fields)
	if err != nil {
		return err
	}
	for _, id := range ids {
		n := e.trailOf(m, id)
		if n.action == "" {
			n.action = action
		}
		if n.name == "" {
			n.name = names[id]
		}
		if n.action == "create" {
			continue
		}
		for _, f := range fields {
			if _, ok := n.before[f.Name]; !ok {
				n.before[f.Name] = was[id][f.Name]
				n.fields = append(n.fields, f)
			}
		}
	}
	return nil
}

// auditRead reads fields and names of records as they are stored.
func (e *Env) auditRead(m *schema.Model, ids []int64, fields []*schema.Field) (map[int64]Values, map[int64]string, error) {
	c := e.Sudo().compiler()
	c.keepArchived = true
	from := c.from(m)
	exprs, readers := []string{from.alias + ".id"}, make([]reader, 0, len(fields)+1)
	all := slices.Clone(fields)
	if name := m.Field("display_name"); name != nil {
		all = append(all, name)
	}
	for i, f := range all {
		expr, kind, err := c.plainColumn(from, f)
		if err != nil {
			return nil, nil, err
		}
		exprs, readers = append(exprs, expr), append(readers, reader{kind, i + 1})
	}
	found, names := map[int64]Values{}, map[int64]string{}
	err := e.query(c, "select "+strings.Join(exprs, ", ")+" from "+from.sql()+" where "+c.d.In(from.alias+".id", c.arg(ids), true),
		func(r sqldb.Row) error {
			values := make(Values, len(fields))
			for i, f := range all {
				v := plainValue(readers[i].read(r), r.Null(i+1))
				if list, ok := v.([]int64); ok {
					slices.Sort(list)
				}
				values[f.Name] = v
			}
			names[r.Int(0)], _ = values["display_name"].(string)
			delete(values, "display_name")
			found[r.Int(0)] = values
			return nil
		})
	return found, names, err
}

// keepTrail writes the entries of the transaction.
func (e *Env) keepTrail() error {
	if e.trail == nil {
		return nil
	}
	byModel := map[*schema.Model][]int64{}
	touched := map[*schema.Model][]*schema.Field{}
	for _, key := range e.trail.order {
		if n := e.trail.seen[key]; n != nil && n.action != "unlink" {
			byModel[key.m] = append(byModel[key.m], key.id)
			for _, f := range n.fields {
				if !slices.Contains(touched[key.m], f) {
					touched[key.m] = append(touched[key.m], f)
				}
			}
		}
	}
	for m, ids := range byModel {
		now, names, err := e.auditRead(m, ids, touched[m])
		if err != nil {
			return err
		}
		for _, id := range ids {
			n := e.trail.seen[trailKey{m, id}]
			n.after = now[id]
			if name := names[id]; name != "" {
				n.name = name
			}
		}
	}
	var entries []audit.Entry
	for _, key := range e.trail.order {
		if n := e.trail.seen[key]; n != nil {
			if entry, ok := n.entry(key); ok {
				entries = append(entries, entry)
			}
		}
	}
	return audit.Write(e.ctx, e.tx, e.caller.Origin, e.moment, entries...)
}

// entry is what is kept of one record: the fields that changed.
func (n *trailEntry) entry(key trailKey) (audit.Entry, bool) {
	out := audit.Entry{Model: key.m.Name, ID: key.id, Name: n.name, Action: n.action}
	put := func(to *map[string]any, f *schema.Field, record Values) {
		v := record[f.Name]
		if list, ok := v.([]int64); v == nil || v == "" || ok && len(list) == 0 {
			if n.action == "create" || n.action == "unlink" {
				return
			}
		} else if secretValue(f, record) {
			v = audit.Masked
		}
		if *to == nil {
			*to = map[string]any{}
		}
		(*to)[f.Name] = v
	}
	for _, f := range n.fields {
		switch {
		case n.action == "create":
			put(&out.After, f, n.after)
		case n.action == "unlink":
			put(&out.Before, f, n.before)
		case !reflect.DeepEqual(n.before[f.Name], n.after[f.Name]):
			put(&out.Before, f, n.before)
			put(&out.After, f, n.after)
		}
	}
	return out, n.forced || out.Before != nil || out.After != nil
}
