package record_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

func (w *world) groupsOf(c *backend.Caller, q backend.GroupQuery) *backend.Groups {
	w.Helper()
	if q.Model == "" {
		q.Model = "x_thing"
	}
	groups, err := w.eng.Group(context.Background(), c, &q)
	if err != nil {
		w.Fatalf("group %s by %v: %v", q.Model, q.GroupBy, err)
	}
	return groups
}

// show writes groups as "key key: figure figure".
func show(groups *backend.Groups) string {
	rows := make([]string, len(groups.Rows))
	for i, g := range groups.Rows {
		var cells []string
		for _, k := range g.Keys {
			cells = append(cells, showValue(k.Value))
		}
		figures := make([]string, len(g.Values))
		for j, v := range g.Values {
			figures[j] = showValue(v)
		}
		rows[i] = strings.Join(cells, " ") + ": " + strings.Join(figures, " ")
	}
	return strings.Join(rows, "; ")
}

func showValue(v backend.Value) string {
	switch v.Kind {
	case backend.Bool:
		return fmt.Sprint(v.Int != 0)
	case backend.Int:
		return fmt.Sprint(v.Int)
	case backend.Float:
		return fmt.Sprint(v.Float())
	case backend.Date:
		return v.Time().Format("2006-01-02")
	case backend.Datetime:
		return v.Time().Format("2006-01-02T15:04")
	case backend.Ref:
		return "@" + v.Text
	case backend.Null:
		return "-"
	}
	return "'" + v.Text + "'"
}

func TestGroupKeys(t *testing.T) {
	tests := []struct {
		by   string
		want string // with the number of records
	}{
		{"", ": 4"},
		{"x_bool", "false: 3; true: 1"},
		{"x_int", "-3: 1; 0: 1; 5: 1; -: 1"},
		{"x_float", "0.1: 1; 1.5: 1; -: 2"},
		{"x_char", "'': 1; '100% Cotton': 1; 'under_score': 1; 'ÉLAN': 1"},
		{"x_label", "'hello': 1; -: 3"},
		{"x_kind", "'a': 1; 'b': 1; -: 2"},
		{"x_partner_id", "@Acme: 1; -: 3"},
		{"x_tag_ids", "@red: 1; @blue: 2; -: 2"},
		{"x_parent_id", "@a: 2; -: 2"},
		{"x_parent_id.x_kind", "'a': 2; -: 2"},
		{"x_parent_id.x_partner_id.name", "'Acme': 2; -: 2"},
		{"x_parent_id.x_tag_ids", "@red: 2; @blue: 2; -: 2"},
		{"x_date:day", "2024-02-29: 1; 2024-03-01: 1; -: 2"},
		{"x_date:week", "2024-02-25: 2; -: 2"},
		{"x_date:month", "2024-02-01: 1; 2024-03-01: 1; -: 2"},
		{"x_date:quarter", "2024-01-01: 2; -: 2"},
		{"x_date:year", "2024-01-01: 2; -: 2"},
		{"x_when:hour", "2024-02-29T10:00: 1; 2024-03-01T00:00: 1; -: 2"},
		{"x_when:month", "2024-02-01T00:00: 1; 2024-03-01T00:00: 1; -: 2"},
		{"x_when:month_number", "2: 1; 3: 1; -: 2"},
		{"x_when:second_number", "0: 2; -: 2"},
		{"x_when:day_of_week", "4: 1; 5: 1; -: 2"},
		{"x_kind x_bool", "'a' true: 1; 'b' false: 1; - false: 2"},
	}
	onBoth(t, func(w *world) {
		w.things()
		c := as(0)
		c.Context.KeepArchived = true
		for _, tt := range tests {
			got := show(w.groupsOf(c, backend.GroupQuery{GroupBy: strings.Fields(tt.by), Aggregates: []string{"__count"}}))
			if got != tt.want {
				w.Errorf("by %s: %s, want %s", tt.by, got, tt.want)
			}
		}
		if got := show(w.groupsOf(as(0), backend.GroupQuery{Aggregates: []string{"__count"}})); got != ": 3" {
			w.Errorf("archived records count: %s", got)
		}
		if got := show(w.groupsOf(as(0), backend.GroupQuery{GroupBy: []string{"x_kind"}, DomainText: "[('x_int','>',0)]"})); got != "'a': " {
			w.Errorf("domain: %s", got)
		}
	})
}

