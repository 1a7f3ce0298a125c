package odoocall_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/business"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoocall"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
)

// office is a backend on the built-in models that counts searches, with a
// company, its two contacts and their tags.
type office struct {
	*testing.T
	backend.Backend
	db       sqldb.DB
	searches int

	acme, ann, bob, red, blue, clerk int64
}

func (o *office) Search(ctx context.Context, c *backend.Caller, q *backend.Query, sink backend.Sink) (int64, error) {
	o.searches++
	return o.Backend.Search(ctx, c, q, sink)
}

func inOffices(t *testing.T, fn func(o *office)) {
	t.Helper()
	seeded.Each(t, func(t *testing.T, db sqldb.DB) {
		ctx := context.Background()
		eng, err := record.Open(ctx, db, record.Options{Models: business.Models(), Logics: business.Logics(business.Options{
			HashPassword: func(s string) (string, error) { return s, nil },
		})})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(eng.Close)
		if err := eng.Sudo(ctx, business.Seed); err != nil {
			t.Fatal(err)
		}
		o := &office{T: t, Backend: eng, db: db}
		o.red = o.create("res.partner.category", backend.Values{"name": "Red"})
		o.blue = o.create("res.partner.category", backend.Values{"name": "Blue"})
		o.acme = o.create("res.partner", backend.Values{"name": "Acme", "is_company": true})
		o.ann = o.create("res.partner", backend.Values{"name": "Ann", "parent_id": o.acme, "category_id": []any{o.red, o.blue}})
		o.bob = o.create("res.partner", backend.Values{"name": "Bob", "parent_id": o.acme, "category_id": []any{o.blue}})
		o.clerk = o.create("res.users", backend.Values{"login": "clerk", "name": "Clerk"})
		fn(o)
	})
}

func (o *office) create(model string, values backend.Values) int64 {
	o.Helper()
	made, err := o.Create(context.Background(), &backend.Caller{UserID: 1, Superuser: true}, model, []backend.Values{values})
	if err != nil {
		o.Fatalf("create %s: %v", model, err)
	}
	return made.IDs[0]
}

func (o *office) sql(text string) {
	o.Helper()
	err := o.db.Write(context.Background(), func(tx sqldb.Tx) error {
		_, err := tx.Exec(context.Background(), text)
		return err
	})
	if err != nil {
		o.Fatal(err)
	}
}

// call asks with arguments in JSON, in which names such as $ann stand for ids.
func (o *office) call(uid int64, model, method, args string) (string, error) {
	o.Helper()
	var kwargs map[string]any
	if err := json.Unmarshal([]byte(o.ids(args)), &kwargs); err != nil {
		o.Fatalf("%s: %v", args, err)
	}
	result, err := odoocall.Call(context.Background(), o, &backend.Caller{UserID: uid, LooseLinks: true}, model, method, kwargs)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(result)
	if err != nil {
		o.Fatal(err)
	}
	return string(text), nil
}

func (o *office) ids(text string) string {
	for name, id := range map[string]int64{"acme": o.acme, "ann": o.ann, "bob": o.bob, "red": o.red, "blue": o.blue, "clerk": o.clerk} {
		digits, _ := json.Marshal(id)
		text = strings.ReplaceAll(text, "$"+name, string(digits))
	}
	return text
}

func (o *office) same(model, method, args, want string) {
	o.Helper()
	got, err := o.call(2, model, method, args)
	if err != nil {
		o.Errorf("%s.%s %s: %v", model, method, args, err)
		return
	}
	if want = o.ids(want); got != want {
		o.Errorf("%s.%s %s:\n got %s\nwant %s", model, method, args, got, want)
	}
}

func (o *office) refused(model, method, args string, kind fault.Kind) {
	o.Helper()
	if got, err := o.call(2, model, method, args); !fault.Is(err, kind) {
		o.Errorf("%s.%s %s: %s, error %v, want %s", model, method, args, got, err, kind)
	}
}

