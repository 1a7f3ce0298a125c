package record_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
)

// ids reads an x2many, archived targets included.
func (w *world) ids(model string, id int64, field string) []int64 {
	w.Helper()
	c := as(0)
	c.Context.KeepArchived = true
	return w.list(c, backend.Query{Model: model, IDs: []int64{id}, Fields: []string{field}}).Get(0, field).List
}

func (w *world) text(model string, id int64, field string) string {
	w.Helper()
	return w.list(as(0), backend.Query{Model: model, IDs: []int64{id}, Fields: []string{field}}).Get(0, field).Text
}

func TestX2manyCommands(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		su := as(0)
		a := w.create(su, "x_thing", backend.Values{"x_name": "a", "x_active": true, "x_child_ids": []any{
			[]any{0, 0, map[string]any{"x_name": "kid 1", "x_active": true}},
			[]any{0, 0, map[string]any{"x_name": "kid 2", "x_active": true}},
		}})[0]
		kids := w.ids("x_thing", a, "x_child_ids")
		if len(kids) != 2 {
			w.Fatalf("children %v", kids)
		}
		w.write(su, "x_thing", a, backend.Values{"x_child_ids": []any{[]any{1, kids[0], map[string]any{"x_name": "renamed"}}}})
		if got := w.text("x_thing", kids[0], "x_name"); got != "renamed" {
			w.Errorf("command 1: %q", got)
		}
		w.write(su, "x_thing", a, backend.Values{"x_child_ids": []any{[]any{3, kids[1]}}})
		if got := w.ids("x_thing", a, "x_child_ids"); !slices.Equal(got, kids[:1]) {
			w.Errorf("command 3: %v", got)
		}
		w.write(su, "x_thing", a, backend.Values{"x_child_ids": []any{[]any{4, kids[1]}}})
		if got := w.ids("x_thing", a, "x_child_ids"); !slices.Equal(got, kids) {
			w.Errorf("command 4: %v", got)
		}
		w.write(su, "x_thing", a, backend.Values{"x_child_ids": []any{[]any{2, kids[1]}}})
		_, err := w.eng.Search(context.Background(), su, &backend.Query{Model: "x_thing", IDs: kids[1:]}, &backend.Page{})
		w.want(err, fault.NotFound, "does not exist")

		tags := w.create(su, "x_tag", backend.Values{"x_name": "t1"}, backend.Values{"x_name": "t2"}, backend.Values{"x_name": "t3"})
		for _, step := range []struct {
			value any
			want  []int64
		}{
			{[]any{[]any{6, 0, []any{tags[0], tags[1]}}}, tags[:2]},
			{[]any{[]any{4, tags[2]}}, tags},
			{[]any{[]any{4, tags[2]}}, tags}, // again: no second link
			{[]any{[]any{3, tags[0]}}, tags[1:]},
			{[]any{tags[0]}, tags[:1]}, // a plain list of ids replaces
			{[]any{}, tags[:1]},        // the empty list does nothing
			{[]any{[]any{5}}, nil},
			{[]any{[]any{0, 0, map[string]any{"x_name": "t4"}}}, []int64{tags[2] + 1}},
			{nil, nil},
		} {
			w.write(su, "x_thing", a, backend.Values{"x_tag_ids": step.value})
			if got := w.ids("x_thing", a, "x_tag_ids"); !slices.Equal(got, step.want) {
				w.Errorf("x_tag_ids = %v: got %v, want %v", step.value, got, step.want)
			}
		}
		for value, part := range map[string]string{`[[9,1]]`: "no command 9", `[[1]]`: "needs 3 elements", `["x"]`: "neither an id", `5`: "expected a list"} {
			var v any
			if err := json.Unmarshal([]byte(value), &v); err != nil {
				t.Fatal(err)
			}
			err := w.eng.Write(context.Background(), su, "x_thing", []int64{a}, backend.Values{"x_tag_ids": v})
			w.want(err, fault.BadRequest, part)
		}
	})
}

func TestNothingHalfWritten(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		_, err := w.eng.Create(context.Background(), as(0), "x_thing", []backend.Values{{"x_name": "one"}, {"x_name": "two", "x_int": "abc"}})
		w.want(err, fault.BadRequest, "Record 1:")
		if n := len(w.texts(as(0), "x_thing", `[('x_active','in',[True,False])]`, "x_name", "")); n != 0 {
			w.Errorf("%d records were kept of a failed bulk", n)
		}
		err = w.eng.Write(context.Background(), as(0), "x_thing", []int64{1, 999}, backend.Values{"x_name": "x"})
		w.want(err, fault.NotFound, "Record 1")
	})
}

