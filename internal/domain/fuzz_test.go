package domain

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// failer is what the checks need of a test; rapid's T is one as well.
type failer interface {
	Fatalf(format string, args ...any)
}

// seeds are domains of every kind; the golden corpus adds real ones.
var seeds = []string{
	"", "[]", "True", "()", "[(1, '=', 1)]", `[["a", "=", "x"]]`, "('a', '=', 1)",
	"['|', ('company_id', '=', False), ('company_id', 'in', [1, 2])]",
	"['!', '&', ('a.b', 'not ilike', u'50\\%'), '|', ('c', '>=', -1.5e3), (\"d\", 'child_of', (1,))]",
	`[["a", "any", [["b", "not any", [["c", "=?", null]]]], "&", ["\u00e9\ud83d\ude00\/", "=like", "_"]]`,
	"[('a', '=', '''x''' 'y' r'\\z' \"\\x41\\101\"), # why\n ('b', 'in', [0x1F, 1_000, .5, 5., None])]",
	strings.Repeat("[", 100), strings.Repeat("'!',", 100), "[" + strings.Repeat("'|',", 50) + strings.Repeat("('a','=',1),", 51) + "]",
}

// ruleSeeds are record rules of every construct.
var ruleSeeds = []string{
	"[('user_id', '=', user.id)]", "['|', ('x', 'in', company_ids + [False]), ('y', '=', 'a' + 'b')]",
	"[('a', '=', 1)] if user.share and not x or len(y) > 2 else [('b', 'in', (1, 2)[0])]",
	"[('d', '>=', time.strftime('%Y-%m-%d')), (1, '=', 1 if a is not None else 0)]",
	"[('a', '=', x in [1, 2.0, 'z'] and 5 == n)] + [('b', '!=', y not in 'abc')]",
	"[('a', 'in', [c.id for c in x])]", "((((user.id))))", "not(not a)", "a < b <= c", "x[0][1][-1]",
}

func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	for _, d := range corpusDomains(f) {
		f.Add(string(d))
	}
	f.Fuzz(func(t *testing.T, text string) { checkParse(t, text) })
}

func FuzzParseRule(f *testing.F) {
	for _, s := range append(seeds, ruleSeeds...) {
		f.Add(s)
	}
	for _, s := range corpusRules(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) { checkRule(t, text) })
}

func FuzzFromValue(f *testing.F) {
	f.Add([]byte(`["|", ["a", "=", 1.5], ["b", "any", [["c", "in", [1, "x", null, true]]]]]`))
	f.Add([]byte(`[["a", "=", 1e999]]`))
	for _, d := range corpusDomains(f) {
		f.Add([]byte(d))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, numbers := range []bool{true, false} {
			d := json.NewDecoder(strings.NewReader(string(text)))
			if numbers {
				d.UseNumber()
			}
			var v any
			if d.Decode(&v) != nil {
				return
			}
			checkValue(t, v)
		}
	})
}

// tight are limits that random input gets across.
var tight = Limits{Bytes: 400, Depth: 4, Leaves: 6, List: 5}

func checkParse(t failer, text string) {
	for _, lim := range []Limits{{}, tight} {
		start := time.Now()
		n, err := Parse(text, lim)
		checkTime(t, start)
		if err != nil {
			checkError(t, text, err)
			continue
		}
		checkTree(t, n, lim)
		lim.Bytes = wide.Bytes // spaces and escapes may make it longer
		back, err := Parse(String(n), lim)
		if err != nil || !Equal(back, n) {
			t.Fatalf("%q: prints as %s, which reads as %s (%v)", text, String(n), tree(back), err)
		}
		back, err = Parse(string(JSON(n)), lim)
		if err != nil || !Equal(back, n) {
			t.Fatalf("%q: prints as %s, which reads as %s (%v)", text, JSON(n), tree(back), err)
		}
	}
}

func checkValue(t failer, v any) {
	for _, lim := range []Limits{{}, tight} {
		start := time.Now()
		n, err := FromValue(v, lim)
		checkTime(t, start)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Pos != -1 || !strings.HasPrefix(e.Near, "domain") {
				t.Fatalf("%v: an error without path: %#v", v, err)
			}
			continue
		}
		checkTree(t, n, lim)
		back, err := FromValue(decodeJSON(t, JSON(n)), wide)
		if err != nil || !Equal(back, n) {
			t.Fatalf("%v: prints as %s, which reads as %s (%v)", v, JSON(n), tree(back), err)
		}
	}
}

func checkRule(t failer, text string) {
	for _, lim := range []Limits{{}, tight} {
		start := time.Now()
		r, err := ParseRule(text, lim)
		checkTime(t, start)
		if err != nil {
			checkError(t, text, err)
			continue
		}
		asked := map[string]bool{}
		for _, name := range r.Names() {
			asked[name] = true
		}
		for kind := range 5 {
			start := time.Now()
			n, err := r.Eval(func(name string) (any, error) {
				if !asked[name] {
					t.Fatalf("%q asks for %s, but its names are %v", text, name, r.Names())
				}
				return anyValue(name, kind)
			})
			checkTime(t, start)
			switch {
			case err == nil:
				checkTree(t, n, lim)
			case !errors.Is(err, errNotThere):
				checkError(t, text, err)
			}
		}
	}
}

