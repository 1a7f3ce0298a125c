package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"gatehouse/internal/config"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// house is a Gatehouse on one store: two nodes on PostgreSQL, one on SQLite,
// which no other process may serve from.
type house struct {
	*testing.T
	app    *App
	nodes  []http.Handler
	bearer string
}

// onBothStores runs fn on a house of each store.
func onBothStores(t *testing.T, fn func(h *house)) {
	t.Helper()
	onBothStoresWith(t, func(*config.Config) {}, fn)
}

func onBothStoresWith(t *testing.T, change func(*config.Config), fn func(h *house)) {
	t.Helper()
	for _, store := range sqltest.Dialects() {
		t.Run(store, func(t *testing.T) {
			h := &house{T: t}
			cfg := config.Default()
			useStore(t, cfg, store)
			change(cfg)
			nodes := 1
			if store == "postgres" {
				nodes = 2
			}
			for range nodes {
				a, err := Open(context.Background(), cfg, slog.New(slog.DiscardHandler), "test")
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = a.Close(context.Background()) })
				handler, err := a.Handler()
				if err != nil {
					t.Fatal(err)
				}
				h.app, h.nodes = a, append(h.nodes, handler)
			}
			if err := h.app.Settings.Set(t.Context(), map[string]any{"global_rate_limit": 0}); err != nil {
				t.Fatal(err)
			}
			login := h.send("POST", "/api/v1/auth/login", `{"login":"admin","password":"secret"}`)
			h.bearer = "Bearer " + login.data()["access_token"].(string)
			fn(h)
		})
	}
}

// said is an answer.
type said struct {
	t      *testing.T
	status int
	header http.Header
	text   string
}

// send makes a request of the first node; headers are names and values in turn.
func (h *house) send(method, path, body string, headers ...string) said {
	h.Helper()
	return h.sendTo(0, method, path, body, headers...)
}

func (h *house) sendTo(node int, method, path, body string, headers ...string) said {
	h.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, path, reader)
	if h.bearer != "" {
		r.Header.Set("Authorization", h.bearer)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if r.Header.Get("X-API-Key") != "" {
		r.Header.Del("Authorization")
	}
	w := httptest.NewRecorder()
	h.nodes[node%len(h.nodes)].ServeHTTP(w, r)
	return said{h.T, w.Code, w.Header(), w.Body.String()}
}

// want makes sure of the status.
func (s said) want(status int) said {
	s.t.Helper()
	if s.status != status {
		s.t.Fatalf("status %d, want %d: %s", s.status, status, s.text)
	}
	return s
}

func (s said) answer() map[string]any {
	s.t.Helper()
	var answer map[string]any
	if err := json.Unmarshal([]byte(s.text), &answer); err != nil {
		s.t.Fatalf("%d %q: %v", s.status, s.text, err)
	}
	return answer
}

func (s said) data() map[string]any {
	s.t.Helper()
	data, ok := s.answer()["data"].(map[string]any)
	if !ok {
		s.t.Fatalf("no object in data: %s", s.text)
	}
	return data
}

func (s said) list() []any {
	s.t.Helper()
	list, ok := s.answer()["data"].([]any)
	if !ok {
		s.t.Fatalf("no list in data: %s", s.text)
	}
	return list
}

func (s said) problem() string {
	s.t.Helper()
	problem, _ := s.answer()["error"].(map[string]any)
	return fmt.Sprint(problem["type"], ": ", problem["message"])
}

// number counts records.
func (h *house) number(model, domain string) int {
	h.Helper()
	answer := h.send("GET", "/api/v1/"+model+"?limit=1&active_test=false&domain="+domain, "").want(200).answer()
	return int(answer["meta"].(map[string]any)["total"].(float64))
}

// partner makes one and gives its path.
func (h *house) partner(name string) string {
	h.Helper()
	return h.send("POST", "/api/v1/res.partner", `{"name":"`+name+`"}`).want(201).header.Get("Location")
}

