package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/config"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi"
	"gatehouse/internal/identity"
	"gatehouse/internal/odoorpc"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// front is a Gatehouse in front of an Odoo, which is another Gatehouse.
type front struct {
	*testing.T
	cfg    *config.Config
	gate   *App
	h      http.Handler
	log    *bytes.Buffer
	odoo   *App
	server *httptest.Server
	keys   map[string]string // of the Odoo's users, by login
	uids   map[string]int64
}

// inFront runs a test on both stores of the Gatehouse in front.
func inFront(t *testing.T, fn func(f *front)) {
	for _, store := range sqltest.Dialects() {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			f := &front{T: t, cfg: config.Default(), log: &bytes.Buffer{}, keys: map[string]string{}, uids: map[string]int64{}}
			f.cfg.Store.DataDir, f.cfg.Store.AdminPassword = t.TempDir(), "gate-secret"
			if store == "postgres" {
				_, where := sqltest.Postgres(t)
				f.cfg.Store.DatabaseURL = config.DatabaseURL(where)
			}
			f.odoo, _ = start(t)
			f.unlimited(f.odoo)
			h, err := f.odoo.Handler()
			if err != nil {
				t.Fatal(err)
			}
			f.server = httptest.NewServer(h)
			t.Cleanup(f.server.Close)
			f.cfg.Odoo.URL, f.cfg.Odoo.DB = config.PublicURL(f.server.URL), "gatehouse"
			f.odooUser("admin", "secret")
			f.odooUser("ben", "ben-secret")
			f.open()
			fn(f)
		})
	}
}

func (f *front) unlimited(a *App) {
	f.Helper()
	if err := a.Settings.Set(f.Context(), map[string]any{"global_rate_limit": 0}); err != nil {
		f.Fatal(err)
	}
}

// open starts the Gatehouse in front.
func (f *front) open() {
	f.Helper()
	f.gate = f.node(f.cfg)
	f.unlimited(f.gate)
	var err error
	if f.h, err = f.gate.Handler(); err != nil {
		f.Fatal(err)
	}
}

