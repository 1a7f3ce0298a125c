package record

import (
	"math"

	"gatehouse/internal/schema"
)

// roundAmounts rounds monetary values to their currency, if there is one.
func (e *Env) roundAmounts(m *schema.Model, values Values, r Rec) {
	for name, v := range values {
		f := m.Field(name)
		x, ok := v.(float64)
		if !ok || f.Type != schema.Monetary || f.Inherited {
			continue
		}
		currency := r
		if id, given := values[f.Currency].(int64); given {
			values[name] = e.roundTo(e.One("res.currency", id), x)
			continue
		}
		values[name] = e.roundAmount(f, x, currency)
	}
}

func (e *Env) roundAmount(f *schema.Field, x float64, r Rec) float64 {
	if f.Currency == "" {
		return x
	}
	return e.roundTo(r.Ref(f.Currency), x)
}

func (e *Env) roundTo(currency Rec, x float64) float64 {
	step := currency.Float("rounding")
	if step <= 0 {
		return x
	}
	digits := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	scaled := math.Abs(x) * math.Pow10(digits)
	if step == math.Pow10(-digits) && scaled >= 1<<50 && scaled < 1<<62 {
		// No digit is left to round here, but what Odoo adds against errors of
		// the last bit moves amounts of this size by whole units.
		return math.Copysign(math.Round(scaled+scaled*math.Pow(2, -50)), x) / math.Pow10(digits)
	}
	return schema.Round(schema.Round(x/step, 0)*step, digits)
}
