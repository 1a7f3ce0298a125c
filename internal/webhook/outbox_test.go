package webhook_test

import (
	"errors"
	"regexp"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/record"
	"gatehouse/internal/webhook"
)

// storyPayload: an event is what the contract says, for each kind of change.
func storyPayload(w *world) {
	w.hook(nil)
	id := w.create("res.partner", backend.Values{"name": "Acme Corp", "email": "hi@acme.test"})[0]
	w.write("res.partner", id, backend.Values{"name": "Acme"})
	w.unlink("res.partner", id)
	all := w.jobs()
	if said(all) != "create write unlink" {
		t := said(all)
		w.Fatalf("told of %q", t)
	}
	created := all[0]
	if !strings.HasPrefix(created.raw, `{"action":"create","model":"res.partner","record":{"id":`) {
		w.Errorf("begins as %.80s", created.raw)
	}
	if created.id() != id || created.Record["name"] != "Acme Corp" || created.Record["email"] != "hi@acme.test" || created.Record["phone"] != nil {
		w.Errorf("record %v", created.Record)
	}
	if date, _ := created.Record["create_date"].(string); !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$`).MatchString(date) {
		w.Errorf("create_date is %v", created.Record["create_date"])
	}
	if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`).MatchString(created.Timestamp) || !strings.HasPrefix(created.EventID, "evt_") {
		w.Errorf("timestamp %q, event_id %q", created.Timestamp, created.EventID)
	}
	if ref, _ := created.Record["create_uid"].(map[string]any); ref["id"] != 2.0 || ref["name"] == "" {
		w.Errorf("create_uid is %v", created.Record["create_uid"])
	}
	if _, given := created.Record["image_1920"]; given {
		w.Error("an image was sent")
	}
	if all[1].Record["name"] != "Acme" || all[1].Changed != nil {
		w.Errorf("write: %s", all[1].raw)
	}
	if len(all[2].Record) != 1 || all[2].id() != id {
		w.Errorf("unlink: %s", all[2].raw)
	}
}