func (f *front) node(cfg *config.Config) *App {
	f.Helper()
	var mu sync.Mutex
	log := slog.New(slog.NewTextHandler(locked{&mu, f.log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	a, err := Open(f.Context(), cfg, log, "test")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := a.Close(context.Background()); err != nil {
			f.Error(err)
		}
	})
	return a
}

type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// odooUser makes a user of the Odoo, if need be, and an API key of his.
func (f *front) odooUser(login, password string) {
	f.Helper()
	var err error
	if f.uids[login], err = f.odoo.UserID(f.Context(), login); err != nil {
		f.uids[login], err = f.odoo.CreateUser(f.Context(), login, strings.ToUpper(login), password, nil)
	}
	if err != nil {
		f.Fatal(err)
	}
	made, err := f.odoo.Engine.Create(f.Context(), &backend.Caller{UserID: f.uids[login]}, "res.users.apikeys",
		[]backend.Values{{"name": "k", "duration": "30"}})
	if err != nil {
		f.Fatal(err)
	}
	f.keys[login] = made.Once[0]["key"]
}

// call sends a request and gives status and answer.
func (f *front) call(method, path, body string, header ...string) (int, map[string]any) {
	f.Helper()
	r := httptest.NewRequestWithContext(f.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	f.h.ServeHTTP(w, r)
	var answer map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		f.Fatalf("%s %s: %d %q: %v", method, path, w.Code, w.Body, err)
	}
	return w.Code, answer
}

// want compares the status of an answer and gives its data.
func (f *front) want(status int, got int, answer map[string]any) map[string]any {
	f.Helper()
	if got != status {
		f.Fatalf("%d %v, want %d", got, answer, status)
	}
	data, _ := answer["data"].(map[string]any)
	return data
}

func (f *front) login(login, password string) map[string]any {
	f.Helper()
	status, answer := f.call("POST", "/api/v1/auth/login", fmt.Sprintf(`{"login":%q,"password":%q}`, login, password))
	return f.want(http.StatusOK, status, answer)
}

func bearerOf(pair map[string]any) string { return "Bearer " + pair["access_token"].(string) }

// identified is the caller of a request, as backends get him.
func (f *front) identified(header ...string) *backend.Caller {
	f.Helper()
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	who, err := f.gate.Identity.Identify(f.Context(), h, here)
	if err != nil {
		f.Fatal(err)
	}
	return callerOf(who)
}

// asked is who the Odoo says that calls of a caller are made as.
func (f *front) asked(c *backend.Caller) (int64, error) {
	f.Helper()
	account, err := f.gate.OdooUsers.For(f.Context(), c)
	if err != nil {
		return 0, err
	}
	text, err := f.gate.Odoo.Call(f.Context(), account, &odoorpc.Request{Model: "res.users", Method: "context_get"})
	if err != nil {
		return 0, err
	}
	var who struct{ UID int64 }
	return who.UID, json.Unmarshal(text, &who)
}

func (f *front) callsAs(login string, c *backend.Caller) {
	f.Helper()
	if uid, err := f.asked(c); err != nil || uid != f.uids[login] {
		f.Errorf("calls as user %d (%v), want %s", uid, err, login)
	}
}

func TestOdooLogin(t *testing.T) {
	t.Parallel()
	inFront(t, func(f *front) {
		pair := f.login("ben", "ben-secret")
		user := pair["user"].(map[string]any)
		if user["id"] != float64(f.uids["ben"]) || user["login"] != "ben" || user["name"] != "BEN" {
			f.Errorf("%v", user)
		}
		for _, path := range []string{"/api/v1/auth/me", "/api/v1/ping"} {
			status, answer := f.call("GET", path, "", "Authorization", bearerOf(pair))
			data := f.want(http.StatusOK, status, answer)
			if u, ok := data["user"].(map[string]any); ok {
				data = u
			}
			if data["id"] != float64(f.uids["ben"]) || data["login"] != "ben" || data["administrator"] == true {
				f.Errorf("%s: %v", path, data)
			}
		}
		f.callsAs("ben", f.identified("Authorization", bearerOf(pair)))

		status, answer := f.call("POST", "/api/v1/auth/refresh", fmt.Sprintf(`{"refresh_token":%q}`, pair["refresh_token"]))
		next := f.want(http.StatusOK, status, answer)
		f.callsAs("ben", f.identified("Authorization", bearerOf(next)))

		// The local administrator and the Odoo's have one login: the password tells.
		for password, id := range map[string]float64{"gate-secret": 2, "secret": float64(f.uids["admin"])} {
			pair := f.login("admin", password)
			who := f.identified("Authorization", bearerOf(pair))
			if pair["user"].(map[string]any)["id"] != id || pair["user"].(map[string]any)["login"] != "admin" || (who.UserID == 2) != (password == "gate-secret") {
				f.Errorf("%s: %v", password, pair["user"])
			}
			if password == "gate-secret" {
				if _, err := f.asked(who); !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), "gatehouse user odoo") {
					f.Errorf("a local user: %v", err)
				}
				continue
			}
			f.callsAs("admin", who)
			if who.Admin {
				f.Error("the Odoo's administrator is one here")
			}
		}
		status, answer = f.call("POST", "/api/v1/auth/login", `{"login":"ben","password":"guess"}`)
		f.want(http.StatusUnauthorized, status, answer)

		// Logging out ends what the password opened.
		status, answer = f.call("POST", "/api/v1/auth/logout", "", "Authorization", bearerOf(next))
		f.want(http.StatusOK, status, answer)
		if n := f.rows(`select count(*) from gateway_odoo_account where login = 'ben'`); n != 0 {
			f.Errorf("%d sessions after logout", n)
		}
		who := f.identified("Authorization", bearerOf(f.login("ben", "ben-secret")))
		f.callsAs("ben", who)
		if err := f.gate.OdooUsers.Ended(f.Context(), who.UserID); err != nil {
			f.Fatal(err)
		}
		if _, err := f.asked(who); !fault.Is(err, fault.Unauthenticated) || !strings.Contains(err.Error(), "log in again") {
			f.Errorf("an ended session: %v", err)
		}

		// Users that are made here keep out of the ids of the Odoo's.
		id, err := f.gate.CreateUser(f.Context(), "local", "", "local-secret", nil)
		if err != nil || id > 1000 {
			f.Errorf("a new local user has the id %d: %v", id, err)
		}
	})
}

