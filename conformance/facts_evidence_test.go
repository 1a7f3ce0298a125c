package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/facts"
	"gatehouse/internal/schema"
)

// evidence is which rules of the facts the recordings confirm.
type evidence struct {
	reg *schema.Registry
	// shown has fields whose values were recorded, by "model.field"; names are
	// those of display_name. asked has fields that were searched or ordered by,
	// refused those where Odoo failed, found models that were searched by name.
	shown, asked, refused, found map[string]bool
}

// names notes the fields of recorded records, and of what they link to.
func (e *evidence) names(model string, v any) {
	m := e.reg.Model(model)
	if list, is := v.([]any); is {
		for _, one := range list {
			e.names(model, one)
		}
		return
	}
	record, is := v.(map[string]any)
	if m == nil || !is {
		return
	}
	for name, value := range record {
		spec, _, _ := strings.Cut(name, ":")
		field := m.Field(spec)
		if field == nil {
			continue
		}
		e.shown[model+"."+spec] = true
		if !field.Type.IsRelational() {
			continue
		}
		if pair, is := value.([]any); is && len(pair) == 2 {
			if _, named := pair[1].(string); named {
				e.shown[field.Relation+".display_name"] = true
			}
		}
		e.names(field.Relation, value)
	}
}

// domain notes the fields that a recorded domain asks about.
func (e *evidence) domain(model string, v any, into map[string]bool) {
	list, _ := v.([]any)
	for _, item := range list {
		leaf, is := item.([]any)
		if !is || len(leaf) != 3 {
			continue
		}
		path, is := leaf[0].(string)
		for at := e.reg.Model(model); is && at != nil && path != ""; {
			name, rest, _ := strings.Cut(path, ".")
			field := at.Field(name)
			if field == nil {
				break
			}
			into[at.Name+"."+name] = true
			at, path = e.reg.Model(field.Relation), rest
		}
	}
}

// note takes down what a case that was answered the same confirms.
func (e *evidence) note(rc *readCase) {
	if rc.Error != nil {
		e.domain(rc.Model, rc.Kwargs["domain"], e.refused)
		return
	}
	e.domain(rc.Model, rc.Kwargs["domain"], e.asked)
	if m := e.reg.Model(rc.Model); m != nil && rc.Kwargs["order"] == nil {
		for _, term := range strings.Split(m.Order, ",") {
			name, _, _ := strings.Cut(strings.TrimSpace(term), " ")
			e.asked[rc.Model+"."+name] = true
		}
	}
	result := rc.Result
	switch rc.Method {
	case "name_search":
		if pairs, _ := result.([]any); len(pairs) > 0 {
			e.shown[rc.Model+".display_name"] = true
		}
		if name, _ := rc.Kwargs["name"].(string); name != "" {
			e.found[rc.Model] = true
		}
		return
	case "read", "search_read", "web_read", "formatted_read_group", "read_group":
	default:
		return
	}
	e.names(rc.Model, result)
}

// TestFactsHaveEvidence: for every rule about names, searches and values that
// the table adds to what the code says of itself, there is a recorded answer
// that the rule gets right.
func TestFactsHaveEvidence(t *testing.T) {
	c := loadedCorpus(t)
	engine, err := openGenuine(t.Context(), c.db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Close)
	reg, err := engine.Registry(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e := &evidence{reg: reg, shown: map[string]bool{}, asked: map[string]bool{}, refused: map[string]bool{}, found: map[string]bool{}}
	files, err := filepath.Glob(filepath.Join(c.dir, "reads", "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		err := eachLine(file, func(line []byte) error {
			rc := &readCase{}
			if err := decode(line, rc); err != nil {
				return err
			}
			if c.read(t.Context(), engine, rc).Verdict == Same {
				e.note(rc)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	table, err := facts.Odoo19()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range table.Names() {
		for _, rule := range e.unconfirmed(name, table.Model(name)) {
			t.Errorf("%s: no recorded answer confirms %s", name, rule)
		}
	}
}

// unconfirmed lists the rules about a model that no recording confirms.
func (e *evidence) unconfirmed(name string, m *facts.Model) (rules []string) {
	rule := func(is, confirmed bool, what string) {
		if is && !confirmed {
			rules = append(rules, what)
		}
	}
	s := m.Searching
	rule(m.Display != "" || len(m.Contexts) > 0, e.shown[name+".display_name"], "how a record is called")
	rule(len(s.Named) > 0 || len(s.Steps) > 0 || s.CallerFirst, e.found[name], "how it is found by name")
	rule(m.ByDocument, e.shown[name+".id"], "who may see it")
	fields := make([]string, 0, len(m.Fields))
	for field := range m.Fields {
		fields = append(fields, field)
	}
	slices.Sort(fields)
	for _, field := range fields {
		f := m.Fields[field]
		rule(f.Value != "", e.shown[name+"."+field] || f.Column && e.asked[name+"."+field], "the value of "+field)
		rule(f.SearchPathless, e.refused[name+"."+field], "the refusal of paths through "+field)
		rule(f.SearchPath != "" || len(f.SearchChain) > 0, e.asked[name+"."+field], "the search of "+field)
	}
	return rules
}
