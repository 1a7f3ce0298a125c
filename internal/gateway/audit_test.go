package gateway_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/audit"
	"gatehouse/internal/backend"
	"gatehouse/internal/business"
	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/gateway"
	"gatehouse/internal/record"
	"gatehouse/internal/setting"
	"gatehouse/internal/sqldb"
)

// auditor looks at what an administrator's changes leave in the trail.
type auditor struct {
	*testing.T
	eng   *record.Engine
	admin *backend.Caller
	seen  int64 // id of the last entry that was looked at
}

func onTrail(t *testing.T, fn func(a *auditor)) {
	t.Helper()
	onBoth(t, func(t *testing.T, eng *record.Engine, admin *backend.Caller) {
		admin.Origin = audit.Origin{
			Via: audit.API, UserID: 2, Login: "admin", Credential: "api_key", CredentialID: 7,
			IP: netip.MustParseAddr("192.0.2.7"), RequestID: "r-1",
		}
		fn(&auditor{T: t, eng: eng, admin: admin})
	})
}

// left wants these entries since the last look, each as "model action name before after".
func (a *auditor) left(want ...string) {
	a.Helper()
	page := &backend.Page{}
	_, err := a.eng.Search(context.Background(), a.admin, &backend.Query{Model: audit.Model, Order: "id", Fields: []string{
		"id", "model", "action", "name", "before", "after",
	}}, page)
	if err != nil {
		a.Fatal(err)
	}
	var got []string
	for i := range page.Rows {
		id := page.Get(i, "id").Int
		if id <= a.seen {
			continue
		}
		a.seen = id
		parts := []string{}
		for _, name := range []string{"model", "action", "name", "before", "after"} {
			text := page.Get(i, name).Text
			var object map[string]any
			if json.Unmarshal([]byte(text), &object) == nil { // stores write JSON with spaces or without
				b, _ := json.Marshal(object)
				text = string(b)
			}
			if text == "" {
				text = "-"
			}
			parts = append(parts, text)
		}
		got = append(got, strings.Join(parts, " "))
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		a.Errorf("the trail has\n%s\nwant\n%s", g, w)
	}
}

func (a *auditor) create(model string, values backend.Values) int64 {
	a.Helper()
	made, err := a.eng.Create(context.Background(), a.admin, model, []backend.Values{values})
	if err != nil {
		a.Fatalf("create %s: %v", model, err)
	}
	return made.IDs[0]
}

func (a *auditor) write(model string, id int64, values backend.Values) {
	a.Helper()
	if err := a.eng.Write(context.Background(), a.admin, model, []int64{id}, values); err != nil {
		a.Fatalf("write %s: %v", model, err)
	}
}

func (a *auditor) unlink(model string, id int64) {
	a.Helper()
	if err := a.eng.Unlink(context.Background(), a.admin, model, []int64{id}); err != nil {
		a.Fatalf("unlink %s: %v", model, err)
	}
}

func (a *auditor) call(model, method string, id int64, args backend.Values) {
	a.Helper()
	var ids []int64
	if id != 0 {
		ids = []int64{id}
	}
	if _, err := a.eng.Call(context.Background(), a.admin, model, method, ids, args); err != nil {
		a.Fatalf("%s: %v", method, err)
	}
}

