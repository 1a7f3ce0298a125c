package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/config"
	"gatehouse/internal/sqldb"
)

// hooked is what a webhook's receiver hears.
type hooked struct {
	*httptest.Server
	heard chan string
}

func newHooked(t *testing.T) *hooked {
	h := &hooked{heard: make(chan string, 100)}
	h.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.heard <- string(body)
	}))
	t.Cleanup(h.Close)
	return h
}

// polled is a Gatehouse in front of an Odoo, of whose records there are webhooks.
type polled struct {
	*house
	odoo *fakeOdoo
	far  *hooked
}

// onPolled runs fn on a gate with each store. Its caller is the local admin.
func onPolled(t *testing.T, fn func(p *polled)) {
	o, far := standIn(t), newHooked(t)
	onBothStoresWith(t, func(cfg *config.Config) {
		cfg.Odoo.URL, cfg.Odoo.Login, cfg.Odoo.Key, cfg.Odoo.Poll = config.PublicURL(o.url), "admin", config.Secret(o.key), time.Second
		cfg.Webhook.AllowNetworks = config.Networks{netip.MustParsePrefix("127.0.0.0/8")}
	}, func(h *house) {
		fn(&polled{h, o, far})
	})
}

// hook makes a webhook and gives its path.
func (p *polled) hook(model, more string) string {
	p.Helper()
	body := fmt.Sprintf(`{"name":"test","model":%q,"url":%q%s}`, model, p.far.URL, more)
	return p.send("POST", "/api/v1/gateway.webhook", body).want(201).header.Get("Location")
}

// poll looks for changes once, on the first node; what changed in the second of
// a change is looked at once more without waiting.
func (p *polled) poll() {
	p.Helper()
	p.sql(p.app.DB, `update gateway_odoo_known set recheck = 1 where recheck is not null`)
	if _, err := p.app.Poller.Run(p.Context()); err != nil {
		p.Fatal(err)
	}
}

func (p *polled) sql(db sqldb.DB, sql string, args ...any) {
	p.Helper()
	err := db.Write(p.Context(), func(tx sqldb.Tx) error {
		_, err := tx.Exec(p.Context(), sql, args...)
		return err
	})
	if err != nil {
		p.Fatal(err)
	}
}

// told are the payloads that a store has for delivery, taken away from there.
func (p *polled) told(db sqldb.DB) (list []map[string]any) {
	p.Helper()
	err := db.Write(p.Context(), func(tx sqldb.Tx) error {
		list = nil
		err := tx.Query(p.Context(), `select payload from gateway_webhook_job order by id`, nil, func(r sqldb.Row) error {
			var one map[string]any
			err := json.Unmarshal(r.Bytes(0), &one)
			list = append(list, one)
			return err
		})
		if err == nil {
			_, err = tx.Exec(p.Context(), `delete from gateway_webhook_job`)
		}
		return err
	})
	if err != nil {
		p.Fatal(err)
	}
	return list
}

// wants compares actions and ids of what is told, in the order of these.
func (p *polled) wants(what ...string) (list []map[string]any) {
	p.Helper()
	list = p.told(p.app.DB)
	text := func(one map[string]any) string {
		return fmt.Sprint(one["action"], " ", one["record"].(map[string]any)["id"])
	}
	slices.SortStableFunc(list, func(a, b map[string]any) int { return strings.Compare(text(a), text(b)) })
	var got []string
	for _, one := range list {
		got = append(got, text(one))
	}
	if !slices.Equal(got, what) {
		p.Fatalf("told %q, want %q", got, what)
	}
	return list
}

func idOf(path string) string { return path[strings.LastIndex(path, "/")+1:] }