func TestGroupFigures(t *testing.T) {
	tests := []struct{ figure, want string }{
		{"x_int:sum", "2"},
		{"x_int:avg", "0.6666666666666666"},
		{"x_int:min", "-3"},
		{"x_int:max", "5"},
		{"x_int:count", "3"},
		{"x_int:count_distinct", "3"},
		{"x_int:array_agg", "[5,0,-3,null]"},
		{"x_int:array_agg_distinct", "[-3,0,5,null]"},
		{"x_float:sum", "1.6"},
		{"x_bool:bool_or", "true"},
		{"x_bool:bool_and", "true"},
		{"x_active:bool_and", "false"},
		{"x_bool:count", "1"},
		{"x_active:array_agg", "[true,true,true,false]"},
		{"x_bool:array_agg_distinct", "[true,null]"},
		{"x_char:max", "'ÉLAN'"},
		{"x_char:min", "''"},
		{"x_date:max", "2024-03-01"},
		{"x_when:min", "2024-02-29T10:30"},
		{"x_when:array_agg", `["2024-02-29 10:30:00","2024-03-01 00:00:00",null,null]`},
		{"x_partner_id:count_distinct", "1"},
	}
	onBoth(t, func(w *world) {
		w.things()
		c := as(0)
		c.Context.KeepArchived = true
		for _, tt := range tests {
			groups := w.groupsOf(c, backend.GroupQuery{Aggregates: []string{tt.figure}})
			got := strings.Trim(strings.ReplaceAll(show(groups), ", ", ","), ": ")
			if got != tt.want && strings.Trim(got, "'") != tt.want {
				w.Errorf("%s: %s, want %s", tt.figure, got, tt.want)
			}
		}
		none := backend.GroupQuery{DomainText: "[('x_int','=',77)]", Aggregates: []string{"__count", "x_int:sum", "x_int:count", "x_date:max", "id:array_agg"}}
		if got := show(w.groupsOf(c, none)); got != ": 0 - 0 - '[]'" {
			w.Errorf("of nothing: %s", got)
		}
		none.GroupBy = []string{"x_kind"}
		if got := w.groupsOf(c, none); len(got.Rows) != 0 {
			w.Errorf("groups of nothing: %s", show(got))
		}
	})
}

func TestGroupOrder(t *testing.T) {
	tests := []struct {
		order         string
		limit, offset int
		want          string
	}{
		{"", 0, 0, "-3 0 5 -"},
		{"x_int desc", 0, 0, "- 5 0 -3"},
		{"x_int desc nulls last", 0, 0, "5 0 -3 -"},
		{"x_int NULLS FIRST", 0, 0, "- -3 0 5"},
		{"x_char:max", 0, 0, "0 5 -3 -"},
		{"x_float:sum desc nulls last, x_int", 0, 0, "5 -3 0 -"},
		{"__count, x_int desc", 2, 1, "5 0"},
		{"", 2, 0, "-3 0"},
		{"", 0, 3, "-"},
		{"", 2, 9, ""},
	}
	onBoth(t, func(w *world) {
		w.things()
		c := as(0)
		c.Context.KeepArchived = true
		for _, tt := range tests {
			groups := w.groupsOf(c, backend.GroupQuery{GroupBy: []string{"x_int"}, Order: tt.order, Limit: tt.limit, Offset: tt.offset, Count: true})
			if got := strings.ReplaceAll(strings.TrimSuffix(show(groups), ": "), ": ;", ""); got != tt.want {
				w.Errorf("order %q limit %d offset %d: %q, want %q", tt.order, tt.limit, tt.offset, got, tt.want)
			}
			if groups.Total != 4 {
				w.Errorf("order %q limit %d offset %d: %d groups in all, want 4", tt.order, tt.limit, tt.offset, groups.Total)
			}
		}
		zed := w.create(as(0), "res.partner", backend.Values{"name": "Zed"})[0]
		aaron := w.create(as(0), "res.partner", backend.Values{"name": "Aaron"})[0]
		w.create(as(0), "x_thing", backend.Values{"x_name": "z", "x_partner_id": zed, "x_active": true}, backend.Values{"x_name": "y", "x_partner_id": aaron, "x_active": true})
		for order, want := range map[string]string{
			"": "@Aaron: ; @Acme: ; @Zed: ; -: ", "x_partner_id desc": "-: ; @Zed: ; @Acme: ; @Aaron: ",
			"x_partner_id desc nulls last": "@Zed: ; @Acme: ; @Aaron: ; -: ", "x_partner_id nulls first": "-: ; @Aaron: ; @Acme: ; @Zed: ",
		} {
			if got := show(w.groupsOf(as(0), backend.GroupQuery{GroupBy: []string{"x_partner_id"}, Order: order})); got != want {
				w.Errorf("order %q: %s, want %s", order, got, want)
			}
		}
	})
}

