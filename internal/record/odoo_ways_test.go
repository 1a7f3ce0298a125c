package record_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
)

// odoo is the administrator, asking as Odoo's own callers do.
func odoo() *backend.Caller { return &backend.Caller{UserID: 2, LooseLinks: true} }

// call runs a method and gives its result as a client reads it.
func (w *world) call(c *backend.Caller, model, method string, ids []int64, args backend.Values) string {
	w.Helper()
	result, err := w.eng.Call(context.Background(), c, model, method, ids, args)
	if err != nil {
		w.Fatalf("%s.%s: %v", model, method, err)
	}
	b, err := json.Marshal(result)
	if err != nil {
		w.Fatal(err)
	}
	return string(b)
}

func (w *world) field(model, name, ttype string, more backend.Values) int64 {
	w.Helper()
	c := as(0)
	models := w.list(c, backend.Query{Model: "ir.model", DomainText: `[("model", "=", "` + model + `")]`, Fields: []string{"id"}})
	values := backend.Values{"model_id": models.IDs()[0], "name": name, "ttype": ttype, "field_description": name}
	for k, v := range more {
		values[k] = v
	}
	return w.create(c, "ir.model.fields", values)[0]
}

// A number that nobody gave is NULL in Odoo's tables, and so in the order.
func TestUnsetNumbersAreNull(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		su := as(0)
		w.create(su, "x_thing", backend.Values{"x_name": "zero", "x_int": 0, "x_active": true},
			backend.Values{"x_name": "unset", "x_active": true}, backend.Values{"x_name": "one", "x_int": 1, "x_active": true})
		w.equal("order", w.texts(su, "x_thing", "[]", "x_name", "x_int desc"), []string{"unset", "one", "zero"})
		w.equal("unset is 0", w.texts(su, "x_thing", "[('x_int', '=', 0)]", "x_name", "id"), []string{"zero", "unset"})
	})
}

func TestLinesOfANewRecord(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		su := as(0)
		kid := w.create(su, "x_thing", backend.Values{"x_name": "kid", "x_active": true})[0]
		line := []any{0, 0, map[string]any{"x_name": "made", "x_active": true}}
		for what, last := range map[string][]any{"clear": {5}, "set": {6, 0, []any{kid}}} {
			a := w.create(su, "x_thing", backend.Values{"x_name": what, "x_child_ids": []any{[]any{4, kid}, line, last}})[0]
			if got := w.ids("x_thing", a, "x_child_ids"); len(got) != 2 {
				w.Errorf("%s cuts off what the same values brought: %v", what, got)
			}
		}
	})
}

func TestCommandsOnMissingRecords(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		su := as(0)
		tag := w.create(su, "x_tag", backend.Values{"x_name": "t"})[0]
		a := w.create(su, "x_thing", backend.Values{"x_name": "a", "x_tag_ids": []any{tag}})[0]
		for _, command := range []any{[]any{1, 98765, map[string]any{"x_name": "x"}}, []any{2, 98765}, []any{3, 98765}} {
			w.write(su, "x_thing", a, backend.Values{"x_tag_ids": []any{command}})
			if err := w.eng.Write(context.Background(), su, "x_thing", []int64{a}, backend.Values{"x_child_ids": []any{command}}); !fault.Is(err, fault.NotFound) {
				w.Errorf("one2many %v: %v", command, err)
			}
		}
		if got := w.ids("x_thing", a, "x_tag_ids"); !slices.Equal(got, []int64{tag}) {
			w.Errorf("tags %v", got)
		}
	})
}

// What Odoo takes in silence goes through for callers who want its ways, and
// is refused for those of our own API.
func TestNonsenseThatOdooTakes(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		ctx := context.Background()
		partner := w.create(as(0), "res.partner", backend.Values{"name": "P"})[0]
		fresh := backend.Values{"x_name": "a", "x_int": 3, "x_partner_id": partner}
		for _, step := range []struct {
			values  backend.Values
			field   string
			want    string // as printed by Odoo
			reading string
		}{
			{backend.Values{"x_char": []any{"a", json.Number("1"), nil, true}}, "x_char", "['a', 1, None, True]", "a list in a text"},
			{backend.Values{"x_char": map[string]any{"it's": "b"}}, "x_char", `{"it's": 'b'}`, "an object in a text"},
			{backend.Values{"x_int": map[string]any{"id": json.Number("7")}}, "x_int", "7", "an object in an integer"},
			{backend.Values{"x_partner_id": "nobody"}, "x_partner_id", "0", "a text in a many2one"},
			{backend.Values{"x_tag_ids": []any{[]any{9, 1, 1}}}, "x_tag_ids", "[]", "an unknown command"},
		} {
			id := w.create(odoo(), "x_thing", fresh)[0]
			strict := w.eng.Write(ctx, &backend.Caller{UserID: 2}, "x_thing", []int64{id}, step.values)
			if !fault.Is(strict, fault.BadRequest) {
				w.Errorf("%s through our own API: %v", step.reading, strict)
			}
			w.write(odoo(), "x_thing", id, step.values)
			v := w.list(as(0), backend.Query{Model: "x_thing", IDs: []int64{id}, Fields: []string{step.field}}).Get(0, step.field)
			got := v.Text
			switch {
			case step.field == "x_tag_ids":
				got = fmt.Sprint(v.List)
			case step.field != "x_char":
				got = fmt.Sprint(v.Int)
			}
			if got != step.want {
				w.Errorf("%s: got %s, want %s", step.reading, got, step.want)
			}
		}
	})
}

