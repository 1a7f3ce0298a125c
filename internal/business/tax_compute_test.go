package business

import (
	"bufio"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

func percent(id int64, amount float64) taxRule {
	return taxRule{id: id, kind: "percent", amount: amount, affected: true}
}

func included(t taxRule) taxRule { t.included = true; return t }
func affecting(t taxRule) taxRule {
	t.affectsNext = true
	return t
}
func unaffected(t taxRule) taxRule { t.affected = false; return t }

func fixedTax(id int64, amount float64) taxRule {
	return taxRule{id: id, kind: "fixed", amount: amount, affected: true}
}

func division(id int64, amount float64) taxRule {
	return taxRule{id: id, kind: "division", amount: amount, affected: true}
}

func TestLineTaxes(t *testing.T) {
	line := func(qty, price, discount float64, taxes ...taxRule) taxedLine {
		return taxedLine{qty, price, discount, taxes}
	}
	tests := []struct {
		name                string
		line                taxedLine
		untaxed, tax, total float64
		parts               []float64
	}{
		{"no tax", line(2, 99.99, 0), 199.98, 0, 199.98, nil},
		{"percent", line(2, 99.99, 0, percent(1, 5)), 199.98, 10, 209.98, []float64{10}},
		{"discount", line(3, 7.35, 10), 19.85, 0, 19.85, nil},
		{"discount of all", line(3, 7.35, 100, percent(1, 15)), 0, 0, 0, []float64{0}},
		{"free line", line(0, 7.35, 0, percent(1, 15)), 0, 0, 0, []float64{0}},
		{"credit", line(-2, 99.99, 0, percent(1, 5)), -199.98, -10, -209.98, []float64{-10}},
		{"negative price", line(2, -99.99, 0, percent(1, 5)), -199.98, -10, -209.98, []float64{-10}},
		{"included", line(1, 120, 0, included(percent(1, 20))), 100, 20, 120, []float64{20}},
		{"included credit", line(-1, 120, 0, included(percent(1, 20))), -100, -20, -120, []float64{-20}},
		{"two side by side", line(1, 100, 0, percent(1, 10), percent(2, 20)), 100, 30, 130, []float64{10, 20}},
		{"two on top of each other", line(1, 100, 0, affecting(percent(1, 10)), percent(2, 20)), 100, 32, 132, []float64{10, 22}},
		{"second does not want it", line(1, 100, 0, affecting(percent(1, 10)), unaffected(percent(2, 20))), 100, 30, 130, []float64{10, 20}},
		{"two included share a base", line(1, 130, 0, included(percent(1, 10)), included(percent(2, 20))), 100, 30, 130, []float64{10, 20}},
		{"two included on top", line(1, 132, 0, affecting(included(percent(1, 10))), included(percent(2, 20))), 100, 32, 132, []float64{10, 22}},
		{"included, then not", line(1, 110, 0, included(percent(1, 10)), percent(2, 20)), 100, 30, 130, []float64{10, 20}},
		{"included into the next", line(1, 110, 0, affecting(included(percent(1, 10))), percent(2, 20)), 100, 32, 132, []float64{10, 22}},
		{"not, then included", line(1, 120, 0, percent(1, 10), included(percent(2, 20))), 100, 30, 130, []float64{10, 20}},
		{"fixed per unit", line(3, 10, 0, fixedTax(1, 0.5)), 30, 1.5, 31.5, []float64{1.5}},
		{"fixed included", line(2, 10, 0, included(fixedTax(1, 0.5))), 19, 1, 20, []float64{1}},
		{"fixed is not discounted", line(2, 10, 50, fixedTax(1, 0.5)), 10, 1, 11, []float64{1}},
		{"fixed of a credit", line(-3, 10, 0, fixedTax(1, 0.5)), -30, -1.5, -31.5, []float64{-1.5}},
		{"fixed of a negative price", line(3, -10, 0, fixedTax(1, 0.5)), -30, -1.5, -31.5, []float64{-1.5}},
		{"fixed below percent", line(1, 10, 0, affecting(fixedTax(1, 2)), percent(2, 10)), 10, 3.2, 13.2, []float64{2, 1.2}},
		{"fixed and percent, both included", line(1, 13.2, 0, affecting(included(fixedTax(1, 2))), included(percent(2, 10))), 10, 3.2, 13.2, []float64{2, 1.2}},
		{"division", line(1, 90, 0, division(1, 10)), 90, 10, 100, []float64{10}},
		{"division included", line(1, 100, 0, included(division(1, 10))), 90, 10, 100, []float64{10}},
		{"two divisions", line(1, 70, 0, division(1, 10), division(2, 20)), 70, 30, 100, []float64{10, 20}},
		{"division of everything", line(1, 70, 0, division(1, 100)), 70, 0, 70, []float64{0}},
		{"withholding", line(1, 100, 0, percent(1, 20), percent(2, -10)), 100, 10, 110, []float64{20, -10}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, method := range []roundingMethod{roundGlobally, roundPerLine} {
				got := tt.line.compute(method, 0.01)
				sum := got.rounded(0.01)
				if !near(sum.untaxed, tt.untaxed) || !near(sum.tax, tt.tax) || !near(sum.total, tt.total) {
					t.Errorf("%s: %+v, want %v + %v = %v", method, sum, tt.untaxed, tt.tax, tt.total)
				}
				for i, want := range tt.parts {
					if have := roundTo(got.taxes[i].amount, 0.01); !near(have, want) {
						t.Errorf("%s: tax %d is %v, want %v", method, i, have, want)
					}
				}
			}
		})
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

// The two methods differ where halves of cents come in.
func TestRoundingMethods(t *testing.T) {
	cheap := taxedLine{1, 0.333, 0, []taxRule{percent(1, 10)}}
	incl := taxedLine{1, 7.35, 0, []taxRule{included(percent(2, 20))}}
	tests := []struct {
		name   string
		lines  []taxedLine
		method roundingMethod
		step   float64
		want   totals
	}{
		{"three small lines, globally", []taxedLine{cheap, cheap, cheap}, roundGlobally, 0.01, totals{1, 0.1, 1.1}},
		{"three small lines, per line", []taxedLine{cheap, cheap, cheap}, roundPerLine, 0.01, totals{0.99, 0.09, 1.08}},
		{"included keeps its price globally", []taxedLine{incl}, roundGlobally, 0.01, totals{6.12, 1.23, 7.35}},
		{"included keeps its price per line", []taxedLine{incl}, roundPerLine, 0.01, totals{6.12, 1.23, 7.35}},
		{"mixed keeps the untaxed amount", []taxedLine{incl, cheap}, roundGlobally, 0.01, totals{6.46, 1.26, 7.72}},
		{"no lines", nil, roundGlobally, 0.01, totals{}},
		{"yen", []taxedLine{{3, 33.3, 0, []taxRule{percent(1, 8)}}}, roundGlobally, 1, totals{100, 8, 108}},
		{"dinar", []taxedLine{{3, 33.3333, 0, []taxRule{percent(1, 8)}}}, roundPerLine, 0.001, totals{100, 8, 108}},
	}
	for _, tt := range tests {
		var parts []lineAmounts
		for _, l := range tt.lines {
			parts = append(parts, l.compute(tt.method, tt.step))
		}
		got := documentTotals(parts, tt.method, tt.step)
		if !near(got.untaxed, tt.want.untaxed) || !near(got.tax, tt.want.tax) || !near(got.total, tt.want.total) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// storedTaxes are the taxes that the golden table names by number.
var storedTaxes = map[string]taxRule{
	"1": percent(1, 15), "3": percent(3, 0), "5": percent(5, 15), "7": percent(7, 0),
	"9": percent(9, 5), "10": included(percent(10, 20)),
}

// Every line and order that a real Odoo computed comes out the same here.
func TestGoldenSaleLines(t *testing.T) {
	rows := goldenRows(t, "testdata/sale_lines.csv", 15)
	orders := map[string][]lineAmounts{}
	want := map[string][]string{}
	for i, row := range rows {
		number := func(col int) float64 { return parseNumber(t, row[col]) }
		want[row[0]] = row
		if row[1] != "" {
			continue // a section or a note
		}
		line := taxedLine{quantity: number(2), priceUnit: number(3), discount: number(4)}
		for _, id := range strings.Fields(row[5]) {
			line.taxes = append(line.taxes, storedTaxes[id])
		}
		exact := line.compute(roundGlobally, number(6))
		orders[row[0]] = append(orders[row[0]], exact)
		got := exact.rounded(number(6))
		excl, incl := reducedPrices(got, line.quantity, number(6))
		for name, pair := range map[string][2]float64{
			"subtotal": {got.untaxed, number(7)}, "tax": {got.tax, number(8)}, "total": {got.total, number(9)},
			"reduced": {excl, number(10)}, "reduced incl": {incl, number(11)},
		} {
			if !near(pair[0], pair[1]) {
				t.Errorf("row %d (%v): %s is %v, want %v", i, row, name, pair[0], pair[1])
			}
		}
	}
	for id, row := range want {
		got := documentTotals(orders[id], roundGlobally, parseNumber(t, row[6]))
		if !near(got.untaxed, parseNumber(t, row[12])) || !near(got.tax, parseNumber(t, row[13])) ||
			!near(got.total, parseNumber(t, row[14])) {
			t.Errorf("order %s: %+v, want %v", id, got, row[12:15])
		}
	}
	if len(want) < 250 {
		t.Errorf("only %d orders in the table", len(want))
	}
}

func parseNumber(t *testing.T, s string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// goldenRows reads a table without quoting; # starts a comment.
func goldenRows(t *testing.T, path string, columns int) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows [][]string
	for s := bufio.NewScanner(f); s.Scan(); {
		if strings.HasPrefix(s.Text(), "#") {
			continue
		}
		row := strings.Split(s.Text(), ",")
		if len(row) != columns {
			t.Fatalf("%s: %d columns in %q", path, len(row), s.Text())
		}
		rows = append(rows, row)
	}
	return rows
}
