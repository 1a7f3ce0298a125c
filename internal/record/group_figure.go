package record

import (
	"math"
	"slices"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// figure is one aggregate: a value about a whole group.
type figure struct {
	kind   readKind
	column int
	list   bool // a JSON array; nothing is the empty one
	// again are columns that sum the same numbers in other orders: where they
	// differ, a sum of binary fractions depends on the order of the rows.
	again []int
	name  string
}

// addAggregate compiles an aggregate of the answer.
func (g *grouping) addAggregate(spec string) error {
	f, col, expr, err := g.aggregate(spec)
	if err != nil {
		return err
	}
	f.column = g.column(expr)
	if field := col.Field(); g.foreign && binarySum(field, col.Func) {
		value, err := g.f.groupValue(field)
		if err != nil {
			return err
		}
		for _, order := range []string{value, value + " desc", "abs(" + value + ")"} {
			f.again = append(f.again, g.column(col.Func+"("+value+" order by "+order+")"))
		}
	}
	g.figures = append(g.figures, f)
	g.out.Aggregates = append(g.out.Aggregates, col)
	return nil
}

// binarySum says whether the order of its terms shows in a sum.
func binarySum(field *schema.Field, function string) bool {
	return (function == "sum" || function == "avg") && field != nil && field.Type == schema.Float && field.Scale < 0
}

// aggregate compiles "field:function" or "__count".
func (g *grouping) aggregate(spec string) (*figure, backend.GroupColumn, string, error) {
	col := backend.GroupColumn{Name: spec}
	fail := func(err error) (*figure, backend.GroupColumn, string, error) { return nil, col, "", err }
	if spec == "__count" {
		return &figure{kind: readInt, name: spec}, col, "count(*)", nil
	}
	path, function, err := backend.SplitSpec(spec)
	if err != nil {
		return fail(err)
	}
	if len(path) > 1 {
		return fail(fault.Newf(fault.BadRequest, "Invalid aggregate %q: it has no path, only a field of the model", backend.Shorten(spec)))
	}
	m := g.f.model
	if m.Field(path[0]) == nil || function == "" {
		if m.Field(path[0]) == nil {
			return fail(backend.NoField(m, path[0], "aggregates"))
		}
		return fail(fault.Newf(fault.BadRequest, "The aggregate %s needs a function: %s:%s", path[0], path[0], strings.Join(backend.GroupFunctions(), ", ")))
	}
	field, err := g.c.groupField(m, path[0])
	if err != nil {
		return fail(err)
	}
	col.Path, col.Func = []*schema.Field{field}, function
	f, expr, err := g.function(field, function)
	if err != nil {
		return fail(err)
	}
	f.name = spec
	return f, col, expr, nil
}

// function renders a function of a field's values.
func (g *grouping) function(field *schema.Field, function string) (*figure, string, error) {
	if !slices.Contains(backend.GroupFunctions(), function) {
		return nil, "", fault.Newf(fault.BadRequest, "Unknown function %q of the aggregate %s; known are %s", backend.Shorten(function), field.Name,
			strings.Join(backend.GroupFunctions(), ", "))
	}
	if !takes(function, field) {
		return nil, "", fault.Newf(fault.BadRequest, "The function %s does not go with the field %s of type %s", function, field.Name, field.Type)
	}
	expr, err := g.f.groupValue(field)
	if err != nil {
		return nil, "", err
	}
	if strings.HasPrefix(function, "array_agg") && !listed(field, function) {
		return nil, "", backend.CannotProve(backend.ValueShape, field.Model.Name+"."+field.Name, function)
	}
	if exactPerCompany(field) {
		expr = "cast(" + expr + " as numeric)"
	}
	d, kind := g.c.d, valueKind(field)
	switch function {
	case "count":
		return &figure{kind: readInt}, "count(" + expr + ")", nil
	case "count_distinct":
		return &figure{kind: readInt}, "count(distinct " + expr + ")", nil
	case "avg":
		return &figure{kind: readFloat}, g.mean(field, expr), nil
	case "bool_and":
		return &figure{kind: readBool}, d.BoolAnd(expr), nil
	case "bool_or":
		return &figure{kind: readBool}, d.BoolOr(expr), nil
	case "array_agg":
		return &figure{kind: readJSON, list: true}, d.AggJSON(expr, kind, g.f.alias+".id"), nil
	case "array_agg_distinct":
		return &figure{kind: readJSON, list: true}, d.AggJSONDistinct(expr, kind), nil
	case "sum_currency":
		expr, err = g.inCompanyCurrency(field, expr)
		return &figure{kind: readFloat}, "sum(" + expr + ")", err
	case "sum":
		return &figure{kind: figureKind(field)}, g.sum(field, expr), nil
	case "min", "max":
		if field.Type.IsText() || field.Type == schema.Selection || field.Type == schema.Reference {
			expr = d.TextOrder(expr)
		}
	}
	return &figure{kind: figureKind(field)}, function + "(" + expr + ")", nil
}

// decimal says whether Odoo keeps a field in decimal numbers, whose sums are exact.
func decimal(field *schema.Field) bool {
	return field.Type == schema.Monetary || (field.Type == schema.Float && field.Scale >= 0)
}

func (g *grouping) sum(field *schema.Field, expr string) string {
	if decimal(field) {
		return g.c.d.Decimals("sum(" + expr + ")")
	}
	return "sum(" + expr + ")"
}

func (g *grouping) mean(field *schema.Field, expr string) string {
	if decimal(field) {
		return g.sum(field, expr) + " / count(" + expr + ")"
	}
	return "avg(" + expr + ")"
}

// exactPerCompany says whether Odoo keeps the values of companies as decimal
// numbers, of which sums are exact.
func exactPerCompany(field *schema.Field) bool {
	return field.CompanyDependent && decimal(field)
}

// takes says whether PostgreSQL has a function for values of a type.
func takes(function string, field *schema.Field) bool {
	t := field.Type
	number := t.IsNumber() || t == schema.Many2one || t == schema.Many2oneReference
	switch function {
	case "sum", "avg":
		return number || t.IsX2many()
	case "min", "max":
		return t != schema.Boolean && t != schema.Binary && t != schema.JSON && t != schema.Properties && t != schema.PropertiesDefinition
	case "bool_and", "bool_or":
		return t == schema.Boolean
	case "sum_currency":
		return t == schema.Monetary
	}
	return true
}

// listed says whether a list of values looks like them: moments with fractions
// that differ would look the same, and bytes and JSON have shapes of their own.
func listed(field *schema.Field, function string) bool {
	switch field.Type {
	case schema.Binary, schema.JSON, schema.Properties, schema.PropertiesDefinition:
		return false
	case schema.Datetime:
		return function == "array_agg"
	}
	return true
}

func figureKind(field *schema.Field) readKind {
	switch field.Type {
	case schema.Integer, schema.Many2one, schema.Many2oneReference:
		return readInt
	case schema.Float, schema.Monetary:
		return readFloat
	case schema.Date:
		return readDate
	case schema.Datetime:
		return readDatetime
	}
	return readText
}

// valueKind is what an expression of a field gives, wherever it is kept.
func valueKind(field *schema.Field) sqldb.ColumnKind {
	switch field.Type {
	case schema.Boolean:
		return sqldb.Bool
	case schema.Datetime:
		return sqldb.Timestamp
	}
	if figureKind(field) == readText {
		return sqldb.Text
	}
	return sqldb.Int8 // whatever JSON writes as it is
}

// inCompanyCurrency divides an amount by the rate of its currency: the newest
// one until today that the company or everybody has. Rates of days to come are
// taken before all others; so does Odoo.
func (g *grouping) inCompanyCurrency(field *schema.Field, amount string) (string, error) {
	c := g.c
	rates := c.reg.Model("res.currency.rate")
	link := field.Model.Field(field.Currency)
	if link == nil {
		link = field.Model.Field("currency_id")
	}
	if rates == nil || link == nil {
		return "", backend.CannotProve(backend.ValueShape, field.Model.Name+"."+field.Name, "currency")
	}
	currency, err := g.f.value(link)
	if err != nil {
		return "", err
	}
	root := c.actor.company
	for range len(c.companyParents) {
		if parent := c.companyParents[root]; parent != 0 {
			root = parent
		}
	}
	c.volatile = true
	r := c.alias()
	day := quoteText(c.now().In(c.zone()).Format(schema.DateLayout))
	if c.d.Name() != "sqlite" {
		day = "date " + day
	}
	of := func(op string) string {
		return "case when " + r + ".name " + op + " " + day + " then " + r + ".name end"
	}
	rate := "(select " + r + ".rate from " + quote(rates.Table) + " " + r + " where " + r + ".currency_id = " + currency +
		" and (" + r + ".company_id is null or " + c.inInts(r+".company_id", []int64{root}) + ") order by " + r + ".company_id nulls last, " +
		of("<=") + " desc nulls first, " + of(">") + " nulls last limit 1)"
	return amount + " / coalesce(" + rate + ", 1.0)", nil
}

// read takes a figure out of a row; what is made of no values is Null.
func (f *figure) read(r sqldb.Row) (backend.Value, error) {
	if r.Null(f.column) {
		if f.list {
			return backend.RawValue("[]"), nil
		}
		return backend.NullValue, nil
	}
	for _, i := range f.again {
		if math.Float64bits(r.Float(i)) != math.Float64bits(r.Float(f.column)) {
			return backend.NullValue, backend.CannotProve(backend.OpenOrder, f.name, "the sum depends on the order of its terms")
		}
	}
	return reader{f.kind, f.column}.read(r), nil
}
