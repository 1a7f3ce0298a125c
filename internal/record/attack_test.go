package record_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

func (w *world) try(c *backend.Caller, q backend.Query) (int, error) {
	page := &backend.Page{}
	_, err := w.eng.Search(context.Background(), c, &q, page)
	return len(page.Rows), err
}

// A related field leads the superuser's way, but what a caller asks of the
// records at its end he must be allowed to ask.
func TestConditionsBeyondRelatedFields(t *testing.T) {
	onBoth(t, func(w *world) {
		su := as(0)
		portal := w.create(su, "res.users", backend.Values{"login": "p", "name": "P", "group_ids": []any{w.group("group_portal")}})[0]
		country := w.create(su, "res.country", backend.Values{"name": "Utopia", "code": "UU"})[0]
		w.write(su, "res.company", 1, backend.Values{"country_id": country})
		for text, hidden := range map[string]bool{
			`[('country_id.create_uid.login','=like','%')]`:                         true,
			`[('country_id','any',[('create_uid.login','=like','%')])]`:             true,
			`[('partner_id.country_id.create_uid.login','=like','%')]`:              true,
			`[('country_id.create_uid.credit_limit','<',5)]`:                        false,
			`[('country_id','any',[('create_uid.credit_limit','<',5)])]`:            false,
			`[('country_id','not any',[('create_uid.credit_limit','>',5)])]`:        false,
			`[('country_id.create_uid.partner_id.credit_limit','<',5)]`:             false,
			`[('country_id.create_uid','any',[('partner_id.credit_limit','<',5)])]`: false,
		} {
			q := backend.Query{Model: "res.company", DomainText: text, Fields: []string{"name"}}
			n, err := w.try(as(portal), q)
			if hidden && (n != 0 || err != nil) {
				w.Errorf("%s: %d, %v", text, n, err)
			}
			if !hidden {
				w.want(err, fault.Forbidden, "credit_limit")
			}
			if n, err := w.try(su, q); n != 1 || err != nil {
				w.Errorf("%s for the superuser: %d, %v", text, n, err)
			}
		}
		if n, err := w.try(as(portal), backend.Query{Model: "res.company", DomainText: `[('country_id.code','=','UU')]`}); n != 1 || err != nil {
			w.Errorf("a question that he may ask: %d, %v", n, err)
		}
	})
}

// A copy is linked to no records that its maker may not read, and does not
// name them.
func TestCopiesOfHiddenLinks(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		su, ctx := as(0), context.Background()
		w.create(su, "ir.model.access", backend.Values{
			"name": "all", "model_id": w.idOf("ir.model", "[('model','=','x_thing')]"),
			"perm_read": true, "perm_create": true, "perm_write": true,
		})
		user := w.create(su, "res.users", backend.Values{"login": "u", "name": "U"})[0]
		secret := w.create(su, "x_tag", backend.Values{"x_name": "secret"})[0]
		open := w.create(su, "x_tag", backend.Values{"x_name": "open"})[0]
		thing := w.create(su, "x_thing", backend.Values{"x_name": "a", "x_active": true, "x_tag_ids": []any{secret, open}})[0]
		tags := func(want string, linked ...int64) {
			w.Helper()
			var data []map[string]json.RawMessage
			if err := json.Unmarshal([]byte(w.call(as(user), "x_thing", "copy_data", []int64{thing}, nil)), &data); err != nil {
				w.Fatal(err)
			}
			if got := string(data[0]["x_tag_ids"]); got != want {
				w.Errorf("copy_data names %s, want %s", got, want)
			}
			made, err := w.eng.Call(ctx, as(user), "x_thing", "copy", []int64{thing}, nil)
			if err != nil {
				w.Fatal(err)
			}
			if got := w.ids("x_thing", made.([]int64)[0], "x_tag_ids"); !slices.Equal(got, linked) {
				w.Errorf("a copy has %v, want %v", got, linked)
			}
		}
		tags("[[6,0,[]]]")
		_, err := w.eng.Search(ctx, as(user), &backend.Query{Model: "x_thing", AllFields: true}, &backend.Page{})
		w.want(err, fault.Forbidden, "x_tag")
		w.allow("x_tag")
		w.rule("x_tag", "[('x_name','!=','secret')]")
		tags(fmt.Sprintf("[[6,0,[%d]]]", open), open)
	})
}

