package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"gatehouse/internal/fault"
)

// newWireServer serves over a real connection.
func newWireServer(t *testing.T, handler http.Handler) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func TestGetRecord(t *testing.T) {
	h := newHouse(t)
	h.send("read", "GET", "/api/v1/res.partner/2?fields=name,country_id,parent_id,date,credit,child_ids,active,moment", "").want(200,
		`{"success":true,"data":{"id":2,"name":"Ann 100%","country_id":null,"parent_id":{"id":1,"name":"Acme Corp"},`+
			`"date":"2026-01-31","credit":12.35,"child_ids":[],"active":true,"moment":null}}`)
	h.send("read", "GET", "/api/v1/res.partner/2?fields=name,parent_id,moment&values=odoo", "").want(200,
		`{"success":true,"data":{"id":2,"name":"Ann 100%","parent_id":[1,"Acme Corp"],"moment":false}}`)
	h.send("read", "GET", "/api/v1/res.partner/99", "").wantError(404, fault.NotFound, "Record res.partner(99) does not exist")
	h.send("read", "GET", "/api/v1/res.partnr/1", "").wantError(404, fault.NotFound, "Unknown model: res.partnr. Did you mean res.partner?")
	data, _, _ := h.send("read", "GET", "/api/v1/res.partner/1", "").want(200, "").success()
	record := data.(map[string]any)
	if _, shown := record["image"]; shown || record["email"] != "info@acme.example" {
		t.Errorf("%v", record)
	}
	if _, shown := record["password"]; shown {
		t.Error("a secret field is shown")
	}
}

func TestListRecords(t *testing.T) {
	h := newHouse(t)
	h.send("read", "GET", "/api/v1/res.partner?fields=name", "").want(200,
		`{"success":true,"data":[{"id":1,"name":"Acme Corp"},{"id":2,"name":"Ann 100%"}],"meta":{"total":2,"limit":80,"offset":0,"count":2,"next_cursor":null}}`)
	h.send("read", "GET", "/api/v1/res.partner?fields=id&limit=1&offset=1&order=id+desc", "").want(200,
		`{"success":true,"data":[{"id":1}],"meta":{"total":2,"limit":1,"offset":1,"count":1,"next_cursor":null}}`)
	h.send("read", "GET", "/api/v1/res.partner?fields=id&domain=[('is_company','=',True)]&count=none", "").want(200,
		`{"success":true,"data":[{"id":1}],"meta":{"total":null,"limit":80,"offset":0,"count":1,"next_cursor":null}}`)
	h.send("read", "GET", `/api/v1/res.partner?fields=["id"]&domain=[["name","=","nobody"]]`, "").want(200,
		`{"success":true,"data":[],"meta":{"total":0,"limit":80,"offset":0,"count":0,"next_cursor":null}}`)
	a := h.send("read", "GET", "/api/v1/res.partner?domain=[('a'", "").want(400, "")
	if e := a.error(); !strings.Contains(e.Message, "position") {
		t.Errorf("%s", e.Message)
	}
	h.send("read", "GET", "/api/v1/res.partner?limit=100000&fields=id", "").want(200,
		`{"success":true,"data":[{"id":1},{"id":2}],"meta":{"total":2,"limit":1000,"offset":0,"count":2,"next_cursor":null}}`)
}

func TestContextReachesTheBackend(t *testing.T) {
	h := newHouse(t)
	h.send("read", "GET", "/api/v1/res.partner?lang=fr_FR&tz=Europe/Brussels&company_ids=2,1&active_test=false", "").want(200, "")
	c := h.backend.caller.Context
	if c.Lang != "fr_FR" || c.TZ != "Europe/Brussels" || !slices.Equal(c.CompanyIDs, []int64{2, 1}) || !c.KeepArchived {
		t.Errorf("%+v", c)
	}
	h.send("read", "GET", "/api/v1/res.partner", "").want(200, "")
	if c := h.backend.caller.Context; !reflect.DeepEqual(c, h.backend.caller.Context) || c.KeepArchived || c.Lang != "" {
		t.Errorf("%+v: what another request left", c)
	}
}

