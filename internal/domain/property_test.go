package domain

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// wide lets every generated tree through, so that only the round trip counts.
var wide = Limits{Bytes: 1 << 24, Depth: 200, Leaves: 1 << 16, List: 1 << 16}

func genText() *rapid.Generator[string] {
	odd := rapid.StringOf(rapid.RuneFrom([]rune("'\"\\\n\r\t\a\x7f#,()[]{}/%_ xé😀\u2028\u00a0")))
	return rapid.OneOf(odd, rapid.Map(rapid.String(), func(s string) string {
		return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
	}))
}

func genScalar() *rapid.Generator[any] {
	return rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Int64(), func(n int64) any { return n }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
		rapid.Map(genText(), func(s string) any { return s }),
	)
}

func genValue(op Op, depth int) *rapid.Generator[any] {
	if op == OpAny || op == OpNotAny {
		return rapid.Custom(func(t *rapid.T) any { return genNode(depth-1).Draw(t, "domain") })
	}
	list := func(of *rapid.Generator[any]) *rapid.Generator[any] {
		return rapid.Map(rapid.SliceOfN(of, 0, 4), func(v []any) any { return v })
	}
	return rapid.OneOf(genScalar(), list(genScalar()), list(list(genScalar())))
}

func genLeaf(depth int) *rapid.Generator[Node] {
	return rapid.Custom(func(t *rapid.T) Node {
		op := rapid.SampledFrom(Ops()).Draw(t, "op")
		if depth <= 0 && (op == OpAny || op == OpNotAny) {
			op = OpEq
		}
		path := rapid.StringMatching(`[a-z_0-9]{1,3}(\.[A-Za-z_]{1,2}){0,2}`).Draw(t, "path")
		return &Leaf{Path: path, Op: op, Value: genValue(op, depth).Draw(t, "value"), Pos: -1}
	})
}

// evenly draws from 0 to 15. Rapid's own numbers and choices are mostly small,
// which would give hardly more than single leaves.
func evenly(t *rapid.T) int {
	n := 0
	for range 4 {
		n *= 2
		if rapid.Bool().Draw(t, "bit") {
			n++
		}
	}
	return n
}

// genRaw makes trees of every shape that the types allow, normal or not.
func genRaw(depth int) *rapid.Generator[Node] {
	return rapid.Custom(func(t *rapid.T) Node {
		choice := evenly(t)
		if depth <= 0 && choice > 0 {
			choice = 15
		}
		children := func() []Node {
			c := make([]Node, evenly(t)%6)
			for i := range c {
				c[i] = genRaw(depth-1).Draw(t, "child")
			}
			return c
		}
		switch {
		case choice == 0:
			return Const(rapid.Bool().Draw(t, "constant"))
		case choice <= 4:
			return And(children())
		case choice <= 8:
			return Or(children())
		case choice <= 11:
			return Not{genRaw(depth-1).Draw(t, "child")}
		}
		return genLeaf(depth).Draw(t, "leaf")
	})
}

func genNode(depth int) *rapid.Generator[Node] { return rapid.Map(genRaw(depth), Normal) }

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := genRaw(4).Draw(t, "tree")
		n := Normal(raw)
		if !isNormal(n) {
			t.Fatalf("not in normal form: %s", tree(n))
		}
		for _, text := range []string{String(raw), String(n), string(JSON(raw)), string(JSON(n))} {
			back, err := Parse(text, wide)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if !Equal(back, n) {
				t.Fatalf("%s\n got %s\nwant %s", text, tree(back), tree(n))
			}
		}
		back, err := FromValue(decodeJSON(t, JSON(n)), wide)
		if err != nil || !Equal(back, n) {
			t.Fatalf("%s: %v\n got %s", JSON(n), err, tree(back))
		}
		if r, err := ParseRule(String(n), wide); err != nil {
			t.Fatalf("as a rule: %v", err)
		} else if back, err := r.Eval(nil); err != nil || !Equal(back, n) {
			t.Fatalf("as a rule: %v\n got %s", err, tree(back))
		}
	})
}

