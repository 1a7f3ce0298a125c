package odoo

import (
	"encoding/json"
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

// keyset reads on behind the value of the first term of an order. What comes
// after that decides among records with the same value only, and those of the
// last value that were seen are left out by their ids. So the further terms may
// be anything, and moments, which the Odoo tells to the second and orders by
// the microsecond, are no different from days.
type keyset struct {
	field *schema.Field
	desc  bool
	what  string // of which list
	place place
}

// place is the end of a page: the value of the key, nil where nothing is set,
// and the records with it that were on this page or, with the same value, on
// pages before.
type place struct {
	Value any     `json:"v"`
	Seen  []int64 `json:"s"`
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
	key := s.model.keyed(order)
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
		if n, ok := key.place.Value.(float64); ok { // as JSON has it
			key.place.Value = int64(n)
		}
		p.where = domain.Conj(p.where, key.after())
	}
	s.mark(key)
	return nil
}

// keyed takes the first term of an order as key; nil where it cannot be one:
// the values must be told from nothing, and compare as the Odoo orders them.
func (m *model) keyed(order string) *keyset {
	first, _, _ := strings.Cut(order, ",")
	parts := orderTerm.FindStringSubmatch(strings.TrimSpace(first))
	if parts == nil || parts[2] != "" || parts[4] != "" {
		return nil
	}
	f := m.Field(parts[1])
	if f == nil || !f.Store && f.Name != "id" {
		return nil
	}
	switch f.Type {
	case schema.Char, schema.Date, schema.Datetime:
	case schema.Integer:
		if !f.Required && f.Name != "id" { // 0 is nothing, too
			return nil
		}
	default:
		return nil
	}
	return &keyset{field: f, desc: strings.EqualFold(parts[3], "desc")}
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

// after is the condition that a record comes behind the place. Odoo puts what
// is not set last, and first in a descending order.
func (k *keyset) after() domain.Node {
	name := k.field.Name
	unset := &domain.Leaf{Path: name, Op: domain.OpEq, Value: false, Pos: -1}
	var behind domain.Node
	switch op := domain.OpGe; {
	case k.place.Value == nil && k.desc:
		behind = domain.Const(true) // those that are not set came first
	case k.place.Value == nil:
		behind = unset
	case k.desc:
		behind = k.upTo()
	default:
		behind = domain.Disj(&domain.Leaf{Path: name, Op: op, Value: k.place.Value, Pos: -1}, unset)
		if name == "id" || k.field.Type == schema.Integer {
			behind = &domain.Leaf{Path: name, Op: op, Value: k.place.Value, Pos: -1}
		}
	}
	return domain.Conj(behind, &domain.Leaf{Path: "id", Op: domain.OpNotIn, Value: anys(k.place.Seen), Pos: -1})
}

// upTo is the condition of a descending order. A moment was told without its
// fraction of a second.
func (k *keyset) upTo() domain.Node {
	value := k.place.Value
	if text, ok := value.(string); ok && k.field.Type == schema.Datetime {
		value = text + ".999999"
	}
	return &domain.Leaf{Path: k.field.Name, Op: domain.OpLe, Value: value, Pos: -1}
}

// mark notes the place of each record that is given.
func (s *search) mark(k *keyset) {
	before := s.out.each
	at := -1
	for i, name := range s.out.extra {
		if name == k.field.Name {
			at = i
		}
	}
	if at < 0 {
		at = len(s.out.extra)
		s.out.extra = append(s.out.extra, k.field.Name)
	}
	s.out.each = func(row []backend.Value, extra [][]byte) {
		if before != nil {
			before(row, extra)
		}
		var v any
		if raw := extra[at]; len(raw) > 0 && string(raw) != "false" {
			_ = json.Unmarshal(raw, &v) // it was read as a value already
		}
		if n, ok := v.(float64); ok {
			v = int64(n)
		}
		if v != k.place.Value {
			k.place = place{Value: v}
		}
		k.place.Seen = append(k.place.Seen, row[0].Int)
	}
}

// next sets the cursor behind the page.
func (k *keyset) next(s *search, more bool) error {
	if !more {
		return nil
	}
	return s.b.cursors.Follow(s.query.Keyset, k.place, k.what)
}

// listKey says of which list a cursor is: of all but the fields and the limit.
func (s *search) listKey(p *paging) string {
	key, _ := json.Marshal([]any{ // nothing in it can fail
		s.caller.UserID, s.query.Model, p.order, json.RawMessage(domain.JSON(p.where)), contextOf(&s.caller.Context),
	})
	return string(key)
}
