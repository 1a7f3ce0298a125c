package record

import (
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/facts"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// named searches records by their name: over the fields of RecNames, or as the
// model's code is known to. A negative operator is the opposite of its positive
// one, whatever is not set included.
func (f *from) named(op domain.Op, value any) (string, error) {
	m := f.model
	if err := f.c.nameSearchable(m, value); err != nil {
		return "", err
	}
	if op.Negative() && len(m.Searching.Named) > 0 {
		positive, _ := op.Negate()
		cond, err := f.namedAmong(f.c.knownNames(m, positive, value, false), positive)
		return negate(cond), err
	}
	if len(m.Searching.Named) == 0 {
		nodes, err := f.c.nameConditions(m, op, value)
		if err != nil {
			return "", err
		}
		return f.namedAmong(nodes, op)
	}
	nodes := f.c.knownNames(m, op, value, true)
	if m.Searching.Apart {
		return f.among(domain.Disj(nodes...))
	}
	cond, err := f.namedAmong(nodes, op)
	for _, n := range m.Searching.Named {
		if n.How == facts.Rather && err == nil {
			cond, err = f.rather(n.Field, op, value, cond)
		}
	}
	return cond, err
}

// namedAmong puts the conditions of a search by name together.
func (f *from) namedAmong(nodes []domain.Node, op domain.Op) (string, error) {
	if op.IsPattern() && !op.Negative() && f.model.Searching.Below {
		return f.andBelow(domain.Disj(nodes...))
	}
	if op.Negative() {
		return f.where(domain.Conj(nodes...))
	}
	return f.where(domain.Disj(nodes...))
}

// found is the statement of a search of its own: what the caller sees, without
// archived records unless the context shows them.
func (f *from) found(n domain.Node) (string, error) {
	sub := f.c.from(f.model)
	cond, err := sub.search(n)
	return "select " + sub.alias + ".id from " + sub.sql() + " where " + cond, err
}

// among is the condition to be one of those that a search of its own finds.
func (f *from) among(n domain.Node) (string, error) {
	found, err := f.found(n)
	return f.alias + ".id in (" + found + ")", err
}

// rather prefers records whose field is the very text to all that others, the
// conditions in cond, would find.
func (f *from) rather(field string, op domain.Op, value any, cond string) (string, error) {
	if op != domain.OpEq && op != domain.OpIn && op != domain.OpILike {
		return cond, nil
	}
	if op == domain.OpILike {
		op = domain.OpEq
	}
	found, err := f.found(&domain.Leaf{Path: field, Op: op, Value: value, Pos: -1})
	return disj(f.alias+".id in ("+found+")", conj("not exists ("+found+")", cond)), err
}

// knownNames are the conditions of the facts, one of which must hold; exact
// says that those by the very text count.
func (c *compiler) knownNames(m *schema.Model, op domain.Op, value any, exact bool) (nodes []domain.Node) {
	for _, n := range m.Searching.Named {
		if leaf := nameCondition(n, op, value); leaf != nil && (exact || n.How != facts.Exact) {
			nodes = append(nodes, leaf)
		}
	}
	return nodes
}

// nameConditions are the conditions on the fields of RecNames.
func (c *compiler) nameConditions(m *schema.Model, op domain.Op, value any) ([]domain.Node, error) {
	names := m.RecNames
	if len(names) == 0 && m.RecName != "" {
		names = []string{m.RecName}
	}
	if len(names) == 0 {
		return nil, fault.Newf(fault.BadRequest, "Records of %s have no name to search by", m.Name)
	}
	nodes := make([]domain.Node, len(names))
	for i, name := range names {
		if c.isRelation(m, name) { // by the name of what is linked: where nothing is, no operator holds
			name += ".display_name"
		}
		nodes[i] = &domain.Leaf{Path: name, Op: op, Value: value, Pos: -1}
	}
	return nodes, nil
}

// isRelation says whether a path of fields ends in a relation.
func (c *compiler) isRelation(m *schema.Model, path string) bool {
	for {
		name, rest, more := strings.Cut(path, ".")
		field := m.Field(name)
		if field == nil || !field.Type.IsRelational() {
			return false
		}
		if !more {
			return true
		}
		if m = c.reg.Model(field.Relation); m == nil {
			return false
		}
		path = rest
	}
}

// nameCondition is one of the facts' conditions; nil where it does not go with
// the operator.
func nameCondition(n facts.Named, op domain.Op, value any) domain.Node {
	leaf := &domain.Leaf{Path: n.Field, Op: op, Value: value, Pos: -1}
	equal := op == domain.OpEq || op == domain.OpIn
	switch n.How {
	case facts.ByWord:
		leaf.Value = eachText(value, func(s string) string {
			word, _, _ := strings.Cut(s, " ")
			if !equal {
				word += "%"
			}
			return word
		})
		if !equal {
			leaf.Op = domain.OpEqLike
		}
	case facts.Exact:
		if op.IsPattern() {
			leaf.Op = domain.OpEq
		} else if !equal {
			return nil
		}
	case facts.Loosely:
		if equal {
			return nil
		}
		leaf.Op = domain.OpILike
	case facts.Rather:
		return nil // a condition of its own
	}
	return leaf
}

// eachText changes a text, or each text of a list.
func eachText(value any, change func(string) string) any {
	switch v := value.(type) {
	case string:
		return change(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = eachText(v[i], change)
		}
		return out
	}
	return value
}

// andBelow renders "is, or lies below, a record that the domain finds for the
// caller".
func (f *from) andBelow(n domain.Node) (string, error) {
	t, err := f.tree(f.model.Field("id"), domain.OpChildOf)
	if err != nil {
		return "", err
	}
	found, err := f.found(n)
	if err != nil {
		return "", err
	}
	return f.within(f.alias+".id", f.alias, t, roots{query: found}, true)
}

// nameSearchable says whether what a search by name finds follows from data.
func (c *compiler) nameSearchable(m *schema.Model, value any) error {
	switch {
	case m.Gap != "":
		return provable(m)
	case m.Python.Names:
		return backend.CannotProve(backend.PythonNames, m.Name, "")
	}
	if err := c.sameSearch(m); err != nil {
		return err
	}
	for _, s := range textsOf(value) {
		for _, odd := range m.Searching.Odd {
			if odd.MatchString(s) {
				return backend.CannotProve(backend.PythonNames, m.Name, "for such a text")
			}
		}
	}
	return nil
}

// textsOf are the texts of a value or a list of values.
func textsOf(value any) (texts []string) {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		for _, one := range v {
			texts = append(texts, textsOf(one)...)
		}
	}
	return texts
}

// sameSearch refuses contexts that make the model's code search for something
// else.
func (c *compiler) sameSearch(m *schema.Model) error {
	for _, key := range c.contextKeys {
		if slices.Contains(m.Searching.Contexts, key) {
			return backend.CannotProve(backend.ContextKey, key, "searches in "+m.Name)
		}
	}
	return nil
}

// ownOrder is a model's order, unless a key of the context makes its code order
// otherwise.
func (c *compiler) ownOrder(m *schema.Model) (string, error) {
	for _, key := range c.contextKeys {
		if slices.Contains(m.Searching.Sorting, key) {
			return "", backend.CannotProve(backend.ContextKey, key, "the order of "+m.Name)
		}
	}
	return m.Order, nil
}

// rewritten refuses conditions that the model's code makes others of.
func rewritten(m *schema.Model, field string, op domain.Op) error {
	s := &m.Searching
	if slices.Contains(s.Fields, field) ||
		(op == domain.OpLike || op == domain.OpILike) && slices.Contains(s.Patterns, field) {
		return backend.CannotProve(backend.PythonSearch, m.Name+"."+field, "")
	}
	return nil
}