// TestPolling: what others change in the Odoo is told, as Gatehouse tells of its
// own records.
func TestPolling(t *testing.T) {
	onPolled(t, func(p *polled) {
		hook := p.hook("res.partner", "")
		// The same on the other side, where the engine itself tells.
		there := p.odoo.send("POST", "/api/v1/gateway.webhook", `{"name":"there","model":"res.partner","url":"https://example.com/"}`).want(201).header.Get("Location")
		defer p.odoo.send("DELETE", there, "")
		p.poll()
		p.wants()
		made := p.odoo.partner("Made by others")
		id := idOf(made)
		p.poll()
		got := p.wants("create " + id)
		same(t, "create", got[0], p.told(p.odoo.app.DB)[0])
		p.odoo.send("PATCH", made, `{"name":"Changed by others","active":false}`).want(200)
		p.poll()
		got = p.wants("write " + id)
		same(t, "write", got[0], p.told(p.odoo.app.DB)[0])
		p.odoo.send("DELETE", made, "").want(200)
		p.poll()
		got = p.wants("unlink " + id)
		same(t, "unlink", got[0], p.told(p.odoo.app.DB)[0])
		// A call through Gatehouse is one of others.
		own := p.send("POST", "/api/v1/res.partner", `{"name":"Through the gate"}`, "Authorization", "Bearer "+p.odoo.key).want(201)
		p.poll()
		p.wants("create " + idOf(own.header.Get("Location")))
		// Local users are not those of the Odoo.
		p.hook("res.users", "")
		p.poll()
		p.send("PATCH", "/api/v1/res.users/2", `{"name":"Local"}`).want(200)
		p.poll()
		p.wants()
		p.send("PATCH", hook, `{"active":false}`).want(200)
		p.told(p.odoo.app.DB)
	})
}

// same compares what both sides tell, but for the id of the event and its time.
func same(t *testing.T, what string, got, want map[string]any) {
	t.Helper()
	for _, one := range []map[string]any{got, want} {
		delete(one, "event_id")
		delete(one, "timestamp")
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n%v\nwant\n%v", what, got, want)
	}
}

// TestPollingMisses: neither a restart nor a transaction that ended late hides a
// change, and archived records count.
func TestPollingMisses(t *testing.T) {
	onPolled(t, func(p *polled) {
		old := p.odoo.partner("Old")
		archived := p.odoo.partner("Archived")
		p.odoo.send("PATCH", archived, `{"active":false}`).want(200)
		p.hook("res.partner", `,"watch_fields":["name"],"fields":["name"],"domain":"[('name','ilike','o')]"`)
		p.poll()
		p.poll()
		p.wants()
		// Written long ago, as it seems: the transaction took minutes.
		p.sql(p.odoo.app.DB, `update res_partner set name = 'Oldest', write_date = `+
			p.odoo.app.DB.Dialect().After("write_date", "-300")+` where id = `+idOf(old))
		// And what happens while no gate runs.
		p.odoo.send("PATCH", archived, `{"name":"No longer so called"}`).want(200)
		fresh := p.odoo.partner("Fresh one")
		again, err := Open(context.Background(), p.app.Config, slog.New(slog.DiscardHandler), "test")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = again.Close(context.Background()) }()
		p.app = again
		p.poll()
		got := p.wants("create "+idOf(fresh), "write "+idOf(old), "write "+idOf(archived))
		if text := fmt.Sprint(got[1]["changed"]); text != "map[name:map[new:Oldest old:Old]]" {
			t.Errorf("changed: %s", text)
		}
		p.odoo.send("DELETE", fresh, "").want(200)
		p.odoo.send("DELETE", old, "").want(200)
		p.odoo.partner("Unseen in Paris")
		p.poll()
		p.poll()
		p.wants("unlink "+idOf(old), "unlink "+idOf(fresh))
		p.odoo.send("DELETE", archived, "").want(200)
		p.poll()
		p.told(p.app.DB)
	})
}

// TestPollingNodes: however many nodes there are, the job finds each change
// once, soon, and the receiver hears of it.
func TestPollingNodes(t *testing.T) {
	onPolled(t, func(p *polled) {
		second, err := Open(context.Background(), p.app.Config, slog.New(slog.DiscardHandler), "test")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = second.Close(context.Background()) })
		for _, a := range []*App{p.app, second} {
			if err := a.Jobs.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = a.Jobs.Stop(context.Background()) })
		}
		p.app.Webhooks.Start(t.Context())
		p.hook("res.partner.category", `,"fields":["name"]`)
		p.until(`select 1 from gateway_odoo_watch where stocked`)
		heard := map[string]int{}
		for i := range 5 {
			name := fmt.Sprint("Tag ", i)
			p.odoo.send("POST", "/api/v1/res.partner.category", `{"name":"`+name+`"}`).want(201)
			select {
			case body := <-p.far.heard:
				heard[body[strings.Index(body, `"name"`):strings.Index(body, `},"event`)]]++
			case <-time.After(20 * time.Second):
				t.Fatal("nothing is heard")
			}
		}
		if len(heard) != 5 {
			t.Errorf("heard %v", heard)
		}
		select {
		case body := <-p.far.heard:
			t.Errorf("heard once more: %s", body)
		default:
		}
		metrics, _ := p.app.Traffic.Metrics(t.Context())
		if !strings.Contains(string(metrics), "gatehouse_odoo_poll_models ") {
			t.Error("the metrics do not tell of it")
		}
		if check := p.app.checkPolling(t.Context()); check.State != Fine || !strings.Contains(check.Detail, "1 model") {
			t.Errorf("the doctor says %+v", check)
		}
	})
}

