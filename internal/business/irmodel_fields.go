package business

import (
	"slices"
	"strings"

	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/nearest"
	"gatehouse/internal/record"
)

// runtimeTypes are the types that a field made at run time can have.
var runtimeTypes = []string{
	"binary", "boolean", "char", "date", "datetime", "float", "html", "integer", "json",
	"many2many", "many2one", "monetary", "one2many", "reference", "selection", "text",
}

// prepareField checks the description of a new field and completes it.
func prepareField(e *record.Env, values record.Values) error {
	model, err := ownerModel(e, values)
	if err != nil {
		return err
	}
	values["model_id"], values["model"], values["state"] = model.ID(), model.Text("model"), "manual"
	name, kind := text(values["name"]), text(values["ttype"])
	switch {
	case !strings.HasPrefix(name, "x_"):
		return wrongField("name", "The operation cannot be completed: Custom fields must have a name that starts with 'x_'!")
	case !fieldNames.MatchString(name) || len(name) > longestName-10:
		return wrongField("name", "Field names can only contain lowercase letters, digits and underscores (up to %d).", longestName-10)
	case kind == "":
		return nil // the engine refuses it
	case !slices.Contains(runtimeTypes, kind):
		return wrongField("ttype", "A field of type %s cannot be made at run time; possible are %s.", kind, strings.Join(runtimeTypes, ", "))
	}
	if m := e.Registry().Model(model.Text("model")); m != nil && m.AdminOnly {
		return wrongField("model_id", "The model %s is not open to custom fields.", m.Name)
	}
	if text(values["field_description"]) == "" {
		values["field_description"] = labelFor(name)
	}
	if !given(values, "copied") {
		values["copied"] = kind != "one2many" && text(values["related"]) == ""
	}
	if err := prepareOptions(values, kind); err != nil {
		return err
	}
	return prepareTyped(e, values, kind)
}

// ownerModel is the model that a field is for, by model_id or by name.
func ownerModel(e *record.Env, values record.Values) (record.Rec, error) {
	if id, _ := values["model_id"].(int64); id != 0 {
		return e.One("ir.model", id), nil
	}
	if name := text(values["model"]); name != "" {
		return modelNamed(e, "model", name)
	}
	return record.Rec{}, missing("model_id")
}

// modelNamed finds a model by its technical name; field says where it was asked for.
func modelNamed(e *record.Env, field, name string) (record.Rec, error) {
	found, err := e.Sudo().SearchNode("ir.model", leaf("model", "=", name), record.WithLimit(1))
	if err != nil {
		return record.Rec{}, err
	}
	if len(found) == 0 {
		hint := ""
		if near := nearest.Word(name, e.Registry().Names()); near != "" {
			hint = " Did you mean " + near + "?"
		}
		return record.Rec{}, wrongField(field, "Model %s does not exist!%s", name, hint)
	}
	return found[0], nil
}

// fieldNamed finds a field of a model; the zero Rec when there is none.
func fieldNamed(e *record.Env, model, name string) (record.Rec, error) {
	found, err := e.Sudo().SearchNode("ir.model.fields",
		domain.Conj(leaf("model", "=", model), leaf("name", "=", name)), record.WithLimit(1))
	if err != nil || len(found) == 0 {
		return record.Rec{}, err
	}
	return found[0], nil
}

// missing is the engine's word for a required field that was left out.
func missing(field string) error {
	return fault.New(fault.BadRequest, "Missing required field: "+field).With(fault.FieldErrors{field: "required"})
}