// What a copy brings along needs the scope that the same lines would need as
// values, and a method that deletes needs the one for that.
func TestScopesOfMethods(t *testing.T) {
	onBoth(t, func(w *world) {
		ctx := context.Background()
		only := func(model string) *backend.Caller {
			c := as(2)
			c.InScope = func(name string, mode schema.Mode) bool { return name == model && mode != schema.Unlink }
			return c
		}
		for _, method := range []string{"copy", "copy_data"} {
			_, err := w.eng.Call(ctx, only("res.groups"), "res.groups", method, []int64{w.group("group_user")}, nil)
			w.want(err, fault.Forbidden, "ir.model.access")
		}
		lang := w.list(as(0), backend.Query{Model: "res.country", Limit: 1, Fields: []string{"id"}}).IDs()
		if _, err := w.eng.Call(ctx, only("res.country"), "res.country", "copy_data", lang, nil); err != nil {
			w.Error(err)
		}
		set := func(c *backend.Caller, value any) error {
			_, err := w.eng.Call(ctx, c, "ir.config_parameter", "set_param", nil, backend.Values{"key": "a.b", "value": value})
			return err
		}
		if err := set(only("ir.config_parameter"), "1"); err != nil {
			w.Error(err)
		}
		w.want(set(only("ir.config_parameter"), false), fault.Forbidden, "deleting")
		if err := set(as(2), false); err != nil {
			w.Error(err)
		}
		_, err := w.eng.Call(ctx, as(2), "ir.default", "set", nil, backend.Values{
			"model_name": "res.partner", "field_name": "city", "value": "X", "user_id": "me",
		})
		w.want(err, fault.BadRequest, "user_id")
	})
}

// However much is asked at once: an answer, or a refusal that is the caller's.
func TestRequestsThatAreTooLarge(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		ctx, su := context.Background(), as(0)
		odd := w.create(su, "res.partner", backend.Values{"name": "a\x02b"})[0]
		w.create(su, "x_thing", backend.Values{"x_name": "a", "x_active": true, "x_partner_id": odd})
		leaf := func(path, op string, value any) domain.Node {
			return &domain.Leaf{Path: path, Op: domain.Op(op), Value: value, Pos: -1}
		}
		var days, moments, names, links []any
		for i := range 3000 {
			day := time.Date(2000, 1, 1+i, 0, 0, 0, 0, time.UTC)
			days, moments = append(days, day.Format("2006-01-02")), append(moments, day.Format("2006-01-02 15:04:05"))
			names = append(names, fmt.Sprint("name ", i))
		}
		for range 400 {
			links = append(links, leaf("x_partner_id.name", "=", "nobody"))
		}
		nodes := map[string]domain.Node{
			"days": leaf("x_date", "in", days), "moments": leaf("x_when", "not in", moments),
			"names": leaf("x_parent_id", "child_of", names),
		}
		paths := make(domain.Or, len(links))
		for i := range links {
			paths[i] = links[i].(domain.Node)
		}
		nodes["paths"] = paths
		for name, node := range nodes {
			if _, err := w.try(su, backend.Query{Model: "x_thing", Domain: node, Fields: []string{"id"}}); err != nil {
				w.Errorf("%s: %v", name, fault.From(err).Cause)
			}
		}
		_, err := w.try(su, backend.Query{Model: "x_thing", Order: strings.Repeat("x_name,", 3000) + "id"})
		mine := func(name string, err error) {
			w.Helper()
			if err != nil && !fault.Is(err, fault.BadRequest) {
				w.Errorf("%s: %v", name, fault.From(err).Cause)
			}
		}
		mine("terms of an order", err)
		for name, q := range map[string]backend.GroupQuery{
			"figures":     {Aggregates: slices.Repeat([]string{"__count"}, 3000)},
			"keys":        {GroupBy: slices.Repeat([]string{"x_name"}, 3000)},
			"joins":       {GroupBy: slices.Repeat([]string{"x_partner_id.name"}, 100)},
			"no number":   {GroupBy: []string{"x_name"}, Having: leaf("__count", ">", "nan")},
			"no end":      {GroupBy: []string{"x_name"}, Having: leaf("__count", "<", "-inf")},
			"no limit":    {GroupBy: []string{"x_name"}, Having: leaf("x_float:sum", "<", math.Inf(1))},
			"nothing":     {GroupBy: []string{"x_name"}, Having: domain.And{}},
			"NUL":         {GroupBy: []string{"x_name"}, Having: leaf("x_char:max", ">", "a\x00")},
			"no UTF-8":    {GroupBy: []string{"x_name"}, Having: leaf("x_char:max", ">", "a\xff")},
			"no day":      {GroupBy: []string{"x_name"}, Having: leaf("x_date:max", ">", "soon")},
			"quoted name": {GroupBy: []string{`x_name" or '`}},
		} {
			q.Model = "x_thing"
			_, err := w.eng.Group(ctx, su, &q)
			mine(name, err)
		}
		groups := w.groupsOf(su, backend.GroupQuery{GroupBy: []string{"x_partner_id"}})
		if got := show(groups); got != "@a\x02b: " {
			w.Errorf("a name with a strange character: %q", got)
		}
	})
}

// Whatever characters names have, two questions never share a plan.
func TestPlansTellNamesApart(t *testing.T) {
	onBoth(t, func(w *world) {
		su := as(0)
		if _, err := w.try(su, backend.Query{Model: "res.partner", Fields: []string{"name", "ref"}}); err != nil {
			w.Fatal(err)
		}
		for _, fields := range [][]string{{"name,ref"}, {"name", "ref", ""}, {"name,ref,"}} {
			_, err := w.try(su, backend.Query{Model: "res.partner", Fields: fields})
			w.want(err, fault.BadRequest, "Unknown field")
		}
	})
}
