package record_test

import (
	"context"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// idOf finds the one record that matches a domain.
func (w *world) idOf(model, domain string) int64 {
	w.Helper()
	page := w.list(as(0), backend.Query{Model: model, DomainText: domain, Fields: []string{"id"}})
	if len(page.Rows) != 1 {
		w.Fatalf("%s %s: %d records", model, domain, len(page.Rows))
	}
	return page.Get(0, "id").Int
}

// group finds a group by its external id.
func (w *world) group(name string) int64 {
	w.Helper()
	page := w.list(as(0), backend.Query{
		Model: "ir.model.data", DomainText: `[('model','=','res.groups'),('name','=','` + name + `')]`, Fields: []string{"res_id"},
	})
	return page.Get(0, "res_id").Int
}

func (w *world) exec(sql string) {
	w.Helper()
	err := w.db.Write(context.Background(), func(tx sqldb.Tx) error {
		_, err := tx.Exec(context.Background(), sql)
		return err
	})
	if err != nil {
		w.Fatalf("%s: %v", sql, err)
	}
}

// TestPlansTellCompaniesApart: a user whose own company is not the first of
// his companies asks without and with a list of companies.
func TestPlansTellCompaniesApart(t *testing.T) {
	onBoth(t, func(w *world) {
		su := as(0)
		second := w.create(su, "res.company", backend.Values{"name": "Second"})[0]
		product := w.create(su, "product.product", backend.Values{"name": "Chair"})[0]
		user := w.create(su, "res.users", backend.Values{
			"login": "two", "name": "Two", "company_id": second, "company_ids": []any{int64(1), second},
		})[0]
		for company, price := range map[int64]float64{1: 11, second: 22} {
			c := as(0)
			c.Context.CompanyIDs = []int64{company}
			w.write(c, "product.product", product, backend.Values{"standard_price": price})
		}
		for _, try := range []struct {
			companies []int64
			want      float64
		}{{nil, 22}, {[]int64{1, second}, 11}, {[]int64{second, 1}, 22}, {nil, 22}} {
			c := as(user)
			c.Context.CompanyIDs = try.companies
			page := w.list(c, backend.Query{Model: "product.product", IDs: []int64{product}, Fields: []string{"standard_price"}})
			if got := page.Get(0, "standard_price").Float(); got != try.want {
				w.Errorf("companies %v: %v, want %v", try.companies, got, try.want)
			}
		}
	})
}

// TestRelatedFieldsKeepRestrictions: what nobody may read, or only a group, is
// not shown by a field made at run time either, however that came about.
func TestRelatedFieldsKeepRestrictions(t *testing.T) {
	onBoth(t, func(w *world) {
		su, ctx := as(0), context.Background()
		partner := w.idOf("ir.model", `[('model','=','res.partner')]`)
		thing := w.create(su, "ir.model", backend.Values{"model": "x_thing", "name": "Thing"})[0]
		field := func(model int64, name, ttype string, more backend.Values) error {
			values := backend.Values{"model_id": model, "name": name, "ttype": ttype}
			for k, v := range more {
				values[k] = v
			}
			_, err := w.eng.Create(ctx, su, "ir.model.fields", []backend.Values{values})
			return err
		}
		w.want(field(partner, "x_hash", "char", backend.Values{"related": "create_uid.password"}), fault.Unprocessable, "is secret")

		// Past the check, as a genuine database might have it.
		if err := field(partner, "x_hash", "char", backend.Values{"related": "create_uid.login"}); err != nil {
			t.Fatal(err)
		}
		w.exec(`update ir_model_fields set related = 'create_uid.password' where name = 'x_hash'`)
		w.create(su, "res.lang", backend.Values{"name": "L", "code": "l_L", "url_code": "l", "active": true}) // the registry is read anew
		for _, q := range []backend.Query{
			{Fields: []string{"x_hash"}}, {Order: "x_hash"}, {DomainText: `[('x_hash','=like','$%')]`}, {DomainText: `[('child_ids.x_hash','!=',False)]`},
		} {
			q.Model = "res.partner"
			_, err := w.eng.Search(ctx, as(2), &q, &backend.Page{})
			w.want(err, fault.BadRequest, "Unknown field")
		}

		for _, err := range []error{
			field(thing, "x_product_id", "many2one", backend.Values{"relation": "product.product"}),
			field(thing, "x_cost", "float", backend.Values{"related": "x_product_id.standard_price"}),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		w.create(su, "ir.model.access", backend.Values{"name": "all", "model_id": thing, "perm_read": true})
		portal := w.create(su, "res.users", backend.Values{
			"login": "p", "name": "P", "group_ids": []any{w.group("group_portal")},
		})[0]
		_, err := w.eng.Search(ctx, as(portal), &backend.Query{Model: "x_thing", Fields: []string{"x_cost"}}, &backend.Page{})
		w.want(err, fault.Forbidden, "x_cost")
	})
}

// TestGroupsWithTwoNames: an export gives a group a second external id.
func TestGroupsWithTwoNames(t *testing.T) {
	onBoth(t, func(w *world) {
		user := w.group("group_user")
		w.create(as(0), "ir.model.data", backend.Values{"module": "__export__", "name": "g", "model": "res.groups", "res_id": user})
		w.create(as(0), "res.lang", backend.Values{"name": "L", "code": "l_L", "url_code": "l", "active": true})
		w.list(as(2), backend.Query{Model: "product.product", Fields: []string{"standard_price"}}) // for base.group_user
	})
}

func TestRecordRulesAreChecked(t *testing.T) {
	onBoth(t, func(w *world) {
		partner := w.idOf("ir.model", `[('model','=','res.partner')]`)
		for text, part := range map[string]string{
			`garbage(`:                          "Invalid domain",
			`[('nofield','=',1)]`:               "nofield",
			`[('name','=',user.password)]`:      "password",
			`[('name','=',user.nothing)]`:       "nothing",
			`[('user_id.password','like','$')]`: "password",
		} {
			_, err := w.eng.Create(context.Background(), as(2), "ir.rule", []backend.Values{{"name": "r", "model_id": partner, "domain_force": text}})
			w.want(err, fault.Unprocessable, part)
		}
		w.create(as(0), "ir.rule", backend.Values{"name": "r", "model_id": partner, "domain_force": `[('user_id','in',[user.id,False])]`})
		w.list(as(2), backend.Query{Model: "res.partner"})
	})
}

// TestLinksInsideLines: only the link of a line to the record it is made for
// goes unchecked, not those that its own lists bring along.
func TestLinksInsideLines(t *testing.T) {
	onBoth(t, func(w *world) {
		su := as(0)
		second := w.create(su, "res.company", backend.Values{"name": "Second"})[0]
		hidden := w.create(su, "res.partner", backend.Values{"name": "Hidden", "company_id": second, "is_company": true})[0]
		user := w.create(su, "res.users", backend.Values{"login": "u", "name": "U", "company_id": int64(1), "group_ids": []any{
			w.group("group_user"), w.group("group_partner_manager"),
		}})[0]
		_, err := w.eng.Create(context.Background(), as(user), "res.partner", []backend.Values{{
			"name": "Top", "child_ids": []any{[]any{0, 0, map[string]any{
				"name": "Line", "category_id": []any{[]any{0, 0, map[string]any{
					"name": "Tag", "partner_ids": []any{[]any{0, 0, map[string]any{"name": "Inside", "parent_id": hidden}}},
				}}},
			}}},
		}})
		w.want(err, fault.Forbidden, "parent_id")
	})
}

// TestOutdatedRegistry: a field goes away and the signal is late.
func TestOutdatedRegistry(t *testing.T) {
	onBoth(t, func(w *world) {
		w.things()
		w.list(as(0), backend.Query{Model: "x_thing"})
		w.exec(`delete from ir_model_fields where name = 'x_char'`)
		w.exec(`alter table x_thing drop column x_char`)
		w.list(as(0), backend.Query{Model: "x_thing"})
		w.exec(`delete from ir_model_fields where name = 'x_int'`)
		w.exec(`alter table x_thing drop column x_int`)
		w.write(as(0), "x_thing", 1, backend.Values{"x_name": "still"})
	})
}

func TestOrderByPartOfScalar(t *testing.T) {
	onBoth(t, func(w *world) {
		_, err := w.eng.Search(context.Background(), as(2), &backend.Query{Model: "res.partner", Order: "name.id"}, &backend.Page{})
		w.want(err, fault.BadRequest, "is no relation")
		w.list(as(2), backend.Query{Model: "res.partner", Order: "country_id.id desc, id"})
	})
}

// TestScopesCoverLines: a credential for contacts is none for the users that
// come along in their lists, but one for orders is one for their lines.
func TestScopesCoverLines(t *testing.T) {
	onBoth(t, func(w *world) {
		ctx := context.Background()
		c := as(2)
		c.InScope = func(model string, mode schema.Mode) bool {
			return (model == "res.partner" || model == "sale.order") && mode != schema.Unlink
		}
		product := w.create(as(0), "product.product", backend.Values{"name": "Chair"})[0]
		partner := w.create(c, "res.partner", backend.Values{"name": "Top", "child_ids": []any{map[string]any{"name": "Kid"}}})[0]
		w.create(c, "sale.order", backend.Values{"partner_id": partner, "order_line": []any{map[string]any{"product_id": product}}})
		user := map[string]any{"login": "evil", "name": "Evil"}
		for _, list := range []backend.Values{
			{"user_ids": []any{user}},
			{"user_ids": []any{[]any{1, 2, user}}},
			{"user_ids": []any{[]any{4, 2}}},
			{"child_ids": []any{map[string]any{"name": "Kid", "user_ids": []any{user}}}},
			{"child_ids": []any{[]any{2, w.ids("res.partner", partner, "child_ids")[0]}}},
		} {
			w.want(w.eng.Write(ctx, c, "res.partner", []int64{partner}, list), fault.Forbidden, "scopes of this credential")
			_, err := w.eng.Call(ctx, c, "res.partner", "copy", []int64{partner}, backend.Values{"default": list})
			w.want(err, fault.Forbidden, "scopes of this credential")
		}
	})
}

// TestCopyNeedsSight: who may change a record need not be one who may see it.
func TestCopyNeedsSight(t *testing.T) {
	onBoth(t, func(w *world) {
		w.things()
		thing := w.idOf("ir.model", `[('model','=','x_thing')]`)
		w.create(as(0), "ir.rule", backend.Values{
			"name": "unseen", "model_id": thing, "domain_force": `[('x_name','!=','a')]`,
			"perm_read": true, "perm_write": false, "perm_create": false, "perm_unlink": false,
		})
		_, err := w.eng.Call(context.Background(), as(2), "x_thing", "copy", []int64{1}, nil)
		w.want(err, fault.Forbidden, "read")
	})
}
