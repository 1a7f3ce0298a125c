package httpapi_test

import (
	"net/http"
	"os"
	"sync"
	"testing"

	"gatehouse/internal/apidoc"
	"gatehouse/internal/apidoc/apidoctest"
	"gatehouse/internal/backend"
	"gatehouse/internal/httpapi"
)

// Every answer in the tests of this package must be as the API document says.
func TestMain(m *testing.M) {
	var mu sync.Mutex
	checkers := map[string]*apidoctest.Checker{} // by document
	httpapi.Contract = func(t testing.TB, s *httpapi.Server, b httpapi.CatalogueOf) http.Handler {
		t.Helper()
		docs, err := apidoc.New(apidoc.Options{Source: b, Version: "test", Superuser: &backend.Caller{Superuser: true, Admin: true}})
		if err != nil {
			t.Fatal(err)
		}
		file, err := docs.OpenAPI(t.Context(), &httpapi.DocumentQuery{
			Routes: s.Routes(), Resources: s.Resources(), Server: "http://example.com", Old: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		defer mu.Unlock()
		c := checkers[file.ETag]
		if c == nil {
			if c, err = apidoctest.New(file.Body); err != nil {
				t.Fatal(err)
			}
			checkers[file.ETag] = c
		}
		return c.Wrap(t, s)
	}
	os.Exit(m.Run())
}
