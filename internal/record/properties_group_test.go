package record_test

import (
	"encoding/json"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
)

// thingsBy shows the groups of things by a term: key, condition, count.
func (w *world) thingsBy(term string) string {
	w.Helper()
	q := &backend.GroupQuery{Model: "test.thing", GroupBy: []string{term}, Aggregates: []string{"__count"}}
	groups, err := w.eng.Group(w.Context(), as(0), q)
	if err != nil {
		w.Fatalf("%s: %v", term, err)
	}
	var rows [][]any
	for _, g := range groups.Rows {
		key := g.Keys[0]
		shown := key.Shown
		if shown == nil {
			shown = map[backend.Kind]any{
				backend.Int: key.Int, backend.Text: key.Text, backend.Bool: key.Int == 1, backend.Date: key.From.Format("2006-01-02"),
			}[key.Kind]
		}
		rows = append(rows, []any{shown, key.Where, g.Values[0].Int})
	}
	text, err := json.Marshal(rows)
	if err != nil {
		w.Fatal(err)
	}
	return string(text)
}

func TestGroupByProperties(t *testing.T) {
	onShelves(t, func(w *world) {
		two, three := w.name("res.country", 2), w.name("res.country", 3)
		for term, want := range map[string]string{
			"props.aa":     `[["100%",null,1],["blue",null,2],[false,null,2]]`,
			"props.bb":     `[[-7,null,1],[0,null,1],[3,null,1],[false,null,2]]`,
			"props.cc":     `[[false,null,4],[true,null,1]]`,
			"props.gg":     `[["l",null,1],[null,["|",["props.gg","=",false],["props.gg","not in",["s","l"]]],4]]`,
			"props.hh":     `[[["hot","Hot",1],[["props.hh","in","hot"]],2],[["new","New",2],[["props.hh","in","new"]],1],[null,["|",["props.hh","=",false],"\u0026",["props.hh","not in","hot"],["props.hh","not in","new"]],3]]`,
			"props.ii":     `[[[3,"` + three + `"],[["props.ii","=",3]],1],[null,["|",["props.ii","=",false],["props.ii","not in",[3]]],4]]`,
			"props.jj":     `[[[2,"` + two + `"],[["props.jj","in",2]],1],[[3,"` + three + `"],[["props.jj","in",3]],2],[null,["|",["props.jj","=",false],"\u0026",["props.jj","not in",2],["props.jj","not in",3]],4]]`,
			"props.nosuch": `[[false,null,5]]`,
		} {
			if got := w.thingsBy(term); got != want {
				w.Errorf("%s:\ngot  %s\nwant %s", term, got, want)
			}
		}
		w.run("update test_shelf set described = " + w.db.Dialect().JSONValue(`'[{"name": "dd", "type": "date"}, {"name": "tt", "type": "html"}]'`))
		w.run("update test_thing set props = " + w.db.Dialect().JSONValue(`'{"dd": "2024-05-06"}'`) + " where name in ('a', 'b')")
		w.run("update test_thing set props = " + w.db.Dialect().JSONValue(`'{"dd": false}'`) + " where name = 'c'")
		if got := w.thingsBy("props.dd:month"); got != `[["2024-05-01",null,2],[null,null,3]]` {
			w.Errorf("a date: %s", got)
		}
		for term, part := range map[string]string{
			"props": "Missing property name", "props.AA": "Wrong name", "props.dd": "depends on", "props.nosuch:month": "granularity",
		} {
			_, err := w.eng.Group(w.Context(), as(0), &backend.GroupQuery{Model: "test.thing", GroupBy: []string{term}})
			w.want(err, fault.BadRequest, part)
		}
		_, err := w.eng.Group(w.Context(), as(0), &backend.GroupQuery{Model: "test.thing", GroupBy: []string{"props.tt"}})
		w.want(err, fault.Unprocessable, "HTML")
	})
}
