package facts

import (
	"fmt"
	"regexp"
	"slices"
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
		if len(words) > 2 || !slices.Contains([]string{"", ByWord, Exact, Loosely, Rather}, n.How) {
			return fmt.Errorf("named is a field, and perhaps word, exact, loosely or rather")
		}
		s.Named = append(s.Named, n)
	case "below", "apart":
		if value != "yes" {
			return fmt.Errorf("%s is yes", fact)
		}
		s.Below, s.Apart = s.Below || fact == "below", s.Apart || fact == "apart"
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
	step := Step{Always: words[0] == "always"}
	step.Alone = step.Always || words[0] == "alone"
	if !step.Alone && words[0] != "then" {
		return fmt.Errorf("a step is alone, always or then")
	}
	if len(words) > 4 || (step.Alone && len(words) < 3) {
		return fmt.Errorf("a step is alone (or always) field operator [expression], or then [field [operator [expression]]]")
	}
	if len(words) > 1 {
		step.Field = words[1]
	}
	if len(words) > 2 && words[2] != "*" {
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
	case "sorting":
		s.Sorting = words[1:]
	case "beside":
		s.Beside = words[1:]
	case "orders":
		s.Orders = words[1:]
	case "patterns":
		s.Patterns = words[1:]
	case "fields":
		s.Fields = words[1:]
	default:
		return fmt.Errorf("searching is one of contexts, sorting, orders, patterns, fields, beside")
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
