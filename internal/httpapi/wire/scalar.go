package wire

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// reason says why a value does not fit a field; the zero value is "it fits".
// It goes on a sentence that begins with the field: "must be a text".
type reason struct {
	kind fault.Kind
	text string
}

// malformed is a reason of type: the value is not of the form the field has.
func malformed(text string) reason { return reason{fault.BadRequest, text} }

// refused is a reason of content: well-formed, but not one of the values.
func refused(text string) reason { return reason{fault.Unprocessable, text} }

// scalar turns a value into what a field that holds no records of its own is
// written with.
func scalar(f *schema.Field, v any) (any, reason) {
	switch f.Type {
	case schema.Boolean:
		return toBool(v)
	case schema.Integer, schema.Many2oneReference:
		return toInteger(v)
	case schema.Float, schema.Monetary:
		return toFloat(v)
	case schema.Char, schema.Text, schema.HTML:
		return toText(v)
	case schema.Date:
		return toDate(v)
	case schema.Datetime:
		return toMoment(v)
	case schema.Selection:
		return toOption(f, v)
	case schema.Many2one:
		return toLink(v)
	case schema.Reference:
		return toReference(v)
	case schema.Binary:
		return toBase64(v)
	default: // JSON and properties
		return toJSON(v)
	}
}

// empty says whether a value means "not set": null, or Odoo's false.
func empty(v any) bool { return v == nil || v == false }

func toBool(v any) (any, reason) {
	switch v := v.(type) {
	case nil:
		return false, reason{}
	case bool:
		return v, reason{}
	case json.Number:
		if v == "0" || v == "1" {
			return v == "1", reason{}
		}
	}
	return nil, malformed("must be a boolean (true or false)")
}

// whole reads a number without fraction: 5, 5.0 and 5e0 are the same.
func whole(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	if i, err := strconv.ParseInt(string(n), 10, 64); err == nil {
		return i, true
	}
	const exact = 1 << 53 // beyond this a float64 does not know its last digit
	x, err := strconv.ParseFloat(string(n), 64)
	if err != nil || x != math.Trunc(x) || math.Abs(x) > exact {
		return 0, false
	}
	return int64(x), true
}

func toInteger(v any) (any, reason) {
	if v == nil {
		return nil, reason{}
	}
	n, ok := whole(v)
	if !ok {
		return nil, malformed("must be a whole number")
	}
	if n > math.MaxInt32 || n < math.MinInt32 {
		return nil, malformed("must be between -2147483648 and 2147483647")
	}
	return n, reason{}
}

func toFloat(v any) (any, reason) {
	if v == nil {
		return nil, reason{}
	}
	n, ok := v.(json.Number)
	if !ok {
		return nil, malformed("must be a number")
	}
	x, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		return nil, malformed("is a number out of range")
	}
	return x, reason{}
}

func toText(v any) (any, reason) {
	if empty(v) {
		return nil, reason{}
	}
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case json.Number:
		s = string(v)
	default:
		return nil, malformed("must be a text")
	}
	if strings.IndexByte(s, 0) >= 0 {
		return nil, malformed("must not contain NUL characters")
	}
	return s, reason{}
}

func toDate(v any) (any, reason) {
	if empty(v) || v == "" {
		return nil, reason{}
	}
	s, ok := v.(string)
	if t, err := time.Parse(schema.DateLayout, s); ok && err == nil && t.Year() > 0 {
		return s, reason{}
	}
	return nil, malformed("must be a date like 2026-01-31")
}

// Moment reads RFC 3339, which says its offset, or Odoo's text, which is UTC,
// and gives Odoo's text.
func Moment(text string) (string, bool) {
	t, err := time.Parse(schema.DatetimeLayout, text)
	if err != nil || len(text) != len(schema.DatetimeLayout) {
		t, err = time.Parse(time.RFC3339, text)
	}
	t = t.UTC()
	if err != nil || t.Year() < 1 || t.Year() > 9999 {
		return "", false
	}
	return t.Format(schema.DatetimeLayout), true
}

func toMoment(v any) (any, reason) {
	if empty(v) || v == "" {
		return nil, reason{}
	}
	if s, ok := v.(string); ok {
		if moment, ok := Moment(s); ok {
			return moment, reason{}
		}
	}
	return nil, malformed("must be a moment like 2026-01-31T10:30:00Z, or 2026-01-31 10:30:00 in UTC")
}

func toOption(f *schema.Field, v any) (any, reason) {
	if empty(v) || v == "" {
		return nil, reason{}
	}
	value, why := toText(v)
	s, isText := value.(string)
	if !isText {
		return nil, why
	}
	if _, known := f.Option(s); known || len(f.Options) == 0 {
		return s, reason{} // some selections are filled by code: then the backend knows
	}
	return nil, refused("must be one of: " + strings.Join(OptionValues(f), ", "))
}

// OptionValues are the values that a selection takes.
func OptionValues(f *schema.Field) []string {
	values := make([]string, len(f.Options))
	for i, o := range f.Options {
		values[i] = o.Value
	}
	return values
}

// ID reads the id of a record: a positive number of 32 bits.
func ID(v any) (int64, bool) {
	n, ok := whole(v)
	return n, ok && n > 0 && n <= math.MaxInt32
}

// toLink reads a many2one: an id, the {"id", "name"} and the [id, name] that
// answers hold, or nothing.
func toLink(v any) (any, reason) {
	if empty(v) {
		return nil, reason{}
	}
	switch pair := v.(type) {
	case map[string]any:
		v = pair["id"]
	case []any:
		if len(pair) == 2 {
			if _, named := pair[1].(string); named {
				v = pair[0]
			}
		}
	}
	if n, ok := ID(v); ok {
		return n, reason{}
	}
	return nil, malformed(`must be the id of a record, {"id": …} or null`)
}

func toReference(v any) (any, reason) {
	if empty(v) || v == "" {
		return nil, reason{}
	}
	if s, ok := v.(string); ok && len(s) < 200 && strings.IndexByte(s, 0) < 0 {
		model, number, found := strings.Cut(s, ",")
		if n, err := strconv.ParseInt(number, 10, 32); found && err == nil && n > 0 && model != "" {
			return s, reason{}
		}
	}
	return nil, malformed("must be a model and an id like res.partner,7")
}

func toBase64(v any) (any, reason) {
	if empty(v) || v == "" {
		return nil, reason{}
	}
	if s, ok := v.(string); ok {
		if _, err := base64.StdEncoding.DecodeString(s); err == nil {
			return s, reason{}
		}
	}
	return nil, malformed("must be base64 text")
}

func toJSON(v any) (any, reason) {
	if holdsNUL(v) {
		return nil, malformed("must not contain NUL characters")
	}
	return v, reason{}
}

// holdsNUL looks for the one character that no database keeps.
func holdsNUL(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.IndexByte(v, 0) >= 0
	case []any:
		for i := range v {
			if holdsNUL(v[i]) {
				return true
			}
		}
	case map[string]any:
		for key, value := range v {
			if strings.IndexByte(key, 0) >= 0 || holdsNUL(value) {
				return true
			}
		}
	}
	return false
}