func TestCreate(t *testing.T) {
	h := newHouse(t)
	a := h.send("all", "POST", "/api/v1/res.partner", `{"name": "New \"Co\"", "country_id": {"id": 1}, "moment": "2026-01-31T12:00:00+02:00"}`)
	a.want(201, `{"success":true,"data":{"id":3},"message":"Record created successfully"}`)
	if got := a.header("Location"); got != "/api/v1/res.partner/3" {
		t.Errorf("Location %q", got)
	}
	h.send("all", "GET", "/api/v1/res.partner/3?fields=name,country_id,moment,active", "").want(200,
		`{"success":true,"data":{"id":3,"name":"New \"Co\"","country_id":{"id":1,"name":"Belgium"},"moment":"2026-01-31T10:00:00Z","active":true}}`)

	h.send("all", "POST", "/api/v1/res.partner?fields=name,active", `{"name": "Other"}`).want(201,
		`{"success":true,"data":{"id":4,"name":"Other","active":true},"message":"Record created successfully"}`)

	a = h.send("all", "POST", "/api/v1/res.partner", `[{"name": "A"}, {"name": "B"}]`)
	a.want(201, `{"success":true,"data":[{"id":5},{"id":6}],"message":"2 records created successfully"}`)
	if got := a.header("Location"); got != "" {
		t.Errorf("Location %q", got)
	}
	h.send("all", "POST", "/api/v1/res.partner?fields=name", `[{"name": "C"}]`).want(201,
		`{"success":true,"data":[{"id":7,"name":"C"}],"message":"1 records created successfully"}`)

	h.send("all", "POST", "/api/v1/res.partner", `{}`).wantError(400, fault.BadRequest, "Missing required field: name")
	h.send("all", "POST", "/api/v1/res.partner", `[{"name": "A"}, {"name": "B", "colour": 1}]`).
		wantError(400, fault.BadRequest, "Unknown field: [1].colour. Did you mean color?")
	h.send("all", "POST", "/api/v1/res.partner", `[]`).wantError(400, fault.BadRequest, "The list of records is empty")
	h.send("all", "POST", "/api/v1/res.partner", `[1]`).wantError(400, fault.BadRequest, "Invalid JSON body")
	h.send("all", "POST", "/api/v1/res.partner", "[{}"+strings.Repeat(",{}", 10_000)+"]").
		wantError(400, fault.BadRequest, "The list has more than 10000 records")
	before := len(h.backend.rows["res.partner"])
	h.send("all", "POST", "/api/v1/res.partner?fields=nme", `{"name": "x"}`).wantError(400, fault.BadRequest, "Unknown field: nme. Did you mean name?")
	h.send("all", "POST", "/api/v1/res.partner?fields=password", `{"name": "x"}`).wantError(400, fault.BadRequest, "Unknown field: password")
	if after := len(h.backend.rows["res.partner"]); after != before {
		t.Errorf("%d records were made for an answer that could not be given", after-before)
	}
}

// TestCreateWhatOneMayNotRead: the record is made, so the answer is no error.
func TestCreateWhatOneMayNotRead(t *testing.T) {
	h := newHouse(t)
	h.backend.fail = func(operation, _ string) error {
		if operation == "search" {
			return fault.New(fault.Forbidden, "Not for you")
		}
		return nil
	}
	h.send("all", "POST", "/api/v1/res.partner?fields=name", `{"name": "x"}`).want(201, `{"success":true,"data":{"id":3},"message":"Record created successfully"}`)
	h.send("all", "POST", "/api/v1/res.partner?fields=name", `[{"name": "x"}]`).want(201, `{"success":true,"data":[{"id":4}],"message":"1 records created successfully"}`)
	h.send("all", "PUT", "/api/v1/res.partner/1?fields=name", `{"name": "x"}`).want(200, `{"success":true,"data":{"id":1},"message":"Record updated successfully"}`)
	h.send("all", "POST", "/api/v1/customers", `{"name": "x"}`).want(201, `{"success":true,"data":{"id":5},"message":"Customer created successfully"}`)
	h.send("all", "GET", "/api/v1/res.partner/1", "").wantError(403, fault.Forbidden, "Not for you")
}

