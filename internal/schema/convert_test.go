package schema

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"gatehouse/internal/fault"
)

func TestConvert(t *testing.T) {
	sized := NewChar("f", "F").MaxSize(3)
	kind := NewSelection("f", "F", "a", "Alpha", "b", "Beta")
	tests := []struct {
		field *Field
		in    any
		want  any
		fails string
	}{
		{NewInteger("f", "F"), json.Number("12"), int64(12), ""},
		{NewInteger("f", "F"), "12", int64(12), ""},
		{NewInteger("f", "F"), true, int64(1), ""},
		{NewInteger("f", "F"), nil, int64(0), ""},
		{NewInteger("f", "F"), 1.9, int64(1), ""},
		{NewInteger("f", "F"), json.Number("1e3"), int64(1000), ""},
		{NewInteger("f", "F"), "1.5", nil, "whole number"},
		{NewInteger("f", "F"), json.Number("2147483648"), nil, "out of range"},
		{NewInteger("f", "F"), []any{}, nil, "whole number"},
		{NewFloat("f", "F", 2), json.Number("1.005"), 1.01, ""},
		{NewFloat("f", "F", -1), json.Number("1.005"), 1.005, ""},
		{NewFloat("f", "F", 2), "x", nil, "a number"},
		{NewFloat("f", "F", 2), json.Number("1e999"), nil, "out of range"},
		{NewBoolean("f", "F"), "false", true, ""}, // truth, as in Odoo
		{NewBoolean("f", "F"), "", false, ""},
		{NewBoolean("f", "F"), json.Number("0"), false, ""},
		{NewChar("f", "F"), false, nil, ""},
		{NewChar("f", "F"), "", "", ""},
		{NewChar("f", "F"), json.Number("7.50"), "7.50", ""},
		{sized, "äöüß", "äöü", ""},
		{NewChar("f", "F"), "a\x00", nil, "NUL"},
		{NewChar("f", "F"), "\xff", nil, "UTF-8"},
		{NewChar("f", "F"), map[string]any{}, nil, "a text"},
		{NewDate("f", "F"), "2024-5-6", "2024-05-06", ""},
		{NewDate("f", "F"), "2024-05-06 anything", "2024-05-06", ""},
		{NewDate("f", "F"), "2024-02-30", nil, "a date"},
		{NewDate("f", "F"), "", nil, ""},
		{NewDatetime("f", "F"), "2024-05-06", "2024-05-06 00:00:00", ""},
		{NewDatetime("f", "F"), "2024-05-06 07:08", "2024-05-06 07:08:00", ""},
		{NewDatetime("f", "F"), "2024-05-06T07:08:09Z", nil, "a moment"},
		{NewDatetime("f", "F"), "2024-05-06 07:08:09.5", nil, "a moment"},
		{kind, "a", "a", ""},
		{kind, "", nil, ""},
		{kind, "z", nil, "not one of: a, b"},
		{NewMany2one("f", "F", "m"), json.Number("3"), int64(3), ""},
		{NewMany2one("f", "F", "m"), "3", int64(3), ""},
		{NewMany2one("f", "F", "m"), 0, nil, ""},
		{NewDate("f", "F"), "0000-01-01", nil, "expected a date"},
		{NewDatetime("f", "F"), "0000-01-01 00:00:00", nil, "expected a moment"},
		{NewSelection("f", "F", "a", "A"), int64(0), nil, ""},
		{NewSelection("f", "F", "a", "A"), []any{}, nil, ""},
		{NewSelection("f", "F", "0", "Zero"), json.Number("0"), "0", ""},
		{NewMany2one("f", "F", "m"), -1, int64(-1), ""}, // the foreign key finds it
		{NewMany2one("f", "F", "m"), json.Number("2147483648"), nil, "out of range"},
		{NewMany2one("f", "F", "m"), true, nil, "an id"},
		{NewMany2one("f", "F", "m"), []any{1}, nil, "an id"},
		{NewBinary("f", "F"), "aGk=", "aGk=", ""},
		{NewBinary("f", "F"), "%%%", nil, "base64"},
		{NewJSON("f", "F"), map[string]any{"a": json.Number("1")}, `{"a":1}`, ""},
		{NewOne2many("f", "F", "m", "i"), []any{}, nil, "cannot be written"},
	}
	for _, tt := range tests {
		got, err := tt.field.Convert(tt.in)
		switch {
		case tt.fails == "" && (err != nil || got != tt.want):
			t.Errorf("%s of %#v: got %#v, %v; want %#v", tt.field.Type, tt.in, got, err, tt.want)
		case tt.fails != "" && (!fault.Is(err, fault.BadRequest) || !strings.Contains(err.Error(), tt.fails)):
			t.Errorf("%s of %#v: got %#v, %v; want an error with %q", tt.field.Type, tt.in, got, err, tt.fails)
		}
	}
}

func TestRound(t *testing.T) {
	for _, tt := range []struct {
		x      float64
		digits int
		want   float64
	}{
		{2.675, 2, 2.68},
		{1.005, 2, 1.01},
		{-1.005, 2, -1.01},
		{0.5, 0, 1},
		{-0.5, 0, -1},
		{1.4999999, 0, 1},
		{5.015, 2, 5.02},
		{1e300, 2, 1e300},
		{4503599627370497, 2, 4503599627370497},
		{0, 2, 0},
	} {
		if got := Round(tt.x, tt.digits); got != tt.want {
			t.Errorf("Round(%v, %d) = %v, want %v", tt.x, tt.digits, got, tt.want)
		}
	}
}

// FuzzConvert: whatever is written to a field of any type is converted to one
// of the stored forms or refused with the field's name, never a panic.
func FuzzConvert(f *testing.F) {
	for _, seed := range []string{`1`, `"2024-01-01"`, `null`, `true`, `[1,[2]]`, `{"a":{}}`, `1e400`, `"\u0000"`, `-0.5`, `"9999999999"`} {
		f.Add(seed)
	}
	fields := []*Field{
		NewInteger("f", ""), NewFloat("f", "", 2), NewMonetary("f", "", "c"), NewBoolean("f", ""), NewChar("f", "").MaxSize(5),
		NewHTML("f", ""), NewDate("f", ""), NewDatetime("f", ""), NewSelection("f", "", "a", "A"), NewMany2one("f", "", "m"),
		NewBinary("f", ""), NewJSON("f", ""),
		{Name: "f", Type: Reference},
		{Name: "f", Type: Many2oneReference},
	}
	f.Fuzz(func(t *testing.T, text string) {
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		var v any
		if dec.Decode(&v) != nil {
			return
		}
		for _, field := range fields {
			got, err := field.Convert(v)
			if err != nil {
				if !strings.Contains(fault.From(err).Message, "field f") {
					t.Errorf("%s: the error does not name the field: %v", field.Type, err)
				}
				continue
			}
			switch got := got.(type) {
			case nil, bool, int64, string:
			case float64:
				if math.IsNaN(got) || math.IsInf(got, 0) {
					t.Errorf("%s of %s is %v", field.Type, text, got)
				}
			default:
				t.Errorf("%s of %s gave a %T", field.Type, text, got)
			}
		}
	})
}
