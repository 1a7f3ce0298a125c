package odoocall

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// grouped answers with prepared groups and remembers the questions.
type grouped struct {
	backend.Backend
	model   *schema.Model
	answers []*backend.Groups
	asked   []*backend.GroupQuery
}

func (g *grouped) Model(context.Context, *backend.Caller, string) (*schema.Model, error) {
	return g.model, nil
}

func (g *grouped) Group(_ context.Context, _ *backend.Caller, q *backend.GroupQuery) (*backend.Groups, error) {
	g.asked = append(g.asked, q)
	answer := *g.answers[0]
	if len(g.answers) > 1 {
		g.answers = g.answers[1:]
	}
	return &answer, nil
}

func newGrouped(t *testing.T, answers ...*backend.Groups) *grouped {
	t.Helper()
	model := schema.Prepare([]*schema.Model{{Name: "x_thing", Order: "x_kind, x_seq desc, id", Fields: []*schema.Field{
		schema.NewInteger("x_int", "Int"), schema.NewSelection("x_kind", "Kind", "a", "A"), schema.NewDate("x_date", "Date"),
		schema.NewDatetime("x_when", "When"), schema.NewMany2one("x_parent_id", "Parent", "x_thing"), schema.NewInteger("x_seq", "Seq"),
		schema.NewMany2many("x_tag_ids", "Tags", "x_thing", "rel", "a", "b"),
	}}})[0]
	for _, f := range model.Fields {
		f.Manual = true
	}
	return &grouped{model: model, answers: answers}
}

func (g *grouped) column(name string, path ...string) backend.GroupColumn {
	col := backend.GroupColumn{Name: name}
	spec, function, _ := strings.Cut(name, ":")
	col.Func = function
	if len(path) == 0 {
		path = []string{spec}
	}
	for _, p := range path {
		col.Path = append(col.Path, g.model.Field(p))
	}
	if name == "__count" {
		col.Path = nil
	}
	return col
}

// run calls a method; the JSON of its result is shorter to compare.
func (g *grouped) run(t *testing.T, method, kwargs string) (string, error) {
	t.Helper()
	args := map[string]any{}
	d := json.NewDecoder(strings.NewReader(kwargs))
	d.UseNumber()
	if err := d.Decode(&args); err != nil {
		t.Fatal(err)
	}
	result, err := Call(context.Background(), g, &backend.Caller{UserID: 2}, "x_thing", method, args)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(`\u0026`, "&", `\u003c`, "<", `\u003e`, ">").Replace(string(text)), nil
}

func month(year int, m time.Month) backend.GroupKey {
	return backend.PeriodKey(backend.DateValue(time.Date(year, m, 1, 0, 0, 0, 0, time.UTC)), "month", time.UTC)
}

func one(key backend.GroupKey, figures ...backend.Value) backend.Group {
	return backend.Group{Keys: []backend.GroupKey{key}, Values: figures}
}

func plain(v backend.Value) backend.GroupKey { return backend.GroupKey{Value: v} }

func TestFormattedGroup(t *testing.T) {
	tests := []struct {
		spec string
		path []string
		key  backend.GroupKey
		want string
	}{
		{"x_kind", nil, plain(backend.TextValue("a")), `"x_kind":"a" [["x_kind","=","a"]]`},
		{"x_kind", nil, backend.GroupKey{}, `"x_kind":false [["x_kind","=",false]]`},
		{"x_int", nil, plain(backend.IntValue(0)), `"x_int":0 [["x_int","=",0]]`},
		{"x_parent_id", nil, plain(backend.RefValue(7, "Seven")), `"x_parent_id":[7,"Seven"] [["x_parent_id","=",7]]`},
		{"x_parent_id", nil, plain(backend.RefValue(7, "")), `"x_parent_id":[7,false] [["x_parent_id","=",7]]`},
		{"x_tag_ids", nil, backend.GroupKey{}, `"x_tag_ids":false [["x_tag_ids","not any",[]]]`},
		{
			"x_parent_id.x_kind",
			[]string{"x_parent_id", "x_kind"},
			plain(backend.TextValue("a")),
			`"x_parent_id.x_kind":"a" [["x_parent_id","any",[["x_kind","=","a"]]]]`,
		},
		{
			"x_parent_id.x_kind",
			[]string{"x_parent_id", "x_kind"},
			backend.GroupKey{},
			`"x_parent_id.x_kind":false ["|",["x_parent_id","not any",[]],["x_parent_id","any",[["x_kind","=",false]]]]`,
		},
		{"x_date:month", nil, month(2024, 12), `"x_date:month":["2024-12-01","December 2024"] ["&",["x_date",">=","2024-12-01"],["x_date","<","2025-01-01"]]`},
		{"x_date:month_number", nil, plain(backend.FloatValue(3)), `"x_date:month_number":3.0 [["x_date.month_number","=",3.0]]`},
		{"x_date:month_number", nil, backend.GroupKey{}, `"x_date:month_number":false [["x_date.month_number","=",false]]`},
	}
	for _, tt := range tests {
		g := newGrouped(t)
		g.answers = []*backend.Groups{{
			Lang: "en_US", By: []backend.GroupColumn{g.column(tt.spec, tt.path...)}, Aggregates: []backend.GroupColumn{g.column("__count")},
			Rows: []backend.Group{one(tt.key, backend.IntValue(4))},
		}}
		got, err := g.run(t, "formatted_read_group", `{"domain":[],"groupby":["`+tt.spec+`"],"aggregates":["__count"]}`)
		key, condition, _ := strings.Cut(tt.want, " [")
		if strings.Contains(tt.want, ` ["&"`) {
			key, condition, _ = strings.Cut(tt.want, ` ["&"`)
			condition = `"&"` + condition
		}
		if want := `[{"__count":4,"__extra_domain":[` + condition + `,` + key + `}]`; err != nil || got != want {
			t.Errorf("%s: %s (%v), want %s", tt.spec, got, err, want)
		}
	}
}

