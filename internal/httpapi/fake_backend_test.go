package httpapi

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/nearest"
	"gatehouse/internal/schema"
)

// memory is a backend.Backend that keeps records in maps: enough of one to see
// what the API asks of a backend and what it makes of the answers.
type memory struct {
	mu     sync.Mutex
	models map[string]*schema.Model
	rows   map[string]map[int64]map[string]any
	last   map[string]int64
	log    []string // what was asked
	caller backend.Caller

	fail func(operation, model string) error
	wait time.Duration // before a search, or until the context ends
}

func newMemory() *memory {
	m := &memory{models: map[string]*schema.Model{}, rows: map[string]map[int64]map[string]any{}, last: map[string]int64{}}
	for _, model := range schema.Prepare(testModels()) {
		m.models[model.Name] = model
		m.rows[model.Name] = map[int64]map[string]any{}
	}
	m.put("res.country", map[string]any{"name": "Belgium", "code": "BE"})
	m.put("product.category", map[string]any{"name": "All"})
	m.put("res.partner", map[string]any{"name": "Acme Corp", "email": "info@acme.example", "country_id": int64(1), "is_company": true, "active": true})
	m.put("res.partner", map[string]any{"name": "Ann 100%", "parent_id": int64(1), "active": true, "date": "2026-01-31", "credit": 12.345})
	m.put("product.template", map[string]any{"name": "Desk", "list_price": 79.99, "type": "consu", "is_storable": true, "qty_available": 7.0, "active": true})
	m.put("product.product", map[string]any{"name": "Desk", "list_price": 79.99})
	m.put("gateway.key", map[string]any{"name": "ci"})
	return m
}

func testModels() []*schema.Model {
	active := func() *schema.Field { return schema.NewBoolean("active", "Active").Def(true) }
	return []*schema.Model{
		{Name: "res.country", Fields: []*schema.Field{schema.NewChar("name", "Name").Req(), schema.NewChar("code", "Code")}},
		{Name: "res.partner", Fields: []*schema.Field{
			schema.NewChar("name", "Name").Req(), schema.NewChar("email", "Email"), schema.NewChar("phone", "Phone"),
			schema.NewChar("street", "Street"), schema.NewChar("street2", "Street 2"), schema.NewChar("city", "City"),
			schema.NewChar("zip", "Zip"), schema.NewChar("vat", "Tax ID"), schema.NewBoolean("is_company", "Company"),
			schema.NewInteger("color", "Colour"), schema.NewFloat("credit", "Credit", 2), schema.NewFloat("latitude", "Latitude", -1),
			schema.NewMany2one("country_id", "Country", "res.country"), schema.NewMany2one("state_id", "State", "res.country"),
			schema.NewMany2one("parent_id", "Company", "res.partner"),
			schema.NewOne2many("child_ids", "Contacts", "res.partner", "parent_id"),
			schema.NewMany2many("category_id", "Tags", "res.country", "rel", "a", "b"),
			schema.NewSelection("type", "Type", "contact", "Contact", "invoice", "Invoice"),
			schema.NewDate("date", "Date"), schema.NewDatetime("moment", "Moment"),
			schema.NewHTML("comment", "Notes"), schema.NewBinary("image", "Image"), schema.NewJSON("extra", "Extra"),
			schema.NewChar("password", "Password").Hidden(), active(),
		}},
		{Name: "product.category", Fields: []*schema.Field{schema.NewChar("name", "Name").Req()}},
		{Name: "product.template", Fields: []*schema.Field{
			schema.NewChar("name", "Name").Req(), schema.NewChar("default_code", "Reference"), schema.NewChar("barcode", "Barcode"),
			schema.NewFloat("list_price", "Price", 2), schema.NewFloat("standard_price", "Cost", 2),
			schema.NewMany2one("categ_id", "Category", "product.category"),
			schema.NewSelection("type", "Type", "consu", "Goods", "service", "Service", "combo", "Combo").Def("consu"),
			schema.NewBoolean("is_storable", "Tracked"), schema.NewText("description_sale", "Description"),
			schema.NewFloat("qty_available", "On Hand", 2), active(),
		}},
		{Name: "product.product", Fields: []*schema.Field{schema.NewChar("name", "Name").Req(), schema.NewFloat("list_price", "Price", 2)}},
		{Name: "sale.order", Fields: []*schema.Field{
			schema.NewChar("name", "Name").Def("S00001"), schema.NewMany2one("partner_id", "Customer", "res.partner").Req(),
			schema.NewDatetime("date_order", "Date").Def("2026-01-31 10:30:00"),
			schema.NewSelection("state", "State", "draft", "Quotation", "sale", "Order", "cancel", "Cancelled").Def("draft"),
			schema.NewMonetary("amount_untaxed", "Untaxed", "currency_id"), schema.NewMonetary("amount_tax", "Tax", "currency_id"),
			schema.NewMonetary("amount_total", "Total", "currency_id"), schema.NewMany2one("currency_id", "Currency", "res.country"),
			schema.NewHTML("note", "Terms"), schema.NewOne2many("order_line", "Lines", "sale.order.line", "order_id"),
		}},
		{Name: "sale.order.line", Fields: []*schema.Field{
			schema.NewMany2one("order_id", "Order", "sale.order").Req(), schema.NewMany2one("product_id", "Product", "product.product"),
			schema.NewText("name", "Description").Def("Desk"), schema.NewFloat("product_uom_qty", "Quantity", 2),
			schema.NewFloat("price_unit", "Price", 2).Def(79.99), schema.NewMonetary("price_tax", "Tax", "currency_id"),
			schema.NewMonetary("price_subtotal", "Subtotal", "currency_id"), schema.NewMonetary("price_total", "Total", "currency_id"),
			schema.NewMany2one("currency_id", "Currency", "res.country"),
		}},
		{Name: "gateway.key", AdminOnly: true, Fields: []*schema.Field{schema.NewChar("name", "Name").Req()}},
	}
}

