package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/sqldb"
)

// person is somebody with a credential at the HTTP face of an app.
type person struct {
	*testing.T
	h      http.Handler
	header []string
}

func (p person) do(method, path, body string, want int) map[string]any {
	p.Helper()
	status, answer := send(p.T, p.h, method, "/api/v1/"+path, body, p.header...)
	if status != want {
		p.Errorf("%s %s: %d, want %d: %v", method, path, status, want, answer["error"])
	}
	return answer
}

// rows are the records of a list.
func (p person) rows(path string) []map[string]any {
	p.Helper()
	data, _ := p.do("GET", path, "", 200)["data"].([]any)
	rows := make([]map[string]any, len(data))
	for i := range data {
		rows[i], _ = data[i].(map[string]any)
	}
	return rows
}

func login(t *testing.T, h http.Handler, name, password string) person {
	t.Helper()
	status, answer := send(t, h, "POST", "/api/v1/auth/login", fmt.Sprintf(`{"login":%q,"password":%q}`, name, password))
	if status != 200 {
		t.Fatalf("login %s: %d %v", name, status, answer)
	}
	return person{t, h, []string{"Authorization", "Bearer " + answer["data"].(map[string]any)["access_token"].(string)}}
}

func withKey(t *testing.T, h http.Handler, admin person, user int, scopes string) person {
	t.Helper()
	made := admin.do("POST", "gateway.key", fmt.Sprintf(`{"name":%q,"user_id":%d,"scopes":%q}`, scopes, user, scopes), 201)
	return person{t, h, []string{"X-API-Key", made["data"].(map[string]any)["key"].(string)}}
}

var ownModels = []string{"gateway.profile", "gateway.key", "gateway.token", "gateway.throttle", "gateway.audit", "gateway.job"}

// unlimited takes the limit of requests away, so that a story can be told.
func unlimited(t *testing.T, a *App) {
	t.Helper()
	if err := a.Settings.Set(context.Background(), map[string]any{"global_rate_limit": 0}); err != nil {
		t.Fatal(err)
	}
}

// TestOwnRecordsAreForAdministrators: whoever is none, or whose key has not
// the scope, gets nothing of Gatehouse's own records, and the same answer for
// those that exist and those that do not.
func TestOwnRecordsAreForAdministrators(t *testing.T) {
	a, h := start(t)
	unlimited(t, a)
	admin := login(t, h, "admin", "secret")
	admin.do("POST", "res.users", `{"name":"Ann","login":"ann","password":"ann's secret"}`, 201)
	ann := login(t, h, "ann", "ann's secret")
	narrow, wide := withKey(t, h, admin, 2, "read,write,delete"), withKey(t, h, admin, 2, "*:read,*:write,*:delete,gateway.*:read")
	for _, p := range []person{ann, narrow, wide} {
		for _, model := range append([]string{"gateway.nothing"}, ownModels...) {
			for _, try := range [][3]string{
				{"GET", model, ""},
				{"GET", model + "/1", ""},
				{"GET", model + "/4711", ""},
				{"POST", model, `{"name":"x"}`},
				{"PATCH", model + "/1", `{"name":"x"}`},
				{"DELETE", model + "/1", ""},
				{"POST", model + "/1/revoke", `{}`},
				{"POST", model + "/search_count", `{}`},
			} {
				status, answer := send(t, h, try[0], "/api/v1/"+try[1], try[2], p.header...)
				if status != 403 || strings.Contains(fmt.Sprint(answer), "Did you mean") {
					t.Errorf("%s %s: %d %v", try[0], try[1], status, answer)
				}
			}
		}
		p.do("GET", "settings", "", 403)
		p.do("PATCH", "settings", `{"global_rate_limit":1}`, 403)
		p.do("POST", "settings/rotate_signing_key", `{}`, 403)
		p.do("GET", "res.users?fields=id&domain="+`[["gateway_key_ids","!=",false]]`, "", 400)
	}
	if a.Settings.Current().GlobalRateLimit != 0 {
		t.Error("somebody changed a setting")
	}
}

// stored gives the first column of a statement.
func stored(a *App, sql string) (texts []string, err error) {
	err = a.DB.Read(context.Background(), func(q sqldb.Querier) error {
		return q.Query(context.Background(), sql, nil, func(r sqldb.Row) error {
			texts = append(texts, r.Text(0))
			return nil
		})
	})
	return texts, err
}

