package domain

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// FromValue makes the tree of a domain that came as decoded JSON: nil, bool,
// string, json.Number, float64, the integer types, and lists ([]any and slices
// of integers or texts) of these. A float64 without fraction counts as integer,
// since that is what the plain decoder makes of 5; decode with UseNumber to
// tell 5 from 5.0. An error is an *Error whose Pos is -1 and whose Near is the
// path to the culprit: "domain[2][0]".
func FromValue(v any, lim Limits) (Node, error) {
	lim = lim.filled()
	in := intake{lim: lim, most: lim.items(), bytes: lim.Bytes, pos: -1}
	in.tape.items = make([]item, 0, 32)
	if err := in.push(v, 0); err != nil {
		return nil, err
	}
	return build(&in.tape, lim)
}

// intake writes Go values to a tape.
type intake struct {
	tape  tape
	lim   Limits
	most  int // items that may be on the tape
	bytes int // bytes of text that may still come
	pos   int // the position that all items get
}

func (in *intake) push(v any, level int) error {
	if list, ok := v.([]any); ok {
		return pushList(in, list, level)
	}
	switch v := v.(type) {
	case []int64:
		return pushList(in, v, level)
	case []int:
		return pushList(in, v, level)
	case []string:
		return pushList(in, v, level)
	}
	it, problem := in.scalar(v)
	in.tape.add(it)
	if problem != "" {
		return in.fail(problem)
	}
	return nil
}

// scalar makes the item of a single value, or says why there is none.
func (in *intake) scalar(v any) (it item, problem string) {
	switch v := v.(type) {
	case nil:
		return noneItem(in.pos), ""
	case bool:
		return boolItem(v, in.pos), ""
	case int64:
		return intItem(v, in.pos), ""
	case int:
		return intItem(int64(v), in.pos), ""
	case int32:
		return intItem(int64(v), in.pos), ""
	case string:
		return textItem(v, in.pos), in.checkText(v)
	case json.Number:
		return in.number(string(v))
	case float64:
		const exact = 1 << 53 // below this every integer has a float64 of its own
		if v == math.Trunc(v) && math.Abs(v) <= exact {
			return intItem(int64(v), in.pos), ""
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return noneItem(in.pos), "a number must be finite"
		}
		return floatItem(v, in.pos), ""
	case map[string]any:
		if in.lim.Objects {
			in.tape.objects = append(in.tape.objects, v)
			return item{kind: kObject, num: uint64(len(in.tape.objects) - 1), pos: int32(in.pos), span: 1}, ""
		}
		return noneItem(in.pos), "objects have no place in a domain; expected a list, a text, a number, true, false or null"
	}
	return noneItem(in.pos), fmt.Sprintf("a value of type %T has no place in a domain", v)
}

func (in *intake) checkText(s string) string {
	if in.bytes -= len(s); in.bytes < 0 {
		return "the texts of the domain have more than the " + strconv.Itoa(in.lim.Bytes) + " bytes allowed"
	}
	if bad := badByte(s); bad >= 0 {
		if s[bad] == 0 {
			return "a NUL character is not allowed"
		}
		return "the text is not valid UTF-8"
	}
	return ""
}

func (in *intake) number(s string) (item, string) {
	if !strings.ContainsAny(s, ".eE") {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return noneItem(in.pos), quote(s) + " is not a number of 64 bits"
		}
		return intItem(n, in.pos), ""
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return noneItem(in.pos), quote(s) + " is not a number that can be kept"
	}
	return floatItem(f, in.pos), ""
}

func pushList[T any](in *intake, list []T, level int) error {
	at := in.tape.open(kList, in.pos)
	if level >= in.lim.brackets() {
		return in.fail(fmt.Sprintf("lists are nested deeper than the %d levels allowed", in.lim.brackets()))
	}
	for i := range list {
		if len(in.tape.items) >= in.most {
			return in.fail(fmt.Sprintf("the domain consists of more than the %d values allowed", in.most))
		}
		if err := in.push(list[i], level+1); err != nil {
			return err
		}
	}
	in.tape.close(at, len(list))
	return nil
}

// fail makes the error for the newest item. The lists around it are still open;
// they are closed as if they ended here, so that the path to it can be found.
func (in *intake) fail(problem string) error {
	t := &in.tape
	last := len(t.items) - 1
	for i := range t.items {
		if t.items[i].span == 0 {
			t.items[i].span = int32(len(t.items) - i)
		}
	}
	return t.fail(last, "%s", problem)
}