// together runs fn n times at once and gives what each said.
func together(n int, fn func(i int) said) []said {
	all := make([]said, n)
	var group sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		group.Go(func() {
			<-start
			all[i] = fn(i)
		})
	}
	close(start)
	group.Wait()
	return all
}

func statuses(all []said) map[int]int {
	found := map[int]int{}
	for _, s := range all {
		found[s.status]++
	}
	return found
}

func TestConditionalReads(t *testing.T) {
	onEverySource(t, func(h *house) {
		path := h.partner("Tagged")
		for _, path := range []string{path, strings.Replace(path, "res.partner", "customers", 1)} {
			tag := h.send("GET", path, "").want(200).header.Get("ETag")
			if len(tag) < 20 || tag[0] != '"' {
				h.Fatalf("the tag of %s is %q", path, tag)
			}
			for value, status := range map[string]int{
				tag: 304, "W/" + tag: 304, `"other", ` + tag: 304, "*": 304, `"other"`: 200, `bad`: 400, `"open`: 400, ``: 400,
			} {
				got := h.send("GET", path, "", "If-None-Match", value).want(status)
				if status == 304 && (got.text != "" || got.header.Get("ETag") != tag || got.header.Get("Content-Type") != "") {
					h.Errorf("304 with %q, %v", got.text, got.header)
				}
			}
			h.send("HEAD", path, "", "If-None-Match", tag).want(304)
			h.send("GET", path, "", "If-Match", tag).want(200)
			h.send("GET", path, "", "If-Match", `"1-1"`).want(412)
		}
		// Another representation has another tag, of the same version.
		whole := h.send("GET", path, "").header.Get("ETag")
		short := h.send("GET", path+"?fields=name", "").want(200)
		if tag := short.header.Get("ETag"); tag == whole || strings.Split(tag, "-")[0] != strings.Split(whole, "-")[0] {
			h.Errorf("tags %s and %s", whole, tag)
		}
		if data := short.data(); len(data) != 2 {
			h.Errorf("fields=name answers %v", data)
		}
		deep := h.send("GET", path+"?fields=name,company_id.name", "").want(200)
		if tag := deep.header.Get("ETag"); strings.Split(tag, "-")[0] != strings.Split(whole, "-")[0] {
			h.Errorf("tags %s and %s", whole, tag)
		}
		h.send("PUT", path, `{"name":"Other"}`).want(200)
		h.send("GET", path, "", "If-None-Match", whole).want(200)
	})
}

func TestConditionalWrites(t *testing.T) {
	onEverySource(t, func(h *house) {
		path := h.partner("Contended")
		tag := h.send("GET", path+"?fields=phone", "").header.Get("ETag")
		h.send("PUT", path, `{"phone":"1"}`, "If-Match", tag).want(200)
		late := h.send("PUT", path, `{"phone":"2"}`, "If-Match", tag).want(412)
		if !strings.HasPrefix(late.problem(), "precondition_failed") {
			h.Error(late.problem())
		}
		curated := strings.Replace(path, "res.partner", "customers", 1)
		h.send("DELETE", path, "", "If-Match", tag).want(412)
		h.send("PATCH", curated, `{"phone":"2"}`, "If-Match", tag).want(412)
		h.send("PUT", path, `{"phone":"3"}`, "If-Match", "W/"+h.send("GET", path, "").header.Get("ETag")).want(412)
		h.send("PUT", path, `{"phone":"3"}`, "If-Match", "*").want(200)
		h.send("PUT", path, `{"phone":"3"}`, "If-None-Match", "*").want(412)
		h.send("PUT", path, `{"phone":"3"}`, "If-Match", "nonsense").want(400)
		h.send("PUT", "/api/v1/res.partner/999999", `{"phone":"3"}`, "If-Match", "*").want(404)
		h.send("DELETE", "/api/v1/customers/999999", "", "If-Match", tag).want(404)
		tag = h.send("GET", curated, "").header.Get("ETag")
		h.send("PATCH", curated, `{"phone":"4"}`, "If-Match", `"x", `+tag).want(200)
		tag = h.send("GET", path, "").header.Get("ETag")
		h.send("POST", path+"/action_archive", "", "If-Match", tag).want(200)
		h.send("POST", path+"/action_unarchive", "", "If-Match", tag).want(412)

		// A record that is partly another one's changes with it.
		template := h.send("POST", "/api/v1/product.template", `{"name":"Desk"}`).want(201).header.Get("Location")
		variant := "/api/v1/product.product/" + fmt.Sprint(h.send("GET",
			"/api/v1/product.product?fields=id&domain=[['product_tmpl_id','=',"+strings.TrimPrefix(template, "/api/v1/product.template/")+"]]", "").
			want(200).list()[0].(map[string]any)["id"])
		tag = h.send("GET", variant, "").header.Get("ETag")
		h.send("PUT", template, `{"list_price":7}`).want(200)
		h.send("PUT", variant, `{"list_price":8}`, "If-Match", tag).want(412)
	})
}

