package odoo_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoo"
	"gatehouse/internal/schema"
)

// groupText is what groups show, for comparison.
func groupText(groups *backend.Groups, err error) string {
	if err != nil {
		return "error " + fault.From(err).Kind.String()
	}
	text := fmt.Sprintf("total %d", groups.Total)
	for _, row := range groups.Rows {
		text += "\n"
		for _, k := range row.Keys {
			text += fmt.Sprintf("%d:%d:%q %v–%v %v | ", k.Kind, k.Int, k.Text, k.From.UTC(), k.To.UTC(), k.Shown)
		}
		for _, v := range row.Values {
			text += fmt.Sprintf("%d:%d:%q, ", v.Kind, v.Int, v.Text)
		}
	}
	return text
}

// TestGroupsAsTheEngine: groups too, by formatted_read_group and, as of older
// versions, by read_group.
func TestGroupsAsTheEngine(t *testing.T) {
	w := newWorld(t, true)
	queries := []backend.GroupQuery{
		{Model: "sale.order", Aggregates: []string{"__count", "amount_total:sum"}},
		{Model: "sale.order", GroupBy: []string{"state"}, Aggregates: []string{"__count", "amount_total:sum", "amount_total:avg", "date_order:max"}},
		{Model: "sale.order", GroupBy: []string{"partner_id"}, Aggregates: []string{"__count"}, Limit: 5, Count: true},
		{Model: "sale.order", GroupBy: []string{"date_order:month"}, Aggregates: []string{"amount_untaxed:sum"}},
		{Model: "sale.order", GroupBy: []string{"date_order:week", "user_id"}, Aggregates: []string{"__count"}, Limit: 10},
		{Model: "sale.order", GroupBy: []string{"state"}, Aggregates: []string{"amount_total:sum"}, Order: "amount_total:sum desc"},
		{Model: "sale.order", GroupBy: []string{"locked"}, Aggregates: []string{"partner_id:count_distinct"}, DomainText: `[('state','!=','cancel')]`},
		{Model: "sale.order", GroupBy: []string{"stat"}},
		{Model: "sale.order", GroupBy: []string{"state"}, Aggregates: []string{"amount_total"}},
		{Model: "sale.order", GroupBy: []string{"state"}, Aggregates: []string{"amount_total:summ"}},
		{Model: "sale.order", GroupBy: []string{"state;"}},
		{Model: "res.partner", GroupBy: []string{"category_id"}, Aggregates: []string{"__count"}},
		{Model: "res.partner", GroupBy: []string{"is_company"}, Aggregates: []string{"__count"}},
	}
	for _, major := range []int{19, 18} {
		w.rpc.major = major
		for _, login := range []string{"admin", "demo-sales", "demo-user"} {
			for _, zone := range []string{"", "America/New_York"} {
				for i, q := range queries {
					c := &backend.Caller{UserID: w.users[login], Context: backend.Context{TZ: zone}}
					want := groupText(w.eng.Group(t.Context(), c, &q))
					got := groupText(w.odoo.Group(t.Context(), c, &q))
					if got != want {
						t.Errorf("%d, %s, %q, query %d: %s", major, login, zone, i, difference(got, want))
					}
				}
			}
		}
	}
	if _, err := w.odoo.Group(t.Context(), &backend.Caller{UserID: 2}, &backend.GroupQuery{
		Model: "sale.order", GroupBy: []string{"state"}, Having: mustDomain(t, `[('__count','>',1)]`),
	}); !fault.Is(err, fault.BadRequest) {
		t.Errorf("having before 19: %v", err)
	}
}

