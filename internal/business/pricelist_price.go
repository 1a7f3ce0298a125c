package business

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/domain"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
)

// priceQuery is what a price depends on beside the price list.
type priceQuery struct {
	product  record.Rec
	quantity float64
	unit     record.Rec
	at       time.Time
}

// mostLists bounds how many price lists may be based on each other.
const mostLists = 20

// listPrice is a product's price by a price list, in the unit asked for. The
// zero list stands for the sales price. Prices are not converted between
// currencies.
func listPrice(list record.Rec, q priceQuery, depth int) (float64, error) {
	if depth > mostLists {
		return 0, refuse("You cannot assign the Main Pricelist as Other Pricelist in PriceList Item")
	}
	var rule record.Rec
	if !list.IsZero() {
		rule = ruleFor(list, q)
	}
	if rule.IsZero() {
		return q.inUnit(q.product.Float("lst_price")), nil
	}
	if rule.Text("compute_price") == "fixed" {
		return q.inUnit(rule.Float("fixed_price")), nil
	}
	base, err := basePrice(rule, q, depth)
	if err != nil || rule.Text("compute_price") == "percentage" {
		return base - base*(rule.Float("percent_price")/100), err
	}
	return formulaPrice(rule, q, base), nil
}

// inUnit turns a price per unit of the product into one per unit asked for.
func (q priceQuery) inUnit(price float64) float64 {
	return convertPrice(price, q.product.Ref("uom_id"), q.unit)
}

func basePrice(rule record.Rec, q priceQuery, depth int) (float64, error) {
	switch other := rule.Ref("base_pricelist_id"); {
	case rule.Text("base") == "pricelist" && !other.IsZero():
		return listPrice(other, q, depth+1)
	case rule.Text("base") == "standard_price":
		return q.inUnit(q.product.Float("standard_price")), nil
	}
	return q.inUnit(q.product.Float("lst_price")), nil
}

func formulaPrice(rule record.Rec, q priceQuery, base float64) float64 {
	off := rule.Float("price_discount")
	if rule.Text("base") == "standard_price" {
		off = -rule.Float("price_markup")
	}
	price := base - base*(off/100)
	if step := rule.Float("price_round"); step > 0 {
		price = roundTo(price, step)
	}
	price += q.inUnit(rule.Float("price_surcharge"))
	if least := rule.Float("price_min_margin"); least != 0 {
		price = max(price, base+q.inUnit(least))
	}
	if most := rule.Float("price_max_margin"); most != 0 {
		price = min(price, base+q.inUnit(most))
	}
	return price
}

// ruleFor is the first rule of a list that is for a product: the narrower go
// before the wider, the greater quantities before the smaller.
func ruleFor(list record.Rec, q priceQuery) record.Rec {
	rules := slices.Clone(list.Refs("item_ids"))
	slices.SortStableFunc(rules, func(a, b record.Rec) int {
		return cmp.Or(cmp.Compare(a.Text("applied_on"), b.Text("applied_on")),
			cmp.Compare(b.Float("min_quantity"), a.Float("min_quantity")))
	})
	quantity := convertQuantity(q.quantity, q.unit, q.product.Ref("uom_id"))
	for _, rule := range rules {
		if rule.Float("min_quantity") != 0 && quantity < rule.Float("min_quantity") ||
			rule.Has("date_start") && q.at.Before(rule.Time("date_start")) ||
			rule.Has("date_end") && q.at.After(rule.Time("date_end")) {
			continue
		}
		if ruleIsFor(rule, q.product) {
			return rule
		}
	}
	return record.Rec{}
}

func ruleIsFor(rule, product record.Rec) bool {
	switch rule.Text("applied_on") {
	case "0_product_variant":
		return rule.Int("product_id") == product.ID()
	case "1_product":
		return rule.Int("product_tmpl_id") == product.Int("product_tmpl_id")
	case "2_product_category":
		path := product.Ref("categ_id").Text("parent_path")
		return path != "" && strings.HasPrefix(path, rule.Ref("categ_id").Text("parent_path"))
	}
	return true
}

// partnerPricelist is the list by which a customer buys in a company: his own,
// else the first one that the company may use.
func partnerPricelist(e *record.Env, partner, company record.Rec) (record.Rec, error) {
	there := e.Sudo().WithCompany(company.ID())
	if own := there.One("res.partner", partner.ID()).Ref("specific_property_product_pricelist"); own.Bool("active") {
		return own, nil
	}
	lists, err := there.SearchNode("product.pricelist",
		domain.Disj(leaf("company_id", "=", false), leaf("company_id", "in", companyChain(company))), record.WithLimit(1))
	if err != nil || len(lists) == 0 {
		return record.Rec{}, err
	}
	return lists[0], nil
}