// A link to a record that is not there is Odoo's MissingError where something
// is computed from it, and refused as invalid everywhere else.
func TestDeadLinksAsInOdoo(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		ctx := context.Background()
		strict, dead := &backend.Caller{UserID: 2}, int64(98765)
		partner := w.create(as(0), "res.partner", backend.Values{"name": "P"})[0]
		order := w.create(as(0), "sale.order", backend.Values{"partner_id": partner})[0]
		thing := w.create(as(0), "x_thing", backend.Values{"x_name": "a"})[0]
		for _, test := range []struct {
			caller *backend.Caller
			model  string
			id     int64
			values backend.Values
			want   fault.Kind
		}{
			{odoo(), "sale.order", order, backend.Values{"partner_id": dead}, fault.NotFound},
			{odoo(), "sale.order", order, backend.Values{"partner_id": -1}, fault.NotFound},
			{strict, "sale.order", order, backend.Values{"partner_id": dead}, fault.Unprocessable},
			{odoo(), "x_thing", thing, backend.Values{"x_parent_id": dead}, fault.Unprocessable},
			{odoo(), "sale.order", 0, backend.Values{"partner_id": dead}, fault.NotFound},
			{odoo(), "x_thing", 0, backend.Values{"x_partner_id": dead}, fault.Unprocessable},
		} {
			var err error
			if test.id == 0 {
				_, err = w.eng.Create(ctx, test.caller, test.model, []backend.Values{test.values})
			} else {
				err = w.eng.Write(ctx, test.caller, test.model, []int64{test.id}, test.values)
			}
			w.want(err, test.want, "does not exist")
		}
	})
}

func TestReadOnlyRelatedFields(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		w.field("x_thing", "x_shown", "char", backend.Values{"related": "x_partner_id.ref", "store": false, "readonly": true})
		w.field("x_thing", "x_edited", "char", backend.Values{"related": "x_partner_id.city", "store": false, "readonly": false})
		partner := w.create(as(0), "res.partner", backend.Values{"name": "P", "ref": "R", "city": "C"})[0]
		id := w.create(as(0), "x_thing", backend.Values{"x_partner_id": partner, "x_shown": "no", "x_edited": "yes"})[0]
		w.write(as(0), "x_thing", id, backend.Values{"x_shown": "no"})
		if ref, city := w.text("res.partner", partner, "ref"), w.text("res.partner", partner, "city"); ref != "R" || city != "yes" {
			w.Errorf("ref %q, city %q", ref, city)
		}
	})
}

func TestCompanyDependentCorners(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		text := w.field("x_thing", "x_own", "char", backend.Values{"company_dependent": true})
		w.field("x_thing", "x_flag", "boolean", backend.Values{"company_dependent": true})
		w.field("x_thing", "x_who", "many2one", backend.Values{"company_dependent": true, "relation": "res.partner"})
		su := as(0)
		w.create(su, "ir.default", backend.Values{"field_id": text, "json_value": `"fall-back"`})
		partner := w.create(su, "res.partner", backend.Values{"name": "P"})[0]
		id := w.create(su, "x_thing", backend.Values{"x_name": "a", "x_flag": true, "x_who": partner})[0]
		row := func() (*backend.Page, string) {
			p := w.list(su, backend.Query{Model: "x_thing", IDs: []int64{id}, Fields: []string{"x_own", "x_flag", "x_who"}})
			return p, p.Get(0, "x_own").Text
		}
		p, own := row()
		if own != "fall-back" || p.Get(0, "x_flag").Int != 1 || p.Get(0, "x_who").Int != partner {
			w.Errorf("before: %q %v %v", own, p.Get(0, "x_flag"), p.Get(0, "x_who"))
		}
		w.write(su, "x_thing", id, backend.Values{"x_own": false})
		if err := w.eng.Unlink(context.Background(), su, "res.partner", []int64{partner}); err != nil {
			w.Fatal(err)
		}
		if p, own = row(); own != "" || p.Get(0, "x_who").Kind != backend.Null {
			w.Errorf("after: %q %v", own, p.Get(0, "x_who"))
		}
		w.equal("found by the link", w.texts(su, "x_thing", "[('x_who', '!=', False)]", "x_name", ""), []string{})
	})
}