// TestTrailOfPolicy: one entry for each record that changes, with what
// changed; secrets are stars; first records and ordinary data leave none.
func TestTrailOfPolicy(t *testing.T) {
	onTrail(t, func(a *auditor) {
		a.left() // seeding is nobody's decision
		a.create("res.partner", backend.Values{"name": "Somebody"})
		a.left()

		key := a.create("gateway.key", backend.Values{"name": "ci", "user_id": int64(2), "scopes": "read"})
		page := &backend.Page{}
		if _, err := a.eng.Search(context.Background(), a.admin, &backend.Query{Model: "gateway.key", Fields: []string{"prefix"}}, page); err != nil {
			t.Fatal(err)
		}
		prefix := page.Get(0, "prefix").Text
		a.left(`gateway.key create ci - {"active":true,"key_hash":"***","name":"ci","prefix":"` + prefix + `","scopes":"read","user_id":2}`)
		a.write("gateway.key", key, backend.Values{"name": "ci", "scopes": "read,write"})
		a.left(`gateway.key write ci {"scopes":"read"} {"scopes":"read,write"}`)
		a.write("gateway.key", key, backend.Values{"name": "ci"})
		a.left()

		profile := a.create("gateway.profile", backend.Values{"name": "p", "user_id": int64(2), "limit_minute": int64(5)})
		a.left(`gateway.profile create p - {"active":true,"limit_minute":5,"name":"p","user_id":2}`)
		a.unlink("gateway.profile", profile)
		a.left(`gateway.profile unlink p {"active":true,"limit_minute":5,"name":"p","user_id":2} -`)

		a.call("ir.config_parameter", "set_param", 0, backend.Values{"key": "web.base.url", "value": "http://a"})
		a.left(`ir.config_parameter create web.base.url - {"key":"web.base.url","value":"http://a"}`)
		a.call("ir.config_parameter", "set_param", 0, backend.Values{"key": "web.base.url", "value": "http://b"})
		a.left(`ir.config_parameter set_param web.base.url {"value":"http://a"} {"value":"http://b"}`)
		a.create("ir.config_parameter", backend.Values{"key": "mail.api_token", "value": "xyz"})
		a.left(`ir.config_parameter create mail.api_token - {"key":"mail.api_token","value":"***"}`)
	})
}

// TestTrailOfUsers: who may log in and what he belongs to is policy, the rest
// of a person is not; what goes with a user is named too.
func TestTrailOfUsers(t *testing.T) {
	onTrail(t, func(a *auditor) {
		user := a.create("res.users", backend.Values{"name": "Ann", "login": "ann", "group_ids": []int64{1}})
		a.left(`res.users create Ann - {"active":true,"company_ids":[1],"group_ids":[1],"login":"ann"}`)
		a.write("res.users", user, backend.Values{"name": "Ann Lee"})
		a.left()
		a.write("res.groups", 4, backend.Values{"user_ids": []any{[]any{int64(4), user, int64(0)}}})
		entry := &backend.Page{}
		if _, err := a.eng.Search(context.Background(), a.admin, &backend.Query{
			Model: audit.Model, Limit: 1, Fields: []string{"model", "after", "user_id", "login", "ip", "request_id", "origin", "credential", "credential_id", "res_id"},
		}, entry); err != nil {
			t.Fatal(err)
		}
		if entry.Get(0, "model").Text != "res.groups" || !strings.Contains(entry.Get(0, "after").Text, "user_ids") {
			t.Errorf("membership: %+v", entry.Rows)
		}
		for field, want := range map[string]string{"login": "admin", "ip": "192.0.2.7", "request_id": "r-1", "origin": "api", "credential": "api_key"} {
			if got := entry.Get(0, field).Text; got != want {
				t.Errorf("%s is %q, want %q", field, got, want)
			}
		}
		if entry.Get(0, "credential_id").Int != 7 || entry.Get(0, "res_id").Int != 4 || entry.Get(0, "user_id").Int != 2 {
			t.Errorf("ids: %+v", entry.Rows)
		}
		a.create("gateway.key", backend.Values{"name": "hers", "user_id": user, "scopes": "read"})
		a.seen = 1 << 40
		before := a.count()
		a.unlink("res.users", user)
		if got := a.count() - before; got != 2 {
			t.Errorf("a user with a key leaves %d entries, want 2", got)
		}
	})
}

func (a *auditor) count() int64 {
	a.Helper()
	n, err := a.eng.Search(context.Background(), a.admin, &backend.Query{Model: audit.Model, Fields: []string{"id"}, Count: true}, &backend.Page{})
	if err != nil {
		a.Fatal(err)
	}
	return n
}

// TestTrailIsOfTheTransaction: what is undone leaves no trace.
func TestTrailIsOfTheTransaction(t *testing.T) {
	onTrail(t, func(a *auditor) {
		_, err := a.eng.Create(context.Background(), a.admin, "gateway.key", []backend.Values{
			{"name": "good", "user_id": int64(2), "scopes": "read"}, {"name": "bad", "user_id": int64(2), "scopes": "shout"},
		})
		want(t, err, fault.BadRequest, "Unknown scope")
		a.left()
		system := *a.admin
		system.Origin = audit.Origin{}
		if _, err := a.eng.Create(context.Background(), &system, "gateway.key", []backend.Values{{"name": "own", "user_id": int64(2), "scopes": "read"}}); err != nil {
			t.Fatal(err)
		}
		a.left() // the program's own work
	})
}