func TestGroupHaving(t *testing.T) {
	leaf := func(path string, op domain.Op, v any) domain.Node {
		return &domain.Leaf{Path: path, Op: op, Value: v, Pos: -1}
	}
	tests := []struct {
		having domain.Node
		want   string
	}{
		{leaf("__count", domain.OpGt, int64(1)), "-: 2"},
		{leaf("__count", domain.OpEq, "1"), "'a': 1; 'b': 1"},
		{domain.Not{Child: leaf("x_int:sum", domain.OpEq, int64(5))}, "'b': 1; -: 2"},
		{domain.And{leaf("x_float:sum", domain.OpGe, 0.1), leaf("__count", domain.OpLt, 1.5)}, "'a': 1"},
		{domain.Or{leaf("x_char:max", domain.OpEq, "ÉLAN"), leaf("x_date:max", domain.OpGt, "2024-02-29")}, "'b': 1; -: 2"},
		{leaf("x_bool:bool_or", domain.OpEq, true), "'a': 1"},
		{leaf("__count", domain.OpEq, nil), ""},
	}
	onBoth(t, func(w *world) {
		w.things()
		c := as(0)
		c.Context.KeepArchived = true
		for i, tt := range tests {
			got := show(w.groupsOf(c, backend.GroupQuery{GroupBy: []string{"x_kind"}, Aggregates: []string{"__count"}, Having: tt.having}))
			if got != tt.want {
				w.Errorf("%d: %s, want %s", i, got, tt.want)
			}
		}
	})
}

func TestGroupPeriods(t *testing.T) {
	onBoth(t, func(w *world) {
		w.things()
		c := as(0)
		c.Context.TZ = "America/New_York"
		groups := w.groupsOf(c, backend.GroupQuery{GroupBy: []string{"x_when:month"}, DomainText: "[('x_when','!=',False)]"})
		if got := show(groups); got != "2024-02-01T00:00: " { // 19:00 on February 29 there
			w.Fatal(got)
		}
		key := groups.Rows[0].Keys[0]
		if got := key.From.Format(time.RFC3339) + " " + key.To.Format(time.RFC3339); got != "2024-02-01T05:00:00Z 2024-03-01T05:00:00Z" {
			w.Error(got)
		}
		if groups.Lang != "en_US" {
			w.Errorf("language %q", groups.Lang)
		}
	})
}

func TestGroupRefused(t *testing.T) {
	tests := []struct {
		by, figure, order, want string
	}{
		{"nosuch", "", "", "Unknown field"},
		{"x_child_ids", "", "", "no single stored value"},
		{"x_date", "", "", "without a granularity"},
		{"x_date:decade", "", "", "no granularity"},
		{"x_kind:month", "", "", "goes with dates"},
		{"x_child_ids.x_int", "", "", "no many2one"},
		{"display_name", "", "", "no single stored value"},
		{"x_kind.", "", "", "Invalid term"},
		{"x_kind", "x_int", "", "needs a function"},
		{"x_kind", "x_int:median", "", "Unknown function"},
		{"x_kind", "x_char:sum", "", "does not go with"},
		{"x_kind", "x_bool:max", "", "does not go with"},
		{"x_kind", "x_tag_ids:count", "", "no single stored value"},
		{"x_kind", "x_partner_id.name:max", "", "has no path"},
		{"x_kind", "__count", "x_int", "neither a member of groupby nor an aggregate"},
		{"x_kind", "__count", "x_kind sideways", "Invalid order term"},
	}
	onBoth(t, func(w *world) {
		w.things()
		for _, tt := range tests {
			q := &backend.GroupQuery{Model: "x_thing", GroupBy: []string{tt.by}, Order: tt.order}
			if tt.figure != "" {
				q.Aggregates = []string{tt.figure}
			}
			_, err := w.eng.Group(context.Background(), as(0), q)
			w.want(err, fault.BadRequest, tt.want)
		}
	})
}

