package domain

import (
	"math"
	"strconv"
)

// kind is the type of a value before it is known to be a part of a domain.
type kind uint8

const (
	kNone kind = iota
	kBool
	kInt
	kFloat
	kText
	kList
	kTuple
	kObject
)

// item is one value on a tape. The children of a list follow it directly, so
// the value at i ends at i+span, where its next sibling begins.
type item struct {
	text string
	num  uint64 // kBool 0 or 1, kInt and kFloat their bits, lists their length
	pos  int32  // byte offset in the text, -1 if there is none
	span int32  // this item and all that is in it
	kind kind
}

func (it *item) list() bool     { return it.kind == kList || it.kind == kTuple }
func (it *item) int() int64     { return int64(it.num) }
func (it *item) float() float64 { return math.Float64frombits(it.num) }
func (it *item) count() int     { return int(it.num) }

func boolItem(b bool, pos int) item {
	it := item{kind: kBool, pos: int32(pos), span: 1}
	if b {
		it.num = 1
	}
	return it
}

func intItem(n int64, pos int) item {
	return item{kind: kInt, num: uint64(n), pos: int32(pos), span: 1}
}

func floatItem(f float64, pos int) item {
	return item{kind: kFloat, num: math.Float64bits(f), pos: int32(pos), span: 1}
}

func textItem(s string, pos int) item {
	return item{kind: kText, text: s, pos: int32(pos), span: 1}
}

func noneItem(pos int) item { return item{kind: kNone, pos: int32(pos), span: 1} }

// tape holds values in the order in which they are written. The three sources
// of domains (text, decoded JSON, a rule's expression) all write to a tape, and
// one builder makes the tree of it.
type tape struct {
	items []item
	text  string // what positions refer to; not used if the items have none
	// objects are what items of kind kObject stand for, by their num.
	objects []map[string]any
}

func (t *tape) add(it item) { t.items = append(t.items, it) }

// open begins a list, whose children are added next. It returns the place to
// give to close.
func (t *tape) open(k kind, pos int) int {
	t.items = append(t.items, item{kind: k, pos: int32(pos)})
	return len(t.items) - 1
}

func (t *tape) close(i, count int) {
	t.items[i].num = uint64(count)
	t.items[i].span = int32(len(t.items) - i)
}

// next is the place after the value at i.
func (t *tape) next(i int) int { return i + int(t.items[i].span) }

// drop takes the single item at i out; what follows moves up.
func (t *tape) drop(i int) {
	t.items = append(t.items[:i], t.items[i+1:]...)
}

// value makes the Go value of Leaf.Value from the item at i.
func (t *tape) value(i int) any {
	switch it := &t.items[i]; it.kind {
	case kBool:
		return it.num == 1
	case kInt:
		return it.int()
	case kFloat:
		return it.float()
	case kText:
		return it.text
	case kList, kTuple:
		values := make([]any, it.count())
		at := i + 1
		for n := range values {
			values[n] = t.value(at)
			at = t.next(at)
		}
		return values
	case kObject:
		return t.objects[it.num]
	default:
		return nil
	}
}

// describe names the value at i for a message.
func (t *tape) describe(i int) string {
	switch it := &t.items[i]; it.kind {
	case kBool:
		if it.num == 1 {
			return "True"
		}
		return "False"
	case kInt:
		return strconv.FormatInt(it.int(), 10)
	case kFloat:
		return formatFloat(it.float())
	case kText:
		return quote(it.text)
	case kList, kTuple:
		if it.count() == 0 {
			return "an empty list"
		}
		return "a list of " + strconv.Itoa(it.count())
	case kObject:
		return "an object"
	default:
		return "None"
	}
}

// fail makes the error for the value at i: with its position, or with the path
// to it if the values did not come from a text.
func (t *tape) fail(i int, format string, args ...any) error {
	if pos := int(t.items[i].pos); pos >= 0 {
		return errorAt(t.text, pos, format, args...)
	}
	err := errorAt("", 0, format, args...)
	err.Pos, err.Near = -1, t.path(i)
	return err
}

// path writes where the item at i stands, as "domain[2][0]".
func (t *tape) path(i int) string {
	path := "domain"
	for at := 0; at < i; {
		child, n := at+1, 0
		for t.next(child) <= i {
			child, n = t.next(child), n+1
		}
		path += "[" + strconv.Itoa(n) + "]"
		at = child
	}
	return path
}