// labelFor makes a label of a name: x_delivery_zone is "Delivery zone".
func labelFor(name string) string {
	words := strings.TrimSpace(strings.ReplaceAll(strings.TrimPrefix(name, "x_"), "_", " "))
	if words == "" {
		return name
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

// prepareTyped checks what only some types have.
func prepareTyped(e *record.Env, values record.Values, kind string) error {
	if translate := text(values["translate"]); translate != "" && kind != "char" && kind != "text" && kind != "html" {
		return wrongField("translate", "Only text can be translated, not a field of type %s.", kind)
	}
	if path := text(values["related"]); path != "" {
		return prepareRelated(e, values, kind, path)
	}
	switch kind {
	case "many2one", "one2many", "many2many":
		return prepareRelation(e, values, kind)
	case "monetary":
		return prepareMonetary(e, values)
	}
	return nil
}

// prepareRelation checks the model that a relation leads to.
func prepareRelation(e *record.Env, values record.Values, kind string) error {
	name, relation := text(values["name"]), text(values["relation"])
	if relation == "" {
		return wrongField("relation", "The field %s of type %s needs relation: the model that it leads to.", name, kind)
	}
	if _, err := modelNamed(e, "relation", relation); err != nil {
		return err
	}
	if m := e.Registry().Model(relation); m != nil && m.AdminOnly {
		return wrongField("relation", "The model %s is not open to custom fields.", relation)
	}
	switch kind {
	case "many2one":
		if required, _ := values["required"].(bool); required && text(values["on_delete"]) == "set null" {
			return wrongField("on_delete", "The m2o field %s is required but declares its ondelete policy as being 'set null'. Only 'restrict' and 'cascade' make sense.", name)
		}
	case "one2many":
		return checkInverse(e, values, relation)
	case "many2many":
		return nameRelationTable(e, values, relation)
	}
	return nil
}

// checkInverse makes sure that a one2many has the many2one it stands on.
func checkInverse(e *record.Env, values record.Values, relation string) error {
	inverse := text(values["relation_field"])
	if inverse == "" {
		return wrongField("relation_field", "The field %s of type one2many needs relation_field: the many2one of %s that leads back.", text(values["name"]), relation)
	}
	f, err := fieldNamed(e, relation, inverse)
	if err != nil {
		return err
	}
	if f.IsZero() || f.Text("ttype") != "many2one" || f.Text("relation") != text(values["model"]) || !f.Bool("store") {
		return wrongField("relation_field", "Many2one %s on model %s does not exist!", inverse, relation)
	}
	values["copied"] = false
	return nil
}

// nameRelationTable gives a many2many Odoo's names of its table and columns;
// a second field between the same models gets a table of its own.
func nameRelationTable(e *record.Env, values record.Values, relation string) error {
	own, other := strings.ReplaceAll(text(values["model"]), ".", "_"), strings.ReplaceAll(relation, ".", "_")
	if text(values["column1"]) == "" || text(values["column2"]) == "" {
		values["column1"], values["column2"] = own+"_id", other+"_id"
		if own == other {
			values["column1"], values["column2"] = own+"_id1", own+"_id2"
		}
	}
	if text(values["relation_table"]) == "" {
		first, second := min(own, other), max(own, other)
		table := "x_" + first + "_" + second + "_rel"
		taken, err := e.Sudo().SearchNode("ir.model.fields", leaf("relation_table", "=", table), record.WithLimit(1))
		if err != nil {
			return err
		}
		if len(taken) > 0 {
			table = strings.TrimSuffix(table, "rel") + text(values["name"]) + "_rel"
		}
		values["relation_table"] = table
	}
	for _, field := range []string{"relation_table", "column1", "column2"} {
		name := text(values[field])
		if !fieldNames.MatchString(name) || len(name) > longestName {
			return wrongField(field, "%q cannot be the name of a table or column: use lowercase letters, digits and underscores, at most %d.", name, longestName)
		}
	}
	if !strings.HasPrefix(text(values["relation_table"]), "x_") {
		return wrongField("relation_table", "The name of a relation table must start with x_.")
	}
	return nil
}

// prepareMonetary finds the currency of an amount, as Odoo does.
func prepareMonetary(e *record.Env, values record.Values) error {
	model := text(values["model"])
	if name := text(values["currency_field"]); name != "" {
		f, err := fieldNamed(e, model, name)
		if err != nil {
			return err
		}
		if f.IsZero() || f.Text("ttype") != "many2one" || f.Text("relation") != "res.currency" {
			return wrongField("currency_field", "Unknown field %q in currency_field: it must be a many2one to res.currency of %s.", name, model)
		}
		return nil
	}
	for _, name := range []string{"currency_id", "x_currency_id"} {
		f, err := fieldNamed(e, model, name)
		if err != nil {
			return err
		}
		if !f.IsZero() && f.Text("relation") == "res.currency" {
			values["currency_field"] = name
			return nil
		}
	}
	return wrongField("currency_field", "Currency field is empty and there is no fallback field in the model: add a many2one x_currency_id to res.currency first.")
}

// prepareRelated follows the path of a related field, which shows what is at
// its end and has no column of its own.
func prepareRelated(e *record.Env, values record.Values, kind, path string) error {
	model := text(values["model"])
	steps := strings.Split(path, ".")
	if len(steps) < 2 {
		return wrongField("related", "The related path %q needs at least two steps, as in partner_id.email.", path)
	}
	for i, step := range steps {
		f, err := fieldNamed(e, model, step)
		if err != nil {
			return err
		}
		if f.IsZero() {
			return wrongField("related", "Unknown field name “%s” in related field “%s”", step, path)
		}
		if m := e.Registry().Model(model); m != nil && m.Field(step) != nil && m.Field(step).Secret {
			return wrongField("related", "The field “%s” in related field “%s” is secret: nothing shows it", step, path)
		}
		if i < len(steps)-1 {
			if model = f.Text("relation"); f.Text("ttype") != "many2one" {
				return wrongField("related", "Non-relational field name “%s” in related field “%s”: each step but the last is a many2one.", step, path)
			}
			continue
		}
		if f.Text("ttype") != kind {
			return wrongField("related", "Related field “%s” does not have type “%s”", path, kind)
		}
		values["relation"] = orNil(f.Text("relation"))
	}
	values["store"], values["copied"], values["required"] = false, false, false
	return nil
}