// TestSecretsStayInside: once a key was shown, no route gives anything of it.
func TestSecretsStayInside(t *testing.T) {
	a, h := start(t)
	unlimited(t, a)
	admin := login(t, h, "admin", "secret")
	made := admin.do("POST", "gateway.key", `[{"name":"a","user_id":2,"scopes":"read"},{"name":"b","user_id":2,"scopes":"read"}]`, 201)
	key, _ := made["data"].([]any)[0].(map[string]any)["key"].(string)
	if len(key) != 64 {
		t.Fatalf("made %v", made)
	}
	id := fmt.Sprint(made["data"].([]any)[0].(map[string]any)["id"])
	var hash string
	rows, err := stored(a, `select key_hash from gateway_key where name = 'a'`)
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	hash = rows[0]
	args := map[string]any{"field_names": []string{"key_hash"}, "fields": []string{"key_hash"}, "fields_list": []string{"key_hash"}, "name": hash[:9]}
	body, _ := json.Marshal(args)
	for _, try := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "gateway.key", "", 200},
		{"GET", "gateway.key?values=odoo", "", 200},
		{"GET", "gateway.key/" + id, "", 200},
		{"GET", "gateway.key?fields=key_hash", "", 400},
		{"GET", "gateway.key/" + id + "?fields=key_hash&values=odoo", "", 400},
		{"GET", `gateway.key?domain=[["key_hash","=like","` + hash[:2] + `%25"]]`, "", 400},
		{"GET", `gateway.key?domain=[["key_hash","!=",false]]`, "", 400},
		{"GET", "gateway.key?order=key_hash", "", 400},
		{"GET", `gateway.token?domain=[["user_id.password","!=",false]]`, "", 400},
		{"GET", `gateway.audit?domain=[["user_id.password","like","a"]]`, "", 400},
		{"GET", "gateway.token?order=user_id.password", "", 400},
		{"GET", "res.users?fields=password", "", 400},
		{"POST", "gateway.key/" + id + "/copy", "{}", 404},
		{"POST", "gateway.key/" + id + "/copy_data", "{}", 404},
		{"POST", "gateway.key/name_search", string(body), 404},
		{"POST", "gateway.key/default_get", string(body), 404},
		{"POST", "gateway.key?fields=key_hash", `{"name":"c","user_id":2,"scopes":"read"}`, 400},
		{"POST", "gateway.key", `{"name":"c","user_id":2,"scopes":"read","key_hash":"` + hash + `"}`, 400},
		{"POST", "gateway.key", `[{"name":"c","user_id":2,"scopes":"read"},{"name":"d","user_id":2,"scopes":"read","key_hash":"` + hash + `"}]`, 400},
		{"PATCH", "gateway.key/" + id, `{"key_hash":"` + hash + `"}`, 400},
		{"PATCH", "gateway.key/" + id, `{"use_count":0}`, 400},
		{"PATCH", "gateway.key/" + id + "?fields=name,prefix", `{"name":"renamed"}`, 200},
		{"POST", "gateway.token", `{"jti":"x"}`, 403},
		{"PATCH", "gateway.token/1", `{"revoked_at":null}`, 403},
		{"POST", "gateway.throttle", `{"subject":"x"}`, 403},
		{"PATCH", "gateway.throttle/1", `{"count":0}`, 403},
		{"GET", "gateway.audit?limit=0", "", 200},
		{"GET", "settings", "", 200},
	} {
		answer := fmt.Sprint(admin.do(try.method, try.path, try.body, try.want))
		if strings.Contains(answer, key) || strings.Contains(answer, hash) {
			t.Errorf("%s %s shows a secret", try.method, try.path)
		}
	}
}

