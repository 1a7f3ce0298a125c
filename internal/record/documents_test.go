package record_test

import (
	"context"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// documented are a model of notes on documents, and two of documents: of one
// whoever reads them sees the notes, of the other whoever may write them.
func documented() []*schema.Model {
	document := func(name string, byRead bool) *schema.Model {
		return &schema.Model{Name: name, Label: name, PostByRead: byRead, Fields: []*schema.Field{
			schema.NewChar("name", "Name"), schema.NewOne2many("activity_ids", "Notes", "t.note", "paper_id"),
		}}
	}
	return []*schema.Model{
		document("t.paper", false), document("t.open", true),
		{Name: "t.note", Label: "Note", Order: "id", ByDocument: true, Fields: []*schema.Field{
			schema.NewChar("name", "Name"), schema.NewMany2one("user_id", "For", "res.users"),
			schema.NewChar("res_model", "Model"), schema.NewInteger("res_id", "Document"),
			schema.NewMany2one("paper_id", "Paper", "t.paper"),
		}},
	}
}

func TestRightsByDocument(t *testing.T) {
	seeded.Each(t, func(t *testing.T, db sqldb.DB) {
		w := open(t, db, documented()...)
		su := as(0)
		user := w.create(su, "res.users", backend.Values{
			"login": "u", "name": "U", "group_ids": []any{w.group("group_user")},
		})[0]
		for _, model := range []string{"t.paper", "t.open", "t.note"} {
			w.create(su, "ir.model.access", backend.Values{
				"name": model, "model_id": w.idOf("ir.model", "[('model','=','"+model+"')]"),
				"group_id": w.group("group_user"), "perm_read": true, "perm_write": model == "t.paper",
			})
		}
		w.create(su, "ir.rule", backend.Values{
			"name": "write mine", "model_id": w.idOf("ir.model", "[('model','=','t.paper')]"),
			"domain_force": "[('name', '=', 'mine')]", "perm_read": false,
		})
		mine, other := w.create(su, "t.paper", backend.Values{"name": "mine"})[0], w.create(su, "t.paper", backend.Values{"name": "other"})[0]
		open := w.create(su, "t.open", backend.Values{"name": "open"})[0]
		note := func(name string, more backend.Values) int64 {
			more["name"] = name
			return w.create(su, "t.note", more)[0]
		}
		note("my own", backend.Values{"user_id": user})
		note("on mine", backend.Values{"res_model": "t.paper", "res_id": mine, "paper_id": mine})
		hidden := note("on other's", backend.Values{"res_model": "t.paper", "res_id": other, "paper_id": other})
		note("mine on other's", backend.Values{"res_model": "t.paper", "res_id": other, "user_id": user})
		note("on open", backend.Values{"res_model": "t.open", "res_id": open})
		note("loose", backend.Values{})

		c := as(user)
		w.equal("all", w.texts(c, "t.note", "[]", "name", ""), []string{"my own", "on mine", "mine on other's", "on open"})
		page := w.list(c, backend.Query{Model: "t.note", Fields: []string{"name"}, Limit: 3, Order: "id"})
		if len(page.Rows) != 2 {
			w.Errorf("a page of three, one of which is hidden: %d", len(page.Rows))
		}
		page = w.list(c, backend.Query{Model: "t.note", Fields: []string{"name"}, Limit: 2, Offset: 2, Order: "id"})
		if len(page.Rows) != 1 || page.Get(0, "name").Text != "mine on other's" {
			w.Errorf("the second page: %v", page.Rows)
		}
		q := backend.Query{Model: "t.note", Fields: []string{"id"}, Limit: 1, Order: "id desc", Count: true}
		if total, err := w.eng.Search(context.Background(), c, &q, &backend.Page{}); err != nil || total != 4 {
			w.Errorf("count %d, %v", total, err)
		}
		_, err := w.eng.Search(context.Background(), c, &backend.Query{Model: "t.note", IDs: []int64{hidden}, Fields: []string{"name"}}, &backend.Page{})
		w.want(err, fault.Forbidden, "not allowed")
		papers := w.list(c, backend.Query{Model: "t.paper", Fields: []string{"activity_ids"}, Order: "id"})
		if a, b := papers.Get(0, "activity_ids").List, papers.Get(1, "activity_ids").List; len(a) != 1 || len(b) != 0 {
			w.Errorf("lists %v %v", a, b)
		}
		if got := w.reasonOf(c, backend.Query{Model: "t.note", Fields: []string{"id"}}); got != "" {
			w.Error(got)
		}
		// Rights alone, and ids without anything of the records, take no more than
		// reading the document.
		if may, err := w.eng.May(context.Background(), c, "t.note", schema.Read, []int64{hidden}); err != nil || !may {
			w.Error(may, err)
		}
		page = w.list(c, backend.Query{Model: "t.note", IDs: []int64{hidden}, Fields: []string{"id"}})
		if len(page.Rows) != 1 {
			w.Errorf("the id alone: %v", page.Rows)
		}
		w.equal("as superuser", w.texts(su, "t.note", "[('name','=','loose')]", "name", ""), []string{"loose"})
	})
}

// TestRightsByDocumentForChanges: who may change such records, the facts don't say.
func TestRightsByDocumentForChanges(t *testing.T) {
	seeded.Each(t, func(t *testing.T, db sqldb.DB) {
		w := open(t, db, documented()...)
		user := w.create(as(0), "res.users", backend.Values{
			"login": "u", "name": "U", "group_ids": []any{w.group("group_user")},
		})[0]
		w.create(as(0), "ir.model.access", backend.Values{
			"name": "notes", "model_id": w.idOf("ir.model", "[('model','=','t.note')]"),
			"group_id": w.group("group_user"), "perm_read": true, "perm_write": true,
		})
		note := w.create(as(0), "t.note", backend.Values{"name": "n", "user_id": user})
		_, err := w.eng.May(context.Background(), as(user), "t.note", schema.Write, note)
		w.want(err, fault.BadRequest, string(backend.PythonAccess))
	})
}
