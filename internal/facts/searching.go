package facts

import (
	"fmt"
	"regexp"
	"strings"
)

// set takes a fact about searches.
func (s *Searching) set(fact, value string) error {
	words := strings.Fields(value)
	switch fact {
	case "named":
		n := Named{Field: words[0]}
		if len(words) > 1 {
			n.How = words[1]
		}
		if len(words) > 2 || (n.How != "" && n.How != ByWord && n.How != Exact) {
			return fmt.Errorf("named is a field, and perhaps word or exact")
		}
		s.Named = append(s.Named, n)
	case "below":
		if value != "yes" {
			return fmt.Errorf("below is yes")
		}
		s.Below = true
	case "odd":
		re, err := regexp.Compile(value)
		if err != nil {
			return err
		}
		s.Odd = append(s.Odd, re)
	case "step":
		return s.setStep(words)
	case "searching":
		return s.setLimits(words)
	}
	return nil
}

func (s *Searching) setStep(words []string) error {
	if len(words) == 1 && words[0] == "caller" {
		s.CallerFirst = true
		return nil
	}
	step := Step{Alone: words[0] == "alone"}
	if !step.Alone && words[0] != "then" {
		return fmt.Errorf("a step is alone or then")
	}
	most := map[bool]int{true: 4, false: 3}[step.Alone]
	if len(words) > most || (step.Alone && len(words) < 3) {
		return fmt.Errorf("a step is alone field operator [expression], or then [field [operator]]")
	}
	if len(words) > 1 {
		step.Field = words[1]
	}
	if len(words) > 2 {
		step.Op = words[2]
	}
	if len(words) > 3 {
		var err error
		if step.Part, err = regexp.Compile(words[3]); err != nil {
			return err
		}
		if step.Part.NumSubexp() < 1 {
			return fmt.Errorf("the expression has no group for the part to search for")
		}
	}
	s.Steps = append(s.Steps, step)
	return nil
}

func (s *Searching) setLimits(words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("the fact has no value")
	}
	switch words[0] {
	case "contexts":
		s.Contexts = words[1:]
	case "orders":
		s.Orders = words[1:]
	case "patterns":
		s.Patterns = words[1:]
	case "fields":
		s.Fields = words[1:]
	default:
		return fmt.Errorf("searching is one of contexts, orders, patterns, fields")
	}
	return nil
}

// setSearch takes a fact about how the code of a field searches it.
func (f *Field) setSearch(fact, value string) error {
	switch fact {
	case "search":
		f.Search = true
		f.SearchPath, f.SearchArchived = strings.CutSuffix(value, " archived")
	case "chain":
		f.SearchChain = strings.Fields(value)
		if len(f.SearchChain) != 2 {
			return fmt.Errorf("a chain is two paths")
		}
	case "pathless":
		f.SearchPathless = true
	}
	return nil
}
