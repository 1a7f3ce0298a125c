package record

import (
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/sqldb"
)

// orderKey is one term of an order: what decides, and which way it runs.
type orderKey struct {
	expr       string
	desc       bool
	nullsFirst bool
}

// keysOf takes the terms of an order apart. What follows the id decides nothing.
func keysOf(d sqldb.Dialect, terms []string, id string) []orderKey {
	keys := make([]orderKey, 0, len(terms))
	for _, term := range terms {
		k := orderKey{expr: term}
		nulls := ""
		for _, way := range []string{"first", "last"} {
			if rest, ok := strings.CutSuffix(k.expr, " nulls "+way); ok {
				k.expr, nulls = rest, way
			}
		}
		k.expr, k.desc = strings.CutSuffix(k.expr, " desc")
		// Where nothing is said, NULL is the largest to PostgreSQL, the smallest to SQLite.
		k.nullsFirst = nulls == "first" || nulls == "" && k.desc == (d.Name() == "postgres")
		keys = append(keys, k)
		if k.expr == id {
			break
		}
	}
	return keys
}

// keyExprs are the expressions that a row's place in the order is told by.
func keyExprs(keys []orderKey) []string {
	exprs := make([]string, len(keys))
	for i, k := range keys {
		exprs[i] = k.expr
	}
	return exprs
}

// after is the condition that a row comes after a place in the order.
func (c *compiler) after(keys []orderKey, place []*string) (string, error) {
	if len(place) != len(keys) {
		return "", backend.ErrCursor
	}
	args := make([]string, len(keys))
	for i, text := range place {
		if text == nil {
			continue
		}
		v, err := c.d.KeyArg(*text)
		if err != nil {
			return "", backend.ErrCursor
		}
		args[i] = c.arg(v)
	}
	cond := "false"
	for i := len(keys) - 1; i >= 0; i-- {
		k := &keys[i]
		later, same := k.later(args[i]), k.expr+" = "+args[i]
		if args[i] == "" {
			same = k.expr + " is null"
		}
		switch {
		case cond == "false":
			cond = later
		case later == "false":
			cond = "(" + same + " and " + cond + ")"
		default:
			cond = "(" + later + " or " + same + " and " + cond + ")"
		}
	}
	return c.bound(keys, args) + cond, nil
}

// later is the condition that a key comes after a value; "" is NULL.
func (k *orderKey) later(arg string) string {
	if arg == "" {
		if k.nullsFirst {
			return k.expr + " is not null"
		}
		return "false"
	}
	op := " > "
	if k.desc {
		op = " < "
	}
	if k.nullsFirst {
		return k.expr + op + arg
	}
	return "(" + k.expr + op + arg + " or " + k.expr + " is null)"
}

// bound repeats of the condition what an index can use: nothing before the
// first key's value. It is "" where NULLs may follow that.
func (c *compiler) bound(keys []orderKey, args []string) string {
	if len(keys) < 2 || args[0] == "" || !keys[0].nullsFirst {
		return ""
	}
	if keys[0].desc {
		return keys[0].expr + " <= " + args[0] + " and "
	}
	return keys[0].expr + " >= " + args[0] + " and "
}

// listKey says of which list a cursor is: of all but the fields and the limit.
func (cx *callContext) listKey(q *backend.Query) string {
	bare := backend.Query{Model: q.Model, DomainText: q.DomainText, Order: q.Order, Fields: []string{}}
	key := cx.planKey(&bare)
	if q.Domain != nil {
		key += "\x00" + domain.String(q.Domain)
	}
	return key
}

// placed adds to a plan the columns that tell the place of a row, and the
// condition to come after that of a cursor.
func (cx *callContext) placed(c *compiler, p *plan, q *backend.Query, keys []orderKey, exprs []string, where string) ([]string, string, error) {
	p.keyAt, p.keys = len(exprs), len(keys)
	exprs = append(exprs, keyExprs(keys)...)
	if q.Keyset.After == "" {
		return exprs, where, nil
	}
	cond, err := cx.follow(c, q, keys)
	return exprs, where + " and (" + cond + ")", err
}

// follow begins a list after the place of its cursor.
func (cx *callContext) follow(c *compiler, q *backend.Query, keys []orderKey) (string, error) {
	var place []*string
	if err := cx.e.cursors.Open(q.Keyset.After, cx.listKey(q), &place); err != nil {
		return "", err
	}
	return c.after(keys, place)
}

// lastRow keeps the place of the last row of a page and sees whether there are more.
type lastRow struct {
	limit int
	at    int // the first column of the place
	keys  int
	place []*string
	more  bool
}

// mark looks at the n-th row; false says that it is not of the page any more.
func (l *lastRow) mark(r sqldb.Row, n int) bool {
	switch {
	case l.limit == 0 || n < l.limit:
		return true
	case n > l.limit:
		l.more = true
		return false
	}
	l.place = make([]*string, l.keys)
	for i := range l.place {
		if !r.Null(l.at + i) {
			text := r.Key(l.at + i)
			l.place[i] = &text
		}
	}
	return true
}

// next is the cursor behind the page, "" where nothing is.
func (cx *callContext) next(q *backend.Query, last *lastRow) error {
	q.Keyset.Next = ""
	if !last.more {
		return nil
	}
	return cx.e.cursors.Follow(q.Keyset, last.place, cx.listKey(q))
}

// keyed says that somebody wants to read on.
func keyed(q *backend.Query) bool { return q.Keyset != nil && q.IDs == nil }

// withID ends an order with the id, so that no two records have the same place.
func withID(terms []string, id string) []string {
	if slices.ContainsFunc(terms, func(term string) bool { return term == id || term == id+" desc" }) {
		return terms
	}
	return append(slices.Clip(terms), id)
}
