package record_test

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

const shelfDefinition = `[
	{"name": "aa", "type": "char", "string": "Colour", "default": "red"},
	{"name": "bb", "type": "integer", "string": "Weight"},
	{"name": "cc", "type": "boolean", "string": "Fragile"},
	{"name": "gg", "type": "selection", "string": "Size", "selection": [["s", "Small"], ["l", "Large"]]},
	{"name": "hh", "type": "tags", "string": "Labels", "tags": [["hot", "Hot", 1], ["new", "New", 2]]},
	{"name": "ii", "type": "many2one", "string": "Maker", "comodel": "res.country", "domain": "[('nosuch', '=', 1)]"},
	{"name": "jj", "type": "many2many", "string": "Dealers", "comodel": "res.country", "default": [2, 999999]},
	{"name": "kk", "type": "many2one", "comodel": "no.such", "domain": "[]"},
	{"name": "", "type": "char"}
]`

var shelfValues = map[string]string{
	"a": `{"aa": "blue", "bb": 3, "cc": true, "gg": "l", "hh": ["hot"], "ii": 3, "jj": [3, 2, 3, 999999]}`,
	"b": `{"aa": false, "bb": 0, "cc": false, "gg": "gone", "hh": ["hot", "old", "new"], "ii": 999999, "jj": false}`,
	"c": `{"aa": "100%", "bb": -7, "kk": 1}`,
	"d": ``,
}

// onShelves runs a test on things that lie on a shelf, which describes them.
func onShelves(t *testing.T, fn func(w *world)) {
	t.Helper()
	models := []*schema.Model{
		{Name: "test.shelf", Label: "Shelf", Fields: []*schema.Field{
			schema.NewChar("name", "Name"), schema.NewPropertiesDefinition("described", "Described"),
		}},
		{Name: "test.thing", Label: "Thing", Fields: []*schema.Field{
			schema.NewChar("name", "Name"), schema.NewMany2one("shelf_id", "Shelf", "test.shelf"),
			schema.NewProperties("props", "Properties", "shelf_id.described"), schema.NewJSON("extra", "Extra"),
		}},
		{Name: "test.box", Label: "Box", Inherits: []schema.Inherit{{Model: "test.thing", Field: "thing_id"}}, Fields: []*schema.Field{
			schema.NewMany2one("thing_id", "Thing", "test.thing").Req(), schema.NewChar("name", "Name").RelatedTo("thing_id", "name"),
			schema.NewProperties("props", "Properties", "").RelatedTo("thing_id", "props"),
		}},
	}
	seeded.Each(t, func(t *testing.T, db sqldb.DB) {
		w := open(t, db, models...)
		w.run("insert into test_shelf (id, name, described) values (1, 'S', "+db.Dialect().JSONValue("$1")+")", shelfDefinition)
		for name, values := range shelfValues {
			id := int64(name[0]-'a') + 1
			w.run("insert into test_thing (id, name, shelf_id, props) values ($1, $2, 1, "+db.Dialect().JSONValue("$3")+")",
				id, name, nilIfEmpty(values))
			w.run("insert into test_box (id, thing_id) values ($1, $1)", id)
		}
		w.run("insert into test_thing (id, name, props) values (5, 'e', " + db.Dialect().JSONValue(`'{"aa": "blue"}'`) + ")")
		fn(w)
	})
}

