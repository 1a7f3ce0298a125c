package wire

import (
	"bytes"
	"encoding/json"
	"strconv"

	"gatehouse/internal/backend"
	"gatehouse/internal/schema"
)

// Shape is how values look in an answer.
type Shape uint8

// The shapes.
const (
	// Plain: many2one {"id", "name"}, null for what is empty, RFC 3339.
	Plain Shape = iota
	// Odoo: what Odoo's own API answers: [id, name], false, 2026-01-31 10:30:00.
	Odoo
	// Hook: Plain as webhooks have it, moments without their zone, which is UTC.
	Hook
)

// finestCurrency is how many digits after the point a currency of Odoo can
// have. Amounts are kept rounded to their own currency already: this only
// takes away what binary arithmetic adds, and leaves dinars their third digit.
const finestCurrency = 6

// AppendValue writes one cell. The field may be nil where a column has none;
// then the kind of the value alone decides.
func AppendValue(dst []byte, shape Shape, f *schema.Field, v *backend.Value) []byte {
	switch v.Kind {
	case backend.Bool:
		return strconv.AppendBool(dst, v.Int != 0)
	case backend.Int:
		return strconv.AppendInt(dst, v.Int, 10)
	case backend.Float:
		return appendFloat(dst, shape, f, v.Float())
	case backend.Text:
		if v.Text == "" && shape != Odoo {
			return append(dst, "null"...)
		}
		return AppendString(dst, v.Text)
	case backend.Date:
		return append(appendDay(append(dst, '"'), shape, v.Int), '"')
	case backend.Datetime:
		return appendMoment(dst, shape, v.Int)
	case backend.Ref:
		if v.Int != 0 {
			return appendRef(dst, shape, v.Int, v.Text)
		}
	case backend.IDs:
		return appendIDs(dst, v.List)
	case backend.Raw:
		if v.Text != "" {
			return appendRaw(dst, v.Text)
		}
	case backend.Null:
	}
	return appendEmpty(dst, shape, f)
}

// appendEmpty writes what stands for a value that is not set.
func appendEmpty(dst []byte, shape Shape, f *schema.Field) []byte {
	if f != nil {
		switch f.Type {
		case schema.Boolean:
			return append(dst, "false"...)
		case schema.Integer:
			return append(dst, '0') // to Odoo, NULL and 0 are the same number
		case schema.Float, schema.Monetary:
			return appendFloat(dst, shape, f, 0)
		case schema.One2many, schema.Many2many:
			return append(dst, "[]"...)
		default:
		}
	}
	if shape == Odoo {
		return append(dst, "false"...)
	}
	return append(dst, "null"...)
}

// appendFloat is appendNumber; Odoo's numbers show that they are no integers,
// which clients in typed languages go by.
func appendFloat(dst []byte, shape Shape, f *schema.Field, x float64) []byte {
	start := len(dst)
	dst = appendNumber(dst, f, x)
	if shape == Odoo && !bytes.ContainsAny(dst[start:], ".en") { // not even in null
		dst = append(dst, ".0"...)
	}
	return dst
}

func appendNumber(dst []byte, f *schema.Field, x float64) []byte {
	switch {
	case f == nil:
	case f.Type == schema.Monetary:
		return AppendRounded(dst, x, finestCurrency)
	case f.Scale >= 0:
		return AppendRounded(dst, x, f.Scale)
	}
	return AppendFloat(dst, x)
}

// appendDay is AppendDate; Odoo writes years before 1000 without leading zeros.
func appendDay(dst []byte, shape Shape, days int64) []byte {
	start := len(dst)
	dst = AppendDate(dst, days)
	if shape != Odoo {
		return dst
	}
	zeros := 0
	for zeros < 3 && dst[start+zeros] == '0' {
		zeros++
	}
	return append(dst[:start], dst[start+zeros:]...)
}

func appendMoment(dst []byte, shape Shape, micros int64) []byte {
	dst = appendDay(append(dst, '"'), shape, floorDiv(micros, 86400*1e6))
	if shape == Odoo {
		return append(AppendClock(append(dst, ' '), micros), '"')
	}
	dst = AppendClock(append(dst, 'T'), micros)
	if shape == Hook {
		return append(dst, '"')
	}
	return append(dst, 'Z', '"')
}

func appendRef(dst []byte, shape Shape, id int64, name string) []byte {
	if shape == Odoo {
		dst = append(strconv.AppendInt(append(dst, '['), id, 10), ',')
		if name == "" { // to Odoo, an empty name is none
			return append(dst, "false]"...)
		}
		return append(AppendString(dst, name), ']')
	}
	dst = strconv.AppendInt(append(dst, `{"id":`...), id, 10)
	return append(AppendString(append(dst, `,"name":`...), name), '}')
}

func appendIDs(dst []byte, ids []int64) []byte {
	dst = append(dst, '[')
	for i, id := range ids {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, id, 10)
	}
	return append(dst, ']')
}

// appendRaw writes JSON that the database keeps. One broken value must not
// break the whole answer, so it comes out as the text it is.
func appendRaw(dst []byte, text string) []byte {
	if !json.Valid([]byte(text)) {
		return AppendString(dst, text)
	}
	return append(dst, text...)
}
