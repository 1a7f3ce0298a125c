package domain

import (
	"fmt"
	"unicode/utf8"
)

// expr is a part of a rule. eval adds exactly one value to the tape of m.
type expr interface{ eval(m *machine) error }

// machine is one evaluation of a rule. Its tape serves as stack: operands are
// added, and replaced by the result.
type machine struct {
	in     intake
	lookup func(string) (any, error)
	work   int // values that may still be looked up, so that the time is bounded
}

// The parts of an expression.
type (
	constExpr  struct{ it item }
	choiceExpr struct{ test, yes, no expr }
	notExpr    struct{ operand expr }
	logicExpr  struct {
		or    bool
		terms []expr
	}
	compareExpr struct {
		op          string
		pos         int
		left, right expr
	}
	sumExpr struct {
		pos   int
		terms []expr
	}
	seqExpr struct {
		pos   int
		kind  kind
		elems []expr
	}
	nameExpr struct {
		pos  int
		name string
	}
	indexExpr struct {
		pos     int
		operand expr
		n       int64
	}
	lenExpr struct {
		pos     int
		operand expr
	}
	timeExpr struct {
		pos    int
		format string
	}
)

func (m *machine) fail(pos int, format string, args ...any) error {
	return errorAt(m.in.tape.text, pos, format, args...)
}

// top is where the next value goes.
func (m *machine) top() int { return len(m.in.tape.items) }

// replace puts one item in the place of all values from i on.
func (m *machine) replace(i int, it item) {
	m.in.tape.items = append(m.in.tape.items[:i], it)
}

func (e *constExpr) eval(m *machine) error {
	m.in.tape.add(e.it)
	return nil
}

func (e *seqExpr) eval(m *machine) error {
	at := m.in.tape.open(e.kind, e.pos)
	for _, elem := range e.elems {
		if err := elem.eval(m); err != nil {
			return err
		}
	}
	m.in.tape.close(at, len(e.elems))
	return nil
}

func (e *nameExpr) eval(m *machine) error {
	v, err := m.ask(e.name)
	if err != nil {
		return err
	}
	at := m.top()
	m.in.pos = e.pos
	if err := m.in.push(v, 0); err != nil {
		return err
	}
	if m.work -= m.top() - at; m.work < 0 {
		return m.fail(e.pos, "the rule looks at more values than allowed")
	}
	return nil
}

func (m *machine) ask(name string) (any, error) {
	if m.lookup == nil {
		return nil, fmt.Errorf("record rule: nothing to look up %s in", name)
	}
	v, err := m.lookup(name)
	if err != nil {
		return nil, fmt.Errorf("record rule: %s: %w", name, err)
	}
	return v, nil
}

func (e *choiceExpr) eval(m *machine) error {
	at := m.top()
	if err := e.test.eval(m); err != nil {
		return err
	}
	yes := truth(&m.in.tape.items[at])
	m.in.tape.items = m.in.tape.items[:at]
	if yes {
		return e.yes.eval(m)
	}
	return e.no.eval(m)
}

// eval gives the operand that decided, as Python does, and does not look at
// those after it.
func (e *logicExpr) eval(m *machine) error {
	at := m.top()
	for i, term := range e.terms {
		m.in.tape.items = m.in.tape.items[:at]
		if err := term.eval(m); err != nil {
			return err
		}
		if i < len(e.terms)-1 && truth(&m.in.tape.items[at]) == e.or {
			break
		}
	}
	return nil
}

func (e *notExpr) eval(m *machine) error {
	at := m.top()
	if err := e.operand.eval(m); err != nil {
		return err
	}
	it := &m.in.tape.items[at]
	m.replace(at, boolItem(!truth(it), int(it.pos)))
	return nil
}

func (e *compareExpr) eval(m *machine) error {
	left := m.top()
	if err := e.left.eval(m); err != nil {
		return err
	}
	right := m.top()
	if err := e.right.eval(m); err != nil {
		return err
	}
	holds, err := m.compare(e, left, right)
	m.replace(left, boolItem(holds, e.pos))
	return err
}

func (e *indexExpr) eval(m *machine) error {
	at := m.top()
	if err := e.operand.eval(m); err != nil {
		return err
	}
	t := &m.in.tape
	it := t.items[at]
	n, size := e.n, int64(it.count())
	if it.kind == kText {
		size = int64(utf8.RuneCountInString(it.text))
	} else if !it.list() {
		return m.fail(e.pos, "%s has no elements to take one of", t.describe(at))
	}
	if n < 0 {
		n += size
	}
	if n < 0 || n >= size {
		return m.fail(e.pos, "there is no element %d in %s", e.n, t.describe(at))
	}
	if it.kind == kText {
		m.replace(at, textItem(string([]rune(it.text)[n]), int(it.pos)))
		return nil
	}
	child := at + 1
	for ; n > 0; n-- {
		child = t.next(child)
	}
	t.items = append(t.items[:at], t.items[child:t.next(child)]...)
	return nil
}

func (e *lenExpr) eval(m *machine) error {
	at := m.top()
	if err := e.operand.eval(m); err != nil {
		return err
	}
	it := &m.in.tape.items[at]
	switch {
	case it.list():
		m.replace(at, intItem(int64(it.count()), e.pos))
	case it.kind == kText:
		m.replace(at, intItem(int64(utf8.RuneCountInString(it.text)), e.pos))
	default:
		return m.fail(e.pos, "%s has no length", m.in.tape.describe(at))
	}
	return nil
}
