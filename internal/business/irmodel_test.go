package business

import (
	"testing"

	"gatehouse/internal/fault"
)

func TestParseOptions(t *testing.T) {
	good := map[string]string{
		"[('a', 'First'), ('b', 'Second')]": "a=First b=Second",
		`[["a", "First"], ["b", "It's"]]`:   "a=First b=It's",
		"[('a','A'),]":                      "a=A",
		"  [ ( 'a' , 'x, y' , ) ]\n":        "a=x, y",
		`[('a\'b', "c\"d")]`:                `a'b=c"d`,
	}
	for in, want := range good {
		options, err := parseOptions(in)
		got := ""
		for i, o := range options {
			if i > 0 {
				got += " "
			}
			got += o.Value + "=" + o.Label
		}
		if err != nil || got != want {
			t.Errorf("parseOptions(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	for _, bad := range []string{"", "[]", "a", "[('a')]", "[('a', 'b'", "[('a', b)]", "[('a', 'b')] x", "[('a', 'b') ('c', 'd')]", "__import__('os')", "[('a', 'b]"} {
		if o, err := parseOptions(bad); err == nil {
			t.Errorf("parseOptions(%q) takes it: %v", bad, o)
		}
	}
}

func TestLabelFor(t *testing.T) {
	for name, want := range map[string]string{"x_delivery_zone": "Delivery zone", "x_": "x_", "x_a": "A"} {
		if got := labelFor(name); got != want {
			t.Errorf("labelFor(%q) = %q, want %q", name, got, want)
		}
	}
}

// field makes a field at run time.
func (s *shop) field(model int64, values vals) int64 {
	s.Helper()
	values["model_id"] = model
	return s.admin.create("ir.model.fields", values)
}

func (s *shop) model(name string) int64 {
	s.Helper()
	return s.admin.find("ir.model", leaf("model", "=", name))[0]
}

func TestModelsAtRunTime(t *testing.T) {
	stories(t, map[string]func(s *shop){
		"01 a new model": func(s *shop) {
			m := s.admin.create("ir.model", vals{"name": "Made later", "model": "x_later", "field_id": []any{
				line(vals{"name": "x_name", "ttype": "char", "field_description": "Name"}),
			}})
			s.admin.sees("Made later | x_later | manual | id", "ir.model", m, "name", "model", "state", "order")
			r := s.admin.create("x_later", vals{"x_name": "row"})
			s.admin.sees("row | row | Administrator", "x_later", r, "x_name", "display_name", "create_uid")
			s.field(m, vals{"name": "x_num", "ttype": "integer", "field_description": "Num"})
			s.admin.sees("0", "x_later", r, "x_num")
			if n := s.admin.count("x_later", "[('x_num', '=', False)]"); n != 1 {
				s.Errorf("%d records without a number", n)
			}
			s.admin.create("x_later", vals{"x_num": 5})
			s.as("admin").write("x_later", r, vals{"x_num": 7})
			for name, want := range map[string]string{"later": "must start with 'x_'", "x_Later": "lowercase", "x_a b": "lowercase", "x_later": "unique name"} {
				s.admin.refusedCreate(fault.Unprocessable, want, "ir.model", vals{"name": "Bad", "model": name})
			}
			s.admin.create("ir.model", vals{"name": "One", "model": "x_one_table"})
			s.admin.refusedCreate(fault.Unprocessable, "The table x_one_table", "ir.model", vals{"name": "Bad", "model": "x_one.table"})
			s.admin.refusedCreate(fault.Unprocessable, "cannot be transient", "ir.model", vals{"name": "Bad", "model": "x_bad", "transient": true})
			s.admin.refusedCreate(fault.Unprocessable, "starts with 'x_'", "ir.model.fields", vals{"model_id": m, "name": "num", "ttype": "integer"})
			s.admin.refusedCreate(fault.Unprocessable, "unique per model", "ir.model.fields", vals{"model_id": m, "name": "x_num", "ttype": "integer"})
			s.admin.refusedWrite(fault.Unprocessable, "cannot be modified", "ir.model", m, vals{"model": "x_other"})
			s.admin.refusedWrite(fault.Unprocessable, "present on the model", "ir.model", m, vals{"order": "x_nosuch"})
			s.admin.refusedWrite(fault.Unprocessable, "Invalid order", "ir.model", m, vals{"order": "x_num; drop table"})
			s.admin.write("ir.model", m, vals{"order": "x_num desc, id"})
		},
		"02 without fields of its own": func(s *shop) {
			m := s.admin.create("ir.model", vals{"name": "Plain", "model": "x_plain"})
			r := s.admin.create("x_plain", vals{"x_name": "yes"})
			s.admin.sees("yes", "x_plain", r, "display_name")
			s.admin.unlink("ir.model", m)
			s.admin.refusedCreate(fault.NotFound, "", "x_plain", vals{"x_name": "no"})
			m = s.admin.create("ir.model", vals{"name": "Plain again", "model": "x_plain"})
			if n := s.admin.count("x_plain", "[]"); n != 0 {
				s.Errorf("%d records survived their model", n)
			}
			s.admin.unlink("ir.model", m)
			s.admin.refusedUnlink(fault.Unprocessable, "cannot be removed", "ir.model", s.model("res.partner"))
		},
		"03 every type": func(s *shop) {
			m := s.admin.create("ir.model", vals{"name": "Types", "model": "x_types"})
			line2 := s.admin.create("ir.model", vals{"name": "Line", "model": "x_types_line"})
			s.field(line2, vals{"name": "x_type_id", "ttype": "many2one", "relation": "x_types", "on_delete": "cascade", "required": true})
			for _, f := range []vals{
				{"name": "x_bool", "ttype": "boolean"},
				{"name": "x_int", "ttype": "integer", "index": true},
				{"name": "x_float", "ttype": "float"},
				{"name": "x_code", "ttype": "char", "size": 4},
				{"name": "x_text", "ttype": "text", "translate": "standard"},
				{"name": "x_html", "ttype": "html"},
				{"name": "x_day", "ttype": "date"},
				{"name": "x_at", "ttype": "datetime"},
				{"name": "x_data", "ttype": "json"},
				{"name": "x_sel", "ttype": "selection", "selection": "[('a', 'First'), ('b', 'Second')]"},
				{"name": "x_bin", "ttype": "binary"},
				{"name": "x_partner_id", "ttype": "many2one", "relation": "res.partner"},
				{"name": "x_line_ids", "ttype": "one2many", "relation": "x_types_line", "relation_field": "x_type_id"},
				{"name": "x_tag_ids", "ttype": "many2many", "relation": "res.partner.category"},
				{"name": "x_more_tag_ids", "ttype": "many2many", "relation": "res.partner.category"},
				{"name": "x_currency_id", "ttype": "many2one", "relation": "res.currency"},
				{"name": "x_amount", "ttype": "monetary"},
				{"name": "x_cd", "ttype": "char", "company_dependent": true},
				{"name": "x_email", "ttype": "char", "related": "x_partner_id.email"},
			} {
				s.field(m, f)
			}
			tag := s.admin.create("res.partner.category", vals{"name": "Gold"})
			r := s.admin.create("x_types", vals{
				"x_name": "all", "x_bool": true, "x_int": 3, "x_float": 1.5, "x_code": "ABCDEF", "x_text": "words", "x_day": "2024-05-06",
				"x_sel": "b", "x_partner_id": s.customer, "x_line_ids": []any{line(vals{"x_name": "l"})}, "x_tag_ids": []any{tag},
				"x_currency_id": s.ref("base.USD"), "x_amount": 1.005, "x_cd": "here",
			})
			s.admin.write("res.partner", s.customer, vals{"email": "stark@example.com"})
			s.admin.sees("true | 3 | 1.5 | ABCD | words | 2024-05-06 | b | Stark Ltd | 1.01 | here | stark@example.com", "x_types", r,
				"x_bool", "x_int", "x_float", "x_code", "x_text", "x_day", "x_sel", "x_partner_id", "x_amount", "x_cd", "x_email")
			s.admin.refusedWrite(fault.BadRequest, "x_sel", "x_types", r, vals{"x_sel": "c"})
			if n := s.admin.count("x_types", "[('x_tag_ids.name', '=', 'Gold'), ('x_line_ids.x_name', '=', 'l')]"); n != 1 {
				s.Errorf("found %d records through relations", n)
			}
			s.admin.unlink("x_types", r)
			if n := s.admin.count("x_types_line", "[]"); n != 0 {
				s.Errorf("%d lines outlived their record", n)
			}
			s.admin.refusedUnlink(fault.Unprocessable, "“x_line_ids” depends on it", "ir.model.fields",
				s.admin.find("ir.model.fields", leaf("name", "=", "x_type_id"))[0])
			s.admin.unlink("ir.model", line2)
			if n := s.admin.count("ir.model.fields", "[('name', '=', 'x_line_ids')]"); n != 0 {
				s.Error("a field leads to a model that is gone")
			}
			s.admin.create("x_types", vals{"x_name": "still there"})
		},
		"04 what is refused": func(s *shop) {
			m := s.admin.create("ir.model", vals{"name": "Bad", "model": "x_bad"})
			for want, values := range map[string]vals{
				"needs relation":       {"name": "x_a", "ttype": "many2one"},
				"Model res.partnr":     {"name": "x_a", "ttype": "many2one", "relation": "res.partnr"},
				"ondelete policy":      {"name": "x_a", "ttype": "many2one", "relation": "res.partner", "required": true},
				"needs relation_field": {"name": "x_a", "ttype": "one2many", "relation": "res.partner"},
				"Many2one parent_id":   {"name": "x_a", "ttype": "one2many", "relation": "res.partner", "relation_field": "parent_id"},
				"needs its options":    {"name": "x_a", "ttype": "selection"},
				"Pythonic":             {"name": "x_a", "ttype": "selection", "selection": "a, b"},
				"Currency field":       {"name": "x_a", "ttype": "monetary"},
				"cannot be made":       {"name": "x_a", "ttype": "properties"},
				"Only text":            {"name": "x_a", "ttype": "integer", "translate": "standard"},
				"Unknown field name":   {"name": "x_a", "ttype": "char", "related": "create_uid.nosuch"},
				"does not have type":   {"name": "x_a", "ttype": "integer", "related": "create_uid.login"},
				"at least two steps":   {"name": "x_a", "ttype": "char", "related": "x_name"},
				"Non-relational":       {"name": "x_a", "ttype": "char", "related": "x_name.id"},
				"lowercase letters":    {"name": "x_A", "ttype": "char"},
				"start with x_":        {"name": "x_a", "ttype": "many2many", "relation": "res.partner", "relation_table": "res_partner"},
			} {
				values["model_id"] = m
				s.admin.refusedCreate(fault.Unprocessable, want, "ir.model.fields", values)
			}
			s.admin.refusedCreate(fault.BadRequest, "model_id", "ir.model.fields", vals{"name": "x_a", "ttype": "char"})
			s.admin.refusedCreate(fault.BadRequest, "ttype", "ir.model.fields", vals{"name": "x_a", "model_id": m})
			f := s.field(m, vals{"name": "x_a", "ttype": "char"})
			for property, v := range map[string]any{"name": "x_b", "ttype": "text", "model_id": s.model("res.partner"), "translate": "standard", "relation": "res.users", "store": false} {
				s.admin.refusedWrite(fault.Unprocessable, "", "ir.model.fields", f, vals{property: v})
			}
			s.admin.write("ir.model.fields", f, vals{"field_description": "Better", "help": "So much", "required": true, "index": true, "name": "x_a"})
			s.admin.refusedCreate(fault.BadRequest, "x_a", "x_bad", vals{"x_name": "n"})
			base := s.admin.find("ir.model.fields", both(leaf("model", "=", "res.partner"), leaf("name", "=", "email")))[0]
			s.admin.refusedWrite(fault.Unprocessable, "base fields", "ir.model.fields", base, vals{"required": true})
			s.admin.refusedUnlink(fault.Unprocessable, "module data", "ir.model.fields", base)
		},
		"05 a field on a model that has records": func(s *shop) {
			partner := s.model("res.partner")
			f := s.field(partner, vals{"name": "x_zone", "ttype": "selection", "selection": "[('n', 'North'), ('s', 'South')]"})
			s.admin.sees("", "res.partner", s.customer, "x_zone")
			s.admin.write("res.partner", s.customer, vals{"x_zone": "s"})
			s.admin.write("ir.model.fields", f, vals{"selection": "[('n', 'Up north'), ('w', 'West'), ('s', 'South')]"})
			s.admin.write("res.partner", s.customer, vals{"x_zone": "w"})
			s.admin.write("ir.model.fields", f, vals{"selection": "[('n', 'North'), ('s', 'South')]"})
			s.admin.sees("", "res.partner", s.customer, "x_zone")
			s.admin.write("res.partner", s.customer, vals{"x_zone": "n"})
			option := s.admin.find("ir.model.fields.selection", both(leaf("field_id", "=", f), leaf("value", "=", "n")))[0]
			s.admin.write("ir.model.fields.selection", option, vals{"value": "north"})
			s.admin.sees("north", "res.partner", s.customer, "x_zone")
			s.admin.unlink("ir.model.fields", f)
			s.admin.refusedWrite(fault.BadRequest, "x_zone", "res.partner", s.customer, vals{"x_zone": "n"})
			s.field(partner, vals{"name": "x_origin", "ttype": "many2one", "relation": "res.country"})
			s.admin.write("res.partner", s.customer, vals{"x_origin": s.ref("base.be")})
			s.admin.sees("Belgium", "res.partner", s.customer, "x_origin")
			byName := s.admin.create("ir.model.fields", vals{"model": "res.partner", "name": "x_by_name", "ttype": "char"})
			s.admin.sees("By name | manual | true | true", "ir.model.fields", byName, "field_description", "state", "store", "copied")
			s.admin.refusedCreate(fault.Unprocessable, "Did you mean res.partner?", "ir.model.fields", vals{"model": "res.partnr", "name": "x_c", "ttype": "char"})
		},
		"06 rights": func(s *shop) {
			m := s.admin.create("ir.model", vals{"name": "Secret", "model": "x_secret"})
			s.admin.create("res.users", vals{"name": "Ivan", "login": "ivan", "group_ids": []any{s.ref("base.group_user")}})
			ivan := s.as("ivan")
			ivan.refusedCreate(fault.NotFound, "", "x_secret", vals{"x_name": "n"})
			s.admin.create("ir.model.access", vals{"name": "all", "model_id": m, "group_id": s.ref("base.group_user"), "perm_read": true, "perm_create": true})
			r := ivan.create("x_secret", vals{"x_name": "n"})
			ivan.refusedWrite(fault.Forbidden, "", "x_secret", r, vals{"x_name": "m"})
			ivan.refusedCreate(fault.NotFound, "", "ir.model", vals{"name": "Mine", "model": "x_mine"})
		},
	})
}