func TestWebRead(t *testing.T) {
	inOffices(t, func(o *office) {
		for _, tt := range []struct{ args, want string }{
			{`{"ids": [$ann, 987654], "specification": {}}`, `[{"id":$ann},{"id":987654}]`},
			{`{"ids": [$ann, 987654, $acme, $ann], "specification": {"name": {}}}`, `[{"id":$ann,"name":"Ann"},{"id":$acme,"name":"Acme"},{"id":$ann,"name":"Ann"}]`},
			{`{"ids": [$ann, $acme], "specification": {"parent_id": {}}}`, `[{"id":$ann,"parent_id":$acme},{"id":$acme,"parent_id":false}]`},
			{`{"ids": [$ann, $acme], "specification": {"parent_id": {"fields": {}}}}`, `[{"id":$ann,"parent_id":{"id":$acme}},{"id":$acme,"parent_id":false}]`},
			{
				`{"ids": [$ann], "specification": {"parent_id": {"fields": {"display_name": {}, "is_company": {}}}}}`,
				`[{"id":$ann,"parent_id":{"display_name":"Acme","id":$acme,"is_company":true}}]`,
			},
			{`{"ids": [$acme], "specification": {"child_ids": {}}}`, `[{"child_ids":[$ann,$bob],"id":$acme}]`},
			{`{"ids": [$acme], "specification": {"child_ids": {"order": "name desc"}}}`, `[{"child_ids":[$bob,$ann],"id":$acme}]`},
			{
				`{"ids": [$acme], "specification": {"child_ids": {"fields": {"name": {}}, "limit": 1, "order": "name desc"}}}`,
				`[{"child_ids":[{"id":$bob,"name":"Bob"},{"id":$ann}],"id":$acme}]`,
			},
			{
				`{"ids": [$acme], "specification": {"child_ids": {"fields": {"name": {}}, "limit": -1}}}`,
				`[{"child_ids":[{"id":$ann,"name":"Ann"},{"id":$bob}],"id":$acme}]`,
			},
			{
				`{"ids": [$acme], "specification": {"child_ids": {"fields": {"category_id": {"fields": {"name": {}}}}}}}`,
				`[{"child_ids":[{"category_id":[{"id":$blue,"name":"Blue"},{"id":$red,"name":"Red"}],"id":$ann},` +
					`{"category_id":[{"id":$blue,"name":"Blue"}],"id":$bob}],"id":$acme}]`,
			},
			// A line beyond one record's limit is shown where another record's limit has it.
			{
				`{"ids": [$ann, $bob], "specification": {"category_id": {"fields": {"name": {}}, "limit": 1, "order": "name desc"}}}`,
				`[{"category_id":[{"id":$red,"name":"Red"},{"id":$blue,"name":"Blue"}],"id":$ann},{"category_id":[{"id":$blue,"name":"Blue"}],"id":$bob}]`,
			},
		} {
			o.same("res.partner", "web_read", tt.args, tt.want)
		}
		o.refused("res.partner", "web_read", `{"ids": [$ann], "specification": {"nosuch": {}}}`, fault.BadRequest)
		o.refused("res.partner", "web_read", `{"ids": [$ann], "specification": {"parent_id": false}}`, fault.BadRequest)
		o.refused("res.partner", "web_read", `{"ids": [$ann], "specification": {"parent_id": {"fields": null}}}`, fault.BadRequest)
		o.refused("res.partner", "web_read", `{"ids": [$acme], "specification": {"child_ids": {"order": "nosuch"}}}`, fault.BadRequest)
		o.refused("res.partner", "web_read", `{"ids": [$acme], "specification": {"child_ids": {"fields": {}, "limit": "x"}}}`, fault.BadRequest)
		o.refused("res.partner", "web_read", `{"ids": [$ann]}`, fault.Unprocessable)
	})
}

func TestWebReadContext(t *testing.T) {
	inOffices(t, func(o *office) {
		o.sql("update res_lang set active = true where code = 'fr_FR'")
		french := &backend.Caller{UserID: 1, Superuser: true, Context: backend.Context{Lang: "fr_FR"}}
		o.create("ir.model", backend.Values{"model": "x_any", "name": "Any"}) // the registry is read anew
		if err := o.Write(context.Background(), french, "res.partner.category", []int64{o.red}, backend.Values{"name": "Rouge"}); err != nil {
			o.Fatal(err)
		}
		o.same("res.partner", "web_read", `{"ids": [$ann], "specification": {"category_id": {"fields": {"name": {}}, "context": {"lang": "fr_FR"}, "limit": 9}}}`,
			`[{"category_id":[{"id":$blue,"name":"Blue"},{"id":$red,"name":"Rouge"}],"id":$ann}]`)
		o.sql(o.ids("update res_partner_category set active = false where id = $blue"))
		o.same("res.partner", "web_search_read", `{"domain": [["id", "=", $ann]], "specification": {"category_id": {}}, "context": {"active_test": false}}`,
			`{"length":1,"records":[{"category_id":[$blue,$red],"id":$ann}]}`)
		o.same("res.partner", "web_search_read", `{"domain": [["id", "=", $ann]], "specification": {"category_id": {}}}`,
			`{"length":1,"records":[{"category_id":[$red],"id":$ann}]}`)
	})
}

