package business

import (
	"slices"

	"gatehouse/internal/domain"
	"gatehouse/internal/record"
	s "gatehouse/internal/schema"
)

// fiscalModels are fiscal positions: which taxes stand in for others, by where
// the customer is.
func fiscalModels() []*s.Model {
	sequence := s.NewInteger("sequence", "Sequence")
	sequence.Aggregator = "none"
	return []*s.Model{{
		Name: "account.fiscal.position", Label: "Fiscal Position", Order: "sequence, id",
		Fields: []*s.Field{
			sequence,
			s.NewChar("name", "Fiscal Position").Req().Translated(),
			s.NewBoolean("active", "Active").Def(true),
			s.NewMany2one("company_id", "Company", "res.company").Req().RO().Index(),
			s.NewMany2many("tax_ids", "Taxes", "account.tax", "account_fiscal_position_account_tax_rel",
				"account_fiscal_position_id", "account_tax_id").
				Helped("Taxes that stand in for those that they replace."),
			s.NewHTML("note", "Notes").Translated(),
			s.NewBoolean("auto_apply", "Detect Automatically").
				Helped("For every customer whom the rest of this position is about."),
			s.NewBoolean("vat_required", "VAT required").Helped("Only for customers with a tax number."),
			s.NewMany2one("country_id", "Country", "res.country"),
			s.NewMany2many("state_ids", "Federal States", "res.country.state",
				"account_fiscal_position_res_country_state_rel", "account_fiscal_position_id", "res_country_state_id"),
			s.NewChar("zip_from", "Zip Range From"),
			s.NewChar("zip_to", "Zip Range To"),
		},
	}}
}

func fiscalLogics() []record.Logic {
	return []record.Logic{{
		Model:    "account.fiscal.position",
		Defaults: map[string]func(e *record.Env) (any, error){"company_id": currentCompany},
	}}
}

// fiscalPosition is the one that counts for a delivery in a company: the one
// that was set by hand, else that which says most about the address.
func fiscalPosition(e *record.Env, partner, delivery, company record.Rec) (record.Rec, error) {
	there := e.Sudo().WithCompany(company.ID())
	if delivery.IsZero() {
		delivery = partner
	}
	for _, p := range []record.Rec{delivery, partner} {
		if own := there.One("res.partner", p.ID()).Ref("property_account_position_id"); !own.IsZero() {
			return own, nil
		}
	}
	if delivery.Ref("country_id").IsZero() {
		return record.Rec{}, nil
	}
	positions, err := there.SearchNode("account.fiscal.position", domain.Conj(
		leaf("auto_apply", "=", true), leaf("company_id", "in", companyChain(company))))
	var best record.Rec
	var bestRank []int
	for _, p := range positions {
		if rank := fiscalRank(p, delivery); rank != nil && slices.Compare(rank, bestRank) > 0 {
			best, bestRank = p, rank
		}
	}
	return best, err
}

// companyChain are a company and those above it, as the value of a condition.
func companyChain(company record.Rec) []any {
	chain := []any{}
	for c := company; !c.IsZero(); c = c.Ref("parent_id") {
		chain = append(chain, c.ID())
	}
	return chain
}

// fiscalRank says how much a position has to say about an address, in order of
// weight; nil when it is not about it.
func fiscalRank(p, address record.Rec) []int {
	zip := address.Text("zip")
	inStates := slices.ContainsFunc(p.Refs("state_ids"), func(r record.Rec) bool { return r.ID() == address.Int("state_id") })
	rank := []int{}
	for _, about := range []struct{ asks, met bool }{
		{p.Bool("vat_required"), address.Has("vat")},
		{true, true}, // the company, below
		{p.Has("zip_from") && p.Has("zip_to"), zip != "" && p.Text("zip_from") <= zip && zip <= p.Text("zip_to")},
		{len(p.Refs("state_ids")) > 0, inStates},
		{p.Has("country_id"), p.Int("country_id") == address.Int("country_id")},
	} {
		switch {
		case !about.asks:
			rank = append(rank, 1)
		case !about.met:
			return nil
		default:
			rank = append(rank, 2)
		}
	}
	rank[1] = len(companyChain(p.Ref("company_id")))
	return append(rank, -int(p.Int("sequence")))
}

// taxesAbroad are the taxes that a position puts in the place of others. One
// that has none leaves no tax at all.
func taxesAbroad(position record.Rec, taxes []record.Rec) []record.Rec {
	if position.IsZero() {
		return taxes
	}
	abroad := position.Refs("tax_ids")
	if len(abroad) == 0 {
		return nil
	}
	var out []record.Rec
	add := func(tax record.Rec) {
		if !slices.ContainsFunc(out, func(r record.Rec) bool { return r.ID() == tax.ID() }) {
			out = append(out, tax)
		}
	}
	for _, tax := range taxes {
		replaced := false
		for _, other := range abroad {
			if slices.ContainsFunc(other.Refs("original_tax_ids"), func(r record.Rec) bool { return r.ID() == tax.ID() }) {
				add(other)
				replaced = true
			}
		}
		if !replaced {
			add(tax)
		}
	}
	return out
}

// priceAbroad takes the replaced taxes out of a price that had them in it, and
// puts those in that stand in for them.
func priceAbroad(price float64, before, after []record.Rec) float64 {
	same := slices.EqualFunc(before, after, func(a, b record.Rec) bool { return a.ID() == b.ID() })
	if same || slices.ContainsFunc(before, func(t record.Rec) bool { return !isIncluded(t) }) {
		return price
	}
	price = taxedLine{quantity: 1, priceUnit: price, taxes: rulesOf(before)}.compute(roundGlobally, 0).untaxed
	rules := rulesOf(after)
	included := map[int64]bool{}
	for i := range rules {
		included[rules[i].id], rules[i].included = rules[i].included, false
	}
	for _, tax := range (taxedLine{quantity: 1, priceUnit: price, taxes: rules}).compute(roundGlobally, 0).taxes {
		if included[tax.id] {
			price += tax.amount
		}
	}
	return price
}
