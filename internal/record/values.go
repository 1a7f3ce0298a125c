package record

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"gatehouse/internal/access"
	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// automatic fields are kept by the engine; values for them are dropped without
// an error, as Odoo does.
func automatic(name string) bool {
	switch name {
	case "id", "display_name", "create_uid", "create_date", "write_uid", "write_date", "parent_path":
		return true
	}
	return false
}

// clean checks the fields that a caller wants to write and converts plain
// values. x2many values become commands.
func (e *Env) clean(m *schema.Model, values Values) (Values, error) {
	out := make(Values, len(values)+8)
	for name, v := range values {
		if automatic(name) {
			continue
		}
		f := m.Field(name)
		if f == nil || (f.Secret && f.Readonly && !e.actor.sudo) {
			return nil, backend.NoField(m, name, "the values")
		}
		if !e.actor.sudo && !f.Secret && !access.Field(e.st.reg, e.actor.user, f) {
			return nil, fault.Newf(fault.Forbidden, "You are not allowed to modify the field %s of %s", name, m.Name).
				With(fault.FieldErrors{name: "not allowed"})
		}
		if f.Manual && f.Readonly && !f.Store && len(f.Related) > 0 {
			continue // Odoo writes through those only that are not read-only
		}
		if !f.Store && len(f.Related) == 0 {
			if e.asOdoo() {
				continue
			}
			return nil, fault.Newf(fault.BadRequest, "The field %s of %s is computed and cannot be written", name, m.Name).
				With(fault.FieldErrors{name: "computed"})
		}
		if f.Type.IsX2many() {
			cmds, err := e.commands(f, v)
			if err != nil {
				return nil, err
			}
			out[name] = cmds
			continue
		}
		converted, err := e.convert(f, v)
		if err != nil {
			return nil, err
		}
		out[name] = converted
	}
	return out, nil
}

// convert turns a value into its stored form.
func (e *Env) convert(f *schema.Field, v any) (any, error) {
	switch x := v.(type) {
	case Rec:
		v = x.id
	case int:
		v = int64(x)
	case time.Time:
		v = x.UTC().Format(schema.DatetimeLayout)
	}
	if f.Type == schema.Properties || f.Type == schema.PropertiesDefinition {
		return e.propertiesText(f, v)
	}
	v, err := f.Convert(v)
	if err != nil {
		return nil, err
	}
	if s, ok := v.(string); ok && f.Type == schema.HTML && s != "" {
		v = e.e.sanitize(s)
	}
	return v, nil
}

// decodeDefault reads the JSON of ir.default as a value of the field.
func decodeDefault(f *schema.Field, text string) (any, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("ir.default of %s: %w", f.Name, err)
	}
	if f.Type.IsX2many() {
		return v, nil
	}
	return f.Convert(v)
}

