package domain

import "strings"

// atom reads a literal, a name, a supported call or something in brackets.
func (g *grammar) atom() (expr, error) {
	pos := g.tok.pos
	switch g.tok.kind {
	case tText:
		s, err := g.joined()
		return &constExpr{textItem(s, pos)}, err
	case tInt, tFloat:
		it, err := g.lexer.signed(false, pos)
		if err != nil {
			return nil, err
		}
		return &constExpr{it}, g.advance()
	case tName:
		return g.name()
	case tEnd:
		return nil, g.fail("expected a value, found the end of the rule")
	default:
		return g.bracketed()
	}
}

// bracketed reads an atom that begins with a mark.
func (g *grammar) bracketed() (expr, error) {
	switch g.tok.s {
	case "[":
		return g.sequence(kList, "]")
	case "(":
		return g.sequence(kTuple, ")")
	case "{":
		return nil, g.unsupported("a dict or set")
	case "*", "**":
		return nil, g.unsupported("unpacking with " + quote(g.tok.s))
	case "~":
		return nil, g.unsupported(`the operator "~"`)
	}
	return nil, g.fail("expected a value, found %s", g.found())
}

// name reads a constant, a name to look up, or a call.
func (g *grammar) name() (expr, error) {
	pos, word := g.tok.pos, g.tok.s
	switch word {
	case "True", "False":
		return &constExpr{boolItem(word == "True", pos)}, g.advance()
	case "None":
		return &constExpr{noneItem(pos)}, g.advance()
	case "true", "false", "null":
		return nil, g.unsupported("the name " + quote(word) + " (Python writes True, False, None)")
	case "lambda", "await", "yield":
		return nil, g.unsupported(quote(word))
	case "if", "else", "and", "or", "not", "in", "is", "for":
		return nil, g.fail("expected a value, found %s", g.found())
	}
	name, err := g.dotted()
	if err != nil {
		return nil, err
	}
	switch {
	case g.is("("):
		return g.call(pos, name)
	case name == "len" || name == "time" || strings.HasPrefix(name, "time."):
		return nil, &Unsupported{Pos: pos, What: "the name " + quote(name) + " other than called"}
	}
	g.names = append(g.names, name)
	return &nameExpr{pos, name}, nil
}

// call reads the arguments of the two functions that are supported.
func (g *grammar) call(pos int, name string) (expr, error) {
	if name != "len" && name != "time.strftime" {
		return nil, &Unsupported{Pos: pos, What: "a call of " + name}
	}
	if err := g.enter(); err != nil {
		return nil, err
	}
	defer func() { g.level-- }()
	if err := g.advance(); err != nil {
		return nil, err
	}
	at := g.tok.pos
	arg, err := g.choice()
	if err != nil {
		return nil, err
	}
	if g.is(",") || g.is("=") {
		return nil, &Unsupported{Pos: pos, What: "a call of " + name + " with other arguments than one"}
	}
	if !g.is(")") {
		return nil, g.after(`")"`)
	}
	if name == "len" {
		return &lenExpr{pos, arg}, g.advance()
	}
	format, ok := arg.(*constExpr)
	if !ok || format.it.kind != kText {
		return nil, &Unsupported{Pos: at, What: "a time format that is not a plain text"}
	}
	if bad := badDirective(format.it.text); bad != "" {
		return nil, &Unsupported{Pos: at, What: "the time format " + quote(bad)}
	}
	g.names = append(g.names, "now")
	return &timeExpr{pos, format.it.text}, g.advance()
}

// sequence reads a list, a tuple or an expression in parentheses.
func (g *grammar) sequence(k kind, end string) (expr, error) {
	if err := g.enter(); err != nil {
		return nil, err
	}
	defer func() { g.level-- }()
	opener := g.tok
	seq, comma := &seqExpr{pos: opener.pos, kind: k}, false
	if err := g.advance(); err != nil {
		return nil, err
	}
	for !g.is(end) {
		e, err := g.choice()
		if err != nil {
			return nil, err
		}
		seq.elems, comma = append(seq.elems, e), false
		if !g.is(",") {
			break
		}
		comma = true
		if err := g.advance(); err != nil {
			return nil, err
		}
	}
	if !g.is(end) {
		expected := `"," or "` + end + `"`
		if g.tok.kind == tEnd {
			expected += " for the " + quote(opener.s) + near(opener.pos)
		}
		return nil, g.after(expected)
	}
	if k == kTuple && len(seq.elems) == 1 && !comma {
		return seq.elems[0], g.advance()
	}
	return seq, g.advance()
}