func TestConversions(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		id := w.create(as(0), "x_thing", backend.Values{
			"x_int": "12", "x_float": json.Number("2.50"), "x_char": json.Number("7"), "x_date": "2024-05-06 whatever",
			"x_when": "2024-05-06", "x_bool": "false", "create_uid": 999, "id": 5,
		})[0]
		page := w.list(as(0), backend.Query{Model: "x_thing", IDs: []int64{id}})
		for field, want := range map[string]backend.Value{
			"x_int": backend.IntValue(12), "x_float": backend.FloatValue(2.5), "x_char": backend.TextValue("7"), "x_bool": backend.BoolValue(true),
		} {
			if got := page.Get(0, field); got.Kind != want.Kind || got.Int != want.Int || got.Text != want.Text {
				w.Errorf("%s = %+v, want %+v", field, got, want)
			}
		}
		if got := page.Get(0, "create_uid").Int; got != 1 {
			w.Errorf("create_uid = %d: a caller set it", got)
		}
		for field, value := range map[string]any{
			"x_int": "1.5x", "x_kind": "zzz", "x_date": "yesterday", "x_when": "2024-05-06T10:00:00Z",
			"x_partner_id": []any{1}, "x_nope": 1, "x_char": "a\x00b", "x_float": "1e999",
		} {
			_, err := w.eng.Create(context.Background(), as(0), "x_thing", []backend.Values{{field: value}})
			w.want(err, fault.BadRequest, field)
		}
		_, err := w.eng.Create(context.Background(), as(2), "x_thing", []backend.Values{{"x_partner_id": 99999}})
		w.want(err, fault.Unprocessable, "x_partner_id")
	})
}

func TestTranslations(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		su := as(0)
		w.create(su, "x_tag", backend.Values{"x_name": "unused"})
		lang := w.list(&backend.Caller{UserID: 1, Superuser: true, Context: backend.Context{KeepArchived: true}},
			backend.Query{Model: "res.lang", DomainText: `[('code','=','fr_FR')]`, Fields: []string{"code"}})
		w.write(su, "res.lang", lang.Get(0, "id").Int, backend.Values{"active": true})
		french := &backend.Caller{UserID: 1, Superuser: true, Context: backend.Context{Lang: "fr_FR"}}
		id := w.create(su, "x_thing", backend.Values{"x_label": "chair", "x_active": true})[0]
		w.write(french, "x_thing", id, backend.Values{"x_label": "chaise"})
		if got := w.text("x_thing", id, "x_label"); got != "chair" {
			w.Errorf("English is %q", got)
		}
		read := func(c *backend.Caller, domain string) []string {
			return w.texts(c, "x_thing", domain, "x_label", "")
		}
		w.equal("French", read(french, `[('x_label','=','chaise')]`), []string{"chaise"})
		w.equal("French by the English text", read(french, `[('x_label','=','chair')]`), nil)
		other := w.create(french, "x_thing", backend.Values{"x_label": "lampe", "x_active": true})[0]
		if got := w.text("x_thing", other, "x_label"); got != "lampe" {
			w.Errorf("English of a record made in French is %q", got)
		}
		_, err := w.eng.Search(context.Background(), &backend.Caller{UserID: 2, Context: backend.Context{Lang: "xx_YY"}},
			&backend.Query{Model: "res.country"}, &backend.Page{})
		w.want(err, fault.Unprocessable, "Invalid language code")
	})
}

func TestUnlink(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		su := as(0)
		a := w.create(su, "x_thing", backend.Values{"x_name": "a", "x_active": true})[0]
		b := w.create(su, "x_thing", backend.Values{"x_name": "b", "x_active": true, "x_parent_id": a})[0]
		if err := w.eng.Unlink(context.Background(), su, "x_thing", []int64{a}); err != nil {
			w.Fatal(err)
		}
		if got := w.list(su, backend.Query{Model: "x_thing", IDs: []int64{b}}).Get(0, "x_parent_id"); got.Kind != backend.Null {
			w.Errorf("the link to a deleted record is %+v", got)
		}
		country := w.texts(su, "res.partner", `[('country_id','!=',False)]`, "name", "")
		_ = country
		be := w.list(su, backend.Query{Model: "res.country", DomainText: `[('code','=','BE')]`, Fields: []string{"code"}}).Get(0, "id").Int
		w.create(su, "res.partner", backend.Values{"name": "Belgian", "country_id": be})
		err := w.eng.Unlink(context.Background(), su, "res.country", []int64{be})
		w.want(err, fault.Unprocessable, "still uses it")
		w.want(w.eng.Unlink(context.Background(), su, "x_thing", []int64{b, 999}), fault.NotFound, "does not exist")
		if got := w.text("x_thing", b, "x_name"); got != "b" {
			w.Errorf("a failed unlink deleted %q", got)
		}
	})
}

