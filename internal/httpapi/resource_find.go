package httpapi

import (
	"math"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/nearest"
	"gatehouse/internal/schema"
)

// condition makes the domain of a list of the resource: search= and filters.
func (r *Resource) condition(m *schema.Model, p *params) (domain.Node, error) {
	var all []domain.Node
	if p.search != "" {
		var hits []domain.Node
		for _, name := range r.Search {
			if f := m.Field(r.find(name).modelField()); f != nil {
				hits = append(hits, leaf(f.Name, domain.OpILike, likeLiteral(p.search)))
			}
		}
		all = append(all, domain.Disj(hits...))
	}
	for _, filter := range p.filters {
		node, err := r.find(filter.name).equals(m, filter.value)
		if err != nil {
			return nil, err
		}
		all = append(all, node)
	}
	return domain.Conj(all...), nil
}

func leaf(path string, op domain.Op, value any) domain.Node {
	return &domain.Leaf{Path: path, Op: op, Value: value, Pos: -1}
}

// likeLiteral takes the meaning off the wildcards of LIKE.
func likeLiteral(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}

// equals makes the condition that a field has a value, given as text.
func (f *ResourceField) equals(m *schema.Model, text string) (domain.Node, error) {
	if f.Choices != nil {
		return f.chosen(m, text)
	}
	field := m.Field(f.modelField())
	if field == nil {
		return domain.Const(text == ""), nil // nothing has a value there
	}
	if field.Type == schema.Datetime && len(text) == len(schema.DateLayout) {
		if _, err := time.Parse(schema.DateLayout, text); err == nil { // the whole day
			return domain.Conj(leaf(field.Name, domain.OpGe, text), leaf(field.Name, domain.OpLe, text)), nil
		}
	}
	value, expected := filterValue(field, text)
	if expected != "" {
		return nil, wrongParam(f.Name, "must be "+expected)
	}
	return leaf(field.Name, domain.OpEq, value), nil
}

// chosen makes the condition for a word that stands for several values.
func (f *ResourceField) chosen(m *schema.Model, text string) (domain.Node, error) {
	var known []string
	for i := range f.Choices {
		choice := &f.Choices[i]
		known = append(known, choice.Name)
		if choice.Name != text {
			continue
		}
		var all []domain.Node
		values := choice.of(m)
		for _, name := range f.names {
			if value, ok := values[name]; ok {
				all = append(all, leaf(name, domain.OpEq, value))
			}
		}
		return domain.Conj(all...), nil
	}
	return nil, wrongParam(f.Name, "must be one of: "+strings.Join(known, ", "))
}

// filterValue reads the text of a filter by the type of its field. Where it
// does not fit, the second result says what was expected.
func filterValue(f *schema.Field, text string) (any, string) {
	switch f.Type {
	case schema.Boolean:
		b, err := boolean(f.Name, text)
		if err != nil {
			return nil, "true or false"
		}
		return b, ""
	case schema.Integer:
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return nil, "a whole number"
		}
		return n, ""
	case schema.Float, schema.Monetary:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, "a number"
		}
		return x, ""
	default:
	}
	if text == "" {
		return false, "" // not set
	}
	switch f.Type {
	case schema.Many2one:
		n, err := strconv.ParseUint(text, 10, 31)
		if err != nil || n == 0 {
			return nil, "the id of a record"
		}
		return int64(n), ""
	case schema.Date:
		if _, err := time.Parse(schema.DateLayout, text); err != nil {
			return nil, "a date like 2026-01-31"
		}
	case schema.Datetime:
		moment, ok := wire.Moment(text)
		if !ok {
			return nil, "a day or a moment like 2026-01-31T10:30:00Z"
		}
		return moment, ""
	case schema.Selection:
		if _, known := f.Option(text); !known && len(f.Options) > 0 {
			return nil, "one of: " + strings.Join(wire.OptionValues(f), ", ")
		}
	default:
	}
	return text, ""
}

// order turns names of the resource into fields of the model.
func (r *Resource) order(m *schema.Model, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	parts := strings.Split(text, ",")
	if len(parts) > 10 {
		return "", wrongParam("order", "names more than 10 fields")
	}
	for i, part := range parts {
		words := strings.Fields(part)
		if len(words) == 0 || len(words) > 2 {
			return "", wrongParam("order", "must be like name asc, id desc")
		}
		direction := ""
		if len(words) == 2 {
			if direction = strings.ToLower(words[1]); direction != "asc" && direction != "desc" {
				return "", wrongParam("order", "must be like name asc, id desc; "+wire.Quote(words[1])+" is neither asc nor desc")
			}
		}
		f := r.find(words[0])
		if f == nil || f.Lines != nil || m.Field(f.modelField()) == nil {
			return "", r.unsortable(words[0])
		}
		parts[i] = strings.TrimSpace(f.modelField() + " " + direction)
	}
	return strings.Join(parts, ", "), nil
}

func (r *Resource) unsortable(name string) error {
	var names []string
	for i := range r.Fields {
		if f := &r.Fields[i]; !f.InOnly && f.Lines == nil {
			names = append(names, f.Name)
		}
	}
	message := "Invalid parameter order: unknown field " + wire.Name(name)
	if near := nearest.Word(name, names); near != "" {
		message += ". Did you mean " + near + "?"
	}
	return fault.New(fault.BadRequest, message).With(map[string]any{"allowed": names})
}
