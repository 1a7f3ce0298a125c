package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"gatehouse/internal/apidoc/apidoctest"
	"gatehouse/internal/config"
)

// contract checks every answer of a handler against its API document.
func contract(t *testing.T, h http.Handler) http.Handler {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/api/openapi.json?version=3.0", nil)
	r.RemoteAddr = "203.0.113.250:1" // whom no test counts
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Fatalf("the API document: %d %s", w.Code, w.Body)
	}
	c, err := apidoctest.New(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return c.Wrap(t, h)
}

// demo opens an app on demo data, without limits.
func demo(t *testing.T) (*App, http.Handler) {
	t.Helper()
	cfg := config.Default()
	cfg.Store.DataDir, cfg.Store.AdminPassword, cfg.Store.Demo = t.TempDir(), "secret", true
	a, err := Open(context.Background(), cfg, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	unlimited(t, a)
	h, err := a.Handler()
	if err != nil {
		t.Fatal(err)
	}
	return a, h
}

// ask gets something as it is.
func ask(h http.Handler, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// document is what tests look at of a document.
type document struct {
	OpenAPI    string
	Paths      map[string]map[string]json.RawMessage
	Components struct{ Schemas map[string]json.RawMessage }
	raw        []byte
}

func documentOf(t *testing.T, h http.Handler, query string, headers ...string) *document {
	t.Helper()
	w := ask(h, "/api/openapi.json"+query, headers...)
	d := &document{raw: w.Body.Bytes()}
	if w.Code != http.StatusOK {
		t.Fatalf("the document: %d %s", w.Code, w.Body)
	}
	if err := json.Unmarshal(d.raw, d); err != nil {
		t.Fatal(err)
	}
	return d
}

// Both versions hold to the specification, for strangers and administrators.
func TestDocumentsAreValid(t *testing.T) {
	if testing.Short() {
		t.Skip("reads large documents, in one goroutine")
	}
	_, h := demo(t)
	admin := login(t, h, "admin", "secret")
	for _, headers := range [][]string{nil, admin.header} {
		if d := documentOf(t, h, "", headers...); !strings.HasPrefix(d.OpenAPI, "3.1.") {
			t.Errorf("without a version it is %s", d.OpenAPI)
		}
		for _, version := range []string{"3.0", "3.1", "3.0.3"} {
			d := documentOf(t, h, "?version="+version, headers...)
			if !strings.HasPrefix(d.OpenAPI, version[:3]) {
				t.Errorf("version %s is %s", version, d.OpenAPI)
			}
			if _, err := apidoctest.New(d.raw); err != nil {
				t.Errorf("version %s: %v", version, err)
			}
			if strings.ContainsAny(string(d.raw), "\ue000\ue001") || strings.Contains(string(d.raw), `"nullable":true`) != (d.OpenAPI[2] == '0') {
				t.Errorf("version %s has what only the other one has", version)
			}
		}
	}
	if w := ask(h, "/api/openapi.json?version=2.0"); w.Code != 400 || !strings.Contains(w.Body.String(), "must be 3.1 or 3.0") {
		t.Errorf("version 2.0: %d %s", w.Code, w.Body)
	}
}

// Everybody sees what his credential and his rights let him do, and no more.
func TestDocumentOfACaller(t *testing.T) {
	if testing.Short() {
		t.Skip("reads large documents, in one goroutine")
	}
	_, h := demo(t)
	admin := login(t, h, "admin", "secret")
	key := func(user int, scopes string) []string { return withKey(t, h, admin, user, scopes).header }
	sales := login(t, h, "demo-sales", "demo-sales")
	portal := login(t, h, "demo-portal", "demo-portal")
	for _, test := range []struct {
		name      string
		headers   []string
		has, lack []string
	}{
		{
			"a stranger", nil,
			[]string{"get /api/v1/{model}", "post /api/v1/{model}/{id}/{method}", "post /api/v1/orders", "get /api/v1/settings", "post /api/oauth/token"},
			[]string{"get /api/v1/res.partner"},
		},
		{
			"the administrator", admin.header,
			[]string{
				"get /api/v1/res.partner", "post /api/v1/sale.order/{id}/action_confirm", "delete /api/v1/gateway.key/{id}",
				"post /api/v1/gateway.webhook/{id}/send_test", "patch /api/v1/settings", "post /api/v1/ir.sequence/next_by_code",
			},
			[]string{"get /api/v1/{model}", "post /api/v1/gateway.log", "post /api/v1/gateway.throttle", "post /api/v1/gateway.key/{id}/{method}"},
		},
		{
			"sales", sales.header,
			[]string{"get /api/v1/sale.order", "post /api/v1/orders", "post /api/v1/sale.order/{id}/action_confirm"},
			[]string{"get /api/v1/gateway.key", "patch /api/v1/settings", "post /api/v1/res.groups", "delete /api/v1/ir.model/{id}"},
		},
		{
			"the portal", portal.header,
			[]string{"get /api/v1/sale.order"},
			[]string{"post /api/v1/sale.order", "post /api/v1/orders", "post /api/v1/sale.order/{id}/action_confirm"},
		},
		{
			"a key for reading", key(2, "read"),
			[]string{"get /api/v1/res.partner", "get /api/v1/orders", "get /api/v1/ping"},
			[]string{"post /api/v1/res.partner", "delete /api/v1/orders/{id}", "get /api/v1/gateway.key", "get /api/v1/settings"},
		},
		{
			"a key for products", key(2, "products_read"),
			[]string{"get /api/v1/products", "get /api/v1/products/{id}"},
			[]string{"post /api/v1/products", "get /api/v1/orders", "get /api/v1/res.partner", "get /api/v1/product.template"},
		},
		{
			"a key for one model", key(2, "res.partner:read"),
			[]string{"get /api/v1/res.partner", "get /api/v1/customers"},
			[]string{"get /api/v1/sale.order", "put /api/v1/res.partner/{id}"},
		},
	} {
		d := documentOf(t, h, "", test.headers...)
		there := func(operation string) bool {
			method, path, _ := strings.Cut(operation, " ")
			return d.Paths[path][method] != nil
		}
		for _, operation := range test.has {
			if !there(operation) {
				t.Errorf("%s does not see %s", test.name, operation)
			}
		}
		for _, operation := range test.lack {
			if there(operation) {
				t.Errorf("%s sees %s", test.name, operation)
			}
		}
	}
	users := string(documentOf(t, h, "", admin.header...).Components.Schemas["res.users"])
	if strings.Contains(users, `"password"`) || !strings.Contains(users, `"login"`) {
		t.Errorf("res.users is described as %s", users)
	}
}

// A custom model is there at once, and a document that did not change is not
// sent again.
func TestDocumentFollows(t *testing.T) {
	_, h := start(t)
	admin := login(t, h, "admin", "secret")
	auth := slices.Clip(admin.header)
	first := ask(h, "/api/openapi.json", auth...)
	etag := first.Header().Get("ETag")
	if etag == "" || first.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("headers %v", first.Header())
	}
	again := ask(h, "/api/openapi.json", append(auth, "If-None-Match", `"x", W/`+etag)...)
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 || again.Header().Get("ETag") != etag {
		t.Errorf("what the caller has: %d, %d bytes", again.Code, again.Body.Len())
	}
	if other := ask(h, "/api/openapi.json", "If-None-Match", etag); other.Code != http.StatusOK {
		t.Errorf("a stranger has the administrator's document: %d", other.Code)
	}
	admin.do("POST", "ir.model", `{"name":"Pet","model":"x_pet"}`, 201)
	changed := ask(h, "/api/openapi.json", append(auth, "If-None-Match", etag)...)
	if changed.Code != http.StatusOK || !strings.Contains(changed.Body.String(), `"/api/v1/x_pet/{id}"`) {
		t.Errorf("a new model: %d", changed.Code)
	}
	preflight := httptest.NewRequest(http.MethodOptions, "/api/openapi.json", nil)
	preflight.Header.Set("Origin", "https://editor.example")
	preflight.Header.Set("Access-Control-Request-Method", "GET")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, preflight)
	if w.Code != 204 || w.Header().Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "X-API-Key") {
		t.Errorf("preflight: %d %v", w.Code, w.Header())
	}
}