func TestCopyAndDefaults(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		su := as(0)
		tag := w.create(su, "x_tag", backend.Values{"x_name": "t"})[0]
		id := w.create(su, "x_thing", backend.Values{"x_name": "orig", "x_int": 3, "x_active": true, "x_tag_ids": []any{tag}, "x_label": "hi"})[0]
		out, err := w.eng.Call(context.Background(), su, "x_thing", "copy", []int64{id}, backend.Values{"default": map[string]any{"x_int": 4}})
		if err != nil {
			w.Fatal(err)
		}
		c := out.([]int64)[0]
		page := w.list(su, backend.Query{Model: "x_thing", IDs: []int64{c}})
		if page.Get(0, "x_name").Text != "orig" || page.Get(0, "x_int").Int != 4 || len(page.Get(0, "x_tag_ids").List) != 1 || page.Get(0, "x_label").Text != "hi" {
			w.Errorf("copy: %+v", page.Rows)
		}
		withDefault := as(0)
		withDefault.Context.Defaults = map[string]any{"x_int": 42, "x_nope": 1}
		d := w.create(withDefault, "x_thing", backend.Values{"x_name": "d", "x_active": true})[0]
		if got := w.list(su, backend.Query{Model: "x_thing", IDs: []int64{d}}).Get(0, "x_int").Int; got != 42 {
			w.Errorf("default_x_int gave %d", got)
		}
		names, err := w.eng.Call(context.Background(), su, "x_thing", "name_search", nil, backend.Values{"name": "ori"})
		if pairs, ok := names.([][2]any); err != nil || !ok || len(pairs) != 2 {
			w.Errorf("name_search: %v %v", names, err)
		}
		count, err := w.eng.Call(context.Background(), su, "x_thing", "search_count", nil, backend.Values{"domain": []any{}})
		if err != nil || count != int64(3) {
			w.Errorf("search_count: %v %v", count, err)
		}
	})
}

// TestRecursion: a record cannot be its own ancestor, and parent_path follows moves.
func TestRecursion(t *testing.T) {
	onBoth(t, func(w *world) {
		su := as(0)
		a := w.create(su, "product.category", backend.Values{"name": "A"})[0]
		b := w.create(su, "product.category", backend.Values{"name": "B", "parent_id": a})[0]
		c := w.create(su, "product.category", backend.Values{"name": "C", "parent_id": b})[0]
		err := w.eng.Write(context.Background(), su, "product.category", []int64{a}, backend.Values{"parent_id": c})
		w.want(err, fault.Unprocessable, "Recursion")
		if got := w.text("product.category", c, "complete_name"); got != "A / B / C" {
			w.Errorf("complete_name %q", got)
		}
		w.write(su, "product.category", b, backend.Values{"parent_id": nil})
		if got := w.text("product.category", c, "complete_name"); got != "B / C" {
			w.Errorf("complete_name after a move %q", got)
		}
		w.write(su, "product.category", b, backend.Values{"name": "BB"})
		if got := w.text("product.category", c, "complete_name"); got != "BB / C" {
			w.Errorf("complete_name after a rename %q", got)
		}
		w.equal("child_of", w.texts(su, "product.category", `[('id','child_of',`+itoa(b)+`)]`, "name", "id"), []string{"BB", "C"})
		w.equal("child_of the old parent", w.texts(su, "product.category", `[('id','child_of',`+itoa(a)+`)]`, "name", "id"), []string{"A"})
	})
}

// TestSudoTransaction: what a failed function did is not kept.
func TestSudoTransaction(t *testing.T) {
	onBoth(t, func(w *world) {
		err := w.eng.Sudo(context.Background(), func(e *record.Env) error {
			if _, err := e.Create("res.partner", record.Values{"name": "Ghost"}); err != nil {
				return err
			}
			return fault.New(fault.Unprocessable, "no")
		})
		w.want(err, fault.Unprocessable, "no")
		w.equal("ghosts", w.texts(as(0), "res.partner", `[('name','=','Ghost')]`, "name", ""), nil)
	})
}
