package apidoc_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"gatehouse/internal/apidoc"
	"gatehouse/internal/backend"
	"gatehouse/internal/httpapi"
	"gatehouse/internal/identity"
	"gatehouse/internal/schema"
)

// registry is a source of as many models and fields as a large Odoo has.
type registry struct {
	mu    sync.Mutex
	key   string
	asked int
	all   backend.Catalogue
	err   error
}

func newRegistry(models, fields int) *registry {
	r := &registry{key: "1"}
	for i := range models {
		m := &schema.Model{Name: fmt.Sprintf("app%d.model_%d", i%40, i), Label: fmt.Sprintf("Model %d", i)}
		for j := range fields / models {
			name := fmt.Sprintf("field_%d", j)
			switch j % 8 {
			case 0:
				m.Fields = append(m.Fields, schema.NewMany2one(name, "Partner", "res.partner"))
			case 1:
				m.Fields = append(m.Fields, schema.NewSelection(name, "State", "draft", "Draft", "done", "Done", "cancel", "Cancelled"))
			case 2:
				m.Fields = append(m.Fields, schema.NewFloat(name, "Amount", 2))
			case 3:
				m.Fields = append(m.Fields, schema.NewOne2many(name, "Lines", "sale.order.line", "order_id"))
			case 4:
				m.Fields = append(m.Fields, schema.NewDatetime(name, "Moment").Helped("When it happened, as far as anybody knows."))
			default:
				m.Fields = append(m.Fields, schema.NewChar(name, "Name").Helped("What it is called in lists and in documents."))
			}
		}
		prepared := schema.Prepare([]*schema.Model{m})[0]
		r.all.Models = append(r.all.Models, backend.Entry{
			Model: prepared, May: [4]bool{true, true, true, true}, Fields: prepared.Fields, Common: true,
			Methods: []backend.MethodInfo{{Name: "action_confirm", Doc: "Confirms."}, {Name: "action_cancel", Doc: "Cancels."}},
		})
	}
	return r
}

func (r *registry) CatalogueKey(context.Context, *backend.Caller) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.key, r.err
}

func (r *registry) Catalogue(context.Context, *backend.Caller) (*backend.Catalogue, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	return &r.all, r.err
}

func newDocs(tb testing.TB, r *registry) (*apidoc.Docs, *httpapi.DocumentQuery) {
	tb.Helper()
	docs, err := apidoc.New(apidoc.Options{Source: r, Version: "test", Superuser: &backend.Caller{Superuser: true}})
	if err != nil {
		tb.Fatal(err)
	}
	// A server that answers nothing: only its routes are looked at.
	api, err := httpapi.New(httpapi.Deps{
		Backend: struct{ backend.Backend }{}, Identity: struct{ httpapi.Identity }{}, Limiter: struct{ httpapi.Limiter }{},
		Settings: struct{ httpapi.Settings }{}, Documents: docs, Ready: func(context.Context) error { return nil },
	})
	if err != nil {
		tb.Fatal(err)
	}
	return docs, &httpapi.DocumentQuery{
		Routes: api.Routes(), Server: "http://example.com",
		Who: &identity.Principal{UserID: 2, Scopes: identity.AllScopes(), Administrator: true}, Caller: &backend.Caller{UserID: 2},
	}
}

// A document is made once for all who may do the same, and anew where something
// changed.
func TestDocumentsAreKept(t *testing.T) {
	r := newRegistry(3, 24)
	docs, q := newDocs(t, r)
	get := func(q *httpapi.DocumentQuery) *httpapi.File {
		t.Helper()
		file, err := docs.OpenAPI(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { get(q) })
	}
	all.Wait()
	first, asked := get(q), r.asked
	if get(q) != first || r.asked != asked {
		t.Error("a document is made twice")
	}
	other := *q
	scopes, err := identity.ParseScopes("app1.*:read")
	if err != nil {
		t.Fatal(err)
	}
	other.Who = &identity.Principal{UserID: 2, Scopes: scopes, Administrator: true}
	if narrow := get(&other); narrow == first || strings.Contains(string(narrow.Body), "/api/v1/app2.model_2") ||
		!strings.Contains(string(narrow.Body), "/api/v1/app1.model_1") || strings.Contains(string(narrow.Body), "action_confirm") {
		t.Error("the scopes make no difference")
	}
	for name, change := range map[string]func(*httpapi.DocumentQuery){
		"version": func(q *httpapi.DocumentQuery) { q.Old = true }, "address": func(q *httpapi.DocumentQuery) { q.Server = "https://x" },
		"stranger": func(q *httpapi.DocumentQuery) { q.Who = nil },
	} {
		changed := *q
		if change(&changed); get(&changed).ETag == first.ETag {
			t.Errorf("the %s makes no difference", name)
		}
	}
	r.key = "2"
	r.all.Models = r.all.Models[:1]
	if get(q).ETag == first.ETag {
		t.Error("a change of the registry makes no difference")
	}
	r.err = errors.New("away")
	if _, err := docs.OpenAPI(t.Context(), q); err == nil {
		t.Error("a broken source gives a document")
	}
}

// BenchmarkDocument makes the document of 430 models with 8,000 fields.
func BenchmarkDocument(b *testing.B) {
	docs, q := newDocs(b, newRegistry(430, 8000))
	size := 0
	for b.Loop() {
		doc, err := docs.Document(b.Context(), q)
		if err != nil {
			b.Fatal(err)
		}
		size = len(doc.JSON("3.1.0"))
	}
	b.ReportMetric(float64(size)/1e6, "MB")
}
