package odoo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/business"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoo"
	"gatehouse/internal/odoocall"
	"gatehouse/internal/odoorpc"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
)

// standIn is an Odoo in the process: the engine, called by names and JSON.
type standIn struct {
	eng   *record.Engine
	major int

	mu    sync.Mutex
	calls []string
}

// Call implements odoo.RPC.
func (s *standIn) Call(ctx context.Context, a *odoorpc.Account, r *odoorpc.Request) (json.RawMessage, error) {
	s.mu.Lock()
	s.calls = append(s.calls, r.Model+"."+r.Method)
	s.mu.Unlock()
	kwargs := maps.Clone(r.Kwargs)
	if kwargs == nil {
		kwargs = map[string]any{}
	}
	if r.IDs != nil {
		kwargs["ids"] = r.IDs
	}
	text, err := json.Marshal(kwargs) // as it would travel
	if err != nil {
		return nil, err
	}
	args := map[string]any{}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&args); err != nil {
		return nil, err
	}
	caller := &backend.Caller{UserID: a.UID, LooseLinks: true, OdooWays: true}
	out, err := odoocall.Call(ctx, s.eng, caller, r.Model, r.Method, args)
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

// Version implements odoo.RPC.
func (s *standIn) Version(context.Context) (odoorpc.Version, error) {
	return odoorpc.Version{Major: s.major}, nil
}

// Ready implements odoo.RPC.
func (s *standIn) Ready(context.Context) error { return nil }

// taken gives the calls since the last time.
func (s *standIn) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

// accounts: who calls is who he is in the stand-in.
type accounts struct {
	technical *odoorpc.Account
	refused   int
}

// For implements odoo.Accounts.
func (a *accounts) For(_ context.Context, c *backend.Caller) (*odoorpc.Account, error) {
	if c.UserID == 0 {
		return nil, fault.New(fault.Forbidden, "no user")
	}
	return &odoorpc.Account{UID: c.UserID}, nil
}

func (a *accounts) Refused(*backend.Caller)     { a.refused++ }
func (a *accounts) Technical() *odoorpc.Account { return a.technical }

// world is the engine with demo data, and the backend in front of it.
type world struct {
	*testing.T
	eng     *record.Engine
	rpc     *standIn
	odoo    *odoo.Backend
	account *accounts
	users   map[string]int64
}