// TestTrailStays: nobody writes the trail; only time deletes it.
func TestTrailStays(t *testing.T) {
	onTrail(t, func(a *auditor) {
		ctx := context.Background()
		a.create("gateway.profile", backend.Values{"name": "p", "user_id": int64(2)})
		_, err := a.eng.Create(ctx, a.admin, audit.Model, []backend.Values{{"model": "x"}})
		want(t, err, fault.Forbidden, "made by Gatehouse itself")
		want(t, a.eng.Write(ctx, a.admin, audit.Model, []int64{1}, backend.Values{"login": "mallory"}), fault.Forbidden, "cannot be changed")
		want(t, a.eng.Unlink(ctx, a.admin, audit.Model, []int64{1}), fault.Forbidden, "cannot be changed")
		_, err = a.eng.Call(ctx, a.admin, audit.Model, "copy", []int64{1}, nil)
		want(t, err, fault.NotFound, "no public method")
		clerk := *a.admin
		clerk.Admin = false
		_, err = a.eng.Search(ctx, &clerk, &backend.Query{Model: audit.Model}, &backend.Page{})
		want(t, err, fault.NotFound, "Unknown model")

		now := time.Now().UTC()
		for days, gone := range map[int]int64{0: 0, 30: 0} {
			if n, err := gateway.VacuumAudit(ctx, a.eng.DB(), days, now); err != nil || n != gone {
				t.Errorf("%d days: %d gone, %v", days, n, err)
			}
		}
		if n, err := gateway.VacuumAudit(ctx, a.eng.DB(), 30, now.AddDate(0, 0, 31)); err != nil || n != 1 {
			t.Errorf("after 31 days %d gone, %v", n, err)
		}
		a.left()
	})
}

// TestTrailOfSettings: settings are policy on every node, and the other node
// hears of them within a second.
func TestTrailOfSettings(t *testing.T) {
	onTrail(t, func(a *auditor) {
		ctx := context.Background()
		here, err := setting.Open(ctx, a.eng.DB())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(here.Close)
		if err := here.SetBy(ctx, a.admin.Origin, map[string]any{"global_rate_limit": "7", "rate_window": "minute"}); err != nil {
			t.Fatal(err)
		}
		a.left(`settings write Settings {"global_rate_limit":60} {"global_rate_limit":7}`)
		want(t, here.SetBy(ctx, a.admin.Origin, map[string]any{"global_rate_limit": 9, "max_get_limit": 0}), fault.BadRequest, "max_get_limit")
		a.left()
		if here.Current().GlobalRateLimit != 7 {
			t.Error("half of a refused change was kept")
		}
	})
}

// BenchmarkCreate: ordinary data pays nothing for the trail; policy does.
func BenchmarkCreate(b *testing.B) {
	ctx := context.Background()
	db, err := sqldb.OpenSQLite(ctx, filepath.Join(b.TempDir(), "b.db"), sqldb.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	eng, err := record.Open(ctx, db, record.Options{
		Models: slices.Concat(business.Models(), audit.Models()), Logics: business.Logics(business.Options{}),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(eng.Close)
	if err := eng.Sudo(ctx, business.Seed); err != nil {
		b.Fatal(err)
	}
	for _, model := range []string{"res.partner.category", "ir.config_parameter"} {
		for _, via := range []audit.Via{"", audit.API} {
			caller := &backend.Caller{UserID: 2, Admin: true, Origin: audit.Origin{Via: via, UserID: 2, Login: "admin"}}
			b.Run(model+" "+string(via), func(b *testing.B) {
				for b.Loop() {
					name := clock.RandomHex(8)
					values := backend.Values{"name": name}
					if model == "ir.config_parameter" {
						values = backend.Values{"key": name, "value": "v"}
					}
					if _, err := eng.Create(ctx, caller, model, []backend.Values{values}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
