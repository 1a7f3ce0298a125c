package backend

import (
	"math"
	"time"
)

// Kind says what a Value holds.
type Kind uint8

// The kinds of values.
const (
	Null     Kind = iota
	Bool          // Int is 0 or 1
	Int           // Int
	Float         // Float()
	Text          // Text
	Date          // Int is days since 1970-01-01
	Datetime      // Int is microseconds since 1970-01-01 00:00 UTC
	Ref           // a many2one: Int is the id, Text the display name
	IDs           // an x2many: List
	Raw           // Text is JSON
)

// Value is one cell of an answer, small and without boxing.
type Value struct {
	Kind Kind
	Int  int64
	Text string
	List []int64
}

// NullValue is the empty value.
var NullValue = Value{}

// BoolValue makes a truth value.
func BoolValue(b bool) Value {
	if b {
		return Value{Kind: Bool, Int: 1}
	}
	return Value{Kind: Bool}
}

// IntValue makes an integer.
func IntValue(n int64) Value { return Value{Kind: Int, Int: n} }

// FloatValue makes a number.
func FloatValue(f float64) Value { return Value{Kind: Float, Int: int64(math.Float64bits(f))} }

// TextValue makes a text.
func TextValue(s string) Value { return Value{Kind: Text, Text: s} }

// DateValue makes a day of the moment t, taken in UTC.
func DateValue(t time.Time) Value {
	return Value{Kind: Date, Int: floorDiv(t.Unix(), 86400)}
}

// DatetimeValue makes a moment.
func DatetimeValue(t time.Time) Value { return Value{Kind: Datetime, Int: t.UnixMicro()} }

// RefValue makes a many2one value.
func RefValue(id int64, name string) Value { return Value{Kind: Ref, Int: id, Text: name} }

// IDsValue makes an x2many value.
func IDsValue(ids []int64) Value { return Value{Kind: IDs, List: ids} }

// RawValue makes a value of JSON text.
func RawValue(json string) Value { return Value{Kind: Raw, Text: json} }

// Float is the number of a Float or Int value.
func (v Value) Float() float64 {
	if v.Kind == Int || v.Kind == Bool {
		return float64(v.Int)
	}
	return math.Float64frombits(uint64(v.Int))
}

// Time is the moment of a Date or Datetime value, in UTC.
func (v Value) Time() time.Time {
	if v.Kind == Date {
		return time.Unix(v.Int*86400, 0).UTC()
	}
	return time.UnixMicro(v.Int).UTC()
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