var errNotThere = errors.New("not there")

// anyValue answers to a name with one type of value after the other.
func anyValue(name string, kind int) (any, error) {
	if name == "now" {
		return "2026-11-21 10:20:30", nil
	}
	switch kind {
	case 0:
		return int64(len(name)), nil
	case 1:
		return []int64{1, 2, 3}, nil
	case 2:
		return name, nil
	case 3:
		return []any{nil, true, 1.5, []any{"x"}}, nil
	}
	return nil, errNotThere
}

// checkTime is generous: it finds what grows with the square of the input, not
// what is slow on a busy machine.
func checkTime(t failer, start time.Time) {
	if took := time.Since(start); took > 2*time.Second {
		t.Fatalf("took %v", took)
	}
}

func checkError(t failer, text string, err error) {
	pos := -1
	var e *Error
	var u *Unsupported
	switch {
	case errors.As(err, &e):
		pos = e.Pos
		if !utf8.ValidString(e.Msg) || len(e.Msg) > 500 || e.Msg == "" || !utf8.ValidString(e.Near) {
			t.Fatalf("%q: the message is not fit to be shown: %q near %q", text, e.Msg, e.Near)
		}
	case errors.As(err, &u):
		pos = u.Pos
		if u.What == "" || len(u.What) > 500 {
			t.Fatalf("%q: %q", text, u.What)
		}
	default:
		t.Fatalf("%q: an error of type %T: %v", text, err, err)
	}
	if pos < 0 || pos > len(text) {
		t.Fatalf("%q: position %d is outside of the text", text, pos)
	}
}

// checkTree checks what every tree must be: normal and within the limits.
func checkTree(t failer, n Node, lim Limits) {
	lim = lim.filled()
	if !isNormal(n) {
		t.Fatalf("not in normal form: %s", tree(n))
	}
	c := cost{}
	c.node(n, 0)
	if c.leaves > lim.Leaves || c.elements > lim.List || c.depth > lim.Depth {
		t.Fatalf("%s costs %+v, beyond %+v", tree(n), c, lim)
	}
}

// cost measures a tree in the terms of Limits. The outermost AND of a domain
// is no level, since nothing is written for it.
type cost struct{ leaves, elements, depth int }

func (c *cost) node(n Node, level int) {
	if and, ok := n.(And); ok {
		for _, child := range and {
			c.term(child, level)
		}
		return
	}
	c.term(n, level)
}

func (c *cost) term(n Node, level int) {
	c.depth = max(c.depth, level)
	switch n := n.(type) {
	case And:
		for _, child := range n {
			c.term(child, level+1)
		}
	case Or:
		for _, child := range n {
			c.term(child, level+1)
		}
	case Not:
		c.term(n.Child, level+1)
	case *Leaf:
		c.leaves++
		c.depth = max(c.depth, level+len(n.Steps())-1)
		if sub, ok := n.Value.(Node); ok {
			c.node(sub, level+1)
		}
		c.list(n.Value)
	}
}

func (c *cost) list(v any) {
	if list, ok := v.([]any); ok {
		c.elements += len(list)
		for _, e := range list {
			c.list(e)
		}
	}
}

// TestHostile reads texts that are made to be slow or deep.
func TestHostile(t *testing.T) {
	const size = 60_000
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for name, text := range map[string]string{
		"brackets": fill("["), "parentheses": fill("("), "nots": "[" + fill("'!',") + "]", "ors": "[" + fill("'|',") + "]",
		"alternating": "[" + fill("'|',('a','=',1),'&',('b','=',1),"), "texts": "[('a','='," + fill("'x'") + ")]",
		"open text": "['" + fill("a"), "escapes": "['" + fill(`\x41`) + "']", "slashes": "[\"" + fill(`\/`) + "\"]",
		"numbers": "[" + fill("1,") + "]", "digits": "[('a','='," + fill("9") + ")]", "float": "[('a','=',1." + fill("9") + ")]",
		"path": "[('" + fill("a.") + "a','=',1)]", "operator": "[('a','" + fill("x") + "',1)]", "comments": fill("#\n"),
		"any": fill("[('a','any',"), "list": "[('a','in',[" + fill("1,") + "])]", "lists": "[('a','in',[" + fill("[],") + "])]",
		"words": fill("not "), "sum": fill("a+") + "a", "text sum": "[('a','='," + fill("'x'+") + "'x')]", "logic": fill("a or ") + "a",
		"choice": fill("a if b else ") + "a", "index": "a" + fill("[0]"), "calls": fill("len("), "dots": "a" + fill(".a"),
		"sums": "[('a','in'," + fill("a+") + "a)]", "searches": "[" + fill("1 in a,") + "]", "compare": "[" + fill("a==a,") + "]",
	} {
		t.Run(name, func(t *testing.T) {
			checkParse(t, text)
			checkRule(t, text)
			if r, err := ParseRule(text, Limits{}); err == nil {
				big := make([]int64, 5000)
				start := time.Now()
				if _, err := r.Eval(func(string) (any, error) { return big, nil }); err != nil {
					checkError(t, text, err)
				}
				checkTime(t, start)
			}
		})
	}
	var v any = 1
	for range 100_000 {
		v = []any{v}
	}
	checkValue(t, v)
	many := make([]any, 1_000_000)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	checkValue(t, many)
}
