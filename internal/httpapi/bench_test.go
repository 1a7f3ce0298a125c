package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/schema"
)

// canned is a backend that answers the same rows to every search, so that a
// benchmark measures the API alone.
type canned struct {
	backend.Backend
	model *schema.Model
	cols  []backend.Column
	rows  [][]backend.Value
}

// newCanned makes records of ten fields, as lists of partners have.
func newCanned() *canned {
	model := schema.Prepare(testModels())[1]
	b := &canned{model: model}
	for _, name := range []string{"id", "name", "email", "phone", "city", "country_id", "is_company", "credit", "moment", "category_id"} {
		b.cols = append(b.cols, backend.Column{Name: name, Field: model.Field(name)})
	}
	for i := range 80 {
		id := int64(i + 1)
		b.rows = append(b.rows, []backend.Value{
			backend.IntValue(id), backend.TextValue(fmt.Sprintf("Customer Company %d", i)),
			backend.TextValue(fmt.Sprintf("info%d@customer.example.com", i)), backend.TextValue("+32 2 555 01 23"),
			backend.TextValue("Sint-Niklaas-Waas"), backend.RefValue(20, "Belgium"), backend.BoolValue(i%2 == 0),
			backend.FloatValue(1234.5 + float64(i)/7),
			{Kind: backend.Datetime, Int: 1_769_855_400_000_000 + id*1e9},
			backend.IDsValue([]int64{1, 2, 3}),
		})
	}
	return b
}

func (b *canned) Model(context.Context, *backend.Caller, string) (*schema.Model, error) {
	return b.model, nil
}

func (b *canned) Search(_ context.Context, _ *backend.Caller, q *backend.Query, sink backend.Sink) (int64, error) {
	rows := b.rows
	if q.IDs != nil {
		rows = rows[:1]
	}
	if err := sink.Columns(b.cols); err != nil {
		return -1, err
	}
	for _, row := range rows {
		if err := sink.Row(row); err != nil {
			return -1, err
		}
	}
	return int64(len(rows)), nil
}

// discard is a connection that swallows the answer.
type discard struct{ header http.Header }

func (w *discard) Header() http.Header         { return w.header }
func (w *discard) WriteHeader(int)             {}
func (w *discard) Write(b []byte) (int, error) { return len(b), nil }

func benchmarkRequest(b *testing.B, path string) {
	h := newHouse(b, func(h *house) { h.deps.Backend, h.deps.Observer = newCanned(), nil })
	h.settings.GlobalRateLimit = 1 << 40
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("X-API-Key", "all")
	w := &discard{http.Header{}}
	a := h.send("all", "GET", path, "").want(200, "")
	b.SetBytes(int64(a.Body.Len()))
	b.ReportAllocs()
	h.limiter.asked = make([]string, 0, 1<<24)
	for b.Loop() {
		clear(w.header)
		h.server.ServeHTTP(w, r)
	}
}

func BenchmarkByID(b *testing.B) { benchmarkRequest(b, "/api/v1/res.partner/1") }

func BenchmarkByIDWithFields(b *testing.B) {
	benchmarkRequest(b, "/api/v1/res.partner/1?fields=name,email,phone,city")
}

func BenchmarkList80x10(b *testing.B) { benchmarkRequest(b, "/api/v1/res.partner?limit=80") }

func BenchmarkCurated(b *testing.B) { benchmarkRequest(b, "/api/v1/customers/1") }

func BenchmarkCuratedList80(b *testing.B) { benchmarkRequest(b, "/api/v1/customers?limit=80") }
