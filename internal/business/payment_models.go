package business

import (
	"gatehouse/internal/record"
	s "gatehouse/internal/schema"
)

// paymentModels say when customers have to pay.
func paymentModels() []*s.Model { return []*s.Model{paymentTermModel(), paymentTermLineModel()} }

func paymentTermModel() *s.Model {
	return &s.Model{
		Name: "account.payment.term", Label: "Payment Terms", Order: "sequence, id",
		Fields: []*s.Field{
			s.NewChar("name", "Payment Terms").Req().Translated(),
			s.NewBoolean("active", "Active").Def(true).
				Helped("If unchecked, it will allow you to hide the payment terms without removing it."),
			s.NewHTML("note", "Description on the Invoice").Translated(),
			s.NewOne2many("line_ids", "Terms", "account.payment.term.line", "payment_id").CopyLines(),
			s.NewMany2one("company_id", "Company", "res.company"),
			s.NewInteger("sequence", "Sequence").Req().Def(int64(10)).AggregatedBy("none"),
			s.NewBoolean("display_on_invoice", "Show installment dates").Def(true),
			s.NewBoolean("early_discount", "Early Discount"),
			s.NewFloat("discount_percentage", "Discount %", -1).Def(2.0),
			s.NewInteger("discount_days", "Discount Days").Def(int64(10)),
			s.NewSelection("early_pay_discount_computation", "Cash Discount Tax Reduction",
				"included", "On early payment", "excluded", "Never", "mixed", "Always (upon invoice)").Def("included"),
		},
	}
}

func paymentTermLineModel() *s.Model {
	return &s.Model{
		Name: "account.payment.term.line", Label: "Payment Terms Line", Order: "id",
		Fields: []*s.Field{
			s.NewSelection("value", "Value", "percent", "Percent", "fixed", "Fixed").Req().Def("percent"),
			s.NewFloat("value_amount", "Due", priceScale).Helped("For percent, how many of the total; else an amount."),
			s.NewSelection("delay_type", "Delay Type", "days_after", "Days after invoice date",
				"days_after_end_of_month", "Days after end of month", "days_after_end_of_next_month", "Days after end of next month",
				"days_end_of_month_on_the", "Days end of month on the").Req().Def("days_after"),
			s.NewChar("days_next_month", "Days on the next month").MaxSize(2).Def("10"),
			s.NewInteger("nb_days", "Days"),
			s.NewMany2one("payment_id", "Payment Terms", "account.payment.term").Req().Index().OnDeleteDo(s.Cascade),
		},
	}
}

func paymentLogics() []record.Logic {
	return []record.Logic{{
		Model: "account.payment.term",
		Defaults: map[string]func(e *record.Env) (any, error){"line_ids": func(e *record.Env) (any, error) {
			return []record.Values{{"value": "percent", "value_amount": 100.0, "nb_days": int64(0)}}, nil
		}},
		BeforeCopy: func(e *record.Env, original record.Rec, values record.Values) error {
			markCopy(original, values, "name")
			return nil
		},
		Checks: []record.Constraint{
			{Fields: []string{"line_ids", "early_discount"}, Check: checkTermLines},
			{Fields: []string{"discount_percentage", "discount_days", "early_discount"}, Check: checkTermDiscount},
		},
	}, {
		Model:  "account.payment.term.line",
		Checks: []record.Constraint{{Fields: []string{"value", "value_amount"}, Check: checkTermLine}},
	}}
}

func checkTermLines(e *record.Env, term record.Rec) error {
	sum, some := 0.0, false
	for _, l := range term.Refs("line_ids") {
		if l.Text("value") == "percent" {
			sum, some = sum+l.Float("value_amount"), true
		}
	}
	if some && roundTo(sum, 0.01) != 100 || !some && len(term.Refs("line_ids")) > 0 {
		return refuse("The Payment Term must have at least one percent line and the sum of the percent must be 100%%.")
	}
	if len(term.Refs("line_ids")) > 1 && term.Bool("early_discount") {
		return refuse("The Early Payment Discount functionality can only be used with payment terms using a single 100%% line. ")
	}
	return nil
}

func checkTermDiscount(e *record.Env, term record.Rec) error {
	switch {
	case !term.Bool("early_discount"):
	case term.Float("discount_percentage") <= 0:
		return refuse("The Early Payment Discount must be strictly positive.")
	case term.Int("discount_days") <= 0:
		return refuse("The Early Payment Discount days must be strictly positive.")
	}
	return nil
}

func checkTermLine(e *record.Env, l record.Rec) error {
	if l.Text("value") == "percent" && (l.Float("value_amount") < 0 || l.Float("value_amount") > 100) {
		return refuse("Percentages on the Payment Terms lines must be between 0 and 100.")
	}
	return nil
}