func TestOneTimeSecrets(t *testing.T) {
	h := newHouse(t)
	h.send("all", "POST", "/api/v1/gateway.key", `{"name": "x"}`).want(201,
		`{"success":true,"data":{"id":2,"key":"secret-2"},"message":"Record created successfully"}`)
	h.send("all", "POST", "/api/v1/gateway.key?fields=name", `{"name": "x"}`).want(201,
		`{"success":true,"data":{"id":3,"name":"x","key":"secret-3"},"message":"Record created successfully"}`)
	h.send("all", "POST", "/api/v1/gateway.key", `[{"name": "x"}, {"name": "y"}]`).want(201,
		`{"success":true,"data":[{"id":4,"key":"secret-4"},{"id":5,"key":"secret-5"}],"message":"2 records created successfully"}`)
	h.send("all", "POST", "/api/v1/gateway.key?fields=name", `[{"name": "x"}, {"name": "y"}]`).want(201,
		`{"success":true,"data":[{"id":6,"name":"x","key":"secret-6"},{"id":7,"name":"y","key":"secret-7"}],"message":"2 records created successfully"}`)
	h.send("all", "GET", "/api/v1/gateway.key/7?fields=name", "").want(200, `{"success":true,"data":{"id":7,"name":"y"}}`)
}

func TestWriteAndDelete(t *testing.T) {
	h := newHouse(t)
	h.send("all", "PUT", "/api/v1/res.partner/2", `{"name": "Anna", "color": 5, "category_id": [1]}`).want(200,
		`{"success":true,"data":{"id":2},"message":"Record updated successfully"}`)
	h.send("all", "PATCH", "/api/v1/res.partner/2?fields=name,color,category_id", `{"email": "anna@acme.example"}`).want(200,
		`{"success":true,"data":{"id":2,"name":"Anna","color":5,"category_id":[1]},"message":"Record updated successfully"}`)
	h.send("all", "PUT", "/api/v1/res.partner/2", `{}`).want(200, "")
	h.send("all", "PUT", "/api/v1/res.partner/2", `[{"name": "x"}]`).wantError(400, fault.BadRequest, "Invalid JSON body")
	h.send("all", "PUT", "/api/v1/res.partner/99", `{"name": "x"}`).wantError(404, fault.NotFound, "Record res.partner(99) does not exist")
	h.send("all", "PUT", "/api/v1/res.partner/2?fields=zzzzz", `{"name": "x"}`).wantError(400, fault.BadRequest, "Unknown field: zzzzz")
	h.send("all", "DELETE", "/api/v1/res.partner/2", "").want(200, `{"success":true,"data":{"id":2},"message":"Record deleted successfully"}`)
	h.send("all", "DELETE", "/api/v1/res.partner/2", "").wantError(404, fault.NotFound, "Record res.partner(2) does not exist")
	h.send("all", "GET", "/api/v1/res.partner/2", "").want(404, "")
}

func TestMethods(t *testing.T) {
	h := newHouse(t)
	id := h.backend.put("sale.order", map[string]any{"partner_id": int64(1), "state": "draft"})
	h.send("all", "POST", fmt.Sprintf("/api/v1/sale.order/%d/action_confirm", id), "").want(200,
		`{"success":true,"data":true,"message":"Method action_confirm called successfully"}`)
	if h.backend.rows["sale.order"][id]["state"] != "sale" {
		t.Error("the method did not run")
	}
	h.send("all", "POST", "/api/v1/res.partner/1/echo?lang=fr_FR", `{"a": 1.50, "b": [true]}`).want(200,
		`{"success":true,"data":{"args":{"a":1.50,"b":[true]},"ids":[1]},"message":"Method echo called successfully"}`)
	if h.backend.caller.Context.Lang != "fr_FR" {
		t.Error("the context did not arrive")
	}
	h.send("all", "POST", "/api/v1/res.partner/echo", `{"ids": [1, 2], "x": "<&>"}`).want(200,
		`{"success":true,"data":{"args":{"x":"<&>"},"ids":[1,2]},"message":"Method echo called successfully"}`)
	h.send("all", "POST", "/api/v1/res.partner/echo", "").want(200,
		`{"success":true,"data":{"args":{},"ids":null},"message":"Method echo called successfully"}`)
	h.send("all", "POST", "/api/v1/res.partner/1/nothing", "").wantError(404, fault.NotFound, "The model res.partner has no public method nothing")
	h.send("all", "POST", "/api/v1/res.partner/99/echo", "").want(404, "")
	h.send("all", "POST", "/api/v1/res.partner/1/_write", "").wantError(403, fault.Forbidden, "Private methods cannot be called: _write")
	h.send("all", "POST", "/api/v1/res.partner/_write", "").wantError(403, fault.Forbidden, "Private methods cannot be called: _write")
	h.send("all", "POST", "/api/v1/res.partner/a-b", "").wantError(404, fault.NotFound, "No such method: a-b")
	h.send("all", "POST", "/api/v1/res.partner/1/echo", "[1]").wantError(400, fault.BadRequest, "Invalid JSON body")
	h.send("all", "POST", "/api/v1/res.partner/echo", `{"ids": 5}`).wantError(400, fault.BadRequest, "ids must be a list of ids")
	h.send("all", "POST", "/api/v1/res.partner/echo", `{"ids": [0]}`).wantError(400, fault.BadRequest, "ids must be a list of ids")
	h.send("read", "POST", "/api/v1/res.partner/1/echo", "").wantError(403, fault.Forbidden, "Missing scope: write")
}