// What a caller may not read does not show in groups either.
func TestGroupRights(t *testing.T) {
	onBoth(t, func(w *world) {
		w.things()
		user := as(w.create(as(0), "res.users", backend.Values{
			"name": "Grouper", "login": "grouper", "group_ids": []any{[]any{int64(6), int64(0), []any{w.group("group_user")}}},
		})[0])
		_, err := w.eng.Group(context.Background(), user, &backend.GroupQuery{Model: "x_thing", GroupBy: []string{"x_kind"}})
		w.want(err, fault.NotFound, "Unknown model")
		w.allow("x_thing")
		_, err = w.eng.Group(context.Background(), user, &backend.GroupQuery{Model: "x_thing", GroupBy: []string{"x_tag_ids"}})
		w.want(err, fault.Forbidden, "x_tag")
		w.allow("x_tag")
		w.rule("x_thing", "[('x_name','!=','a')]")
		w.rule("x_tag", "[('x_name','=','red')]")
		for by, want := range map[string]string{
			"x_kind": "'b': 1; -: 1", "x_tag_ids": "-: 2", "x_parent_id.x_kind": "-: 2", "x_parent_id": "@a: 2",
		} {
			if got := show(w.groupsOf(user, backend.GroupQuery{GroupBy: []string{by}, Aggregates: []string{"__count"}})); got != want {
				w.Errorf("by %s: %s, want %s", by, got, want)
			}
		}
	})
}

func (w *world) allow(model string) {
	w.Helper()
	w.create(as(0), "ir.model.access", backend.Values{"name": model, "model_id": w.idOf("ir.model", "[('model','=','"+model+"')]"), "perm_read": true})
}

func (w *world) rule(model, text string) {
	w.Helper()
	w.create(as(0), "ir.rule", backend.Values{"name": model, "model_id": w.idOf("ir.model", "[('model','=','"+model+"')]"), "domain_force": text, "perm_read": true})
}

// An amount is divided by the rate of its currency: of the company or of
// everybody, the newest until today; one of a day to come goes before all.
func TestGroupSumCurrency(t *testing.T) {
	onBoth(t, func(w *world) {
		su := as(0)
		w.manualModel()
		company := w.list(su, backend.Query{Model: "res.company", Fields: []string{"id"}}).IDs()[0]
		euro := w.create(su, "res.currency", backend.Values{"name": "QQQ", "symbol": "q"})[0]
		w.field("x_thing", "x_currency_id", "many2one", backend.Values{"relation": "res.currency"})
		w.field("x_thing", "x_amount", "monetary", backend.Values{"currency_field": "x_currency_id"})
		w.create(su, "x_thing", backend.Values{"x_name": "a", "x_amount": 10, "x_currency_id": euro, "x_active": true},
			backend.Values{"x_name": "b", "x_amount": 3, "x_active": true})
		rate := func(day string, of any, value float64) {
			w.create(su, "res.currency.rate", backend.Values{"currency_id": euro, "name": day, "rate": value, "company_id": of})
			groups := w.groupsOf(as(0), backend.GroupQuery{Aggregates: []string{"x_amount:sum_currency"}})
			w.equal("after the rate of "+day, []string{show(groups)}, []string{": " + fmt.Sprint(10/value+3)})
		}
		rate("2020-01-01", false, 4)
		rate("2021-01-01", false, 2)
		rate("2020-06-01", company, 8)
		rate("2999-01-01", company, 5)
		branch := w.create(su, "res.company", backend.Values{"name": "Branch", "parent_id": company})[0]
		c := as(0)
		c.Context.CompanyIDs = []int64{branch}
		groups := w.groupsOf(c, backend.GroupQuery{Aggregates: []string{"x_amount:sum_currency"}})
		w.equal("a branch has the rates of its root", []string{show(groups)}, []string{": 5"})
	})
}

// What Odoo leaves to the database is not made up on its own database.
func TestGroupOpenOrder(t *testing.T) {
	seeded.Each(t, func(t *testing.T, db sqldb.DB) {
		if db.Dialect().Name() != "postgres" {
			t.Skip("Odoo's own database is PostgreSQL")
		}
		w := open(t, db).foreign()
		w.run("update x_thing set x_int = case x_name when 'a' then 1 when 'b' then 1 else 2 end, x_float = 0.5")
		q := backend.GroupQuery{Model: "x_thing", GroupBy: []string{"x_name"}, Order: "x_int:sum"}
		_, err := w.eng.Group(w.Context(), as(0), &q)
		w.unprovable("groups that are tied", err, backend.OpenOrder)
		q.Order = "x_int:sum, x_name desc"
		if got := show(w.groupsOf(as(0), q)); got != "'b': ; 'a': ; 'd': ; 'c': " {
			w.Error(got)
		}
		q = backend.GroupQuery{Model: "x_thing", Aggregates: []string{"x_float:sum"}}
		if got := show(w.groupsOf(as(0), q)); got != ": 2" {
			w.Error(got)
		}
		w.run("update x_thing set x_float = case x_name when 'a' then 1e16 when 'b' then 1 when 'c' then 1 else -1e16 end")
		_, err = w.eng.Group(w.Context(), as(0), &q)
		w.unprovable("a sum that depends on the order of its terms", err, backend.OpenOrder)
	})
}
