package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// structured settings hold more than one value; in the file they are written
// out, in a variable they are YAML or JSON in one text.
type structured interface{ structured() }

// Resources are curated resources that somebody declares for himself.
type Resources []Resource

// Resource is a curated resource: a model under a name of its own, with chosen fields.
type Resource struct {
	Name    string           `yaml:"name"`
	Label   string           `yaml:"label"`
	Model   string           `yaml:"model"`
	Domain  string           `yaml:"domain"`
	Search  []string         `yaml:"search"`
	Fields  []ResourceField  `yaml:"fields"`
	Actions []ResourceAction `yaml:"actions"`
}

// ResourceField is a field of one. In the file its name alone is enough.
type ResourceField struct {
	Name     string                    `yaml:"name"`
	Field    string                    `yaml:"field"`
	Doc      string                    `yaml:"doc"`
	Only     string                    `yaml:"only"` // in, out, or "" for both
	Required bool                      `yaml:"required"`
	Default  any                       `yaml:"default"`
	Check    string                    `yaml:"check"`
	Choices  map[string]map[string]any `yaml:"choices"`
	Lines    []ResourceField           `yaml:"lines"`
}

// UnmarshalYAML takes a field by its name alone, too.
func (f *ResourceField) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		f.Name = node.Value
		return nil
	}
	type plain ResourceField
	// The decoder's strictness does not reach into types that decode themselves.
	known := []string{"name", "field", "doc", "only", "required", "default", "check", "choices", "lines"}
	for i := 0; node.Kind == yaml.MappingNode && i < len(node.Content); i += 2 {
		if key := node.Content[i].Value; !slices.Contains(known, key) {
			return unknownKey(key, known)
		}
	}
	return node.Decode((*plain)(f))
}

// ResourceAction is a business method under a path of its own.
type ResourceAction struct {
	Name   string `yaml:"name"`
	Method string `yaml:"method"`
	Past   string `yaml:"past"`
}

func (*Resources) structured() {}

var (
	resourceName  = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	resourceLabel = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{0,63}$`)
)

// UnmarshalText reads a list of resources. Whether models and fields exist
// shows at the start.
func (r *Resources) UnmarshalText(text []byte) error {
	var all []Resource
	if err := decodeStrictly(text, &all); err != nil {
		return err
	}
	for i := range all {
		one := &all[i]
		if !resourceName.MatchString(one.Name) {
			return fmt.Errorf("resource %d: the name %q is not a word of small letters, such as leads", i+1, one.Name)
		}
		if one.Label == "" {
			one.Label = strings.ToUpper(one.Name[:1]) + strings.ReplaceAll(strings.TrimSuffix(one.Name[1:], "s"), "_", "")
		}
		switch {
		case !resourceLabel.MatchString(one.Label):
			return fmt.Errorf("resource %s: the label %q is not a word such as Lead", one.Name, one.Label)
		case one.Model == "":
			return fmt.Errorf("resource %s has no model", one.Name)
		case len(one.Fields) == 0:
			return fmt.Errorf("resource %s has no fields", one.Name)
		}
		if err := checkFields(one.Fields); err != nil {
			return fmt.Errorf("resource %s: %w", one.Name, err)
		}
		for _, action := range one.Actions {
			if !resourceName.MatchString(action.Name) || action.Method == "" {
				return fmt.Errorf("resource %s: an action needs a name such as confirm and a method", one.Name)
			}
		}
	}
	*r = all
	return nil
}

func checkFields(fields []ResourceField) error {
	for i := range fields {
		f := &fields[i]
		if f.Name == "" {
			return fmt.Errorf("field %d has no name", i+1)
		}
		if f.Only != "" && f.Only != "in" && f.Only != "out" {
			return fmt.Errorf("field %s: only is in or out, not %q", f.Name, f.Only)
		}
		for word, values := range f.Choices {
			for field, value := range values {
				switch value.(type) {
				case string, bool:
				default:
					return fmt.Errorf("field %s: the choice %s must give %s a text, true or false", f.Name, word, field)
				}
			}
		}
		if err := checkFields(f.Lines); err != nil {
			return err
		}
	}
	return nil
}

// String names the resources.
func (r Resources) String() string {
	names := make([]string, len(r))
	for i := range r {
		names[i] = r[i].Name
	}
	return strings.Join(names, ",")
}

// MethodLists are the business methods that may be called, by model; with a !
// in front, those that may not.
type MethodLists map[string][]string

func (*MethodLists) structured() {}

// UnmarshalText reads lists of methods by model.
func (m *MethodLists) UnmarshalText(text []byte) error {
	all := map[string][]string{}
	if err := decodeStrictly(text, &all); err != nil {
		return err
	}
	for model, names := range all {
		denied := 0
		for _, name := range names {
			if strings.TrimPrefix(name, "!") == "" {
				return fmt.Errorf("%s: the name of a method is empty", model)
			}
			if strings.HasPrefix(name, "!") {
				denied++
			}
		}
		if denied > 0 && denied < len(names) {
			return fmt.Errorf("%s: list the methods that may be called, or with ! those that may not, but not both", model)
		}
	}
	*m = all
	return nil
}

// String names the models.
func (m MethodLists) String() string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ",")
}

// decodeStrictly refuses keys that do not exist.
func decodeStrictly(text []byte, into any) error {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return errors.New(strings.ReplaceAll(strings.TrimPrefix(err.Error(), "yaml: "), " in type config.Resource", ""))
	}
	return nil
}
