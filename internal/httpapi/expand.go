package httpapi

import (
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/identity"
	"gatehouse/internal/schema"
)

// What one request may expand: relations after one another, relations in all,
// and records behind them.
const (
	maxExpandDepth   = 8
	maxExpandLinks   = 40
	maxExpandRecords = 100_000
)

// branch is what an answer shows of the records of a model: fields, and behind
// relations among them further branches. The root is the model of the request.
type branch struct {
	place  string        // the path that leads here, "" for the root
	link   *schema.Field // the last field of it
	model  *schema.Model
	fields []string // of the model, each once, the id first
	kids   []*branch

	page   backend.Page
	placed map[int64]int // row in the page, by id
}

// tree reads dotted names of fields: country_id.code asks for a field of what
// country_id leads to. It is nil where no name has a dot. Whatever the caller
// may not read, or what is not there, is named with its place.
func (s *Server) tree(c *call, model string, names []string) (*branch, error) {
	if !slices.ContainsFunc(names, func(name string) bool { return strings.IndexByte(name, '.') >= 0 }) {
		return nil, nil
	}
	m, err := s.deps.Backend.Model(c.ctx, c.caller, model)
	if err != nil {
		return nil, err
	}
	root := &branch{model: m, fields: []string{"id"}}
	links := 0
	for _, name := range names {
		at := root
		steps := strings.Split(name, ".")
		if len(steps) > maxExpandDepth {
			return nil, wrongParam("fields", "follows more than "+strconv.Itoa(maxExpandDepth-1)+" relations in "+wire.Quote(name))
		}
		for i, step := range steps {
			field, err := at.take(step)
			if err != nil {
				return nil, err
			}
			if i == len(steps)-1 {
				break
			}
			next := at.kid(step)
			if next == nil {
				if links++; links > maxExpandLinks {
					return nil, wrongParam("fields", "expands more than "+strconv.Itoa(maxExpandLinks)+" relations")
				}
				if next, err = s.grow(c, at, field, name); err != nil {
					return nil, err
				}
			}
			at = next
		}
	}
	return root, s.permitted(c, root.kids)
}

// take finds a field of the branch and notes that it is to be read.
func (b *branch) take(name string) (*schema.Field, error) {
	f := b.model.Field(name)
	if f == nil || f.Secret {
		near := b.model.NearestField(name)
		if near != "" {
			near = b.path(near)
		}
		var unknown wire.Problems
		unknown.Unknown(b.path(name), near)
		return nil, unknown.Err()
	}
	if !slices.Contains(b.fields, name) {
		b.fields = append(b.fields, name)
	}
	return f, nil
}

func (b *branch) kid(name string) *branch {
	if b == nil {
		return nil
	}
	for _, kid := range b.kids {
		if kid.link.Name == name {
			return kid
		}
	}
	return nil
}

func (b *branch) path(name string) string {
	if b.place == "" {
		return name
	}
	return b.place + "." + name
}

// grow adds the branch that a relation leads to.
func (s *Server) grow(c *call, at *branch, link *schema.Field, name string) (*branch, error) {
	place := at.path(link.Name)
	if link.Type != schema.Many2one && !link.Type.IsX2many() {
		return nil, wrongParam("fields", "asks for "+wire.Name(name)+", but "+place+" is no relation: it is of type "+link.Type.String())
	}
	need := identity.Need{Action: identity.Read, Model: link.Relation}
	if strings.HasPrefix(link.Relation, adminModels) {
		need = identity.Need{Action: identity.Admin}
	}
	if !c.who.Scopes.Allows(need) {
		scope := need.String()
		if need.Action == identity.Read {
			scope = link.Relation + ":read"
		}
		return nil, fault.Newf(fault.Forbidden, "Missing scope: %s, which fields=%s needs", scope, wire.Name(name)).
			With(map[string]string{"scope": scope})
	}
	m, err := s.deps.Backend.Model(c.ctx, c.caller, link.Relation)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Newf(fault.Forbidden, "You are not allowed to read %s, which fields=%s needs", link.Relation, wire.Name(name)).Because(err)
	}
	if err != nil {
		return nil, err
	}
	kid := &branch{place: place, link: link, model: m, fields: []string{"id"}}
	at.kids = append(at.kids, kid)
	return kid, nil
}

