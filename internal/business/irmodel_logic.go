package business

import (
	"regexp"
	"strings"

	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// irModelLogics make models and fields at run time: whoever creates records
// of ir.model and ir.model.fields gets tables and columns.
//
// A transaction works with the registry as it was when it began, so all of
// this looks at the tables ir_model and ir_model_fields instead.
func irModelLogics() []record.Logic {
	return []record.Logic{
		{
			Model: "ir.model", Prepare: prepareModel, AfterCreate: modelsCreated,
			BeforeWrite: guardModels, AfterWrite: modelsWritten, BeforeUnlink: dropModels,
		},
		{
			Model: "ir.model.fields", Prepare: prepareField, AfterCreate: fieldsCreated,
			BeforeWrite: guardFields, AfterWrite: fieldsWritten, BeforeUnlink: dropFields,
			Computes: []record.Compute{optionsText},
		},
		{
			Model: "ir.model.fields.selection", Prepare: prepareOption,
			BeforeWrite: guardOptions, BeforeUnlink: dropOptions,
		},
	}
}

var (
	modelNames = regexp.MustCompile(`^[a-z0-9_.]+$`)
	fieldNames = regexp.MustCompile(`^[a-z0-9_]+$`)
	orderTerm  = regexp.MustCompile(`(?i)^"?([a-z0-9_]+)"?(\s+(asc|desc))?(\s+nulls\s+(first|last))?$`)
)

// longestName is what PostgreSQL takes as the name of a table or column.
const longestName = 63

// wrongField refuses a value and names the field that it is for.
func wrongField(field, format string, args ...any) error {
	err := refuse(format, args...)
	return fault.From(err).With(fault.FieldErrors{field: fault.From(err).Message})
}

func prepareModel(e *record.Env, values record.Values) error {
	name := text(values["model"])
	switch {
	case !strings.HasPrefix(name, "x_"):
		return wrongField("model", "The model name must start with 'x_'.")
	case !modelNames.MatchString(name):
		return wrongField("model", "The model name can only contain lowercase characters, digits, underscores and dots.")
	case len(name) > longestName-20: // names of indexes and keys are made of it
		return wrongField("model", "The model name %s is too long: at most %d characters.", name, longestName-20)
	}
	for _, kind := range []string{"transient", "abstract"} {
		if on, _ := values[kind].(bool); on {
			return wrongField(kind, "A model that is made at run time cannot be %s: leave out %s.", kind, kind)
		}
	}
	values["state"] = "manual"
	if !given(values, "field_id") {
		values["field_id"] = []record.Command{{Kind: record.CreateLine, Values: record.Values{
			"name": "x_name", "ttype": "char", "field_description": "Name",
		}}}
	}
	return nil
}

// modelsCreated makes the tables, for models whose fields have not done so,
// and lets administrators in: without any right nobody could use the model.
func modelsCreated(e *record.Env, models []record.Rec) error {
	e = e.Sudo()
	for _, m := range models {
		if err := ensureModel(e, m); err != nil {
			return err
		}
		if err := checkModelOrder(e, m); err != nil {
			return err
		}
		group := e.Ref(groupSystem)
		if group.IsZero() {
			continue
		}
		if _, err := e.Create("ir.model.access", record.Values{
			"name": m.Text("model") + " administrators", "model_id": m.ID(), "group_id": group.ID(),
			"perm_read": true, "perm_write": true, "perm_create": true, "perm_unlink": true,
		}); err != nil {
			return err
		}
	}
	return nil
}

// ensureModel makes the table of a new model with the automatic fields.
func ensureModel(e *record.Env, m record.Rec) error {
	made := false
	err := e.Tx().Query(e.Ctx(), "select 1 from ir_model_fields where model_id = $1 and name = 'id'", []any{m.ID()},
		func(sqldb.Row) error { made = true; return nil })
	if err != nil || made {
		return err
	}
	model := tableOf(e, m.Text("model"))
	taken, err := sqldb.TableExists(e.Ctx(), e.Tx(), model.Table)
	if err != nil {
		return err
	}
	if taken {
		return wrongField("model", "The table %s of the model %s is taken: choose another name.", model.Table, model.Name)
	}
	if err := schema.AddModel(e.Ctx(), e.Tx(), model); err != nil {
		return err
	}
	for _, f := range schema.MagicFields(false) {
		if f.HasColumn() && f.Name != "id" {
			if err := schema.AddField(e.Ctx(), e.Tx(), model, f); err != nil {
				return err
			}
		}
		if err := describeMagic(e, m, f); err != nil {
			return err
		}
	}
	return nil
}

// describeMagic writes an automatic field into ir_model_fields. It goes past
// the engine, which would make a column of it.
func describeMagic(e *record.Env, m record.Rec, f *schema.Field) error {
	ondelete := any(nil)
	if f.Type == schema.Many2one {
		ondelete = string(f.Ondelete)
	}
	_, err := e.Tx().Exec(e.Ctx(), `insert into ir_model_fields (model_id, model, name, field_description, ttype, state,
			relation, store, required, readonly, copied, "index", company_dependent, selectable, on_delete)
		values ($1, $2, $3, $4, $5, 'base', $6, $7, $9, true, $9, $9, $9, true, $8)`,
		m.ID(), m.Text("model"), f.Name, english(f.Label), f.Type.String(), orNil(f.Relation), f.Store, ondelete, false)
	return err
}

// tableOf is a model as far as its table is concerned.
func tableOf(e *record.Env, name string) *schema.Model {
	if m := e.Registry().Model(name); m != nil {
		return &schema.Model{Name: name, Table: m.Table}
	}
	return &schema.Model{Name: name, Table: strings.ReplaceAll(name, ".", "_")}
}

// checkModelOrder refuses an order that searches could not use.
func checkModelOrder(e *record.Env, m record.Rec) error {
	stored := map[string]bool{}
	err := e.Tx().Query(e.Ctx(), "select name, store from ir_model_fields where model_id = $1 and ttype not in ('one2many', 'many2many')",
		[]any{m.ID()}, func(r sqldb.Row) error {
			stored[r.Text(0)] = r.Bool(1)
			return nil
		})
	if err != nil {
		return err
	}
	for _, term := range strings.Split(m.Text("order"), ",") {
		parts := orderTerm.FindStringSubmatch(strings.TrimSpace(term))
		if parts == nil {
			return wrongField("order", "Invalid order %q: expected field names with asc or desc, as in \"x_sequence asc, id desc\".", m.Text("order"))
		}
		if !stored[parts[1]] {
			return wrongField("order", "Unable to order by %s: fields used for ordering must be present on the model and stored.", parts[1])
		}
	}
	return nil
}

// guardModels keeps what cannot change without another table.
func guardModels(e *record.Env, models []record.Rec, values record.Values) error {
	for _, m := range models {
		if name, ok := values["model"]; ok && text(name) != m.Text("model") {
			return wrongField("model", "Field \"Model\" cannot be modified on models.")
		}
		if state, ok := values["state"]; ok && text(state) != m.Text("state") {
			return wrongField("state", "Field \"Type\" cannot be modified on models.")
		}
		for _, kind := range []string{"transient", "abstract"} {
			if on, ok := values[kind].(bool); ok && on != m.Bool(kind) {
				return wrongField(kind, "Field %q cannot be modified on models.", e.Registry().Model("ir.model").Field(kind).Label)
			}
		}
		if order, ok := values["order"]; ok && m.Text("state") != "manual" && text(order) != m.Text("order") {
			return wrongField("order", "The order of a built-in model cannot be changed.")
		}
	}
	return nil
}

func modelsWritten(e *record.Env, models []record.Rec, values record.Values) error {
	if !given(values, "order") {
		return nil
	}
	for _, m := range models {
		if err := checkModelOrder(e, m); err != nil {
			return err
		}
	}
	return nil
}

// dropModels removes the tables of models made at run time, and the fields of
// other models that lead to them.
func dropModels(e *record.Env, models []record.Rec) error {
	e = e.Sudo()
	for _, m := range models {
		name := m.Text("model")
		if m.Text("state") != "manual" {
			return refuse("Model “%s” contains module data and cannot be removed.", m.Text("name"))
		}
		fields, err := e.SearchNode("ir.model.fields", leaf("relation", "=", name))
		if err != nil {
			return err
		}
		own, err := e.SearchNode("ir.model.fields", leaf("model_id", "=", m.ID()))
		if err != nil {
			return err
		}
		var doomed []record.Rec
		for _, f := range append(fields, own...) {
			if f.Text("state") == "manual" && !containsRec(doomed, f) {
				doomed = append(doomed, f)
			}
		}
		if err := e.Unlink(doomed); err != nil {
			return err
		}
		if err := dropAttached(e, leaf("res_model", "=", name), leaf("id", ">", int64(0))); err != nil {
			return err
		}
		if err := schema.DropModel(e.Ctx(), e.Tx(), tableOf(e, name)); err != nil {
			return err
		}
		if _, err := e.Tx().Exec(e.Ctx(), "delete from ir_model_data where model = $1", name); err != nil {
			return err
		}
	}
	return nil
}

func containsRec(recs []record.Rec, r record.Rec) bool {
	for _, other := range recs {
		if other.ID() == r.ID() {
			return true
		}
	}
	return false
}
