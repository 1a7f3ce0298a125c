package record_test

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/business"
	"gatehouse/internal/business/businesstest"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// seeded is what the tests start from.
var seeded = businesstest.Seeded()

func TestMain(m *testing.M) { os.Exit(sqltest.With(m, seeded).Run()) }

// world is an engine on the built-in models with base data.
type world struct {
	*testing.T
	eng *record.Engine
	db  sqldb.DB
}

// onBoth runs a test on both stores, each with its own fresh database.
func onBoth(t *testing.T, fn func(w *world)) {
	t.Helper()
	seeded.Each(t, func(t *testing.T, db sqldb.DB) { fn(open(t, db)) })
}

func open(t *testing.T, db sqldb.DB, more ...*schema.Model) *world {
	t.Helper()
	plainHash := func(s string) (string, error) { return "test$" + s, nil }
	eng, err := record.Open(context.Background(), db, record.Options{
		Models: append(business.Models(), more...), Logics: business.Logics(business.Options{HashPassword: plainHash}),
	})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(eng.Close)
	if err := eng.Sudo(context.Background(), business.Seed); err != nil {
		t.Fatalf("seed: %v", err)
	}
	return &world{t, eng, db}
}

func seededPostgres(t *testing.T) sqldb.DB {
	t.Helper()
	db, _ := seeded.Open(t, "postgres")
	return db
}

// as is a caller for a user id; 0 is the superuser.
func as(uid int64) *backend.Caller {
	if uid == 0 {
		return &backend.Caller{UserID: 1, Superuser: true}
	}
	return &backend.Caller{UserID: uid}
}

func (w *world) create(c *backend.Caller, model string, values ...backend.Values) []int64 {
	w.Helper()
	created, err := w.eng.Create(context.Background(), c, model, values)
	if err != nil {
		w.Fatalf("create %s: %v", model, err)
	}
	return created.IDs
}

func (w *world) write(c *backend.Caller, model string, id int64, values backend.Values) {
	w.Helper()
	if err := w.eng.Write(context.Background(), c, model, []int64{id}, values); err != nil {
		w.Fatalf("write %s: %v", model, err)
	}
}

// list searches and gives the page.
func (w *world) list(c *backend.Caller, q backend.Query) *backend.Page {
	w.Helper()
	page := &backend.Page{}
	if _, err := w.eng.Search(context.Background(), c, &q, page); err != nil {
		w.Fatalf("search %s %s: %v", q.Model, q.DomainText, err)
	}
	return page
}

// texts gives one column of a search.
func (w *world) texts(c *backend.Caller, model, domain, field, order string) []string {
	w.Helper()
	page := w.list(c, backend.Query{Model: model, DomainText: domain, Fields: []string{field}, Order: order})
	out := []string{}
	for i := range page.Rows {
		out = append(out, page.Get(i, field).Text)
	}
	return out
}

func (w *world) want(err error, kind fault.Kind, part string) {
	w.Helper()
	if err == nil {
		w.Errorf("no error, want %s with %q", kind, part)
		return
	}
	f := fault.From(err)
	if f.Kind != kind || !strings.Contains(f.Message, part) {
		w.Errorf("error %s %q (cause %v), want %s with %q", f.Kind, f.Message, f.Cause, kind, part)
	}
}

func (w *world) equal(what string, got, want []string) {
	w.Helper()
	if !slices.Equal(got, want) {
		w.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// manualModel makes a model with fields of all kinds, as a user would.
func (w *world) manualModel() {
	w.Helper()
	su := as(0)
	model := w.create(su, "ir.model", backend.Values{"model": "x_thing", "name": "Thing"})[0]
	tag := w.create(su, "ir.model", backend.Values{"model": "x_tag", "name": "Tag"})[0]
	field := func(model int64, name, ttype string, more backend.Values) {
		values := backend.Values{"model_id": model, "name": name, "ttype": ttype, "field_description": name}
		for k, v := range more {
			values[k] = v
		}
		w.create(su, "ir.model.fields", values)
	}
	field(model, "x_int", "integer", nil)
	field(model, "x_float", "float", nil)
	field(model, "x_bool", "boolean", nil)
	field(model, "x_char", "char", nil)
	field(model, "x_label", "char", backend.Values{"translate": "standard"})
	field(model, "x_date", "date", nil)
	field(model, "x_when", "datetime", nil)
	field(model, "x_kind", "selection", backend.Values{"selection_ids": []any{
		map[string]any{"value": "a", "name": "Alpha"}, map[string]any{"value": "b", "name": "Beta"},
	}})
	field(model, "x_partner_id", "many2one", backend.Values{"relation": "res.partner"})
	field(model, "x_parent_id", "many2one", backend.Values{"relation": "x_thing"})
	field(model, "x_child_ids", "one2many", backend.Values{"relation": "x_thing", "relation_field": "x_parent_id"})
	field(model, "x_tag_ids", "many2many", backend.Values{"relation": "x_tag"})
	field(model, "x_active", "boolean", nil)
	_ = tag
}

func nullNumbers(tx sqldb.Tx) error {
	_, err := tx.Exec(context.Background(), "update x_thing set x_int = null, x_bool = null, x_float = null where x_name = 'd'")
	return err
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
