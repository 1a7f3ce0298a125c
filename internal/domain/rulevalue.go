package domain

import (
	"cmp"
	"math"
	"strings"
	"time"
)

// truth is Python's: none, zero and what is empty are false.
func truth(it *item) bool {
	switch it.kind {
	case kNone:
		return false
	case kFloat:
		return it.float() != 0
	case kText:
		return it.text != ""
	default:
		return it.num != 0 // a number, or the length of a list
	}
}

func (it *item) numeric() bool { return it.kind == kBool || it.kind == kInt || it.kind == kFloat }

// asFloat is the value of a numeric item; True is 1.
func (it *item) asFloat() float64 {
	if it.kind == kFloat {
		return it.float()
	}
	return float64(it.int())
}

// compareNumbers orders numeric items, exactly even where an integer has no
// float64 of its own.
func compareNumbers(a, b *item) int {
	switch {
	case a.kind != kFloat && b.kind != kFloat:
		return cmp.Compare(a.int(), b.int())
	case a.kind == kFloat && b.kind == kFloat:
		return cmp.Compare(a.float(), b.float())
	case a.kind == kFloat:
		return -compareNumbers(b, a)
	}
	f := b.float()
	switch {
	case f >= math.MaxInt64: // as float64 this is 1<<63, beyond every integer
		return -1
	case f < math.MinInt64:
		return 1
	}
	whole, rest := math.Modf(f)
	if c := cmp.Compare(a.int(), int64(whole)); c != 0 {
		return c
	}
	return cmp.Compare(0, rest)
}

// same is Python's ==: 1 is True and 1.0, but a list is no tuple.
func (t *tape) same(i, j int) bool {
	a, b := &t.items[i], &t.items[j]
	switch {
	case a.numeric() && b.numeric():
		return compareNumbers(a, b) == 0
	case a.kind != b.kind:
		return false
	case a.kind == kText:
		return a.text == b.text
	case !a.list():
		return true // both are None
	case a.num != b.num:
		return false
	}
	x, y := i+1, j+1
	for end := t.next(i); x < end; x, y = t.next(x), t.next(y) {
		if !t.same(x, y) {
			return false
		}
	}
	return true
}

// compare evaluates a comparison of the values at left and right.
func (m *machine) compare(e *compareExpr, left, right int) (bool, error) {
	t := &m.in.tape
	a, b := &t.items[left], &t.items[right]
	switch e.op {
	case "==":
		return t.same(left, right), nil
	case "!=":
		return !t.same(left, right), nil
	case "is":
		return a.kind == b.kind && a.num == b.num, nil // the right side is None, True or False
	case "is not":
		return a.kind != b.kind || a.num != b.num, nil
	case "in", "not in":
		in, err := m.contains(e, left, right)
		return in == (e.op == "in"), err
	}
	var order int
	switch {
	case a.numeric() && b.numeric():
		order = compareNumbers(a, b)
	case a.kind == kText && b.kind == kText:
		order = strings.Compare(a.text, b.text) // in UTF-8, bytes sort as characters do
	case a.list() && a.kind == b.kind:
		return false, &Unsupported{Pos: e.pos, What: "the order of lists"}
	default:
		return false, m.fail(e.pos, "%s and %s cannot be compared with %q", t.describe(left), t.describe(right), e.op)
	}
	switch e.op {
	case "<":
		return order < 0, nil
	case "<=":
		return order <= 0, nil
	case ">":
		return order > 0, nil
	}
	return order >= 0, nil
}

func (m *machine) contains(e *compareExpr, left, right int) (bool, error) {
	t := &m.in.tape
	a, b := &t.items[left], &t.items[right]
	switch {
	case b.list():
		for at := right + 1; at < t.next(right); at = t.next(at) {
			if t.same(left, at) {
				return true, nil
			}
		}
		return false, nil
	case a.kind == kText && b.kind == kText:
		return strings.Contains(b.text, a.text), nil
	}
	return false, m.fail(e.pos, "%s cannot be looked for in %s", t.describe(left), t.describe(right))
}

// eval adds lists, tuples, texts or numbers.
func (e *sumExpr) eval(m *machine) error {
	at := m.top()
	var places []int
	for _, term := range e.terms {
		places = append(places, m.top())
		if err := term.eval(m); err != nil {
			return err
		}
	}
	t := &m.in.tape
	first := t.items[at]
	for _, p := range places[1:] {
		it := &t.items[p]
		if it.kind != first.kind && !(it.numeric() && first.numeric()) || it.kind == kNone {
			return m.fail(e.pos, `%s and %s cannot be joined with "+"`, t.describe(at), t.describe(p))
		}
	}
	switch {
	case first.list():
		m.joinLists(places)
		return nil
	case first.kind == kText:
		m.joinTexts(e, places)
		return nil
	case first.numeric():
		return m.add(e, places)
	}
	return m.fail(e.pos, `%s cannot be joined with "+"`, t.describe(at))
}

// joinLists makes one list of those at the places, which follow each other:
// all that must go is the heads of the later ones.
func (m *machine) joinLists(places []int) {
	t := &m.in.tape
	count, out := 0, places[0]+1
	for _, p := range places {
		end := t.next(p)
		count += t.items[p].count()
		out += copy(t.items[out:], t.items[p+1:end])
	}
	t.items = t.items[:out]
	t.close(places[0], count)
}

// joinTexts needs no limit: the rule is short, and so is all that is looked up.
func (m *machine) joinTexts(e *sumExpr, places []int) {
	var b strings.Builder
	for _, p := range places {
		b.WriteString(m.in.tape.items[p].text)
	}
	m.replace(places[0], textItem(b.String(), e.pos))
}

// add sums numbers; the result is a float once one of them was.
func (m *machine) add(e *sumExpr, places []int) error {
	sum := m.in.tape.items[places[0]]
	sum.kind = max(sum.kind, kInt) // True counts as 1
	for _, p := range places[1:] {
		it := &m.in.tape.items[p]
		if sum.kind == kFloat || it.kind == kFloat {
			f := sum.asFloat() + it.asFloat()
			if math.IsInf(f, 0) {
				return m.fail(e.pos, "the sum is infinite")
			}
			sum = floatItem(f, e.pos)
			continue
		}
		a, b := sum.int(), it.int()
		if c := a + b; (c > a) != (b > 0) {
			return &Unsupported{Pos: e.pos, What: "a number beyond 64 bits"}
		}
		sum = intItem(a+b, e.pos)
	}
	m.replace(places[0], sum)
	return nil
}

// directives are those of strftime that are supported, with Go's layout.
var directives = map[byte]string{
	'Y': "2006", 'm': "01", 'd': "02", 'H': "15", 'M': "04", 'S': "05", '%': "%",
}

// badDirective finds the first directive in a format that is not supported.
func badDirective(format string) string {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		if i++; i >= len(format) {
			return "%"
		}
		if directives[format[i]] == "" {
			return format[i-1:]
		}
	}
	return ""
}

func (e *timeExpr) eval(m *machine) error {
	v, err := m.ask("now")
	if err != nil {
		return err
	}
	s, _ := v.(string)
	now, err := time.Parse(time.DateTime, s)
	if err != nil {
		return m.fail(e.pos, "the time is not known: expected a text YYYY-MM-DD HH:MM:SS for \"now\"")
	}
	var b strings.Builder
	for i := 0; i < len(e.format); i++ {
		if e.format[i] != '%' {
			b.WriteByte(e.format[i])
			continue
		}
		i++
		b.WriteString(now.Format(directives[e.format[i]]))
	}
	m.in.tape.add(textItem(b.String(), e.pos))
	return nil
}