// TestPages reads lists to their end by cursors: every record once, in order.
func TestPages(t *testing.T) {
	w := newWorld(t, true)
	if _, err := w.eng.WriteAll(t.Context(), &backend.Caller{UserID: 2}, &backend.BulkQuery{
		Model: "sale.order", DomainText: `[("id","<",40)]`, Most: 100,
	}, backend.Values{"client_order_ref": ""}); err != nil { // which is not the same as none
		t.Fatal(err)
	}
	if _, err := w.eng.WriteAll(t.Context(), &backend.Caller{UserID: 2}, &backend.BulkQuery{
		Model: "sale.order", DomainText: `[("id",">",170)]`, Most: 100,
	}, backend.Values{"client_order_ref": "theirs"}); err != nil {
		t.Fatal(err)
	}
	for _, order := range []string{"", "id", "id desc", "name", "name desc, id desc", "date_order desc", "date_order, partner_id desc", "commitment_date", "client_order_ref desc, id desc", "client_order_ref", "client_order_ref desc, name"} {
		var all backend.Page
		c := &backend.Caller{UserID: 2}
		first := order
		if order == "" {
			first = "date_order desc, id desc" // the model's own
		}
		if _, err := w.odoo.Search(t.Context(), c, &backend.Query{Model: "sale.order", Fields: []string{"name"}, Order: withID(first)}, &all); err != nil {
			t.Fatal(err)
		}
		var got []int64
		after := ""
		for range 100 {
			var page backend.Page
			key := &backend.Keyset{After: after, Wanted: true}
			if _, err := w.odoo.Search(t.Context(), c, &backend.Query{
				Model: "sale.order", Fields: []string{"name"}, Order: order, Limit: 17, Keyset: key,
			}, &page); err != nil {
				t.Fatalf("%q: %v", order, err)
			}
			got = append(got, page.IDs()...)
			if after = key.Next; after == "" {
				break
			}
		}
		want := all.IDs()
		if strings.Contains(first, "date") { // the order within a second is the Odoo's secret
			slices.Sort(got)
			slices.Sort(want)
		}
		if !slices.Equal(got, want) {
			t.Errorf("order %q: %d records, want %d\n%v\n%v", order, len(got), len(want), got, want)
		}
	}
	key := &backend.Keyset{Wanted: true}
	_, err := w.odoo.Search(t.Context(), &backend.Caller{UserID: 2}, &backend.Query{Model: "sale.order", Order: "partner_id", Keyset: key, Limit: 2}, &backend.Page{})
	if !fault.Is(err, fault.BadRequest) {
		t.Errorf("an order by a link: %v", err)
	}
	key = &backend.Keyset{Wanted: true}
	query := backend.Query{Model: "sale.order", Order: "id", Keyset: key, Limit: 2}
	if _, err := w.odoo.Search(t.Context(), &backend.Caller{UserID: 2}, &query, &backend.Page{}); err != nil || key.Next == "" {
		t.Fatal(err)
	}
	query.Keyset, query.Order = &backend.Keyset{After: key.Next}, "name"
	if _, err := w.odoo.Search(t.Context(), &backend.Caller{UserID: 2}, &query, &backend.Page{}); !fault.Is(err, fault.BadRequest) {
		t.Errorf("the cursor of another list: %v", err)
	}
}

// TestManyOfOneMoment: records that were imported together are read to their
// end, though all that were seen are named by the cursor.
func TestManyOfOneMoment(t *testing.T) {
	w := newWorld(t, true)
	c := &backend.Caller{UserID: 2}
	var made []int64
	for range 5 {
		values := make([]backend.Values, 1000)
		for i := range values {
			values[i] = backend.Values{"name": "imported", "ref": "import"}
		}
		created, err := w.eng.Create(t.Context(), c, "res.partner", values)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, created.IDs...)
	}
	if _, err := w.eng.WriteAll(t.Context(), c, &backend.BulkQuery{Model: "res.partner", DomainText: `[("ref","=","import")]`, Most: 9000}, backend.Values{"city": "X"}); err != nil {
		t.Fatal(err)
	}
	var got []int64
	for after, n := "", 0; n < 20; n++ {
		page, key := backend.Page{}, &backend.Keyset{After: after, Wanted: true}
		if _, err := w.odoo.Search(t.Context(), c, &backend.Query{
			Model: "res.partner", Fields: []string{"name"}, DomainText: `[("ref","=","import")]`, Order: "write_date", Limit: 500, Keyset: key,
		}, &page); err != nil {
			t.Fatal(err)
		}
		got = append(got, page.IDs()...)
		if after = key.Next; after == "" {
			break
		}
	}
	slices.Sort(got)
	slices.Sort(made)
	if !slices.Equal(got, made) {
		t.Errorf("%d records of %d", len(got), len(made))
	}
}

func withID(order string) string {
	if strings.Contains(order, "id") && !strings.Contains(order, "partner_id") {
		return order
	}
	return order + ", id"
}

