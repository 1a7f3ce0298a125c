package business

import (
	"slices"
)

// taxRule is what decides how one tax is computed.
type taxRule struct {
	id     int64
	kind   string  // percent, fixed or division
	amount float64 // percentage, or money per unit for fixed ones
	// included: the price has the tax in it already.
	included bool
	// affectsNext: the tax is part of the base of those after it
	// (include_base_amount), if they want that (is_base_affected).
	affectsNext, affected bool
}

// taxedLine is a line of a document before taxes are known. taxes are in the
// order in which they are applied.
type taxedLine struct {
	quantity, priceUnit, discount float64 // discount in percent
	taxes                         []taxRule
}

// price is the unit price less the discount.
func (l taxedLine) price() float64 { return l.priceUnit * (1 - l.discount/100) }

// taxPart is what one tax makes of a line.
type taxPart struct {
	id       int64
	amount   float64
	included bool
}

// lineAmounts are the amounts of a line, exact or rounded as the method says.
type lineAmounts struct {
	untaxed float64
	taxes   []taxPart
}

// roundingMethod is a company's way to round taxes.
type roundingMethod string

// The two ways of Odoo. Per line, every tax of every line is rounded and the
// totals are sums of that; globally, the exact amounts are summed first.
const (
	roundPerLine  roundingMethod = "round_per_line"
	roundGlobally roundingMethod = "round_globally"
)

// compute finds the untaxed amount and the taxes of a line.
func (l taxedLine) compute(method roundingMethod, step float64) lineAmounts {
	raw := l.quantity * l.price()
	if method == roundPerLine {
		raw = roundTo(raw, step)
	}
	c := &taxRun{line: l, raw: raw, amounts: make([]float64, len(l.taxes)), done: make([]bool, len(l.taxes))}
	if method == roundPerLine {
		c.step = step
	}
	c.run()
	out := lineAmounts{untaxed: raw}
	for i, tax := range l.taxes {
		if tax.included {
			out.untaxed -= c.amounts[i]
		}
		out.taxes = append(out.taxes, taxPart{tax.id, c.amounts[i], tax.included})
	}
	if method == roundPerLine {
		out.untaxed = roundTo(out.untaxed, step)
	}
	return out
}

// taxRun computes the taxes of one line.
type taxRun struct {
	line    taxedLine
	raw     float64 // price times quantity, with the included taxes in it
	step    float64 // amounts are rounded to it; 0: not at all
	amounts []float64
	done    []bool
}

// run goes through the taxes: fixed amounts first, since they do not depend
// on any base; then the included ones from the last to the first, because each
// is taken out of what the later ones have left; then the others in order.
func (c *taxRun) run() {
	taxes := c.line.taxes
	for i, tax := range taxes {
		if tax.kind == "fixed" {
			c.set(i, c.fixed(tax))
		}
	}
	for i := len(taxes) - 1; i >= 0; i-- {
		if taxes[i].included && !c.done[i] {
			c.evaluate(c.batch(i))
		}
	}
	for i := range taxes {
		if !c.done[i] {
			c.evaluate(c.batch(i))
		}
	}
}

func (c *taxRun) set(i int, amount float64) {
	if c.step > 0 {
		amount = roundTo(amount, c.step)
	}
	c.amounts[i], c.done[i] = amount, true
}

// fixed is money per unit; a negative price gives it back.
func (c *taxRun) fixed(tax taxRule) float64 {
	if c.line.price() < 0 {
		return -c.line.quantity * tax.amount
	}
	return c.line.quantity * tax.amount
}

// batch gives the neighbours of a tax that share its base: same kind, both
// included or both not, and none of them part of the other's base.
func (c *taxRun) batch(at int) []int {
	taxes := c.line.taxes
	same := func(i int) bool {
		a, b := taxes[at], taxes[i]
		return !c.done[i] && a.kind == b.kind && a.included == b.included &&
			a.affectsNext == b.affectsNext
	}
	// A tax that takes the one before into its base starts a new batch.
	joins := func(i int) bool { return !(taxes[i].affectsNext && taxes[i].affected) }
	first, last := at, at
	for first > 0 && same(first-1) && joins(first) {
		first--
	}
	for last+1 < len(taxes) && same(last+1) && joins(last+1) {
		last++
	}
	members := make([]int, 0, last-first+1)
	for i := first; i <= last; i++ {
		members = append(members, i)
	}
	return members
}