// Odoo's own protocols, where passwords and keys come with the call.
func TestOdooPasswords(t *testing.T) {
	t.Parallel()
	inFront(t, func(f *front) {
		o := &odooSite{f.T, f.gate, f.h}
		authenticate := func(login, password string) any {
			return o.rpc("/jsonrpc", fmt.Sprintf(`{"service":"common","method":"authenticate","args":["any",%q,%q,{}]}`, login, password)).Result
		}
		for name, got := range map[string]any{
			"password": authenticate("ben", "ben-secret"), "key": authenticate("ben", f.keys["ben"]),
		} {
			if got != float64(f.uids["ben"]) {
				f.Errorf("authenticate with a %s: %v", name, got)
			}
		}
		for name, got := range map[string]any{
			"another's key": authenticate("admin", f.keys["ben"]), "no password": authenticate("ben", ""), "a wrong one": authenticate("ben", "x"),
		} {
			if got != false {
				f.Errorf("authenticate with %s: %v", name, got)
			}
		}
		identify := func(s identity.Secret) (*backend.Caller, error) {
			p, err := f.gate.Identity.IdentifyPassword(f.Context(), s, here)
			if err != nil {
				return nil, err
			}
			return callerOf(p), nil
		}
		for name, s := range map[string]identity.Secret{
			"password": {UserID: f.uids["ben"], Password: "ben-secret"}, "key": {UserID: f.uids["ben"], Password: f.keys["ben"]},
			"login and key": {Login: "ben", Password: f.keys["ben"]},
		} {
			for range 2 { // the second from memory
				c, err := identify(s)
				if err != nil {
					f.Errorf("%s: %v", name, err)
					continue
				}
				f.callsAs("ben", c)
			}
		}
		if _, err := identify(identity.Secret{UserID: 2, Password: f.keys["ben"]}); !fault.Is(err, fault.Unauthenticated) {
			f.Errorf("another's id: %v", err)
		}
		if c, err := identify(identity.Secret{UserID: 2, Password: "gate-secret"}); err != nil || c.UserID != 2 {
			f.Errorf("the local administrator: %v %v", c, err)
		}
		id, _, err := f.gate.Identity.StartWebSession(f.Context(), "ben", "ben-secret", identity.Meta{IP: here})
		if err != nil {
			f.Fatal(err)
		}
		who, err := f.gate.Identity.IdentifyWebSession(f.Context(), id)
		if err != nil {
			f.Fatal(err)
		}
		f.callsAs("ben", callerOf(who))
		if _, _, err := f.gate.Identity.StartWebSession(f.Context(), "ben", f.keys["ben"], identity.Meta{IP: here}); !fault.Is(err, fault.Forbidden) {
			f.Errorf("a key began a web session: %v", err)
		}
	})
}

