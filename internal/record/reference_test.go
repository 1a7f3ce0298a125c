package record_test

import (
	"strings"
	"testing"

	"gatehouse/internal/backend"
)

// A many2one_reference is a number: 0 and nothing are the same.
func TestManyToOneReferenceConditions(t *testing.T) {
	onBoth(t, func(w *world) {
		for name, id := range map[string]any{"none": nil, "zero": int64(0), "five": int64(5), "nine": int64(9)} {
			w.run("insert into ir_model_data (module, name, model, res_id) values ('test', $1, 'res.partner', $2)", name, id)
		}
		for condition, want := range map[string]string{
			`("res_id", "=", False)`:         "none zero",
			`("res_id", "!=", False)`:        "five nine",
			`("res_id", "=", 0)`:             "none zero",
			`("res_id", "=", 5)`:             "five",
			`("res_id", "=", "5")`:           "five",
			`("res_id", "!=", 5)`:            "nine none zero",
			`("res_id", "in", [9, False])`:   "nine none zero",
			`("res_id", "not in", [5])`:      "nine none zero",
			`("res_id", "<", 6)`:             "five none zero",
			`("res_id", ">", 5)`:             "nine",
			`("res_id", "like", 9)`:          "nine",
			`("res_id", "=?", False)`:        "five nine none zero",
			`("res_id", "=", 5000000000)`:    "",
			`("res_id", "in", [])`:           "",
			`("res_id", "not like", "5")`:    "nine none zero",
			`"!", ("res_id", "<", 6)`:        "nine",
			`("res_id", "in", [True, "0x"])`: "!",
		} {
			domain := `[("module", "=", "test"), ` + condition + `]`
			if want == "!" {
				q := backend.Query{Model: "ir.model.data", DomainText: domain, Fields: []string{"id"}}
				if _, err := w.eng.Search(w.Context(), as(0), &q, &backend.Page{}); err == nil {
					w.Errorf("%s: no error", condition)
				}
				continue
			}
			w.equal(condition, w.texts(as(0), "ir.model.data", domain, "name", "name"), strings.Fields(want))
		}
		page := w.list(as(0), backend.Query{Model: "ir.model.data", DomainText: `[("module", "=", "test")]`, Fields: []string{"res_id"}, Order: "name"})
		if got := page.Get(2, "res_id"); got.Kind != backend.Int || got.Int != 0 {
			w.Errorf("not set: %v", got)
		}
	})
}
