package odoocall

import (
	"encoding/json"
	"slices"
	"strconv"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// formatGroup is a group as Odoo's web client gets it: keys, the condition that
// selects the group, figures.
func formatGroup(groups *backend.Groups, g *backend.Group) (map[string]any, error) {
	row := map[string]any{}
	var conditions [][]any
	for i := range groups.By {
		col := &groups.By[i]
		value, err := keyValue(groups, col, &g.Keys[i])
		if err != nil {
			return nil, err
		}
		row[col.Name] = value
		conditions = append(conditions, keyCondition(col, col.Path, &g.Keys[i]))
	}
	row["__extra_domain"] = conjunction(conditions)
	for i := range groups.Aggregates {
		row[groups.Aggregates[i].Name] = plainValue(g.Values[i])
	}
	return row, nil
}

// conjunction joins domains in prefix notation.
func conjunction(domains [][]any) []any {
	if len(domains) == 0 {
		return []any{[]any{1, "=", 1}}
	}
	out := []any{}
	for range len(domains) - 1 {
		out = append(out, "&")
	}
	for _, d := range domains {
		out = append(out, d...)
	}
	return out
}

// keyValue is a key with its label, where it has one.
func keyValue(groups *backend.Groups, col *backend.GroupColumn, key *backend.GroupKey) (any, error) {
	if key.Shown != nil {
		return key.Shown, nil
	}
	if key.From.IsZero() {
		return plainValue(key.Value), nil
	}
	if col.Field().Type == schema.Date && col.Func == "hour" {
		return nil, fault.Newf(fault.BadRequest, "Cannot group by %s: a day has no hour to show", col.Name)
	}
	label, err := periodLabel(groups.Lang, col.Func, key.Time())
	if err != nil {
		return nil, err
	}
	return []any{bound(col.Field(), key.From.Format), label}, nil
}

// bound writes the beginning or the end of a period. Python writes years
// before 1000 without leading zeros.
func bound(field *schema.Field, format func(string) string) string {
	layout := schema.DatetimeLayout
	if field.Type == schema.Date {
		layout = schema.DateLayout
	}
	text := format(layout)
	for len(text) > 1 && text[0] == '0' {
		text = text[1:]
	}
	return text
}

// keyCondition selects the records of a group by one of its keys.
func keyCondition(col *backend.GroupColumn, path []*schema.Field, key *backend.GroupKey) []any {
	if key.Where != nil {
		return key.Where
	}
	field := path[0]
	if len(path) > 1 {
		inner := keyCondition(col, path[1:], key)
		through := []any{field.Name, "any", inner}
		if noKey(key) {
			return []any{"|", []any{field.Name, "not any", []any{}}, through}
		}
		return []any{through}
	}
	if !key.From.IsZero() {
		return []any{
			"&", []any{field.Name, ">=", bound(field, key.From.Format)}, []any{field.Name, "<", bound(field, key.To.Format)},
		}
	}
	switch {
	case field.Type == schema.Many2many && key.Kind == backend.Null:
		return []any{[]any{field.Name, "not any", []any{}}}
	case key.Kind == backend.Ref:
		return []any{[]any{field.Name, "=", key.Int}}
	case col.Func != "" && !isPeriod(col.Func):
		return []any{[]any{field.Name + "." + col.Func, "=", plainValue(key.Value)}}
	}
	return []any{[]any{field.Name, "=", plainValue(key.Value)}}
}

// noKey says whether a key counts as empty where a path ends in it.
func noKey(key *backend.GroupKey) bool {
	switch key.Kind {
	case backend.Null:
		return true
	case backend.Bool, backend.Int:
		return key.Int == 0
	case backend.Float:
		return key.Float() == 0
	case backend.Text:
		return key.Text == ""
	}
	return false
}

func isPeriod(granularity string) bool { return slices.Contains(backend.Periods(), granularity) }

// plainValue is a value in Odoo's shape. Unlike where records are read, a
// number that is not set is false, apart from 0.
func plainValue(v backend.Value) any {
	switch v.Kind {
	case backend.Bool:
		return v.Int != 0
	case backend.Int:
		return v.Int
	case backend.Float:
		return floatNumber(v.Float())
	case backend.Text:
		return v.Text
	case backend.Date:
		return v.Time().Format(schema.DateLayout)
	case backend.Datetime:
		return v.Time().Format(schema.DatetimeLayout)
	case backend.Ref:
		return []any{v.Int, orFalse(v.Text)}
	case backend.Raw:
		return json.RawMessage(v.Text)
	}
	return false
}

// floatNumber keeps the fraction of whole numbers: 3.0.
func floatNumber(f float64) json.RawMessage {
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if f == float64(int64(f)) {
		text = strconv.FormatFloat(f, 'f', 1, 64)
	}
	return json.RawMessage(text)
}
