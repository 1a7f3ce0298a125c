package odoocall_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/business"
	"gatehouse/internal/business/businesstest"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoocall"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// seeded is what the tests start from.
var seeded = businesstest.Seeded()

func TestMain(m *testing.M) { os.Exit(sqltest.With(m, seeded).Run()) }

// house is an engine on the built-in models with base data, called as Odoo is.
type house struct {
	*testing.T
	eng *record.Engine
}

// onBoth runs a test on both stores, each with its own fresh database.
func onBoth(t *testing.T, fn func(h *house)) {
	t.Helper()
	seeded.Each(t, func(t *testing.T, db sqldb.DB) {
		plainHash := func(s string) (string, error) { return "test$" + s, nil }
		eng, err := record.Open(context.Background(), db, record.Options{
			Models: business.Models(), Logics: business.Logics(business.Options{HashPassword: plainHash}),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(eng.Close)
		if err := eng.Sudo(context.Background(), business.Seed); err != nil {
			t.Fatal(err)
		}
		fn(&house{t, eng})
	})
}

// call runs a method as the administrator; kwargs are JSON.
func (h *house) call(model, method, kwargs string) (any, error) {
	h.Helper()
	d := json.NewDecoder(bytes.NewReader([]byte(kwargs)))
	d.UseNumber()
	args := map[string]any{}
	if err := d.Decode(&args); err != nil {
		h.Fatalf("%s: %v", kwargs, err)
	}
	return odoocall.Call(context.Background(), h.eng, &backend.Caller{UserID: 2}, model, method, args)
}

// want compares a result with JSON.
func (h *house) want(model, method, kwargs, want string) {
	h.Helper()
	got, err := h.call(model, method, kwargs)
	if err != nil {
		h.Errorf("%s.%s(%s): %v", model, method, kwargs, err)
		return
	}
	text, err := json.Marshal(got)
	if err != nil {
		h.Fatal(err)
	}
	var a, b any
	if err := json.Unmarshal(text, &a); err != nil {
		h.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		h.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		h.Errorf("%s.%s(%s):\ngot  %s\nwant %s", model, method, kwargs, text, want)
	}
}

func (h *house) refused(model, method, kwargs string, kind fault.Kind) {
	h.Helper()
	got, err := h.call(model, method, kwargs)
	if err == nil {
		h.Errorf("%s.%s(%s): got %v, want %s", model, method, kwargs, got, kind)
		return
	}
	if f := fault.From(err); f.Kind != kind {
		h.Errorf("%s.%s(%s): %v, want %s", model, method, kwargs, err, kind)
	}
}

func TestReads(t *testing.T) {
	onBoth(t, func(h *house) {
		h.want("res.lang", "search_count", `{"domain":[]}`, `1`)
		h.want("res.lang", "search", `{"domain":[["code","=","en_US"]]}`, `[1]`)
		h.want("res.lang", "search", `{"domain":[["code","=","xx"]]}`, `[]`)
		h.want("res.lang", "search_count", `{"domain":[], "limit": 5}`, `1`)
		h.want("res.lang", "search_read", `{"fields":["code","active"], "limit": "1", "order":"id"}`,
			`[{"id":1,"code":"en_US","active":true}]`)
		h.want("res.country", "search_read", `{"domain":[["code","=","BE"]],"fields":["name","currency_id","create_date"],"limit":1.0}`,
			`[{"id":`+h.id("res.country", "BE")+`,"name":"Belgium","currency_id":[`+h.id("res.currency", "EUR")+`,"EUR"],"create_date":`+h.made("res.country", "BE")+`}]`)
		h.want("res.country", "search_read", `{"domain":[["code","=","BE"]],"fields":["currency_id"],"load":null}`,
			`[{"id":`+h.id("res.country", "BE")+`,"currency_id":`+h.id("res.currency", "EUR")+`}]`)
		h.want("res.country", "name_search", `{"name":"belgi"}`, `[[`+h.id("res.country", "BE")+`,"Belgium"]]`)
		h.want("res.country", "name_search", `{"name":"nowhere"}`, `[]`)
		for _, none := range []string{`"ids":[],`, `"ids":false,`, ``} {
			h.want("res.country", "read", `{`+none+`"fields":["code"]}`, `[]`)
			h.refused("res.country", "read", `{`+none+`"fields":["codes"]}`, fault.BadRequest)
		}
		h.want("res.partner", "has_access", `{"ids":[],"operation":"write"}`, `true`)
		h.want("ir.model", "has_access", `{"operation":"read"}`, `true`)
		h.want("ir.model", "check_access_rights", `{"operation":"read"}`, `true`)
		h.refused("no.such", "check_access_rights", `{"operation":"read","raise_exception":false}`, fault.NotFound)
		h.want("res.users", "context_get", `{}`, `{"lang":"en_US","tz":false,"uid":2}`)
		h.refused("res.partner", "context_get", `{}`, fault.NotFound)
	})
}

func (h *house) id(model, code string) string {
	h.Helper()
	field := map[string]string{"res.currency": "name"}[model]
	if field == "" {
		field = "code"
	}
	got, err := h.call(model, "search", `{"domain":[["`+field+`","=","`+code+`"]],"context":{"active_test":false}}`)
	if err != nil || len(got.([]int64)) != 1 {
		h.Fatalf("%s %s: %v, %v", model, code, got, err)
	}
	text, err := json.Marshal(got.([]int64)[0])
	if err != nil {
		h.Fatal(err)
	}
	return string(text)
}

// made is when a record was made, as Odoo writes it.
func (h *house) made(model, code string) string {
	h.Helper()
	got, err := h.call(model, "search_read", `{"domain":[["code","=","`+code+`"]],"fields":["create_date"]}`)
	if err != nil {
		h.Fatal(err)
	}
	var rows []struct {
		Date string `json:"create_date"`
	}
	if err := json.Unmarshal(got.(json.RawMessage), &rows); err != nil || len(rows) != 1 || len(rows[0].Date) != len("2026-01-31 10:30:00") {
		h.Fatalf("create_date: %s, %v", got, err)
	}
	return `"` + rows[0].Date + `"`
}

func TestReadByID(t *testing.T) {
	onBoth(t, func(h *house) {
		be, fr := h.id("res.country", "BE"), h.id("res.country", "FR")
		h.want("res.country", "read", `{"ids":[`+fr+`,`+be+`,`+fr+`],"fields":["code"]}`,
			`[{"id":`+fr+`,"code":"FR"},{"id":`+be+`,"code":"BE"},{"id":`+fr+`,"code":"FR"}]`)
		h.want("res.country", "read", `{"ids":`+be+`,"fields":["code"]}`, `[{"id":`+be+`,"code":"BE"}]`)
		h.want("res.country", "read", `{"ids":[987654,`+be+`,99999999999,-1],"fields":["code"]}`, `[{"id":`+be+`,"code":"BE"}]`)
		h.want("res.country", "read", `{"ids":["1"],"fields":["code"]}`, `[]`)
		h.want("res.country", "read", `{"fields":["code"]}`, `[]`)
		h.want("res.country", "read", `{"ids":[0,false],"fields":["code","state_ids"]}`,
			`[{"id":0,"code":false,"state_ids":[]},{"id":false,"code":false,"state_ids":[]}]`)
		h.refused("res.country", "read", `{"ids":["a"],"fields":["code"]}`, fault.BadRequest)
		h.refused("res.country", "read", `{"ids":[true],"fields":["code"]}`, fault.BadRequest)
		h.refused("res.country", "read", `{"ids":[1],"fields":["nosuch"]}`, fault.BadRequest)
	})
}

func TestRefusals(t *testing.T) {
	onBoth(t, func(h *house) {
		h.refused("res.country", "search", `{}`, fault.Unprocessable)
		h.refused("res.country", "search", `{"domain":[],"nosuch":1}`, fault.Unprocessable)
		h.refused("res.country", "search", `{"domain":[],"ids":[1]}`, fault.Unprocessable)
		h.refused("res.country", "search", `{"domain":[["code","="]]}`, fault.BadRequest)
		h.refused("res.country", "search", `{"domain":[],"limit":-1}`, fault.BadRequest)
		h.refused("res.country", "search", `{"domain":[],"limit":"many"}`, fault.BadRequest)
		h.refused("res.country", "search", `{"domain":[],"context":5}`, fault.BadRequest)
		h.refused("res.country", "search", `{"domain":[],"context":{"allowed_company_ids":1}}`, fault.BadRequest)
		h.refused("res.country", "has_access", `{"operation":"fly"}`, fault.BadRequest)
		h.refused("res.country", "_search", `{}`, fault.Forbidden)
		h.refused("res.country", "sudo", `{}`, fault.Forbidden)
		h.refused("res.country", "nosuch", `{}`, fault.NotFound)
		h.refused("no.such", "search", `{"domain":[]}`, fault.NotFound)
	})
}

// Companies and languages that do not hold matter only where they are used.
func TestContext(t *testing.T) {
	onBoth(t, func(h *house) {
		h.want("res.lang", "search_count", `{"domain":[],"context":{"allowed_company_ids":[99]}}`, `1`)
		h.want("res.lang", "search_count", `{"domain":[],"context":{"allowed_company_ids":["x"],"lang":"xx_XX","tz":"No/Where"}}`, `1`)
		h.refused("res.company", "search", `{"domain":[],"context":{"allowed_company_ids":[99]}}`, fault.Forbidden)
		h.refused("res.company", "search", `{"domain":[],"context":{"allowed_company_ids":"1"}}`, fault.Forbidden)
		h.refused("res.country", "search", `{"domain":[["name","=","x"]],"context":{"lang":"xx_XX"}}`, fault.Unprocessable)
		h.refused("res.country", "create", `{"vals_list":{"name":"X","code":"X1"},"context":{"lang":"xx_XX"}}`, fault.Unprocessable)
		h.want("res.country", "search_count", `{"domain":[["name","=","x"]],"context":{"lang":false}}`, `0`)
	})
}

func TestWrites(t *testing.T) {
	onBoth(t, func(h *house) {
		got, err := h.call("res.partner", "create", `{"vals_list":[{"name":"A"},{"name":"B"}]}`)
		ids, ok := got.([]int64)
		if err != nil || !ok || len(ids) != 2 {
			h.Fatalf("create: %v, %v", got, err)
		}
		one, err := json.Marshal(ids[:1])
		if err != nil {
			h.Fatal(err)
		}
		h.want("res.partner", "write", `{"ids":`+string(one)+`,"vals":{"name":"C"}}`, `true`)
		h.want("res.partner", "search_read", `{"domain":[["id","in",`+string(one)+`]],"fields":["name"],"load":""}`,
			`[{"id":`+string(one[1:len(one)-1])+`,"name":"C"}]`)
		h.want("res.partner", "unlink", `{"ids":`+string(one)+`}`, `true`)
		h.want("res.partner", "search_count", `{"domain":[["id","in",`+string(one)+`]]}`, `0`)
		h.refused("res.partner", "write", `{"ids":`+string(one)+`,"vals":[]}`, fault.BadRequest)
		h.refused("res.partner", "create", `{"vals_list":"x"}`, fault.BadRequest)
	})
}
