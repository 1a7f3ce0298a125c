package domain

import "strings"

// grammar reads the expression of a rule. Each method reads one level of
// Python's precedence, loosest first, and leaves the token after it current.
type grammar struct {
	lexer
	lim   Limits
	level int // how deep the methods are in each other, to bound the recursion
	names []string
}

func (g *grammar) whole() (expr, error) {
	if err := g.advance(); err != nil {
		return nil, err
	}
	if g.tok.kind == tEnd {
		return nil, g.fail("the rule has no expression; leave it empty to allow every record")
	}
	e, err := g.choice()
	if err != nil {
		return nil, err
	}
	if g.is(",") {
		return nil, g.unsupported("a list without brackets")
	}
	if g.tok.kind != tEnd {
		return nil, g.after("the end of the rule")
	}
	return e, nil
}

// enter counts a level; leave it with g.level--.
func (g *grammar) enter() error {
	if g.level++; g.level > 4*g.lim.brackets() {
		return g.fail("the expression is nested too deep")
	}
	return nil
}

func (g *grammar) unsupported(what string) error {
	return &Unsupported{Pos: g.tok.pos, What: what}
}

// after makes the error for a token that does not continue an expression:
// Unsupported if it does so in Python.
func (g *grammar) after(expected string) error {
	if g.tok.kind == tName || g.tok.kind == tMark {
		switch g.tok.s {
		case "for", "async":
			return g.unsupported("a comprehension")
		case "lambda", "await", "yield":
			return g.unsupported(quote(g.tok.s))
		case "-", "*", "/", "//", "%", "**", "@", "|", "&", "^", "~", "<<", ">>":
			return g.unsupported("the operator " + quote(g.tok.s))
		case ":=":
			return g.unsupported("an assignment")
		case ":":
			return g.unsupported("a slice or dict")
		}
	}
	return g.fail("expected %s, found %s", expected, g.found())
}

// choice reads "a if test else b".
func (g *grammar) choice() (expr, error) {
	if err := g.enter(); err != nil {
		return nil, err
	}
	defer func() { g.level-- }()
	yes, err := g.logic("or")
	if err != nil || !g.word("if") {
		return yes, err
	}
	if err := g.advance(); err != nil {
		return nil, err
	}
	test, err := g.logic("or")
	if err != nil {
		return nil, err
	}
	if !g.word("else") {
		return nil, g.after(`"else"`)
	}
	if err := g.advance(); err != nil {
		return nil, err
	}
	no, err := g.choice()
	return &choiceExpr{test, yes, no}, err
}

// logic reads a chain of "or", or of "and".
func (g *grammar) logic(word string) (expr, error) {
	operand := g.negation
	if word == "or" {
		operand = func() (expr, error) { return g.logic("and") }
	}
	first, err := operand()
	if err != nil || !g.word(word) {
		return first, err
	}
	chain := &logicExpr{or: word == "or", terms: []expr{first}}
	for g.word(word) {
		if err := g.advance(); err != nil {
			return nil, err
		}
		next, err := operand()
		if err != nil {
			return nil, err
		}
		chain.terms = append(chain.terms, next)
	}
	return chain, nil
}

// negation reads "not a".
func (g *grammar) negation() (expr, error) {
	if !g.word("not") {
		return g.comparison()
	}
	if err := g.enter(); err != nil {
		return nil, err
	}
	defer func() { g.level-- }()
	if err := g.advance(); err != nil {
		return nil, err
	}
	e, err := g.negation()
	return &notExpr{e}, err
}

// comparison reads "a < b" and the like. Python's chains (a < b < c) are not
// supported.
func (g *grammar) comparison() (expr, error) {
	left, err := g.sum()
	if err != nil {
		return nil, err
	}
	pos := g.tok.pos
	op, err := g.comparator()
	if err != nil || op == "" {
		return left, err
	}
	right, err := g.sum()
	if err != nil {
		return nil, err
	}
	if op == "is" || op == "is not" {
		if c, ok := right.(*constExpr); !ok || c.it.kind != kNone && c.it.kind != kBool {
			return nil, &Unsupported{Pos: pos, What: quote(op) + " with anything but None, True and False"}
		}
	}
	pos2 := g.tok.pos
	if again, err := g.comparator(); err != nil || again != "" {
		if err == nil {
			err = &Unsupported{Pos: pos2, What: "a chain of comparisons"}
		}
		return nil, err
	}
	return &compareExpr{op, pos, left, right}, nil
}