// until waits until a query of the store finds something.
func (p *polled) until(query string) {
	p.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		found := false
		err := p.app.DB.Read(p.Context(), func(q sqldb.Querier) error {
			return q.Query(p.Context(), query, nil, func(sqldb.Row) error { found = true; return nil })
		})
		if err != nil {
			p.Fatal(err)
		}
		if found {
			return
		}
	}
	p.Fatalf("nothing came of %s", query)
}

// TestPolledWebhooks: webhooks on records of the Odoo are checked against it.
func TestPolledWebhooks(t *testing.T) {
	onPolled(t, func(p *polled) {
		if p.odoo.number("ir.model.fields", "[('name','=','x_file')]") == 0 {
			model := p.odoo.send("GET", "/api/v1/ir.model?domain=[('model','=','res.partner.category')]", "").want(200).list()[0].(map[string]any)["id"]
			p.odoo.send("POST", "/api/v1/ir.model.fields", fmt.Sprintf(`{"name":"x_file","field_description":"File","ttype":"binary","model_id":%v}`, model)).want(201)
		}
		for _, test := range []struct{ model, more, want string }{
			{"res.partnr", "", "model: Unknown model: res.partnr"},
			{"gateway.webhook_job", "", `model: There is no model "gateway.webhook_job" to watch`},
			{"res.partner", `,"fields":["nam"]`, "fields: The model res.partner has no field \"nam\". Did you mean name?"},
			{"res.users", `,"fields":["password"]`, "fields: The model res.users has no field \"password\""},
			{"res.partner.category", `,"watch_fields":["x_file"]`, "watch_fields: The field x_file is a file, of which an Odoo's changes cannot be compared"},
			{"res.partner", `,"domain":"[('nam','=','x')]"`, "domain: "},
			{"res.partner", `,"domain":"[('name'"`, "domain: The domain cannot be read"},
		} {
			said := p.send("POST", "/api/v1/gateway.webhook", fmt.Sprintf(`{"name":"test","model":%q,"url":%q%s}`, test.model, p.far.URL, test.more))
			field, why, _ := strings.Cut(test.want, ": ")
			details, _ := said.want(400).answer()["error"].(map[string]any)["details"].(map[string]any)
			if text, _ := details[field].(string); text == "" || !strings.HasPrefix(text, why) {
				t.Errorf("%+v: %s", test, said.text)
			}
		}
		own := p.hook("gateway.key", `,"fields":["name"]`)
		p.send("PATCH", own, `{"fields":["name","user_id"]}`).want(200)
		hook := p.hook("res.partner", `,"fields":["name"]`)
		p.send("PATCH", hook, `{"fields":["nam"]}`).want(400)
		p.send("PATCH", hook, `{"domain":"[('name','=','x')]"}`).want(200)
		p.send("PATCH", hook, `{"poll_problem":"x"}`).want(400)
		// Without a technical user nobody looks.
		cfg := *p.app.Config
		cfg.Odoo.Login, cfg.Odoo.Key = "", ""
		blind, err := Open(context.Background(), &cfg, slog.New(slog.DiscardHandler), "test")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = blind.Close(context.Background()) }()
		handler, err := blind.Handler()
		if err != nil {
			t.Fatal(err)
		}
		p.nodes = []http.Handler{handler}
		said := p.send("POST", "/api/v1/gateway.webhook", fmt.Sprintf(`{"name":"test","model":"res.partner","url":%q}`, p.far.URL)).want(400)
		if !strings.Contains(said.text, "set odoo-login and odoo-key") {
			t.Errorf("without a technical user: %s", said.text)
		}
		p.send("PATCH", hook, `{"active":false}`).want(200)
		p.send("PATCH", hook, `{"active":true}`).want(400)
		if _, err := blind.Poller.Run(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
