package odoocall

import (
	"slices"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/facts"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// nameSearch answers pairs of id and name.
func nameSearch(c *call) (any, error) {
	s := &nameSearcher{c: c, name: c.args.given["name"], pairs: [][2]any{}}
	if falsy(s.name) {
		s.name = ""
	}
	op, err := c.args.text("operator", "ilike")
	if err != nil {
		return nil, err
	}
	if s.domain, err = c.args.domain("domain", true); err != nil {
		return nil, err
	}
	limit := 100
	if given, is := c.args.given["limit"]; is {
		if limit, err = c.args.count("limit"); err != nil {
			return nil, err
		}
		s.none = given != nil && limit == 0
	}
	model, err := c.b.Model(c.ctx, c.caller, c.model)
	if err != nil {
		return nil, err
	}
	s.op = domain.Op(op)
	if len(model.Searching.Beside) > 0 && mentions(c.args.given["domain"], model.Searching.Beside) {
		return nil, backend.CannotProve(backend.PythonNames, model.Name, "beside such a condition")
	}
	if model.Searching.CallerFirst {
		return s.callerFirst(model, limit)
	}
	return s.pairs, s.search(model, limit)
}

// nameSearcher gathers what a search by name finds.
type nameSearcher struct {
	c      *call
	domain domain.Node
	op     domain.Op
	name   any
	pairs  [][2]any
	ids    []any // of the pairs
	none   bool  // the limit is given as none: code subtracts from it what it found, and nothing is left
}

// mentions says whether one of the conditions of a domain is on one of the fields.
func mentions(node any, fields []string) bool {
	terms, _ := node.([]any)
	return slices.ContainsFunc(terms, func(term any) bool {
		leaf, _ := term.([]any)
		if len(leaf) == 0 {
			return false
		}
		field, _ := leaf[0].(string)
		return slices.Contains(fields, field)
	})
}

// search finds by name as the model does.
func (s *nameSearcher) search(model *schema.Model, limit int) error {
	switch {
	case s.name == "" && s.op == domain.OpILike:
		return s.find(domain.Const(true), limit)
	case len(model.Searching.Steps) > 0 && !s.op.Negative() && s.name != "":
		return s.walk(model.Searching.Steps, limit)
	}
	return s.step(facts.Step{}, limit)
}

// callerFirst puts the calling user first, if he is one of those found, be it
// beyond the limit.
func (s *nameSearcher) callerFirst(model *schema.Model, limit int) (any, error) {
	if err := s.search(model, limit); err != nil {
		return nil, err
	}
	self := s.c.caller.UserID
	at := slices.Index(s.ids, any(self))
	if at < 0 && limit > 0 && len(s.ids) == limit {
		alone := &nameSearcher{c: s.c, op: s.op, name: s.name}
		alone.domain = domain.Conj(s.domain, &domain.Leaf{Path: "id", Op: domain.OpEq, Value: self, Pos: -1})
		if err := alone.search(model, 1); err != nil {
			return nil, err
		}
		if len(alone.pairs) > 0 {
			at = limit - 1
			s.pairs[at] = alone.pairs[0]
		}
	}
	if at > 0 {
		first := s.pairs[at]
		s.pairs = slices.Insert(slices.Delete(s.pairs, at, at+1), 0, first)
	}
	return s.pairs, nil
}

// walk goes step by step, as the model's own code does (package facts).
func (s *nameSearcher) walk(steps []facts.Step, limit int) error {
	searched := false
	for _, step := range steps {
		left := limit
		if step.Alone {
			if goes, err := s.goesAlone(step); err != nil {
				return err
			} else if !goes {
				continue
			}
		} else {
			if searched && s.none {
				continue
			}
			if limit > 0 {
				if left = limit - len(s.ids); left <= 0 {
					return nil
				}
			}
		}
		ran, err := s.partly(step, left)
		if err != nil || step.Alone && len(s.ids) > 0 {
			return err
		}
		searched = searched || ran && !step.Alone
	}
	return nil
}

// goesAlone says whether a step that may be the whole answer is taken at all.
func (s *nameSearcher) goesAlone(step facts.Step) (bool, error) {
	_, isText := s.name.(string)
	if step.Always && !isText {
		return false, backend.CannotProve(backend.PythonNames, s.c.model, "a list of names")
	}
	return isText && len(s.ids) == 0 && (step.Always || s.op == domain.OpEq || s.op.IsPattern()), nil
}

// partly searches for the part of the text that a step is for; ran says that
// there is one.
func (s *nameSearcher) partly(step facts.Step, limit int) (ran bool, err error) {
	whole := s.name
	text, isText := whole.(string)
	if !isText && !step.Alone && (step.Op != "" || step.Part != nil) {
		return false, backend.CannotProve(backend.PythonNames, s.c.model, "a list of names")
	}
	part, ok := partOf(step, text)
	if !ok {
		return false, nil
	}
	if step.Part != nil {
		s.name = part
	}
	err = s.step(step, limit)
	s.name = whole
	return true, err
}

// partOf is the part of a text that a step searches for.
func partOf(step facts.Step, text string) (string, bool) {
	if step.Part == nil {
		return text, true
	}
	found := step.Part.FindStringSubmatch(text)
	if found == nil {
		return "", false
	}
	return found[1], true
}

// step searches once, and leaves out what was found before.
func (s *nameSearcher) step(step facts.Step, limit int) error {
	field, op := step.Field, step.Op
	if field == "" {
		field = "display_name"
	}
	if op == "" {
		op = string(s.op)
	}
	named, err := domain.FromValue([]any{[]any{field, op, s.name}}, domain.Limits{})
	if err != nil {
		return fault.New(fault.BadRequest, "Invalid domain: "+err.Error())
	}
	if len(s.ids) > 0 {
		named = domain.Conj(named, &domain.Leaf{Path: "id", Op: domain.OpNotIn, Value: s.ids, Pos: -1})
	}
	return s.find(named, limit)
}

// find adds what a condition finds.
func (s *nameSearcher) find(named domain.Node, limit int) error {
	q := &backend.Query{
		Model: s.c.model, Fields: []string{"display_name"}, Limit: limit,
		Domain: domain.Conj(s.domain, named),
	}
	var page backend.Page
	if _, err := s.c.b.Search(s.c.ctx, s.c.caller, q, &page); err != nil {
		return err
	}
	for i := range page.Rows {
		id := page.Get(i, "id").Int
		s.ids = append(s.ids, id)
		s.pairs = append(s.pairs, [2]any{id, orFalse(page.Get(i, "display_name").Text)})
	}
	return nil
}

func orFalse(s string) any {
	if s == "" {
		return false
	}
	return s
}
