package domain

import (
	"slices"
)

// Rule is the expression of a record rule (ir_rule.domain_force), read once.
// It does not change and may be used by many goroutines.
//
// Odoo evaluates such a text as Python. Here it is an expression of a small
// part of Python: literals, lists and tuples, dotted names, "+", comparisons,
// and/or/not, "a if c else b", an index, len() and time.strftime(). What is
// outside of it is Unsupported, and then nothing is known about what the rule
// allows. Nothing is ever executed; names are asked from the caller.
type Rule struct {
	text  string
	lim   Limits
	root  expr
	names []string
	fixed Node // the domain of a rule that needs no names
}

// ParseRule reads a rule. An empty text matches everything, as in Odoo. Wrong
// syntax is an *Error, Python beyond what is understood an *Unsupported. A rule
// without names is evaluated at once, so that its errors show here.
func ParseRule(text string, lim Limits) (*Rule, error) {
	lim = lim.filled()
	if text == "" {
		return &Rule{lim: lim, fixed: Const(true)}, nil
	}
	if err := checkText(text, lim); err != nil {
		return nil, err
	}
	p := grammar{lexer: lexer{text: text, rule: true}, lim: lim}
	root, err := p.whole()
	if err != nil {
		return nil, err
	}
	slices.Sort(p.names)
	r := &Rule{text: text, lim: lim, root: root, names: slices.Compact(p.names)}
	if len(r.names) == 0 {
		if r.fixed, err = r.run(nil); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Names lists the dotted names that the rule may ask for, sorted, each once:
// "company_ids", "user.partner_id.id". A rule that uses time.strftime asks for
// "now".
func (r *Rule) Names() []string { return slices.Clone(r.names) }

// Eval gives the domain of the rule, in normal form. lookup supplies the value
// of a dotted name: nil, bool, int64, float64, string, []any or []int64; of
// "now" the time as "2006-01-02 15:04:05". Only names that the evaluation comes
// across are asked. An error of lookup is returned wrapped; a value that Python
// would stumble over, or a result that is no domain, is an *Error, what only
// shows now to be beyond the language an *Unsupported.
func (r *Rule) Eval(lookup func(name string) (any, error)) (Node, error) {
	if r.fixed != nil {
		return r.fixed, nil
	}
	return r.run(lookup)
}

func (r *Rule) run(lookup func(string) (any, error)) (Node, error) {
	m := machine{lookup: lookup, work: 100 * r.lim.items()}
	m.in = intake{lim: r.lim, most: 2 * r.lim.items(), bytes: r.lim.Bytes}
	m.in.tape.text = r.text
	m.in.tape.items = make([]item, 0, 32)
	if err := r.root.eval(&m); err != nil {
		return nil, err
	}
	return build(&m.in.tape, r.lim)
}
