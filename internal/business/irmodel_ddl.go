package business

import (
	"slices"
	"strings"

	"gatehouse/internal/domain"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// fieldOf is a described field as the schema knows it.
func fieldOf(r record.Rec) *schema.Field {
	kind, _ := schema.ParseType(r.Text("ttype"))
	f := &schema.Field{
		Name: r.Text("name"), Label: r.Text("field_description"), Type: kind,
		Relation: r.Text("relation"), Inverse: r.Text("relation_field"),
		RelTable: r.Text("relation_table"), Column1: r.Text("column1"), Column2: r.Text("column2"),
		Store: r.Bool("store"), Required: r.Bool("required"), Translate: r.Text("translate") != "",
		CompanyDependent: r.Bool("company_dependent"), Indexed: r.Bool("index"), Manual: true,
		Size: int(r.Int("size")), Scale: -1, Ondelete: schema.OnDelete(r.Text("on_delete")),
	}
	if path := r.Text("related"); path != "" {
		f.Related = strings.Split(path, ".")
	}
	f.Attached = f.Attaches()
	return f
}

// fieldsCreated makes the columns and relation tables of new fields.
func fieldsCreated(e *record.Env, fields []record.Rec) error {
	for _, r := range fields {
		if err := ensureModel(e, r.Ref("model_id")); err != nil {
			return err
		}
		if kind := r.Text("ttype"); kind == "selection" || kind == "reference" {
			if len(r.Refs("selection_ids")) == 0 && r.Text("related") == "" {
				return wrongField("selection", "The field %s needs its options: selection as in \"[('a', 'First'), ('b', 'Second')]\", or selection_ids.", r.Text("name"))
			}
		}
		if err := schema.AddField(e.Ctx(), e.Tx(), tableOf(e, r.Text("model")), fieldOf(r)); err != nil {
			return err
		}
	}
	return nil
}

// fixedFieldProperties cannot change once there is a column.
var fixedFieldProperties = []string{
	"name", "relation", "relation_field", "relation_table", "column1", "column2",
	"store", "company_dependent", "related", "state",
}

// guardFields lets only those properties of fields change that leave the
// column as it is, and only of fields made at run time.
func guardFields(e *record.Env, fields []record.Rec, values record.Values) error {
	if len(values) == 0 {
		return nil
	}
	for _, r := range fields {
		if r.Text("state") != "manual" {
			return refuse("Properties of base fields cannot be altered in this manner! The field %s is part of %s.", r.Text("name"), r.Text("model"))
		}
		if v, ok := values["model_id"].(int64); ok && v != r.Int("model_id") {
			return wrongField("model_id", "Changing the model of a field is forbidden!")
		}
		if v, ok := values["ttype"]; ok && text(v) != r.Text("ttype") {
			return wrongField("ttype", "Changing the type of a field is not yet supported. Please drop it and create it again!")
		}
		if v, ok := values["translate"]; ok && text(v) != r.Text("translate") {
			return wrongField("translate", "Changing the storage system for field \"%s\" is not allowed.", r.Text("name"))
		}
		if v, ok := values["on_delete"]; ok && text(v) != r.Text("on_delete") {
			return wrongField("on_delete", "What happens when the target is deleted cannot be changed for field \"%s\". Drop it and create it again.", r.Text("name"))
		}
		for _, p := range fixedFieldProperties {
			if v, ok := values[p]; ok && changesProperty(r, p, v) {
				return wrongField(p, "The property %s of the field %s cannot be changed. Drop the field and create it again.", p, r.Text("name"))
			}
		}
		if err := rewriteOptions(r, values); err != nil {
			return err
		}
	}
	return nil
}

func changesProperty(r record.Rec, property string, v any) bool {
	if on, ok := v.(bool); ok {
		return on != r.Bool(property)
	}
	return text(v) != r.Text(property)
}

// fieldsWritten makes or drops the index when that changed.
func fieldsWritten(e *record.Env, fields []record.Rec, values record.Values) error {
	if !given(values, "index") {
		return nil
	}
	for _, r := range fields {
		f := fieldOf(r)
		if !f.HasColumn() || f.Translate || f.CompanyDependent {
			continue
		}
		table := tableOf(e, r.Text("model")).Table
		index := sqldb.Quote(table + "__" + f.Name + "_index")
		sql := "drop index if exists " + index
		if f.Indexed {
			sql = "create index if not exists " + index + " on " + sqldb.Quote(table) + " (" + sqldb.Quote(f.Name) + ")"
		}
		if _, err := e.Tx().Exec(e.Ctx(), sql); err != nil {
			return err
		}
	}
	return nil
}

// dropFields removes the columns of fields made at run time. What other
// fields stand on stays.
func dropFields(e *record.Env, fields []record.Rec) error {
	for _, r := range fields {
		if r.Text("state") != "manual" {
			return refuse("This column contains module data and cannot be removed!")
		}
		dependent, err := dependentField(e, r, fields)
		if err != nil {
			return err
		}
		if dependent != "" {
			return refuse("The field “%s” cannot be removed because the field “%s” depends on it.", r.Text("name"), dependent)
		}
		if orderUses(r.Ref("model_id").Text("order"), r.Text("name")) && !isSuperuser(e) {
			return refuse("The field “%s” cannot be removed because the order of the model uses it.", r.Text("name"))
		}
	}
	for _, r := range fields {
		if err := dropField(e, r); err != nil {
			return err
		}
	}
	return nil
}

func dropField(e *record.Env, r record.Rec) error {
	f := fieldOf(r)
	if f.Type == schema.Many2many {
		shared, err := e.Sudo().SearchNode("ir.model.fields", domain.Conj(
			leaf("relation_table", "=", f.RelTable), leaf("id", "!=", r.ID())), record.WithLimit(1))
		if err != nil || len(shared) > 0 {
			return err
		}
	}
	if f.Attached {
		return dropAttached(e, leaf("res_model", "=", r.Text("model")), leaf("res_field", "=", f.Name))
	}
	return schema.DropField(e.Ctx(), e.Tx(), tableOf(e, r.Text("model")), f)
}

// dropAttached deletes the files of a field or of a model that goes: another one
// of its name must not find them.
func dropAttached(e *record.Env, which ...domain.Node) error {
	files, err := e.Sudo().SearchNode("ir.attachment", domain.Conj(which...))
	if err != nil {
		return err
	}
	return e.Sudo().Unlink(files)
}

func orderUses(order, name string) bool {
	for _, term := range strings.Split(order, ",") {
		if words := strings.Fields(term); len(words) > 0 && strings.Trim(words[0], `"`) == name {
			return true
		}
	}
	return false
}

// dependentField names a field that cannot be without r: the one2many over it,
// an amount in its currency, or a related field through it.
func dependentField(e *record.Env, r record.Rec, leaving []record.Rec) (string, error) {
	name, model := r.Text("name"), r.Text("model")
	found, err := e.Sudo().SearchNode("ir.model.fields", domain.Conj(leaf("state", "=", "manual"), domain.Disj(
		domain.Conj(leaf("ttype", "=", "one2many"), leaf("relation", "=", model), leaf("relation_field", "=", name)),
		domain.Conj(leaf("ttype", "=", "monetary"), leaf("model", "=", model), leaf("currency_field", "=", name)),
		leaf("related", "like", name),
	)))
	if err != nil {
		return "", err
	}
	for _, f := range found {
		if containsRec(leaving, f) {
			continue
		}
		if path := f.Text("related"); path != "" {
			through, err := pathUses(e, f.Text("model"), path, r)
			if err != nil {
				return "", err
			}
			if !through {
				continue
			}
		}
		return f.Text("name"), nil
	}
	return "", nil
}

// pathUses says whether a path from a model goes over a field.
func pathUses(e *record.Env, model, path string, r record.Rec) (bool, error) {
	steps := strings.Split(path, ".")
	if !slices.Contains(steps, r.Text("name")) {
		return false, nil
	}
	for _, step := range steps {
		f, err := fieldNamed(e, model, step)
		if err != nil || f.IsZero() {
			return false, err
		}
		if f.ID() == r.ID() {
			return true, nil
		}
		model = f.Text("relation")
	}
	return false, nil
}
