package domain

// Parse reads a domain written as JSON or as a Python literal; the content
// decides, and mixtures are taken too. Nothing is evaluated: names and calls
// are errors. A text without content, "[]" and "True" match everything, "False"
// nothing. The tree is in normal form. Every error is an *Error with position.
func Parse(text string, lim Limits) (Node, error) {
	lim = lim.filled()
	if err := checkText(text, lim); err != nil {
		return nil, err
	}
	p := literals{lexer: lexer{text: text}, lim: lim}
	p.tape.text = text
	p.tape.items = make([]item, 0, min(len(text)/8+8, 1024))
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.kind == tEnd {
		return Const(true), nil
	}
	if err := p.value(0); err != nil {
		return nil, err
	}
	if p.is(",") {
		return nil, p.fail(`expected the end of the domain, found ","; put all conditions in one list: [...]`)
	}
	if p.tok.kind != tEnd {
		return nil, p.fail("expected the end of the domain, found %s", p.found())
	}
	return build(&p.tape, lim)
}

// literals reads values from a text on to a tape.
type literals struct {
	lexer
	tape tape
	lim  Limits
}

// value reads one value; level counts the brackets around it.
func (p *literals) value(level int) error {
	pos := p.tok.pos
	switch p.tok.kind {
	case tText:
		s, err := p.joined()
		p.tape.add(textItem(s, pos))
		return err
	case tInt, tFloat:
		return p.number(false, pos)
	case tName:
		return p.constant(pos)
	case tEnd:
		return p.fail("expected a value, found the end of the text")
	default:
		return p.bracketed(level, pos)
	}
}

// bracketed reads a value that begins with a mark: a bracket or a sign.
func (p *literals) bracketed(level, pos int) error {
	switch p.tok.s {
	case "[":
		return p.sequence(level, kList, "]")
	case "(":
		return p.sequence(level, kTuple, ")")
	case "-", "+":
		negative := p.tok.s == "-"
		if err := p.advance(); err != nil {
			return err
		}
		if p.tok.kind != tInt && p.tok.kind != tFloat {
			return p.fail("expected a number after the sign, found %s", p.found())
		}
		return p.number(negative, pos)
	case "{":
		return p.fail("dicts and sets have no place in a domain; expected a list, a tuple, a text, a number, True, False or None")
	}
	return p.fail("expected a value, found %s", p.found())
}

// joined reads a text, and those that follow it without a comma: Python takes
// them for one.
func (l *lexer) joined() (string, error) {
	first := l.tok.s
	err := l.advance()
	if err != nil || l.tok.kind != tText {
		return first, err
	}
	all := []byte(first)
	for err == nil && l.tok.kind == tText {
		all = append(all, l.tok.s...)
		err = l.advance()
	}
	return string(all), err
}

func (p *literals) number(negative bool, pos int) error {
	it, err := p.signed(negative, pos)
	if err != nil {
		return err
	}
	p.tape.add(it)
	return p.advance()
}

// constant reads True, False and None; every other name is an error.
func (p *literals) constant(pos int) error {
	switch p.tok.s {
	case "True", "true":
		p.tape.add(boolItem(true, pos))
	case "False", "false":
		p.tape.add(boolItem(false, pos))
	case "None", "null":
		p.tape.add(noneItem(pos))
	case "TRUE", "FALSE", "NULL", "NONE", "Null", "none", "nil", "undefined":
		return p.fail("the name %s is not known; write True, False or None", p.found())
	case "nan", "NaN", "inf", "Infinity":
		return p.fail("%s is not a number that a field can have", p.found())
	default:
		return p.fail("names are not evaluated in a domain, found %s; write the value itself, a text in quotes", p.found())
	}
	return p.advance()
}

// sequence reads a list or a tuple, the current token being its bracket. As in
// Python, parentheses around one value without a comma mean just that value.
func (p *literals) sequence(level int, k kind, end string) error {
	opener := p.tok
	if level >= p.lim.brackets() {
		return p.fail("brackets are nested deeper than the %d allowed", p.lim.brackets())
	}
	at := p.tape.open(k, opener.pos)
	if err := p.advance(); err != nil {
		return err
	}
	count, comma := 0, false
	for !p.is(end) {
		if len(p.tape.items) >= p.lim.items() {
			return p.fail("the domain consists of more than the %d values allowed", p.lim.items())
		}
		if err := p.value(level + 1); err != nil {
			return err
		}
		count++
		if !p.is(",") {
			comma = false
			break
		}
		comma = true
		if err := p.advance(); err != nil {
			return err
		}
	}
	if !p.is(end) {
		return p.fail(`expected "," or "%s" after the value, found %s%s`, end, p.found(), p.unclosed(opener))
	}
	if k == kTuple && count == 1 && !comma {
		p.tape.drop(at)
	} else {
		p.tape.close(at, count)
	}
	return p.advance()
}

// unclosed points to the open bracket when the text ends too early.
func (p *literals) unclosed(opener token) string {
	if p.tok.kind != tEnd {
		return ""
	}
	return ": the " + quote(opener.s) + " is still open" + near(opener.pos)
}