func TestOdooKeyGoesThrough(t *testing.T) {
	t.Parallel()
	inFront(t, func(f *front) {
		before := f.gate.Odoo.Stats().Calls
		for _, token := range []string{f.keys["ben"], fmt.Sprintf("%d$%s", f.uids["ben"], f.keys["ben"])} {
			for range 3 {
				c := f.identified("Authorization", "Bearer "+token)
				if c.Account.Key != f.keys["ben"] || c.UserID != identity.OdooUser(f.uids["ben"]) || c.Account.UID != f.uids["ben"] || c.Admin {
					f.Errorf("%+v", c)
				}
			}
		}
		if n := f.gate.Odoo.Stats().Calls - before; n > 3 { // version, whose it is, his name
			f.Errorf("%d calls to know one key", n)
		}
		c := f.identified("Authorization", "Bearer "+f.keys["ben"])
		f.callsAs("ben", c)
		f.callsAs("admin", f.identified("Authorization", "Bearer "+f.keys["admin"]))
		for _, wrong := range []string{strings.Repeat("0", 40), fmt.Sprintf("2$%s", f.keys["ben"]), "2000000000$" + f.keys["ben"]} {
			status, answer := f.call("GET", "/api/v1/ping", "", "Authorization", "Bearer "+wrong)
			f.want(http.StatusUnauthorized, status, answer)
		}

		// A key that the Odoo does not take any more is dropped when it says so.
		if err := f.odoo.Engine.Sudo(f.Context(), forgetKeys); err != nil {
			f.Fatal(err)
		}
		f.identified("Authorization", "Bearer "+f.keys["ben"]) // still known
		if _, err := f.asked(c); !fault.Is(err, fault.Unauthenticated) {
			f.Errorf("a deleted key: %v", err)
		}
		f.gate.OdooUsers.Refused(c)
		status, answer := f.call("GET", "/api/v1/ping", "", "Authorization", "Bearer "+f.keys["ben"])
		f.want(http.StatusUnauthorized, status, answer)
		f.leaksNothing(f.keys["ben"], f.keys["admin"])
	})
}

// rows is a number out of the store.
func (f *front) rows(sql string) (n int64) {
	f.Helper()
	err := f.gate.DB.Read(f.Context(), func(q sqldb.Querier) error {
		return q.Query(f.Context(), sql, nil, func(r sqldb.Row) error { n = r.Int(0); return nil })
	})
	if err != nil {
		f.Fatal(err)
	}
	return n
}

// leaksNothing looks for secrets in the log, and in all that the store has.
func (f *front) leaksNothing(secrets ...string) {
	f.Helper()
	var text strings.Builder
	text.WriteString(f.log.String())
	tables := []string{"gateway_key", "gateway_client", "gateway_odoo_account", "gateway_audit", "gateway_log", "res_users", "gateway_token"}
	err := f.gate.DB.Read(f.Context(), func(q sqldb.Querier) error {
		for _, table := range tables {
			columns := map[string]string{
				"sqlite":   "select group_concat(name) from pragma_table_info('" + table + "')",
				"postgres": "select string_agg(quote_ident(column_name), ',') from information_schema.columns where table_schema = current_schema() and table_name = '" + table + "'",
			}[q.Dialect().Name()]
			list := ""
			if err := q.Query(f.Context(), columns, nil, func(r sqldb.Row) error { list = r.Text(0); return nil }); err != nil {
				return err
			}
			var all []string
			for column := range strings.SplitSeq(list, ",") {
				all = append(all, "coalesce(cast("+sqldb.Quote(strings.Trim(column, `"`))+" as text), '')")
			}
			err := q.Query(f.Context(), "select "+strings.Join(all, " || ' ' || ")+" from "+table, nil,
				func(r sqldb.Row) error { text.WriteString(r.Text(0) + "\n"); return nil })
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(f.cfg.Store.DataDir, "gatehouse.db*"))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		text.Write(content)
	}
	for _, secret := range secrets {
		if strings.Contains(text.String(), secret) {
			f.Errorf("a key of the Odoo can be read in the store or in the log")
		}
	}
	if !strings.Contains(text.String(), "ben") {
		f.Error("the store was not looked at")
	}
}

var here = netip.MustParseAddr("192.0.2.1")

// callerOf is how httpapi tells backends who calls.
func callerOf(who *identity.Principal) *backend.Caller {
	return &backend.Caller{UserID: who.UserID, Admin: who.Administrator, Account: httpapi.AccountOf(who)}
}

func forgetKeys(e *record.Env) error {
	_, err := e.Tx().Exec(e.Ctx(), `delete from res_users_apikeys`)
	if err != nil {
		return err
	}
	return e.Tx().Signal(e.Ctx(), identity.KeysChanged)
}
