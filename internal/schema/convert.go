package schema

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gatehouse/internal/fault"
)

// DateLayout and DatetimeLayout are Odoo's texts of days and moments (UTC).
const (
	DateLayout     = "2006-01-02"
	DatetimeLayout = "2006-01-02 15:04:05"
)

// Convert turns a value that somebody wants to write into the field's stored
// form: nil, bool, int64, float64 or string. It follows Odoo's conversions
// (semantics, section 13); what Odoo fails on is a BadRequest naming the field.
// x2many fields are not its business.
func (f *Field) Convert(v any) (any, error) {
	switch f.Type {
	case Boolean:
		return truthy(v), nil
	case Integer:
		return f.toInteger(v)
	case Float, Monetary:
		return f.toFloat(v)
	case Char, Text, HTML:
		return f.toText(v)
	case Date:
		return f.toDate(v)
	case Datetime:
		return f.toDatetime(v)
	case Selection:
		return f.toSelection(v)
	case Many2one, Many2oneReference:
		return f.toID(v)
	case Reference:
		return f.toReference(v)
	case Binary:
		return f.toBinary(v)
	case JSON, Properties, PropertiesDefinition:
		return f.toJSON(v)
	}
	return nil, f.wrong("cannot be written")
}

func (f *Field) wrong(what string) error {
	return fault.Newf(fault.BadRequest, "Invalid value for field %s: %s", f.Name, what).
		With(fault.FieldErrors{f.Name: what})
}

// unset says whether a value means "not set" for a type without truth values.
func unset(v any) bool {
	b, isBool := v.(bool)
	return v == nil || (isBool && !b)
}

func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case json.Number:
		n, err := v.Float64()
		return err != nil || n != 0
	case int64:
		return v != 0
	case int:
		return v != 0
	case float64:
		return v != 0
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return true
}

func (f *Field) toInteger(v any) (any, error) {
	n, err := f.wholeNumber(v)
	if err != nil {
		return nil, err
	}
	if n > math.MaxInt32 || n < math.MinInt32 {
		return nil, f.wrong("the number is out of range (32 bits)")
	}
	return n, nil
}

func (f *Field) wholeNumber(v any) (int64, error) {
	switch v := v.(type) {
	case nil:
		return 0, nil
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case int:
		return int64(v), nil
	case int64:
		return v, nil
	case float64:
		return f.truncate(v)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		x, err := v.Float64()
		if err != nil {
			return 0, f.wrong("the number is out of range")
		}
		return f.truncate(x)
	case string:
		if v == "" {
			return 0, nil
		}
		n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		if err != nil {
			return 0, f.wrong("expected a whole number, not " + quote(v))
		}
		return n, nil
	}
	return 0, f.wrong("expected a whole number")
}

func (f *Field) truncate(x float64) (int64, error) {
	if math.IsNaN(x) || math.Abs(x) >= 1<<62 {
		return 0, f.wrong("the number is out of range")
	}
	return int64(x), nil
}

func (f *Field) toFloat(v any) (any, error) {
	x, err := f.number(v)
	if err != nil {
		return nil, err
	}
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil, f.wrong("the number is out of range")
	}
	if f.Type == Float && f.Scale >= 0 {
		x = Round(x, f.Scale)
	}
	return x, nil
}

func (f *Field) number(v any) (float64, error) {
	switch v := v.(type) {
	case nil:
		return 0, nil
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case int:
		return float64(v), nil
	case int64:
		return float64(v), nil
	case float64:
		return v, nil
	case json.Number:
		x, err := v.Float64()
		if err != nil {
			return 0, f.wrong("the number is out of range")
		}
		return x, nil
	case string:
		if v == "" {
			return 0, nil
		}
		x, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		if err != nil {
			return 0, f.wrong("expected a number, not " + quote(v))
		}
		return x, nil
	}
	return 0, f.wrong("expected a number")
}

// Round rounds half away from zero to a number of digits, as Odoo's
// float_round does: a value that is half in decimal writing counts as half
// although its binary form is a little below.
func Round(x float64, digits int) float64 {
	scale := math.Pow10(digits)
	scaled := x * scale
	if math.Abs(scaled) >= 1<<50 { // no digits are left to round
		return x
	}
	// The epsilon is the error that a double of this size may carry.
	epsilon := math.Abs(scaled) * math.Pow(2, -50)
	return math.Copysign(math.Floor(math.Abs(scaled)+0.5+epsilon), scaled) / scale
}

