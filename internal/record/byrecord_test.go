package record_test

import (
	"context"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// archives are models that files hang on: one has a field that is for few.
func archives() []*schema.Model {
	return []*schema.Model{
		{Name: "t.box", Label: "Box", Fields: []*schema.Field{
			schema.NewChar("name", "Name"), schema.NewBinary("plan", "Plan"), schema.NewBinary("safe", "Safe").For("base.group_erp_manager"),
			schema.NewBoolean("active", "Active").Def(true), schema.NewMany2one("inner_id", "Inner", "t.box").OnDeleteDo(schema.Cascade),
			func() *schema.Field {
				f := schema.NewOne2many("file_ids", "Files", "ir.attachment", "res_id")
				return f
			}(),
		}},
		{Name: "t.chest", Label: "Chest", Fields: []*schema.Field{schema.NewChar("name", "Name")}},
	}
}

func TestRightsByRecord(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		w := open(t, db, archives()...)
		su := as(0)
		user := w.create(su, "res.users", backend.Values{"login": "u", "name": "U", "group_ids": []any{w.group("group_user")}})[0]
		for _, model := range []string{"t.box", "t.chest"} {
			w.create(su, "ir.model.access", backend.Values{
				"name": model, "model_id": w.idOf("ir.model", "[('model','=','"+model+"')]"), "group_id": w.group("group_user"),
				"perm_read": true, "perm_write": model == "t.box",
			})
		}
		box := w.create(su, "t.box", backend.Values{"name": "box"}, backend.Values{"name": "old", "active": false})
		chest := w.create(su, "t.chest", backend.Values{"name": "chest"})[0]
		file := func(name, model string, id int64, more backend.Values) int64 {
			values := backend.Values{"name": name, "res_model": model, "res_id": id, "datas": "eA=="}
			for k, v := range more {
				values[k] = v
			}
			return w.create(su, "ir.attachment", values)[0]
		}
		file("in box", "t.box", box[0], nil)
		file("in old box", "t.box", box[1], nil)
		file("in chest", "t.chest", chest, nil)
		file("plan", "t.box", box[0], backend.Values{"res_field": "plan"})
		safe := file("safe", "t.box", box[0], backend.Values{"res_field": "safe"})
		file("no such field", "t.box", box[0], backend.Values{"res_field": "nonsense"})
		file("no such record", "t.box", 99999, nil)
		w.create(su, "ir.attachment", backend.Values{"name": "somebody's", "datas": "eA=="})
		own := w.create(as(user), "ir.attachment", backend.Values{"name": "own", "datas": "eA=="})[0]

		c := as(user)
		w.equal("all", w.texts(c, "ir.attachment", "[]", "name", "id"), []string{"in box", "in old box", "in chest", "own"})
		w.equal("of fields", w.texts(c, "ir.attachment", "[('res_field','!=',False)]", "name", "id"), []string{"plan"})
		w.equal("to an administrator", w.texts(as(2), "ir.attachment", "[('res_model','=','t.box'),('id','>',0)]", "name", "id"), []string{"in box", "in old box", "plan", "safe", "no such field"})
		w.equal("as superuser", w.texts(su, "ir.attachment", "[('res_model','=','t.box')]", "name", "id"), []string{"in box", "in old box", "no such record"})
		w.equal("by what is in it", w.texts(c, "t.box", "[('file_ids.name','=','in box')]", "name", ""), []string{"box"})
		w.equal("by what is in a field of it", w.texts(c, "t.box", "[('file_ids.name','=','plan')]", "name", ""), []string{})
		if list := w.list(c, backend.Query{Model: "t.box", Fields: []string{"file_ids"}}).Get(0, "file_ids").List; len(list) != 1 {
			w.Errorf("the box shows %v", list)
		}
		for id, may := range map[int64]bool{own: true, safe: false} {
			if got, err := w.eng.May(context.Background(), c, "ir.attachment", schema.Write, []int64{id}); err != nil || got != may {
				w.Errorf("may write %d: %v %v", id, got, err)
			}
		}
		_, err := w.eng.Create(context.Background(), c, "ir.attachment", []backend.Values{{"name": "x", "res_model": "t.chest", "res_id": chest}})
		w.want(err, fault.Forbidden, "create")
		_, err = w.eng.Create(context.Background(), c, "ir.attachment", []backend.Values{{"name": "x", "res_model": "t.box", "res_id": box[0], "res_field": "safe"}})
		w.want(err, fault.Forbidden, "create")
		w.want(w.eng.Write(context.Background(), c, "ir.attachment", []int64{own}, backend.Values{"res_model": "t.box", "res_id": box[0], "res_field": "safe"}), fault.Forbidden, "modify")
		w.write(c, "ir.attachment", own, backend.Values{"res_model": "t.box", "res_id": box[0]})

		// A rule that cannot be applied hides what it is about, and nothing else.
		w.run(`insert into ir_rule (name, model_id, domain_force, active, global, perm_read, perm_write, perm_create, perm_unlink)
			select 'broken', id, '[(''nonsense'', ''='', 1)]', true, true, true, true, true, true from ir_model where model = 't.box'`)
		w.create(su, "ir.rule", backend.Values{
			"name": "mine", "model_id": w.idOf("ir.model", "[('model','=','t.chest')]"), "domain_force": "[('name','=','chest')]",
		})
		file("in another chest", "t.chest", w.create(su, "t.chest", backend.Values{"name": "another"})[0], nil)
		w.equal("beside a broken rule", w.texts(c, "ir.attachment", "[]", "name", ""), []string{"in chest"})
		w.equal("the name of it", w.texts(c, "ir.attachment", "[]", "res_name", ""), []string{"chest"})
	})
}

// What is attached goes with its record, and with those that go with it.
func TestAttachmentsGoWithTheirRecords(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		w := open(t, db, archives()...)
		su := as(0)
		outer := w.create(su, "t.box", backend.Values{"name": "outer"})[0]
		inner := w.create(su, "t.box", backend.Values{"name": "inner", "inner_id": outer})[0]
		innermost := w.create(su, "t.box", backend.Values{"name": "innermost", "inner_id": inner})[0]
		other := w.create(su, "t.box", backend.Values{"name": "other"})[0]
		for _, id := range []int64{outer, inner, innermost, other} {
			w.create(su, "ir.attachment", backend.Values{"name": "f" + itoa(id), "res_model": "t.box", "res_id": id})
			w.create(su, "ir.attachment", backend.Values{"name": "g" + itoa(id), "res_model": "t.box", "res_id": id, "res_field": "plan"})
			w.create(su, "ir.attachment", backend.Values{"name": "h" + itoa(id), "res_model": "t.chest", "res_id": id})
		}
		if err := w.eng.Unlink(context.Background(), su, "t.box", []int64{outer}); err != nil {
			w.Fatal(err)
		}
		w.equal("left", w.texts(su, "ir.attachment", "[('id','>',0),('res_model','=','t.box')]", "name", "name"), []string{"f" + itoa(other), "g" + itoa(other)})
		if n := len(w.texts(su, "ir.attachment", "[('res_model','=','t.chest')]", "name", "")); n != 4 {
			w.Errorf("%d of chests are left", n)
		}
	})
}