// Of writers that all saw the same record, one wins, also on two nodes.
func TestRacingWriters(t *testing.T) {
	onBothStores(t, func(h *house) {
		path := h.partner("Raced")
		for round := range 3 {
			tag := h.send("GET", path, "").header.Get("ETag")
			all := together(4, func(i int) said {
				return h.sendTo(i, "PUT", path, fmt.Sprintf(`{"phone":"%d-%d"}`, round, i), "If-Match", tag)
			})
			if got := statuses(all); got[200] != 1 || got[412] != 3 {
				h.Fatalf("round %d: %v", round, got)
			}
		}
	})
}

func TestIdempotency(t *testing.T) {
	onBothStores(t, func(h *house) {
		first := h.send("POST", "/api/v1/res.partner?fields=name", `{"name":"Once"}`, "Idempotency-Key", "k-1").want(201)
		for node := range 2 {
			again := h.sendTo(node, "POST", "/api/v1/res.partner?fields=name", `{"name":"Once"}`, "Idempotency-Key", "k-1").want(201)
			if again.text != first.text || again.header.Get("Location") != first.header.Get("Location") ||
				again.header.Get("Idempotent-Replayed") != "true" || first.header.Get("Idempotent-Replayed") != "" {
				h.Errorf("replayed %q %v, want %q", again.text, again.header, first.text)
			}
		}
		if n := h.number("res.partner", "[['name','=','Once']]"); n != 1 {
			h.Errorf("%d records", n)
		}
		h.send("POST", "/api/v1/res.partner?fields=name", `{"name":"Other"}`, "Idempotency-Key", "k-1").want(422)
		h.send("POST", "/api/v1/customers", `{"name":"Once"}`, "Idempotency-Key", "k-1").want(422)
		for _, bad := range []string{"", "two words", "ключ", strings.Repeat("k", 256)} {
			h.send("POST", "/api/v1/res.partner", `{"name":"Bad"}`, "Idempotency-Key", bad).want(400)
		}
		// Refusals that would come again are kept, others are not.
		refused := h.send("POST", "/api/v1/customers", `{"name":"X","email":"nonsense"}`, "Idempotency-Key", "k-2").want(422)
		if again := h.send("POST", "/api/v1/customers", `{"name":"X","email":"nonsense"}`, "Idempotency-Key", "k-2").want(422); again.text != refused.text {
			h.Errorf("replayed %s, want %s", again.text, refused.text)
		}
		method := "/api/v1/res.partner/999999/action_archive"
		one := h.send("POST", method, "", "Idempotency-Key", "k-3").want(404)
		if two := h.send("POST", method, "", "Idempotency-Key", "k-3").want(404); one.text == two.text {
			h.Error("a 404 was kept")
		}
		// Secrets are not kept; the request is not done twice nevertheless.
		key := `{"name":"secret","user_id":2,"scopes":"read"}`
		h.send("POST", "/api/v1/gateway.key", key, "Idempotency-Key", "k-4").want(201)
		if again := h.send("POST", "/api/v1/gateway.key", key, "Idempotency-Key", "k-4").want(409); !strings.Contains(again.text, "secrets") {
			h.Error(again.text)
		}
		// Old answers are forgotten.
		err := h.app.DB.Write(h.Context(), func(tx sqldb.Tx) error {
			_, err := tx.Exec(h.Context(), "update gateway_idempotency set create_date = "+tx.Dialect().After(tx.Dialect().Now(), "-90000")+" where key = 'k-1'")
			return err
		})
		if err != nil {
			h.Fatal(err)
		}
		if other := h.send("POST", "/api/v1/customers", `{"name":"Once more"}`, "Idempotency-Key", "k-1").want(201); other.header.Get("Idempotent-Replayed") != "" {
			h.Error("an old answer was replayed")
		}
		if n, err := h.app.Answers.Vacuum(h.Context()); n != 0 || err != nil {
			h.Errorf("vacuum: %d, %v", n, err)
		}
	})
}