// Where the documentation is not public, it needs a credential.
func TestDocumentationForSome(t *testing.T) {
	a, h := start(t)
	admin := login(t, h, "admin", "secret")
	paths := []string{"/api/openapi.json", "/api/docs", "/api/docs/page.js", "/api/docs/scalar.js"}
	for _, path := range paths {
		w := ask(h, path, "Accept-Encoding", "gzip")
		if w.Code != http.StatusOK || w.Header().Get("Content-Encoding") == "gzip" != (path == paths[3]) {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	page := ask(h, "/api/docs")
	if policy := page.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe-eval") {
		t.Errorf("policy %s", policy)
	}
	if plain := ask(h, paths[3]); plain.Header().Get("Content-Encoding") != "" || !strings.Contains(plain.Body.String(), "createApiReference") {
		t.Errorf("without gzip: %v", plain.Header())
	}
	if err := a.Settings.Set(t.Context(), map[string]any{"docs_public": false}); err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if w := ask(h, path); w.Code != http.StatusUnauthorized {
			t.Errorf("%s is told to strangers: %d", path, w.Code)
		}
		if w := ask(h, path, admin.header...); w.Code != http.StatusOK {
			t.Errorf("%s is not told to the administrator: %d", path, w.Code)
		}
		if w := ask(h, path, "X-API-Key", "wrong"); w.Code != http.StatusUnauthorized {
			t.Errorf("%s with a wrong key: %d", path, w.Code)
		}
	}
}

