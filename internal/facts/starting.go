package facts

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Starting is what the fields of a new record start with.
type Starting struct {
	// Constants by field, as JSON has them (numbers as json.Number).
	Constants map[string]any
	// Code lists the fields whose start only code knows.
	Code []string
	// Recast lists the fields whose start the model's own code may change once
	// more; "*" is any field.
	Recast []string
}

// set takes a fact about new records.
func (s *Starting) set(fact, value string) error {
	switch fact {
	case "defaults":
		d := json.NewDecoder(strings.NewReader(value))
		d.UseNumber()
		if err := d.Decode(&s.Constants); err != nil {
			return fmt.Errorf("defaults are an object of JSON: %w", err)
		}
	case "code_defaults":
		s.Code = strings.Fields(value)
	case "recast":
		s.Recast = strings.Fields(value)
	}
	return nil
}

func (f *Field) setDefault(value string) error {
	word, key := cutWord(value)
	if (word == "company" || word == "user") && key == "" || word == "context" && key != "" {
		f.Default = value
		return nil
	}
	return fmt.Errorf("default is company, user, or context and a key")
}
