package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"testing"

	"gatehouse/internal/config"
	"gatehouse/internal/sqldb"
)

// onEverySource runs fn on a house of each store, and on one that stands in
// front of an Odoo: another Gatehouse, which speaks as one. There the caller is
// that one's administrator, by a key of his own.
func onEverySource(t *testing.T, fn func(h *house)) {
	t.Helper()
	onBothStores(t, fn)
	t.Run("odoo", func(t *testing.T) { fn(inFrontOf(t, standIn(t))) })
}

// onSources is onEverySource for gates. There the administrator calls as that of
// the Odoo, and a key as the person whose it is there.
func onSources(t *testing.T, fn func(t *testing.T, g *gate)) {
	t.Helper()
	onStores(t, fn)
	t.Run("odoo", func(t *testing.T) {
		o := openGate(t, "sqlite", nil)
		bare, err := o.app.Handler() // nobody describes what Odoo's protocols answer
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(bare)
		t.Cleanup(server.Close)
		key := o.ownKey(o.admin)
		g := openGate(t, "sqlite", func(cfg *config.Config) {
			cfg.Odoo.URL, cfg.Odoo.Login, cfg.Odoo.Key = config.PublicURL(server.URL), "admin", config.Secret(key)
		})
		if err := g.app.AttachOdoo(t.Context(), "admin", OdooKey{"admin", key}); err != nil {
			t.Fatal(err)
		}
		g.odoo, g.people = o, map[int64]OdooKey{2: {"admin", key}}
		fn(t, g)
	})
}

// ownKey makes a key of the user of a token.
func (g *gate) ownKey(token string) string {
	g.t.Helper()
	made := g.send("POST", "/api/v1/res.users.apikeys", `{"name":"test","duration":1}`, "Authorization", "Bearer "+token).want(201)
	return made.at("data", "key").(string)
}

// join notes a person of the Odoo with a key of his.
func (g *gate) join(id int64, login string) {
	g.t.Helper()
	o := g.odoo
	o.send("PUT", fmt.Sprintf("/api/v1/res.users/%d", id), `{"password":"a long secret"}`, o.all()...).want(200)
	token := o.send("POST", "/api/v1/auth/login", fmt.Sprintf(`{"login":%q,"password":"a long secret"}`, login)).want(200).at("data", "access_token")
	g.people[id] = OdooKey{login, o.ownKey(token.(string))}
}

// fakeOdoo is a Gatehouse that plays the Odoo.
type fakeOdoo struct {
	*house
	url string
	key string // of its administrator
}

func standIn(t *testing.T) *fakeOdoo {
	t.Helper()
	cfg := config.Default()
	cfg.Store.DataDir, cfg.Store.AdminPassword, cfg.Store.Demo = t.TempDir(), "odoo secret", true
	h := openHouse(t, cfg)
	server := httptest.NewServer(h.nodes[0])
	t.Cleanup(server.Close)
	h.login("admin", "odoo secret")
	return &fakeOdoo{house: h, url: server.URL, key: h.userKey()}
}

// inFrontOf is a Gatehouse in front of an Odoo.
func inFrontOf(t *testing.T, o *fakeOdoo) *house {
	t.Helper()
	cfg := config.Default()
	cfg.Store.DataDir, cfg.Store.AdminPassword = t.TempDir(), "secret"
	cfg.Odoo.DB = "gatehouse"
	cfg.Odoo.URL, cfg.Odoo.Login, cfg.Odoo.Key = config.PublicURL(o.url), "admin", config.Secret(o.key)
	h := openHouse(t, cfg)
	h.bearer = "Bearer " + o.key
	return h
}

// openHouse opens a Gatehouse without limits.
func openHouse(t *testing.T, cfg *config.Config) *house {
	t.Helper()
	a, err := Open(context.Background(), cfg, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(context.Background()) })
	handler, err := a.Handler()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Settings.Set(t.Context(), map[string]any{"global_rate_limit": 0}); err != nil {
		t.Fatal(err)
	}
	h := &house{T: t, app: a}
	h.nodes = append(h.nodes, handler)
	return h
}

// login makes the following requests those of a user.
func (h *house) login(login, password string) {
	h.Helper()
	h.bearer = ""
	said := h.send("POST", "/api/v1/auth/login", `{"login":"`+login+`","password":"`+password+`"}`).want(200)
	h.bearer = "Bearer " + said.data()["access_token"].(string)
}

// userKey makes a key of the user.
func (h *house) userKey() string {
	h.Helper()
	key, _ := h.send("POST", "/api/v1/res.users.apikeys", `{"name":"test","duration":1}`).want(201).data()["key"].(string)
	return key
}

// claimOf makes an answer what it is after a crash in the middle of the work.
func claimOf(t *testing.T, h *house, key string) func(tx sqldb.Tx) error {
	t.Helper()
	return func(tx sqldb.Tx) error {
		_, err := tx.Exec(h.Context(), "update gateway_idempotency set status = 0 where key = $1", key)
		return err
	}
}
