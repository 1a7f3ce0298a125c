package wire

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"gatehouse/internal/fault"
)

func TestDecode(t *testing.T) {
	got, err := Decode([]byte(` {"a": 1, "a": 9007199254740993, "b": [true, null, "x"], "c": {"d": 1.50}} `))
	want := map[string]any{
		"a": json.Number("9007199254740993"), "b": []any{true, nil, "x"}, "c": map[string]any{"d": json.Number("1.50")},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%#v, %v", got, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for body, where := range map[string][3]int{ // offset, line, column
		"":                               {0, 1, 1},
		"  \n":                           {0, 1, 1},
		"{":                              {1, 1, 2},
		`{"a": }`:                        {6, 1, 7},
		"{\n  \"a\": 1,\n  b\n}":         {14, 3, 3},
		`{"a": 1} x`:                     {9, 1, 10},
		`{"a": 1}{"b": 2}`:               {8, 1, 9},
		`{"a": 01}`:                      {7, 1, 8},
		`{"a": NaN}`:                     {6, 1, 7},
		`{'a': 1}`:                       {1, 1, 2},
		`{"a": 1,}`:                      {8, 1, 9},
		"\xef\xbb\xbf{}":                 {0, 1, 1},
		"{\"a\": \"\xff\"}":              {7, 1, 8},
		"{\"a\": \"line\nbreak\"}":       {11, 1, 12},
		`{"a": "open`:                    {11, 1, 12},
		`{"a": "\x"}`:                    {8, 1, 9},
		`{"a": tru}`:                     {9, 1, 10},
		strings.Repeat("[", 65):          {64, 1, 65},
		strings.Repeat(`{"a":`, 100_000): {64 * 5, 1, 64*5 + 1},
	} {
		_, err := Decode([]byte(body))
		f := fault.From(err)
		at, ok := f.Details.(BodyProblem)
		if f.Kind != fault.BadRequest || f.Message != "Invalid JSON body" || !ok {
			t.Errorf("%.40q: %v", body, err)
			continue
		}
		if got := [3]int{at.Offset, at.Line, at.Column}; got != where || at.Problem == "" {
			t.Errorf("%.40q: %+v, want %v", body, at, where)
		}
	}
	if _, err := Decode([]byte(strings.Repeat("[", 64) + strings.Repeat("]", 64) + " ")); err != nil {
		t.Errorf("64 levels: %v", err)
	}
	if _, err := Decode([]byte(`{"a": "[[[[[[[[\"[[[" , "b\\": "]"}`)); err != nil {
		t.Errorf("brackets in a text: %v", err)
	}
}

func TestDecodeObject(t *testing.T) {
	for _, body := range []string{`[]`, `"x"`, `1`, `null`, `true`} {
		if _, err := DecodeObject([]byte(body), true); !fault.Is(err, fault.BadRequest) || fault.From(err).Message != "Invalid JSON body" {
			t.Errorf("%s: %v", body, err)
		}
	}
	if got, err := DecodeObject([]byte(" \n"), true); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := DecodeObject(nil, false); err == nil {
		t.Error("nothing is an object")
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":"\u00e9"}]}`, `[[[`, "\x00", `{"a":1e999}`, `"\ud800"`, `{"a":1}x`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		value, err := Decode(body)
		if err != nil {
			if fl := fault.From(err); fl.Kind != fault.BadRequest || fl.Message != "Invalid JSON body" {
				t.Fatal(err)
			}
			return
		}
		if !json.Valid(body) {
			t.Fatalf("%q was taken", body)
		}
		if _, err := json.Marshal(value); err != nil {
			t.Fatal(err)
		}
	})
}
