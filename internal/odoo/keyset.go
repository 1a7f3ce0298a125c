package odoo

import (
	"encoding/json"
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// paging is what part of a list is asked for.
type paging struct {
	order         string
	limit, offset int
	where         domain.Node
	key           *keyset // nil: nobody can read on behind it
}

// keyset reads on behind the values of the first terms of an order. Those that
// follow decide among records with the same values only, of which those that
// were seen are left out by their ids. So what follows may be anything, and a
// moment, which the Odoo tells to the second and orders by the microsecond, can
// be the last of the terms.
type keyset struct {
	terms []orderKey
	what  string // of which list
	place place
}

// orderKey is a term of an order that a place is told by.
type orderKey struct {
	field *schema.Field
	desc  bool
}

// place is the end of a page: the values of the terms, nil where nothing is set,
// and the records with these values that were on this page or, with the same
// values, on pages before.
type place struct {
	Values []any `json:"v"`
	Seen   seen  `json:"s"`
}

var errNotKeyed = fault.New(fault.BadRequest,
	"This order cannot be read on by a cursor: begin it with the id, or a text, a day, a moment or a required number").
	With(fault.FieldErrors{"order": "cannot be read on"})

// placed prepares a page to be read on behind, and begins it where its cursor says.
func (s *search) placed(p *paging) error {
	k := s.query.Keyset
	k.Next = ""
	order := p.order
	if order == "" {
		order = s.model.order
	}
	key := s.model.keyed(withID(order))
	if key == nil && p.order == "" && k.Wanted {
		order = "id"
		key = s.model.keyed(order)
	}
	if key == nil {
		if k.Wanted {
			return errNotKeyed
		}
		return nil
	}
	p.order, p.key = withID(order), key
	if p.limit > 0 {
		s.out.most = p.limit
		p.limit++ // the one more tells whether there are more
	}
	key.what = s.listKey(p)
	if k.After != "" {
		if err := s.b.cursors.Open(k.After, key.what, &key.place); err != nil {
			return err
		}
		if len(key.place.Values) != len(key.terms) {
			return backend.ErrCursor
		}
		for i, v := range key.place.Values {
			if n, ok := v.(float64); ok { // as JSON has it
				key.place.Values[i] = int64(n)
			}
		}
		p.where = domain.Conj(p.where, key.after())
	}
	s.mark(key)
	return nil
}

// keyed takes the first terms of an order as keys, up to the first one that
// cannot be one: values must be told from nothing, and compare as the Odoo orders
// them. nil: not even the first can.
func (m *model) keyed(order string) *keyset {
	k := &keyset{}
	for term := range strings.SplitSeq(order, ",") {
		parts := orderTerm.FindStringSubmatch(strings.TrimSpace(term))
		if parts == nil || parts[2] != "" || parts[4] != "" {
			break
		}
		f := m.Field(parts[1])
		if f == nil || !f.Store && f.Name != "id" || !placeable(f) {
			break
		}
		k.terms = append(k.terms, orderKey{f, strings.EqualFold(parts[3], "desc")})
		if f.Type == schema.Datetime || f.Name == "id" {
			break
		}
	}
	if len(k.terms) == 0 {
		return nil
	}
	return k
}

func placeable(f *schema.Field) bool {
	switch f.Type {
	case schema.Char, schema.Date, schema.Datetime:
		return true
	case schema.Integer:
		return f.Required || f.Name == "id" // else 0 is nothing, too
	}
	return false
}

// withID ends an order with the id, so that no two records have the same place.
func withID(order string) string {
	for term := range strings.SplitSeq(order, ",") {
		if name, _, _ := strings.Cut(strings.TrimSpace(term), " "); name == "id" {
			return order
		}
	}
	return order + ", id"
}

// after is the condition that a record comes behind the place.
func (k *keyset) after() domain.Node {
	var behind domain.Node = &domain.Leaf{Path: "id", Op: domain.OpNotIn, Value: anys(k.place.Seen), Pos: -1}
	for i := len(k.terms) - 1; i >= 0; i-- {
		later, same := k.terms[i].compare(k.place.Values[i])
		behind = domain.Disj(later, domain.Conj(same, behind))
	}
	return behind
}

// compare gives the conditions that a record has a later value, and the same.
// Odoo puts what is not set last, and first in a descending order. A moment was
// told without its fraction of a second.
func (k *orderKey) compare(value any) (later, same domain.Node) {
	leaf := func(op domain.Op, value any) domain.Node {
		return &domain.Leaf{Path: k.field.Name, Op: op, Value: value, Pos: -1}
	}
	set, unset := leaf(domain.OpNe, false), leaf(domain.OpEq, false)
	if k.field.Type == schema.Char { // there an empty text is as good as none, but has another place
		set, unset = leaf(domain.OpLike, "%"), leaf(domain.OpNotLike, "%")
	}
	if value == nil {
		if k.desc {
			return set, unset
		}
		return domain.Const(false), unset
	}
	same = leaf(domain.OpEq, value)
	if value == "" {
		same = domain.Conj(same, set)
	}
	end := value
	if text, ok := value.(string); ok && k.field.Type == schema.Datetime {
		end = text + ".999999"
		same = domain.Conj(leaf(domain.OpGe, value), leaf(domain.OpLe, end))
	}
	if k.desc {
		if later = leaf(domain.OpLt, value); k.field.Type == schema.Char {
			later = domain.Conj(later, set) // none is less than any text, for Odoo
		}
		return later, same
	}
	later = leaf(domain.OpGt, end)
	if k.field.Type != schema.Integer {
		later = domain.Disj(later, unset)
	}
	return later, same
}

// mark notes the place of each record that is given.
func (s *search) mark(k *keyset) {
	before := s.out.each
	at := make([]int, len(k.terms))
	for i := range k.terms {
		name := k.terms[i].field.Name
		if at[i] = slices.Index(s.out.extra, name); at[i] < 0 {
			at[i] = len(s.out.extra)
			s.out.extra = append(s.out.extra, name)
		}
	}
	s.out.each = func(row []backend.Value, extra [][]byte) {
		if before != nil {
			before(row, extra)
		}
		values := make([]any, len(at))
		for i := range at {
			values[i] = keyValue(extra[at[i]])
		}
		if !slices.Equal(values, k.place.Values) {
			k.place = place{Values: values}
		}
		k.place.Seen = append(k.place.Seen, row[0].Int)
	}
}

func keyValue(raw []byte) (v any) {
	if len(raw) > 0 && string(raw) != "false" {
		_ = json.Unmarshal(raw, &v) // it was read as a value already
	}
	if n, ok := v.(float64); ok {
		return int64(n)
	}
	return v
}

// next sets the cursor behind the page.
func (k *keyset) next(s *search, more bool) error {
	if !more {
		return nil
	}
	if len(k.place.Seen) > maxSeen && s.query.Keyset.Wanted {
		return fault.Newf(fault.BadRequest, "More than %d records have the same moment, which cannot be read on by a cursor: order by id", maxSeen).
			With(fault.FieldErrors{"cursor": "too long"})
	}
	if len(k.place.Seen) > maxSeen {
		return nil
	}
	return s.b.cursors.Follow(s.query.Keyset, k.place, k.what)
}

// listKey says of which list a cursor is: of all but the fields and the limit.
func (s *search) listKey(p *paging) string {
	key, _ := json.Marshal([]any{ // nothing in it can fail
		s.caller.UserID, s.account.UID, s.account.Login, s.query.Model, p.order, json.RawMessage(domain.JSON(p.where)), contextOf(&s.caller.Context),
	})
	return string(key)
}
