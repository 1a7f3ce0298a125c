package business

import (
	"math"

	"gatehouse/internal/record"
)

// currencyLogics keep the digits of a currency in step with its rounding.
func currencyLogics() []record.Logic {
	return []record.Logic{{
		Model: "res.currency",
		Computes: []record.Compute{{
			Fields: []string{"decimal_places"}, Depends: []string{"rounding"}, Early: true,
			Do: func(e *record.Env, c record.Rec) (record.Values, error) {
				return record.Values{"decimal_places": decimalPlaces(c.Float("rounding"))}, nil
			},
		}},
		BeforeWrite: guardCurrencies,
	}}
}

// decimalPlaces is how many digits an amount has that is rounded to step.
func decimalPlaces(step float64) int64 {
	if step <= 0 || step >= 1 {
		return 0
	}
	return int64(math.Ceil(-math.Log10(step) - 1e-9))
}

// guardCurrencies keeps the currencies in which companies keep their books.
func guardCurrencies(e *record.Env, currencies []record.Rec, values record.Values) error {
	if active, ok := values["active"].(bool); !ok || active {
		return nil
	}
	for _, c := range currencies {
		companies, err := e.Sudo().SearchNode("res.company", leaf("currency_id", "=", c.ID()), record.WithLimit(1))
		if err != nil {
			return err
		}
		if len(companies) > 0 {
			return refuse("This currency is set on a company and therefore cannot be deactivated.")
		}
	}
	return nil
}