// decodeJSON decodes as the server does, and thereby checks our JSON.
func decodeJSON(t interface{ Fatalf(string, ...any) }, text []byte) any {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// isNormal checks what the package promises about the trees it gives out.
func isNormal(n Node) bool {
	if _, ok := n.(Const); ok {
		return true
	}
	return normalInside(n)
}

func normalInside(n Node) bool {
	inside := func(nodes []Node, same func(Node) bool) bool {
		for _, c := range nodes {
			if same(c) || !normalInside(c) {
				return false
			}
		}
		return len(nodes) >= 2
	}
	switch n := n.(type) {
	case And:
		return inside(n, func(c Node) bool { _, ok := c.(And); return ok })
	case Or:
		return inside(n, func(c Node) bool { _, ok := c.(Or); return ok })
	case Not:
		_, twice := n.Child.(Not)
		return !twice && normalInside(n.Child)
	case *Leaf:
		sub, domain := n.Value.(Node)
		takes := n.Op == OpAny || n.Op == OpNotAny
		return domain == takes && (!domain || isNormal(sub)) && len(n.Steps()) > 0
	}
	return false
}

// holds evaluates a tree when the leaf with path "x3" has the truth of bit 3.
func holds(n Node, bits uint) bool {
	switch n := n.(type) {
	case And:
		for _, c := range n {
			if !holds(c, bits) {
				return false
			}
		}
		return true
	case Or:
		for _, c := range n {
			if holds(c, bits) {
				return true
			}
		}
		return false
	case Not:
		return !holds(n.Child, bits)
	case Const:
		return bool(n)
	case *Leaf:
		return bits>>(n.Path[1]-'0')&1 == 1
	}
	panic("no such node")
}

// TestMeaning checks that the normal form, and reading prefix notation, keep
// what a domain says: against Odoo's way of reading it, from the right.
func TestMeaning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var symbols []string
		for range evenly(t) % 4 {
			symbols = genTerm(t, symbols, 5)
		}
		if drop := evenly(t) * 2; drop < len(symbols) {
			symbols = slices.Delete(symbols, drop, drop+1)
		}
		want, ok := fromTheRight(symbols)
		n, err := Parse(spell(symbols), Limits{})
		if (err == nil) != ok {
			t.Fatalf("%q: error %v, want success %v", spell(symbols), err, ok)
		}
		if !ok {
			return
		}
		if !isNormal(n) {
			t.Fatalf("not in normal form: %s", tree(n))
		}
		for bits := range uint(32) {
			if holds(n, bits) != want(bits) || holds(Neg(n), bits) == want(bits) {
				t.Fatalf("%s differs for %b", tree(n), bits)
			}
		}
	})
}

// genTerm adds one term in prefix notation.
func genTerm(t *rapid.T, symbols []string, depth int) []string {
	choice := evenly(t)
	operands := 2
	switch {
	case depth <= 0 || choice >= 11:
		return append(symbols, "x"+strconv.Itoa(choice%5))
	case choice == 10:
		return append(symbols, strconv.Itoa(choice%2))
	case choice >= 8:
		operands = 1
	}
	symbols = append(symbols, []string{"&", "|", "!"}[choice/4])
	for range operands {
		symbols = genTerm(t, symbols, depth-1)
	}
	return symbols
}

func spell(symbols []string) string {
	var b strings.Builder
	for _, s := range symbols {
		switch s {
		case "&", "|", "!":
			b.WriteString("'" + s + "',")
		case "0", "1":
			b.WriteString("(" + s + ",'=',1),")
		default:
			b.WriteString("('" + s + "','=',True),")
		}
	}
	return "[" + b.String() + "]"
}

type truthOf = func(bits uint) bool

func fromTheRight(symbols []string) (truthOf, bool) {
	var stack []truthOf
	pop := func() truthOf {
		f := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		return f
	}
	for i := len(symbols) - 1; i >= 0; i-- {
		s := symbols[i]
		if s == "!" && len(stack) < 1 || (s == "&" || s == "|") && len(stack) < 2 {
			return nil, false
		}
		var f truthOf
		switch s {
		case "!":
			a := pop()
			f = func(b uint) bool { return !a(b) }
		case "&":
			a, c := pop(), pop()
			f = func(b uint) bool { return a(b) && c(b) }
		case "|":
			a, c := pop(), pop()
			f = func(b uint) bool { return a(b) || c(b) }
		default:
			leaf := Node(&Leaf{Path: s})
			if s == "0" || s == "1" {
				leaf = Const(s == "1")
			}
			f = func(b uint) bool { return holds(leaf, b) }
		}
		stack = append(stack, f)
	}
	return func(b uint) bool {
		for _, f := range stack {
			if !f(b) {
				return false
			}
		}
		return true
	}, true
}

// TestEqual compares Equal with a reflective comparison. Not a number and the
// two zeros are the cases where they would rightly differ.
func TestEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := genNode(2).Draw(t, "a"), genNode(2).Draw(t, "b")
		if Equal(a, b) != cmp.Equal(a, b) {
			t.Fatalf("Equal is %v for\n%s\n%s", Equal(a, b), tree(a), tree(b))
		}
		if !Equal(a, a) {
			t.Fatalf("%s does not equal itself", tree(a))
		}
	})
	if !Equal(&Leaf{Value: math.Copysign(0, -1)}, &Leaf{Value: 0.0}) {
		t.Error("the two zeros are one value")
	}
}

// TestGarbage feeds pieces of the language in any order: nothing may panic.
func TestGarbage(t *testing.T) {
	piece := rapid.OneOf(rapid.SampledFrom([]string{
		"[", "]", "(", ")", ",", "'", "\"", "'''", "\\", "#", "\n", "{", ":", "=", "==", "!=", "<", "+", "-", "*", ".", "0x", "1", "1e", "9999999999999999999",
		"'&'", "'|'", "'!'", "('a','=',1)", "'any'", "in ", "not ", "is ", "None", "True", "false", "user.id", "company_ids", "len(", "time.strftime(", "%Y",
		" if ", " else ", " and ", " or ", "u'", "r\"", "b'", "\\u12", "\\ud83d", "\\N{", "\x00", "\xff",
	}), rapid.StringN(0, 3, 6))
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(piece, 0, 30).Draw(t, "pieces"), "")
		checkParse(t, text)
		checkRule(t, text)
	})
}