func nilIfEmpty(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (w *world) run(sql string, args ...any) {
	w.Helper()
	err := w.db.Write(context.Background(), func(tx sqldb.Tx) error {
		_, err := tx.Exec(context.Background(), sql, args...)
		return err
	})
	if err != nil {
		w.Fatalf("%s: %v", sql, err)
	}
}

func TestPropertyConditions(t *testing.T) {
	onShelves(t, func(w *world) {
		for domain, want := range map[string]string{
			`[("props.aa", "=", "blue")]`:                             "a e",
			`[("props.aa", "!=", "blue")]`:                            "b c",
			`["!", ("props.aa", "=", "blue")]`:                        "b c d",
			`[("props.aa", "=", False)]`:                              "b d",
			`[("props.aa", "!=", False)]`:                             "a c e",
			`[("props.aa", "in", [])]`:                                "",
			`[("props.aa", "not in", [])]`:                            "a b c d e",
			`[("props.aa", "in", ["blue", "100%"])]`:                  "a c e",
			`[("props.aa", "not in", ["blue", "red"])]`:               "b c",
			`[("props.aa", "in", ["blue", False])]`:                   "a b d e",
			`[("props.aa", "not in", ["blue", False])]`:               "c",
			`[("props.aa", "ilike", "BLU")]`:                          "a e",
			`[("props.aa", "ilike", "%")]`:                            "a b c e",
			`[("props.aa", "like", "als")]`:                           "b",
			`[("props.aa", "not ilike", "blu")]`:                      "b c d",
			`[("props.aa", "=like", "10_\\%")]`:                       "c",
			`[("props.aa", "=like", "")]`:                             "b d",
			`[("props.aa", "not =like", "")]`:                         "a c e",
			`[("props.aa", "like", "")]`:                              "a b c d e",
			`[("props.aa", "not like", "")]`:                          "",
			`[("props.aa", ">", "1")]`:                                "a b c e",
			`[("props.aa", "<", "b")]`:                                "c",
			`[("props.aa", "=?", False)]`:                             "a b c d e",
			`[("props.aa", "=?", "blue")]`:                            "a e",
			`[("props.aa", "child_of", False)]`:                       "",
			`[("props.bb", "=", 3)]`:                                  "a",
			`[("props.bb", "!=", 3.0)]`:                               "b c",
			`[("props.bb", ">", -7)]`:                                 "a b",
			`[("props.bb", "<=", 0)]`:                                 "b c",
			`[("props.bb", "=", 0)]`:                                  "d e", // 0 is False to Python
			`[("props.bb", "=", 1)]`:                                  "a b c",
			`[("props.bb", "like", 3)]`:                               "a",
			`[("props.cc", "=", True)]`:                               "a",
			`[("props.cc", "!=", True)]`:                              "b c d e",
			`[("props.cc", "in", [True, False])]`:                     "a b c d e",
			`[("props.cc", ">", 5)]`:                                  "a b",
			`["!", ("props.cc", ">", 5)]`:                             "b c d e",
			`["!", "|", ("props.cc", ">", 5), ("props.bb", "=", -7)]`: "b d e",
			`[("props.hh", "in", ["hot"])]`:                           "a b",
			`[("props.hh", "=", "old")]`:                              "b",
			`[("props.hh", "not in", ["new"])]`:                       "a",
			`[("props.hh", "in", ["hot", "new"])]`:                    "a",
			`[("props.hh", "like", "hot\", \"old")]`:                  "b",
			`[("props.jj", "in", [2])]`:                               "a",
			`[("props.nosuch", "=", 2)]`:                              "",
			`[("props.nosuch", "=", False)]`:                          "a b c d e",
			`[("shelf_id", "!=", False), ("props.aa", "=", "blue")]`:  "a",
			`[("extra", "=", False)]`:                                 "a b c d e",
			`[("extra", "!=", False)]`:                                "",
		} {
			w.equal(domain, w.texts(as(0), "test.thing", domain, "name", "name"), strings.Fields(want))
		}
		w.equal("inherited", w.texts(as(0), "test.box", `[("props.aa", "!=", False)]`, "name", "name"), []string{"a", "c"})
	})
}

func TestPropertyMistakes(t *testing.T) {
	onShelves(t, func(w *world) {
		for domain, part := range map[string]string{
			`[("props", "=", False)]`:               "Missing property name",
			`[("props.AA", "=", 1)]`:                "Wrong name",
			`[("props.a.b", "=", 1)]`:               "Wrong name",
			`[("props.aa", "any", [])]`:             "needs a relation",
			`[("props.aa", "child_of", 1)]`:         "no relation",
			`[("props.aa", "=ilike", 1)]`:           "expected a text",
			`[("props.aa", ">", [1])]`:              "depends on",
			`[("extra", "=", 1)]`:                   "depends on",
			`[("shelf_id.described", "ilike", "")]`: "",
		} {
			q := backend.Query{Model: "test.thing", DomainText: domain, Fields: []string{"id"}}
			_, err := w.eng.Search(w.Context(), as(0), &q, &backend.Page{})
			if part == "" && err == nil {
				continue
			}
			w.want(err, fault.BadRequest, part)
		}
	})
}

func TestPropertyOrder(t *testing.T) {
	onShelves(t, func(w *world) {
		for order, want := range map[string]string{
			"props.bb":                  "c b a d e",
			"props.bb desc, id":         "d e a b c",
			"props.bb DESC nulls last":  "a b c d e",
			"props.bb nulls first":      "d e c b a",
			"props.aa, id":              "c a e b d",
			"shelf_id, props.bb, id":    "c b a d e",
			"props.nosuch, props.aa, d": "",
		} {
			q := backend.Query{Model: "test.thing", Fields: []string{"name"}, Order: order}
			if want == "" {
				_, err := w.eng.Search(w.Context(), as(0), &q, &backend.Page{})
				w.want(err, fault.BadRequest, "d")
				continue
			}
			w.equal(order, w.texts(as(0), "test.thing", "[]", "name", order), strings.Fields(want))
		}
	})
}

func TestReadProperties(t *testing.T) {
	onShelves(t, func(w *world) {
		page := w.list(as(0), backend.Query{Model: "test.thing", Fields: []string{"props"}, Order: "id", BareIDs: true})
		two, three := []any{2.0, w.name("res.country", 2)}, []any{3.0, w.name("res.country", 3)}
		want := []map[string]any{
			{"aa": "blue", "bb": 3.0, "cc": true, "gg": "l", "hh": []any{"hot"}, "ii": three, "jj": []any{three, two}},
			{"aa": false, "bb": 0.0, "cc": false, "gg": false, "hh": []any{"hot", "new"}, "ii": false, "jj": []any{}},
			{"aa": "100%", "bb": -7.0, "kk": false},
			{},
		}
		for i := range want {
			list := w.entries(page.Get(i, "props"))
			values := map[string]any{}
			for _, p := range list {
				if v, has := p["value"]; has {
					values[p["name"].(string)] = v
				}
			}
			if !reflect.DeepEqual(values, want[i]) {
				w.Errorf("record %d: %v, want %v", i, values, want[i])
			}
			if len(list) != 8 {
				w.Errorf("record %d has %d properties", i, len(list))
			}
		}
		first := w.entries(page.Get(0, "props"))
		if !reflect.DeepEqual(first[6]["default"], []any{two}) || first[5]["domain"] != nil || first[7]["comodel"] != false {
			w.Errorf("definitions: %v", first[5:])
		}
		if got := page.Get(4, "props").Text; got != "[]" { // no shelf
			w.Errorf("without a definition: %s", got)
		}
		box := w.list(as(0), backend.Query{Model: "test.box", IDs: []int64{1}, Fields: []string{"props"}})
		if got := w.entries(box.Get(0, "props")); !reflect.DeepEqual(got, first) {
			w.Errorf("inherited: %v", got)
		}
	})
}

func TestReadDefinition(t *testing.T) {
	onShelves(t, func(w *world) {
		w.run("insert into test_shelf (id, name) values (2, 'empty')")
		page := w.list(as(0), backend.Query{Model: "test.shelf", Fields: []string{"described"}, Order: "id"})
		if got := page.Get(1, "described").Text; got != "[]" {
			w.Errorf("no definition: %s", got)
		}
		named := w.entries(page.Get(0, "described"))[6]["default"]
		if want := []any{[]any{2.0, w.name("res.country", 2)}}; !reflect.DeepEqual(named, want) {
			w.Errorf("default %v, want %v", named, want)
		}
		page = w.list(as(0), backend.Query{Model: "test.shelf", Fields: []string{"described"}, Order: "id", BareIDs: true})
		if got := w.entries(page.Get(0, "described"))[6]["default"]; !reflect.DeepEqual(got, []any{2.0, 999999.0}) {
			w.Errorf("bare default %v", got)
		}
	})
}

// The names of linked records are for those who may read them.
func TestPropertyNamesOfHiddenRecords(t *testing.T) {
	onShelves(t, func(w *world) {
		su := as(0)
		model := w.list(su, backend.Query{Model: "ir.model", DomainText: `[("model", "in", ["test.thing", "test.shelf"])]`, Fields: []string{"id"}}).IDs()
		for _, id := range model {
			w.create(su, "ir.model.access", backend.Values{"name": "all", "model_id": id, "perm_read": true})
		}
		country := w.list(su, backend.Query{Model: "ir.model", DomainText: `[("model", "=", "res.country")]`, Fields: []string{"id"}}).IDs()[0]
		w.create(su, "ir.rule", backend.Values{"name": "not 3", "model_id": country, "domain_force": "[('id', '!=', 3)]"})
		user := w.create(su, "res.users", backend.Values{"name": "U", "login": "u"})[0]
		page := w.list(as(user), backend.Query{Model: "test.thing", Fields: []string{"props"}, Order: "id"})
		list := w.entries(page.Get(0, "props"))
		if want := []any{3.0, nil}; !reflect.DeepEqual(list[5]["value"], want) {
			w.Errorf("hidden: %v", list[5]["value"])
		}
		if want := []any{[]any{3.0, nil}, []any{2.0, w.name("res.country", 2)}}; !reflect.DeepEqual(list[6]["value"], want) {
			w.Errorf("one of two hidden: %v", list[6]["value"])
		}
	})
}

func (w *world) entries(v backend.Value) []map[string]any {
	w.Helper()
	var list []map[string]any
	if err := json.Unmarshal([]byte(v.Text), &list); err != nil {
		w.Fatalf("%q: %v", v.Text, err)
	}
	return list
}

func (w *world) name(model string, id int64) string {
	w.Helper()
	return w.list(as(0), backend.Query{Model: model, IDs: []int64{id}, Fields: []string{"display_name"}}).Get(0, "display_name").Text
}