// comparator reads the operator of a comparison, "" if there is none.
func (g *grammar) comparator() (string, error) {
	op := ""
	if g.tok.kind == tMark {
		switch g.tok.s {
		case "==", "!=", "<", "<=", ">", ">=":
			op = g.tok.s
		}
	}
	switch {
	case g.word("in"):
		op = "in"
	case g.word("not"):
		if err := g.advance(); err != nil {
			return "", err
		}
		if !g.word("in") {
			return "", g.fail(`expected "in" after "not", found %s`, g.found())
		}
		op = "not in"
	case g.word("is"):
		if err := g.advance(); err != nil {
			return "", err
		}
		if !g.word("not") {
			return "is", nil
		}
		op = "is not"
	}
	if op == "" {
		return "", nil
	}
	return op, g.advance()
}

// sum reads a chain of "+".
func (g *grammar) sum() (expr, error) {
	pos := g.tok.pos
	first, err := g.signed()
	if err != nil || !g.is("+") {
		return first, err
	}
	chain := &sumExpr{pos: pos, terms: []expr{first}}
	for g.is("+") {
		if err := g.advance(); err != nil {
			return nil, err
		}
		next, err := g.signed()
		if err != nil {
			return nil, err
		}
		chain.terms = append(chain.terms, next)
	}
	return chain, nil
}

// signed reads a number with a sign. The sign of anything else is Unsupported.
func (g *grammar) signed() (expr, error) {
	if !g.is("-") && !g.is("+") {
		return g.indexed()
	}
	pos, negative := g.tok.pos, g.is("-")
	if err := g.advance(); err != nil {
		return nil, err
	}
	if g.tok.kind != tInt && g.tok.kind != tFloat {
		return nil, &Unsupported{Pos: pos, What: "the sign of anything but a number"}
	}
	it, err := g.lexer.signed(negative, pos)
	if err != nil {
		return nil, err
	}
	err = g.advance()
	if err == nil && (g.is("[") || g.is("(") || g.is(".")) { // they bind closer than the sign
		err = &Unsupported{Pos: pos, What: "the sign of anything but a number"}
	}
	return &constExpr{it}, err
}

// indexed reads an atom and the constant indexes after it.
func (g *grammar) indexed() (expr, error) {
	e, err := g.atom()
	if err != nil {
		return nil, err
	}
	for depth := 0; ; depth++ {
		switch {
		case depth > g.lim.brackets():
			return nil, g.fail("the expression is nested too deep")
		case g.is("("):
			return nil, g.unsupported("a call")
		case g.is("."):
			return nil, g.unsupported("an attribute of anything but a name")
		case !g.is("["):
			return e, nil
		}
		pos := g.tok.pos
		n, err := g.index()
		if err != nil {
			return nil, err
		}
		e = &indexExpr{pos, e, n}
	}
}

func (g *grammar) index() (int64, error) {
	if err := g.advance(); err != nil {
		return 0, err
	}
	pos := g.tok.pos
	e, err := g.signed()
	if err != nil {
		return 0, err
	}
	c, ok := e.(*constExpr)
	if !ok || c.it.kind != kInt {
		return 0, &Unsupported{Pos: pos, What: "an index that is not a plain integer"}
	}
	if !g.is("]") {
		return 0, g.after(`"]" after the index`)
	}
	return c.it.int(), g.advance()
}

// dotted reads the rest of a name whose first part is current.
func (g *grammar) dotted() (string, error) {
	start := g.tok.pos
	for {
		if strings.HasPrefix(g.tok.s, "_") {
			return "", g.unsupported("the private name " + quote(g.tok.s))
		}
		end := g.off
		if len(g.text) <= end || g.text[end] != '.' {
			return g.text[start:end], g.advance()
		}
		if err := g.advance(); err != nil { // the dot, or a number such as ".5"
			return "", err
		}
		if err := g.advance(); err != nil {
			return "", err
		}
		if g.tok.kind != tName || g.tok.pos != end+1 {
			return "", g.fail("expected a name after the dot, found %s", g.found())
		}
	}
}