// What Odoo adds to a number before it rounds it changes very large amounts.
func TestVeryLargeAmounts(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		su := as(0)
		w.field("x_thing", "x_currency_id", "many2one", backend.Values{"relation": "res.currency"})
		w.field("x_thing", "x_amount", "monetary", backend.Values{"currency_field": "x_currency_id"})
		for amount, want := range map[float64]float64{1e15: 1e15 + 1, 1e12: 1e12, 2.675: 2.68} {
			id := w.create(su, "x_thing", backend.Values{"x_amount": amount, "x_currency_id": 1})[0]
			if got := w.list(su, backend.Query{Model: "x_thing", IDs: []int64{id}, Fields: []string{"x_amount"}}).Get(0, "x_amount").Float(); got != want {
				w.Errorf("%v became %v, want %v", amount, got, want)
			}
		}
	})
}

func TestMethodsOfEveryModel(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		su, admin := as(0), odoo()
		tag := w.create(su, "x_tag", backend.Values{"x_name": "t"})[0]
		id := w.create(su, "x_thing", backend.Values{"x_name": "a", "x_int": 3, "x_tag_ids": []any{tag}, "x_active": true})[0]
		if got := w.call(admin, "x_thing", "action_archive", []int64{id}, nil); got != "null" {
			w.Errorf("archive answers %s", got)
		}
		for method, want := range map[string]string{"copy": "[]", "copy_data": "[]", "action_archive": "null"} {
			if got := w.call(admin, "x_thing", method, nil, nil); got != want {
				w.Errorf("%s of nothing answers %s", method, got)
			}
			_, err := w.eng.Call(context.Background(), &backend.Caller{UserID: 2}, "x_thing", method, nil, nil)
			w.want(err, fault.BadRequest, "works on records")
		}
		var made []any
		if err := json.Unmarshal([]byte(w.call(admin, "x_thing", "name_create", nil, backend.Values{"name": "by name"})), &made); err != nil || len(made) != 2 || made[1] != "by name" {
			w.Errorf("name_create: %v %v", made, err)
		}
		if got := w.call(admin, "product.category", "name_create", nil, backend.Values{"name": "c"}); got == "" || got[len(got)-5:] != `,"c"]` {
			w.Errorf("name_create of a category: %s", got)
		}
		var copies []map[string]any
		if err := json.Unmarshal([]byte(w.call(admin, "x_thing", "copy_data", []int64{id}, nil)), &copies); err != nil {
			w.Fatal(err)
		}
		if c := copies[0]; c["x_int"] != 3.0 || c["x_char"] != false || fmt.Sprint(c["x_tag_ids"]) != fmt.Sprintf("[[6 0 [%d]]]", tag) {
			w.Errorf("copy_data: %v", c)
		}
	})
}

func TestFieldTranslations(t *testing.T) {
	onBoth(t, func(w *world) {
		w.manualModel()
		su, admin := as(0), odoo()
		w.activate("fr_FR", "de_DE")
		id := w.create(su, "x_thing", backend.Values{"x_name": "a", "x_label": "one"})[0]
		update := func(field string, texts map[string]any) string {
			return w.call(admin, "x_thing", "update_field_translations", []int64{id}, backend.Values{"field_name": field, "translations": texts})
		}
		if got := update("x_label", map[string]any{"fr_FR": "un", "de_DE": "eins"}); got != "true" {
			w.Errorf("update answers %s", got)
		}
		if got := update("x_name", map[string]any{"fr_FR": "un"}); got != "false" {
			w.Errorf("update of a plain field answers %s", got)
		}
		update("x_label", map[string]any{"fr_FR": false, "en_US": false})
		got := w.call(admin, "x_thing", "get_field_translations", []int64{id}, backend.Values{"field_name": "x_label", "langs": []any{"de_DE", "fr_FR"}})
		want := `[[{"lang":"de_DE","source":"one","value":"eins"},{"lang":"fr_FR","source":"one","value":""}],` +
			`{"translation_show_source":false,"translation_type":"char"}]`
		if got != want {
			w.Errorf("translations %s", got)
		}
		_, err := w.eng.Call(context.Background(), admin, "x_thing", "update_field_translations", []int64{id},
			backend.Values{"field_name": "x_label", "translations": map[string]any{"xx_XX": "x"}})
		w.want(err, fault.Unprocessable, "xx_XX is not activated")
	})
}

// A copy whose text is another's only in all its languages is refused like any
// other double.
func TestCopyOfUniqueTranslations(t *testing.T) {
	onBoth(t, func(w *world) {
		w.activate("fr_FR")
		tag := w.create(as(0), "crm.tag", backend.Values{"name": "one"})[0]
		french := as(0)
		french.Context.Lang = "fr_FR"
		w.write(french, "crm.tag", tag, backend.Values{"name": "un"})
		_, err := w.eng.Call(context.Background(), odoo(), "crm.tag", "copy", []int64{tag}, nil)
		w.want(err, fault.Unprocessable, "Tag name already exists")
	})
}

// activate makes languages available.
func (w *world) activate(codes ...string) {
	w.Helper()
	c := as(0)
	c.Context.KeepArchived = true
	for _, code := range codes {
		for _, id := range w.list(c, backend.Query{Model: "res.lang", DomainText: `[("code", "=", "` + code + `")]`, Fields: []string{"id"}}).IDs() {
			w.write(c, "res.lang", id, backend.Values{"active": true})
		}
	}
}