// permitted asks of no records what is going to be asked of some, so that what
// the caller may not read is refused whatever the records are.
func (s *Server) permitted(c *call, kids []*branch) error {
	for _, kid := range kids {
		_, err := s.deps.Backend.Search(c.ctx, c.caller, &backend.Query{Model: kid.model.Name, IDs: []int64{}, Fields: kid.fields}, &backend.Page{})
		if err == nil {
			err = s.permitted(c, kid.kids)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// find searches and writes what it finds, with what is behind its relations.
func (s *Server) find(c *call, q *backend.Query, tree *branch, rows *wire.Rows) (int64, error) {
	if tree == nil {
		return s.deps.Backend.Search(c.ctx, c.caller, q, c.stamping(q, rows))
	}
	total, err := s.load(c, q, tree)
	if err != nil {
		return total, err
	}
	if err := tree.open(rows); err != nil {
		return total, err
	}
	for _, row := range tree.page.Rows {
		if err := rows.Row(row); err != nil {
			return total, err
		}
	}
	return total, nil
}

// load reads the records of a tree: one query for the root and one for each
// relation, however many records there are.
func (s *Server) load(c *call, q *backend.Query, tree *branch) (int64, error) {
	q.Fields = tree.fields
	tree.page = backend.Page{}
	total, err := s.deps.Backend.Search(c.ctx, c.caller, q, c.stamping(q, &tree.page))
	if err != nil {
		return total, err
	}
	caller := *c.caller
	caller.Context.KeepArchived = true // lists have left out already what is archived
	budget := maxExpandRecords
	return total, s.loadKids(c, &caller, tree, &budget)
}

func (s *Server) loadKids(c *call, caller *backend.Caller, b *branch, budget *int) error {
	for _, kid := range b.kids {
		kid.page, kid.placed = backend.Page{}, nil
		ids := b.linked(kid.link.Name)
		if len(ids) == 0 {
			continue
		}
		if *budget -= len(ids); *budget < 0 {
			return wrongParam("fields", "expands more than "+strconv.Itoa(maxExpandRecords)+" records; use a smaller limit")
		}
		query := backend.Query{Model: kid.model.Name, Domain: oneOfIDs("id", ids), Fields: kid.fields, Order: "id"}
		if _, err := s.deps.Backend.Search(c.ctx, caller, &query, &kid.page); err != nil {
			return err
		}
		kid.placed = make(map[int64]int, len(kid.page.Rows))
		for row, id := range kid.page.IDs() {
			kid.placed[id] = row
		}
		if err := s.loadKids(c, caller, kid, budget); err != nil {
			return err
		}
	}
	return nil
}

// linked are the records that a field of the read ones leads to, each once.
func (b *branch) linked(name string) []int64 {
	at := slices.IndexFunc(b.page.Cols, func(c backend.Column) bool { return c.Name == name })
	if at < 0 {
		return nil
	}
	var ids []int64
	for _, row := range b.page.Rows {
		if v := &row[at]; v.Kind == backend.IDs {
			ids = append(ids, v.List...)
		} else if v.Int != 0 {
			ids = append(ids, v.Int)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// open prepares to write the records of the root.
func (b *branch) open(rows *wire.Rows) error {
	rows.Nested = func(dst []byte, column int, v *backend.Value) ([]byte, bool) {
		kid := b.kid(b.page.Cols[column].Name)
		if kid == nil {
			return dst, false
		}
		return kid.append(dst, rows.Shape(), v), true
	}
	return rows.Columns(b.page.Cols)
}

// append writes what a relation leads to. A many2one to a record that the
// caller may not read shows what it shows without being expanded; lists leave
// such records out.
func (b *branch) append(dst []byte, shape wire.Shape, v *backend.Value) []byte {
	if v.Kind == backend.IDs {
		dst = append(dst, '[')
		first := true
		for _, id := range v.List {
			row, ok := b.placed[id]
			if !ok {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = b.object(dst, shape, row, nil)
		}
		return append(dst, ']')
	}
	row, ok := b.placed[v.Int]
	switch {
	case v.Int == 0 || !ok && shape != wire.Odoo:
		return wire.AppendValue(dst, shape, b.link, v)
	case !ok: // an object where objects are expected
		dst = strconv.AppendInt(append(dst, `{"id":`...), v.Int, 10)
		return append(wire.AppendString(append(dst, `,"display_name":`...), v.Text), '}')
	}
	return b.object(dst, shape, row, v)
}

// object writes a record. ref is the many2one that led to it, whose name is
// shown as without expansion, unless a field of that name is.
func (b *branch) object(dst []byte, shape wire.Shape, row int, ref *backend.Value) []byte {
	for i, value := range b.page.Rows[row] {
		sep := byte(',')
		if i == 0 {
			sep = '{'
		}
		col := &b.page.Cols[i]
		dst = append(wire.AppendString(append(dst, sep), col.Name), ':')
		if kid := b.kid(col.Name); kid != nil {
			dst = kid.append(dst, shape, &value)
		} else {
			dst = wire.AppendValue(dst, shape, col.Field, &value)
		}
		if i == 0 && ref != nil && shape != wire.Odoo && !slices.Contains(b.fields, "name") {
			dst = wire.AppendString(append(dst, `,"name":`...), ref.Text)
		}
	}
	return append(dst, '}')
}