// defaults fills in the fields that a create leaves out: from the context,
// ir.default, the declaration, then the model's logic (semantics, section 13).
func (e *Env) defaults(m *schema.Model, values Values) error {
	for name, v := range e.caller.Context.Defaults {
		f := m.Field(name)
		if _, given := values[name]; given || f == nil || automatic(name) {
			continue
		}
		one, err := e.clean(m, Values{name: v})
		if err != nil {
			return err
		}
		if err := e.checkLinks(m, one); err != nil {
			return err
		}
		values[name] = one[name]
	}
	for _, f := range m.Fields {
		if _, given := values[f.Name]; given || f.Name == "id" || automatic(f.Name) {
			continue
		}
		v, ok := e.defaultOf(f)
		if !ok {
			continue
		}
		if err := e.setDefault(f, values, v); err != nil {
			return err
		}
	}
	for _, l := range e.e.logics[m.Name] {
		for name, fn := range l.Defaults {
			if _, given := values[name]; given {
				continue
			}
			v, err := fn(e)
			if err = e.hookFault(err); err != nil {
				return err
			}
			f := m.Field(name)
			if f == nil {
				return fmt.Errorf("default for the unknown field %s.%s", m.Name, name)
			}
			if err := e.setDefault(f, values, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Env) setDefault(f *schema.Field, values Values, v any) error {
	if f.Type.IsX2many() {
		cmds, err := e.commands(f, v)
		values[f.Name] = cmds
		return err
	}
	converted, err := e.convert(f, v)
	values[f.Name] = converted
	return err
}

// defaultOf finds the best row of ir.default (the user's own first, then the
// company's), else the declared constant.
func (e *Env) defaultOf(f *schema.Field) (any, bool) {
	var best *schema.DefaultValue
	rank := func(d *schema.DefaultValue) int {
		n := 0
		if d.UserID != 0 {
			n += 2
		}
		if d.CompanyID != 0 {
			n++
		}
		return n
	}
	rows := e.st.reg.Default[f.ID]
	for i := range rows {
		d := &rows[i]
		if (d.UserID != 0 && d.UserID != e.UserID()) || (d.CompanyID != 0 && d.CompanyID != e.CompanyID()) {
			continue
		}
		if best == nil || rank(d) > rank(best) {
			best = d
		}
	}
	if best != nil && !f.CompanyDependent {
		v, err := decodeDefault(f, best.JSON)
		return v, err == nil
	}
	if f.Default != nil && !f.Inherited {
		return f.Default, true
	}
	return nil, false
}

// required answers for a field that must be set and is not.
func (e *Env) required(m *schema.Model, values Values) error {
	for _, f := range m.Fields {
		if !f.Required || !f.HasColumn() && !f.Attached {
			continue
		}
		v, ok := values[f.Name]
		if v == SelfID {
			continue
		}
		if !ok || v == nil || (f.Type.IsText() && v == "" && !f.Translate && f.Type == schema.Char && f.Name == m.RecName) {
			return missingField(f.Name)
		}
	}
	return nil
}

func missingField(name string) *fault.Error {
	return fault.New(fault.BadRequest, "Missing required field: "+name).With(fault.FieldErrors{name: "required"})
}

// commands reads the value of an x2many: Odoo's commands, a list of ids (set),
// nothing (clear), or values for new lines.
func (e *Env) commands(f *schema.Field, v any) ([]Command, error) {
	switch v := v.(type) {
	case nil:
		return []Command{{Kind: ClearLines}}, nil
	case bool:
		if v {
			return nil, badCommand(f, "expected a list")
		}
		return []Command{{Kind: ClearLines}}, nil
	case []Command:
		return v, nil
	case Command:
		return []Command{v}, nil
	case []int64:
		return []Command{{Kind: SetLines, IDs: v}}, nil
	case []Rec:
		return []Command{{Kind: SetLines, IDs: idsOf(v)}}, nil
	case []Values:
		var cmds []Command
		for _, vals := range v {
			cmds = append(cmds, Command{Kind: CreateLine, Values: vals})
		}
		return cmds, nil
	case []any:
		return e.commandList(f, v)
	}
	return nil, badCommand(f, "expected a list of ids or commands")
}

func (e *Env) commandList(f *schema.Field, list []any) ([]Command, error) {
	var cmds []Command
	var ids []int64
	for i, item := range list {
		switch item := item.(type) {
		case []any:
			if e.asOdoo() && unknownCommand(item) {
				continue
			}
			cmd, err := command(f, item)
			if err != nil {
				return nil, err
			}
			cmds = append(cmds, cmd)
		case map[string]any:
			cmds = append(cmds, Command{Kind: CreateLine, Values: item})
		default:
			id, err := idOf(item)
			if err != nil {
				return nil, badCommand(f, fmt.Sprintf("element %d is neither an id nor a command", i))
			}
			ids = append(ids, id)
		}
	}
	if ids != nil && cmds != nil {
		return nil, badCommand(f, "ids and commands cannot be mixed")
	}
	if ids != nil {
		return []Command{{Kind: SetLines, IDs: ids}}, nil
	}
	return cmds, nil
}

// unknownCommand says that a command's number means nothing.
func unknownCommand(item []any) bool {
	if len(item) == 0 {
		return false
	}
	number, err := idOf(item[0])
	return err != nil || number < int64(CreateLine) || number > int64(SetLines)
}

// command reads one command such as [0, 0, {…}] or [6, 0, [1, 2]].
func command(f *schema.Field, item []any) (Command, error) {
	if len(item) == 0 {
		return Command{}, badCommand(f, "a command is empty")
	}
	number, err := idOf(item[0])
	if err != nil && item[0] != nil {
		return Command{}, badCommand(f, "a command begins with a number from 0 to 6")
	}
	cmd := Command{Kind: CommandKind(number)}
	needs := map[CommandKind]int{CreateLine: 3, UpdateLine: 3, DeleteLine: 2, UnlinkLine: 2, LinkLine: 2, ClearLines: 1, SetLines: 3}
	n, known := needs[cmd.Kind]
	if !known {
		return Command{}, badCommand(f, fmt.Sprintf("there is no command %d; commands go from 0 to 6", number))
	}
	if len(item) < n {
		return Command{}, badCommand(f, fmt.Sprintf("the command %d needs %d elements", number, n))
	}
	switch cmd.Kind {
	case UpdateLine, DeleteLine, UnlinkLine, LinkLine:
		if cmd.ID, err = idOf(item[1]); err != nil {
			return Command{}, badCommand(f, fmt.Sprintf("the command %d needs an id", number))
		}
	case SetLines:
		switch list := item[2].(type) {
		case []int64:
			cmd.IDs = list
		case []any:
			for _, v := range list {
				id, err := idOf(v)
				if err != nil {
					return Command{}, badCommand(f, "the command 6 needs a list of ids")
				}
				cmd.IDs = append(cmd.IDs, id)
			}
		default:
			return Command{}, badCommand(f, "the command 6 needs a list of ids")
		}
	}
	if cmd.Kind == CreateLine || cmd.Kind == UpdateLine {
		vals, ok := item[2].(map[string]any)
		if !ok && item[2] != nil && item[2] != false {
			return Command{}, badCommand(f, fmt.Sprintf("the command %d needs an object with values", number))
		}
		cmd.Values = vals
	}
	return cmd, nil
}

// idOf reads a number that is an id.
func idOf(v any) (int64, error) {
	switch v := v.(type) {
	case int64:
		return v, nil
	case int:
		return int64(v), nil
	case CommandKind:
		return int64(v), nil
	case json.Number:
		return v.Int64()
	case float64:
		if v == float64(int64(v)) {
			return int64(v), nil
		}
	}
	return 0, fmt.Errorf("%v is no id", v)
}

func badCommand(f *schema.Field, what string) error {
	return fault.Newf(fault.BadRequest, "Invalid value for field %s: %s", f.Name, what).
		With(fault.FieldErrors{f.Name: what})
}