func TestBodies(t *testing.T) {
	h := newHouse(t, func(h *house) { h.deps.MaxBody = 1000 })
	for _, kind := range []string{"application/json", "application/json; charset=utf-8", "Application/JSON", "application/vnd.api+json"} {
		h.send("all", "POST", "/api/v1/res.partner", `{"name": "x"}`, "Content-Type", kind).want(201, "")
	}
	for _, kind := range []string{"application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "json", "text/x+json", ";", "application/json;;;="} {
		h.send("all", "POST", "/api/v1/res.partner", `{"name": "x"}`, "Content-Type", kind).
			wantError(415, fault.UnsupportedMedia, "Content-Type must be application/json")
	}
	r := httptest.NewRequest(http.MethodPost, "/api/v1/res.partner", strings.NewReader(`{"name": "x"}`))
	r.Header.Set("X-API-Key", "all")
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	if w.Code != 201 {
		t.Errorf("no Content-Type: %d %s", w.Code, w.Body)
	}
	h.send("all", "POST", "/api/v1/res.partner", `{"name": "x"}`, "Content-Encoding", "gzip").
		wantError(415, fault.UnsupportedMedia, "Content-Encoding gzip is not understood: send the body as it is")

	exact := `{"name": "` + strings.Repeat("x", 1000-12) + `"}`
	h.send("all", "POST", "/api/v1/res.partner", exact).want(201, "")
	a := h.send("all", "POST", "/api/v1/res.partner", exact+" ").wantError(413, fault.TooLarge, "The body is larger than 1000 bytes")
	if a.header("Connection") != "close" {
		t.Error("the rest of a body that is too large would be read")
	}
	// Without a length, the limit is found while reading.
	r = httptest.NewRequest(http.MethodPost, "/api/v1/res.partner", strings.NewReader(exact+" "))
	r.ContentLength = -1
	r.Header.Set("X-API-Key", "all")
	w = httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	answer{w, t}.wantError(413, fault.TooLarge, "The body is larger than 1000 bytes")
	// And one that breaks off is the caller's fault.
	r = httptest.NewRequest(http.MethodPost, "/api/v1/res.partner", brokenBody{})
	r.Header.Set("X-API-Key", "all")
	w = httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	answer{w, t}.wantError(400, fault.BadRequest, "The body could not be read to its end")
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, fmt.Errorf("connection reset") }

// TestConcurrentAnswersDoNotMix runs many requests through the pooled buffers.
func TestConcurrentAnswersDoNotMix(t *testing.T) {
	h := newHouse(t)
	for i := 3; i < 40; i++ {
		h.backend.put("res.partner", map[string]any{"name": strings.Repeat(fmt.Sprint(i%10), i*50), "active": true})
	}
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 100 {
				id := 3 + (i*7+worker)%37
				path := fmt.Sprintf("/api/v1/%s/%d", []string{"res.partner", "customers"}[i%2], id)
				a := h.send("all", "GET", path, "", "X-Request-Id", fmt.Sprint(worker, ":", i))
				var got struct {
					Data struct {
						ID   int
						Name string
					}
				}
				if err := json.Unmarshal(a.Body.Bytes(), &got); err != nil || got.Data.ID != id || got.Data.Name != strings.Repeat(fmt.Sprint(id%10), id*50) {
					t.Errorf("%s: %v %s", path, err, a.Body)
					return
				}
			}
		})
	}
	all.Wait()
}
