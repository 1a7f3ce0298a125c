package domain

import "strings"

// leaf makes the condition of the value at i.
func (b *builder) leaf(i, level int) (Node, error) {
	t := b.tape
	if err := b.condition(i); err != nil {
		return nil, err
	}
	field := i + 1
	operator := t.next(field)
	value := t.next(operator)
	if t.items[field].kind != kText {
		return b.constant(field, operator, value)
	}
	if b.leaves++; b.leaves > b.lim.Leaves {
		return nil, t.fail(i, "the domain has more than the %d conditions allowed", b.lim.Leaves)
	}
	path, err := b.path(field, level)
	if err != nil {
		return nil, err
	}
	if t.items[operator].kind != kText {
		return nil, t.fail(operator, `the operator must be a text such as "=", found %s`, t.describe(operator))
	}
	op, ok := opNamed(t.items[operator].text)
	if !ok {
		return nil, t.fail(operator, "%s", unknownOp(t.items[operator].text))
	}
	leaf := &Leaf{Path: path, Op: op, Pos: int(t.items[i].pos)}
	if op == OpAny || op == OpNotAny {
		leaf.Value, err = b.subdomain(value, op, level)
	} else {
		leaf.Value, err = b.value(value)
	}
	if err != nil {
		return nil, err
	}
	return leaf, nil
}

// condition checks that the value at i has the shape of one.
func (b *builder) condition(i int) error {
	t := b.tape
	it := &t.items[i]
	switch {
	case !it.list():
		hint := ""
		if it.kind == kText {
			switch strings.ToLower(clip(it.text)) {
			case "and", "&&":
				hint = `; AND is written "&", or left out`
			case "or", "||":
				hint = `; OR is written "|", before its two conditions`
			case "not":
				hint = `; NOT is written "!"`
			}
		}
		return t.fail(i, `expected "&", "|", "!" or a condition (field, operator, value), found %s%s`, t.describe(i), hint)
	case it.count() > 0 && t.items[i+1].list() && !b.operated(i):
		return t.fail(i, "found a list in place of a condition; conditions are not grouped with brackets: "+
			"remove the extra ones, and put an operator before the conditions it joins")
	case it.count() != 3:
		return t.fail(i, "a condition has exactly three parts (field, operator, value), found %s", t.describe(i))
	}
	return nil
}

// operated says whether the list at i has the operator of a condition.
func (b *builder) operated(i int) bool {
	if b.tape.items[i].count() != 3 {
		return false
	}
	second := &b.tape.items[b.tape.next(i+1)]
	_, ok := opNamed(second.text) // of anything but a text this is ""
	return ok
}

// constant takes the two conditions without a field that Odoo knows,
// (1, '=', 1) and (0, '=', 1). Python's True is 1, and so is 1.0.
func (b *builder) constant(field, operator, value int) (Node, error) {
	t := b.tape
	left, ok := zeroOrOne(&t.items[field])
	right, okRight := zeroOrOne(&t.items[value])
	op := &t.items[operator]
	if ok && okRight && right && op.kind == kText && op.text == string(OpEq) {
		return Const(left), nil
	}
	return nil, t.fail(field, "the left side of a condition must be a field name in quotes, found %s; "+
		"only (1, '=', 1) and (0, '=', 1) have none", t.describe(field))
}

func zeroOrOne(it *item) (one, ok bool) {
	switch it.kind {
	case kBool, kInt:
		return it.num == 1, it.num <= 1
	case kFloat:
		return it.float() == 1, it.float() == 0 || it.float() == 1
	default:
		return false, false
	}
}

// path reads the left side: names joined with dots. Names may begin with a
// digit, since those of properties do. One dot too many at the end is nothing
// to Odoo, and left out here.
func (b *builder) path(i, level int) (string, error) {
	text := b.tape.items[i].text
	path := strings.TrimSuffix(text, ".")
	steps, length := 1, 0
	for n := range len(path) {
		switch c := path[n]; {
		case isNameByte(c):
			length++
		case c == '.' && length > 0:
			steps, length = steps+1, 0
		default:
			return "", b.badPath(i, text)
		}
	}
	if length == 0 {
		return "", b.badPath(i, text)
	}
	if level+steps-1 > b.lim.Depth {
		return "", b.tape.fail(i, "the path has %d steps, which nests deeper than the %d levels allowed", steps, b.lim.Depth)
	}
	return path, nil
}

func (b *builder) badPath(i int, path string) error {
	return b.tape.fail(i, "%s is not a field name; expected letters, digits and _, with dots between the steps of a path", quote(path))
}

// subdomain makes the domain of an "any" condition.
func (b *builder) subdomain(i int, op Op, level int) (Node, error) {
	t := b.tape
	if level >= b.lim.Depth {
		return nil, t.fail(i, "%s is nested deeper than the %d levels allowed", quote(string(op)), b.lim.Depth)
	}
	switch it := &t.items[i]; {
	case it.kind == kNone: // as False does: no record
		return Const(false), nil
	case !it.list() && it.kind != kBool:
		return nil, t.fail(i, "%s takes a domain (a list of conditions on the related model), found %s", quote(string(op)), t.describe(i))
	}
	return b.domain(i, level+1)
}

// value makes the value of any other condition.
func (b *builder) value(i int) (any, error) {
	if b.tape.items[i].list() {
		if err := b.elements(i); err != nil {
			return nil, err
		}
	}
	return b.tape.value(i), nil
}

// elements counts what is in the list at i.
func (b *builder) elements(i int) error {
	t := b.tape
	for at := i + 1; at < t.next(i); at = t.next(at) {
		if b.values++; b.values > b.lim.List {
			return t.fail(at, "the lists of the domain have more than the %d elements allowed", b.lim.List)
		}
		if !t.items[at].list() {
			continue
		}
		if err := b.elements(at); err != nil {
			return err
		}
	}
	return nil
}