// TestWrites goes through the life of a record, and of one that is refused.
func TestWrites(t *testing.T) {
	for _, major := range []int{19, 16} {
		w := newWorld(t, major == 19)
		w.rpc.major = major
		c := &backend.Caller{UserID: w.users["demo-manager"]}
		made, err := w.odoo.Create(t.Context(), c, "res.partner", []backend.Values{
			{"name": "One", "email": nil, "category_id": []any{[]any{int64(6), int64(0), []any{}}}}, {"name": "Two", "child_ids": []any{[]any{int64(0), int64(0), backend.Values{"name": "Child", "street": nil}}}},
		})
		if err != nil || len(made.IDs) != 2 {
			t.Fatalf("%v %v", made, err)
		}
		before := w.version(c, made.IDs[0])
		if err := w.odoo.Write(t.Context(), c, "res.partner", made.IDs[:1], backend.Values{"city": "Ghent"}); err != nil {
			t.Fatal(err)
		}
		after := w.version(c, made.IDs[0])
		if before == 0 || before == after || after != w.version(c, made.IDs[0]) {
			t.Errorf("versions %d and %d in one second", before, after)
		}
		if text := w.search(w.odoo, "demo-manager", backend.Query{Model: "res.partner", IDs: made.IDs[:1], Fields: []string{"city"}}, backend.Context{}); !strings.Contains(text, "Ghent") {
			t.Error(text)
		}
		admin := &backend.Caller{UserID: 2}
		for name, err := range map[string]error{
			"write":  w.odoo.Write(t.Context(), admin, "res.partner", []int64{999999}, backend.Values{"city": "x"}),
			"unlink": w.odoo.Unlink(t.Context(), admin, "res.partner", []int64{999999}),
		} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("%s of nothing: %v", name, err)
			}
		}
		if err := w.odoo.Write(t.Context(), c, "res.partner", made.IDs, backend.Values{"cty": "x"}); !fault.Is(err, fault.BadRequest) {
			t.Errorf("an unknown field: %v", err)
		}
		user := &backend.Caller{UserID: w.users["demo-user"]}
		if _, err := w.odoo.Create(t.Context(), user, "sale.order", []backend.Values{{"partner_id": int64(1)}}); !fault.Is(err, fault.Forbidden) && !fault.Is(err, fault.NotFound) {
			t.Errorf("no right to create: %v", err)
		}
		ids, err := backend.WriteAll(t.Context(), w.odoo, c, &backend.BulkQuery{Model: "res.partner", DomainText: `[('name','in',['One','Two'])]`, Most: 5}, backend.Values{"zip": "9000"})
		if err != nil || len(ids) != 2 {
			t.Errorf("all at once: %v %v", ids, err)
		}
		order := &backend.Page{}
		if _, err := w.odoo.Search(t.Context(), c, &backend.Query{Model: "sale.order", DomainText: `[('state','=','draft')]`, Limit: 1, Order: "id"}, order); err != nil {
			t.Fatal(err)
		}
		if _, err := w.odoo.Call(t.Context(), c, "sale.order", "action_confirm", order.IDs(), nil); err != nil {
			t.Error(err)
		}
		if text := w.search(w.odoo, "demo-manager", backend.Query{Model: "sale.order", IDs: order.IDs(), Fields: []string{"state"}}, backend.Context{}); !strings.Contains(text, `"sale"`) {
			t.Error(text)
		}
		if _, err := w.odoo.Call(t.Context(), c, "sale.order", "_compute", order.IDs(), nil); !fault.Is(err, fault.NotFound) {
			t.Errorf("a private method: %v", err)
		}
		if err := w.odoo.Unlink(t.Context(), admin, "res.partner", made.IDs[:1]); err != nil {
			t.Error(err)
		}
	}
}

func (w *world) version(c *backend.Caller, id int64) int64 {
	w.Helper()
	page := &backend.Page{}
	if _, err := w.odoo.Search(w.Context(), c, &backend.Query{Model: "res.partner", IDs: []int64{id}, Fields: []string{"id"}, Version: true}, page); err != nil {
		w.Fatal(err)
	}
	if n := len(page.Cols); n != 2 || page.Cols[1].Name != backend.VersionColumn {
		w.Fatalf("columns %v", page.Cols)
	}
	return page.Rows[0][1].Int
}

