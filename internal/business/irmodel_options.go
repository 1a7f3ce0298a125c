package business

import (
	"fmt"
	"strings"

	"gatehouse/internal/domain"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// optionsField is the text form of a selection's options, as Odoo has it: it
// is read from the lines, and writing it changes them.
func optionsField() *schema.Field {
	f := schema.NewChar("selection", "Selection Options (Deprecated)").ComputedStored()
	f.Readonly = false
	return f
}

var optionsText = record.Compute{
	Fields:  []string{"selection"},
	Depends: []string{"selection_ids.value", "selection_ids.name", "selection_ids.sequence"},
	Do: func(e *record.Env, f record.Rec) (record.Values, error) {
		var pairs []string
		for _, o := range f.Refs("selection_ids") {
			pairs = append(pairs, "("+pythonText(o.Text("value"))+", "+pythonText(o.Text("name"))+")")
		}
		if len(pairs) == 0 {
			return record.Values{"selection": nil}, nil
		}
		return record.Values{"selection": "[" + strings.Join(pairs, ", ") + "]"}, nil
	},
}

// pythonText quotes a text as Python does.
func pythonText(s string) string {
	quote := "'"
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = `"`
	}
	return quote + strings.NewReplacer(`\`, `\\`, "\n", `\n`, quote, `\`+quote).Replace(s) + quote
}

// prepareOptions turns the text form of the options of a selection,
// "[('a', 'First'), …]", into lines.
func prepareOptions(values record.Values, kind string) error {
	written := text(values["selection"])
	delete(values, "selection")
	if written == "" || given(values, "selection_ids") {
		return nil
	}
	if kind != "selection" && kind != "reference" {
		return wrongField("selection", "Only fields of type selection and reference have options, not one of type %s.", kind)
	}
	options, err := parseOptions(written)
	if err != nil {
		return badOptions(err)
	}
	var lines []record.Command
	for i, o := range options {
		lines = append(lines, record.Command{Kind: record.CreateLine, Values: record.Values{
			"value": o.Value, "name": o.Label, "sequence": int64(i),
		}})
	}
	values["selection_ids"] = lines
	return nil
}

func badOptions(err error) error {
	return wrongField("selection", "The Selection Options expression is not a valid Pythonic expression. Please provide an expression in the [('key','Label'), ...] format. (%s)", err)
}

// rewriteOptions turns new options in text form into changes of the lines:
// what stays keeps its records, what is left out goes.
func rewriteOptions(r record.Rec, values record.Values) error {
	written, ok := values["selection"]
	delete(values, "selection")
	if !ok || text(written) == "" {
		return nil
	}
	options, err := parseOptions(text(written))
	if err != nil {
		return badOptions(err)
	}
	have := map[string]record.Rec{}
	for _, o := range r.Refs("selection_ids") {
		have[o.Text("value")] = o
	}
	var lines []record.Command
	for i, o := range options {
		vals := record.Values{"name": o.Label, "sequence": int64(i)}
		if old, ok := have[o.Value]; ok {
			lines = append(lines, record.Command{Kind: record.UpdateLine, ID: old.ID(), Values: vals})
			delete(have, o.Value)
			continue
		}
		vals["value"] = o.Value
		lines = append(lines, record.Command{Kind: record.CreateLine, Values: vals})
	}
	for _, gone := range have {
		lines = append(lines, record.Command{Kind: record.DeleteLine, ID: gone.ID()})
	}
	values["selection_ids"] = lines
	return nil
}

// parseOptions reads a list of pairs of texts, in Python's or JSON's writing.
func parseOptions(s string) ([]schema.Option, error) {
	p := &optionParser{rest: s}
	if err := p.expect("["); err != nil {
		return nil, err
	}
	var options []schema.Option
	for !p.accept("]") {
		if len(options) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
			if p.accept("]") {
				break
			}
		}
		o, err := p.pair()
		if err != nil {
			return nil, err
		}
		options = append(options, o)
	}
	if strings.TrimSpace(p.rest) != "" {
		return nil, fmt.Errorf("unexpected %q at the end", clip(strings.TrimSpace(p.rest), 12))
	}
	if len(options) == 0 {
		return nil, fmt.Errorf("the list is empty")
	}
	return options, nil
}

type optionParser struct{ rest string }

func (p *optionParser) accept(token string) bool {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	if !strings.HasPrefix(p.rest, token) {
		return false
	}
	p.rest = p.rest[len(token):]
	return true
}

func (p *optionParser) expect(token string) error {
	if !p.accept(token) {
		return fmt.Errorf("expected %s before %q", token, clip(p.rest, 12))
	}
	return nil
}

func (p *optionParser) pair() (o schema.Option, err error) {
	closing := ")"
	if p.accept("[") {
		closing = "]"
	} else if err = p.expect("("); err != nil {
		return o, err
	}
	if o.Value, err = p.text(); err != nil {
		return o, err
	}
	if err = p.expect(","); err != nil {
		return o, err
	}
	if o.Label, err = p.text(); err != nil {
		return o, err
	}
	p.accept(",")
	return o, p.expect(closing)
}

// text reads a quoted text with backslash escapes.
func (p *optionParser) text() (string, error) {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	if p.rest == "" || (p.rest[0] != '\'' && p.rest[0] != '"') {
		return "", fmt.Errorf("expected a quoted text before %q", clip(p.rest, 12))
	}
	quote := p.rest[0]
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == quote:
			p.rest = p.rest[i+1:]
			return b.String(), nil
		case c == '\\' && i+1 < len(p.rest):
			i++
			if p.rest[i] == 'n' {
				b.WriteByte('\n')
			} else {
				b.WriteByte(p.rest[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", fmt.Errorf("a text is not closed")
}

// prepareOption keeps options where they belong.
func prepareOption(e *record.Env, values record.Values) error {
	id, _ := values["field_id"].(int64)
	f := e.One("ir.model.fields", id)
	if f.IsZero() {
		return nil // the engine refuses it
	}
	if kind := f.Text("ttype"); kind != "selection" && kind != "reference" {
		return wrongField("field_id", "The field %s is of type %s and has no options.", f.Text("name"), kind)
	}
	return ownOption(f)
}

func ownOption(f record.Rec) error {
	if f.Text("state") != "manual" {
		return refuse("Properties of base fields cannot be altered in this manner! The options of %s are part of %s.", f.Text("name"), f.Text("model"))
	}
	return nil
}

// guardOptions carries a new value to the records that have the old one.
func guardOptions(e *record.Env, options []record.Rec, values record.Values) error {
	for _, o := range options {
		f := o.Ref("field_id")
		if err := ownOption(f); err != nil {
			return err
		}
		value, ok := values["value"]
		if !ok || text(value) == o.Text("value") || !fieldOf(f).HasColumn() || f.Bool("company_dependent") {
			continue
		}
		column := sqldb.Quote(f.Text("name"))
		_, err := e.Tx().Exec(e.Ctx(), "update "+sqldb.Quote(tableOf(e, f.Text("model")).Table)+
			" set "+column+" = $1 where "+column+" = $2", text(value), o.Text("value"))
		if err != nil {
			return err
		}
	}
	return nil
}

// dropOptions empties the field of the records that have an option which goes.
func dropOptions(e *record.Env, options []record.Rec) error {
	e = e.Sudo()
	for _, o := range options {
		f := o.Ref("field_id")
		if err := ownOption(f); err != nil {
			return err
		}
		m := e.Registry().Model(f.Text("model"))
		if m == nil || m.Field(f.Text("name")) == nil || !fieldOf(f).HasColumn() {
			continue // made in this transaction: no record can have it
		}
		users, err := e.SearchNode(m.Name, domain.Conj(leaf(f.Text("name"), "=", o.Text("value"))), record.WithArchived())
		if err != nil {
			return err
		}
		if len(users) == 0 {
			continue
		}
		if f.Bool("required") {
			return refuse("The option %s of the required field %s is still used by %d records.", o.Text("value"), f.Text("name"), len(users))
		}
		if err := e.Write(users, record.Values{f.Text("name"): nil}); err != nil {
			return err
		}
	}
	return nil
}
