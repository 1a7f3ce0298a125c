package record_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/facts"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
)

// binaryFields adds fields to x_thing.
func (w *world) binaryFields(names ...string) {
	w.Helper()
	model := w.list(as(0), backend.Query{Model: "ir.model", DomainText: `[("model", "=", "x_thing")]`, Fields: []string{"id"}}).IDs()[0]
	for _, name := range names {
		w.create(as(0), "ir.model.fields", backend.Values{"model_id": model, "name": name, "ttype": "binary", "field_description": name})
	}
}

// foreign takes the database of w for a genuine Odoo's: x_file of x_thing is
// attached, x_inline has a column.
func (w *world) foreign() *world {
	w.Helper()
	w.manualModel()
	w.binaryFields("x_file", "x_inline")
	w.run("alter table x_thing add column x_inline bytea")
	w.run("create table decimal_precision (name varchar, digits integer)")
	for _, name := range []string{"a", "b", "c", "d"} {
		w.run("insert into x_thing (x_name, x_active) values ($1, true)", name)
	}
	known, err := facts.Parse("modules base")
	if err != nil {
		w.Fatal(err)
	}
	eng, err := record.Open(w.Context(), w.db, record.Options{Odoo: known})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(eng.Close)
	return &world{w.T, eng, w.db}
}

func (w *world) attach(name, file, away string, size int) {
	w.Helper()
	var bytes any
	if away == "" {
		bytes = []byte(file)
	}
	w.run(`insert into ir_attachment (res_model, res_field, res_id, db_datas, store_fname, file_size)
		select 'x_thing', 'x_file', id, $2, $3, $4 from x_thing where x_name = $1`, name, bytes, nilIfEmpty(away), size)
}

func TestAttachments(t *testing.T) {
	w := open(t, seededPostgres(t)).foreign()
	w.attach("b", "bytes 1", "", 7)
	w.attach("b", "younger", "", 7)
	w.attach("c", strings.Repeat("x", 1536), "", 1536)
	w.run("update x_thing set x_inline = $1 where x_name = 'b'", []byte("Ynl0ZXMgMQ=="))
	long := base64.StdEncoding.EncodeToString(make([]byte, 9000))
	w.run("update x_thing set x_inline = $1 where x_name = 'c'", []byte(long))
	for domain, want := range map[string]string{
		`[("x_file", "=", False)]`:                 "a d",
		`[("x_file", "!=", False)]`:                "b c",
		`[("x_file", "in", [0, False])]`:           "a d",
		`[("x_file", "in", [])]`:                   "",
		`[("x_file", "in", [False, "x"])]`:         "a b c d",
		`[("x_file", "=", "Ynl0ZXMgMQ==")]`:        "a b c d",
		`[("x_file", ">", "a")]`:                   "a b c d",
		`[("x_file", "like", "zz")]`:               "a b c d",
		`[("x_file", "not like", "")]`:             "",
		`[("x_file", "=like", "")]`:                "a d",
		`["!", ("x_file", "not in", [False])]`:     "a d",
		`[("x_inline", "!=", False)]`:              "b c",
		`[("x_inline", "=", False)]`:               "a d",
		`[("x_parent_id.x_file", "!=", False)]`:    "",
		`[("x_child_ids", "any", [("id","=",0)])]`: "",
	} {
		w.equal(domain, w.texts(as(0), "x_thing", domain, "x_name", "x_name"), strings.Fields(want))
	}
	read := func(field string, context backend.Context) []string {
		c := as(0)
		c.Context = context
		return w.texts(c, "x_thing", "[]", field, "x_name")
	}
	w.equal("bytes", read("x_file", backend.Context{})[:2], []string{"", "Ynl0ZXMgMQ=="})
	w.equal("sizes", read("x_file", backend.Context{BinSize: true}), []string{"", "7.00 bytes", "1.50 Kb", ""})
	w.equal("sizes of another field", read("x_file", backend.Context{BinSizes: []string{"x_file"}})[1:2], []string{"Ynl0ZXMgMQ=="})
	w.equal("column", read("x_inline", backend.Context{})[:3], []string{"", "Ynl0ZXMgMQ==", long})
	w.equal("sizes of a column", read("x_inline", backend.Context{BinSize: true}), []string{"", "12 bytes", "12 kB", ""})
	w.equal("sizes by name", read("x_inline", backend.Context{BinSizes: []string{"x_inline"}}), []string{"", "12 bytes", "12 kB", ""})
	for _, domain := range []string{`[("x_inline", "=", "Ynl0ZXMgMQ==")]`, `[("x_inline", ">", "a")]`} {
		_, err := w.eng.Search(w.Context(), as(0), &backend.Query{Model: "x_thing", DomainText: domain}, &backend.Page{})
		var unsure *backend.UnprovableError
		if !errors.As(err, &unsure) {
			w.Errorf("%s: %v", domain, err)
		}
	}
	_, err := w.eng.Search(w.Context(), as(0), &backend.Query{Model: "x_thing", DomainText: `[("x_inline", "like", "a")]`}, &backend.Page{})
	w.want(err, fault.BadRequest, "cannot be searched")
}

// What is in the file store cannot be read here, but its size is known.
func TestFilesElsewhere(t *testing.T) {
	w := open(t, seededPostgres(t)).foreign()
	w.attach("b", "", "ab/abcdef", 20971520)
	read := func(context backend.Context, ids ...int64) (*backend.Page, error) {
		c, page := as(0), &backend.Page{}
		c.Context = context
		q := backend.Query{Model: "x_thing", Fields: []string{"x_file"}, Order: "x_name", IDs: ids}
		_, err := w.eng.Search(w.Context(), c, &q, page)
		return page, err
	}
	_, err := read(backend.Context{})
	var unsure *backend.UnprovableError
	if !errors.As(err, &unsure) || unsure.Subject != "x_thing.x_file" {
		t.Errorf("bytes that are elsewhere: %v", err)
	}
	page, err := read(backend.Context{BinSize: true})
	if err != nil || page.Get(1, "x_file").Text != "20.00 Mb" {
		t.Errorf("%v %v", page.Rows, err)
	}
	if page, err = read(backend.Context{}, page.IDs()[0]); err != nil || page.Get(0, "x_file").Kind != backend.Null {
		t.Errorf("a record without a file: %v %v", page.Rows, err)
	}
	w.equal("set", w.texts(as(0), "x_thing", `[("x_file", "!=", False)]`, "x_name", ""), []string{"b"})
}

// The embedded database keeps base64 text in columns, and says what Odoo would.
func TestEmbeddedFileSizes(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		w.binaryFields("x_file")
		id := w.create(as(0), "x_thing", backend.Values{"x_name": "P", "x_file": "Ynl0ZXMgMQ=="})[0]
		q := backend.Query{Model: "x_thing", IDs: []int64{id}, Fields: []string{"x_file"}}
		if got := w.list(as(0), q).Get(0, "x_file").Text; got != "Ynl0ZXMgMQ==" {
			w.Errorf("bytes: %q", got)
		}
		sized := as(0)
		sized.Context.BinSize = true
		if got := w.list(sized, q).Get(0, "x_file").Text; got != "7.00 bytes" {
			w.Errorf("size: %q", got)
		}
	})
}
