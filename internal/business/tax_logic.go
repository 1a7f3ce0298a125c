package business

import (
	"slices"

	"gatehouse/internal/record"
)

// taxLogics fill in what a new tax needs and keep groups of taxes sane.
func taxLogics() []record.Logic {
	return []record.Logic{
		{
			Model:    "account.tax",
			Defaults: map[string]func(e *record.Env) (any, error){"company_id": currentCompany},
			Prepare:  prepareTax,
			Checks: []record.Constraint{
				{Fields: []string{"children_tax_ids", "amount_type"}, Check: checkTaxGroup},
			},
			BeforeCopy: func(e *record.Env, original record.Rec, values record.Values) error {
				values["name"] = original.Text("name") + " (copy)"
				return nil
			},
		},
		{
			Model:    "account.tax.group",
			Defaults: map[string]func(e *record.Env) (any, error){"company_id": currentCompany},
		},
	}
}

// prepareTax puts a tax without a group into its company's first one.
func prepareTax(e *record.Env, values record.Values) error {
	company, _ := values["company_id"].(int64)
	if company == 0 {
		return nil // the engine refuses it
	}
	if country := e.One("res.company", company).Ref("country_id"); !given(values, "country_id") && !country.IsZero() {
		values["country_id"] = country.ID()
	}
	if id, _ := values["tax_group_id"].(int64); id != 0 {
		return nil
	}
	groups, err := e.Sudo().SearchNode("account.tax.group", leaf("company_id", "=", company), record.WithLimit(1))
	if err != nil {
		return err
	}
	if len(groups) == 0 {
		groups, err = e.Sudo().Create("account.tax.group", record.Values{"name": "Taxes", "company_id": company})
		if err != nil {
			return err
		}
	}
	values["tax_group_id"] = groups[0].ID()
	return nil
}

// checkTaxGroup refuses groups that hold themselves, or groups at all: Odoo
// nests taxes one level deep.
func checkTaxGroup(e *record.Env, r record.Rec) error {
	children := r.Refs("children_tax_ids")
	if r.Text("amount_type") != "group" {
		return nil
	}
	for _, child := range children {
		if child.Text("amount_type") == "group" {
			return refuse("Nested group of taxes are not allowed.")
		}
		if child.Ref("company_id").ID() != r.Ref("company_id").ID() {
			return refuse("The tax %s and the taxes of its group must belong to the same company.", r.Text("name"))
		}
	}
	return nil
}

// rulesOf turns tax records into what the computation needs: groups are
// replaced by their taxes, and all is brought into the order of application.
func rulesOf(taxes []record.Rec) []taxRule {
	var flat []record.Rec
	for _, tax := range inTaxOrder(taxes) {
		if tax.Text("amount_type") == "group" {
			flat = append(flat, inTaxOrder(tax.Refs("children_tax_ids"))...)
		} else {
			flat = append(flat, tax)
		}
	}
	rules := make([]taxRule, len(flat))
	for i, tax := range flat {
		rules[i] = taxRule{
			id: tax.ID(), kind: tax.Text("amount_type"), amount: tax.Float("amount"),
			included: isIncluded(tax), affectsNext: tax.Bool("include_base_amount"), affected: tax.Bool("is_base_affected"),
		}
	}
	return rules
}

func inTaxOrder(taxes []record.Rec) []record.Rec {
	sorted := slices.Clone(taxes)
	slices.SortStableFunc(sorted, func(a, b record.Rec) int {
		if d := a.Int("sequence") - b.Int("sequence"); d != 0 {
			return int(d)
		}
		return int(a.ID() - b.ID())
	})
	return sorted
}

// isIncluded says whether prices have the tax in them.
func isIncluded(tax record.Rec) bool {
	own := tax.Text("price_include_override")
	if own == "" {
		own = tax.Ref("company_id").Text("account_price_include")
	}
	return own == "tax_included"
}

// taxesFor keeps the taxes that count in a company: its own, or, for a branch
// without taxes of its own, those of the nearest company above that has some.
func taxesFor(taxes []record.Rec, company record.Rec) []record.Rec {
	for c := company; !c.IsZero(); c = c.Ref("parent_id") {
		var own []record.Rec
		for _, tax := range taxes {
			if tax.Int("company_id") == c.ID() {
				own = append(own, tax)
			}
		}
		if len(own) > 0 {
			return own
		}
	}
	return nil
}

// roundingOf is the smallest unit of a currency.
func roundingOf(currency record.Rec) float64 {
	if step := currency.Float("rounding"); step > 0 {
		return step
	}
	return defaultRounding
}

// methodOf is a company's way to round taxes.
func methodOf(company record.Rec) roundingMethod {
	if company.Text("tax_calculation_rounding_method") == string(roundPerLine) {
		return roundPerLine
	}
	return roundGlobally
}

// seedTaxes makes a sales and a purchase tax for every company that has none,
// and makes them the company's defaults.
func seedTaxes(e *record.Env) error {
	companies, err := e.Search("res.company", "[]", record.WithArchived())
	if err != nil {
		return err
	}
	for _, c := range companies {
		if err := seedCompanyTaxes(e, c); err != nil {
			return err
		}
	}
	return nil
}

func seedCompanyTaxes(e *record.Env, company record.Rec) error {
	have, err := e.SearchNode("account.tax", leaf("company_id", "=", company.ID()), record.WithArchived(), record.WithLimit(1))
	if err != nil || len(have) > 0 {
		return err
	}
	groups, err := e.Create("account.tax.group", record.Values{"name": "Tax 15%", "company_id": company.ID()})
	if err != nil {
		return err
	}
	var list []record.Values
	for _, use := range []string{"sale", "purchase"} {
		list = append(list, record.Values{
			"name": "15%", "amount": 15.0, "type_tax_use": use,
			"company_id": company.ID(), "tax_group_id": groups[0].ID(),
		})
	}
	taxes, err := e.Create("account.tax", list...)
	if err != nil {
		return err
	}
	return e.Write([]record.Rec{company}, record.Values{
		"account_sale_tax_id": taxes[0].ID(), "account_purchase_tax_id": taxes[1].ID(),
	})
}