func TestGroupArguments(t *testing.T) {
	g := newGrouped(t, &backend.Groups{Rows: []backend.Group{{}}})
	got, err := g.run(t, "formatted_read_group", `{"domain":[["x_int",">",1]],"aggregates":["x_int:recordset"],"offset":1,"limit":"2","order":"x",
		"having":[["in vain"]]}`)
	if err != nil || got != `[{"__extra_domain":[[1,"=",1]]}]` {
		t.Errorf("%s (%v)", got, err)
	}
	if q := g.asked[0]; q.Aggregates[0] != "x_int:array_agg" || q.Offset != 1 || q.Limit != 2 || q.Order != "x" || q.Having != nil {
		t.Errorf("%+v", q)
	}
	for _, kwargs := range []string{
		`{"domain":[],"groupby":"x_kind"}`, `{"domain":[],"groupby":null}`, `{"domain":[],"groupby":["x_kind"],"having":["&"]}`,
		`{"domain":[],"groupby":["x_kind"],"having":["!"]}`, `{"domain":[],"groupby":["x_kind"],"having":[["__count",">"]]}`,
		`{"domain":[],"groupby":["x_kind"],"having":null}`, `{"domain":[],"groupby":["x_kind"],"aggregates":[7]}`, `{"domain":[],"limit":-1}`,
	} {
		if got, err := g.run(t, "formatted_read_group", kwargs); !fault.Is(err, fault.BadRequest) {
			t.Errorf("%s: %s (%v)", kwargs, got, err)
		}
	}
}