func newWorld(t *testing.T, technical bool) *world {
	t.Helper()
	ctx := t.Context()
	db, err := sqldb.OpenSQLite(ctx, t.TempDir()+"/odoo.db", sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	plainHash := func(s string) (string, error) { return "test$" + s, nil }
	eng, err := record.Open(ctx, db, record.Options{
		Models: business.Models(), Logics: business.Logics(business.Options{HashPassword: plainHash}), SanitizeHTML: business.HTMLSanitizer(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(eng.Close)
	if err := eng.Sudo(ctx, business.Seed); err != nil {
		t.Fatal(err)
	}
	if err := eng.Sudo(ctx, business.Demo); err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, eng: eng, rpc: &standIn{eng: eng, major: 19}, account: &accounts{}, users: map[string]int64{}}
	if technical {
		w.account.technical = &odoorpc.Account{UID: 2}
	}
	w.odoo = odoo.New(odoo.Options{RPC: w.rpc, Accounts: w.account, Cursors: eng.Cursors()})
	page := &backend.Page{}
	if _, err := eng.Search(ctx, &backend.Caller{UserID: 2}, &backend.Query{Model: "res.users", Fields: []string{"login"}}, page); err != nil {
		t.Fatal(err)
	}
	for i, id := range page.IDs() {
		w.users[page.Get(i, "login").Text] = id
	}
	return w
}

// outcome is an answer as text, or the kind of an error.
func outcome(total int64, page *backend.Page, err error) string {
	if err != nil {
		return "error " + fault.From(err).Kind.String()
	}
	text := fmt.Sprintf("total %d", total)
	for _, row := range page.Rows {
		cells := make([]string, len(row))
		for i, v := range row {
			switch v.Kind {
			case backend.IDs: // in another order where another field has one
				v.List = slices.Sorted(slices.Values(v.List))
			case backend.Datetime: // Odoo tells no more
				v.Int -= v.Int % 1_000_000
			}
			cells[i] = fmt.Sprintf("%s=%d:%d:%q:%v", page.Cols[i].Name, v.Kind, v.Int, v.Text, v.List)
		}
		slices.Sort(cells)
		text += "\n" + strings.Join(cells, " ")
	}
	return text
}

func (w *world) search(b backend.Backend, login string, q backend.Query, context backend.Context) string {
	page := &backend.Page{}
	total, err := b.Search(w.Context(), &backend.Caller{UserID: w.users[login], Context: context}, &q, page)
	return outcome(total, page, err)
}

// queries are asked of both backends by all users.
func queries() []backend.Query {
	return []backend.Query{
		{Model: "res.partner", Limit: 10, Count: true},
		{Model: "res.partner", Fields: []string{"name", "country_id", "category_id"}, Order: "name desc, id", Limit: 7, Offset: 3, Count: true},
		{Model: "res.partner", DomainText: `[('is_company','=',True),'|',('name','ilike','a'),('country_id.code','=','US')]`, Fields: []string{"name"}, Order: "id"},
		{Model: "res.partner", DomainText: `[["child_ids","any",[["name","like","e"]]]]`, Fields: []string{"name", "child_ids"}, Order: "id"},
		{Model: "res.partner", DomainText: `[('nme','=',1)]`},
		{Model: "res.partner", DomainText: `[('country_id.cod','=',1)]`},
		{Model: "res.partner", DomainText: `[('name','=',`},
		{Model: "res.partner", Fields: []string{"nme"}},
		{Model: "res.partner", Order: "nme"},
		{Model: "res.partner", Order: "name; drop"},
		{Model: "sale.order", Count: true, Limit: 5, Order: "id desc"},
		{Model: "sale.order", Fields: []string{"name", "date_order", "amount_total", "state", "partner_id", "order_line", "company_id"}, Order: "id"},
		{Model: "sale.order", DomainText: `[('date_order','>','2020-01-01'),('state','in',['sale','done'])]`, Fields: []string{"name"}, Order: "id", Limit: 20, Count: true},
		{Model: "product.product", Order: "id", Limit: 20},
		{Model: "product.template", Order: "id", Fields: []string{"name", "list_price", "qty_available", "type", "active"}, Limit: 20},
		{Model: "res.users", Fields: []string{"login", "name", "company_ids"}, Order: "id"},
		{Model: "res.users", Fields: []string{"password"}},
		{Model: "ir.model.access", Order: "id", Limit: 5},
		{Model: "no.such.model"},
		{Model: "res.partner", IDs: []int64{}, Fields: []string{"name"}},
		{Model: "res.partner", IDs: []int64{3, 1}, Fields: []string{"name"}},
		{Model: "res.partner", IDs: []int64{1, 999999}, Fields: []string{"name"}},
		{Model: "res.partner", IDs: []int64{1, 999999}, SkipMissing: true, Fields: []string{"name"}},
		{Model: "sale.order", IDs: []int64{1}, Fields: []string{"name"}},
		{Model: "crm.lead", Limit: 10, Order: "id"},
		{Model: "ir.rule"},
	}
}

// TestSameAsTheEngine: what the backend answers in front of an Odoo is what that
// Odoo would answer over the same API itself.
func TestSameAsTheEngine(t *testing.T) {
	for _, technical := range []bool{true, false} {
		t.Run(fmt.Sprintf("technical=%v", technical), func(t *testing.T) {
			w := newWorld(t, technical)
			for _, login := range []string{"admin", "demo-manager", "demo-sales", "demo-user", "demo-portal", "demo-company2"} {
				for i, q := range queries() {
					if login == "demo-portal" && len(q.IDs) > 1 { // which of two reasons counts differs
						continue
					}
					for _, context := range []backend.Context{{}, {KeepArchived: true, TZ: "Europe/Brussels"}} {
						want, got := w.search(w.eng, login, q, context), w.search(w.odoo, login, q, context)
						if got != want {
							t.Errorf("%s, query %d %s %s %v: %s", login, i, q.Model, q.DomainText, context, difference(got, want))
						}
					}
				}
			}
		})
	}
}

// difference shows where two texts part.
func difference(got, want string) string {
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	from := max(0, at-60)
	return fmt.Sprintf("\ngot  …%.200s\nwant …%.200s", got[from:], want[from:])
}

func mustDomain(t *testing.T, text string) domain.Node {
	t.Helper()
	node, err := backend.ParseDomain(text)
	if err != nil {
		t.Fatal(err)
	}
	return node
}