// However many send the same request at the same time, it is done once.
func TestIdempotencyTogether(t *testing.T) {
	onBothStores(t, func(h *house) {
		all := together(8, func(i int) said {
			return h.sendTo(i, "POST", "/api/v1/res.partner", `{"name":"Together"}`, "Idempotency-Key", "together")
		})
		if got := statuses(all); got[201] < 1 || got[201]+got[409] != 8 {
			h.Errorf("statuses %v", got)
		}
		made := map[string]bool{}
		for _, s := range all {
			if s.status == 201 {
				made[s.text] = true
			}
		}
		if n := h.number("res.partner", "[['name','=','Together']]"); n != 1 || len(made) != 1 {
			h.Errorf("%d records, %d answers", n, len(made))
		}
	})
}

func TestDryRun(t *testing.T) {
	onBothStores(t, func(h *house) {
		path := h.partner("Dry")
		h.send("POST", "/api/v1/gateway.webhook", `{"name":"all","model":"res.partner","on_create":true,"on_write":true,"on_unlink":true,
			"url":"https://hooks.example.com/"}`).want(201)
		audits := h.number("gateway.audit", "[]")
		isDry := func(s said) said {
			h.Helper()
			meta, _ := s.answer()["meta"].(map[string]any)
			if meta["dry_run"] != true {
				h.Errorf("not marked as a dry run: %s", s.text)
			}
			return s
		}
		made := isDry(h.send("POST", "/api/v1/res.partner?dry_run=true&fields=name", `{"name":"Never"}`).want(201))
		if made.data()["name"] != "Never" || made.header.Get("Location") != "" {
			h.Errorf("%s %v", made.text, made.header)
		}
		isDry(h.send("PUT", path+"?dry_run=true", `{"name":"Wet"}`).want(200))
		isDry(h.send("POST", path+"/action_archive?dry_run=true", "").want(200))
		isDry(h.send("DELETE", path+"?dry_run=true", "").want(200))
		isDry(h.send("POST", "/api/v1/customers?dry_run=true", `{"name":"Never","color":1}`).want(201))
		isDry(h.send("POST", "/api/v1/gateway.profile?dry_run=true", `{"name":"never","user_id":2}`).want(201))
		h.send("POST", "/api/v1/customers?dry_run=true", `{"name":"Never","email":"x"}`).want(422)
		h.send("PUT", path+"?dry_run=maybe", `{}`).want(400)
		if data := h.send("GET", path, "").want(200).data(); data["name"] != "Dry" || data["active"] != true {
			h.Errorf("the record is now %v", data)
		}
		if n := h.number("res.partner", "[['name','=','Never']]"); n != 0 {
			h.Errorf("%d records came to stay", n)
		}
		if n := h.number("gateway.webhook_job", "[]"); n != 0 {
			h.Errorf("%d webhook events were left", n)
		}
		if now := h.number("gateway.audit", "[]"); now != audits {
			h.Errorf("%d audit entries, before %d", now, audits)
		}
	})
}