// put stores a record as it is.
func (m *memory) put(model string, values map[string]any) int64 {
	m.last[model]++
	m.rows[model][m.last[model]] = values
	return m.last[model]
}

func (m *memory) enter(operation, model string, c *backend.Caller) (*schema.Model, error) {
	m.log = append(m.log, operation+" "+model)
	m.caller = *c
	if m.fail != nil {
		if err := m.fail(operation, model); err != nil {
			return nil, err
		}
	}
	s := m.models[model]
	if s == nil || s.AdminOnly && !c.Admin {
		names := make([]string, 0, len(m.models))
		for name := range m.models {
			names = append(names, name)
		}
		return nil, fault.Newf(fault.NotFound, "Unknown model: %.60s. Did you mean %s?", model, nearest.Word(model, names))
	}
	return s, nil
}

func (m *memory) Model(_ context.Context, c *backend.Caller, name string) (*schema.Model, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.enter("model", name, c)
}

func (m *memory) Models(context.Context, *backend.Caller) ([]backend.Summary, error) {
	return nil, nil
}

func (m *memory) Ready(context.Context) error {
	if m.fail != nil {
		return m.fail("ready", "")
	}
	return nil
}

func (m *memory) Search(ctx context.Context, c *backend.Caller, q *backend.Query, sink backend.Sink) (int64, error) {
	if m.wait > 0 {
		select {
		case <-ctx.Done():
			return -1, fmt.Errorf("search: %w", ctx.Err())
		case <-time.After(m.wait):
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.enter("search", q.Model, c)
	if err != nil {
		return -1, err
	}
	cols, err := columns(s, q.Fields)
	if err != nil {
		return -1, err
	}
	if strings.HasPrefix(q.Order, "bad") {
		return -1, fault.Newf(fault.BadRequest, "Unknown field %.60q in order", q.Order)
	}
	ids, err := m.find(s, c, q)
	if err != nil {
		return -1, err
	}
	total := int64(len(ids))
	if strings.Contains(q.Order, "desc") {
		slices.Reverse(ids)
	}
	ids = ids[min(q.Offset, len(ids)):]
	if q.Limit > 0 {
		ids = ids[:min(q.Limit, len(ids))]
	}
	if err := sink.Columns(cols); err != nil {
		return -1, err
	}
	for _, id := range ids {
		row := make([]backend.Value, len(cols))
		for i, col := range cols {
			row[i] = m.value(s, id, col.Field)
		}
		if err := sink.Row(row); err != nil {
			return -1, err
		}
	}
	if !q.Count {
		total = -1
	}
	return total, nil
}

func columns(s *schema.Model, names []string) ([]backend.Column, error) {
	var cols []backend.Column
	if names == nil {
		for _, f := range s.Fields {
			if f.Store && !f.Secret && f.Type != schema.Binary {
				names = append(names, f.Name)
			}
		}
	}
	for _, name := range names {
		f := s.Field(name)
		if f == nil || f.Secret {
			return nil, fault.Newf(fault.BadRequest, "Unknown field %.60q of %s", name, s.Name)
		}
		cols = append(cols, backend.Column{Name: name, Field: f})
	}
	return cols, nil
}

func (m *memory) find(s *schema.Model, c *backend.Caller, q *backend.Query) ([]int64, error) {
	if q.IDs != nil {
		for _, id := range q.IDs {
			if m.rows[s.Name][id] == nil {
				return nil, fault.Newf(fault.NotFound, "Record %s(%d) does not exist", s.Name, id)
			}
		}
		return slices.Clone(q.IDs), nil
	}
	nodes := []domain.Node{}
	if q.Domain != nil {
		nodes = append(nodes, q.Domain)
	}
	if q.DomainText != "" {
		n, err := domain.Parse(q.DomainText, domain.Limits{})
		if err != nil {
			return nil, fault.New(fault.BadRequest, err.Error())
		}
		nodes = append(nodes, n)
	}
	node := domain.Conj(nodes...)
	if s.ActiveName != "" && !c.Context.KeepArchived && !domain.MentionsTop(node, s.ActiveName) {
		node = domain.Conj(node, &domain.Leaf{Path: s.ActiveName, Op: domain.OpEq, Value: true})
	}
	var bad error
	domain.Walk(node, func(l *domain.Leaf) {
		if s.Field(l.Steps()[0]) == nil && bad == nil {
			bad = fault.Newf(fault.BadRequest, "Unknown field %.60q in domain", l.Path)
		}
	})
	ids := []int64{}
	for id := range m.rows[s.Name] {
		if m.matches(s, id, node) {
			ids = append(ids, id)
		}
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	return ids, bad
}

func (m *memory) matches(s *schema.Model, id int64, n domain.Node) bool {
	switch n := n.(type) {
	case domain.Const:
		return bool(n)
	case domain.And:
		return !slices.ContainsFunc(n, func(c domain.Node) bool { return !m.matches(s, id, c) })
	case domain.Or:
		return slices.ContainsFunc(n, func(c domain.Node) bool { return m.matches(s, id, c) })
	case domain.Not:
		return !m.matches(s, id, n.Child)
	case *domain.Leaf:
		have := m.rows[s.Name][id][n.Path]
		if n.Path == "id" {
			have = id
		}
		switch n.Op {
		case domain.OpIn:
			return slices.Contains(n.Value.([]any), have)
		case domain.OpILike:
			text, _ := have.(string)
			return strings.Contains(strings.ToLower(text), strings.ToLower(strings.NewReplacer(`\%`, `%`, `\_`, `_`, `\\`, `\`).Replace(fmt.Sprint(n.Value))))
		case domain.OpGe:
			return fmt.Sprint(have) >= fmt.Sprint(n.Value)
		case domain.OpLe:
			return fmt.Sprint(have)[:10] <= fmt.Sprint(n.Value)
		}
		if n.Value == false && (have == nil || have == "") {
			return true
		}
		return have == n.Value
	}
	return false
}

func (m *memory) value(s *schema.Model, id int64, f *schema.Field) backend.Value {
	if f.Name == "id" {
		return backend.IntValue(id)
	}
	if f.Type == schema.One2many {
		var ids []int64
		for line, row := range m.rows[f.Relation] {
			if row[f.Inverse] == id {
				ids = append(ids, line)
			}
		}
		slices.Sort(ids)
		return backend.IDsValue(ids)
	}
	switch v := m.rows[s.Name][id][f.Name].(type) {
	case bool:
		return backend.BoolValue(v)
	case int64:
		if f.Type == schema.Many2one {
			name, _ := m.rows[f.Relation][v]["name"].(string)
			return backend.RefValue(v, name)
		}
		return backend.IntValue(v)
	case float64:
		return backend.FloatValue(v)
	case string:
		if f.Type == schema.Date || f.Type == schema.Datetime {
			t, err := time.Parse(schema.DatetimeLayout, v)
			if err != nil {
				t, _ = time.Parse(schema.DateLayout, v)
				return backend.DateValue(t)
			}
			return backend.DatetimeValue(t)
		}
		if f.Type == schema.JSON {
			return backend.RawValue(v)
		}
		return backend.TextValue(v)
	case []int64:
		return backend.IDsValue(v)
	}
	return backend.NullValue
}

func (m *memory) Group(_ context.Context, c *backend.Caller, q *backend.GroupQuery) (*backend.Groups, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.enter("group", q.Model, c); err != nil {
		return nil, err
	}
	return &backend.Groups{Total: -1}, nil
}
