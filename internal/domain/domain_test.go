package domain

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
)

func must(t testing.TB, text string) Node {
	t.Helper()
	n, err := Parse(text, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOps(t *testing.T) {
	negative := map[Op]bool{
		OpNe: true, OpNotIn: true, OpNotLike: true, OpNotILike: true, OpNotEqLike: true, OpNotEqILike: true, OpNotAny: true,
	}
	none := map[Op]bool{OpLt: true, OpGt: true, OpLe: true, OpGe: true, OpChildOf: true, OpParentOf: true, OpEqMaybe: true}
	for _, op := range Ops() {
		if op.Negative() != negative[op] {
			t.Errorf("%q.Negative() = %v", op, op.Negative())
		}
		other, ok := op.Negate()
		if ok == none[op] {
			t.Errorf("%q.Negate() = %q, %v", op, other, ok)
			continue
		}
		if !ok {
			continue
		}
		if back, ok := other.Negate(); !ok || back != op || other.Negative() == op.Negative() || !slices.Contains(Ops(), other) {
			t.Errorf("%q.Negate() = %q, whose own is %q", op, other, back)
		}
	}
}

func TestString(t *testing.T) {
	for _, c := range []struct{ in, python, json string }{
		{"[]", "[]", "[]"},
		{"False", "[(0, '=', 1)]", `[[0, "=", 1]]`},
		{"[('a','=',None)]", "[('a', '=', None)]", `[["a", "=", null]]`},
		{
			"['|','!',('a','in',(1,'x',2.0)),('b','=',True),('c','any',[('d','<>','')])]",
			"['|', '!', ('a', 'in', [1, 'x', 2.0]), ('b', '=', True), ('c', 'any', [('d', '!=', '')])]",
			`["|", "!", ["a", "in", [1, "x", 2.0]], ["b", "=", true], ["c", "any", [["d", "!=", ""]]]]`,
		},
		{
			"['&',('a','=',1),('b','=',2),'|','|',('c','=',3),'&',('d','=',4),('e','=',5),('f','=',6)]",
			"[('a', '=', 1), ('b', '=', 2), '|', '|', ('c', '=', 3), '&', ('d', '=', 4), ('e', '=', 5), ('f', '=', 6)]",
			`[["a", "=", 1], ["b", "=", 2], "|", "|", ["c", "=", 3], "&", ["d", "=", 4], ["e", "=", 5], ["f", "=", 6]]`,
		},
		{`[('a','=','it\'s "é"\n\x01\x7f\\')]`, `[('a', '=', 'it\'s "é"\n\x01\x7f\\')]`, `[["a", "=", "it's \"é\"\n\u0001\u007f\\"]]`},
	} {
		n := must(t, c.in)
		if got := String(n); got != c.python {
			t.Errorf("String: %s\n got %s\nwant %s", c.in, got, c.python)
		}
		if got := string(JSON(n)); got != c.json || !json.Valid([]byte(got)) {
			t.Errorf("JSON: %s\n got %s\nwant %s", c.in, got, c.json)
		}
	}
}

// A tree built by hand may hold what it must not; printing it must not widen it.
func TestStringOfNonsense(t *testing.T) {
	for want, n := range map[string]Node{
		"[(0, '=', 1)]":                        nil,
		"['!', (1, '=', 1)]":                   Not{Const(true)},
		"[(0, '=', 1), (1, '=', 1)]":           And{nil, Const(true)},
		"['|', (1, '=', 1), '!', (0, '=', 1)]": Or{And{}, Not{Or{}}},
		"[('a', '=', '[1]')]":                  &Leaf{Path: "a", Op: OpEq, Value: []int{1}},
		"[('a', '=', None)]":                   &Leaf{Path: "a", Op: OpEq, Value: math.NaN()},
		"[('a', '=', '\uFFFD')]":               &Leaf{Path: "a", Op: OpEq, Value: "\xff"},
	} {
		if got := String(n); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestCombine(t *testing.T) {
	a, b, c := must(t, "[('a','=',1)]"), must(t, "[('b','=',1)]"), must(t, "[('c','=',1)]")
	for _, tt := range []struct {
		name      string
		got, want Node
	}{
		{"no conjunct", Conj(), Const(true)},
		{"no disjunct", Disj(), Const(false)},
		{"one conjunct", Conj(a), a},
		{"one disjunct", Disj(a), a},
		{"flat and", Conj(a, And{b, c}), And{a, b, c}},
		{"flat or", Disj(Or{a, b}, c), Or{a, b, c}},
		{"and in or", Disj(And{a, b}, c), Or{And{a, b}, c}},
		{"true falls out of and", Conj(Const(true), a), a},
		{"false decides and", Conj(a, Const(false), b), Const(false)},
		{"false falls out of or", Disj(Const(false), a), a},
		{"true decides or", Disj(a, Const(true), b), Const(true)},
		{"nothing forgotten in and", Conj(a, nil), Const(false)},
		{"nothing forgotten in or", Disj(a, nil), a},
		{"nothing forgotten in not", Neg(nil), Const(false)},
		{"not", Neg(a), Not{a}},
		{"negated twice", Neg(Neg(a)), a},
		{"not true", Neg(Const(true)), Const(false)},
	} {
		if !Equal(tt.got, tt.want) {
			t.Errorf("%s: got %s, want %s", tt.name, tree(tt.got), tree(tt.want))
		}
	}
	if got := Normal(Not{}); got != Const(false) || String(Not{}) != "[(0, '=', 1)]" {
		t.Errorf("a not without child is %s, printed %s", tree(got), String(Not{}))
	}
	parts := And{b, c}
	Conj(a, parts)
	if joined := Conj(parts, a).(And); !Equal(parts, And{b, c}) || &joined[0] == &parts[0] {
		t.Error("Conj changes or keeps its arguments")
	}
}

func TestEqualDiffers(t *testing.T) {
	texts := []string{
		"[]", "[(0,'=',1)]", "[('a','=',1)]", "[('a','=',1.0)]", "[('a','=',True)]", "[('a','=','1')]", "[('a','=',None)]", "[('a','=',False)]",
		"[('a','=',[])]", "[('a','=',[1])]", "[('a','=',[[1]])]", "[('a','=',[1.0])]", "[('a','!=',1)]", "[('b','=',1)]", "['!',('a','=',1)]",
		"[('a','=',1),('b','=',1)]", "[('b','=',1),('a','=',1)]", "['|',('a','=',1),('b','=',1)]", "[('a','any',[])]", "[('a','any',[('b','=',1)])]",
	}
	for i, x := range texts {
		for j, y := range texts {
			if Equal(must(t, x), must(t, y)) != (i == j) {
				t.Errorf("%s and %s", x, y)
			}
		}
	}
	if Equal(nil, Const(true)) || !Equal(nil, nil) || Equal(Const(true), nil) {
		t.Error("nil")
	}
	if !Equal(must(t, "[('a','=',1)]"), must(t, "   [  ('a','=',1)]")) {
		t.Error("positions count")
	}
}

func TestWalk(t *testing.T) {
	n := must(t, "['|', ('active', 'in', [True]), '!', ('p.active', '=', 1), ('c', 'any', [('inner', '=', 1)])]")
	var paths []string
	Walk(n, func(l *Leaf) { paths = append(paths, strings.Join(l.Steps(), "/")) })
	if got := strings.Join(paths, " "); got != "active p/active c" {
		t.Errorf("walked %s", got)
	}
	for field, want := range map[string]bool{"active": true, "c": true, "p": false, "p.active": true, "inner": false} {
		if MentionsTop(n, field) != want {
			t.Errorf("MentionsTop %s is not %v", field, want)
		}
	}
}

func TestPos(t *testing.T) {
	text := "['|', ('a', '=', 1), ('b', 'any', [('c', '=', 1)])]"
	Walk(must(t, text), func(l *Leaf) {
		if !strings.HasPrefix(text[l.Pos:], "('"+l.Path) {
			t.Errorf("%s at %d", l.Path, l.Pos)
		}
		if sub, ok := l.Value.(*Leaf); ok && !strings.HasPrefix(text[sub.Pos:], "('c'") {
			t.Errorf("c at %d", sub.Pos)
		}
	})
	n, err := FromValue([]any{[]any{"a", "=", 1}}, Limits{})
	if err != nil || n.(*Leaf).Pos != -1 {
		t.Errorf("position %v (%v) of a value", n, err)
	}
}

func TestErrorText(t *testing.T) {
	_, inText := Parse(`["a" x]`, Limits{})
	_, inValue := FromValue([]any{[]any{"a", "=", map[string]any{}}}, Limits{})
	_, inRule := ParseRule("[x for x in y]", Limits{})
	for want, err := range map[string]error{
		`domain: position 5: expected "," or "]" after the value, found "x"`:                                      inText,
		`domain[0][2]: objects have no place in a domain; expected a list, a text, a number, true, false or null`: inValue,
		`record rule: position 3: a comprehension is not supported`:                                               inRule,
		`domain: odd`: &Error{Pos: -1, Msg: "odd"},
	} {
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestFromGoValues(t *testing.T) {
	got, err := FromValue([]any{
		[]any{"a", "in", []int64{1, 2}},
		[]any{"b", "in", []int{3}},
		[]any{"c", "in", []string{"x"}},
		[]any{"d", "in", []any{int32(4), 5, 6.0, 6.5, json.Number("7"), nil}},
	}, Limits{})
	want := must(t, "[('a','in',[1,2]),('b','in',[3]),('c','in',['x']),('d','in',[4,5,6,6.5,7,None])]")
	if err != nil || !Equal(got, want) {
		t.Errorf("got %s (%v)", tree(got), err)
	}
	for _, bad := range []any{math.NaN(), math.Inf(-1), struct{}{}, json.Number("x"), json.Number("1.x"), "\xff", uint(1), []any{Const(true)}} {
		if n, err := FromValue([]any{[]any{"a", "=", bad}}, Limits{}); err == nil {
			t.Errorf("%v is taken as %s", bad, tree(n))
		}
	}
}

// Big floats stay floats: their integers are not those that were meant.
func TestFromBigFloat(t *testing.T) {
	n, err := FromValue([]any{[]any{"a", "=", 1e18}}, Limits{})
	if err != nil || n.(*Leaf).Value != 1e18 {
		t.Errorf("%s (%v)", tree(n), err)
	}
}

func TestRuleLookup(t *testing.T) {
	r, err := ParseRule("[('a', 'in', ids + ids), ('b', '=', user.id if flag else missing)]", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(r.Names(), " "); got != "flag ids missing user.id" {
		t.Errorf("names: %s", got)
	}
	r.Names()[0] = "changed"
	if r.Names()[0] != "flag" {
		t.Error("the names can be changed from outside")
	}
	odd := errors.New("odd")
	_, err = r.Eval(func(name string) (any, error) { return nil, odd })
	if !errors.Is(err, odd) || !strings.Contains(err.Error(), "ids") {
		t.Errorf("error of the lookup: %v", err)
	}
	if _, err := r.Eval(nil); err == nil {
		t.Error("names without lookup")
	}
	_, err = r.Eval(func(name string) (any, error) { return map[string]any{}, nil })
	var where *Error
	if !errors.As(err, &where) || where.Pos != 13 {
		t.Errorf("a value of a wrong type: %v", err)
	}
}

// A rule that is short and looks at very much is stopped.
func TestRuleWork(t *testing.T) {
	r, err := ParseRule("[('a', '=', "+strings.Repeat("9 in ids or ", 2000)+"1)]", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	_, err = r.Eval(func(string) (any, error) { asked++; return make([]int64, 9000), nil })
	if err == nil || asked > 200 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

func TestRuleConcurrent(t *testing.T) {
	r, err := ParseRule("[('a', 'in', ids + [user.id]), ('b', '=', 'x' + name)]", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for user := range int64(8) {
		wg.Go(func() {
			for range 200 {
				n, err := r.Eval(func(name string) (any, error) {
					switch name {
					case "ids":
						return []int64{1, 2}, nil
					case "name":
						return "y", nil
					}
					return user, nil
				})
				want := And{
					&Leaf{Path: "a", Op: OpIn, Value: []any{int64(1), int64(2), user}},
					&Leaf{Path: "b", Op: OpEq, Value: "xy"},
				}
				if err != nil || !Equal(n, want) {
					t.Errorf("%s (%v)", tree(n), err)
				}
			}
		})
	}
	wg.Wait()
}

const (
	typical = `['|', ('company_id', '=', False), ('company_id', 'in', [1, 2]), ('name', 'ilike', 'acme'), ('partner_id.country_id.code', '=', 'BE')]`
	inJSON  = `["|", ["company_id", "=", false], ["company_id", "in", [1, 2]], ["name", "ilike", "acme"], ["partner_id.country_id.code", "=", "BE"]]`
)

func BenchmarkParse(b *testing.B) {
	for name, text := range map[string]string{
		"python": typical, "json": inJSON, "one": "[('name','=','x')]",
		"ids": "[('id','in',[" + strings.Repeat("12345,", 1000) + "])]",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(text, Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFromValue(b *testing.B) {
	v := decodeJSON(b, []byte(inJSON))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := FromValue(v, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRuleEval(b *testing.B) {
	r, err := ParseRule("['|', ('company_id', '=', False), ('company_id', 'parent_of', company_ids)]", Limits{})
	if err != nil {
		b.Fatal(err)
	}
	companies := any([]int64{1, 2})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Eval(func(string) (any, error) { return companies, nil }); err != nil {
			b.Fatal(err)
		}
	}
}