func TestWebReadRights(t *testing.T) {
	inOffices(t, func(o *office) {
		partners := o.create("ir.rule", backend.Values{
			"name": "not Acme", "model_id": o.model("res.partner"), "domain_force": o.ids(`[('id', '!=', $acme)]`), "perm_read": true,
		})
		_ = partners
		// The name of a hidden record is shown, what else it holds is not.
		o.same("res.partner", "web_read", `{"ids": [$ann], "specification": {"parent_id": {"fields": {"display_name": {}}}}}`,
			`[{"id":$ann,"parent_id":{"display_name":"Acme","id":$acme}}]`)
		o.refused("res.partner", "web_read", `{"ids": [$ann], "specification": {"parent_id": {"fields": {"name": {}}}}}`, fault.Forbidden)
		o.refused("res.partner", "web_read", `{"ids": [$ann, $acme], "specification": {"name": {}}}`, fault.Forbidden)
	})
}

func (o *office) model(name string) int64 {
	o.Helper()
	m, err := o.Model(context.Background(), &backend.Caller{UserID: 1, Superuser: true}, name)
	if err != nil {
		o.Fatal(err)
	}
	return m.ID
}

func TestWebSearchRead(t *testing.T) {
	inOffices(t, func(o *office) {
		all := `"domain": [["id", "in", [$acme, $ann, $bob]]], "order": "id"`
		for _, tt := range []struct{ args, want string }{
			{`"specification": {"name": {}}`, `{"length":3,"records":[{"id":$acme,"name":"Acme"},{"id":$ann,"name":"Ann"},{"id":$bob,"name":"Bob"}]}`},
			{`"specification": {}, "limit": 2`, `{"length":3,"records":[{"id":$acme},{"id":$ann}]}`},
			{`"specification": {}, "limit": 2, "offset": 2`, `{"length":3,"records":[{"id":$bob}]}`},
			{`"specification": {}, "offset": 1`, `{"length":3,"records":[{"id":$ann},{"id":$bob}]}`},
			{`"specification": {}, "offset": 9`, `{"length":0,"records":[]}`},
			{`"specification": {}, "limit": 1, "count_limit": 2`, `{"length":2,"records":[{"id":$acme}]}`},
			{`"specification": {}, "limit": 2, "count_limit": 1`, `{"length":2,"records":[{"id":$acme},{"id":$ann}]}`},
			{
				`"specification": {}, "limit": 9, "count_limit": 1, "context": {"force_search_count": true}`,
				`{"length":1,"records":[{"id":$acme},{"id":$ann},{"id":$bob}]}`,
			},
			{
				`"specification": {"parent_id": {"fields": {"display_name": {}}}}, "limit": 1, "offset": 1`,
				`{"length":3,"records":[{"id":$ann,"parent_id":{"display_name":"Acme","id":$acme}}]}`,
			},
		} {
			o.same("res.partner", "web_search_read", "{"+all+", "+tt.args+"}", tt.want)
		}
		o.refused("res.partner", "web_search_read", `{"domain": [], "specification": []}`, fault.BadRequest)
		o.refused("res.partner", "web_search_read", `{"domain": []}`, fault.Unprocessable)
	})
}

// However many records there are, a level costs one search, and names another.
func TestWebReadSearches(t *testing.T) {
	inOffices(t, func(o *office) {
		for range 9 {
			o.create("res.partner", backend.Values{"name": "More", "parent_id": o.acme, "category_id": []any{o.red}})
		}
		o.searches = 0
		_, err := o.call(2, "res.partner", "web_search_read", `{"domain": [], "specification": {
			"parent_id": {"fields": {"name": {}, "display_name": {}}},
			"child_ids": {"fields": {"name": {}, "category_id": {"fields": {"name": {}}}}}}}`)
		if err != nil || o.searches != 5 {
			o.Errorf("%d searches, error %v", o.searches, err)
		}
	})
}
