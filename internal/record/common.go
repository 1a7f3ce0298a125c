package record

import (
	"encoding/json"
	"fmt"
	"slices"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

func archive(e *Env, recs []Rec, active bool) (any, error) {
	if len(recs) == 0 {
		return nil, nil
	}
	m := recs[0].model
	if m.ActiveName == "" {
		return nil, fault.Newf(fault.BadRequest, "Records of %s cannot be archived", m.Name)
	}
	return nil, e.Write(recs, Values{m.ActiveName: active})
}

func copyMethod(e *Env, recs []Rec, args Values) (any, error) {
	if len(recs) == 0 {
		return []int64{}, nil
	}
	over, _ := args["default"].(map[string]any)
	if err := e.inScope(recs[0].model, over); err != nil {
		return nil, err
	}
	if err := e.copyInScope(recs[0].model, over); err != nil {
		return nil, err
	}
	if err := e.mayRead(recs); err != nil {
		return nil, err // a record that may be changed need not be one that may be seen
	}
	ids := make([]int64, len(recs))
	for i, r := range recs {
		c, err := e.Copy(r, over)
		if err != nil {
			return nil, err
		}
		ids[i] = c.id
	}
	return ids, nil
}

// Copy duplicates a record: fields that are not to be copied, computed ones and
// those the caller may not use are left out; over replaces values.
func (e *Env) Copy(r Rec, over Values) (Rec, error) {
	values, err := e.copyValues(r, over, "")
	if err != nil {
		return Rec{}, err
	}
	recs, err := e.Create(r.model.Name, values)
	if err != nil {
		return Rec{}, err
	}
	return recs[0], e.copyTranslations(r, recs[0], over)
}

func (e *Env) copyValues(r Rec, over Values, parent string) (Values, error) {
	values := Values{}
	for _, f := range r.model.Fields {
		if _, given := over[f.Name]; given || f.Name == parent || !e.copies(r.model, f) {
			continue
		}
		switch f.Type {
		case schema.One2many:
		case schema.Many2many:
			ids, err := e.readable(f.Relation, r.get(f.Name))
			if err != nil {
				return nil, err
			}
			values[f.Name] = ids
			continue
		default:
			values[f.Name] = rawValue(f, r.get(f.Name))
			continue
		}
		lines, err := e.copyLines(r.Refs(f.Name), f.Inverse)
		if err != nil {
			return nil, err
		}
		if lines != nil {
			values[f.Name] = lines
		}
	}
	for _, in := range r.model.Inherits {
		delete(values, in.Field) // the copy gets a parent of its own
	}
	for k, v := range over {
		values[k] = v
	}
	for _, l := range e.e.logics[r.model.Name] {
		if l.BeforeCopy != nil {
			if err := e.hookFault(l.BeforeCopy(e, r, values)); err != nil {
				return nil, err
			}
		}
	}
	return values, e.err
}

// copies says whether a field goes into the copy of a record.
func (e *Env) copies(m *schema.Model, f *schema.Field) bool {
	if !f.Copied || automatic(f.Name) || f.Secret || !e.mayUse(f) {
		return false
	}
	if f.Inherited {
		return e.copiesParentField(m, f)
	}
	return f.Store && !f.Computed && len(f.Related) == 0
}

// copyLines are the values of the lines that go with a copy.
func (e *Env) copyLines(recs []Rec, inverse string) ([]Values, error) {
	if err := e.mayRead(recs); err != nil {
		return nil, err
	}
	var lines []Values
	for _, line := range recs {
		values, err := e.copyValues(line, nil, inverse)
		if err != nil {
			return nil, err
		}
		lines = append(lines, values)
	}
	return lines, nil
}

// readable are those of the linked records that the caller may read: a copy is
// linked to no others.
func (e *Env) readable(model string, linked any) ([]int64, error) {
	ids, _ := linked.([]int64)
	m := e.st.reg.Model(model)
	if m == nil || len(ids) == 0 || !e.may(m, schema.Read) {
		return []int64{}, nil
	}
	c := e.compiler()
	f := c.from(m)
	rules, err := f.rules(schema.Read)
	if err != nil || rules == "true" {
		return ids, err
	}
	seen := map[int64]bool{}
	sql := "select " + f.alias + ".id from " + f.sql() + " where " + c.d.In(f.alias+".id", c.arg(ids), true) + andAlso(rules)
	err = e.query(c, sql, func(r sqldb.Row) error { seen[r.Int(0)] = true; return nil })
	return slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return !seen[id] }), err
}

// mayRead refuses records that the caller cannot see.
func (e *Env) mayRead(recs []Rec) error {
	if len(recs) == 0 {
		return nil
	}
	m := recs[0].model
	if !e.may(m, schema.Read) {
		return backend.ForbiddenModel(m.Name, schema.Read)
	}
	return e.checkRules(m, idsOf(recs), schema.Read)
}

// copiesParentField says whether a field got by delegation is copied: as its
// own model has it.
func (e *Env) copiesParentField(m *schema.Model, f *schema.Field) bool {
	link := m.Field(f.Related[0])
	parent := e.st.reg.Model(link.Relation)
	target := parent.Field(f.Related[1])
	return target != nil && target.Copied && target.Store && !target.Computed && target.Type != schema.One2many
}

