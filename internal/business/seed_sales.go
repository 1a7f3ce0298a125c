package business

import (
	"gatehouse/internal/record"
)

// paymentTerm is one of the terms that every database starts with.
type paymentTerm struct {
	xmlid, name string
	early       bool // a discount for who pays early
	lines       []record.Values
}

// dueLine is a part of the total, in percent, that is due some days after the
// invoice, or after what delay says.
func dueLine(percent float64, days int64, delay string) record.Values {
	return record.Values{"value": "percent", "value_amount": percent, "nb_days": days, "delay_type": orText(delay, "days_after")}
}

// usualTerms are Odoo's, with their external ids.
func usualTerms() []paymentTerm {
	const nextMonth = "days_after_end_of_next_month"
	whole := func(days int64, delay string) []record.Values { return []record.Values{dueLine(100, days, delay)} }
	return []paymentTerm{
		{xmlid: "immediate", name: "Immediate Payment", lines: whole(0, "")},
		{xmlid: "15days", name: "15 Days", lines: whole(15, "")},
		{xmlid: "21days", name: "21 Days", lines: whole(21, "")},
		{xmlid: "30days", name: "30 Days", lines: whole(30, "")},
		{xmlid: "45days", name: "45 Days", lines: whole(45, "")},
		{xmlid: "end_following_month", name: "End of Following Month", lines: whole(0, nextMonth)},
		{xmlid: "30_days_end_month_the_10", name: "10 Days after End of Next Month", lines: whole(10, nextMonth)},
		{xmlid: "advance_60days", name: "30% Now, Balance 60 Days", lines: []record.Values{dueLine(30, 0, ""), dueLine(70, 60, "")}},
		{xmlid: "30days_early_discount", name: "2/7 Net 30", early: true, lines: whole(30, "")},
		{xmlid: "90days_on_the_10th", name: "90 days, on the 10th", lines: whole(90, "days_end_of_month_on_the")},
		{
			xmlid: "advance", name: "30% Advance End of Following Month",
			lines: []record.Values{dueLine(30, 0, ""), dueLine(70, 0, nextMonth)},
		},
	}
}

// seedSales makes payment terms, industries and a price list for each company,
// each where there are none yet.
func seedSales(e *record.Env) error {
	for _, step := range []struct {
		model string
		seed  func(*record.Env) error
	}{
		{"res.partner.industry", seedIndustries}, {"account.payment.term", seedTerms}, {"product.pricelist", seedPricelists},
	} {
		some, err := e.Search(step.model, "[]", record.WithArchived(), record.WithLimit(1))
		if err != nil {
			return err
		}
		if len(some) > 0 {
			continue
		}
		if err := step.seed(e); err != nil {
			return err
		}
	}
	return nil
}

func seedIndustries(e *record.Env) error {
	rows := facts("industries.csv")
	list := make([]record.Values, len(rows))
	for i, r := range rows {
		list[i] = record.Values{"name": r.text("name"), "full_name": r.text("full_name")}
	}
	recs, err := e.Create("res.partner.industry", list...)
	for i := range recs {
		if err == nil {
			err = nameRecord(e, rows[i].text("xmlid"), recs[i])
		}
	}
	return err
}

func seedTerms(e *record.Env) error {
	for _, term := range usualTerms() {
		recs, err := e.Create("account.payment.term", record.Values{
			"name": term.name, "note": "<p>Payment terms: " + term.name + "</p>", "early_discount": term.early, "line_ids": term.lines,
		})
		if err != nil {
			return err
		}
		if err := nameRecord(e, "account.account_payment_term_"+term.xmlid, recs[0]); err != nil {
			return err
		}
	}
	return nil
}

func seedPricelists(e *record.Env) error {
	companies, err := e.Search("res.company", "[]", record.WithArchived())
	if err != nil {
		return err
	}
	for _, c := range companies {
		if err := companyPricelist(e, c); err != nil {
			return err
		}
	}
	return nil
}

// companyPricelist gives a company a list without rules, in its currency.
func companyPricelist(e *record.Env, company record.Rec) error {
	_, err := e.Create("product.pricelist", record.Values{
		"name": "Default", "sequence": int64(10), "company_id": company.ID(), "currency_id": company.Ref("currency_id").ID(),
	})
	return err
}

// newCurrency brings a company's lists without rules to its new currency.
func newCurrency(e *record.Env, company record.Rec) error {
	lists, err := e.SearchNode("product.pricelist", leaf("company_id", "=", company.ID()), record.WithArchived())
	if err != nil {
		return err
	}
	for _, l := range lists {
		if len(l.Refs("item_ids")) > 0 || l.Int("currency_id") == company.Int("currency_id") {
			continue
		}
		if err := e.Write([]record.Rec{l}, record.Values{"currency_id": company.Int("currency_id")}); err != nil {
			return err
		}
	}
	return nil
}
