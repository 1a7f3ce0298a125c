package wire

import (
	"testing"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/schema"
)

func TestShapes(t *testing.T) {
	moment := time.Date(2026, 1, 31, 10, 30, 0, 999_999_000, time.UTC)
	char, text := schema.NewChar("f", "F"), backend.TextValue
	for _, test := range []struct {
		name        string
		field       *schema.Field
		value       backend.Value
		plain, odoo string
	}{
		{"char", char, text("Acme"), `"Acme"`, `"Acme"`},
		{"char not set", char, backend.NullValue, `null`, `false`},
		{"char empty", char, text(""), `null`, `""`},
		{"text not set", schema.NewText("f", "F"), backend.NullValue, `null`, `false`},
		{"boolean", schema.NewBoolean("f", "F"), backend.BoolValue(true), `true`, `true`},
		{"boolean not set", schema.NewBoolean("f", "F"), backend.NullValue, `false`, `false`},
		{"integer", schema.NewInteger("f", "F"), backend.IntValue(-5), `-5`, `-5`},
		{"integer not set", schema.NewInteger("f", "F"), backend.NullValue, `0`, `0`},
		{"float of 2 digits", schema.NewFloat("f", "F", 2), backend.FloatValue(79.990000001), `79.99`, `79.99`},
		{"whole float", schema.NewFloat("f", "F", 2), backend.FloatValue(100), `100`, `100.0`},
		{"float of any digits", schema.NewFloat("f", "F", -1), backend.FloatValue(sum(0.1, 0.2)), `0.30000000000000004`, `0.30000000000000004`},
		{"float not set", schema.NewFloat("f", "F", 2), backend.NullValue, `0`, `0.0`},
		{"amount", schema.NewMonetary("f", "F", "c"), backend.FloatValue(sum(0.1, 0.2)), `0.3`, `0.3`},
		{"amount in dinars", schema.NewMonetary("f", "F", "c"), backend.FloatValue(1.234), `1.234`, `1.234`},
		{"date", schema.NewDate("f", "F"), backend.DateValue(moment), `"2026-01-31"`, `"2026-01-31"`},
		{"date of the year 1", schema.NewDate("f", "F"), backend.DateValue(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)), `"0001-01-01"`, `"1-01-01"`},
		{"datetime of the year 1", schema.NewDatetime("f", "F"), backend.DatetimeValue(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)), `"0001-01-01T00:00:00Z"`, `"1-01-01 00:00:00"`},
		{"date not set", schema.NewDate("f", "F"), backend.NullValue, `null`, `false`},
		{"datetime", schema.NewDatetime("f", "F"), backend.DatetimeValue(moment), `"2026-01-31T10:30:00Z"`, `"2026-01-31 10:30:00"`},
		{"datetime before 1970", schema.NewDatetime("f", "F"), backend.DatetimeValue(time.Date(1969, 12, 31, 23, 59, 59, 5, time.UTC)), `"1969-12-31T23:59:59Z"`, `"1969-12-31 23:59:59"`},
		{"selection", schema.NewSelection("f", "F", "a", "A"), text("a"), `"a"`, `"a"`},
		{"many2one", schema.NewMany2one("f", "F", "m"), backend.RefValue(1, `Bel"gium`), `{"id":1,"name":"Bel\"gium"}`, `[1,"Bel\"gium"]`},
		{"many2one not set", schema.NewMany2one("f", "F", "m"), backend.NullValue, `null`, `false`},
		{"many2one of 0", schema.NewMany2one("f", "F", "m"), backend.RefValue(0, ""), `null`, `false`},
		{"x2many", schema.NewMany2many("f", "F", "m", "r", "a", "b"), backend.IDsValue([]int64{3, 1}), `[3,1]`, `[3,1]`},
		{"x2many empty", schema.NewOne2many("f", "F", "m", "i"), backend.IDsValue(nil), `[]`, `[]`},
		{"x2many not set", schema.NewOne2many("f", "F", "m", "i"), backend.NullValue, `[]`, `[]`},
		{"binary", schema.NewBinary("f", "F"), text("aGk="), `"aGk="`, `"aGk="`},
		{"json", schema.NewJSON("f", "F"), backend.RawValue(`{"a":[1]}`), `{"a":[1]}`, `{"a":[1]}`},
		{"json broken", schema.NewJSON("f", "F"), backend.RawValue(`{"a":`), `"{\"a\":"`, `"{\"a\":"`},
		{"json empty", schema.NewJSON("f", "F"), backend.RawValue(``), `null`, `false`},
		{"no field", nil, backend.FloatValue(1.5), `1.5`, `1.5`},
		{"no field, no value", nil, backend.NullValue, `null`, `false`},
	} {
		if got := string(AppendValue(nil, Plain, test.field, &test.value)); got != test.plain {
			t.Errorf("%s: plain %s, want %s", test.name, got, test.plain)
		}
		if got := string(AppendValue(nil, Odoo, test.field, &test.value)); got != test.odoo {
			t.Errorf("%s: odoo %s, want %s", test.name, got, test.odoo)
		}
	}
}

func TestRows(t *testing.T) {
	cols := []backend.Column{{Name: "id"}, {Name: `na"me`}}
	rows := &Rows{}
	for range 2 { // the second use must not see the first
		rows.Reset(Plain, false)
		if got := string(rows.JSON()); got != "[]" {
			t.Errorf("no rows: %s", got)
		}
		rows.Reset(Plain, false)
		_ = rows.Columns(cols)
		_ = rows.Row([]backend.Value{backend.IntValue(1), backend.TextValue("a")})
		_ = rows.Row([]backend.Value{backend.IntValue(2), backend.NullValue})
		if got := string(rows.JSON()); got != `[{"id":1,"na\"me":"a"},{"id":2,"na\"me":null}]` || rows.Len() != 2 {
			t.Errorf("%d rows: %s", rows.Len(), got)
		}
		rows.Reset(Odoo, true)
		_ = rows.Columns(cols)
		rows.Extra = func(dst []byte, row int) []byte { return append(dst, `,"key":"k"`...) }
		_ = rows.Row([]backend.Value{backend.IntValue(1), backend.NullValue})
		if got := string(rows.JSON()); got != `{"id":1,"na\"me":false,"key":"k"}` {
			t.Errorf("one row: %s", got)
		}
		if err := rows.Row([]backend.Value{backend.IntValue(1)}); err == nil {
			t.Error("a row that does not fit the columns was taken")
		}
	}
}