// TestCalls: what is known is not asked again, and a page that tells the total
// by itself costs one call.
func TestCalls(t *testing.T) {
	w := newWorld(t, true)
	ask := func(q backend.Query) []string {
		w.rpc.taken()
		if text := w.search(w.odoo, "demo-sales", q, backend.Context{}); strings.HasPrefix(text, "error") {
			t.Fatal(text)
		}
		return slices.DeleteFunc(w.rpc.taken(), func(call string) bool { // looked at in the background
			return strings.HasPrefix(call, "ir.") || strings.HasPrefix(call, "res.groups")
		})
	}
	page := backend.Query{Model: "res.partner", Fields: []string{"name"}, Limit: 5, Count: true, DomainText: `[('country_id.code','!=',False)]`}
	ask(page)
	if calls := ask(page); !slices.Equal(calls, []string{"res.partner.search_read", "res.partner.search_count"}) {
		t.Errorf("a full page: %v", calls)
	}
	page.Limit = 500
	if calls := ask(page); !slices.Equal(calls, []string{"res.partner.search_read"}) {
		t.Errorf("the last page: %v", calls)
	}
}

// TestModels: with a technical user all models are known with their rights,
// without one only by name.
func TestModels(t *testing.T) {
	w := newWorld(t, true)
	for _, login := range []string{"admin", "demo-sales", "demo-portal"} {
		c := &backend.Caller{UserID: w.users[login]}
		want, err := w.eng.Models(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.odoo.Models(t.Context(), c)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v\n%v\n%v", login, err, got, want)
		}
	}
	catalogue, err := w.odoo.Catalogue(t.Context(), &backend.Caller{UserID: w.users["demo-sales"]})
	if err != nil || len(catalogue.Models) < 20 {
		t.Fatal(err)
	}
	if _, err := w.odoo.Model(t.Context(), &backend.Caller{UserID: 2}, "res.partnr"); err == nil || !strings.Contains(err.Error(), "res.partner") {
		t.Errorf("a misspelt model: %v", err)
	}
	alone := newWorld(t, false)
	if _, err := alone.odoo.Models(t.Context(), &backend.Caller{UserID: 2}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("without a technical user: %v", err)
	}
	if may, err := alone.odoo.May(t.Context(), &backend.Caller{UserID: alone.users["demo-portal"]}, "res.partner", schema.Write, []int64{1}); may || err != nil {
		t.Errorf("may write: %v %v", may, err)
	}
}

// TestModelsThatChange: a new field, and a right that is taken, are seen within
// a minute and a half, without a restart.
func TestModelsThatChange(t *testing.T) {
	w := newWorld(t, true)
	clock := clock.NewMoving(time.Now())
	w.odoo = odoo.New(odoo.Options{RPC: w.rpc, Accounts: w.account, Cursors: w.eng.Cursors(), Clock: clock})
	sales := &backend.Caller{UserID: w.users["demo-sales"]}
	has := func() bool {
		m, err := w.odoo.Model(t.Context(), sales, "res.partner")
		if err != nil {
			t.Fatal(err)
		}
		return m.Field("x_shoe_size") != nil
	}
	if has() {
		t.Fatal("it is there before it is made")
	}
	su := &backend.Caller{UserID: 2}
	page := &backend.Page{}
	if _, err := w.eng.Search(t.Context(), su, &backend.Query{Model: "ir.model", DomainText: `[("model","=","res.partner")]`, Fields: []string{"id"}}, page); err != nil {
		t.Fatal(err)
	}
	eventually := func(what string, ok func() bool) {
		t.Helper()
		for range 200 {
			clock.Pass(31 * time.Second)
			if ok() {
				return
			}
			time.Sleep(10 * time.Millisecond) // it is looked at in the background
		}
		t.Errorf("%s is never seen", what)
	}
	eventually("the first state", func() bool { w.rpc.taken(); return !has() })
	if _, err := w.eng.Create(t.Context(), su, "ir.model.fields", []backend.Values{{
		"model_id": page.IDs()[0], "name": "x_shoe_size", "field_description": "Shoe Size", "ttype": "integer",
	}}); err != nil {
		t.Fatal(err)
	}
	eventually("a new field", has)
	may := func() bool {
		ok, err := w.odoo.May(t.Context(), sales, "sale.order", schema.Create, nil)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if !may() {
		t.Fatal("no right to begin with")
	}
	if _, err := w.eng.WriteAll(t.Context(), su, &backend.BulkQuery{
		Model: "ir.model.access", DomainText: `[("model_id.model","=","sale.order")]`, Most: 50,
	}, backend.Values{"perm_create": false}); err != nil {
		t.Fatal(err)
	}
	eventually("a right that is taken", func() bool { return !may() })
}
