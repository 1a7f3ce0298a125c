package domain

// build makes the tree of the domain that the tape holds as its first value.
func build(t *tape, lim Limits) (Node, error) {
	b := builder{tape: t, lim: lim}
	return b.domain(0, 0)
}

// builder turns values into a domain and counts what it costs.
type builder struct {
	tape   *tape
	lim    Limits
	leaves int
	values int // elements in lists of values
}

// domain makes the tree of the value at i. level counts the operators, "any"
// domains and path steps around it.
func (b *builder) domain(i, level int) (Node, error) {
	switch it := &b.tape.items[i]; it.kind {
	case kList, kTuple:
		return b.terms(i, level)
	case kBool:
		return Const(it.num == 1), nil
	case kText:
		return nil, b.tape.fail(i, "a domain is a list of conditions, found the text %s; send it without quotes around it", quote(it.text))
	default:
		return nil, b.tape.fail(i, "a domain is a list of conditions, found %s; [] stands for every record", b.tape.describe(i))
	}
}

// frame is an operator that waits for operands. The same operator as an
// operand does not open another frame but makes this one wait for one more, so
// chains come out flat.
type frame struct {
	op   byte // '&', '|' or '!'
	need int  // operands still to come; in the outermost, which may end any time, those that must
	mark int  // where its operands begin
}

// terms reads a list in prefix notation: "&" and "|" take the next two
// operands, "!" takes one, and the operands left over are joined with AND.
func (b *builder) terms(i, level int) (Node, error) {
	if err := b.bare(i); err != nil {
		return nil, err
	}
	var room [16]Node
	var frames [8]frame
	done, open := room[:0], append(frames[:0], frame{op: '&'})
	end := b.tape.next(i)
	for at := i + 1; at < end; at = b.tape.next(at) {
		top := &open[len(open)-1]
		if op := b.operator(at); op != 0 {
			switch {
			case op == top.op && op != '!' && top.need > 0:
				top.need++
			case op == '&' && len(open) == 1:
				top.need = 2
			case level+len(open) > b.lim.Depth:
				return nil, b.tape.fail(at, "operators are nested deeper than the %d levels allowed", b.lim.Depth)
			case op == '!':
				open = append(open, frame{op, 1, len(done)})
			default:
				open = append(open, frame{op, 2, len(done)})
			}
			continue
		}
		leaf, err := b.leaf(at, level+len(open)-1)
		if err != nil {
			return nil, err
		}
		done = append(done, leaf)
		for { // close what is complete; the result is an operand of the next
			top := &open[len(open)-1]
			top.need = max(top.need-1, 0)
			if top.need > 0 || len(open) == 1 {
				break
			}
			node := join(top.op, done[top.mark:])
			done = append(done[:top.mark], node)
			open = open[:len(open)-1]
		}
	}
	if len(open) > 1 || open[0].need > 0 {
		return nil, b.missing(i)
	}
	return Conj(done...), nil
}

func join(op byte, operands []Node) Node {
	switch op {
	case '!':
		return Neg(operands[0])
	case '|':
		return Disj(operands...)
	}
	return Conj(operands...)
}

// operator gives '&', '|' or '!' if the value at i is one, else 0.
func (b *builder) operator(i int) byte {
	it := &b.tape.items[i]
	if it.kind == kText && len(it.text) == 1 {
		switch c := it.text[0]; c {
		case '&', '|', '!':
			return c
		}
	}
	return 0
}

// bare finds the frequent mistake of a single condition without the list
// around it, which the prefix notation would explain less well.
func (b *builder) bare(i int) error {
	t := b.tape
	if !b.operated(i) || t.items[i+1].list() || b.operator(i+1) != 0 {
		return nil
	}
	first, second := t.describe(i+1), t.describe(t.next(i+1))
	return t.fail(i, "a single condition must stand in a list: write [(%s, %s, ...)] instead of (%s, %s, ...)",
		first, second, first, second)
}

// missing makes the error for a list in which an operator lacks operands. It
// goes from the right, where every operator finds its operands already there.
func (b *builder) missing(i int) error {
	t := b.tape
	var places []int
	for at := i + 1; at < t.next(i); at = t.next(at) {
		places = append(places, at)
	}
	have := 0
	for n := len(places) - 1; n >= 0; n-- {
		need, needs := 2, "two conditions"
		switch b.operator(places[n]) {
		case 0:
			have++
			continue
		case '!':
			need, needs = 1, "a condition"
		}
		if have < need {
			return t.fail(places[n], "%s needs %s after it, found %d", quote(t.items[places[n]].text), needs, have)
		}
		have -= need - 1
	}
	return t.fail(i, "an operator lacks a condition")
}