func TestHaving(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:                            "",
		`[["__count",">",1]]`:           "__count",
		`[["a","=",1],["b","=",2]]`:     "(a and b)",
		`["|",["a","=",1],["b","=",2]]`: "(a or b)",
		`["!","|",["a","=",1],["b","=",2],["c","=",3]]`: "(not (a or b) and c)",
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		node, err := arguments{map[string]any{"having": v}}.having()
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := showHaving(node); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestPeriodLabel(t *testing.T) {
	tests := []struct{ lang, granularity, start, want string }{
		{"en_US", "day", "2024-03-04 00", "04 Mar 2024"},
		{"fr_FR", "day", "2024-02-04 00", "04 févr. 2024"},
		{"de_DE", "day", "2024-12-24 00", "24 Dez. 2024"},
		{"en_US", "month", "2024-03-01 00", "March 2024"},
		{"fr_FR", "month", "2024-08-01 00", "août 2024"},
		{"de_DE", "month", "2024-03-01 00", "März 2024"},
		{"en_US", "quarter", "2024-04-01 00", "Q2 2024"},
		{"fr_FR", "quarter", "2024-10-01 00", "T4 2024"},
		{"de_DE", "year", "0987-01-01 00", "0987"},
		{"en_US", "hour", "2024-03-04 00", "12:00 04 Mar"},
		{"en_US", "hour", "2024-03-04 13", "01:00 04 Mar"},
		{"de_DE", "hour", "2024-05-04 12", "12:00 04 Mai"},
		{"en_US", "week", "2023-12-31 00", "W1 2024"},
		{"en_US", "week", "2024-03-03 00", "W10 2024"},
		{"en_US", "week", "2024-12-22 00", "W52 2024"},
		{"fr_FR", "week", "2024-12-30 00", "W1 2025"},
		{"de_DE", "week", "2021-01-03 00", "W53 2020"},
	}
	for _, tt := range tests {
		start, err := time.Parse("2006-01-02 15", tt.start)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := periodLabel(tt.lang, tt.granularity, start); err != nil || got != tt.want {
			t.Errorf("%s of %s in %s: %q (%v), want %q", tt.granularity, tt.start, tt.lang, got, err, tt.want)
		}
	}
	_, err := periodLabel("tlh", "day", time.Now())
	if _, ok := errors.AsType[*backend.UnprovableError](err); !ok {
		t.Errorf("names of an unknown language: %v", err)
	}
}

func TestFillTemporal(t *testing.T) {
	tests := []struct{ context, want string }{
		{`{}`, "February:3 May:1 false:2"},
		{`{"fill_temporal":true}`, "February:3 March:0 April:0 May:1 false:2"},
		{`{"fill_temporal":{}}`, "February:3 March:0 April:0 May:1 false:2"},
		{`{"fill_temporal":{"fill_from":"2024-01-31"}}`, "January:0 February:3 March:0 April:0 May:1 false:2"},
		{`{"fill_temporal":{"fill_from":"2024-04-02","fill_to":"2024-06-30"}}`, "February:3 April:0 May:1 June:0 false:2"},
		{`{"fill_temporal":{"min_groups":5}}`, "February:3 March:0 April:0 May:1 June:0 false:2"},
		{`{"fill_temporal":{"fill_from":"2024-08-01"}}`, "February:3 May:1 false:2"},
	}
	for _, tt := range tests {
		g := newGrouped(t)
		g.answers = []*backend.Groups{{
			Lang: "en_US", By: []backend.GroupColumn{g.column("x_date:month")}, Aggregates: []backend.GroupColumn{g.column("__count")},
			Rows: []backend.Group{
				one(month(2024, 2), backend.IntValue(3)), one(month(2024, 5), backend.IntValue(1)), one(backend.GroupKey{}, backend.IntValue(2)),
			},
		}}
		text, err := g.run(t, "formatted_read_group", `{"domain":[],"groupby":["x_date:month"],"aggregates":["__count"],"context":`+tt.context+`}`)
		if err != nil {
			t.Fatalf("%s: %v", tt.context, err)
		}
		var rows []map[string]any
		if err := json.Unmarshal([]byte(text), &rows); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, row := range rows {
			name := "false"
			if pair, ok := row["x_date:month"].([]any); ok {
				name, _, _ = strings.Cut(pair[1].(string), " ")
			}
			count, _ := json.Marshal(row["__count"])
			got = append(got, name+":"+string(count))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %s, want %s", tt.context, got, tt.want)
		}
	}
	g := newGrouped(t, &backend.Groups{})
	if _, err := g.run(t, "formatted_read_group", `{"domain":[],"groupby":["x_date:month"],"limit":2,"context":{"fill_temporal":true}}`); !fault.Is(err, fault.BadRequest) {
		t.Errorf("with a limit: %v", err)
	}
}

func TestOldReadGroup(t *testing.T) {
	tests := []struct {
		kwargs              string
		by, aggregates, row string
		order               string
	}{
		{
			`{"domain":[["x_int",">",1]],"groupby":["x_kind","x_date"],"fields":["x_int","x_kind","n:count(id)"]}`, "x_kind", "__count x_int:sum id:count",
			`{"__context":{"group_by":["x_date"]},"__domain":["&",["x_int",">",1],["x_kind","=","a"]],"n":3,"x_int":2,"x_kind":"a","x_kind_count":1}`, "x_kind",
		},
		{
			`{"domain":[],"groupby":"x_kind","fields":["x_int:max"],"lazy":false,"orderby":"x_int desc, x_kind"}`, "x_kind", "__count x_int:max",
			`{"__count":1,"__domain":[["x_kind","=","a"]],"x_int":2,"x_kind":"a"}`, "x_int:max desc,x_kind",
		},
		{
			`{"domain":[],"groupby":["x_date"],"fields":[],"orderby":"x_date desc"}`, "x_date:month", "__count",
			`{"__domain":["&",["x_date",">=","2024-02-01"],["x_date","<","2024-03-01"]],"__range":{"x_date":{"from":"2024-02-01","to":"2024-03-01"}},` +
				`"x_date":"February 2024","x_date_count":1}`, "x_date:month desc",
		},
	}
	for _, tt := range tests {
		g := newGrouped(t)
		answer := &backend.Groups{Lang: "en_US", By: []backend.GroupColumn{g.column(tt.by)}}
		key := plain(backend.TextValue("a"))
		if strings.HasPrefix(tt.by, "x_date") {
			key = month(2024, 2)
		}
		row := one(key)
		for i, name := range strings.Fields(tt.aggregates) {
			answer.Aggregates = append(answer.Aggregates, g.column(name))
			row.Values = append(row.Values, backend.IntValue(int64(i+1)))
		}
		answer.Rows = []backend.Group{row}
		g.answers = []*backend.Groups{answer}
		got, err := g.run(t, "read_group", tt.kwargs)
		if err != nil || got != "["+tt.row+"]" {
			t.Errorf("%s:\n%s (%v), want\n%s", tt.kwargs, got, err, tt.row)
			continue
		}
		q := g.asked[0]
		if strings.Join(q.GroupBy, " ") != tt.by || strings.Join(q.Aggregates, " ") != tt.aggregates || q.Order != tt.order {
			t.Errorf("%s: asked %+v", tt.kwargs, q)
		}
	}
}

func TestWebReadGroup(t *testing.T) {
	g := newGrouped(t)
	g.answers = []*backend.Groups{{
		Lang: "en_US", Total: 9, By: []backend.GroupColumn{g.column("x_kind")}, Aggregates: []backend.GroupColumn{g.column("x_int:sum"), g.column("__count")},
		Rows: []backend.Group{one(plain(backend.TextValue("a")), backend.IntValue(5), backend.IntValue(2))},
	}}
	got, err := g.run(t, "web_read_group", `{"domain":[],"groupby":["x_kind","x_date:month"],"aggregates":["x_int:sum"],"limit":1,"offset":2,"order":"x_int desc, x_seq"}`)
	want := `{"groups":[{"__count":2,"__extra_domain":[["x_kind","=","a"]],"x_int:sum":5,"x_kind":"a"}],"length":9}`
	if err != nil || got != want {
		t.Errorf("%s (%v), want %s", got, err, want)
	}
	if q := g.asked[0]; q.Order != "x_int:sum DESC, x_kind" || len(q.GroupBy) != 1 || !q.Count {
		t.Errorf("asked %+v", q)
	}
	if got, err = g.run(t, "web_read_group", `{"domain":[],"groupby":["x_kind"],"offset":2}`); err != nil || !strings.HasSuffix(got, `"length":3}`) {
		t.Errorf("the last page tells the length: %s (%v)", got, err)
	}
}

func TestGroupingSets(t *testing.T) {
	g := newGrouped(t)
	kinds := &backend.Groups{By: []backend.GroupColumn{g.column("x_kind")}, Rows: []backend.Group{one(plain(backend.TextValue("a"))), one(backend.GroupKey{})}}
	all := &backend.Groups{Rows: []backend.Group{{}}}
	g.answers = []*backend.Groups{kinds, all}
	got, err := g.run(t, "formatted_read_grouping_sets", `{"domain":[],"grouping_sets":[["x_kind"],[]]}`)
	want := `[[{"__extra_domain":[["x_kind","=","a"]],"x_kind":"a"},{"__extra_domain":[["x_kind","=",false]],"x_kind":false}],[{"__extra_domain":[[1,"=",1]]}]]`
	if err != nil || got != want {
		t.Errorf("%s (%v), want %s", got, err, want)
	}
	g.answers = []*backend.Groups{all, kinds}
	_, err = g.run(t, "formatted_read_grouping_sets", `{"domain":[],"grouping_sets":[["x_int"],["x_kind"]],"order":"x_int"}`)
	if _, ok := errors.AsType[*backend.UnprovableError](err); !ok {
		t.Errorf("a set that nothing orders: %v", err)
	}
	if _, err = g.run(t, "formatted_read_grouping_sets", `{"domain":[],"grouping_sets":[]}`); !fault.Is(err, fault.BadRequest) {
		t.Errorf("no sets: %v", err)
	}
}

func showHaving(n domain.Node) string {
	join := func(nodes []domain.Node, op string) string {
		parts := make([]string, len(nodes))
		for i, child := range nodes {
			parts[i] = showHaving(child)
		}
		if len(parts) == 1 {
			return parts[0]
		}
		return "(" + strings.Join(parts, op) + ")"
	}
	switch n := n.(type) {
	case domain.And:
		return join(n, " and ")
	case domain.Or:
		return join(n, " or ")
	case domain.Not:
		return "not " + showHaving(n.Child)
	case *domain.Leaf:
		return n.Path
	}
	return ""
}