// TestPolicyStory: an administrator's day, and what the trail says of it.
func TestPolicyStory(t *testing.T) {
	a, h := start(t)
	unlimited(t, a)
	admin := login(t, h, "admin", "secret")
	other := login(t, h, "admin", "secret")
	key := withKey(t, h, admin, 2, "read")
	key.do("GET", "res.partner", "", 200)
	admin.do("POST", "gateway.key/1/revoke", `{}`, 200)
	key.do("GET", "res.partner", "", 401)
	token := other.rows("gateway.token?domain=[[\"kind\",\"=\",\"access\"]]&order=id%20desc&limit=1")[0]
	admin.do("POST", fmt.Sprintf("gateway.token/%v/revoke", token["id"]), `{}`, 200)
	other.do("GET", "ping", "", 401)
	admin.do("PATCH", "settings", `{"docs_public":false}`, 200)
	admin.do("PATCH", "settings", `{"docs_public":true,"rate_window":"year"}`, 400)
	rotated := admin.do("POST", "settings/rotate_signing_key", ``, 200)
	if fmt.Sprint(rotated["data"]) != "map[rotated:true]" {
		t.Errorf("rotation answers %v", rotated["data"])
	}
	admin.do("GET", "ping", "", 200) // the old token holds
	admin.do("PATCH", "res.users/2", `{"password":"a new secret"}`, 200)
	admin = login(t, h, "admin", "a new secret")

	var got []string
	for _, row := range admin.rows("gateway.audit?order=id") {
		if row["origin"] != "api" || row["login"] != "admin" || row["ip"] != "192.0.2.1" || row["request_id"] == nil || row["credential"] != "jwt" {
			t.Errorf("from where: %v", row)
		}
		got = append(got, fmt.Sprint(row["model"], " ", row["action"], " ", keys(row["before"]), " ", keys(row["after"])))
	}
	want := []string{
		"gateway.key create [] [active key_hash name prefix scopes user_id]",
		"gateway.key revoke [active revoked_at] [active revoked_at]",
		"gateway.token revoke [revoked_at] [revoked_at]",
		"settings write [docs_public] [docs_public]",
		"settings rotate_signing_key [kid] [kid]",
		"res.users write [password] [password]",
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("the trail has\n%s\nwant\n%s", g, w)
	}
	text := fmt.Sprint(admin.do("GET", "gateway.audit", "", 200))
	if strings.Contains(text, "a new secret") || strings.Contains(text, "argon2") {
		t.Error("the trail shows a password")
	}
	page := admin.do("GET", `gateway.audit?domain=[["model","=","gateway.key"]]&order=at%20desc&limit=1&fields=action,user_id`, "", 200)
	if meta := page["meta"].(map[string]any); fmt.Sprint(meta["total"]) != "2" || len(page["data"].([]any)) != 1 {
		t.Errorf("page: %v", page)
	}
	admin.do("POST", "gateway.audit", `{"model":"x"}`, 403)
	admin.do("PATCH", "gateway.audit/1", `{"login":"x"}`, 403)
	admin.do("DELETE", "gateway.audit/1", "", 403)
}

func keys(v any) []string {
	var names []string
	b, _ := json.Marshal(v)
	var object map[string]any
	_ = json.Unmarshal(b, &object)
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// TestCommandLineLeavesATrail: what is done on the machine is named after the
// operating system's user.
func TestCommandLineLeavesATrail(t *testing.T) {
	a, h := start(t)
	ctx := context.Background()
	if _, err := a.CreateUser(ctx, "ann", "Ann", "ann's secret", nil); err != nil {
		t.Fatal(err)
	}
	if err := a.ArchiveUser(ctx, "ann"); err != nil {
		t.Fatal(err)
	}
	if err := a.Settings.SetBy(ctx, CommandLine(), map[string]any{"max_get_limit": "500"}); err != nil {
		t.Fatal(err)
	}
	rows := login(t, h, "admin", "secret").rows("gateway.audit?order=id")
	if len(rows) != 3 {
		t.Fatalf("%d entries: %v", len(rows), rows)
	}
	for i, action := range []string{"create", "write", "write"} {
		if r := rows[i]; r["origin"] != "cli" || r["login"] != CommandLine().Login || r["user_id"] != nil || r["action"] != action {
			t.Errorf("entry %d: %v", i, r)
		}
	}
}

// TestTwoNodes: what one node is told about settings and signing keys holds on
// the other within a second.
func TestTwoNodes(t *testing.T) {
	a, h := start(t)
	unlimited(t, a)
	b, err := Open(context.Background(), a.Config, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	there, err := b.Handler()
	if err != nil {
		t.Fatal(err)
	}
	changed := make(chan struct{}, 8)
	t.Cleanup(b.DB.Watch(func(string) {
		select {
		case changed <- struct{}{}:
		default:
		}
	}))
	admin := login(t, h, "admin", "secret")
	follows := func(what string, ok func() bool) {
		t.Helper()
		for began := time.Now(); !ok(); {
			if time.Since(began) > 2*time.Second { // a second, on a machine that does other things too
				t.Fatalf("the other node does not follow: %s", what)
			}
			select {
			case <-changed:
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	admin.do("PATCH", "settings", `{"default_get_limit":3}`, 200)
	follows("settings", func() bool { return b.Settings.Current().DefaultGetLimit == 3 })
	admin.do("POST", "settings/rotate_signing_key", "", 200)
	fresh := login(t, h, "admin", "secret")
	follows("signing key", func() bool {
		status, _ := send(t, there, "GET", "/api/v1/ping", "", fresh.header...)
		return status == 200
	})
	admin.h = there
	admin.do("GET", "ping", "", 200) // the old key's token holds there too
}