func (f *Field) toText(v any) (any, error) {
	if unset(v) {
		return nil, nil
	}
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case json.Number:
		s = v.String()
	case bool:
		s = "True"
	case int:
		s = strconv.Itoa(v)
	case int64:
		s = strconv.FormatInt(v, 10)
	case float64:
		s = strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return nil, f.wrong("expected a text")
	}
	if strings.ContainsRune(s, 0) {
		return nil, f.wrong("a text cannot contain a NUL character")
	}
	if !utf8.ValidString(s) {
		return nil, f.wrong("the text is not valid UTF-8")
	}
	if f.Size > 0 && utf8.RuneCountInString(s) > f.Size {
		s = string([]rune(s)[:f.Size])
	}
	return s, nil
}

func (f *Field) toDate(v any) (any, error) {
	if unset(v) || v == "" {
		return nil, nil
	}
	s, ok := v.(string)
	if !ok {
		return nil, f.wrong("expected a date such as 2026-01-31")
	}
	if len(s) > 10 {
		s = s[:10]
	}
	t, err := time.Parse("2006-1-2", s)
	if err != nil || t.Year() < 1 {
		return nil, f.wrong("expected a date such as 2026-01-31, not " + quote(s))
	}
	return t.Format(DateLayout), nil
}

func (f *Field) toDatetime(v any) (any, error) {
	if unset(v) || v == "" {
		return nil, nil
	}
	s, ok := v.(string)
	if !ok {
		return nil, f.wrong("expected a moment such as 2026-01-31 10:30:00")
	}
	for _, layout := range []string{"2006-1-2 15:04:05", "2006-1-2 15:04", "2006-1-2"} {
		if t, err := time.Parse(layout, s); err == nil && !strings.Contains(s, ".") && t.Year() >= 1 {
			return t.Format(DatetimeLayout), nil
		}
	}
	return nil, f.wrong("expected a moment such as 2026-01-31 10:30:00, not " + quote(s))
}

func (f *Field) toSelection(v any) (any, error) {
	if unset(v) || v == "" {
		return nil, nil
	}
	s, ok := v.(string)
	if n, isNumber := v.(json.Number); isNumber {
		s, ok = n.String(), true
	}
	_, known := f.Option(s)
	if !known && !truthy(v) {
		return nil, nil
	}
	if !ok {
		return nil, f.wrong("expected one of the selection's values")
	}
	if !known && len(f.Options) > 0 {
		allowed := make([]string, len(f.Options))
		for i, o := range f.Options {
			allowed[i] = o.Value
		}
		return nil, f.wrong(quote(s) + " is not one of: " + strings.Join(allowed, ", "))
	}
	return s, nil
}

func (f *Field) toID(v any) (any, error) {
	if unset(v) || v == "" {
		return nil, nil
	}
	if list, ok := v.([]any); ok || v == true {
		_ = list
		return nil, f.wrong("expected an id")
	}
	n, err := f.wholeNumber(v)
	if err != nil {
		return nil, f.wrong("expected an id")
	}
	if n == 0 {
		return nil, nil
	}
	if n < math.MinInt32 || n > math.MaxInt32 { // a foreign key finds those below 1
		return nil, f.wrong("the id is out of range")
	}
	return n, nil
}

func (f *Field) toReference(v any) (any, error) {
	if unset(v) {
		return nil, nil
	}
	s, _ := v.(string)
	model, id, ok := strings.Cut(s, ",")
	if _, err := strconv.ParseInt(id, 10, 64); !ok || err != nil {
		return nil, f.wrong("expected a reference such as res.partner,7")
	}
	if _, known := f.Option(model); !known && len(f.Options) > 0 {
		return nil, f.wrong(quote(model) + " is not one of the allowed models")
	}
	return s, nil
}

// toBinary checks base64 text; columns hold it as text, as Odoo's do.
func (f *Field) toBinary(v any) (any, error) {
	if unset(v) || v == "" {
		return nil, nil
	}
	s, ok := v.(string)
	if !ok {
		return nil, f.wrong("expected base64 text")
	}
	clean := strings.NewReplacer("\n", "", "\r", "").Replace(s)
	if _, err := base64.StdEncoding.DecodeString(clean); err != nil {
		return nil, f.wrong("the text is not valid base64")
	}
	return clean, nil
}

func (f *Field) toJSON(v any) (any, error) {
	if unset(v) {
		return nil, nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, f.wrong("the value is not valid JSON")
	}
	return string(b), nil
}

// quote shows a caller his own text, shortened.
func quote(s string) string {
	if len(s) > 40 {
		s = strings.ToValidUTF8(s[:40], "") + "…"
	}
	return strconv.Quote(s)
}
