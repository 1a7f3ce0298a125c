package odoopoll

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// thing is a record of the far side.
type thing struct {
	name, note       string
	link             backend.Value
	created, written int64
	hidden           bool
}

// far is an Odoo as a Poller sees one: moments to the second, and nothing of
// what is hidden.
type far struct {
	model    *schema.Model
	things   map[int64]*thing
	calls    int
	largest  int // answer, in records
	fail     error
	failIDs  error  // of reading by id
	breaks   string // a field that domains must not name
	counts   int
	order    []int64 // ids, sorted; nil: to be sorted anew
	lastText string
	lastAt   int64
}

func newFar() *far {
	stamp := func(name string) *schema.Field { return schema.NewDatetime(name, name) }
	m := &schema.Model{Name: "x.thing", Fields: []*schema.Field{
		schema.NewInteger("id", "ID"), schema.NewChar("name", "Name"), schema.NewText("note", "Note"),
		schema.NewMany2one("link", "Link", "x.thing"), stamp(written), stamp(created),
	}}
	for _, f := range m.Fields {
		f.Store = true
	}
	return &far{model: m.Finish(), things: map[int64]*thing{}}
}

func (f *far) Model(_ context.Context, _ *backend.Caller, name string) (*schema.Model, error) {
	if f.fail != nil {
		return nil, f.fail
	}
	if name != f.model.Name {
		return nil, fault.Newf(fault.NotFound, "Unknown model: %s", name)
	}
	return f.model, nil
}

func (f *far) sorted() []int64 {
	if f.order == nil {
		f.order = slices.Sorted(maps.Keys(f.things))
	}
	return f.order
}

// holds says whether a domain finds a record.
func (f *far) holds(n domain.Node, id int64, t *thing) bool {
	switch n := n.(type) {
	case nil:
		return true
	case domain.Const:
		return bool(n)
	case domain.And:
		for _, one := range n {
			if !f.holds(one, id, t) {
				return false
			}
		}
		return true
	case *domain.Leaf:
		switch n.Path {
		case "id":
			if list, ok := n.Value.([]any); ok {
				return slices.Contains(list, any(id))
			}
			return compares(n.Op, cmp.Compare(id, n.Value.(int64)))
		case "name":
			return t.name == n.Value
		case written:
			return compares(n.Op, cmp.Compare(t.written, f.parsed(n.Value.(string))))
		}
	}
	panic(fmt.Sprintf("the far side does not know %v", n))
}

func (f *far) parsed(text string) int64 {
	if f.lastText != text {
		at, err := time.Parse(schema.DatetimeLayout, text)
		if err != nil {
			panic(err)
		}
		f.lastText, f.lastAt = text, at.UnixMicro()
	}
	return f.lastAt
}

func compares(op domain.Op, c int) bool {
	switch op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	case ">=":
		return c >= 0
	}
	return c == 0
}

// ids are those in the list of a domain, which needs no look at all others.
func (f *far) candidates(n domain.Node) []int64 {
	if and, ok := n.(domain.And); ok && len(and) > 0 {
		n = and[0]
	}
	if l, ok := n.(*domain.Leaf); ok && l.Path == "id" {
		if list, ok := l.Value.([]any); ok {
			ids := make([]int64, len(list))
			for i, id := range list {
				ids[i] = id.(int64)
			}
			return ids
		}
		if after, ok := l.Value.(int64); ok && l.Op == domain.OpGt {
			all := f.sorted()
			at, _ := slices.BinarySearch(all, after+1)
			return all[at:]
		}
	}
	return f.sorted()
}

func (f *far) Search(_ context.Context, _ *backend.Caller, q *backend.Query, sink backend.Sink) (int64, error) {
	if f.fail != nil {
		return -1, f.fail
	}
	fields := q.Fields
	if fields == nil {
		fields = []string{"id", "name", "note", "link", written, created}
	}
	cols := make([]backend.Column, len(fields))
	for i, name := range fields {
		cols[i] = backend.Column{Name: name, Field: f.model.Field(name)}
	}
	if q.IDs != nil && len(q.IDs) == 0 {
		return -1, sink.Columns(cols)
	}
	f.calls++
	if f.breaks != "" && strings.Contains(string(domain.JSON(q.Domain)), `"`+f.breaks+`"`) {
		return -1, fault.Newf(fault.BadRequest, "There is no field %s", f.breaks)
	}
	var found []int64
	if q.IDs != nil && f.failIDs != nil {
		return -1, f.failIDs
	}
	if q.IDs != nil {
		for _, id := range q.IDs {
			if t := f.things[id]; t != nil && t.hidden {
				return -1, fault.New(fault.Forbidden, "You may not")
			} else if t != nil {
				found = append(found, id)
			}
		}
	} else {
		for _, id := range f.candidates(q.Domain) {
			t := f.things[id]
			if t == nil || t.hidden || !f.holds(q.Domain, id, t) {
				continue
			}
			found = append(found, id)
			if q.Order == "id" && q.Limit > 0 && len(found) == q.Limit {
				break
			}
		}
		if strings.HasPrefix(q.Order, written) {
			slices.SortStableFunc(found, func(a, b int64) int { return cmp.Compare(f.things[a].written, f.things[b].written) })
			if strings.Contains(q.Order, "desc") {
				slices.Reverse(found)
			}
		}
		if q.Limit > 0 && len(found) > q.Limit {
			found = found[:q.Limit]
		}
	}
	f.largest = max(f.largest, len(found))
	if err := sink.Columns(cols); err != nil {
		return -1, err
	}
	for _, id := range found {
		t := f.things[id]
		row := make([]backend.Value, len(fields))
		for i, name := range fields {
			switch name {
			case "id":
				row[i] = backend.IntValue(id)
			case "name":
				row[i] = backend.TextValue(t.name)
			case "note":
				row[i] = backend.TextValue(t.note)
			case "link":
				row[i] = t.link
			case written:
				row[i] = backend.Value{Kind: backend.Datetime, Int: t.written - t.written%second}
			case created:
				row[i] = backend.Value{Kind: backend.Datetime, Int: t.created - t.created%second}
			}
		}
		if err := sink.Row(row); err != nil {
			return -1, err
		}
	}
	if len(found) < len(q.IDs) {
		return -1, fault.New(fault.NotFound, "Some are not there")
	}
	return -1, nil
}

func (f *far) Count(context.Context, *backend.Caller, string, domain.Node) (int64, error) {
	f.calls++
	f.counts++
	n := int64(0)
	for _, t := range f.things {
		if !t.hidden {
			n++
		}
	}
	return n, nil
}
