package business

import (
	"encoding/json"

	"gatehouse/internal/domain"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
)

// parameterLogic reads and sets system parameters by key.
var parameterLogic = record.Logic{
	Model: "ir.config_parameter",
	Methods: map[string]record.Method{
		"get_param": {
			OnModel: true, ReadOnly: true, Do: getParameter,
			Doc: "The value of a parameter (argument key), else the argument default.",
		},
		"set_param": {
			OnModel: true, Do: setParameter,
			Doc: "Sets a parameter (arguments key, value) and gives its old value; false removes it.",
		},
	},
}

func getParameter(e *record.Env, _ []record.Rec, args record.Values) (any, error) {
	found, err := e.SearchNode("ir.config_parameter", leaf("key", "=", text(args["key"])))
	if err != nil {
		return nil, err
	}
	if len(found) > 0 && found[0].Has("value") {
		return found[0].Text("value"), nil
	}
	if v, ok := args["default"]; ok {
		return v, nil
	}
	return false, nil
}

func setParameter(e *record.Env, _ []record.Rec, args record.Values) (any, error) {
	key, value := text(args["key"]), args["value"]
	if key == "" {
		return nil, missing("key")
	}
	found, err := e.SearchNode("ir.config_parameter", leaf("key", "=", key))
	if err != nil {
		return nil, err
	}
	remove := value == nil || value == false
	if len(found) == 0 {
		if !remove {
			_, err = e.Create("ir.config_parameter", record.Values{"key": key, "value": value})
		}
		return false, err
	}
	old := found[0].Text("value")
	if remove {
		if err := e.MayUnlink("ir.config_parameter"); err != nil {
			return nil, err
		}
		return old, e.Unlink(found)
	}
	return old, e.Write(found, record.Values{"value": value})
}

// defaultLogic keeps the defaults of fields.
var defaultLogic = record.Logic{
	Model: "ir.default",
	Checks: []record.Constraint{{
		Fields: []string{"json_value"}, Check: checkDefaultJSON,
	}},
	Methods: map[string]record.Method{"set": {
		OnModel: true, Do: setDefault,
		Doc: "Sets the default of a field (arguments model_name, field_name, value); user_id and company_id restrict it: an id, or true for one's own.",
	}},
}

// setDefault makes a default, or changes the one with the same reach.
func setDefault(e *record.Env, _ []record.Rec, args record.Values) (any, error) {
	model, name := text(args["model_name"]), text(args["field_name"])
	m := e.Registry().Model(model)
	if m == nil || m.Field(name) == nil {
		return nil, refuse("Invalid field %s.%s", model, name)
	}
	f := m.Field(name)
	if !f.Type.IsX2many() {
		if _, err := f.Convert(args["value"]); err != nil {
			return nil, refuse("Invalid value for %s.%s: %v", model, name, args["value"])
		}
	}
	content, err := json.Marshal(args["value"])
	if err != nil {
		return nil, refuse("Invalid value for %s.%s: %v", model, name, args["value"])
	}
	user, err := ownID("user_id", args["user_id"], e.UserID())
	if err != nil {
		return nil, err
	}
	company, err := ownID("company_id", args["company_id"], e.CompanyID())
	if err != nil {
		return nil, err
	}
	reach := record.Values{"field_id": f.ID, "user_id": user, "company_id": company, "condition": orNil(text(args["condition"]))}
	var same []domain.Node
	for field, v := range reach {
		if v == nil {
			v = false
		}
		same = append(same, leaf(field, "=", v))
	}
	found, err := e.SearchNode("ir.default", domain.Conj(same...))
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		return true, e.Write(found, record.Values{"json_value": string(content)})
	}
	reach["json_value"] = string(content)
	_, err = e.Create("ir.default", reach)
	return true, err
}

// ownID is an id as it was given, own for true, nil for none. What is neither
// is refused: nil would make the default one for everybody.
func ownID(name string, v any, own int64) (any, error) {
	if v == true {
		return own, nil
	}
	return (&schema.Field{Name: name, Type: schema.Many2one}).Convert(v)
}