// evaluate computes the taxes of a batch on the base as it is now.
func (c *taxRun) evaluate(members []int) {
	sum := 0.0
	for _, i := range members {
		sum += c.line.taxes[i].amount
	}
	amounts := make([]float64, len(members))
	for n, i := range members {
		amounts[n] = portion(c.line.taxes[i], c.base(i, members), sum)
	}
	for n, i := range members {
		c.set(i, amounts[n])
	}
}

// portion is a tax's amount on a base; sum is the total of the percentages
// that share it.
func portion(tax taxRule, base, sum float64) float64 {
	switch tax.kind {
	case "percent":
		if tax.included {
			if sum == -100 {
				return 0
			}
			return base * tax.amount / (100 + sum)
		}
		return base * tax.amount / 100
	case "division":
		if tax.included {
			return base * tax.amount / 100
		}
		if sum == 100 {
			return 0
		}
		return base * tax.amount / (100 - sum)
	}
	return 0
}

// base is what a tax is computed on: the line's amount without the other
// included taxes, but with those before it that belong to its base.
func (c *taxRun) base(at int, batch []int) float64 {
	base := c.raw
	for i, other := range c.line.taxes {
		if i == at || slices.Contains(batch, i) {
			continue
		}
		counts := i < at && other.affectsNext && c.line.taxes[at].affected
		switch {
		case other.included && !counts:
			base -= c.amounts[i]
		case !other.included && counts:
			base += c.amounts[i]
		}
	}
	return base
}

// totals of a line or a document, all rounded.
type totals struct{ untaxed, tax, total float64 }

// rounded gives the amounts of a line by itself.
func (a lineAmounts) rounded(step float64) totals {
	t := totals{untaxed: roundTo(a.untaxed, step)}
	for _, part := range a.taxes {
		t.tax += roundTo(part.amount, step)
	}
	t.tax = roundTo(t.tax, step)
	t.total = roundTo(t.untaxed+t.tax, step)
	return t
}

// documentTotals adds the lines up. When rounding globally, each tax is summed
// exactly and rounded once, and so is the untaxed amount; only where every tax
// is included in the prices it is the total that is rounded, since that is
// what the customer was told.
func documentTotals(lines []lineAmounts, method roundingMethod, step float64) totals {
	var sum totals
	if method == roundPerLine {
		for _, l := range lines {
			t := l.rounded(step)
			sum.untaxed += t.untaxed
			sum.tax += t.tax
		}
	} else {
		sum = globalTotals(lines, step)
	}
	sum.untaxed, sum.tax = roundTo(sum.untaxed, step), roundTo(sum.tax, step)
	sum.total = roundTo(sum.untaxed+sum.tax, step)
	return sum
}

func globalTotals(lines []lineAmounts, step float64) totals {
	perTax, order := map[int64]float64{}, []int64{}
	var sum, exact totals
	allIncluded := true
	for _, l := range lines {
		exact.untaxed += l.untaxed
		exact.total += l.untaxed
		for _, part := range l.taxes {
			if _, seen := perTax[part.id]; !seen {
				order = append(order, part.id)
			}
			perTax[part.id] += part.amount
			exact.total += part.amount
			allIncluded = allIncluded && part.included
		}
	}
	for _, id := range order {
		sum.tax += roundTo(perTax[id], step)
	}
	if len(order) > 0 && allIncluded {
		sum.untaxed = roundTo(exact.total, step) - sum.tax
	} else {
		sum.untaxed = roundTo(exact.untaxed, step)
	}
	return sum
}

// reducedPrices are a line's prices per unit, discounted, without and with
// taxes.
func reducedPrices(t totals, quantity, step float64) (untaxed, total float64) {
	if quantity == 0 {
		return 0, 0
	}
	return roundTo(t.untaxed/quantity, step), roundTo(t.total/quantity, step)
}