// storyUndoneChangesTellNothing: what is rolled back, in whole or in part,
// leaves no job, and one transaction leaves one of each record.
func storyUndoneChangesTellNothing(w *world) {
	w.hook(nil)
	boom := errors.New("boom")
	err := w.eng.Transact(w.Context(), w.admin, func(e *record.Env) error {
		if _, err := e.Create("res.partner", record.Values{"name": "Nobody"}); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) || len(w.jobs()) != 0 {
		w.Errorf("%v; told of %q", err, said(w.jobs()))
	}
	ids := w.create("res.partner", backend.Values{"name": "A"}, backend.Values{"name": "B"}, backend.Values{"name": "C"})
	w.clear()
	err = w.eng.Transact(w.Context(), w.admin, func(e *record.Env) error {
		recs := e.Many("res.partner", ids)
		_ = e.Tx().Savepoint(e.Ctx(), func() error {
			if err := e.Unlink(recs[2:]); err != nil {
				return err
			}
			_, err := e.Create("res.partner", record.Values{"name": "Nobody"})
			return errors.Join(err, boom)
		})
		made, err := e.Create("res.partner", record.Values{"name": "Gone at once"})
		if err != nil {
			return err
		}
		for _, name := range []string{"A1", "A2"} {
			if err := e.Write(recs[:1], record.Values{"name": name}); err != nil {
				return err
			}
		}
		return errors.Join(e.Write(recs[1:2], record.Values{"name": "B1"}), e.Unlink(recs[1:2]), e.Unlink(made))
	})
	if err != nil {
		w.Fatal(err)
	}
	all := w.jobs()
	byID := map[int64]string{}
	for _, b := range all {
		byID[b.id()] = b.Action
	}
	if len(all) != 2 || byID[ids[0]] != "write" || byID[ids[1]] != "unlink" {
		w.Errorf("told of %v", byID)
	}
}

// storyWatchedFields: a write counts only when a watched field is another after
// it than before, and says from what to what.
func storyWatchedFields(w *world) {
	id := w.create("res.partner", backend.Values{"name": "Acme", "phone": "1"})[0]
	w.hook(backend.Values{"watch_fields": []any{"name", "category_id"}, "fields": "phone, name", "on_create": false})
	w.write("res.partner", id, backend.Values{"phone": "2"})
	w.write("res.partner", id, backend.Values{"name": "Acme"})
	if all := w.jobs(); len(all) != 0 {
		w.Errorf("told of %s", all[0].raw)
	}
	w.write("res.partner", id, backend.Values{"name": "Acme Ltd", "phone": "3"})
	all := w.jobs()
	if len(all) != 1 || len(all[0].Changed) != 1 || all[0].Changed["name"]["old"] != "Acme" || all[0].Changed["name"]["new"] != "Acme Ltd" {
		w.Fatalf("changed: %+v", all)
	}
	if r := all[0].Record; len(r) != 3 || r["phone"] != "3" || r["name"] != "Acme Ltd" {
		w.Errorf("record %v", r)
	}
	w.clear()
	tag := w.create("res.partner.category", backend.Values{"name": "Gold"})[0]
	w.write("res.partner", id, backend.Values{"category_id": []any{[]any{int64(4), tag}}})
	all = w.jobs()
	if len(all) != 1 || len(all[0].Changed["category_id"]["old"].([]any)) != 0 || len(all[0].Changed["category_id"]["new"].([]any)) != 1 {
		w.Errorf("changed links: %+v", all)
	}
}

// storyDomain: a record must match after the change, and before a deletion.
func storyDomain(w *world) {
	w.hook(backend.Values{"domain": "[('is_company', '=', True), ('name', 'ilike', 'acme')]"})
	ids := w.create("res.partner", backend.Values{"name": "Acme", "is_company": true}, backend.Values{"name": "Acme Joe"})
	w.write("res.partner", ids[1], backend.Values{"is_company": true})
	w.write("res.partner", ids[0], backend.Values{"name": "Other"})
	w.write("res.partner", ids[1], backend.Values{"active": false})
	w.unlink("res.partner", ids...)
	var told []string
	for _, b := range w.jobs() {
		told = append(told, b.Action)
		if b.Action == "unlink" && b.id() != ids[1] {
			w.Error("told of the deletion of a record that did not match")
		}
	}
	if got := strings.Join(told, " "); got != "create write write unlink" {
		w.Errorf("told of %s", got)
	}
}

// storyBrokenDomain: a webhook whose domain leads into a field that is gone is
// switched off and says why; the change itself goes through.
func storyBrokenDomain(w *world) {
	field := w.create("ir.model.fields", backend.Values{"model": "res.partner", "name": "x_rank", "ttype": "integer"})[0]
	hook, _ := w.hook(backend.Values{"domain": "[('x_rank', '>', 3)]"})
	w.create("res.partner", backend.Values{"name": "A", "x_rank": 5})
	w.unlink("ir.model.fields", field)
	w.create("res.partner", backend.Values{"name": "B"})
	got := w.get(webhook.Model, hook, "active", "disabled_reason")
	if said(w.jobs()) != "create" || got["active"].Int != 0 || !strings.Contains(got["disabled_reason"].Text, "x_rank") {
		w.Errorf("told of %q; webhook %+v", said(w.jobs()), got)
	}
	w.create("res.partner", backend.Values{"name": "C"})
}

// storySideEffects: what a change brings along on other records is told too:
// computed fields, lines, cascades, links that are emptied.
func storySideEffects(w *world) {
	w.hook(backend.Values{"model": "sale.order", "watch_fields": []any{"amount_total"}, "fields": []any{"amount_total"}})
	w.hook(backend.Values{"model": "sale.order.line", "fields": []any{"name"}})
	partner := w.create("res.partner", backend.Values{"name": "Acme"})[0]
	product := w.create("product.product", backend.Values{"name": "Bolt", "list_price": 10.0})[0]
	order := w.create("sale.order", backend.Values{
		"partner_id": partner, "order_line": []any{[]any{int64(0), int64(0), backend.Values{"product_id": product, "product_uom_qty": 1.0}}},
	})[0]
	all := w.jobs()
	if len(all) != 2 {
		w.Fatalf("the order and its line: %+v", all)
	}
	line := int64(0)
	for _, b := range all {
		if b.Model == "sale.order.line" {
			line = b.id()
		}
	}
	w.clear()
	w.write("sale.order.line", line, backend.Values{"product_uom_qty": 3.0})
	told := map[string]body{}
	for _, b := range w.jobs() {
		told[b.Model] = b
	}
	if len(told) != 2 || told["sale.order"].id() != order || told["sale.order"].Changed["amount_total"] == nil {
		w.Errorf("a changed line: %+v", told)
	}
	w.clear()
	w.unlink("sale.order", order)
	if all := w.jobs(); len(all) != 2 || said(all) != "unlink unlink" {
		w.Errorf("a deleted order: %+v", all)
	}
	w.clear()
	w.hook(backend.Values{"fields": []any{"parent_id"}})
	child := w.create("res.partner", backend.Values{"name": "Joe", "parent_id": w.create("res.partner", backend.Values{"name": "Firm"})[0]})[0]
	parent := w.get("res.partner", child, "parent_id")["parent_id"].Int
	w.clear()
	w.unlink("res.partner", parent)
	byID := map[int64]body{}
	for _, b := range w.jobs() {
		byID[b.id()] = b
	}
	if byID[child].Action != "write" || byID[child].Record["parent_id"] != nil || byID[parent].Action != "unlink" {
		w.Errorf("a deleted parent: %+v", byID)
	}
}

// storyCascades: what the database deletes along is told at any depth, of one
// model and across several, with what loses a link at the end of it; and only
// to those whose domain finds it.
func storyCascades(w *world) {
	tag := w.create("res.partner.category", backend.Values{"name": "0"})[0]
	tree := []int64{tag}
	for _, name := range []string{"1", "2", "3"} {
		tag = w.create("res.partner.category", backend.Values{"name": name, "parent_id": tag})[0]
		tree = append(tree, tag)
	}
	w.hook(backend.Values{"model": "res.partner.category"})
	w.hook(backend.Values{"model": "res.partner.category", "domain": "[('name', 'in', ['0', '3'])]"})
	w.unlink("res.partner.category", tree[0])
	byID := map[int64]int{}
	for _, b := range w.jobs() {
		if b.Action == "unlink" {
			byID[b.id()]++
		}
	}
	if len(byID) != 4 || byID[tree[0]] != 2 || byID[tree[1]] != 1 || byID[tree[2]] != 1 || byID[tree[3]] != 2 {
		w.Errorf("a deleted tree %v: told of %v", tree, byID)
	}
	w.empty()

	// top ← mid ← leaf, all cascades, ← side, which loses its link.
	for _, m := range []struct{ name, to, onDelete string }{
		{"top", "", ""}, {"mid", "x_top", "cascade"}, {"leaf", "x_mid", "cascade"}, {"side", "x_leaf", "set null"},
	} {
		model := w.create("ir.model", backend.Values{"name": m.name, "model": "x_" + m.name})[0]
		if m.to != "" {
			w.create("ir.model.fields", backend.Values{
				"model_id": model, "model": "x_" + m.name, "name": "x_to", "ttype": "many2one", "relation": m.to, "on_delete": m.onDelete,
			})
		}
	}
	top := w.create("x_top", backend.Values{"x_name": "t"})[0]
	mids := w.create("x_mid", backend.Values{"x_name": "m1", "x_to": top}, backend.Values{"x_name": "m2", "x_to": top})
	leaf := w.create("x_leaf", backend.Values{"x_name": "l", "x_to": mids[1]})[0]
	side := w.create("x_side", backend.Values{"x_name": "s", "x_to": leaf})[0]
	w.hook(backend.Values{"model": "x_leaf"})
	w.hook(backend.Values{"model": "x_side", "watch_fields": []any{"x_to"}, "fields": []any{"x_name"}})
	w.unlink("x_top", top)
	told := map[string]body{}
	for _, b := range w.jobs() {
		told[b.Model+" "+b.Action] = b
	}
	lost := told["x_side write"]
	if len(told) != 2 || told["x_leaf unlink"].id() != leaf || lost.id() != side || lost.Changed["x_to"] == nil || lost.Changed["x_to"]["new"] != nil {
		w.Errorf("three models deep: %+v", told)
	}
}