func (e *Env) mayUse(f *schema.Field) bool {
	_, err := e.compiler().field(f.Model, f.Name, "copy")
	return err == nil
}

// rawValue is a stored value in the form that Convert takes.
func rawValue(f *schema.Field, v any) any {
	if s, ok := v.(string); ok && (f.Type == schema.JSON || f.Type == schema.Properties) {
		var decoded any
		if json.Unmarshal([]byte(s), &decoded) == nil {
			return decoded
		}
	}
	return v
}

// copyTranslations takes over all languages of the translated columns.
func (e *Env) copyTranslations(from, to Rec, over Values) error {
	for _, f := range from.model.Fields {
		if _, given := over[f.Name]; given || !f.HasColumn() || !f.Translate || !f.Copied {
			continue
		}
		if from.get(f.Name) != to.get(f.Name) {
			continue // the model's logic gave the copy another text
		}
		table, column := quote(from.model.Table), quote(f.Name)
		_, err := e.tx.Exec(e.ctx, "update "+table+" set "+column+" = (select o."+column+" from "+table+
			" o where o.id = $1) where id = $2", from.id, to.id)
		if err != nil {
			return violation(from.model, err) // in all languages it may be the same as another's
		}
	}
	return nil
}

func defaultGet(e *Env, recs []Rec, args Values) (any, error) {
	model, _ := args["model"].(string)
	m := e.st.reg.Model(model)
	if m == nil {
		return nil, fault.New(fault.Internal, "default_get without a model")
	}
	values := Values{}
	if err := e.defaults(m, values); err != nil {
		return nil, err
	}
	for _, f := range m.Fields { // what a company has for all its records
		if _, has := values[f.Name]; f.CompanyDependent && !has {
			if v, ok := e.compiler().fallback(f); ok {
				values[f.Name] = v
			}
		}
	}
	wanted := map[string]bool{}
	list, given := args["fields"].([]any)
	for _, v := range list {
		name, _ := v.(string)
		if m.Field(name) == nil {
			return nil, backend.NoField(m, fmt.Sprint(v), "fields")
		}
		wanted[name] = true
	}
	for name := range values {
		f := m.Field(name)
		if (given && !wanted[name]) || !e.mayUse(f) {
			delete(values, name)
			continue
		}
		if cmds, ok := values[name].([]Command); ok {
			values[name] = commandsJSON(cmds)
		}
	}
	return values, nil
}

// commandsJSON is Odoo's list form of commands.
func commandsJSON(cmds []Command) []any {
	out := []any{}
	for _, c := range cmds {
		switch c.Kind {
		case CreateLine:
			out = append(out, []any{0, 0, c.Values})
		case SetLines:
			out = append(out, []any{6, 0, c.IDs})
		case LinkLine:
			out = append(out, []any{4, c.ID})
		}
	}
	return out
}

// domainArg reads the argument "domain" of a method: a list, or text.
func domainArg(args Values, name string) (domain.Node, error) {
	var node domain.Node
	var err error
	switch v := args[name].(type) {
	case nil:
		return domain.Const(true), nil
	case string:
		node, err = domain.Parse(v, domain.Limits{})
	default:
		node, err = domain.FromValue(v, domain.Limits{})
	}
	if err != nil {
		return nil, backend.DomainFault(err)
	}
	return node, nil
}

func nameSearch(e *Env, _ []Rec, args Values) (any, error) {
	model, _ := args["model"].(string)
	node, err := domainArg(args, "domain")
	if err != nil {
		return nil, err
	}
	name, _ := args["name"].(string)
	op := domain.OpILike
	if s, ok := args["operator"].(string); ok && s != "" {
		parsed, err := domain.FromValue([]any{[]any{"display_name", s, name}}, domain.Limits{})
		leaf, isLeaf := parsed.(*domain.Leaf)
		if err != nil || !isLeaf {
			return nil, fault.Newf(fault.BadRequest, "Unknown operator %q", backend.Shorten(s))
		}
		op = leaf.Op
	}
	if name != "" || op != domain.OpILike {
		node = domain.Conj(node, &domain.Leaf{Path: "display_name", Op: op, Value: name, Pos: -1})
	}
	limit := int64(100)
	if n, err := idOf(args["limit"]); err == nil && n > 0 && n < 10000 {
		limit = n
	}
	recs, err := e.SearchNode(model, node, WithLimit(int(limit)))
	if err != nil {
		return nil, err
	}
	pairs := make([][2]any, len(recs))
	for i, r := range recs {
		pairs[i] = [2]any{r.id, r.Text("display_name")}
	}
	return pairs, e.err
}

func searchCount(e *Env, _ []Rec, args Values) (any, error) {
	name, _ := args["model"].(string)
	m, err := e.callContext.model(name, schema.Read)
	if err != nil {
		return nil, err
	}
	node, err := domainArg(args, "domain")
	if err != nil {
		return nil, err
	}
	return e.count(m, node)
}

func (e *Env) count(m *schema.Model, node domain.Node) (int64, error) {
	c := e.compiler()
	f := c.from(m)
	where, err := f.search(node)
	if err != nil {
		return 0, err
	}
	var n int64
	err = e.query(c, "select count(*) from "+f.sql()+" where "+where, func(r sqldb.Row) error {
		n = r.Int(0)
		return nil
	})
	return n, err
}