// Every model on demo data: what is answered is as its schema says, and what
// the document says a new record must have, it must have.
func TestModelsAreAsDescribed(t *testing.T) {
	if testing.Short() {
		t.Skip("reads large documents, in one goroutine")
	}
	_, h := demo(t)
	admin := login(t, h, "admin", "secret")
	d := documentOf(t, h, "?version=3.0", admin.header...)
	c, err := apidoctest.New(d.raw)
	if err != nil {
		t.Fatal(err)
	}
	checked, records := c.Wrap(t, h), 0
	for _, path := range sortedPaths(d) {
		model, ok := strings.CutPrefix(path, "/api/v1/")
		if !ok || strings.Contains(model, "/") || !strings.Contains(model, ".") {
			continue
		}
		if d.Paths[path]["get"] != nil {
			w := ask(checked, path+"?limit=30&active_test=false", admin.header...)
			var found struct{ Data []map[string]any }
			if err := json.Unmarshal(w.Body.Bytes(), &found); err != nil || w.Code != http.StatusOK {
				t.Errorf("%s: %d %v", path, w.Code, err)
			}
			records += len(found.Data)
		}
		if d.Paths[path]["post"] != nil {
			needed(t, h, d, model, admin.header)
		}
	}
	if records < 300 {
		t.Errorf("only %d records were looked at", records)
	}
}

// needed says where the schema of a new record requires what the API does not.
func needed(t *testing.T, h http.Handler, d *document, model string, header []string) {
	t.Helper()
	var schema struct{ AllOf []struct{ Required []string } }
	if err := json.Unmarshal(d.Components.Schemas[model+"-create"], &schema); err != nil {
		t.Fatal(err)
	}
	var required []string
	for _, part := range schema.AllOf {
		required = append(required, part.Required...)
	}
	if len(required) == 0 {
		return
	}
	if status, answer := send(t, h, "POST", "/api/v1/"+model, `{}`, header...); status < 400 {
		t.Errorf("%s: the document requires %v, the API does without: %v", model, required, answer)
	}
}

func sortedPaths(d *document) []string {
	var all []string
	for path := range d.Paths {
		all = append(all, path)
	}
	slices.Sort(all)
	return all
}

// The examples of the document work on demo data: each of a query alone, with
// those of the path, and each body.
func TestExamplesWork(t *testing.T) {
	if testing.Short() {
		t.Skip("reads large documents, in one goroutine")
	}
	_, h := demo(t)
	admin := login(t, h, "admin", "secret")
	doc, err := openapi3.NewLoader().LoadFromData(documentOf(t, h, "?version=3.0").raw)
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	send := func(method, path, query, body string) {
		t.Helper()
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		if r.URL.RawQuery = query; body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		r.Header.Set(admin.header[0], admin.header[1])
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code >= 300 {
			t.Errorf("%s %s?%s %s: %d %.300s", method, path, query, body, w.Code, w.Body)
		}
		sent++
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			target, queries := path, []string{}
			for _, ref := range op.Parameters {
				p := ref.Value
				switch text := fmt.Sprint(p.Example); {
				case p.In == "path":
					target = strings.ReplaceAll(target, "{"+p.Name+"}", text)
				case p.In == "query" && p.Example != nil:
					queries = append(queries, url.Values{p.Name: {text}}.Encode())
				}
			}
			switch {
			case method == http.MethodGet && !strings.Contains(path, "oauth/clients/") && !strings.HasSuffix(path, "/live") &&
				!strings.HasSuffix(path, "/{method}"): // a file, of which the demo data have none
				send(method, target, "", "")
				for _, query := range queries {
					send(method, target, query, "")
				}
			case op.RequestBody != nil:
				media := op.RequestBody.Value.Content["application/json"]
				if media == nil || media.Example == nil {
					continue
				}
				body, err := json.Marshal(media.Example)
				if err != nil {
					t.Fatal(err)
				}
				send(method, target, "", string(body))
			}
		}
	}
	if sent < 30 {
		t.Errorf("only %d examples were sent", sent)
	}
}