// linePriceOf is what a line's product costs on its order.
func linePriceOf(e *record.Env, l record.Rec) (float64, error) {
	order := l.Ref("order_id")
	q := priceQuery{product: l.Ref("product_id"), quantity: l.Float("product_uom_qty"), unit: l.Ref("product_uom_id"), at: order.Time("date_order")}
	if q.quantity == 0 {
		q.quantity = 1
	}
	if q.at.IsZero() {
		q.at = e.Now()
	}
	price, err := listPrice(order.Ref("pricelist_id"), q, 0)
	own := taxesFor(q.product.Refs("taxes_id"), order.Ref("company_id"))
	return priceAbroad(price, own, taxesAbroad(order.Ref("fiscal_position_id"), own)), err
}

// itemCompany: a rule belongs where its list does.
var itemCompany = record.Compute{
	Fields: []string{"company_id", "currency_id"}, Early: true,
	Depends: []string{"pricelist_id.company_id", "pricelist_id.currency_id"},
	Do: func(e *record.Env, r record.Rec) (record.Values, error) {
		list, values := r.Ref("pricelist_id"), record.Values{"company_id": nil, "currency_id": nil}
		if list.IsZero() {
			values["currency_id"] = refID(e.One("res.company", e.CompanyID()).Ref("currency_id"))
			return values, nil
		}
		values["company_id"], values["currency_id"] = refID(list.Ref("company_id")), refID(list.Ref("currency_id"))
		return values, nil
	},
}

// refID is a record as the value of a many2one.
func refID(r record.Rec) any {
	if r.IsZero() {
		return nil
	}
	return r.ID()
}

func pricelistLogics() []record.Logic {
	return []record.Logic{
		{
			Model:    "product.pricelist",
			Defaults: map[string]func(e *record.Env) (any, error){"company_id": currentCompany, "currency_id": companyCurrency},
			BeforeCopy: func(e *record.Env, original record.Rec, values record.Values) error {
				markCopy(original, values, "name")
				return nil
			},
		},
		{
			Model: "product.pricelist.item",
			Defaults: map[string]func(e *record.Env) (any, error){"pricelist_id": func(e *record.Env) (any, error) {
				lists, err := e.Sudo().SearchNode("product.pricelist", domain.Disj(
					leaf("company_id", "=", false), leaf("company_id", "=", e.CompanyID())), record.WithLimit(1))
				if err != nil || len(lists) == 0 {
					return nil, err
				}
				return lists[0].ID(), nil
			}},
			Prepare: func(e *record.Env, values record.Values) error {
				tidyItem(values)
				return nil
			},
			BeforeWrite: func(e *record.Env, _ []record.Rec, values record.Values) error {
				if given(values, "applied_on") {
					tidyItem(values)
				}
				return nil
			},
			Computes: []record.Compute{itemCompany},
			Checks: []record.Constraint{
				{Fields: []string{"base_pricelist_id", "pricelist_id", "base"}, Check: checkItemLists},
				{Fields: []string{"date_start", "date_end"}, Check: checkItemDates},
				{Fields: []string{"price_min_margin", "price_max_margin"}, Check: checkItemMargins},
				{Fields: []string{"applied_on", "categ_id", "product_tmpl_id", "product_id"}, Check: checkItemSubject},
			},
		},
	}
}

// tidyItem keeps of the products in a rule the one that it is for.
func tidyItem(values record.Values) {
	links := []string{"product_id", "product_tmpl_id", "categ_id"}
	kinds := []string{"0_product_variant", "1_product", "2_product_category"}
	kind := text(values["applied_on"])
	for i, f := range links {
		if id, _ := values[f].(int64); kind == "" && id != 0 {
			kind = kinds[i]
		}
	}
	if kind == "" {
		kind = "3_global"
	}
	values["applied_on"] = kind
	for i, f := range links {
		if kind != kinds[i] && (kind != "0_product_variant" || f != "product_tmpl_id") {
			values[f] = nil
		}
	}
}

func checkItemLists(e *record.Env, r record.Rec) error {
	if r.Text("base") == "pricelist" && r.Int("pricelist_id") != 0 && r.Int("pricelist_id") == r.Int("base_pricelist_id") {
		return refuse("You cannot assign the Main Pricelist as Other Pricelist in PriceList Item")
	}
	return nil
}

func checkItemDates(e *record.Env, r record.Rec) error {
	if r.Has("date_start") && r.Has("date_end") && !r.Time("date_start").Before(r.Time("date_end")) {
		return refuse("%s: end date (%s) should be after start date (%s)", r.Text("display_name"),
			r.Time("date_end").Format(schema.DatetimeLayout), r.Time("date_start").Format(schema.DatetimeLayout))
	}
	return nil
}

func checkItemMargins(e *record.Env, r record.Rec) error {
	if least, most := r.Float("price_min_margin"), r.Float("price_max_margin"); most != 0 && least > most {
		return refuse("The minimum margin should be lower than the maximum margin.")
	}
	return nil
}

func checkItemSubject(e *record.Env, r record.Rec) error {
	for _, need := range []struct{ kind, field, what string }{
		{"2_product_category", "categ_id", "category"},
		{"1_product", "product_tmpl_id", "product"},
		{"0_product_variant", "product_id", "product variant"},
	} {
		if r.Text("applied_on") == need.kind && !r.Has(need.field) {
			return refuse("Please specify the %s for which this rule should be applied", need.what)
		}
	}
	return nil
}
