//go:build e2e

package e2e

import "testing"

// Models and fields made at run time are routable at once, also on another
// node of the same database.
func TestCustomModels(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		other := s
		if s == shared(t, stores[1]) { // one SQLite file has one server
			other = s.serve(t)
		}
		here, there := s.as(t, "admin"), other.as(t, "admin")
		here.get("x_machine").fails(404, "not_found", "Unknown model")
		model := here.post("ir.model", obj{"model": "x_machine", "name": "Machine", "field_id": list{
			list{0, 0, obj{"name": "x_name", "ttype": "char", "field_description": "Name"}},
			list{0, 0, obj{"name": "x_power", "ttype": "integer", "field_description": "Power"}},
			list{0, 0, obj{"name": "x_owner_id", "ttype": "many2one", "relation": "res.partner", "field_description": "Owner"}},
		}}).ok(201)
		here.post("ir.model.access", obj{
			"name": "machines", "model_id": model.id(), "group_id": 1,
			"perm_read": true, "perm_write": true, "perm_create": true, "perm_unlink": true,
		}).ok(201)
		made := here.post("x_machine", obj{"x_name": "Press", "x_power": 40, "x_owner_id": 11}).ok(201).text("data.id")
		within(t, notice, "another node knows the model", func() bool { return there.get("x_machine/"+made).status == 200 })
		there.get("x_machine", "domain", "[('x_power', '>', 30), ('x_owner_id.name', 'ilike', 'a')]").ok(200).
			len("data", 1).is("data.0.x_name", "Press").is("data.0.x_owner_id.id", 11)
		there.patch("x_machine/"+made, obj{"x_power": "strong"}).fails(400, "bad_request", "x_power")
		there.patch("x_machine/"+made, obj{"x_power": 55}).ok(200)
		here.get("x_machine/"+made).ok(200).is("data.x_power", 55)

		// a field on a model that exists
		partner := here.first("ir.model", "[('model', '=', 'res.partner')]")
		field := here.post("ir.model.fields", `{"model_id": `+partner+`, "name": "x_rating", "ttype": "selection",
			"field_description": "Rating", "selection": "[('a', 'Good'), ('b', 'Bad')]"}`).ok(201)
		within(t, notice, "another node knows the field", func() bool {
			return there.get("res.partner/11", "fields", "x_rating").status == 200
		})
		there.patch("res.partner/11?fields=x_rating", obj{"x_rating": "a"}).ok(200).is("data.x_rating", "a")
		there.patch("res.partner/11", obj{"x_rating": "c"}).fails(422, "validation_error", "x_rating")
		s.as(t, "demo-user").get("res.partner", "domain", "[('x_rating', '=', 'a')]", "fields", "name").ok(200).len("data", 1)

		here.delete("ir.model.fields/" + field.text("data.id")).ok(200)
		here.delete("ir.model/" + model.text("data.id")).ok(200)
		here.get("x_machine").fails(404, "not_found", "Unknown model")
		within(t, notice, "another node forgets the model", func() bool { return there.get("x_machine").status == 404 })
		there.get("res.partner/11", "fields", "x_rating").fails(400, "bad_request", "x_rating")
	})
}
